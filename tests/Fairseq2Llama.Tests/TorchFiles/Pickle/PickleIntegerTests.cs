using System.Numerics;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

public class PickleIntegerTests
{
    public static TheoryData<int> Lengths => [.. Enumerable.Range(0, 17)];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Reads_integers_of_any_length(int length)
    {
        var random = new Random(length);

        for (var round = 0; round < 200; round++)
        {
            var digits = new byte[length];
            random.NextBytes(digits);

            // The edges of the sign come up seldom enough to be asked for.
            if (length > 0 && round < 4)
            {
                Array.Fill(digits, round % 2 == 0 ? (byte)0 : (byte)0xff);
                digits[^1] = round < 2 ? (byte)0x80 : (byte)0x7f;
            }

            var expected = new BigInteger(digits);
            var isLong = expected >= long.MinValue && expected <= long.MaxValue;

            foreach (var opcode in new[] { Opcode.Long1, Opcode.Long4 })
            {
                var value = new PickleBuilder()
                    .OpWith(opcode, opcode == Opcode.Long1 ? [(byte)length] : PickleBuilder.LittleEndian(length)).Raw(digits).Run().Content;

                Assert.Equal(expected, value is Int128 wide ? (BigInteger)wide : Assert.IsType<long>(value));
                Assert.Equal(isLong, value is long);
            }
        }
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(int.MaxValue + 1L)]
    [InlineData(int.MinValue - 1L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Integers_that_fit_64_bits_are_64_bits_wide(long value) => Assert.Equal(value, new PickleBuilder().Integer(value).Run().Content);
}
