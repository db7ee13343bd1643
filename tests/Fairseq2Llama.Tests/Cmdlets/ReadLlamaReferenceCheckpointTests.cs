using System.Text.Json.Nodes;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ReadLlamaReferenceCheckpointTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadLlamaReferenceCheckpointTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -ShardCount 2");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Nested")]
    [InlineData("Flat")]
    public void Reads_what_was_exported(string layout)
    {
        _session.Run($"$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -ShardCount 2 -ParamsLayout {layout} -Force");

        var checkpoint = _session.RunOne<LlamaReferenceCheckpoint>("Read-LlamaReferenceCheckpoint out");

        Assert.Equal(("out", _folder["out"], 2, 21), (checkpoint.Name, checkpoint.Path, checkpoint.ShardCount, checkpoint.Tensors.Length));
        Assert.Equal(TinyModel.Architecture with { Name = "out" }, checkpoint.Architecture);
        Assert.Equal(["consolidated.00.pth", "consolidated.01.pth", "params.json"], checkpoint.Files.Select(Path.GetFileName));
        Assert.Equal(checkpoint.Files.Sum(file => new FileInfo(file).Length), checkpoint.SizeInBytes);
    }

    [Fact]
    public void Its_tensors_have_their_own_names_first_and_those_of_the_other_formats()
    {
        var tensor = _session.RunOne<CheckpointTensor>("Read-LlamaReferenceCheckpoint out | Get-CheckpointTensor *.1.*wk*");

        Assert.Equal(
            ("layers.1.attention.wk.weight", "decoder.layers.1.self_attn.k_proj.weight", "layers.1.attention.wk.weight", "model.layers.1.self_attn.k_proj.weight"),
            (tensor.Name, tensor.Fairseq2Name, tensor.ReferenceName, tensor.HuggingFaceName));
        Assert.Equal(("8x16", 1, 2), (tensor.Shape.ToString(), tensor.Layer, tensor.Shards.Length));
    }

    /// <summary>Flat, without what has defaults, and with a vocabulary of -1.</summary>
    [Fact]
    public void Reads_what_Meta_distributes()
    {
        File.WriteAllText(
            _folder["out/params.json"], """{"dim": 16, "multiple_of": 8, "n_heads": 4, "n_kv_heads": 2, "n_layers": 2, "norm_eps": 1e-06, "vocab_size": -1}""");

        var architecture = _session.RunOne<LlamaReferenceCheckpoint>("Read-LlamaReferenceCheckpoint out").Architecture;

        Assert.Equal(TinyModel.Architecture with { Name = "out", NormEps = 1e-6 }, architecture);
    }

    [Fact]
    public void Takes_wildcards_and_literal_paths()
    {
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint 'a [1]' -Architecture $tiny");

        Assert.Equal("out", _session.RunOne<LlamaReferenceCheckpoint>("Read-LlamaReferenceCheckpoint ou*").Name);
        Assert.Equal("a [1]", _session.RunOne<LlamaReferenceCheckpoint>("Read-LlamaReferenceCheckpoint -LiteralPath 'a [1]'").Name);
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint out", "Read-LlamaReferenceCheckpoint")]
    [InlineData("Read-LlamaHuggingFaceCheckpoint out", "Read-LlamaReferenceCheckpoint")]
    [InlineData("Read-LlamaReferenceCheckpoint $cases/fs2", "Read-Fairseq2Checkpoint")]
    [InlineData("Read-LlamaReferenceCheckpoint $cases/../huggingface/sharded", "Read-LlamaHuggingFaceCheckpoint")]
    public void A_folder_of_another_format_is_named(string script, string command) =>
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, script, command);

    /// <summary>As text a checkpoint is its name, and in the current folder there may be another one of that name.</summary>
    [Theory]
    [InlineData("Read-Fairseq2Checkpoint")]
    [InlineData("Read-LlamaHuggingFaceCheckpoint")]
    public void Is_not_taken_for_the_path_that_its_name_would_be(string command)
    {
        CheckpointFolder.Copy("fs2", _folder["name"]);
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint other/name -Architecture $tiny");

        foreach (var script in new[] { $"Read-LlamaReferenceCheckpoint other/name | {command}", $"{command} (Read-LlamaReferenceCheckpoint other/name)" })
        {
            var error = _session.RunForError(script);
            Assert.IsType<System.Management.Automation.ParameterBindingException>(error.Exception, exactMatch: false);
        }
    }

    [Fact]
    public void Names_the_shard_that_is_missing()
    {
        File.Delete(_folder["out/consolidated.00.pth"]);

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-LlamaReferenceCheckpoint out", "consolidated.00.pth", "consolidated.01.pth");
    }

    [Fact]
    public void Names_two_files_for_one_rank()
    {
        File.Copy(_folder["out/consolidated.00.pth"], _folder["out/consolidated.0.pth"]);

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-LlamaReferenceCheckpoint out", "consolidated.00.pth", "consolidated.0.pth", "twice");
    }

    [Fact]
    public void A_shard_that_is_missing_at_the_end_shows_in_the_shapes()
    {
        File.Delete(_folder["out/consolidated.01.pth"]);

        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaReferenceCheckpoint out", "params.json", "no shard is missing");
    }

    [Theory]
    [InlineData("Read-LlamaReferenceCheckpoint nowhere", CheckpointErrorCode.CheckpointNotFound, "nowhere")]
    [InlineData("Read-LlamaReferenceCheckpoint out/params.json", CheckpointErrorCode.CheckpointUnrecognized, "folder that contains it")]
    [InlineData("Read-LlamaReferenceCheckpoint $cases/fs2", CheckpointErrorCode.CheckpointUnrecognized, "consolidated.00.pth")]
    public void Refuses_what_is_none(string script, CheckpointErrorCode code, string word) => _session.RunForError(code, script, word);

    [Fact]
    public void Does_not_wait_for_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes among files");
        File.Delete(_folder["out/params.json"]);
        System.Diagnostics.Process.Start("mkfifo", [_folder["out/params.json"]]).WaitForExit();

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaReferenceCheckpoint out", "is empty");
    }

    [Fact]
    public void Asks_for_params_json_where_it_is_missing()
    {
        File.Delete(_folder["out/params.json"]);

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaReferenceCheckpoint out", "params.json", "Copy");
    }

    [Theory]
    [InlineData("", "params.json")]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "no JSON object")]
    [InlineData("""{"dim": 16}""", "'n_heads'")]
    [InlineData("""{"dim": "16", "n_heads": 4, "n_layers": 2}""", "'dim'")]
    [InlineData("""{"dim": 16.5, "n_heads": 4, "n_layers": 2}""", "'dim'")]
    [InlineData("""{"dim": 1e300, "n_heads": 4, "n_layers": 2}""", "'dim'")]
    public void Says_what_is_wrong_with_params_json(string content, string word)
    {
        File.WriteAllText(_folder["out/params.json"], content);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaReferenceCheckpoint out", _folder["out/params.json"], word);
    }

    [Theory]
    [InlineData("dim", 32, "ModelDim")]
    [InlineData("n_layers", 3, "NumLayers")]
    [InlineData("n_kv_heads", 4, "KeyValueDim")]
    [InlineData("multiple_of", 256, "FfnInnerDim")]
    [InlineData("n_heads", 0, "NumAttnHeads")]
    public void Holds_params_json_against_the_shapes(string name, int value, string word)
    {
        Edit("out", json => json["model"]![name] = value);

        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaReferenceCheckpoint out", word);
    }

    private void Edit(string folder, Action<JsonNode> edit)
    {
        var path = _folder[$"{folder}/params.json"];
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        edit(json);
        File.WriteAllText(path, json.ToJsonString());
    }
}
