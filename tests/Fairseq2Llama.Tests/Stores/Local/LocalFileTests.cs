using System.Diagnostics;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

public sealed class LocalFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Whoever opens a pipe waits for somebody to write into it, and nothing could stop that.</summary>
    [Fact]
    public void Is_noticed_to_have_become_a_pipe_rather_than_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no such pipes there");

        File.WriteAllText(_folder["model.pt"], "bytes");
        var file = new LocalFile(_folder["model.pt"]);
        File.Delete(_folder["model.pt"]);

        using (var process = Process.Start("mkfifo", [_folder["model.pt"]]))
        {
            process.WaitForExit();
        }

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => file.Open().Dispose(), _folder["model.pt"], "was changed");
    }
}
