using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>Whatever byte of the input is flipped, it is noticed, or it is one that means nothing and the result is the same.</summary>
[Lossless]
public sealed class FlippedByteTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Headers, pickle, alignment, data, directory: random steps lead through all of the file.</summary>
    [Theory]
    [InlineData("fs2")]
    [InlineData("deflated")]
    public void Never_changes_the_result_unnoticed(string name)
    {
        var original = File.ReadAllBytes(Path.Combine(Repository.Case(name), "model.pt"));
        var expected = Export(original)!;
        var random = new Random(original.Length);
        var refused = 0;

        for (var place = 0; place < original.Length; place += random.Next(1, Math.Max(2, original.Length / 80)))
        {
            var damaged = original.ToArray();
            damaged[place] ^= (byte)(1 << random.Next(8));

            var result = Export(damaged);
            Assert.True(result is null || result.OrderBy(file => file.Key).SequenceEqual(expected.OrderBy(file => file.Key)), $"byte {place} of '{name}'");
            refused += result is null ? 1 : 0;
        }

        Assert.InRange(refused, 50, 1000);
    }

    /// <summary>What an export of these bytes makes, or null if they are refused.</summary>
    private Dictionary<string, string>? Export(byte[] bytes)
    {
        File.WriteAllBytes(_folder["model.pt"], bytes);

        try
        {
            CheckpointExport.Plan(
                Fairseq2Checkpoint.Read(_folder["model.pt"]), _folder["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute();
        }
        catch (CheckpointException)
        {
            Assert.Equal(["model.pt"], _folder.Content);
            return null;
        }

        var hashes = CheckpointFolder.Hashes(_folder["out"]);
        Directory.Delete(_folder["out"], recursive: true);
        return hashes;
    }
}
