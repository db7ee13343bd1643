using System.Buffers.Binary;
using System.Numerics;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// Finds out what a pickle uses again, by going over its opcodes once without running them. Of the metadata of a large distributed checkpoint, the machine would
/// otherwise remember some ten million objects to come back to some ten thousand.
/// </summary>
internal sealed class PickleRecalls
{
    private const int BitsOfWord = 64;

    private readonly ulong[] _words;
    private readonly int[] _before;

    private PickleRecalls(ReadOnlySpan<ulong> words)
    {
        _words = words.ToArray();
        _before = new int[words.Length];

        for (var i = 0; i < words.Length; i++)
        {
            _before[i] = Count;
            Count += BitOperations.PopCount(words[i]);
        }
    }

    /// <summary>How many numbers something is recalled under.</summary>
    public int Count { get; }

    /// <summary>Those of a pickle, as far as its opcodes make sense, which only the machine checks.</summary>
    public static PickleRecalls Find(ReadOnlySpan<byte> pickle)
    {
        var words = new ulong[4];
        var used = 0;

        // No budget pays for a larger number: each takes a byte, and numbers that are passed over are values, too.
        var limit = (uint)pickle.Length + PickleBudget.MaxValues;

        while (!pickle.IsEmpty && LengthOf(pickle) is > 0 and var length && length <= pickle.Length)
        {
            var number = (Opcode)pickle[0] switch
            {
                Opcode.BinGet => pickle[1],
                Opcode.LongBinGet => BinaryPrimitives.ReadUInt32LittleEndian(pickle[1..]),
                _ => uint.MaxValue,
            };

            if (number < limit)
            {
                var word = (int)(number / BitsOfWord);

                if (word >= words.Length)
                {
                    Array.Resize(ref words, Math.Max(word + 1, 2 * words.Length));
                }

                words[word] |= 1UL << (int)(number % BitsOfWord);
                used = Math.Max(used, word + 1);
            }

            pickle = pickle[(int)length..];
        }

        return new PickleRecalls(words.AsSpan(0, used));
    }

    /// <summary>The place of a number among those under which something is recalled; -1 if it is none of them.</summary>
    public int PlaceOf(uint number)
    {
        var word = number / BitsOfWord;

        if (word >= (uint)_words.Length)
        {
            return -1;
        }

        var bit = 1UL << (int)(number % BitsOfWord);
        return (_words[word] & bit) == 0 ? -1 : _before[word] + BitOperations.PopCount(_words[word] & (bit - 1));
    }

    /// <summary>Bytes of the opcode that comes first, with its argument; 0 where the pickle ends, or ends too early.</summary>
    private static long LengthOf(ReadOnlySpan<byte> pickle) => (Opcode)pickle[0] switch
    {
        Opcode.Stop => 0,
        Opcode.BinInt1 or Opcode.BinGet or Opcode.BinPut or Opcode.Proto or Opcode.Ext1 => 2,
        Opcode.BinInt2 or Opcode.Ext2 => 3,
        Opcode.BinInt or Opcode.LongBinGet or Opcode.LongBinPut or Opcode.Ext4 => 5,
        Opcode.BinFloat or Opcode.Frame => 9,
        Opcode.ShortBinString or Opcode.ShortBinUnicode or Opcode.ShortBinBytes or Opcode.Long1 when pickle.Length > 1 => 2L + pickle[1],
        Opcode.BinString or Opcode.BinUnicode or Opcode.BinBytes or Opcode.Long4 when pickle.Length > 4 => 5L + BinaryPrimitives.ReadUInt32LittleEndian(pickle[1..]),
        Opcode.BinUnicode8 or Opcode.BinBytes8 or Opcode.ByteArray8 when pickle.Length > 8 => LengthOfLong(pickle),
        Opcode.ShortBinString or Opcode.ShortBinUnicode or Opcode.ShortBinBytes or Opcode.Long1
            or Opcode.BinString or Opcode.BinUnicode or Opcode.BinBytes or Opcode.Long4
            or Opcode.BinUnicode8 or Opcode.BinBytes8 or Opcode.ByteArray8 => 0,
        Opcode.Global or Opcode.Inst => LengthOfLines(pickle),
        _ => 1,
    };

    /// <summary>That of an opcode with a length of 8 bytes behind it, and as many bytes as it says.</summary>
    private static long LengthOfLong(ReadOnlySpan<byte> pickle) =>
        BinaryPrimitives.ReadInt64LittleEndian(pickle[1..]) is >= 0 and <= int.MaxValue and var length ? 9 + length : 0;

    /// <summary>That of an opcode with two lines behind it.</summary>
    private static int LengthOfLines(ReadOnlySpan<byte> pickle)
    {
        var first = pickle.IndexOf((byte)'\n') + 1;
        var second = pickle[first..].IndexOf((byte)'\n') + 1;
        return first > 0 && second > 0 ? first + second : 0;
    }
}
