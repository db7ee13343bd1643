using Fairseq2Llama.Torch;

namespace Fairseq2Llama.Tests.Arithmetic;

public class LibTorchFailureTests
{
    /// <summary>What glibc's loader says on Debian 12.</summary>
    private const string OnDebian12 =
        "Unable to load shared library '/module/runtimes/linux-x64/native/libLibTorchSharp.so' or one of its dependencies. In order to help diagnose"
        + " loading problems, consider using a tool like strace. If you're using glibc, consider setting the LD_DEBUG environment variable: \n"
        + "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /module/runtimes/linux-x64/native/libLibTorchSharp.so)\n";

    [Theory]
    [InlineData("GLIBCXX_3.4.32")]
    [InlineData("GCC 13")]
    [InlineData("Debian 12")]
    [InlineData("Ubuntu 22.04")]
    [InlineData("RHEL 9")]
    [InlineData("install its libstdc++6")]
    public void An_old_libstdcxx_is_explained_by_name(string word) =>
        Assert.Contains(word, LibTorchFailure.Of([LibTorchFailure.Explain(OnDebian12)]).Message, StringComparison.Ordinal);

    [Fact]
    public void Files_need_not_be_put_elsewhere_where_they_are_not_the_cause() =>
        Assert.DoesNotContain("Unpack", LibTorchFailure.Of([LibTorchFailure.Explain(OnDebian12)]).Message, StringComparison.Ordinal);

    [Fact]
    public void Anything_else_is_told_in_the_loaders_words() =>
        Assert.Equal("/x/libc10.so: file too short", LibTorchFailure.Explain("/x/libc10.so: file too short.\n"));

    [Fact]
    public void The_version_is_the_one_that_TorchSharp_was_made_for()
    {
        Support.LibTorch.Require();

        Assert.Equal(LibTorchLocation.Version, TorchSharp.torch.NormalizeNuGetVersion(TorchSharp.torch.__version__));
    }
}
