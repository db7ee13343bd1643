using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Of files that jobs wrote, the last step makes the manifest that an export in one go has.</summary>
public sealed class ManifestJobTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LlamaHuggingFaceCheckpoint _input;

    public ManifestJobTests() => _input = ConverterModel.Parts.Write(_folder["in"]);

    public static TheoryData<string> Formats => ["reference", "reference, cast", "HuggingFace", "HuggingFace, cast", "gguf", "gguf, cast"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Is_the_same_byte_for_byte(string format)
    {
        var options = OptionsFor(format);
        ManifestedExport.Write(_input, _folder["whole/out"], options);
        var count = Directory.GetFiles(_folder["whole/out"]).Count(path => Path.GetExtension(path) is ".pth" or ".safetensors" or ".gguf");

        foreach (var shard in Enumerable.Range(0, count).Reverse())
        {
            CheckpointExport.Plan(_input, _folder["jobs/out"], options with { ShardIndex = [shard], Manifest = shard != 1 }).Execute();
            Assert.DoesNotContain(Directory.GetFiles(_folder["jobs/out"]), path => path.EndsWith("checkpoint-manifest.json", StringComparison.Ordinal));
        }

        var plan = CheckpointExport.Plan(_input, _folder["jobs/out"], options with { CompleteShards = true, Manifest = true });
        plan.Execute();

        Assert.InRange(count, 2, 9);
        Assert.Contains(plan.Reasons, reason => reason == $"For the manifest, {count} files of other jobs are read.");
        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole/out"]), CheckpointFolder.Snapshot(_folder["jobs/out"]));
        Assert.Empty(ManifestTest.Run(plan.OpenResult(), new ManifestTestOptions()).Findings);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Is_not_made_if_nobody_asks_for_it(string format)
    {
        var options = OptionsFor(format);
        ManifestedExport.Write(_input, _folder["whole/out"], options);
        RunJobs(options with { Manifest = true });

        CheckpointExport.Plan(_input, _folder["jobs/out"], options with { CompleteShards = true }).Execute();

        Assert.Equal(
            CheckpointFolder.Snapshot(_folder["whole/out"]).Where(file => !file.Key.EndsWith("checkpoint-manifest.json", StringComparison.Ordinal)).OrderBy(file => file.Key, StringComparer.Ordinal),
            CheckpointFolder.Snapshot(_folder["jobs/out"]).OrderBy(file => file.Key, StringComparer.Ordinal));
    }

    /// <summary>What a job wrote may have been damaged since. Its data is hashed, and compared with what the job noted down.</summary>
    [Theory]
    [InlineData("reference", "consolidated.01.pth")]
    [InlineData("HuggingFace", "model-00002-of-00003.safetensors")]
    [InlineData("gguf", "x-00002-of-00003.gguf")]
    public void Is_not_made_of_files_that_were_damaged(string format, string file)
    {
        RunJobs(OptionsFor(format));
        var bytes = File.ReadAllBytes(_folder[$"jobs/out/{file}"]);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(_folder[$"jobs/out/{file}"], bytes);
        var before = CheckpointFolder.Snapshot(_folder["jobs"]);

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => CheckpointExport.Plan(_input, _folder["jobs/out"], OptionsFor(format) with { CompleteShards = true, Manifest = true }).Execute(),
            file, "-ShardIndex 1");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["jobs"]));
    }

    /// <summary>A job that begins to replace an export removes what vouched for it.</summary>
    [Theory]
    [InlineData("reference")]
    [InlineData("HuggingFace")]
    public void Of_an_earlier_export_goes_with_the_first_job(string format)
    {
        var options = OptionsFor(format);
        ManifestedExport.Write(_input, _folder["jobs/out"], options);
        File.WriteAllText(_folder["jobs/out/model.sig"], "old");

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(_input, _folder["jobs/out"], options with { ShardIndex = [0] }), "checkpoint-manifest.json", "model.sig", "-Force");
        CheckpointExport.Plan(_input, _folder["jobs/out"], options with { ShardIndex = [0], Force = true }).Execute();

        Assert.False(File.Exists(_folder["jobs/out/checkpoint-manifest.json"]));
        Assert.False(File.Exists(_folder["jobs/out/model.sig"]));
    }

    private static ExportOptions OptionsFor(string format)
    {
        ExportOptions options = format.Split(',')[0] switch
        {
            "reference" => new ReferenceExportOptions { ShardCount = 2, Checklist = true },
            "HuggingFace" => new HuggingFaceExportOptions { MaxShardSize = 20_000 },
            _ => new GgufExportOptions { FileName = "x.gguf", MaxShardSize = 20_000 },
        };

        return format.EndsWith("cast", StringComparison.Ordinal) ? options with { DType = DType.Float16 } : options;
    }

    private void RunJobs(ExportOptions options)
    {
        for (var (shard, count) = (0, 1); shard < count; shard++)
        {
            var plan = CheckpointExport.Plan(_input, _folder["jobs/out"], options with { ShardIndex = [shard] });
            plan.Execute();
            count = plan.Shards[0].ShardCount;
        }
    }
}
