using System.Management.Automation;
using Fairseq2Llama.Tests.Cmdlets;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Cancelled, stopped, or without room or permission, neither an export with a manifest nor New-CheckpointManifest leaves a part of its work.</summary>
[Lossless]
public sealed class UnfinishedManifestTests : ExportTests
{
    private const int Stops = 10;

    private static readonly string[] WithManifest = ["checkpoint-manifest.json", "model.pt"];

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Formats => ["reference", "reference, divided", "Hugging Face", "fairseq2", "gguf"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_cancelled_export_leaves_nothing(string format)
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        using var elsewhere = new TempFolder();
        var tokenizer = ManifestedExport.WriteTokenizer(elsewhere["tokenizer"], TinyModel.Architecture.VocabSize);
        var count = CountReports(progress => Plan().Execute(progress, CancellationToken.None));
        Assert.Contains(Folder.Content, path => path.EndsWith("checkpoint-manifest.json", StringComparison.Ordinal));
        Directory.Delete(Folder["out"], recursive: true);

        for (var stop = 1; stop <= count; stop++)
        {
            Assert.Throws<OperationCanceledException>(() => Cancel(stop, (progress, cancellationToken) => Plan().Execute(progress, cancellationToken)));
            Assert.Empty(Folder.Content);
        }

        Assert.InRange(count, 4, 1000);

        ConversionPlan Plan()
        {
            ExportOptions options = format switch
            {
                "reference" => new ReferenceExportOptions(),
                "reference, divided" => new ReferenceExportOptions { ShardCount = 2 },
                "fairseq2" => new Fairseq2ExportOptions(),
                "gguf" => new GgufExportOptions { FileName = "x.gguf", TokenizerPath = tokenizer, DType = DType.Float16 },
                _ => new HuggingFaceExportOptions { MaxShardSize = 8000 },
            };

            return CheckpointExport.Plan(checkpoint, Folder["out/new"], options with { Architecture = TinyModel.Architecture, Manifest = true });
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_cancelled_manifest_leaves_everything_as_it_was(bool isSigned, bool isThere)
    {
        var checkpoint = ConverterModel.Parts.Write(Folder["hf"]);
        File.WriteAllText(Folder["signing.key"], TestKeys.Make().Private.Text);
        using var signer = isSigned ? CheckpointSigner.Open(Folder["signing.key"], null, []) : null;
        var options = new ManifestOptions { Signer = signer, Force = true };

        if (isThere)
        {
            CheckpointManifests.Create(checkpoint, options);
            File.AppendAllText(Folder["hf/config.json"], "\n");
        }

        var before = CheckpointFolder.Snapshot(Folder.Path);
        var count = CountReports(progress => CheckpointManifests.Create(checkpoint, options, progress));
        Restore();

        for (var stop = 1; stop <= count; stop++)
        {
            Assert.Throws<OperationCanceledException>(() => Cancel(stop, (progress, cancellationToken) => CheckpointManifests.Create(checkpoint, options, progress, cancellationToken)));
            Assert.Equal(before, CheckpointFolder.Snapshot(Folder.Path));
        }

        Assert.InRange(count, 4, 1000);

        void Restore()
        {
            foreach (var name in new[] { "checkpoint-manifest.json", "model.sig" })
            {
                File.Delete(Folder[$"hf/{name}"]);

                if (before.TryGetValue($"hf/{name}", out var content))
                {
                    File.WriteAllBytes(Folder[$"hf/{name}"], Convert.FromHexString(content));
                }
            }
        }
    }

    [Fact]
    public void Ctrl_C_leaves_nothing_or_all_of_it()
    {
        using var input = new TempFolder("input");
        var architecture = TinyModel.Architecture with { Name = "wide", VocabSize = 500_000 };
        Session["path"] = BigCheckpoint.Write(input.Path, architecture);
        Session["wide"] = architecture;
        Session.Run("$checkpoint = Read-Fairseq2Checkpoint $path; $checkpoint | Export-LlamaReferenceCheckpoint whole/new -Architecture $wide -Manifest");
        var whole = CheckpointFolder.Hashes(Folder["whole/new"]);
        var random = new Random(1);

        for (var stop = 0; stop < Stops; stop++)
        {
            StopAfter(random.Next(200), "$checkpoint | Export-LlamaReferenceCheckpoint deep/new -Architecture $wide -Manifest");

            if (Directory.Exists(Folder["deep"]))
            {
                Assert.Equal(whole.OrderBy(file => file.Key, StringComparer.Ordinal), CheckpointFolder.Hashes(Folder["deep/new"]).OrderBy(file => file.Key, StringComparer.Ordinal));
                Directory.Delete(Folder["deep"], recursive: true);
            }

            Assert.Equal(["whole", "whole/new", "whole/new/checkpoint-manifest.json", "whole/new/consolidated.00.pth", "whole/new/params.json"], Folder.Content);
            StopAfter(random.Next(200), "New-CheckpointManifest $path");
            Assert.Empty(input.Content.Except(WithManifest));
            File.Delete(input["checkpoint-manifest.json"]);
            StopAfter(random.Next(200), "Test-CheckpointManifest whole/new");
        }
    }

    /// <summary>From no room at all to room for all but the signature.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(8 << 10, false)]
    [InlineData(12 << 10, true)]
    public void On_a_full_disk_nothing_is_written(int room, bool isSigned)
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=256k");
        ConverterModel.Parts.Write(mount["hf"]);
        File.WriteAllText(Folder["signing.key"], TestKeys.Make().Private.Text);
        var free = new DriveInfo(mount.Path).AvailableFreeSpace;
        File.WriteAllBytes(mount["filler"], new byte[free - room]);
        var before = CheckpointFolder.Snapshot(mount.Path);

        Session.RunForError(CheckpointErrorCode.InsufficientDiskSpace, $"New-CheckpointManifest mount/hf {(isSigned ? "-KeyPath signing.key" : "")}", mount["hf"]);

        Assert.Equal(before, CheckpointFolder.Snapshot(mount.Path));
    }

    [Fact]
    public void In_a_read_only_folder_nothing_is_written_and_it_can_be_tested()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=1m");
        ConverterModel.Parts.Write(mount["hf"]);
        Session.Run("$null = New-CheckpointManifest mount/hf");
        var before = CheckpointFolder.Snapshot(mount.Path);
        Mount.MakeReadOnly(mount.Path);

        Session.RunForError(CheckpointErrorCode.WriteFailed, "New-CheckpointManifest mount/hf -Force", mount["hf"]);

        Assert.Equal(before, CheckpointFolder.Snapshot(mount.Path));
        Assert.Empty(Session.RunOne<ManifestTestResult>("Test-CheckpointManifest mount/hf").Findings);
    }

    /// <summary>What its index says of a file that was written anew meanwhile is not true of that.</summary>
    [Theory]
    [InlineData("hf/model-00001-of-00003.safetensors", false)]
    [InlineData("hf/model-00003-of-00003.safetensors", false)]
    [InlineData("hf/model-00003-of-00003.safetensors", true)]
    public void Of_a_file_that_changes_meanwhile_there_is_none(string file, bool isLater)
    {
        var checkpoint = ConverterModel.Parts.Write(Folder["hf"]);
        var isChanged = isLater;

        void Change(ByteProgress progress)
        {
            if (isChanged && progress.BytesDone > 0)
            {
                isChanged = false;
                File.SetLastWriteTimeUtc(Folder[file], new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            }
        }

        if (!isLater)
        {
            File.SetLastWriteTimeUtc(Folder[file], new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => CheckpointManifests.Create(checkpoint, new ManifestOptions(), new ProgressTo(Change)), Folder[file], "was changed");
        Assert.False(File.Exists(Folder["hf/checkpoint-manifest.json"]));
    }

    private static int CountReports(Action<IProgress<ByteProgress>> work)
    {
        var count = 0;
        work(new ProgressTo(_ => count++));
        return count;
    }

    private static void Cancel(int stop, Action<IProgress<ByteProgress>, CancellationToken> work)
    {
        using var cancellation = new CancellationTokenSource();
        var left = stop;

        work(new ProgressTo(Count), cancellation.Token);

        void Count(ByteProgress progress)
        {
            if (--left == 0)
            {
                cancellation.Cancel();
            }
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
