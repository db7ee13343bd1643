using System.Security.Cryptography;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Copies of the checkpoints in tests/data, for tests that need them under another name or damaged.</summary>
internal static class CheckpointFolder
{
    private const string Notes = "notes.txt";

    /// <summary>Copies the files of a case into a folder.</summary>
    /// <returns>The folder.</returns>
    public static string Copy(string name, string destination) => CopyFiles(Repository.Case(name), destination);

    /// <summary>Copies the files of a folder into another.</summary>
    /// <returns>The other folder.</returns>
    public static string CopyFiles(string folder, string destination)
    {
        Directory.CreateDirectory(destination);

        foreach (var file in Directory.EnumerateFiles(folder))
        {
            File.Copy(file, Path.Combine(destination, Path.GetFileName(file)));
        }

        return destination;
    }

    /// <summary>Copies a case with the file that says its architecture.</summary>
    /// <returns>The folder.</returns>
    public static string CopyRun(string destination)
    {
        Copy("fs2", destination);
        File.WriteAllText(
            Path.Combine(destination, "model.yaml"),
            "model_config: {model_dim: 16, vocab_size: 40, num_layers: 2, num_attn_heads: 4, num_key_value_heads: 2, ffn_inner_dim: 64, ffn_inner_dim_multiple_of: 8}");
        return destination;
    }

    /// <summary>Changes a byte in the middle of a tensor's data.</summary>
    public static void Damage(string folder, string tensorName)
    {
        var storage = Fairseq2Checkpoint.Read(folder).Tensors.Single(tensor => tensor.Name == tensorName).Shards[0].Tensor.Storage;

        using var file = new FileStream(storage.Source.Name, FileMode.Open, FileAccess.ReadWrite);
        file.Position = storage.Offset + (storage.Length / 2);
        var old = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(old ^ 1));
    }

    /// <summary>Every file's content by relative path with slashes, to see that nothing has changed.</summary>
    public static Dictionary<string, string> Snapshot(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'), file => Convert.ToHexString(File.ReadAllBytes(file)), StringComparer.Ordinal);

    /// <summary>Puts a file into a folder that is no part of any export: it stays, so the folder's files are replaced one by one.</summary>
    public static void AddNotes(string folder) => File.WriteAllText(Path.Combine(Directory.CreateDirectory(folder).FullName, Notes), "stays");

    /// <summary>The hash of every file that lies in a folder, by name, but for notes.</summary>
    public static Dictionary<string, string> Hashes(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file) != Notes).ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))), StringComparer.Ordinal);
}
