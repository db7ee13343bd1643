using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Objects in memory, under keys with slashes, as Azure and S3 keep them: nothing of it has a local path, folders are only what keys have in
/// common, and what is read is asked for range by range. It counts and can be slow, fail, and change while it is read.
/// </summary>
internal sealed class ObjectStore
{
    public const string Root = "memory://bucket";

    private readonly Dictionary<string, (byte[] Bytes, int Version)> _objects = new(StringComparer.Ordinal);
    private int _requests;
    private int _running;
    private int _mostAtOnce;

    /// <summary>Ranges that were asked for.</summary>
    public int Requests => _requests;

    /// <summary>How many requests ran at the same time.</summary>
    public int MostAtOnce => _mostAtOnce;

    /// <summary>How often it was asked what is there.</summary>
    public int Listings { get; private set; }

    /// <summary>How long each request takes.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>What goes wrong with a request for a range of a key; null where nothing does.</summary>
    public Func<string, ByteRange, Exception?> Fault { get; set; } = (_, _) => null;

    /// <summary>Whether it may be listed.</summary>
    public bool CanList { get; set; } = true;

    /// <summary>All of it, as a folder.</summary>
    public ICheckpointFolder Folder => At("");

    /// <summary>A store with what lies in a folder.</summary>
    public static ObjectStore Of(string folder)
    {
        var store = new ObjectStore();

        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            store.Put(Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes(file));
        }

        return store;
    }

    public void Put(string key, byte[] bytes) =>
        _objects[key] = (bytes, _objects.TryGetValue(key, out var old) ? old.Version + 1 : 0);

    public void Remove(string key) => _objects.Remove(key);

    public void ResetCounts() => (_requests, _mostAtOnce, Listings) = (0, 0, 0);

    /// <summary>A folder, or what may turn out to be an object.</summary>
    public ICheckpointFolder At(string key) => new KeyPrefix(this, key);

    private static string Join(string prefix, string name) => prefix.Length == 0 ? name : $"{prefix}/{name}";

    private static string PathOf(string key) => key.Length == 0 ? Root : $"{Root}/{key}";

    private void CountRequest(string key, ByteRange range)
    {
        Interlocked.Increment(ref _requests);
        var running = Interlocked.Increment(ref _running);
        InterlockedMax(ref _mostAtOnce, running);
        Thread.Sleep(Latency);
        Interlocked.Decrement(ref _running);

        if (Fault(key, range) is { } fault)
        {
            throw fault;
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var old = target; old < value && Interlocked.CompareExchange(ref target, value, old) != old; old = target)
        {
        }
    }

    /// <summary>What is in a folder: what follows its prefix, up to the next slash.</summary>
    private (string Name, bool IsFile)[] List(string prefix)
    {
        Listings++;

        if (!CanList)
        {
            throw new UnauthorizedAccessException($"Access to '{PathOf(prefix)}' is denied.");
        }

        var start = prefix.Length == 0 ? 0 : prefix.Length + 1;

        var entries =
            from key in _objects.Keys
            where prefix.Length == 0 || key.StartsWith(prefix + '/', StringComparison.Ordinal)
            let names = key[start..].Split('/')
            select (names[0], names.Length == 1);

        return [.. entries.Distinct()];
    }

    private sealed class KeyPrefix(ObjectStore store, string prefix) : ICheckpointFolder
    {
        public string Path => ObjectStore.PathOf(prefix);

        public string Name => Path[(Path.LastIndexOf('/') + 1)..];

        public ICheckpointFolder? Parent => prefix.Length == 0 ? null : store.At(prefix.LastIndexOf('/') is > 0 and var end ? prefix[..end] : "");

        public bool Exists => prefix.Length == 0 || store._objects.Keys.Any(key => key.StartsWith(prefix + '/', StringComparison.Ordinal));

        public IEnumerable<string> FileNames => store.List(prefix).Where(entry => entry.IsFile).Select(entry => entry.Name);

        public IEnumerable<string> FolderNames => store.List(prefix).Where(entry => !entry.IsFile).Select(entry => entry.Name);

        public bool HasFile(string name) => store._objects.ContainsKey(Join(prefix, name));

        public ICheckpointFolder Folder(string name) => store.At(Join(prefix, name));

        public string PathOf(string name) => ObjectStore.PathOf(Join(prefix, name));

        public string IdentityOf(string path) => path;

        public StringComparer Identities => StringComparer.Ordinal;

        public string PathWithin(string path) => path.StartsWith(Path + '/', StringComparison.Ordinal) ? path[(Path.Length + 1)..] : path;

        public long LengthOf(string name) => HasFile(name) ? store._objects[Join(prefix, name)].Bytes.Length : 0;

        public IByteSource SourceOf(string name) => HasFile(name)
            ? new StoredObject(store, Join(prefix, name))
            : throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file '{PathOf(name)}'. Check the spelling of the path.", PathOf(name));
    }

    private sealed class StoredObject(ObjectStore store, string key) : IByteSource
    {
        private readonly int _version = store._objects[key].Version;

        public string Name => PathOf(key);

        public long Length { get; } = store._objects[key].Bytes.Length;

        private byte[] Bytes => store._objects[key].Bytes;

        public IByteReader Open()
        {
            RequireUnchanged();
            return new ReadAheadReader(new RangeReader(this), Length);
        }

        private void RequireUnchanged()
        {
            if (!store._objects.TryGetValue(key, out var found) || found.Version != _version)
            {
                throw new CheckpointException(CheckpointErrorCode.CheckpointCorrupt, $"'{Name}' was changed after it was read.", Name);
            }
        }

        private void CountRequest(ByteRange range) => store.CountRequest(key, range);

        private sealed class RangeReader(StoredObject source) : IByteReader
        {
            public void Read(long offset, Span<byte> buffer)
            {
                source.CountRequest(new ByteRange(offset, buffer.Length));
                source.RequireUnchanged();

                if (offset > source.Length - buffer.Length)
                {
                    throw new CheckpointException(CheckpointErrorCode.CheckpointCorrupt, $"'{source.Name}' ends before byte {offset + buffer.Length}.");
                }

                source.Bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
            }

            public void RequireUnchanged() => source.RequireUnchanged();

            public void Dispose()
            {
            }
        }
    }
}
