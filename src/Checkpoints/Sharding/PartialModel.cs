using Fairseq2Llama.Model;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Sharding;

/// <summary>The tensors of one file or of several that were fitted together.</summary>
internal sealed class PartialModel
{
    private readonly Dictionary<string, PartialTensor> _byName;

    public PartialModel(string file, IEnumerable<PartialTensor> tensors)
    {
        File = file;
        Tensors = [.. tensors];
        _byName = Tensors.ToDictionary(tensor => tensor.Name.Name, StringComparer.Ordinal);
    }

    /// <summary>The file that it is from, or the first of them.</summary>
    public string File { get; }

    /// <summary>In the order of the first file.</summary>
    public IReadOnlyList<PartialTensor> Tensors { get; }

    public PartialTensor? Find(string name) => _byName.GetValueOrDefault(name);

    public static PartialModel Of(IEnumerable<StateDictEntry> entries, ShardFile file, ParameterNames names) =>
        new(file.Path, entries.Select(entry => PartialTensor.Of(entry, file, names.Parse(entry.Name))));

    /// <summary>Reports the tensors that this has and another lacks.</summary>
    public void ReportLackedBy(PartialModel other, ICollection<CheckpointFinding> findings)
    {
        foreach (var tensor in Tensors.Where(tensor => other.Find(tensor.Name.Name) is null))
        {
            findings.Add(ShardFindings.Mismatch(
                $"'{other.File}' lacks the tensor '{tensor.Name.Name}' that '{File}' has", tensor.Name.Name, other.File));
        }
    }
}
