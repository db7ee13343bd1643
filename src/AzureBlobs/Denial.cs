using Azure;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>What somebody can do whom the store does not let in.</summary>
internal static class Denial
{
    /// <param name="e">What the store says.</param>
    /// <param name="access">Who asked.</param>
    /// <param name="container">Where.</param>
    public static string Of(RequestFailedException e, BlobAccess access, ContainerAddress container)
    {
        var reason = Failures.SaidBy(e);

        return access.Kind switch
        {
            AccessKind.SharedAccessSignature =>
                $"Azure refuses the SAS: {reason}. Check that it is complete, has not expired and is for this container, and that it permits what is needed: "
                + "read and list to read checkpoints; create, write and delete as well to export them.",
            AccessKind.SignedIn =>
                $"Azure does not let whoever is signed in do this: {reason}. Ask for the role Storage Blob Data Reader to read checkpoints, or Storage Blob Data "
                + "Contributor to export them, which Owner and Contributor do not include; or give a SAS with -SasToken. The account may also refuse this "
                + "computer's network.",
            _ when !container.IsEncrypted =>
                $"The container is not public: {reason}. Give a SAS with -SasToken, or write https:// to sign in; over http://, nobody is signed in.",
            _ =>
                $"The container is not public, and nobody is signed in: {reason}. Give a SAS with -SasToken, or sign in with Connect-AzAccount or az login."
                + (access.SignInFailure is { } failure ? $" Signing in failed: {failure}" : ""),
        };
    }
}
