using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.TorchFiles;

/// <summary>The model's state dict within a checkpoint file, out of all the wrappings that fairseq2 has used.</summary>
internal sealed class StateDict
{
    private const string ModelKey = "model_key";

    /// <summary>'model' by FSDP and from 0.4.1 on always; '_model' by DDP and on a single GPU in 0.3.0 and 0.4.0.</summary>
    private static readonly string[] UsualKeys = ["model", "_model"];

    private readonly List<StateDictEntry> _entries = [];
    private readonly Dictionary<string, StateDictEntry> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _nonTensors = [];

    private StateDict(TorchFile file, PickleDict content)
    {
        File = file.Facts;

        foreach (var (key, value) in content.Entries)
        {
            if (key is not string && value is PickledTensor)
            {
                throw CheckpointException.Corrupt(file.Source.Name, "it holds a tensor under a key that is not text, so its name is unknown.");
            }

            if (key is not string rawName || value is not PickledTensor tensor)
            {
                _nonTensors.Add(key as string ?? "a key that is not a string");
                continue;
            }

            TensorLimits.RequirePrintable(rawName, file.Source.Name);

            var name = KeyPrefixes.Strip(rawName);
            var entry = new StateDictEntry(name, rawName, file.GetTensor(tensor));

            if (!_byName.TryAdd(name, entry))
            {
                throw CheckpointException.Corrupt(
                    file.Source.Name, $"it holds '{name}' twice, once as '{_byName[name].RawName}' and once as '{rawName}'.");
            }

            _entries.Add(entry);
        }
    }

    /// <summary>The file that it is in.</summary>
    public TorchFileFacts File { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<StateDictEntry> Entries => _entries;

    /// <summary>The keys of what is not a tensor.</summary>
    public IReadOnlyList<string> NonTensors => _nonTensors;

    /// <exception cref="CheckpointException">The file holds no state dict.</exception>
    public static StateDict In(TorchFile file)
    {
        if (file.Content is not PickleDict content)
        {
            throw TorchFile.Unrecognized(file.Source, $"holds {Describe(file.Content)}, not a dict of tensors");
        }

        if (content.Get(ModelKey) is string key)
        {
            return content.Get(key) is PickleDict named && HasTensors(named)
                ? new StateDict(file, named)
                : throw TorchFile.Unrecognized(file.Source, $"says that its model is under the key '{key}', but has no dict of tensors there");
        }

        var wrapped = UsualKeys.Select(content.Get).OfType<PickleDict>().FirstOrDefault() ?? content;

        return HasTensors(wrapped)
            ? new StateDict(file, wrapped)
            : throw TorchFile.Unrecognized(file.Source, $"holds no tensors, only {DescribeKeys(content)}");
    }

    private static bool HasTensors(PickleDict content) => content.Entries.Any(entry => entry.Value is PickledTensor);

    private static string Describe(object? content) => content switch
    {
        PickledTensor => "a single tensor",
        PickleList => "a list",
        PickleSet => "a set",
        PickleTuple => "a tuple",
        null => "None",
        _ => "a single value",
    };

    private static string DescribeKeys(PickleDict content)
    {
        const int Shown = 5;

        var keys = content.Entries.Select(entry => entry.Key).OfType<string>().Take(Shown + 1).Select(key => $"'{key}'").ToArray();

        return keys.Length switch
        {
            0 => "an empty dict",
            > Shown => $"the keys {string.Join(", ", keys[..Shown])}, …",
            _ => $"the keys {string.Join(", ", keys)}",
        };
    }
}

/// <summary>One tensor of a state dict.</summary>
/// <param name="Name">Its name without the prefixes of wrappers.</param>
/// <param name="RawName">Its name as the file has it.</param>
/// <param name="Tensor">The tensor.</param>
internal sealed record StateDictEntry(string Name, string RawName, TensorView Tensor);
