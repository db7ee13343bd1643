namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Jobs that write a file each, and the last step that makes a checkpoint of them, when one of them is killed.</summary>
public sealed class S3KilledJobTests : KilledS3Exports
{
    [Theory]
    [InlineData("Reference2", 0, "")]
    [InlineData("Reference2", 2, "")]
    [InlineData("Reference2", 0, "same")]
    [InlineData("Reference2", 2, "same")]
    [InlineData("HuggingFace", 1, "")]
    [InlineData("HuggingFace", 3, "")]
    public void A_job_that_is_run_again_finds_its_way_wherever_it_was_killed(string format, int killed, string earlier)
    {
        var whole = Place.Expected(OptionsFor(format));
        var steps = Enumerable.Range(0, whole.Keys.Count(name => name.EndsWith(".pth", StringComparison.Ordinal) || name.EndsWith(".safetensors", StringComparison.Ordinal)))
            .Select(index => OptionsFor(format) with { ShardIndex = [index], Force = earlier.Length > 0 })
            .Append(OptionsFor(format) with { CompleteShards = true, Force = earlier.Length > 0 })
            .ToArray();
        var before = steps[^1] == steps[killed] ? steps[..^1] : [];

        for (var last = 0; ; last++)
        {
            Clear();

            if (earlier.Length > 0)
            {
                Place.Plan(Place.ReadInput(), OptionsFor(format) with { DType = DType.BFloat16 }).Execute(cancellationToken: S3Place.Token);
            }

            var old = Place.Written;
            Array.ForEach(before, Run);
            var isKilled = KillAfter(last, steps[killed]);
            AssertNoMixture([whole, old]);

            if (!isKilled)
            {
                Assert.InRange(last, 6, 1000);
                return;
            }

            Place.Server.ClockOffset = TimeSpan.FromMinutes(5);
            Place.CleanUp();

            // The last step may have been killed when everything was in place.
            if (before.Length == 0 || !Place.Written.ContainsKey(whole.Keys.Single(name => name is "params.json" or "config.json")))
            {
                Array.ForEach(steps, Run);
            }

            Assert.Equal(whole, Place.Written);
            Assert.Empty(Place.Bucket.Uploads);
        }

        void Run(ExportOptions options) => Place.Plan(Place.ReadInput(), options).Execute(cancellationToken: S3Place.Token);
    }
}
