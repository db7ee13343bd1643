using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A folder of files that hold nothing, for tests of what their names say.</summary>
internal sealed class LayoutFolder : IDisposable
{
    private readonly TempFolder _folder = new("step");

    public LayoutFolder(params ReadOnlySpan<string> files)
    {
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.WriteAllText(_folder[file], "");
        }
    }

    public string PathOf(string file) => _folder[file];

    /// <summary>What a layout finds, as paths relative to the folder.</summary>
    public FoundFiles Find(ICheckpointLayout layout, string subfolder = "")
    {
        var files = layout.Find(new LocalFolder(_folder[subfolder]));
        Assert.NotNull(files);

        return new FoundFiles(
            [.. files.Shards.Select(shard => $"{shard.Place.Pipeline} {shard.Place.TensorParallel} {shard.Place.DataParallel}: {Relative(shard.Path)}")],
            [.. files.Missing.Select(Relative)],
            [.. files.Unrecognized.Select(Relative)]);
    }

    public bool IsFound(ICheckpointLayout layout) => layout.Find(new LocalFolder(_folder.Path)) is not null;

    public void Dispose() => _folder.Dispose();

    private string Relative(string path) => Path.GetRelativePath(_folder.Path, path).Replace('\\', '/');
}

/// <summary>What a layout finds.</summary>
/// <param name="Shards">Each as <c>PP TP SDP: path</c>.</param>
/// <param name="Missing">Paths.</param>
/// <param name="Unrecognized">Paths.</param>
internal sealed record FoundFiles(string[] Shards, string[] Missing, string[] Unrecognized);
