namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A bucket in memory. Whoever changes it, or reads more than one thing of it, locks it.</summary>
internal sealed class S3Bucket
{
    /// <summary>Whether everybody may read it.</summary>
    public bool IsPublic { get; init; }

    public SortedDictionary<string, S3StoredObject> Objects { get; } = new(StringComparer.Ordinal);

    public List<S3Upload> Uploads { get; } = [];

    /// <summary>Keys and ids of the uploads that have become objects.</summary>
    public HashSet<(string Key, string Id)> Completed { get; } = [];

    public byte[] this[string key] => Objects[key].Bytes;

    /// <summary>Writes an object, as somebody else does.</summary>
    public void Put(string key, byte[] bytes, string? run = null, DateTimeOffset? written = null)
    {
        lock (this)
        {
            Objects[key] = new S3StoredObject(
                bytes,
                S3StoredObject.TagOf(bytes),
                run is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["fairseq2llamarun"] = run },
                written ?? DateTimeOffset.UtcNow);
        }
    }

    /// <summary>Makes what is below a prefix as old as if that time had passed.</summary>
    public void MakeOlder(string prefix, TimeSpan time)
    {
        lock (this)
        {
            foreach (var (key, found) in Objects.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
            {
                Objects[key] = found with { Written = found.Written - time };
            }
        }
    }

    /// <summary>Writes what lies in a folder.</summary>
    public void PutFolder(string folder, string prefix = "")
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Put(prefix + Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes(file));
        }
    }

    /// <summary>Removes what begins with a prefix, and all uploads.</summary>
    public void Remove(string prefix)
    {
        lock (this)
        {
            foreach (var key in Objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
            {
                Objects.Remove(key);
            }

            Uploads.Clear();
        }
    }
}
