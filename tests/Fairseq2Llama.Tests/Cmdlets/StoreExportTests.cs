using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Exports from and to a store give what they give between folders.</summary>
public sealed class StoreExportTests : StoreCommandTests
{
    public static TheoryData<string, string, string> Ways
    {
        get
        {
            var ways = new TheoryData<string, string, string>();

            foreach (var format in (string[])["Fairseq2", "LlamaReference", "LlamaHuggingFace"])
            {
                ways.Add(format, "fs2", "s3://bucket/out/new");
                ways.Add(format, "s3://bucket/fs2", "s3://bucket/out/new");
                ways.Add(format, "s3://bucket/fs2", "stored");
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void All_formats_are_exported_all_ways(string format, string from, string to)
    {
        Session.Run($"Export-{format}Checkpoint fs2 local -Architecture $tiny");

        var exported = Assert.IsType<LlamaCheckpoint>(Assert.Single(Session.Run($"Export-{format}Checkpoint {from} {to} -Architecture $tiny @at")).BaseObject, exactMatch: false);

        Assert.Equal(to == "stored" ? Folder["stored"] : to, exported.Path);
        Assert.Equal(21, exported.Tensors.Length);

        if (to == "stored")
        {
            Assert.Equal(FolderHash.Of(Folder["local"]), FolderHash.Of(Folder["stored"]));
            Assert.Equal(0, Writes);
        }
        else
        {
            AssertIsAs("local", "out/new");
        }
    }

    [Theory]
    [InlineData("Export-Fairseq2Checkpoint s3://bucket/fs2 s3://bucket/out -Architecture $tiny -WhatIf @at")]
    [InlineData("Export-LlamaReferenceCheckpoint s3://bucket/fs2 s3://bucket/out -Architecture $tiny -WhatIf @at")]
    [InlineData("Export-LlamaReferenceCheckpoint fs2 s3://bucket/out -Architecture $tiny -ShardCount 2 -ShardIndex 0 -WhatIf @at")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint fs2 s3://bucket/out -Architecture $tiny -WhatIf @at")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint fs2 s3://bucket/fs2 -Architecture $tiny -Force -WhatIf @at")]
    public void WhatIf_writes_nothing_at_all(string script)
    {
        Assert.Empty(Session.Run(script));

        Assert.Contains("to 's3://bucket/", Session.Host.TakeText(), StringComparison.Ordinal);
        Assert.Equal(0, Writes);
        Assert.Empty(KeysIn("out"));
    }

    [Fact]
    public void A_second_run_needs_Force()
    {
        const string Export = "Export-LlamaReferenceCheckpoint s3://bucket/fs2 s3://bucket/out -Architecture $tiny @at";
        Session.Run("Export-LlamaReferenceCheckpoint fs2 local -Architecture $tiny; Export-LlamaReferenceCheckpoint fs2 half -Architecture $tiny -DType float16");
        Session.Run(Export);
        Server.ResetCounts();

        Session.RunForError(CheckpointErrorCode.OutputExists, Export, "s3://bucket/out", "-Force");
        Assert.Equal(0, Writes);
        AssertIsAs("local", "out");

        Session.Run($"{Export} -DType float16 -Force");
        AssertIsAs("half", "out");
    }

    [Fact]
    public async Task Jobs_in_two_sessions_write_one_checkpoint()
    {
        using var other = new Session();
        other["tiny"] = TinyModel.Architecture;
        other["at"] = new System.Collections.Hashtable { ["EndpointUrl"] = Server.Address, ["ProfileName"] = S3Profiles.Right };
        Session.Run("Export-LlamaReferenceCheckpoint fs2 local -Architecture $tiny -ShardCount 2");

        // Neither begins to write before the other has claimed its part.
        using var both = new Barrier(2);
        Server.Fault = call =>
        {
            if (call is { Operation: S3Operation.Put, Number: 1 } && call.Key.Contains(".fairseq2llama", StringComparison.Ordinal))
            {
                Assert.True(both.SignalAndWait(TimeSpan.FromMinutes(1)));
            }

            return null;
        };

        var jobs = new[] { Session, other }.Select((session, index) => Task.Run(() =>
            session.Run($"Export-LlamaReferenceCheckpoint s3://bucket/fs2 s3://bucket/out -Architecture $tiny -ShardCount 2 -ShardIndex {index} @at")));
        await Task.WhenAll(jobs);
        Server.Fault = _ => null;
        Session.Run("Export-LlamaReferenceCheckpoint s3://bucket/fs2 s3://bucket/out -Architecture $tiny -ShardCount 2 -CompleteShards @at");

        AssertIsAs("local", "out");
    }

    [Theory]
    [InlineData("s3://bucket/tokenizer")]
    [InlineData("s3://bucket/tokenizer/tokenizer.json")]
    public void A_tokenizer_comes_from_the_store(string address)
    {
        Bucket.Put("tokenizer/tokenizer.json", "{}"u8.ToArray());

        var outcome = Session.RunOn($"Export-LlamaHuggingFaceCheckpoint fs2 s3://bucket/out -Architecture $tiny -TokenizerPath {address} @at");

        Assert.Empty(outcome.Errors);
        Assert.Equal("{}"u8, Bucket["out/tokenizer.json"]);
    }

    [Fact]
    public void A_missing_tokenizer_is_told_before_anything_is_written()
    {
        Session.RunForError(
            CheckpointErrorCode.TokenizerNotFound, "Export-LlamaHuggingFaceCheckpoint fs2 s3://bucket/out -Architecture $tiny -TokenizerPath s3://bucket/none @at", "s3://bucket/none");
        Assert.Equal(0, Writes);
    }

    [Fact]
    public void A_script_block_gives_each_checkpoint_its_destination()
    {
        Bucket.PutFolder(Folder["fs2"], "other/");

        var exported = Session.RunOn("'s3://bucket/fs2', 's3://bucket/other' | Export-Fairseq2Checkpoint { \"s3://bucket/out/$($_.Name)\" } -Architecture $tiny @at");

        Assert.Empty(exported.Errors);
        Assert.Equal(["fs2/model.pt", "fs2/model.yaml", "other/model.pt", "other/model.yaml"], KeysIn("out").Where(key => key.Contains("/model.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Tensors_that_are_left_of_a_stored_checkpoint_are_exported_together()
    {
        Session.Run("Export-LlamaHuggingFaceCheckpoint fs2 local -Architecture $tiny");
        Session.Run("Get-CheckpointTensor s3://bucket/fs2 @at | Export-LlamaHuggingFaceCheckpoint s3://bucket/out -Architecture $tiny @at");
        AssertIsAs("local", "out");
    }

    [Theory]
    [InlineData("html")]
    [InlineData("md")]
    public void A_report_of_a_stored_checkpoint_is_a_local_file(string extension)
    {
        Session.Run($"Export-CheckpointReport s3://bucket/fs2 report.{extension} -Architecture $tiny -Statistics @at");

        Assert.Contains("bucket/", System.Net.WebUtility.HtmlDecode(File.ReadAllText(Folder[$"report.{extension}"])).Replace("<wbr>", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(0, Writes);
    }
}
