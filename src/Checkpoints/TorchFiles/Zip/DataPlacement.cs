namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>
/// Where a record's data may lie: at offsets that leave a remainder when divided by a modulus. Which, is the writer's choice, because the
/// padding before the data is.
/// </summary>
internal readonly record struct DataPlacement(int Modulus, int Remainder)
{
    /// <summary>The first such place that is not before an offset.</summary>
    public long NextFrom(long offset) => offset + ((((Remainder - offset) % Modulus) + Modulus) % Modulus);
}
