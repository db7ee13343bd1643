using System.Buffers;
using Fairseq2Llama.Sources;

namespace Fairseq2Llama.Conversion.Files;

/// <summary>A file that is copied as it is.</summary>
internal sealed class PlannedCopy(string name, LocalFile source) : PlannedFile(name)
{
    private const int ChunkSize = 1 << 20;

    public override long Length => source.Length;

    public override string Summary => $"a copy of '{source.Name}'";

    internal override WriteTurn Turn => WriteTurn.Small;

    internal override void Write(string path, WriteContext context)
    {
        using var reader = source.Open();
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);

        try
        {
            for (var offset = 0L; offset < source.Length;)
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                var chunk = buffer.AsSpan(0, (int)Math.Min(ChunkSize, source.Length - offset));
                reader.Read(offset, chunk);
                RandomAccess.Write(file, chunk, offset);
                offset += chunk.Length;
                context.Report(chunk.Length);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        reader.RequireUnchanged();

        if (context.Flush)
        {
            RandomAccess.FlushToDisk(file);
        }
    }
}
