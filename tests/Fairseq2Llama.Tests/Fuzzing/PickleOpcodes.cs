using System.Buffers.Binary;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Changes to a pickle, opcode by opcode, so that what follows a change is still read as what it was.</summary>
internal static class PickleOpcodes
{
    private const int MaxRepetitions = 1 << 10;

    /// <param name="pickle">A pickle, or several in a row with whatever follows them.</param>
    /// <param name="random">Says what to change.</param>
    public static byte[] Mutate(byte[] pickle, Random random)
    {
        var opcodes = Split(pickle);

        for (var changes = random.Next(1, 4); changes > 0 && opcodes.Count > 0; changes--)
        {
            MutateOnce(opcodes, random);
        }

        return [.. opcodes.SelectMany(opcode => opcode)];
    }

    private static void MutateOnce(List<byte[]> opcodes, Random random)
    {
        var (place, other) = (random.Next(opcodes.Count), random.Next(opcodes.Count));
        var few = opcodes.GetRange(other, Math.Min(random.Next(1, 8), opcodes.Count - other));

        switch (random.Next(6))
        {
            case 0:
                opcodes.RemoveAt(place);
                break;
            case 1:
                (opcodes[place], opcodes[other]) = (opcodes[other], opcodes[place]);
                break;
            case 2:
                opcodes.InsertRange(place, few);
                break;
            case 3:
                opcodes.InsertRange(place, Enumerable.Repeat(few, random.Next(MaxRepetitions)).SelectMany(repeated => repeated));
                break;
            case 4:
                opcodes.Insert(place, [(byte)Pickles.PlainOpcode(random)]);
                break;
            default:
                // Not the length of what follows: that is what the other fuzzers do.
                opcodes[place] = [opcodes[place][0], .. BitConverter.GetBytes(Bytes.Number(random)).AsSpan(0, Math.Min(opcodes[place].Length - 1, sizeof(long)))];
                break;
        }
    }

    private static List<byte[]> Split(byte[] pickle)
    {
        var opcodes = new List<byte[]>();

        for (var place = 0; place < pickle.Length;)
        {
            var length = (int)Math.Clamp(LengthAt(pickle.AsSpan(place)), 1, pickle.Length - place);
            opcodes.Add(pickle[place..(place + length)]);
            place += length;
        }

        return opcodes;
    }

    /// <summary>The opcode and its arguments, as pickletools has them.</summary>
    private static long LengthAt(ReadOnlySpan<byte> bytes) => (Opcode)bytes[0] switch
    {
        Opcode.BinInt1 or Opcode.BinPut or Opcode.BinGet or Opcode.Proto or Opcode.Ext1 => 2,
        Opcode.BinInt2 or Opcode.Ext2 => 3,
        Opcode.BinInt or Opcode.LongBinPut or Opcode.LongBinGet or Opcode.Ext4 => 5,
        Opcode.BinFloat or Opcode.Frame => 9,
        Opcode.ShortBinString or Opcode.ShortBinUnicode or Opcode.ShortBinBytes or Opcode.Long1 when bytes.Length > 1 => 2 + bytes[1],
        Opcode.BinString or Opcode.BinUnicode or Opcode.BinBytes or Opcode.Long4 when bytes.Length > 4 => 5L + BinaryPrimitives.ReadUInt32LittleEndian(bytes[1..]),
        Opcode.BinUnicode8 or Opcode.BinBytes8 or Opcode.ByteArray8 when bytes.Length > 8 => 9 + (BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]) & int.MaxValue),
        Opcode.Global or Opcode.Inst => 1 + LengthOfLines(bytes[1..]),
        _ => 1,
    };

    private static int LengthOfLines(ReadOnlySpan<byte> bytes)
    {
        var first = bytes.IndexOf((byte)'\n') + 1;
        return first + bytes[first..].IndexOf((byte)'\n') + 1;
    }
}
