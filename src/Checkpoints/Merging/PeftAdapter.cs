using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Merging;

/// <summary>An adapter as PEFT's save_pretrained writes it: adapter_config.json and adapter_model.safetensors, or adapter_model.bin before 0.7.</summary>
internal static class PeftAdapter
{
    private const string SafeTensorsName = "adapter_model.safetensors";
    private const string TorchName = "adapter_model.bin";
    private const string Prefix = "base_model.model.";

    /// <summary>What a name ends with, and what it is. Names in state dicts that were saved by other means also have the name of the adapter; these are refused.</summary>
    private static readonly (string Suffix, TensorRole Role)[] Suffixes =
    [
        (".lora_A.weight", TensorRole.A),
        (".lora_B.weight", TensorRole.B),
        (".lora_embedding_A", TensorRole.A),
        (".lora_embedding_B", TensorRole.B),
        (".base_layer.weight", TensorRole.Replacement),
        (".weight", TensorRole.Replacement),
    ];

    private enum TensorRole
    {
        A,
        B,
        Replacement,
    }

    /// <summary>Whether a folder has one.</summary>
    public static bool IsIn(ICheckpointFolder folder) => folder.Exists && folder.HasFile(PeftConfig.FileName);

    /// <param name="folder">The folder.</param>
    /// <param name="headDim">Rows of a head of the base model; null if that is not known.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be read, or does not fit its own config, or does more than LoRA.</exception>
    public static LoraAdapter Read(ICheckpointFolder folder, int? headDim, CancellationToken cancellationToken)
    {
        var config = PeftConfig.Read(folder.SourceOf(PeftConfig.FileName));
        var file = FindWeights(folder);
        var tensors = ReadTensors(file, cancellationToken).Select(tensor => new NamedTensor(tensor.Key, tensor.Value, file)).ToArray();
        var modules = tensors.Where(tensor => tensor.Role != TensorRole.Replacement).GroupBy(tensor => tensor.Module, StringComparer.Ordinal);

        return new LoraAdapter(folder.Name, folder.Path, [new StoredFile(folder, PeftConfig.FileName), file])
        {
            Warnings = config.Warnings,
            Matrices = [.. modules.Select(module => MatricesOf(module.Key, [.. module], config, headDim, file))],
            Replacements = [.. tensors.Where(tensor => tensor.Role == TensorRole.Replacement).Select(tensor => Make(tensor, headDim))],
        };
    }

    private static StoredFile FindWeights(ICheckpointFolder folder) =>
        new[] { SafeTensorsName, TorchName }.Where(folder.HasFile).Select(name => new StoredFile(folder, name)).FirstOrDefault()
        ?? throw new CheckpointException(
            CheckpointErrorCode.AdapterNotFound, $"'{folder.Path}' has {PeftConfig.FileName}, but neither {SafeTensorsName} nor {TorchName}. Copy the one that belongs to it.", folder.Path);

    private static IEnumerable<KeyValuePair<string, TensorView>> ReadTensors(StoredFile file, CancellationToken cancellationToken) => file.Name == SafeTensorsName
        ? SafeTensorsFile.Open(file.Source, cancellationToken).Tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Tensor))
        : StateDict.In(TorchFile.Open(file.Source, cancellationToken)).Entries.Select(entry => KeyValuePair.Create(entry.Name, entry.Tensor));

    private static LoraMatrices MatricesOf(string module, NamedTensor[] tensors, PeftConfig config, int? headDim, StoredFile file)
    {
        var (a, b) = (OnlyOne(TensorRole.A), OnlyOne(TensorRole.B));
        var rank = config.RankOf(module);

        if (a.View.Shape.Count != 2 || b.View.Shape.Count != 2 || a.View.Shape[0] != rank || b.View.Shape[1] != rank)
        {
            throw new CheckpointException(
                CheckpointErrorCode.AdapterMismatch,
                string.Create(CultureInfo.InvariantCulture, $"The adapter in '{file.Path}' contradicts its {PeftConfig.FileName}: the rank of '{module}' is {rank} there, and its matrices are {a.View.Shape} and {b.View.Shape}. Check that both files belong together."),
                module);
        }

        return new LoraMatrices(a.Weight, Make(a, headDim: null), Make(b, headDim), config.ScaleOf(module));

        NamedTensor OnlyOne(TensorRole role) => tensors.Where(tensor => tensor.Role == role).ToArray() is [var only]
            ? only
            : throw new CheckpointException(
                CheckpointErrorCode.AdapterMismatch, $"'{file.Path}' does not have one lora_A and one lora_B of '{module}'. Save the adapter with PEFT's save_pretrained.", module);
    }

    /// <summary>Only lora_B has the rows of the weight.</summary>
    private static CheckpointTensor Make(NamedTensor tensor, int? headDim)
    {
        var made = LoraTensors.Make(tensor.File, tensor.Key, tensor.Weight, tensor.View);
        made.HalfSplitHeadDim = tensor.Weight.IsRotary ? headDim : null;
        return made;
    }

    /// <summary>A tensor of the file, by its name.</summary>
    private sealed class NamedTensor
    {
        public NamedTensor(string key, TensorView view, StoredFile file)
        {
            var path = key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..] : key;
            var (suffix, role) = Suffixes.FirstOrDefault(pair => path.EndsWith(pair.Suffix, StringComparison.Ordinal));

            if (suffix is null || path.Contains("lora_magnitude_vector", StringComparison.Ordinal))
            {
                throw Unknown("no part of a LoRA that can be merged");
            }

            if (role == TensorRole.Replacement && path.Contains(".lora_", StringComparison.Ordinal))
            {
                throw Unknown("named as in a state dict of PEFT's model, not as PEFT's save_pretrained names it");
            }

            (Key, View, File, Role, Module) = (key, view, file, role, path[..^suffix.Length]);
            Weight = ParameterName.Parse($"{Module}.{LlamaParameter.Suffix}", NamingConvention.HuggingFace);

            if (Weight.Parameter is null)
            {
                throw Unknown("of a module that LLaMA does not have");
            }

            CheckpointException Unknown(string what) =>
                new(CheckpointErrorCode.AdapterUnsupported, $"'{key}' in '{file.Path}' is {what}. Merge the adapter with PEFT (merge_and_unload).", key);
        }

        public string Key { get; }

        public TensorView View { get; }

        public StoredFile File { get; }

        public TensorRole Role { get; }

        /// <summary>The module's path in the base model.</summary>
        public string Module { get; }

        public ParameterName Weight { get; }
    }
}
