using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What can be in the way of an export on Windows and nowhere else.</summary>
public sealed class ExportOnWindowsTests : ExportTests
{
    private const string Export = "$fs2 | Export-LlamaReferenceCheckpoint $out -Architecture $tiny -Force";

    [WindowsTheory]
    [InlineData("out.", "ends with a dot")]
    [InlineData("out ", "ends with a space")]
    [InlineData("NUL", "is a device")]
    [InlineData(@"con\out", "is a device")]
    public void Names_that_Windows_changes_are_refused(string name, string problem)
    {
        Session["out"] = name;

        Session.RunForError(CheckpointErrorCode.WriteFailed, Export, problem, "Choose another name");

        Assert.Empty(Folder.Content);
    }

    [WindowsFact]
    public void A_device_is_no_name_of_a_model()
    {
        Session["hf"] = ConverterModel.Tied.Write(Folder["hf"]);
        var before = Folder.Content;

        Session.RunForError(CheckpointErrorCode.WriteFailed, "Export-LlamaGgufCheckpoint $hf aux.gguf -Force", "'aux.gguf' is a device");

        Assert.Equal(before, Folder.Content);
    }

    [WindowsFact]
    public void Read_only_files_are_replaced_and_leave_nothing_behind()
    {
        Session["out"] = "out";
        Session.Run(Export);
        var files = Folder.Content;

        foreach (var file in Directory.EnumerateFiles(Folder["out"]))
        {
            File.SetAttributes(file, FileAttributes.ReadOnly);
        }

        Session.Run(Export);
        Session.Run(Export);

        Assert.Equal(files, Folder.Content);
    }

    [WindowsFact]
    public void Case_does_not_make_another_destination()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint OUT -Architecture $tiny", "-Force");
    }

    [WindowsFact]
    public void A_read_only_report_is_not_replaced()
    {
        File.WriteAllText(Folder["report.html"], "mine");
        File.SetAttributes(Folder["report.html"], FileAttributes.ReadOnly);

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-CheckpointReport report.html -Force", "is read-only");

        Assert.Equal("mine", File.ReadAllText(Folder["report.html"]));
        File.SetAttributes(Folder["report.html"], FileAttributes.Normal);
    }

    [WindowsFact]
    public void A_file_that_stays_open_is_named_and_all_is_as_it_was()
    {
        Session["out"] = "out";
        Session.Run(Export);
        var before = Folder.Content;

        using (File.Open(Folder["out/consolidated.00.pth"], FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            Session.RunForError(CheckpointErrorCode.WriteFailed, Export + " -DType Float32", Folder["out/consolidated.00.pth"], "is open in another program", "Close it there");
        }

        Assert.Equal(before, Folder.Content);
        Session.Run(Export);
        Assert.Equal(before, Folder.Content);
    }

    [WindowsFact]
    public void A_report_that_is_open_is_not_replaced()
    {
        File.WriteAllText(Folder["report.html"], "mine");
        using var reader = File.Open(Folder["report.html"], FileMode.Open, FileAccess.Read, FileShare.Read);

        Session.RunForError(CheckpointErrorCode.WriteFailed, "$fs2 | Export-CheckpointReport report.html -Force", "is open in another program", "Close it there");

        Assert.Equal(["report.html"], Folder.Content);
    }
}
