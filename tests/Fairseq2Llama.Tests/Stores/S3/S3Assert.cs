using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Expects failures, and that no message has a secret.</summary>
internal static class S3Assert
{
    public static async Task<StoreException> Throws(StoreFailure failure, Func<Task> call, params string[] words)
    {
        var exception = await Assert.ThrowsAsync<StoreException>(call);

        Assert.Equal(failure, exception.Failure);
        Assert.All(words, word => Assert.Contains(word, exception.Message, StringComparison.Ordinal));
        Assert.All(
            [S3Server.AccessKey, S3Server.Secret, S3Profiles.OtherSecret, "AKIASTRANGER", "Signature=", "StringToSign", "X-Amz"],
            secret => Assert.DoesNotContain(secret, exception.Message, StringComparison.OrdinalIgnoreCase));
        return exception;
    }
}
