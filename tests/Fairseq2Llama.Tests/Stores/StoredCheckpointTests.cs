using System.Globalization;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>A checkpoint in a store is the same as one in a local folder, whatever is asked of it.</summary>
public sealed class StoredCheckpointTests(ShardedModels models) : IDisposable
{
    private readonly TempFolder _local = new("bucket");
    private readonly TempFolder _out = new();

    public static TheoryData<string> Cases => [.. NamesIn("checkpoints")];

    public static TheoryData<string> HuggingFaceCases => [.. NamesIn("huggingface")];

    public void Dispose()
    {
        _local.Dispose();
        _out.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Is_read_as_from_a_folder(string name)
    {
        Copy(Repository.Case(name));
        AssertSame(place => Fairseq2Checkpoint.Read(place));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Is_tested_as_in_a_folder(string name)
    {
        Copy(Repository.Case(name));
        var store = ObjectStore.Of(_local.Path);

        Assert.Equal(Test(new LocalFolder(_local.Path), _local.Path), Test(store.Folder, ObjectStore.Root));
    }

    [External]
    [Theory]
    [InlineData("float32,embedding1,pp2,tp4,sdp3,uneven")]
    [InlineData("bfloat16,embedding0,pp1,tp2,sdp3,uneven")]
    public void A_divided_model_is_read_tested_and_exported_as_in_a_folder(string name)
    {
        var path = models.PathOfDivided(name);
        var store = ObjectStore.Of(path);
        var architecture = ShardedModels.ArchitectureOf(name);
        var options = new ReferenceExportOptions { Architecture = architecture, ShardCount = 2 };

        Assert.Equal(
            Describe(() => Fairseq2Checkpoint.Read(path), path),
            Describe(() => Fairseq2Checkpoint.Read(store.Folder), ObjectStore.Root).Replace("bucket", name, StringComparison.Ordinal));
        Assert.Equal(
            Test(new LocalFolder(path), path),
            Test(store.Folder, ObjectStore.Root).Replace("bucket", name, StringComparison.Ordinal));

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(path), _out["local"], options).Execute();
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(store.Folder), _out["stored"], options).Execute();
        Assert.Equal(CheckpointFolder.Snapshot(_out["local"]), CheckpointFolder.Snapshot(_out["stored"]));
    }

    [Theory]
    [MemberData(nameof(HuggingFaceCases))]
    public void Hugging_Face_is_read_as_from_a_folder(string name)
    {
        Copy(Repository.Data($"huggingface/{name}"));
        AssertSame(place => LlamaHuggingFaceCheckpoint.Read(place));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_reference_format_is_read_as_from_a_folder(int shardCount)
    {
        CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")),
            _local.Path,
            new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = shardCount, Force = true }).Execute();

        AssertSame(place => LlamaReferenceCheckpoint.Read(place));
    }

    [Theory]
    [InlineData("fs2")]
    [InlineData("tp2-llama2")]
    [InlineData("deflated")]
    [InlineData("legacy")]
    [InlineData("views")]
    public void Is_exported_to_the_same_bytes(string name)
    {
        Copy(Repository.Case(name));
        var store = ObjectStore.Of(_local.Path);

        AssertSameExports(Fairseq2Checkpoint.Read(_local.Path), Fairseq2Checkpoint.Read(store.Folder));
    }

    [Theory]
    [MemberData(nameof(HuggingFaceCases))]
    public void Hugging_Face_is_exported_to_the_same_bytes(string name)
    {
        Copy(Repository.Data($"huggingface/{name}"));
        File.WriteAllText(_local["tokenizer.json"], """{"added_tokens": []}""");
        File.WriteAllText(_local["generation_config.json"], """{"bos_token_id": 1, "eos_token_id": 2, "temperature": 0.6}""");
        var store = ObjectStore.Of(_local.Path);

        AssertSameExports(LlamaHuggingFaceCheckpoint.Read(_local.Path), LlamaHuggingFaceCheckpoint.Read(store.Folder));
    }

    [Fact]
    public void Is_compared_and_measured_as_in_a_folder()
    {
        Copy(Repository.Case("tp2-llama2"));
        var (local, stored) = (Fairseq2Checkpoint.Read(_local.Path), Fairseq2Checkpoint.Read(ObjectStore.Of(_local.Path).Folder));

        using var comparison = new CheckpointComparison(local, stored, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(comparison.Pairs.Select(comparison.Compare), pair => Assert.Equal(ComparisonResult.Equal, pair.Result));

        using var measurement = new TensorMeasurement(binCount: 10, TestContext.Current.CancellationToken);
        Assert.All(
            local.Tensors.Zip(stored.Tensors),
            pair => Assert.Equivalent(measurement.Measure(pair.First), measurement.Measure(pair.Second), strict: true));
    }

    /// <summary>Runs and steps of all versions, found by names alone.</summary>
    [Fact]
    public void The_newest_finished_step_of_a_run_is_found()
    {
        foreach (var step in new[] { "step_10", "step_20", "step_30.tmp" })
        {
            Put($"run/checkpoints/{step}/model.pt");
        }

        Put("run/checkpoints/step_40/model/pp_00/tp_00/sdp_00.pt");
        Put("run/checkpoints/step_40/model/pp_00/tp_00/sdp_02.pt");
        Put("run/checkpoints/step_15/model/pp_00/tp_00/sdp_00.pt");
        File.WriteAllText(_local["run/checkpoints/model.yaml"], "model_arch: llama2_7b\n");
        var store = ObjectStore.Of(_local.Path);

        Assert.Equal(Fairseq2Checkpoint.FindSteps(_local["run"]), Fairseq2Checkpoint.FindSteps(store.At("run")));
        Assert.Equal([20L, 15L, 10L], Fairseq2Checkpoint.FindSteps(store.At("run")));

        foreach (var key in new[]
        {
            "", "run", "run/checkpoints", "run/checkpoints/step_20", "run/checkpoints/step_20/model.pt", "run/checkpoints/step_15", "run/checkpoints/step_15/model",
            "run/checkpoints/step_40", "run/checkpoints/step_15/model/pp_00/tp_00/sdp_00.pt", "run/checkpoints/step_40/model/pp_00/tp_00/sdp_00.pt", "run/nothing",
        })
        {
            AssertSame(root => Fairseq2Checkpoint.Read(key.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(root, (place, name) => place.Folder(name))));
        }
    }

    /// <summary>A store, unlike a folder, may have an object and a folder of the same name.</summary>
    [Fact]
    public void Another_file_of_the_name_of_a_folder_does_not_hide_it()
    {
        var store = new ObjectStore();
        store.Put("model", []);
        store.Put("model/model.pt", File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt")));

        Assert.NotEmpty(Fairseq2Checkpoint.Read(store.At("model")).Tensors);
    }

    [Fact]
    public void What_changed_after_it_was_read_is_refused()
    {
        var store = ObjectStore.Of(Repository.Case("fs2"));
        var checkpoint = Fairseq2Checkpoint.Read(store.Folder);
        store.Put("model.pt", File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt")));

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => CheckpointExport.Plan(checkpoint, _out["ref"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute(),
            "memory://bucket/model.pt",
            "was changed");
        Assert.False(Directory.Exists(_out["ref"]));
    }

    /// <summary>Whatever a store fails with while an export reads, it is that error which comes out, and nothing is left behind.</summary>
    [Fact]
    public void An_error_of_the_store_ends_an_export()
    {
        var store = ObjectStore.Of(Repository.Case("fs2"));
        var checkpoint = Fairseq2Checkpoint.Read(store.Folder);
        store.Fault = (key, range) => range.Offset > 0
            ? new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{key}' can't be read: the server is busy.", key)
            : null;

        ErrorAssert.Throws(
            CheckpointErrorCode.ReadFailed,
            () => CheckpointExport.Plan(checkpoint, _out["ref"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute(),
            "the server is busy");
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void Who_may_not_list_is_told_so()
    {
        var store = ObjectStore.Of(Repository.Case("tp2-llama2"));
        store.CanList = false;

        ErrorAssert.Throws(CheckpointErrorCode.ReadFailed, () => Fairseq2Checkpoint.Read(store.Folder), ObjectStore.Root, "can't be read", "denied");
    }

    private static IEnumerable<string> NamesIn(string folder) =>
        Directory.EnumerateDirectories(Repository.Data(folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    private static string Test(ICheckpointFolder place, string root)
    {
        var result = CheckpointTest.Run(place, new CheckpointReadOptions(), new CheckpointTestOptions { Architecture = TinyModel.Architecture, Deep = true });
        return PlaceText.Of(result.Findings.Select(finding => finding.ToString()).Prepend($"{result.Name} {result.Path}"), root);
    }

    private static string Describe(Func<LlamaCheckpoint> read, string root)
    {
        string[] lines;

        try
        {
            var checkpoint = read();
            lines =
            [
                string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Name} {checkpoint.Path} {checkpoint.SizeInBytes} {checkpoint.Architecture} {checkpoint.ArchitectureFile?.Path}"),
                .. checkpoint.Warnings,
                .. checkpoint.Files,
                .. checkpoint.Files.Select(checkpoint.PathWithin),
                .. from tensor in checkpoint.Tensors
                   from shard in tensor.Shards
                   select $"{tensor.Name} {tensor.DType} {tensor.Shape} {shard.File} {shard.Key} {shard.Shape} {shard.Tensor.Storage.Offset} {shard.Tensor.Storage.Crc32}",
            ];
        }
        catch (CheckpointException e)
        {
            lines = [$"{e.Code} {e.Message} {e.Target}"];
        }

        return PlaceText.Of(lines, root);
    }

    private void AssertSame(Func<ICheckpointFolder, LlamaCheckpoint> read) => Assert.Equal(
        Describe(() => read(new LocalFolder(_local.Path)), _local.Path),
        Describe(() => read(ObjectStore.Of(_local.Path).Folder), ObjectStore.Root));

    private void AssertSameExports(LlamaCheckpoint local, LlamaCheckpoint stored)
    {
        // What a checkpoint tells of its architecture goes before.
        var architecture = local.Architecture is null ? TinyModel.Architecture : null;

        foreach (ExportOptions options in new ExportOptions[]
        {
            new ReferenceExportOptions { Architecture = architecture, AllowUnmapped = true },
            new HuggingFaceExportOptions { Architecture = architecture, AllowUnmapped = true },
            new Fairseq2ExportOptions { Architecture = architecture, AllowUnmapped = true },
        })
        {
            var name = options.GetType().Name;
            CheckpointExport.Plan(local, _out[$"local/{name}"], options).Execute();
            CheckpointExport.Plan(stored, _out[$"stored/{name}"], options).Execute();

            Assert.NotEmpty(CheckpointFolder.Snapshot(_out[$"local/{name}"]));
            Assert.Equal(CheckpointFolder.Snapshot(_out[$"local/{name}"]), CheckpointFolder.Snapshot(_out[$"stored/{name}"]));
        }
    }

    private void Copy(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            File.Copy(file, _local[Path.GetFileName(file)]);
        }
    }

    private void Put(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_local[path])!);
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), _local[path]);
    }
}
