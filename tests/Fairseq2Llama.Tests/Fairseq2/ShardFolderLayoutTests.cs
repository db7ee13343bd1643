using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>model.pt/shard.DD.pt and model.TT.pt/shard.DD.pt</summary>
public sealed class ShardFolderLayoutTests
{
    private readonly ShardFolderLayout _layout = new();

    [Fact]
    public void Gives_each_file_its_rank()
    {
        using var folder = new LayoutFolder("model.pt/shard.01.pt", "model.pt/shard.00.pt", "model.pt/shard.02.pt");

        var found = folder.Find(_layout);

        Assert.Equal(["0 0 0: model.pt/shard.00.pt", "0 0 1: model.pt/shard.01.pt", "0 0 2: model.pt/shard.02.pt"], found.Shards);
        Assert.Empty(found.Missing);
        Assert.Empty(found.Unrecognized);
        Assert.Equal(found.Shards, folder.Find(_layout, "model.pt").Shards);
    }

    [Theory]
    [InlineData("model.00.pt", "model.01.pt")]
    public void Gives_each_folder_its_tensor_parallel_rank(string first, string second)
    {
        using var folder = new LayoutFolder($"{second}/shard.01.pt", $"{second}/shard.00.pt", $"{first}/shard.01.pt", $"{first}/shard.00.pt");

        var found = folder.Find(_layout);

        Assert.Equal(
            [$"0 0 0: {first}/shard.00.pt", $"0 0 1: {first}/shard.01.pt", $"0 1 0: {second}/shard.00.pt", $"0 1 1: {second}/shard.01.pt"],
            found.Shards);
        Assert.Empty(found.Missing);
    }

    [Fact]
    public void Misses_files_within_folders_and_whole_folders()
    {
        using var folder = new LayoutFolder("model.00.pt/shard.00.pt", "model.00.pt/shard.02.pt", "model.02.pt/shard.00.pt");

        Assert.Equal(
            [
                "model.00.pt/shard.01.pt",
                "model.01.pt/shard.00.pt", "model.01.pt/shard.01.pt", "model.01.pt/shard.02.pt",
                "model.02.pt/shard.01.pt", "model.02.pt/shard.02.pt",
            ],
            folder.Find(_layout).Missing);
    }

    [Fact]
    public void Tells_strays_from_shards()
    {
        using var folder = new LayoutFolder("model.pt/shard.00.pt", "model.pt/shard.00.pt.tmp", "model.pt/shard.1.pt", "model.pt/notes.txt");

        var found = folder.Find(_layout);

        Assert.Equal(["0 0 0: model.pt/shard.00.pt"], found.Shards);
        Assert.Equal(["model.pt/shard.00.pt.tmp", "model.pt/shard.1.pt"], found.Unrecognized);
        Assert.Empty(found.Missing);
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("model.0.pt")]
    [InlineData("model.pt/shard.pt")]
    [InlineData("model.x.pt/shard.00.pt")]
    [InlineData("optimizer.pt/shard.00.pt")]
    public void Is_not_what_is_named_otherwise(string file)
    {
        using var folder = new LayoutFolder(file);

        Assert.False(folder.IsFound(_layout));
    }
}
