using CsCheck;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Manifests of one model are the same in what they say of the model, whichever way it went through the formats and however it was divided over files.</summary>
public sealed class ManifestPropertyTests
{
    private static readonly string[] Types = ["F32", "F16", "BF16"];

    private static readonly Gen<ConverterModel> Models = Gen.Select(
        Gen.Int[0, 2].Select(index => Types[index]), Gen.Int[1, 3], Gen.Int[1, 3], Gen.Bool, Gen.Bool, Gen.Int[1, 3],
        (dtype, layers, ffn, isTied, isScaled, files) => new ConverterModel(dtype, layers, 32 * ffn, isTied, isScaled, files));

    private static readonly Gen<ExportOptions> Steps = Gen.OneOf<ExportOptions>(
        Gen.Int[1, 2].Select(count => (ExportOptions)new ReferenceExportOptions { ShardCount = count }),
        Gen.Long[2000, 40_000].Select(size => (ExportOptions)new HuggingFaceExportOptions { MaxShardSize = size }),
        Gen.Const((ExportOptions)new HuggingFaceExportOptions()),
        Gen.Const((ExportOptions)new Fairseq2ExportOptions()),
        Gen.Long[5000, 40_000].Select(size => (ExportOptions)new GgufExportOptions { FileName = "x.gguf", MaxShardSize = size }));

    [Fact]
    public void The_hash_of_a_model_survives_every_way() => Gen.Select(Models, Steps.List[1, 4]).Sample(
        (model, steps) =>
        {
            using var folder = new TempFolder();
            LlamaCheckpoint checkpoint = model.Write(folder["0"]);
            var expected = ManifestedExport.Make(checkpoint);

            foreach (var (place, step) in steps.Index())
            {
                // Formats that have no place for a tokenizer don't carry it along.
                var options = step is GgufExportOptions gguf ? gguf with { TokenizerPath = folder["0"] } : step;
                var manifest = ManifestedExport.Write(checkpoint, folder[$"{place + 1}"], options, out checkpoint);

                Assert.Equal(expected.ModelSha256, manifest.Source!.ModelSha256);
                Assert.Equal(expected.Tensors.Select(tensor => $"{tensor.Name} {tensor.Sha256}").Order(StringComparer.Ordinal), manifest.Tensors.Select(tensor => $"{tensor.Name} {tensor.Source!.Sha256}").Order(StringComparer.Ordinal));

                // Nothing but GGUF casts what it is not told to: norms have one type there.
                Assert.True(step is GgufExportOptions || manifest.ModelSha256 == expected.ModelSha256);
                ManifestedExport.AssertSame(manifest, ManifestedExport.Make(checkpoint));
                expected = manifest;
            }
        },
        iter: 25,
        threads: 1);

    /// <summary>A bit of any tensor changes the hash of that tensor, that of the model, and no other.</summary>
    [Fact]
    public void A_bit_changes_one_tensor() => Gen.Select(Models, Gen.Int[0, int.MaxValue]).Sample(
        (model, chosen) =>
        {
            using var folder = new TempFolder();
            var checkpoint = model.Write(folder.Path);
            var before = ManifestedExport.Make(checkpoint);
            var tensor = checkpoint.Tensors[chosen % checkpoint.Tensors.Length];
            var storage = tensor.Shards[0].Tensor.Storage;

            using (var file = new FileStream(storage.Source.Name, FileMode.Open))
            {
                file.Position = storage.Offset + (chosen % storage.Length);
                var value = file.ReadByte();
                file.Position--;
                file.WriteByte((byte)(value ^ (1 << (chosen % 8))));
            }

            var after = ManifestedExport.Make(LlamaHuggingFaceCheckpoint.Read(folder.Path));
            Assert.NotEqual(before.ModelSha256, after.ModelSha256);
            Assert.All(
                before.Tensors.Zip(after.Tensors),
                pair => Assert.Equal(pair.First.Key == tensor.Name || (pair.First.TiedTo is not null && tensor.Name == "model.embed_tokens.weight"), pair.First.Sha256 != pair.Second.Sha256));
        },
        iter: 25,
        threads: 1);
}
