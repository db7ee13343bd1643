namespace Fairseq2Llama.TorchFiles.Pickle;

// What a pickle can hold here besides None, bool, long, double, string and byte[].

/// <summary>A Python tuple, or torch.Size.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A Python list or set.</summary>
internal sealed record PickleList(List<object?> Items);

/// <summary>A Python dict or OrderedDict, in order.</summary>
internal sealed class PickleDict
{
    private readonly Dictionary<object, int> _places = [];
    private readonly List<KeyValuePair<object?, object?>> _entries = [];

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries;

    public void Set(object? key, object? value)
    {
        // As in Python, a key that comes again keeps its place and takes the new value.
        if (_places.TryAdd(key ?? DBNull.Value, _entries.Count))
        {
            _entries.Add(new(key, value));
        }
        else
        {
            _entries[_places[key ?? DBNull.Value]] = new(key, value);
        }
    }

    public object? Get(string key) => _places.TryGetValue(key, out var place) ? _entries[place].Value : null;
}

/// <summary>Something harmless that nobody here looks into: a complex number, a device, a layout.</summary>
internal sealed record PickleOpaque(string TypeName);
