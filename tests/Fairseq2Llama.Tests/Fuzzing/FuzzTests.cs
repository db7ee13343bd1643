using System.Runtime.ExceptionServices;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever a file holds, it is read, or refused with a documented error.</summary>
[Fuzz]
public sealed class FuzzTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Real_files_with_bytes_changed_cut_and_moved() => Fuzzer.Run(6000, random => Bytes.Mutate(Corpus.Files.Pick(random), random), Index);

    [Fact]
    public void Archives_whose_headers_lie() => Fuzzer.Run(3000, random => Archive.Mutate(Corpus.Archives.Pick(random), random), Index);

    /// <summary>What a file is taken for does not depend on how its bytes come.</summary>
    [Fact]
    public void Archives_whose_headers_lie_in_a_store() => Fuzzer.Run(1500, random => Archive.Mutate(Corpus.Archives.Pick(random), random), IndexFromAfar);

    [Fact]
    public void Damaged_files_in_a_store() => Fuzzer.Run(1500, random => Bytes.Mutate(Corpus.Files.Pick(random), random), IndexFromAfar);

    [Fact]
    public void Pickles_that_no_program_writes() => Fuzzer.Run(8000, Pickles.MakeFile, Index);

    [Fact]
    public void Archives_put_together_wrongly() => Fuzzer.Run(1500, Repacked.Make, Index);

    [Fact]
    public void Pickles_whose_opcodes_were_changed() => Fuzzer.Run(2500, random => PickleOpcodes.Mutate(Corpus.Legacy.Pick(random), random), Index);

    [Fact]
    public void Files_that_ask_for_much() => Fuzzer.Run(60, Bombs.Make, Index);

    [Fact]
    public void Pickles_that_were_damaged() => Fuzzer.Run(8000, random => Bytes.Mutate(Pickles.MakeFile(random), random), Index);

    [Fact]
    public void Settings_that_are_no_settings() => Fuzzer.Run(
        3000,
        Settings.Make,
        text =>
        {
            File.WriteAllBytes(_folder["model.yaml"], text);
            var config = ModelConfig.Read(LocalFolder.FileAt(_folder["model.yaml"]), "run");
            FolderFuzzTests.AssertPrintable(config.Warnings);
            config.Architecture?.Validate();
        },
        canRefuse: false);

    private static void IndexFromAfar(byte[] bytes)
    {
        var (near, store) = (new MemorySource(bytes), new ObjectStore());
        store.Put(near.Name, bytes);
        var far = store.Folder.SourceOf(near.Name);

        var (refusal, refusalFromAfar) = (Record.Exception(() => TorchFile.Open(near)), Record.Exception(() => TorchFile.Open(far)));

        Assert.Equal(refusal?.Message, refusalFromAfar?.Message.Replace(far.Name, near.Name, StringComparison.Ordinal));

        if (refusal is not null)
        {
            ExceptionDispatchInfo.Throw(refusal);
        }
    }

    /// <summary>What Read-Fairseq2Checkpoint does with a file, and what an export does with its tensors.</summary>
    private void Index(byte[] bytes)
    {
        using var copier = new StorageCopier(ScratchFolder.In(_folder.Path), VerificationPolicy.Of(VerificationMode.None));

        foreach (var entry in StateDict.In(TorchFile.Open(new MemorySource(bytes))).Entries.Where(entry => entry.Tensor.SizeInBytes <= Fuzzer.MaxTensorSize))
        {
            copier.Copy(PlannedStorage.Of(entry.Tensor), _ => { }, CancellationToken.None);
        }
    }
}
