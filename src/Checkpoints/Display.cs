using System.Globalization;

namespace Fairseq2Llama;

/// <summary>Numbers and types as people read them: in the views of Fairseq2Llama.Format.ps1xml, in messages and reports.</summary>
public static class Display
{
    private static readonly string[] SizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"];
    private static readonly string[] CountUnits = ["", "K", "M", "B", "T"];

    /// <summary>Bytes with a binary unit: <c>2.79 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = Scale(bytes, 1024, SizeUnits);
        return string.Create(CultureInfo.InvariantCulture, $"{value} {unit}");
    }

    /// <summary>A count with the field's unit: <c>8.03B</c> for eight billion.</summary>
    public static string Count(long count)
    {
        var (value, unit) = Scale(count, 1000, CountUnits);
        return value + unit;
    }

    /// <summary>A number with four significant digits, as far as it has them: <c>-0.02296</c>, <c>1.2e-05</c>; nothing for none.</summary>
    public static string Number(double? number) => number?.ToString("G4", CultureInfo.InvariantCulture).Replace('E', 'e') ?? "";

    /// <summary>A dtype as PyTorch calls it: <c>bfloat16</c>.</summary>
    public static string Name(DType dtype) => dtype.GetTorchName();

    /// <summary>Several dtypes: <c>bfloat16, float32</c>.</summary>
    public static string Name(IEnumerable<DType> dtypes) => string.Join(", ", dtypes.Select(Name));

    private static (string Value, string Unit) Scale(long number, int step, string[] units)
    {
        double value = number;
        var unit = 0;

        // 999.995 would print as 1000.00.
        while (value >= step - 0.005 && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }

        return (value.ToString(unit == 0 ? "0" : "0.00", CultureInfo.InvariantCulture), units[unit]);
    }
}
