using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Commands that read take an address in a store wherever they take a path.</summary>
public sealed class StoreReadTests : StoreCommandTests
{
    [Theory]
    [InlineData("Read-LlamaCheckpoint s3://bucket/fs2 @at")]
    [InlineData("Read-LlamaCheckpoint -LiteralPath S3://bucket/fs2/ @at")]
    [InlineData("Read-Fairseq2Checkpoint s3://bucket/fs2/model.pt @at")]
    [InlineData("'s3://bucket/fs2' | Read-LlamaCheckpoint @at")]
    [InlineData("[pscustomobject]@{ FullName = 's3://bucket/fs2' } | Read-LlamaCheckpoint @at")]
    [InlineData("Read-LlamaCheckpoint \"${server}plain/bucket/fs2/model.pt\"")]
    [InlineData("& { $PSDefaultParameterValues = @{ '*:EndpointUrl' = $at.EndpointUrl; '*:ProfileName' = $at.ProfileName }; Read-LlamaCheckpoint s3://bucket/fs2 }")]
    public void A_checkpoint_is_read(string script)
    {
        var (stored, local) = (Session.RunOne<Fairseq2Checkpoint>(script), Session.RunOne<Fairseq2Checkpoint>("Read-LlamaCheckpoint fs2"));

        Assert.Equal(Describe(local), Describe(stored));
        Assert.StartsWith(script.Contains("plain", StringComparison.Ordinal) ? $"{Server.Address}plain/bucket/fs2" : "s3://bucket/fs2", stored.Path, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, Writes);
    }

    [Fact]
    public void A_run_is_read_step_by_step()
    {
        foreach (var step in (string[])["5", "10"])
        {
            Bucket.PutFolder(Folder["fs2"], $"run/checkpoints/step_{step}/");
        }

        Assert.Equal(["run@10"], Session.RunOn("Read-Fairseq2Checkpoint s3://bucket/run @at").Names);
        Assert.Equal(["run@5"], Session.RunOn("Read-Fairseq2Checkpoint s3://bucket/run -Step 5 @at").Names);
        Assert.Equal(["run@5", "run@10"], Session.RunOn("Read-Fairseq2Checkpoint s3://bucket/run -AllSteps @at").Names.OrderBy(name => name.Length));
        Session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint s3://bucket/run -Step 7 @at", "s3://bucket/run", "7");
    }

    [Theory]
    [InlineData("Get-CheckpointTensor {0} @at", 21)]
    [InlineData("Get-CheckpointTensor {0} *q_proj* -Layer 1 @at", 1)]
    [InlineData("'{0}', '{0}' | Get-CheckpointTensor *q_proj* @at", 4)]
    [InlineData("Measure-CheckpointTensor {0} @at | ForEach-Object { \"$($_.Name) $($_.Norm)\" }", 21)]
    [InlineData("Test-LlamaCheckpoint {0} -Architecture $tiny @at | ForEach-Object { \"$($_.Passed) $($_.Findings)\" }", 1)]
    [InlineData("Test-LlamaCheckpoint {0} -Architecture $tiny -Deep @at | ForEach-Object { \"$($_.Passed) $($_.Findings)\" }", 1)]
    [InlineData("Test-LlamaCheckpoint {0} -Architecture $tiny -Quiet @at", 1)]
    public void Commands_give_what_they_give_for_a_folder(string script, int count)
    {
        var stored = Session.RunOn(script.Replace("{0}", "s3://bucket/fs2", StringComparison.Ordinal));
        var local = Session.RunOn(script.Replace("{0}", "fs2", StringComparison.Ordinal));

        Assert.Empty(stored.Errors);
        Assert.Equal(count, stored.Output.Count);
        Assert.Equal(local.Names, stored.Names);
    }

    [Fact]
    public void A_damaged_checkpoint_fails_the_deep_test_only()
    {
        var damaged = Bucket["fs2/model.pt"].ToArray();
        damaged[damaged.Length / 2] ^= 0x10;
        Bucket.Put("damaged/model.pt", damaged);

        Assert.Equal([true], Session.Run<bool>("Test-LlamaCheckpoint s3://bucket/damaged -Architecture $tiny -Quiet @at"));
        Assert.Equal([false], Session.Run<bool>("Test-LlamaCheckpoint s3://bucket/damaged -Architecture $tiny -Quiet -Deep @at"));
    }

    [Theory]
    [InlineData("Compare-LlamaCheckpoint s3://bucket/fs2 s3://bucket/other @at")]
    [InlineData("Compare-LlamaCheckpoint fs2 s3://bucket/other @at")]
    [InlineData("Compare-LlamaCheckpoint s3://bucket/fs2 other @at")]
    [InlineData("'s3://bucket/other' | Compare-LlamaCheckpoint (Read-LlamaCheckpoint fs2) @at")]
    public void Checkpoints_are_compared_wherever_they_are(string script)
    {
        const string Results = " | ForEach-Object { \"$($_.Name) $($_.Result) $($_.MaxAbsoluteDifference)\" }";
        Session.Run("Export-Fairseq2Checkpoint fs2 other -Architecture $tiny -DType bfloat16");
        Bucket.PutFolder(Folder["other"], "other/");

        var local = Session.RunOn("Compare-LlamaCheckpoint fs2 other -Tolerance 0" + Results).Names;

        Assert.Equal(21, local.Length);
        Assert.Contains(local, line => !line.Contains(" Equal ", StringComparison.Ordinal));
        Assert.Equal(local, Session.RunOn($"{script} -Tolerance 0{Results}").Names);
    }

    [Fact]
    public void A_wrong_address_does_not_keep_others_from_being_read()
    {
        var outcome = Session.RunOn("'s3://bucket/none', 's3://bucket/fs2', 's3://nowhere/fs2' | Read-LlamaCheckpoint @at");

        Assert.Equal(["fs2"], outcome.Names);
        Assert.Equal(["CheckpointNotFound", "ReadFailed"], outcome.ErrorIds);
        Assert.Equal("CheckpointNotFound", Session.RunForTerminatingError("'s3://bucket/none', 's3://bucket/fs2' | Read-LlamaCheckpoint -ErrorAction Stop @at").FullyQualifiedErrorId.Split(',')[0]);
    }

    private static string Describe(Fairseq2Checkpoint checkpoint) =>
        string.Join('\n', checkpoint.Tensors.Select(tensor => $"{tensor.Name} {tensor.DType} {tensor.Shape}").Append($"{checkpoint.SizeInBytes}"));
}
