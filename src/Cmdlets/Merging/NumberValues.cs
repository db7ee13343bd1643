using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Numbers as PowerShell has them: one, a list, a list of rows, an array of several dimensions.</summary>
/// <param name="Numbers">All of them, in row-major order.</param>
/// <param name="Shape">How many along each dimension.</param>
internal sealed record NumberValues(IReadOnlyCollection<double> Numbers, long[] Shape)
{
    /// <returns>Null if it is something else.</returns>
    public static NumberValues? Of(object value)
    {
        var numbers = new List<double>();
        return value is Array { Rank: > 1 } array ? Flatten(array, numbers) : Collect(value, numbers) is { } shape ? new NumberValues(numbers, shape) : null;
    }

    private static NumberValues? Flatten(Array array, List<double> numbers) =>
        array.Cast<object>().All(item => Collect(item, numbers) is [])
            ? new NumberValues(numbers, [.. Enumerable.Range(0, array.Rank).Select(dim => array.GetLongLength(dim))])
            : null;

    /// <returns>The shape; null if there is something that is no number, or rows have different lengths.</returns>
    private static long[]? Collect(object? value, List<double> numbers)
    {
        value = value is PSObject wrapped ? wrapped.BaseObject : value;

        if (value is string or null)
        {
            return null;
        }

        if (value is IConvertible number and not Enum && number.GetTypeCode() is >= TypeCode.SByte and <= TypeCode.Decimal)
        {
            numbers.Add(number.ToDouble(CultureInfo.InvariantCulture));
            return [];
        }

        if (value is Half half)
        {
            numbers.Add((double)half);
            return [];
        }

        if (value is not IEnumerable items)
        {
            return null;
        }

        var shapes = items.Cast<object?>().Select(item => Collect(item, numbers)).ToArray();
        return shapes.Length == 0 ? [0] : Array.TrueForAll(shapes, shape => shape is not null && shape.SequenceEqual(shapes[0]!)) ? [shapes.Length, .. shapes[0]!] : null;
    }
}
