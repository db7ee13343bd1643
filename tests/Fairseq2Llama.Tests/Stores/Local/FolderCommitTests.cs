using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

/// <summary>An export of two files that replaces one of three.</summary>
public sealed class FolderCommitTests : IDisposable
{
    private static readonly CommitStep[] Steps =
    [
        new(CommitAction.Remove, "params.json"),
        new(CommitAction.Remove, "consolidated.00.pth"),
        new(CommitAction.Remove, "consolidated.01.pth"),
        new(CommitAction.Place, "consolidated.00.pth"),
        new(CommitAction.Place, "params.json"),
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Puts_the_new_in_place_of_the_old(bool flush)
    {
        Prepare();

        new FolderCommit(Staging, _folder.Path).Run(new CommitJournal([.. Steps]), flush, isOfJob: false);

        AssertIsNew();
    }

    [Fact]
    public void Puts_everything_back_where_the_last_move_fails()
    {
        Prepare();
        Directory.CreateDirectory(_folder["consolidated.02.pth"]);

        Assert.ThrowsAny<IOException>(() => new FolderCommit(Staging, _folder.Path).Run(
            new CommitJournal([.. Steps, new(CommitAction.Place, "consolidated.02.pth")]), flush: false, isOfJob: false));

        Assert.Equal("old 0, old 1, old", Content);
        Assert.False(CommitJournal.IsIn(Staging));
    }

    [Fact]
    public void Refuses_to_replace_what_it_does_not_know_of()
    {
        Prepare();

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists,
            () => new FolderCommit(Staging, _folder.Path).Run(new CommitJournal([.. Steps.Where(step => step.Action == CommitAction.Place)]), flush: false, isOfJob: false),
            "consolidated.00.pth", "another export");

        Assert.Equal("old 0, old 1, old", Content);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Is_finished_by_the_next_one_wherever_it_was_killed(int moves)
    {
        Prepare();
        new CommitJournal([.. Steps]).Write(Staging, flush: false);
        Directory.CreateDirectory(Path.Combine(Staging, "replaced"));

        foreach (var (action, name) in Steps.Take(moves))
        {
            if (action == CommitAction.Remove)
            {
                File.Move(_folder[name], Path.Combine(Staging, "replaced", name));
            }
            else
            {
                File.Move(Path.Combine(Staging, "new", name), _folder[name]);
            }
        }

        Assert.Equal(moves is 0 or 5, File.Exists(_folder["params.json"]));
        Assert.True(ExportLeftovers.CleanUp(_folder.Path, []));
        Assert.False(ExportLeftovers.AreAt(_folder.Path, []));
        AssertIsNew();
    }

    /// <summary>There, the old file of a name and the new one are one place, whatever their case.</summary>
    [WindowsFact]
    public void The_new_file_stays_where_the_old_one_was_written_in_another_case()
    {
        var staging = Directory.CreateDirectory(Staging).FullName;
        new CommitJournal([new(CommitAction.Remove, "Params.json"), new(CommitAction.Place, "params.json")]).Write(staging, flush: false);
        File.WriteAllText(_folder["params.json"], "new");

        Assert.True(ExportLeftovers.CleanUp(_folder.Path, []));

        Assert.Equal("new", File.ReadAllText(_folder["params.json"]));
    }

    [Fact]
    public void Is_not_finished_where_files_are_missing_by_now()
    {
        Prepare();
        new CommitJournal([.. Steps]).Write(Staging, flush: false);
        File.Delete(Path.Combine(Staging, "new", "params.json"));
        File.Delete(_folder["params.json"]);

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => ExportLeftovers.CleanUp(_folder.Path, []), "params.json", Staging);

        Assert.Equal("new", File.ReadAllText(Path.Combine(Staging, "new", "consolidated.00.pth")));
        Assert.Equal("old 0", File.ReadAllText(_folder["consolidated.00.pth"]));
    }

    [Theory]
    [InlineData("fairseq2llama commit journal 1\nremove ../precious\n")]
    [InlineData("fairseq2llama commit journal 1\nremove precious\n")]
    [InlineData("fairseq2llama commit journal 1\nplace notes.txt\n")]
    [InlineData("fairseq2llama commit journal 1\nburn params.json\n")]
    [InlineData("fairseq2llama commit journal 1\nremove\n")]
    [InlineData("fairseq2llama commit journal 1\nremove params.json")]
    [InlineData("fairseq2llama commit journal 2\nremove params.json\n")]
    [InlineData("-params.json\n")]
    [InlineData("")]
    public void Carries_out_no_journal_of_another_version_or_that_names_other_files_than_exports_have(string journal)
    {
        Prepare();
        File.WriteAllText(_folder["precious"], "");
        File.WriteAllText(Path.Combine(Staging, "commit"), journal);

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => ExportLeftovers.CleanUp(_folder.Path, []), "can't be interpreted");

        Assert.True(File.Exists(_folder["precious"]));
        Assert.Equal("old 0, old 1, old", Content);
    }

    /// <summary>Other jobs may have replaced files of the earlier export by then.</summary>
    [Fact]
    public void A_job_that_fails_does_not_bring_back_what_made_the_earlier_export_complete()
    {
        Prepare();
        Directory.CreateDirectory(_folder["consolidated.02.pth"]);

        Assert.ThrowsAny<IOException>(() => new FolderCommit(Staging, _folder.Path).Run(
            new CommitJournal(
            [
                new(CommitAction.Remove, "params.json"),
                new(CommitAction.Remove, "consolidated.00.pth"),
                new(CommitAction.Place, "consolidated.00.pth"),
                new(CommitAction.Place, "consolidated.02.pth"),
            ]),
            flush: false,
            isOfJob: true));

        Assert.False(File.Exists(_folder["params.json"]));
        Assert.Equal("old 0", File.ReadAllText(_folder["consolidated.00.pth"]));
    }

    private string Staging => _folder[".fairseq2llama"];

    private string Content => string.Join(", ", Directory.EnumerateFiles(_folder.Path).Where(file => Path.GetFileName(file) != "precious").Order().Select(File.ReadAllText));

    private void Prepare()
    {
        File.WriteAllText(_folder["consolidated.00.pth"], "old 0");
        File.WriteAllText(_folder["consolidated.01.pth"], "old 1");
        File.WriteAllText(_folder["params.json"], "old");
        Directory.CreateDirectory(Path.Combine(Staging, "new"));
        File.WriteAllText(Path.Combine(Staging, "new", "consolidated.00.pth"), "new");
        File.WriteAllText(Path.Combine(Staging, "new", "params.json"), "new");
    }

    private void AssertIsNew()
    {
        Assert.Equal("new, new", Content);
        Assert.False(File.Exists(_folder["consolidated.01.pth"]));
    }
}
