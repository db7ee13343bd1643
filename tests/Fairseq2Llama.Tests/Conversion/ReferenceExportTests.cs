using System.Text.Json.Nodes;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Conversion;

public sealed class ReferenceExportTests : IDisposable
{
    private readonly TempFolder _out = new();

    public static TheoryData<string> Cases => [.. Manifest.Instance.Reference.Keys];

    public void Dispose() => _out.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gives_what_fairseq2_s_converter_would(string name)
    {
        var expected = Manifest.Instance.Reference[name];

        Export(name, _out.Path);

        Assert.Equal([.. expected.Files.Select(file => file.File), "params.json"], _out.Content);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse(expected.Params.GetRawText()), JsonNode.Parse(File.ReadAllText(_out["params.json"]))));

        foreach (var file in expected.Files)
        {
            Assert.Equal(
                file.Tensors.Select(tensor => (tensor.Name, tensor.Dtype, string.Join(",", tensor.Shape), tensor.Sha256)),
                ReadBack(_out[file.File]));
        }
    }

    /// <summary>The same for all cases in one go, but with PyTorch reading what was written.</summary>
    [External]
    [Fact]
    public void PyTorch_loads_the_same_from_it()
    {
        foreach (var name in Manifest.Instance.Reference.Keys)
        {
            Export(name, _out[name]);
        }

        var compared = PyTorch.Ask(
            """
            import hashlib, json, pathlib, sys, torch, zipfile

            out, manifest = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
            compared = 0

            for case, reference in manifest['reference'].items():
                params = json.load(open(out / case / 'params.json'))
                assert params == reference['params'], (case, params)

                for file in reference['files']:
                    path = out / case / file['file']
                    assert zipfile.ZipFile(path).testzip() is None
                    state_dict = torch.load(path, weights_only=True)
                    assert type(state_dict) is dict
                    assert list(state_dict) == [tensor['name'] for tensor in file['tensors']], case

                    for expected, tensor in zip(file['tensors'], state_dict.values()):
                        raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
                        assert str(tensor.dtype) == 'torch.' + expected['dtype'], (case, expected)
                        assert list(tensor.shape) == expected['shape'], (case, expected)
                        assert tensor.is_contiguous() and not tensor.requires_grad
                        assert hashlib.sha256(raw.numpy().tobytes()).hexdigest() == expected['sha256'], (case, expected)
                        compared += 1

            print(compared)
            """,
            _out.Path,
            Repository.Data("manifest.json"));

        var tensors = Manifest.Instance.Reference.Values.Sum(reference => reference.Files.Sum(file => file.Tensors.Count));
        Assert.Equal($"{tensors}", compared);
    }

    [External]
    [Theory]
    [InlineData("tied")]
    [InlineData("tied-view")]
    [InlineData("tied-absent")]
    public void Tied_weights_share_one_storage(string name)
    {
        Export(name, _out.Path);

        var shared = PyTorch.Ask(
            """
            import sys, torch
            state_dict = torch.load(sys.argv[1], weights_only=True)
            print(state_dict['output.weight'].data_ptr() == state_dict['tok_embeddings.weight'].data_ptr(), list(state_dict)[-1])
            """,
            _out["consolidated.00.pth"]);

        Assert.Equal("True output.weight", shared);
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes()
    {
        Export("fs2", _out["first"]);
        Export("fs2", _out["second"]);

        Assert.Equal(File.ReadAllBytes(_out["first/consolidated.00.pth"]), File.ReadAllBytes(_out["second/consolidated.00.pth"]));
    }

    [Fact]
    public void An_untied_output_that_is_missing_is_an_error()
    {
        ErrorAssert.Throws(
            CheckpointErrorCode.MissingTensor, () => Export("tied-absent", _out["x"], TinyModel.Architecture), "final_proj.weight", "TiedEmbeddings");
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void A_tied_output_that_differs_from_the_embeddings_is_kept()
    {
        Export("fs2", _out.Path, TinyModel.Tied);

        Assert.Equal(
            Manifest.Instance.Reference["fs2"].Files[0].Tensors.Select(tensor => tensor.Sha256),
            ReadBack(_out["consolidated.00.pth"]).Select(tensor => tensor.Sha256));
    }

    [Fact]
    public void Every_contradiction_is_listed()
    {
        var other = TinyModel.Architecture with
        {
            Name = "other",
            NumLayers = 3,
            NumKeyValueHeads = 4,
            VocabSize = 41,
            FfnInnerDimMultipleOf = 32,
        };

        var error = ErrorAssert.Throws(
            CheckpointErrorCode.ArchitectureMismatch,
            () => Export("fs2", _out["x"], other),
            "NumLayers is 3 in the architecture and 2 in the weights",
            "VocabSize is 41 in the architecture and 40 in the weights",
            "KeyValueDim is 16 (4 key/value heads of 4) in the architecture and 8 in the weights",
            "FfnInnerDim is 64 in the architecture and 48 in the weights");

        Assert.DoesNotContain("ModelDim is", error.Message, StringComparison.Ordinal);
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void Params_json_that_readers_would_understand_otherwise_is_an_error()
    {
        // int(int(4 * 16 * 1.55) * 2 / 3) is 66, int(1.55 * int(8 * 16 / 3)) is 65.
        var odd = TinyModel.Architecture with { FfnInnerDimMultiplier = 1.55, FfnInnerDimMultipleOf = 1 };

        ErrorAssert.Throws(CheckpointErrorCode.ArchitectureMismatch, () => Export("fs2", _out["x"], odd), "66", "65");
    }

    [Fact]
    public void An_architecture_that_the_shapes_do_not_tell_is_asked_for()
    {
        ErrorAssert.Throws(
            CheckpointErrorCode.ArchitectureRequired,
            () => CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2")), _out["x"], new ReferenceExportOptions()),
            "New-LlamaArchitecture -Name … -ModelDim 16 -NumLayers 2",
            "-VocabSize 40");
    }

    [Theory]
    [InlineData(VerificationMode.Auto)]
    [InlineData(VerificationMode.Full)]
    public void A_damaged_input_leaves_nothing_behind(VerificationMode verification)
    {
        var damaged = Damaged("fs2");

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => Export(damaged, _out["new/folder"], TinyModel.Architecture, verification),
            damaged,
            "-Verification None");
        Assert.Equal(["damaged.pt"], _out.Content);
    }

    [Fact]
    public void A_damaged_input_is_taken_as_it_is_without_verification()
    {
        Export(Damaged("fs2"), _out["new"], TinyModel.Architecture, VerificationMode.None);

        Assert.Equal(["damaged.pt", "new", "new/consolidated.00.pth", "new/params.json"], _out.Content);
    }

    [Fact]
    public void An_input_that_changed_since_it_was_read_is_refused()
    {
        var path = _out["model.pt"];
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), path);
        var checkpoint = Fairseq2Checkpoint.Read(path);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));

        var plan = CheckpointExport.Plan(checkpoint, _out["new"], new ReferenceExportOptions { Architecture = TinyModel.Architecture });

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => plan.Execute(), path, "changed");
        Assert.Equal(["model.pt"], _out.Content);
    }

    [Theory]
    [InlineData("legacy", VerificationMode.Full)]
    [InlineData("fs2", VerificationMode.None)]
    public void An_input_that_is_rewritten_meanwhile_is_refused_even_where_no_checksum_tells(string name, VerificationMode verification)
    {
        var path = _out["model.pt"];
        File.Copy(Path.Combine(Repository.Case(name), "model.pt"), path);
        var plan = CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(path), _out["new"], new ReferenceExportOptions { Architecture = TinyModel.Architecture, Verification = verification });

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => plan.Execute(new ProgressTo(progress =>
            {
                if (progress.BytesDone > progress.BytesTotal / 2)
                {
                    File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
                }
            })),
            path,
            "was changed");
        Assert.Equal(["model.pt"], _out.Content);
    }

    [Fact]
    public void Cancelling_leaves_nothing_behind()
    {
        using var stop = new CancellationTokenSource();
        var plan = CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")),
            _out["new/folder"],
            new ReferenceExportOptions { Architecture = TinyModel.Architecture });
        var seen = new List<long>();

        Assert.Throws<OperationCanceledException>(() => plan.Execute(
            new ProgressTo(progress =>
            {
                seen.Add(progress.BytesDone);
                Assert.NotEmpty(_out.Content);

                if (progress.BytesDone > progress.BytesTotal / 2)
                {
                    stop.Cancel();
                }
            }),
            stop.Token));

        Assert.True(seen.Count > 3 && seen.SequenceEqual(seen.Order()));
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void A_destination_that_goes_away_meanwhile_is_an_error_of_writing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "open files keep their folder there");

        var plan = CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")), _out["new"], new ReferenceExportOptions { Architecture = TinyModel.Architecture });

        ErrorAssert.Throws(
            CheckpointErrorCode.WriteFailed,
            () => plan.Execute(new ProgressTo(progress =>
            {
                if (progress.BytesDone > progress.BytesTotal / 2 && Directory.Exists(_out[".fairseq2llama-new"]))
                {
                    Directory.Delete(_out[".fairseq2llama-new"], recursive: true);
                }
            })),
            "removed or changed while it was being written");
        Assert.Empty(_out.Content);
    }

    [Fact]
    public void A_failing_replacement_restores_what_was_there()
    {
        Export("fs2", _out.Path);
        var before = File.ReadAllBytes(_out["consolidated.00.pth"]);
        var plan = CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Case("compiled")),
            _out.Path,
            new ReferenceExportOptions { Architecture = TinyModel.Architecture, Force = true });

        // params.json comes last; that a folder is in its place is found out only when the weights have been moved.
        ErrorAssert.Throws(CheckpointErrorCode.WriteFailed, () => plan.Execute(new ProgressTo(_ =>
        {
            File.Delete(_out["params.json"]);
            Directory.CreateDirectory(_out["params.json"]);
        })));

        Assert.Equal(["consolidated.00.pth", "params.json"], _out.Content);
        Assert.Equal(before, File.ReadAllBytes(_out["consolidated.00.pth"]));
    }

    [Fact]
    public void Names_that_would_clash_are_refused()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        var stray = new CheckpointTensor(
            ParameterName.Parse("layers.0.attention.wq.weight", NamingConvention.Fairseq2), DType.Float32, new TensorShape(16, 16), null, checkpoint.Tensors[1].Copies, checkpoint.Tensors[1].Shards)
        {
            Owner = checkpoint,
        };

        ErrorAssert.Throws(
            CheckpointErrorCode.UnmappedTensor,
            () => CheckpointExport.Plan(
                [.. checkpoint.Tensors, stray],
                _out["x"],
                new ReferenceExportOptions { Architecture = TinyModel.Architecture, AllowUnmapped = true }),
            "'decoder.layers.0.self_attn.q_proj.weight' and 'layers.0.attention.wq.weight'");
    }

    [Fact]
    public void A_layer_beyond_all_others_is_a_contradiction()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        var beyond = new CheckpointTensor(
            ParameterName.Parse("decoder.layers.2147483647.ffn_layer_norm.weight", NamingConvention.Fairseq2), DType.Float32, new TensorShape(16), null, [], []);

        Assert.Contains(
            ArchitectureCheck.Run([.. checkpoint.Tensors, beyond], TinyModel.Architecture),
            finding => finding.Message == "NumLayers is 2 in the architecture and 2147483648 in the weights");
    }

    [Fact]
    public void An_input_without_checksums_is_taken_with_a_warning()
    {
        // What PyTorch 2.6 and newer write with compute_crc32=False: 0 for every record.
        var bytes = File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt"));

        for (var i = 0; i < bytes.Length - 46; i++)
        {
            if (bytes.AsSpan(i).StartsWith("PK\u0001\u0002"u8))
            {
                bytes.AsSpan(i + 16, 4).Clear();
            }
        }

        File.WriteAllBytes(_out["model.pt"], bytes);
        var checkpoint = Fairseq2Checkpoint.Read(_out["model.pt"]);
        var plan = CheckpointExport.Plan(checkpoint, _out["new"], new ReferenceExportOptions { Architecture = TinyModel.Architecture });
        plan.Execute();

        Assert.Contains("without checksums", Assert.Single(plan.Warnings), StringComparison.Ordinal);
        Assert.Contains("without checksums", Assert.Single(CheckpointTest.Run(checkpoint, new CheckpointTestOptions { Architecture = TinyModel.Architecture }).Findings).Message, StringComparison.Ordinal);
        Assert.Equal(
            Manifest.Instance.Reference["fs2"].Files[0].Tensors.Select(tensor => tensor.Sha256),
            ReadBack(_out["new/consolidated.00.pth"]).Select(tensor => tensor.Sha256));
    }

    private static void Export(string name, string destination, LlamaArchitecture? architecture = null, VerificationMode verification = default)
    {
        var checkpoint = Fairseq2Checkpoint.Read(File.Exists(name) ? name : Repository.Case(name));

        CheckpointExport.Plan(
            [.. checkpoint.Tensors.Where(tensor => !tensor.Name.Contains("lora", StringComparison.Ordinal))],
            destination,
            new ReferenceExportOptions
            {
                Architecture = architecture ?? (name.StartsWith("tied", StringComparison.Ordinal) ? TinyModel.Tied : TinyModel.Architecture),
                AllowUnmapped = name == "bias",
                Verification = verification,
            })
            .Execute();
    }

    private static IEnumerable<(string Name, string DType, string Shape, string Sha256)> ReadBack(string path)
    {
        var file = TorchFile.Open(new LocalFile(path));

        return
            from entry in Assert.IsType<PickleDict>(file.Content).Entries
            let tensor = file.GetTensor((PickledTensor)entry.Value!)
            select ((string)entry.Key!, tensor.DType.GetTorchName(), string.Join(",", tensor.Shape.Sizes), TensorBytes.Sha256(tensor));
    }

    /// <summary>A copy with one bit of one weight turned.</summary>
    private string Damaged(string name)
    {
        var path = Path.Combine(Repository.Case(name), "model.pt");
        var storage = Fairseq2Checkpoint.Read(path).Tensors[5].Shards[0].Tensor.Storage;
        var bytes = File.ReadAllBytes(path);
        bytes[storage.Offset + 10] ^= 1;
        File.WriteAllBytes(_out["damaged.pt"], bytes);
        return _out["damaged.pt"];
    }
}
