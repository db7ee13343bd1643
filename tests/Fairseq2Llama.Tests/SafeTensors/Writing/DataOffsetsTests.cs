using CsCheck;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors.Writing;

/// <summary>Where data lies in a written file, and in which order.</summary>
public class DataOffsetsTests
{
    /// <summary>That of the enum Dtype in tensor.rs of safetensors 0.8 turned round; older versions lack some and have the others in the same order.</summary>
    private static readonly string[] DTypesInOrder =
        ["U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16", "F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL"];

    private static readonly DType[] DTypes = [.. Enum.GetValues<DType>().Where(dtype => dtype is not (DType.Complex128 or DType.Q8_0))];

    private static readonly Gen<PlannedTensor[]> Tensors =
        Gen.Select(Gen.Int[0, DTypes.Length - 1], Gen.Long[0, 4].Array[0, 3]).Array[0, 12].Select(
            tensors => tensors.Select((tensor, i) => PlannedTensors.Make($"t{i * 7 % 12}", DTypes[tensor.Item1], tensor.Item2)).ToArray());

    [Fact]
    public void Data_is_contiguous_and_ends_with_the_file() => Tensors.Sample(
        tensors =>
        {
            var file = WrittenSafeTensors.Of(tensors);
            var end = 0L;

            foreach (var entry in file.Tensors)
            {
                var tensor = tensors.Single(tensor => tensor.Name == entry.Name);

                Assert.Equal(end, entry.Begin);
                Assert.Equal(tensor.Shape.Sizes, entry.Shape);
                Assert.Equal(TensorBytes.Of(tensor.Storage), file.DataOf(entry));
                end = entry.End;
            }

            Assert.Equal(tensors.Length, file.Tensors.Count);
            Assert.Equal(end, file.Data.Length);
        },
        iter: 50,
        threads: 1);

    [Fact]
    public void Types_come_in_the_order_of_the_reference_implementation() =>
        Assert.Equal(DTypesInOrder, WrittenSafeTensors.Of(DTypes.Select(dtype => PlannedTensors.Make(dtype.GetTorchName(), dtype, 1))).Tensors.Select(tensor => tensor.DType));

    [Fact]
    public void Of_one_type_names_come_in_the_order_of_their_characters()
    {
        // Neither as a language sorts them, nor by number.
        string[] names = ["", "Z", "a", "a.10", "a.2", "a_", "b", "ä"];

        Assert.Equal(names, WrittenSafeTensors.Of(names.Reverse().Select(name => PlannedTensors.Make(name, DType.Float16, 1))).Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void Each_tensor_lies_at_a_multiple_of_its_element_size()
    {
        // Complex numbers need the alignment of the numbers that they are made of.
        var tensors = DTypes.SelectMany(dtype => new[] { PlannedTensors.Make($"{dtype} 1", dtype, 1), PlannedTensors.Make($"{dtype} 3", dtype, 3) }).ToArray();

        Assert.All(WrittenSafeTensors.Of(tensors).Tensors, entry => Assert.Equal(0, entry.Begin % DTypeInfo.OfSafeTensors(entry.DType)!.SwapUnit));
    }

    [Fact]
    public void An_empty_tensor_takes_no_room_wherever_it_stands()
    {
        var file = WrittenSafeTensors.Of(
            PlannedTensors.Make("a", DType.Float32, 0),
            PlannedTensors.Make("b", DType.Float32, 2),
            PlannedTensors.Make("c", DType.Float32, 2, 0, 3),
            PlannedTensors.Make("d", DType.Float32, 1),
            PlannedTensors.Make("e", DType.Float32, 0, 7));

        Assert.Equal(
            [("a", 0, 0), ("b", 0, 8), ("c", 8, 8), ("d", 8, 12), ("e", 12, 12)],
            file.Tensors.Select(tensor => (tensor.Name, (int)tensor.Begin, (int)tensor.End)));
        Assert.Equal([2, 0, 3], file.Tensors[2].Shape);
    }

    [Fact]
    public void Data_may_be_larger_than_32_bits_count()
    {
        const long Rows = 1L << 32;

        var layout = WrittenSafeTensors.Plan(
            PlannedTensors.MakeWithoutData("a", DType.BFloat16, Rows, 3), PlannedTensors.MakeWithoutData("b", DType.BFloat16, Rows + 1)).Layout;
        var head = new WrittenSafeTensors(Assert.Single(layout.Head).Bytes.ToArray());
        var start = 8 + head.HeaderLength;

        Assert.Equal([(0, 6 * Rows), (6 * Rows, (8 * Rows) + 2)], head.Tensors.Select(tensor => (tensor.Begin, tensor.End)));
        Assert.Equal([start, start + (6 * Rows)], layout.Storages.Select(placed => placed.Offset));
        Assert.Equal(start + (8 * Rows) + 2, layout.Length);
    }
}
