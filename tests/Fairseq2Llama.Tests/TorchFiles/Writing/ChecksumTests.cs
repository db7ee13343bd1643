using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Writing;

public class ChecksumTests
{
    private static readonly byte[] Data = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];

    [Theory]
    [InlineData(0, 24, false)]
    [InlineData(0, 24, true)]
    [InlineData(3, 2, false)]
    [InlineData(3, 2, true)]
    [InlineData(24, 0, false)]
    public void Data_that_does_not_match_its_checksum_is_damaged(long offset, long count, bool isDeflated)
    {
        var tensor = Tensor(offset, count, isDeflated, hasWrongCrc: true);

        foreach (var mode in new[] { VerificationMode.Auto, VerificationMode.Full })
        {
            ErrorAssert.Throws(
                CheckpointErrorCode.CheckpointCorrupt,
                () => TensorFiles.Copy(tensor, mode),
                "memory.pt",
                "model/data/0",
                "CRC-32",
                "-Verification None");
        }
    }

    [Theory]
    [InlineData(0, 24, false)]
    [InlineData(0, 24, true)]
    [InlineData(3, 2, false)]
    [InlineData(3, 2, true)]
    public void Checksums_do_not_matter_when_nothing_is_verified(long offset, long count, bool isDeflated) => Assert.Equal(
        Data[(int)offset..(int)(offset + count)],
        TensorFiles.Copy(Tensor(offset, count, isDeflated, hasWrongCrc: true), VerificationMode.None));

    [Theory]
    [InlineData(0, 24, false)]
    [InlineData(0, 24, true)]
    [InlineData(3, 2, false)]
    [InlineData(3, 2, true)]
    public void Data_that_matches_its_checksum_passes(long offset, long count, bool isDeflated) => Assert.Equal(
        Data[(int)offset..(int)(offset + count)],
        TensorFiles.Copy(Tensor(offset, count, isDeflated, hasWrongCrc: false), VerificationMode.Full));

    [Fact]
    public void A_damaged_byte_is_noticed_in_a_file_of_PyTorch()
    {
        // In the middle of a storage of which each tensor is a part; most tensors do not hold that byte.
        var file = File.ReadAllBytes(Repository.Data("checkpoints/views/model.pt"));
        var part = TensorFiles.Read(file).First(entry => entry.Tensor.SizeInBytes < entry.Tensor.Storage.Length / 2).Tensor;
        file[part.Storage.Offset + part.Storage.Length - 1] ^= 1;

        Assert.True(part.StorageOffset * part.DType.GetItemSize() + part.SizeInBytes < part.Storage.Length);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TensorFiles.Copy(part, VerificationMode.Auto), part.Storage.Record);
    }

    [Fact]
    public void A_storage_of_many_tensors_is_verified_once()
    {
        var source = new MemorySource(File.ReadAllBytes(Repository.Data("checkpoints/views/model.pt")));
        var entries = StateDict.In(TorchFile.Open(source)).Entries;
        var shared = entries.GroupBy(entry => entry.Tensor.Storage).MaxBy(group => group.Count())!.Select(entry => entry.Tensor).ToArray();

        using var scratch = new TempFolder();
        using var copier = new StorageCopier(ScratchFolder.In(scratch.Path), VerificationPolicy.Of(VerificationMode.Auto));
        var readsBefore = source.ReadCount;

        foreach (var tensor in shared)
        {
            copier.Copy(PlannedStorage.Of(tensor), _ => { }, CancellationToken.None);
        }

        // One read for each of these small slices, and one for the checksum of what they are slices of.
        Assert.True(shared.Length > 10);
        Assert.Equal(shared.Length + 1, source.ReadCount - readsBefore);
    }

    [Fact]
    public void A_damaged_deflated_storage_is_damaged_even_when_nothing_is_verified()
    {
        var file = File.ReadAllBytes(Repository.Data("checkpoints/deflated/model.pt"));
        var tensor = TensorFiles.Read(file)[0].Tensor;

        // A block of type 3 does not exist.
        file[tensor.Storage.Offset] |= 0b110;

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TensorFiles.Copy(tensor, VerificationMode.None), "can't be decompressed");
    }

    [Fact]
    public void A_deflated_storage_of_a_file_without_checksums_passes()
    {
        // As a zip tool makes it of what torch.save wrote with compute_crc32=False.
        var zip = ZipBuilder.TorchSave(PickleOfData(0, Data.Length), ("0", Data));
        zip["model/data/0"].Deflate();

        foreach (var name in new[] { "model/data.pkl", "model/data/0", "model/version" })
        {
            zip[name].Crc = 0;
        }

        var file = TorchFile.Open(new MemorySource(zip.Build()));

        Assert.False(file.Facts.HasChecksums);
        Assert.Equal(Data, TensorFiles.Copy(file.GetTensor(Assert.IsType<PickledTensor>(file.Content)), VerificationMode.Auto));
    }

    [Fact]
    public void The_legacy_container_has_no_checksums()
    {
        var file = File.ReadAllBytes(Repository.Data("checkpoints/legacy/model.pt"));
        var tensor = TensorFiles.Read(file)[0].Tensor;
        var good = TensorFiles.Copy(tensor, VerificationMode.Full);

        file[tensor.Storage.Offset] ^= 1;
        var other = TensorFiles.Copy(tensor, VerificationMode.Full);

        Assert.Null(tensor.Storage.Crc32);
        Assert.Equal(good[0] ^ 1, other[0]);
        Assert.Equal(good[1..], other[1..]);
    }

    private static TensorView Tensor(long offset, long count, bool isDeflated, bool hasWrongCrc)
    {
        var zip = ZipBuilder.TorchSave(PickleOfData(offset, count), ("0", Data));

        if (isDeflated)
        {
            zip["model/data/0"].Deflate();
        }

        if (hasWrongCrc)
        {
            zip["model/data/0"].Crc ^= 1;
        }

        var file = TorchFile.Open(new MemorySource(zip.Build()));
        return file.GetTensor(Assert.IsType<PickledTensor>(file.Content));
    }

    private static byte[] PickleOfData(long offset, long count) => new PickleBuilder().OpWith(Opcode.Proto, 2)
        .Tensor(storage => storage.Storage("ByteStorage", "0", Data.Length), offset, [count], [1]).Stop();
}
