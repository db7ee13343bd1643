using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Exports that several jobs make together: -ShardIndex, and -CompleteShards in the end.</summary>
[External]
public sealed class ShardJobTests : IDisposable
{
    private const string Reference = "Export-LlamaReferenceCheckpoint out -Architecture $small -ShardCount 4";
    private const string HuggingFace = "Export-LlamaHuggingFaceCheckpoint out -Architecture $small -MaxShardSize 40KB";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();
    private readonly string _input;

    public ShardJobTests(ShardedModels models)
    {
        _input = models.PathOfDivided("float32,embedding1,pp2,tp2,sdp3,uneven");
        _session.Location = _folder.Path;
        _session["small"] = ShardedModels.Architecture;
        _session["path"] = _input;
        _session.Run("$checkpoint = Read-Fairseq2Checkpoint $path");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Reference, "0", "1", "2", "3")]
    [InlineData(Reference, "3", "1", "2", "0")]
    [InlineData(Reference, "2, 0", "3, 1, 1")]
    [InlineData(HuggingFace, "0", "1", "2", "3")]
    [InlineData(HuggingFace, "2, 0", "3, 1, 1")]
    public void Together_make_the_same_folder_as_one_export(string export, params string[] jobs)
    {
        var whole = ExportWhole(export);

        foreach (var job in jobs)
        {
            var shards = _session.Run<ExportedShard>($"$checkpoint | {export} -ShardIndex {job}");

            Assert.Equal(job.Split(',').Select(int.Parse).Distinct().Order(), shards.Select(shard => shard.ShardIndex));
            Assert.All(shards, shard => Assert.Equal((4, new FileInfo(shard.Path).Length, false), (shard.ShardCount, shard.SizeInBytes, shard.IsSkipped)));
        }

        var result = (LlamaCheckpoint)Assert.Single(_session.Run($"$checkpoint | {export} -CompleteShards")).BaseObject;

        Assert.Equal(4, result.ShardCount);
        Assert.Equal(whole.Keys.Order(StringComparer.Ordinal), result.Files.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(result.Files.Sum(file => new FileInfo(file).Length), result.SizeInBytes);
        Assert.Equal(whole, CheckpointFolder.Snapshot(_folder["out"]));
        Assert.Equal(whole.Keys.Order(StringComparer.Ordinal), Names("out"));
    }

    [Theory]
    [InlineData(Reference, "Read-LlamaReferenceCheckpoint out")]
    [InlineData(HuggingFace, "Read-LlamaHuggingFaceCheckpoint out")]
    [InlineData(HuggingFace, "Read-LlamaCheckpoint out")]
    public void Leave_nothing_that_can_be_read_before_the_last_step(string export, string read)
    {
        _session.Run($"$checkpoint | {export} -ShardIndex 0, 1, 2, 3");

        var error = _session.RunForError(read);

        Assert.Contains("Jobs have exported files to", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("-CompleteShards", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Reference)]
    [InlineData(HuggingFace)]
    public void Skip_what_they_have_done_before(string export)
    {
        _session.Run($"$checkpoint | {export} -ShardIndex 0");
        var before = Directory.GetFiles(_folder["out"]).Select(file => (file, File.GetLastWriteTimeUtc(file))).Order();

        Assert.True(_session.RunOne<ExportedShard>($"$checkpoint | {export} -ShardIndex 0").IsSkipped);
        Assert.Equal(before, Directory.GetFiles(_folder["out"]).Select(file => (file, File.GetLastWriteTimeUtc(file))).Order());

        Assert.Equal([true, false], _session.Run<ExportedShard>($"$checkpoint | {export} -ShardIndex 0, 1").Select(shard => shard.IsSkipped));
        Assert.False(_session.RunOne<ExportedShard>($"$checkpoint | {export} -ShardIndex 0 -Force").IsSkipped);
    }

    /// <summary>Machines may have copies of the input at other paths, with other times.</summary>
    [Theory]
    [InlineData(Reference)]
    [InlineData(HuggingFace)]
    public void Depend_on_nothing_but_the_content_of_the_input(string export)
    {
        foreach (var machine in new[] { "a", "b" })
        {
            CopyFolder(_input, _folder[$"{machine}/checkpoint"]);
            Directory.EnumerateFiles(_folder[machine], "*", SearchOption.AllDirectories).ToList()
                .ForEach(file => File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, machine[0] - 'a' + 1, 0, 0, 0, DateTimeKind.Utc)));
        }

        _session.Run($"Read-Fairseq2Checkpoint a/checkpoint | {export} -ShardIndex 0, 2");
        _session.Run($"Read-Fairseq2Checkpoint b/checkpoint | {export} -ShardIndex 1, 3");
        Assert.True(_session.RunOne<ExportedShard>($"Read-Fairseq2Checkpoint b/checkpoint | {export} -ShardIndex 2").IsSkipped);

        _session.Run($"$checkpoint | {export} -CompleteShards");

        Assert.Equal(ExportWhole(export), CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>fairseq2's files have checksums. Those of Hugging Face have none, so samples of their data are compared.</summary>
    [Theory]
    [InlineData(Reference, "Read-Fairseq2Checkpoint", "Export-Fairseq2Checkpoint")]
    [InlineData(HuggingFace, "Read-LlamaHuggingFaceCheckpoint", "Export-LlamaHuggingFaceCheckpoint")]
    public void Of_another_checkpoint_with_the_same_shapes_are_found_in_the_end(string export, string read, string convert)
    {
        WriteOther(convert);
        _session.Run($"{read} one | {export} -ShardIndex 0, 1, 3; {read} other | {export} -ShardIndex 2");
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        var error = _session.RunForError(CheckpointErrorCode.ShardMismatch, $"{read} one | {export} -CompleteShards", "(-ShardIndex 2)", "from another checkpoint", "-Force");

        Assert.DoesNotContain("-ShardIndex 1", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        _session.RunForError(CheckpointErrorCode.OutputExists, $"{read} one | {export} -ShardIndex 2", "already holds", "-Force");
        _session.Run($"{read} one | {export} -ShardIndex 2 -Force; {read} one | {export} -CompleteShards");
    }

    [Theory]
    [InlineData(Reference)]
    [InlineData(HuggingFace)]
    public void That_are_missing_are_listed(string export)
    {
        _session.Run($"$checkpoint | {export} -ShardIndex 0, 2");

        _session.RunForError(CheckpointErrorCode.MissingShard, $"$checkpoint | {export} -CompleteShards", "(-ShardIndex 1) is missing", "(-ShardIndex 3) is missing", "Run the jobs");
        _session.RunForError(CheckpointErrorCode.MissingShard, $"$checkpoint | {export} -CompleteShards -WhatIf", "(-ShardIndex 1) is missing");
    }

    [Fact]
    public void Of_a_whole_export_are_not_completed_once_more()
    {
        _session.Run($"$checkpoint | {Reference}");

        _session.RunForError(CheckpointErrorCode.OutputExists, $"$checkpoint | {Reference} -CompleteShards", "already holds params.json", "nothing to complete");
        File.Delete(_folder["out/params.json"]);
        _session.RunForError(CheckpointErrorCode.MissingShard, $"$checkpoint | {Reference} -CompleteShards", "(-ShardIndex 0) was not written by a job");
    }

    [Theory]
    [InlineData("-DType float16")]
    [InlineData("-ShardCount 2")]
    public void Of_other_options_are_not_mixed(string options)
    {
        var other = options.Contains("-ShardCount", StringComparison.Ordinal) ? Reference.Replace("-ShardCount 4", options, StringComparison.Ordinal) : $"{Reference} {options}";
        _session.Run($"$checkpoint | {Reference} -ShardIndex 0");
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        _session.RunForError(CheckpointErrorCode.OutputExists, $"$checkpoint | {other} -ShardIndex 1", "consolidated.00.pth", "other options or from another checkpoint", "-Force");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        var outcome = _session.RunOn($"$checkpoint | {other} -ShardIndex 1 -Force");
        Assert.Contains("consolidated.00.pth' was written with other options", outcome.Warnings[0], StringComparison.Ordinal);
        _session.RunForError(CheckpointErrorCode.ShardMismatch, $"$checkpoint | {Reference} -CompleteShards", "(-ShardIndex 1)", "other options");
    }

    [Theory]
    [InlineData(Reference, "Auto", "truncate")]
    [InlineData(Reference, "Full", "flip")]
    [InlineData(HuggingFace, "Auto", "truncate")]
    [InlineData(HuggingFace, "Full", "flip")]
    public void That_were_damaged_meanwhile_are_found_in_the_end(string export, string verification, string damage)
    {
        _session.Run($"$checkpoint | {export} -ShardIndex 0, 1, 2, 3");
        var file = _folder[export == Reference ? "out/consolidated.01.pth" : "out/model-00002-of-00004.safetensors"];
        Damage(file, damage);
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"$checkpoint | {export} -CompleteShards -Verification {verification}", Path.GetFileName(file), "-ShardIndex 1");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));

        // The size and the index show what was truncated.
        var again = _session.RunOn($"$checkpoint | {export} -ShardIndex 1 {(damage == "truncate" ? "" : "-Force")}");
        Assert.Empty(again.Errors);
        Assert.Equal(damage == "truncate" ? 1 : 0, again.Warnings.Count(warning => warning.Contains("It is written again", StringComparison.Ordinal)));

        _session.Run($"$checkpoint | {export} -CompleteShards -Verification {verification}");
        Assert.Equal(ExportWhole(export), CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>Anybody who may write there can have changed a record.</summary>
    [Theory]
    [InlineData("\"crc32\": \"[^\"]*\"", "\"crc32\": \"00000000\"")]
    [InlineData("\"crc32\": \"[^\"]*\"", "\"crc32\": \"none\"")]
    [InlineData("\"version\": 1", "\"version\": 2")]
    [InlineData("^.*$", "{}")]
    [InlineData("^.*$", "[")]
    public void With_a_record_that_says_nothing_are_not_done(string old, string changed)
    {
        _session.Run($"$checkpoint | {HuggingFace} -ShardIndex 0, 1, 2, 3");
        var record = _folder["out/.fairseq2llama-shard-model-00002-of-00004.safetensors"];
        File.WriteAllText(record, Regex.Replace(File.ReadAllText(record), old, changed, RegexOptions.Singleline));

        _session.RunForError(CheckpointErrorCode.MissingShard, $"$checkpoint | {HuggingFace} -CompleteShards", "(-ShardIndex 1) was not written by a job");
        _session.RunForError(CheckpointErrorCode.OutputExists, $"$checkpoint | {HuggingFace} -ShardIndex 1", "already holds model-00002-of-00004.safetensors");
        _session.Run($"$checkpoint | {HuggingFace} -ShardIndex 1 -Force; $checkpoint | {HuggingFace} -CompleteShards");
    }

    [Fact]
    public void Take_nothing_away_that_others_have_written_even_with_Force()
    {
        _session.Run($"$checkpoint | {HuggingFace} -ShardIndex 0, 1, 2, 3");
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        _session.RunForError(
            CheckpointErrorCode.OutputExists,
            $"$checkpoint | {HuggingFace.Replace("40KB", "30KB", StringComparison.Ordinal)} -ShardIndex 0 -Force",
            "with other options, such as model-00001-of-00004.safetensors", "Use the same options in all jobs");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Theory]
    [InlineData(Reference, "params.json")]
    [InlineData(HuggingFace, "config.json")]
    public void Replace_an_earlier_export_which_is_no_checkpoint_from_the_first_one_on(string export, string marker)
    {
        var earlier = export.Replace("-ShardCount 4", "-ShardCount 8", StringComparison.Ordinal).Replace("40KB", "10KB", StringComparison.Ordinal).Replace("$small", "$eight", StringComparison.Ordinal);
        _session["eight"] = ShardedModels.Architecture;
        earlier = earlier.Replace("-ShardCount 8", "-ShardCount 2", StringComparison.Ordinal);
        _session.Run($"$checkpoint | {earlier}");

        _session.RunForError(CheckpointErrorCode.OutputExists, $"$checkpoint | {export} -ShardIndex 0", marker, "-Force");
        var first = _session.RunOn($"$checkpoint | {export} -ShardIndex 0 -Force");
        Assert.Contains($"{marker}' is removed: until all 4 files are exported again", Assert.Single(first.Warnings), StringComparison.Ordinal);
        Assert.DoesNotContain(marker, Names("out"));

        _session.Run($"$checkpoint | {export} -ShardIndex 1, 2, 3 -Force; $checkpoint | {export} -CompleteShards -Force");
        Assert.Equal(ExportWhole(export), CheckpointFolder.Snapshot(_folder["out"]));
        Assert.Equal(Names("whole"), Names("out"));
    }

    [Fact]
    public void Of_an_export_that_is_replaced_by_a_whole_one_leave_no_records()
    {
        _session.Run($"$checkpoint | {Reference} -ShardIndex 1");

        _session.Run($"$checkpoint | {Reference} -Force");

        Assert.Equal(ExportWhole(Reference).Keys.Order(StringComparer.Ordinal), Names("out"));
    }

    [Theory]
    [InlineData(Reference, false)]
    [InlineData(Reference, true)]
    [InlineData(HuggingFace, false)]
    public void Write_at_the_same_moment(string export, bool force)
    {
        var whole = ExportWhole(export);
        var checkpoint = Fairseq2Checkpoint.Read(_input);
        var options = export == Reference
            ? new ReferenceExportOptions { Architecture = ShardedModels.Architecture, ShardCount = 4, Force = force }
            : (ExportOptions)new HuggingFaceExportOptions { Architecture = ShardedModels.Architecture, MaxShardSize = 40 << 10, Force = force };

        for (var round = 0; round < 10; round++)
        {
            var folder = $"deep/{round}";

            if (force)
            {
                Directory.CreateDirectory(_folder[folder]);

                foreach (var name in new[] { "params.json", "consolidated.01.pth", "consolidated.04.pth", "consolidated.07.pth" })
                {
                    File.WriteAllText(Path.Combine(_folder[folder], name), "of an earlier export");
                }
            }

            var plans = Enumerable.Range(0, 4).Select(index => CheckpointExport.Plan(checkpoint, _folder[folder], options with { ShardIndex = [index] })).ToArray();
            RunAtOnce(4, index => plans[index].Execute());
            CheckpointExport.Plan(checkpoint, _folder[folder], options with { CompleteShards = true }).Execute();

            Assert.Equal(whole, CheckpointFolder.Snapshot(_folder[folder]));
            Assert.Equal(whole.Keys.Order(StringComparer.Ordinal), Names(folder));
        }
    }

    [Fact]
    public void Do_not_warn_of_other_jobs_that_are_at_work()
    {
        _session.Run($"$checkpoint | {Reference} -ShardIndex 3");
        Directory.CreateDirectory(_folder["out/.fairseq2llama.02"]);

        var outcome = _session.RunOn($"$checkpoint | {Reference} -ShardIndex 1");

        Assert.Empty(outcome.Errors);
        Assert.Empty(outcome.Warnings);
    }

    [Fact]
    public void Tell_for_WhatIf_only_of_what_they_would_write()
    {
        Assert.Empty(_session.Run($"$checkpoint | {Reference} -ShardIndex 2 -WhatIf"));

        var lines = _session.Host.TakeLines();
        Assert.Equal(3, lines.Count);
        Assert.StartsWith("  consolidated.02.pth: 30 tensors, ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("  .fairseq2llama-shard-consolidated.02.pth: the record of", lines[2], StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Are_not_run_and_completed_by_one_command()
    {
        var error = _session.RunForTerminatingError($"$checkpoint | {Reference} -ShardIndex 2 -CompleteShards");

        Assert.StartsWith("AmbiguousParameterSet,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Get_the_tokenizer_in_the_last_step()
    {
        File.WriteAllText(_folder["tokenizer.json"], "{}");
        _session.Run($"0..3 | ForEach-Object {{ $checkpoint | {HuggingFace} -TokenizerPath tokenizer.json -ShardIndex $_ }}");
        Assert.DoesNotContain("tokenizer.json", Names("out"));

        _session.Run($"$checkpoint | {HuggingFace} -TokenizerPath tokenizer.json -CompleteShards");

        Assert.Contains("tokenizer.json", Names("out"));
    }

    private static void RunAtOnce(int count, Action<int> work)
    {
        using var start = new Barrier(count);
        var errors = new Exception?[count];

        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(index => new Thread(() =>
            {
                start.SignalAndWait();
                errors[index] = Record.Exception(() => work(index));
            })),
        ];

        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(errors, Assert.Null);
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static void Damage(string file, string how)
    {
        using var stream = new FileStream(file, FileMode.Open);

        if (how == "truncate")
        {
            stream.SetLength(stream.Length - 1);
            return;
        }

        stream.Position = stream.Length / 2;
        var old = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(old ^ 1));
    }

    /// <summary>Writes the checkpoint as 'one', and another one with the same shapes as 'other'.</summary>
    private void WriteOther(string convert)
    {
        _session.Run("'plain', 'changed' | ForEach-Object { $checkpoint | Export-LlamaHuggingFaceCheckpoint $_ -Architecture $small }");

        using (var stream = new FileStream(_folder["changed/model.safetensors"], FileMode.Open))
        {
            var length = new byte[8];
            stream.ReadExactly(length);
            stream.Position = 8 + BitConverter.ToInt64(length);
            var data = new byte[stream.Length - stream.Position];
            stream.ReadExactly(data);
            stream.Position -= data.Length;

            // The exponents of the floats become others.
            stream.Write([.. data.Select((value, index) => index % 4 == 3 ? (byte)(value ^ 1) : value)]);
        }

        _session.Run($"Read-LlamaHuggingFaceCheckpoint plain | {convert} one -Architecture $small; Read-LlamaHuggingFaceCheckpoint changed | {convert} other -Architecture $small");
    }

    private Dictionary<string, string> ExportWhole(string export)
    {
        _session.Run($"$checkpoint | {export.Replace(" out ", " whole ", StringComparison.Ordinal)} -Force");
        return CheckpointFolder.Snapshot(_folder["whole"]);
    }

    /// <summary>Everything in a folder, hidden or not.</summary>
    private IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(_folder[folder]).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal);
}
