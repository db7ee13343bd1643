using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Conversion;

/// <summary>The one place where tensor data passes through: reads the runs of a storage, checks them, hands them on.</summary>
internal sealed class StorageCopier(string scratchFolder, VerificationMode verification, CancellationToken cancellationToken) : IDisposable
{
    private readonly InputStorages _inputs = new(scratchFolder, verification, cancellationToken);
    private readonly RunReader _runReader = new();
    private readonly HashSet<TorchStorage> _verified = [];

    /// <summary>Copies a storage.</summary>
    /// <returns>The CRC-32 of what was handed on.</returns>
    /// <exception cref="CheckpointException">An input is damaged.</exception>
    public uint Copy(PlannedStorage storage, ChunkSink sink)
    {
        var crc = ThirdParty.CreateCrc32();
        var isUnchanged = storage.Runs is [{ IsWholeStorage: true, Storage.IsBigEndian: false }];

        foreach (var runs in storage.Runs)
        {
            if (!isUnchanged)
            {
                Verify(runs.Storage);
            }

            Read(runs, chunk =>
            {
                if (runs.Storage.IsBigEndian)
                {
                    SwapBytes(chunk, DTypeInfo.Of(storage.DType).SwapUnit);
                }

                crc.Append(chunk);
                sink(chunk);
            });
        }

        var value = crc.GetAndReset();

        if (isUnchanged)
        {
            Verify(storage.Runs[0].Storage, value);
        }

        return value;
    }

    /// <exception cref="CheckpointException">An input was changed while it was being copied.</exception>
    public void RequireUnchangedInputs() => _inputs.RequireUnchanged();

    public void Dispose()
    {
        _runReader.Dispose();
        _inputs.Dispose();
    }

    /// <summary>Where only parts of an input storage are taken, or they are changed, its checksum takes a pass of its own.</summary>
    private void Verify(TorchStorage storage)
    {
        if (verification == VerificationMode.None || storage.Crc32 is null || storage.DeflatedLength is not null || !_verified.Add(storage))
        {
            return;
        }

        var crc = ThirdParty.CreateCrc32();
        Read(new ByteRuns(storage, 0, storage.Length, []), chunk => crc.Append(chunk));
        Verify(storage, crc.GetAndReset());
    }

    private void Verify(TorchStorage storage, uint crc)
    {
        if (verification != VerificationMode.None && storage.Crc32 is { } expected && crc != expected)
        {
            _inputs.RequireUnchanged();
            throw ChecksumMismatch.Of(storage.Source.Name, storage.Record);
        }
    }

    private void Read(ByteRuns runs, ChunkSink sink)
    {
        var (reader, origin) = _inputs.Open(runs.Storage);

        _runReader.Read(reader, origin, runs, chunk =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            sink(chunk);
        });
    }

    private static void SwapBytes(Span<byte> bytes, int unit)
    {
        switch (unit)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 8:
                var longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
