using System.Globalization;
using System.Security;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.OtherRuntime;

/// <summary>Converts checkpoints in every way that takes other code of the framework or of an adapter. All that it writes is the same each time.</summary>
/// <param name="repository">The folder of the repository, whose checkpoints are converted.</param>
/// <param name="destination">The folder to write into.</param>
/// <param name="endpoint">A server that speaks the protocol of S3, with a bucket named <c>bucket</c>.</param>
/// <param name="usesLibTorch">Whether libtorch is there, which computes what a LoRA adds.</param>
internal sealed class MainJob(string repository, string destination, Uri endpoint, bool usesLibTorch)
{
    /// <summary>That of the example, whose vocabulary has room for that of a tokenizer.</summary>
    private static readonly LlamaArchitecture Example = TinyModel.Architecture with
    {
        Name = "tiny-llama",
        ModelDim = 64,
        NumLayers = 4,
        NumAttnHeads = 8,
        NumKeyValueHeads = 4,
        VocabSize = 512,
        FfnInnerDimMultipleOf = 4,
    };

    private string Data => Path.Combine(repository, "tests", "data");

    /// <returns>How many files it has written.</returns>
    public int Run()
    {
        foreach (var name in new[] { "checkpoints/fs2", "checkpoints/tp2-llama3", "checkpoints/big-endian", "checkpoints/legacy", "distributed/titan-4/step-10" })
        {
            Convert(Read(name), name);
        }

        Convert(CheckpointAverage.Of([Read("checkpoints/fs2"), Read("forward/attentive")], [0.3, 0.7]), "average");

        if (usesLibTorch)
        {
            Convert(LoraMerge.Of(Read("checkpoints/lora"), alpha: 2), "lora");
        }

        ConvertWithTokenizer();
        Replace();
        Describe();
        Verify();
        UseS3();
        UseAzure();

        return Directory.EnumerateFiles(destination, "*", SearchOption.AllDirectories).Count();
    }

    /// <summary>Unchanged, and with numbers that are computed.</summary>
    private void Convert(LlamaCheckpoint checkpoint, string name)
    {
        Export(checkpoint, $"{name}/reference", new ReferenceExportOptions { Checklist = true, Manifest = true });
        Export(checkpoint, $"{name}/bfloat16", new ReferenceExportOptions { DType = DType.BFloat16, ShardCount = 2 });
        Export(checkpoint, $"{name}/huggingface", new HuggingFaceExportOptions());
        Export(checkpoint, $"{name}/float16", new HuggingFaceExportOptions { DType = DType.Float16 });
        Export(checkpoint, $"{name}/fairseq2", new Fairseq2ExportOptions());
    }

    private void ConvertWithTokenizer()
    {
        var checkpoint = ReadAt(Path.Combine(repository, "examples", "tiny-llama"), Example);
        var tokenizer = Path.Combine(Data, "tokenizers", "sentencepiece", "tokenizer.model");

        Export(checkpoint, "tokenizer/huggingface", new HuggingFaceExportOptions { TokenizerPath = tokenizer });
        Export(checkpoint, "tokenizer/gguf", new GgufExportOptions { FileName = "model.gguf", TokenizerPath = tokenizer });
        Export(checkpoint, "tokenizer/q8_0", new GgufExportOptions { FileName = "model.gguf", TokenizerPath = tokenizer, DType = DType.Q8_0 });
        Export(ReadAt(PathOf("tokenizer/q8_0/model.gguf")), "tokenizer/float32", new HuggingFaceExportOptions { DType = DType.Float32 });
    }

    /// <summary>An earlier export, in one step, and one that shares its folder with another file.</summary>
    private void Replace()
    {
        foreach (var neighbour in new[] { "alone", "beside" })
        {
            var folder = $"replaced/{neighbour}";
            Export(Read("checkpoints/fs2"), folder, new ReferenceExportOptions());

            if (neighbour == "beside")
            {
                File.WriteAllText(PathOf($"{folder}/notes.txt"), "kept");
            }

            Export(Read("forward/attentive"), folder, new ReferenceExportOptions { Force = true });
        }
    }

    private void Describe()
    {
        var checkpoint = Read("forward/attentive");
        using var measurement = new TensorMeasurement(binCount: 8);

        File.WriteAllLines(PathOf("statistics.txt"), checkpoint.Tensors.Select(tensor => measurement.Measure(tensor)).Select(tensor => string.Create(
            CultureInfo.InvariantCulture,
            $"{tensor.Name} {tensor.Min:R} {tensor.Max:R} {tensor.Mean:R} {tensor.Std:R} {tensor.Norm:R} {string.Join(' ', tensor.Histogram.Select(bin => bin.Count))}")));

        var report = CheckpointReport.Gather(checkpoint, new CheckpointReportOptions { Statistics = true });
        File.WriteAllText(PathOf("report.html"), report.ToText(ReportFormat.Html));
        File.WriteAllText(PathOf("report.md"), report.ToText(ReportFormat.Markdown));
    }

    private void Verify()
    {
        var signatures = Path.Combine(Data, "signatures");
        var model = Path.Combine(signatures, "model");

        foreach (var file in Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories))
        {
            var copy = PathOf(Path.Combine("signed", Path.GetRelativePath(model, file)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        File.Copy(Path.Combine(signatures, "p256.sig"), PathOf("signed/model.sig"));

        var trust = SignatureTrust.InKey(new CheckpointAddress(Path.Combine(signatures, "p256.pub")));
        var result = ManifestTest.Run(new CheckpointAddress(PathOf("signed")), new ManifestTestOptions { Trust = trust });
        File.WriteAllText(PathOf("signature.txt"), $"{result.Passed}: {result.Files} files, signed by {result.SignedBy}");
    }

    private void UseS3()
    {
        var access = new StoreAccess { EndpointUrl = endpoint };
        var address = new CheckpointAddress($"s3://bucket/{Environment.ProcessId}", access);

        CheckpointExport.Plan(Read("checkpoints/tp2-llama3"), address, new HuggingFaceExportOptions()).Execute();
        Export(CheckpointReader.Read(address), "s3", new ReferenceExportOptions());
    }

    /// <summary>The server does not understand it. So what is compared is an error, which the SDK has read from the answer.</summary>
    private void UseAzure()
    {
        try
        {
            var account = new Uri(endpoint, "account");
            CheckpointReader.Read(new CheckpointAddress($"{account}/container/run", new StoreAccess { EndpointUrl = account, SasToken = new SecureString() }));
        }
        catch (CheckpointException e)
        {
            File.WriteAllText(PathOf("azure.txt"), $"{e.Code}: {e.Message}");
        }
    }

    private LlamaCheckpoint Read(string name) => ReadAt(Path.Combine(Data, name), TinyModel.Architecture);

    private static LlamaCheckpoint ReadAt(string path, LlamaArchitecture? architecture = null) =>
        CheckpointReader.Read(new CheckpointAddress(path), new CheckpointReadOptions { Architecture = architecture });

    private void Export(LlamaCheckpoint checkpoint, string folder, ExportOptions options) =>
        CheckpointExport.Plan(checkpoint, new CheckpointAddress(PathOf(folder)), options).Execute();

    private string PathOf(string name) => Path.Combine(destination, name);
}
