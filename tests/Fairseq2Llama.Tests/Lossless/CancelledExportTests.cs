using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>Cancelled after any chunk, an export to any format leaves nothing.</summary>
[Lossless]
public sealed class CancelledExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Formats => ["reference", "Hugging Face", "fairseq2"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Leaves_nothing(string format)
    {
        var plan = Plan(format, "out/new");
        var count = 0;
        plan.Execute(new ProgressTo(_ => count++), CancellationToken.None);
        Directory.Delete(_folder["out"], recursive: true);

        for (var stop = 1; stop <= count; stop++)
        {
            using var cancellation = new CancellationTokenSource();
            var left = stop;

            void Count(ByteProgress progress)
            {
                if (--left == 0)
                {
                    cancellation.Cancel();
                }
            }

            Assert.Throws<OperationCanceledException>(() => Plan(format, "out/new").Execute(new ProgressTo(Count), cancellation.Token));
            Assert.Empty(_folder.Content);
        }

        Assert.InRange(count, 4, 1000);
    }

    private ConversionPlan Plan(string format, string destination)
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));

        return CheckpointExport.Plan(checkpoint, _folder[destination], format switch
        {
            "reference" => new ReferenceExportOptions { Architecture = TinyModel.Architecture },
            "fairseq2" => new Fairseq2ExportOptions { Architecture = TinyModel.Architecture },
            _ => new HuggingFaceExportOptions { Architecture = TinyModel.Architecture, MaxShardSize = 8000 },
        });
    }
}
