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

    /// <summary>Prints as its name.</summary>
    public override string ToString() => Name;
}
