using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.HuggingFace;

/// <summary>How Hugging Face's format names the files with the weights: model.safetensors, or model-00001-of-00002.safetensors, …</summary>
internal static partial class WeightFile
{
    public const string Single = "model.safetensors";

    /// <param name="number">From 1.</param>
    /// <param name="count">How many there are.</param>
    public static string NameOf(int number, int count) =>
        count == 1 ? Single : string.Create(CultureInfo.InvariantCulture, $"model-{number:00000}-of-{count:00000}.safetensors");

    public static bool IsNameOfOne(string fileName) => fileName == Single || Numbered().IsMatch(fileName);

    [GeneratedRegex(@"^model-[0-9]{5,}-of-[0-9]{5,}\.safetensors\z", RegexOptions.CultureInvariant)]
    private static partial Regex Numbered();
}
