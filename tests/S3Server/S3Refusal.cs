namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A request is answered with an error.</summary>
internal sealed class S3Refusal(int status, string code, string message = "It was refused.") : Exception(message)
{
    public int Status => status;

    public string Code => code;

    /// <summary>More elements of the reply's body.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new Dictionary<string, string>();

    public static S3Refusal NoBucket { get; } = new(404, "NoSuchBucket", "The specified bucket does not exist");

    public static S3Refusal NoKey { get; } = new(404, "NoSuchKey", "The specified key does not exist.");

    public static S3Refusal NoUpload { get; } = new(404, "NoSuchUpload", "The specified upload does not exist.");

    public static S3Refusal Precondition { get; } = new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");

    public static S3Refusal Denied { get; } = new(403, "AccessDenied", "Access Denied");
}
