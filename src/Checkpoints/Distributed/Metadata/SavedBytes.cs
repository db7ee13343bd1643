namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>BytesStorageMetadata, and other objects whose attributes do not matter.</summary>
internal sealed class SavedBytes : SavedObject
{
    public override bool Set(string attribute, object? value) => true;
}
