using Fairseq2Llama.Formats;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Conversion;

/// <summary>Where exports can write to.</summary>
internal static class Destinations
{
    /// <param name="address">Of a folder; it need not exist.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be an address, or one that is written to.</exception>
    public static IExportDestination At(CheckpointAddress address, CancellationToken cancellationToken)
    {
        if (!address.IsRemote)
        {
            return new LocalDestination(address.Text, CheckpointFormats.IsWritten);
        }

        var (store, key) = ObjectStores.Open(address);
        return store.CanWrite
            ? new ObjectDestination(store, key, CheckpointFormats.IsWritten, cancellationToken)
            : throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"'{address}' is on a web server, and those can only be read from. Give a folder, or the address of a bucket in S3 or of a container in Azure Blob Storage.",
                address.Text);
    }
}
