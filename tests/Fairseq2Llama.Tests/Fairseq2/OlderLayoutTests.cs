using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>model.pt, and model.0.pt, model.1.pt, …</summary>
public sealed class OlderLayoutTests
{
    [Fact]
    public void A_whole_model_has_one_place_and_strays_beside_it()
    {
        using var folder = new LayoutFolder("model.pt", "model.pt.tmp", "model.old.pt", "model.yaml", "rank_0.pt", "metadata.pt", "replicated_0.pt");

        var found = folder.Find(new SingleFileLayout());

        Assert.Equal(["0 0 0: model.pt"], found.Shards);
        Assert.Equal(["model.old.pt", "model.pt.tmp"], found.Unrecognized);
        Assert.Empty(found.Missing);
    }

    [Fact]
    public void A_folder_of_that_name_is_no_whole_model()
    {
        using var folder = new LayoutFolder("model.pt/shard.00.pt");

        Assert.False(folder.IsFound(new SingleFileLayout()));
    }

    [Fact]
    public void Ranks_are_ordered_as_numbers()
    {
        using var folder = new LayoutFolder([.. Enumerable.Range(0, 11).Select(rank => $"model.{rank}.pt")]);

        var found = folder.Find(new TensorParallelLayout());

        Assert.Equal(Enumerable.Range(0, 11).Select(rank => $"0 {rank} 0: model.{rank}.pt"), found.Shards);
        Assert.Empty(found.Missing);
        Assert.Empty(found.Unrecognized);
    }

    [Fact]
    public void Gaps_between_ranks_are_missing_and_other_names_are_strays()
    {
        using var folder = new LayoutFolder("model.1.pt", "model.3.pt", "model.3.pt.part", "model.04.pt", "model.x.pt");

        var found = folder.Find(new TensorParallelLayout());

        Assert.Equal(["model.0.pt", "model.2.pt"], found.Missing);
        Assert.Equal(["model.04.pt", "model.3.pt.part", "model.x.pt"], found.Unrecognized);
    }

    [Fact]
    public void Ranks_of_two_digits_are_ordered_as_numbers()
    {
        using var folder = new LayoutFolder([.. Enumerable.Range(0, 101).Where(rank => rank != 7).Select(rank => $"model.{rank:00}.pt")]);

        var found = folder.Find(new TensorParallelLayout());

        Assert.Equal(Enumerable.Range(0, 101).Where(rank => rank != 7).Select(rank => $"0 {rank} 0: model.{rank:00}.pt"), found.Shards);
        Assert.Equal(["model.07.pt"], found.Missing);
        Assert.Empty(found.Unrecognized);
    }

    [Fact]
    public void Of_two_spellings_one_is_read()
    {
        using var folder = new LayoutFolder("model.0.pt", "model.00.pt", "model.1.pt", "model.01.pt");

        var found = folder.Find(new TensorParallelLayout());

        Assert.Equal(["0 0 0: model.0.pt", "0 1 0: model.1.pt"], found.Shards);
        Assert.Equal(["model.00.pt", "model.01.pt"], found.Unrecognized);
    }

    [Fact]
    public void A_single_rank_is_one_of_several()
    {
        using var folder = new LayoutFolder("model.0.pt");

        Assert.Equal(["model.1.pt"], folder.Find(new TensorParallelLayout()).Missing);
    }

    [Fact]
    public void A_large_number_does_not_make_it_count_so_far()
    {
        using var folder = new LayoutFolder("model.0.pt", "model.99999.pt");

        Assert.InRange(folder.Find(new TensorParallelLayout()).Missing.Length, 1, 1000);
    }
}
