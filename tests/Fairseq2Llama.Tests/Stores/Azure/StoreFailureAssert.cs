using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>What a store refuses.</summary>
internal static class StoreFailureAssert
{
    public static async Task<StoreException> ThrowsAsync(StoreFailure failure, Func<Task> request)
    {
        var e = await Assert.ThrowsAsync<StoreException>(request);
        Assert.True(e.Failure == failure, $"{e.Failure} instead of {failure}: {e.Message}");
        Assert.DoesNotContain('\n', e.Message);
        Assert.DoesNotContain("..", e.Message, StringComparison.Ordinal);
        return e;
    }
}
