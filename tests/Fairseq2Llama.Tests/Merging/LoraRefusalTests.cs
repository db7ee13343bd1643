using System.Text;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>An adapter that does not fit, or does more than LoRA, is refused before anything is written.</summary>
public sealed class LoraRefusalTests : IDisposable
{
    private const string Query = "base_model.model.model.layers.0.self_attn.q_proj";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new("work");

    public LoraRefusalTests()
    {
        LibTorch.Require();
        _session.Location = _folder.Path;
        ConverterModel.Half.Write(_folder["model"]);
        WriteAdapter((Query + ".lora_A.weight", [2, 32]), (Query + ".lora_B.weight", [32, 2]));
        WriteConfig("");
    }

    public static TheoryData<string, string> RefusedSettings => new()
    {
        { "use_dora", "true" },
        { "use_qalora", "true" },
        { "use_bdlora", "{\"nblocks\": 2}" },
        { "kasa_config", "{\"beta\": 0.1}" },
        { "monteclora_config", "{\"samples\": 4}" },
        { "arrow_config", "{\"top_k\": 3}" },
        { "alora_invocation_tokens", "[1, 2]" },
        { "layer_replication", "[[0, 4], [2, 5]]" },
        { "target_parameters", "[\"experts.gate_up_proj\"]" },
        { "trainable_token_indices", "[3]" },
        { "trainable_token_indices", "{\"embed_tokens\": [3]}" },
        { "megatron_config", "{\"tensor_model_parallel_size\": 2}" },
        { "enable_lora", "[true, false, true]" },
        { "ensure_weight_tying", "true" },
        { "lora_bias", "true" },
    };

    public void Dispose()
    {
        Assert.False(Directory.Exists(_folder["out"]));
        _session.Dispose();
        _folder.Dispose();
    }

    /// <summary>What the tests below change is fine without the change.</summary>
    [Fact]
    public void Not_so_one_that_fits() => Assert.Equal(MergeRole.Adapter, _session.RunOne<MergedCheckpoint>("Merge-LlamaLora peft model").Sources[1].Role);

    [Theory]
    [MemberData(nameof(RefusedSettings))]
    public void With_settings_that_change_the_formula(string key, string value)
    {
        WriteConfig($"\"{key}\": {value}");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, $"'{key}'", "adapter_config.json", "merge_and_unload");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("false")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void Not_so_with_settings_that_are_off(string value)
    {
        WriteConfig(string.Join(", ", RefusedSettings.Select(setting => $"\"{setting.Data.Item1}\": {value}").Distinct()));

        Assert.Single(_session.Run<MergedCheckpoint>("Merge-LlamaLora peft model"));
    }

    [Theory]
    [InlineData("pissa")]
    [InlineData("pissa_niter_16")]
    [InlineData("olora")]
    [InlineData("corda")]
    [InlineData("loftq")]
    [InlineData("lora_ga")]
    [InlineData("PiSSA")]
    public void Of_a_base_model_that_was_changed(string init)
    {
        WriteConfig($"\"init_lora_weights\": \"{init}\"");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, $"'{init}'", "init_lora_weights", "path_initial_model_for_weight_conversion");
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    [InlineData("null")]
    [InlineData("\"gaussian\"")]
    [InlineData("\"eva\"")]
    [InlineData("\"orthogonal\"")]
    [InlineData("\"mica\"")]
    public void Not_so_with_other_initial_numbers(string init)
    {
        WriteConfig($"\"init_lora_weights\": {init}");

        Assert.Single(_session.Run<MergedCheckpoint>("Merge-LlamaLora peft model"));
    }

    [Theory]
    [InlineData("ADALORA")]
    [InlineData("LOHA")]
    [InlineData("lora")]
    [InlineData("")]
    public void Of_another_kind(string type)
    {
        File.WriteAllText(_folder["peft/adapter_config.json"], $$"""{"peft_type": "{{type}}", "r": 2}""");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, "peft_type", $"'{type}'");
    }

    [Fact]
    public void Of_no_kind()
    {
        File.WriteAllText(_folder["peft/adapter_config.json"], """{"r": 2}""");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, "peft_type");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"peft_type\": \"LORA\", \"r\": \"2\"}")]
    [InlineData("{\"peft_type\": 3}")]
    [InlineData("{\"peft_type\": \"LORA\", \"rank_pattern\": [1]}")]
    [InlineData("{\"peft_type\": \"LORA\", \"use_rslora\": 1}")]
    public void With_a_damaged_config(string config)
    {
        File.WriteAllText(_folder["peft/adapter_config.json"], config);

        AssertRefused(CheckpointErrorCode.CheckpointCorrupt, "adapter_config.json");
    }

    [Theory]
    [InlineData("\"r\": 0")]
    [InlineData("\"r\": -2")]
    [InlineData("\"r\": 2.5")]
    [InlineData("\"r\": 1e300")]
    [InlineData("\"r\": 3")]
    [InlineData("\"rank_pattern\": {\"q_proj\": 4}")]
    public void With_another_rank_than_its_config_says(string setting)
    {
        WriteConfig(setting);

        AssertRefused(CheckpointErrorCode.AdapterMismatch, "contradicts", "model.layers.0.self_attn.q_proj", "2x32", "32x2");
    }

    /// <summary>A number of JSON may be larger than any float.</summary>
    [Theory]
    [InlineData("1e300")]
    [InlineData("-1e39")]
    public void With_a_scale_that_no_number_can_be_multiplied_with(string alpha)
    {
        WriteConfig($"\"lora_alpha\": {alpha}");

        AssertRefused(CheckpointErrorCode.AdapterMismatch, "scale", "too large");
    }

    [Theory]
    [InlineData("(")]
    [InlineData("[")]
    [InlineData("*q_proj")]
    [InlineData(@"(a)\\1")]
    [InlineData("(?=q)")]
    public void With_a_pattern_that_is_none(string pattern)
    {
        WriteConfig($"\"alpha_pattern\": {{\"{pattern}\": 3}}");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, "regular expression", "name of a module");
    }

    [Fact]
    public void With_a_pattern_for_no_number()
    {
        WriteConfig("\"alpha_pattern\": {\"q_proj\": null}");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, "'q_proj' of its alpha_pattern has no number");
    }

    /// <summary>Patterns on which other engines spend years.</summary>
    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("((m|o|d|e|l|.)*)*x")]
    [InlineData("(.*.*)*(.*.*)*(.*.*)*y")]
    [InlineData("(.*a){20}")]
    public void Not_so_with_a_hostile_pattern_which_takes_no_time(string pattern)
    {
        WriteAdapter((Query + ".lora_A.weight", [2, 32]), (Query + ".lora_B.weight", [32, 2]));
        WriteConfig($"\"alpha_pattern\": {{\"{pattern}\": 3}}, \"rank_pattern\": {{\"{pattern}\": 3}}");

        Assert.Single(_session.Run<MergedCheckpoint>("Merge-LlamaLora peft model"));
    }

    [Theory]
    [InlineData("(.{1,1000}){1,1000}")]
    [InlineData("((((.{1,99}){1,99}){1,99}){1,99}){1,99}")]
    public void With_a_pattern_that_takes_too_much_memory(string pattern)
    {
        WriteConfig($"\"alpha_pattern\": {{\"{pattern}\": 3}}");

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, "regular expression");
    }

    [Theory]
    [InlineData("lora_A.weight", "lora_B")]
    [InlineData("lora_B.weight", "lora_A")]
    public void With_a_matrix_missing(string only, string missing)
    {
        WriteAdapter(($"{Query}.{only}", [2, 32]));

        AssertRefused(CheckpointErrorCode.AdapterMismatch, missing, "model.layers.0.self_attn.q_proj");
    }

    [Theory]
    [InlineData(Query + ".lora_C.weight", "state dict of PEFT's model")]
    [InlineData(Query + ".lora_A.default.weight", "state dict of PEFT's model")]
    [InlineData(Query + ".lora_C", "no part of a LoRA")]
    [InlineData(Query + ".lora_magnitude_vector", "no part of a LoRA")]
    [InlineData(Query + ".lora_magnitude_vector.weight", "no part of a LoRA")]
    [InlineData(Query + ".lora_B.bias", "no part of a LoRA")]
    [InlineData("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", "no part of a LoRA")]
    [InlineData("base_model.model.model.layers.0.mlp.experts.lora_A.weight", "LLaMA does not have")]
    [InlineData("base_model.model.model.layers.0.self_attn.qkv_proj.weight", "LLaMA does not have")]
    [InlineData("base_model.model.score.weight", "LLaMA does not have")]
    [InlineData("base_model.model.lm_head.modules_to_save.default.weight", "LLaMA does not have")]
    public void With_a_tensor_that_is_not_known(string name, string problem)
    {
        WriteAdapter((Query + ".lora_A.weight", [2, 32]), (Query + ".lora_B.weight", [32, 2]), (name, [2, 32]));

        AssertRefused(CheckpointErrorCode.AdapterUnsupported, $"'{name}'", problem, "adapter_model.safetensors");
    }

    [Fact]
    public void Of_a_layer_that_the_model_does_not_have()
    {
        var name = Query.Replace(".0.", ".7.", StringComparison.Ordinal);
        WriteAdapter((name + ".lora_A.weight", [2, 32]), (name + ".lora_B.weight", [32, 2]));

        AssertRefused(CheckpointErrorCode.AdapterMismatch, "'model.layers.7.self_attn.q_proj.weight', which the model does not have", _folder["peft"], _folder["model"]);
    }

    [Theory]
    [InlineData(33, 32, "33x32")]
    [InlineData(32, 16, "32x16")]
    public void That_does_not_fit_the_weight(int outputs, int inputs, string shape)
    {
        WriteAdapter((Query + ".lora_A.weight", [2, inputs]), (Query + ".lora_B.weight", [outputs, 2]));

        AssertRefused(CheckpointErrorCode.AdapterMismatch, shape, "32x32", _folder["peft"], _folder["model"]);
    }

    [Fact]
    public void That_replaces_a_weight_by_one_of_another_shape()
    {
        WriteAdapter(("base_model.model.lm_head.weight", [48, 32]));

        AssertRefused(CheckpointErrorCode.AdapterMismatch, "48x32", "40x32", "lm_head");
    }

    [Fact]
    public void Of_matrices_that_are_none()
    {
        WriteAdapter((Query + ".lora_A.weight", [64]), (Query + ".lora_B.weight", [32, 2]));

        AssertRefused(CheckpointErrorCode.AdapterMismatch, "contradicts", "64");
    }

    [Theory]
    [InlineData("F64")]
    [InlineData("I32")]
    [InlineData("BOOL")]
    public void Of_a_type_that_is_not_computed_with(string dtype)
    {
        WriteAdapter(dtype, (Query + ".lora_A.weight", [2, 32]), (Query + ".lora_B.weight", [32, 2]));

        AssertRefused(CheckpointErrorCode.UnsupportedTensor, $"'{Query}.lora_A.weight' of the adapter", $"'{Query}.lora_B.weight'");
    }

    /// <summary>A newer PEFT may have other ways to adapt weights, and its settings would have no effect here.</summary>
    [Fact]
    public void A_setting_that_is_not_known_is_a_warning()
    {
        WriteConfig("\"use_superlora\": true, \"other\": null, \"more\": [], \"lora_dropout\": 0.1");

        var warning = Assert.Single(_session.RunOn("Merge-LlamaLora peft model").Warnings);

        Assert.Contains("'use_superlora'.", warning, StringComparison.Ordinal);
        Assert.Contains(_folder["peft/adapter_config.json"], warning, StringComparison.Ordinal);
    }

    /// <summary>The rows of the adapter would be in the order of one architecture, and those of the export in that of the other.</summary>
    [Fact]
    public void For_other_heads_than_those_of_the_export()
    {
        _session.Run("$null = Export-Fairseq2Checkpoint model bare; $right = (Read-LlamaCheckpoint model).Architecture");
        File.Delete(_folder["bare/model.yaml"]);
        _session.Run("$wrong = New-LlamaArchitecture wrong -BasedOn $right -NumAttnHeads ($right.NumAttnHeads / 2) -NumKeyValueHeads ($right.NumKeyValueHeads / 2)");

        AssertRefused("Read-LlamaCheckpoint bare -Architecture llama2_7b | Merge-LlamaLora peft", CheckpointErrorCode.ArchitectureMismatch, "ModelDim");
        _session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch,
            "Read-LlamaCheckpoint bare -Architecture $wrong | Merge-LlamaLora peft | Export-LlamaHuggingFaceCheckpoint out -Architecture $right",
            "'bare-merged'", "export without it");
    }

    [Fact]
    public void Without_its_weights()
    {
        File.Delete(_folder["peft/adapter_model.safetensors"]);

        AssertRefused(CheckpointErrorCode.AdapterNotFound, _folder["peft"], "adapter_model.safetensors", "adapter_model.bin");
    }

    [Fact]
    public void With_damaged_weights()
    {
        var file = _folder["peft/adapter_model.safetensors"];
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^5]);

        AssertRefused(CheckpointErrorCode.CheckpointCorrupt, file);
    }

    [Fact]
    public void That_is_not_there()
    {
        AssertRefused("Merge-LlamaLora nothing model", CheckpointErrorCode.CheckpointNotFound, "nothing");
        AssertRefused("Merge-LlamaLora model model -Alpha 16", CheckpointErrorCode.AdapterNotFound, "lora_A");
        AssertRefused("Read-LlamaCheckpoint model | Merge-LlamaLora", CheckpointErrorCode.AdapterNotFound, "lora_A", "-AdapterPath");
    }

    /// <summary>PEFT's config has its alpha.</summary>
    [Fact]
    public void With_another_alpha() => AssertRefused("Merge-LlamaLora peft model -Alpha 16", CheckpointErrorCode.AdapterMismatch, "Omit -Alpha");

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("([double]::NaN)")]
    [InlineData("([double]::PositiveInfinity)")]
    public void With_an_alpha_that_is_none(string alpha) =>
        Assert.Contains("Alpha", _session.RunForError($"Merge-LlamaLora -Checkpoint model -Alpha {alpha}").ToString(), StringComparison.Ordinal);

    /// <summary>The order of the rows of queries and keys depends on the number of heads.</summary>
    [Fact]
    public void Into_a_checkpoint_that_does_not_tell_its_heads()
    {
        CheckpointFolder.Copy("fs2", _folder["bare"]);
        WriteAdapter((Query + ".lora_A.weight", [2, 16]), (Query + ".lora_B.weight", [16, 2]));

        AssertRefused("Merge-LlamaLora peft bare", CheckpointErrorCode.ArchitectureRequired, "q_proj", "-Architecture", _folder["peft"], _folder["bare"]);
    }

    [Fact]
    public void Of_fairseq2_without_alpha()
    {
        WriteNative(("lora_A", [2, 16]), ("lora_B", [16, 2]));

        AssertRefused("Merge-LlamaLora -Checkpoint native", CheckpointErrorCode.AdapterMismatch, "-Alpha", "16", _folder["native"]);
        AssertRefused("Merge-LlamaLora native model", CheckpointErrorCode.AdapterMismatch, "-Alpha", _folder["native"]);
    }

    [Theory]
    [InlineData("lora_A", "lora_B")]
    [InlineData("lora_B", "lora_A")]
    public void Of_fairseq2_with_a_matrix_missing(string only, string missing)
    {
        WriteNative((only, [16, 16]));

        AssertRefused("Merge-LlamaLora -Checkpoint native -Alpha 16", CheckpointErrorCode.AdapterMismatch, $"no {missing}", "self_attn.q_proj");
    }

    [Theory]
    [InlineData(2, 16, 3)]
    [InlineData(2, 15, 2)]
    public void Of_fairseq2_whose_matrices_do_not_fit(int rank, int inputs, int otherRank)
    {
        WriteNative(("lora_A", [rank, inputs]), ("lora_B", [16, otherRank]));

        AssertRefused("Merge-LlamaLora -Checkpoint native -Alpha 16", CheckpointErrorCode.AdapterMismatch, "self_attn.q_proj", $"{inputs}");
    }

    /// <summary>After training they are one. Two different tensors would leave open which of them was trained.</summary>
    [Fact]
    public void Of_fairseq2_whose_weight_is_there_twice()
    {
        WriteNative(("lora_A", [2, 16]), ("lora_B", [16, 2]), ("wrapped.weight", [16, 16]));

        AssertRefused("Merge-LlamaLora -Checkpoint native -Alpha 16", CheckpointErrorCode.AdapterMismatch, "q_proj.wrapped.weight", "q_proj.weight", "one parameter");
    }

    private void AssertRefused(CheckpointErrorCode code, params ReadOnlySpan<string> words) => AssertRefused("Merge-LlamaLora peft model", code, words);

    private void AssertRefused(string command, CheckpointErrorCode code, params ReadOnlySpan<string> words) =>
        _session.RunForError(code, $"{command} | Export-Fairseq2Checkpoint out", words);

    private void WriteConfig(string setting) => File.WriteAllText(
        _folder["peft/adapter_config.json"],
        $$"""{{{(setting.Contains("\"r\"", StringComparison.Ordinal) ? "" : "\"r\": 2, ")}}"peft_type": "LORA"{{(setting.Length == 0 ? "" : ", ")}}{{setting}}}""");

    private void WriteAdapter(params ReadOnlySpan<(string Name, long[] Shape)> tensors) => WriteAdapter("F32", tensors);

    private void WriteAdapter(string dtype, params ReadOnlySpan<(string Name, long[] Shape)> tensors)
    {
        Directory.CreateDirectory(_folder["peft"]);
        var entries = new List<string>();
        var length = 0L;
        var size = dtype switch { "F64" => 8, "BOOL" => 1, _ => 4 };

        foreach (var (name, shape) in tensors)
        {
            var begin = length;
            length += size * shape.Aggregate((a, b) => a * b);
            entries.Add(SafeTensorsBuilder.Entry(name, dtype, string.Join(',', shape), begin, length));
        }

        File.WriteAllBytes(_folder["peft/adapter_model.safetensors"], SafeTensorsBuilder.Build(Encoding.UTF8.GetBytes($"{{{string.Join(',', entries)}}}"), new byte[length]));
    }

    /// <summary>The model of tests/data with more tensors of the first layer's queries.</summary>
    private void WriteNative(params ReadOnlySpan<(string Suffix, long[] Shape)> tensors)
    {
        var planned = TensorFiles.Read(Path.Combine(Repository.Case("fs2"), "model.pt")).Select(entry => new PlannedTensor(entry.Name, entry.RawName, entry.Tensor.DType, entry.Tensor.Shape, PlannedStorage.Of(entry.Tensor))).ToList();

        foreach (var (suffix, shape) in tensors)
        {
            var name = $"decoder.layers.0.self_attn.q_proj.{suffix}";
            planned.Add(PlannedTensors.Make(name, DType.Float32, shape));
        }

        Directory.CreateDirectory(_folder["native"]);
        using var scratch = new TempFolder();
        File.Move(TensorFiles.Write(new PlannedTensorFile("model.pt", new TorchContainer(), planned), scratch), _folder["native/model.pt"]);
    }
}
