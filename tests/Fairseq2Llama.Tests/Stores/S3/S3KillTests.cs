using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>An export that is killed: from some request on, nothing of it reaches the store, not even what it does to clean up.</summary>
public sealed class S3KillTests : KilledS3Exports
{
    /// <summary>Formats; whether an earlier export is replaced, of more files or of fewer.</summary>
    public static TheoryData<string, string> Cases =>
        [.. from format in (string[])["Reference", "Reference2", "HuggingFace", "Fairseq2", "Gguf", "Gguf1"] from earlier in (string[])["", "same", "other"] select (format, earlier)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_next_export_finds_its_way_wherever_one_was_killed(string format, string earlier) => TryAll(format, earlier);

    [Theory]
    [InlineData("Reference2", "other")]
    [InlineData("HuggingFace", "same")]
    public void The_next_export_finds_its_way_in_Ceph(string format, string earlier)
    {
        Place.Server.Manners = S3Manners.Ceph;
        TryAll(format, earlier);
    }

    /// <summary>Its claim is as young as one of an export that is at work.</summary>
    [Fact]
    public void The_next_export_waits_until_it_is_known_to_be_dead()
    {
        Assert.True(KillAfter(8, OptionsFor("Reference")));
        Assert.Contains(".fairseq2llama", Place.Written.Keys);

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists,
            () => Place.Plan(Place.ReadInput(), OptionsFor("Reference")).Execute(cancellationToken: S3Place.Token),
            "s3://bucket/out", "Wait until it has finished");
    }

    private void TryAll(string format, string earlier)
    {
        var options = OptionsFor(format) with { Force = earlier.Length > 0 };
        var first = earlier.Length == 0 ? null : OptionsFor(earlier == "same" ? format : OtherThan(format)) with { DType = DType.BFloat16 };
        Dictionary<string, string>[] whole = [Place.Expected(options), .. first is null ? Array.Empty<Dictionary<string, string>>() : [Place.Expected(first)]];

        for (var last = 0; ; last++)
        {
            Clear();

            if (first is not null)
            {
                Place.Plan(Place.ReadInput(), first).Execute(cancellationToken: S3Place.Token);
            }

            var isKilled = KillAfter(last, options);
            AssertNoMixture(whole);

            if (!isKilled)
            {
                Assert.InRange(last, 10, 1000);
                return;
            }

            Place.Server.ClockOffset = TimeSpan.FromMinutes(5);
            var again = options with { Force = Place.Written.Keys.Any(key => !key.StartsWith('.')) };
            Place.Plan(Place.ReadInput(), again).Execute(cancellationToken: S3Place.Token);

            Assert.Equal(whole[0], Place.Written);
            Assert.Empty(Place.Bucket.Uploads);
        }
    }

    private static string OtherThan(string format) => format switch
    {
        "Reference" => "Reference2",
        "Reference2" => "Reference",
        "HuggingFace" => "HuggingFace1",
        "Gguf" => "Gguf1",
        "Gguf1" => "Gguf",
        _ => "Fairseq2",
    };
}
