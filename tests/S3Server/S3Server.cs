using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>
/// A store on this machine that speaks the protocol of S3, as far as it is needed. It keeps everything in memory, checks signatures, checksums,
/// conditions and the lengths of parts, counts, and misbehaves if it is asked to. Below <see cref="PlainAddress"/> it gives objects to everybody, as
/// any web server does.
/// </summary>
internal sealed class S3Server : IDisposable
{
    public const string AccessKey = "AKIATESTTESTTEST";
    public const string Secret = "wJalrTESTsecretTESTsecretTESTsecret";

    private readonly ConcurrentDictionary<string, S3Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<S3Call> _calls = new();
    private readonly ConcurrentDictionary<(S3Operation, string), int> _numbers = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly WebApplication _application;
    private int _uploads;

    /// <summary>Starts it, on a port that is free.</summary>
    public S3Server()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinResponseDataRate = null;
            options.Listen(IPAddress.Loopback, port: 0);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);

        _application = builder.Build();
        _application.Run(HandleAsync);
        _application.Start();
        Address = new Uri(_application.Urls.Single());
        Bucket("bucket");
    }

    /// <summary>Where it is.</summary>
    public Uri Address { get; }

    /// <summary>Where <c>BUCKET/KEY</c> can be read without a signature.</summary>
    public Uri PlainAddress => new(Address, "plain/");

    /// <summary>The region that requests must be signed for.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>Bytes that a part must have, but for the last.</summary>
    public int MinPartLength { get; set; } = 5 << 20;

    /// <summary>The most that a page of a listing has.</summary>
    public int PageLength { get; set; } = 1000;

    /// <summary>What it does otherwise than AWS.</summary>
    public S3Manners Manners { get; set; }

    /// <summary>The pages that show folders below <see cref="PlainAddress"/>; null where they are not shown.</summary>
    public PlainFolderPages? FolderPages { get; set; }

    /// <summary>How long each request takes.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>How far its clock is ahead.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>What goes wrong with a request; null where nothing does.</summary>
    public Func<S3Call, S3Fault?> Fault { get; set; } = _ => null;

    /// <summary>All requests, in their order.</summary>
    public IReadOnlyCollection<S3Call> Calls => _calls;

    /// <summary>The time of its clock.</summary>
    public DateTimeOffset Now => DateTimeOffset.UtcNow + ClockOffset;

    /// <summary>A bucket, which is made when it is first asked for.</summary>
    public S3Bucket Bucket(string name, bool isPublic = false) => _buckets.GetOrAdd(name, _ => new S3Bucket { IsPublic = isPublic });

    /// <summary>The number of requests of a kind.</summary>
    public int Count(S3Operation operation) => _calls.Count(call => call.Operation == operation);

    /// <summary>The bytes that were sent in replies to requests of a kind.</summary>
    public long Sent(S3Operation operation) => _calls.Where(call => call.Operation == operation).Sum(call => call.Sent);

    /// <summary>The bytes that were received in requests of a kind.</summary>
    public long Received(S3Operation operation) => _calls.Where(call => call.Operation == operation).Sum(call => call.Received);

    public void ResetCounts() => _calls.Clear();

    /// <summary>All requests since they were last taken.</summary>
    public IReadOnlyCollection<S3Call> TakeCalls()
    {
        var calls = new List<S3Call>();

        while (_calls.TryDequeue(out var call))
        {
            calls.Add(call);
        }

        return calls;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        ((IDisposable)_application).Dispose();
        _stopping.Dispose();
    }

    internal S3Bucket BucketOf(string name) => _buckets.GetValueOrDefault(name) ?? throw S3Refusal.NoBucket;

    internal string NewUploadId() => $"upload-{Interlocked.Increment(ref _uploads):D6}";

    private async Task HandleAsync(HttpContext context)
    {
        var target = new S3Target(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        var call = Record(context.Request, target);

        // Where requests take minutes, the server still ends at once.
        await Task.Delay(Latency, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        var fault = Fault(call);

        if (fault?.Resets == true)
        {
            context.Abort();
            return;
        }

        var body = await ReadAsync(context.Request);
        call.AddReceived(body.Length);
        context.Response.Headers.Date = Now.ToString("R", CultureInfo.InvariantCulture);
        var exchange = new S3Exchange(context, target, call, body, fault, _stopping.Token);

        if (fault?.IsSilent == true)
        {
            await exchange.WaitAsync();
            context.Abort();
            return;
        }

        try
        {
            if (fault is { Status: { } status })
            {
                throw new S3Refusal(status, fault.Code, "The test asks for it.");
            }

            Authorize(context.Request, exchange);
            await PerformAsync(exchange);
        }
        catch (S3Refusal refusal)
        {
            context.Response.Headers["x-amz-bucket-region"] = Region;
            await exchange.SendAsync(refusal);
        }
    }

    private S3Call Record(HttpRequest request, S3Target target)
    {
        var operation = S3Operations.Of(request, target);
        var key = operation is S3Operation.List or S3Operation.ListUploads ? target.Query.GetValueOrDefault("prefix", "") : target.Key;
        var call = new S3Call(operation, request.Method, target.Bucket, key, _numbers.AddOrUpdate((operation, key), 1, (_, last) => last + 1), target.Raw)
        {
            Headers = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        };
        _calls.Enqueue(call);
        return call;
    }

    private void Authorize(HttpRequest request, S3Exchange exchange)
    {
        if (exchange.Target.IsPlain)
        {
            return;
        }

        if (exchange.Header("Authorization") is not null)
        {
            new S3Signature(AccessKey, Secret, Region).Require(request, exchange.Target, exchange.Body, Now);
        }
        else if (!BucketOf(exchange.Target.Bucket).IsPublic || exchange.Operation is not (S3Operation.Get or S3Operation.Head or S3Operation.List))
        {
            throw S3Refusal.Denied;
        }
    }

    private Task PerformAsync(S3Exchange exchange)
    {
        var bucket = BucketOf(exchange.Target.Bucket);
        var objects = new S3Objects(bucket, this);
        var uploads = new S3UploadRequests(bucket, this);

        return exchange.Operation switch
        {
            S3Operation.List => objects.ListAsync(exchange),
            S3Operation.Put => objects.PutAsync(exchange),
            S3Operation.Delete => objects.DeleteAsync(exchange),
            S3Operation.Begin => uploads.BeginAsync(exchange),
            S3Operation.Upload => uploads.UploadAsync(exchange),
            S3Operation.Copy => uploads.CopyAsync(exchange),
            S3Operation.Complete => uploads.CompleteAsync(exchange),
            S3Operation.Discard => uploads.DiscardAsync(exchange),
            S3Operation.ListUploads => uploads.ListAsync(exchange),
            _ => objects.ReadAsync(exchange),
        };
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength is { } length)
        {
            var whole = new byte[length];
            await request.Body.ReadExactlyAsync(whole);
            return whole;
        }

        var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }
}
