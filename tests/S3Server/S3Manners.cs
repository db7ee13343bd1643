namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>What stores do otherwise than AWS, as was seen with real ones.</summary>
[Flags]
internal enum S3Manners
{
    /// <summary>As AWS.</summary>
    None = 0,

    /// <summary>Versions in the conditions of writing have no quotation marks.</summary>
    UnquotedVersions = 1,

    /// <summary>A completion has no condition.</summary>
    UnconditionalCompletion = 2,

    /// <summary>A copy has no condition.</summary>
    UnconditionalCopy = 4,

    /// <summary>A deletion has no condition.</summary>
    UnconditionalDeletion = 8,

    /// <summary>An upload that is complete can be completed again, and the reply has no version.</summary>
    RepeatableCompletion = 16,

    /// <summary>The name of what is copied is decoded twice.</summary>
    TwiceDecodedSource = 32,

    /// <summary>Checksums are ignored.</summary>
    NoChecksums = 64,

    /// <summary>Writing has no condition that an object may not be there.</summary>
    UnconditionalCreation = 128,

    /// <summary>Writing has no condition that an object has a version.</summary>
    UnconditionalReplacement = 256,

    /// <summary>Ceph 18.</summary>
    Ceph = UnquotedVersions | UnconditionalCompletion | UnconditionalCopy | UnconditionalDeletion | RepeatableCompletion | TwiceDecodedSource | NoChecksums,

    /// <summary>Stores without any conditions.</summary>
    Unconditional = UnconditionalCreation | UnconditionalReplacement | UnconditionalCompletion | UnconditionalDeletion,
}
