using System.Buffers;
using System.Security.Cryptography;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>
/// The SHA-256 of a tensor in the canonical order, which is the same whatever format it is stored in: little-endian elements in row-major order, with the
/// rows of rotary pairs side by side. It takes the tensor row by row; where the two rows of a pair come half a head apart, it holds a head.
/// </summary>
internal sealed class TensorHash : IHashTarget, IDisposable
{
    /// <summary>Heads of real models are a few MB. For larger ones, the rows have to come in the canonical order.</summary>
    private const long MaxHeadLength = 64 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly string _name;
    private readonly int _rowLength;
    private readonly int _headLength;
    private long _missing;
    private byte[]? _head;
    private int _filled;
    private string? _value;

    /// <param name="name">Its name, for messages.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="shape">The shape of all of it.</param>
    /// <param name="halfSplitHeadDim">The size of a head if the two rows of a rotary pair come half a head apart; null if they come side by side.</param>
    public TensorHash(string name, DType dtype, TensorShape shape, int? halfSplitHeadDim = null)
    {
        _name = name;
        _missing = DTypeInfo.Of(dtype).LengthOf(shape.ElementCount);

        if (halfSplitHeadDim is { } headDim)
        {
            _rowLength = (int)RowLengthOf(dtype, shape);
            _headLength = _rowLength * headDim;
        }

        if (_missing == 0)
        {
            Finish();
        }
    }

    /// <summary>In hexadecimal digits.</summary>
    /// <exception cref="InvalidOperationException">Some of it is missing.</exception>
    public string Value => _value ?? throw new InvalidOperationException($"{_missing} bytes of '{_name}' were never hashed.");

    /// <summary>Whether the rows of rotary pairs may come half a head apart.</summary>
    public static bool CanInterleave(DType dtype, TensorShape shape, int headDim) => RowLengthOf(dtype, shape) <= MaxHeadLength / headDim;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _missing)
        {
            throw new InvalidOperationException($"There are more bytes of '{_name}' than it has.");
        }

        _missing -= bytes.Length;

        if (_headLength == 0)
        {
            _hash.AppendData(bytes);
        }
        else
        {
            AppendRows(bytes);
        }

        if (_missing == 0)
        {
            Finish();
        }
    }

    public void Dispose()
    {
        _hash.Dispose();
        Release();
    }

    private static long RowLengthOf(DType dtype, TensorShape shape) => DTypeInfo.Of(dtype).LengthOf(shape[0] == 0 ? 0 : shape.ElementCount / shape[0]);

    private void AppendRows(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            _head ??= ArrayPool<byte>.Shared.Rent(_headLength);
            var count = Math.Min(_headLength - _filled, bytes.Length);
            bytes[..count].CopyTo(_head.AsSpan(_filled));
            bytes = bytes[count..];
            _filled += count;

            if (_filled == _headLength)
            {
                AppendHead(_head.AsSpan(0, _headLength));
            }
        }

        // A model has thousands of such tensors, and mostly one of them is between two heads.
        if (_filled == 0)
        {
            Release();
        }
    }

    private void AppendHead(ReadOnlySpan<byte> head)
    {
        var first = head[..(_headLength / 2)];
        var second = head[(_headLength / 2)..];

        for (var row = 0; row < first.Length; row += _rowLength)
        {
            _hash.AppendData(first.Slice(row, _rowLength));
            _hash.AppendData(second.Slice(row, _rowLength));
        }

        _filled = 0;
    }

    private void Finish()
    {
        _value = _hash.Finish();
        Dispose();
    }

    private void Release()
    {
        if (_head is not null)
        {
            ArrayPool<byte>.Shared.Return(_head);
            _head = null;
        }
    }
}
