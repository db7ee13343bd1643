using System.Text;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Export-LlamaGgufCheckpoint, and the other commands on GGUF files.</summary>
public sealed class GgufCommandTests : IDisposable
{
    private const string Export = "Export-LlamaGgufCheckpoint";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public GgufCommandTests()
    {
        _session["hf"] = ConverterModel.Tied.Write(_folder["hf"]);
        _session["scaled"] = ConverterModel.Scaled.Write(_folder["scaled"]);
        _session.Location = _folder.Path;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Writes_the_file_of_that_path()
    {
        var written = _session.RunOne<LlamaGgufCheckpoint>($"$hf | {Export} models/tied.gguf");

        Assert.Equal(("tied", CheckpointFormat.Gguf, 1, 20), (written.Name, written.Format, written.ShardCount, written.Tensors.Length));
        Assert.Equal([_folder["models/tied.gguf"]], written.Files);
        Assert.Equal([_folder["models/tied.gguf"]], Directory.GetFileSystemEntries(_folder["models"]));
    }

    [Fact]
    public void Writes_several_files_beside_others()
    {
        File.WriteAllText(_folder["notes.txt"], "stays");

        var written = _session.RunOne<LlamaGgufCheckpoint>($"$hf | {Export} tied.gguf -MaxShardSize 20KB -DType Q8_0");

        Assert.Equal(2, written.ShardCount);
        Assert.Equal(["tied-00001-of-00002.gguf", "tied-00002-of-00002.gguf"], written.Files.Select(Path.GetFileName));
        Assert.Equal(Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal), ["notes.txt", .. written.Files.Select(Path.GetFileName)]);
        Assert.Equal(2, _session.RunOne<LlamaGgufCheckpoint>("Read-LlamaCheckpoint tied-00001-of-00002.gguf").ShardCount);
    }

    /// <summary>Who gave the name to the export takes it for that of the file.</summary>
    [Theory]
    [InlineData("Read-LlamaCheckpoint tied.gguf")]
    [InlineData("Read-LlamaCheckpoint -LiteralPath tied.gguf")]
    [InlineData("Get-CheckpointTensor tied.gguf")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint tied.gguf out")]
    public void The_name_of_a_split_model_leads_to_its_first_file(string script)
    {
        _session.Run($"$hf | {Export} tied.gguf -MaxShardSize 20KB");

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, script, "tied.gguf", $". Did you mean '{_folder["tied-00001-of-00005.gguf"]}'?");
    }

    [Theory]
    [InlineData("tie.gguf")]
    [InlineData("tied")]
    [InlineData("tied-00002-of-00006.gguf")]
    [InlineData("none/tied.gguf")]
    public void Another_name_leads_nowhere(string name)
    {
        _session.Run($"$hf | {Export} tied.gguf -MaxShardSize 20KB");

        var error = Assert.Single(_session.RunOn($"Read-LlamaCheckpoint {name}").Errors);
        Assert.DoesNotContain("Did you mean", $"{error}", StringComparison.Ordinal);
    }

    [Fact]
    public void Tells_what_it_would_do()
    {
        _session.Run($"$hf | {Export} tied.gguf -MaxShardSize 20KB; $null = $hf | {Export} tied.gguf -Force -WhatIf");

        var lines = _session.Host.TakeLines();
        Assert.Contains(lines, line => line.StartsWith("  tied.gguf: 20 tensors, ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("  tied-00001-of-", StringComparison.Ordinal) && line.Contains("removed, left over from an earlier export", StringComparison.Ordinal));
        Assert.False(File.Exists(_folder["tied.gguf"]));
    }

    [Theory]
    [InlineData("models", "is not the name of a GGUF file")]
    [InlineData("models/x.bin", "is not the name of a GGUF file")]
    [InlineData("x-00001-of-00003.gguf", "is a name for a part of a model")]
    public void Refuses_other_names(string path, string message)
    {
        var error = _session.RunForError(CheckpointErrorCode.WriteFailed, $"$hf | {Export} {path}", message);

        Assert.DoesNotContain("\n", error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["models"]));
    }

    [Fact]
    public void Refuses_an_existing_folder()
    {
        Directory.CreateDirectory(_folder["x.gguf"]);

        _session.RunForError(CheckpointErrorCode.OutputExists, $"$hf | {Export} x.gguf", "x.gguf' is a folder");
    }

    [Fact]
    public void Replaces_with_Force_only()
    {
        _session.Run($"$hf | {Export} x.gguf");

        _session.RunForError(CheckpointErrorCode.OutputExists, $"$hf | {Export} x.gguf", "already holds x.gguf", "-Force");
        Assert.Equal(DType.Q8_0, _session.RunOne<LlamaGgufCheckpoint>($"$hf | {Export} x.gguf -Force -DType Q8_0").Tensors[0].DType);
    }

    [Fact]
    public void Warns_of_what_Q8_0_can_not_hold()
    {
        var outcome = _session.RunOn($"$scaled | {Export} x.gguf -DType q8_0");

        Assert.Empty(outcome.Errors);
        Assert.Contains(outcome.Warnings, warning => warning.StartsWith("11 tensors become float16", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Export-LlamaHuggingFaceCheckpoint")]
    [InlineData("Export-LlamaReferenceCheckpoint")]
    [InlineData("Export-Fairseq2Checkpoint")]
    public void Only_GGUF_is_quantized(string command)
    {
        Assert.StartsWith("ParameterArgument", _session.RunForTerminatingError($"$hf | {command} out -DType Q8_0").FullyQualifiedErrorId, StringComparison.Ordinal);

        _session.Run($"$hf | {Export} q.gguf -DType Q8_0");
        _session.RunForError(CheckpointErrorCode.UnsupportedTensor, $"Read-LlamaCheckpoint q.gguf | {command} out", "are quantized", "-DType");
        Assert.Empty(_session.RunOn($"Read-LlamaCheckpoint q.gguf | {command} out -DType bfloat16").Errors);
    }

    [Theory]
    [InlineData("([ordered]@{ 'general.zoo' = 'z'; license = 'mit'; 'general.author' = 'me'; tags = 'b', 'a'; Name = 'Stories'; 'base_model.count' = 7 })")]
    [InlineData("@{ 'general.zoo' = 'z'; license = 'mit'; 'general.author' = 'me'; tags = @('b', 'a'); NAME = 'Stories'; 'base_model.count' = [long] 7 }", "base_model.count", "zoo")]
    public void Metadata_come_in_the_order_of_the_converter(string metadata, params string[] others)
    {
        _session.Run($"$hf | {Export} x.gguf -Metadata {metadata}");

        if (others.Length == 0)
        {
            others = ["zoo", "base_model.count"];
        }

        var expected = new GgufBuilder().Key("general.architecture", "llama").Key("general.type", "model").Key("general.name", "Stories").Key("general.author", "me").Key("general.size_label", "20K")
            .Key("general.license", "mit");

        foreach (var other in others)
        {
            expected.Key($"general.{other}", other == "zoo" ? "z" : 7u);
        }

        var begin = expected.List("general.tags", "b", "a").Key("llama.block_count", 2u).Build();
        Assert.Equal(begin[24..begin.Length].SkipLast(32), File.ReadAllBytes(_folder["x.gguf"])[24..].Take(begin.Length - 24 - 32));
    }

    [Theory]
    [InlineData("@{ architecture = 'qwen' }", "can't set 'general.architecture', which follows from the model")]
    [InlineData("@{ 'general.file_type' = 7 }", "can't set 'general.file_type'")]
    [InlineData("@{ Alignment = 64 }", "can't set 'general.alignment'")]
    [InlineData("@{ name = 'a'; 'general.name' = 'b' }", "has 'general.name' twice")]
    [InlineData("@{ name = 'a', 'b' }", "a value for 'general.name' that is not a text or a number, or is empty")]
    [InlineData("@{ name = $null }", "a value for 'general.name'")]
    [InlineData("@{ name = '' }", "a value for 'general.name'")]
    [InlineData("@{ name = $true }", "a value for 'general.name'")]
    [InlineData("@{ name = @{ a = 'b' } }", "a value for 'general.name'")]
    [InlineData("@{ tags = 1, 2 }", "a value for 'general.tags' that is not a list of texts, or is empty")]
    [InlineData("@{ tags = @() }", "a value for 'general.tags'")]
    [InlineData("@{ 'base_model.count' = 'x' }", "'x' for 'general.base_model.count', which should be a whole number")]
    [InlineData("@{ zoo = 'x' }", "the key 'zoo'. Keys are name, author")]
    [InlineData("@{ 'llama.block_count' = 9 }", "the key 'llama.block_count'")]
    [InlineData("@{ 'tokenizer.chat_template' = 'x' }", "others that begin with 'general.'")]
    [InlineData("@{ 'general.a b' = 'x' }", "the key 'general.a b'")]
    [InlineData("@{ ('general.' + 'x' * 300) = 'x' }", "the key 'general.xxx")]
    [InlineData("@{ '' = 'x' }", "the key ''")]
    public void Metadata_that_can_not_be_written_are_refused(string metadata, string message)
    {
        _session.RunForError(CheckpointErrorCode.MetadataInvalid, $"$hf | {Export} x.gguf -Metadata {metadata}", message);

        Assert.False(File.Exists(_folder["x.gguf"]));
    }

    /// <summary>llama.cpp refuses a file in which one of these has another type.</summary>
    [Fact]
    public void Metadata_get_the_types_that_programs_expect()
    {
        _session.Run($"$hf | {Export} x.gguf -Metadata @{{ name = 5; version = 1.5; tags = 'one'; 'base_model.count' = '1'; 'base_model.0.name' = 'B' }}");

        var keys = GgufFile.Open(new LocalFile(_folder["x.gguf"])).Metadata.Entries.ToDictionary(entry => entry.Key);
        Assert.Equal(
            ("5", "1.5", 1u, "B", GgufValueType.Array),
            (keys["general.name"].Value, keys["general.version"].Value, keys["general.base_model.count"].Value, keys["general.base_model.0.name"].Value, keys["general.tags"].Type));
    }

    [Fact]
    public void From_a_GGUF_file_what_it_says_of_the_model_is_kept()
    {
        _session.Run($"$hf | {Export} x.gguf -Metadata @{{ name = 'Stories'; license = 'mit'; tags = 'a', 'b' }}; {Export} x.gguf y.gguf -DType Q8_0 -Metadata @{{ author = 'me'; license = 'x11' }}");

        var keys = GgufFile.Open(new LocalFile(_folder["y.gguf"])).Metadata.Entries.ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal(("Stories", "x11", "me", 7u), (keys["general.name"], keys["general.license"], keys["general.author"], keys["general.file_type"]));
        Assert.True(keys.ContainsKey("general.tags"));
    }

    [Fact]
    public void A_wildcard_reads_a_model_once()
    {
        _session.Run($"$hf | {Export} x.gguf -MaxShardSize 20KB; $hf | {Export} y.gguf");

        Assert.Equal(["x", "y"], _session.Run("Read-LlamaCheckpoint *.gguf").Select(read => ((LlamaGgufCheckpoint)read.BaseObject).Name));
    }

    [Fact]
    public void Each_checkpoint_needs_a_file_of_its_own() => _session.RunForError(
        CheckpointErrorCode.OutputExists, $"$null = $hf, $scaled | {Export} x.gguf", "a file of its own", "{ \"out/$($_.Name).gguf\" }");

    [Fact]
    public void Says_where_the_vocabulary_is_from()
    {
        var outcome = _session.RunOn($"$hf | {Export} x.gguf -Verbose; {Export} x.gguf y.gguf -Verbose");

        Assert.Contains(outcome.Verbose, line => line.Contains("Vocabulary: made of '", StringComparison.Ordinal));
        Assert.Contains(outcome.Verbose, line => line.Contains("Vocabulary: that of '" + _folder["x.gguf"], StringComparison.Ordinal));
    }

    [Fact]
    public void Jobs_write_their_files_and_the_last_step_none()
    {
        var export = $"$hf | {Export} x.gguf -MaxShardSize 20KB";

        Assert.Equal([0, 1], _session.Run<ExportedShard>($"{export} -ShardIndex 0; {export} -ShardIndex 1").Select(shard => shard.ShardIndex).Take(2));
        _session.Run($"2..4 | ForEach-Object {{ {export} -ShardIndex $_ }}");
        Assert.Equal(5, _session.RunOne<LlamaGgufCheckpoint>($"{export} -CompleteShards").ShardCount);
        Assert.Equal(5, Directory.GetFiles(_folder.Path).Length);
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint x.gguf")]
    [InlineData("'x.gguf' | Read-LlamaCheckpoint")]
    [InlineData("Read-LlamaCheckpoint folder")]
    [InlineData("[System.IO.FileInfo]::new(\"$PWD/x.gguf\") | Read-LlamaCheckpoint")]
    [InlineData("Read-LlamaCheckpoint *.gguf")]
    public void Is_read_by_file_and_by_folder(string script)
    {
        _session.Run($"$hf | {Export} x.gguf; $hf | {Export} folder/y.gguf");

        Assert.Equal(20, _session.RunOne<LlamaGgufCheckpoint>(script).Tensors.Length);
    }

    [Fact]
    public void Tensors_are_listed_measured_and_compared()
    {
        _session.Run($"$q = $hf | {Export} q.gguf -DType Q8_0; $f = $hf | {Export} f.gguf");

        Assert.Equal(["blk.1.ffn_down.weight", "blk.1.ffn_gate.weight", "blk.1.ffn_up.weight"], _session.Run<CheckpointTensor>("$q | Get-CheckpointTensor blk.1.ffn_*.weight -Exclude *norm*").Select(tensor => tensor.Name).Order());
        Assert.Equal(20, _session.Run<TensorStatistics>("$q | Measure-CheckpointTensor").Length);
        Assert.All(
            _session.Run<TensorStatistics>("$q | Measure-CheckpointTensor").Zip(_session.Run<TensorStatistics>("$f | Measure-CheckpointTensor")),
            pair => Assert.Equal(pair.Second.Norm, pair.First.Norm, 0.01 * pair.Second.Norm));
        Assert.All(_session.Run<TensorComparison>("Compare-LlamaCheckpoint $hf $f"), pair => Assert.Equal(ComparisonResult.Equal, pair.Result));

        var differences = _session.Run<TensorComparison>("Compare-LlamaCheckpoint $hf $q");
        Assert.All(differences, pair => Assert.Equal(pair.Name.Contains("norm", StringComparison.Ordinal) ? ComparisonResult.Equal : ComparisonResult.DTypeDiffers, pair.Result));

        // The largest number is below two, and half a unit of a block is 1/254 of the largest in it, with the rounding of the scale.
        Assert.All(differences, pair => Assert.InRange(pair.MaxAbsoluteDifference ?? 0, 0, 2.02 / 254 + 0.002));
        Assert.All(_session.Run<TensorComparison>("Compare-LlamaCheckpoint $hf $q -Tolerance 0.02"), pair => Assert.Equal(ComparisonResult.Equal, pair.Result));
        Assert.Contains(_session.Run<TensorComparison>("Compare-LlamaCheckpoint $hf $q -Tolerance 1e-9"), pair => pair.Result == ComparisonResult.Different);
    }

    [Theory]
    [InlineData("x.gguf", true)]
    [InlineData("x.gguf -Deep", true)]
    [InlineData("x.gguf -Deep -For Gguf", true)]
    [InlineData("q.gguf -Deep -For Gguf", true)]
    [InlineData("$hf -For Gguf", true)]
    [InlineData("$hf -Deep -For Gguf", true)]
    [InlineData("q.gguf -For Reference", false)]
    public void Is_tested(string arguments, bool passes)
    {
        _session.Run($"$hf | {Export} q.gguf -DType Q8_0; $hf | {Export} x.gguf");

        var result = _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint {arguments}");
        Assert.True(result.Passed == passes, string.Join("; ", result.Findings));
    }

    [Theory]
    [InlineData(0x7e00, "NaN")]
    [InlineData(0x7c00, "Inf")]
    [InlineData(0xfc00, "Inf")]
    public void A_scale_that_is_not_finite_is_found(int scale, string what)
    {
        var blocks = GgufBuilder.MakeData(GgufBuilder.Q8_0, 40 * 64, new Random(1));
        BitConverter.GetBytes((ushort)scale).CopyTo(blocks, 34 * 3);
        File.WriteAllBytes(_folder["bad.gguf"], GgufBuilder.Llama(type: GgufBuilder.Q8_0).Replace("token_embd.weight", old => (old.Type, blocks, old.Dims)).Build());

        Assert.True(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint bad.gguf").Passed);
        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint bad.gguf -Deep").Findings);

        Assert.Contains("token_embd.weight", finding.Message, StringComparison.Ordinal);
        Assert.Contains(what, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_found()
    {
        _session.Run($"$hf | {Export} x.gguf");
        using (var file = new FileStream(_folder["x.gguf"], FileMode.Open))
        {
            file.SetLength(file.Length - 100);
        }

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint x.gguf");
        Assert.Equal(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(result.Findings).Code);
    }

    [Fact]
    public void Tab_offers_names_of_tensors()
    {
        _session.Run($"$x = $hf | {Export} x.gguf");

        Assert.Equal(["blk.1.ffn_down.weight", "blk.1.ffn_gate.weight", "blk.1.ffn_norm.weight", "blk.1.ffn_up.weight"], _session.Complete("Read-LlamaCheckpoint x.gguf | Get-CheckpointTensor blk.1.ffn_").Order(StringComparer.Ordinal));
        Assert.Equal(["token_embd.weight"], _session.Complete("$x | Get-CheckpointTensor tok"));
        Assert.Equal(["q8_0"], _session.Complete($"$hf | {Export} x.gguf -DType q").Select(name => name.ToLowerInvariant()));
    }

    [Theory]
    [InlineData("report.html", "<!DOCTYPE html>")]
    [InlineData("report.md", "# Checkpoint q")]
    public void Has_a_report(string path, string begin)
    {
        _session.Run($"$q = $hf | {Export} q.gguf -DType Q8_0");

        var text = File.ReadAllText(_session.RunOne<FileInfo>($"$q | Export-CheckpointReport {path}").FullName, Encoding.UTF8);
        Assert.StartsWith(begin, text, StringComparison.Ordinal);
        Assert.Contains("q8", text, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith(path.EndsWith("md", StringComparison.Ordinal) ? "# " : "<!", File.ReadAllText(_session.RunOne<FileInfo>($"Compare-LlamaCheckpoint $hf $q -Summary | Export-CheckpointReport compare-{path}").FullName), StringComparison.Ordinal);
    }

    [Fact]
    public void Becomes_tensors_of_TorchSharp()
    {
        LibTorch.Require();
        var q = _session.RunOne<LlamaGgufCheckpoint>($"$hf | {Export} q.gguf -DType Q8_0");
        _session.Run("$q = Read-LlamaCheckpoint q.gguf");

        foreach (var tensor in q.Tensors)
        {
            using var torch = (TorchSharp.torch.Tensor)_session.Run($"$q | Get-CheckpointTensor {tensor.Name} | ConvertTo-TorchTensor")[0].BaseObject;

            Assert.Equal(tensor.Shape.Sizes, torch.shape);
            Assert.Equal("float32", torch.dtype.ToString().ToLowerInvariant());
            var bytes = TensorBytes.Of(tensor.Shards[0].Tensor);
            Assert.Equal(tensor.DType == DType.Q8_0 ? Dequantize(bytes) : bytes, torch.contiguous().bytes.ToArray());
        }
    }

    private static byte[] Dequantize(byte[] blocks) =>
        [.. from block in blocks.Chunk(34) from quant in block.Skip(2) from value in BitConverter.GetBytes((float)BitConverter.ToHalf(block, 0) * (sbyte)quant) select value];
}
