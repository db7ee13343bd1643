using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// Finds the elements of chunks within the items that were saved for them. Each item is a file of torch.save inside a larger file, and says only itself where in
/// it the elements are. A checkpoint can have a million, so they are looked into when a tensor is read, not when the checkpoint is listed.
/// </summary>
internal static class SavedItems
{
    /// <summary>As far as the directory of an item reaches from its end, and what comes before its elements from its beginning, with room to spare.</summary>
    private const long FrameLength = 2048;

    /// <param name="chunks">Chunks, each with the tensor that it is a part of.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The elements of each.</returns>
    /// <exception cref="CheckpointException">An item is damaged, or holds something else than the metadata says.</exception>
    public static TensorView[] Locate(IReadOnlyList<(DistributedTensor Tensor, DistributedChunk Chunk)> chunks, CancellationToken cancellationToken)
    {
        var views = new TensorView[chunks.Count];
        var files = Enumerable.Range(0, chunks.Count).Where(i => chunks[i].Chunk.View is null).GroupBy(i => chunks[i].Chunk.File).ToArray();

        for (var i = 0; i < views.Length; i++)
        {
            views[i] = chunks[i].Chunk.View!;
        }

        new Workers(_ => { }, cancellationToken).Run(files, isParallel: files.Length > 1, (file, stop) =>
        {
            using var reader = file.Key.Source.Open(stop);
            int[] places = [.. file.OrderBy(i => chunks[i].Chunk.Item.Offset)];
            reader.Expect([.. places.SelectMany(i => FramesOf(chunks[i].Chunk.Item))]);

            foreach (var i in places)
            {
                stop.ThrowIfCancellationRequested();
                views[i] = Locate(chunks[i].Tensor, chunks[i].Chunk, reader, stop);
            }
        });

        return views;
    }

    private static IEnumerable<ByteRange> FramesOf(ByteRange item) => item.Length <= 2 * FrameLength
        ? [item]
        : [new ByteRange(item.Offset, FrameLength), new ByteRange(item.End - FrameLength, FrameLength)];

    private static TensorView Locate(DistributedTensor tensor, DistributedChunk chunk, IByteReader reader, CancellationToken cancellationToken)
    {
        var item = Open(tensor, chunk, new SourceRange(chunk.File.Source.Name, reader, chunk.Item), cancellationToken);

        if (!item.Facts.IsPickleChecksumValid)
        {
            throw Corrupt(tensor, chunk, "was damaged after it was saved: its pickle does not match its CRC-32.");
        }

        if (item.Content is not PickledTensor content)
        {
            throw Corrupt(tensor, chunk, "holds no tensor.");
        }

        var view = item.GetTensor(content);

        if (view.DType != tensor.DType || !view.Shape.Sizes.AsSpan().SequenceEqual(chunk.Sizes))
        {
            throw Corrupt(
                tensor,
                chunk,
                $"holds {view.DType.GetTorchName()} {view.Shape}, but should hold {tensor.DType.GetTorchName()} {new TensorShape(chunk.Sizes)} according to the metadata.");
        }

        return view with { Storage = Place(view.Storage, chunk, tensor.Name) };
    }

    /// <summary>An error for a file of torch.save would not say which of the many in the file it is.</summary>
    private static TorchFile Open(DistributedTensor tensor, DistributedChunk chunk, SourceRange item, CancellationToken cancellationToken)
    {
        try
        {
            return TorchFile.Open(item, cancellationToken);
        }
        catch (CheckpointException e) when (e.Code is CheckpointErrorCode.CheckpointUnrecognized or CheckpointErrorCode.CheckpointCorrupt)
        {
            throw Corrupt(tensor, chunk, $"can't be read: {e.Message}", e);
        }
    }

    /// <summary>The same storage as a part of the file around the item.</summary>
    private static StoredBytes Place(StoredBytes storage, DistributedChunk chunk, string name) => new()
    {
        Source = chunk.File.Source,
        Record = name,
        Offset = chunk.Item.Offset + storage.Offset,
        Length = storage.Length,
        DeflatedLength = storage.DeflatedLength,
        Crc32 = storage.Crc32,
        IsBigEndian = storage.IsBigEndian,
    };

    private static CheckpointException Corrupt(DistributedTensor tensor, DistributedChunk chunk, string what, Exception? cause = null) => new(
        CheckpointErrorCode.CheckpointCorrupt,
        $"The part of '{tensor.Name}' at byte {chunk.Item.Offset} of '{chunk.File.Source.Name}' {what}",
        chunk.File.Source.Name,
        cause);
}
