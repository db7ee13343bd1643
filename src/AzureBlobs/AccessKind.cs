namespace Fairseq2Llama.AzureBlobs;

/// <summary>Who asks a store.</summary>
internal enum AccessKind
{
    /// <summary>Whoever has a shared access signature (SAS).</summary>
    SharedAccessSignature,

    /// <summary>The user, service principal or managed identity that DefaultAzureCredential finds.</summary>
    SignedIn,

    /// <summary>Nobody in particular. Public containers can be read so.</summary>
    Anonymous,
}
