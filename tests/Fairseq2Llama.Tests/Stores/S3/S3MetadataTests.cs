using System.Diagnostics;
using Fairseq2Llama.S3;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Changes the environment of the process.</summary>
[CollectionDefinition(nameof(S3MetadataTests), DisableParallelization = true)]
[Collection(nameof(S3MetadataTests))]
public sealed class S3MetadataTests : IDisposable
{
    private const string Variable = "AWS_EC2_METADATA_DISABLED";

    private readonly S3Server _server = new();

    public S3MetadataTests() => Environment.SetEnvironmentVariable(Variable, null);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, "true");
        _server.Dispose();
    }

    [Fact]
    public async Task Credentials_are_not_waited_for_where_nothing_gives_them()
    {
        _server.Bucket("public", isPublic: true).Put("key", [1]);
        var watch = Stopwatch.StartNew();

        var client = new S3Factory().Open(new Uri("s3://public"), _server.Access with { ProfileName = null });
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.NotNull(await client.FindAsync("key", CancellationToken.None));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));

        watch.Restart();
        Assert.NotNull(await client.FindAsync("key", CancellationToken.None));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }
}
