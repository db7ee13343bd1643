using System.Net;
using System.Text;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A folder of a web server, and the page that shows it.</summary>
internal sealed class PlainFolder
{
    private readonly S3Target _target;
    private readonly string[] _names;

    public PlainFolder(S3Bucket bucket, S3Target target)
    {
        _target = target;
        var prefix = target.Key.Length == 0 || target.Key.EndsWith('/') ? target.Key : target.Key + '/';

        lock (bucket)
        {
            _names = [.. (from key in bucket.Objects.Keys
                          where key.StartsWith(prefix, StringComparison.Ordinal)
                          let parts = key[prefix.Length..].Split('/', 2)
                          select parts.Length == 1 ? parts[0] : parts[0] + '/').Distinct()];
        }
    }

    public bool Exists => _names.Length > 0;

    /// <summary>Without the slash at its end the folder is elsewhere, and the query stays.</summary>
    public Task SendAsync(S3Exchange exchange, PlainFolderPages pages)
    {
        var parts = _target.Raw.Split('?', 2);

        if (!parts[0].EndsWith('/'))
        {
            exchange.SetHeader("Location", parts.Length == 1 ? $"{parts[0]}/" : $"{parts[0]}/?{parts[1]}");
            return exchange.SendAsync(301);
        }

        return exchange.SendAsync(200, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(pages == PlainFolderPages.Nginx ? AsNginx() : AsPython()));
    }

    private string AsNginx()
    {
        var title = WebUtility.HtmlEncode($"Index of /{_target.Key}");
        var lines = _names.Select(name => $"{Link(name)}{new string(' ', 20)} 29-Nov-2025 10:00 {(name.EndsWith('/') ? "-" : "35192"),19}\r\n");
        return $"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1><hr><pre><a href=\"../\">../</a>\r\n{string.Concat(lines)}</pre><hr></body>\r\n</html>\r\n";
    }

    private string AsPython()
    {
        var title = WebUtility.HtmlEncode($"Directory listing for /{_target.Key}");
        var lines = _names.Select(name => $"<li>{Link(name)}</li>\n");
        return $"<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<hr>\n<ul>\n{string.Concat(lines)}</ul>\n<hr>\n</body>\n</html>\n";
    }

    private static string Link(string name) =>
        $"<a href=\"{string.Join('/', name.Split('/').Select(Uri.EscapeDataString))}\">{WebUtility.HtmlEncode(name)}</a>";
}
