using System.Security.Cryptography;

namespace Fairseq2Llama.Signing;

/// <summary>A file of keys or certificates as text (RFC 7468).</summary>
/// <param name="Name">Its path, for messages.</param>
/// <param name="Text">What it holds.</param>
internal sealed record PemFile(string Name, string Text)
{
    /// <summary>What each block is, and its bytes, in their order. What is not a well-formed block is a comment.</summary>
    public IEnumerable<(string Label, byte[] Data)> Blocks
    {
        get
        {
            var start = 0;

            while (PemEncoding.TryFind(Text.AsSpan(start), out var block))
            {
                var label = Text.AsSpan(start)[block.Label].ToString();
                var data = new byte[block.DecodedDataLength];
                Convert.TryFromBase64Chars(Text.AsSpan(start)[block.Base64Data], data, out _);
                start += block.Location.End.Value;
                yield return (label, data);
            }
        }
    }

    /// <summary>A key or certificate that was given to sign or verify with, and can't be used for it.</summary>
    public CheckpointException Unusable(string sentences, Exception? cause = null) =>
        new(CheckpointErrorCode.SigningKeyInvalid, $"'{Name}' {sentences}", Name, cause);
}
