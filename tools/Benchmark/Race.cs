using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>The main part: everything that this project does, beside what others do with the same checkpoint.</summary>
internal sealed class Race(Workspace workspace, LlamaArchitecture architecture, int rounds, CancellationToken cancellationToken)
{
    private const int ShardCount = 4;

    /// <exception cref="BenchmarkException">There is no room, or something fails.</exception>
    public Results Run()
    {
        var size = CheckpointMaker.SizeOf(architecture);

        if (!workspace.HasRoomFor(size))
        {
            throw new BenchmarkException($"'{workspace.Path}' has no room for 3 times {Units.Size(size)}. Choose another --folder, or fewer --layers.");
        }

        Console.Error.WriteLine($"Making a checkpoint of {Units.Size(size)}, and the same in {ShardCount} shards.");
        var whole = CheckpointMaker.Make(workspace["whole"], architecture);
        var shards = CheckpointMaker.Make(workspace["shards"], architecture, ShardCount);
        Vocabulary.Write(Path.Combine(whole.Path, "tokenizer.model"), architecture);
        var pytorch = new PyTorch(whole);

        // Each in a session of its own, or the peak of its memory would be another's.
        using var exporting = new Session();
        using var attesting = new Session();
        using var converting = new Session();
        using var merging = new Session();
        using var splitting = new Session();
        using var serving = new Session();
        using var quantizing = new Session();
        using var averaging = new Session();
        using var arithmetic = new Arithmetic();

        var measurements = new Rounds(workspace, rounds, cancellationToken).Run(
        [
            .. Copies.Of(whole.Files[0], workspace),
            Process(ContestantNames.ExportProcess, destination => ModuleCommands.Export(whole, destination)),
            new RunningSession(ContestantNames.ExportSession, exporting, destination => ModuleCommands.Export(whole, destination)),
            new RunningSession(ContestantNames.ManifestSession, attesting, destination => $"{ModuleCommands.Export(whole, destination)} -Manifest"),
            new Hashing(whole.Files[0]),
            new RunningSession(ContestantNames.AverageSession, averaging, destination => ModuleCommands.Average(whole, destination, 3)),
            .. Copies.AfterReadingTwo(whole.Files[0]),
            Process(ContestantNames.HuggingFaceProcess, destination => ModuleCommands.ExportToHuggingFace(whole, destination)),
            new RunningSession(ContestantNames.HuggingFaceSession, converting, destination => ModuleCommands.ExportToHuggingFace(whole, destination)),
            new RunningSession(ContestantNames.GgufSession, serving, destination => ModuleCommands.ExportToGguf(whole, destination)),
            new RunningSession(ContestantNames.QuantizeSession, quantizing, destination => ModuleCommands.ExportToGguf(whole, destination, " -DType Q8_0")),
            .. pytorch.Contestants(whole),
            Process(ContestantNames.MergeProcess, destination => ModuleCommands.Export(shards, destination)),
            new RunningSession(ContestantNames.MergeSession, merging, destination => ModuleCommands.Export(shards, destination)),
            Process(ContestantNames.SplitProcess, destination => ModuleCommands.Export(whole, destination, ShardCount)),
            new RunningSession(ContestantNames.SplitSession, splitting, destination => ModuleCommands.Export(whole, destination, ShardCount)),
            .. arithmetic.Contestants(whole),
            new FreshPowerShell(ContestantNames.Start, workspace, _ => ""),
            Process(ContestantNames.Import, _ => ""),
            Process(ContestantNames.Read, _ => ModuleCommands.Read(whole)),
        ]);

        return new Results
        {
            Machine = [.. Machine.Describe([.. Machine.DescribeFiles(workspace), ("PyTorch", pytorch.Description)])],
            Rounds = rounds,
            Checkpoint = $"{architecture.Name} ({Units.Count(architecture.NumLayers)} {(architecture.NumLayers == 1 ? "layer" : "layers")}): {Units.Count(whole.TensorCount)} tensors, {Units.Size(whole.SizeInBytes)}",
            Measurements = measurements,
        };
    }

    private FreshPowerShell Process(string name, Func<string, string> command) =>
        new(name, workspace, destination => ModuleCommands.ImportAnd(command(destination)));
}
