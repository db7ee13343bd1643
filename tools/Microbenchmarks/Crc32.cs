using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Sums up what is read, and puts the sums of pieces together.</summary>
public class Crc32
{
    private readonly IChecksum _checksum = ThirdParty.CreateCrc32();

    private byte[] _bytes = [];

    /// <summary>Bytes of a piece: a header, or a window of the run reader.</summary>
    [Params(4 << 10, 1 << 20)]
    public int Length { get; set; }

    /// <summary>Makes the bytes.</summary>
    [GlobalSetup]
    public void MakeBytes() => _bytes = RandomNumbers.Bytes(Length);

    /// <summary>Of a piece that was read.</summary>
    [Benchmark]
    public long OfPiece()
    {
        _checksum.Append(_bytes);
        return _checksum.GetAndReset();
    }

    /// <summary>Of two pieces, of that of each.</summary>
    [Benchmark]
    public long OfTwoPieces() => Crc32Combination.Combine(0x1234_5678, 0x9abc_def0, Length);
}
