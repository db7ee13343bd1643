using System.Net;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using Fairseq2Llama.AzureBlobs;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Answers what a test says, and keeps what it was asked.</summary>
/// <param name="answer">The answer to a request.</param>
internal sealed class FakeAzure(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
{
    public static readonly Uri Container = new("https://account.blob.core.windows.net/runs");

    public List<HttpRequestMessage> Requests { get; } = [];

    /// <summary>An error as the service writes it.</summary>
    public static HttpResponseMessage Error(HttpStatusCode status, string code, string message = "It says why.")
    {
        var reply = new HttpResponseMessage(status)
        {
            Content = new StringContent($"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}\nRequestId:1\nTime:2</Message></Error>", Encoding.UTF8, "application/xml"),
        };
        reply.Headers.Add("x-ms-error-code", code);
        reply.Headers.Add("x-secret", "secret");
        return reply;
    }

    /// <summary>A client that asks it.</summary>
    /// <param name="findUser">Finds whoever is signed in; null if a test has nobody to be found.</param>
    /// <param name="signature">A SAS.</param>
    /// <param name="container">The container.</param>
    public IObjectClient Open(Func<TokenCredential>? findUser = null, string? signature = null, Uri? container = null) => AzureBlobFactory.Open(
        container ?? Container,
        new StoreAccess { SasToken = signature is null ? null : Azurite.Secret(signature) },
        findUser ?? (() => throw new InvalidOperationException("Nobody should be looked for.")),
        new HttpClientTransport(this));

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (Requests)
        {
            Requests.Add(request);
        }

        return Task.FromResult(answer(request));
    }
}
