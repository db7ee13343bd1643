using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Reads torch.save files and writes what they hold again.</summary>
internal static class TensorFiles
{
    public static IReadOnlyList<StateDictEntry> Read(string path) => StateDict.In(TorchFile.Open(new LocalFile(path))).Entries;

    public static IReadOnlyList<StateDictEntry> Read(byte[] file) => StateDict.In(TorchFile.Open(new MemorySource(file))).Entries;

    /// <summary>Tensors that were the same view of one storage share one again, as tied weights do.</summary>
    public static PlannedTensorFile Plan(string name, IEnumerable<StateDictEntry> entries)
    {
        var planned = new List<(TensorView Tensor, PlannedStorage Storage)>();
        var tensors = new List<PlannedTensor>();

        foreach (var (entryName, rawName, tensor) in entries)
        {
            var storage = planned.Find(known => known.Tensor == tensor).Storage
                ?? PlannedStorage.Of(tensor);

            planned.Add((tensor, storage));
            tensors.Add(new PlannedTensor(entryName, rawName, tensor.DType, tensor.Shape, storage));
        }

        return new PlannedTensorFile(name, new TorchContainer(), tensors);
    }

    /// <summary>Writes a planned file into a folder.</summary>
    /// <returns>Its path.</returns>
    public static string Write(PlannedTensorFile plan, TempFolder folder)
    {
        using var scratch = new TempFolder();
        using var copier = new StorageCopier(ScratchFolder.In(scratch.Path), VerificationPolicy.Of(VerificationMode.Auto));
        using var file = OutputFile.Create(folder[plan.Name]);

        new TensorFileWriter(plan.Layout, copier.Write, _ => { }, new Workers(_ => { }, CancellationToken.None)).Write(file);
        return folder[plan.Name];
    }

    /// <summary>Reads one tensor as an export does.</summary>
    public static byte[] Copy(TensorView tensor, VerificationMode verification)
    {
        using var scratch = new TempFolder();
        using var copier = new StorageCopier(ScratchFolder.In(scratch.Path), VerificationPolicy.Of(verification));
        var bytes = new MemoryStream();

        copier.Copy(PlannedStorage.Of(tensor), chunk => bytes.Write(chunk), CancellationToken.None);
        return bytes.ToArray();
    }
}
