using Fairseq2Llama.S3;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

public sealed class S3ListingTests : IDisposable
{
    private readonly S3Server _server = new();
    private readonly IObjectClient _client;

    public S3ListingTests() => _client = new S3Factory().Open(new Uri("s3://bucket"), _server.Access);

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task An_empty_bucket_has_nothing()
    {
        var page = await _client.ListAsync("", continuation: null, CancellationToken.None);

        Assert.Empty(page.Objects);
        Assert.Empty(page.Prefixes);
        Assert.Null(page.Continuation);
    }

    [Fact]
    public async Task Only_what_is_directly_below_a_prefix_is_listed()
    {
        Fill("run", "run/", "run/model.yaml", "run/step_1/a", "run/step_1/b", "run/step_2/pp_0/a", "runs/other");

        var page = await _client.ListAsync("run/", continuation: null, CancellationToken.None);

        Assert.Equal(["run/model.yaml"], page.Objects.Select(found => found.Key));
        Assert.Equal(["run/step_1/", "run/step_2/"], page.Prefixes);
        Assert.Equal(new StoredObject("run/model.yaml", 3, _server.Bucket("bucket").Objects["run/model.yaml"].Tag), page.Objects[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public async Task Pages_follow_each_other(int length)
    {
        _server.PageLength = length;
        Fill("a", "b/1", "b/2", "c", "d 1+2%", "größe/x", "z");
        var (objects, prefixes, requests) = (new List<string>(), new List<string>(), 0);

        for (string? next = null; requests == 0 || next is not null; requests++)
        {
            var page = await _client.ListAsync("", next, CancellationToken.None);
            objects.AddRange(page.Objects.Select(found => found.Key));
            prefixes.AddRange(page.Prefixes);
            next = page.Continuation;
        }

        Assert.Equal(["a", "c", "d 1+2%", "z"], objects);
        Assert.Equal(["b/", "größe/"], prefixes);
        Assert.Equal((6 + length - 1) / length, requests);
    }

    private void Fill(params string[] keys)
    {
        foreach (var key in keys)
        {
            _server.Bucket("bucket").Put(key, [1, 2, 3]);
        }
    }
}
