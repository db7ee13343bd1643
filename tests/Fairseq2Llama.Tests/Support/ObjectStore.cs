using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Objects in memory, under keys with slashes, as Azure and S3 keep them: nothing of it has a local path, nothing can be renamed, and what is read
/// is asked for range by range. It counts and can be slow, fail, and change while it is used. Of parts it asks what S3 asks for, on a smaller scale.
/// </summary>
internal sealed class ObjectStore : IObjectStore
{
    public const string Root = "memory://bucket";

    private readonly object _lock = new();
    private readonly Dictionary<string, Entry> _objects = new(StringComparer.Ordinal);
    private readonly List<Upload> _uploads = [];
    private int _versions;
    private int _running;

    /// <summary>Ranges that were asked for.</summary>
    public int Requests { get; private set; }

    /// <summary>How many requests ran at the same time.</summary>
    public int MostAtOnce { get; private set; }

    /// <summary>The prefixes below which it was asked what is there.</summary>
    public List<string> Listed { get; } = [];

    /// <summary>Bytes that were written from outside.</summary>
    public long Received { get; private set; }

    /// <summary>Bytes that were read.</summary>
    public long Sent { get; private set; }

    /// <summary>How long each request takes.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>What goes wrong with a request for a range of a key; null where nothing does.</summary>
    public Func<string, ByteRange, Exception?> Fault { get; set; } = (_, _) => null;

    /// <summary>What goes wrong before something is written: "put", "part", "complete" or "delete", and the key.</summary>
    public Action<string, string> BeforeWrite { get; set; } = (_, _) => { };

    /// <summary>Told the key before an object is asked for.</summary>
    public Action<string> BeforeFind { get; set; } = _ => { };

    /// <summary>Told what has been written.</summary>
    public Action<string, string> AfterWrite { get; set; } = (_, _) => { };

    /// <summary>Whether a write that has succeeded is said to have met something else, as when its first reply was lost and it is tried again.</summary>
    public bool LosesReplies { get; set; }

    /// <summary>Whether it may be listed.</summary>
    public bool CanList { get; set; } = true;

    /// <summary>Whether it copies ranges inside itself.</summary>
    public bool CanCopy { get; set; } = true;

    /// <summary>How long ago everything in it was written.</summary>
    public TimeSpan Age { get; set; }

    public PartLimits Parts { get; init; } = new(MinLength: 512, Length: 2048, MaxCopyLength: 100_000, MaxCount: 10_000);

    /// <summary>All of it, as a folder.</summary>
    public ICheckpointFolder Folder => At("");

    /// <summary>The keys of all objects.</summary>
    public IEnumerable<string> Keys => _objects.Keys.Order(StringComparer.Ordinal);

    /// <summary>The keys of what is being uploaded, and seen by nobody.</summary>
    public IEnumerable<string> Uploads => _uploads.Select(upload => upload.Key);

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

    public byte[] this[string key] => _objects[key].Bytes;

    public void Put(string key, byte[] bytes, string? run = null) => _objects[key] = new Entry(bytes, $"{++_versions}", run);

    public void Remove(string key) => _objects.Remove(key);

    public void ResetCounts() => (Requests, MostAtOnce, Received, Sent) = (0, 0, 0, 0);

    /// <summary>A folder, or what may turn out to be an object.</summary>
    public ICheckpointFolder At(string key) => new ObjectFolder(this, key);

    public ObjectDestination DestinationAt(string key) => new(this, key, Fairseq2Llama.Formats.CheckpointFormats.IsWritten);

    public string AddressOf(string key) => key.Length == 0 ? Root : $"{Root}/{key}";

    public ObjectListing List(string prefix)
    {
        lock (_lock)
        {
            Listed.Add(prefix);

            if (!CanList)
            {
                throw new UnauthorizedAccessException($"Access to '{AddressOf(prefix.TrimEnd('/'))}' is denied.");
            }

            var found = _objects.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray();

            return new ObjectListing(
                [.. from item in found where !item.Key[prefix.Length..].Contains('/') select new StoredObject(item.Key, item.Value.Bytes.Length, item.Value.Version)],
                [.. (from item in found where item.Key[prefix.Length..].Contains('/') select prefix + item.Key[prefix.Length..].Split('/')[0] + '/').Distinct()]);
        }
    }

    public StoredObject? Find(string key)
    {
        BeforeFind(key);

        lock (_lock)
        {
            return _objects.TryGetValue(key, out var item) ? new StoredObject(key, item.Bytes.Length, item.Version) { Run = item.Run, Age = Age } : null;
        }
    }

    public bool TryRead(StoredObject source, long offset, Span<byte> buffer)
    {
        CountRequest(source.Key, new ByteRange(offset, buffer.Length));

        lock (_lock)
        {
            if (!_objects.TryGetValue(source.Key, out var item) || item.Version != source.Version)
            {
                return false;
            }

            item.Bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
            return true;
        }
    }

    public string? TryPut(string key, ReadOnlySpan<byte> content, string run, string? replaces)
    {
        BeforeWrite("put", key);
        Received += content.Length;
        return TryPlace("put", key, content.ToArray(), run, replaces);
    }

    public bool TryDelete(string key, string version)
    {
        BeforeWrite("delete", key);

        lock (_lock)
        {
            if (!_objects.TryGetValue(key, out var item) || item.Version != version)
            {
                return false;
            }

            _objects.Remove(key);
        }

        AfterWrite("delete", key);
        return true;
    }

    public IObjectUpload Begin(string key, string run)
    {
        var upload = new Upload(this, key, run);

        lock (_lock)
        {
            _uploads.Add(upload);
        }

        return upload;
    }

    public bool CanCopyTo(IObjectStore other) => other == this && CanCopy;

    public void DiscardUploads(string key)
    {
        lock (_lock)
        {
            _uploads.RemoveAll(upload => upload.Key == key);
        }
    }

    private string? TryPlace(string what, string key, byte[] bytes, string run, string? replaces)
    {
        string version;

        lock (_lock)
        {
            if ((_objects.TryGetValue(key, out var item) ? item.Version : null) != replaces)
            {
                return null;
            }

            version = $"{++_versions}";
            _objects[key] = new Entry(bytes, version, run);
        }

        AfterWrite(what, key);
        return LosesReplies ? null : version;
    }

    private void CountRequest(string key, ByteRange range)
    {
        lock (_lock)
        {
            Requests++;
            Sent += range.Length;
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
        }

        Thread.Sleep(Latency);

        lock (_lock)
        {
            _running--;
        }

        if (Fault(key, range) is { } fault)
        {
            throw fault;
        }
    }

    private sealed record Entry(byte[] Bytes, string Version, string? Run);

    private sealed class Upload(ObjectStore store, string key, string run) : IObjectUpload
    {
        private readonly SortedDictionary<int, byte[]> _parts = [];

        public string Key => key;

        void IObjectUpload.Upload(int number, ReadOnlySpan<byte> bytes)
        {
            store.BeforeWrite("part", key);
            store.Received += bytes.Length;
            Add(number, bytes.ToArray());
        }

        public bool TryCopy(int number, ObjectSource source, ByteRange range)
        {
            var found = source.Found;

            if (!store.CanCopy)
            {
                return false;
            }

            Assert.InRange(range.Length, store.Parts.MinLength, store.Parts.MaxCopyLength);

            lock (store._lock)
            {
                Assert.Equal(found.Version, store._objects[found.Key].Version);
                Add(number, store._objects[found.Key].Bytes[(int)range.Offset..(int)range.End]);
            }

            return true;
        }

        public string? TryComplete(string? replaces)
        {
            store.BeforeWrite("complete", key);
            Assert.All(_parts.Values.SkipLast(1), part => Assert.InRange(part.Length, store.Parts.MinLength, store.Parts.MaxCopyLength));
            var version = store.TryPlace("complete", key, [.. _parts.Values.SelectMany(part => part)], run, replaces);
            Dispose();
            return version;
        }

        public void Dispose()
        {
            lock (store._lock)
            {
                store._uploads.Remove(this);
            }
        }

        private void Add(int number, byte[] bytes)
        {
            Assert.InRange(number, 1, store.Parts.MaxCount);

            lock (store._lock)
            {
                Assert.Contains(this, store._uploads);
                _parts.Add(number, bytes);
            }
        }
    }
}
