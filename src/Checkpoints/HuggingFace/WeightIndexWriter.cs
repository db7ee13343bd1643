using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>Writes model.safetensors.index.json as transformers' save_pretrained does: everything in the order of names.</summary>
internal static class WeightIndexWriter
{
    public static byte[] Write(IReadOnlyList<PlannedTensorFile> files) => JsonConfigWriter.Write(json =>
    {
        var tensors = files.SelectMany(file => file.Tensors.Select(tensor => (tensor.Name, Tensor: tensor, File: file.Name))).ToArray();

        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_parameters", tensors.Sum(entry => entry.Tensor.Shape.ElementCount));
        json.WriteNumber("total_size", tensors.Sum(entry => entry.Tensor.Storage.Length));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");

        foreach (var (name, _, file) in tensors.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            json.WriteString(name, file);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });
}
