using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Read-DistributedCheckpoint, and Read-LlamaCheckpoint for such checkpoints: paths, and what is known about the architecture.</summary>
public sealed class ReadDistributedCheckpointTests : IDisposable
{
    private const string Config = """
        {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 40}
        """;

    private const string Params = """{"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 8, "norm_eps": 1e-05, "vocab_size": 40}""";

    private const string Accelerate = "acc/pytorch_model_fsdp_0";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadDistributedCheckpointTests()
    {
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
        Copy("titan-2", "run/step-10");
        Copy("accelerate-2", Accelerate);
    }

    public static TheoryData<string> Commands => ["Read-DistributedCheckpoint", "Read-LlamaCheckpoint"];

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Reads_the_model_and_leaves_the_state_of_the_trainer_out(string command)
    {
        var outcome = _session.RunOn($"{command} run/step-10 -Verbose");

        var checkpoint = Assert.IsType<DistributedCheckpoint>(Assert.Single(outcome.Output).BaseObject);
        Assert.Equal(("run@10", _folder["run/step-10"], 10L, 2, 21), (checkpoint.Name, checkpoint.Path, checkpoint.Step, checkpoint.ShardCount, checkpoint.Tensors.Length));
        Assert.Equal(["__0_0.distcp", "__1_0.distcp", ".metadata"], checkpoint.Files.Select(Path.GetFileName));
        Assert.Null(checkpoint.Architecture);
        Assert.Contains(outcome.Verbose, line => line.Contains("left out", StringComparison.Ordinal));
        Assert.Empty(outcome.Warnings);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Takes_the_architecture_as_an_object_or_by_name(string command)
    {
        Assert.Equal(TinyModel.Architecture, _session.RunOne<DistributedCheckpoint>($"{command} {Accelerate} -Architecture $tiny").Architecture);
        Assert.Equal("llama3_8b", _session.RunOne<DistributedCheckpoint>($"{command} run/step-10 -Architecture llama3_8b").Architecture!.Name);
        Assert.Equal("llama3_2_1b", _session.RunOne<DistributedCheckpoint>($"{command} run/step-10 -Architecture llama3_2_1b_instruct").Architecture!.Name);

        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, $"{command} {Accelerate} -Architecture llama3_8b", "'llama3_8b' (given with -Architecture)");
        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, _session.RunForTerminatingError($"{command} {Accelerate} -Architecture llama9_9b"), "'llama9_9b'");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Asks_for_the_architecture_where_the_order_of_rows_depends_on_it(string command) => _session.RunForError(
        CheckpointErrorCode.ArchitectureRequired, $"{command} {Accelerate}", _folder[Accelerate], "Hugging Face's names", "-Architecture", "-ConfigPath");

    [Theory]
    [InlineData("config.json", Config)]
    [InlineData("params.json", Params)]
    public void Finds_the_file_that_describes_the_model_beside_it_and_around_it(string file, string content)
    {
        foreach (var place in new[] { Accelerate, "acc", "." })
        {
            File.WriteAllText(_folder[$"{place}/{file}"], content);

            foreach (var command in new[] { "Read-DistributedCheckpoint", "Read-LlamaCheckpoint" })
            {
                var architecture = _session.RunOne<DistributedCheckpoint>($"{command} {Accelerate}").Architecture!;
                Assert.Equal((16, 2, 4, 2, 48L), (architecture.ModelDim, architecture.NumLayers, architecture.NumAttnHeads, architecture.NumKeyValueHeads, architecture.FfnInnerDim));
            }

            File.Delete(_folder[$"{place}/{file}"]);
        }
    }

    /// <summary>The nearest one is that of this model; one that is named goes before, and an architecture before both.</summary>
    [Fact]
    public void What_is_named_goes_before_what_is_found()
    {
        Directory.CreateDirectory(_folder["other [1]"]);
        File.WriteAllText(
            _folder["acc/config.json"],
            Config.Replace("""key_value_heads": 2""", """key_value_heads": 1""", StringComparison.Ordinal).Replace("""heads": 4""", """heads": 2""", StringComparison.Ordinal));
        File.WriteAllText(_folder["other [1]/config.json"], Config);

        Assert.Equal(2, Read("").NumAttnHeads);
        Assert.Equal(4, Read("-ConfigPath 'other [1]'").NumAttnHeads);
        Assert.Equal(4, Read("-ConfigPath 'other [1]/config.json'").NumAttnHeads);
        Assert.Equal(TinyModel.Architecture, Read("-ConfigPath acc -Architecture $tiny"));

        LlamaArchitecture Read(string arguments) => _session.RunOne<DistributedCheckpoint>($"Read-LlamaCheckpoint {Accelerate} {arguments}").Architecture!;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Names_a_config_that_is_missing_or_of_another_model(string command)
    {
        File.WriteAllText(_folder["gpt2.json"], """{"model_type": "gpt2"}""");
        File.WriteAllText(_folder["large.json"], Config.Replace("16", "4096", StringComparison.Ordinal));
        File.WriteAllText(_folder["broken.json"], "{");

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, $"{command} {Accelerate} -ConfigPath nowhere.json", _folder["nowhere.json"]);
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, $"{command} {Accelerate} -ConfigPath acc", _folder["acc"], "config.json");
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} {Accelerate} -ConfigPath gpt2.json", "'gpt2'");
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} {Accelerate} -ConfigPath broken.json", _folder["broken.json"]);
        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, $"{command} {Accelerate} -ConfigPath large.json", _folder["large.json"], "ModelDim is 4096");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Takes_wildcards_and_names_with_brackets_and_blanks(string command)
    {
        Copy("titan-1", "run/step-20");
        Copy("titan-1", "my [1] run/step 1");
        Directory.CreateDirectory(_folder["run/logs"]);

        Assert.Equal(["run@10", "run@20"], _session.RunOn($"{command} run/step-*").Names);
        Assert.Equal(["step 1"], _session.RunOn($"{command} 'my [1] run/step 1'").Names);

        // As Get-ChildItem gives them, which the hosted engine does not have.
        _session["steps"] = new DirectoryInfo(_folder["my [1] run"]).GetDirectories();
        Assert.Equal(["step 1"], _session.RunOn($"$steps | {command}").Names);
        Assert.Equal(["step 1"], _session.RunOn($"{command} -LiteralPath 'my [1] run/step 1'").Names);
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, $"{command} run/epoch-*", "run/epoch-*");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Takes_paths_relative_to_the_location_of_the_session(string command)
    {
        _session.Location = _folder["run"];
        File.WriteAllText(_folder["acc/mine.json"], Config);

        Assert.Equal(_folder["run/step-10"], _session.RunOne<DistributedCheckpoint>($"{command} step-10").Path);
        Assert.Equal(4, _session.RunOne<DistributedCheckpoint>($"{command} ../{Accelerate} -ConfigPath ../acc/mine.json").Architecture!.NumAttnHeads);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void One_that_is_damaged_does_not_keep_others_from_being_read(string command)
    {
        Copy("titan-1", "run/step-20");
        File.Delete(_folder["run/step-10/.metadata"]);

        var outcome = _session.RunOn($"{command} run/step-*");
        Assert.Equal(["run@20"], outcome.Names);
        Assert.Equal(["MissingShard"], outcome.ErrorIds);

        ErrorAssert.Is(CheckpointErrorCode.MissingShard, _session.RunForTerminatingError($"{command} run/step-* -ErrorAction Stop"), ".metadata");
    }

    /// <summary>As Select-Object -First 1 ends a pipeline, which the hosted engine does not have. What nobody wants is not read.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public void Ends_when_the_pipeline_has_enough(string command)
    {
        Copy("titan-1", "run/step-20");
        File.Delete(_folder["run/step-20/.metadata"]);

        Assert.Equal(["run@10"], First($"{command} run/step-*"));
        Assert.Equal(["tok_embeddings.weight"], First($"{command} run/step-10 | Get-CheckpointTensor"));

        string[] First(string pipeline) => [.. _session.Run($"do {{ {pipeline} | ForEach-Object {{ $_; break }} }} while ($false)").Select(item => item.ToString())];
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Says_which_folder_or_step_to_give(string command)
    {
        Copy("titan-1", "run/step-9");

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} run", "steps of a training run", _folder["run/step-10"]);
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} run/step-10/.metadata", "is a file", "folder");
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} run/step-10/__0_0.distcp", "is a file", "folder");
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, $"{command} nowhere", _folder["nowhere"]);
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint")]
    [InlineData("Read-LlamaReferenceCheckpoint")]
    [InlineData("Read-LlamaHuggingFaceCheckpoint")]
    public void Other_commands_name_the_one_that_reads_it(string command) =>
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{command} run/step-10", "Read-DistributedCheckpoint");

    /// <summary>As text a checkpoint is its name, and in the current folder there may be another one of that name.</summary>
    [Fact]
    public void Is_not_taken_for_the_path_that_its_name_would_be()
    {
        Copy("titan-1", "run@10");

        var error = _session.RunForError("Read-DistributedCheckpoint (Read-DistributedCheckpoint run/step-10)");

        Assert.IsType<System.Management.Automation.ParameterBindingException>(error.Exception, exactMatch: false);
    }

    private void Copy(string name, string path) => CheckpointFolder.CopyFiles(DistributedManifest.Cases[name].Path, _folder[path]);
}
