using CsCheck;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>What is exported to a store is the same as in a local folder, all of it or nothing, though a store can neither rename nor lock.</summary>
public sealed class StoredExportTests : IDisposable
{
    private readonly TempFolder _local = new();
    private readonly ObjectStore _store = new();

    private static readonly ReferenceExportOptions Reference = new() { Architecture = TinyModel.Architecture, ShardCount = 1 };

    private static Fairseq2Checkpoint Input => Fairseq2Checkpoint.Read(Repository.Case("fs2"));

    public void Dispose() => _local.Dispose();

    public static TheoryData<string, string> Cases =>
    [
        .. from name in "fs2 tp2-llama2 deflated legacy views".Split(' ')
           from format in "Reference Reference2 HuggingFace Fairseq2 Gguf".Split(' ')
           select (name, format),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Has_the_same_bytes_as_in_a_folder(string name, string format)
    {
        var input = Fairseq2Checkpoint.Read(Repository.Case(name));
        var options = OptionsFor(format, input);

        CheckpointExport.Plan(input, _local["out"], options).Execute();
        var plan = CheckpointExport.Plan(input, _store.DestinationAt("runs/out"), options);
        plan.Execute();

        AssertSame();
        Assert.Empty(_store.Uploads);
        Assert.Equal(
            plan.Files.OfType<PlannedTensorFile>().SelectMany(file => file.Tensors).Select(tensor => tensor.Name).Distinct().Order(StringComparer.Ordinal),
            plan.OpenResult().Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.Equal($"memory://bucket/runs/out{(format == "Gguf" ? $"/{plan.Files[0].Name}" : "")}", plan.OpenResult().Path);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Goes_from_store_to_store(string name, string format)
    {
        var local = Fairseq2Checkpoint.Read(Repository.Case(name));
        var source = ObjectStore.Of(Repository.Case(name));
        var options = OptionsFor(format, local) with { Verification = VerificationMode.Full };

        CheckpointExport.Plan(local, _local["out"], options).Execute();
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(source.Folder), _store.DestinationAt("runs/out"), options).Execute();

        AssertSame();
    }

    /// <summary>Inside one store nearly all of a large model is copied by the store itself.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Copies_unchanged_data_inside_the_store(bool canCopy)
    {
        using var big = new TempFolder();
        var architecture = LargeStorages.Write(big, LargeStorages.Copyable);
        var store = new ObjectStore { CanCopy = canCopy, Parts = new(MinLength: 16 << 10, Length: 256 << 10, MaxCopyLength: 1 << 20, MaxCount: 10_000) };
        store.Put("in/model.pt", File.ReadAllBytes(Path.Combine(big.Path, "model.pt")));
        var input = Fairseq2Checkpoint.Read(store.At("in"));
        var options = new ReferenceExportOptions { Architecture = architecture, ShardCount = 1 };

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(big.Path), _local["out"], options).Execute();
        store.ResetCounts();
        CheckpointExport.Plan(input, store.DestinationAt("runs/out"), options).Execute();

        Assert.Equal(File.ReadAllBytes(_local["out/consolidated.00.pth"]), store["runs/out/consolidated.00.pth"]);
        var total = store["runs/out/consolidated.00.pth"].Length;
        Assert.InRange(store.Received, canCopy ? 0 : total, canCopy ? total / 5 : total * 2);
    }

    /// <summary>Whatever a store fails with, and wherever, what was there is there, and nothing else.</summary>
    [Theory]
    [InlineData("put", "consolidated.00.pth", false)]
    [InlineData("put", "params.json", false)]
    [InlineData("put", "params.json", true)]
    [InlineData("part", "consolidated.00.pth", false)]
    [InlineData("part", "consolidated.00.pth", true)]
    [InlineData("complete", "consolidated.00.pth", false)]
    public void Leaves_nothing_behind_when_it_fails(string what, string name, bool isDenied)
    {
        _store.BeforeWrite = (write, key) =>
        {
            if (write == what && key.EndsWith(name, StringComparison.Ordinal))
            {
                throw isDenied ? new UnauthorizedAccessException("Not you.") : new IOException("The server is busy.");
            }
        };

        var plan = CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference);

        if (what == "put" && name.StartsWith("consolidated", StringComparison.Ordinal))
        {
            // It is uploaded in parts.
            plan.Execute();
            return;
        }

        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => plan.Execute(), "memory://bucket/out", isDenied ? "Not you" : "The server is busy");
        Assert.Empty(_store.Keys);
        Assert.Empty(_store.Uploads);
    }

    [Fact]
    public void Shows_the_file_that_makes_it_whole_last()
    {
        var order = new List<string>();
        _store.AfterWrite = (what, key) => order.Add($"{what} {key}");

        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();
        Assert.Equal(["complete out/consolidated.00.pth", "put out/params.json"], order.Where(IsResult));

        order.Clear();
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { Force = true }).Execute();
        Assert.Equal(["delete out/params.json", "complete out/consolidated.00.pth", "put out/params.json"], order.Where(IsResult));

        static bool IsResult(string line) => !line.Contains(".fairseq2llama", StringComparison.Ordinal);
    }

    /// <summary>An input that turns out to be damaged costs nothing of what was there.</summary>
    [Fact]
    public void Leaves_an_earlier_export_alone_until_everything_is_uploaded()
    {
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();
        var before = _store.Keys.Select(key => _store.Remote.Find(key, TestContext.Current.CancellationToken)!.Version).ToArray();
        var source = ObjectStore.Of(Repository.Case("fs2"));
        var plan = CheckpointExport.Plan(Fairseq2Checkpoint.Read(source.Folder), _store.DestinationAt("out"), Reference with { Force = true });
        source.Fault = (_, range) => range.Offset > 1000 ? new IOException("The disk is broken.") : null;

        ErrorAssert.Throws(CheckpointErrorCode.ReadFailed, () => plan.Execute(), "The disk is broken");

        Assert.Equal(before, _store.Keys.Select(key => _store.Remote.Find(key, TestContext.Current.CancellationToken)!.Version));
    }

    /// <summary>That an input was written anew shows before anything leaves, even where all of it had been read.</summary>
    [Fact]
    public void Leaves_an_earlier_export_alone_when_its_input_was_changed()
    {
        var (parts, total) = (0, 0);
        _store.BeforeWrite = (what, _) => parts += what == "part" ? 1 : 0;
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();
        (total, parts) = (parts, 0);

        var before = _store.Keys.Select(key => _store.Remote.Find(key, TestContext.Current.CancellationToken)!.Version).ToArray();
        var source = ObjectStore.Of(Repository.Case("fs2"));
        var plan = CheckpointExport.Plan(Fairseq2Checkpoint.Read(source.Folder), _store.DestinationAt("out"), Reference with { Force = true });
        _store.BeforeWrite = (what, _) =>
        {
            if (what == "part" && ++parts == total)
            {
                source.Put("model.pt", source["model.pt"]);
            }
        };

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => plan.Execute(), "memory://bucket/model.pt", "was changed");

        Assert.Equal(total, parts);
        Assert.Equal(before, _store.Keys.Select(key => _store.Remote.Find(key, TestContext.Current.CancellationToken)!.Version));
    }

    /// <summary>What failed may have been the reply alone, and then the file is there without anybody knowing.</summary>
    [Theory]
    [InlineData("out/consolidated.00.pth")]
    [InlineData("out/params.json")]
    public void Takes_back_what_was_written_though_it_seemed_to_fail(string name)
    {
        _store.AfterWrite = (what, key) =>
        {
            if (key == name && what != "delete")
            {
                throw new IOException("The connection was reset.");
            }
        };

        ErrorAssert.Throws(
            CheckpointErrorCode.WriteFailed, () => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute(), "The connection was reset");

        Assert.Empty(_store.Keys);
    }

    [Fact]
    public void Replaces_only_with_force_and_removes_what_would_be_taken_for_part_of_it()
    {
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { ShardCount = 2 }).Execute();
        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference), "memory://bucket/out", "-Force");

        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { Force = true }).Execute();

        Assert.Equal(["out/consolidated.00.pth", "out/params.json"], _store.Keys);
    }

    [Fact]
    public void Does_not_replace_what_is_being_exported()
    {
        _store.Put("model/model.pt", File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt")));

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists,
            () => CheckpointExport.Plan(
                Fairseq2Checkpoint.Read(_store.At("model")), _store.DestinationAt("model"), new Fairseq2ExportOptions { Architecture = TinyModel.Architecture, Force = true }),
            "memory://bucket/model/model.pt",
            "replace its own input");
    }

    [Fact]
    public void Keeps_others_out_as_long_as_it_is_at_work()
    {
        var plan = CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference);
        var other = CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference);

        using (plan.Destination.Begin(plan.Change))
        {
            ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => other.Execute(), "Another export is writing to", "memory://bucket/out");
        }

        other.Execute();
        Assert.Equal(["out/consolidated.00.pth", "out/params.json"], _store.Keys);
    }

    [Fact]
    public void Notices_what_another_export_has_written_since_it_was_planned()
    {
        var plan = CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference);
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => plan.Execute(), "consolidated.00.pth", "in the meantime");
    }

    /// <summary>A writer that knows nothing of claims comes in the moment before.</summary>
    [Theory]
    [InlineData("complete", "out/consolidated.00.pth")]
    [InlineData("put", "out/params.json")]
    public void Notices_in_the_last_moment_that_somebody_else_has_written_a_file(string what, string name)
    {
        _store.BeforeWrite = (write, key) =>
        {
            if (write == what && key == name)
            {
                _store.Put(key, "mine"u8.ToArray());
            }
        };

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute(), $"memory://bucket/{name}", "in the meantime");

        Assert.Equal([name], _store.Keys);
    }

    /// <summary>Who asks again finds what the first try has made.</summary>
    [Fact]
    public void Takes_its_own_object_for_its_own_when_a_reply_was_lost()
    {
        _store.AfterWrite = (_, key) => _store.LosesReplies = !key.Contains(".fairseq2llama", StringComparison.Ordinal);
        _store.BeforeWrite = (_, key) => _store.LosesReplies = !key.Contains(".fairseq2llama", StringComparison.Ordinal);

        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();

        Assert.Equal(["out/consolidated.00.pth", "out/params.json"], _store.Keys);
    }

    [Fact]
    public void Jobs_write_their_shards_at_the_same_time()
    {
        var jobs = Enumerable.Range(0, 2)
            .Select(shard => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { ShardCount = 2, ShardIndex = [shard] }))
            .ToArray();

        using (jobs[0].Destination.Begin(jobs[0].Change))
        {
            jobs[1].Execute();
            ErrorAssert.Throws(
                CheckpointErrorCode.OutputExists,
                () => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { Force = true }).Execute(),
                "Another export is writing to");
        }

        jobs[0].Execute();
        CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference with { ShardCount = 2, CompleteShards = true }).Execute();
        CheckpointExport.Plan(Input, _local["out"], Reference with { ShardCount = 2 }).Execute();
        AssertSame("out");
    }

    /// <summary>What a killed export leaves at each of its writes, the next one takes away.</summary>
    [Fact]
    public void Cleans_up_after_an_export_that_was_killed_anywhere()
    {
        for (var last = 1; ; last++)
        {
            var store = new ObjectStore();
            var writes = 0;
            var isKilled = false;
            store.BeforeWrite = (_, _) =>
            {
                isKilled |= ++writes > last;

                if (isKilled)
                {
                    throw new OperationCanceledException("killed");
                }
            };

            Assert.True(Record.Exception(() => CheckpointExport.Plan(Input, store.DestinationAt("out"), Reference).Execute()) is null or OperationCanceledException);

            if (!isKilled)
            {
                return;
            }

            store.BeforeWrite = (_, _) => { };
            var isThere = store.Keys.Any(key => !key.Contains(".fairseq2llama", StringComparison.Ordinal));

            if (store.Keys.Any())
            {
                // It may still be at work.
                var error = Assert.Throws<CheckpointException>(() => Export(store, force: isThere));
                Assert.Contains("Another export is writing to", error.Message, StringComparison.Ordinal);
            }

            store.Age = TimeSpan.FromMinutes(5);
            Assert.False(store.DestinationAt("out").CleanUp([]));
            Assert.True(store.Keys.All(key => !key.Contains(".fairseq2llama", StringComparison.Ordinal)));
            Assert.True(!store.Keys.Any() || store.Keys.Count() == 2, string.Join(' ', store.Keys));
            Assert.Empty(store.Uploads);

            Export(store, force: store.Keys.Any());
            Assert.Equal(["out/consolidated.00.pth", "out/params.json"], store.Keys);
        }

        static void Export(ObjectStore store, bool force) =>
            CheckpointExport.Plan(Input, store.DestinationAt("out"), Reference with { Force = force }).Execute();
    }

    [Fact]
    public void Stops_when_another_export_has_taken_it_for_dead()
    {
        var plan = CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference);

        using (var staging = plan.Destination.Begin(plan.Change))
        {
            _store.Age = TimeSpan.FromMinutes(5);
            CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference).Execute();
            Assert.Throws<IOException>(staging.Commit);
        }

        Assert.Equal(["out/consolidated.00.pth", "out/params.json"], _store.Keys);
    }

    [Fact]
    public void A_folder_that_is_a_file_is_refused()
    {
        _store.Put("out", []);

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _store.DestinationAt("out"), Reference), "memory://bucket/out", "is a file");
    }

    [Fact]
    public void Parts_cover_a_file_and_are_as_long_as_they_must_be() => Gen.Select(Gen.Long[0, 100_000], Gen.Long[0, 100_000].Array[0, 20], Gen.Long[1, 3000], Gen.Long[3000, 9000])
        .Sample((length, cuts, min, usual) =>
        {
            var limits = new PartLimits(min, usual, 50_000, 10_000);
            var ends = cuts.Where(cut => cut < length).Distinct().Order().ToArray();
            var ranges = ends.Chunk(2).Where(pair => pair.Length == 2).Select(pair => new ByteRange(pair[0], pair[1] - pair[0])).ToArray();
            var parts = PartPlan.Of(length, ranges, limits);
            var position = 0L;

            foreach (var part in parts)
            {
                Assert.Equal(position, part.Offset);
                Assert.InRange(part.Length, part.End == length ? 1 : min, usual + min + 1);
                position = part.End;
            }

            Assert.Equal(length, position);

            // Nearly all of a range can be copied.
            foreach (var range in ranges)
            {
                var copied = parts.Where(part => part.Offset >= range.Offset && part.End <= range.End).Sum(part => part.Length);
                Assert.True(copied >= range.Length - (2 * min), $"{copied} of {range}");
            }
        });

    private ExportOptions OptionsFor(string format, Fairseq2Checkpoint input)
    {
        File.WriteAllBytes(_local["tokenizer.model"], SentencePieceBuilder.OfSize(TinyModel.Architecture.VocabSize).Build());

        // What a checkpoint tells of its architecture goes before.
        var architecture = input.Architecture is null ? TinyModel.Architecture : null;

        return format switch
        {
            "Reference" => new ReferenceExportOptions { Architecture = architecture, AllowUnmapped = true, ShardCount = 1, Checklist = true },
            "Reference2" => new ReferenceExportOptions { Architecture = architecture, AllowUnmapped = true, ShardCount = 2 },
            "HuggingFace" => new HuggingFaceExportOptions { Architecture = architecture, AllowUnmapped = true, MaxShardSize = 10_000 },
            "Gguf" => new GgufExportOptions
            {
                Architecture = architecture,
                AllowUnmapped = true,
                FileName = "x.gguf",
                MaxShardSize = 10_000,
                TokenizerPath = _local["tokenizer.model"],
                Metadata = [new("name", "x")],
            },
            _ => new Fairseq2ExportOptions { Architecture = architecture, AllowUnmapped = true },
        };
    }

    private void AssertSame(string prefix = "runs/out")
    {
        using var copy = new TempFolder();

        foreach (var key in _store.Keys)
        {
            File.WriteAllBytes(copy[key[(prefix.Length + 1)..]], _store[key]);
        }

        Assert.NotEmpty(CheckpointFolder.Snapshot(copy.Path));
        Assert.Equal(CheckpointFolder.Snapshot(_local["out"]), CheckpointFolder.Snapshot(copy.Path));
    }
}
