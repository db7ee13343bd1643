using System.Security.Cryptography;
using System.Text;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>
/// Exports beside the files that convert_hf_to_gguf.py of llama.cpp b9371 (2026-05-27) made of the same models, with PyTorch 1.13.1 and NumPy 1.24.2: the descriptions of tensors and their
/// data have the same hash, and the keys of the architecture the same bytes.
/// </summary>
public sealed class ConverterTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Scaled", DType.Float32, 103, "a620d47f8892a3693867efbb75d2318f9fca099900f8cebec29c5a96fcb12954")]
    [InlineData("Scaled", DType.Float16, 103, "ca5f2d8dca8a6734499d7ecb3941a8a7a7e76dd3266513a072da57c8fae0e297")]
    [InlineData("Scaled", DType.BFloat16, 103, "7b346a5d647e693bc6a1afb253536689d9e0398592cc48bdf255800e5de229ae")]
    [InlineData("Scaled", DType.Q8_0, 103, "423745a77e795a0ba262ab2a95edcd0c02efdb491b0a83d0e639846419f2183b")]
    [InlineData("Tied", DType.Float32, 20, "8f17e398ebd4ab31bff0e40f9da794c904764a5817c534e80aa558e40b7f77e7")]
    [InlineData("Tied", DType.Float16, 20, "f63575f5beed1a80c5c339c7f8e093608c4727562b5fe3a28ea66049212c80fa")]
    [InlineData("Tied", DType.BFloat16, 20, "041c98030f0461b01a17d8e2c8304c964b4aea0de7ca8730a683e4ca0b59d2d3")]
    [InlineData("Tied", DType.Q8_0, 20, "b513fb8e4246c93c3cf633287820f64aa0489404c8b2e9f9d0c6a6ec804647f7")]
    [InlineData("Half", DType.Float32, 21, "e616a2d9758af1cce548ea8359abe98f6021eba06d6dfcc914db8de2fc4ca2ad")]
    [InlineData("Half", DType.Float16, 21, "3ba9a52353c123971f7f0779a868c359c6773ee65aa65c6bf4158c4633a3ec73")]
    [InlineData("Half", DType.BFloat16, 21, "558bf48418bfa36b35d19a61181801af25f6f719222e040380a87f4e21303abc")]
    [InlineData("Half", DType.Q8_0, 21, "006301b0012ccf0e3caad088369f98f468f5c6ddc017a185b192153827eee869")]
    [InlineData("Parts", DType.BFloat16, 22, "847e2d577fd873b42210af3c531c6d1240fed366117eab49cdc970630462248e")]
    [InlineData("Parts", DType.Q8_0, 22, "1379afe4253a4f4e0358c73dfc7bdbf1a117e79a7b20e77a89aa58ce08f8e847")]
    public void Tensors_are_the_same(string model, DType dtype, int count, string sha256)
    {
        Export(ConverterModel.Of(model).Write(_folder["in"]), new GgufExportOptions { FileName = "x.gguf", DType = dtype });

        Assert.Equal((count, sha256), HashOf("x.gguf"));
    }

    /// <summary>The other formats have the same numbers in another order of rows and of tensors.</summary>
    [Theory]
    [InlineData("Scaled")]
    [InlineData("Tied")]
    public void Whatever_format_a_model_comes_by(string model)
    {
        var original = ConverterModel.Of(model).Write(_folder["in"]);
        var (count, sha256) = model == "Tied"
            ? (20, "b513fb8e4246c93c3cf633287820f64aa0489404c8b2e9f9d0c6a6ec804647f7")
            : (103, "423745a77e795a0ba262ab2a95edcd0c02efdb491b0a83d0e639846419f2183b");
        CheckpointExport.Plan(original, _folder["fairseq2"], new Fairseq2ExportOptions()).Execute();
        CheckpointExport.Plan(original, _folder["reference"], new ReferenceExportOptions { ShardCount = 2 }).Execute();
        CheckpointExport.Plan(original, _folder["hf"], new HuggingFaceExportOptions()).Execute();
        CheckpointExport.Plan(original, _folder["gguf"], new GgufExportOptions { FileName = "split.gguf", MaxShardSize = 5000 }).Execute();

        // A params.json of LLaMA 2's time does not say that rotary encoding is scaled.
        foreach (var format in (string[])["fairseq2", .. model == "Tied" ? (string[])["reference"] : [], "hf", "gguf"])
        {
            Export(CheckpointReader.Read(_folder[format]), new GgufExportOptions { FileName = $"{format}.gguf", DType = DType.Q8_0, TokenizerPath = _folder["in"] });

            Assert.Equal((format, count, sha256), (format, HashOf($"{format}.gguf").Count, HashOf($"{format}.gguf").Sha256));
        }
    }

    /// <summary>By --split-max-size 20000, and 9K.</summary>
    [Theory]
    [InlineData(DType.BFloat16, 20000, 10, "9df0bc88fbcc320349b9ba7a8f6b5e800464bb9d1c21fb6ce0e77223b609d93f")]
    [InlineData(DType.Q8_0, 9000, 15, "ec0cbef6e17cb263c75a10dd33abb9d799697484f0e0459288664784e647babb")]
    public void A_model_is_split_in_the_same_places(DType dtype, long size, int files, string sha256)
    {
        Export(ConverterModel.Scaled.Write(_folder["in"]), new GgufExportOptions { FileName = "x.gguf", DType = dtype, MaxShardSize = size });

        string[] names = [.. Directory.EnumerateFiles(_folder["out"]).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Assert.Equal(Enumerable.Range(1, files).Select(number => $"x-{number:00000}-of-{files:00000}.gguf"), names);
        var hashes = string.Join('\n', names.Select(name => $"{name[1..]} {HashOf(name).Count} {HashOf(name).Sha256}"));
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(hashes))));

        for (var number = 0; number < files; number++)
        {
            string[] keys = [.. Keys(names[number])];
            string[] split = [$"split.no 02000000{number:x2}00", $"split.count 02000000{files:x2}00", "split.tensors.count 0500000067000000"];
            Assert.Equal(split, keys[^3..]);
            Assert.True(number == 0 ? keys[0].StartsWith("general.architecture ", StringComparison.Ordinal) : keys.Length == 3, $"{number}: {keys.Length}");
        }
    }

    /// <summary>A model that fits into one file has an ordinary name, and no keys about files.</summary>
    [Fact]
    public void A_model_that_need_not_be_split_is_not()
    {
        Export(ConverterModel.Tied.Write(_folder["in"]), new GgufExportOptions { FileName = "x.gguf", MaxShardSize = 1 << 20 });

        Assert.DoesNotContain(Keys("x.gguf"), key => key.StartsWith("split.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Scaled", DType.Float32, "0b000000", "00000200", "30000000", "0024f448", "00000000")]
    [InlineData("Scaled", DType.Float16, "0b000000", "00000200", "30000000", "0024f448", "01000000")]
    [InlineData("Scaled", DType.BFloat16, "0b000000", "00000200", "30000000", "0024f448", "20000000")]
    [InlineData("Scaled", DType.Q8_0, "0b000000", "00000200", "30000000", "0024f448", "07000000")]
    [InlineData("Scaled", null, "0b000000", "00000200", "30000000", "0024f448", "20000000")]
    [InlineData("Tied", DType.Q8_0, "02000000", "00080000", "40000000", "00401c46", "07000000")]
    [InlineData("Tied", null, "02000000", "00080000", "40000000", "00401c46", "00000000")]
    [InlineData("Half", null, "02000000", "00080000", "40000000", "00401c46", "01000000")]
    public void Keys_of_the_architecture_are_the_same(string model, DType? dtype, string layers, string length, string ffn, string theta, string fileType)
    {
        Export(ConverterModel.Of(model).Write(_folder["in"]), new GgufExportOptions { FileName = "x.gguf", DType = dtype });

        Assert.Equal(
            [
                $"llama.block_count 04000000{layers}",
                $"llama.context_length 04000000{length}",
                "llama.embedding_length 0400000020000000",
                $"llama.feed_forward_length 04000000{ffn}",
                "llama.attention.head_count 0400000004000000",
                "llama.attention.head_count_kv 0400000002000000",
                $"llama.rope.freq_base 06000000{theta}",
                "llama.attention.layer_norm_rms_epsilon 06000000acc52737",
                "llama.attention.key_length 0400000008000000",
                "llama.attention.value_length 0400000008000000",
                $"general.file_type 04000000{fileType}",
                "llama.vocab_size 0400000028000000",
                "llama.rope.dimension_count 0400000008000000",
                "general.quantization_version 0400000002000000",
            ],
            Keys("x.gguf").SkipWhile(key => !key.StartsWith("llama.", StringComparison.Ordinal)).TakeWhile(key => !key.StartsWith("tokenizer.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Scaled", "88K")]
    [InlineData("Tied", "20K")]
    [InlineData("Half", "21K")]
    public void Size_labels_are_the_same(string model, string label)
    {
        Export(ConverterModel.Of(model).Write(_folder["in"]), new GgufExportOptions { FileName = "x.gguf" });

        Assert.Equal(label, Open("x.gguf").Metadata.Text("general.size_label"));
    }

    private void Export(LlamaCheckpoint checkpoint, GgufExportOptions options) => CheckpointExport.Plan(checkpoint, _folder["out"], options).Execute();

    private GgufFile Open(string name) => GgufFile.Open(new LocalFile(_folder[$"out/{name}"]));

    /// <summary>Each key with its type and its value.</summary>
    private IEnumerable<string> Keys(string name)
    {
        var bytes = File.ReadAllBytes(_folder[$"out/{name}"]);
        return Open(name).Metadata.Entries.Select(entry => $"{entry.Key} {Convert.ToHexStringLower(bytes.AsSpan((int)entry.Range.Offset, (int)entry.Range.Length))}");
    }

    /// <summary>The number of tensors, and the hash of what describes them, without the zeros behind that, and of the data.</summary>
    private (int Count, string Sha256) HashOf(string name)
    {
        var file = Open(name);
        var bytes = File.ReadAllBytes(_folder[$"out/{name}"]);
        var begin = (int)(file.Metadata.Entries[^1].Range.Offset + file.Metadata.Entries[^1].Range.Length);
        var length = file.Tensors.Sum(tensor => 8 + tensor.Key.Length + 4 + (8 * tensor.Value.Shape.Count) + 4 + 8);
        var data = (int)file.Tensors[0].Value.Storage.Offset;
        return (file.Tensors.Count, Convert.ToHexStringLower(SHA256.HashData([.. bytes[begin..(begin + length)], .. bytes[data..]])));
    }
}
