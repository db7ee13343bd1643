using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>Steps that fairseq2 0.8 saves under their final names, at every moment of that.</summary>
public sealed class StepFilesTests
{
    /// <summary>What each rank saves, in its order, where there are tp x sdp x rdp ranks: fairseq2's checkpoint/manager.py.</summary>
    private static string[][] Save(int tp, int sdp, int rdp) =>
    [
        .. from rank in Enumerable.Range(0, tp * sdp * rdp)
           let tpRank = rank % tp
           let dpRank = rank / tp
           let sdpRank = dpRank % sdp
           select (string[])
           [
               $"trainer/rank_{rank:00}.pt",
               .. dpRank / sdp == 0 ? [$"model/pp_00/tp_{tpRank:00}/sdp_{sdpRank:00}.pt", $"optimizer/pp_00/tp_{tpRank:00}/sdp_{sdpRank:00}.pt"] : Array.Empty<string>(),
               .. tpRank == 0 ? [$"data_reader/dp_{dpRank:00}.pt"] : Array.Empty<string>(),
           ],
    ];

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 1, 4)]
    [InlineData(1, 4, 1)]
    [InlineData(1, 4, 2)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 1, 3)]
    [InlineData(4, 2, 3)]
    [InlineData(1, 16, 8)]
    public void A_step_that_is_saved_has_no_gap_whichever_folders_are_removed_from_it(int tp, int sdp, int rdp)
    {
        var files = Save(tp, sdp, rdp).SelectMany(files => files).ToArray();
        string[] others = ["trainer", "optimizer", "data_reader"];

        for (var removed = 0; removed < 1 << others.Length; removed++)
        {
            var gone = others.Where((_, index) => (removed >> index & 1) != 0).ToArray();

            Assert.Null(StepFiles.FindGap(Store(files.Where(file => !gone.Contains(file.Split('/')[0])))));
        }
    }

    /// <summary>Ranks are not equally fast. Where all files of the model are there, it is whole, whatever else is still being saved.</summary>
    [Theory]
    [InlineData(1, 4, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(4, 1, 1)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 4, 2)]
    public void While_files_of_the_model_are_missing_a_step_has_a_gap(int tp, int sdp, int rdp)
    {
        var ranks = Save(tp, sdp, rdp);
        var random = new Random(7);
        var seen = 0;

        while (seen < 60)
        {
            // The first file of each rank is small, and they all begin at once.
            string[] saved = [.. ranks.SelectMany(files => files[..random.Next(1, files.Length + 1)])];
            var model = saved.Count(file => file.StartsWith("model/", StringComparison.Ordinal));

            // Ranks of replicas have no file of the model, and half of the ranks could be all of them.
            if (model == 0 || model == tp * sdp || (tp * sdp * rdp % model == 0 && !saved.Any(file => file.StartsWith("data_reader/", StringComparison.Ordinal))))
            {
                continue;
            }

            Assert.NotNull(StepFiles.FindGap(Store(saved)));
            seen++;
        }
    }

    [Theory]
    [InlineData("'model/pp_00/tp_00/sdp_00.pt' is missing", "model/pp_00/tp_00/sdp_01.pt")]
    [InlineData("'model/pp_00/tp_00/sdp_01.pt' is missing", "model/pp_00/tp_00/sdp_00.pt", "optimizer/pp_00/tp_00/sdp_00.pt", "optimizer/pp_00/tp_00/sdp_01.pt")]
    [InlineData("'optimizer/pp_00/tp_00/sdp_01.pt' is missing", "model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_01.pt", "optimizer/pp_00/tp_00/sdp_00.pt")]
    [InlineData("'trainer/rank_01.pt' is missing", "model/pp_00/tp_00/sdp_00.pt", "trainer/rank_00.pt", "trainer/rank_02.pt")]
    [InlineData("'data_reader/dp_00.pt' is missing", "model/pp_00/tp_00/sdp_00.pt", "data_reader/dp_99999.pt")]
    [InlineData("ranks that saved 'trainer': 3, files of the model: 2",
        "model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_01.pt", "trainer/rank_00.pt", "trainer/rank_01.pt", "trainer/rank_02.pt")]
    [InlineData("ranks that saved 'trainer': 2, 'data_reader': 1 of 2",
        "model/pp_00/tp_00/sdp_00.pt", "trainer/rank_00.pt", "trainer/rank_01.pt", "data_reader/dp_00.pt")]
    [InlineData("ranks that saved 'data_reader': 1, ranks of sharded data parallelism: 2",
        "model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_01.pt", "data_reader/dp_00.pt")]
    public void A_gap_is_described(string expected, params string[] files)
    {
        using var folder = new LayoutFolder(files);

        Assert.Equal(expected, StepFiles.FindGap(new LocalFolder(folder.PathOf(""))));
    }

    /// <summary>These were only ever written to file systems that can rename; what they lack has been lost.</summary>
    [Theory]
    [InlineData("model.1.pt")]
    [InlineData("model/tp_01.pt")]
    [InlineData("model.pt/shard.01.pt")]
    public void Steps_of_other_layouts_are_taken_as_they_are(string file)
    {
        using var folder = new LayoutFolder(file, "trainer/rank_07.pt");

        Assert.Null(StepFiles.FindGap(new LocalFolder(folder.PathOf(""))));
    }

    /// <summary>In memory, where many folders of many files are no trouble.</summary>
    private static ICheckpointFolder Store(IEnumerable<string> files)
    {
        var store = new ObjectStore();

        foreach (var file in files)
        {
            store.Put(file, []);
        }

        return store.Folder;
    }
}
