using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles;

/// <summary>Checkpoints that are sound as files and would still harm whoever tests them.</summary>
public sealed class HostileCheckpointTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keys_of_what_is_no_tensor_can_not_talk_to_the_terminal()
    {
        Write(New().Op(Opcode.EmptyDict, Opcode.Mark).Text("\u001b[2Jweight").Integer(1).Text("x").Tensor(Byte, 0, [1], [1]).Op(Opcode.SetItems));

        var findings = Test(deep: false).Findings;

        Assert.Contains(findings, finding => finding.Message.Contains("[2Jweight", StringComparison.Ordinal));
        Assert.All(findings, finding => Assert.DoesNotContain(finding.Message, char.IsControl));
    }

    [Theory]
    [InlineData("final_proj.weight")]
    [InlineData("decoder.layers.99999999.ffn_layer_norm.weight")]
    public void A_hundred_million_layers_are_not_listed_one_by_one(string name)
    {
        // Heads and widths as small as can be: the product must fit 64 bits.
        File.WriteAllText(
            _folder["model.yaml"],
            "model_config:\n  num_layers: 100000000\n  model_dim: 2\n  num_attn_heads: 1\n  num_key_value_heads: 1\n  vocab_size: 2\n");
        Write(New().Op(Opcode.EmptyDict).Text(name).Tensor(Byte, 0, [1], [1]).Op(Opcode.SetItem));

        Assert.InRange(Test(deep: false).Findings.Length, 1000, 20_000);
    }

    [Fact]
    public void A_layer_of_the_greatest_number_is_counted_right()
    {
        Write(New().Op(Opcode.EmptyDict).Text($"decoder.layers.{int.MaxValue}.ffn_layer_norm.weight").Tensor(Byte, 0, [1], [1]).Op(Opcode.SetItem));

        Assert.Contains(Test(deep: false).Findings, finding => finding.Message.Contains("-NumLayers 2147483648 ", StringComparison.Ordinal));
    }

    [Fact]
    public void What_would_be_inflated_beyond_the_disk_is_not_begun()
    {
        var pickle = New().Op(Opcode.EmptyDict).Text("x")
            .Tensor(part => part.Storage("ByteStorage", "0", PickleBudget.MaxTensorSize), 0, [1], [1]).Op(Opcode.SetItem).Stop();
        WriteDeflatedHole(ZipBuilder.TorchSave(pickle), PickleBudget.MaxTensorSize / 1000, PickleBudget.MaxTensorSize);

        var finding = Assert.Single(Test(deep: true).Findings, finding => finding.Code == CheckpointErrorCode.InsufficientDiskSpace);

        Assert.Equal(FindingSeverity.Error, finding.Severity);
    }

    /// <summary>Adds a storage whose deflated data is a hole in the file, before the directory.</summary>
    private void WriteDeflatedHole(ZipBuilder zip, long hole, long length)
    {
        var record = zip.Add("model/data/0", [])["model/data/0"];
        record.ClaimMethod(8);
        record.Length = uint.MaxValue;
        record.StoredLength = uint.MaxValue;
        record.CentralExtra = [1, 0, 16, 0, .. BitConverter.GetBytes(length), .. BitConverter.GetBytes(hole)];

        var end = zip.Build().Length - 22;
        var directory = BitConverter.ToUInt32(zip.Build(), end + 16);
        zip.End64 = new() { DirectoryOffset = (ulong)(directory + hole), RecordOffset = (ulong)(end + hole) };
        var bytes = zip.Build().AsSpan();

        using var file = File.Create(_folder["model.pt"]);
        file.Write(bytes[..(int)directory]);
        file.Seek(hole, SeekOrigin.Current);
        file.Write(bytes[(int)directory..]);
    }

    private CheckpointTestResult Test(bool deep) =>
        CheckpointTest.Run(_folder["model.pt"], new CheckpointReadOptions(), new CheckpointTestOptions { Deep = deep }, cancellationToken: TestContext.Current.CancellationToken);

    private void Write(PickleBuilder pickle) => File.WriteAllBytes(_folder["model.pt"], ZipBuilder.TorchSave(pickle.Stop(), ("0", [0])).Build());

    private static void Byte(PickleBuilder pickle) => pickle.Storage("ByteStorage", "0", 1);

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
