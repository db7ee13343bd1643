namespace Fairseq2Llama.SafeTensors;

/// <summary>
/// What follows the header. Tensors cover it without overlaps or gaps, so that nothing is hidden in a file and reading all of its tensors
/// never takes more than its length.
/// </summary>
internal static class DataSection
{
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="tensors">In the order of their data.</param>
    /// <param name="length">Bytes of the section.</param>
    /// <exception cref="CheckpointException">They do not cover it, or one has not the bytes that its shape takes.</exception>
    public static void RequireCovered(string file, IEnumerable<HeaderEntry> tensors, long length)
    {
        var covered = 0L;

        foreach (var tensor in tensors)
        {
            RequireFits(file, tensor);

            if (tensor.Begin < covered)
            {
                throw CheckpointException.Corrupt(
                    file, $"the data of '{tensor.Name}' begins at {tensor.Begin}, within that of another tensor, which ends at {covered}.");
            }

            if (tensor.Begin > covered)
            {
                throw CheckpointException.Corrupt(
                    file, $"the data from {covered} to {tensor.Begin}, before '{tensor.Name}', belongs to no tensor.");
            }

            covered = tensor.End;
        }

        if (covered > length)
        {
            throw CheckpointException.Corrupt(
                file, $"its tensors take {covered} bytes and {length} follow the header: it was cut off while being written or copied.");
        }

        if (covered < length)
        {
            throw CheckpointException.Corrupt(
                file, $"its tensors take {covered} bytes and {length} follow the header: the rest belongs to no tensor.");
        }
    }

    private static void RequireFits(string file, HeaderEntry tensor)
    {
        var length = tensor.End - tensor.Begin;
        var expected = (Int128)tensor.Shape.ElementCount * tensor.DType.GetItemSize();

        if (length != expected)
        {
            var what = $"{tensor.DType.GetTorchName()} of the shape {tensor.Shape}";
            throw CheckpointException.Corrupt(file, $"'{tensor.Name}' has {length} bytes, but {what} takes {expected}.");
        }
    }
}
