using Fairseq2Llama.Planning;

namespace Fairseq2Llama;

/// <summary>A file that a conversion will write.</summary>
public abstract class PlannedFile
{
    private protected PlannedFile(string name) => Name = name;

    /// <summary>Its name in the destination folder.</summary>
    public string Name { get; }

    /// <summary>Its length in bytes, exact.</summary>
    public abstract long Length { get; }

    /// <summary>Its content, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>When it is written, compared to the others of its plan.</summary>
    internal abstract WritePhase Phase { get; }

    /// <summary>Bytes that are written for it, or read once more.</summary>
    internal virtual long Work => Length;

    /// <summary>Writes it.</summary>
    /// <param name="context">Where and how.</param>
    /// <returns>A check for when all files are written; null for none.</returns>
    /// <exception cref="CheckpointException">Its input is damaged.</exception>
    internal abstract WrittenFileCheck? Write(WriteContext context);

    /// <summary>Prints as its name.</summary>
    public override string ToString() => Name;
}
