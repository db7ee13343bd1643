namespace Fairseq2Llama.Tests.Prompt;

public class QuantityTests
{
    [Theory]
    [InlineData(0, "0 files")]
    [InlineData(1, "1 file")]
    [InlineData(2, "2 files")]
    [InlineData(1200, "1,200 files")]
    public void One_is_no_plural(long count, string expected) => Assert.Equal(expected, Quantity.Of(count, "file"));
}
