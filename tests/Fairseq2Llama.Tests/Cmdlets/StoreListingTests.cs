using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>
/// Objects with the properties of Get-S3Object and Get-AzStorageBlob come down the pipeline. Their names are those of Amazon.S3.Model.S3Object
/// (sdk/src/Services/S3/Custom/Model/S3Object.cs of aws/aws-sdk-net) and AzureStorageBlob (Commands.Common.Storage/ResourceModel/AzureStorageBlob.cs of
/// Azure/azure-powershell). Real ones need a process: see OtherSdkTests.
/// </summary>
public sealed class StoreListingTests : StoreCommandTests
{
    /// <summary>As Get-S3Object, with the rest of a listing's properties.</summary>
    private const string S3 = "$keys | ForEach-Object { [pscustomobject]@{ ETag = '\"e\"'; BucketName = 'bucket'; Key = $_; LastModified = [datetime]::UtcNow; Size = 1 } }";

    public StoreListingTests()
    {
        Session.Run("$null = Export-LlamaHuggingFaceCheckpoint fs2 hf -Architecture $tiny");
        Bucket.PutFolder(Folder["hf"], "all/hf/");
        Bucket.PutFolder(Folder["fs2"], "all/fs2/");

        foreach (var step in (int[])[5, 10])
        {
            Bucket.PutFolder(Folder["fs2"], $"all/run/checkpoints/step_{step}/");
        }

        Session["keys"] = Bucket.Objects.Keys.Where(key => key.StartsWith("all/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint @at", "fs2 hf run@10")]
    [InlineData("Read-LlamaCheckpoint @at -Step 5 -ErrorAction Ignore", "run@5")]
    [InlineData("Read-LlamaCheckpoint @at -AllSteps -ErrorAction Ignore", "run@5 run@10")]
    [InlineData("Where-Object Key -like '*/hf/*' | Read-LlamaHuggingFaceCheckpoint @at", "hf")]
    [InlineData("Where-Object Key -notlike '*/hf/*' | Read-Fairseq2Checkpoint @at", "fs2 run@10")]
    [InlineData("Where-Object Key -like '*/step_5/*' | Read-Fairseq2Checkpoint @at", "run@5")]
    [InlineData("Where-Object Key -like '*/step_5/*' | Read-Fairseq2Checkpoint @at -AllSteps", "run@5")]
    [InlineData("Where-Object Key -like '*.safetensors' | Read-LlamaCheckpoint @at", "hf")]
    [InlineData("Test-LlamaCheckpoint -Architecture $tiny @at | ForEach-Object Name", "fs2 hf run@10")]
    [InlineData("Get-CheckpointTensor -Name tok_embeddings* @at | ForEach-Object Name", "decoder_frontend.embed.weight model.embed_tokens.weight decoder_frontend.embed.weight")]
    [InlineData("Measure-CheckpointTensor @at | ForEach-Object { $count = 0 } { $count++ } { $count }", "63")]
    [InlineData("Compare-LlamaCheckpoint fs2 -Summary @at | ForEach-Object Difference", "fs2 hf run@10")]
    [InlineData("Export-LlamaReferenceCheckpoint { \"out/$($_.Name)\" } -Architecture $tiny @at", "fs2 hf run@10")]
    [InlineData("Export-CheckpointReport { \"$($_.Name).md\" } -Architecture $tiny @at | ForEach-Object BaseName", "fs2 hf run@10")]
    public void The_files_of_each_checkpoint_are_one(string command, string expected)
    {
        var outcome = Session.RunOn($"{S3} | {command}");

        Assert.Empty(outcome.Errors);
        Assert.Equal(expected.Split(' '), outcome.Names);
    }

    [Fact]
    public void The_store_is_listed_as_often_as_for_an_address()
    {
        Session.Run("Read-LlamaCheckpoint s3://bucket/all/hf @at");
        var expected = Server.TakeCalls().Select(call => call.Operation).ToArray();

        Session.Run($"{S3} | ForEach-Object {{ if ($_.Key -like '*/hf/*') {{ $_ }} }} | Read-LlamaCheckpoint @at");

        Assert.Equal(expected, Server.TakeCalls().Select(call => call.Operation));
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint -Path $files[0] @at", "hf")]
    [InlineData("Read-LlamaCheckpoint $files @at", "hf")]
    [InlineData("Get-CheckpointTensor $files tok_embeddings* @at", "model.embed_tokens.weight")]
    [InlineData("Compare-LlamaCheckpoint $files[0] fs2 -Summary @at | ForEach-Object Reference", "hf")]
    [InlineData("$files[0], 's3://bucket/fs2' | Read-LlamaCheckpoint @at", "fs2 hf")]
    public void They_can_be_arguments_and_be_among_paths(string script, string expected)
    {
        Session.Run($"$files = @({S3} | ForEach-Object {{ if ($_.Key -like '*/hf/*') {{ $_ }} }})");

        Assert.Equal(expected.Split(' '), Session.RunOn(script).Names);
    }

    [Fact]
    public void What_is_wrong_with_one_does_not_keep_others_from_being_read()
    {
        var outcome = Session.RunOn(
            "'all/fs2/model.pt', 'all/none/model.pt', 'all/run/checkpoints/step_5/model.pt' | ForEach-Object { [pscustomobject]@{ BucketName = 'bucket'; Key = $_ } } | Read-LlamaCheckpoint @at");

        Assert.Equal(["fs2", "run@5"], outcome.Names);
        Assert.Equal(["CheckpointNotFound"], outcome.ErrorIds);
    }

    [Fact]
    public void What_is_no_checkpoint_is_an_error()
    {
        string[] keys = ["notes/a/1.txt", "notes/a/2.txt", "notes/b.txt"];
        Array.ForEach(keys, key => Bucket.Put(key, [0]));
        Session["keys"] = keys;

        Session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"{S3} | Read-LlamaCheckpoint @at", "'s3://bucket/notes' holds no LLaMA checkpoint");
    }

    [Theory]
    [InlineData("@{ BucketName = 'bucket'; Key = 'all/fs2/model.pt'; VersionId = 'v1'; IsLatest = $false }", 0)]
    [InlineData("@{ BucketName = 'bucket'; Key = 'all/fs2/model.pt'; VersionId = 'v2'; IsLatest = $true; IsDeleteMarker = $false }", 1)]
    [InlineData("@{ BucketName = 'bucket'; Key = 'all/fs2/model.pt'; VersionId = 'v2'; IsLatest = $true; IsDeleteMarker = $true }", 0)]
    [InlineData("@{ BlobBaseClient = @{ Uri = [uri]\"${server}plain/bucket/all/fs2/model.pt?snapshot=2026-01-01\" } }", 0)]
    [InlineData("@{ BlobBaseClient = @{ Uri = [uri]\"${server}plain/bucket/all/fs2/model.pt\" }; SnapshotTime = [datetime]::UtcNow }", 0)]
    [InlineData("@{ BlobBaseClient = @{ Uri = [uri]\"${server}plain/bucket/all/fs2/model.pt?versionid=v1\" }; VersionId = 'v1'; IsLatestVersion = $false }", 0)]
    [InlineData("@{ BlobBaseClient = @{ Uri = [uri]\"${server}plain/bucket/all/fs2/model.pt?versionid=v2\" }; VersionId = 'v2'; IsLatestVersion = $true }", 1)]
    [InlineData("@{ BlobBaseClient = @{ Uri = [uri]\"${server}plain/bucket/all/fs2/model.pt\" }; IsDeleted = $true }", 0)]
    public void Only_what_is_there_now_is_read(string properties, int count)
    {
        Server.FolderPages = PlainFolderPages.Nginx;
        var outcome = Session.RunOn($"[pscustomobject]{properties.Replace("BlobBaseClient = @", "BlobBaseClient = [pscustomobject]@", StringComparison.Ordinal)} | Read-LlamaCheckpoint -ProfileName $at.ProfileName"
            + (properties.Contains("Blob", StringComparison.Ordinal) ? "" : " -EndpointUrl $at.EndpointUrl"));

        Assert.Empty(outcome.Errors);
        Assert.Equal(count, outcome.Output.Count);
        Assert.Equal(1 - count, outcome.Warnings.Count(text => text.Contains("(1)", StringComparison.Ordinal) && text.Contains("current version", StringComparison.Ordinal)));
    }

    /// <summary>Text of a file has the path of that file as a property, and a folder of the same name as an object is no object.</summary>
    [Theory]
    [InlineData("$text = [psobject]::AsPSObject('fs2'); $text.PSObject.Properties.Add([psnoteproperty]::new('PSPath', 'list.txt')); $text | Read-LlamaCheckpoint", "fs2")]
    [InlineData("[pscustomobject]@{ FullName = 'fs2'; Key = 'k' } | Read-LlamaCheckpoint", "fs2")]
    [InlineData("[pscustomobject]@{ FullName = 'fs2'; BucketName = 'bucket' } | Read-LlamaCheckpoint", "fs2")]
    [InlineData("[pscustomobject]@{ FullName = 'fs2'; BlobClient = [pscustomobject]@{ Uri = 'nowhere' } } | Read-LlamaCheckpoint", "fs2")]
    public void Other_objects_are_what_they_were(string script, string expected) => Assert.Equal([expected], Session.RunOn(script).Names);

    [Theory]
    [InlineData("5 | Get-CheckpointTensor", "InputObjectNotBound")]
    [InlineData("Get-CheckpointTensor ([pscustomobject]@{ Key = 'k' })", "CannotConvertArgument")]
    [InlineData("Get-CheckpointTensor (Get-LlamaArchitecture 7b)", "CannotConvertArgument")]
    public void What_is_no_checkpoint_can_not_be_one(string script, string id) => Assert.StartsWith(id, Session.RunForError(script).FullyQualifiedErrorId, StringComparison.Ordinal);
}
