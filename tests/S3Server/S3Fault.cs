namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>What goes wrong with a request. Several things can.</summary>
internal sealed record S3Fault
{
    /// <summary>The connection is reset before anything is done.</summary>
    public static S3Fault Reset { get; } = new() { Resets = true };

    /// <summary>The request is done, and the connection is reset instead of a reply.</summary>
    public static S3Fault LostReply { get; } = new() { LosesReply = true };

    /// <summary>A request for a range gets all of the object with status 200.</summary>
    public static S3Fault WholeObject { get; } = new() { SendsWhole = true };

    /// <summary>Nothing is done, and nothing comes back, for as long as the client waits.</summary>
    public static S3Fault Silence { get; } = new() { IsSilent = true };

    /// <summary>It is done, and nothing comes back, for as long as the client waits.</summary>
    public static S3Fault DoneInSilence { get; } = new() { WithholdsReply = true };

    public bool Resets { get; init; }

    public bool WithholdsReply { get; init; }

    public bool IsSilent { get; init; }

    public bool LosesReply { get; init; }

    public bool SendsWhole { get; init; }

    /// <summary>The status of a refusal.</summary>
    public int? Status { get; init; }

    /// <summary>The code of a refusal; with status 200 it comes in the body, where only some operations may fail so.</summary>
    public string Code { get; init; } = "InternalError";

    /// <summary>Sent with a refusal, in whole seconds.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Sent with a refusal: where the object is instead.</summary>
    public Uri? Location { get; init; }

    /// <summary>Sent instead of the true Content-Range.</summary>
    public string? ContentRange { get; init; }

    /// <summary>Sent instead of the true ETag.</summary>
    public string? Tag { get; init; }

    /// <summary>The names of headers that are not sent.</summary>
    public IReadOnlyList<string> Hidden { get; init; } = [];

    /// <summary>The connection is closed after this many bytes of the body.</summary>
    public int? CutsAfter { get; init; }

    /// <summary>Nothing follows these many bytes of the body, and the connection stays.</summary>
    public int? StallsAfter { get; init; }

    /// <summary>Called when nothing follows any more, so that nobody need wait for a timeout.</summary>
    public Action? AfterLast { get; init; }

    public static S3Fault Refusal(int status, string code = "InternalError", TimeSpan? retryAfter = null) =>
        new() { Status = status, Code = code, RetryAfter = retryAfter };

    public static S3Fault Redirect(Uri location, int status = 302) => new() { Status = status, Location = location };

    public static S3Fault Cut(int bytes) => new() { CutsAfter = bytes };

    public static S3Fault Stall(int bytes) => new() { StallsAfter = bytes };
}
