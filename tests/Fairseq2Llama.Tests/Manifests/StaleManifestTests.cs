using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>A manifest and a signature vouch for the files that they were made of, and never stay beside others.</summary>
public sealed class StaleManifestTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public StaleManifestTests()
    {
        ConverterModel.Parts.Write(_folder["in"]);
        _session.Location = _folder.Path;
        File.WriteAllText(_folder["signing.key"], TestKeys.Make().Private.Text);
    }

    public static TheoryData<string> Exports =>
        ["Export-LlamaReferenceCheckpoint in out", "Export-LlamaHuggingFaceCheckpoint in out", "Export-Fairseq2Checkpoint in out"];

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void An_export_without_one_removes_those_of_an_earlier_one(string export)
    {
        _session.Run($"$null = {export} -Manifest; $null = New-CheckpointManifest out -KeyPath signing.key");
        Assert.Contains("checkpoint-manifest.json", Names());
        Assert.Contains("model.sig", Names());
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        _session.RunForError(CheckpointErrorCode.OutputExists, export, "already holds", "checkpoint-manifest.json", "model.sig", "-Force");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        _session.Host.TakeLines();
        _session.Run($"$null = {export} -Force -WhatIf");
        var lines = _session.Host.TakeLines();
        Assert.Contains("  checkpoint-manifest.json: removed, left over from an earlier export", lines);
        Assert.Contains("  model.sig: removed, left over from an earlier export", lines);
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        _session.Run($"$null = {export} -Force");
        Assert.Equal(before.Keys.Except(["checkpoint-manifest.json", "model.sig"]).Order(StringComparer.Ordinal), Names());
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void An_export_with_one_replaces_the_manifest_and_removes_the_signature(string export)
    {
        _session.Run($"$null = {export} -Manifest; $null = New-CheckpointManifest out -KeyPath signing.key");

        _session.Run($"$null = {export} -Manifest -DType float32 -Force -WhatIf");
        var lines = _session.Host.TakeLines();
        Assert.Contains(lines, line => line.StartsWith("  checkpoint-manifest.json: SHA-256 of ", StringComparison.Ordinal) && line.EndsWith(", replaces the existing file", StringComparison.Ordinal));
        Assert.Contains("  model.sig: removed, left over from an earlier export", lines);

        _session.Run($"$null = {export} -Manifest -DType float32 -Force");
        Assert.DoesNotContain("model.sig", Names());
        Assert.Empty(_session.RunOne<ManifestTestResult>("Test-CheckpointManifest out").Findings);
        Assert.Equal("Float32", CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken).Options["DType"]);
    }

    /// <summary>Also where nothing else is in the way.</summary>
    [Theory]
    [InlineData("checkpoint-manifest.json")]
    [InlineData("model.sig")]
    public void They_are_not_removed_without_Force(string name)
    {
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder[$"out/{name}"], "stays");

        _session.RunForError(CheckpointErrorCode.OutputExists, "Export-LlamaReferenceCheckpoint in out", name, "-Force");
        _session.RunForError(CheckpointErrorCode.OutputExists, "Export-LlamaReferenceCheckpoint in out -Manifest", name, "-Force");

        Assert.Equal([name], Names());
    }

    /// <summary>Without the file that makes it whole there is no checkpoint, so that they are never beside files that are not theirs.</summary>
    [Fact]
    public void They_change_while_there_is_no_checkpoint()
    {
        var store = new ObjectStore();
        var input = LlamaHuggingFaceCheckpoint.Read(_folder["in"]);
        var options = new ReferenceExportOptions { ShardCount = 1, Manifest = true };
        CheckpointExport.Plan(input, store.DestinationAt("out"), options).Execute();
        store.Put("out/model.sig", [1]);
        var order = new List<string>();
        store.AfterWrite = (what, key) => order.Add($"{what} {key}");

        CheckpointExport.Plan(input, store.DestinationAt("out"), options with { Force = true }).Execute();

        string[] result = [.. order.Where(line => !line.Contains(".fairseq2llama", StringComparison.Ordinal))];
        Assert.Equal(("delete out/params.json", "put out/params.json"), (result[0], result[^1]));
        Assert.Equal(["complete out/checkpoint-manifest.json", "complete out/consolidated.00.pth", "delete out/model.sig"], result[1..^1].Order(StringComparer.Ordinal));
        Assert.Equal(["out/checkpoint-manifest.json", "out/consolidated.00.pth", "out/params.json"], store.Keys);
    }

    /// <summary>Whatever a store fails with, and wherever, nothing is there, or no manifest beside anything else.</summary>
    [Theory]
    [InlineData("part", "checkpoint-manifest.json")]
    [InlineData("complete", "checkpoint-manifest.json")]
    [InlineData("put", "params.json")]
    [InlineData("part", "consolidated.00.pth")]
    [InlineData("complete", "consolidated.00.pth")]
    public void A_store_that_fails_keeps_nothing(string what, string name)
    {
        var store = new ObjectStore();
        store.BeforeWrite = (write, key) =>
        {
            if (write == what && key.EndsWith(name, StringComparison.Ordinal))
            {
                throw new IOException("The server is busy.");
            }
        };

        var plan = CheckpointExport.Plan(LlamaHuggingFaceCheckpoint.Read(_folder["in"]), store.DestinationAt("out"), new ReferenceExportOptions { ShardCount = 1, Manifest = true });

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => plan.Execute(), "The server is busy");
        Assert.Empty(store.Keys);
        Assert.Empty(store.Uploads);
    }

    private string[] Names() => [.. Directory.GetFiles(_folder["out"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
