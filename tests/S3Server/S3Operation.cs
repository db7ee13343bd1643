namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>What a request asks for.</summary>
internal enum S3Operation
{
    List,
    Head,
    Get,
    Put,
    Delete,
    Begin,
    Upload,
    Copy,
    Complete,
    Discard,
    ListUploads,

    /// <summary>GET without a signature, below <see cref="S3Server.PlainAddress"/>.</summary>
    PlainGet,

    /// <summary>HEAD without a signature, there.</summary>
    PlainHead,
}
