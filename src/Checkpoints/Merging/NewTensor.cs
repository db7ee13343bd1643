using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>
/// Makes tensors that belong to no checkpoint yet. Exports take them beside those of a checkpoint, in the place of the one of the same name if there is one.
/// </summary>
public static class NewTensor
{
    private static readonly NamingConvention[] Conventions = [NamingConvention.Fairseq2, NamingConvention.Reference, NamingConvention.HuggingFace, NamingConvention.Gguf];

    /// <summary>Makes one of a tensor of TorchSharp. Its elements are copied, so that it may be changed or disposed of afterwards.</summary>
    /// <param name="name">Its name in any of the formats. It gets the one that Meta's format has for the parameter.</param>
    /// <param name="tensor">
    /// A TorchSharp.torch.Tensor, of the TorchSharp that lies in the module. The rows of rotary pairs lie side by side in it, as <see cref="TorchTensorConversion"/> gives them.
    /// </param>
    /// <exception cref="CheckpointException">It is something else, has a type that checkpoints do not have, or was disposed of; or libtorch can't be loaded.</exception>
    public static CheckpointTensor Of(string name, object tensor)
    {
        var torch = TorchTensors.Get();

        return torch.Describe(tensor) is (var dtype, var shape)
            ? Make(name, dtype, shape, sink => torch.Read(tensor, sink))
            : throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{name}' can't be made of an object of the type {tensor.GetType()}. Give a number, a list of numbers, or rows of as many numbers each; or a tensor that ConvertTo-TorchTensor gave or that was computed from such ones.",
                name);
    }

    /// <summary>Makes one of numbers.</summary>
    /// <param name="name">Its name in any of the formats. It gets the one that Meta's format has for the parameter.</param>
    /// <param name="numbers">Its elements in row-major order. What the element type can't hold is rounded to the nearest, by way of float32, as PyTorch does.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="dtype">Its element type: float32, float16 or bfloat16.</param>
    /// <exception cref="CheckpointException">The shape has another number of elements.</exception>
    public static CheckpointTensor Of(string name, IReadOnlyCollection<double> numbers, TensorShape shape, DType dtype = DType.Float32)
    {
        if (shape.ElementCount != numbers.Count)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor, $"'{name}' should be {shape}, which takes {Quantity.Of(shape.ElementCount, "number")}, and there {(numbers.Count == 1 ? "is" : "are")} {numbers.Count}.", name);
        }

        var rounded = numbers.Select(number => (float)number).ToArray();
        var bytes = new byte[DTypeInfo.Of(dtype).LengthOf(numbers.Count)];
        ThirdParty.TensorMath.Cast(DType.Float32, MemoryMarshal.AsBytes(rounded.AsSpan()), dtype, bytes);
        return Make(name, dtype, shape, sink => sink(bytes));
    }

    private static CheckpointTensor Make(string name, DType dtype, TensorShape shape, Action<ChunkSink> fill)
    {
        TensorLimits.RequirePrintable(name, name);
        var length = DTypeInfo.Of(dtype).LengthOf(shape.ElementCount);
        var bytes = new StoredBytes { Source = new MemoryFile(name, length, fill), Record = name, Offset = 0, Length = length };
        var view = new TensorView(bytes, dtype, 0, shape, shape.RowMajorStrides());
        return new CheckpointTensor(Parse(name), dtype, shape, null, [[new TensorPart(view)]], [new TensorShard("", name, view)]);
    }

    /// <summary>In Meta's convention, whose rows of rotary pairs lie side by side.</summary>
    private static ParameterName Parse(string name) =>
        Conventions.Select(convention => ParameterName.Parse(name, convention)).FirstOrDefault(parsed => parsed.Module is not null)?.Translate(NamingConvention.Reference)
        ?? ParameterName.Parse(name, NamingConvention.Reference);
}
