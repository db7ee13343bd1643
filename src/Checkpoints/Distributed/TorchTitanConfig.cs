using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// Reads the configuration that torchtitan saves on request (debug.save_config_file, trainer.py). Since February 2026 it describes the model; before that it only
/// named it.
/// </summary>
internal static class TorchTitanConfig
{
    private const string ModelKey = "model_spec";

    /// <summary>Whether a JSON file is one, and describes the model.</summary>
    public static bool Describes(JsonSettings json) => json.IsObject(ModelKey) && json.Find(ModelKey)!.IsObject("model");

    /// <summary>Whether a JSON file is one of those that only name the model.</summary>
    public static bool OnlyNames(JsonSettings json) => json.IsObject("model") && json.Find("model")!.Names.Contains("flavor");

    /// <param name="json">The content of the file.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <param name="tensors">The weights, which show the inner dim of the FFN.</param>
    /// <exception cref="CheckpointException">It is of another kind of model, or lacks something.</exception>
    public static ArchitectureFile Read(JsonSettings json, string name, IReadOnlyCollection<CheckpointTensor> tensors)
    {
        var spec = json.Find(ModelKey)!;
        var model = spec.Find("model")!;
        var layers = model.Objects("layers");

        if (spec.Text("name") is not "llama3" || layers.IsEmpty || layers[0].Find("attention") is not { } attention || (attention.Find("rope") ?? model.Find("rope")) is not { } rope)
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized, $"'{json.File}' describes a model '{spec.Text("name")}' of torchtitan. Expected 'llama3'.", json.File);
        }

        var heads = attention.Require("n_heads");

        var told = new LlamaArchitecture
        {
            Name = name,
            ModelDim = model.Require("dim"),
            NumLayers = layers.Length,
            NumAttnHeads = heads,
            NumKeyValueHeads = attention.Integer("n_kv_heads") ?? heads,
            VocabSize = model.Require("vocab_size"),
            MaxSeqLen = rope.Integer("max_context_length") ?? rope.Require("max_seq_len"),
            NormEps = model.Find("norm")?.Number("eps") ?? 1e-5,
            RopeTheta = rope.Number("theta") ?? 10_000,
            RopeScaleFactor = ReadScaleFactor(rope),
            TiedEmbeddings = model.Flag("enable_weight_tying") ?? false,
        };

        if (FindFfnInnerDim(tensors) is { } innerDim)
        {
            told = told.WithFfnInnerDim(innerDim);
        }

        told.Validate();
        return new ArchitectureFile(json.File) { Architecture = ArchitectureMatcher.Recognize(told) };
    }

    private static double? ReadScaleFactor(JsonSettings rope) => rope.Text("scaling") switch
    {
        null or "none" => null,
        "llama" => rope.Number("scaling_factor") ?? RotaryScale.DefaultFactor,
        var other => throw new CheckpointException(
            CheckpointErrorCode.ArchitectureMismatch, $"'{rope.File}' says that rotary encoding is scaled as '{other}'. Only 'llama' is supported.", rope.File),
    };

    private static int? FindFfnInnerDim(IEnumerable<CheckpointTensor> tensors) =>
        tensors.FirstOrDefault(tensor => tensor.ParsedName.Parameter?.Dims[0] == LlamaDim.FfnInnerDim) is { Shape: { Count: 2 } shape }
            ? (int)Math.Min(shape[0], int.MaxValue)
            : null;
}
