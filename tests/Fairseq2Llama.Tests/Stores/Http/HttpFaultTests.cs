using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.Http;

/// <summary>What web servers answer, and whoever is between: either the bytes are right, or there is an error that says what to do.</summary>
public sealed class HttpFaultTests : IDisposable
{
    private readonly HttpPlace _place = new();

    public HttpFaultTests()
    {
        _place.Bucket.PutFolder(Repository.Case("fs2"), "tiny/");
        _place.Bucket.PutFolder(Repository.Data("huggingface/sharded"), "hub/");
    }

    private static LlamaCheckpoint Expected => CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: HttpPlace.Token);

    public void Dispose() => _place.Dispose();

    /// <summary>Nothing to tell a version by; a proxy that takes the ETag off some replies.</summary>
    [Theory]
    [InlineData("weak")]
    [InlineData("none")]
    [InlineData("date")]
    [InlineData("sometimes")]
    public void Servers_need_not_say_a_version(string version)
    {
        _place.Server.Fault = call => version switch
        {
            "weak" => new S3Fault { Tag = "W/\"1\"" },
            "none" => new S3Fault { Hidden = ["ETag", "Last-Modified"] },
            "date" => new S3Fault { Hidden = ["ETag"] },
            _ => call.Headers.GetValueOrDefault("Range") != "bytes=0-0" ? new S3Fault { Hidden = ["ETag"] } : null,
        };

        HttpPlace.AssertSame(Expected, _place.Read("tiny/model.pt"));
    }

    [Theory]
    [InlineData("strong")]
    [InlineData("weak")]
    [InlineData("date")]
    public void What_was_changed_after_its_index_was_read_is_not_exported(string version)
    {
        using var local = new TempFolder();
        var number = 1;
        _place.Server.Fault = _ => version switch
        {
            "weak" => new S3Fault { Tag = $"W/\"{number}\"" },
            "date" => new S3Fault { Hidden = ["ETag"] },
            _ => null,
        };
        var plan = CheckpointExport.Plan(_place.Read("tiny/model.pt"), local["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }, HttpPlace.Token);

        number++;
        var bytes = (byte[])_place.Bucket["tiny/model.pt"].Clone();
        bytes[^1000] ^= 1;
        _place.Bucket.Put("tiny/model.pt", bytes, written: DateTimeOffset.UtcNow.AddMinutes(1));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => plan.Execute(cancellationToken: HttpPlace.Token), _place.AddressOf("tiny/model.pt"), "was changed");
        Assert.Empty(local.Content);
    }

    /// <summary>Small files are read whole, weights can't be.</summary>
    [Fact]
    public void A_server_without_ranges_is_named_as_the_reason()
    {
        _place.Server.Fault = _ => S3Fault.WholeObject;

        ErrorAssert.Throws(
            CheckpointErrorCode.ReadFailed,
            () => _place.ReadHastily("hub"),
            _place.AddressOf("hub/model-0000"), "status 200 instead of 206", "Files can be read only from servers that answer range requests");
        Assert.Contains(_place.CallsBelow("hub/config.json"), call => call.Sent > 100);
    }

    [Theory]
    [InlineData("tiny/model.pt")]
    [InlineData("hub")]
    public void A_signature_goes_with_each_request_and_into_no_message(string key)
    {
        const string Query = "sv=2024&sig=TOP%2FSECRET%3D";

        foreach (var pages in (PlainFolderPages?[])[null, PlainFolderPages.Nginx])
        {
            _place.Server.FolderPages = pages;
            var address = new CheckpointAddress($"{_place.AddressOf(key)}?{Query}");
            var read = CheckpointReader.Read(address, cancellationToken: HttpPlace.Token);

            Assert.DoesNotContain("SECRET", $"{address} {read.Path} {read.Name} {string.Join(' ', read.Files)}", StringComparison.Ordinal);
        }

        Assert.All(_place.Server.Calls, call => Assert.EndsWith($"?{Query}", call.Target, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(401, 1)]
    [InlineData(403, 1)]
    [InlineData(400, 1)]
    [InlineData(429, 5)]
    [InlineData(500, 5)]
    [InlineData(503, 5)]
    public void A_refusal_is_told_without_the_signature(int status, int tries)
    {
        foreach (var name in (string[])["config.json", "model.safetensors.index.json", "model-00002-of-00002.safetensors"])
        {
            _place.Server.ResetCounts();
            _place.Server.Fault = call => call.Key == $"hub/{name}" ? S3Fault.Refusal(status) : null;

            var error = ErrorAssert.Throws(
                CheckpointErrorCode.ReadFailed, () => _place.ReadHastily("hub", "sig=TOPSECRET"), $"{_place.AddressOf($"hub/{name}")}", $" {status} ");

            Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
            Assert.Equal(tries, _place.CallsBelow($"hub/{name}").Count());
        }
    }

    [Fact]
    public void Data_that_may_not_be_read_any_more_is_told_without_the_signature()
    {
        var read = _place.ReadHastily("tiny/model.pt", "sig=TOPSECRET");
        _place.Server.Fault = _ => S3Fault.Refusal(403);

        var found = CheckpointTest.Run(read, new CheckpointTestOptions { Architecture = TinyModel.Architecture, Deep = true }, cancellationToken: HttpPlace.Token);

        Assert.NotEmpty(found.Findings);
        Assert.All(found.Findings, finding => Assert.Contains("403", finding.Message, StringComparison.Ordinal));
        Assert.All(found.Findings, finding => Assert.Contains(_place.AddressOf("tiny/model.pt"), finding.Message, StringComparison.Ordinal));
        Assert.All(found.Findings, finding => Assert.DoesNotContain("SECRET", finding.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public void A_server_that_wants_to_be_left_alone_is(int status)
    {
        _place.Server.Fault = call => call.Number <= 2 ? S3Fault.Refusal(status, retryAfter: TimeSpan.FromSeconds(7)) : null;

        HttpPlace.AssertSame(Expected, _place.ReadHastily("tiny/model.pt"));
        Assert.True(_place.Clock.Delays.Count(delay => delay == TimeSpan.FromSeconds(7)) >= 2);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("cut")]
    [InlineData("stalled")]
    [InlineData("silent")]
    public void What_breaks_off_goes_on(string what)
    {
        var fault = what switch
        {
            "reset" => S3Fault.Reset,
            "cut" => S3Fault.Cut(10),
            "stalled" => S3Fault.Stall(10) with { AfterLast = _place.Clock.Expire },
            _ => S3Fault.Silence with { AfterLast = _place.Clock.Expire },
        };
        _place.Server.FolderPages = PlainFolderPages.Nginx;
        _place.Server.Fault = call => call.Number <= 2 ? fault : null;

        HttpPlace.AssertSame(Expected, _place.ReadHastily("tiny"));
    }

    /// <summary>A page that is too long, or no page, or a folder that nobody may look into: files are asked for by their names.</summary>
    [Theory]
    [InlineData("long")]
    [InlineData("403")]
    [InlineData("405")]
    public void A_folder_that_is_not_shown_is_read_by_names(string what)
    {
        if (what == "long")
        {
            _place.Server.FolderPages = PlainFolderPages.Python;
            var name = new string('x', 250);

            for (var i = 0; i < 20_000; i++)
            {
                _place.Bucket.Objects[$"hub/{name}{i}"] = _place.Bucket.Objects["hub/config.json"];
            }
        }
        else
        {
            _place.Server.Fault = call => call.Key.EndsWith('/') ? S3Fault.Refusal(int.Parse(what, System.Globalization.CultureInfo.InvariantCulture)) : null;
        }

        HttpPlace.AssertSame(CheckpointReader.Read(Repository.Data("huggingface/sharded"), cancellationToken: HttpPlace.Token), _place.ReadHastily("hub"));
    }

    /// <summary>A folder that is busy just now is not one that can't be listed.</summary>
    [Fact]
    public void A_folder_page_is_asked_for_again()
    {
        _place.Server.FolderPages = PlainFolderPages.Nginx;
        _place.Server.Fault = call => call.Key.EndsWith('/') && call.Number == 1 ? S3Fault.Refusal(503) : null;
        _place.Bucket.PutFolder(Repository.Case("fs2"), "run/checkpoints/step_5/");

        Assert.Equal("run@5", _place.ReadHastily("run").Name);
    }
}
