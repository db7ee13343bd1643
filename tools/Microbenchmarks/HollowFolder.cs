using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>A folder that has every file, each as long as can be and without any content.</summary>
internal sealed class HollowFolder : ICheckpointFolder
{
    public string Path => "hollow";

    public string Name => Path;

    public ICheckpointFolder? Parent => null;

    public bool Exists => true;

    public IEnumerable<string> FileNames => [];

    public IEnumerable<string> FolderNames => [];

    public StringComparer Identities => StringComparer.Ordinal;

    public bool HasFile(string name) => true;

    public ICheckpointFolder Folder(string name) => this;

    public string PathOf(string name) => $"{Path}/{name}";

    public string IdentityOf(string path) => path;

    public string PathWithin(string path) => path;

    public long LengthOf(string name) => long.MaxValue;

    public IByteSource SourceOf(string name) => new HollowFile(name);

    private sealed record HollowFile(string Name) : IByteSource
    {
        public long Length => long.MaxValue;

        public IByteReader Open(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
