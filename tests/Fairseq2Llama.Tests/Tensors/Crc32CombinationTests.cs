using CsCheck;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Tests.Tensors;

public class Crc32CombinationTests
{
    [Fact]
    public void Of_pieces_is_that_of_the_whole() => Gen.Select(Gen.Byte.Array[0, 3000], Gen.Byte.Array[0, 3000]).Sample((first, second) =>
        Assert.Equal(Crc([.. first, .. second]), Crc32Combination.Combine(Crc(first), Crc(second), second.Length)));

    [Fact]
    public void Of_long_pieces_is_that_of_the_whole()
    {
        var bytes = new byte[(3 << 20) + 17];
        new Random(5).NextBytes(bytes);

        Assert.Equal(Crc(bytes), Crc32Combination.Combine(Crc(bytes[..5]), Crc(bytes[5..]), bytes.Length - 5));
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(bytes);
        return crc.GetAndReset();
    }
}
