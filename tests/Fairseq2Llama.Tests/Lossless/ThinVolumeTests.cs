using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>The destination lies on a volume that promised more room than it has, which shows when data goes from memory to the disk.</summary>
[Lossless]
public sealed class ThinVolumeTests : IDisposable
{
    private static readonly LlamaArchitecture Architecture = TinyModel.Architecture with { VocabSize = 1_000_000 };

    private readonly TempFolder _folder = new();
    private readonly TempFolder _input = new("input");

    public void Dispose()
    {
        _folder.Dispose();
        _input.Dispose();
    }

    /// <summary>An export takes 64 MB, about.</summary>
    [Fact]
    public void Is_reported_by_an_export_that_waits_for_the_disk()
    {
        var (disk, volume) = Mount.WithThinVolume(_folder, "30m");

        using (disk)
        using (volume)
        {
            RequireReported(() => Export(volume["out"], flush: true));

            Assert.False(Directory.Exists(volume["out"]));
        }
    }

    [Fact]
    public void Leaves_the_earlier_export_as_it_was()
    {
        var (disk, volume) = Mount.WithThinVolume(_folder, "30m");

        using (disk)
        using (volume)
        {
            var small = CheckpointExport.Plan(
                Fairseq2Checkpoint.Read(Repository.Case("fs2")), volume["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture, Flush = true });
            small.Execute();
            var before = CheckpointFolder.Snapshot(volume["out"]);

            RequireReported(() => Export(volume["out"], flush: false));

            Assert.Equal(before, CheckpointFolder.Snapshot(volume["out"]));
        }
    }

    /// <summary>Whether the volume is full or damaged, kernels tell in different ways.</summary>
    private static void RequireReported(Action export) =>
        Assert.True(Assert.Throws<CheckpointException>(export).Code is CheckpointErrorCode.InsufficientDiskSpace or CheckpointErrorCode.WriteFailed);

    private void Export(string destination, bool flush) => CheckpointExport
        .Plan(
            Fairseq2Checkpoint.Read(BigCheckpoint.Write(_input["big"], Architecture)),
            destination,
            new ReferenceExportOptions { Architecture = Architecture, Flush = flush, Force = true })
        .Execute();
}
