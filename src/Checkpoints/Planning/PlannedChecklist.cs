using System.Security.Cryptography;
using System.Text;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>
/// checklist.chk, as in Meta's downloads: the output of md5sum for the other files, which <c>md5sum -c</c> reads. It is made from the files
/// once they are written, because a record's checksum, which comes before its data, is known only after it.
/// </summary>
internal sealed class PlannedChecklist(IReadOnlyList<PlannedFile> files) : PlannedFile(FileName)
{
    public const string FileName = "checklist.chk";

    public override long Length => files.Sum(file => (long)LineOf(new byte[MD5.HashSizeInBytes], file).Length);

    public override string Summary => $"MD5 of {Quantity.Of(files.Count, "file")}";

    internal override WritePhase Phase => WritePhase.Derived;

    internal override long Work => files.Sum(file => file.Length) + Length;

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        var workers = context.MakeWorkers();
        var lines = new byte[files.Count][];

        workers.Run([.. Enumerable.Range(0, files.Count)], isParallel: files.Count > 1, (index, cancellationToken) =>
            lines[index] = LineOf(Hash(context.SourceOf(files[index]), workers.Done, cancellationToken), files[index]));

        context.Write(this, lines.SelectMany(line => line).ToArray());
        return null;
    }

    private static byte[] LineOf(byte[] hash, PlannedFile file) => Encoding.ASCII.GetBytes($"{HexDigest.From(hash)}  {file.Name}\n");

    private static byte[] Hash(IByteSource file, Action<long> done, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);

        WholeFile.ReadPieces(
            file,
            piece =>
            {
                hash.AppendData(piece);
                done(piece.Length);
            },
            cancellationToken);

        return hash.GetHashAndReset();
    }
}
