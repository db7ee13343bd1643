using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>Shows that the cost grows with bytes and with tensors, and no faster.</summary>
internal sealed class Scaling(Workspace workspace, int rounds, CancellationToken cancellationToken)
{
    private static readonly int[] TensorCounts = [1_000, 5_000, 20_000, 50_000];

    /// <summary>Layers like LLaMA 3.2 1B's, and so small a vocabulary that they alone make the size.</summary>
    private static readonly LlamaArchitecture Wide = LlamaArchitectures.Find("llama3_2_1b") with { VocabSize = 8192 };

    /// <summary>Weights of a few kilobytes, so that what counts is how many there are.</summary>
    private static readonly LlamaArchitecture Narrow =
        LlamaArchitectures.Find("llama3_2_1b") with { ModelDim = 64, NumAttnHeads = 4, NumKeyValueHeads = 4, VocabSize = 256 };

    /// <param name="gigabytes">The sizes; those for which there is no room are left out.</param>
    public IEnumerable<SizeResult> BySize(IReadOnlyList<double> gigabytes)
    {
        foreach (var size in gigabytes)
        {
            var architecture = WithLayers(Wide, size * 1e9);

            if (!workspace.HasRoomFor(CheckpointMaker.SizeOf(architecture)))
            {
                Console.Error.WriteLine($"There is no room for {Units.Size((long)(size * 1e9))}; left out.");
                continue;
            }

            yield return With(architecture, checkpoint =>
            {
                using var session = new Session();
                var measurements = new Rounds(workspace, rounds, cancellationToken).Run(
                [
                    Copies.Of(checkpoint.Files[0], workspace).First(),
                    new FreshPowerShell(ContestantNames.ExportProcess, workspace, destination => ModuleCommands.ImportAnd(ModuleCommands.Export(checkpoint, destination))),
                    new RunningSession(ContestantNames.ExportSession, session, destination => ModuleCommands.Export(checkpoint, destination)),
                ]);

                return new SizeResult(checkpoint.SizeInBytes, measurements[0], measurements[1], measurements[2]);
            });
        }
    }

    public IEnumerable<TensorCountResult> ByTensorCount() => TensorCounts.Select(count =>
        With(WithTensors(Narrow, count), checkpoint =>
        {
            using var reading = new Session();
            using var exporting = new Session();
            var measurements = new Rounds(workspace, rounds, cancellationToken).Run(
            [
                new FreshSession("first read", _ => ModuleCommands.Read(checkpoint)),
                new RunningSession("read", reading, _ => ModuleCommands.Read(checkpoint)),
                new RunningSession("export", exporting, destination => ModuleCommands.Export(checkpoint, destination)),
            ]);

            return new TensorCountResult(checkpoint.TensorCount, checkpoint.SizeInBytes, measurements[0], measurements[1], measurements[2]);
        }));

    private static LlamaArchitecture WithLayers(LlamaArchitecture architecture, double bytes)
    {
        var one = CheckpointMaker.SizeOf(architecture with { NumLayers = 1 });
        var perLayer = CheckpointMaker.SizeOf(architecture with { NumLayers = 2 }) - one;

        return architecture with { NumLayers = 1 + (int)Math.Max(0, Math.Round((bytes - one) / perLayer)) };
    }

    /// <summary>A layer has 9 tensors, and three are in none.</summary>
    private static LlamaArchitecture WithTensors(LlamaArchitecture architecture, int count) =>
        architecture with { NumLayers = (count - 3 + 8) / 9 };

    private T With<T>(LlamaArchitecture architecture, Func<MadeCheckpoint, T> measure)
    {
        var folder = workspace.NewPath();

        try
        {
            var checkpoint = CheckpointMaker.Make(folder, architecture);
            Console.Error.WriteLine($"A checkpoint of {Units.Size(checkpoint.SizeInBytes)} in {Units.Count(checkpoint.TensorCount)} tensors.");
            return measure(checkpoint);
        }
        finally
        {
            Workspace.Remove(folder);
        }
    }
}
