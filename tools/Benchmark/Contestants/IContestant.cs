namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>Something to be timed.</summary>
internal interface IContestant
{
    string Name { get; }

    /// <summary>How often at most, for what takes so long that a few times have to do; such a one does not warm up either.</summary>
    int MaxRounds => int.MaxValue;

    /// <summary>Does it once.</summary>
    /// <param name="destination">Where its output goes, a file or a folder; there is nothing yet.</param>
    Sample Run(string destination);
}
