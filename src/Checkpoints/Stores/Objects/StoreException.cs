namespace Fairseq2Llama.Stores.Objects;

/// <summary>Why a store did not do what it was asked for.</summary>
internal enum StoreFailure
{
    /// <summary>It can succeed if it is tried again: the network failed, or the store is busy (408, 429, 5xx).</summary>
    Transient,

    /// <summary>The condition of the request does not hold: the object has another version, or exists, or is gone (404 of an object, 409, 412).</summary>
    Changed,

    /// <summary>It is not allowed, or nobody is signed in (401, 403).</summary>
    Denied,

    /// <summary>The store does not say what is in it. A file can still be asked for by its name.</summary>
    Unlistable,

    /// <summary>It can't succeed: the container does not exist, the request is wrong.</summary>
    Refused,
}

/// <summary>A request to a store has failed.</summary>
/// <param name="failure">Why.</param>
/// <param name="message">What the store says and, if the user can do something, what that is: in sentences, without secrets.</param>
/// <param name="cause">The exception of the SDK.</param>
internal sealed class StoreException(StoreFailure failure, string message, Exception? cause = null) : IOException(message, cause)
{
    public StoreFailure Failure => failure;

    /// <summary>How long the store wants to be left alone; null if it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
