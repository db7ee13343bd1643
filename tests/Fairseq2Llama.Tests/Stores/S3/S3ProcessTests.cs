using Fairseq2Llama.Benchmark.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>The server in a process of its own, as the benchmark uses it.</summary>
[External]
public sealed class S3ProcessTests
{
    [Fact]
    public async Task Gives_what_was_put_and_counts_it()
    {
        CategoryAttribute.Require();
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["a file"], "content", TestContext.Current.CancellationToken);
        using var client = new HttpClient();
        using var server = new StoreServer();
        server.Put("in/", folder.Path);
        Assert.Equal(default, server.TakeTraffic());

        var content = await client.GetStringAsync(new Uri(server.Address, "plain/bucket/in/a%20file"), TestContext.Current.CancellationToken);

        Assert.Equal("content", content);
        Assert.Equal(new Traffic(1, 0, content.Length), server.TakeTraffic());
        Assert.Equal(default, server.TakeTraffic());

        server.Remove("in/");
        using var reply = await client.GetAsync(new Uri(server.Address, "plain/bucket/in/a%20file"), TestContext.Current.CancellationToken);
        Assert.Equal(404, (int)reply.StatusCode);
    }
}
