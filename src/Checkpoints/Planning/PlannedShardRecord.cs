namespace Fairseq2Llama.Planning;

/// <summary>The record of a file that a job exports.</summary>
internal sealed class PlannedShardRecord(PlannedTensorFile file) : PlannedFile(ShardRecord.NameFor(file))
{
    private readonly string _layout = ShardFingerprint.OfLayout(file);

    public override long Length { get; } =
        new ShardRecord(new string('0', 64), new string('0', 64), [.. new uint[file.Layout.Storages.Count]]).ToBytes().Length;

    public override string Summary => $"the record of {file.Name}, until the export is complete";

    internal override WritePhase Phase => WritePhase.Derived;

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        var checksums = context.Checksums[file];
        var inputs = ShardFingerprint.OfInputs(file, context.CancellationToken);

        context.Write(this, new ShardRecord(_layout, inputs, [.. file.Layout.Storages.Select(placed => checksums[placed.Storage])]).ToBytes());
        return null;
    }
}
