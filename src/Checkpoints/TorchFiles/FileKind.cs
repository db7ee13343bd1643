using System.Buffers.Binary;
using System.Text;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.TorchFiles;

/// <summary>Recognizes a file by its first bytes, so that the error for a wrong file can name its kind.</summary>
internal static class FileKind
{
    private const int TarMagicOffset = 257;

    /// <summary>The first bytes, which it needs.</summary>
    public static ByteRange HeadOf(IByteSource source) => new(0, Math.Min(source.Length, 512));

    /// <summary>What the file is when it can't be a torch.save file, as a clause for a message; null when it can.</summary>
    public static string? DescribeForeign(IByteSource source, IByteReader reader)
    {
        Span<byte> head = stackalloc byte[(int)HeadOf(source).Length];
        reader.Read(0, head);

        // A safetensors file begins with a length, which can look like the beginning of anything.
        if (DescribeMagic(head, source.Length) is { } known)
        {
            return known;
        }

        var isZip = head.StartsWith("PK"u8);
        var isPickle = head is [0x80, >= 2 and <= 5, ..];
        return isZip || isPickle ? null : IsText(head) ? "is plain text" : "is not a file written by torch.save";
    }

    private static string? DescribeMagic(ReadOnlySpan<byte> head, long length)
    {
        if (head.StartsWith("version https://git-lfs"u8))
        {
            return "is a Git LFS pointer, not the file it points to; run 'git lfs pull' in its repository";
        }

        if (head.Length >= TarMagicOffset + 5 && head[TarMagicOffset..].StartsWith("ustar"u8))
        {
            return "is a tar archive; if PyTorch before 0.4 wrote it, load it there and save it with a newer one";
        }

        if (head.StartsWith("GGUF"u8))
        {
            return "is a GGUF file, which Read-LlamaCheckpoint reads if its name ends with .gguf";
        }

        if (head is [0x1f, 0x8b, ..])
        {
            return "is compressed with gzip; decompress it first";
        }

        if (head is [0x28, 0xb5, 0x2f, 0xfd, ..])
        {
            return "is compressed with Zstandard; decompress it first";
        }

        if (head.Length > 9 && head[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(head) < (ulong)length)
        {
            return "is a safetensors file";
        }

        return null;
    }

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        // A multi-byte character may be cut at the end of what was read.
        var text = Encoding.UTF8.GetString(head);
        return !text[..^1].Contains('\uFFFD') && !text.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r'));
    }
}
