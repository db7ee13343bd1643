using System.Globalization;
using System.Text;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>
/// The address of a container, and those of the objects in it. The SDK makes them, too, but finds the account only in the host or, for some ports,
/// in the path. Here, the last segment is the container, and everything before it is the account.
/// </summary>
internal sealed class ContainerAddress
{
    private readonly string _address;

    /// <param name="container">What follows its path, such as a SAS, is ignored.</param>
    public ContainerAddress(Uri container)
    {
        _address = container.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');
        var account = _address.LastIndexOf('/');

        if (container.AbsolutePath.Trim('/').Length == 0)
        {
            throw new StoreException(
                StoreFailure.Refused, $"'{_address}' names no container. Write an address such as https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER.");
        }

        Account = new Uri(_address[..account]);
        Name = Uri.UnescapeDataString(_address[(account + 1)..]);
        Uri = new Uri(_address);
    }

    /// <summary>The address of the account.</summary>
    public Uri Account { get; }

    /// <summary>The name of the container.</summary>
    public string Name { get; }

    /// <summary>The address of the container.</summary>
    public Uri Uri { get; }

    /// <summary>Whether what is sent there can't be read on its way.</summary>
    public bool IsEncrypted => Uri.Scheme == Uri.UriSchemeHttps;

    /// <summary>The address of an object, for a request.</summary>
    /// <exception cref="StoreException">It can't have one.</exception>
    public Uri UriOf(string key)
    {
        // An address never keeps them: the request would go to another object, or even to another container.
        if (key.Split('/', '\\').Any(segment => segment is "." or ".."))
        {
            throw new StoreException(
                StoreFailure.Refused, $"'{AddressOf(key)}' can't be asked for, because '.' and '..' are not names in an address. Rename the object.");
        }

        return new Uri($"{_address}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}");
    }

    /// <summary>The address of a key, for people: only what would not be read as part of the path is escaped.</summary>
    /// <param name="key">Empty for the container.</param>
    public string AddressOf(string key)
    {
        var address = new StringBuilder(_address);

        if (key.Length > 0)
        {
            address.Append('/');
        }

        foreach (var character in key)
        {
            if (character is '%' or '?' or '#' or '\\' || char.IsControl(character))
            {
                address.Append(CultureInfo.InvariantCulture, $"%{(int)character:X2}");
            }
            else
            {
                address.Append(character);
            }
        }

        return address.ToString();
    }
}
