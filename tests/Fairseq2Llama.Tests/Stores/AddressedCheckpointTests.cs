using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>Checkpoints of every layout and format by address, in a store that is asked over the network: all is as with local folders.</summary>
public abstract class AddressedCheckpointTests : IDisposable
{
    private readonly TempFolder _local = new();

    public static TheoryData<string> Fairseq2Cases => [.. Manifest.Instance.Reference.Keys.Except(["lora", "bias"])];

    public static TheoryData<string> HuggingFaceCases =>
        [.. Directory.EnumerateDirectories(Repository.Data("huggingface")).Select(folder => Path.GetFileName(folder)).Where(name => File.Exists(Path.Combine(Repository.Data("huggingface"), name, "config.json")))];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected abstract CheckpointAddress At(string key);

    private protected abstract void Put(string key, byte[] bytes);

    private protected abstract IReadOnlyDictionary<string, byte[]> FilesIn(string key);

    [Theory]
    [MemberData(nameof(Fairseq2Cases))]
    public void Fairseq2s_is_read_tested_and_exported_as_from_a_folder(string name)
    {
        PutFolder(Repository.Case(name), "in");
        var options = new ReferenceExportOptions { Architecture = name.StartsWith("tied", StringComparison.Ordinal) ? TinyModel.Tied : TinyModel.Architecture, ShardCount = 1 };
        var (local, stored) = (CheckpointReader.Read(Repository.Case(name), cancellationToken: Token), CheckpointReader.Read(At("in"), cancellationToken: Token));

        AssertSame(local, stored);
        AssertExportsSame(local, stored, options);
    }

    [Theory]
    [MemberData(nameof(HuggingFaceCases))]
    public void Hugging_Faces_is_read_tested_and_exported_as_from_a_folder(string name)
    {
        var folder = Path.Combine(Repository.Data("huggingface"), name);
        PutFolder(folder, "in");
        LlamaCheckpoint local;

        try
        {
            local = CheckpointReader.Read(folder, cancellationToken: Token);
        }
        catch (CheckpointException e)
        {
            var error = Assert.Throws<CheckpointException>(() => CheckpointReader.Read(At("in"), cancellationToken: Token));
            Assert.Equal(e.Code, error.Code);
            Assert.Contains(At("in").Text, error.Message, StringComparison.Ordinal);
            return;
        }

        var stored = CheckpointReader.Read(At("in"), cancellationToken: Token);
        AssertSame(local, stored);
        AssertExportsSame(local, stored, new Fairseq2ExportOptions());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Metas_is_read_tested_and_exported_as_from_a_folder(int shards)
    {
        var options = new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = shards };
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2"), cancellationToken: Token), _local["meta"], options, Token).Execute(cancellationToken: Token);
        PutFolder(_local["meta"], "in");
        var (local, stored) = (CheckpointReader.Read(_local["meta"], cancellationToken: Token), CheckpointReader.Read(At("in"), cancellationToken: Token));

        AssertSame(local, stored);
        AssertExportsSame(local, stored, new HuggingFaceExportOptions { Architecture = TinyModel.Architecture });
    }

    [Fact]
    public void A_training_run_has_its_steps()
    {
        foreach (var step in (int[])[5, 10])
        {
            PutFolder(Repository.Case("fs2"), $"run/checkpoints/step_{step}");
        }

        Assert.Equal([10L, 5L], Fairseq2Checkpoint.FindSteps(At("run"), Token));
        Assert.Equal("run@10", CheckpointReader.Read(At("run"), cancellationToken: Token).Name);
        Assert.Equal("run@5", CheckpointReader.Read(At("run/checkpoints"), new CheckpointReadOptions { Step = 5 }, Token).Name);
        Assert.Equal(5, CheckpointReader.Read(At("run/checkpoints/step_5/model.pt"), cancellationToken: Token) is Fairseq2Checkpoint { Step: var found } ? found : null);
    }

    [Fact]
    public void What_is_not_there_is_an_error()
    {
        Put("other/file", [1]);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointNotFound, () => CheckpointReader.Read(At("nothing"), cancellationToken: Token), At("nothing").Text);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => CheckpointReader.Read(At("other"), cancellationToken: Token), At("other").Text);
    }

    public virtual void Dispose()
    {
        _local.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void PutFolder(string folder, string key)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Put($"{key}/{Path.GetRelativePath(folder, file).Replace('\\', '/')}", File.ReadAllBytes(file));
        }
    }

    private static void AssertSame(LlamaCheckpoint local, LlamaCheckpoint stored)
    {
        Assert.Equal(
            local.Tensors.Select(tensor => (tensor.Name, tensor.DType, $"{tensor.Shape}")),
            stored.Tensors.Select(tensor => (tensor.Name, tensor.DType, $"{tensor.Shape}")));
        Assert.Equal(local.SizeInBytes, stored.SizeInBytes);

        var options = new CheckpointTestOptions { Architecture = local.Architecture is null ? TinyModel.Architecture : null, Deep = true };
        Assert.Equal(
            CheckpointTest.Run(local, options, cancellationToken: Token).Findings.Select(finding => (finding.Severity, finding.Code, finding.Tensor)),
            CheckpointTest.Run(stored, options, cancellationToken: Token).Findings.Select(finding => (finding.Severity, finding.Code, finding.Tensor)));
    }

    private void AssertExportsSame(LlamaCheckpoint local, LlamaCheckpoint stored, ExportOptions options)
    {
        CheckpointExport.Plan(local, _local["out"], options, Token).Execute(cancellationToken: Token);
        var plan = CheckpointExport.Plan(stored, At("out/model"), options with { Verification = VerificationMode.Full }, Token);
        plan.Execute(cancellationToken: Token);

        var found = FilesIn("out/model");
        Assert.Equal(Directory.EnumerateFiles(_local["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        Assert.All(found, file => Assert.Equal(File.ReadAllBytes(_local[$"out/{file.Key}"]), file.Value));
        Assert.Equal(At("out/model").Text, plan.OpenResult(Token).Path);
    }
}
