using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>model.yaml, whose texts are as fairseq2's writers of each version dump them.</summary>
public sealed class ModelConfigTests : IDisposable
{
    /// <summary>checkpoint/_metadata_provider.py of 0.4.0 to 0.4.6.</summary>
    private const string Version04 =
        """
        name: checkpoint
        model_family: llama
        model_config:
          _set_:
            model_dim: 4096
            max_seq_len: 131072
            vocab_info:
              size: 128256
              unk_idx: null
              bos_idx: 128000
              eos_idx: 128001
              pad_idx: null
            num_layers: 32
            num_attn_heads: 32
            num_key_value_heads: 8
            ffn_inner_dim: 16384
            ffn_inner_dim_scale: 0.6666666666666666
            ffn_inner_dim_multiplier: 1.3
            ffn_inner_dim_to_multiple: 1024
            rope_theta: 500000.0
            use_scaled_rope: true
            rope_scaling:
              factor: 8.0
              frequency_factors:
              - 1.0
              - 4.0
              original_context_length: 8192
            dropout_p: 0.1
        tokenizer_ref: llama3
        num_shards: 2
        """;

    /// <summary>checkpoint/model_metadata.py of 0.5.0 to 0.8.1.</summary>
    private const string Version08 =
        """
        name: checkpoint
        model_family: llama
        model_config:
          model_dim: 2048
          max_seq_len: 131072
          vocab_size: 128256
          pad_idx: null
          tied_embeddings: true
          num_layers: 16
          num_attn_heads: 32
          num_key_value_heads: 8
          ffn_inner_dim: 8192
          ffn_inner_dim_scale: 0.6666666666666666
          ffn_inner_dim_multiplier: 1.5
          ffn_inner_dim_multiple_of: 256
          rope_theta: 500000.0
          use_scaled_rope: true
          rope_scale:
            factor: 32.0
            frequency_factors:
            - 1.0
            - 4.0
            original_context_length: 8192
          dropout_p: 0.0
          init_std: null
          init_std_scale: layer
          shard_embed_dim: false
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Version04, "llama3_1_8b")]
    [InlineData(Version08, "llama3_2_1b")]
    public void Reads_both_spellings_of_the_fields(string yaml, string name)
    {
        var architecture = Read(yaml).Architecture!;

        Assert.Equal(LlamaArchitectures.Find(name), architecture);
    }

    [Fact]
    public void An_untied_model_of_the_catalogue_keeps_its_name()
    {
        var architecture = Read(Version08.Replace("tied_embeddings: true", "tied_embeddings: false", StringComparison.Ordinal)).Architecture!;

        Assert.Equal(LlamaArchitectures.Find("llama3_2_1b") with { TiedEmbeddings = false }, architecture);
    }

    [Fact]
    public void What_is_in_no_catalogue_is_named_after_the_run()
    {
        var architecture = Read(Version08.Replace("num_layers: 16", "num_layers: 8", StringComparison.Ordinal)).Architecture!;

        Assert.Equal(LlamaArchitectures.Find("llama3_2_1b") with { Name = "my-run", NumLayers = 8, AssetNames = [] }, architecture);
    }

    [Theory]
    [InlineData("name: checkpoint\nbase: llama3_8b_instruct\ntokenizer_ref: checkpoint_tokenizer\n", "llama3_8b")]
    [InlineData("model_arch: llama2_7b\nmodel_family: llama\n", "llama2_7b")]
    [InlineData("name: checkpoint\n", null)]
    [InlineData("name: checkpoint\nmodel_config: null\n", null)]
    public void An_asset_that_is_known_is_an_architecture(string yaml, string? name)
    {
        var config = Read(yaml);

        Assert.Null(config.Error);
        Assert.Equal(name, config.Architecture?.Name);
    }

    [Fact]
    public void An_asset_that_is_not_known_is_told()
    {
        var config = Read("name: checkpoint\nbase: our_secret_model\n");

        Assert.Null(config.Architecture);
        Assert.Null(config.Error);
        Assert.Contains("'our_secret_model'", Assert.Single(config.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_may_be_misspelt_is_told()
    {
        var config = Read(Version08.Replace("rope_theta:", "rope_thetta:", StringComparison.Ordinal));

        Assert.NotNull(config.Architecture);
        Assert.Contains("'rope_thetta'", Assert.Single(config.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Version04)]
    [InlineData(Version08)]
    public void What_fairseq2_writes_gives_no_warning(string yaml) => Assert.Empty(Read(yaml).Warnings);

    [Fact]
    public void An_architecture_with_overrides()
    {
        var architecture = Read("model_family: llama\nmodel_arch: llama3_8b\nmodel_config:\n  vocab_size: 1000\n  rope_theta: 1e6\n").Architecture!;

        Assert.Equal(LlamaArchitectures.Find("llama3_8b") with { Name = "my-run", VocabSize = 1000, RopeTheta = 1e6, AssetNames = [] }, architecture);
    }

    [Fact]
    public void An_inner_dim_that_is_not_four_times_the_model_dim_goes_into_the_multiplier()
    {
        // As fairseq2 0.3.0 spelt llama3_8b: int(4096 * 4 * 1.3) before scale and rounding.
        var architecture = Read(
            "model_config:\n  num_key_value_heads: 8\n  ffn_inner_dim: 21299\n  ffn_inner_dim_to_multiple: 1024\n").Architecture!;

        Assert.Equal(14336, architecture.FfnInnerDim);
        Assert.Equal(14336, architecture.ReferenceFfnInnerDim);
    }

    [Fact]
    public void A_scale_of_one_goes_into_the_multiplier()
    {
        var architecture = Read("model_config:\n  ffn_inner_dim: 8192\n  ffn_inner_dim_scale: 1.0\n").Architecture!;

        Assert.Equal(8192, architecture.FfnInnerDim);
        Assert.Equal(8192, architecture.ReferenceFfnInnerDim);
    }

    [Theory]
    [InlineData("max_seq_len: 4096", true)]
    [InlineData("max_seq_len: 8192", false)]
    [InlineData("max_seq_len: 4096\n  shard_embed_dim: false", false)]
    [InlineData("max_seq_len: 8192\n  shard_embed_dim: true", true)]
    public void Embeddings_are_divided_as_the_version_that_wrote_it_would(string fields, bool expected) =>
        Assert.Equal(expected, Read($"model_config:\n  {fields}\n").Architecture!.ShardEmbedDim);

    [Theory]
    [InlineData("use_scaled_rope: false\n  rope_scale:\n    factor: 32.0", null)]
    [InlineData("use_scaled_rope: true", 8.0)]
    [InlineData("use_scaled_rope: true\n  rope_scaling:\n    factor: 16.0", 16.0)]
    [InlineData("dropout_p: 0.1", null)]
    public void Rotary_encoding_is_scaled_where_the_config_says_so(string fields, double? expected) =>
        Assert.Equal(expected, Read($"model_config:\n  {fields}\n").Architecture!.RopeScaleFactor);

    [Fact]
    public void The_number_of_shards_is_kept() => Assert.Equal(2, Read(Version04).ShardCount);

    [Theory]
    [InlineData("model_arch: llama3_2_1bb\n", "no architecture 'llama3_2_1bb'")]
    [InlineData("model_family: qwen\nmodel_config: {}\n", "family 'qwen'")]
    [InlineData("model_config:\n  model_dim: wide\n", "'model_dim' in 'model_config' is not a whole number")]
    [InlineData("model_config:\n  model_dim: 4096.5\n", "'model_dim'")]
    [InlineData("model_config:\n  model_dim: [1, 2]\n", "'model_dim'")]
    [InlineData("model_config:\n  use_scaled_rope: perhaps\n", "is not true or false")]
    [InlineData("model_config: llama\n", "'model_config' is not a mapping of keys to values")]
    [InlineData("- a\n- b\n", "the document is not a mapping of keys")]
    [InlineData("just text", "the document is not a mapping of keys")]
    [InlineData("a: [1, 2", "line ")]
    [InlineData("a: 1\na: 2\n", "a key twice")]
    [InlineData("a: &x [1]\nb: *x\n", "anchors")]
    [InlineData("a: !<> b\n", "not YAML")]
    [InlineData("a: !!python/object:os.system ls\n", "the tag 'tag:yaml.org,2002:python/object:os.system'")]
    [InlineData("a: 1\n---\nb: 2\n", "second document")]
    [InlineData("? [1]\n: 2\n", "not text")]
    [InlineData("a: {b: x.y\nz\nq\u0012c, d: 1}\n", "not YAML")]
    [InlineData("model_config:\n  rope_theta: NaN\n", "RopeTheta is NaN")]
    [InlineData("model_config:\n  rope_theta: Infinity\n", "RopeTheta is Infinity")]
    [InlineData("model_config:\n  num_attn_heads: 0\n", "NumAttnHeads is 0")]
    [InlineData("model_config:\n  ffn_inner_dim_multiple_of: 0\n", "FfnInnerDimMultipleOf is 0")]
    [InlineData("model_config:\n  use_scaled_rope: true\n  rope_scale:\n    frequency_factors: [1.0, 8.0]\n", "the frequency factors 1 and 8")]
    [InlineData("model_config:\n  use_scaled_rope: true\n  rope_scale:\n    frequency_factors: 4.0\n", "is not a list of numbers")]
    [InlineData("model_config:\n  use_scaled_rope: true\n  rope_scaling:\n    original_context_length: 4096\n", "from 4096 tokens")]
    [InlineData("", "it is 0 bytes long")]
    public void What_can_not_be_used_says_why(string yaml, string why)
    {
        var config = Read(yaml);

        Assert.Null(config.Architecture);
        Assert.Equal(CheckpointErrorCode.CheckpointCorrupt, config.Error?.Code);
        Assert.Contains(why, config.Error!.Message, StringComparison.Ordinal);
        Assert.Contains("-Architecture", config.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_passed_over_can_not_talk_to_the_terminal()
    {
        var config = Read("model_config:\n  \"\\e[2J\\a\": 1\n  ? " + new string('x', 100_000) + "\n  : 1\n");

        Assert.Equal(2, config.Warnings.Length);
        Assert.All(config.Warnings, warning => Assert.DoesNotContain(warning, char.IsControl));
        Assert.All(config.Warnings, warning => Assert.InRange(warning.Length, 1, 10_000));
    }

    [Fact]
    public void What_can_not_be_used_can_not_talk_to_the_terminal()
    {
        // Get-Error shows what lies behind an error, too.
        var error = Read("model_config: !<\u0085> 1\na: \"\\e[2J\": {model_family: \"\\e[2J\"}\n").Error!;

        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.Null(error.InnerException);
    }

    [Fact]
    public void What_would_take_for_ever_is_refused()
    {
        Assert.Contains("too deeply", Read(new string('[', 100_000)).Error?.Message, StringComparison.Ordinal);
        Assert.Contains("too long", Read("a: [" + string.Join(", ", Enumerable.Repeat("1", 200_000)) + "]").Error?.Message, StringComparison.Ordinal);
        Assert.Contains("2,000,000 bytes", Read(new string(' ', 2_000_000)).Error?.Message, StringComparison.Ordinal);
    }

    private ModelConfig Read(string yaml)
    {
        File.WriteAllText(_folder["model.yaml"], yaml);
        return ModelConfig.Read(LocalFolder.FileAt(_folder["model.yaml"]), "my-run");
    }
}
