using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>Checks the signature of a request (AWS4-HMAC-SHA256 in the Authorization header) by computing it.</summary>
internal sealed record S3Signature(string AccessKey, string Secret, string Region)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Refuses a request with a signature that is wrong.</summary>
    /// <param name="request">The request.</param>
    /// <param name="target">Its path and query as they were sent.</param>
    /// <param name="body">Its body.</param>
    /// <param name="now">The time.</param>
    public void Require(HttpRequest request, S3Target target, byte[] body, DateTimeOffset now)
    {
        var fields = request.Headers.Authorization.ToString()[Algorithm.Length..].Split(',')
            .Select(field => field.Trim().Split('=', 2))
            .ToDictionary(field => field[0], field => field[1]);
        var scope = fields["Credential"].Split('/');
        var time = request.Headers["x-amz-date"].ToString();
        var hash = request.Headers["x-amz-content-sha256"].ToString();

        if (scope[0] != AccessKey)
        {
            throw new S3Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
            {
                Details = new Dictionary<string, string> { ["AWSAccessKeyId"] = scope[0] },
            };
        }

        if (scope[2] != Region)
        {
            throw new S3Refusal(
                400, "AuthorizationHeaderMalformed", $"The authorization header is malformed; the region '{scope[2]}' is wrong; expecting '{Region}'")
            {
                Details = new Dictionary<string, string> { ["Region"] = Region },
            };
        }

        var sent = DateTimeOffset.ParseExact(time, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

        if ((sent - now).Duration() > TimeSpan.FromMinutes(15))
        {
            throw new S3Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.");
        }

        var signed = fields["SignedHeaders"].Split(';');
        var headers = signed.Select(name => $"{name}:{ValueOf(request, name)}");
        var canonical = string.Join(
            '\n', [request.Method, target.CanonicalPath, target.CanonicalQuery, .. headers, "", string.Join(';', signed), hash]);
        var text = string.Join('\n', Algorithm, time, string.Join('/', scope[1..]), HashOf(Encoding.UTF8.GetBytes(canonical)));
        var key = scope[1..].Aggregate(Encoding.UTF8.GetBytes("AWS4" + Secret), Sign);

        if (Convert.ToHexStringLower(Sign(key, text)) != fields["Signature"])
        {
            throw new S3Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
            {
                Details = new Dictionary<string, string>
                {
                    ["AWSAccessKeyId"] = AccessKey,
                    ["StringToSign"] = text,
                    ["SignatureProvided"] = fields["Signature"],
                },
            };
        }

        if (hash.StartsWith("STREAMING-", StringComparison.Ordinal))
        {
            throw new S3Refusal(501, "NotImplemented", "Framed bodies are not implemented.");
        }

        if (hash != "UNSIGNED-PAYLOAD" && hash != HashOf(body))
        {
            throw new S3Refusal(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.");
        }
    }

    private static string ValueOf(HttpRequest request, string name) => string.Join(',', request.Headers[name].Select(value => value!.Trim()));

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Sign(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
