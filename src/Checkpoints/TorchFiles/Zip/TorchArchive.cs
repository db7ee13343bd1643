using System.Globalization;
using System.Text;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>
/// The zip container that torch.save has written since PyTorch 1.6: <c>ROOT/data.pkl</c>, <c>ROOT/data/KEY</c> for each
/// storage, <c>ROOT/version</c>, and in newer ones <c>ROOT/byteorder</c>.
/// </summary>
internal sealed class TorchArchive
{
    private const string PickleName = "data.pkl", VersionName = "version", OldVersionName = ".data/version", ByteOrderName = "byteorder";
    private const int MaxVersion = 10;

    /// <summary>The records that are read to open it.</summary>
    private static readonly string[] SmallNames = [PickleName, VersionName, OldVersionName, ByteOrderName];

    private readonly IByteSource _source;
    private readonly IByteReader _reader;
    private readonly Dictionary<string, ZipEntry> _entries;
    private readonly string _root;
    private readonly bool _isBigEndian;

    private TorchArchive(IByteSource source, IByteReader reader, CancellationToken cancellationToken)
    {
        _source = source;
        _reader = reader;
        var entries = ZipDirectory.Read(source, reader, cancellationToken);
        _entries = IndexByName(entries);
        _root = FindRoot(entries);
        reader.Expect(
        [
            .. from name in SmallNames
               where _entries.ContainsKey(_root + name)
               let entry = _entries[_root + name]
               select new ByteRange(entry.DataOffset, entry.StoredLength),
        ]);
        RequireKnownVersion();

        HasChecksums = _entries.Values.Any(entry => entry.Crc32 != 0);
        Pickle = ReadSmall(PickleName, PickleBudget.MaxBytes, out var isValid);
        IsPickleChecksumValid = isValid || !HasChecksums;
        _isBigEndian = ReadByteOrder();
    }

    public byte[] Pickle { get; }

    /// <summary>False after torch.save with compute_crc32=False (PyTorch 2.6 and newer), which writes 0 for every record.</summary>
    public bool HasChecksums { get; }

    public bool IsPickleChecksumValid { get; }

    public static TorchArchive Open(IByteSource source, IByteReader reader, CancellationToken cancellationToken) =>
        new(source, reader, cancellationToken);

    /// <summary>Where a storage's bytes are.</summary>
    /// <exception cref="CheckpointException">Nowhere, or there are fewer than the pickle says.</exception>
    public StoredBytes Locate(PickledStorage storage)
    {
        var name = $"{_root}data/{storage.Key}";

        if (!_entries.TryGetValue(name, out var entry))
        {
            throw CheckpointException.Corrupt(_source.Name, $"the record '{name}' that its pickle names is missing.");
        }

        if (entry.Length != storage.Length)
        {
            throw CheckpointException.Corrupt(
                _source.Name, $"the record '{name}' holds {entry.Length} bytes, but its pickle says {storage.Length}.");
        }

        return new StoredBytes
        {
            Source = _source,
            Record = name,
            Offset = entry.DataOffset,
            Length = entry.Length,
            DeflatedLength = entry.IsDeflated ? entry.StoredLength : null,
            Crc32 = HasChecksums ? entry.Crc32 : null,
            IsBigEndian = _isBigEndian,
        };
    }

    private Dictionary<string, ZipEntry> IndexByName(IReadOnlyList<ZipEntry> entries)
    {
        var index = new Dictionary<string, ZipEntry>(entries.Count, StringComparer.Ordinal);

        foreach (var entry in entries)
        {
            if (!index.TryAdd(entry.Name, entry))
            {
                throw CheckpointException.Corrupt(_source.Name, $"it holds two records with the name '{entry.Name}'.");
            }
        }

        return index;
    }

    /// <summary>The folder that all records share, with its slash: the file's stem, or "archive", or anything. PyTorch takes it from the first record.</summary>
    private string FindRoot(IReadOnlyList<ZipEntry> entries)
    {
        var pickles = _entries.Keys.Where(name => name == PickleName || name.EndsWith('/' + PickleName, StringComparison.Ordinal)).ToArray();

        if (pickles.Length != 1)
        {
            throw TorchFile.Unrecognized(_source, pickles.Length == 0
                ? "is a zip archive without the record 'data.pkl' that torch.save writes"
                : $"is a zip archive with {pickles.Length} records 'data.pkl'");
        }

        var root = entries[0].Name[..(entries[0].Name.IndexOf('/') + 1)];

        if (root.Length == 0 || pickles[0] != root + PickleName)
        {
            throw TorchFile.Unrecognized(
                _source, $"is a zip archive that begins with '{entries[0].Name}' and has its pickle at '{pickles[0]}'; torch.save puts both into one folder");
        }

        return _entries.ContainsKey(root + "constants.pkl")
            ? throw TorchFile.Unrecognized(
                _source, "is a TorchScript archive, a program rather than a state dict; load it with torch.jit.load and save its state_dict()")
            : root;
    }

    /// <summary>
    /// PyTorch's reader (caffe2/serialize/inline_container.cc, 1.6 to 2.8) takes <c>.data/version</c> before <c>version</c>, and refuses what is not from 1 to 10.
    /// </summary>
    private void RequireKnownVersion()
    {
        var name = _entries.ContainsKey(_root + OldVersionName) ? OldVersionName : VersionName;

        if (!_entries.ContainsKey(_root + name))
        {
            throw TorchFile.Unrecognized(_source, $"is a zip archive with a pickle but without the record '{_root}version' that torch.save writes");
        }

        var text = Encoding.Latin1.GetString(ReadSmall(name, 32, out _)).TrimEnd('\n');

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            throw CheckpointException.Corrupt(_source.Name, $"its record '{_root}{name}' holds '{text}', not a number.");
        }

        if (version is < 1 or > MaxVersion)
        {
            throw TorchFile.Unrecognized(_source, $"has version {version} of the archive format; PyTorch reads 1 to {MaxVersion}");
        }
    }

    private bool ReadByteOrder()
    {
        // PyTorch before 2.1 did not write it and only ever ran on little-endian machines in practice.
        if (!_entries.ContainsKey(_root + ByteOrderName))
        {
            return false;
        }

        return Encoding.Latin1.GetString(ReadSmall(ByteOrderName, 16, out _)) switch
        {
            "little" => false,
            "big" => true,
            _ => throw CheckpointException.Corrupt(_source.Name, $"its record '{_root}byteorder' says neither 'little' nor 'big'."),
        };
    }

    private byte[] ReadSmall(string name, int limit, out bool isChecksumValid)
    {
        var entry = _entries[_root + name];

        if (entry.Length > limit)
        {
            throw CheckpointException.Corrupt(_source.Name, $"its record '{entry.Name}' has {entry.Length} bytes; expected at most {limit}.");
        }

        var content = new byte[entry.Length];

        if (entry.IsDeflated)
        {
            Inflate(entry, content);
        }
        else
        {
            _reader.Read(entry.DataOffset, content);
        }

        var crc = ThirdParty.CreateCrc32();
        crc.Append(content);
        isChecksumValid = crc.GetAndReset() == entry.Crc32;
        return content;
    }

    private void Inflate(ZipEntry entry, byte[] content)
    {
        try
        {
            using var stream = Deflate.Open(_reader, entry.DataOffset, entry.StoredLength);
            stream.ReadExactly(content);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw CheckpointException.Corrupt(_source.Name, $"its record '{entry.Name}' can't be decompressed.");
        }
    }
}
