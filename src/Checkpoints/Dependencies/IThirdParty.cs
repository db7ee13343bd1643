namespace Fairseq2Llama.Dependencies;

/// <summary>
/// Everything this library needs of third-party packages. Implemented by Fairseq2Llama.Adapters, the only assembly that
/// references them, so that nothing outside of it can bind to another version of them by accident.
/// </summary>
internal interface IThirdParty
{
    /// <summary>A CRC-32 as zip archives use it (polynomial 0x04C11DB7, reflected).</summary>
    IChecksum CreateCrc32();
}
