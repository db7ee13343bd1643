using System.Net;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>
/// Az.Storage and AWS.Tools bring SDKs in other versions into the session, before our module or after it. Both work, before and after, and listings of theirs come
/// down our pipelines. What is loaded is the matter of a whole process, so each test runs one.
/// </summary>
[External]
public sealed class OtherSdkTests(Azurite azurite)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const string ImportOther =
        """
        Import-Module $Other
        foreach ($file in [IO.Directory]::GetFiles([IO.Path]::GetDirectoryName($Other), '*.dll')) {
            $null = [Reflection.Assembly]::LoadFrom($file)
        }

        """;

    private const string ImportOurs = "Import-Module $Module\n";

    /// <summary>Where our assemblies and the SDKs are.</summary>
    private const string Report =
        """
        foreach ($assembly in [AppDomain]::CurrentDomain.GetAssemblies()) {
            $name = $assembly.GetName()
            $folder = [IO.Path]::GetFileName([IO.Path]::GetDirectoryName($assembly.Location))
            if ($assembly.Location -like "$([IO.Path]::GetDirectoryName($Module))*" -or $assembly.Location -like "$([IO.Path]::GetDirectoryName($Other))*") {
                "loaded $($name.Name) $folder $([Runtime.Loader.AssemblyLoadContext]::GetLoadContext($assembly).Name)"
            }
        }

        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void S3_works_beside_another_AWS_SDK(bool isOtherFirst)
    {
        using var server = new S3Server();
        var access = server.Access;
        Put(server.Bucket("bucket"), "in/run/checkpoints/step_5/");
        Put(server.Bucket("bucket"), "in/b/");

        const string Use =
            """
            $at = @{ EndpointUrl = $Server; ProfileName = $ProfileName }
            function Get-Listing($Prefix) { Get-S3Object -BucketName bucket -KeyPrefix $Prefix -EndpointUrl $Server -AccessKey $AccessKey -SecretKey $SecretKey }
            $files = Get-Listing in/
            "type $($files[0].GetType()) $($files[0].GetType().Assembly.GetName().Version.Major)"
            "read $($files | Read-LlamaCheckpoint @at)"
            $null = $files | Export-Fairseq2Checkpoint { "s3://bucket/out/$($_.Name)" } @at -Architecture $tiny
            "listed $((Get-Listing out/).Key)"
            "read $(Get-Listing out/ | Read-LlamaCheckpoint @at)"

            """;

        var lines = Run(
            isOtherFirst, "s3://bucket/in/b -EndpointUrl $Server -ProfileName $ProfileName", "Get-S3Object -BucketName bucket -EndpointUrl $Server -AccessKey $AccessKey -SecretKey $SecretKey", Use,
            $"{server.Address}", access.ProfileName!, S3Server.AccessKey, S3Server.Secret);

        Assert.Equal(
            [
                "type Amazon.S3.Model.S3Object 3", "read b run@5", "listed out/b/model.pt out/b/model.yaml out/run@5/model.pt out/run@5/model.yaml", "read b run@5",
            ],
            lines.Where(line => !line.StartsWith("loaded ", StringComparison.Ordinal)));
        AssertApart(lines, "S3", "AWSSDK.Core", "AWSSDK.S3");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Azure_works_beside_another_Azure_SDK(bool isOtherFirst)
    {
        var container = azurite.CreateContainer();
        var signature = new NetworkCredential("", azurite.Sign(container)).Password;
        var client = azurite.Open(container);

        foreach (var file in Directory.EnumerateFiles(Repository.Case("fs2")))
        {
            foreach (var prefix in (string[])["in/run/checkpoints/step_5/", "in/b ü/"])
            {
                await client.PutAsync(prefix + Path.GetFileName(file), await File.ReadAllBytesAsync(file, Token), "test", replaces: null, Token);
            }
        }

        const string Use =
            """
            $at = @{ EndpointUrl = $Account }
            function Get-Listing($Prefix) { Get-AzStorageBlob -Container "$Container$Signature" -Prefix $Prefix }
            $files = Get-Listing in/
            "type $($files[0].BlobBaseClient.GetType()) $($files[0].BlobBaseClient.GetType().Assembly.GetName().Version)"
            "signed $($files[0].BlobBaseClient.Uri.Query.Length -gt 0)"
            "read $($files | Read-LlamaCheckpoint @at)"
            "read $($files.BlobBaseClient | Read-LlamaCheckpoint @at)"
            $null = $files | Export-Fairseq2Checkpoint { "$Container/out/$($_.Name)$Signature" } @at -Architecture $tiny
            "listed $((Get-Listing out/).Name)"
            "read $(Get-Listing out/ | Read-LlamaCheckpoint @at)"

            # Signs in: nobody is signed in over http.
            Read-LlamaCheckpoint https://127.0.0.1:1/account/container/run -EndpointUrl https://127.0.0.1:1/account -ErrorAction Ignore

            """;

        var lines = Run(
            isOtherFirst, "\"$Container/in/b ü$Signature\" -EndpointUrl $Account", "Get-AzStorageBlob -Container \"$Container$Signature\"", Use, $"{azurite.Account}", $"{container}", signature);

        Assert.Equal(
            [
                "type Azure.Storage.Blobs.Specialized.BlobBaseClient 12.19.1.0", "signed True", "read b ü run@5", "read b ü run@5",
                "listed out/b ü/model.pt out/b ü/model.yaml out/run@5/model.pt out/run@5/model.yaml", "read b ü run@5",
            ],
            lines.Where(line => !line.StartsWith("loaded ", StringComparison.Ordinal)));
        AssertApart(lines, "AzureBlobs", "Azure.Core", "Azure.Storage.Blobs", "Azure.Storage.Common", "Microsoft.Identity.Client", "System.ClientModel");
    }

    /// <summary>Each assembly of ours but the two that scripts know is in a context of ours, and none of the other module's is.</summary>
    private static void AssertApart(IReadOnlyList<string> lines, string store, params string[] both)
    {
        var loaded = lines.Where(line => line.StartsWith("loaded ", StringComparison.Ordinal)).Select(line => line.Split(' ')).Select(parts => (Name: parts[1], Folder: parts[2], Context: parts[3])).ToArray();
        var other = Path.GetFileName(Path.GetDirectoryName(Repository.OtherModule));

        Assert.All(loaded, assembly => Assert.Equal(
            assembly.Folder == store ? $"Fairseq2Llama.{store}" : assembly.Folder == "dependencies" ? "Fairseq2Llama" : "Default", assembly.Context));
        Assert.Equal(
            ["Fairseq2Llama", "Fairseq2Llama.Checkpoints"],
            loaded.Where(assembly => assembly.Context == "Default" && assembly.Folder != other).Select(assembly => assembly.Name).Order(StringComparer.Ordinal));
        Assert.All(both, name => Assert.Equal(["Default", $"Fairseq2Llama.{store}"], loaded.Where(assembly => assembly.Name == name).Select(assembly => assembly.Context).Order(StringComparer.Ordinal)));
    }

    /// <param name="isOtherFirst">Whether the other module comes first and is used before ours is imported, or the other way round.</param>
    /// <param name="address">An address for ours to read, with parameters.</param>
    /// <param name="list">A command of the other.</param>
    /// <param name="use">What uses both.</param>
    /// <param name="arguments">What the parameters of the script after the first two stand for.</param>
    private static IReadOnlyList<string> Run(bool isOtherFirst, string address, string list, string use, params string[] arguments)
    {
        const string Tiny = "$tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8\n";

        var parameters = string.Join(", ", use.Contains("$Account", StringComparison.Ordinal) ? ["$Account", "$Container", "$Signature"] : (string[])["$Server", "$ProfileName", "$AccessKey", "$SecretKey"]);
        string[] steps = isOtherFirst ? [ImportOther, $"$null = {list}\n", ImportOurs] : [ImportOurs, $"$null = Read-LlamaCheckpoint {address}\n", ImportOther];

        return ScriptProcess.Run(
            $"param($Module, $Other, {parameters})\n$ErrorActionPreference = 'Stop'\n$env:AZURE_TOKEN_CREDENTIALS = 'EnvironmentCredential'\n{string.Concat(steps)}{Tiny}{use}{Report}",
            [Repository.StagedModule, Repository.OtherModule, .. arguments]);
    }

    private static void Put(S3Bucket bucket, string prefix) => bucket.PutFolder(Repository.Case("fs2"), prefix);
}
