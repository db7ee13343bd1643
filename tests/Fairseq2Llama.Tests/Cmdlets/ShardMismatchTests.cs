using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Files that are not shards of one model.</summary>
[External]
public sealed class ShardMismatchTests : IDisposable
{
    private const string Query = "decoder.layers.1.self_attn.q_proj.weight";
    private const string Norm = "decoder.layers.1.ffn_layer_norm.weight";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();
    private readonly ShardedModels _models;

    public ShardMismatchTests(ShardedModels models)
    {
        _models = models;
        _session.Location = _folder.Path;
        _session["small"] = ShardedModels.Architecture;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("norm-differs", "", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt")]
    [InlineData("norm-differs", "-ShardCount 1", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt")]
    [InlineData("norm-differs", "-ShardIndex 0", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt")]
    [InlineData("norm-differs", "-Verification None", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt")]
    [InlineData("norm-differs-in-its-last-row", "", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt")]
    public void A_copy_that_differs_between_ranks_is_named_and_nothing_left_behind(string name, string arguments, string file, string other)
    {
        _session["path"] = _models.PathOfOdd(name);

        var error = _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            $"Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint deep/out -Architecture $small {arguments}",
            $"'{Norm}'", FileOf(name, "pp_00/" + file), FileOf(name, "pp_00/" + other));

        Assert.Equal(FileOf(name, "pp_00/" + other).Trim('\''), error.TargetObject);
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.DoesNotContain(Query, error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void A_copy_that_differs_does_not_touch_an_earlier_export()
    {
        _session["path"] = _models.PathOfOdd("norm-differs");
        _session["lone"] = _models.PathOfOdd("lone");
        _session.Run("Read-Fairseq2Checkpoint $lone | Export-LlamaReferenceCheckpoint out -Architecture $small");
        var before = CheckpointFolder.Snapshot(_folder.Path);

        _session.RunForError(
            CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $small -Force");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], _folder.Content.Select(entry => entry.Replace('\\', '/')));
    }

    [Theory]
    [InlineData("columns-differ", "tp_00/sdp_00.pt", "tp_00/sdp_01.pt", "16x32", "16x31")]
    [InlineData("dtype-differs", "tp_00/sdp_00.pt", "tp_00/sdp_01.pt", "float32", "float16")]
    [InlineData("lacking-in-rank-1", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt", "lacks")]
    [InlineData("lacking-in-rank-0", "tp_00/sdp_00.pt", "tp_01/sdp_00.pt", "lacks")]
    [InlineData("lacking-in-first-rows", "tp_00/sdp_00.pt", "tp_00/sdp_01.pt", "lacks")]
    [InlineData("lacking-in-the-middle", "tp_00/sdp_01.pt", "tp_00/sdp_02.pt", "lacks")]
    public void Files_that_do_not_fit_are_named(string name, string file, params string[] words)
    {
        _session["path"] = _models.PathOfOdd(name);

        var error = _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            "Read-Fairseq2Checkpoint $path",
            [$"'{Query}'", FileOf(name, "pp_00/" + file), .. words.Select(word => word.EndsWith(".pt", StringComparison.Ordinal) ? FileOf(name, "pp_00/" + word) : word)]);

        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
    }

    [Fact]
    public void A_number_that_should_have_rows_is_named()
    {
        _session["path"] = _models.PathOfOdd("single-number");

        var error = _session.RunForError(CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint $path", $"'{Query}' is a single number in each of 2 files");

        Assert.Equal(Path.Combine(_models.PathOfOdd("single-number"), "model/pp_00/tp_00/sdp_00.pt"), error.TargetObject);
    }

    [Fact]
    public void A_tensor_in_two_pipeline_stages_is_named()
    {
        _session["path"] = _models.PathOfOdd("stages-overlap");

        _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            "Read-Fairseq2Checkpoint $path",
            $"'{Query}'", FileOf("stages-overlap", "pp_00/tp_00/sdp_00.pt"), FileOf("stages-overlap", "pp_01/tp_00/sdp_00.pt"));
    }

    /// <summary>FSDP1 leaves empty shards out, but a shard is empty only where the rows divide like that.</summary>
    [Fact]
    public void A_tensor_that_lacks_its_last_rows_is_missed()
    {
        _session["path"] = _models.PathOfOdd("lacking-at-the-end");

        _session.RunForError(CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint $path", Query, "lacks");
    }

    [Fact]
    public void A_tensor_that_every_rank_lacks_is_missing()
    {
        _session["path"] = _models.PathOfOdd("lacking-in-both");

        _session.RunForError(
            CheckpointErrorCode.MissingTensor, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $small", Query);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Rows_that_FSDP1_leaves_out_at_the_end_are_no_mismatch()
    {
        _session["path"] = _models.PathOfDivided("float32,embedding0,pp1,tp4,sdp3,absent");

        var tensor = _session.RunOne<CheckpointTensor>(
            "Read-Fairseq2Checkpoint $path | Get-CheckpointTensor decoder.layers.0.self_attn.k_proj.weight");

        // Of the three files of each of the four ranks only two have rows of it.
        Assert.Equal("16x32", tensor.Shape.ToString());
        Assert.Equal(["0 0", "0 1", "1 0", "1 1", "2 0", "2 1", "3 0", "3 1"], tensor.Shards.Select(shard => $"{shard.TensorParallelRank} {shard.DataParallelRank}"));
    }

    [Fact]
    public void A_missing_file_in_the_middle_of_the_grid_is_named()
    {
        CopyGrid("float32,embedding0,pp2,tp2,sdp3,even");
        File.Delete(_folder["run/model/pp_01/tp_00/sdp_01.pt"]);

        var error = _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint run", "'model/pp_01/tp_00/sdp_01.pt' is missing");

        Assert.Equal(_folder["run/model/pp_01/tp_00/sdp_01.pt"], error.TargetObject);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
    }

    [Fact]
    public void A_file_of_another_dtype_is_named_with_all_that_differs()
    {
        CopyGrid("float32,embedding0,pp1,tp2,sdp1,even");
        File.Copy(
            Path.Combine(_models.PathOfDivided("bfloat16,embedding0,pp1,tp2,sdp1,even"), "model/pp_00/tp_01/sdp_00.pt"),
            _folder["run/model/pp_00/tp_01/sdp_00.pt"],
            overwrite: true);

        _session.RunForError(
            CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint run", "decoder_frontend.embed.weight", "bfloat16", "float32", "20 more");
    }

    [Fact]
    public void Files_of_other_ways_of_dividing_the_embeddings_do_not_fit()
    {
        CopyGrid("float32,embedding0,pp1,tp2,sdp1,even");
        File.Copy(
            Path.Combine(_models.PathOfDivided("float32,embedding1,pp1,tp2,sdp1,even"), "model/pp_00/tp_01/sdp_00.pt"),
            _folder["run/model/pp_00/tp_01/sdp_00.pt"],
            overwrite: true);

        _session.RunForError(CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint run", "decoder_frontend.embed.weight", "24x32", "48x16");
    }

    [Fact]
    public void A_tensor_that_LLaMA_does_not_have_stays_with_its_rank()
    {
        _session["path"] = _models.PathOfOdd("adapter-differs");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $small -AllowUnmapped");

        Assert.Empty(outcome.Errors);
        Assert.Equal((0f, 1f), (FirstOfAdapter("consolidated.00.pth"), FirstOfAdapter("consolidated.01.pth")));
    }

    [Fact]
    public void A_tensor_that_LLaMA_does_not_have_is_merged_where_it_is_the_same_in_every_rank()
    {
        const string Export = "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $small -AllowUnmapped -ShardCount 1";
        _session["path"] = _models.PathOfOdd("adapter-differs");

        _session.RunForError(CheckpointErrorCode.ShardMismatch, Export, "decoder.layers.0.self_attn.q_proj.lora_A", "can be filtered out");
        Assert.Empty(_folder.Content);

        _session["path"] = _models.PathOfOdd("adapter-is-the-same");
        _session.RunOn(Export);

        Assert.Equal(0f, FirstOfAdapter("consolidated.00.pth"));
    }

    private float FirstOfAdapter(string file)
    {
        var adapter = Assert.Single(TensorFiles.Read(_folder["out/" + file]), entry => entry.Name.Contains("lora_A", StringComparison.Ordinal));
        return BitConverter.ToSingle(TensorBytes.Of(adapter.Tensor));
    }

    private string FileOf(string name, string file) => $"'{Path.Combine(_models.PathOfOdd(name), "model", file)}'";

    private void CopyGrid(string name)
    {
        var source = _models.PathOfDivided(name);

        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = _folder[Path.Combine("run", Path.GetRelativePath(source, file))];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
