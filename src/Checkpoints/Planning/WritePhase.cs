namespace Fairseq2Llama.Planning;

/// <summary>The order in which the files of a plan are written.</summary>
internal enum WritePhase
{
    /// <summary>Small ones first: should the disk be full to the last byte, that shows now and not after an hour.</summary>
    Small,

    /// <summary>The weights.</summary>
    Weights,

    /// <summary>Files that are made from the others.</summary>
    Derived,

    /// <summary>What vouches for all of them.</summary>
    Manifest,
}
