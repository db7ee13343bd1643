using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>A file that is there as long as this is, and so new that the system has all of it in memory.</summary>
internal sealed class ScratchFile : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fairseq2llama-microbenchmark-{Guid.NewGuid()}");

    public ScratchFile(ReadOnlySpan<byte> bytes)
    {
        File.WriteAllBytes(_path, bytes);
        Source = new LocalFile(_path);
    }

    public IByteSource Source { get; }

    public void Dispose() => File.Delete(_path);
}
