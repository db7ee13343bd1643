using Fairseq2Llama.Distributed.Metadata;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Distributed;

/// <summary>Reads <c>.metadata</c>: a pickle that says what a distributed checkpoint holds and where. It is read as data, and nothing of it is executed.</summary>
internal static class MetadataFile
{
    /// <summary>Bytes. Each part of a tensor takes some 200, so this is room for 5 million parts.</summary>
    private const int MaxLength = 1 << 30;

    /// <summary>Bytes that PyTorch spends at least on a value. Less would be a pickle that is made to take memory.</summary>
    private const int MinBytesPerValue = 2;

    /// <exception cref="CheckpointException">It can't be read, is damaged, or asks for what no metadata needs.</exception>
    public static SavedMetadata Read(IByteSource source, CancellationToken cancellationToken)
    {
        if (source.Length is 0 or > MaxLength)
        {
            throw CheckpointException.Corrupt(source.Name, source.Length == 0 ? "it is empty." : $"it is {source.Length} bytes long, and metadata has at most {MaxLength}.");
        }

        var pickle = WholeFile.Read(source, cancellationToken);
        var budget = new PickleBudget(source.Name, PickleBudget.MaxValues + (pickle.Length / MinBytesPerValue));
        var bytes = new PickleBytes(pickle, source.Name);
        var content = PickleMachine.Run(bytes, budget, new MetadataVocabulary(source.Name, budget), cancellationToken);

        return content as SavedMetadata
            ?? throw CheckpointException.Corrupt(source.Name, "its pickle holds something else than the metadata of a distributed checkpoint.");
    }
}
