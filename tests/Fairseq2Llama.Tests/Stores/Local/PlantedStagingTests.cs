using System.Diagnostics;
using Fairseq2Llama.Native;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

/// <summary>
/// Where others may write, too, they know what the staging folder of the next export will be called, and make one first: to have their files put
/// into the destination, to get at files of the user who exports, or to have files made elsewhere.
/// </summary>
public sealed class PlantedStagingTests : IDisposable
{
    private const string Nobody = "65534";
    private const string ForeignFile = "planted";

    private readonly TempFolder _folder = new();

    public PlantedStagingTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "who may write into a folder is inherited there");

        Directory.CreateDirectory(_folder["private"]);
        File.WriteAllText(_folder["private/params.json"], "private");
        File.WriteAllText(_folder["private/letter.txt"], "private");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("shared/.fairseq2llama-out", false)]
    [InlineData("shared/.fairseq2llama-out", true)]
    [InlineData("shared/out/.fairseq2llama", true)]
    public void Is_refused_when_it_is_another_user_s(string staging, bool isThere)
    {
        if (isThere)
        {
            MakeEarlierExport();
        }

        Plant(staging);
        Give(staging);
        var before = CheckpointFolder.Snapshot(_folder.Path);

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, Export, _folder[staging], "another user");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    [Fact]
    public void Is_refused_by_the_clean_up_before_an_export_too()
    {
        MakeEarlierExport();
        Plant("shared/out/.fairseq2llama");
        Give("shared/out/.fairseq2llama");

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => ExportLeftovers.CleanUp(_folder["shared/out"], []), "another user");

        Assert.Equal("old", File.ReadAllText(_folder["shared/out/params.json"]));
    }

    /// <summary>The folder is this user's, because it was left behind with rights for all, and somebody else has put a journal into it.</summary>
    [Fact]
    public void Has_no_journal_of_another_user_carried_out()
    {
        MakeEarlierExport();
        Plant("shared/out/.fairseq2llama");
        Give("shared/out/.fairseq2llama/commit");

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, Export, "commit", "not a file of this user");

        Assert.Equal("old", File.ReadAllText(_folder["shared/out/params.json"]));
    }

    /// <summary>No export needs one there.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Has_no_journal_carried_out_beside_a_destination(bool isThere)
    {
        if (isThere)
        {
            MakeEarlierExport();
        }

        Plant("shared/.fairseq2llama-out");

        Export();

        Assert.Equal(["shared/out/consolidated.00.pth", "shared/out/params.json"], Files("shared/"));
        Assert.DoesNotContain(ForeignFile, File.ReadAllText(_folder["shared/out/params.json"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lock", "private/made")]
    [InlineData("lock", "private/params.json")]
    [InlineData("commit", "private/params.json")]
    [InlineData("new", "private")]
    [InlineData("replaced", "private")]
    [InlineData("", "private")]
    public void Has_no_link_followed(string name, string target)
    {
        MakeEarlierExport();
        CheckpointFolder.AddNotes(_folder["shared/out"]);
        var link = _folder[Path.Combine("shared/out/.fairseq2llama", name).TrimEnd('/')];
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        SymbolicLink.ToFile(link, _folder[target]);

        // What can be taken away is, and what can't is refused.
        var error = Record.Exception(Export);

        Assert.True(error is null or CheckpointException { Code: CheckpointErrorCode.WriteFailed }, error?.ToString());
        Assert.Equal(["private/letter.txt", "private/params.json"], Files("private/"));
        Assert.Equal("private", File.ReadAllText(_folder["private/params.json"]));

        if (error is not null)
        {
            Assert.Contains(link, error.Message, StringComparison.Ordinal);
            Assert.Equal("old", File.ReadAllText(_folder["shared/out/params.json"]));
        }
    }

    [Fact]
    public void Lets_nobody_else_look_into_what_is_being_written()
    {
        var plan = Plan();
        using var staging = plan.Destination.Begin(plan.Change);

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, FileStatus.Find(staging.Scratch.Path, followLink: false)!.Value.Permissions);
    }

    /// <summary>Not only the one who plants is another user, but also the one who exports is not root.</summary>
    [External]
    [Fact]
    public void Is_refused_by_an_ordinary_user()
    {
        RequireRoot();
        MakeEarlierExport();
        Plant("shared/.fairseq2llama-out");
        _folder.OpenToAll();
        Run("chmod", "1777", _folder["shared"]);
        Run("chown", "-R", Nobody, _folder["shared/out"]);
        var before = CheckpointFolder.Snapshot(_folder.Path);

        using var home = new TempFolder();
        Run("chown", Nobody, home.Path);
        home.OpenToAll();
        using var powerShell = Mount.Of(Path.GetDirectoryName(Repository.PowerShell)!, home["powershell"]);
        using var process = ScriptProcess.StartAs(
            powerShell["pwsh.dll"],
            """
            param($Module, $Checkpoint, $Folder)
            Import-Module $Module
            $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
            $null = Read-Fairseq2Checkpoint $Checkpoint | Export-LlamaReferenceCheckpoint $Folder -Architecture $tiny -Force -ErrorVariable failure -ErrorAction SilentlyContinue
            if ($failure) { $failure[0].FullyQualifiedErrorId.Split(',')[0] } else { 'ok' }
            """,
            [Repository.StagedModule, CheckpointFolder.Copy("fs2", _folder["input"]), _folder["shared/out"]],
            "setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups", "env", $"HOME={home.Path}");

        Assert.Equal(["WriteFailed"], process.WaitForSuccess());
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path).Where(file => !file.Key.StartsWith("input", StringComparison.Ordinal)).ToDictionary());
    }

    private static void RequireRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give files to another user");

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private void MakeEarlierExport()
    {
        Directory.CreateDirectory(_folder["shared/out"]);
        File.WriteAllText(_folder["shared/out/consolidated.00.pth"], "old");
        File.WriteAllText(_folder["shared/out/params.json"], "old");
    }

    /// <summary>What an export would leave that is killed while it puts its files in place.</summary>
    private void Plant(string staging)
    {
        Directory.CreateDirectory(_folder[$"{staging}/new"]);
        File.WriteAllText(_folder[$"{staging}/new/params.json"], ForeignFile);
        File.WriteAllText(_folder[$"{staging}/new/consolidated.00.pth"], ForeignFile);
        File.WriteAllText(_folder[$"{staging}/commit"], "fairseq2llama commit journal 1\nremove params.json\nremove consolidated.00.pth\nplace consolidated.00.pth\nplace params.json\n");
    }

    private void Give(string path)
    {
        RequireRoot();
        Run("chown", "-R", Nobody, _folder[path]);
    }

    private void Export() => Plan().Execute();

    private ConversionPlan Plan() => CheckpointExport.Plan(
        Fairseq2Checkpoint.Read(Repository.Case("fs2")),
        _folder["shared/out"],
        new ReferenceExportOptions { Architecture = TinyModel.Architecture, Force = true });

    private IEnumerable<string> Files(string folder) =>
        _folder.Content.Where(entry => entry.StartsWith(folder, StringComparison.Ordinal) && File.Exists(_folder[entry]));
}
