using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>An export that is killed: from some request on, nothing of it reaches the store, not even what it does to clean up.</summary>
public sealed class S3KillTests : IDisposable
{
    private static readonly HuggingFaceExportOptions HuggingFace = new() { Architecture = TinyModel.Architecture, MaxShardSize = 10_000 };

    private readonly S3Place _place = new();
    private readonly TempFolder _tokenizer = new();

    public S3KillTests() => File.WriteAllBytes(_tokenizer["tokenizer.model"], SentencePieceBuilder.OfSize(TinyModel.Architecture.VocabSize).Build());

    private static readonly GgufExportOptions Gguf = new() { Architecture = TinyModel.Architecture, FileName = "x.gguf", MaxShardSize = 10_000, Metadata = [new("name", "x")] };

    /// <summary>Formats; whether an earlier export is replaced, of more files or of fewer.</summary>
    public static TheoryData<string, string> Cases =>
        [.. from format in (string[])["Reference", "Reference2", "HuggingFace", "Fairseq2", "Gguf", "Gguf1"] from earlier in (string[])["", "same", "other"] select (format, earlier)];

    public void Dispose()
    {
        _place.Dispose();
        _tokenizer.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_next_export_finds_its_way_wherever_one_was_killed(string format, string earlier) => TryAll(format, earlier);

    [Theory]
    [InlineData("Reference2", "other")]
    [InlineData("HuggingFace", "same")]
    public void The_next_export_finds_its_way_in_Ceph(string format, string earlier)
    {
        _place.Server.Manners = S3Manners.Ceph;
        TryAll(format, earlier);
    }

    /// <summary>Jobs that write a file each, and the last step that makes a checkpoint of them.</summary>
    [Theory]
    [InlineData("Reference2", 0, "")]
    [InlineData("Reference2", 2, "")]
    [InlineData("Reference2", 0, "same")]
    [InlineData("Reference2", 2, "same")]
    [InlineData("HuggingFace", 1, "")]
    [InlineData("HuggingFace", 3, "")]
    public void A_job_that_is_run_again_finds_its_way_wherever_it_was_killed(string format, int killed, string earlier)
    {
        var whole = _place.Expected(OptionsFor(format));
        var steps = Enumerable.Range(0, whole.Keys.Count(name => name.EndsWith(".pth", StringComparison.Ordinal) || name.EndsWith(".safetensors", StringComparison.Ordinal)))
            .Select(index => OptionsFor(format) with { ShardIndex = [index], Force = earlier.Length > 0 })
            .Append(OptionsFor(format) with { CompleteShards = true, Force = earlier.Length > 0 })
            .ToArray();
        var before = steps[^1] == steps[killed] ? steps[..^1] : [];

        for (var last = 0; ; last++)
        {
            Clear();

            if (earlier.Length > 0)
            {
                _place.Plan(_place.ReadInput(), OptionsFor(format) with { DType = DType.BFloat16 }).Execute(cancellationToken: S3Place.Token);
            }

            var old = _place.Written;
            Array.ForEach(before, Run);
            var isKilled = KillAfter(last, steps[killed]);
            AssertNoMixture([whole, old]);

            if (!isKilled)
            {
                Assert.InRange(last, 6, 1000);
                return;
            }

            _place.Server.ClockOffset = TimeSpan.FromMinutes(5);
            _place.CleanUp();

            // The last step may have been killed when everything was in place.
            if (before.Length == 0 || !_place.Written.ContainsKey(whole.Keys.Single(name => name is "params.json" or "config.json")))
            {
                Array.ForEach(steps, Run);
            }

            Assert.Equal(whole, _place.Written);
            Assert.Empty(_place.Bucket.Uploads);
        }

        void Run(ExportOptions options) => _place.Plan(_place.ReadInput(), options).Execute(cancellationToken: S3Place.Token);
    }

    /// <summary>Its claim is as young as one of an export that is at work.</summary>
    [Fact]
    public void The_next_export_waits_until_it_is_known_to_be_dead()
    {
        Assert.True(KillAfter(8, OptionsFor("Reference")));
        Assert.Contains(".fairseq2llama", _place.Written.Keys);

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists,
            () => _place.Plan(_place.ReadInput(), OptionsFor("Reference")).Execute(cancellationToken: S3Place.Token),
            "s3://bucket/out", "Wait until it has finished");
    }

    private void TryAll(string format, string earlier)
    {
        var options = OptionsFor(format) with { Force = earlier.Length > 0 };
        var first = earlier.Length == 0 ? null : OptionsFor(earlier == "same" ? format : OtherThan(format)) with { DType = DType.BFloat16 };
        Dictionary<string, string>[] whole = [_place.Expected(options), .. first is null ? Array.Empty<Dictionary<string, string>>() : [_place.Expected(first)]];

        for (var last = 0; ; last++)
        {
            Clear();

            if (first is not null)
            {
                _place.Plan(_place.ReadInput(), first).Execute(cancellationToken: S3Place.Token);
            }

            var isKilled = KillAfter(last, options);
            AssertNoMixture(whole);

            if (!isKilled)
            {
                Assert.InRange(last, 10, 1000);
                return;
            }

            _place.Server.ClockOffset = TimeSpan.FromMinutes(5);
            var again = options with { Force = _place.Written.Keys.Any(key => !key.StartsWith('.')) };
            _place.Plan(_place.ReadInput(), again).Execute(cancellationToken: S3Place.Token);

            Assert.Equal(whole[0], _place.Written);
            Assert.Empty(_place.Bucket.Uploads);
        }
    }

    private ExportOptions OptionsFor(string format) => format switch
    {
        "Reference" => new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 1 },
        "Reference2" => new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 2 },
        "HuggingFace" => HuggingFace,
        "HuggingFace1" => HuggingFace with { MaxShardSize = 1 << 20 },
        "Gguf" => Gguf with { TokenizerPath = _tokenizer.Path },
        "Gguf1" => Gguf with { TokenizerPath = _tokenizer.Path, MaxShardSize = null },
        _ => new Fairseq2ExportOptions { Architecture = TinyModel.Architecture },
    };

    private static string OtherThan(string format) => format switch
    {
        "Reference" => "Reference2",
        "Reference2" => "Reference",
        "HuggingFace" => "HuggingFace1",
        "Gguf" => "Gguf1",
        "Gguf1" => "Gguf",
        _ => "Fairseq2",
    };

    /// <returns>Whether it was killed; otherwise it was finished before.</returns>
    private bool KillAfter(int last, ExportOptions options)
    {
        var plan = _place.Plan(_place.ReadInput(), options);
        var requests = 0;
        // Between two requests to the output it does not matter when.
        _place.Server.Fault = call =>
            (call.Key.StartsWith("out/", StringComparison.Ordinal) ? Interlocked.Increment(ref requests) : Volatile.Read(ref requests)) > last ? S3Fault.Reset : null;
        var error = Record.Exception(() => plan.Execute(cancellationToken: S3Place.Token));
        _place.Server.Fault = _ => null;

        Assert.True(error is null or CheckpointException, $"{error}");
        return requests > last;
    }

    /// <summary>What reads the output then, as it is, reads all of one export or nothing.</summary>
    private void AssertNoMixture(Dictionary<string, string>[] whole)
    {
        LlamaCheckpoint read;

        try
        {
            read = CheckpointReader.Read(_place.Folder("out"), cancellationToken: S3Place.Token);
        }
        catch (CheckpointException)
        {
            return;
        }

        var files = read.Files.Append(read.ArchitectureFile!.Path).Select(file => file.Split('/')[^1]).Distinct().ToArray();
        Assert.Contains(whole, export => files.All(file => export.TryGetValue(file, out var bytes) && bytes == _place.Written[file]));
    }

    private void Clear()
    {
        _place.Server.ClockOffset = TimeSpan.Zero;

        lock (_place.Bucket)
        {
            foreach (var key in _place.Bucket.Objects.Keys.Where(key => key.StartsWith("out/", StringComparison.Ordinal)).ToArray())
            {
                _place.Bucket.Objects.Remove(key);
            }

            _place.Bucket.Uploads.Clear();
        }
    }
}
