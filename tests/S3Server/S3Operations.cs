using Microsoft.AspNetCore.Http;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>Tells requests apart.</summary>
internal static class S3Operations
{
    public static S3Operation Of(HttpRequest request, S3Target target)
    {
        var hasUpload = target.Query.ContainsKey("uploadId");

        return (request.Method, target.IsPlain) switch
        {
            ("GET", true) => S3Operation.PlainGet,
            ("HEAD", true) => S3Operation.PlainHead,
            ("GET", _) when target.Query.ContainsKey("uploads") => S3Operation.ListUploads,
            ("GET", _) when target.Key.Length == 0 => S3Operation.List,
            ("GET", _) => S3Operation.Get,
            ("HEAD", _) => S3Operation.Head,
            ("PUT", _) when hasUpload && request.Headers.ContainsKey("x-amz-copy-source") => S3Operation.Copy,
            ("PUT", _) when hasUpload => S3Operation.Upload,
            ("PUT", _) => S3Operation.Put,
            ("POST", _) when hasUpload => S3Operation.Complete,
            ("POST", _) => S3Operation.Begin,
            ("DELETE", _) when hasUpload => S3Operation.Discard,
            ("DELETE", _) => S3Operation.Delete,
            _ => throw new InvalidOperationException($"{request.Method} is not a method of S3."),
        };
    }
}
