using CsCheck;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>Whoever reads computed tensors gets the same bytes, in whatever pieces and order.</summary>
public sealed class ComputedFileTests(ComputedFileTests.Models models) : IClassFixture<ComputedFileTests.Models>
{
    /// <summary>Computed in any pieces; in windows of whole heads, because rows have different orders; in windows, because blocks are quantized, or by libtorch.</summary>
    public static TheoryData<string> Kinds => ["elementwise", "mixed orders", "mixed orders, half-split first", "quantized", "LoRA", "LoRA of embeddings", "merge of a merge"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Any_piece_is_that_of_the_whole(string kind)
    {
        var file = models[kind];
        var whole = ReadAll(file);
        using var reader = file.Open(TestContext.Current.CancellationToken);

        Gen.Select(Gen.Long[0, file.Length - 1], Gen.OneOf(Gen.Int[0, 40], Gen.Int[0, 100_000], Gen.Const((int)file.Length))).Sample(
            (offset, length) =>
            {
                var piece = new byte[Math.Min(length, file.Length - offset)];
                reader.Read(offset, piece);
                Assert.True(piece.AsSpan().SequenceEqual(whole.AsSpan((int)offset, piece.Length)), $"{piece.Length} bytes at {offset}");
            },
            iter: 150,
            threads: 1);
    }

    /// <summary>All pieces next to each other, of a length that divides neither elements nor rows.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Pieces_on_several_threads_are_those_of_the_whole(string kind)
    {
        const int Length = 99_991;
        var file = models[kind];
        var whole = ReadAll(file);
        using var reader = file.Open(TestContext.Current.CancellationToken);
        var pieces = new byte[whole.Length];

        Parallel.For(0, (whole.Length + Length - 1) / Length, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, number =>
        {
            var start = number * Length;
            reader.Read(start, pieces.AsSpan(start, Math.Min(Length, whole.Length - start)));
        });

        Assert.True(pieces.AsSpan().SequenceEqual(whole));
        reader.RequireUnchanged();
    }

    /// <summary>The numbers are those of the formula, one by one.</summary>
    [Fact]
    public void The_whole_is_what_arithmetic_says()
    {
        var inputs = models.Inputs.Select(MergeModels.NumbersOf).Take(2).ToArray();
        var merged = MergeModels.NumbersOf(CheckpointAverage.Of([.. models.Inputs.Take(2)], [2, 0.3]));

        foreach (var (name, numbers) in merged)
        {
            var (left, right, actual) = (Numbers(inputs[0][name]), Numbers(inputs[1][name]), Numbers(numbers));
            Assert.Equal(left.Length, actual.Length);

            for (var i = 0; i < left.Length; i++)
            {
                var product = right[i] * 0.3f;
                var sum = (left[i] * 2f) + product;

                if (sum / 2.3f != actual[i])
                {
                    Assert.Fail($"{name}, {i}: {sum / 2.3f} and {actual[i]}");
                }
            }
        }

        static float[] Numbers(string text)
        {
            var bytes = Convert.FromHexString(text.Split(' ')[^1]);
            return [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i))];
        }
    }

    private static byte[] ReadAll(IByteSource file)
    {
        using var reader = file.Open(TestContext.Current.CancellationToken);
        var bytes = new byte[file.Length];
        reader.Read(0, bytes);
        reader.RequireUnchanged();
        return bytes;
    }

    /// <summary>Three models and what is computed from them.</summary>
    public sealed class Models : IDisposable
    {
        private readonly TempFolder _folder = new("models");
        private readonly Lazy<LlamaCheckpoint[]> _inputs;

        public Models() => _inputs = new(() =>
        {
            var first = Fairseq2Checkpoint.Read(FiniteModel.Write(_folder["0"], 0));
            var second = MergeModels.Export(Fairseq2Checkpoint.Read(FiniteModel.Write(_folder["1"], 1)), _folder["hf"], new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture });
            var third = MergeModels.Export(
                Fairseq2Checkpoint.Read(FiniteModel.Write(_folder["2"], 2)),
                _folder["gguf"],
                new GgufExportOptions { FileName = "x.gguf", Architecture = FiniteModel.Architecture, DType = DType.Q8_0, TokenizerPath = WriteTokenizer() });
            return [first, second, third];
        });

        internal LlamaCheckpoint[] Inputs => _inputs.Value;

        internal IByteSource this[string kind]
        {
            get
            {
                var (first, second, third) = (Inputs[0], Inputs[1], Inputs[2]);

                if (kind.StartsWith("LoRA", StringComparison.Ordinal))
                {
                    LibTorch.Require();
                }

                return FileOf(kind switch
                {
                    "elementwise" => CheckpointAverage.Of([first, first], [1, 2]),
                    "mixed orders" => CheckpointAverage.Of([first, second]),
                    "mixed orders, half-split first" => CheckpointAverage.Of([second, first]),
                    "quantized" => CheckpointAverage.Of([first, third, second]),
                    "merge of a merge" => CheckpointAverage.Of([CheckpointAverage.Of([second, first]), first]),
                    "LoRA" => LoraMerge.Of(second, WriteLora("decoder.layers.0.self_attn.q_proj", 640, 640), alpha: 3),
                    _ => LoraMerge.Of(first, WriteLora("decoder_frontend.embed", 640, 1000), alpha: 3),
                });
            }
        }

        public void Dispose() => _folder.Dispose();

        private static ComputedFile FileOf(LlamaCheckpoint merged) => merged.Tensors.Select(tensor => tensor.Shards[0].Tensor.Storage.Source).OfType<ComputedFile>().Distinct().Single();

        private string WriteTokenizer()
        {
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(_folder["tokenizer"]).FullName, "tokenizer.model"), SentencePieceBuilder.OfSize((int)FiniteModel.Architecture.VocabSize).Build());
            return _folder["tokenizer"];
        }

        private string WriteLora(string module, long rows, long columns) => FiniteModel.WriteLora(_folder[module], module, rows, columns);
    }
}
