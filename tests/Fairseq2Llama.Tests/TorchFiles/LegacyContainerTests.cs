using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles;

public class LegacyContainerTests
{
    private static readonly Dictionary<string, Action<LegacyFile>> Damaged = new()
    {
        ["another protocol version"] = file => file.Protocol = [0x80, 2, (byte)'K', 7, (byte)'.'],
        ["a protocol version that is no number"] = file => file.Protocol = [0x80, 2, (byte)'N', (byte)'.'],
        ["keys that are no list"] = file => file.Keys = [0x80, 2, (byte)'N', (byte)'.'],
        ["keys that are no texts"] = file => file.Keys = [0x80, 2, (byte)']', (byte)'N', (byte)'a', (byte)'.'],
        ["no keys"] = file => file.Keys = LegacyFile.KeyList(),
        ["a key that nothing names"] = file => file.Keys = LegacyFile.KeyList("54321"),
        ["a key twice"] = file => file.Keys = LegacyFile.KeyList("12345", "12345"),
        ["no storages"] = file => file.Storages = [],
        ["too few elements"] = file => file.Storages = [(2, new byte[4])],
        ["too many elements"] = file => file.Storages = [(4, new byte[8])],
        ["a count beyond the end"] = file => file.Storages = [(long.MaxValue, new byte[6])],
        ["a negative count"] = file => file.Storages = [(-1, new byte[6])],
        ["data that is cut off"] = file => file.Storages = [(3, new byte[5])],
    };

    public static TheoryData<string> DamagedKinds => [.. Damaged.Keys];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_the_files_of_either_kind_of_machine(bool isBigEndian)
    {
        var file = TorchFile.Open(new MemorySource(LegacyFile.OfOneStorage(isBigEndian).Build()));
        var tensor = file.GetTensor(Assert.IsType<PickledTensor>(file.Content));

        Assert.Equal(DType.Int16, tensor.DType);
        Assert.Equal([1, 0, 2, 0, 3, 0], TensorBytes.Of(tensor));
    }

    [Theory]
    [MemberData(nameof(DamagedKinds))]
    public void Calls_damaged_a_file_with(string what)
    {
        var file = LegacyFile.OfOneStorage();
        Damaged[what](file);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(file.Build())), "memory.pt");
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_damaged()
    {
        var whole = LegacyFile.OfOneStorage().Build();

        for (var length = 2; length < whole.Length; length++)
        {
            ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(whole[..length])), "memory.pt");
        }
    }

    [Fact]
    public void Another_magic_number_is_another_file()
    {
        var file = LegacyFile.OfOneStorage();
        file.Magic[^2] ^= 1;

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(file.Build())), "plain pickle");
    }

    [Fact]
    public void Refuses_what_is_unsafe_in_any_of_its_pickles()
    {
        var evil = new PickleBuilder().OpWith(Opcode.Proto, 2).Global("os", "system").Op(Opcode.EmptyTuple, Opcode.Reduce).Stop();

        Action<LegacyFile>[] places = [file => file.Magic = evil, file => file.Protocol = evil, file => file.Content = evil, file => file.Keys = evil];

        foreach (var change in places)
        {
            var file = LegacyFile.OfOneStorage();
            change(file);
            ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => TorchFile.Open(new MemorySource(file.Build())), "'os.system'");
        }
    }
}
