namespace Fairseq2Llama.Tests.Support;

/// <summary>What the run reader made of a view, and what that took.</summary>
internal sealed record TensorRun(byte[] Bytes, IReadOnlyList<int> ChunkLengths, int ReadCount)
{
    /// <summary>Reads it from a file in which something precedes and follows the storage.</summary>
    public static TensorRun Of(NaiveView view)
    {
        const int Before = 100, After = 7;

        var file = new byte[Before + view.Storage.Length + After];
        Array.Fill(file, (byte)0xee);
        view.Storage.CopyTo(file, Before);

        var source = new MemorySource(file);
        var tensor = view.On(source, Before);
        var bytes = new MemoryStream();
        var lengths = new List<int>();

        using var reader = source.Open();
        using var runs = new RunReader();

        runs.Read(reader, tensor.Storage.Offset, ByteRuns.Of(tensor), chunk =>
        {
            lengths.Add(chunk.Length);
            bytes.Write(chunk);

            // A sink may do this, as the byte swap does.
            chunk.Fill(0xdd);
        });

        return new TensorRun(bytes.ToArray(), lengths, source.ReadCount);
    }
}
