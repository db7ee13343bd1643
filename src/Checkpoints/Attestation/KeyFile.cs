using System.Text;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>Reads a file of a key or of certificates.</summary>
internal static class KeyFile
{
    /// <summary>A bundle of all certificate authorities that browsers trust is 200 KB.</summary>
    private const int MaxLength = 4 << 20;

    /// <exception cref="CheckpointException">It is not there, or can't be read.</exception>
    public static PemFile Read(CheckpointAddress address, CancellationToken cancellationToken)
    {
        var place = CheckpointFolders.At(address, cancellationToken);

        try
        {
            var file = CheckpointFolder.Look(place, () => StoredFile.At(place)) ?? throw new CheckpointException(
                CheckpointErrorCode.SigningKeyInvalid, $"There is no file '{place.Path}'. Check the spelling of the path.", place.Path);

            return new PemFile(file.Path, Encoding.UTF8.GetString(WholeFile.ReadText(file.Source, MaxLength).Span));
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.CheckpointCorrupt)
        {
            throw new CheckpointException(CheckpointErrorCode.SigningKeyInvalid, e.Message, place.Path, e);
        }
    }
}
