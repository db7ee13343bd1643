namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>Everything that one run of the benchmark of stores found out.</summary>
internal sealed record StoreResults
{
    /// <summary>Each thing and what it is.</summary>
    public required IReadOnlyList<(string Name, string Value)> Machine { get; init; }

    /// <summary>How often everything ran.</summary>
    public required int Rounds { get; init; }

    /// <summary>Few tensors, each as large as those of a whole model: what most rows are about.</summary>
    public required MadeCheckpoint Large { get; init; }

    /// <summary>As many tensors as a whole model has.</summary>
    public required MadeCheckpoint Many { get; init; }

    /// <summary>Reading an index.</summary>
    public required IReadOnlyList<StoreResult> Index { get; init; }

    /// <summary>Reading all data.</summary>
    public required IReadOnlyList<StoreReading> Data { get; init; }

    /// <summary>The same with files on the disk.</summary>
    public required IReadOnlyList<Measurement> Local { get; init; }

    /// <summary>From store to store.</summary>
    public required IReadOnlyList<StoreResult> Exports { get; init; }

    /// <summary>A PowerShell that does nothing.</summary>
    public required Measurement Idle { get; init; }
}

/// <summary>What was measured at a server.</summary>
/// <param name="Measurement">How long it took.</param>
/// <param name="Traffic">What was asked of servers in one run.</param>
internal sealed record StoreResult(Measurement Measurement, Traffic Traffic);

/// <summary>Reading the same bytes with the same client.</summary>
/// <param name="Plain">And nothing else.</param>
/// <param name="Deep">With all checks.</param>
internal sealed record StoreReading(StoreResult Plain, IReadOnlyList<StoreResult> Deep);
