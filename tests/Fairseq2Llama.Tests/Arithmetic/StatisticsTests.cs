using System.Runtime.InteropServices;
using System.Text.Json;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

/// <summary>What <see cref="TensorMeasurement"/> says of tensors that real PyTorch made, beside what PyTorch says of them.</summary>
public sealed class StatisticsTests(StatisticsByPyTorch pyTorch) : IClassFixture<StatisticsByPyTorch>
{
    /// <summary>Both sum in float64, in another order.</summary>
    private const double Tolerance = 1e-12;

    public static TheoryData<string> Names => [.. StatisticsByPyTorch.Names];

    [External]
    [Theory]
    [MemberData(nameof(Names))]
    public void Are_those_of_PyTorch(string name)
    {
        var expected = pyTorch.Of(name);
        var actual = Measure(pyTorch.Tensor(name), StatisticsByPyTorch.BinCount);

        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Min, actual.Min);
        Assert.Equal(expected.Max, actual.Max);
        AssertClose(expected.Mean, actual.Mean, expected.L2Norm);
        AssertClose(expected.Std, actual.Std, expected.L2Norm);
        AssertClose(expected.L2Norm, actual.Norm, expected.L2Norm);
        Assert.Equal(expected.Zeros, actual.Zeros);
        Assert.Equal(expected.NaN, actual.NaN);
        Assert.Equal(expected.Inf, actual.Inf);
        Assert.Equal(expected.Histogram, actual.Histogram.Select(bin => bin.Count));
    }

    /// <summary>Types that PyTorch 1.13 does not have, by their definitions; those of 8 bits in arXiv 2209.05433, table 1.</summary>
    [Theory]
    [InlineData(DType.UInt16, "0100FFFF0000", 0, 65535, 1, 0, 0)]
    [InlineData(DType.UInt32, "01000000FFFFFFFF", 1, 4294967295, 0, 0, 0)]
    [InlineData(DType.UInt64, "0100000000000000FFFFFFFFFFFFFFFF", 1, 18446744073709551615.0, 0, 0, 0)]
    [InlineData(DType.Float8E4M3FN, "38FE7E7F80", -448, 448, 1, 1, 0)]
    [InlineData(DType.Float8E5M2, "3CFB7B7C7DFC", -57344, 57344, 0, 1, 2)]
    public void Of_newer_types_are_as_defined(DType dtype, string bytes, double min, double max, long zeros, long nans, long infinities)
    {
        var moments = ThirdParty.TensorMath.Measure(dtype, Convert.FromHexString(bytes));

        Assert.Equal((min, max, zeros, nans, infinities), (moments.Min, moments.Max, moments.Zeros, moments.NaNs, moments.Infinities));
    }

    [Fact]
    public void Of_numbers_whose_squares_float64_can_not_hold_are_those_of_their_distances()
    {
        var huge = Math.ScaleB(1, 1000);
        var numbers = Enumerable.Repeat(BitConverter.GetBytes(huge), 8).SelectMany(bytes => bytes).ToArray();

        var moments = ThirdParty.TensorMath.Measure(DType.Float64, numbers);

        Assert.Equal((8, huge, 0d, double.PositiveInfinity), (moments.Count, moments.Mean, moments.SquaredDeviations, moments.Squares));
    }

    /// <summary>The further their mean is from zero, the fewer digits would be left of a difference of sums.</summary>
    [Theory]
    [InlineData(DType.BFloat16, 0)]
    [InlineData(DType.BFloat16, 0.5)]
    [InlineData(DType.BFloat16, 0.578125)]
    [InlineData(DType.BFloat16, 3)]
    [InlineData(DType.Float64, 0)]
    [InlineData(DType.Float64, 0.5)]
    [InlineData(DType.Float64, 0.578125)]
    [InlineData(DType.Float64, 3)]
    [InlineData(DType.Float64, 1_000_000)]
    public void Of_numbers_far_from_zero_lose_no_digits(DType dtype, double mean)
    {
        // Sixty-fourths up to four are exact in bfloat16.
        var random = new Random(5);
        var steps = Enumerable.Range(0, 3001).Select(_ => (long)(mean * 64) + random.Next(-64, 65)).ToArray();
        var (sum, sumOfSquares) = (steps.Sum() / 64m, steps.Sum(step => (decimal)step * step) / (64 * 64));
        var numbers = new byte[steps.Length * dtype.GetItemSize()];
        var float64 = MemoryMarshal.AsBytes<double>(steps.Select(step => step / 64.0).ToArray());

        if (dtype == DType.Float64)
        {
            float64.CopyTo(numbers);
        }
        else
        {
            ThirdParty.TensorMath.Cast(DType.Float64, float64, dtype, numbers);
        }

        var moments = ThirdParty.TensorMath.Measure(dtype, numbers);

        Assert.Equal(1, moments.Mean / (double)(sum / steps.Length), Tolerance);
        Assert.Equal(1, moments.SquaredDeviations / (double)(sumOfSquares - (sum * sum / steps.Length)), Tolerance);
        Assert.Equal(1, moments.Squares / (double)sumOfSquares, Tolerance);
        Assert.Equal((steps.Min() / 64.0, steps.Max() / 64.0, steps.Count(step => step == 0)), (moments.Min, moments.Max, moments.Zeros));
    }

    [External]
    [Fact]
    public void Bins_go_from_the_smallest_to_the_largest_number()
    {
        var statistics = Measure(pyTorch.Tensor("float32"), 4);

        Assert.Equal(statistics.Min, statistics.Histogram[0].From);
        Assert.Equal(statistics.Max, statistics.Histogram[^1].To);
        Assert.All(statistics.Histogram.Zip(statistics.Histogram.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
    }

    [External]
    [Fact]
    public void There_is_no_histogram_unless_asked_for()
    {
        Assert.Empty(Measure(pyTorch.Tensor("float32")).Histogram);
    }

    [External]
    [Fact]
    public void Progress_goes_to_the_end()
    {
        var seen = new List<ByteProgress>();

        Measure(pyTorch.Tensor("float64"), 3, new ProgressTo(seen.Add));

        Assert.Equal(2 * pyTorch.Tensor("float64").SizeInBytes, seen[^1].BytesTotal);
        Assert.Equal(seen[^1].BytesTotal, seen[^1].BytesDone);
    }

    [External]
    [Fact]
    public void Can_be_stopped()
    {
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(
            () => Measure(pyTorch.Tensor("float64"), 3, new ProgressTo(_ => stop.Cancel()), stop.Token));
    }

    private static TensorStatistics Measure(
        CheckpointTensor tensor, int binCount = 0, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var measurement = new TensorMeasurement(binCount, cancellationToken);
        return measurement.Measure(tensor, progress);
    }

    private static void AssertClose(double? expected, double? actual, double scale)
    {
        Assert.Equal(expected is null, actual is null);
        Assert.True(expected is null || Math.Abs(expected.Value - actual!.Value) <= Tolerance * Math.Max(Math.Abs(expected.Value), scale / 1000), $"{actual} instead of {expected}");
    }
}

/// <summary>Tensors that real PyTorch made, and what it says of them.</summary>
public sealed class StatisticsByPyTorch : IDisposable
{
    public const int BinCount = 7;

    private const string Script =
        """
        import json, sys, torch
        torch.manual_seed(5)
        shape, names, bins = (307, 211), sys.argv[3].split(), int(sys.argv[2])
        nan, inf = float('nan'), float('inf')

        def make(name):
            dtype, _, kind = name.partition(' ')
            dtype = getattr(torch, dtype)
            if dtype.is_complex:
                return torch.randn(shape, dtype=dtype)
            if kind == 'with NaN and Inf':
                numbers = torch.randn(shape, dtype=torch.float64)
                numbers.view(-1)[torch.tensor([3, 16384, 40000])] = torch.tensor([nan, inf, -inf], dtype=torch.float64)
                return numbers.to(dtype)
            if kind == 'all NaN':
                return torch.full((9,), nan, dtype=dtype)
            if kind == 'empty':
                return torch.empty(0, 4, dtype=dtype)
            if kind == 'single':
                return torch.tensor(2.5, dtype=dtype)
            if kind == 'constant':
                return torch.full((70, 7), -1.5, dtype=dtype)
            if kind == 'transposed':
                return torch.randn(211, 307, dtype=dtype).t()
            if kind == 'far from zero':
                return (torch.randn(shape, dtype=torch.float64) + 1e6).to(dtype)
            if dtype.is_floating_point:
                return (torch.randn(shape, dtype=torch.float64) * torch.randint(0, 2, shape)).to(dtype)
            if dtype == torch.bool:
                return torch.rand(shape) < 0.3
            least, most = torch.iinfo(dtype).min, torch.iinfo(dtype).max
            return torch.randint(max(least, -2**52), min(most, 2**52), shape).to(dtype)

        def describe(tensor):
            numbers = (torch.view_as_real(tensor) if tensor.is_complex() else tensor).flatten().double()
            finite = numbers[numbers.isfinite()]
            some = len(finite) > 0
            return {
                'count': len(numbers),
                'min': finite.min().item() if some else None,
                'max': finite.max().item() if some else None,
                'mean': finite.mean().item() if some else None,
                'std': finite.std().item() if len(finite) > 1 else None,
                'l2norm': finite.norm().item(),
                'zeros': (finite == 0).sum().item(),
                'nan': numbers.isnan().sum().item(),
                'inf': numbers.isinf().sum().item(),
                'histogram': torch.histc(finite, bins, finite.min().item(), finite.max().item()).long().tolist() if some else [],
            }

        tensors = {name: make(name) for name in sys.argv[3].split(';')}
        torch.save(tensors, sys.argv[1])
        print(json.dumps({name: describe(tensor) for name, tensor in tensors.items()}))
        """;

    private readonly TempFolder _folder = new();
    private readonly Lazy<(Fairseq2Checkpoint Checkpoint, Dictionary<string, Expected> Expected)> _made;

    public StatisticsByPyTorch() => _made = new(() =>
    {
        var output = PyTorch.Ask(Script, _folder["model.pt"], $"{BinCount}", string.Join(';', Names));
        var expected = JsonSerializer.Deserialize<Dictionary<string, Expected>>(output, JsonSerializerOptions.Web)!;
        return (Fairseq2Checkpoint.Read(_folder["model.pt"]), expected);
    });

    public static IEnumerable<string> Names =>
    [
        "float32", "float16", "bfloat16", "float64", "int64", "bool", "int8", "int16", "int32", "uint8", "complex64", "complex128",
        .. from dtype in (string[])["float32", "float16", "bfloat16", "float64"]
           from kind in (string[])["with NaN and Inf", "all NaN", "empty", "single", "constant", "transposed", "far from zero"]
           select $"{dtype} {kind}",
    ];

    public CheckpointTensor Tensor(string name) => _made.Value.Checkpoint.Tensors.Single(tensor => tensor.Name == name);

    public Expected Of(string name) => _made.Value.Expected[name];

    public void Dispose() => _folder.Dispose();

    public sealed record Expected(
        long Count, double? Min, double? Max, double? Mean, double? Std, double L2Norm, long Zeros, long NaN, long Inf, long[] Histogram);
}
