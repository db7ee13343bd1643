using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>The architecture, number by number beside what the weights say.</summary>
internal static class ArchitectureSection
{
    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        yield return report.Architecture is { } architecture
            ? Tag.Of(
                "p",
                Tag.Of("strong", Display.Architecture(architecture)),
                $", {report.ArchitectureOrigin}: {Display.Grouped(architecture.ParameterCount)} parameters"
                    + (architecture.TiedEmbeddings ? ", tied ones counted once." : "."))
            : Tag.Of("p", "No architecture is known to fit, so there is nothing to hold the shapes against.");

        yield return HtmlTable.Of(
            "the architecture held against the weights",
            ["Number", "Verdict", "#Expected", "#Found"],
            report.Settings.Select(setting => new object?[]
            {
                Tag.Code(setting.Name), VerdictOf(setting), setting.Expected ?? "–", setting.Found ?? "–",
            }));

        if (report.Architecture is { AssetNames.IsEmpty: false } known)
        {
            yield return Tag.Of("p", Tag.Class("note"), $"Published as {string.Join(", ", known.AssetNames)}.");
        }
    }

    private static XElement VerdictOf(ReportedSetting setting) => setting.Verdict switch
    {
        SettingVerdict.Agrees => Tag.Of("span", Tag.Class("good"), "✓ " + setting.VerdictText),
        SettingVerdict.Differs => Tag.Of("strong", Tag.Class("bad"), "✗ " + setting.VerdictText),
        _ => Tag.Of("span", Tag.Class("note"), setting.VerdictText),
    };
}
