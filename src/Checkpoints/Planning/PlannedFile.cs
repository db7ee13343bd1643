using Fairseq2Llama.Planning;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama;

/// <summary>A file that a conversion will write.</summary>
public abstract class PlannedFile
{
    private protected PlannedFile(string name) => Name = name;

    /// <summary>Its name in the destination folder.</summary>
    public string Name { get; }

    /// <summary>Its length in bytes, exact.</summary>
    public abstract long Length { get; }

    /// <summary>What it will hold, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>When it is written, compared to the others of its plan.</summary>
    internal abstract WritePhase Phase { get; }

    /// <summary>Bytes that are written for it, or read once more.</summary>
    internal virtual long WorkFor(VerificationPolicy verification) => Length;

    /// <summary>Writes it.</summary>
    /// <param name="path">Where; the others are beside it.</param>
    /// <param name="context">How.</param>
    /// <exception cref="CheckpointException">What it is made of is damaged.</exception>
    internal abstract void Write(string path, WriteContext context);

    /// <summary>Prints as its name.</summary>
    public override string ToString() => Name;
}
