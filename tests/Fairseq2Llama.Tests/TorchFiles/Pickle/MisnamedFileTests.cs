using System.Text;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>Files that are called what they are not.</summary>
public class MisnamedFileTests
{
    [Fact]
    public void Refuses_OBJ() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle, () => New().Op(Opcode.Mark).Global("collections", "OrderedDict").Raw((byte)'o').Run());

    [Theory]
    [InlineData(632)]
    [InlineData(640)]
    [InlineData(1408)]
    public void A_safetensors_file_is_called_so_whatever_the_length_of_its_header(int headerLength)
    {
        var header = "{\"__metadata__\":{}}".PadRight(headerLength);
        byte[] file = [.. BitConverter.GetBytes((long)headerLength), .. Encoding.ASCII.GetBytes(header), 1, 2, 3, 4];

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(file)), "safetensors");
    }

    [Fact]
    public void Bytes_that_are_no_text_are_not_called_text()
    {
        var file = new byte[100];
        Array.Fill(file, (byte)0xff);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(file)), "not a file written by torch.save");
    }

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
