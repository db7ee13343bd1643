using System.Security.Cryptography;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>Checkpoints that several processes of real PyTorch saved hold what PyTorch itself makes of them.</summary>
public sealed class DistributedCheckpointTests
{
    public static TheoryData<string> Cases => [.. DistributedManifest.Cases.Keys];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_tensor_is_what_dcp_to_torch_gives(string name)
    {
        var expected = DistributedManifest.Cases[name];
        var checkpoint = Read(expected);
        checkpoint.Locate(checkpoint.Tensors, Token);

        Assert.Equal(
            expected.Model.Select(tensor => $"{tensor.Name} {tensor.Dtype} {string.Join('x', tensor.Shape)} {tensor.Sha256}").Order(StringComparer.Ordinal),
            checkpoint.Tensors.Where(tensor => !tensor.ParsedName.IsComputed).Select(tensor => $"{tensor.Shards[0].Key} {tensor.DType.GetTorchName()} {tensor.Shape} {HashOf(tensor)}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_index_needs_no_data_file(string name)
    {
        var expected = DistributedManifest.Cases[name];
        var checkpoint = Read(expected);

        Assert.Equal(expected.Model.Count, checkpoint.Tensors.Count(tensor => !tensor.ParsedName.IsComputed));
        Assert.DoesNotContain(checkpoint.Tensors, tensor => tensor.IsLocated);
        Assert.Equal(CheckpointFormat.Distributed, checkpoint.Format);
        Assert.Equal(Directory.GetFiles(expected.Path, "*.distcp").Length, checkpoint.ShardCount);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_passes_a_test_of_its_data(string name)
    {
        var expected = DistributedManifest.Cases[name];

        if (name == "titan-3d")
        {
            return;
        }

        var result = CheckpointTest.Run(
            expected.Path, new CheckpointReadOptions(), new CheckpointTestOptions { Architecture = expected.Architecture, Deep = true }, cancellationToken: Token);
        Assert.Empty(result.Findings.Where(finding => finding.Severity == FindingSeverity.Error));
        Assert.Equal(name == "titan-nocrc", result.Findings.Any(finding => finding.Message.Contains("without checksums", StringComparison.Ordinal)));
    }

    private static DistributedCheckpoint Read(DistributedCase expected) =>
        DistributedCheckpoint.Read(expected.Path, new CheckpointReadOptions { Architecture = expected.Architecture }, Token);

    private static string HashOf(CheckpointTensor tensor) =>
        Convert.ToHexStringLower(SHA256.HashData(TensorBytes.Of(new TensorSlice(tensor.Copies[0], tensor.Shape).ToStorage(tensor.DType))));
}
