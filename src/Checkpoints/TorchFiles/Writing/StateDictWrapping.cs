namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>The dict around a state dict.</summary>
/// <param name="Key">The key of the state dict; the first of the keys.</param>
/// <param name="Texts">What follows that is text.</param>
/// <param name="Flags">What follows that is True.</param>
internal sealed record StateDictWrapping(
    string Key, IReadOnlyList<KeyValuePair<string, string>> Texts, IReadOnlyList<string> Flags);
