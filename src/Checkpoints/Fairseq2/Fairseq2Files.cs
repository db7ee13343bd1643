using Fairseq2Llama.Conversion;

namespace Fairseq2Llama.Fairseq2;

/// <summary>The files of a folder with a checkpoint of fairseq2 in one file.</summary>
internal sealed class Fairseq2Files : FolderRules
{
    public static readonly Fairseq2Files Rules = new();

    public override string Completion => SingleFileLayout.FileName;

    public override bool IsWritten(string name) => name is SingleFileLayout.FileName or ModelConfig.FileName;

    public override bool IsStale(string name) => false;

    public override string? FindStumblingBlock(string name) => TensorParallelLayout.IsNameOfShard(name)
        ? "with that beside it, the folder holds two checkpoints."
        : null;
}
