using System.IO.Compression;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>
/// Checkpoints of several files in every layout, some of them damaged. One comes as a zip archive of its folder, so that it can be saved and
/// looked into.
/// </summary>
internal static class Folders
{
    private static readonly string[] Cases = ["fs2", "tp2-llama2", "tp2-llama3", "tied", "deflated", "big-endian", "views", "legacy"];

    public static byte[] Make(Random random)
    {
        var folder = new ZipBuilder();
        var root = random.Next(3) == 0 ? "checkpoints/step_7/" : "";
        var shards = Directory.EnumerateFiles(Repository.Case(Cases[random.Next(Cases.Length)])).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        var shapes = random.Next();
        var isMadeUp = random.Next(3) == 0;

        foreach (var (index, path) in Paths(shards.Length, random).Index())
        {
            // Made up of the same numbers, so that shards fit each other.
            var shard = isMadeUp ? Pickles.MakeFile(new Random(shapes)) : shards[index % shards.Length];
            folder.Add(root + path, random.Next(4) == 0 ? Damage(shard, random) : shard);
        }

        if (random.Next(4) > 0)
        {
            folder.Add(root.Length > 0 ? "checkpoints/model.yaml" : "model.yaml", Settings.Make(random));
        }

        return folder.Build();
    }

    /// <summary>Writes the files of an input into an empty folder.</summary>
    public static void Extract(byte[] input, string folder)
    {
        Directory.CreateDirectory(folder);
        ZipFile.ExtractToDirectory(new MemoryStream(input), folder);
    }

    private static byte[] Damage(byte[] shard, Random random) => random.Next(4) switch
    {
        0 => Pickles.MakeFile(random),
        1 => Repacked.Make(random),
        2 => PickleOpcodes.Mutate(shard, random),
        _ => Bytes.Mutate((byte[])shard.Clone(), random),
    };

    private static IEnumerable<string> Paths(int count, Random random)
    {
        var (stages, ranks, parts) = (random.Next(1, 3), random.Next(1, 3), random.Next(1, 3));

        return random.Next(4) switch
        {
            0 => ["model.pt"],
            1 => Enumerable.Range(0, Math.Max(count, 2)).Select(rank => $"model.{rank}.pt"),
            2 => Enumerable.Range(0, parts).Select(part => $"model.pt/shard.{part:00}.pt"),
            _ => from stage in Enumerable.Range(0, stages)
                 from rank in Enumerable.Range(0, ranks)
                 from part in Enumerable.Range(0, parts)
                 select $"model/pp_{stage:00}/tp_{rank:00}/sdp_{part:00}.pt",
        };
    }
}
