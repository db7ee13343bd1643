using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>torch.distributed.checkpoint.metadata.Metadata: everything that a <c>.metadata</c> file says.</summary>
internal sealed class SavedMetadata : SavedObject
{
    /// <summary>By name, a <see cref="SavedTensor"/> or what stands for saved bytes.</summary>
    public PickleDict Tensors { get; private set; } = new();

    /// <summary>By <see cref="SavedKey"/>, a <see cref="SavedItem"/>.</summary>
    public PickleDict Items { get; private set; } = new();

    public override bool Set(string attribute, object? value)
    {
        switch (attribute, value)
        {
            case ("state_dict_metadata", PickleDict tensors):
                Tensors = tensors;
                return true;
            case ("storage_data", PickleDict items):
                Items = items;
                return true;
            default:
                return attribute is not ("state_dict_metadata" or "storage_data");
        }
    }
}
