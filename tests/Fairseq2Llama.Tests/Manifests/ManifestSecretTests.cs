using System.Text.Json;
using Fairseq2Llama.Tests.Cmdlets;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>A manifest goes wherever the checkpoint goes: it tells nothing of the machine that it was made on, nor what opens a store.</summary>
public sealed class ManifestSecretTests : StoreCommandTests
{
    private const string Planted = "PLANTEDsecretPLANTED";

    public ManifestSecretTests()
    {
        Session["signed"] = $"{Server.PlainAddress}bucket/fs2?sig={Planted}&sp=r";
        ConverterModel.Tied.Write(Folder["private/hf"]);
    }

    [Theory]
    [InlineData("Export-LlamaHuggingFaceCheckpoint fs2 out -Architecture $tiny -Manifest")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint private/hf out -TokenizerPath private/hf -Manifest")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint private/hf out -TokenizerPath $folder/private/hf/ -Manifest")]
    [InlineData("Export-LlamaReferenceCheckpoint $folder/fs2/model.pt $folder/out -Architecture $tiny -Manifest")]
    [InlineData("Export-LlamaGgufCheckpoint private/hf $folder/out/x.gguf -TokenizerPath $folder/private/hf/tokenizer.model -Manifest")]
    [InlineData("Export-Fairseq2Checkpoint private/hf out -Manifest; New-CheckpointManifest out -Force")]
    [InlineData("Export-LlamaReferenceCheckpoint $signed out -Architecture $tiny -Manifest")]
    [InlineData("Export-LlamaReferenceCheckpoint $signed out -Architecture $tiny -ShardCount 2 -Manifest")]
    [InlineData("Export-LlamaReferenceCheckpoint s3://bucket/fs2 out @at -Architecture $tiny -Manifest")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint s3://bucket/fs2 s3://bucket/out @at -Architecture $tiny -Manifest")]
    public void Has_no_paths_and_no_secrets(string script)
    {
        Session["folder"] = Folder.Path;
        Session.Run($"$null = {script}");

        var manifest = FindManifest();
        var (folder, user) = (Path.GetDirectoryName(Folder.Path)!, Environment.UserName);

        // Nobody can say whether a name such as root is that of a user.
        string[] names = [folder, Path.GetFileName(folder), "private", Environment.MachineName, Planted, S3Server.Secret, .. user.Length > 4 ? [user] : Array.Empty<string>()];
        Assert.All(names, name => Assert.DoesNotContain(name, manifest, StringComparison.Ordinal));
        Assert.All(TextsIn(JsonDocument.Parse(manifest).RootElement), text => Assert.False(Path.IsPathRooted(text) || text.Contains('\\') || text.Contains('?') || text.Contains("sp=r", StringComparison.Ordinal), text));
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint $signed out -Architecture $tiny -Manifest")]
    [InlineData("Export-LlamaReferenceCheckpoint s3://bucket/fs2 out @at -Architecture $tiny -Manifest")]
    public void Has_the_address_of_an_input_in_a_store_and_what_state_of_it_was_read(string script)
    {
        Session.Run($"$null = {script}");

        var source = CheckpointManifests.Read(Folder["out"], TestContext.Current.CancellationToken).Source!;

        Assert.EndsWith("bucket/fs2", source.Address, StringComparison.Ordinal);
        var file = Assert.Single(source.Files);
        Assert.Equal(("model.pt", Bucket["fs2/model.pt"].LongLength), (file.Name, file.SizeInBytes));
        Assert.Matches("^\"?[0-9a-z-]+\"?$", file.ETag!);
    }

    [Fact]
    public void Has_no_address_of_an_input_in_a_folder()
    {
        Session.Run("$null = Export-LlamaReferenceCheckpoint fs2 out -Architecture $tiny -Manifest");

        var source = CheckpointManifests.Read(Folder["out"], TestContext.Current.CancellationToken).Source!;

        Assert.Equal(("fs2", null), (source.Name, source.Address));
        Assert.Null(Assert.Single(source.Files).ETag);
    }

    [Fact]
    public void In_a_store_is_tested_and_compared_as_in_a_folder()
    {
        Session.Run(
            """
            $null = Export-LlamaReferenceCheckpoint fs2 out -Architecture $tiny -Manifest
            $null = Export-LlamaReferenceCheckpoint fs2 s3://bucket/out @at -Architecture $tiny -Manifest
            $null = New-CheckpointManifest s3://bucket/fs2 @at
            """);

        Assert.Equal(File.ReadAllBytes(Folder["out/checkpoint-manifest.json"]), Bucket["out/checkpoint-manifest.json"]);
        Assert.Empty(Session.RunOne<ManifestTestResult>("Test-CheckpointManifest s3://bucket/out @at").Findings);
        Assert.Empty(Session.RunOne<ManifestTestResult>("Test-CheckpointManifest s3://bucket/fs2 -Against out @at").Findings.Where(finding => finding.Severity == FindingSeverity.Error));
        Assert.Empty(Session.RunOne<ManifestTestResult>("Test-CheckpointManifest out -Against s3://bucket/fs2/checkpoint-manifest.json @at").Findings);

        Bucket.Put("out/params.json", "{}"u8.ToArray());
        Assert.Contains("'params.json' is 2 bytes long", Assert.Single(Session.RunOne<ManifestTestResult>("Test-CheckpointManifest s3://bucket/out @at").Findings).Message, StringComparison.Ordinal);
    }

    private string FindManifest()
    {
        var file = Directory.Exists(Folder["out"]) ? Directory.GetFiles(Folder["out"], "*checkpoint-manifest.json").Single() : null;
        return System.Text.Encoding.UTF8.GetString(file is null ? Bucket["out/checkpoint-manifest.json"] : File.ReadAllBytes(file));
    }

    private static IEnumerable<string> TextsIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(entry => TextsIn(entry.Value).Append(entry.Name)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(TextsIn),
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };
}
