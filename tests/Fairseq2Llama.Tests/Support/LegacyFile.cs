using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes files as torch.save wrote them before PyTorch 1.6, part by part: pickles in a row, then the storages.</summary>
internal sealed class LegacyFile
{
    private static readonly byte[] MagicNumber = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    public byte[] Magic { get; set; } = New().OpWith(Opcode.Long1, 10).Raw(MagicNumber).Stop();

    public byte[] Protocol { get; set; } = New().Integer(1001).Stop();

    public byte[] Content { get; set; } = New().Op(Opcode.EmptyDict).Stop();

    public byte[] Keys { get; set; } = New().Op(Opcode.EmptyList).Stop();

    /// <summary>What the file says of the machine that wrote it. PyTorch writes little-endian data on either.</summary>
    public bool IsBigEndian { get; set; }

    /// <summary>Element counts and data, as they follow the pickles.</summary>
    public IReadOnlyList<(long Count, byte[] Data)> Storages { get; set; } = [];

    /// <summary>A file with one storage of three int16 under the key that both texts name.</summary>
    public static LegacyFile OfOneStorage(bool isBigEndian = false) => new()
    {
        IsBigEndian = isBigEndian,
        Content = New().Tensor(Storage("12345", 3), offset: 0, [3], [1]).Stop(),
        Keys = KeyList("12345"),
        Storages = [(3, [1, 0, 2, 0, 3, 0])],
    };

    public static byte[] KeyList(params ReadOnlySpan<string> keys)
    {
        var pickle = New().Op(Opcode.EmptyList);

        foreach (var key in keys)
        {
            pickle.Text(key).Op(Opcode.Append);
        }

        return pickle.Stop();
    }

    /// <summary>('storage', torch.ShortStorage, KEY, 'cpu', COUNT, None): six items here.</summary>
    public static Action<PickleBuilder> Storage(string key, long count) => pickle => pickle
        .Op(Opcode.Mark).Text("storage").Global("torch", "ShortStorage").Text(key).Text("cpu").Integer(count).Op(Opcode.None)
        .Op(Opcode.Tuple, Opcode.BinPersId);

    public byte[] Build()
    {
        var system = New().Op(Opcode.EmptyDict).Text("little_endian").Op(IsBigEndian ? Opcode.NewFalse : Opcode.NewTrue, Opcode.SetItem).Stop();
        List<byte> file = [.. Magic, .. Protocol, .. system, .. Content, .. Keys];

        foreach (var (count, data) in Storages)
        {
            file.AddRange(BitConverter.GetBytes(count));
            file.AddRange(data);
        }

        return [.. file];
    }

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
