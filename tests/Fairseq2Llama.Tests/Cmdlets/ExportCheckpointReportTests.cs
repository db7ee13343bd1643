using System.Management.Automation;
using System.Text;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Where a report goes, and what it finds there.</summary>
public sealed class ExportCheckpointReportTests : ExportTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("report.html", "<!DOCTYPE html>")]
    [InlineData("report.HTM", "<!DOCTYPE html>")]
    [InlineData("report.md", "# Checkpoint fs2")]
    [InlineData("report.markdown", "# Checkpoint fs2")]
    [InlineData("report.txt -Format Markdown", "# Checkpoint fs2")]
    [InlineData("report.md -Format Html", "<!DOCTYPE html>")]
    [InlineData("report -Format html", "<!DOCTYPE html>")]
    public void Writes_what_the_extension_or_the_format_says(string arguments, string begin)
    {
        var file = Session.RunOne<FileInfo>($"$fs2 | Export-CheckpointReport {arguments} -Architecture $tiny");

        Assert.Equal(Folder[arguments.Split(' ')[0]], file.FullName);
        var bytes = File.ReadAllBytes(file.FullName);
        Assert.StartsWith(begin, Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal((byte)begin[0], bytes[0]);
        Assert.DoesNotContain((byte)'\r', bytes);
        Assert.Equal([file.Name], Folder.Content);
    }

    /// <summary>There is one for each tensor, and one message for all of them.</summary>
    [Fact]
    public void Asks_for_a_summary_where_comparisons_of_tensors_are_piped()
    {
        var error = Session.RunForError("Compare-LlamaCheckpoint $fs2 $fs2 | Export-CheckpointReport report.html");

        Assert.Equal("AmbiguousParameterSet,Fairseq2Llama.Cmdlets.ExportCheckpointReportCommand", error.FullyQualifiedErrorId);
        Assert.Contains("-Summary", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(Folder.Content);
    }

    [Theory]
    [InlineData("report")]
    [InlineData("report.txt")]
    [InlineData("report.html.bak")]
    public void Asks_for_a_format_where_nothing_tells_it(string path)
    {
        var error = Session.RunForError(
            CheckpointErrorCode.ReportFormatRequired, $"$fs2 | Export-CheckpointReport {path}", Folder[path], ".html", ".md", "-Format");

        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Empty(Folder.Content);
    }

    [Theory]
    [InlineData("pipe.html")]
    [InlineData("link.html")]
    public void Does_not_replace_what_is_no_file(string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no pipes with a path of the file system");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [Folder["pipe.html"]]))
        {
            mkfifo.WaitForExit();
        }

        SymbolicLink.ToFile(Folder["link.html"], Folder["pipe.html"]);

        Session.RunForError(CheckpointErrorCode.OutputExists, $"$fs2 | Export-CheckpointReport {path} -Architecture $tiny -Force", Folder[path], "pipe");

        Assert.Equal(["link.html", "pipe.html"], Folder.Content.Order());
        Assert.Equal(0, new FileInfo(Folder["pipe.html"]).Length);
        Assert.NotNull(new FileInfo(Folder["link.html"]).LinkTarget);
    }

    [Fact]
    public void Follows_no_link_of_another_user()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a link to another user");
        File.WriteAllText(Folder["victim.html"], "private");
        SymbolicLink.ToFile(Folder["linked.html"], Folder["victim.html"]);
        using (var chown = System.Diagnostics.Process.Start("chown", ["--no-dereference", "65534", Folder["linked.html"]]))
        {
            chown.WaitForExit();
        }

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-CheckpointReport linked.html -Architecture $tiny -Force", "another user");

        Assert.Equal("private", File.ReadAllText(Folder["victim.html"]));
    }

    [Fact]
    public void Replaces_an_empty_file()
    {
        File.WriteAllText(Folder["report.md"], "");

        Assert.NotEqual(0, Session.RunOne<FileInfo>("$fs2 | Export-CheckpointReport report.md -Architecture $tiny -Force").Length);
    }

    [Theory]
    [InlineData("./deep/er/report.html", "deep/er/report.html")]
    [InlineData("'my [1] report*.html'", "my [1] report*.html")]
    [InlineData("'отчёт.html'", "отчёт.html")]
    [InlineData("../out/here.html", "here.html")]
    [InlineData("\"FileSystem::$PWD/report.html\"", "report.html")]
    public void Writes_where_the_destination_says_from_the_location_of_the_session(string argument, string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && path.Contains('*', StringComparison.Ordinal), "no such name can be there");

        var item = Assert.Single(Session.Run($"$fs2 | Export-CheckpointReport {argument} -Architecture $tiny"));

        Assert.Equal(Path.GetFullPath(Folder[path]), Path.GetFullPath(((FileInfo)item.BaseObject).FullName));
        Assert.True(File.Exists(Folder[path]));

        // As Get-Item gives it, so that it can be piped to commands that take -LiteralPath, and its size is shown.
        Assert.EndsWith(Path.GetFileName(path), (string)item.Properties["PSPath"].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_checkpoints_of_all_formats_and_asks_a_script_block_where_each_goes()
    {
        Session["data"] = Repository.Data("");
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint meta -Architecture $tiny");

        var files = Session.Run<FileInfo>(
            "& { Read-Fairseq2Checkpoint $cases/tp2-llama3; Read-LlamaHuggingFaceCheckpoint $data/huggingface/single; Read-LlamaReferenceCheckpoint meta }"
            + " | Export-CheckpointReport -DestinationPath { \"reports/$($_.Name).html\" } -Architecture $tiny");

        Assert.Equal(["tp2-llama3.html", "single.html", "meta.html"], files.Select(file => file.Name));
        Assert.Contains("pp 1 × tp 2 × sdp 1", File.ReadAllText(files[0].FullName), StringComparison.Ordinal);
        Assert.Contains("Hugging Face", File.ReadAllText(files[1].FullName), StringComparison.Ordinal);
        Assert.Contains("Meta's reference format", File.ReadAllText(files[2].FullName), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_to_write_two_checkpoints_into_one_file()
    {
        var outcome = Session.RunOn("Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-CheckpointReport one.html -Architecture $tiny -Force");

        ErrorAssert.Is(CheckpointErrorCode.OutputExists, Assert.Single(outcome.Errors), "just been written", "$_.Name");
        Assert.Contains("<h1>fs2</h1>", File.ReadAllText(Folder["one.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Replaces_a_file_only_when_forced()
    {
        File.WriteAllText(Folder["report.html"], "precious");

        var error = Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-CheckpointReport report.html", Folder["report.html"], "-Force");
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.Equal("precious", File.ReadAllText(Folder["report.html"]));

        Session.Run("$fs2 | Export-CheckpointReport report.html -Architecture $tiny -Force");
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(Folder["report.html"]), StringComparison.Ordinal);
        Assert.Equal(["report.html"], Folder.Content);
    }

    [Fact]
    public void Replaces_what_a_link_leads_to_and_not_the_link()
    {
        Directory.CreateDirectory(Folder["deep"]);
        File.WriteAllText(Folder["deep/real.html"], "old");
        SymbolicLink.ToFile(Folder["link.html"], Path.Combine("deep", "real.html"));

        Session.Run("$fs2 | Export-CheckpointReport link.html -Architecture $tiny -Force");

        Assert.NotNull(new FileInfo(Folder["link.html"]).LinkTarget);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(Folder["deep/real.html"]), StringComparison.Ordinal);
    }

    /// <summary>Whoever may write there could have made it, for a file elsewhere to be written.</summary>
    [Theory]
    [InlineData("precious")]
    [InlineData("gone")]
    public void Follows_no_link_where_it_writes_at_first(string target)
    {
        File.WriteAllText(Folder["precious"], "precious");
        SymbolicLink.ToFile(Folder[".fairseq2llama-report.html"], target);

        Session.RunForError(
            CheckpointErrorCode.WriteFailed, "$fs2 | Export-CheckpointReport report.html -Architecture $tiny", ".fairseq2llama-report.html", "Remove it");

        Assert.Equal("precious", File.ReadAllText(Folder["precious"]));
        Assert.Equal([".fairseq2llama-report.html", "precious"], Folder.Content);
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("link.html")]
    public void Never_replaces_a_file_of_the_checkpoint(string name)
    {
        CheckpointFolder.Copy("fs2", Folder["own"]);
        SymbolicLink.ToFile(Folder["own/link.html"], "model.pt");
        var before = File.ReadAllBytes(Folder["own/model.pt"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists, $"Read-Fairseq2Checkpoint own | Export-CheckpointReport own/{name} -Format Html -Force", "a file of the checkpoint");

        Assert.Equal(before, File.ReadAllBytes(Folder["own/model.pt"]));
    }

    [Theory]
    [InlineData("folder.html", "is a folder")]
    [InlineData("file/report.html", "is a file")]
    [InlineData("file/deep/report.html", "is a file")]
    public void Refuses_what_is_in_the_way(string path, string words)
    {
        Directory.CreateDirectory(Folder["folder.html"]);
        File.WriteAllText(Folder["file"], "precious");

        Session.RunForError(CheckpointErrorCode.OutputExists, $"$fs2 | Export-CheckpointReport {path} -Force", words);

        Assert.Equal(["file", "folder.html"], Folder.Content);
    }

    [Theory]
    [InlineData("Env:/report.html")]
    [InlineData("Variable:report.html")]
    public void Refuses_a_destination_outside_of_the_file_system(string path) =>
        Session.RunForError(CheckpointErrorCode.WriteFailed, $"$fs2 | Export-CheckpointReport {path}", "provider");

    [External]
    [Fact]
    public void Reports_a_folder_that_can_not_be_written_into_and_goes_on()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=1m");
        Mount.MakeReadOnly(mount.Path);

        var outcome = Session.RunOn(
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-CheckpointReport -DestinationPath { $_.Name -eq 'fs2' ? 'mount/new/fs2.html' : 'ddp.html' } -Architecture $tiny");

        ErrorAssert.Is(CheckpointErrorCode.WriteFailed, Assert.Single(outcome.Errors), Folder["mount/new/fs2.html"]);
        Assert.Equal("ddp.html", Assert.Single(outcome.Names.Select(Path.GetFileName)));
        Assert.Equal(["ddp.html", "mount"], Folder.Content);
    }

    [External]
    [Fact]
    public void Leaves_nothing_where_there_is_no_room()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=8k");

        Session.RunForError(CheckpointErrorCode.InsufficientDiskSpace, "$fs2 | Export-CheckpointReport mount/deep/report.html -Architecture $tiny", "is full");

        Assert.Equal(["mount"], Folder.Content);
    }

    [Fact]
    public void Writes_nothing_for_WhatIf_and_says_what_it_would()
    {
        Session.Run("$fs2 | Export-CheckpointReport deep/report.md -Architecture $tiny -WhatIf");

        Assert.Contains(Session.Host.TakeLines(), line => line.Contains("'fs2' as Markdown", StringComparison.Ordinal) && line.Contains(Folder["deep/report.md"], StringComparison.Ordinal));
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Writes_nothing_where_the_answer_is_no()
    {
        Session.Host.Answer = "No";

        Assert.Empty(Session.Run("$fs2 | Export-CheckpointReport report.md -Architecture $tiny -Confirm"));

        Assert.Single(Session.Host.Questions);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Ends_at_an_architecture_that_there_is_not()
    {
        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, Session.RunForTerminatingError("$fs2 | Export-CheckpointReport report.md -Architecture nonsense"));
        Assert.Empty(Folder.Content);
    }

    /// <summary>A report about what is wrong is what it is for.</summary>
    [Fact]
    public void Is_written_of_a_checkpoint_that_can_not_be_exported()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/lora | Export-CheckpointReport report.md");

        Assert.Contains("UnmappedTensor", File.ReadAllText(Folder["report.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Tells_the_step_of_a_training_run_and_says_the_architecture_of_its_file()
    {
        CheckpointFolder.Copy("fs2", Folder["run/checkpoints/step_1500"]);
        Session.Run("$fs2 | Export-Fairseq2Checkpoint yaml -Architecture $tiny");
        File.Move(Folder["yaml/model.yaml"], Folder["run/checkpoints/model.yaml"]);

        Session.Run("Read-Fairseq2Checkpoint run | Export-CheckpointReport report.md");

        var report = File.ReadAllText(Folder["report.md"]);
        Assert.Contains("| Training step | 1,500 |", report, StringComparison.Ordinal);
        Assert.Contains("according to model.yaml", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_the_path_of_a_checkpoint_as_it_takes_a_checkpoint()
    {
        CheckpointFolder.Copy("fs2", Folder["my [run]"]);

        Session.Run("Export-CheckpointReport 'my [run]' by-path.html -Architecture $tiny");
        Session.Run("Read-LlamaCheckpoint -LiteralPath 'my [run]' | Export-CheckpointReport by-object.html -Architecture $tiny");

        Assert.Equal(File.ReadAllBytes(Folder["by-object.html"]), File.ReadAllBytes(Folder["by-path.html"]));
    }

    [Fact]
    public void Takes_several_paths_each_into_a_file_of_its_own()
    {
        CheckpointFolder.Copy("fs2", Folder["runs/a"]);
        CheckpointFolder.Copy("fs2", Folder["runs/b"]);

        Session.Run("Export-CheckpointReport runs/* { \"$($_.Name).md\" } -Architecture $tiny");

        Assert.Equal(["a.md", "b.md"], Folder.Content.Where(name => !name.StartsWith("runs", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void A_path_beside_what_is_piped_is_refused() =>
        Assert.StartsWith(
            "AmbiguousParameterSet",
            Session.RunForTerminatingError("$fs2 | Export-CheckpointReport other report.html").FullyQualifiedErrorId,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("moved.html", "<!DOCTYPE html>")]
    [InlineData("moved.md", "# Comparison of fs2 and half")]
    [InlineData("moved.txt -Format Markdown", "# Comparison of fs2 and half")]
    public void Takes_the_summary_of_a_comparison(string arguments, string begin)
    {
        Session["data"] = Repository.Data("");

        var file = Session.RunOne<FileInfo>(
            $"Read-LlamaHuggingFaceCheckpoint $data/huggingface/half | Compare-LlamaCheckpoint $fs2 -Tolerance 0 -Summary | Export-CheckpointReport {arguments}");

        Assert.StartsWith(begin, File.ReadAllText(file.FullName), StringComparison.Ordinal);
        Assert.Equal([file.Name], Folder.Content);
    }

    [Fact]
    public void Takes_checkpoints_and_comparisons_together_each_into_a_file_of_its_own()
    {
        var outcome = Session.RunOn(
            "& { $fs2; $fs2 | Compare-LlamaCheckpoint $fs2 -Summary; Read-Fairseq2Checkpoint $cases/legacy }"
            + " | Export-CheckpointReport -DestinationPath { $_.Difference ? 'compared.md' : \"$($_.Name).md\" } -Architecture $tiny");

        Assert.Empty(outcome.Errors);
        Assert.StartsWith("# Comparison of fs2 and fs2", File.ReadAllText(Folder["compared.md"]), StringComparison.Ordinal);
        Assert.Equal(["compared.md", "fs2.md", "legacy.md"], Folder.Content.Order());
        Assert.Contains(outcome.Warnings, warning => warning.Contains("-Architecture is not used", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public void Never_replaces_a_file_of_either_checkpoint_that_is_compared(string folder)
    {
        CheckpointFolder.Copy("fs2", Folder["one"]);
        CheckpointFolder.Copy("fs2", Folder["two"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists,
            $"Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint one) (Read-Fairseq2Checkpoint two) -Summary | Export-CheckpointReport {folder}/model.pt -Format Html -Force",
            "a file of the checkpoint");
    }

    [Fact]
    public void Says_what_comparison_it_would_write_for_WhatIf()
    {
        Session.Run("Compare-LlamaCheckpoint $fs2 $fs2 -Summary | Export-CheckpointReport deep/report.md -WhatIf");

        Assert.Contains(Session.Host.TakeLines(), line => line.Contains("how 'fs2' and 'fs2' compare as Markdown", StringComparison.Ordinal));
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void A_comparison_has_no_statistics() =>
        Assert.IsType<ParameterBindingException>(
            Session.RunForError("Export-CheckpointReport out.md -Comparison (Compare-LlamaCheckpoint $fs2 $fs2 -Summary) -Statistics").Exception, exactMatch: false);

    [Fact]
    public void Shows_how_far_measuring_is()
    {
        var progress = Session.RunOn("$fs2 | Export-CheckpointReport report.html -Architecture $tiny -Statistics").Progress;

        Assert.Contains(progress, record => record.Activity == "Measuring fs2" && record.RecordType == ProgressRecordType.Processing);
        Assert.Equal(ProgressRecordType.Completed, progress[^1].RecordType);
    }

    /// <summary>Ctrl+C while the data is read.</summary>
    [Fact]
    public void Leaves_nothing_when_it_is_stopped()
    {
        using var input = new TempFolder("input");
        var architecture = TinyModel.Architecture with { Name = "wide", VocabSize = 20_000_000 };
        Session["wide"] = architecture;
        Session["path"] = BigCheckpoint.Write(input.Path, architecture);

        using var pipeline = Session.Pipeline("Read-Fairseq2Checkpoint $path | Export-CheckpointReport deep/report.html -Architecture $wide -Statistics");
        using var began = new ManualResetEventSlim();
        pipeline.Streams.Progress.DataAdded += (_, _) => began.Set();
        var running = pipeline.BeginInvoke();

        Assert.True(began.Wait(Hang), "it does not begin");
        Assert.True(pipeline.BeginStop(null, null).AsyncWaitHandle.WaitOne(Hang), "it does not stop");
        Assert.IsType<PipelineStoppedException>(Record.Exception(() => pipeline.EndInvoke(running)));
        Assert.Empty(Folder.Content);
    }
}
