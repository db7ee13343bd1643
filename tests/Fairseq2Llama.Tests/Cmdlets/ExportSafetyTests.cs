using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Damaged and changing input, and being stopped: nothing is lost and nothing left behind.</summary>
public sealed class ExportSafetyTests : ExportTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("Auto")]
    [InlineData("Full")]
    [InlineData("None")]
    public void Exports_the_same_however_much_is_verified(string verification)
    {
        Session["verification"] = verification;

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verification $verification");

        AssertIsReference("fs2", Folder["out"]);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Full")]
    public void Notices_damaged_input_and_leaves_nothing_behind(string verification)
    {
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "decoder.layers.1.ffn.gate_proj.weight");
        Session["path"] = input["run"];
        Session["verification"] = verification;

        var error = Session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt,
            "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint deep/out -Architecture $tiny -Verification $verification",
            input["run/model.pt"], "CRC-32", "-Verification None");

        Assert.Equal(input["run/model.pt"], error.TargetObject);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Leaves_an_earlier_export_as_it_was_where_the_input_is_damaged()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(Folder.Path);
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "final_proj.weight");
        Session["path"] = input["run"];

        Session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        Assert.Equal(before, CheckpointFolder.Snapshot(Folder.Path));
    }

    [Fact]
    public void Accepts_input_with_wrong_checksums_when_told_not_to_verify()
    {
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "final_proj.weight");
        Session["path"] = input["run"];

        Session.Run("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verification None");

        var expected = Manifest.Instance.Reference["fs2"].Files[0].Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Sha256, StringComparer.Ordinal);
        Assert.Equal(["output.weight"], Tensors(Folder["out/consolidated.00.pth"]).Where(tensor => expected[tensor.Key] != tensor.Value).Select(tensor => tensor.Key));
    }

    [Fact]
    public void Notices_input_that_has_changed_since_it_was_read()
    {
        using var input = new TempFolder("changing");
        CheckpointFolder.Copy("fs2", input["run"]);
        Session["path"] = input["run"];
        Session.Run("$read = Read-Fairseq2Checkpoint $path");
        File.SetLastWriteTimeUtc(input["run/model.pt"], DateTime.UtcNow.AddMinutes(1));

        Session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt, "$read | Export-LlamaReferenceCheckpoint out -Architecture $tiny", input["run/model.pt"], "changed");

        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Reports_input_that_has_gone_since_it_was_read()
    {
        using var input = new TempFolder("changing");
        CheckpointFolder.Copy("fs2", input["run"]);
        Session["path"] = input["run"];
        Session.Run("$read = Read-Fairseq2Checkpoint $path");
        File.Delete(input["run/model.pt"]);

        Session.RunForError(CheckpointErrorCode.ReadFailed, "$read | Export-LlamaReferenceCheckpoint out -Architecture $tiny", input["run/model.pt"]);

        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Leaves_nothing_behind_when_it_is_stopped_in_the_middle()
    {
        using var input = new TempFolder("big");
        var architecture = new LlamaArchitecture { Name = "long", NumLayers = 8 };
        Session["path"] = BigCheckpoint.Write(input.Path, architecture);
        Session["long"] = architecture;
        Directory.CreateDirectory(Folder["out"]);
        File.WriteAllText(Folder["out/consolidated.00.pth"], "an earlier export");

        using var first = Session.Pipeline("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $long -Force");
        StopInTheMiddle(first);
        Assert.Equal(["out", "out/consolidated.00.pth"], Folder.Content.Select(entry => entry.Replace('\\', '/')));
        Assert.Equal("an earlier export", File.ReadAllText(Folder["out/consolidated.00.pth"]));

        using var second = Session.Pipeline("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint new/deep -Architecture $long");
        StopInTheMiddle(second);
        Assert.Equal(["out", "out/consolidated.00.pth"], Folder.Content.Select(entry => entry.Replace('\\', '/')));

        // The session is as good as before.
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint new -Architecture $tiny");
    }

    /// <summary>Stops a pipeline as Ctrl+C does, once it has said that it is at work.</summary>
    private static void StopInTheMiddle(PowerShell pipeline)
    {
        using var atWork = new ManualResetEventSlim();
        pipeline.Streams.Progress.DataAdded += (_, added) =>
        {
            if (pipeline.Streams.Progress[added.Index].PercentComplete > 0)
            {
                atWork.Set();
            }
        };

        var running = pipeline.BeginInvoke();
        Assert.True(atWork.Wait(Hang), "it never began");
        Assert.True(pipeline.BeginStop(null, null).AsyncWaitHandle.WaitOne(Hang), "it does not stop");
        Assert.Throws<PipelineStoppedException>(() => pipeline.EndInvoke(running));
        Assert.Equal(PSInvocationState.Stopped, pipeline.InvocationStateInfo.State);
        Assert.Empty(pipeline.Streams.Error);
    }
}
