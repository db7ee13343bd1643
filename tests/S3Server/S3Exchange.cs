using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A request and the reply to it.</summary>
internal sealed class S3Exchange(HttpContext context, S3Target target, S3Call call, byte[] body, S3Fault? fault, CancellationToken stopping)
{
    private static readonly XNamespace Names = "http://s3.amazonaws.com/doc/2006-03-01/";

    public S3Target Target => target;

    public S3Operation Operation => call.Operation;

    public string Key => target.Key;

    public byte[] Body => body;

    /// <summary>Whether a range is answered with everything.</summary>
    public bool SendsWhole => fault?.SendsWhole == true;

    public string? Header(string name) => context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    public string? Argument(string name) => target.Query.GetValueOrDefault(name);

    public IReadOnlyDictionary<string, string> Metadata() =>
        context.Request.Headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key["x-amz-meta-".Length..].ToLowerInvariant(), header => header.Value.ToString());

    public void SetHeader(string name, string value)
    {
        if (fault?.Hidden.Contains(name) == true)
        {
            return;
        }

        context.Response.Headers[name] = name switch
        {
            "Content-Range" => fault?.ContentRange ?? value,
            "ETag" => fault?.Tag ?? value,
            _ => value,
        };
    }

    public Task SendAsync(int status) => SendAsync(status, "", ReadOnlyMemory<byte>.Empty);

    public Task SendXmlAsync(XElement root)
    {
        foreach (var element in root.DescendantsAndSelf())
        {
            element.Name = Names + element.Name.LocalName;
        }

        var text = new XDeclaration("1.0", "UTF-8", standalone: null) + root.ToString(SaveOptions.DisableFormatting);
        return SendAsync(200, "application/xml", Encoding.UTF8.GetBytes(text));
    }

    public Task SendAsync(S3Refusal refusal)
    {
        if (fault is { RetryAfter: { } wait })
        {
            SetHeader("Retry-After", ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }

        if (fault?.Location is { } location)
        {
            SetHeader("Location", location.AbsoluteUri);
        }

        var error = new XElement(
            "Error",
            new XElement("Code", refusal.Code),
            new XElement("Message", refusal.Message),
            refusal.Details.Select(detail => new XElement(detail.Key, detail.Value)));
        return SendAsync(refusal.Status, "application/xml", Encoding.UTF8.GetBytes(error.ToString()));
    }

    public async Task SendAsync(int status, string type, ReadOnlyMemory<byte> content)
    {
        if (fault?.LosesReply == true)
        {
            context.Abort();
            return;
        }

        if (fault?.WithholdsReply == true)
        {
            await WaitAsync();
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;

        // What follows 204 has no length.
        if (status != 204)
        {
            context.Response.ContentLength = content.Length;
            context.Response.ContentType = type.Length == 0 ? null : type;
        }

        if (HttpMethods.IsHead(context.Request.Method) || content.IsEmpty)
        {
            return;
        }

        await SendBodyAsync(content);
    }

    /// <summary>After less than was announced, the connection is closed by Kestrel; Abort would also take back what is on its way.</summary>
    private async Task SendBodyAsync(ReadOnlyMemory<byte> content)
    {
        var sent = content[..Math.Min(content.Length, fault?.CutsAfter ?? fault?.StallsAfter ?? content.Length)];
        await context.Response.StartAsync();
        call.AddSent(sent.Length); // Whoever has received it finds it counted.
        await context.Response.BodyWriter.WriteAsync(sent);

        if (fault is { StallsAfter: not null })
        {
            await WaitAsync();
        }
    }

    /// <summary>Says nothing until the other side has had enough.</summary>
    public async Task WaitAsync()
    {
        fault?.AfterLast?.Invoke();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        await Task.Delay(Timeout.Infinite, end.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    }
}
