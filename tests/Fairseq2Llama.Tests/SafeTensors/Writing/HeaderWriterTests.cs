using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors.Writing;

/// <summary>The rules of the format (its README, and what tensor.rs of the reference implementation writes), one by one.</summary>
public class HeaderWriterTests
{
    private static readonly PlannedTensor Matrix = PlannedTensors.Make("b", DType.Float32, 2, 3);
    private static readonly PlannedTensor Half = PlannedTensors.Make("a", DType.BFloat16, 5);

    /// <summary>Names of every length modulo 8.</summary>
    public static TheoryData<int> Lengths => [.. Enumerable.Range(1, 8)];

    public static TheoryData<DType> DTypes => [.. Enum.GetValues<DType>().Where(dtype => dtype is not (DType.Complex128 or DType.Q8_0))];

    [Fact]
    public void The_length_of_the_header_takes_8_bytes_and_the_lowest_comes_first()
    {
        using var folder = new TempFolder();

        var file = File.ReadAllBytes(TensorFiles.Write(WrittenSafeTensors.Plan(PlannedTensors.Make(new string('n', 300), DType.UInt8, 1)), folder));

        // Two of them are not 0 and differ, so that another order would show.
        Assert.Equal([0x80, 0x01, 0, 0, 0, 0, 0, 0], file[..8]);
        Assert.Equal(8 + 0x180 + 1, file.Length);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Spaces_make_the_header_a_multiple_of_8_and_its_length_counts_them(int length)
    {
        var file = WrittenSafeTensors.Of(PlannedTensors.Make(new string('n', length), DType.Int64, 1));
        var text = file.Header.TrimEnd(' ');

        Assert.Equal(0, file.HeaderLength % 8);
        Assert.InRange(file.HeaderLength - text.Length, 0, 7);
        Assert.EndsWith("}}", text, StringComparison.Ordinal);
        Assert.Equal(8, file.Data.Length);
    }

    [Fact]
    public void The_header_begins_with_a_brace_and_has_no_white_space_before_its_end()
    {
        var text = WrittenSafeTensors.Of(Matrix, Half).Header.TrimEnd(' ');

        Assert.Equal('{', text[0]);
        Assert.DoesNotContain(text, char.IsWhiteSpace);
    }

    [Fact]
    public void It_is_what_the_reference_implementation_would_write() => Assert.Equal(
        """{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"a":{"dtype":"BF16","shape":[5],"data_offsets":[24,34]}}""",
        WrittenSafeTensors.Of(Matrix, Half).Header.TrimEnd(' '));

    [Fact]
    public void No_key_is_there_twice()
    {
        var keys = WrittenSafeTensors.Of(Matrix, Half).Keys;

        Assert.Distinct(keys.Select(key => key.Name));
        Assert.All(keys, key => Assert.Distinct(key.Value.EnumerateObject().Select(field => field.Name)));
    }

    [Fact]
    public void Metadata_comes_first_and_says_that_it_is_for_PyTorch()
    {
        var first = WrittenSafeTensors.Of(PlannedTensors.Make("A sorts before an underscore", DType.UInt64, 1)).Keys[0];

        Assert.Equal("""{"format":"pt"}""", first.Value.GetRawText());
        Assert.Equal("__metadata__", first.Name);
    }

    [Fact]
    public void The_fields_of_a_tensor_come_in_one_order() => Assert.All(
        WrittenSafeTensors.Of(Matrix, Half).Keys.Skip(1),
        key => Assert.Equal(["dtype", "shape", "data_offsets"], key.Value.EnumerateObject().Select(field => field.Name)));

    [Fact]
    public void A_file_without_tensors_is_a_header()
    {
        var file = WrittenSafeTensors.Of();

        Assert.Equal("""{"__metadata__":{"format":"pt"}}""", file.Header.TrimEnd(' '));
        Assert.Empty(file.Data);
    }

    [Fact]
    public void A_tensor_without_dimensions_has_an_empty_shape_and_one_element()
    {
        var tensor = Assert.Single(WrittenSafeTensors.Of(PlannedTensors.Make("scalar", DType.Int32)).Tensors);

        Assert.Empty(tensor.Shape);
        Assert.Equal((0, 4), (tensor.Begin, tensor.End));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("größe.重み")]
    [InlineData("\U0001f999")]
    [InlineData("\"quoted\" and \\back\\slashed/")]
    [InlineData("<&>'+`")]
    [InlineData("\u2028\u00a0\ue000\ufeff")]
    public void A_name_may_be_any_text(string name) => Assert.Equal(name, Assert.Single(WrittenSafeTensors.Of(PlannedTensors.Make(name, DType.UInt8, 1)).Tensors).Name);

    [Fact]
    public void Text_that_JSON_allows_as_it_is_stands_there_as_it_is() =>
        Assert.Contains("\"größe <重み>\":{", WrittenSafeTensors.Of(PlannedTensors.Make("größe <重み>", DType.UInt8, 1)).Header, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(DTypes))]
    public void Every_dtype_has_the_name_of_the_format(DType dtype)
    {
        var tensor = Assert.Single(WrittenSafeTensors.Of(PlannedTensors.Make("x", dtype, 3)).Tensors);

        Assert.Equal((NameOf(dtype), 3 * dtype.GetItemSize()), (tensor.DType, (int)tensor.End));
    }

    [Fact]
    public void Complex_numbers_of_doubles_are_refused_by_name() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => WrittenSafeTensors.Plan(Matrix, PlannedTensors.Make("x", DType.Complex128, 1)),
        "'source of x' is complex128", "Filter it out");

    [Fact]
    public void A_tensor_that_is_called_as_the_metadata_is_refused() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => WrittenSafeTensors.Plan(Matrix, PlannedTensors.Make("__metadata__", DType.Float32, 1)),
        "'source of __metadata__'", "Filter it out");

    /// <summary>As the enum Dtype of tensor.rs is serialized.</summary>
    private static string NameOf(DType dtype) => dtype switch
    {
        DType.Float64 => "F64",
        DType.Float32 => "F32",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        DType.Float8E4M3FN => "F8_E4M3",
        DType.Float8E5M2 => "F8_E5M2",
        DType.Int64 => "I64",
        DType.Int32 => "I32",
        DType.Int16 => "I16",
        DType.Int8 => "I8",
        DType.UInt64 => "U64",
        DType.UInt32 => "U32",
        DType.UInt16 => "U16",
        DType.UInt8 => "U8",
        DType.Bool => "BOOL",
        DType.Complex64 => "C64",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "The format has no such type."),
    };
}
