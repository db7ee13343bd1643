using System.Reflection;

namespace Fairseq2Llama;

/// <summary>The version of this module.</summary>
internal static class ModuleVersion
{
    /// <summary>As in its manifest, with the label of a prerelease.</summary>
    public static string Text { get; } = typeof(ModuleVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
