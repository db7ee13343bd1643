using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Exports that are killed: from some request on, nothing of them reaches the store, not even what they do to clean up.</summary>
public abstract class KilledS3Exports : IDisposable
{
    private static readonly HuggingFaceExportOptions HuggingFace = new() { Architecture = TinyModel.Architecture, MaxShardSize = 10_000 };

    private static readonly GgufExportOptions Gguf = new() { Architecture = TinyModel.Architecture, FileName = "x.gguf", MaxShardSize = 10_000, Metadata = [new("name", "x")] };

    private readonly TempFolder _tokenizer = new();

    private protected KilledS3Exports() => File.WriteAllBytes(_tokenizer["tokenizer.model"], SentencePieceBuilder.OfSize(TinyModel.Architecture.VocabSize).Build());

    private protected S3Place Place { get; } = new();

    public void Dispose()
    {
        Place.Dispose();
        _tokenizer.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ExportOptions OptionsFor(string format) => format switch
    {
        "Reference" => new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 1 },
        "Reference2" => new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 2 },
        "HuggingFace" => HuggingFace,
        "HuggingFace1" => HuggingFace with { MaxShardSize = 1 << 20 },
        "Gguf" => Gguf with { TokenizerPath = _tokenizer.Path },
        "Gguf1" => Gguf with { TokenizerPath = _tokenizer.Path, MaxShardSize = null },
        _ => new Fairseq2ExportOptions { Architecture = TinyModel.Architecture },
    };

    /// <returns>Whether it was killed; otherwise it was finished before.</returns>
    private protected bool KillAfter(int last, ExportOptions options)
    {
        var plan = Place.Plan(Place.ReadInput(), options);
        var requests = 0;
        // Between two requests to the output it does not matter when.
        Place.Server.Fault = call =>
            (call.Key.StartsWith("out/", StringComparison.Ordinal) ? Interlocked.Increment(ref requests) : Volatile.Read(ref requests)) > last ? S3Fault.Reset : null;
        var error = Record.Exception(() => plan.Execute(cancellationToken: S3Place.Token));
        Place.Server.Fault = _ => null;

        Assert.True(error is null or CheckpointException, $"{error}");
        return requests > last;
    }

    /// <summary>What reads the output then, as it is, reads all of one export or nothing.</summary>
    private protected void AssertNoMixture(Dictionary<string, string>[] whole)
    {
        LlamaCheckpoint read;

        try
        {
            read = CheckpointReader.Read(Place.Folder("out"), cancellationToken: S3Place.Token);
        }
        catch (CheckpointException)
        {
            return;
        }

        var files = read.Files.Append(read.ArchitectureFile!.Path).Select(file => file.Split('/')[^1]).Distinct().ToArray();
        Assert.Contains(whole, export => files.All(file => export.TryGetValue(file, out var bytes) && bytes == Place.Written[file]));
    }

    private protected void Clear()
    {
        Place.Server.ClockOffset = TimeSpan.Zero;

        lock (Place.Bucket)
        {
            foreach (var key in Place.Bucket.Objects.Keys.Where(key => key.StartsWith("out/", StringComparison.Ordinal)).ToArray())
            {
                Place.Bucket.Objects.Remove(key);
            }

            Place.Bucket.Uploads.Clear();
        }
    }
}
