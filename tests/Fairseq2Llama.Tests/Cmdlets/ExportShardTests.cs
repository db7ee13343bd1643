using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>-ShardCount, and what -ShardIndex refuses.</summary>
[External]
public sealed class ExportShardTests : IDisposable
{
    private const string Export = "$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small -ShardCount 4";

    private static readonly string[] AllFiles =
        ["consolidated.00.pth", "consolidated.01.pth", "consolidated.02.pth", "consolidated.03.pth", "params.json"];

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ExportShardTests(ShardedModels models)
    {
        _session.Location = _folder.Path;
        _session["small"] = ShardedModels.Architecture;
        _session["path"] = models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven");
        _session.Run("$checkpoint = Read-Fairseq2Checkpoint $path");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Gives_one_object_with_all_files()
    {
        var result = _session.RunOne<LlamaReferenceCheckpoint>(Export);

        Assert.Equal(4, result.ShardCount);
        Assert.Equal(AllFiles.Select(file => Path.Combine(_folder["out"], file)), result.Files);
        Assert.Equal(result.Files.Sum(file => new FileInfo(file).Length), result.SizeInBytes);
    }

    [Theory]
    [InlineData(3, "NumAttnHeads is 8", "NumKeyValueHeads is 4", "FfnInnerDim is 88")]
    [InlineData(5, "NumAttnHeads is 8", "NumKeyValueHeads is 4", "FfnInnerDim is 88", "VocabSize is 48")]
    [InlineData(8, "NumKeyValueHeads is 4")]
    [InlineData(16, "NumAttnHeads is 8", "NumKeyValueHeads is 4", "FfnInnerDim is 88")]
    public void Lists_every_dim_that_the_count_does_not_divide(int count, params string[] dims)
    {
        var error = _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            $"$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small -ShardCount {count}",
            [.. dims, $"{count} files", "-ShardCount"]);

        var all = new[] { "NumAttnHeads is", "NumKeyValueHeads is", "FfnInnerDim is", "VocabSize is" };
        Assert.Equal(dims.Length, all.Count(dim => error.ToString().Contains(dim, StringComparison.Ordinal)));
        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("-ShardCount 4 -ShardIndex 4", "4", "indexes are 0 to 3")]
    [InlineData("-ShardCount 4 -ShardIndex 0, 7, 9", "7; 9", "indexes are 0 to 3")]
    [InlineData("-ShardIndex 2", "2", "indexes are 0 to 1")]
    [InlineData("-ShardCount 1 -ShardIndex 1", "1", "The only index is 0")]
    public void Names_the_indexes_that_are_beyond_the_last(string arguments, params string[] words)
    {
        _session.RunForError(
            CheckpointErrorCode.MissingShard, $"$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small {arguments}", words);

        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("-ShardCount 0")]
    [InlineData("-ShardCount -1")]
    [InlineData("-ShardIndex -1")]
    [InlineData("-ShardIndex @()")]
    public void Refuses_arguments_that_make_no_sense(string arguments)
    {
        var error = _session.RunForError($"$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small {arguments}");

        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Empty(_folder.Content);
    }
}
