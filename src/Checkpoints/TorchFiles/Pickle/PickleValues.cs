using System.Runtime.InteropServices;

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
    /// <summary>Up to this many entries, looking at all of them is faster than a table.</summary>
    private const int MaxUnindexed = 8;

    // Made when they are needed: an empty dict costs a file one byte and should not cost us much more.
    private Dictionary<string, int>? _places;
    private List<KeyValuePair<object?, object?>>? _entries;

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries ?? [];

    /// <summary>The same, without a copy; until something is set.</summary>
    public ReadOnlySpan<KeyValuePair<object?, object?>> Span => CollectionsMarshal.AsSpan(_entries);

    /// <summary>Makes room for the first entries, of which there are usually no more.</summary>
    public void Expect(int count) => _entries ??= new(count);

    public void Set(object? key, object? value)
    {
        _entries ??= [];

        // As in Python, a key that comes again keeps its place and takes the new value. Only strings are ever looked up, and
        // only their hashes can't be created to collide on purpose.
        if (key is string text)
        {
            if (Find(text) is >= 0 and var place)
            {
                _entries[place] = new(key, value);
                return;
            }

            _places?.Add(text, _entries.Count);
        }

        _entries.Add(new(key, value));
    }

    public object? Get(string key) => Find(key) is >= 0 and var place ? _entries![place].Value : null;

    private int Find(string key)
    {
        if (_entries is null)
        {
            return -1;
        }

        if (_places is null && _entries.Count > MaxUnindexed)
        {
            _places = new(StringComparer.Ordinal);

            for (var i = 0; i < _entries.Count; i++)
            {
                if (_entries[i].Key is string indexed)
                {
                    _places.Add(indexed, i);
                }
            }
        }

        if (_places is not null)
        {
            return _places.GetValueOrDefault(key, -1);
        }

        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].Key is string text && text == key)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>A harmless value that is not used: a complex number, a device, a layout.</summary>
internal sealed record PickleOpaque(string TypeName);
