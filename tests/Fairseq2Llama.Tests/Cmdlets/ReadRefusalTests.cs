using System.Diagnostics;
using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Files and folders that Read-Fairseq2Checkpoint must not take for a checkpoint.</summary>
public sealed class ReadRefusalTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadRefusalTests() => _session["cases"] = Repository.Data("checkpoints");

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Names_the_missing_shard()
    {
        var error = _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint $cases/tp-gap", "model.1.pt", "model.0.pt, model.2.pt");

        Assert.Equal(Repository.Data("checkpoints/tp-gap/model.1.pt"), error.TargetObject);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
    }

    [Fact]
    public void Names_both_files_where_a_whole_model_lies_beside_a_shard()
    {
        var error = _session.RunForError(CheckpointErrorCode.ShardMismatch, "Read-Fairseq2Checkpoint $cases/both", "model.pt", "model.0.pt");

        Assert.Equal(Repository.Case("both"), error.TargetObject);
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
    }

    [Fact]
    public void Names_the_tensor_and_the_files_where_shards_disagree()
    {
        var error = _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            "Read-Fairseq2Checkpoint $cases/tp2-disagree",
            "decoder.layers.1.self_attn.q_proj.weight",
            Repository.Data("checkpoints/tp2-disagree/model.0.pt"),
            Repository.Data("checkpoints/tp2-disagree/model.1.pt"),
            "8x16",
            "8x15");

        Assert.Equal(Repository.Data("checkpoints/tp2-disagree/model.1.pt"), error.TargetObject);
    }

    [Theory]
    [InlineData("", "model.pt", "model.0.pt")]
    [InlineData("pp_00/tp_00", "pp_00/tp_00/sdp_00.pt")]
    [InlineData("model/pp_00/tp_00", "pp_00/tp_00/sdp_00.pt")]
    public void Explains_a_folder_without_a_checkpoint_by_what_else_is_in_it(string content, params string[] words)
    {
        _session["path"] = Directory.CreateDirectory(_folder["run"]).FullName;
        Directory.CreateDirectory(_folder[Path.Combine("run", content)]);

        var error = _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-Fairseq2Checkpoint $path", [_folder["run"], .. words]);

        Assert.Equal(_folder["run"], error.TargetObject);
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
    }

    [Fact]
    public void Does_not_take_a_folder_named_like_the_file_for_a_checkpoint()
    {
        Directory.CreateDirectory(_folder["model.pt"]);
        _session["path"] = _folder.Path;

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-Fairseq2Checkpoint $path");
    }

    [Theory]
    [InlineData("empty.pt", CheckpointErrorCode.CheckpointUnrecognized, "is empty")]
    [InlineData("evil-legacy.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'", "Nothing was executed")]
    [InlineData("evil-nested.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'", "Nothing was executed")]
    [InlineData("evil-plain.pkl", CheckpointErrorCode.UnsafePickle, "'posix.system'", "Nothing was executed")]
    [InlineData("evil-reduce.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'", "Nothing was executed")]
    [InlineData("git-lfs-pointer.pt", CheckpointErrorCode.CheckpointUnrecognized, "git lfs pull")]
    [InlineData("gzip.pt", CheckpointErrorCode.CheckpointUnrecognized, "gzip")]
    [InlineData("meta.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_meta_tensor_no_storage")]
    [InlineData("numpy.pt", CheckpointErrorCode.UnsafePickle, "'numpy.core.multiarray.scalar'")]
    [InlineData("qtensor.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_qtensor")]
    [InlineData("safetensors-inside.pt", CheckpointErrorCode.CheckpointUnrecognized, "safetensors")]
    [InlineData("sparse.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_sparse_tensor")]
    [InlineData("tar.pt", CheckpointErrorCode.CheckpointUnrecognized, "tar archive")]
    [InlineData("text.pt", CheckpointErrorCode.CheckpointUnrecognized, "plain text")]
    [InlineData("torchscript.pt", CheckpointErrorCode.CheckpointUnrecognized, "TorchScript")]
    [InlineData("whole-module.pt", CheckpointErrorCode.UnsafePickle, "'torch.nn.modules.linear.Linear'")]
    [InlineData("zip-without-pickle.pt", CheckpointErrorCode.CheckpointUnrecognized, "data.pkl")]
    public void Refuses_a_file_that_is_no_state_dict(string file, CheckpointErrorCode code, params string[] words)
    {
        // As a checkpoint's folder would hold it, and in a location where a command that was executed would leave its trace.
        Directory.CreateDirectory(_folder["run"]);
        File.Copy(Repository.Data($"refused/{file}"), _folder["run/model.pt"]);
        _session.Location = _folder.Path;

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint run");

        var error = Assert.Single(outcome.Errors);
        ErrorAssert.Is(code, error, [.. words, _folder["run/model.pt"]]);
        Assert.Equal(_folder["run/model.pt"], error.TargetObject);
        Assert.Equal(code == CheckpointErrorCode.UnsafePickle ? ErrorCategory.SecurityError : ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Empty(outcome.Output);
        Assert.Equal(["run", "run/model.pt"], _folder.Content.Select(entry => entry.Replace('\\', '/')));
        Assert.False(File.Exists("fairseq2llama-was-here"));
    }

    [Fact]
    public void Has_a_case_for_every_file_that_must_be_refused()
    {
        var cases = typeof(ReadRefusalTests).GetMethod(nameof(Refuses_a_file_that_is_no_state_dict))!
            .GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType == typeof(InlineDataAttribute))
            .Select(attribute => ((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)attribute.ConstructorArguments[0].Value!)[0].Value);

        Assert.Equal(Directory.EnumerateFiles(Repository.Data("refused")).Select(Path.GetFileName).Order(StringComparer.Ordinal), cases);
    }

    [Fact]
    public void Reports_a_file_that_was_copied_only_in_part()
    {
        CheckpointFolder.Copy("fs2", _folder["run"]);
        var bytes = File.ReadAllBytes(_folder["run/model.pt"]);
        File.WriteAllBytes(_folder["run/model.pt"], bytes[..(bytes.Length / 2)]);
        _session["path"] = _folder["run"];

        var error = _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $path", "model.pt");

        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
    }

    [Fact]
    public void Reports_a_file_that_the_operating_system_refuses_to_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs the permissions of a Unix file");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may read every file");

        _session["path"] = CheckpointFolder.Copy("fs2", _folder["run"]);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder["run/model.pt"], UnixFileMode.None);
        }

        var error = _session.RunForError(CheckpointErrorCode.ReadFailed, "Read-Fairseq2Checkpoint $path", _folder["run/model.pt"]);

        Assert.Equal(ErrorCategory.ReadError, error.CategoryInfo.Category);
    }

    [Fact]
    public void Does_not_wait_for_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "has no pipes in its file system");

        Process.Start("mkfifo", [_folder["model.pt"]]).WaitForExit();

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"Read-Fairseq2Checkpoint '{_folder.Path}'", "is empty");
    }
}
