using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>A session, a store with checkpoints and a folder with the same ones: what the tests of commands with addresses share.</summary>
public abstract class StoreCommandTests : IDisposable
{
    private static readonly S3Operation[] Writing =
        [S3Operation.Put, S3Operation.Delete, S3Operation.Begin, S3Operation.Upload, S3Operation.Copy, S3Operation.Complete, S3Operation.Discard];

    private protected StoreCommandTests()
    {
        S3Profiles.Use();
        Session["tiny"] = TinyModel.Architecture;
        Session["at"] = new System.Collections.Hashtable { ["EndpointUrl"] = Server.Address, ["ProfileName"] = S3Profiles.Right };
        Session["server"] = Server.Address;
        Session.Location = Folder.Path;
        CheckpointFolder.Copy("fs2", Folder["fs2"]);
        Bucket.PutFolder(Folder["fs2"], "fs2/");
    }

    private protected S3Server Server { get; } = new();

    private protected Session Session { get; } = new();

    private protected TempFolder Folder { get; } = new();

    private protected S3Bucket Bucket => Server.Bucket("bucket");

    /// <summary>How many requests would have changed the store.</summary>
    private protected int Writes => Server.Calls.Count(call => Writing.Contains(call.Operation));

    public virtual void Dispose()
    {
        Session.Dispose();
        Server.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The keys below a prefix, without it.</summary>
    private protected string[] KeysIn(string prefix)
    {
        lock (Bucket)
        {
            return [.. from item in Bucket.Objects where item.Key.StartsWith(prefix + '/', StringComparison.Ordinal) select item.Key[(prefix.Length + 1)..]];
        }
    }

    /// <summary>What is below a prefix must be what is in a folder, and no upload may be left.</summary>
    private protected void AssertIsAs(string folder, string prefix)
    {
        Assert.Equal(Directory.EnumerateFiles(Folder[folder]).Select(Path.GetFileName).Order(StringComparer.Ordinal), KeysIn(prefix));
        Assert.All(KeysIn(prefix), name => Assert.Equal(File.ReadAllBytes(Folder[$"{folder}/{name}"]), Bucket[$"{prefix}/{name}"]));
        Assert.Empty(Bucket.Uploads);
    }
}
