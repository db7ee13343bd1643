namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>Which web server shows folders.</summary>
public enum PlainFolderPages
{
    /// <summary>nginx with autoindex.</summary>
    Nginx,

    /// <summary>python -m http.server.</summary>
    Python,
}
