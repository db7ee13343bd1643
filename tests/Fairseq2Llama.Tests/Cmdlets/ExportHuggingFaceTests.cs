using System.Text.Json.Nodes;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Export-LlamaHuggingFaceCheckpoint.</summary>
public class ExportHuggingFaceTests : ExportTests
{
    private const string Export = "Export-LlamaHuggingFaceCheckpoint out";

    private static readonly string[] OneFile = ["config.json", "generation_config.json", "model.safetensors"];

    [Fact]
    public void Gives_what_can_be_read_again_and_is_the_same()
    {
        var written = Session.RunOne<LlamaHuggingFaceCheckpoint>($"$fs2 | {Export} -Architecture $tiny");

        Assert.Equal(("out", Folder["out"], 1, 21), (written.Name, written.Path, written.ShardCount, written.Tensors.Length));
        Assert.Equal(TinyModel.Architecture with { Name = "out", FfnInnerDimMultipleOf = 48 }, written.Architecture);
        Assert.Equal(OneFile, Names("out"));
        Assert.All(
            Session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-LlamaHuggingFaceCheckpoint out)"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    /// <summary>tests/data/huggingface holds the same model as the real libraries write it.</summary>
    [Fact]
    public void Gives_the_very_file_that_the_real_library_gives()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");

        Assert.Equal(
            Convert.ToHexString(File.ReadAllBytes(Repository.Data("huggingface/single/model.safetensors"))),
            Convert.ToHexString(File.ReadAllBytes(Folder["out/model.safetensors"])));
    }

    [Theory]
    [InlineData("5GB", 1)]
    [InlineData("12kb", 3)]
    [InlineData("16KB", 2)]
    [InlineData("1", 21)]
    [InlineData("(4KB)", 10)]
    public void Divides_by_size(string size, int count)
    {
        var written = Session.RunOne<LlamaHuggingFaceCheckpoint>($"$fs2 | {Export} -Architecture $tiny -MaxShardSize {size}");

        Assert.Equal(count, written.ShardCount);
        Assert.Equal(count > 1, File.Exists(Folder["out/model.safetensors.index.json"]));
        Assert.All(
            Session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-LlamaHuggingFaceCheckpoint out)"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    [Theory]
    [InlineData("0", "ParameterArgumentValidationError")]
    [InlineData("-1", "ParameterArgumentValidationError")]
    [InlineData("'5 bananas'", "CannotConvertArgumentNoMessage")]
    [InlineData("9999999TB", "CannotConvertArgumentNoMessage")]
    public void Refuses_what_is_no_size(string size, string id) =>
        Assert.StartsWith(id, Session.RunForTerminatingError($"$fs2 | {Export} -MaxShardSize {size}").FullyQualifiedErrorId, StringComparison.Ordinal);

    /// <summary>One size, whichever way it comes to the command.</summary>
    [Theory]
    [InlineData("12KB")]
    [InlineData("'12KB'")]
    [InlineData("$size")]
    [InlineData("12288")]
    public void Takes_sizes_as_PowerShell_writes_them(string size)
    {
        var outcome = Session.RunOn($"$size = 12KB; $fs2 | {Export} -Architecture $tiny -MaxShardSize {size} -Verbose");

        Assert.Contains(outcome.Verbose, line => line.Contains("of up to 12,288 bytes", StringComparison.Ordinal));
    }

    [Fact]
    public void Tells_of_scaled_rotary_encoding_and_of_no_other()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");
        Session.Run("$scaled = New-LlamaArchitecture -BasedOn $tiny -Name scaled -RopeScaleFactor 32 -RopeTheta 500000 -MaxSeqLen 131072 -NormEps 1e-6");
        Session.Run("$fs2 | Export-LlamaHuggingFaceCheckpoint scaled -Architecture $scaled");

        Assert.Null(Config("out")["rope_scaling"]);
        Assert.Equal(10_000, (double)Config("out")["rope_theta"]!);

        var config = Config("scaled");
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}"""),
            config["rope_scaling"]));
        Assert.Equal((131072, 500_000, 1e-6), ((int)config["max_position_embeddings"]!, (double)config["rope_theta"]!, (double)config["rms_norm_eps"]!));

        // What a float is in Python stays one.
        Assert.Contains("\"rms_norm_eps\": 1e-06", File.ReadAllText(Folder["scaled/config.json"]), StringComparison.Ordinal);
        Assert.Contains("\"rope_theta\": 500000.0", File.ReadAllText(Folder["scaled/config.json"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tied", "$tied")]
    [InlineData("tied", "$tiny")] // what the architecture says does not count
    [InlineData("tied-view", "$tied")]
    [InlineData("tied-absent", "$tied")]
    public void Leaves_the_output_out_where_it_is_the_embeddings(string name, string architecture)
    {
        var written = Session.RunOne<LlamaHuggingFaceCheckpoint>($"Read-Fairseq2Checkpoint $cases/{name} | {Export} -Architecture {architecture}");

        Assert.True((bool)Config("out")["tie_word_embeddings"]!);
        Assert.DoesNotContain("lm_head.weight", written.Tensors.Select(tensor => tensor.Name));
    }

    /// <summary>The converter that everybody uses takes any LLaMA 3.2 for tied and drops what was trained.</summary>
    [Fact]
    public void Keeps_an_output_that_training_has_parted_from_the_embeddings()
    {
        var written = Session.RunOne<LlamaHuggingFaceCheckpoint>($"$fs2 | {Export} -Architecture $tied");

        Assert.False((bool)Config("out")["tie_word_embeddings"]!);
        Assert.Contains("lm_head.weight", written.Tensors.Select(tensor => tensor.Name));
    }

    /// <summary>As fairseq2 before 0.5 saved LLaMA 3.2: two tensors, alike as long as they are not trained.</summary>
    [Fact]
    public void Finds_outputs_that_are_equal_to_the_embeddings_whatever_they_are_made_of()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tied | Export-LlamaReferenceCheckpoint two -Architecture $tied -ShardCount 2");

        var written = Session.RunOne<LlamaHuggingFaceCheckpoint>($"Read-LlamaReferenceCheckpoint two | {Export}");

        Assert.True((bool)Config("out")["tie_word_embeddings"]!);
        Assert.DoesNotContain("lm_head.weight", written.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void Who_names_another_architecture_than_the_file_tells_is_warned()
    {
        Session.Run("$fs2 | Export-Fairseq2Checkpoint run -Architecture $tiny");
        Session.Run("$heads = New-LlamaArchitecture -BasedOn $tiny -Name heads -NumAttnHeads 2 -NumKeyValueHeads 1 -RopeTheta 20000");

        var warning = Assert.Single(Session.RunOn($"Read-Fairseq2Checkpoint run | {Export} -Architecture $heads").Warnings);

        Assert.Contains(Folder["run/model.yaml"], warning, StringComparison.Ordinal);
        Assert.Contains("NumAttnHeads is 4, not 2, NumKeyValueHeads is 2, not 1, RopeTheta is 10000, not 20000", warning, StringComparison.Ordinal);
        Assert.Empty(Session.RunOn("Read-Fairseq2Checkpoint run | Export-LlamaHuggingFaceCheckpoint other -Architecture $tiny").Warnings);
    }

    /// <summary>A bias goes with its rows; of what else belongs to them nothing is known.</summary>
    [External]
    [Fact]
    public void Refuses_what_belongs_to_rows_that_are_turned()
    {
        PyTorch.Ask(
            "import sys, torch; m = torch.load(sys.argv[1]); m['model']['decoder.layers.0.self_attn.k_proj.lora_B'] = torch.ones(8, 3); torch.save(m, sys.argv[2])",
            Repository.Data("checkpoints/fs2/model.pt"),
            Folder["model.pt"]);

        Session.RunForError(
            CheckpointErrorCode.UnmappedTensor, $"Read-Fairseq2Checkpoint model.pt | {Export} -Architecture $tiny -AllowUnmapped", "k_proj.lora_B", "Filter it out");
        Session.Run("Read-Fairseq2Checkpoint model.pt | Export-LlamaReferenceCheckpoint ref -Architecture $tiny -AllowUnmapped -WarningAction SilentlyContinue");
    }

    [Fact]
    public void A_tokenizer_stays_with_its_model()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");
        File.WriteAllText(Folder["out/tokenizer.json"], "{}");
        File.WriteAllText(Folder["out/generation_config.json"], """{"eos_token_id": [9, 10]}""");

        Session.Run("Read-LlamaHuggingFaceCheckpoint out | Export-LlamaHuggingFaceCheckpoint again -MaxShardSize 4KB");

        Assert.True(File.Exists(Folder["again/tokenizer.json"]));
        Assert.Equal("[9,10]", Json("again/generation_config.json")["eos_token_id"]!.ToJsonString());
    }

    [Fact]
    public void Tokens_go_the_whole_way()
    {
        Session.Run("$fs2 | Export-Fairseq2Checkpoint run -Architecture $tiny");
        var yaml = File.ReadAllText(Folder["run/model.yaml"]);
        File.WriteAllText(
            Folder["run/model.yaml"], yaml.Replace("bos_idx: 1", "bos_idx: 7", StringComparison.Ordinal).Replace("eos_idx: 2", "eos_idx: 50", StringComparison.Ordinal));

        var warnings = Session.RunOn($"Read-Fairseq2Checkpoint run | {Export}").Warnings;
        Session.Run("Read-LlamaHuggingFaceCheckpoint out | Export-Fairseq2Checkpoint back");

        Assert.Contains("50", Assert.Single(warnings), StringComparison.Ordinal); // of 40
        Assert.Equal((7, 50), ((int)Config("out")["bos_token_id"]!, (int)Config("out")["eos_token_id"]!));
        Assert.Contains("bos_idx: 7\n      eos_idx: 50\n", File.ReadAllText(Folder["back/model.yaml"]), StringComparison.Ordinal);
    }

    /// <summary>-Verification None is for files whose checksums are wrong from the beginning, and then they tell nothing.</summary>
    [External]
    [Fact]
    public void Wrong_checksums_do_not_part_what_is_the_same()
    {
        PyTorch.Ask(
            """
            import sys, torch
            content = torch.load(sys.argv[1])
            output = content["model"]["decoder_frontend.embed.weight"].clone()
            data = output.view(torch.uint8).reshape(-1)
            data[len(data) // 2] ^= 1
            content["model"]["final_proj.weight"] = output
            torch.save(content, sys.argv[2])
            """,
            Repository.Data("checkpoints/fs2/model.pt"),
            Folder["model.pt"]);

        // Changes the same bit once more, and not the checksum.
        CheckpointFolder.Damage(Folder.Path, "final_proj.weight");

        Session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"Read-Fairseq2Checkpoint model.pt | {Export} -Architecture $tiny", "-Verification None");
        Session.Run($"Read-Fairseq2Checkpoint model.pt | {Export} -Architecture $tiny -Verification None");

        Assert.True((bool)Config("out")["tie_word_embeddings"]!);
    }

    /// <summary>transformers would answer with the embeddings.</summary>
    [External]
    [Fact]
    public void An_output_that_config_says_is_tied_is_passed_over()
    {
        Session.Run($"$null = $fs2 | {Export} -Architecture $tiny");
        var config = Config("out");
        config["tie_word_embeddings"] = true;
        File.WriteAllText(Folder["out/config.json"], config.ToJsonString());

        var outcome = Session.RunOn("Read-LlamaHuggingFaceCheckpoint out | Export-Fairseq2Checkpoint back");

        Assert.Contains("'lm_head.weight'", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.Equal(
            "True",
            PyTorch.Ask(
                "import sys, torch; m = torch.load(sys.argv[1])['model']; print(torch.equal(m['final_proj.weight'], m['decoder_frontend.embed.weight']))",
                Folder["back/model.pt"]));
    }

    [Fact]
    public void Names_the_type_and_the_tokens()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny -DType bfloat16");

        var config = Config("out");
        Assert.Equal(("bfloat16", 1, 2), ((string)config["torch_dtype"]!, (int)config["bos_token_id"]!, (int)config["eos_token_id"]!));
        Assert.Equal((1, 2), ((int)Json("out/generation_config.json")["bos_token_id"]!, (int)Json("out/generation_config.json")["eos_token_id"]!));
    }

    [Fact]
    public void Keeps_the_tokens_that_another_config_names()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");
        var config = Config("out");
        config["eos_token_id"] = new JsonArray(7, 8);
        File.WriteAllText(Folder["out/config.json"], config.ToJsonString());
        File.Delete(Folder["out/generation_config.json"]);

        Session.Run("Read-LlamaHuggingFaceCheckpoint out | Export-LlamaHuggingFaceCheckpoint again");

        Assert.Equal("[7,8]", Config("again")["eos_token_id"]!.ToJsonString());
        Assert.Equal("[7,8]", Json("again/generation_config.json")["eos_token_id"]!.ToJsonString());
    }

    [Fact]
    public void Copies_a_tokenizer()
    {
        Directory.CreateDirectory(Folder["tok [1]"]);
        File.WriteAllText(Folder["tok [1]/tokenizer.json"], "{}");
        File.WriteAllText(Folder["tok [1]/other.txt"], "not of a tokenizer");
        File.WriteAllText(
            Folder["tok [1]/tokenizer_config.json"],
            """{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "added_tokens_decoder": {"11": {"content": "<s>"}, "12": {"content": "</s>"}}}""");

        Session.Run($"$fs2 | {Export} -Architecture $tiny -TokenizerPath 'tok [1]'");

        Assert.Equal([.. OneFile, "tokenizer.json", "tokenizer_config.json"], Names("out"));
        Assert.Equal(File.ReadAllText(Folder["tok [1]/tokenizer_config.json"]), File.ReadAllText(Folder["out/tokenizer_config.json"]));
        Assert.Equal((11, 12), ((int)Config("out")["bos_token_id"]!, (int)Config("out")["eos_token_id"]!));
    }

    [Fact]
    public void Makes_what_is_missing_of_a_tokenizer()
    {
        File.Copy(Repository.Data("tokenizers/sentencepiece/tokenizer.model"), Folder["tokenizer.model"]);

        var warnings = Session.RunOn($"$fs2 | {Export} -Architecture $tiny -TokenizerPath tokenizer.model").Warnings;

        Assert.Contains("has 420 tokens", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal([.. OneFile, "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json"], Names("out"));
        Assert.Equal(File.ReadAllText(Repository.Data("tokenizers/converted/sentencepiece/tokenizer.json")), File.ReadAllText(Folder["out/tokenizer.json"]));
        Assert.Equal((1, 2), ((int)Config("out")["bos_token_id"]!, (int)Config("out")["eos_token_id"]!));
    }

    [Fact]
    public void Two_tokenizers_do_not_mix()
    {
        foreach (var name in new[] { "one", "two" })
        {
            Directory.CreateDirectory(Folder[name]);
            File.WriteAllText(Folder[$"{name}/tokenizer.json"], "{}");
        }

        File.WriteAllText(Folder["one/chat_template.jinja"], "of one");
        Session.Run($"$fs2 | {Export} -Architecture $tiny -TokenizerPath one");

        Session.RunForError(CheckpointErrorCode.OutputExists, $"$fs2 | {Export} -Architecture $tiny -TokenizerPath two", "chat_template.jinja", "-Force");
        Session.Run($"$fs2 | {Export} -Architecture $tiny -TokenizerPath two -Force");
        Assert.Equal([.. OneFile, "tokenizer.json"], Names("out"));

        var warnings = Session.RunOn($"$fs2 | {Export} -Architecture $tiny -Force").Warnings;
        Assert.Contains("belongs to this model", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_that_is_there_already_is_not_taken_away()
    {
        Directory.CreateDirectory(Folder["tok"]);
        Directory.CreateDirectory(Folder["out"]);
        File.WriteAllText(Folder["tok/tokenizer.json"], "{}");
        File.WriteAllText(Folder["tok/tokenizer_config.json"], "{}");
        SymbolicLink.ToFile(Folder["out/tokenizer.json"], Folder["tok/tokenizer.json"]);

        Session.Run($"$fs2 | {Export} -Architecture $tiny -TokenizerPath tok -Force");

        Assert.Equal([.. OneFile, "tokenizer.json", "tokenizer_config.json"], Names("out"));
        Assert.Equal("{}", File.ReadAllText(Folder["tok/tokenizer.json"]));
    }

    [Fact]
    public void How_to_sample_goes_over_where_only_files_change()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");
        File.WriteAllText(Folder["out/generation_config.json"], """{"eos_token_id": 9, "temperature": 0.6}""");

        Session.Run("Read-LlamaHuggingFaceCheckpoint out | Export-LlamaHuggingFaceCheckpoint again -MaxShardSize 4KB");

        Assert.Equal(File.ReadAllText(Folder["out/generation_config.json"]), File.ReadAllText(Folder["again/generation_config.json"]));
        Assert.Equal(9, (int)Config("again")["eos_token_id"]!);
    }

    [Fact]
    public void A_wrong_tokenizer_ends_the_command()
    {
        var error = Session.RunForTerminatingError($"$fs2, $fs2 | {Export} -Architecture $tiny -TokenizerPath nowhere");

        ErrorAssert.Is(CheckpointErrorCode.TokenizerNotFound, error, Folder["nowhere"], "does not exist", "tokenizer.json");
        Assert.False(Directory.Exists(Folder["out"]));
    }

    [Fact]
    public void Forced_it_leaves_nothing_of_an_earlier_export_that_would_be_read()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny -MaxShardSize 4KB");
        File.WriteAllText(Folder["out/README.md"], "mine");
        var before = CheckpointFolder.Snapshot(Folder["out"]);

        Session.RunForError(CheckpointErrorCode.OutputExists, $"$fs2 | {Export} -Architecture $tiny", "config.json", "model.safetensors.index.json", "-Force");
        Assert.Equal(before, CheckpointFolder.Snapshot(Folder["out"]));

        Session.Run($"$fs2 | {Export} -Architecture $tiny -Force");
        Assert.Equal(["README.md", .. OneFile], Names("out"));

        Session.Run($"$fs2 | {Export} -Architecture $tiny -MaxShardSize 4KB -Force");
        Assert.DoesNotContain("model.safetensors", Names("out"));
    }

    [Fact]
    public void Does_not_replace_what_it_reads()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(Folder["out"]);

        Session.RunForError(CheckpointErrorCode.OutputExists, $"Read-LlamaHuggingFaceCheckpoint out | {Export} -Force", "replace its own input");

        Assert.Equal(before, CheckpointFolder.Snapshot(Folder["out"]));
    }

    [Fact]
    public void Shows_what_it_would_do()
    {
        Session.Run($"$fs2 | {Export} -Architecture $tiny -WhatIf");

        Assert.Contains("model.safetensors: 21 tensors", string.Join("\n", Session.Host.TakeLines()), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder["out"]));

        Session.Run($"$fs2 | {Export} -Architecture $tiny -MaxShardSize 1KB -WhatIf");

        Assert.Matches("  model-00001-of-000[0-9]{2}.safetensors: 1 tensor, ", string.Join("\n", Session.Host.TakeLines()));
    }

    [Fact]
    public void Refuses_weights_that_the_architecture_contradicts() => Session.RunForError(
        CheckpointErrorCode.ArchitectureMismatch, $"$fs2 | {Export} -Architecture llama3_2_1b", "NumLayers is 16 in the architecture and 2 in the weights");

    [Fact]
    public void Asks_for_the_architecture_where_shapes_do_not_tell_it() =>
        Session.RunForError(CheckpointErrorCode.ArchitectureRequired, $"$fs2 | {Export}", "-Architecture");

    [Fact]
    public void Turns_the_rows_of_a_bias_too()
    {
        var warnings = Session.RunOn($"Read-Fairseq2Checkpoint $cases/bias | {Export} -Architecture $tiny -AllowUnmapped").Warnings;

        Assert.Contains(warnings, warning => warning.Contains("self_attn.q_proj.bias", StringComparison.Ordinal));
        Assert.All(
            Session.Run<TensorComparison>("Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/bias) (Read-LlamaHuggingFaceCheckpoint out)"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    [External]
    [Theory]
    [InlineData("$checkpoint | Export-LlamaHuggingFaceCheckpoint out", "fairseq2")]
    [InlineData("$checkpoint | Export-Fairseq2Checkpoint out", "hf")]
    public void Refuses_a_bias_whose_rows_can_not_be_turned(string export, string format)
    {
        PyTorch.Ask(
            "import sys, torch; m = torch.load(sys.argv[1]); m['model']['decoder.layers.0.self_attn.q_proj.bias'] = torch.ones(7); torch.save(m, sys.argv[2])",
            Repository.Data("checkpoints/fs2/model.pt"),
            Folder["model.pt"]);
        Session.Run("$checkpoint = Read-Fairseq2Checkpoint model.pt");

        if (format == "hf")
        {
            Session.Run("$null = $fs2 | Export-LlamaHuggingFaceCheckpoint hf -Architecture $tiny");
            var file = new WrittenSafeTensors(File.ReadAllBytes(Folder["hf/model.safetensors"]));
            var bias = SafeTensorsBuilder.Entry("model.layers.0.self_attn.q_proj.bias", "F32", "7", file.Data.Length, file.Data.Length + 28);
            File.WriteAllBytes(
                Folder["hf/model.safetensors"], SafeTensorsBuilder.Build($"{file.Header.TrimEnd()[..^1]},{bias.Trim()}}}", [.. file.Data, .. new byte[28]]));
            Session.Run("$checkpoint = Read-LlamaHuggingFaceCheckpoint hf");
        }

        Session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch, $"{export} -Architecture $tiny -AllowUnmapped", "self_attn.q_proj.bias' is 7", "not a whole number of heads of 4 rows", "Filter it out");
    }

    [Theory]
    [InlineData("compiled")]
    [InlineData("tp2-llama2")]
    [InlineData("tp2-llama3")]
    [InlineData("big-endian")]
    [InlineData("deflated")]
    [InlineData("legacy")]
    [InlineData("views")]
    public void Takes_every_kind_of_checkpoint(string name)
    {
        Session.Run($"Read-Fairseq2Checkpoint $cases/{name} | {Export} -Architecture $tiny -WarningAction SilentlyContinue");

        Assert.All(
            Session.Run<TensorComparison>($"Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/{name}) (Read-LlamaHuggingFaceCheckpoint out)"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    private JsonObject Config(string folder) => Json($"{folder}/config.json");

    private JsonObject Json(string path) => JsonNode.Parse(File.ReadAllBytes(Folder[path]))!.AsObject();

    private string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(Folder[folder]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
