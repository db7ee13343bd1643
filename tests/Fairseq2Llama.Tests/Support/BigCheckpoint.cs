using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// A checkpoint that takes little room on the disk and whose export takes long: every tensor is a view of one float16 storage, a hole
/// in a sparse file, and each begins elsewhere, so that no two of them are tied. PyTorch 1.13 would write it so with
/// _use_new_zipfile_serialization=False; that container has no checksums, so none need be computed here.
/// </summary>
internal static class BigCheckpoint
{
    private const int ItemSize = 2;

    /// <summary>Writes <c>model.pt</c> with every parameter of an architecture.</summary>
    /// <returns>The folder.</returns>
    public static string Write(string folder, LlamaArchitecture architecture)
    {
        var tensors = LlamaParameter.All
            .SelectMany(parameter => parameter.NamesIn(architecture)
                .Select(name => (Name: name, Shape: parameter.Dims.Select(dim => dim.SizeIn(architecture)).ToArray())))
            .ToArray();
        var numel = tensors.Max(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)) + tensors.Length;

        using var pickles = new MemoryStream();
        using var writer = new BinaryWriter(pickles);

        // The magic number 0x1950a86a20f9469cfc6c as a LONG1, the protocol, and system information.
        writer.Write([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.']);
        writer.Write([0x80, 2, (byte)'M', 0xe9, 0x03, (byte)'.']);
        writer.Write([0x80, 2, (byte)'}', (byte)'.']);
        WriteStateDict(writer, tensors, numel);

        // The list of keys: there is one storage.
        writer.Write([0x80, 2, (byte)']']);
        WriteText(writer, "0");
        writer.Write("a."u8);
        writer.Write(numel);

        Directory.CreateDirectory(folder);
        using var file = new FileStream(Path.Combine(folder, "model.pt"), FileMode.CreateNew);
        file.Write(pickles.ToArray());
        file.SetLength(pickles.Length + (numel * ItemSize));
        return folder;
    }

    private static void WriteStateDict(BinaryWriter writer, (string Name, long[] Shape)[] tensors, long numel)
    {
        writer.Write([0x80, 2, (byte)'}', (byte)'(']);

        for (var i = 0; i < tensors.Length; i++)
        {
            var (name, shape) = tensors[i];
            WriteText(writer, name);
            writer.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            WriteText(writer, "storage");
            writer.Write("ctorch\nHalfStorage\n"u8);
            WriteText(writer, "0");
            WriteText(writer, "cpu");
            WriteNumber(writer, numel);
            writer.Write("NtQ"u8);
            WriteNumber(writer, i);
            WriteTuple(writer, shape);
            WriteTuple(writer, shape is [_, var width] ? [width, 1] : [1]);
            writer.Write([0x89]);
            writer.Write("ccollections\nOrderedDict\n)RtR"u8);
        }

        writer.Write("u."u8);
    }

    private static void WriteTuple(BinaryWriter writer, long[] numbers)
    {
        writer.Write("("u8);

        foreach (var number in numbers)
        {
            WriteNumber(writer, number);
        }

        writer.Write("t"u8);
    }

    private static void WriteNumber(BinaryWriter writer, long number)
    {
        Span<byte> bytes = stackalloc byte[5];
        bytes[0] = (byte)'J';
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], checked((int)number));
        writer.Write(bytes);
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        writer.Write("X"u8);
        writer.Write(Encoding.UTF8.GetByteCount(text));
        writer.Write(Encoding.UTF8.GetBytes(text));
    }
}
