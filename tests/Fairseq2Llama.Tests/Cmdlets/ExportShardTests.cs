using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>-ShardCount, and -ShardIndex as one of several jobs uses it.</summary>
[External]
public sealed class ExportShardTests : IDisposable
{
    private const string Export = "$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small -ShardCount 4";

    private static readonly string[] AllFiles =
        ["consolidated.00.pth", "consolidated.01.pth", "consolidated.02.pth", "consolidated.03.pth", "params.json"];

    private readonly ShardedModels _models;
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ExportShardTests(ShardedModels models)
    {
        _models = models;
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

    /// <summary>Jobs share the folder, and somebody else may have put something there.</summary>
    [Fact]
    public void A_pipe_in_the_place_of_the_shared_file_is_an_error_and_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs mkfifo");
        _session.Run($"$null = {Export} -ShardIndex 0");
        File.Delete(_folder["out/params.json"]);
        using (var process = System.Diagnostics.Process.Start("mkfifo", [_folder["out/params.json"]]))
        {
            process.WaitForExit();
        }

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"{Export} -ShardIndex 1", "params.json");
    }

    [Fact]
    public void Shards_of_another_division_are_not_taken_for_its_siblings()
    {
        const string ByTwo = "$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $small -ShardCount 2 -ShardIndex 0";

        _session.Run(Export + " -ShardIndex 1");

        _session.RunForError(CheckpointErrorCode.OutputExists, ByTwo, "consolidated.01.pth", "-Force");
        Assert.Equal(["out", "out/consolidated.01.pth", "out/params.json"], _folder.Content);

        var outcome = _session.RunOn(ByTwo + " -Force");
        Assert.Single(outcome.Output);
        Assert.Contains("consolidated.01.pth' belongs to another export", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
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

    [Theory]
    [InlineData("0", "1", "2", "3")]
    [InlineData("3", "1", "2", "0")]
    [InlineData("2, 0", "3, 1, 1")]
    public void Each_part_by_itself_makes_the_same_folder_as_all_at_once(params string[] jobs)
    {
        _session.Run(Export.Replace("out", "whole", StringComparison.Ordinal));

        foreach (var job in jobs)
        {
            var result = _session.RunOne<LlamaReferenceCheckpoint>($"{Export} -ShardIndex {job}");

            Assert.Equal(4, result.ShardCount);
            Assert.Equal(
                [.. job.Split(',').Select(int.Parse).Distinct().Order().Select(index => AllFiles[index]), "params.json"],
                result.Files.Select(Path.GetFileName));
        }

        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder["out"]));
        Assert.Equal(AllFiles, Names("out"));
    }

    [Fact]
    public void Does_not_write_a_part_again_unless_forced()
    {
        _session.Run($"{Export} -ShardIndex 0");
        _session.Run($"{Export} -ShardIndex 1");
        var before = CheckpointFolder.Snapshot(_folder.Path);

        var error = _session.RunForError(CheckpointErrorCode.OutputExists, $"{Export} -ShardIndex 1", "consolidated.01.pth", "-Force");
        Assert.DoesNotContain("params.json", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("consolidated.00.pth", error.ToString(), StringComparison.Ordinal);

        _session.Run($"{Export} -ShardIndex 1 -Force");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
        Assert.Equal(["consolidated.00.pth", "consolidated.01.pth", "params.json"], Names("out"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Several_jobs_write_their_parts_at_the_same_moment(bool force)
    {
        _session.Run(Export.Replace("out", "whole", StringComparison.Ordinal));
        var whole = CheckpointFolder.Snapshot(_folder["whole"]);
        var checkpoint = Fairseq2Checkpoint.Read(_models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven"));

        for (var round = 0; round < 10; round++)
        {
            RunAtOnce(4, index => Plan(checkpoint, "together", index, force).Execute());

            Assert.Equal(whole, CheckpointFolder.Snapshot(_folder["together"]));
            Assert.Equal(AllFiles, Names("together"));

            if (!force)
            {
                Directory.Delete(_folder["together"], recursive: true);
            }
        }
    }

    [Fact]
    public void Several_jobs_that_have_planned_before_any_has_written_make_the_same_folder()
    {
        _session.Run(Export.Replace("out", "whole", StringComparison.Ordinal));
        var checkpoint = Fairseq2Checkpoint.Read(_models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven"));

        for (var round = 0; round < 10; round++)
        {
            var plans = Enumerable.Range(0, 4).Select(index => Plan(checkpoint, $"deep/{round}", index, force: false)).ToArray();

            RunAtOnce(4, index => plans[index].Execute());

            Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder[$"deep/{round}"]));
            Assert.Equal(AllFiles, Names($"deep/{round}"));
        }
    }

    [Fact]
    public void Several_jobs_replace_an_export_of_another_architecture_and_its_stale_shards()
    {
        _session.Run(Export.Replace("out", "whole", StringComparison.Ordinal));
        var checkpoint = Fairseq2Checkpoint.Read(_models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven"));

        for (var round = 0; round < 10; round++)
        {
            var folder = _folder[$"replaced{round}"];
            Directory.CreateDirectory(folder);

            foreach (var name in new[] { "params.json", "consolidated.01.pth", "consolidated.04.pth", "consolidated.07.pth" })
            {
                File.WriteAllText(Path.Combine(folder, name), "of an earlier export");
            }

            RunAtOnce(4, index => Plan(checkpoint, $"replaced{round}", index, force: true).Execute());

            Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(folder));
            Assert.Equal(AllFiles, Names($"replaced{round}"));
        }
    }

    [Theory]
    [InlineData("-ShardIndex 1 -ParamsLayout Flat")]
    [InlineData("-ShardIndex 1 -Architecture (New-LlamaArchitecture other -BasedOn $small -RopeTheta 500000)")]
    public void Does_not_mix_parts_of_different_exports(string arguments)
    {
        _session.Run($"{Export} -ShardIndex 0");
        var before = CheckpointFolder.Snapshot(_folder.Path);
        var export = arguments.Contains("-Architecture", StringComparison.Ordinal) ? Export.Replace(" -Architecture $small", "", StringComparison.Ordinal) : Export;

        var error = _session.RunForError(CheckpointErrorCode.OutputExists, $"{export} {arguments}", "params.json", "-Force");

        Assert.DoesNotContain("consolidated", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    [Fact]
    public void Does_not_let_a_job_of_another_architecture_through_that_had_planned_before()
    {
        var checkpoint = Fairseq2Checkpoint.Read(_models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven"));
        var first = Plan(checkpoint, "out", 0, force: false);
        var other = Plan(checkpoint, "out", 1, force: false, ShardedModels.Architecture with { RopeTheta = 500_000 });
        first.Execute();
        var before = CheckpointFolder.Snapshot(_folder.Path);

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => other.Execute(), "params.json", "Another export");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
        Assert.Equal(["consolidated.00.pth", "params.json"], Names("out"));
    }

    [Fact]
    public void Refuses_shards_beyond_the_count_and_removes_them_when_forced()
    {
        _session.Run(Export);

        var halves = Export.Replace("-ShardCount 4", "-ShardCount 2", StringComparison.Ordinal);
        var error = _session.RunForError(
            CheckpointErrorCode.OutputExists, $"{halves} -ShardIndex 1", "consolidated.01.pth", "consolidated.02.pth", "consolidated.03.pth");
        Assert.DoesNotContain("consolidated.00.pth", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(AllFiles, Names("out"));

        _session.Run($"{halves} -ShardIndex 1 -Force");
        _session.Run($"{halves} -ShardIndex 0 -Force");
        _session.Run(halves.Replace("out", "whole", StringComparison.Ordinal));

        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder["out"]));
        Assert.Equal(["consolidated.00.pth", "consolidated.01.pth", "params.json"], Names("out"));
    }

    [Fact]
    public void Does_not_warn_of_other_jobs_that_are_at_work()
    {
        _session.Run($"{Export} -ShardIndex 3");
        Directory.CreateDirectory(_folder["out/.fairseq2llama.02"]);

        var outcome = _session.RunOn($"{Export} -ShardIndex 1");

        Assert.Empty(outcome.Errors);
        Assert.Empty(outcome.Warnings);
    }

    [Fact]
    public void Tells_for_WhatIf_only_of_the_parts_that_it_would_write()
    {
        Assert.Empty(_session.Run($"{Export} -ShardIndex 2 -WhatIf"));

        var lines = _session.Host.TakeLines();
        Assert.Equal(3, lines.Count);
        Assert.StartsWith("  consolidated.02.pth: 30 tensors, ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("  params.json: ", lines[2], StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    private static void RunAtOnce(int count, Action<int> work)
    {
        using var start = new Barrier(count);
        var errors = new Exception?[count];

        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(index => new Thread(() =>
            {
                start.SignalAndWait();
                errors[index] = Record.Exception(() => work(index));
            })),
        ];

        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(errors, Assert.Null);
    }

    private ConversionPlan Plan(Fairseq2Checkpoint checkpoint, string folder, int index, bool force, LlamaArchitecture? architecture = null) =>
        CheckpointExport.Plan(
            checkpoint,
            _folder[folder],
            new ReferenceExportOptions { Architecture = architecture ?? ShardedModels.Architecture, ShardCount = 4, ShardIndex = [index], Force = force });

    /// <summary>Everything in a folder, hidden or not.</summary>
    private IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(_folder[folder]).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal);
}
