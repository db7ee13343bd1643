using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever a safetensors file holds, it is read, or refused with a documented error.</summary>
[Fuzz]
public sealed class SafeTensorsFuzzTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Real_files_with_bytes_changed_cut_and_moved() => Fuzzer.Run(30000, random => Bytes.Mutate(Corpus.SafeTensors.Pick(random), random), Read);

    [Fact]
    public void Headers_whose_values_were_changed() => Fuzzer.Run(30000, SafeTensorsHeaders.Make, Read);

    [Fact]
    public void Headers_that_were_damaged() => Fuzzer.Run(30000, random => Bytes.Mutate(SafeTensorsHeaders.Make(random), random), Read);

    [Fact]
    public void Headers_that_ask_for_much() => Fuzzer.Run(1000, SafeTensorsHeaders.MakeLarge, Read);

    /// <summary>The index, and what an export does with its tensors.</summary>
    private void Read(byte[] bytes)
    {
        using var copier = new StorageCopier(ScratchFolder.In(_folder.Path), VerificationPolicy.Of(VerificationMode.None));
        var file = Open(bytes);

        // No two share a byte, so that all of them can be read whatever they claim.
        foreach (var entry in file.Tensors.Where(entry => entry.Tensor.SizeInBytes > 0))
        {
            copier.Copy(PlannedStorage.Of(entry.Tensor), _ => { }, CancellationToken.None);
        }

        Assert.Equal(bytes.Length, file.Tensors.Select(entry => entry.Tensor.Storage.Offset + entry.Tensor.Storage.Length).DefaultIfEmpty(bytes.Length).Max());
    }

    private static SafeTensorsFile Open(byte[] bytes)
    {
        try
        {
            return SafeTensorsFile.Open(new MemorySource(bytes));
        }
        catch (CheckpointException e)
        {
            FolderFuzzTests.AssertPrintable([e.Message]);
            throw;
        }
    }
}
