using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Reference;

namespace Fairseq2Llama;

/// <summary>Tells who gives a folder of one format for one of another which command reads it.</summary>
internal static class OtherFormat
{
    /// <summary>A sentence after a blank; empty where the folder is of no format that is read here.</summary>
    public static string HintFor(string folder) =>
        Holds(folder, ReferenceShard.NameOf(0)) ? " It is in Meta's reference format: use Read-LlamaReferenceCheckpoint."
        : Holds(folder, HuggingFaceConfig.FileName) ? " It is in Hugging Face's format: use Read-LlamaHuggingFaceCheckpoint."
        : CheckpointLayouts.HasModel(folder) || TrainingRun.Find(folder) is not null ? " It holds a checkpoint of fairseq2: use Read-Fairseq2Checkpoint."
        : "";

    private static bool Holds(string folder, string file) => File.Exists(Path.Combine(folder, file));
}
