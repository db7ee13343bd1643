using System.Management.Automation;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>New-CheckpointManifest writes all that it should or nothing, and only of what is whole.</summary>
public sealed class NewCheckpointManifestTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public NewCheckpointManifestTests()
    {
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
        CheckpointFolder.CopyRun(_folder["run"]);
        var (key, trusted) = TestKeys.Make();
        File.WriteAllText(_folder["signing.key"], key.Text);
        File.WriteAllText(_folder["signing.pub"], trusted.Text);
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Describes_what_is_there()
    {
        var manifest = _session.RunOne<CheckpointManifest>("New-CheckpointManifest run");

        Assert.Equal(_folder["run/checkpoint-manifest.json"], manifest.Path);
        Assert.Equal(["model.pt", "model.yaml"], manifest.Files.Select(file => file.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("run", CheckpointFormat.Fairseq2, null), (manifest.Name, manifest.Format, manifest.Source));
        Assert.Empty(manifest.Options);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest run").Findings);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Read-LlamaCheckpoint run | Test-CheckpointManifest").Findings);
    }

    [Fact]
    public void Replaces_with_Force_only()
    {
        _session.Run("$null = New-CheckpointManifest run");
        File.AppendAllText(_folder["run/model.yaml"], "\n");
        var before = CheckpointFolder.Snapshot(_folder["run"]);

        _session.RunForError(CheckpointErrorCode.OutputExists, "New-CheckpointManifest run", "already holds checkpoint-manifest.json", "Test-CheckpointManifest", "-Force");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["run"]));

        _session.Run("$null = New-CheckpointManifest run -Force");
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest run").Findings);
    }

    [Fact]
    public void Keeps_a_manifest_that_is_signed_and_says_nothing_else()
    {
        _session.Run("$null = Export-LlamaReferenceCheckpoint run out -Manifest");
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        var manifest = _session.RunOne<CheckpointManifest>("New-CheckpointManifest out -KeyPath signing.key");

        var after = CheckpointFolder.Snapshot(_folder["out"]);
        Assert.True(after.Remove("model.sig"));
        Assert.Equal(before, after);
        Assert.NotNull(manifest.Source);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest out -KeyPath signing.pub").Findings);
        _session.RunForError(CheckpointErrorCode.OutputExists, "New-CheckpointManifest out -KeyPath signing.key", "already holds model.sig", "-Force");
    }

    [Fact]
    public void Signs_nothing_that_is_not_as_its_manifest_says()
    {
        _session.Run("$null = Export-LlamaReferenceCheckpoint run out -Manifest");
        Flip(_folder["out/consolidated.00.pth"], -200);
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        _session.RunForError(
            CheckpointErrorCode.ManifestMismatch, "New-CheckpointManifest out -KeyPath signing.key", "is not what its manifest says", "'consolidated.00.pth' was changed", "-Force");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>An export, too, counts its manifest among its files.</summary>
    [Fact]
    public void Of_an_export_replaces_the_manifest_and_does_not_describe_it()
    {
        _session.Run("$null = Export-LlamaReferenceCheckpoint run out -Manifest -Checklist | New-CheckpointManifest -Force");

        Assert.Equal(["checklist.chk", "consolidated.00.pth", "params.json"], CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken).Files.Select(file => file.Name).Order(StringComparer.Ordinal));
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest out").Findings);
        _session.Run("$null = Export-LlamaReferenceCheckpoint run out2 -Manifest | Export-Fairseq2Checkpoint fs2 -Manifest");
        Assert.Equal(["consolidated.00.pth", "params.json"], CheckpointManifests.Read(_folder["fs2"], TestContext.Current.CancellationToken).Source!.Files.Select(file => file.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>A manifest must not vouch for damage that a checksum shows.</summary>
    [Theory]
    [InlineData("New-CheckpointManifest run")]
    [InlineData("New-CheckpointManifest run -KeyPath signing.key")]
    [InlineData("Export-Fairseq2Checkpoint run out -Manifest")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint run out -Manifest")]
    public void Refuses_a_file_whose_checksums_show_damage(string command)
    {
        CheckpointFolder.Damage(_folder["run"], "decoder.layers.1.ffn.inner_proj.weight");
        var before = _folder.Content;

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, command, "model.pt", "CRC-32");

        Assert.Equal(before, _folder.Content);
    }

    /// <summary>All copies of what is divided are read, also those of which others are taken.</summary>
    [Fact]
    public void Refuses_damage_of_a_part_whose_twin_is_whole()
    {
        _session.Run("$null = Export-LlamaReferenceCheckpoint run out -ShardCount 2");
        var storage = LlamaReferenceCheckpoint.Read(_folder["out"]).Tensors.Single(tensor => tensor.Name == "norm.weight").Shards[^1].Tensor.Storage;
        Assert.EndsWith("consolidated.01.pth", storage.Source.Name, StringComparison.Ordinal);
        Flip(storage.Source.Name, storage.Offset);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "New-CheckpointManifest out", "consolidated.01.pth", "CRC-32");

        Assert.False(File.Exists(_folder["out/checkpoint-manifest.json"]));
    }

    [Fact]
    public void Writes_nothing_with_WhatIf()
    {
        var before = _folder.Content;

        _session.Run("New-CheckpointManifest run -KeyPath signing.key -WhatIf");

        Assert.Equal(before, _folder.Content);
        var line = Assert.Single(_session.Host.TakeLines());
        Assert.Contains(_folder["run/checkpoint-manifest.json"], line, StringComparison.Ordinal);
        Assert.Contains(_folder["run/model.sig"], line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing.key", "There is no file")]
    [InlineData("signing.pub", "signing.pub")]
    [InlineData("run/model.yaml", "model.yaml")]
    [InlineData("run", "There is no file")]
    public void Refuses_what_is_no_key(string key, string message)
    {
        var before = _folder.Content;

        _session.RunForError(CheckpointErrorCode.SigningKeyInvalid, $"New-CheckpointManifest run -KeyPath {key}", message);
        _session.RunForError(CheckpointErrorCode.SigningKeyInvalid, $"New-CheckpointManifest run -KeyPath {key} -ErrorAction Stop", message);

        Assert.Equal(before, _folder.Content);
    }

    [Theory]
    [InlineData("a [x] b")]
    [InlineData("[ab]")]
    [InlineData("späce ✓")]
    [InlineData("it's")]
    public void Finds_folders_of_any_name(string name)
    {
        Directory.Move(_folder["run"], _folder[name]);
        _session["name"] = name;
        _session.Run(
            """
            $escaped = [WildcardPattern]::Escape($name)
            $null = Export-LlamaReferenceCheckpoint $escaped -DestinationPath "out $name" -Manifest
            $null = New-CheckpointManifest $escaped -KeyPath signing.key
            """);

        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest -LiteralPath $name -KeyPath signing.pub").Findings);
        Assert.Empty(_session.RunOne<ManifestTestResult>("[pscustomobject]@{ PSPath = \"$pwd/out $name\" } | Test-CheckpointManifest").Findings);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest $escaped -Against ([WildcardPattern]::Escape(\"out $name\"))").Findings.Where(finding => finding.Severity == FindingSeverity.Error));
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest $escaped -ManifestPath \"$name/checkpoint-manifest.json\" -KeyPath signing.pub").Findings);
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest $escaped -Against \"$([WildcardPattern]::Escape(\"out $name\"))/checkpoint-manifest.json\" -KeyPath signing.pub").Findings);
    }

    [Fact]
    public void Works_from_any_folder_and_with_wildcards()
    {
        CheckpointFolder.CopyRun(_folder["run2"]);
        Directory.CreateDirectory(_folder["elsewhere/deep"]);
        _session.Location = _folder["elsewhere/deep"];

        var manifests = _session.Run<CheckpointManifest>("New-CheckpointManifest ../../run* -KeyPath ../../signing.key");
        Assert.Equal([_folder["run/checkpoint-manifest.json"], _folder["run2/checkpoint-manifest.json"]], manifests.Select(manifest => manifest.Path));

        Assert.Equal(["run", "run2"], _session.Run<ManifestTestResult>("Test-CheckpointManifest ../../run* -KeyPath ../../signing.pub").Select(result => result.Name));
        Assert.Equal([true, true], _session.Run<bool>("[IO.Directory]::GetDirectories(\"$pwd/../..\", 'run*') | Test-CheckpointManifest -KeyPath ../../signing.pub -Quiet"));
        Assert.Equal([true, true], _session.Run<bool>("Read-LlamaCheckpoint ../../run* | Test-CheckpointManifest -KeyPath ../../signing.pub -Quiet"));
        Assert.Equal(2, manifests.Select(manifest => manifest.ModelSha256).Distinct().Count() + 1);
    }

    [Fact]
    public void Goes_on_after_an_error_unless_told_to_stop()
    {
        CheckpointFolder.CopyRun(_folder["run2"]);
        Directory.CreateDirectory(_folder["run1"]);

        var outcome = _session.RunOn("'run', 'run1', 'run2' | New-CheckpointManifest");
        Assert.Equal(2, outcome.Output.Count);
        Assert.Single(outcome.Errors);

        File.Delete(_folder["run/checkpoint-manifest.json"]);
        File.Delete(_folder["run2/checkpoint-manifest.json"]);
        Assert.ThrowsAny<RuntimeException>(() => _session.Run("'run', 'run1', 'run2' | New-CheckpointManifest -ErrorAction Stop"));
        Assert.True(File.Exists(_folder["run/checkpoint-manifest.json"]));
        Assert.False(File.Exists(_folder["run2/checkpoint-manifest.json"]));
    }

    /// <summary>As Select-Object -First 1 ends a pipeline, which the hosted engine does not have.</summary>
    [Fact]
    public void Ends_when_nobody_wants_more()
    {
        CheckpointFolder.CopyRun(_folder["run2"]);

        Assert.Equal("run", _session.RunOne<CheckpointManifest>(First("'run', 'run2' | New-CheckpointManifest")).Name);
        Assert.False(File.Exists(_folder["run2/checkpoint-manifest.json"]));
        Assert.Equal("run", _session.RunOne<ManifestTestResult>(First("'run', 'run2' | Test-CheckpointManifest -ErrorAction Stop")).Name);

        static string First(string pipeline) => $"do {{ {pipeline} | ForEach-Object {{ $_; break }} }} while ($false)";
    }

    [Fact]
    public void Can_not_write_into_a_folder_that_is_a_web_server()
    {
        var error = _session.RunForError("New-CheckpointManifest https://127.0.0.1:1/run");

        Assert.Contains("127.0.0.1:1/run", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_into_a_store()
    {
        var store = ObjectStore.Of(_folder["run"]);
        var destination = store.DestinationAt("out");
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(store.Folder), destination, new ReferenceExportOptions { Manifest = true }).Execute();

        var (stored, local) = (ManifestedExport.Make(LlamaReferenceCheckpoint.Read(store.At("out"))), ManifestedExport.Write(Fairseq2Checkpoint.Read(_folder["run"]), _folder["out"], new ReferenceExportOptions()));

        ManifestedExport.AssertSame(local, stored);
        Assert.All(CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken).Source!.Files, file => Assert.Null(file.ETag));
    }

    private static void Flip(string path, long place)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.Seek(place, place < 0 ? SeekOrigin.End : SeekOrigin.Begin);
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }
}
