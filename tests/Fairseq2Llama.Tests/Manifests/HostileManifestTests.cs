using System.Text;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Fuzzing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Whatever a manifest says, it is refused as one, or nothing but its folder is looked at.</summary>
public sealed class HostileManifestTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _path;
    private readonly string _text;

    public HostileManifestTests()
    {
        var manifest = ManifestedExport.Write(ConverterModel.Tied.Write(_folder["in"]), _folder["out"], new ReferenceExportOptions { ShardCount = 2 });
        _path = manifest.Path!;
        _text = File.ReadAllText(_path);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"consolidated.00.pth\"", "it has the file 'consolidated.00.pth' twice")]
    [InlineData("\"name\": \"layers.0.attention.wk.weight\"", "\"name\": \"layers.0.attention.wq.weight\"", "it has the tensor 'layers.0.attention.wq.weight' twice")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"params.json\", \"name\": \"params.json\"", "the key 'name' twice")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"params.json\", \"n\\u0061me\": \"x\"", "the key 'name' twice")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"../in/config.json\"", "'../in/config.json', which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"/etc/passwd\"", "'/etc/passwd', which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"a/../../in/config.json\"", "which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"a//b\"", "which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"./params.json\"", "which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"..\\\\x\"", "which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"\"", "which is not within the folder")]
    [InlineData("\"name\": \"params.json\"", "\"name\": 5", "'name' of its statement is of the wrong type")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"\\ud800\"", "not valid Unicode")]
    [InlineData("\"name\": \"params.json\"", "\"nome\": \"params.json\"", "no 'name'")]
    [InlineData("\"length\": [0-9]+", "\"length\": -1", "'length' of its statement is of the wrong type")]
    [InlineData("\"length\": [0-9]+", "\"length\": 1e400", "'length' of its statement is of the wrong type")]
    [InlineData("\"length\": [0-9]+", "\"length\": 99999999999999999999", "'length' of its statement is of the wrong type")]
    [InlineData("\"length\": [0-9]+", "\"length\": 1.5", "'length' of its statement is of the wrong type")]
    [InlineData("\"length\": [0-9]+", "\"length\": \"5\"", "'length' of its statement is of the wrong type")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": [9223372036854775807, 9223372036854775807]", "is too large")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": [-1]", "'shape' of its statement is of the wrong type")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": [[1]]", "'shape' of its statement is of the wrong type")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": {}", "'shape' of its statement is of the wrong type")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": null", "no 'shape'")]
    [InlineData("\"shape\": \\[[^]]*\\]", "\"shape\": []", "the digest of the model is not that of its tensors")]
    [InlineData("\"dtype\": \"float32\"", "\"dtype\": \"float33\"", "unknown element type, 'float33'")]
    [InlineData("\"dtype\": \"float32\"", "\"dtype\": \"Float32\"", "unknown element type, 'Float32'")]
    [InlineData("\"format\": \"Reference\"", "\"format\": \"1\"", "unknown format")]
    [InlineData("\"format\": \"Reference\"", "\"format\": \"reference\"", "unknown format, 'reference'")]
    [InlineData("\"format\": \"Reference\"", "\"format\": \"Reference, Gguf\"", "unknown format")]
    [InlineData("\"sha256\": \"[0-9a-f]*", "\"sha256\": \"", "where a SHA-256 of 64 lowercase hexadecimal digits should be")]
    [InlineData("\"sha256\": \"[0-9a-f]", "\"sha256\": \"X", "where a SHA-256 of 64 lowercase hexadecimal digits should be")]
    [InlineData("\"sha256\": \"", "\"sha256\": \"00", "where a SHA-256 of 64 lowercase hexadecimal digits should be")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"con\\u001b[2Jsole\"", "a character that can't be shown")]
    [InlineData("\"name\": \"params.json\"", "\"name\": \"x\\u0000y\"", "a character that can't be shown")]
    [InlineData("\"tensors\": ", "\"tonsors\": ", "the digest of the model is not that of its tensors")]
    [InlineData("\"tensors\": ", "\"tensors\": {}, \"x\": ", "'tensors' of its statement is of the wrong type")]
    [InlineData("\"options\": \\{", "\"options\": {\"x\": 5, ", "'x' of its statement is of the wrong type")]
    [InlineData("\"options\": \\{", "\"options\": {\"x\": {}, ", "'x' of its statement is of the wrong type")]
    [InlineData("checkpoint-manifest/v1", "checkpoint-manifest/v2", "its version is 'v2', and this version of the module reads v1")]
    [InlineData("https://fairseq2llama/checkpoint-manifest/v1", "https://slsa.dev/provenance/v1", "'https://slsa.dev/provenance/v1'")]
    [InlineData("\"tool\": ", "\"tool\": [], \"x\": ", "'tool' of its statement is of the wrong type")]
    [InlineData("^", "x", "not valid JSON")]
    [InlineData("$", "x", "not valid JSON")]
    [InlineData("(?s)^.*$", "[]", "not a JSON object")]
    [InlineData("(?s)^.*$", "", "it is empty")]
    public void Is_refused(string pattern, string replacement, string message)
    {
        var changed = new Regex(pattern).Replace(_text, replacement.Replace("$", "$$", StringComparison.Ordinal), 1);
        Assert.NotEqual(_text, changed);

        Refuse(Encoding.UTF8.GetBytes(changed), message);
    }

    [Fact]
    public void Is_refused_if_it_is_deep_or_large_or_no_text()
    {
        Refuse(Encoding.UTF8.GetBytes(_text.Replace("\"tool\": ", $"\"x\": {new string('[', 100_000)}{new string(']', 100_000)}, \"tool\": ", StringComparison.Ordinal)), "nested deeper than 32");
        Refuse([.. Encoding.UTF8.GetBytes(_text[..^3]), 0xff, (byte)'}', (byte)'}'], "not UTF-8");
        Refuse(Encoding.Unicode.GetBytes(_text), "JSON");

        using (var file = File.Create(_path))
        {
            file.SetLength((64 << 20) + 1);
        }

        ErrorAssert.Throws(CheckpointErrorCode.ManifestInvalid, () => CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken), "67108865 bytes");
    }

    /// <summary>No name leads out of the folder, and none that no file can have is an error of its own.</summary>
    [Theory]
    [InlineData("a/b/c/d/e")]
    [InlineData("consolidated.00.pth/x")]
    [InlineData("C:")]
    [InlineData("~")]
    [InlineData("*")]
    [InlineData("NUL")]
    public void A_file_of_any_name_is_missing(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && name == "C:", "it leads out of the folder there");

        Write(_text.Replace("\"name\": \"params.json\"", $"\"name\": \"{name}\"", StringComparison.Ordinal));

        var findings = ManifestTest.Run(_folder["out"], new ManifestTestOptions()).Findings;

        Assert.EndsWith("is missing", Assert.Single(findings, finding => finding.Severity == FindingSeverity.Error).Message, StringComparison.Ordinal);
        FolderFuzzTests.AssertPrintable(findings.Select(finding => finding.Message));
    }

    [WindowsFact]
    public void A_drive_is_not_within_the_folder()
    {
        Write(_text.Replace("\"name\": \"params.json\"", "\"name\": \"C:\"", StringComparison.Ordinal));

        ErrorAssert.Throws(
            CheckpointErrorCode.ManifestInvalid, () => ManifestTest.Run(_folder["out"], new ManifestTestOptions()), "'C:', which is not within the folder");
    }

    [Fact]
    public void A_name_of_any_length_is_missing()
    {
        Write(_text.Replace("\"name\": \"params.json\"", $"\"name\": \"{new string('x', 100_000)}\"", StringComparison.Ordinal));
        Assert.Single(ManifestTest.Run(_folder["out"], new ManifestTestOptions()).Findings, finding => finding.Severity == FindingSeverity.Error);

        Write(_text.Replace("\"name\": \"params.json\"", $"\"name\": \"{string.Concat(Enumerable.Repeat("x/", 10_000))}x\"", StringComparison.Ordinal));
        Assert.Single(ManifestTest.Run(_folder["out"], new ManifestTestOptions()).Findings, finding => finding.Severity == FindingSeverity.Error);
    }

    /// <summary>A pipe would never end.</summary>
    [External]
    [Fact]
    public void A_pipe_is_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no pipes with names of files");
        File.Delete(_folder["out/params.json"]);
        using var process = System.Diagnostics.Process.Start("mkfifo", _folder["out/params.json"]);
        process.WaitForExit();

        Assert.Contains("'params.json'", Assert.Single(ManifestTest.Run(_folder["out"], new ManifestTestOptions()).Findings).Message, StringComparison.Ordinal);
    }

    [Fuzz]
    [Fact]
    public void Is_read_or_refused_however_it_was_changed() => Fuzzer.Run(
        800,
        random => JsonFiles.Change(_text, random),
        bytes =>
        {
            File.WriteAllBytes(_path, bytes);

            try
            {
                var result = ManifestTest.Run(_folder["out"], new ManifestTestOptions { AgainstManifest = CheckpointManifests.Read(_path) });
                FolderFuzzTests.AssertPrintable(result.Findings.Select(finding => finding.Message));
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointErrorCode.ManifestInvalid, e.Code);
                FolderFuzzTests.AssertPrintable([e.Message]);
                throw;
            }
        });

    private void Write(string text)
    {
        Assert.NotEqual(_text, text);
        File.WriteAllText(_path, text);
    }

    private void Refuse(byte[] text, string message)
    {
        File.WriteAllBytes(_path, text);
        ErrorAssert.Throws(CheckpointErrorCode.ManifestInvalid, () => CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken), _path, message);
        ErrorAssert.Throws(CheckpointErrorCode.ManifestInvalid, () => ManifestTest.Run(_folder["out"], new ManifestTestOptions()), message);
    }
}
