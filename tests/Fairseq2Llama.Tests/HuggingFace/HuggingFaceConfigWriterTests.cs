using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.HuggingFace;

public class HuggingFaceConfigWriterTests
{
    /// <summary>config.json of models as they are published, by the name of their architecture.</summary>
    private static readonly Dictionary<string, string> Published = new()
    {
        // meta-llama/Llama-2-7b-hf
        ["llama2_7b"] =
            """
            {
              "architectures": [
                "LlamaForCausalLM"
              ],
              "bos_token_id": 1,
              "eos_token_id": 2,
              "hidden_act": "silu",
              "hidden_size": 4096,
              "initializer_range": 0.02,
              "intermediate_size": 11008,
              "max_position_embeddings": 4096,
              "model_type": "llama",
              "num_attention_heads": 32,
              "num_hidden_layers": 32,
              "num_key_value_heads": 32,
              "pretraining_tp": 1,
              "rms_norm_eps": 1e-05,
              "rope_scaling": null,
              "tie_word_embeddings": false,
              "torch_dtype": "float16",
              "transformers_version": "4.31.0.dev0",
              "use_cache": true,
              "vocab_size": 32000
            }
            """,

        // meta-llama/Llama-3.2-1B
        ["llama3_2_1b"] =
            """
            {
              "architectures": [
                "LlamaForCausalLM"
              ],
              "attention_bias": false,
              "attention_dropout": 0.0,
              "bos_token_id": 128000,
              "eos_token_id": 128001,
              "head_dim": 64,
              "hidden_act": "silu",
              "hidden_size": 2048,
              "initializer_range": 0.02,
              "intermediate_size": 8192,
              "max_position_embeddings": 131072,
              "mlp_bias": false,
              "model_type": "llama",
              "num_attention_heads": 32,
              "num_hidden_layers": 16,
              "num_key_value_heads": 8,
              "pretraining_tp": 1,
              "rms_norm_eps": 1e-05,
              "rope_scaling": {
                "factor": 32.0,
                "high_freq_factor": 4.0,
                "low_freq_factor": 1.0,
                "original_max_position_embeddings": 8192,
                "rope_type": "llama3"
              },
              "rope_theta": 500000.0,
              "tie_word_embeddings": true,
              "torch_dtype": "bfloat16",
              "transformers_version": "4.45.0.dev0",
              "use_cache": true,
              "vocab_size": 128256
            }
            """,
    };

    /// <summary>What LlamaConfig has for them is what all published models have, so they say nothing.</summary>
    private static readonly string[] LeftOut = ["attention_dropout", "initializer_range", "pretraining_tp", "transformers_version"];

    public static TheoryData<string> Names => [.. LlamaArchitectures.All.Select(architecture => architecture.Name)];

    public static TheoryData<string> PublishedNames => [.. Published.Keys];

    [Theory]
    [MemberData(nameof(PublishedNames))]
    public void Is_what_was_published_as_far_as_both_say_it(string name)
    {
        var dtype = name == "llama2_7b" ? DType.Float16 : DType.BFloat16;
        var (written, published) = (Fields(Write(LlamaArchitectures.Find(name), dtype)), Fields(Encoding.UTF8.GetBytes(Published[name])));
        var both = written.Keys.Intersect(published.Keys).ToArray();

        // As text, because 10000 is not 10000.0 to Python.
        Assert.All(both, key => Assert.Equal(Squeeze(published[key]), Squeeze(written[key])));
        Assert.Equal(LeftOut.Intersect(published.Keys), published.Keys.Except(written.Keys));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Says_what_an_architecture_is(string name)
    {
        var architecture = LlamaArchitectures.Find(name);
        var config = JsonNode.Parse(Write(architecture))!.AsObject();

        Assert.Equal(
            (architecture.ModelDim, architecture.NumLayers, architecture.NumAttnHeads, architecture.NumKeyValueHeads, architecture.ModelDim / architecture.NumAttnHeads),
            ((int)config["hidden_size"]!, (int)config["num_hidden_layers"]!, (int)config["num_attention_heads"]!, (int)config["num_key_value_heads"]!, (int)config["head_dim"]!));
        Assert.Equal(
            (architecture.FfnInnerDim, architecture.VocabSize, architecture.MaxSeqLen, architecture.RopeTheta, architecture.TiedEmbeddings),
            ((long)config["intermediate_size"]!, (int)config["vocab_size"]!, (int)config["max_position_embeddings"]!, (double)config["rope_theta"]!, (bool)config["tie_word_embeddings"]!));
        Assert.Equal(name.StartsWith("llama3", StringComparison.Ordinal) ? (128_000, 128_001) : (1, 2), ((int)config["bos_token_id"]!, (int)config["eos_token_id"]!));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scales_the_rotary_encoding_only_where_it_is_scaled(string name)
    {
        var scaling = Fields(Write(LlamaArchitectures.Find(name)))["rope_scaling"];

        // By convert_llama_weights_to_hf.py.
        var factor = name.StartsWith("llama3_2", StringComparison.Ordinal) ? "32.0" : name.StartsWith("llama3_1", StringComparison.Ordinal) ? "8.0" : null;

        Assert.Equal(
            factor is null
                ? "null"
                : $$"""{"factor":{{factor}},"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}""",
            Squeeze(scaling));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_written_is_read_as_the_same_architecture(string name)
    {
        var architecture = LlamaArchitectures.Find(name);

        Assert.Equal(architecture, Read(Write(architecture)).Architecture);
    }

    /// <summary>The multiplier and the rounding of the FFN are told by no config.json; what is computed of them is.</summary>
    [Fact]
    public void One_that_is_in_no_catalogue_is_read_with_the_same_dimensions()
    {
        var architecture = TinyModel.Architecture with { NormEps = 1e-6, RopeTheta = 123_456.5, RopeScaleFactor = 2.5, MaxSeqLen = 99, ShardEmbedDim = true };

        var read = Read(Write(architecture)).Architecture!;

        Assert.Equal(architecture.FfnInnerDim, read.FfnInnerDim);
        Assert.Equal(architecture with { Name = read.Name, FfnInnerDimMultipleOf = read.FfnInnerDimMultipleOf, FfnInnerDimMultiplier = read.FfnInnerDimMultiplier }, read);
    }

    [Theory]
    [InlineData(1e-5, "1e-05")]
    [InlineData(1e-6, "1e-06")]
    [InlineData(0.001, "0.001")]
    [InlineData(1, "1.0")]
    public void Floats_are_written_as_Python_writes_them(double value, string expected) =>
        Assert.Equal(expected, Fields(Write(TinyModel.Architecture with { NormEps = value }))["rms_norm_eps"]);

    [Fact]
    public void Keys_come_in_the_order_of_their_names_and_none_twice()
    {
        var names = JsonSerializer.Deserialize<JsonElement>(Write(LlamaArchitectures.Find("llama3_1_8b"))).EnumerateObject().Select(field => field.Name).ToArray();

        Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), names);
    }

    [Fact]
    public void Is_indented_by_two_spaces_and_ends_with_a_line_feed()
    {
        var text = Encoding.UTF8.GetString(Write(LlamaArchitectures.Find("7b")));

        Assert.StartsWith("{\n  \"architectures\": [\n    \"LlamaForCausalLM\"\n  ],\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\n}\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
    }

    [Fact]
    public void Several_end_tokens_are_a_list()
    {
        var tokens = new SpecialTokens([128_000], [128_001, 128_008, 128_009]);
        var config = HuggingFaceConfigWriter.Write(LlamaArchitectures.Find("llama3_1_8b"), tokens, DType.BFloat16, []);

        Assert.Equal("[128001,128008,128009]", Squeeze(Fields(config)["eos_token_id"]));
        Assert.Equal(tokens.End, Read(config).SpecialTokens.End);
    }

    [Fact]
    public void Generation_takes_its_tokens_from_the_model() => Assert.Equal(
        "{\n  \"_from_model_config\": true,\n  \"bos_token_id\": 128000,\n  \"eos_token_id\": [\n    128001,\n    128009\n  ]\n}\n",
        Encoding.UTF8.GetString(GenerationConfig.Write(new SpecialTokens([128_000], [128_001, 128_009]))));

    private static byte[] Write(LlamaArchitecture architecture, DType dtype = DType.Float32) =>
        HuggingFaceConfigWriter.Write(architecture, SpecialTokens.OfVocabulary(architecture.VocabSize), dtype, []);

    private static ArchitectureFile Read(byte[] config) => HuggingFaceConfig.Read(JsonSettings.Read(new MemorySource(config)), "told");

    /// <summary>The text of each value.</summary>
    private static Dictionary<string, string> Fields(byte[] json) =>
        JsonSerializer.Deserialize<JsonElement>(json).EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetRawText());

    private static string Squeeze(string json) => string.Concat(json.Where(character => !char.IsWhiteSpace(character)));
}
