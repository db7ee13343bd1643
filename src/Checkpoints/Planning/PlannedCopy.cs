using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>A file that is copied as it is.</summary>
internal sealed class PlannedCopy(string name, IByteSource source) : PlannedFile(name)
{
    public override long Length => source.Length;

    public override string Summary => $"a copy of '{source.Name}'";

    internal override WritePhase Phase => WritePhase.Small;

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        using var file = context.Create(this, []);
        var offset = 0L;

        WholeFile.ReadPieces(
            source,
            piece =>
            {
                file.Write(piece, offset);
                offset += piece.Length;
                context.Report(piece.Length);
            },
            context.CancellationToken);

        file.Complete();
        return null;
    }
}
