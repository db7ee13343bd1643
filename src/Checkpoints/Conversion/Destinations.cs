using Fairseq2Llama.Formats;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Conversion;

/// <summary>Where exports can write to.</summary>
internal static class Destinations
{
    /// <param name="path">The absolute path of a folder; it need not exist.</param>
    public static IExportDestination At(string path) => new LocalDestination(path, CheckpointFormats.IsWritten);
}
