using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>model/pp_PP/tp_TT/sdp_DD.pt</summary>
public sealed class NativeShardLayoutTests
{
    private readonly NativeShardLayout _layout = new();

    [Theory]
    [InlineData("model/pp_00/tp_00/sdp_000.pt")]
    [InlineData("model/pp_00/tp_00/sdp_0.pt")]
    [InlineData("model/pp_00/tp_00/sdp_00.pt\n")]
    [InlineData("model/pp_00/tp_00/SDP_01.pt")]
    public void Only_the_spelling_of_fairseq2_has_a_place(string other)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && other.Contains('\n', StringComparison.Ordinal), "no file can have that name there");

        using var folder = new LayoutFolder("model/pp_00/tp_00/sdp_00.pt", other);

        var found = folder.Find(new NativeShardLayout());

        Assert.Equal(["0 0 0: model/pp_00/tp_00/sdp_00.pt"], found.Shards);
        Assert.Equal([other], found.Unrecognized);
    }

    [Fact]
    public void Links_that_lead_in_circles_are_not_followed()
    {
        using var folder = new LayoutFolder("model/pp_00/tp_00/sdp_00.pt");
        SymbolicLink.ToFile(folder.PathOf("model/pp_00/tp_00/up"), "..");
        SymbolicLink.ToFile(folder.PathOf("model/pp_00/self"), "../..");

        var found = folder.Find(new NativeShardLayout());

        Assert.Single(found.Shards);
        Assert.Equal(["model/pp_00/self", "model/pp_00/tp_00/up"], found.Unrecognized);
    }

    [Fact]
    public void Gives_each_file_its_place_in_the_grid()
    {
        using var folder = new LayoutFolder(
            "model/pp_01/tp_01/sdp_00.pt", "model/pp_01/tp_00/sdp_00.pt", "model/pp_00/tp_01/sdp_00.pt", "model/pp_00/tp_00/sdp_00.pt",
            "model/pp_01/tp_01/sdp_01.pt", "model/pp_01/tp_00/sdp_01.pt", "model/pp_00/tp_01/sdp_01.pt", "model/pp_00/tp_00/sdp_01.pt");

        var found = folder.Find(_layout);

        Assert.Equal(
            [
                "0 0 0: model/pp_00/tp_00/sdp_00.pt", "0 0 1: model/pp_00/tp_00/sdp_01.pt",
                "0 1 0: model/pp_00/tp_01/sdp_00.pt", "0 1 1: model/pp_00/tp_01/sdp_01.pt",
                "1 0 0: model/pp_01/tp_00/sdp_00.pt", "1 0 1: model/pp_01/tp_00/sdp_01.pt",
                "1 1 0: model/pp_01/tp_01/sdp_00.pt", "1 1 1: model/pp_01/tp_01/sdp_01.pt",
            ],
            found.Shards);
        Assert.Empty(found.Missing);
        Assert.Empty(found.Unrecognized);
    }

    [Fact]
    public void Orders_ranks_as_numbers()
    {
        using var folder = new LayoutFolder([.. Enumerable.Range(0, 101).Select(rank => $"model/pp_00/tp_00/sdp_{rank:00}.pt")]);

        var found = folder.Find(_layout);

        Assert.Equal(Enumerable.Range(0, 101).Select(rank => $"0 0 {rank}: model/pp_00/tp_00/sdp_{rank:00}.pt"), found.Shards);
        Assert.Empty(found.Missing);
    }

    [Fact]
    public void Finds_them_in_the_folder_itself()
    {
        using var folder = new LayoutFolder("model/pp_00/tp_00/sdp_00.pt");

        Assert.Equal(["0 0 0: model/pp_00/tp_00/sdp_00.pt"], folder.Find(_layout, "model").Shards);
    }

    [Theory]
    [InlineData("pp_00/tp_00/sdp_00.pt")]
    [InlineData("pp_00/tp_00/sdp_01.pt")]
    [InlineData("pp_00/tp_01/sdp_01.pt")]
    [InlineData("pp_01/tp_00/sdp_00.pt")]
    [InlineData("pp_01/tp_01/sdp_00.pt")]
    public void Misses_one_anywhere_in_the_grid(string missing)
    {
        string[] grid =
        [
            .. from pp in Enumerable.Range(0, 2) from tp in Enumerable.Range(0, 2) from sdp in Enumerable.Range(0, 2)
               select $"model/pp_{pp:00}/tp_{tp:00}/sdp_{sdp:00}.pt",
        ];
        using var folder = new LayoutFolder([.. grid.Where(file => file != "model/" + missing)]);

        var found = folder.Find(_layout);

        Assert.Equal(["model/" + missing], found.Missing);
        Assert.Equal(7, found.Shards.Length);
    }

    [Fact]
    public void Misses_ranks_and_stages_of_which_there_is_nothing_at_all()
    {
        using var folder = new LayoutFolder("model/pp_00/tp_00/sdp_00.pt", "model/pp_02/tp_02/sdp_00.pt");

        Assert.Equal(
            [
                "model/pp_00/tp_01/sdp_00.pt", "model/pp_00/tp_02/sdp_00.pt",
                "model/pp_01/tp_00/sdp_00.pt", "model/pp_01/tp_01/sdp_00.pt", "model/pp_01/tp_02/sdp_00.pt",
                "model/pp_02/tp_00/sdp_00.pt", "model/pp_02/tp_01/sdp_00.pt",
            ],
            folder.Find(_layout).Missing);
    }

    [Theory]
    [InlineData("model/pp_99999/tp_00/sdp_00.pt")]
    [InlineData("model/pp_00/tp_99999/sdp_00.pt")]
    [InlineData("model/pp_00/tp_00/sdp_99999.pt")]
    [InlineData("model/pp_99999/tp_99999/sdp_99999.pt")]
    public void Does_not_count_all_that_a_large_number_says_is_missing(string file)
    {
        using var folder = new LayoutFolder("model/pp_00/tp_00/sdp_00.pt", file);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var missing = folder.Find(_layout).Missing;

        Assert.InRange(missing.Length, 1, 1000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 << 20);
    }

    [Fact]
    public void Tells_strays_from_shards_and_does_not_look_beside_the_model()
    {
        using var folder = new LayoutFolder(
            "model/pp_00/tp_00/sdp_00.pt",
            "model/pp_00/tp_00/sdp_00.pt.part", "model/pp_00/tp_00/sdp_0.pt", "model/pp_00/sdp_01.pt", "model/pp_x/tp_00/sdp_00.pt", "model/notes.txt",
            "optimizer/pp_00/tp_00/sdp_00.pt", "trainer/rank_0.pt", "data_reader/dp_0.pt", "rank_0.pt", "metadata.pt");

        var found = folder.Find(_layout);

        Assert.Equal(["0 0 0: model/pp_00/tp_00/sdp_00.pt"], found.Shards);
        Assert.Equal(
            ["model/notes.txt", "model/pp_00/sdp_01.pt", "model/pp_00/tp_00/sdp_0.pt", "model/pp_00/tp_00/sdp_00.pt.part", "model/pp_x"],
            found.Unrecognized);
        Assert.Empty(found.Missing);
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("model/tp_00/sdp_00.pt")]
    [InlineData("model/pp_00/sdp_00.pt")]
    [InlineData("model/pp_00/tp_00/sdp_00.txt")]
    [InlineData("model/pp_123456/tp_00/sdp_00.pt")]
    [InlineData("optimizer/pp_00/tp_00/sdp_00.pt")]
    public void Is_not_what_lacks_a_part_of_the_path(string file)
    {
        using var folder = new LayoutFolder(file);

        Assert.False(folder.IsFound(_layout));
    }

    [Theory]
    [InlineData("0 0 0: model/tp_00.pt", "0 1 0: model/tp_01.pt", "0 2 0: model/tp_02.pt")]
    [InlineData("0 0 0: model/sdp_00.pt", "0 0 1: model/sdp_01.pt")]
    [InlineData("0 0 0: model/tp_00/sdp_00.pt", "0 0 1: model/tp_00/sdp_01.pt", "0 1 0: model/tp_01/sdp_00.pt", "0 1 1: model/tp_01/sdp_01.pt")]
    public void What_does_not_divide_the_model_has_no_name_in_shorter_paths(params string[] shards)
    {
        using var folder = new LayoutFolder([.. shards.Select(shard => shard.Split(": ")[1])]);

        var found = folder.Find(Assert.Single(NativeShardLayout.Shorter, folder.IsFound));

        Assert.Equal(shards, found.Shards);
        Assert.Empty(found.Missing);
        Assert.Empty(found.Unrecognized);
        Assert.False(folder.IsFound(_layout));
        Assert.Equal(shards, folder.Find(Assert.Single(NativeShardLayout.Shorter, folder.IsFound), "model").Shards);
    }

    [Theory]
    [InlineData("model/tp_01.pt", "model/tp_00.pt")]
    [InlineData("model/tp_00.pt", "model/tp_01.pt")]
    [InlineData("model/sdp_00.pt", "model/sdp_01.pt")]
    [InlineData("model/tp_00/sdp_01.pt", "model/tp_00/sdp_00.pt", "model/tp_01/sdp_00.pt", "model/tp_01/sdp_01.pt")]
    public void A_rank_that_has_a_name_in_them_is_one_of_several(string file, params string[] missing)
    {
        using var folder = new LayoutFolder(file);

        Assert.Equal(missing, folder.Find(Assert.Single(NativeShardLayout.Shorter, folder.IsFound)).Missing);
    }

    [Theory]
    [InlineData("model/pp_00/sdp_00.pt")]
    [InlineData("model/pp_00.pt")]
    [InlineData("model/sdp_00/tp_00.pt")]
    [InlineData("model/tp_0.pt")]
    [InlineData("model/tp_00.pt/sdp_00.pt")]
    [InlineData("optimizer/tp_00.pt")]
    public void What_fairseq2_never_wrote_is_not_among_them(string file)
    {
        using var folder = new LayoutFolder(file);

        Assert.DoesNotContain(NativeShardLayout.Shorter, folder.IsFound);
    }
}
