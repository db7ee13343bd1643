using System.Text;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What opens a store is used and never shown: not in output, messages, errors, reports, nor in anything that is written to a store.</summary>
public sealed class StoreSecretTests : StoreCommandTests
{
    private const string Planted = "PLANTEDsecretPLANTED";

    public StoreSecretTests()
    {
        Session["signed"] = $"{Server.PlainAddress}bucket/fs2?sig={Planted}&sp=r";
        Session["blob"] = $"{Server.PlainAddress}bucket/fs2/model.pt?sig={Planted}&sp=r";
        Session["missing"] = $"{Server.PlainAddress}bucket/missing?sig={Planted}";
        Session["user"] = $"https://somebody:{Planted}@example.com/run";
        Session["sas"] = Azurite.Secret($"?sig={Planted}");
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint $signed -Verbose -Debug")]
    [InlineData("Test-LlamaCheckpoint $signed -Architecture $tiny -Deep -Verbose -Debug")]
    [InlineData("Get-CheckpointTensor $signed -Verbose -Debug")]
    [InlineData("Measure-CheckpointTensor $signed -Verbose -Debug")]
    [InlineData("Compare-LlamaCheckpoint $signed fs2 -Verbose -Debug")]
    [InlineData("Export-CheckpointReport $signed report.html -Architecture $tiny -Statistics -Verbose -Debug")]
    [InlineData("Export-CheckpointReport $signed report.md -Architecture $tiny -Verbose -Debug")]
    [InlineData("Export-LlamaReferenceCheckpoint $signed s3://bucket/out @at -Architecture $tiny -Verbose -Debug")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint $signed out -Architecture $tiny -Verbose -Debug")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint fs2 $signed -Architecture $tiny -Verbose -Debug")]
    [InlineData("Export-LlamaReferenceCheckpoint $signed out -Architecture $tiny -WhatIf -Verbose -Debug")]
    [InlineData("[pscustomobject]@{ BlobBaseClient = [pscustomobject]@{ Uri = [uri]$blob } } | Read-LlamaCheckpoint -Verbose -Debug")]
    [InlineData("[pscustomobject]@{ BlobBaseClient = [pscustomobject]@{ Uri = [uri]$blob } } | Get-CheckpointTensor -Verbose -Debug")]
    [InlineData("[pscustomobject]@{ BlobBaseClient = [pscustomobject]@{ Uri = [uri]$missing } } | Test-LlamaCheckpoint -Verbose -Debug")]
    [InlineData("Compare-LlamaCheckpoint ([pscustomobject]@{ ICloudBlob = [pscustomobject]@{ Uri = [uri]$missing } }) fs2")]
    [InlineData("Read-LlamaCheckpoint $missing -Verbose -Debug")]
    [InlineData("Test-LlamaCheckpoint $missing -Verbose -Debug")]
    [InlineData("Read-LlamaCheckpoint $user -Verbose -Debug")]
    [InlineData("Read-LlamaCheckpoint http://127.0.0.1:1/run -SasToken $sas -Verbose -Debug")]
    [InlineData("Read-LlamaCheckpoint s3://bucket/fs2 @at -Verbose -Debug")]
    [InlineData("Read-LlamaCheckpoint s3://bucket/fs2 -EndpointUrl $server -ProfileName forger -Verbose -Debug")]
    [InlineData("Export-LlamaReferenceCheckpoint fs2 s3://bucket/out @at -Architecture $tiny -Verbose -Debug")]
    public void Nothing_shows_them(string script)
    {
        var shown = new StringBuilder();
        var outcome = Session.RunOn(script);

        outcome.Output.Concat(outcome.Output.SelectMany(Properties)).ToList().ForEach(item => shown.AppendLine($"{item}"));
        outcome.Warnings.Concat(outcome.Verbose).Concat(outcome.Debug).ToList().ForEach(text => shown.AppendLine(text));
        outcome.Progress.ToList().ForEach(record => shown.AppendLine($"{record.Activity} {record.StatusDescription} {record.CurrentOperation}"));
        outcome.Errors.ToList().ForEach(error => shown.AppendLine($"{error} {error.Exception} {error.TargetObject} {error.ErrorDetails}"));

        foreach (var file in Directory.EnumerateFiles(Folder.Path, "*", SearchOption.AllDirectories))
        {
            shown.AppendLine(Encoding.Latin1.GetString(File.ReadAllBytes(file)));
        }

        foreach (var item in Bucket.Objects)
        {
            shown.AppendLine($"{item.Key} {string.Join(' ', item.Value.Metadata)} {Encoding.Latin1.GetString(item.Value.Bytes)}");
        }

        var text = shown.ToString();
        Assert.NotEmpty(text);
        Assert.All((string[])[Planted, S3Server.Secret, S3Profiles.OtherSecret], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    /// <summary>The test would find them if they were shown.</summary>
    [Fact]
    public void They_are_sent()
    {
        Session.Run("Read-LlamaCheckpoint $signed");

        Assert.Contains(Server.Calls, call => call.Target.Contains(Planted, StringComparison.Ordinal));
    }

    private static IEnumerable<object?> Properties(System.Management.Automation.PSObject item) =>
        from property in item.Properties where property is System.Management.Automation.PSProperty or System.Management.Automation.PSNoteProperty select property.Value;
}
