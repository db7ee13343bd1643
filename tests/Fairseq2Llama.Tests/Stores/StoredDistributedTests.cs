using System.Globalization;
using System.Text;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Stores.Http;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>A distributed checkpoint in a store is the same as one in a local folder, and takes no more requests the more parts it has.</summary>
public sealed class StoredDistributedTests : IDisposable
{
    private const string Key = "runs/titan/checkpoint/step-10";

    private readonly TempFolder _out = new();

    public static TheoryData<string> Cases => [.. DistributedManifest.Cases.Keys];

    /// <summary>Those that hold a LLaMA.</summary>
    public static TheoryData<string> Models => [.. DistributedManifest.Cases.Keys.Where(name => name != "titan-3d")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _out.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Is_read_as_from_a_folder(string name)
    {
        var local = CheckpointFolder.CopyFiles(DistributedManifest.Cases[name].Path, _out[Key]);

        Assert.Equal(
            Describe(Read(new LocalFolder(local), name), _out.Path),
            Describe(Read(StoreOf(name).At(Key), name), ObjectStore.Root));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Is_tested_as_in_a_folder(string name)
    {
        var local = CheckpointFolder.CopyFiles(DistributedManifest.Cases[name].Path, _out[Key]);

        Assert.Equal(Test(new LocalFolder(local), _out.Path), Test(StoreOf(name).At(Key), ObjectStore.Root));

        string Test(ICheckpointFolder place, string root)
        {
            var options = new CheckpointTestOptions { Architecture = DistributedManifest.Cases[name].Architecture, Deep = true };
            var result = CheckpointTest.Run(place, new CheckpointReadOptions(), options, cancellationToken: Token);
            Assert.True(result.Passed);
            return PlaceText.Of(result.Findings.Select(finding => finding.ToString()).Prepend($"{result.Name} {result.Path}"), root);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Is_exported_to_the_same_bytes(string name)
    {
        var local = Read(new LocalFolder(DistributedManifest.Cases[name].Path), name);
        var stored = Read(StoreOf(name).At(Key), name);

        foreach (var options in new ExportOptions[]
        {
            new ReferenceExportOptions { ShardCount = 2 }, new HuggingFaceExportOptions { MaxShardSize = 4096 }, new Fairseq2ExportOptions(),
        })
        {
            var format = options.GetType().Name;
            CheckpointExport.Plan(local, _out[$"local/{format}"], options, Token).Execute(cancellationToken: Token);
            CheckpointExport.Plan(stored, _out[$"stored/{format}"], options, Token).Execute(cancellationToken: Token);

            Assert.NotEmpty(CheckpointFolder.Hashes(_out[$"local/{format}"]));
            Assert.Equal(CheckpointFolder.Hashes(_out[$"local/{format}"]), CheckpointFolder.Hashes(_out[$"stored/{format}"]));
        }
    }

    /// <summary>From a store to a store, as in a job that has no disk.</summary>
    [Fact]
    public void Is_exported_into_a_store()
    {
        var target = new ObjectStore();
        CheckpointExport.Plan(Read(StoreOf("accelerate-8").At(Key), "accelerate-8"), target.DestinationAt("meta"), new ReferenceExportOptions(), Token).Execute(cancellationToken: Token);
        CheckpointExport.Plan(Read(new LocalFolder(DistributedManifest.Cases["titan-1"].Path), "titan-1"), _out["meta"], new ReferenceExportOptions(), Token)
            .Execute(cancellationToken: Token);

        Assert.Equal(["meta/consolidated.00.pth", "meta/params.json"], target.Keys);
        Assert.All(target.Keys, key => Assert.Equal(File.ReadAllBytes(_out[key]), target[key]));
    }

    /// <summary>The index is the metadata alone: one with 8 times the parts in 8 times the files takes the same requests.</summary>
    [Fact]
    public void The_index_takes_as_many_requests_for_any_number_of_parts()
    {
        var (few, many) = (StoreOf("titan-1"), StoreOf("titan-8"));
        var read = new List<string>();
        many.Fault = (key, _) =>
        {
            read.Add(key);
            return null;
        };

        var (one, eight) = (Read(few.At(Key), "titan-1"), Read(many.At(Key), "titan-8"));

        Assert.Equal((few.Requests, few.Listed.Count), (many.Requests, many.Listed.Count));
        Assert.InRange(many.Requests, 1, 2);
        Assert.Equal([$"{Key}/.metadata"], read.Distinct());
        Assert.Equal((1, 8), (one.ShardCount, eight.ShardCount));
        Assert.Equal((21, 168), (one.Tensors.Sum(tensor => tensor.Copies[0].Length), eight.Tensors.Sum(tensor => tensor.Copies[0].Length)));
    }

    /// <summary>Where parts lie is asked for file by file, not part by part.</summary>
    [Fact]
    public void Finding_all_parts_takes_few_requests_for_each_file()
    {
        var store = StoreOf("titan-8");
        var checkpoint = Read(store.At(Key), "titan-8");
        store.ResetCounts();

        checkpoint.Locate(checkpoint.Tensors, Token);

        Assert.InRange(store.Requests, 8, 3 * 8);
    }

    [Fact]
    public void What_changed_after_it_was_read_is_refused()
    {
        var store = StoreOf("titan-4");
        var checkpoint = Read(store.At(Key), "titan-4");
        store.Put($"{Key}/__2_1.distcp", store[$"{Key}/__2_1.distcp"]);

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => CheckpointExport.Plan(checkpoint, _out["ref"], new ReferenceExportOptions(), Token).Execute(cancellationToken: Token),
            store.AddressOf($"{Key}/__2_1.distcp"), "was changed");
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void Files_that_are_missing_are_named()
    {
        var store = StoreOf("titan-4");
        store.Remove($"{Key}/__1_0.distcp");
        store.Remove($"{Key}/__3_1.distcp");

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Read(store.At(Key), "titan-4"), store.AddressOf(Key), "'__1_0.distcp' is missing", "'__3_1.distcp' is missing");

        store.Remove($"{Key}/.metadata");
        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Read(store.At(Key), "titan-4"), "no .metadata");
    }

    /// <summary>Programs that train put the configuration beside the folder of all steps.</summary>
    [Fact]
    public void The_file_that_describes_the_model_is_found_around_it_in_the_store()
    {
        var store = StoreOf("accelerate-2", "runs/tuned/checkpoint-500/pytorch_model_fsdp_0");
        store.Put("runs/tuned/config.json", """
            {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 40}
            """u8.ToArray());

        var checkpoint = DistributedCheckpoint.Read(store.At("runs/tuned/checkpoint-500/pytorch_model_fsdp_0"), new CheckpointReadOptions(), Token);

        Assert.Equal(("tuned@500", 4, store.AddressOf("runs/tuned/config.json")), (checkpoint.Name, checkpoint.Architecture!.NumAttnHeads, checkpoint.ArchitectureFile!.Path));
    }

    /// <summary>What it is shows only in its content.</summary>
    [Theory]
    [InlineData("""
        {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 40}
        """)]
    [InlineData("""{"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 8, "norm_eps": 1e-05, "vocab_size": 40}""")]
    public void The_file_that_describes_the_model_takes_one_request(string config)
    {
        var store = StoreOf("titan-1");
        store.Put($"{Key}/config.json", Encoding.UTF8.GetBytes(config));
        var read = new List<string>();
        store.Fault = (key, _) =>
        {
            read.Add(key);
            return null;
        };

        Assert.Equal(4, DistributedCheckpoint.Read(store.At(Key), new CheckpointReadOptions(), Token).Architecture!.NumAttnHeads);
        Assert.Single(read, $"{Key}/config.json");
    }

    [Theory]
    [InlineData("run/checkpoint/step-10/.metadata run/checkpoint/step-10/__0_0.distcp run/checkpoint/step-10/__1_0.distcp", "run/checkpoint/step-10")]
    [InlineData("run/step-10/.metadata run/step-10/__0_0.distcp run/step-20/.metadata run/step-20/__0_0.distcp", "run/step-10 run/step-20")]
    [InlineData("out/checkpoint-500/pytorch_model_fsdp_0/.metadata out/checkpoint-500/pytorch_model_fsdp_0/__0_0.distcp", "out/checkpoint-500/pytorch_model_fsdp_0")]
    [InlineData("run/step-10/.metadata", "run/step-10")]
    [InlineData("run/step-10/__0_0.distcp", "run/step-10")]
    [InlineData("run/config.json run/step-10/.metadata run/step-10/__0_0.distcp", "run/step-10")]
    [InlineData("run/epoch=0-step=10.ckpt/.metadata run/epoch=0-step=10.ckpt/__0_0.distcp run/epoch=0-step=10.ckpt/meta.pt", "run/epoch=0-step=10.ckpt")]
    public void Is_found_in_a_listing(string listed, string expected) => Assert.Equal(
        expected.Split(' ').Select(name => $"s3://bucket/{name}"),
        CheckpointListing.Find(listed.Split(' ').Select(key => new CheckpointAddress($"s3://bucket/{key}"))).Select(address => address.Text));

    /// <summary>A server that shows no folders knows .metadata by its name, and that names the other files.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(PlainFolderPages.Nginx)]
    [InlineData(PlainFolderPages.Python)]
    public void Is_read_from_a_web_server(PlainFolderPages? pages)
    {
        using var place = new HttpPlace();
        place.Server.FolderPages = pages;
        place.Bucket.PutFolder(DistributedManifest.Cases["titan-4"].Path, "run/step-10/");
        place.Bucket.PutFolder(DistributedManifest.Cases["accelerate-2"].Path, "tuned/");
        place.Bucket.Put("params.json", """{"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 8, "norm_eps": 1e-05, "vocab_size": 40}"""u8.ToArray());

        var titan = Assert.IsType<DistributedCheckpoint>(place.Read("run/step-10"));
        Assert.Equal((10L, 8), (titan.Step, titan.ShardCount));
        HttpPlace.AssertSame(Read(new LocalFolder(DistributedManifest.Cases["titan-4"].Path), "titan-4"), titan);

        // The file around it tells the heads.
        HttpPlace.AssertSame(Read(new LocalFolder(DistributedManifest.Cases["accelerate-2"].Path), "accelerate-2"), Assert.IsType<DistributedCheckpoint>(place.Read("tuned")));
    }

    [Fact]
    public void A_web_server_without_the_metadata_is_said_to_have_no_checkpoint()
    {
        using var place = new HttpPlace();
        place.Bucket.PutFolder(DistributedManifest.Cases["titan-4"].Path, "run/step-10/");
        place.Bucket.Remove("run/step-10/.metadata");

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointUnrecognized, () => place.Read("run/step-10"), place.AddressOf("run/step-10"), "The server does not show what is in this folder");
        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointUnrecognized,
            () => DistributedCheckpoint.Read(new CheckpointAddress(place.AddressOf("run/step-10")), cancellationToken: Token),
            place.AddressOf("run/step-10"), ".metadata");
    }

    private static ObjectStore StoreOf(string name, string key = Key)
    {
        var store = new ObjectStore();

        foreach (var file in Directory.EnumerateFiles(DistributedManifest.Cases[name].Path))
        {
            store.Put($"{key}/{Path.GetFileName(file)}", File.ReadAllBytes(file));
        }

        return store;
    }

    private static DistributedCheckpoint Read(ICheckpointFolder place, string name) =>
        DistributedCheckpoint.Read(place, new CheckpointReadOptions { Architecture = DistributedManifest.Cases[name].Architecture }, Token);

    private static string Describe(DistributedCheckpoint checkpoint, string root) => PlaceText.Of(
        [
            string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Name} {checkpoint.Step} {checkpoint.Path} {checkpoint.SizeInBytes} {checkpoint.ShardCount}"),
            .. checkpoint.Warnings,
            .. checkpoint.Files,
            .. from tensor in checkpoint.Tensors
               from shard in tensor.Shards
               select $"{tensor.Name} {tensor.DType} {tensor.Shape} {shard.File} {shard.Key} {shard.Shape} {shard.Tensor.Storage.Offset} {shard.Tensor.Storage.Crc32}",
        ],
        root);
}
