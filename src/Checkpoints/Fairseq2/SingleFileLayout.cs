using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary><c>model.pt</c>, as fairseq2 0.3.0 to 0.4.6 write it without tensor parallelism.</summary>
internal sealed class SingleFileLayout : ICheckpointLayout
{
    public const string FileName = "model.pt";

    public CheckpointFiles? Find(ICheckpointFolder folder)
    {
        var file = new StoredFile(folder, FileName);
        return file.Exists ? new CheckpointFiles([new ShardFile(file, default)], _ => file.Path, CheckpointFiles.NamedLikeModels(folder)) : null;
    }
}
