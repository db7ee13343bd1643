using Fairseq2Llama.Model;

namespace Fairseq2Llama.Fairseq2;

/// <summary><c>model.pt</c>, as fairseq2 0.3.0 to 0.4.6 write it without tensor parallelism.</summary>
internal sealed class SingleFileLayout : ICheckpointLayout
{
    public const string FileName = "model.pt";

    public CheckpointFiles? Find(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? new CheckpointFiles([new ShardFile(path, default)], _ => path, CheckpointFiles.NamedLikeModels(folder)) : null;
    }
}
