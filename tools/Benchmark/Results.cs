namespace Fairseq2Llama.Benchmark;

/// <summary>Everything that one run of the benchmark found out.</summary>
internal sealed record Results
{
    /// <summary>Each thing and what it is.</summary>
    public required IReadOnlyList<(string Name, string Value)> Machine { get; init; }

    /// <summary>How often each contestant ran, unless it has a limit of its own.</summary>
    public required int Rounds { get; init; }

    /// <summary>What was exported, in a few words.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>All contestants, the one that others are compared with first.</summary>
    public required IReadOnlyList<Measurement> Measurements { get; init; }

    /// <summary>By size; empty where that was not asked for.</summary>
    public IReadOnlyList<SizeResult> Sizes { get; init; } = [];

    /// <summary>By number of tensors; empty where that was not asked for.</summary>
    public IReadOnlyList<TensorCountResult> TensorCounts { get; init; } = [];

    public Measurement Copy => Measurements[0];

    public Measurement? Find(string name) => Measurements.FirstOrDefault(measurement => measurement.Name == name);
}

/// <summary>What a checkpoint of some size took.</summary>
/// <param name="SizeInBytes">Bytes of its file.</param>
/// <param name="Copy">Copying it.</param>
/// <param name="Export">Exporting it, in a process of its own.</param>
/// <param name="ExportInSession">Exporting it, in a running session.</param>
internal sealed record SizeResult(long SizeInBytes, Measurement Copy, Measurement Export, Measurement ExportInSession);

/// <summary>What a checkpoint of some number of tensors took, all in running sessions.</summary>
/// <param name="TensorCount">How many.</param>
/// <param name="SizeInBytes">Bytes of its file.</param>
/// <param name="FirstRead">Reading its index as the first thing that a session does, where nothing is compiled yet.</param>
/// <param name="Read">Reading its index again.</param>
/// <param name="Export">Reading and exporting it.</param>
internal sealed record TensorCountResult(int TensorCount, long SizeInBytes, Measurement FirstRead, Measurement Read, Measurement Export);
