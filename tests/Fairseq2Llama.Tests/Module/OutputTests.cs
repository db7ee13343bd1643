using System.Management.Automation;
using Fairseq2Llama.Tests.Help;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>What commands give is what they declare, so that Tab knows its members before anything has run.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly Session _session = new();

    /// <summary>Every command with a pipeline that ends in it and gives something.</summary>
    public static TheoryData<string, string> Pipelines { get; } = new()
    {
        { "Compare-LlamaCheckpoint", "Compare-LlamaCheckpoint ($a = Read-Fairseq2Checkpoint runs/7b) ($b = Read-Fairseq2Checkpoint runs/sft); Compare-LlamaCheckpoint $a $b -Summary" },
        { "ConvertTo-TorchTensor", "Read-Fairseq2Checkpoint runs/7b | Get-CheckpointTensor *norm* | ConvertTo-TorchTensor" },
        { "Export-CheckpointReport", "Export-CheckpointReport runs/7b out/report.html" },
        { "Export-Fairseq2Checkpoint", "Read-Fairseq2Checkpoint runs/7b | Export-Fairseq2Checkpoint out/fairseq2" },
        { "Export-LlamaGgufCheckpoint", "Export-LlamaGgufCheckpoint hf/base out/base.gguf; Export-LlamaGgufCheckpoint hf/base out/jobs.gguf -ShardIndex 0" },
        { "Export-LlamaHuggingFaceCheckpoint", "Read-Fairseq2Checkpoint runs/7b | Export-LlamaHuggingFaceCheckpoint out/hf; Export-LlamaHuggingFaceCheckpoint runs/7b out/jobs -ShardIndex 0" },
        { "Export-LlamaReferenceCheckpoint", "Read-Fairseq2Checkpoint runs/7b | Export-LlamaReferenceCheckpoint out/reference; Export-LlamaReferenceCheckpoint runs/7b out/jobs -ShardIndex 0" },
        { "Get-CheckpointTensor", "Read-Fairseq2Checkpoint runs/70b | Get-CheckpointTensor" },
        { "Get-LlamaArchitecture", "Get-LlamaArchitecture llama3*" },
        { "Measure-CheckpointTensor", "Read-Fairseq2Checkpoint runs/7b | Measure-CheckpointTensor -Histogram 3" },
        { "Merge-LlamaCheckpoint", "Merge-LlamaCheckpoint runs/7b, hf/other" },
        { "Merge-LlamaLora", "Read-Fairseq2Checkpoint runs/7b | Merge-LlamaLora adapters/chat; Merge-LlamaLora -Checkpoint lora/7b -Alpha 16" },
        { "New-CheckpointManifest", "New-CheckpointManifest runs/7b; New-CheckpointManifest runs/70b -KeyPath key.pem" },
        { "New-CheckpointTensor", "New-CheckpointTensor norm.weight 1, 2; Get-CheckpointTensor runs/7b norm.weight | ConvertTo-TorchTensor | ForEach-Object { New-CheckpointTensor norm.weight $_ }" },
        { "New-LlamaArchitecture", "New-LlamaArchitecture mine -BasedOn llama3_2_1b" },
        { "Read-DistributedCheckpoint", "Read-DistributedCheckpoint outputs/checkpoint/step-500" },
        { "Read-Fairseq2Checkpoint", "Read-Fairseq2Checkpoint runs/7b, runs/sft" },
        { "Read-LlamaCheckpoint", "Read-LlamaCheckpoint runs/7b, meta/base, hf/base, outputs/checkpoint/step-500, gguf/base.gguf" },
        { "Read-LlamaHuggingFaceCheckpoint", "Read-LlamaHuggingFaceCheckpoint hf/base" },
        { "Read-LlamaReferenceCheckpoint", "Read-LlamaReferenceCheckpoint meta/base" },
        { "Test-CheckpointManifest", "Test-CheckpointManifest hf/base; Test-CheckpointManifest hf/base -Quiet" },
        { "Test-LlamaCheckpoint", "Test-LlamaCheckpoint runs/7b; Test-LlamaCheckpoint runs/7b -Quiet" },
    };

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Every_command_is_asked() =>
        Assert.Equal(HelpFile.Commands.Keys, Pipelines.Select(row => row.Data.Item1));

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void Is_what_is_declared(string command, string pipeline)
    {
        LibTorch.RequireFor(pipeline);
        EllipticKeys.RequireFor(pipeline);

        using var world = new ExampleWorld();
        _session.Location = world.Path;

        var given = _session.Run(pipeline).Select(item => item.BaseObject.GetType().FullName);
        var declared = _session.RunOne<CmdletInfo>($"Get-Command {command}").OutputType.Select(type => type.Name);

        Assert.Equal(declared, given.Distinct());
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint x | ForEach-Object { $_.", "Tensors", "DTypes", "Path")]
    [InlineData("Read-LlamaReferenceCheckpoint x | ForEach-Object { $_.", "Tensors", "Files")]
    [InlineData("Read-Fairseq2Checkpoint x | Get-CheckpointTensor | ForEach-Object { $_.", "Name", "Shape", "ReferenceName", "SizeInBytes")]
    [InlineData("Read-Fairseq2Checkpoint x | Get-CheckpointTensor | Where-Object ", "Name", "Shape", "ReferenceName", "SizeInBytes")]
    [InlineData("Read-Fairseq2Checkpoint x | Get-CheckpointTensor | ForEach-Object { $_.Shape.", "Sizes")]
    [InlineData("(Read-Fairseq2Checkpoint x | Get-CheckpointTensor).Shards | ForEach-Object { $_.", "File", "Shape")]
    [InlineData("Read-Fairseq2Checkpoint x | Measure-CheckpointTensor | Where-Object { $_.", "NaN", "Histogram")]
    [InlineData("Compare-LlamaCheckpoint $a $b | Where-Object { $_.", "Result", "MaxAbsoluteDifference", "RelativeNorm")]
    [InlineData("(Compare-LlamaCheckpoint $a $b -Summary).", "AreEqual", "RelativeNorm", "Layers")]
    [InlineData("Test-LlamaCheckpoint x | ForEach-Object { $_.", "Passed", "Findings")]
    [InlineData("(Test-LlamaCheckpoint x).Findings | ForEach-Object { $_.", "Message")]
    [InlineData("Test-CheckpointManifest x | ForEach-Object { $_.", "Passed", "Findings", "SignedBy")]
    [InlineData("(New-CheckpointManifest x).Tensors | ForEach-Object { $_.", "Sha256", "Source")]
    [InlineData("(Merge-LlamaCheckpoint x, y).", "Sources", "Tensors")]
    [InlineData("(Merge-LlamaLora x y).Sources | ForEach-Object { $_.", "Role", "Path")]
    [InlineData("Get-LlamaArchitecture | ForEach-Object { $_.", "ModelDim", "Name")]
    [InlineData("Read-Fairseq2Checkpoint x | Export-LlamaHuggingFaceCheckpoint y | ForEach-Object { $_.", "Files", "Path")]
    public void Is_known_to_Tab(string line, params string[] members)
    {
        // The engine sorts members with a command of PowerShell's own that it lacks here, and offers none without it.
        _session.Run("""
            New-Module Microsoft.PowerShell.Utility { function Sort-Object([object[]] $Property, [switch] $Unique) { $input } } | Import-Module
            """);

        Assert.Subset(_session.Complete(line).ToHashSet(), members.ToHashSet());
    }
}
