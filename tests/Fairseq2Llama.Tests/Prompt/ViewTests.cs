using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>What a person sees in a window of 80 columns, the narrowest that is in use.</summary>
public sealed class ViewTests : IDisposable
{
    /// <summary>How a path begins, in a pattern.</summary>
    private const string Absolute = "(/|[A-Z]:)";

    private readonly Session _session = new();

    public ViewTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["huggingface"] = Repository.Data("huggingface");
        _session["tiny"] = TinyModel.Architecture;
        _session.Host.Width = 80;
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Architectures_are_a_table() => AssertShows(
        "Get-LlamaArchitecture llama2_7b, llama3_2_1b, llama2_70b",
        "Name        Parameters ModelDim Layers Heads FfnInnerDim VocabSize MaxSeqLen",
        "----        ---------- -------- ------ ----- ----------- --------- ---------",
        "llama2_7b        6.74B     4096     32 32/32       11008     32000      4096",
        "llama3_2_1b      1.24B     2048     16  32/8        8192    128256    131072",
        "llama2_70b      68.98B     8192     80  64/8       28672     32000      4096");

    [Fact]
    public void Checkpoints_of_all_formats_are_one_table()
    {
        using var folder = new TempFolder();
        _session["out"] = folder["out"];

        var lines = Show(
            "& { Read-Fairseq2Checkpoint $cases/tp2-llama3; Read-LlamaHuggingFaceCheckpoint $huggingface/half;"
            + " Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint $out -Architecture $tiny }");

        Assert.Equal("Name       Architecture   Elements DTypes       Size Shards Path", lines[0]);
        Assert.Matches("^tp2-llama3                   7.50K float32 41.32 KiB      2 " + Absolute, lines[2]);
        Assert.Matches("^half       2 layers of 16    7.50K float16 17.11 KiB      1 " + Absolute, lines[3]);
        Assert.Matches("^out        2 layers of 16    7.50K float32 [0-9.]{5} KiB      1 " + Absolute, lines[4]);
        Assert.Equal(5, lines.Count);
    }

    [Fact]
    public void Tensors_are_grouped_by_checkpoint_and_layer() => AssertShows(
        "Read-Fairseq2Checkpoint $cases/lora, $cases/fs2 | Get-CheckpointTensor *embed*, *q_proj.weight",
        "   Checkpoint: lora",
        "Name                          DType    Shape     Size",
        "----                          -----    -----     ----",
        "decoder_frontend.embed.weight bfloat16 40x16 1.25 KiB",
        "   Checkpoint: lora, layer 0",
        "Name                                     DType    Shape  Size",
        "----                                     -----    -----  ----",
        "decoder.layers.0.self_attn.q_proj.weight bfloat16 16x16 512 B",
        "   Checkpoint: lora, layer 1",
        "Name                                     DType    Shape  Size",
        "----                                     -----    -----  ----",
        "decoder.layers.1.self_attn.q_proj.weight bfloat16 16x16 512 B",
        "   Checkpoint: fs2",
        "Name                          DType   Shape     Size",
        "----                          -----   -----     ----",
        "decoder_frontend.embed.weight float32 40x16 2.50 KiB",
        "   Checkpoint: fs2, layer 0",
        "Name                                     DType   Shape     Size",
        "----                                     -----   -----     ----",
        "decoder.layers.0.self_attn.q_proj.weight float32 16x16 1.00 KiB",
        "   Checkpoint: fs2, layer 1",
        "Name                                     DType   Shape     Size",
        "----                                     -----   -----     ----",
        "decoder.layers.1.self_attn.q_proj.weight float32 16x16 1.00 KiB");

    [Fact]
    public void New_tensors_are_of_no_checkpoint() => AssertShows(
        "New-CheckpointTensor model.layers.1.input_layernorm.weight 1, 2",
        "   Checkpoint: none",
        "Name                           DType   Shape Size",
        "----                           -----   ----- ----",
        "layers.1.attention_norm.weight float32     2  8 B");

    [Fact]
    public void Sources_of_an_average_have_weights()
    {
        var lines = Show("(Merge-LlamaCheckpoint $cases/fs2, $cases/ddp -Weight 3, 0.5).Sources");

        Assert.Equal("Name Role     Weight Path", lines[0]);
        Assert.Equal(4, lines.Count);
        Assert.Matches("^fs2  Averaged      3 " + Absolute, lines[2]);
        Assert.Matches("^ddp  Averaged    0.5 " + Absolute, lines[3]);
    }

    [Fact]
    public void Files_of_jobs_are_rows()
    {
        using var folder = new TempFolder();
        _session["out"] = folder["out"];

        AssertShows(
            "0, 1, 1 | ForEach-Object { Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint $out -Architecture $tiny -ShardCount 2 -ShardIndex $_ }",
            "Name                ShardIndex ShardCount      Size IsSkipped",
            "----                ---------- ----------      ---- ---------",
            "consolidated.00.pth          0          2 22.79 KiB False",
            "consolidated.01.pth          1          2 22.79 KiB False",
            "consolidated.01.pth          1          2 22.79 KiB True");
    }

    [Fact]
    public void A_test_tells_all_that_it_found() => AssertShows(
        "Read-Fairseq2Checkpoint $cases/fs2, $cases/bias | Test-LlamaCheckpoint -Architecture $tiny",
        "passed  fs2 (2 layers of 16), index only",
        "failed  bias (2 layers of 16)",
        "        Error UnmappedTensor: 'decoder.layers.0.self_attn.q_proj.bias' is not a",
        "        parameter of LLaMA");

    [Fact]
    public void A_test_without_an_architecture_says_what_to_do()
    {
        var lines = Show("Read-Fairseq2Checkpoint $cases/fs2 | Test-LlamaCheckpoint");

        Assert.Equal("failed  fs2", lines[0]);
        Assert.Equal("        Error ArchitectureRequired: The architecture of", lines[1]);
        Assert.Contains("New-LlamaArchitecture", string.Concat(lines.Select(line => line[8..])), StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_are_lines() => AssertShows(
        "(Read-Fairseq2Checkpoint $cases/bias | Test-LlamaCheckpoint -Architecture $tiny).Findings",
        "Error UnmappedTensor: 'decoder.layers.0.self_attn.q_proj.bias' is not a",
        "parameter of LLaMA");

    [Fact]
    public void A_test_of_a_manifest_says_what_was_compared()
    {
        using var folder = new TempFolder();
        _session["out"] = folder["out"];
        _session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2; $null = $fs2 | Export-LlamaReferenceCheckpoint $out -Architecture $tiny -Manifest");

        AssertShows("Test-CheckpointManifest $out -Against $fs2", "passed  out, 2 files, 21 tensors compared with fs2");

        File.AppendAllText(folder["out/params.json"], " ");
        var length = new FileInfo(folder["out/params.json"]).Length;

        AssertShows(
            "Test-CheckpointManifest $out",
            "failed  out, 2 files",
            $"        Error ManifestMismatch: 'params.json' is {length} bytes long, and not {length - 1}");
    }

    [Fact]
    public void A_test_of_a_signature_names_the_key()
    {
        using var folder = new TempFolder();
        var (key, publicKey) = TestKeys.Make();
        File.WriteAllText(folder["key.pem"], key.Text);
        File.WriteAllText(folder["key.pub"], publicKey.Text);
        _session.Location = folder.Path;
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny; $null = New-CheckpointManifest out -KeyPath key.pem");

        AssertShows("Test-CheckpointManifest out -KeyPath key.pub", "passed  out, 3 files", $"        Signed by the key {EcPublicKey.Read(publicKey).Fingerprint[..12]}…");
    }

    [Fact]
    public void Manifests_are_a_table_with_the_beginnings_of_hashes()
    {
        using var folder = new TempFolder();
        _session["out"] = folder["out"];
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint $out -Architecture $tiny -Manifest; $m = (Test-CheckpointManifest $out).Manifest");

        var lines = Show("$m");
        Assert.StartsWith("Name Format    Files Tensors ModelSha256   Path", lines[0], StringComparison.Ordinal);
        Assert.Matches("^out  Reference     2      21 [0-9a-f]{12}… " + Absolute, lines[2]);
        Assert.Equal(3, lines.Count);

        Assert.Equal("Name                     Size Sha256", Show("$m.Files")[0]);
        Assert.Matches(@"^output\.weight +float32 40x16 [0-9a-f]{12}…$", Show("$m.Tensors")[^1]);
        Assert.Matches("^fs2  Fairseq2     1 [0-9a-f]{12}… *$", Show("$m.Source")[2]);
        Assert.Equal("final_proj.weight float32 renamed", Show("$m.Tensors[-1].Source")[2]);
    }

    [Fact]
    public void Differences_are_a_table() => AssertShows(
        "Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/fs2) (Read-LlamaHuggingFaceCheckpoint $huggingface/half)"
        + " | Where-Object Name -like *.0.*k_proj*",
        "   Checkpoints: fs2 and half",
        "Name                                     Result       Description",
        "----                                     ------       -----------",
        "decoder.layers.0.self_attn.k_proj.weight DTypeDiffers float32 and float16");

    [Fact]
    public void A_summary_begins_with_the_answer() => AssertShows(
        "$fs2 = Read-Fairseq2Checkpoint $cases/fs2; Compare-LlamaCheckpoint $fs2 $fs2 -Summary",
        "   Checkpoints: fs2 and fs2",
        "All 21 tensors are equal, bit for bit.");

    [Fact]
    public void A_summary_says_what_to_do_about_types() => AssertShows(
        "Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/fs2) (Read-LlamaHuggingFaceCheckpoint $huggingface/half) -Summary",
        "   Checkpoints: fs2 and half",
        "21 of 21 tensors are different in type.",
        "To compare numbers of different types, use -Tolerance.",
        "Name        Equal",
        "----        -----",
        "embedding  0 of 1",
        "layer 0    0 of 9",
        "layer 1    0 of 9",
        "final norm 0 of 1",
        "output     0 of 1");

    [Fact]
    public void A_summary_shows_which_layers_moved()
    {
        var lines = Show(
            "Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/fs2) (Read-LlamaHuggingFaceCheckpoint $huggingface/half) -Summary -Tolerance 0");

        Assert.Equal("21 of 21 tensors are different.", lines[1]);
        Assert.Matches(@"^Largest difference: 0\.000\d+ in [\w.]+$", lines[2]);
        Assert.Matches(@"^Relative norm:      0\.000\d+ \(difference 0\.0\d+, reference \d+\.?\d*\)$", lines[3]);
        Assert.Equal("Name        Equal RelativeNorm                      MaxAbsoluteDifference", lines[4]);
        Assert.Equal(["embedding", "layer 0", "layer 1", "final norm", "output"], lines.Skip(6).Select(line => line[..10].Trim()));
        Assert.All(lines.Skip(6), line => Assert.Matches(@"^.{11}0 of \d +0\.000\d+ █+▌? *(0\.000\d+|\d\.?\d*e-05)$", line));
        Assert.Single(lines, line => line.Contains(new string('█', 20), StringComparison.Ordinal));
    }

    [Fact]
    public void Layers_are_a_table() => AssertShows(
        "(Compare-LlamaCheckpoint ($fs2 = Read-Fairseq2Checkpoint $cases/fs2) $fs2 -Summary).Layers",
        "   Checkpoints: fs2 and fs2",
        "Name        Equal RelativeNorm NormOfDifference MaxAbsoluteDifference",
        "----        ----- ------------ ---------------- ---------------------",
        "embedding  1 of 1            0                0                     0",
        "layer 0    9 of 9            0                0                     0",
        "layer 1    9 of 9            0                0                     0",
        "final norm 1 of 1            0                0                     0",
        "output     1 of 1            0                0                     0");

    [Fact]
    public void What_matters_is_coloured_where_there_are_colours()
    {
        const string Test = "Read-Fairseq2Checkpoint $cases/fs2, $cases/bias | Test-LlamaCheckpoint -Architecture $tiny | Out-Default";

        _session.Run($"$PSStyle.OutputRendering = 'Ansi'; {Test}");
        var coloured = _session.Host.TakeText();

        Assert.Contains("\x1b[32mpassed\x1b[0m  fs2", coloured, StringComparison.Ordinal);
        Assert.Contains("\x1b[31;1mfailed\x1b[0m  bias", coloured, StringComparison.Ordinal);
    }

    [External]
    [Fact]
    public void The_same_is_shown_in_a_console_that_is_not_ours()
    {
        var lines = ScriptProcess.Run(
            "param($Module, $Case) Import-Module $Module; Read-Fairseq2Checkpoint -LiteralPath $Case | Get-CheckpointTensor -Layer 0 -Name *q_proj*",
            Repository.StagedModule,
            Repository.Case("fs2"));

        Assert.Equal(
            [
                "Checkpoint: fs2, layer 0",
                "Name                                     DType   Shape     Size",
                "----                                     -----   -----     ----",
                "decoder.layers.0.self_attn.q_proj.weight float32 16x16 1.00 KiB",
            ],
            lines);
    }

    private void AssertShows(string script, params string[] lines) => Assert.Equal(lines, Show(script));

    private IReadOnlyList<string> Show(string script)
    {
        _session.Run($"{script} | Out-Default");
        return _session.Host.TakeLines();
    }
}
