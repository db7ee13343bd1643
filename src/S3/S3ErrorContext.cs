namespace Fairseq2Llama.S3;

/// <summary>What a message about a failed request tells.</summary>
/// <param name="Bucket">The name of the bucket.</param>
/// <param name="Address">The address that the request was about.</param>
/// <param name="Region">The region that the request was signed for.</param>
/// <param name="IsAnonymous">Whether there were no credentials.</param>
internal sealed record S3ErrorContext(string Bucket, string Address, string Region, bool IsAnonymous);
