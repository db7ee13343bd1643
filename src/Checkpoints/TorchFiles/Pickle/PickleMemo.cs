namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// What a pickle remembers to use again. Python's picklers remember nearly everything that they write, and come back to a few names and classes; where it is
/// known what those are, nothing else is kept.
/// </summary>
/// <param name="recalled">The numbers under which something is used again; null where that is not known.</param>
internal sealed class PickleMemo(PickleRecalls? recalled)
{
    private static readonly object Absent = new();

    // Picklers number what they remember one after the other, so no hashes are needed, and none can be made to collide.
    private readonly List<object?> _values = recalled is null ? [] : [.. Enumerable.Repeat(Absent, recalled.Count)];

    /// <summary>The number that comes next.</summary>
    public uint Count { get; private set; }

    public void Set(uint number, object? value)
    {
        Count = Math.Max(Count, number + 1);

        while (recalled is null && _values.Count <= number)
        {
            _values.Add(Absent);
        }

        if (PlaceOf(number) is >= 0 and var place)
        {
            _values[place] = value;
        }
    }

    public bool TryGet(uint number, out object? value)
    {
        value = PlaceOf(number) is >= 0 and var place && place < _values.Count ? _values[place] : Absent;
        return value != Absent;
    }

    private int PlaceOf(uint number) => recalled is null ? (int)Math.Min(number, int.MaxValue) : recalled.PlaceOf(number);
}
