using System.Diagnostics;
using Fairseq2Llama.S3;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Changes what all requests of the process find, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(S3EnvironmentTests), DisableParallelization = true)]
[Collection(nameof(S3EnvironmentTests))]
public sealed class S3EnvironmentTests : IDisposable
{
    private const string Variable = "AWS_EC2_METADATA_DISABLED";

    private readonly S3Server _server = new();

    public S3EnvironmentTests()
    {
        S3Profiles.Use();
        Environment.SetEnvironmentVariable(Variable, null);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, "true");
        _server.Dispose();
    }

    [Fact]
    public async Task A_line_of_the_configuration_that_makes_no_sense_is_not_repeated()
    {
        var file = Environment.GetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE")!;
        var usual = File.ReadAllText(file);
        File.AppendAllText(file, $"\n{S3Profiles.OtherSecret}\n");

        try
        {
            var client = new S3Factory().Open(new Uri("s3://bucket"), _server.Access);
            var call = () => client.PutAsync("key", new byte[1], "run 1", replaces: null, CancellationToken.None);

            var exception = await S3Assert.Throws(StoreFailure.Refused, call, "AWS configuration");
            Assert.DoesNotContain(S3Profiles.OtherSecret, exception.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            File.WriteAllText(file, usual);
        }
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
