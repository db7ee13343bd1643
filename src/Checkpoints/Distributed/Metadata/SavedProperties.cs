using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>TensorProperties. Its state is no dict of attributes, but (dtype, layout, requires_grad, memory format, pin_memory).</summary>
internal sealed class SavedProperties : SavedObject
{
    /// <summary>The element type.</summary>
    public PickleGlobal? DType { get; private set; }

    public override bool Set(string attribute, object? value)
    {
        DType = attribute == "dtype" ? value as PickleGlobal : DType;
        return attribute != "dtype" || value is PickleGlobal { Kind: PickleGlobalKind.DType };
    }
}
