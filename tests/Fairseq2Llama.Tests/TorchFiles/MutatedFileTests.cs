using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.TorchFiles;

/// <summary>Whatever becomes of a file, it either opens or is refused by the library's one exception, and so is its data.</summary>
[Fuzz]
public sealed class MutatedFileTests : IDisposable
{
    // An expanded tensor may say truthfully that it has terabytes; only time would be lost on reading those.
    private const long MaxTensorSize = 1 << 20;

    private readonly TempFolder _scratch = new();
    private int _opened;
    private int _refused;

    [Theory]
    [InlineData("tensors/shapes.pt")]
    [InlineData("tensors/shapes-legacy.pt")]
    public void Survives_any_single_byte_being_wrong(string path)
    {
        var good = File.ReadAllBytes(Repository.Data(path));

        for (var i = 0; i < good.Length; i++)
        {
            var bad = (byte[])good.Clone();
            bad[i] ^= 0xff;
            OpenAndRead(bad, $"byte {i} turned round");

            bad[i] = (byte)(good[i] + 1);
            OpenAndRead(bad, $"byte {i} one greater");
        }

        // Else the test would show nothing: padding and data may change, structure may not.
        Assert.True(_opened > 100 && _refused > 100, $"{_opened} opened, {_refused} refused");
    }

    [Theory]
    [InlineData("tensors/shapes.pt")]
    [InlineData("tensors/dtypes.pt")]
    [InlineData("tensors/dtypes-legacy.pt")]
    [InlineData("checkpoints/deflated/model.pt")]
    [InlineData("checkpoints/protocol5/model.pt")]
    public void Survives_several_bytes_being_wrong(string path)
    {
        const int Rounds = 150;

        var good = File.ReadAllBytes(Repository.Data(path));
        var random = new Random(20240601);

        for (var round = 0; round < Rounds; round++)
        {
            var bad = (byte[])good.Clone();

            for (var changes = random.Next(1, 12); changes > 0; changes--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            OpenAndRead(bad, $"round {round}");
        }

        Assert.Equal(Rounds, _opened + _refused);
    }

    public void Dispose() => _scratch.Dispose();

    private void OpenAndRead(byte[] bytes, string what)
    {
        try
        {
            var tensors = StateDict.In(TorchFile.Open(new MemorySource(bytes))).Entries.Select(entry => entry.Tensor).ToArray();
            _opened++;
            Read(tensors.Where(tensor => tensor.SizeInBytes <= MaxTensorSize));
        }
        catch (CheckpointException)
        {
            _refused++;
        }
        catch (Exception e)
        {
            Assert.Fail($"{what}: {e}");
        }
    }

    private void Read(IEnumerable<TensorView> tensors)
    {
        using var copier = new StorageCopier(ScratchFolder.In(_scratch.Path), VerificationPolicy.Of(VerificationMode.Auto));

        foreach (var tensor in tensors)
        {
            try
            {
                copier.Copy(PlannedStorage.Of(tensor), _ => { }, CancellationToken.None);
            }
            catch (CheckpointException)
            {
                // As it should be; the next one may be whole.
            }
        }
    }
}
