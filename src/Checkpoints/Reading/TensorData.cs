using Fairseq2Llama.Conversion;
using Fairseq2Llama.Conversion.Destination;

namespace Fairseq2Llama.Reading;

/// <summary>
/// Gives access to data of tensors that is looked at and not exported. Deflated records are inflated into a temporary folder, which is
/// there as long as this is.
/// </summary>
internal sealed class TensorData : IDisposable
{
    /// <param name="tensors">What is going to be read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is no room for what has to be inflated.</exception>
    public TensorData(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken)
    {
        Copier = new StorageCopier(ScratchFolder, VerificationMode.Auto, cancellationToken);

        var inflated = tensors.SelectMany(tensor => tensor.Shards).Select(shard => shard.Tensor.Storage).Distinct().Sum(DiskSpace.InflatedLength);

        if (inflated > 0)
        {
            DiskSpace.Require(Path.GetTempPath(), inflated);
            Directory.CreateDirectory(ScratchFolder);
        }
    }

    /// <summary>Reads it, and compares it with its checksums.</summary>
    public StorageCopier Copier { get; }

    /// <summary>Where records are inflated; there only where there are such.</summary>
    public string ScratchFolder { get; } = Path.Combine(Path.GetTempPath(), $"fairseq2llama-{Path.GetRandomFileName()}");

    public void Dispose()
    {
        Copier.Dispose();

        if (Directory.Exists(ScratchFolder))
        {
            Directory.Delete(ScratchFolder, recursive: true);
        }
    }
}
