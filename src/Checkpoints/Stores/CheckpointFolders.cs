using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Stores;

/// <summary>Which folder an address is of.</summary>
internal static class CheckpointFolders
{
    /// <param name="address">There need not be anything.</param>
    /// <param name="cancellationToken">Stops looking into it.</param>
    /// <exception cref="CheckpointException">It can't be an address.</exception>
    public static ICheckpointFolder At(CheckpointAddress address, CancellationToken cancellationToken)
    {
        if (!address.IsRemote)
        {
            return new LocalFolder(address.Text);
        }

        var (store, key) = ObjectStores.Open(address);
        return new ObjectFolder(store, key, cancellationToken, address.Choice);
    }
}
