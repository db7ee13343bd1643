namespace Fairseq2Llama.Stores.Objects;

/// <summary>How an object is uploaded in parts.</summary>
/// <param name="MinLength">Bytes that a part must have, but for the last one.</param>
/// <param name="Length">Bytes that a part usually has.</param>
/// <param name="MaxCopyLength">Bytes that a part may have that is copied inside the store.</param>
/// <param name="MaxCount">The largest number that a part may have.</param>
internal sealed record PartLimits(long MinLength, long Length, long MaxCopyLength, int MaxCount);
