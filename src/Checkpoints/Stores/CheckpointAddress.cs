using System.Net;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// Where a checkpoint is, or will be: an absolute path of the operating system, or an address in an object store or on a web server, such as
/// <c>s3://BUCKET/PREFIX</c>, <c>https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX</c> or <c>https://HOST/FOLDER</c>. A path is one by itself.
/// </summary>
public sealed class CheckpointAddress
{
    private static readonly Regex User = new(@"(?<=^[a-z0-9]+://)[^/?]*@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private static readonly string[] Schemes = ["s3://", "az://", "https://", "http://"];

    /// <param name="text">The path or address. Its query, such as a shared access signature, is a secret: it is used and not shown.</param>
    /// <param name="access">How a store is accessed.</param>
    public CheckpointAddress(string text, StoreAccess? access = null)
    {
        IsRemote = IsOfStore(text);
        Access = access ?? StoreAccess.Default;
        Text = text;

        if (!IsRemote)
        {
            return;
        }

        if (!text.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) && text.IndexOf('?') is >= 0 and var query)
        {
            Access = Access with { SasToken = new NetworkCredential("", text[(query + 1)..]).SecurePassword };
            text = text[..query];
        }

        HasUser = User.IsMatch(text);
        text = User.Replace(text, "");
        var start = text.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        Text = text[..start] + text[start..].TrimEnd('/');
    }

    /// <summary>The path or address, without secrets.</summary>
    public string Text { get; }

    /// <summary>Whether it is in a store or on a web server.</summary>
    public bool IsRemote { get; }

    /// <summary>The last part of it: the name of a file or folder.</summary>
    public string Name => IsRemote ? Text[(Text.LastIndexOf('/') + 1)..] : Path.GetFileName(Text);

    /// <summary>What is around it; itself where nothing is.</summary>
    public CheckpointAddress Parent => IsRemote
        ? new CheckpointAddress(Text[..Text.LastIndexOf('/')], Access)
        : new CheckpointAddress(Path.GetDirectoryName(Text) ?? Text, Access);

    /// <summary>Whether there was a user before the server, perhaps with a password. It is not used.</summary>
    internal bool HasUser { get; }

    /// <summary>How a store is accessed.</summary>
    internal StoreAccess Access { get; }

    /// <summary>The folders below it that are meant; null for all.</summary>
    internal FolderChoice? Choice { get; init; }

    /// <summary>Whether a text is an address in a store or on a web server, rather than a path.</summary>
    public static bool IsOfStore(string text) => Array.Exists(Schemes, scheme => text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <summary>A path, or an address that is accessed as usual.</summary>
    public static implicit operator CheckpointAddress(string text) => new(text);

    /// <summary>The path or address, without secrets.</summary>
    public override string ToString() => Text;
}
