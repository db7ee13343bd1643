using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores;

public sealed class WholeFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Jobs that share a destination write the same params.json, and one may do so while another one looks at it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Looks_again_at_what_another_job_writes_anew_meanwhile(int times)
    {
        Write("old", 0);
        var folder = new ChangingFolder(new LocalFolder(_folder.Path), call => Write("new", Math.Min(call, times)));

        Assert.True(WholeFile.IsIn(folder, "params.json", "new"u8));
    }

    [Fact]
    public void Gives_up_on_what_is_written_anew_without_end()
    {
        Write("old", 0);
        var folder = new ChangingFolder(new LocalFolder(_folder.Path), call => Write("new", call));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => WholeFile.IsIn(folder, "params.json", "new"u8), "was changed");
    }

    [Fact]
    public void What_is_taken_away_meanwhile_is_not_there()
    {
        Write("old", 0);
        var folder = new ChangingFolder(new LocalFolder(_folder.Path), _ => File.Delete(_folder["params.json"]));

        Assert.False(WholeFile.IsIn(folder, "params.json", "old"u8));
    }

    private void Write(string text, int minute)
    {
        File.WriteAllText(_folder["params.json"], text);
        File.SetLastWriteTimeUtc(_folder["params.json"], new DateTime(2026, 1, 1, 0, minute, 0, DateTimeKind.Utc));
    }

    /// <summary>Something happens between looking at a file and opening it.</summary>
    private sealed class ChangingFolder(ICheckpointFolder folder, Action<int> change) : ICheckpointFolder
    {
        private int _calls;

        public string Path => folder.Path;

        public string Name => folder.Name;

        public ICheckpointFolder? Parent => folder.Parent;

        public bool Exists => folder.Exists;

        public IEnumerable<string> FileNames => folder.FileNames;

        public IEnumerable<string> FolderNames => folder.FolderNames;

        public StringComparer Identities => folder.Identities;

        public bool HasFile(string name) => folder.HasFile(name);

        public ICheckpointFolder Folder(string name) => folder.Folder(name);

        public string PathOf(string name) => folder.PathOf(name);

        public string IdentityOf(string path) => folder.IdentityOf(path);

        public string PathWithin(string path) => folder.PathWithin(path);

        public long LengthOf(string name) => folder.LengthOf(name);

        public IByteSource SourceOf(string name)
        {
            var source = folder.SourceOf(name);
            change(++_calls);
            return source;
        }
    }
}
