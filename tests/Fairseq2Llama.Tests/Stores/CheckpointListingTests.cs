using System.Collections.Immutable;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>A listing has a file per line; of those of a checkpoint, one folder has to be found, by names alone.</summary>
public sealed class CheckpointListingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("70b/config.json 70b/model-00001-of-00002.safetensors 70b/model-00002-of-00002.safetensors 70b/tokenizer.json", "70b")]
    [InlineData("70b/consolidated.00.pth 70b/consolidated.01.pth 70b/params.json", "70b")]
    [InlineData("70b/model.pt 70b/model.yaml", "70b")]
    [InlineData("70b/model.0.pt 70b/model.1.pt", "70b")]
    [InlineData("model.pt", "")]
    [InlineData("a b/ü/50%/model.pt", "a b/ü/50%")]
    [InlineData("70b/checkpoints/model.yaml 70b/checkpoints/step_100/model.pt 70b/checkpoints/step_200/model.pt 70b/logs/rank_0.log", "70b")]
    [InlineData("checkpoints/step_100/model.pt", "")]
    [InlineData("70b/step_100/model.pt", "70b")]
    [InlineData("r/ws_2.1/checkpoints/step_1000/model/pp_00/tp_00/sdp_00.pt r/ws_2.1/checkpoints/step_1000/model/pp_00/tp_01/sdp_00.pt", "r/ws_2.1")]
    [InlineData("ws_2.1/checkpoints/step_1000/pp_00/tp_00/sdp_00.pt ws_2.1/checkpoints/step_1000/trainer/dp_00.pt", "ws_2.1")]
    [InlineData("70b/model/tp_00.pt 70b/model/tp_01.pt", "70b")]
    [InlineData("70b/model.pt/shard.00.pt 70b/model.pt/shard.01.pt", "70b")]
    public void The_files_of_a_checkpoint_are_one(string listed, string expected) => AssertFound(expected, listed.Replace("a b", "a|b", StringComparison.Ordinal));

    [Theory]
    [InlineData("b/model.pt a/config.json a/model.safetensors c/d/consolidated.00.pth", "b a c/d")]
    [InlineData("p/a/model.pt q/model.pt p/b/model.pt", "p/a q p/b")]
    [InlineData("a/checkpoints/step_1/model.pt b/checkpoints/step_1/model.pt", "a b")]
    [InlineData("7b/config.json 7b/model.safetensors 7b/original/consolidated.00.pth 7b/original/params.json", "7b")]
    [InlineData("70b/checkpoints/step_1/model.pt 70b/checkpoints/step_1/hg/model.safetensors", "70b")]
    public void Outermost_folders_are_found_in_the_order_of_the_listing(string listed, string expected) => AssertFound(expected, listed);

    [Theory]
    [InlineData("config.json data/config.json a/model.safetensors a/config.json", "data a")]
    [InlineData("wandb/step_1/log.txt 70b/model.pt", "70b")]
    [InlineData("70b/checkpoints/step_2.tmp/model.pt 70b/checkpoints/step_1/model.pt", "70b")]
    [InlineData("README.md models.txt 70b/model.pt/ 70b/model.pt", "70b")]
    public void Other_files_hide_no_checkpoint(string listed, string expected) => AssertFound(expected, listed);

    [Theory]
    [InlineData("a/model-00001-of-00002.safetensors b/model.safetensors", "a b")]
    [InlineData("a/config.json b/c/config.json", "a b/c")]
    [InlineData("a/params.json", "a")]
    [InlineData("a/consolidated.01.pth", "a")]
    public void A_filter_may_leave_a_file_of_each(string listed, string expected) => AssertFound(expected, listed);

    [Theory]
    [InlineData("runs/special.pt", "runs/special.pt")]
    [InlineData("runs/a/special.pt runs/b/notes.txt", "runs")]
    [InlineData("runs/a/notes.txt runs/a/special.pt", "runs/a")]
    public void Where_there_is_none_a_reader_has_to_say_so(string listed, string expected) => AssertFound(expected, listed);

    [Fact]
    public void Containers_accounts_and_buckets_are_kept_apart()
    {
        string[] listed =
        [
            "https://one.blob.core.windows.net/runs/a/model.pt", "https://two.blob.core.windows.net/checkpoints/step_1/model.pt", "s3://checkpoints/step_1/model.pt",
            "https://one.blob.core.windows.net/checkpoints/step_1/model.pt", "s3://other/notes.txt",
        ];

        Assert.Equal(
            [
                "https://one.blob.core.windows.net/runs/a", "https://two.blob.core.windows.net/checkpoints", "s3://checkpoints",
                "https://one.blob.core.windows.net/checkpoints", "s3://other/notes.txt",
            ],
            CheckpointListing.Find(listed.Select(text => new CheckpointAddress(text))).Select(address => address.Text));
    }

    [Fact]
    public void A_signature_goes_with_the_folder_and_is_not_shown()
    {
        var found = Assert.Single(CheckpointListing.Find(
            [new("https://account.blob.core.windows.net/runs/a/model.yaml?sig=secret"), new("https://account.blob.core.windows.net/runs/a/model.pt?sig=other")]));

        Assert.Equal("https://account.blob.core.windows.net/runs/a", $"{found}");
        Assert.Equal("sig=secret", new System.Net.NetworkCredential("", found.Access.SasToken).Password);
    }

    [Theory]
    [InlineData("run/checkpoints/step_1/model.pt", null, "run@1")]
    [InlineData("run/checkpoints/step_1/model.pt run/checkpoints/step_2/model.pt run/checkpoints/scores/step_2.txt", null, "run@2")]
    [InlineData("run/checkpoints/step_1/model.pt run/checkpoints/step_3/model.pt", null, "run@3")]
    [InlineData("run/checkpoints/step_1/model.pt run/checkpoints/step_2/model.pt", 1L, "run@1")]
    public void Of_a_run_the_listed_steps_are_meant(string listed, long? step, string expected)
    {
        var place = Open(listed);

        Assert.Equal(expected, CheckpointReader.Read(place, new CheckpointReadOptions { Step = step }, Token).Name);
    }

    [Fact]
    public void A_step_that_is_not_listed_is_none()
    {
        var place = Open("run/checkpoints/step_1/model.pt run/checkpoints/step_3/model.pt");

        Assert.Equal([1, 3], StepSelection.All.FindIn(place, error => throw error));
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointNotFound, () => CheckpointReader.Read(place, new CheckpointReadOptions { Step = 2 }, Token), "no finished step 2", "Finished steps: 1, 3");
    }

    /// <summary>A run of the steps 1, 2 and 3, of which some files were listed.</summary>
    private static ObjectFolder Open(string listed)
    {
        var store = new ObjectStore();

        foreach (var step in (int[])[1, 2, 3])
        {
            store.Put($"run/checkpoints/step_{step}/model.pt", File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt")));
        }

        var found = Assert.Single(Find(listed));
        return new ObjectFolder(store.Remote, "run", Token, found.Choice);
    }

    private static void AssertFound(string expected, string listed) => Assert.Equal(
        expected.Split(expected.Contains(' ', StringComparison.Ordinal) && !listed.Contains('|', StringComparison.Ordinal) ? ' ' : '|').Select(name => $"s3://bucket/{name}".TrimEnd('/')),
        Find(listed).Select(address => address.Text));

    private static ImmutableArray<CheckpointAddress> Find(string listed) =>
        CheckpointListing.Find(listed.Split(' ').Select(key => new CheckpointAddress($"s3://bucket/{key.Replace('|', ' ')}")));
}
