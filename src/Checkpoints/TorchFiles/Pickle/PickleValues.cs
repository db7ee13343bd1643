namespace Fairseq2Llama.TorchFiles.Pickle;

// What a pickle can hold here besides None, bool, long, double, string and byte[].

/// <summary>A Python tuple, or torch.Size.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A Python list.</summary>
internal sealed record PickleList(List<object?> Items);

/// <summary>A Python set or frozenset.</summary>
internal sealed record PickleSet(List<object?> Items, bool IsFrozen = false);

/// <summary>A Python dict or OrderedDict, in order.</summary>
internal sealed class PickleDict
{
    // Made when they are needed: an empty dict costs a file one byte and should not cost us much more.
    private Dictionary<string, int>? _places;
    private List<KeyValuePair<object?, object?>>? _entries;

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries ?? [];

    public void Set(object? key, object? value)
    {
        _entries ??= [];

        // As in Python, a key that comes again keeps its place and takes the new value. Only strings are ever looked up, and
        // only their hashes can't be created to collide on purpose.
        if (key is string text && !(_places ??= new(StringComparer.Ordinal)).TryAdd(text, _entries.Count))
        {
            _entries[_places[text]] = new(key, value);
            return;
        }

        _entries.Add(new(key, value));
    }

    public object? Get(string key) => _places is not null && _places.TryGetValue(key, out var place) ? _entries![place].Value : null;
}

/// <summary>A harmless value that is not used: a complex number, a device, a layout.</summary>
internal sealed record PickleOpaque(string TypeName);
