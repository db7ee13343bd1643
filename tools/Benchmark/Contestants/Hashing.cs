using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>The hashing that a manifest takes, and nothing else: each byte goes into the SHA-256 of its file and into that of its tensor, at the same time.</summary>
/// <param name="file">The file.</param>
internal sealed class Hashing(string file) : IContestant
{
    private const int PieceSize = 1 << 20;

    public string Name => ContestantNames.Hashing;

    public Sample Run(string destination)
    {
        var time = Stopwatch.StartNew();
        Parallel.For(0, 2, _ => Hash());
        return new Sample(time.Elapsed.TotalSeconds, null);
    }

    private void Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var handle = File.OpenHandle(file);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);

        for (long offset = 0, count; (count = RandomAccess.Read(handle, buffer.AsSpan(0, PieceSize), offset)) > 0; offset += count)
        {
            hash.AppendData(buffer, 0, (int)count);
        }

        ArrayPool<byte>.Shared.Return(buffer);
        hash.GetHashAndReset();
    }
}
