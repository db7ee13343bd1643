using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Objects in memory, under keys with slashes, as Azure and S3 keep them: nothing of it has a local path, nothing can be renamed, and what is read
/// is asked for range by range. It counts and can be slow, fail, and change while it is used. Of parts it asks what S3 asks for, on a smaller scale.
/// </summary>
internal sealed class ObjectStore : IObjectClient
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

    /// <summary>As the module uses it.</summary>
    public RemoteStore Remote => field ??= new RemoteStore(this, StoreAccess.Default, new HastyClock());

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
    public ICheckpointFolder At(string key) => new ObjectFolder(Remote, key, CancellationToken.None);

    public ObjectDestination DestinationAt(string key) => new(Remote, key, Fairseq2Llama.Formats.CheckpointFormats.IsWritten, CancellationToken.None);

    public string AddressOf(string key) => key.Length == 0 ? Root : $"{Root}/{key}";

    public Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Listed.Add(prefix);

            if (!CanList)
            {
                throw new StoreException(StoreFailure.Denied, $"Access to '{AddressOf(prefix.TrimEnd('/'))}' is denied.");
            }

            var found = _objects.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray();

            return Task.FromResult(new ObjectPage(
                [.. from item in found where !item.Key[prefix.Length..].Contains('/') select new StoredObject(item.Key, item.Value.Bytes.Length, item.Value.Version)],
                [.. (from item in found where item.Key[prefix.Length..].Contains('/') select prefix + item.Key[prefix.Length..].Split('/')[0] + '/').Distinct()],
                Continuation: null));
        }
    }

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken)
    {
        BeforeFind(key);

        lock (_lock)
        {
            return Task.FromResult(
                _objects.TryGetValue(key, out var item) ? new StoredObject(key, item.Bytes.Length, item.Version) { Run = item.Run, Age = Age } : null);
        }
    }

    public async Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        await CountRequestAsync(source.Key, range);

        lock (_lock)
        {
            return _objects.TryGetValue(source.Key, out var item) && item.Version == source.Version
                ? new RangeReply(206, $"bytes {range.Offset}-{range.End - 1}/{item.Bytes.Length}", item.Version, new MemoryStream(item.Bytes, (int)range.Offset, (int)range.Length))
                : throw Changed();
        }
    }

    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken)
    {
        BeforeWrite("put", key);
        Received += content.Length;
        return Task.FromResult(TryPlace("put", key, content.ToArray(), run, replaces) ?? throw Changed());
    }

    public Task DeleteAsync(string key, string version, CancellationToken cancellationToken)
    {
        BeforeWrite("delete", key);

        lock (_lock)
        {
            if (!_objects.TryGetValue(key, out var item) || item.Version != version)
            {
                throw Changed();
            }

            _objects.Remove(key);
        }

        AfterWrite("delete", key);
        return Task.CompletedTask;
    }

    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var upload = new Upload(key, Guid.NewGuid().ToString());
            _uploads.Add(upload);
            return Task.FromResult(upload.Id);
        }
    }

    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        BeforeWrite("part", key);

        lock (_lock)
        {
            Received += bytes.Length;
        }

        return Task.FromResult(AddPart(upload, number, bytes.ToArray()));
    }

    public Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        if (!CanCopy)
        {
            return Task.FromResult<string?>(null);
        }

        Assert.InRange(range.Length, Parts.MinLength, Parts.MaxCopyLength);

        lock (_lock)
        {
            Assert.Equal(source.Version, _objects[source.Key].Version);
            return Task.FromResult<string?>(AddPart(upload, number, _objects[source.Key].Bytes[(int)range.Offset..(int)range.End]));
        }
    }

    public Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken)
    {
        BeforeWrite("complete", key);
        var own = FindUpload(upload);
        byte[][] bytes = [.. parts.Select(part => own.Parts[part.Number])];
        Assert.All(bytes.SkipLast(1), part => Assert.InRange(part.Length, Parts.MinLength, Parts.MaxCopyLength));
        var version = TryPlace("complete", key, [.. bytes.SelectMany(part => part)], run, replaces);
        Remove(own);
        return Task.FromResult(version ?? throw Changed());
    }

    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _uploads.RemoveAll(item => item.Id == upload);
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<string>>([.. _uploads.Where(upload => upload.Key == key).Select(upload => upload.Id)]);
        }
    }

    public bool CanCopyFrom(IObjectClient other) => other == this && CanCopy;

    private static StoreException Changed() => new(StoreFailure.Changed, "Something else is there.");

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

    private async Task CountRequestAsync(string key, ByteRange range)
    {
        lock (_lock)
        {
            Requests++;
            Sent += range.Length;
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
        }

        await Task.Delay(Latency);

        lock (_lock)
        {
            _running--;
        }

        if (Fault(key, range) is { } fault)
        {
            throw fault;
        }
    }

    private string AddPart(string upload, int number, byte[] bytes)
    {
        Assert.InRange(number, 1, Parts.MaxCount);

        lock (_lock)
        {
            FindUpload(upload).Parts.Add(number, bytes);
            return $"{number}";
        }
    }

    private Upload FindUpload(string upload)
    {
        lock (_lock)
        {
            return _uploads.Single(item => item.Id == upload);
        }
    }

    private void Remove(Upload upload)
    {
        lock (_lock)
        {
            _uploads.Remove(upload);
        }
    }

    private sealed record Entry(byte[] Bytes, string Version, string? Run);

    private sealed record Upload(string Key, string Id)
    {
        public SortedDictionary<int, byte[]> Parts { get; } = [];
    }
}
