using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors;

/// <summary>
/// The index of a safetensors file: its tensors, and where the bytes of each lie. Opening one reads the header, never tensor data. It
/// refuses what the format's reference implementation refuses, and what the format forbids and that one lets pass, such as a key that
/// stands there twice. Names and dimensions are bounded as those of torch.save files.
/// </summary>
internal sealed class SafeTensorsFile
{
    private SafeTensorsFile(IByteSource source, SafeTensorsHeader header, IReadOnlyList<SafeTensorsEntry> tensors)
    {
        Source = source;
        Metadata = header.Metadata;
        Tensors = tensors;
    }

    public IByteSource Source { get; }

    /// <summary>Text under free keys, empty where the file has none. Models for PyTorch mostly have <c>format</c>: <c>pt</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>In the order of their data in the file.</summary>
    public IReadOnlyList<SafeTensorsEntry> Tensors { get; }

    /// <exception cref="CheckpointException">It is not a safetensors file, is damaged, or holds a tensor that PyTorch would not.</exception>
    public static SafeTensorsFile Open(IByteSource source, CancellationToken cancellationToken = default)
    {
        var json = HeaderText.Read(source);
        var header = SafeTensorsHeader.Parse(source.Name, json, cancellationToken);
        var dataOffset = HeaderText.LengthSize + json.Length;

        DataSection.RequireCovered(source.Name, header.Tensors, source.Length - dataOffset);

        return new SafeTensorsFile(source, header, [.. header.Tensors.Select(tensor => Locate(source, tensor, dataOffset))]);
    }

    private static SafeTensorsEntry Locate(IByteSource source, HeaderEntry tensor, long dataOffset)
    {
        var storage = new StoredBytes
        {
            Source = source,
            Record = tensor.Name,
            Offset = dataOffset + tensor.Begin,
            Length = tensor.End - tensor.Begin,
        };

        return new SafeTensorsEntry(tensor.Name, new TensorView(storage, tensor.DType, 0, tensor.Shape, tensor.Shape.RowMajorStrides()));
    }
}
