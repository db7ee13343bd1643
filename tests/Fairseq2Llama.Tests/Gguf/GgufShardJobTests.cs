using Fairseq2Llama.Tests.Support;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>Exports that several jobs make together. Nothing but the files of the jobs belongs to a GGUF model, so that the last step writes nothing.</summary>
public sealed class GgufShardJobTests : IDisposable
{
    private const int Count = 3;

    private static readonly GgufExportOptions Options = new() { FileName = "x.gguf", MaxShardSize = 30_000, DType = DType.Float32 };

    private readonly TempFolder _folder = new("jobs");
    private readonly LlamaCheckpoint _input;

    public GgufShardJobTests() => _input = ConverterModel.Tied.Write(_folder["in"]);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0", "1", "2")]
    [InlineData("2", "0", "1")]
    [InlineData("2, 0", "1, 1")]
    public void Together_make_the_same_files_as_one_export(params string[] jobs)
    {
        foreach (var job in jobs)
        {
            int[] indexes = [.. job.Split(',').Select(int.Parse)];
            var plan = Plan(Options with { ShardIndex = [.. indexes] });
            plan.Execute();

            Assert.Equal(indexes.Distinct().Order(), plan.Shards.Select(shard => shard.ShardIndex));
            Assert.All(plan.Shards, shard => Assert.Equal((Count, new FileInfo(shard.Path).Length, false), (shard.ShardCount, shard.SizeInBytes, shard.IsSkipped)));
        }

        var last = Plan(Options with { CompleteShards = true });
        Assert.Empty(last.Files);
        last.Execute();

        Assert.Equal(Count, last.OpenResult().ShardCount);
        Assert.Equal(Whole(), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void Leave_nothing_that_can_be_read_before_the_last_step()
    {
        Run(0, 1, 2);

        foreach (var path in new[] { "out", "out/x-00001-of-00003.gguf" })
        {
            ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => CheckpointReader.Read(_folder[path]), "was exported by a job, and the export is not complete", "-CompleteShards");
            ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => LlamaGgufCheckpoint.Read(_folder[path]), "was exported by a job, and the export is not complete", "-CompleteShards");
        }
    }

    [Fact]
    public void Skip_what_they_have_done_before()
    {
        Run(0);

        Assert.True(Assert.Single(Plan(Options with { ShardIndex = [0] }).Shards).IsSkipped);
        Assert.False(Assert.Single(Plan(Options with { ShardIndex = [0], Force = true }).Shards).IsSkipped);
    }

    [Fact]
    public void Are_completed_once()
    {
        Run(0, 1, 2);
        Plan(Options with { CompleteShards = true }).Execute();
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Plan(Options with { CompleteShards = true }), "already holds x-00001-of-00003.gguf", "nothing to complete");

        File.Delete(_folder["out/x-00001-of-00003.gguf"]);
        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Plan(Options with { CompleteShards = true }), "(-ShardIndex 0) is missing", "(-ShardIndex 1) was not written by a job");
        before.Remove("x-00001-of-00003.gguf");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void That_are_missing_are_listed()
    {
        Run(1);

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Plan(Options with { CompleteShards = true }), "(-ShardIndex 0) is missing", "(-ShardIndex 2) is missing", "Run the jobs");
        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Plan(Options with { ShardIndex = [3] }), "-ShardIndex names files that do not exist", "The 3 indexes are 0 to 2");
    }

    [Theory]
    [InlineData("truncate", VerificationMode.Auto)]
    [InlineData("flip", VerificationMode.Full)]
    public void That_were_damaged_meanwhile_are_found_in_the_end(string damage, VerificationMode verification)
    {
        Run(0, 1, 2);
        Damage(_folder["out/x-00002-of-00003.gguf"], damage);
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt, () => Plan(Options with { CompleteShards = true, Verification = verification }).Execute(), "x-00002-of-00003.gguf", "-ShardIndex 1");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        Plan(Options with { ShardIndex = [1], Force = damage == "flip" }).Execute();
        Plan(Options with { CompleteShards = true, Verification = verification }).Execute();
        Assert.Equal(Whole(), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void Of_other_options_are_not_mixed()
    {
        Run(0);

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Plan(Options with { ShardIndex = [1], DType = DType.Float16, MaxShardSize = 15_000 }), "x-00001-of-00003.gguf", "-Force");
        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Plan(Options with { ShardIndex = [1], MaxShardSize = 20_000, Force = true }), "with other options, such as x-00001-of-00003.gguf");
    }

    /// <summary>What is in the first file tells what is in the others, so that it must be the same in all jobs.</summary>
    [Fact]
    public void Of_other_metadata_are_found_in_the_end()
    {
        Run(1, 2);
        Plan(Options with { ShardIndex = [0], Metadata = [new("author", "me")] }).Execute();

        ErrorAssert.Throws(CheckpointErrorCode.ShardMismatch, () => Plan(Options with { CompleteShards = true }), "(-ShardIndex 0)");
    }

    /// <summary>The same numbers of files, so that nothing else tells the earlier model from the one that comes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Replace_an_earlier_export_which_is_no_checkpoint_from_the_first_one_on(int first)
    {
        Export(Options with { DType = DType.Float16, MaxShardSize = 15_000 }, "out");
        Assert.Equal(3, LlamaGgufCheckpoint.Read(_folder["out"]).ShardCount);
        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Plan(Options with { ShardIndex = [first] }), "already holds", "-Force");

        Plan(Options with { ShardIndex = [first], Force = true }).Execute();

        Assert.Throws<CheckpointException>(() => LlamaGgufCheckpoint.Read(_folder["out"]));
        Assert.Throws<CheckpointException>(() => LlamaGgufCheckpoint.Read(_folder["out/x-00001-of-00003.gguf"]));

        foreach (var index in Enumerable.Range(0, Count).Where(index => index != first))
        {
            Plan(Options with { ShardIndex = [index], Force = true }).Execute();
        }

        Plan(Options with { CompleteShards = true, Force = true }).Execute();
        Assert.Equal(Whole(), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void Replace_an_earlier_export_of_another_number_of_files()
    {
        Export(Options with { MaxShardSize = null }, "out");

        foreach (var index in Enumerable.Range(0, Count))
        {
            Plan(Options with { ShardIndex = [index], Force = true }).Execute();
        }

        Plan(Options with { CompleteShards = true, Force = true }).Execute();
        Assert.Equal(Whole(), CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>Other models, be they finished or not, lie in the same folder.</summary>
    [Fact]
    public void Leave_other_models_alone()
    {
        Export(Options with { FileName = "whole.gguf", MaxShardSize = null }, "out");
        Run(0, 1);
        Plan(Options with { FileName = "y.gguf", ShardIndex = [0] }).Execute();
        Assert.Equal(21 - 1, LlamaGgufCheckpoint.Read(_folder["out/whole.gguf"]).Tensors.Length);

        Export(Options with { FileName = "z.gguf", MaxShardSize = null }, "out");
        Export(Options with { FileName = "z.gguf", MaxShardSize = null, Force = true }, "out");
        Plan(Options with { FileName = "y.gguf", ShardIndex = [1, 2] }).Execute();
        Plan(Options with { FileName = "y.gguf", CompleteShards = true }).Execute();
        Run(2);
        Plan(Options with { CompleteShards = true }).Execute();

        Assert.Equal(
            ["whole.gguf", .. Whole().Keys.Order(StringComparer.Ordinal), .. Whole().Keys.Order(StringComparer.Ordinal).Select(name => $"y{name[1..]}"), "z.gguf"],
            CheckpointFolder.Snapshot(_folder["out"]).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Of_an_export_that_is_replaced_by_a_whole_one_leave_no_records()
    {
        Run(1);

        Export(Options with { Force = true }, "out");

        Assert.Equal(Whole(), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void A_model_of_one_file_has_one_job()
    {
        var options = Options with { MaxShardSize = null };

        Plan(options with { ShardIndex = [0] }).Execute();
        Assert.Throws<CheckpointException>(() => LlamaGgufCheckpoint.Read(_folder["out/x.gguf"]));
        Plan(options with { CompleteShards = true }).Execute();

        Assert.Equal(["x.gguf"], CheckpointFolder.Snapshot(_folder["out"]).Keys);
        Assert.Equal(20, LlamaGgufCheckpoint.Read(_folder["out/x.gguf"]).Tensors.Length);
    }

    [Fact]
    public void Write_to_a_store()
    {
        var store = new ObjectStore();

        foreach (var index in Enumerable.Range(0, Count))
        {
            CheckpointExport.Plan(_input, store.DestinationAt("out"), Options with { ShardIndex = [index] }).Execute();
        }

        Assert.Throws<CheckpointException>(() => LlamaGgufCheckpoint.Read(store.At("out")));
        CheckpointExport.Plan(_input, store.DestinationAt("out"), Options with { CompleteShards = true }).Execute();

        var whole = Whole();
        Assert.Equal(whole.Keys.Order(StringComparer.Ordinal).Select(name => $"out/{name}"), store.Keys);
        Assert.All(whole, file => Assert.Equal(file.Value, Convert.ToHexString(store[$"out/{file.Key}"])));
    }

    private void Run(params int[] indexes)
    {
        foreach (var index in indexes)
        {
            Plan(Options with { ShardIndex = [index] }).Execute();
        }
    }

    private ConversionPlan Plan(GgufExportOptions options) => CheckpointExport.Plan(_input, _folder["out"], options);

    private void Export(GgufExportOptions options, string folder) => CheckpointExport.Plan(_input, _folder[folder], options).Execute();

    private Dictionary<string, string> Whole()
    {
        if (!Directory.Exists(_folder["whole"]))
        {
            Export(Options, "whole");
        }

        return CheckpointFolder.Snapshot(_folder["whole"]);
    }

    private static void Damage(string path, string how)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);

        if (how == "truncate")
        {
            file.SetLength(file.Length - 100);
            return;
        }

        file.Position = file.Length - 200;
        var old = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(old ^ 1));
    }
}
