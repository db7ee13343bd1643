using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.Http;

/// <summary>Checkpoints on web servers, which may show what is in a folder or not.</summary>
public sealed class HttpFilesTests : IDisposable
{
    private readonly HttpPlace _place = new();
    private readonly TempFolder _local = new();

    public static TheoryData<PlainFolderPages?> Pages => [(PlainFolderPages?)null, PlainFolderPages.Nginx, PlainFolderPages.Python];

    private static string HuggingFace => Repository.Data("huggingface/sharded");

    public void Dispose()
    {
        _place.Dispose();
        _local.Dispose();
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Fairseq2s_is_read(PlainFolderPages? pages)
    {
        _place.Server.FolderPages = pages;
        _place.Bucket.PutFolder(Repository.Case("fs2"), "a b/tiny/");
        var expected = CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: HttpPlace.Token);

        HttpPlace.AssertSame(expected, _place.Read("a b/tiny/model.pt"));
        HttpPlace.AssertSame(expected, _place.Read("a b/tiny"));
        HttpPlace.AssertSame(expected, _place.Read("a b/tiny/"));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Hugging_Faces_is_read(PlainFolderPages? pages)
    {
        _place.Server.FolderPages = pages;
        _place.Bucket.PutFolder(HuggingFace, "tiny/");

        HttpPlace.AssertSame(CheckpointReader.Read(HuggingFace, cancellationToken: HttpPlace.Token), _place.Read("tiny"));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Metas_is_read_with_all_of_its_shards(PlainFolderPages? pages)
    {
        _place.Server.FolderPages = pages;
        var options = new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 2 };
        CheckpointExport.Plan(CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: HttpPlace.Token), _local["meta"], options, HttpPlace.Token)
            .Execute(cancellationToken: HttpPlace.Token);
        _place.Bucket.PutFolder(_local["meta"], "tiny/");

        var read = Assert.IsType<LlamaReferenceCheckpoint>(_place.Read("tiny"));

        Assert.Equal(2, read.ShardCount);
        HttpPlace.AssertSame(CheckpointReader.Read(_local["meta"], cancellationToken: HttpPlace.Token), read);
    }

    [Theory]
    [InlineData(PlainFolderPages.Nginx)]
    [InlineData(PlainFolderPages.Python)]
    public void A_training_run_is_found_where_folders_are_shown(PlainFolderPages pages)
    {
        _place.Server.FolderPages = pages;
        _place.Bucket.PutFolder(Repository.Case("fs2"), "run/checkpoints/step_5/");
        _place.Bucket.PutFolder(Repository.Case("fs2"), "run/checkpoints/step_10/");

        Assert.Equal([10L, 5L], Fairseq2Checkpoint.FindSteps(new CheckpointAddress(_place.AddressOf("run")), HttpPlace.Token));
        Assert.Equal("run@10", _place.Read("run").Name);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void What_is_not_there_is_an_error_that_says_what_to_do(PlainFolderPages? pages)
    {
        _place.Server.FolderPages = pages;
        _place.Bucket.Put("other/file", [1]);

        var error = ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => _place.Read("other"), _place.AddressOf("other"));
        Assert.Equal(pages is null, error.Message.Contains("The server does not show what is in this folder", StringComparison.Ordinal));
    }

    /// <summary>As at a hub: nothing can be listed, and files lie in another place of another server.</summary>
    [Fact]
    public void A_hub_is_read_that_sends_its_readers_elsewhere()
    {
        using var other = new S3Server();
        other.Bucket("cdn").PutFolder(HuggingFace, "blobs/");
        _place.Server.Fault = call => other.Bucket("cdn").Objects.ContainsKey($"blobs/{call.Key.Split('/')[^1]}")
            ? S3Fault.Redirect(new Uri(other.PlainAddress, $"cdn/blobs/{call.Key.Split('/')[^1]}?Signature=TOPSECRET"))
            : S3Fault.Refusal(404, "EntryNotFound");

        var read = _place.Read("org/tiny/resolve/main");

        Assert.Equal(_place.AddressOf("org/tiny/resolve/main"), read.Path);
        HttpPlace.AssertSame(CheckpointReader.Read(HuggingFace, cancellationToken: HttpPlace.Token), read);
        Assert.All(other.Calls, call => Assert.EndsWith("?Signature=TOPSECRET", call.Target, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public void Redirects_are_followed(int status)
    {
        using var other = new S3Server();
        other.Bucket("bucket").PutFolder(Repository.Case("fs2"), "elsewhere/");
        _place.Server.Fault = call => call.Key switch
        {
            "tiny/model.pt" => S3Fault.Redirect(new Uri(_place.AddressOf("second/model.pt")), status),
            "second/model.pt" => S3Fault.Redirect(new Uri(other.PlainAddress, "bucket/elsewhere/model.pt"), status),
            _ => null,
        };

        HttpPlace.AssertSame(CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: HttpPlace.Token), _place.Read("tiny/model.pt"));
        Assert.All(other.Calls, call => Assert.Contains("Range", call.Headers.Keys));
    }

    [Fact]
    public void Redirects_in_a_circle_are_an_error()
    {
        _place.Server.Fault = call => S3Fault.Redirect(new Uri(_place.AddressOf(call.Key)));

        ErrorAssert.Throws(CheckpointErrorCode.ReadFailed, () => _place.Read("tiny/model.pt"), _place.AddressOf("tiny"), "302");
    }
}
