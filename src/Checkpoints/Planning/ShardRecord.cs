using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>
/// What a job leaves beside a file that it has exported: what the file was made from, and what it holds. By this, a job that runs again knows
/// that its file is done, and the last step knows that all files belong to one export. The last step removes it.
/// </summary>
/// <param name="Layout">Of the file; see <see cref="ShardFingerprint.OfLayout"/>.</param>
/// <param name="Inputs">Of what it was made from; see <see cref="ShardFingerprint.OfInputs"/>.</param>
/// <param name="Checksums">The CRC-32 of each storage, in the order of the file.</param>
internal sealed record ShardRecord(string Layout, string Inputs, ImmutableArray<uint> Checksums)
{
    private const string Prefix = ".fairseq2llama-shard-";

    /// <summary>A record of another version is no record.</summary>
    private const int Version = 1;

    public static string NameFor(PlannedFile file) => Prefix + file.Name;

    /// <summary>The name of the file that a record is about, if the name is that of a record.</summary>
    public static string? FileOf(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : null;

    /// <returns>Null if there is none, or none that can be understood.</returns>
    public static ShardRecord? Find(PlannedFile file, ICheckpointFolder folder)
    {
        try
        {
            return folder.HasFile(NameFor(file)) ? Parse(JsonSettings.Read(folder.SourceOf(NameFor(file)))) : null;
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.CheckpointCorrupt)
        {
            return null;
        }
    }

    public byte[] ToBytes() => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("layout", Layout);
        json.WriteString("inputs", Inputs);
        json.WriteString("crc32", string.Join(' ', Checksums.Select(crc => crc.ToString("x8", CultureInfo.InvariantCulture))));
        json.WriteEndObject();
    });

    private static ShardRecord? Parse(JsonSettings json)
    {
        var checksums = (json.Text("crc32") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc) ? crc : (uint?)null)
            .ToArray();

        return json.Integer("version") == Version && json.Text("layout") is { } layout && json.Text("inputs") is { } inputs && checksums.All(crc => crc is not null)
            ? new ShardRecord(layout, inputs, [.. checksums.Select(crc => crc!.Value)])
            : null;
    }
}
