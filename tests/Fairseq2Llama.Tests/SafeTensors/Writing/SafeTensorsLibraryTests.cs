using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors.Writing;

/// <summary>Written files as the safetensors library and PyTorch see them.</summary>
[External]
public sealed class SafeTensorsLibraryTests : IDisposable
{
    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    /// <summary>
    /// The originals are files of torch.save, which the library has nothing to do with. Of what both hold it writes the same bytes, too, but for types
    /// that only later versions of it know, and for complex128.
    /// </summary>
    [Fact]
    public void It_reads_what_PyTorch_has_in_the_original_and_would_write_the_same_file()
    {
        string[] originals = ["tensors/dtypes.pt", "tensors/shapes.pt", "checkpoints/views/model.pt", "checkpoints/tied/model.pt"];
        var arguments = new List<string>();

        foreach (var (original, i) in originals.Select((original, i) => (Repository.Data(original), i)))
        {
            var tensors = TensorFiles.Read(original).Where(entry => !DTypeInfo.Of(entry.Tensor.DType).IsComplex)
                .Select(entry => new PlannedTensor(entry.Name, entry.RawName, entry.Tensor.DType, entry.Tensor.Shape, PlannedStorage.Of(entry.Tensor)));
            var folder = Directory.CreateDirectory(_out[$"{i}"]).FullName;

            arguments.AddRange([WriteInto(folder, tensors), original]);
        }

        var output = SafeTensorsLibrary.Ask(
            """
            import sys, torch
            from pathlib import Path
            from safetensors import safe_open
            from safetensors.torch import load_file, save

            def read(path):
                content = torch.load(path, weights_only=True)
                return content[content["model_key"]] if "model_key" in content else content

            def data(tensor):
                # A view as bytes tells NaN from NaN and knows every dtype. It takes one dimension at least.
                return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist())

            for path, original in zip(sys.argv[1::2], sys.argv[2::2]):
                expected = {name: tensor for name, tensor in read(original).items() if not tensor.is_complex()}
                loaded = load_file(path)
                with safe_open(path, framework="pt") as file:
                    assert file.metadata() == {"format": "pt"}
                    assert set(file.keys()) == set(loaded) == set(expected)
                    opened = {name: file.get_tensor(name) for name in file.keys()}
                for name, tensor in expected.items():
                    for written in loaded[name], opened[name]:
                        assert written.dtype == tensor.dtype and written.shape == tensor.shape, name
                        assert data(written) == data(tensor), name
                apart = {name: tensor.contiguous().clone() for name, tensor in expected.items()}
                assert Path(path).read_bytes() == save(apart, {"format": "pt"}), original
                print(len(loaded), *sorted({str(tensor.dtype)[6:] for tensor in loaded.values()}))
            """,
            [.. arguments]);

        Assert.Equal(
            """
            10 bfloat16 bool float16 float32 float64 int16 int32 int64 int8 uint8
            18 float32 int64
            21 bfloat16
            21 bfloat16
            """,
            output,
            ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void It_reads_types_that_torch_save_files_here_do_not_have()
    {
        DType[] dtypes = [DType.Float8E4M3FN, DType.Float8E5M2];
        var tensors = dtypes.Select(dtype => PlannedTensors.Make(dtype.GetTorchName(), dtype, 2, 128)).ToArray();

        var output = SafeTensorsLibrary.Ask(
            """
            import sys, torch
            from safetensors.torch import load_file

            for name, tensor in sorted(load_file(sys.argv[1]).items()):
                print(name, str(tensor.dtype)[6:], *tensor.shape, bytes(tensor.reshape(-1).view(torch.uint8).tolist()).hex())
            """,
            WriteInto(_out.Path, tensors));

        Assert.Equal(
            tensors.Select(tensor => $"{tensor.Name} {tensor.Name} 2 128 {Convert.ToHexStringLower(TensorBytes.Of(tensor.Storage))}"), output.Split('\n'));
    }

    [Fact]
    public void It_reads_files_with_odd_content()
    {
        string[] names = ["", "größe.重み", "\U0001f999", "\"quoted\" and \\back\\slashed", "\u2028\u00a0\ue000"];
        var odd = WriteInto(Directory.CreateDirectory(_out["odd"]).FullName, names.Select(name => PlannedTensors.Make(name, DType.UInt8, 0, 3)));
        var nothing = WriteInto(Directory.CreateDirectory(_out["nothing"]).FullName, []);

        var output = SafeTensorsLibrary.Ask(
            """
            import sys
            from safetensors.torch import load_file

            for path in sys.argv[1:]:
                print(len(load_file(path)), *sorted(name.encode().hex() for name in load_file(path)), sep=",")
            """,
            odd,
            nothing);

        Assert.Equal(
            $"""
            5,{string.Join(',', names.Select(name => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(name))).Order(StringComparer.Ordinal))}
            0
            """,
            output,
            ignoreLineEndingDifferences: true);
    }

    /// <summary>Each file of a model in Hugging Face's format, made of one by fairseq2, as save_pretrained would write it.</summary>
    [Fact]
    public void It_would_write_the_same_files_of_a_divided_model()
    {
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2")), _out["model"], new HuggingFaceExportOptions
        {
            Architecture = TinyModel.Architecture,
            MaxShardSize = 4_000,
        }).Execute();

        var output = SafeTensorsLibrary.Ask(
            """
            import json, sys
            from pathlib import Path
            from safetensors.torch import load_file, save

            folder, original = Path(sys.argv[1]), load_file(sys.argv[2])
            index = json.loads((folder / "model.safetensors.index.json").read_text())
            files = sorted(set(index["weight_map"].values()))
            assert files == sorted(path.name for path in folder.glob("*.safetensors"))
            for file in files:
                names = [name for name, place in index["weight_map"].items() if place == file]
                assert (folder / file).read_bytes() == save({name: original[name] for name in names}, {"format": "pt"}), file
            assert set(index["weight_map"]) == set(original)
            assert (folder / "model.safetensors.index.json").read_text() == json.dumps(index, indent=2, sort_keys=True) + "\n"
            for name in "config.json", "generation_config.json":
                text = (folder / name).read_text()
                assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n", name
            print(len(files), len(original))
            """,
            _out["model"],
            Repository.Data("huggingface/single/model.safetensors"));

        Assert.Equal("10 21", output);
    }

    private static string WriteInto(string folder, IEnumerable<PlannedTensor> tensors)
    {
        using var scratch = new TempFolder();
        var path = Path.Combine(folder, "model.safetensors");
        File.Move(TensorFiles.Write(WrittenSafeTensors.Plan(tensors), scratch), path);
        return path;
    }
}
