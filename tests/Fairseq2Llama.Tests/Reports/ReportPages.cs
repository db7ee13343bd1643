using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>Pages to be looked at in a browser, which is started once for all of them.</summary>
public sealed class ReportPages : IDisposable
{
    private const string Write =
        """
        import sys, torch
        torch.manual_seed(1)
        state = torch.load(sys.argv[1])['model']
        layers = {}
        for n in range(126):
            for name, tensor in state.items():
                if name.startswith('decoder.layers.0.'):
                    layers[name.replace('.0.', f'.{n}.', 1)] = torch.randn(tensor.shape) * (4 if n == 17 else 1)
        layers['decoder.layers.3.ffn.inner_proj.weight'][0, 0] = float('nan')
        layers['decoder.layers.5.self_attn.' + 'a_name_that_is_much_longer_than_a_phone_is_wide' * 3] = torch.ones(20, 30, 4, 5)
        layers['decoder.layers.6.self_attn.many_dims'] = torch.ones([1] * 60)
        torch.save({k: v for k, v in state.items() if '.layers.' not in k} | layers, sys.argv[2])
        """;

    private readonly TempFolder _folder = new("pages");

    /// <summary>One that is fine, one with findings, one with statistics and findings and long names, and a comparison with the last.</summary>
    public static TheoryData<string> Names { get; } = ["fine", "found", "deep", "moved"];

    internal Browser Browser { get; } = new();

    /// <summary>The path of a page.</summary>
    internal string this[string name]
    {
        get
        {
            var path = _folder[$"{name}.html"];

            if (!File.Exists(path))
            {
                File.WriteAllText(path, name == "moved" ? Compare() : Gather(name).ToText(ReportFormat.Html));
            }

            return path;
        }
    }

    public void Dispose()
    {
        Browser.Dispose();
        _folder.Dispose();
    }

    /// <summary>Norms moved to another type, and one layer moved twice as far as all others.</summary>
    private string Compare()
    {
        Gather("deep");
        PyTorch.Ask(
            """
            import sys, torch
            torch.manual_seed(2)
            state = torch.load(sys.argv[1])
            moved = {name: value + 0.01 * (2 if '.18.' in name else 1) * torch.randn(value.shape) for name, value in state.items()}
            moved['decoder.layer_norm.weight'] = moved['decoder.layer_norm.weight'].half()
            del moved['decoder.layers.0.ffn.gate_proj.weight']
            torch.save(moved, sys.argv[2])
            """,
            _folder["model.pt"],
            _folder["moved.pt"]);

        return ComparisonReportTests.Report(_folder["model.pt"], _folder["moved.pt"]).ToText(ReportFormat.Html);
    }

    private CheckpointReport Gather(string name)
    {
        switch (name)
        {
            case "fine":
                return ReportNumbersTests.Gather(Repository.Case("tp2-llama3"));
            case "found":
                return ReportNumbersTests.Gather(Repository.Case("lora"), LlamaArchitectures.Find("7b"));
            default:
                PyTorch.Ask(Write, Path.Combine(Repository.Case("fs2"), "model.pt"), _folder["model.pt"]);
                return ReportNumbersTests.Gather(_folder["model.pt"], TinyModel.Architecture with { NumLayers = 126 }, statistics: true);
        }
    }
}
