using System.Diagnostics;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>Exports on a file system that can share blocks between files.</summary>
[External]
public sealed class SharedBlocksTests : IDisposable
{
    private const string WriteModel = """
        import sys, torch
        torch.manual_seed(1)
        dim, ffn, vocab = 256, 704, 4096
        layer = {'self_attn.q_proj': (dim, dim), 'self_attn.k_proj': (dim, dim), 'self_attn.v_proj': (dim, dim), 'self_attn.output_proj': (dim, dim),
                 'self_attn_layer_norm': (dim,), 'ffn.gate_proj': (ffn, dim), 'ffn.inner_proj': (ffn, dim), 'ffn.output_proj': (dim, ffn), 'ffn_layer_norm': (dim,)}
        model = {'decoder_frontend.embed.weight': torch.randn(vocab, dim)}
        model |= {f'decoder.layers.{i}.{name}.weight': torch.randn(*shape) for i in range(4) for name, shape in layer.items()}
        model |= {'decoder.layer_norm.weight': torch.randn(dim), 'final_proj.weight': torch.randn(vocab, dim)}
        torch.save({'model': model}, sys.argv[1], _use_new_zipfile_serialization=sys.argv[2] == 'zip')
        """;

    private const string Compare = """
        import sys, torch
        model, export = torch.load(sys.argv[1])['model'], torch.load(sys.argv[2])
        print(len(model) == len(export) and all(torch.equal(a, b) for a, b in zip(model.values(), export.values())))
        """;

    private static readonly LlamaArchitecture Architecture = new()
    {
        Name = "shared",
        ModelDim = 256,
        NumLayers = 4,
        NumAttnHeads = 4,
        NumKeyValueHeads = 4,
        VocabSize = 4096,
        FfnInnerDimMultipleOf = 64,
    };

    private readonly TempFolder _folder = new();
    private readonly Mount _disk;

    public SharedBlocksTests() => _disk = Mount.WithSharing(_folder);

    public void Dispose()
    {
        _disk.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(VerificationMode.Auto, false)]
    [InlineData(VerificationMode.Full, false)]
    [InlineData(VerificationMode.Auto, true)]
    public void Takes_no_space_and_is_what_a_copy_would_be(VerificationMode verification, bool manifest)
    {
        using var elsewhere = new TempFolder();
        var before = Write("zip");

        Export(_disk["out"], verification, manifest: manifest);
        Export(elsewhere["out"], verification, manifest: manifest);

        var file = _disk["out/consolidated.00.pth"];
        Assert.InRange(_disk.UsedBytes - before, 0, new FileInfo(file).Length / 4);
        Assert.Equal(CheckpointFolder.Snapshot(elsewhere["out"]), CheckpointFolder.Snapshot(_disk["out"]));
        Assert.Equal("True", PyTorch.Ask(Compare, _disk["model.pt"], file));
        Assert.Equal("", Unzip(file));
    }

    [Theory]
    [InlineData("mounted/out")]
    [InlineData("mounted")]
    [InlineData("link/out")]
    public void Needs_no_room_however_the_path_leads_there(string destination)
    {
        Write("zip");
        SymbolicLink.ToFolder(_folder["link"], _disk.Path);
        LeaveBytes(2 << 20);

        Export(_folder[destination], VerificationMode.Auto);

        Assert.Equal("", Unzip(Path.Combine(_folder[destination], "consolidated.00.pth")));
    }

    [Fact]
    public void Has_its_own_bytes_when_the_input_is_written_to_afterwards()
    {
        Write("zip");
        Export(_disk["out"], VerificationMode.Auto);
        var before = File.ReadAllBytes(_disk["out/consolidated.00.pth"]);

        File.WriteAllBytes(_disk["model.pt"], new byte[new FileInfo(_disk["model.pt"]).Length]);

        Assert.Equal(before, File.ReadAllBytes(_disk["out/consolidated.00.pth"]));
    }

    [Fact]
    public void Leaves_the_checksum_that_tells_of_damage_to_what_was_not_read()
    {
        Write("zip");
        CheckpointFolder.Damage(_disk["model.pt"], "final_proj.weight");

        Export(_disk["out"], VerificationMode.Auto);

        Assert.Contains("bad CRC", Unzip(_disk["out/consolidated.00.pth"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(VerificationMode.Full, false, false)]
    [InlineData(VerificationMode.Auto, true, false)]
    [InlineData(VerificationMode.Auto, false, true)]
    public void Reads_what_it_shares_when_told_to_verify_or_to_vouch_for_it(VerificationMode verification, bool checklist, bool manifest)
    {
        Write("zip");
        CheckpointFolder.Damage(_disk["model.pt"], "final_proj.weight");

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt, () => Export(_disk["out"], verification, checklist, manifest), _disk["model.pt"], "CRC-32");

        Assert.False(Directory.Exists(_disk["out"]));
    }

    [Fact]
    public void Copies_where_there_are_no_checksums_to_take_over()
    {
        var before = Write("legacy");

        Export(_disk["out"], VerificationMode.Auto);

        Assert.InRange(_disk.UsedBytes - before, new FileInfo(_disk["model.pt"]).Length, long.MaxValue);
        Assert.Equal("True", PyTorch.Ask(Compare, _disk["model.pt"], _disk["out/consolidated.00.pth"]));
        Assert.Equal("", Unzip(_disk["out/consolidated.00.pth"]));
    }

    [Fact]
    public void Copies_where_checksums_are_not_to_be_trusted()
    {
        Write("zip");
        CheckpointFolder.Damage(_disk["model.pt"], "final_proj.weight");

        Export(_disk["out"], VerificationMode.None);

        Assert.Equal("", Unzip(_disk["out/consolidated.00.pth"]));
    }

    private void LeaveBytes(long left)
    {
        using var filler = File.OpenHandle(_disk["filler"], FileMode.CreateNew, FileAccess.Write, preallocationSize: new DriveInfo(_disk.Path).AvailableFreeSpace - left);
    }

    private long Write(string container)
    {
        PyTorch.Ask(WriteModel, _disk["model.pt"], container);
        return _disk.UsedBytes;
    }

    private void Export(string destination, VerificationMode verification, bool checklist = false, bool manifest = false)
    {
        var options = new ReferenceExportOptions { Architecture = Architecture, Verification = verification, Checklist = checklist, Manifest = manifest };
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(_disk["model.pt"]), destination, options).Execute();
    }

    /// <returns>What unzip says of damage: nothing of a sound file.</returns>
    private static string Unzip(string path)
    {
        using var unzip = Process.Start(new ProcessStartInfo("unzip", ["-tqq", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        return unzip.StandardOutput.ReadToEnd().Trim();
    }
}
