using Fairseq2Llama.Cmdlets;

namespace Fairseq2Llama.Tests.Cmdlets;

public class ByteSizeTests
{
    [Theory]
    [InlineData("1", 1)]
    [InlineData("5000000000", 5_000_000_000)]
    [InlineData("007", 7)]
    [InlineData("300B", 300)]
    [InlineData("9007199254740991", 9_007_199_254_740_991)]
    public void A_number_is_a_number_of_bytes(string text, long expected) => Assert.Equal(expected, ByteSize.Parse(text));

    [Theory]
    [InlineData("3KB", 3_000)]
    [InlineData("500MB", 500_000_000)]
    [InlineData("5GB", 5_000_000_000)]
    [InlineData("2TB", 2_000_000_000_000)]
    [InlineData("5G", 5_000_000_000)]
    public void Suffixes_are_decimal_as_those_of_Hugging_Face(string text, long expected) => Assert.Equal(expected, ByteSize.Parse(text));

    [Theory]
    [InlineData("3KiB", 3L << 10)]
    [InlineData("500MiB", 500L << 20)]
    [InlineData("5GiB", 5L << 30)]
    [InlineData("2TiB", 2L << 40)]
    [InlineData("5Gi", 5L << 30)]
    public void Suffixes_with_an_i_are_binary(string text, long expected) => Assert.Equal(expected, ByteSize.Parse(text));

    [Theory]
    [InlineData("5gb", 5_000_000_000)]
    [InlineData("5Gb", 5_000_000_000)]
    [InlineData("5gib", 5L << 30)]
    [InlineData("5GIB", 5L << 30)]
    [InlineData("5b", 5)]
    [InlineData("5k", 5_000)]
    public void Case_does_not_matter(string text, long expected) => Assert.Equal(expected, ByteSize.Parse(text));

    [Theory]
    [InlineData(" 5GB")]
    [InlineData("5GB ")]
    [InlineData("5 GB")]
    [InlineData("\t5  GB\n")]
    public void Blanks_around_the_number_do_not_matter(string text) => Assert.Equal(5_000_000_000, ByteSize.Parse(text));

    [Theory]
    [InlineData("1.5GB", 1_500_000_000)]
    [InlineData("0.5KiB", 512)]
    [InlineData("0.001KB", 1)]
    [InlineData("1.0", 1)]
    [InlineData("2.9", 2)]
    [InlineData("1.9999KB", 1_999)]
    public void Fractions_are_cut_off_to_whole_bytes(string text, long expected) => Assert.Equal(expected, ByteSize.Parse(text));

    [Theory]
    [InlineData("0")]
    [InlineData("0GB")]
    [InlineData("0.0KiB")]
    [InlineData("0.9")]
    [InlineData("0.0009KB")]
    [InlineData("-1")]
    [InlineData("-5GB")]
    public void Less_than_a_byte_is_no_size(string text) => Assert.Null(ByteSize.Parse(text));

    [Fact]
    public void The_largest_has_63_bits()
    {
        Assert.Equal(8_388_607L << 40, ByteSize.Parse("8388607TiB"));
        Assert.Null(ByteSize.Parse("8388608TiB"));
        Assert.Null(ByteSize.Parse("9223372036854775808"));
        Assert.Null(ByteSize.Parse("99999999999999999999999TB"));
        Assert.Null(ByteSize.Parse(new string('9', 400)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("GB")]
    [InlineData("B")]
    [InlineData("5GBB")]
    [InlineData("5iB")]
    [InlineData("5 G B")]
    [InlineData("5PB")]
    [InlineData("5XB")]
    [InlineData("5 bytes")]
    [InlineData("5GB 5GB")]
    [InlineData("5\n6")]
    [InlineData("+5")]
    [InlineData("5e9")]
    [InlineData("0x10")]
    [InlineData(".5GB")]
    [InlineData("5.GB")]
    [InlineData("1.2.3GB")]
    [InlineData("1,5GB")]
    [InlineData("1_000")]
    [InlineData("1 000")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("∞")]
    [InlineData("٥GB")]
    [InlineData("５GB")]
    [InlineData("5\u212AB")]
    [InlineData("5G\u0130B")]
    [InlineData("5G\u0131B")]
    public void Anything_else_is_no_size(string text) => Assert.Null(ByteSize.Parse(text));
}
