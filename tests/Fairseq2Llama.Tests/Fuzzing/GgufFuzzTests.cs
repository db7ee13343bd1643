using System.Text;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever a GGUF file holds, it is read, or refused with a documented error.</summary>
[Fuzz]
public sealed class GgufFuzzTests : IDisposable
{
    private const int MaxCount = 1 << 12;

    private static readonly byte[][] Models =
    [
        GgufBuilder.Llama(dim: 32, ffn: 32, vocab: 8, layers: 1).Build(),
        GgufBuilder.Llama(dim: 32, ffn: 32, vocab: 8, layers: 1, type: GgufBuilder.Q8_0, isTied: true).Build(),
        GgufBuilder.Llama(dim: 16, ffn: 8, vocab: 8, layers: 2, type: GgufBuilder.BF16)
            .List("tokenizer.ggml.tokens", "a", "bc", "").List("tokenizer.ggml.scores", 0f, 1f, 2f).Key("tokenizer.ggml.add_bos_token", true)
            .Tensor("rope_freqs.weight", GgufBuilder.F32, [0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f], 2).Build(),
    ];

    private static readonly string[] Names = ["x", "", "\u001b[2J", "output.weight", "general.alignment", "split.count", "rope_freqs.weight"];

    private static readonly object[] Values =
        [0u, 1u, 3u, 32u, 1u << 31, uint.MaxValue, -1, 1f, float.NaN, double.MaxValue, true, "", "llama", "none", "\u001b[2J", ulong.MaxValue, (uint[])[1, 2], (string[])["a", ""]];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_with_bytes_changed_cut_and_moved() => Fuzzer.Run(20000, random => Bytes.Mutate(Models.Pick(random), random), Read);

    [Fact]
    public void Files_whose_fields_were_changed() => Fuzzer.Run(20000, Make, Read);

    /// <summary>Half of them with nothing behind that is damaged: a header is never read to its end otherwise.</summary>
    [Fact]
    public void Headers_that_were_damaged() => Fuzzer.Run(
        20000,
        random =>
        {
            var file = Models.Pick(random);
            file[24 + random.Next(700)] = (byte)random.Next(256);
            return file;
        },
        Read);

    [Fact]
    public void Files_that_ask_for_much() => Fuzzer.Run(1000, MakeLarge, Read);

    /// <summary>As a checkpoint.</summary>
    [Fact]
    public void Models_whose_keys_were_changed() => Fuzzer.Run(
        2000,
        Make,
        bytes =>
        {
            var store = new ObjectStore();
            store.Put("x.gguf", bytes);
            var model = LlamaGgufCheckpoint.Read(store.At("x.gguf"));
            Assert.NotNull(model.Architecture);
        });

    private void Read(byte[] bytes)
    {
        using var copier = new StorageCopier(ScratchFolder.In(_folder.Path), VerificationPolicy.Of(VerificationMode.None));
        var file = Open(bytes);

        foreach (var tensor in file.Tensors.Where(tensor => tensor.Value.SizeInBytes > 0))
        {
            copier.Copy(PlannedStorage.Of(tensor.Value), _ => { }, CancellationToken.None);
        }

        FolderFuzzTests.AssertPrintable([.. file.Tensors.Select(tensor => tensor.Key), .. file.Metadata.Entries.Select(entry => entry.Key)]);
        Assert.All(file.Metadata.Entries, entry => Assert.InRange(entry.Range.Offset + entry.Range.Length, 0, bytes.Length));
    }

    private static GgufFile Open(byte[] bytes)
    {
        try
        {
            return GgufFile.Open(new MemorySource(bytes));
        }
        catch (CheckpointException e)
        {
            FolderFuzzTests.AssertPrintable([e.Message]);
            throw;
        }
    }

    /// <summary>A small model, some of whose fields lie.</summary>
    private static byte[] Make(Random random)
    {
        var file = GgufBuilder.Llama(dim: 16, ffn: 8, vocab: 8, layers: 1, isTied: random.Next(2) == 0);
        var keys = GgufFile.Open(new MemorySource(file.Build())).Metadata.Entries.Select(entry => entry.Key).ToArray();

        for (var changes = random.Next(3); changes > 0; changes--)
        {
            switch (random.Next(9))
            {
                case 0:
                    file.Key(keys[random.Next(keys.Length)], Values[random.Next(Values.Length)]);
                    break;
                case 1:
                    file.Key(Names[random.Next(Names.Length)], Values[random.Next(Values.Length)]);
                    break;
                case 2:
                    file.TensorCount = (ulong)Bytes.Number(random);
                    break;
                case 3:
                    file.KeyCount = (ulong)Bytes.Number(random);
                    break;
                case 4:
                    file.RawKey(Encoding.UTF8.GetBytes(Names[random.Next(Names.Length)]), BitConverter.GetBytes(random.Next(14)));
                    break;
                case 5:
                    file.Tensor(Names[random.Next(Names.Length)], (uint)random.Next(40), new byte[random.Next(100)], [.. Enumerable.Range(0, random.Next(6)).Select(_ => (ulong)Bytes.Number(random))]);
                    break;
                case 6:
                    file.Tensor("t"u8.ToArray(), GgufBuilder.F32, new byte[4], (ulong)Bytes.Number(random), 1);
                    break;
                case 7:
                    file.Replace("output_norm.weight", old => random.Next(4) == 0 ? null : (old.Type, old.Data, [.. old.Dims, (ulong)random.Next(3)]));
                    return file.Build();
                default:
                    file.RawKey("list"u8, [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(random.Next(13)), .. BitConverter.GetBytes(Bytes.Number(random)), .. new byte[random.Next(64)]]);
                    break;
            }
        }

        return file.Build();
    }

    /// <summary>Of everything that a header can hold more than once, as often as some 100 KB can.</summary>
    private static byte[] MakeLarge(Random random)
    {
        var count = random.Next(1, MaxCount);
        var file = new GgufBuilder();

        switch (random.Next(6))
        {
            case 0:
                for (var i = 0; i < count; i++)
                {
                    file.RawKey(Encoding.UTF8.GetBytes($"{i}"), GgufBuilder.Encode((byte)1));
                }

                break;
            case 1:
                for (var i = 0; i < count; i++)
                {
                    file.Tensor($"{i}", GgufBuilder.F32, [], 0);
                }

                break;
            case 2:
                file.Key("texts", Enumerable.Repeat("", count).ToArray());
                break;
            case 3:
                file.Key("text", new string('x', count));
                break;
            case 4:
                file.Key(new string('x', count), 1u);
                break;
            default:
                file.Tensor(new string('x', count), GgufBuilder.F32, [], 0);
                break;
        }

        return file.Build();
    }
}
