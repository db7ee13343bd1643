using System.Management.Automation;
using Fairseq2Llama.Tests.Cmdlets;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>Ctrl+C at random moments: the engine stops the pipeline, and what is found then is as it was, or whole.</summary>
[Lossless]
public sealed class StoppedExportTests : ExportTests
{
    private const int Stops = 10;

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly TempFolder _input = new("input");
    private readonly Dictionary<string, string> _whole;

    public StoppedExportTests()
    {
        var architecture = TinyModel.Architecture with { Name = "wide", VocabSize = 500_000 };
        Session["path"] = BigCheckpoint.Write(_input.Path, architecture);
        Session["wide"] = architecture;
        Session.Run("$checkpoint = Read-Fairseq2Checkpoint $path; $checkpoint | Export-LlamaReferenceCheckpoint whole -Architecture $wide");
        _whole = CheckpointFolder.Hashes(Folder["whole"]);
    }

    public override void Dispose()
    {
        base.Dispose();
        _input.Dispose();
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("-ShardIndex 0", 2)]
    public void Leaves_nothing_of_a_new_export(string arguments, int seed)
    {
        var random = new Random(seed);

        for (var stop = 0; stop < Stops; stop++)
        {
            StopAfter(random.Next(80), $"$checkpoint | Export-LlamaReferenceCheckpoint deep/new -Architecture $wide {arguments}");

            if (Directory.Exists(Folder["deep"]))
            {
                Assert.Equal(
                    arguments.Length == 0 ? _whole : _whole.Where(file => file.Key != "params.json"),
                    CheckpointFolder.Hashes(Folder["deep/new"]).Where(file => file.Key[0] != '.'));
                Directory.Delete(Folder["deep"], recursive: true);
            }

            Assert.Equal(["whole", "whole/consolidated.00.pth", "whole/params.json"], Folder.Content);
        }
    }

    [Fact]
    public void Leaves_the_earlier_export_as_it_was()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint old -Architecture $tiny");
        var old = CheckpointFolder.Hashes(Folder["old"]);
        var random = new Random(3);

        for (var stop = 0; stop < Stops; stop++)
        {
            StopAfter(random.Next(80), "$checkpoint | Export-LlamaReferenceCheckpoint old -Architecture $wide -Force");

            var found = CheckpointFolder.Hashes(Folder["old"]);
            Assert.True(found.SequenceEqual(old) || found.OrderBy(file => file.Key).SequenceEqual(_whole.OrderBy(file => file.Key)), $"after stop {stop}");
            Assert.DoesNotContain(Folder.Content, entry => entry.Contains(".fairseq2llama", StringComparison.Ordinal));
            old = found;
        }
    }

    private void StopAfter(int milliseconds, string script)
    {
        using var pipeline = Session.Pipeline(script);
        var running = pipeline.BeginInvoke();
        Thread.Sleep(milliseconds);
        Assert.True(pipeline.BeginStop(null, null).AsyncWaitHandle.WaitOne(Hang), "it does not stop");

        // It may just have finished.
        Assert.True(Record.Exception(() => pipeline.EndInvoke(running)) is null or PipelineStoppedException);
        Assert.Empty(pipeline.Streams.Error);
    }
}
