using Fairseq2Llama.Native;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Native;

/// <summary>Which folders can be replaced as a whole.</summary>
public sealed class FolderSwapTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public FolderSwapTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux swaps folders");
        Directory.CreateDirectory(_folder["old"]);
        File.WriteAllText(_folder["old/params.json"], "{}");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_ordinary_one() => Assert.True(FolderSwap.KeepsAllOf(_folder["old"]));

    /// <summary>It can't be moved, and what would have been its successor could not be removed again.</summary>
    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserExecute)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    public void None_that_may_not_be_written_into(UnixFileMode mode)
    {
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(_folder["old"], mode);
            Assert.False(FolderSwap.KeepsAllOf(_folder["old"]));
            File.SetUnixFileMode(_folder["old"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>What is mounted would go with the old folder, and could not be removed.</summary>
    [External]
    [Fact]
    public void None_in_which_something_is_mounted()
    {
        using var mount = Mount.InMemory(_folder["old/mounted"], "size=1m");

        Assert.False(FolderSwap.KeepsAllOf(_folder["old"]));
    }
}
