using System.Text;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>What a GGUF file says of its tensors, and what is refused.</summary>
public class GgufFileTests
{
    private static readonly object[] Values = ["x", (float[])[1, 2], (string[])["a", "", "bc"]];

    private static GgufBuilder Small => new GgufBuilder()
        .Key("general.name", Values[0]).Key("list", Values[1]).Key("texts", Values[2])
        .Tensor("a", GgufBuilder.F32, Bytes(24), 3, 2)
        .Tensor("b", GgufBuilder.Q8_0, Bytes(68), 64);

    [Fact]
    public void Tells_where_each_tensor_lies()
    {
        var bytes = Small.Build();
        var source = new MemorySource(bytes);
        var tensors = GgufFile.Open(source).Tensors;

        Assert.Equal(["a", "b"], tensors.Select(tensor => tensor.Key));
        var (a, b) = (tensors[0].Value, tensors[1].Value);
        Assert.Equal((DType.Float32, "2x3", 24L), (a.DType, $"{a.Shape}", a.Storage.Length));
        Assert.Equal((DType.Q8_0, "64", 68L), (b.DType, $"{b.Shape}", b.Storage.Length));
        Assert.Equal(Bytes(24), TensorBytes.Of(a));
        Assert.Equal(Bytes(68), TensorBytes.Of(b));
        Assert.Equal(0, a.Storage.Offset % 32);
        Assert.Equal(a.Storage.Offset + 32, b.Storage.Offset);
        Assert.Same(source, a.Storage.Source);
    }

    [Theory]
    [InlineData(GgufBuilder.F32, DType.Float32, 4)]
    [InlineData(GgufBuilder.F16, DType.Float16, 2)]
    [InlineData(GgufBuilder.BF16, DType.BFloat16, 2)]
    [InlineData(GgufBuilder.F64, DType.Float64, 8)]
    public void Knows_these_types(uint type, DType dtype, int size) =>
        Assert.Equal(dtype, Assert.Single(Open(new GgufBuilder().Tensor("x", type, Bytes(5 * size), 5)).Tensors).Value.DType);

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    public void Knows_these_versions(uint version)
    {
        var builder = Small;
        builder.Version = version;

        Assert.Equal(2, Open(builder).Tensors.Count);
    }

    /// <summary>Large enough that no buffer reaches the data.</summary>
    [Fact]
    public void Reads_no_data()
    {
        var header = new GgufBuilder().Key("text", new string('x', 100_000)).Tensor("x", GgufBuilder.F32, [], 0).Build().Length;
        var source = new MemorySource(new GgufBuilder().Key("text", new string('x', 100_000)).Tensor("x", GgufBuilder.F32, Bytes(8_000_000), 2_000_000).Build());

        GgufFile.Open(source);

        Assert.InRange(source.BytesRead, 1, header + (2 << 20));
        Assert.InRange(source.EndOfReads, 1, header + (2 << 20));
    }

    /// <summary>That of a large model has more than a million texts.</summary>
    [Fact]
    public void Skips_a_vocabulary()
    {
        var file = Open(new GgufBuilder().Key("tokens", Enumerable.Range(0, 100_000).Select(token => $"token {token}").ToArray()).Key("after", 5u));

        Assert.Equal(5, file.Metadata.Integer("after"));
        Assert.Equal(["tokens", "after"], file.Metadata.Entries.Select(entry => entry.Key));
    }

    [Fact]
    public void Tells_where_each_value_lies()
    {
        var bytes = Small.Build();

        foreach (var (entry, value) in GgufFile.Open(new MemorySource(bytes)).Metadata.Entries.Zip(Values))
        {
            Assert.Equal(GgufBuilder.Encode(value), bytes.AsSpan((int)entry.Range.Offset, (int)entry.Range.Length).ToArray());
        }
    }

    public static TheoryData<object, int> Integers => new()
    {
        { (byte)200, 200 }, { (sbyte)-5, -5 }, { (ushort)60_000, 60_000 }, { (short)-60, -60 }, { 7u, 7 }, { -7, -7 }, { 9ul, 9 }, { -9L, -9 }, { 3f, 3 }, { 4d, 4 },
    };

    [Theory]
    [MemberData(nameof(Integers))]
    public void A_whole_number_may_be_of_any_type(object value, int expected) => Assert.Equal(expected, Open(new GgufBuilder().Key("n", value)).Metadata.Integer("n"));

    public static TheoryData<object> NoIntegers => ["7", true, 1.5f, double.NaN, float.PositiveInfinity, uint.MaxValue, ulong.MaxValue, long.MinValue];

    [Theory]
    [MemberData(nameof(NoIntegers))]
    public void But_it_must_be_one(object value)
    {
        var metadata = Open(new GgufBuilder().Key("n", value)).Metadata;

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => metadata.Integer("n"), "'n' of its metadata is not a ", "number");
    }

    [Fact]
    public void A_list_is_of_another_model() => ErrorAssert.Throws(
        CheckpointErrorCode.ArchitectureMismatch, () => Open(new GgufBuilder().Key("n", (int[])[1])).Metadata.Integer("n"), "'n' of 'memory.pt' is a list", "Expected a number");

    [Fact]
    public void A_float32_is_what_was_meant() => Assert.Equal(1e-5, Open(new GgufBuilder().Key("eps", 1e-5f)).Metadata.Number("eps"));

    [Theory]
    [InlineData(5000)]
    [InlineData(1)]
    public void A_text_that_can_not_be_shown_is_no_text(int length)
    {
        var metadata = Open(new GgufBuilder().Key("t", new string('\u001b', length)).Key("n", 5u)).Metadata;

        Assert.True(metadata.Has("t"));
        Assert.Null(metadata.Text("t"));
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => metadata.Text("n"), "'n' of its metadata is not a text");
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => metadata.Require("no such"), "has no 'no such'");
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(64, 64)]
    [InlineData(1, 1)]
    public void The_alignment_is_a_key(int alignment, int expected)
    {
        var file = new GgufBuilder { Alignment = alignment }.Key("general.alignment", (uint)alignment).Tensor("a", GgufBuilder.F32, Bytes(4), 1).Tensor("b", GgufBuilder.F32, Bytes(8), 2);
        var tensors = Open(file).Tensors;

        Assert.Equal(0, tensors[0].Value.Storage.Offset % expected);
        Assert.Equal(Bytes(8), TensorBytes.Of(tensors[1].Value));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(33u)]
    [InlineData(1u << 21)]
    public void And_a_power_of_two(uint alignment) => Refuse(
        new GgufBuilder().Key("general.alignment", alignment).Build(), CheckpointErrorCode.CheckpointCorrupt, $"aligned to {alignment} bytes", "no power of two");

    [Fact]
    public void The_last_tensor_need_not_be_filled_up()
    {
        var builder = Small;
        builder.FillsLast = false;

        Assert.Equal(Bytes(68), TensorBytes.Of(Open(builder).Tensors[1].Value));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void It_may_have_no_tensors(int keys)
    {
        var builder = new GgufBuilder();

        if (keys > 0)
        {
            builder.Key("split.no", (ushort)0);
        }

        Assert.Empty(Open(builder).Tensors);
        builder.FillsLast = false;
        Assert.Empty(GgufFile.Open(new MemorySource(builder.Build()[..^(keys > 0 ? 1 : 0)])).Tensors);
    }

    [Fact]
    public void Empty_tensors_and_numbers_without_dims_are_tensors()
    {
        var tensors = Open(new GgufBuilder().Tensor("none", GgufBuilder.F32, [], 0, 5).Tensor("one", GgufBuilder.F32, Bytes(4))).Tensors;

        Assert.Equal(["5x0", "scalar"], tensors.Select(tensor => $"{tensor.Value.Shape}"));
        Assert.Equal(Bytes(4), TensorBytes.Of(tensors[1].Value));
    }

    /// <summary>Every length from 0 to all of it.</summary>
    [Fact]
    public void A_file_that_was_cut_off_is_refused()
    {
        var bytes = Small.Build();
        var whole = bytes.Length - (96 - 68);

        for (var length = 0; length < bytes.Length; length++)
        {
            var error = Record.Exception(() => GgufFile.Open(new MemorySource(bytes[..length])));

            // But for the zeros that fill up the last tensor.
            if (length >= whole)
            {
                Assert.Null(error);
                continue;
            }

            var refusal = Assert.IsType<CheckpointException>(error);
            Assert.Equal(length < 8 ? CheckpointErrorCode.CheckpointUnrecognized : CheckpointErrorCode.CheckpointCorrupt, refusal.Code);
            Assert.Contains(length == 0 ? "is empty" : length < 8 ? "does not begin with 'GGUF'" : "is damaged", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("GGML", 3u, "does not begin with 'GGUF'")]
    [InlineData("FUGG", 3u, "does not begin with 'GGUF'")]
    [InlineData("GGUF", 1u, "GGUF file of version 1, and only versions 2 and 3 are read")]
    [InlineData("GGUF", 4u, "GGUF file of version 4")]
    [InlineData("GGUF", 3u << 24, "was written for a big-endian machine")]
    [InlineData("GGUF", 2u << 24, "was written for a big-endian machine")]
    public void Other_files_are_refused(string magic, uint version, string message)
    {
        var builder = Small;
        (builder.Magic, builder.Version) = (magic, version);

        Refuse(builder.Build(), CheckpointErrorCode.CheckpointUnrecognized, message, "Expected a GGUF file of a LLaMA");
    }

    [Theory]
    [InlineData(3ul)]
    [InlineData(1000ul)]
    [InlineData(1ul << 32)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    public void A_count_of_tensors_that_lies_is_refused(ulong count)
    {
        var builder = Small;
        builder.TensorCount = count;

        Refuse(builder.Build(), CheckpointErrorCode.CheckpointCorrupt);
    }

    [Theory]
    [InlineData(4ul)]
    [InlineData(1000ul)]
    [InlineData(1ul << 32)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    public void A_count_of_keys_that_lies_is_refused(ulong count)
    {
        var builder = Small;
        builder.KeyCount = count;

        Refuse(builder.Build(), CheckpointErrorCode.CheckpointCorrupt);
    }

    [Fact]
    public void Too_many_keys_are_refused()
    {
        var builder = new GgufBuilder();

        for (var i = 0; i < 100_000; i++)
        {
            builder.RawKey(Encoding.UTF8.GetBytes($"{i}"), 0, 0, 0, 0, 1);
        }

        Refuse(builder.Build(), CheckpointErrorCode.CheckpointCorrupt, "100000 keys, more than 65536");
    }

    [Fact]
    public void Keys_come_once() => Refuse(
        new GgufBuilder().Key("k", 1u).RawKey("k"u8, GgufBuilder.Encode(1u)).Build(), CheckpointErrorCode.CheckpointCorrupt, "the key 'k' twice");

    [Fact]
    public void Tensors_come_once() => Refuse(
        new GgufBuilder().Tensor("t", GgufBuilder.F32, Bytes(4), 1).Tensor("t", GgufBuilder.F32, Bytes(4), 1).Build(), CheckpointErrorCode.CheckpointCorrupt, "two tensors that are called 't'");

    [Theory]
    [InlineData(13u)]
    [InlineData(0xffff_ffffu)]
    public void A_type_of_value_that_does_not_exist_is_refused(uint type) => Refuse(
        new GgufBuilder().RawKey("k"u8, [.. BitConverter.GetBytes(type), .. new byte[64]]).Build(), CheckpointErrorCode.CheckpointCorrupt, $"'k' of its metadata is of the type {type}");

    [Fact]
    public void Lists_of_lists_are_refused() => Refuse(
        new GgufBuilder().RawKey("k"u8, [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(1ul), .. GgufBuilder.Encode("x")]).Build(),
        CheckpointErrorCode.CheckpointCorrupt, "'k' of its metadata is a list of lists");

    [Theory]
    [InlineData(4u, 1ul << 61)]
    [InlineData(4u, ulong.MaxValue)]
    [InlineData(12u, (1ul << 61) + 1)]
    [InlineData(8u, 1000ul)]
    [InlineData(8u, ulong.MaxValue)]
    public void A_list_longer_than_the_file_is_refused(uint type, ulong count) => Refuse(
        new GgufBuilder().RawKey("k"u8, [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(count), .. new byte[64]]).Build(),
        CheckpointErrorCode.CheckpointCorrupt, $"{count} ", " of 'k'");

    [Theory]
    [InlineData(1000ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    public void A_text_longer_than_the_file_is_refused(ulong length) => Refuse(
        new GgufBuilder().RawKey("k"u8, [.. BitConverter.GetBytes(8u), .. BitConverter.GetBytes(length), .. new byte[64]]).Build(), CheckpointErrorCode.CheckpointCorrupt, $"{length} bytes of a text");

    [Theory]
    [InlineData("\u001b[2J")]
    [InlineData("a\nb")]
    [InlineData("\u202ex")]
    public void Names_that_could_talk_to_a_terminal_are_refused(string name)
    {
        Refuse(new GgufBuilder().Key(name, 1u).Build(), CheckpointErrorCode.CheckpointCorrupt, "a key of its metadata has", "control characters");
        Refuse(new GgufBuilder().Tensor(name, GgufBuilder.F32, Bytes(4), 1).Build(), CheckpointErrorCode.CheckpointCorrupt, "the name of a tensor has", "control characters");
    }

    [Fact]
    public void Names_that_are_not_UTF8_are_refused()
    {
        Refuse(new GgufBuilder().RawKey([0xff, 0xfe], GgufBuilder.Encode(1u)).Build(), CheckpointErrorCode.CheckpointCorrupt, "a key of its metadata has", "not UTF-8");
        Refuse(new GgufBuilder().Tensor([0xc3, 0x28], GgufBuilder.F32, Bytes(4), null, 1).Build(), CheckpointErrorCode.CheckpointCorrupt, "the name of a tensor has", "not UTF-8");
    }

    [Theory]
    [InlineData(1025)]
    [InlineData(100_000)]
    public void Very_long_names_are_refused(int length)
    {
        Refuse(new GgufBuilder().Key(new string('k', length), 1u).Build(), CheckpointErrorCode.CheckpointCorrupt, $"{length} bytes long, more than 1024");
        Refuse(new GgufBuilder().Tensor(new string('t', length), GgufBuilder.F32, Bytes(4), 1).Build(), CheckpointErrorCode.CheckpointCorrupt, $"{length} bytes long, more than 1024");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1000)]
    public void More_than_four_dims_are_refused(int dims) => Refuse(
        new GgufBuilder().Tensor("t", GgufBuilder.F32, Bytes(4), [.. Enumerable.Repeat(1ul, dims)]).Build(), CheckpointErrorCode.CheckpointCorrupt, $"'t' has {dims} dimensions, more than 4");

    [Theory]
    [InlineData(1ul << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(1ul << 62, 2ul)]
    [InlineData(1ul << 32, 1ul << 32)]
    [InlineData(1ul << 32, 1ul << 31, 0ul)]
    [InlineData(1ul << 60, 1ul)]
    [InlineData(1ul << 62, 1ul << 62, 1ul << 62, 1ul << 62)]
    public void Sizes_that_overflow_are_refused(params ulong[] dims) => Refuse(new GgufBuilder().Tensor("t", GgufBuilder.F32, Bytes(4), dims).Build(), CheckpointErrorCode.CheckpointCorrupt, "'t'");

    [Theory]
    [InlineData(2u, "Q4_0")]
    [InlineData(12u, "Q4_K")]
    [InlineData(14u, "Q6_K")]
    [InlineData(22u, "IQ2_S")]
    [InlineData(26u, "I32")]
    [InlineData(4u, "of ggml's type 4")]
    [InlineData(0xffff_ffffu, "of ggml's type 4294967295")]
    public void Other_types_are_refused_by_name(uint type, string name)
    {
        var error = Refuse(
            new GgufBuilder().Tensor("t", type, Bytes(1024), 256).Build(), CheckpointErrorCode.UnsupportedTensor, $"is {name}", "'t'", "only F32, F16, BF16, F64 and Q8_0 are read");

        Assert.Equal("memory.pt", error.Target);
    }

    [Theory]
    [InlineData(33ul)]
    [InlineData(31ul)]
    [InlineData(1ul)]
    [InlineData(16ul, 64ul)]
    public void Rows_of_Q8_0_are_whole_blocks(params ulong[] dims) => Refuse(
        new GgufBuilder().Tensor("t", GgufBuilder.Q8_0, Bytes(34 * 64), dims).Build(), CheckpointErrorCode.CheckpointCorrupt, "'t' is q8_0", "blocks of 32 elements");

    [Fact]
    public void A_number_without_dims_is_no_block() => Refuse(
        new GgufBuilder().Tensor("t", GgufBuilder.Q8_0, Bytes(34)).Build(), CheckpointErrorCode.CheckpointCorrupt, "'t' is q8_0", "blocks of 32 elements");

    [Theory]
    [InlineData(0ul)]
    [InlineData(16ul)]
    [InlineData(31ul)]
    [InlineData(64ul)]
    [InlineData(ulong.MaxValue)]
    public void Gaps_and_overlaps_are_refused(ulong offset) => Refuse(
        new GgufBuilder().Tensor("a", GgufBuilder.F32, Bytes(4), 1).Tensor("b"u8.ToArray(), GgufBuilder.F32, Bytes(100), offset, 25).Build(),
        CheckpointErrorCode.CheckpointCorrupt, $"the data of 'b' begins at {offset}, and should begin at 32");

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    public void What_belongs_to_no_tensor_is_refused(int length)
    {
        var builder = Small;
        builder.Trailer = new byte[length];

        Refuse(builder.Build(), CheckpointErrorCode.CheckpointCorrupt, "the rest belongs to no tensor");
    }

    [Fact]
    public void Stops_when_it_is_cancelled() =>
        Assert.Throws<OperationCanceledException>(() => GgufFile.Open(new MemorySource(Small.Build()), new CancellationToken(canceled: true)));

    private static GgufFile Open(GgufBuilder builder) => GgufFile.Open(new MemorySource(builder.Build()));

    private static CheckpointException Refuse(byte[] file, CheckpointErrorCode code, params ReadOnlySpan<string> words) => ErrorAssert.Throws(code, () => GgufFile.Open(new MemorySource(file)), words);

    /// <summary>No two of them next to each other are the same.</summary>
    private static byte[] Bytes(int count) => [.. Enumerable.Range(1, count).Select(value => (byte)(value % 251))];
}
