namespace Fairseq2Llama.Reports;

/// <summary>A number of the architecture, held against the weights.</summary>
/// <param name="Name">Its name in fairseq2's LLaMAConfig.</param>
/// <param name="Expected">What the architecture says; null where there is none.</param>
/// <param name="Found">What the weights say; null where they do not tell it.</param>
/// <param name="Verdict">Whether the two go together.</param>
internal sealed record ReportedSetting(string Name, string? Expected, string? Found, SettingVerdict Verdict)
{
    /// <summary>The verdict in words.</summary>
    public string VerdictText => Verdict switch
    {
        SettingVerdict.Agrees => "agrees",
        SettingVerdict.Differs => "differs",
        _ when Found is null => "not in shapes",
        _ when Expected is null => "–",
        _ => "not clear",
    };
}

/// <summary>Whether a number of the architecture goes together with the weights.</summary>
internal enum SettingVerdict
{
    /// <summary>The weights do not tell it, or not for sure, or there is no architecture to hold against them.</summary>
    Untold,

    /// <summary>They say the same.</summary>
    Agrees,

    /// <summary>They say something else.</summary>
    Differs,
}
