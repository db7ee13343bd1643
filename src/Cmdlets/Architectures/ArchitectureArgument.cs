namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// An architecture as an argument: an object or a name. PowerShell makes it by one of the constructors; a wrong name is reported by the
/// command, with our ErrorId, rather than by the engine's parameter binding.
/// </summary>
public sealed class ArchitectureArgument
{
    private readonly Func<LlamaArchitecture> _get;

    /// <summary>An architecture object.</summary>
    public ArchitectureArgument(LlamaArchitecture architecture) => _get = () => architecture;

    /// <summary>The name of an architecture, or of a fairseq2 asset that has it.</summary>
    public ArchitectureArgument(string name) => _get = () => LlamaArchitectures.Find(name);

    /// <summary>The architecture.</summary>
    /// <exception cref="CheckpointException">There is none of that name.</exception>
    public LlamaArchitecture Get() => _get();
}
