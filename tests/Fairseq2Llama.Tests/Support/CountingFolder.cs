using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A folder that counts how often each byte of its files is read. Nobody takes it for a local one, so that nothing is shared or copied without being read.</summary>
internal sealed class CountingFolder(ICheckpointFolder folder, Dictionary<string, int[]> reads) : ICheckpointFolder
{
    public string Path => folder.Path;

    public string Name => folder.Name;

    public ICheckpointFolder? Parent => folder.Parent is { } parent ? new CountingFolder(parent, reads) : null;

    public bool Exists => folder.Exists;

    public IEnumerable<string> FileNames => folder.FileNames;

    public IEnumerable<string> FolderNames => folder.FolderNames;

    public StringComparer Identities => folder.Identities;

    public bool HasFile(string name) => folder.HasFile(name);

    public ICheckpointFolder Folder(string name) => new CountingFolder(folder.Folder(name), reads);

    public string PathOf(string name) => folder.PathOf(name);

    public string IdentityOf(string path) => folder.IdentityOf(path);

    public string PathWithin(string path) => folder.PathWithin(path);

    public long LengthOf(string name) => folder.LengthOf(name);

    public IByteSource SourceOf(string name) => new Source(folder.SourceOf(name), reads);

    private sealed record Source(IByteSource Inner, Dictionary<string, int[]> Reads) : IByteSource
    {
        public string Name => Inner.Name;

        public long Length => Inner.Length;

        public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(this, Inner.Open(cancellationToken));
    }

    private sealed class Reader(Source source, IByteReader inner) : IByteReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            lock (source.Reads)
            {
                var counts = source.Reads.TryGetValue(source.Name, out var known) ? known : source.Reads[source.Name] = new int[source.Length];

                foreach (ref var count in counts.AsSpan((int)offset, buffer.Length))
                {
                    count++;
                }
            }

            inner.Read(offset, buffer);
        }

        public void RequireUnchanged() => inner.RequireUnchanged();

        public void Dispose() => inner.Dispose();
    }
}
