using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

/// <summary>Where exports are prepared, and that those to one destination keep out of each other's way.</summary>
public sealed class StagingFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Is_beside_a_new_destination_which_comes_with_one_rename()
    {
        var plan = Plan("deep/out");

        using (var staging = Begin(plan))
        {
            Assert.Equal(_folder["deep/.fairseq2llama-out"], staging.Path);
            Write(plan, staging);
            Assert.False(Directory.Exists(_folder["deep/out"]));
            staging.Commit();
            Assert.Equal(["deep/out/consolidated.00.pth", "deep/out/params.json"], Files("deep/out"));
        }

        Assert.Equal(["deep", "deep/out", "deep/out/consolidated.00.pth", "deep/out/params.json"], _folder.Content);
    }

    [Fact]
    public void Is_inside_a_destination_that_is_there()
    {
        Directory.CreateDirectory(_folder["out"]);
        var plan = Plan("out");

        using (var staging = Begin(plan))
        {
            Assert.Equal(_folder["out/.fairseq2llama"], staging.Path);
            Write(plan, staging);
            staging.Commit();
        }

        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], _folder.Content);
    }

    [Theory]
    [InlineData("out/.fairseq2llama.00", 0)]
    [InlineData("out/.fairseq2llama.00,01", 1, 0, 1)]
    public void Is_a_job_s_own_inside_the_destination_that_it_shares(string path, params int[] ranks)
    {
        using var staging = Begin(Plan("out", ranks: ranks));

        Assert.Equal(_folder[path], staging.Path);
    }

    [Fact]
    public void Has_a_name_even_where_the_destination_s_is_as_long_as_can_be()
    {
        Assert.InRange(Path.GetFileName(StagingPath.Beside("/" + new string('ж', 127))).Length, 20, 127);
        Assert.InRange(StagingPath.NameFor([.. Enumerable.Range(0, 5000)]).Length, 20, 127);
        Assert.NotEqual(StagingPath.NameFor([.. Enumerable.Range(0, 5000)]), StagingPath.NameFor([.. Enumerable.Range(1, 5000)]));
    }

    [Fact]
    public void Takes_everything_away_that_did_not_become_the_result()
    {
        using (Begin(Plan("deep/er/out")))
        {
        }

        using (Begin(Plan("deep/out", ranks: 1)))
        {
        }

        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Keeps_all_others_out(bool isThere, bool isPartial)
    {
        if (isThere)
        {
            Directory.CreateDirectory(_folder["out"]);
        }

        var first = isPartial ? Plan("out", ranks: 1) : Plan("out");
        using var staging = Begin(first);
        Write(first, staging);

        // With shards of its own only the export of another shard may come in.
        RequireRefused(() => Begin(Plan("out", force: true)));
        RequireRefused(() => Begin(isPartial ? Plan("out", ranks: 1) : Plan("out", ranks: 0)));
        staging.Commit();
    }

    [Fact]
    public void Lets_jobs_with_other_shards_in()
    {
        using var first = Begin(Plan("out", ranks: 0));
        using var second = Begin(Plan("out", ranks: 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Notices_before_it_copies_that_another_export_has_been_here_since_it_was_planned(bool force)
    {
        var plan = Plan("out", force);
        var partial = Plan("out", force, 0);
        Plan("out").Execute();

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Begin(plan), "consolidated.00.pth", "in the meantime");
        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Begin(partial), "consolidated.00.pth", "in the meantime");
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], _folder.Content);
    }

    [Fact]
    public void Goes_inside_a_destination_that_somebody_has_made_meanwhile()
    {
        var plan = Plan("out");
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/notes.txt"], "stays");

        plan.Execute();

        Assert.Equal(["out", "out/consolidated.00.pth", "out/notes.txt", "out/params.json"], _folder.Content);
    }

    [Fact]
    public void Notices_in_the_end_that_somebody_has_made_the_destination()
    {
        var plan = Plan("out");

        using (var staging = Begin(plan))
        {
            Write(plan, staging);
            Directory.CreateDirectory(_folder["out/mine"]);
            ErrorAssert.Throws(CheckpointErrorCode.OutputExists, staging.Commit, "in the meantime");
        }

        Assert.Equal(["out", "out/mine"], _folder.Content);
    }

    [Fact]
    public void Notices_in_the_end_that_it_was_removed_and_leaves_alone_what_is_there_instead()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "open files keep their folder there");

        var plan = Plan("out");
        using var stale = Begin(plan);
        Directory.Delete(stale.Path, recursive: true);
        using var current = Begin(plan);
        Write(plan, current);

        Assert.Throws<IOException>(stale.Commit);
        stale.Dispose();

        current.Commit();
        Assert.Equal(["out/consolidated.00.pth", "out/params.json"], Files("out"));
    }

    [Fact]
    public void An_export_of_all_cleans_up_after_killed_jobs_and_a_job_after_a_killed_export_of_all()
    {
        Directory.CreateDirectory(_folder["out/.fairseq2llama.07/new"]);
        Directory.CreateDirectory(_folder[".fairseq2llama-out/new"]);

        using (Begin(Plan("out")))
        {
            Assert.Equal(["out", "out/.fairseq2llama", "out/.fairseq2llama/lock", "out/.fairseq2llama/new"], _folder.Content);
        }

        Directory.CreateDirectory(_folder["out/.fairseq2llama/new"]);
        Directory.CreateDirectory(_folder["out/.fairseq2llama.07/new"]);

        using (Begin(Plan("out", ranks: 0)))
        {
            Assert.False(Directory.Exists(_folder["out/.fairseq2llama"]));

            // On a file system without locks it could be at work.
            Assert.True(Directory.Exists(_folder["out/.fairseq2llama.07/new"]));
        }
    }

    private static StagingFolder Begin(ConversionPlan plan) => (StagingFolder)plan.Destination.Begin(plan.Change);

    private static void RequireRefused(Action work) => ErrorAssert.Throws(CheckpointErrorCode.OutputExists, work, "Another export is writing to", "Wait");

    private static void Write(ConversionPlan plan, StagingFolder staging)
    {
        foreach (var file in plan.Files)
        {
            File.WriteAllText(staging.PathOf(file.Name), "new");
        }
    }

    private ConversionPlan Plan(string destination, bool force = false, params int[] ranks) => CheckpointExport.Plan(
        Fairseq2Checkpoint.Read(Repository.Case(ranks.Length == 0 ? "fs2" : "tp2-llama3")),
        _folder[destination],
        new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = ranks.Length == 0 ? 1 : 2, ShardIndex = [.. ranks], Force = force });

    private IEnumerable<string> Files(string folder) => _folder.Content.Where(entry => entry.StartsWith(folder + "/", StringComparison.Ordinal));
}
