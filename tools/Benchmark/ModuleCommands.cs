using System.Globalization;

namespace Fairseq2Llama.Benchmark;

/// <summary>What is typed in PowerShell.</summary>
internal static class ModuleCommands
{
    /// <summary>A script of its own, with the module.</summary>
    public static string ImportAnd(string command) => $"$ErrorActionPreference = 'Stop'\nImport-Module {Quote(Repository.Module)}\n{command}\n";

    public static string Read(MadeCheckpoint checkpoint) => $"Read-Fairseq2Checkpoint -LiteralPath {Quote(checkpoint.Path)}";

    public static string Export(MadeCheckpoint checkpoint, string destination, int shardCount = 1) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Read(checkpoint)} | Export-LlamaReferenceCheckpoint {Quote(destination)} -Architecture {Name(checkpoint.Architecture)} -ShardCount {shardCount}");

    /// <param name="input">An address in a store.</param>
    /// <param name="output">An address in a store.</param>
    /// <param name="architecture">What it is a model of.</param>
    /// <param name="inputService">The address of the service that has the input.</param>
    /// <param name="outputService">The address of the service that gets the output.</param>
    public static string ExportToStore(string input, string output, LlamaArchitecture architecture, Uri inputService, Uri outputService) =>
        $"Read-Fairseq2Checkpoint {Quote(input)} -EndpointUrl {inputService} | Export-LlamaReferenceCheckpoint {Quote(output)} -EndpointUrl {outputService} -Architecture {Name(architecture)}";

    public static string ExportToHuggingFace(MadeCheckpoint checkpoint, string destination) =>
        $"{Read(checkpoint)} | Export-LlamaHuggingFaceCheckpoint {Quote(destination)} -Architecture {Name(checkpoint.Architecture)}";

    public static string ExportToGguf(MadeCheckpoint checkpoint, string destination, string parameters = "") =>
        $"{Read(checkpoint)} | Export-LlamaGgufCheckpoint {Quote($"{destination}/model.gguf")} -Architecture {Name(checkpoint.Architecture)}{parameters}";

    /// <summary>The average of the checkpoint with itself, which reads it as often.</summary>
    public static string Average(MadeCheckpoint checkpoint, string destination, int count) =>
        $"{string.Join(", ", Enumerable.Repeat($"({Read(checkpoint)})", count))} | Merge-LlamaCheckpoint | Export-LlamaReferenceCheckpoint {Quote(destination)} -Architecture {Name(checkpoint.Architecture)} -ShardCount 1";

    public static string Cast(MadeCheckpoint checkpoint, string destination, DType dtype) => $"{Export(checkpoint, destination)} -DType {dtype}";

    public static string TestDeep(MadeCheckpoint checkpoint) => $"{Read(checkpoint)} | Test-LlamaCheckpoint -Deep";

    public static string Measure(MadeCheckpoint checkpoint) => $"{Read(checkpoint)} | Measure-CheckpointTensor";

    public static string Compare(MadeCheckpoint checkpoint, string parameters = "") => $"{Read(checkpoint)} | Compare-LlamaCheckpoint ({Read(checkpoint)}){parameters}";

    /// <summary>Its name where it is in the catalogue, else how it differs from what it is based on.</summary>
    private static string Name(LlamaArchitecture architecture) => LlamaArchitectures.All.Contains(architecture)
        ? architecture.Name
        : string.Create(
            CultureInfo.InvariantCulture,
            $"(New-LlamaArchitecture benchmark -BasedOn {architecture.Name} -NumLayers {architecture.NumLayers} -ModelDim {architecture.ModelDim} -NumAttnHeads {architecture.NumAttnHeads} -NumKeyValueHeads {architecture.NumKeyValueHeads} -VocabSize {architecture.VocabSize})");

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
