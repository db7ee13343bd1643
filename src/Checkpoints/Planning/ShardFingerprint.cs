using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>
/// Hashes that tell whether two jobs plan the same file. They depend on nothing but the content of the input: jobs on several machines may read
/// copies of it at different paths and of different times.
/// </summary>
internal static class ShardFingerprint
{
    private const int SampleSize = 4096;

    /// <summary>What the file will be: names, types and shapes of its tensors, and where everything lies.</summary>
    public static string OfLayout(PlannedTensorFile file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, $"{file.Name} {file.Length}");

        foreach (var (offset, bytes) in file.Layout.Head)
        {
            Append(hash, $"{offset} {bytes.Length}");
            hash.AppendData(bytes.Span);
        }

        foreach (var (storage, offset) in file.Layout.Storages)
        {
            Append(hash, $"{offset} {storage.Length} {storage.DType}");
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>
    /// What the file is made from: which bytes of which input storages. A storage is known by its CRC-32, and by a sample of its bytes where its
    /// file has no checksums.
    /// </summary>
    /// <exception cref="CheckpointException">An input can't be read.</exception>
    public static string OfInputs(PlannedTensorFile file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var samples = TakeSamples(file, cancellationToken);

        foreach (var storage in file.Layout.Storages.Select(placed => placed.Storage))
        {
            Append(hash, $"{storage.InputDType} {storage.DType}");

            foreach (var band in storage.Bands)
            {
                Append(hash, $"{band.Rows} {band.IsBigEndian}");

                foreach (var column in band.Columns)
                {
                    var axes = string.Join(' ', column.Axes.Select(axis => string.Create(CultureInfo.InvariantCulture, $"{axis.Count}*{axis.Step}")));
                    Append(hash, $"{column.Offset} {column.RunLength} {axes} of {column.Storage.Length} {column.Storage.Crc32}");
                    hash.AppendData(samples.GetValueOrDefault(column.Storage, []));
                }
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, FormattableString line) => hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant(line) + '\n'));

    private static Dictionary<StoredBytes, byte[]> TakeSamples(PlannedTensorFile file, CancellationToken cancellationToken)
    {
        var samples = new Dictionary<StoredBytes, byte[]>();
        var inputs = file.Layout.Storages.SelectMany(placed => placed.Storage.Runs).Select(runs => runs.Storage).Distinct();

        foreach (var source in inputs.Where(storage => storage.Crc32 is null).GroupBy(storage => storage.Source))
        {
            using var reader = source.Key.Open(cancellationToken);
            reader.Expect([.. source.Select(SampleOf)]);

            foreach (var storage in source)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (offset, length) = SampleOf(storage);
                reader.Read(offset, samples[storage] = new byte[length]);
            }
        }

        return samples;
    }

    /// <summary>From the middle: tensors of different models can begin alike.</summary>
    private static ByteRange SampleOf(StoredBytes storage)
    {
        var stored = storage.DeflatedLength ?? storage.Length;
        var length = Math.Min(SampleSize, stored);
        return new ByteRange(storage.Offset + ((stored - length) / 2), length);
    }
}
