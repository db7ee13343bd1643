using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>
/// The order in which the converter of llama.cpp comes to tensors: file by file, and in a file by the names that they have in Hugging Face's format (base.py's get_tensors,
/// utility.py's SafetensorsLocal). A checkpoint of another format counts as one file, and so does one that is computed.
/// </summary>
internal sealed class ConverterOrder(LlamaCheckpoint checkpoint)
{
    private readonly Dictionary<string, string> _files = checkpoint is { Format: CheckpointFormat.HuggingFace, MadeFrom.IsEmpty: true }
        ? checkpoint.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shards[0].File, StringComparer.Ordinal)
        : [];

    public IEnumerable<PlannedTensor> Apply(IEnumerable<PlannedTensor> tensors) => tensors
        .OrderBy(tensor => _files.GetValueOrDefault(tensor.SourceName, ""), StringComparer.Ordinal)
        .ThenBy(tensor => ParameterName.Parse(tensor.Name, NamingConvention.Gguf).In(NamingConvention.HuggingFace) ?? tensor.Name, StringComparer.Ordinal);
}
