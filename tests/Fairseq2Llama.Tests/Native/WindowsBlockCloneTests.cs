using Fairseq2Llama.Native;

namespace Fairseq2Llama.Tests.Native;

/// <summary>How a range is divided into calls, each of less than 4 GiB. The calls themselves need ReFS.</summary>
public sealed class WindowsBlockCloneTests
{
    private const long GiB = 1L << 30;
    private const long Cluster = 65536;

    [Theory]
    [InlineData(4096, 1)]
    [InlineData(GiB, 1)]
    [InlineData(GiB + Cluster, 2)]
    [InlineData((5 * GiB) - Cluster, 5)]
    [InlineData(140 * GiB, 140)]
    public void Parts_cover_a_range_once_and_in_order(long length, int count)
    {
        var (offset, target) = (3 * Cluster, 7 * Cluster);
        var parts = WindowsBlockClone.Divide(offset, length, target).ToArray();

        Assert.Equal(count, parts.Length);
        Assert.Equal(length, parts.Sum(part => part.Length));
        Assert.All(parts, part => Assert.InRange(part.Length, 1, (4 * GiB) - 1));

        foreach (var part in parts)
        {
            Assert.Equal((offset, target), (part.Offset, part.TargetOffset));
            (offset, target) = (offset + part.Length, target + part.Length);
        }
    }

    /// <summary>Windows refuses parts that begin or end within a cluster; of ReFS, these have 4 KiB or 64 KiB.</summary>
    [Fact]
    public void Parts_of_whole_clusters_have_whole_clusters() =>
        Assert.All(WindowsBlockClone.Divide(Cluster, 9 * Cluster + (6 * GiB), 2 * Cluster), part =>
        {
            Assert.Equal(0, part.Offset % Cluster);
            Assert.Equal(0, part.TargetOffset % Cluster);
            Assert.Equal(0, part.Length % Cluster);
        });

    [Fact]
    public void Nothing_takes_no_call() => Assert.Empty(WindowsBlockClone.Divide(0, 0, 0));
}
