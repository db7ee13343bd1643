using System.Net;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Stores.Http;

/// <summary>The page with which web servers show a folder: a link to everything that is in it (nginx, Apache, Caddy, python -m http.server).</summary>
internal static partial class FolderPage
{
    /// <param name="html">The page.</param>
    /// <param name="address">Its address.</param>
    /// <param name="prefix">The key of the folder; empty, or with a slash at its end.</param>
    /// <returns>What is directly in the folder. Pages do not say lengths in a way that can be relied on.</returns>
    public static ObjectPage Read(string html, Uri address, string prefix)
    {
        var folder = new Uri(address, ".").AbsolutePath;

        var names = (
            from Match link in Link().Matches(html)
            where Uri.TryCreate(address, WebUtility.HtmlDecode(link.Groups["address"].Value), out _)
            let target = new Uri(address, WebUtility.HtmlDecode(link.Groups["address"].Value))
            where target.Authority == address.Authority && target.Query.Length == 0 && target.AbsolutePath.StartsWith(folder, StringComparison.Ordinal)
            let name = Uri.UnescapeDataString(target.AbsolutePath[folder.Length..])
            where name.Length > 0 && !name.Contains('\\') && name.IndexOf('/') is var slash && (slash < 0 || slash == name.Length - 1)
            select name).Distinct(StringComparer.Ordinal).ToArray();

        return new ObjectPage(
            [.. names.Where(name => !name.EndsWith('/')).Select(name => new StoredObject(prefix + name, StoredObject.UnknownLength, ""))],
            [.. names.Where(name => name.EndsWith('/')).Select(name => prefix + name)],
            Continuation: null);
    }

    /// <summary>What it passes over is bounded, so that a hostile page takes no longer than another one.</summary>
    [GeneratedRegex("""<a\s[^<>]{0,1000}?href\s{0,10}=\s{0,10}(["'])(?<address>[^<>]{0,4000}?)\1""", RegexOptions.IgnoreCase)]
    private static partial Regex Link();
}
