using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fairseq2;

/// <summary>What can be given as the path of a checkpoint, and that nothing beside it is touched.</summary>
public sealed class CheckpointPathTests : IDisposable
{
    private readonly TempFolder _folder = new("run");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("checkpoints")]
    [InlineData("checkpoints/step_20")]
    [InlineData("checkpoints/step_20/model")]
    [InlineData("checkpoints/step_20/model/")]
    public void A_run_a_step_or_the_model_folder_of_a_step_give_the_step(string path)
    {
        Put("checkpoints/step_10/model/pp_00/tp_00/sdp_00.pt", "checkpoints/step_20/model/pp_00/tp_00/sdp_00.pt");

        var checkpoint = Fairseq2Checkpoint.Read(_folder[path]);

        Assert.Equal((_folder["checkpoints/step_20"], "run@20", 20L), (checkpoint.Path, checkpoint.Name, checkpoint.Step));
        Assert.Equal([_folder["checkpoints/step_20/model/pp_00/tp_00/sdp_00.pt"]], checkpoint.Files);
    }

    /// <summary>However deep in a step what is given lies, in all layouts.</summary>
    [Theory]
    [InlineData("model.pt", "model.pt")]
    [InlineData("model.pt/shard.00.pt", "model.pt", "model.pt/shard.00.pt")]
    [InlineData("model.00.pt/shard.00.pt", "model.00.pt", "model.00.pt/shard.00.pt")]
    [InlineData("model/pp_00/tp_00/sdp_00.pt", "model", "model/pp_00", "model/pp_00/tp_00", "model/pp_00/tp_00/sdp_00.pt")]
    [InlineData("pp_00/tp_00/sdp_00.pt", "pp_00", "pp_00/tp_00/sdp_00.pt")]
    [InlineData("sdp_00.pt", "sdp_00.pt")]
    public void What_is_in_a_step_is_named_after_its_run_and_the_step(string file, params string[] given)
    {
        foreach (var steps in new[] { "checkpoints/", "moved/" })
        {
            Put($"{steps}step_20/{file}");
            File.WriteAllBytes(_folder[$"{steps}model.yaml"], new Fairseq2Format().WriteConfig(TinyModel.Architecture));

            Assert.All(given.Prepend(""), path =>
            {
                var checkpoint = Fairseq2Checkpoint.Read(_folder[$"{steps}step_20/{path}"]);
                var run = steps == "moved/" ? "moved" : "run";

                Assert.Equal(($"{run}@20", 20L), (checkpoint.Name, checkpoint.Step));
                Assert.Equal(run, checkpoint.Architecture?.Name);
            });
        }
    }

    [Theory]
    [InlineData("checkpoints/step_20/averaged.pt", "averaged")]
    [InlineData("checkpoints/step_20/averaged/model.pt", "averaged")]
    [InlineData("checkpoints/step_20.tmp/model.pt", "step_20.tmp")]
    public void What_is_beside_the_model_of_a_step_has_a_name_of_its_own(string file, string name)
    {
        Put(file);

        var checkpoint = Fairseq2Checkpoint.Read(_folder[file]);

        Assert.Equal((name, null), (checkpoint.Name, checkpoint.Step));
    }

    [Theory]
    [InlineData("model/pp_00/tp_00/sdp_00.pt")]
    [InlineData("model.pt/shard.00.pt")]
    [InlineData("model.00.pt/shard.00.pt")]
    [InlineData("model.pt")]
    [InlineData("sdp_00.pt")]
    public void The_one_file_of_a_model_can_be_given_itself(string file)
    {
        Put(file);

        var checkpoint = Fairseq2Checkpoint.Read(_folder[file]);

        Assert.Equal(21, checkpoint.Tensors.Length);
        Assert.Equal((1, 1, 1, 1), (checkpoint.ShardCount, checkpoint.PipelineStages, checkpoint.TensorParallelSize, checkpoint.DataParallelSize));
    }

    [Theory]
    [InlineData("model", "model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_01.pt")]
    [InlineData("model", "model/pp_00/tp_00/sdp_00.pt", "model/pp_01/tp_00/sdp_00.pt")]
    [InlineData("model", "model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_02/sdp_00.pt")]
    [InlineData("model", "model/pp_00/tp_03/sdp_00.pt")]
    [InlineData("model", "model/tp_00.pt", "model/tp_01.pt")]
    [InlineData("model", "model/sdp_00.pt", "model/sdp_01.pt")]
    [InlineData("model", "model/tp_00/sdp_00.pt", "model/tp_00/sdp_01.pt")]
    [InlineData("model", "model/tp_00.pt")]
    [InlineData("", "model.0.pt", "model.1.pt")]
    [InlineData("", "model.00.pt", "model.01.pt")]
    [InlineData("model.pt", "model.pt/shard.00.pt", "model.pt/shard.01.pt")]
    [InlineData("", "model.00.pt/shard.00.pt", "model.01.pt/shard.00.pt")]
    [InlineData("", "model.00.pt/shard.00.pt", "model.00.pt/shard.01.pt", "model.01.pt/shard.00.pt", "model.01.pt/shard.01.pt")]
    public void One_of_several_files_is_no_model(string folder, params string[] files)
    {
        var root = Path.TrimEndingDirectorySeparator(_folder[folder]);
        Put(files);

        Assert.All(files, file => ErrorAssert.Throws(
            CheckpointErrorCode.MissingShard, () => Fairseq2Checkpoint.Read(_folder[file]), $"'{_folder[file]}'", $"'{root}'"));
    }

    [Fact]
    public void The_folder_of_one_of_several_ranks_is_no_model()
    {
        Put("model.00.pt/shard.00.pt", "model.01.pt/shard.00.pt");

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Fairseq2Checkpoint.Read(_folder["model.00.pt"]), _folder["model.00.pt"], $"'{_folder.Path}'");
    }

    [Theory]
    [InlineData("model/pp_00/tp_00")]
    [InlineData("model/pp_00")]
    public void The_folder_of_a_rank_is_a_model_where_there_is_no_other(string path)
    {
        Put("model/pp_00/tp_00/sdp_00.pt");

        Assert.Equal([_folder["model/pp_00/tp_00/sdp_00.pt"]], Fairseq2Checkpoint.Read(_folder[path]).Files);

        Put("model/pp_01/tp_00/sdp_00.pt");

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Fairseq2Checkpoint.Read(_folder[path]), $"'{_folder["model"]}'");
    }

    [Theory]
    [InlineData("model/tp_00.pt", "model/tp_01.pt", "model.yaml", "num_shards: 4", "holds 2 tensor-parallel shards, but should have 4")]
    [InlineData("model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_01.pt", "model.yaml", "num_shards: 2", "holds 1 tensor-parallel shard, but should have 2")]
    public void Model_yaml_tells_how_many_ranks_there_were(string file, string other, string config, string content, string expected)
    {
        Put(file, other);
        File.WriteAllText(_folder[config], content);

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Fairseq2Checkpoint.Read(_folder.Path), expected);
    }

    [Fact]
    public void Files_that_are_missing_are_named()
    {
        Put("model/pp_00/tp_00/sdp_00.pt", "model/pp_00/tp_00/sdp_02.pt", "model/pp_00/tp_02/sdp_00.pt");

        var error = ErrorAssert.Throws(
            CheckpointErrorCode.MissingShard,
            () => Fairseq2Checkpoint.Read(_folder.Path),
            "'model/pp_00/tp_00/sdp_01.pt' is missing", "'model/pp_00/tp_01/sdp_00.pt' is missing", "'model/pp_00/tp_02/sdp_02.pt' is missing");

        Assert.Equal(6, error.Findings.Length);
        Assert.Equal(_folder["model/pp_00/tp_00/sdp_01.pt"], error.Target);
    }

    [Theory]
    [InlineData("model/pp_00/tp_00/sdp_00.pt", "model.pt")]
    [InlineData("model/pp_00/tp_00/sdp_00.pt", "model.0.pt")]
    [InlineData("model.00.pt/shard.00.pt", "model.pt")]
    [InlineData("model/pp_00/tp_00/sdp_00.pt", "model/tp_00.pt")]
    [InlineData("model/tp_00/sdp_00.pt", "model/tp_00.pt")]
    [InlineData("model/sdp_00.pt", "model.pt")]
    public void Two_layouts_in_one_folder_are_two_checkpoints(string file, string other)
    {
        Put(file, other);

        ErrorAssert.Throws(CheckpointErrorCode.ShardMismatch, () => Fairseq2Checkpoint.Read(_folder.Path), file, other, "two checkpoints");
    }

    [Theory]
    [InlineData("model/pp_00/tp_00/sdp_00.pt")]
    [InlineData("model.pt")]
    [InlineData("model.pt/shard.00.pt")]
    public void What_is_beside_the_model_is_not_opened(string file)
    {
        Put(file);

        foreach (var other in new[]
        {
            "rank_0.pt", "rank_1.pt", "metadata.pt", "metadata_0.pt", "replicated_0.pt", "model.yaml",
            "optimizer/pp_00/tp_00/sdp_00.pt", "trainer/rank_00.pt", "data_reader/dp_00.pt", "hg/model.pt",
        })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[other])!);
            File.WriteAllText(_folder[other], "garbage");
            Lock(_folder[other]);
        }

        foreach (var folder in new[] { "optimizer", "trainer", "data_reader" })
        {
            Lock(_folder[folder]);
        }

        try
        {
            var checkpoint = Fairseq2Checkpoint.Read(_folder.Path);

            Assert.Equal([_folder[file]], checkpoint.Files);
            CheckpointExport.Plan(checkpoint, _folder["exported"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute();
        }
        finally
        {
            // Or the folder could not be removed.
            foreach (var folder in new[] { "optimizer", "trainer", "data_reader" })
            {
                Lock(_folder[folder], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    private static void Lock(string path, UnixFileMode mode = UnixFileMode.None)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    /// <summary>Puts a whole model there, under each of the names.</summary>
    private void Put(params string[] files)
    {
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), _folder[file]);
        }
    }
}
