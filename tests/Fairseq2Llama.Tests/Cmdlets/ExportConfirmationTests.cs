using System.Management.Automation;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>-WhatIf, -Confirm, -Verbose and progress.</summary>
public sealed class ExportConfirmationTests : ExportTests
{
    [Fact]
    public void Writes_nothing_at_all_and_tells_what_it_would_write_for_WhatIf()
    {
        var output = Session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint deep/out -Architecture $tiny -WhatIf");

        Assert.Empty(output);
        Assert.Empty(Folder.Content);
        var lines = Session.Host.TakeLines();
        Assert.Equal(4, lines.Count);
        Assert.Equal($"What if: Export 'tp2-llama3' as tiny to '{Folder["deep/out"]}':", lines[0]);
        Assert.Matches(@"^  consolidated\.00\.pth: 21 tensors, [0-9.]+ KiB$", lines[1]);
        Assert.Matches(@"^  consolidated\.01\.pth: 21 tensors, [0-9.]+ KiB$", lines[2]);
        Assert.Matches(@"^  params\.json: the architecture, [0-9]+ B$", lines[3]);
    }

    /// <summary>Which says no more than the name of the checkpoint.</summary>
    [Fact]
    public void Leaves_out_what_an_architecture_without_a_name_of_its_own_is_called()
    {
        CheckpointFolder.Copy("fs2", Folder["sft/checkpoints/step_500"]);
        File.WriteAllBytes(Folder["sft/checkpoints/model.yaml"], new Fairseq2Format().WriteConfig(TinyModel.Architecture));

        Session.Run("Read-Fairseq2Checkpoint sft | Export-LlamaReferenceCheckpoint out -WhatIf");

        Assert.Equal($"What if: Export 'sft@500' to '{Folder["out"]}':", Session.Host.TakeLines()[0]);
    }

    [Fact]
    public void Tells_for_WhatIf_what_it_would_replace_and_remove()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(Folder.Path);

        Assert.Empty(Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -WhatIf"));

        var lines = Session.Host.TakeLines();
        Assert.EndsWith("KiB, replaces the existing file", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("B, replaces the existing file", lines[2], StringComparison.Ordinal);
        Assert.Equal("  consolidated.01.pth: removed, left over from an earlier export", lines[3]);
        Assert.Equal(before, CheckpointFolder.Snapshot(Folder.Path));
    }

    [Fact]
    public void Reports_for_WhatIf_what_would_be_an_error()
    {
        Session.RunForError(
            CheckpointErrorCode.UnmappedTensor, "Read-Fairseq2Checkpoint $cases/lora | Export-LlamaReferenceCheckpoint out -Architecture $tiny -WhatIf");
    }

    [Theory]
    [InlineData("No", 0)]
    [InlineData("Yes", 1)]
    public void Asks_before_it_writes_when_told_to(string answer, int exported)
    {
        Directory.CreateDirectory(Folder["out"]);
        File.WriteAllText(Folder["out/params.json"], "an earlier export");
        Session.Host.Answer = answer;

        var output = Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -Confirm");

        var question = Assert.Single(Session.Host.Questions);
        Assert.StartsWith($"Export 'fs2' as tiny to '{Folder["out"]}':", question, StringComparison.Ordinal);
        Assert.Matches(@"params\.json: the architecture, \d+ B, replaces the existing file", question);
        Assert.Equal(exported, output.Count);
        Assert.Equal(exported == 1, File.Exists(Folder["out/consolidated.00.pth"]));
        Assert.Equal(exported == 0, File.ReadAllText(Folder["out/params.json"]) == "an earlier export");
    }

    [Fact]
    public void Does_not_ask_when_not_told_to()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(Session.Host.Questions);
    }

    [Fact]
    public void Tells_for_WhatIf_that_two_checkpoints_would_go_to_oneFolder()
    {
        var outcome = Session.RunOn("$fs2, $fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -WhatIf");

        Assert.Equal(["OutputExists"], outcome.ErrorIds);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Lists_the_mapping_for_debugging()
    {
        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verbose -Debug");

        Assert.Contains("consolidated.00.pth: decoder_frontend.embed.weight -> tok_embeddings.weight (float32 40x16)", outcome.Debug);
        Assert.Contains("consolidated.00.pth: decoder.layers.1.ffn.inner_proj.weight -> layers.1.feed_forward.w3.weight (float32 48x16)", outcome.Debug);
        Assert.Equal(21, outcome.Debug.Count(line => line.StartsWith("consolidated.00.pth: ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Tells_why_when_verbose()
    {
        Session["cases"] = Repository.Data("checkpoints");
        var outcome = Session.RunOn("""
            $fs2 | Export-LlamaReferenceCheckpoint named -Architecture $tiny -ShardCount 2 -Verbose
            $fs2 | Export-LlamaReferenceCheckpoint part -Architecture $tiny -ShardCount 2 -ShardIndex 1 -Verbose
            $fs2 | Export-LlamaReferenceCheckpoint ranks -Architecture $tiny -Verbose
            $fs2 | Export-LlamaHuggingFaceCheckpoint kept -Architecture $tiny -Verbose
            Read-Fairseq2Checkpoint $cases/tied | Export-LlamaHuggingFaceCheckpoint same -Architecture $tiny -Verbose
            Read-Fairseq2Checkpoint $cases/tied-absent | Export-LlamaHuggingFaceCheckpoint absent -Architecture (New-LlamaArchitecture tied -BasedOn $tiny -TiedEmbeddings) -Verbose
            $fs2 | Export-Fairseq2Checkpoint one -Architecture $tiny -Verbose
            """);

        Assert.Contains("Architecture: tiny, 2 layers of 16, given with -Architecture.", outcome.Verbose);
        Assert.Contains("Files: 2, as requested.", outcome.Verbose);
        Assert.Contains("Files: 2, as requested. This job writes consolidated.01.pth.", outcome.Verbose);
        Assert.Contains("Files: 1, as many as the checkpoint has tensor-parallel ranks.", outcome.Verbose);
        Assert.Contains("Output: kept, because 'final_proj.weight' differs from 'decoder_frontend.embed.weight'.", outcome.Verbose);
        Assert.Contains("Files: 1, of up to 5,000,000,000 bytes each.", outcome.Verbose);
        Assert.Contains("Output: tied to the embeddings, because 'final_proj.weight' and 'decoder_frontend.embed.weight' share one storage.", outcome.Verbose);
        Assert.Contains("Output: tied to the embeddings, because the checkpoint has only one of them.", outcome.Verbose);
        Assert.Contains("Files: 1, because fairseq2 stores a model that is not in training in 'model.pt'.", outcome.Verbose);
    }

    [Fact]
    public void Shows_progress_in_bytes_until_it_is_done()
    {
        using var input = new TempFolder("big");
        Session["path"] = BigCheckpoint.Write(input.Path, TinyModel.Architecture with { VocabSize = 2_000_000 });

        var outcome = Session.RunOn(
            "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture (New-LlamaArchitecture wide -BasedOn $tiny -VocabSize 2000000)");

        Assert.Empty(outcome.Errors);
        Assert.NotEmpty(outcome.Progress);
        Assert.All(outcome.Progress, record => Assert.Equal("Exporting big", record.Activity));
        Assert.Equal(ProgressRecordType.Completed, outcome.Progress[^1].RecordType);
        Assert.All(outcome.Progress.SkipLast(1), record =>
        {
            Assert.Equal(ProgressRecordType.Processing, record.RecordType);
            Assert.Matches(@"^(consolidated\.00\.pth|params\.json): [0-9.]+ ([KMG]i)?B of 122\.09 MiB, [0-9.]+ ([KMG]i)?B/s$", record.StatusDescription);
            Assert.InRange(record.PercentComplete, 0, 100);
        });
        Assert.Equal(outcome.Progress.SkipLast(1).Select(record => record.PercentComplete).Order(), outcome.Progress.SkipLast(1).Select(record => record.PercentComplete));
    }
}
