using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Exports to stores that speak the protocol of S3 and do not keep to all of it.</summary>
public sealed class S3MannersTests : IDisposable
{
    private const string Claim = "out/.fairseq2llama";

    private static readonly ReferenceExportOptions Options = new() { Architecture = TinyModel.Architecture, ShardCount = 1 };

    private readonly S3Place _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData((int)S3Manners.UnconditionalCreation)]
    [InlineData((int)S3Manners.UnconditionalReplacement)]
    [InlineData((int)S3Manners.Unconditional)]
    public void Nothing_is_exported_to_a_store_in_which_exports_can_not_exclude_each_other(int manners)
    {
        _place.Server.Manners = (S3Manners)manners;
        var plan = _place.Plan(_place.ReadInput(), Options);

        ErrorAssert.Throws(
            CheckpointErrorCode.WriteFailed, () => plan.Execute(cancellationToken: S3Place.Token), "s3://bucket/out", "ignores the conditions of requests", "a local folder");

        Assert.Empty(_place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_exported_to_Ceph_is_right(bool replaces)
    {
        _place.Server.Manners = S3Manners.Ceph;

        if (replaces)
        {
            _place.Plan(_place.ReadInput(), Options with { DType = DType.BFloat16 }).Execute(cancellationToken: S3Place.Token);
        }

        _place.Plan(_place.ReadInput(), Options with { Force = replaces }).Execute(cancellationToken: S3Place.Token);

        Assert.Equal(_place.Expected(Options), _place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    /// <summary>A claim that seems to be renewed and is not would be taken over after two minutes.</summary>
    [Fact]
    public void A_claim_is_renewed_in_Ceph()
    {
        _place.Server.Manners = S3Manners.Ceph;
        var ages = new List<TimeSpan>();
        AtCompletion(() => ages.Add(_place.Server.Now - _place.Bucket.Objects[Claim].Written));

        _place.Plan(_place.ReadInput(), Options).Execute(cancellationToken: S3Place.Token);

        Assert.InRange(Assert.Single(ages), TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void An_export_ends_when_its_claim_has_not_been_renewed_for_too_long()
    {
        var hasCompleted = false;
        AtCompletion(() => hasCompleted = true);
        var watch = _place.Server.Fault;
        _place.Server.Fault = call => call is { Operation: S3Operation.Put, Key: Claim, Number: > 3 } ? S3Fault.Refusal(412, "PreconditionFailed") : watch(call);

        ErrorAssert.Throws(
            CheckpointErrorCode.WriteFailed, () => _place.Plan(_place.ReadInput(), Options).Execute(cancellationToken: S3Place.Token), "s3://bucket/out", "no sign of life");

        Assert.False(hasCompleted);
        Assert.Empty(_place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    /// <summary>Lets minutes pass while parts are uploaded, and then looks.</summary>
    private void AtCompletion(Action look) => _place.Server.Fault = call =>
    {
        if (call is { Operation: S3Operation.Upload, Number: 1 })
        {
            _place.Bucket.MakeOlder(Claim, TimeSpan.FromMinutes(5));
        }
        else if (call.Operation == S3Operation.Complete)
        {
            look();
        }

        return null;
    };
}
