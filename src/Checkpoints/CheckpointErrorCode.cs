namespace Fairseq2Llama;

/// <summary>
/// What went wrong, as a stable name. The cmdlets use it as the ErrorId, so a name never changes once released.
/// </summary>
public enum CheckpointErrorCode
{
    /// <summary>The path does not exist, or a wildcard matched nothing.</summary>
    CheckpointNotFound,

    /// <summary>The file or folder exists, but is not a checkpoint of the expected format.</summary>
    CheckpointUnrecognized,

    /// <summary>The file is a checkpoint but contradicts itself: truncated, a wrong checksum, offsets outside the file.</summary>
    CheckpointCorrupt,

    /// <summary>The pickle asks for something that a state dict does not need. Nothing of it was executed.</summary>
    UnsafePickle,

    /// <summary>A tensor of a kind that has no place in a LLaMA state dict: quantized, sparse, meta, distributed; or that the format to be written can't hold.</summary>
    UnsupportedTensor,

    /// <summary>The file exists but the operating system refuses to read it.</summary>
    ReadFailed,

    /// <summary>A file of the checkpoint is missing, or the path names only one of its files; or a requested shard does not exist.</summary>
    MissingShard,

    /// <summary>Files that should be shards of one checkpoint do not fit each other.</summary>
    ShardMismatch,

    /// <summary>The copies of norms in tensor-parallel files differ; those of the first file are used. A warning, not an error.</summary>
    ReplicaMismatch,

    /// <summary>Weights that are NaN or infinite.</summary>
    NonFiniteNumbers,

    /// <summary>A parameter that LLaMA does not have.</summary>
    UnmappedTensor,

    /// <summary>A parameter that the architecture has and the checkpoint lacks.</summary>
    MissingTensor,

    /// <summary>No architecture of that name.</summary>
    ArchitectureUnknown,

    /// <summary>The shapes of the weights contradict the architecture, or the architecture contradicts itself.</summary>
    ArchitectureMismatch,

    /// <summary>The shapes leave more than one architecture possible, or none, and none was named.</summary>
    ArchitectureRequired,

    /// <summary>The path of a tokenizer does not exist, or holds none of its files.</summary>
    TokenizerNotFound,

    /// <summary>A tokenizer of a kind that LLaMA does not have, or that has not all of what the format to be written needs.</summary>
    TokenizerUnsupported,

    /// <summary>A value for the metadata of a file that can't be written.</summary>
    MetadataInvalid,

    /// <summary>Neither the name of the report nor the user says its format.</summary>
    ReportFormatRequired,

    /// <summary>The destination already holds what would be written.</summary>
    OutputExists,

    /// <summary>The destination's file system has too little room.</summary>
    InsufficientDiskSpace,

    /// <summary>The operating system refused to write.</summary>
    WriteFailed,

    /// <summary>The destination's file system has no locks, so that two exports to one folder do not exclude each other. A warning, not an error.</summary>
    LocksUnavailable,

    /// <summary>A command needs libtorch, and libtorch is not there or can't be loaded. Everything else works.</summary>
    LibTorchUnavailable,

    /// <summary>libtorch refused to make a tensor, most likely because there is too little memory; or a tensor was disposed of.</summary>
    LibTorchFailed,

    /// <summary>Checkpoints that can't be averaged, because their tensors have other names or shapes, or because of their weights in the average.</summary>
    MergeMismatch,

    /// <summary>There is no LoRA where one should be.</summary>
    AdapterNotFound,

    /// <summary>An adapter that does more than adding the product of two matrices, or adapts something that LLaMA does not have.</summary>
    AdapterUnsupported,

    /// <summary>A LoRA that does not fit the model or its own config, or whose alpha is not known.</summary>
    AdapterMismatch,

    /// <summary>A key or certificate to sign or verify with that can't be used for it.</summary>
    SigningKeyInvalid,

    /// <summary>A signature that is wrong, damaged, contradicts itself, or is of a kind that can't be verified here.</summary>
    SignatureInvalid,

    /// <summary>A signature that is right, but was made with another key, or with a certificate that is not trusted.</summary>
    SignerUntrusted,

    /// <summary>There is no manifest of the checkpoint.</summary>
    ManifestNotFound,

    /// <summary>A manifest that is damaged, contradicts itself, or is of a newer version.</summary>
    ManifestInvalid,

    /// <summary>A checkpoint is not what its manifest says: files or tensors are missing, different or added.</summary>
    ManifestMismatch,
}
