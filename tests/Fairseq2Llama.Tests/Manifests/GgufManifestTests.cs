using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>GGUF models lie side by side in a folder, and each has a manifest of its own.</summary>
public sealed class GgufManifestTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public GgufManifestTests()
    {
        ConverterModel.Tied.Write(_folder["in"]);
        _session.Location = _folder.Path;
        _session.Run(
            """
            $null = Export-LlamaGgufCheckpoint in models/x.gguf -Manifest
            $null = Export-LlamaGgufCheckpoint in models/x2.gguf -DType float16
            $null = Export-LlamaGgufCheckpoint in models/x-y.gguf -DType Q8_0 -MaxShardSize 9KB -Manifest
            """);
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Each_model_has_its_own()
    {
        Assert.Equal(["x-y.checkpoint-manifest.json", "x.checkpoint-manifest.json"], Manifests());
        Assert.Equal(["x.gguf"], Read("models/x.gguf").Files.Select(file => file.Name));
        Assert.Equal(3, Read("models/x-y-00001-of-00003.gguf").Files.Length);
        Assert.Equal(("x", "x-y"), (Read("models/x.gguf").Name, Read("models/x-y-00002-of-00003.gguf").Name));
    }

    [Theory]
    [InlineData("models/x.gguf", "x", 1)]
    [InlineData("models/x-y-00001-of-00003.gguf", "x-y", 3)]
    [InlineData("models/x-y-00003-of-00003.gguf", "x-y", 3)]
    [InlineData("models/x.checkpoint-manifest.json", "x", 1)]
    [InlineData("models/x-y.checkpoint-manifest.json", "x-y", 3)]
    public void Each_file_leads_to_that_of_its_model(string path, string name, int files)
    {
        var result = _session.RunOne<ManifestTestResult>($"Test-CheckpointManifest {path}");

        Assert.Equal((name, files), (result.Name, result.Files));
        Assert.Empty(result.Findings);

        // A model is read by the first of its files.
        if (path.EndsWith("gguf", StringComparison.Ordinal) && !path.Contains("00003-of", StringComparison.Ordinal))
        {
            Assert.Equal(name, _session.RunOne<ManifestTestResult>($"Read-LlamaCheckpoint {path} | Test-CheckpointManifest").Name);
        }
    }

    /// <summary>Of a model without a manifest, that of one with a similar name says nothing.</summary>
    [Theory]
    [InlineData("models/x2.gguf")]
    public void Another_model_s_is_not_taken_for_it(string path)
    {
        _session.RunForError(CheckpointErrorCode.ManifestNotFound, $"Test-CheckpointManifest {path}", "There is no manifest of", "x2.gguf", "New-CheckpointManifest");
        _session.RunForError(CheckpointErrorCode.ManifestNotFound, $"Read-LlamaCheckpoint {path} | Test-CheckpointManifest", "There is no manifest of");
    }

    [Fact]
    public void Others_stay_when_one_model_is_replaced()
    {
        var others = CheckpointFolder.Snapshot(_folder["models"]).Where(file => file.Key.StartsWith("x-y", StringComparison.Ordinal)).ToDictionary();

        _session.RunForError(CheckpointErrorCode.OutputExists, "Export-LlamaGgufCheckpoint in models/x.gguf", "x.checkpoint-manifest.json");
        _session.Run("$null = Export-LlamaGgufCheckpoint in models/x.gguf -Force");

        Assert.Equal(["x-y.checkpoint-manifest.json"], Manifests());
        Assert.Equal(others, CheckpointFolder.Snapshot(_folder["models"]).Where(file => file.Key.StartsWith("x-y", StringComparison.Ordinal)).ToDictionary());

        _session.Run("$null = New-CheckpointManifest models/x.gguf, models/x2.gguf");
        Assert.Equal(["x-y.checkpoint-manifest.json", "x.checkpoint-manifest.json", "x2.checkpoint-manifest.json"], Manifests());
        Assert.Equal(["x2.gguf"], Read("models/x2.gguf").Files.Select(file => file.Name));
        _session.RunForError(CheckpointErrorCode.OutputExists, "New-CheckpointManifest models/x2.gguf", "already holds x2.checkpoint-manifest.json");
    }

    [Fact]
    public void Of_a_split_model_a_changed_part_is_found()
    {
        var path = _folder["models/x-y-00003-of-00003.gguf"];
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        Assert.StartsWith("'x-y-00003-of-00003.gguf' was changed", Assert.Single(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest models/x-y-00001-of-00003.gguf").Findings).Message, StringComparison.Ordinal);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest models/x.gguf").Findings);
    }

    /// <summary>All models in the folder are signed at once, since a signature is of a folder.</summary>
    [Fact]
    public void A_signature_is_of_the_whole_folder()
    {
        var (key, trusted) = Signing.TestKeys.Make();
        File.WriteAllText(_folder["signing.key"], key.Text);
        File.WriteAllText(_folder["signing.pub"], trusted.Text);
        _session.Run("$null = New-CheckpointManifest models/x.gguf -KeyPath signing.key");

        var result = _session.RunOne<ManifestTestResult>("Test-CheckpointManifest models/x.gguf -KeyPath signing.pub");
        Assert.Equal((7, 0), (result.Files, result.Findings.Length));

        File.AppendAllText(_folder["models/x2.gguf"], "x");
        Assert.Contains("'x2.gguf' was changed", Assert.Single(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest models/x.gguf -KeyPath signing.pub").Findings).Message, StringComparison.Ordinal);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest models/x.gguf").Findings.Where(finding => finding.Severity == FindingSeverity.Error));
    }

    private string[] Manifests() => [.. Directory.GetFiles(_folder["models"], "*.json").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private CheckpointManifest Read(string path) => CheckpointManifests.Read(_folder[path], TestContext.Current.CancellationToken);
}
