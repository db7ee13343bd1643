namespace Fairseq2Llama.Transfer;

/// <summary>
/// Changes tensor data on its way from reading to writing, block by block: as many bytes as belong together, an element or several of them,
/// become as many as their new form takes.
/// </summary>
internal interface IBlockTransform
{
    /// <summary>Bytes of a block as it is read.</summary>
    int InputBlockSize { get; }

    /// <summary>Bytes of a block as it is written.</summary>
    int OutputBlockSize { get; }

    /// <param name="input">Whole blocks.</param>
    /// <param name="output">Room for as many.</param>
    void Transform(ReadOnlySpan<byte> input, Span<byte> output);
}
