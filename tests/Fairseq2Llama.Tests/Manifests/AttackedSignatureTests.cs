using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>What a manifest can't show, because whoever changes a checkpoint can write a manifest that fits, the signature shows.</summary>
public sealed class AttackedSignatureTests : IDisposable
{
    private const string Key = "out -KeyPath signing.pub";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public AttackedSignatureTests()
    {
        ConverterModel.Parts.Write(_folder["in"]);
        _session.Location = _folder.Path;
        WriteKeys("");
        WriteKeys("other-");
        _session.Run("$null = Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB -Manifest; $null = New-CheckpointManifest out -KeyPath signing.key");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_nobody_changed_passes()
    {
        var result = Test(Key);

        Assert.Empty(result.Findings);
        Assert.True(result.Passed);
        Assert.Equal(Directory.GetFiles(_folder["out"]).Length - 1, result.Files);
        Assert.Matches("^[0-9a-f:]{32,}$", result.SignedBy!);
    }

    [Fact]
    public void A_signature_that_nobody_verified_is_pointed_at()
    {
        var finding = Assert.Single(Test("out").Findings);

        Assert.Equal((FindingSeverity.Warning, CheckpointErrorCode.SignatureInvalid), (finding.Severity, finding.Code));
        Assert.Contains("was not verified, because nobody is trusted. Use -KeyPath or -TrustedCertificatePath", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model-00002-of-00003.safetensors")]
    [InlineData("config.json")]
    [InlineData("tokenizer.model")]
    public void A_changed_file_is_found_even_if_the_manifest_fits_it(string file)
    {
        Change(_folder[$"out/{file}"]);
        _session.Run("$signature = [IO.File]::ReadAllBytes(\"$pwd/out/model.sig\"); $null = New-CheckpointManifest out -Force; [IO.File]::WriteAllBytes(\"$pwd/out/model.sig\", $signature)");
        Assert.DoesNotContain(Test("out").Findings, finding => finding.Severity == FindingSeverity.Error);

        var result = Test(Key);

        Assert.False(result.Passed);
        Assert.Contains(result.Findings, finding => finding.Message.StartsWith($"'{file}' was changed", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.Message.StartsWith("'checkpoint-manifest.json' was changed", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.Message == $"the manifest has another SHA-256 of '{file}' than the signature");
    }

    /// <summary>Nothing in a manifest contradicts options that are not those of the export.</summary>
    [Theory]
    [InlineData("options")]
    [InlineData("source")]
    [InlineData("tool")]
    public void A_changed_option_is_found_by_the_signature_alone(string what)
    {
        var path = _folder["out/checkpoint-manifest.json"];
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        var predicate = manifest["predicate"]!;

        switch (what)
        {
            case "options":
                predicate["options"]!["MaxShardSize"] = "5";
                break;
            case "source":
                predicate["source"]!["name"] = "another";
                break;
            default:
                predicate["tool"]!["version"] = "9.9.9";
                break;
        }

        File.WriteAllText(path, manifest.ToJsonString());

        Assert.True(Test("out").Passed);
        AssertOne(Key, CheckpointErrorCode.ManifestMismatch, "'checkpoint-manifest.json' ");
    }

    [Fact]
    public void A_forged_signature_is_found()
    {
        Edit(bundle => bundle["dsseEnvelope"]!["signatures"]![0]!["sig"] = Convert.ToBase64String(new byte[70]));
        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "model.sig");

        Edit(bundle =>
        {
            var signature = bundle["dsseEnvelope"]!["signatures"]![0]!;
            var bytes = Convert.FromBase64String((string)signature["sig"]!);
            bytes[^1] ^= 1;
            signature["sig"] = Convert.ToBase64String(bytes);
        });
        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "model.sig");

        // What is signed is changed, and the signature kept.
        Edit(bundle =>
        {
            var payload = Convert.FromBase64String((string)bundle["dsseEnvelope"]!["payload"]!);
            bundle["dsseEnvelope"]!["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(payload).Replace("\"out\"", "\"oat\"", StringComparison.Ordinal)));
        });
        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "model.sig");

        File.WriteAllText(_folder["out/model.sig"], "{}");
        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "model.sig");
        File.WriteAllText(_folder["out/model.sig"], "");
        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "model.sig");
    }

    [Fact]
    public void Another_key_is_found()
    {
        AssertOne("out -KeyPath other-signing.pub", CheckpointErrorCode.SignerUntrusted, "model.sig");

        _session.Run("$null = New-CheckpointManifest out -KeyPath other-signing.key -Force");
        AssertOne(Key, CheckpointErrorCode.SignerUntrusted, "model.sig");
        Assert.Empty(Test("out -KeyPath other-signing.pub").Findings);
    }

    [Fact]
    public void The_signature_of_another_model_is_found()
    {
        _session.Run("$null = Export-LlamaHuggingFaceCheckpoint in other -MaxShardSize 20KB -DType float32 -Manifest; $null = New-CheckpointManifest other -KeyPath signing.key");
        File.Copy(_folder["other/model.sig"], _folder["out/model.sig"], overwrite: true);

        var result = Test(Key);

        Assert.False(result.Passed);
        Assert.Contains(result.Findings, finding => finding.Message == "'model-00001-of-00003.safetensors' is in the manifest, but not signed");
        Assert.Contains(result.Findings, finding => finding.Message == "the manifest has another SHA-256 of 'config.json' than the signature");
    }

    [Fact]
    public void A_removed_signature_is_found()
    {
        File.Delete(_folder["out/model.sig"]);

        AssertOne(Key, CheckpointErrorCode.SignatureInvalid, "is not signed: there is no model.sig");
    }

    [Fact]
    public void A_removed_manifest_is_found()
    {
        File.Delete(_folder["out/checkpoint-manifest.json"]);

        AssertOne(Key, CheckpointErrorCode.ManifestMismatch, "'checkpoint-manifest.json' is missing");
    }

    [Theory]
    [InlineData("pickle.bin", "'pickle.bin' is not signed")]
    [InlineData(".hidden", "'.hidden' is not signed")]
    [InlineData("code/modeling.py", "'code/modeling.py' is not signed")]
    [InlineData("x.checkpoint-manifest.json", "'x.checkpoint-manifest.json' is not signed")]
    public void A_file_that_was_added_after_signing_is_found(string name, string message)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[$"out/{name}"])!);
        File.WriteAllText(_folder[$"out/{name}"], "x");

        AssertOne(Key, CheckpointErrorCode.ManifestMismatch, message);
    }

    /// <summary>The program that verifies it refuses links unless the signature and its user allow them.</summary>
    [Fact]
    public void A_signature_says_whether_it_is_of_links()
    {
        File.Move(_folder["out/config.json"], _folder["config of another folder.json"]);
        SymbolicLink.ToFile(_folder["out/config.json"], _folder["config of another folder.json"]);
        Assert.Contains("\"allow_symlinks\":false", Statement(), StringComparison.Ordinal);
        var finding = Assert.Single(Test(Key).Findings);
        Assert.Equal(FindingSeverity.Error, finding.Severity);
        Assert.Equal("'config.json' is a link, and there was none when the checkpoint was signed", finding.Message);

        _session.Run("$null = New-CheckpointManifest out -KeyPath signing.key -Force");
        Assert.Contains("\"allow_symlinks\":true", Statement(), StringComparison.Ordinal);
        Assert.Empty(Test(Key).Findings);

        string Statement()
        {
            using var bundle = JsonDocument.Parse(File.ReadAllBytes(_folder["out/model.sig"]));
            return Encoding.UTF8.GetString(bundle.RootElement.GetProperty("dsseEnvelope").GetProperty("payload").GetBytesFromBase64());
        }
    }

    /// <summary>Two such links would make 2^40 paths before the system says that there are too many.</summary>
    [Fact]
    public void A_folder_without_an_end_is_refused()
    {
        SymbolicLink.ToFolder(_folder["out/a"], ".");
        SymbolicLink.ToFolder(_folder["out/b"], "../out");

        _session.RunForError(CheckpointErrorCode.SignatureInvalid, $"Test-CheckpointManifest {Key}", _folder["out/a"], "is a link to a folder", "Remove the link");
        _session.RunForError(CheckpointErrorCode.SignatureInvalid, "New-CheckpointManifest out -KeyPath signing.key -Force", "is a link to a folder");
    }

    /// <summary>Whoever may write can add a file to the manifest, too.</summary>
    [Fact]
    public void A_file_that_only_the_manifest_has_is_found()
    {
        File.WriteAllText(_folder["out/extra.txt"], "x");
        _session.Run("$signature = [IO.File]::ReadAllBytes(\"$pwd/out/model.sig\"); $null = New-CheckpointManifest out -Force; [IO.File]::WriteAllBytes(\"$pwd/out/model.sig\", $signature)");

        Assert.Contains(Test(Key).Findings, finding => finding.Severity == FindingSeverity.Error && finding.Message == "'extra.txt' is in the manifest, but not signed");
    }

    [Fact]
    public void Another_certificate_is_found()
    {
        WriteCertificates("", new Authority(start: DateTimeOffset.UtcNow.AddDays(-1)));
        WriteCertificates("other-", new Authority("Other Root", DateTimeOffset.UtcNow.AddDays(-1)));
        WriteCertificates("old-", new Authority("Old Root", DateTimeOffset.UtcNow.AddYears(-2)));
        _session.Run("$null = New-CheckpointManifest out -KeyPath signer.key -CertificatePath signer.pem, intermediate.pem -Force");

        var trusted = Test("out -TrustedCertificatePath root.pem");
        Assert.Empty(trusted.Findings);
        Assert.Contains("Model Signer", trusted.SignedBy, StringComparison.Ordinal);
        Assert.Empty(Test("out -TrustedCertificatePath other-root.pem, root.pem").Findings);

        AssertOne("out -TrustedCertificatePath other-root.pem", CheckpointErrorCode.SignerUntrusted, "model.sig");
        AssertOne("out -KeyPath signing.pub", CheckpointErrorCode.SignerUntrusted, "model.sig");

        // The same name, issued by somebody else.
        _session.Run("$null = New-CheckpointManifest out -KeyPath other-signer.key -CertificatePath other-signer.pem, other-intermediate.pem -Force");
        AssertOne("out -TrustedCertificatePath root.pem", CheckpointErrorCode.SignerUntrusted, "model.sig");

        // A certificate of another key, and one that is over.
        _session.RunForError(CheckpointErrorCode.SigningKeyInvalid, "New-CheckpointManifest out -KeyPath signer.key -CertificatePath other-signer.pem, other-intermediate.pem -Force", "other-signer.pem");
        _session.RunForError(CheckpointErrorCode.SigningKeyInvalid, "New-CheckpointManifest out -KeyPath old-signer.key -CertificatePath old-signer.pem, old-intermediate.pem -Force", "old-signer.pem");
    }

    [Fact]
    public void A_bare_key_does_not_satisfy_who_trusts_certificates()
    {
        WriteCertificates("", new Authority(start: DateTimeOffset.UtcNow.AddDays(-1)));

        AssertOne("out -TrustedCertificatePath root.pem", CheckpointErrorCode.SignerUntrusted, "model.sig");
    }

    private ManifestTestResult Test(string arguments) => _session.RunOne<ManifestTestResult>($"Test-CheckpointManifest {arguments}");

    private void AssertOne(string arguments, CheckpointErrorCode code, string message)
    {
        var result = Test(arguments);
        var finding = Assert.Single(result.Findings, finding => finding.Severity == FindingSeverity.Error);
        Assert.Equal(code, finding.Code);
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
        Assert.False(_session.RunOne<bool>($"Test-CheckpointManifest {arguments} -Quiet"));

        if (code != CheckpointErrorCode.ManifestMismatch)
        {
            Assert.Null(result.SignedBy);
        }
    }

    /// <summary>What is JSON stays JSON.</summary>
    private static void Change(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= (byte)(bytes[^1] == '\n' ? '\n' ^ ' ' : 1);
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Changes the signature as it was written.</summary>
    private void Edit(Action<JsonNode> change)
    {
        var (path, original) = (_folder["out/model.sig"], _folder["original.sig"]);

        if (!File.Exists(original))
        {
            File.Copy(path, original);
        }

        var bundle = JsonNode.Parse(File.ReadAllText(original))!;
        change(bundle);
        File.WriteAllText(path, bundle.ToJsonString());
    }

    private void WriteKeys(string prefix)
    {
        var (key, trusted) = TestKeys.Make();
        Write(prefix, key, trusted);
    }

    private void WriteCertificates(string prefix, Authority authority)
    {
        using (authority)
        {
            var (key, certificate) = authority.Issue();
            Write(prefix, key, certificate, authority.Intermediate, authority.Root);
        }
    }

    private void Write(string prefix, params PemFile[] files) => Array.ForEach(files, file => File.WriteAllText(_folder[prefix + file.Name], file.Text));
}
