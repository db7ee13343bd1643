using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Something that goes wrong with requests, and how what needed them ends.</summary>
/// <param name="Name">What goes wrong.</param>
/// <param name="Operation">With which requests.</param>
/// <param name="Fault">What goes wrong with the how manieth of them, from 1.</param>
/// <param name="Error">The error; null where all must go well in spite of it.</param>
/// <param name="Words">What the error says.</param>
internal sealed record S3FaultCase(
    string Name, S3Operation Operation, Func<int, StoppedClock, S3Fault?> Fault, CheckpointErrorCode? Error = null, string Words = "")
{
    /// <summary>Part of the key; those of the input begin with "in/", those of the output with "out/".</summary>
    public string Key { get; init; } = "";

    /// <summary>What goes wrong while something is read.</summary>
    public static IEnumerable<S3FaultCase> OfReading { get; } =
    [
        new("the whole object for a range", S3Operation.Get, Always(S3Fault.WholeObject), CheckpointErrorCode.ReadFailed, "status 200 instead of 206"),
        new("another range", S3Operation.Get, Always(new S3Fault { ContentRange = "bytes 0-0/35192" }), CheckpointErrorCode.ReadFailed, "instead of bytes"),
        new("no range", S3Operation.Get, Always(new S3Fault { ContentRange = "all of it" }), CheckpointErrorCode.ReadFailed, "no valid Content-Range"),
        new("another version", S3Operation.Get, Always(new S3Fault { Tag = "\"other\"" }), CheckpointErrorCode.CheckpointCorrupt, "was changed"),
        new("broken off at once", S3Operation.Get, First(4, S3Fault.Cut(0))),
        new("broken off", S3Operation.Get, First(4, S3Fault.Cut(30))),
        new("broken off again and again", S3Operation.Get, Always(S3Fault.Cut(1)), CheckpointErrorCode.ReadFailed, "tried 5 times"),
        new("stalled", S3Operation.Get, (number, clock) => number == 1 ? S3Fault.Stall(30) with { AfterLast = clock.Expire } : null),
        new("silent", S3Operation.Get, (number, clock) => number == 1 ? S3Fault.Silence with { AfterLast = clock.Expire } : null),
        new("reset", S3Operation.Get, First(2, S3Fault.Reset)),
        new("reset for ever", S3Operation.Get, Always(S3Fault.Reset), CheckpointErrorCode.ReadFailed, "can't be reached"),
        new("429", S3Operation.Get, First(2, S3Fault.Refusal(429, "TooManyRequests", TimeSpan.FromSeconds(7)))),
        new("503", S3Operation.Get, First(2, S3Fault.Refusal(503, "SlowDown", TimeSpan.FromSeconds(7)))),
        new("500 four times", S3Operation.Get, First(4, S3Fault.Refusal(500))),
        new("500 for ever", S3Operation.Get, Always(S3Fault.Refusal(500)), CheckpointErrorCode.ReadFailed, "InternalError"),
        new("403", S3Operation.Get, Always(S3Fault.Refusal(403, "AccessDenied")), CheckpointErrorCode.ReadFailed, "is denied"),
        new("gone", S3Operation.Get, Always(S3Fault.Refusal(404, "NoSuchKey")), CheckpointErrorCode.CheckpointCorrupt, "was changed"),
    ];

    /// <summary>What goes wrong while something is written and can be helped.</summary>
    public static IEnumerable<S3FaultCase> OfWriting { get; } =
    [
        .. from operation in (S3Operation[])[S3Operation.Put, S3Operation.Begin, S3Operation.Upload, S3Operation.Complete, S3Operation.Delete]
           from fault in (S3FaultCase[])
           [
               new($"{operation}: reply lost", operation, (_, _) => S3Fault.LostReply),
               new($"{operation}: reset", operation, (_, _) => S3Fault.Reset),
               new($"{operation}: silent", operation, (_, clock) => S3Fault.Silence with { AfterLast = clock.Expire }),
               new($"{operation}: 429", operation, (_, _) => S3Fault.Refusal(429, "TooManyRequests", TimeSpan.FromSeconds(7))),
               new($"{operation}: 503", operation, (_, _) => S3Fault.Refusal(503, "SlowDown", TimeSpan.FromSeconds(7))),
               new($"{operation}: 500", operation, (_, _) => S3Fault.Refusal(500)),
           ]
           select fault with { Fault = (number, clock) => number == 1 ? fault.Fault(number, clock) : null },
        new("Put: conflict", S3Operation.Put, First(1, S3Fault.Refusal(409, "ConditionalRequestConflict"))),
        new("Complete: conflict", S3Operation.Complete, First(1, S3Fault.Refusal(409, "ConditionalRequestConflict"))),
        new("Complete: 200 with an error", S3Operation.Complete, First(1, S3Fault.Refusal(200))),
        new("Every reply lost", S3Operation.Put, Odd(S3Fault.LostReply)),
    ];

    /// <summary>What goes wrong while something is written and can't be helped.</summary>
    public static IEnumerable<S3FaultCase> OfWritingForEver { get; } =
    [
        .. from target in (string[])["Put params.json", "Put .fairseq2llama", "Begin", "Upload", "Complete"]
           let words = target.Split(' ')
           from fault in (S3FaultCase[])
           [
               new("reset", default, Always(S3Fault.Reset), CheckpointErrorCode.WriteFailed, "can't be reached"),
               new("403", default, Always(S3Fault.Refusal(403, "AccessDenied")), CheckpointErrorCode.WriteFailed, "is denied"),
               new("500", default, Always(S3Fault.Refusal(500)), CheckpointErrorCode.WriteFailed, "InternalError"),
           ]
           select fault with
           {
               Name = $"{target}: {fault.Name}",
               Operation = Enum.Parse<S3Operation>(words[0]),
               Key = words.Length > 1 ? words[1] : "",
           },
        new("Upload: 403 in the middle", S3Operation.Upload, (number, _) => number > 2 ? S3Fault.Refusal(403, "AccessDenied") : null, CheckpointErrorCode.WriteFailed, "is denied"),
        new("Complete: 200 with an error", S3Operation.Complete, Always(S3Fault.Refusal(200)), CheckpointErrorCode.WriteFailed, "InternalError"),
        new("Complete: conflict", S3Operation.Complete, Always(S3Fault.Refusal(409, "ConditionalRequestConflict")), CheckpointErrorCode.WriteFailed, "ConditionalRequestConflict"),
    ];

    private static Func<int, StoppedClock, S3Fault?> Always(S3Fault fault) => (_, _) => fault;

    private static Func<int, StoppedClock, S3Fault?> First(int count, S3Fault fault) => (number, _) => number <= count ? fault : null;

    private static Func<int, StoppedClock, S3Fault?> Odd(S3Fault fault) => (number, _) => number % 2 == 1 ? fault : null;
}
