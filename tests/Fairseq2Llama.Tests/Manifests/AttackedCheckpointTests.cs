using System.Globalization;
using System.Text.Json.Nodes;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Whatever is done to a checkpoint that has a manifest, Test-CheckpointManifest finds it, and says what it is.</summary>
public sealed class AttackedCheckpointTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public AttackedCheckpointTests()
    {
        ConverterModel.Parts.Write(_folder["in"]);
        _session.Location = _folder.Path;
    }

    public static TheoryData<string, string> Files => new(
        ("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "model-00001-of-00003.safetensors"),
        ("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "model-00003-of-00003.safetensors"),
        ("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "model.safetensors.index.json"),
        ("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "config.json"),
        ("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "tokenizer.model"),
        ("Export-LlamaReferenceCheckpoint in out -ShardCount 2 -Checklist", "consolidated.01.pth"),
        ("Export-LlamaReferenceCheckpoint in out -ShardCount 2 -Checklist", "params.json"),
        ("Export-LlamaReferenceCheckpoint in out -ShardCount 2 -Checklist", "checklist.chk"),
        ("Export-Fairseq2Checkpoint in out", "model.pt"),
        ("Export-Fairseq2Checkpoint in out", "model.yaml"),
        ("Export-LlamaGgufCheckpoint in out/x.gguf", "x.gguf"),
        ("Export-LlamaGgufCheckpoint in out/x.gguf -MaxShardSize 20KB", "x-00002-of-00003.gguf"));

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_changed_file_is_found(string export, string file)
    {
        _session.Run($"{export} -Manifest");
        Assert.Empty(Test().Findings);
        var path = _folder[$"out/{file}"];
        var original = File.ReadAllBytes(path);

        foreach (var bit in new[] { 0, (original.Length * 4) + 1, (original.Length * 8) - 1 })
        {
            var flipped = original.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(path, flipped);
            AssertOne($"'{file}' was changed: its SHA-256 is");
        }

        File.WriteAllBytes(path, original[..^1]);
        AssertOne(string.Create(CultureInfo.InvariantCulture, $"'{file}' is {original.Length - 1:N0} bytes long, and not {original.Length:N0}"));

        File.WriteAllBytes(path, [.. original, 0]);
        AssertOne(string.Create(CultureInfo.InvariantCulture, $"'{file}' is {original.Length + 1:N0} bytes long, and not {original.Length:N0}"));

        File.WriteAllBytes(path, []);
        AssertOne($"'{file}' is 0 bytes long");

        File.Delete(path);
        AssertOne($"'{file}' is missing");

        File.WriteAllBytes(path, original);
        Assert.Empty(Test().Findings);
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint in out -ShardCount 2", "consolidated.00.pth", "consolidated.01.pth")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint in out -MaxShardSize 20KB", "model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors")]
    public void Swapped_files_are_found(string export, string first, string second)
    {
        _session.Run($"{export} -Manifest");
        File.Move(_folder[$"out/{first}"], _folder["other"]);
        File.Move(_folder[$"out/{second}"], _folder[$"out/{first}"]);
        File.Move(_folder["other"], _folder[$"out/{second}"]);

        var result = Test();

        Assert.False(result.Passed);
        Assert.Equal([$"'{first}' has the content that '{second}' should have", $"'{second}' has the content that '{first}' should have"], result.Findings.Select(finding => finding.Message));
    }

    /// <summary>An added file makes nothing wrong of what was there. Only a signature is of all that is in a folder.</summary>
    [Fact]
    public void An_added_file_is_found()
    {
        _session.Run("Export-LlamaHuggingFaceCheckpoint in out -Manifest");
        File.WriteAllText(_folder["out/model-extra.safetensors"], "x");
        File.WriteAllText(_folder["out/.hidden"], "x");

        var result = Test();

        Assert.True(result.Passed);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((FindingSeverity.Warning, CheckpointErrorCode.ManifestMismatch, "'model-extra.safetensors' is not in the manifest"), (finding.Severity, finding.Code, finding.Message));
    }

    [Theory]
    [InlineData("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.xp_proj.weight", "'layers.1.feed_forward.w3.weight' is called 'model.layers.1.mlp.xp_proj.weight' in 'out'")]
    [InlineData("model.norm.weight", "model.n0rm.weight", "'norm.weight' is called 'model.n0rm.weight' in 'out'")]
    public void A_renamed_tensor_is_found(string name, string other, string expected)
    {
        _session.Run("Export-LlamaHuggingFaceCheckpoint in out -Manifest; $null = New-CheckpointManifest in");
        Rename(_folder["out/model.safetensors"], (name, other));

        AssertOne(expected, "in -Against out");
    }

    [Fact]
    public void Tensors_that_changed_their_names_are_found()
    {
        _session.Run("Export-LlamaHuggingFaceCheckpoint in out -Manifest; $null = New-CheckpointManifest in");
        var (up, gate) = ("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.gate_proj.weight");
        Rename(_folder["out/model.safetensors"], (up, "up"), (gate, up), ("\"up\"", $"\"{gate}\""));

        Assert.Equal(
            ["'layers.1.feed_forward.w1.weight' has other numbers in 'out'", "'layers.1.feed_forward.w3.weight' has other numbers in 'out'"],
            Test("in -Against out").Findings.Select(finding => finding.Message).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_missing_and_an_added_tensor_are_found()
    {
        var input = LlamaHuggingFaceCheckpoint.Read(_folder["in"]);
        CheckpointTensor[] less = [.. input.Tensors.Where(tensor => !tensor.Name.Contains("layers.1.", StringComparison.Ordinal))];
        var options = new HuggingFaceExportOptions { Manifest = true };
        CheckpointExport.Plan(input, _folder["out"], options).Execute();
        CheckpointExport.Plan(less, _folder["less"], options with { Architecture = input.Architecture! with { NumLayers = 1 } }).Execute();

        Assert.Equal(9, Test("out -Against less").Findings.Count(finding => finding.Message.EndsWith("is not in 'less'", StringComparison.Ordinal)));
        Assert.Equal(9, Test("less -Against out").Findings.Count(finding => finding.Message.EndsWith("of 'out' is not in the manifest", StringComparison.Ordinal)));
    }

    /// <summary>What was cast is the same model to whoever has the manifest of the export, which also has the hashes from before.</summary>
    [Fact]
    public void Another_element_type_is_found()
    {
        _session.Run("$null = New-CheckpointManifest in; Export-LlamaHuggingFaceCheckpoint in out -DType float32 -Manifest");

        var data = Test("in -Against out");
        Assert.Matches("^21 tensors, such as '.*', are bfloat16 in the manifest, and float32 in 'out', so their hashes can't be the same$", Assert.Single(data.Findings).Message);

        Assert.Empty(Test("in -Against out/checkpoint-manifest.json").Findings);
        Assert.Empty(Test("out -Against in").Findings);
    }

    [Fact]
    public void A_changed_option_is_found()
    {
        _session.Run(
            """
            $null = Export-LlamaHuggingFaceCheckpoint in out -Manifest
            $null = Export-LlamaHuggingFaceCheckpoint in other -Manifest -MaxShardSize 20KB -DType float32
            $null = Export-LlamaReferenceCheckpoint in ref -Manifest -ShardCount 2 -Checklist
            $null = Export-LlamaReferenceCheckpoint in ref2 -Manifest -ShardCount 1 -Checklist
            """);

        var other = Test("out -Against other/checkpoint-manifest.json");
        Assert.True(other.Passed);
        Assert.Equal(
            [
                $"the export had no -DType, and that of '{_folder["other/checkpoint-manifest.json"]}' had -DType Float32",
                $"the export had no -MaxShardSize, and that of '{_folder["other/checkpoint-manifest.json"]}' had -MaxShardSize 20480",
            ],
            other.Findings.Select(finding => finding.Message));
        Assert.Equal(
            [$"the export had -ShardCount 2, and that of '{_folder["ref2/checkpoint-manifest.json"]}' had -ShardCount 1"],
            Test("ref -Against ref2/checkpoint-manifest.json").Findings.Select(finding => finding.Message));
    }

    /// <summary>Every option that changes what is written is recorded, whichever commands are to come.</summary>
    [Fact]
    public void Every_option_is_recorded()
    {
        // These change how it is written, and not what.
        string[] others = ["Manifest", "Force", "Flush", "ShardIndex", "CompleteShards", "FileName"];
        var tokenizer = _folder["in"];

        foreach (var options in new ExportOptions[]
        {
            new ReferenceExportOptions { ShardCount = 2, ParamsLayout = ParamsLayout.Flat, Checklist = true },
            new HuggingFaceExportOptions { MaxShardSize = 5, TokenizerPath = tokenizer },
            new GgufExportOptions { FileName = "x.gguf", MaxShardSize = 5, TokenizerPath = tokenizer, Metadata = [new("name", "x")] },
            new Fairseq2ExportOptions(),
        })
        {
            var all = options with { Architecture = TinyModel.Architecture, DType = DType.Float16, AllowUnmapped = true, Verification = VerificationMode.Full };

            Assert.Equal(all.GetType().GetProperties().Select(property => property.Name).Except(others).Order(StringComparer.Ordinal), all.Recorded.Keys);
        }
    }

    [Fact]
    public void A_changed_manifest_contradicts_itself_or_the_files()
    {
        _session.Run("Export-LlamaHuggingFaceCheckpoint in out -Manifest");

        Edit(manifest => manifest["predicate"]!["tensors"]![3]!["digest"]!["sha256"] = new string('0', 64));
        _session.RunForError(CheckpointErrorCode.ManifestInvalid, "Test-CheckpointManifest out", "checkpoint-manifest.json", "the digest of the model is not that of its tensors", "changed after it had been written");
        Edit(manifest => manifest["predicate"]!["tensors"]!.AsArray().RemoveAt(3));
        _session.RunForError(CheckpointErrorCode.ManifestInvalid, "Test-CheckpointManifest out", "the digest of the model is not that of its tensors");
        Edit(manifest => manifest["predicate"]!["tensors"]![3]!["dtype"] = "float16");
        _session.RunForError(CheckpointErrorCode.ManifestInvalid, "Test-CheckpointManifest out", "the digest of the model is not that of its tensors");
        Edit(manifest => manifest["predicate"]!["model"]!["digest"]!["sha256"] = new string('0', 64));
        _session.RunForError(CheckpointErrorCode.ManifestInvalid, "Test-CheckpointManifest out", "the digest of the model is not that of its tensors");

        Edit(manifest => manifest["subject"]![0]!["digest"]!["sha256"] = new string('0', 64));
        AssertOne($"was changed: its SHA-256 is");
        Edit(manifest => manifest["subject"]![0]!["annotations"]!["length"] = 5);
        AssertOne($"bytes long, and not 5");
        Edit(manifest => manifest["subject"]!.AsArray().RemoveAt(0));
        Assert.Equal(FindingSeverity.Warning, Assert.Single(Test().Findings).Severity);
    }

    [Fact]
    public void A_lost_manifest_is_an_error()
    {
        _session.Run("$null = Export-LlamaHuggingFaceCheckpoint in out -Manifest");
        File.Delete(_folder["out/checkpoint-manifest.json"]);

        _session.RunForError(CheckpointErrorCode.ManifestNotFound, "Test-CheckpointManifest out", "There is no manifest of", "New-CheckpointManifest");
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Test-CheckpointManifest nowhere", "nowhere");
    }

    private ManifestTestResult Test(string arguments = "out") => _session.RunOne<ManifestTestResult>($"Test-CheckpointManifest {arguments}");

    /// <summary>There must be one finding, an error that says so.</summary>
    private void AssertOne(string message, string arguments = "out")
    {
        var result = Test(arguments);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch), (finding.Severity, finding.Code));
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
        Assert.False(result.Passed);
        Assert.False(_session.RunOne<bool>($"Test-CheckpointManifest {arguments} -Quiet"));
    }

    /// <summary>Changes the header only, and keeps its length.</summary>
    private static void Rename(string file, params (string Name, string Other)[] names)
    {
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file));
        var length = (int)BitConverter.ToInt64(File.ReadAllBytes(file));
        var header = names.Aggregate(text[8..(8 + length)], (header, pair) => header.Replace(pair.Name, pair.Other, StringComparison.Ordinal));
        File.WriteAllBytes(file, System.Text.Encoding.Latin1.GetBytes(text[..8] + header.TrimEnd().PadRight(length) + text[(8 + length)..]));
    }

    /// <summary>Changes the manifest as it was written.</summary>
    private void Edit(Action<JsonNode> change)
    {
        var (path, original) = (_folder["out/checkpoint-manifest.json"], _folder["original.json"]);

        if (!File.Exists(original))
        {
            File.Copy(path, original);
        }

        var manifest = JsonNode.Parse(File.ReadAllText(original))!;
        change(manifest);
        File.WriteAllText(path, manifest.ToJsonString());
    }
}
