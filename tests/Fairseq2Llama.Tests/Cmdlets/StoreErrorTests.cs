using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Wrong addresses, and what the user is told.</summary>
public sealed class StoreErrorTests : StoreCommandTests
{
    [Theory]
    [InlineData("s3://", "CheckpointNotFound", "bucket")]
    [InlineData("s3:///fs2", "CheckpointNotFound", "bucket")]
    [InlineData("https://", "CheckpointNotFound", "server")]
    [InlineData("https:///fs2", "CheckpointNotFound", "server")]
    [InlineData("az://", "CheckpointNotFound", "container")]
    [InlineData("s3://bucket/none", "CheckpointNotFound", "s3://bucket/none")]
    [InlineData("s3://bucket/fs2/none.pt", "CheckpointNotFound", "s3://bucket/fs2/none.pt")]
    [InlineData("s3://bucket/f*", "CheckpointNotFound", "wildcard")]
    [InlineData("s3://bucket/fs2/model.p?", "CheckpointNotFound", "wildcard")]
    [InlineData("s3://bucket/f[s]2", "CheckpointNotFound", "wildcard")]
    [InlineData("s3://nowhere/fs2", "ReadFailed", "'nowhere'")]
    [InlineData("gs://bucket/fs2", "CheckpointNotFound", "s3://")]
    [InlineData("s4://bucket/fs2?sig=secret", "CheckpointNotFound", "s3://")]
    public void A_wrong_address_is_an_error_that_says_what_is_wrong(string address, string code, string words)
    {
        Session["address"] = address;

        foreach (var command in (string[])["Read-LlamaCheckpoint $address @at", "Get-CheckpointTensor $address @at", "Compare-LlamaCheckpoint fs2 $address @at", "Export-Fairseq2Checkpoint $address out -Architecture $tiny @at"])
        {
            var error = Session.RunForError(Enum.Parse<CheckpointErrorCode>(code), command, words);
            Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("-ProfileName nobody", "nobody")]
    [InlineData($"-ProfileName {S3Profiles.Stranger}", "denied")]
    [InlineData($"-ProfileName {S3Profiles.Forger}", "denied")]
    public void Who_may_not_is_told_so(string arguments, string words)
    {
        Session.RunForError(CheckpointErrorCode.ReadFailed, $"Read-LlamaCheckpoint s3://bucket/fs2 -EndpointUrl $server {arguments}", words);
        Session.RunForError(CheckpointErrorCode.WriteFailed, $"Export-Fairseq2Checkpoint fs2 s3://bucket/out -EndpointUrl $server -Architecture $tiny {arguments}", words);
        Session.RunForError(CheckpointErrorCode.WriteFailed, $"Export-LlamaReferenceCheckpoint fs2 s3://bucket/out -ShardCount 2 -ShardIndex 1 -EndpointUrl $server -Architecture $tiny {arguments}", words);
        Session.RunForError(CheckpointErrorCode.WriteFailed, $"Export-LlamaHuggingFaceCheckpoint fs2 s3://bucket/out -EndpointUrl $server -Architecture $tiny {arguments}", words);
        Session.RunForError(CheckpointErrorCode.ReadFailed, $"Export-LlamaHuggingFaceCheckpoint fs2 out -TokenizerPath s3://bucket/t -EndpointUrl $server -Architecture $tiny {arguments}", words);
        Assert.Equal(0, Server.Count(S3Operation.Put));
    }

    [Theory]
    [InlineData("127.0.0.1:9000")]
    [InlineData("localhost:9000")]
    [InlineData("s3://bucket")]
    public void An_endpoint_is_an_address_of_HTTP(string endpoint)
    {
        var error = Session.RunForTerminatingError($"Read-LlamaCheckpoint s3://bucket/fs2 -EndpointUrl {endpoint}");

        Assert.Contains("https:// or http://", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_web_server_can_not_be_written_to() =>
        Session.RunForError(CheckpointErrorCode.WriteFailed, "Export-Fairseq2Checkpoint fs2 \"${server}plain/bucket/out\" -Architecture $tiny", $"{Server.Address}plain/bucket/out");

    [Theory]
    [InlineData("Export-Fairseq2Checkpoint fs2 s3://nowhere/out -Architecture $tiny @at", "'nowhere'")]
    [InlineData("Export-CheckpointReport s3://bucket/fs2 s3://bucket/report.html @at", "local file")]
    public void A_wrong_destination_is_an_error(string script, string words)
    {
        Session.RunForError(CheckpointErrorCode.WriteFailed, script, words);
        Assert.Empty(KeysIn("out"));
    }
}
