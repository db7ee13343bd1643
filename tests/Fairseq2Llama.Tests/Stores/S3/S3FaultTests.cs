using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Whatever goes wrong with requests: either all bytes are right, or there is an error that names the object, and what was there is there.</summary>
public sealed class S3FaultTests : IDisposable
{
    private static readonly ReferenceExportOptions Options = new() { Architecture = TinyModel.Architecture, ShardCount = 1 };

    /// <summary>Other bytes under the same names.</summary>
    private static readonly ReferenceExportOptions Earlier = Options with { DType = DType.BFloat16 };

    private readonly S3Place _place = new();

    public static TheoryData<string> ReadFaults => [.. S3FaultCase.OfReading.Select(fault => fault.Name)];

    public static TheoryData<string, bool> WriteFaults =>
        [.. from fault in S3FaultCase.OfWriting from replaces in (bool[])[false, true] select (fault.Name, replaces)];

    public static TheoryData<string, bool> FinalWriteFaults =>
        [.. from fault in S3FaultCase.OfWritingForEver from replaces in (bool[])[false, true] select (fault.Name, replaces)];

    public void Dispose() => _place.Dispose();

    [Theory]
    [MemberData(nameof(ReadFaults))]
    public void An_index_is_right_or_not_there(string name)
    {
        var fault = Find(S3FaultCase.OfReading, name);
        _place.Break(fault, "in/");

        Expect(fault, "in/model.pt", () => Assert.Equal(
            CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: S3Place.Token).Tensors.Select(Describe),
            _place.ReadInput().Tensors.Select(Describe)));

        static string Describe(CheckpointTensor tensor) => $"{tensor.Name} {tensor.DType} {tensor.Shape} {tensor.Shards[0].Tensor.Storage.Offset}";
    }

    [Theory]
    [MemberData(nameof(ReadFaults))]
    public void A_test_of_the_data_finds_nothing_or_says_why(string name)
    {
        var fault = Find(S3FaultCase.OfReading, name);
        var input = _place.ReadInput();
        _place.Break(fault, "in/");

        var found = CheckpointTest.Run(input, new CheckpointTestOptions { Architecture = TinyModel.Architecture, Deep = true }, cancellationToken: S3Place.Token);

        var errors = found.Findings.Where(finding => finding.Severity == FindingSeverity.Error).ToArray();
        Assert.Equal(fault.Error is null, errors.Length == 0);
        Assert.All(errors, error => Assert.Equal(fault.Error, error.Code));
        Assert.All(errors, error => Assert.Contains("s3://bucket/in/model.pt", error.Message, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.Contains(fault.Words, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ReadFaults))]
    public void An_export_to_a_folder_is_right_or_not_there(string name)
    {
        using var local = new TempFolder();
        var fault = Find(S3FaultCase.OfReading, name);
        var plan = CheckpointExport.Plan(_place.ReadInput(), local["out"], Options, S3Place.Token);
        _place.Break(fault, "in/");

        Expect(fault, "in/model.pt", () => plan.Execute(cancellationToken: S3Place.Token));

        if (fault.Error is null)
        {
            Assert.Equal(_place.Expected(Options), Support.CheckpointFolder.Snapshot(local["out"]));
        }
        else
        {
            Assert.Empty(local.Content);
        }
    }

    [Theory]
    [MemberData(nameof(ReadFaults))]
    public void An_export_to_the_store_reads_right_or_leaves_what_was_there(string name)
    {
        _place.Plan(_place.ReadInput(), Earlier).Execute(cancellationToken: S3Place.Token);
        var fault = Find(S3FaultCase.OfReading, name);
        var plan = _place.Plan(_place.ReadInput(), Options with { Force = true });
        _place.Break(fault, "in/");

        Expect(fault, "in/model.pt", () => plan.Execute(cancellationToken: S3Place.Token));

        Assert.Equal(_place.Expected(fault.Error is null ? Options : Earlier), _place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    [Theory]
    [MemberData(nameof(ReadFaults))]
    public void An_export_to_the_store_is_read_back_right_or_taken_back(string name)
    {
        var fault = Find(S3FaultCase.OfReading, name);
        var plan = _place.Plan(_place.ReadInput(), Options with { Verification = VerificationMode.Full });
        _place.Break(fault, "out/");

        // What was written is no input, whatever is wrong with it.
        Expect(
            fault with { Error = fault.Error is null ? null : CheckpointErrorCode.WriteFailed, Words = fault.Error == CheckpointErrorCode.ReadFailed ? fault.Words : "changed" },
            "out/consolidated.00.pth",
            () => plan.Execute(cancellationToken: S3Place.Token));

        Assert.Equal(fault.Error is null ? _place.Expected(Options) : [], _place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    [Theory]
    [MemberData(nameof(WriteFaults))]
    public void An_export_to_the_store_does_not_mind_what_passes(string name, bool replaces)
    {
        var fault = Find(S3FaultCase.OfWriting, name);
        var plan = PlanOver(replaces);
        _place.Break(fault, "out/");

        plan.Execute(cancellationToken: S3Place.Token);

        Assert.Equal(_place.Expected(Options), _place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    [Theory]
    [MemberData(nameof(FinalWriteFaults))]
    public void An_export_to_the_store_that_fails_leaves_what_was_there(string name, bool replaces)
    {
        var fault = Find(S3FaultCase.OfWritingForEver, name);
        var plan = PlanOver(replaces);
        var before = _place.Written;
        _place.Break(fault, "out/");

        Expect(fault, "out", () => plan.Execute(cancellationToken: S3Place.Token));

        // The last file fails when the weights of the earlier export have been replaced already.
        Assert.Equal(fault.Key == "params.json" ? [] : before, _place.Written);
        Assert.Empty(_place.Bucket.Uploads);
    }

    [Theory]
    [InlineData("429")]
    [InlineData("503")]
    public void A_store_that_wants_to_be_left_alone_is(string name)
    {
        _place.Break(Find(S3FaultCase.OfReading, name), "in/");

        _place.ReadInput();

        Assert.Equal(2, _place.Clock.Delays.Count(delay => delay == TimeSpan.FromSeconds(7)));
    }

    private static S3FaultCase Find(IEnumerable<S3FaultCase> faults, string name) => faults.Single(fault => fault.Name == name);

    private static void Expect(S3FaultCase fault, string key, Action work)
    {
        if (fault.Error is not { } code)
        {
            work();
            return;
        }

        var error = ErrorAssert.Throws(code, work, $"s3://bucket/{key}", fault.Words);
        Assert.DoesNotContain(S3Server.Secret, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Signature=", error.Message, StringComparison.Ordinal);
    }

    private ConversionPlan PlanOver(bool replaces)
    {
        if (replaces)
        {
            _place.Plan(_place.ReadInput(), Earlier).Execute(cancellationToken: S3Place.Token);
        }

        return _place.Plan(_place.ReadInput(), Options with { Force = replaces });
    }
}
