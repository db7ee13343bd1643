namespace Fairseq2Llama;

/// <summary>How far the work on a checkpoint has come.</summary>
/// <param name="File">The file that is being written, or read.</param>
/// <param name="BytesDone">Bytes done, over all files.</param>
/// <param name="BytesTotal">Bytes to be done, over all files.</param>
public readonly record struct ByteProgress(string File, long BytesDone, long BytesTotal);
