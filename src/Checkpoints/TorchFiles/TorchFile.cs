using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Legacy;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.TorchFiles;

/// <summary>
/// The index of a file that torch.save wrote: what its pickle holds, and where the bytes of each tensor lie. Opening one
/// reads the archive's directory and the pickle, never tensor data, and executes nothing.
/// </summary>
internal sealed class TorchFile
{
    private readonly Dictionary<PickledTensor, TensorView> _tensors;

    private TorchFile(IByteSource source, Unpickled unpickled, Func<PickledStorage, StoredBytes> locate)
    {
        Source = source;
        Facts = new TorchFileFacts(source);
        Content = unpickled.Content;

        var storages = unpickled.Storages.ToDictionary(storage => storage, locate);
        _tensors = unpickled.Tensors.ToDictionary(tensor => tensor, tensor => tensor.On(storages[tensor.Storage], source.Name));
    }

    public IByteSource Source { get; }

    /// <summary>The saved value: <see cref="PickleDict"/>, <see cref="PickledTensor"/>, string, long, …</summary>
    public object? Content { get; }

    /// <summary>The part that is kept once its tensors are known.</summary>
    public TorchFileFacts Facts { get; private init; }

    public TensorView GetTensor(PickledTensor tensor) => _tensors[tensor];

    /// <exception cref="CheckpointException">It is not a torch.save file, is damaged, or holds what a state dict does not need.</exception>
    public static TorchFile Open(IByteSource source, CancellationToken cancellationToken = default)
    {
        // Pipes and devices have no length either, and opening one could wait for ever.
        if (source.Length == 0)
        {
            throw Unrecognized(source, "is empty");
        }

        using var reader = source.Open(cancellationToken);
        reader.Expect([FileKind.HeadOf(source), ZipDirectory.TailOf(source)]);

        if (FileKind.DescribeForeign(source, reader) is { } what)
        {
            throw Unrecognized(source, what);
        }

        Span<byte> first = stackalloc byte[1];
        reader.Read(0, first);
        return first[0] == 'P' ? OpenArchive(source, reader, cancellationToken) : OpenLegacy(source, reader, cancellationToken);
    }

    private static TorchFile OpenArchive(IByteSource source, IByteReader reader, CancellationToken cancellationToken)
    {
        var archive = TorchArchive.Open(source, reader, cancellationToken);
        var unpickled = Unpickled.Read(new PickleBytes(archive.Pickle, source.Name), new PickleBudget(source.Name), cancellationToken);

        return new TorchFile(source, unpickled, archive.Locate)
        {
            Facts = new TorchFileFacts(source) { HasChecksums = archive.HasChecksums, IsPickleChecksumValid = archive.IsPickleChecksumValid },
        };
    }

    private static TorchFile OpenLegacy(IByteSource source, IByteReader reader, CancellationToken cancellationToken)
    {
        var container = LegacyContainer.Open(source, reader, cancellationToken);

        return new TorchFile(source, container.Unpickled, container.Locate);
    }

    internal static CheckpointException Unrecognized(IByteSource source, string what) => new(
        CheckpointErrorCode.CheckpointUnrecognized,
        $"'{source.Name}' {what}. Expected a checkpoint that fairseq2 saved with torch.save.",
        source.Name);
}

/// <summary>The facts about a torch.save file besides its tensors. A checkpoint can have a thousand such files.</summary>
/// <param name="Source">The file.</param>
internal sealed record TorchFileFacts(IByteSource Source)
{
    /// <summary>Whether damage to its data would be noticed. The legacy container never had checksums.</summary>
    public bool HasChecksums { get; init; }

    /// <summary>False when the pickle's own checksum is wrong.</summary>
    public bool IsPickleChecksumValid { get; init; } = true;
}
