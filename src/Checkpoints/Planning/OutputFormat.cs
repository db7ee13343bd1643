using Fairseq2Llama.Containers;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>
/// A format that checkpoints are exported to: a naming convention, a container for tensors, and a file that describes the architecture. What is
/// the same for all formats is done elsewhere, once.
/// </summary>
internal abstract class OutputFormat
{
    /// <summary>Which it is.</summary>
    public abstract CheckpointFormat Format { get; }

    /// <summary>The names of parameters, and the order of their rows.</summary>
    public abstract NamingConvention Convention { get; }

    /// <summary>The kind of file that holds their data.</summary>
    public abstract ITensorContainer Container { get; }

    /// <summary>Which files belong to a checkpoint.</summary>
    public abstract FolderRules Folder { get; }

    /// <summary>The name of the file that describes the architecture.</summary>
    public abstract string ConfigFileName { get; }

    /// <summary>Whether that file has the maximum sequence length, which not every input has.</summary>
    public virtual bool TellsMaxSeqLen => true;

    /// <summary>Whether the output projection is omitted if it is tied to the embedding table. Otherwise it is always written.</summary>
    public virtual bool OmitsTiedOutput => false;

    /// <summary>The element type that a tensor gets.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="requested">The requested type; null to keep the type of each tensor.</param>
    public virtual DType TypeOf(CheckpointTensor tensor, DType? requested) =>
        requested is not null && DTypeInfo.Of(tensor.DType).IsRealFloat ? requested.Value : tensor.DType;

    /// <summary>The content of the file that describes the architecture, for weights whose output is tied if the architecture says so.</summary>
    public abstract byte[] WriteConfig(LlamaArchitecture architecture);

    /// <summary>What the format can't express of an architecture, so that the result would be wrong.</summary>
    public virtual IEnumerable<CheckpointFinding> FindContradictions(LlamaArchitecture architecture) => [];

    /// <summary>What the format can't express of an architecture.</summary>
    public virtual IEnumerable<string> FindLosses(LlamaArchitecture architecture) => [];

    /// <summary>Which readers the file that describes the architecture is for, if readers need different forms. Whole sentences.</summary>
    public virtual IEnumerable<string> ExplainConfig(LlamaArchitecture architecture) => [];

    /// <summary>Opens the exported checkpoint.</summary>
    /// <param name="folder">The folder that it was written to.</param>
    /// <param name="architecture">The architecture that was exported. Not every format records all of it.</param>
    /// <param name="output">What was written.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public abstract LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken);

    /// <summary>Divides a model into files.</summary>
    /// <param name="model">The model.</param>
    /// <param name="destination">The folder that they will be written to.</param>
    /// <exception cref="CheckpointException">It can't be divided as requested.</exception>
    public abstract OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination);
}
