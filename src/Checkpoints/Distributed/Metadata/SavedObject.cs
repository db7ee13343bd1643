namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>
/// An object of the metadata. Its pickle first makes it empty, then gives it its attributes, which are those of the Python class of the same name. Attributes
/// that are not known are passed over: later versions of PyTorch add some.
/// </summary>
internal abstract class SavedObject
{
    /// <summary>Gives it an attribute.</summary>
    /// <returns>False if it can't have that value.</returns>
    public abstract bool Set(string attribute, object? value);
}
