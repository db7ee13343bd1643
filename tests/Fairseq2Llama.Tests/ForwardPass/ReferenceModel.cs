using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// The forward pass of Meta's llama/model.py, in float32, without a cache. What it says shows whether a conversion is right beyond its
/// bytes: that each weight stands where its readers use it.
/// </summary>
internal sealed class ReferenceModel : IDisposable
{
    private readonly ModelArgs _args;
    private readonly Dictionary<string, Tensor> _weights;

    /// <param name="args">What it is.</param>
    /// <param name="weights">By reference names; they belong to it from now on.</param>
    public ReferenceModel(ModelArgs args, Dictionary<string, Tensor> weights)
    {
        _args = args;
        _weights = weights;
    }

    /// <summary>All that other formats of the same model do in another way.</summary>
    public Rotation Rotation { get; init; } = InterleavedRotation.Apply;

    /// <param name="folder">In the reference format: with the weights and params.json.</param>
    /// <param name="ropeScaleFactor">Of scaled rotary encoding.</param>
    public static ReferenceModel Load(string folder, double ropeScaleFactor = ModelArgs.DefaultRopeScaleFactor)
    {
        var args = ModelArgs.Read(folder, ropeScaleFactor);
        return new ReferenceModel(args, ReferenceWeights.Load(folder, args));
    }

    /// <summary>How likely it finds each token of the vocabulary (second index) to follow on each of these (first index).</summary>
    public float[][] Logits(IReadOnlyList<int> tokens)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();

        var angles = RotaryAngles.Of(tokens.Count, _args.HeadDim, _args.RopeTheta, _args.RotaryScaling);
        var mask = tensor(Enumerable.Repeat(float.NegativeInfinity, tokens.Count * tokens.Count).ToArray()).view(tokens.Count, tokens.Count).triu(1);

        var hidden = _weights["tok_embeddings.weight"].index_select(0, tensor(tokens.ToArray()));

        for (var layer = 0; layer < _args.NLayers; layer++)
        {
            hidden = hidden.Plus(Attend($"layers.{layer}.attention", Normalize($"layers.{layer}.attention_norm", hidden), angles, mask));
            hidden = hidden.Plus(FeedForward($"layers.{layer}.feed_forward", Normalize($"layers.{layer}.ffn_norm", hidden)));
        }

        var logits = Project("output", Normalize("norm", hidden));
        return [.. logits.data<float>().ToArray().Chunk((int)logits.shape[1])];
    }

    /// <summary>The tokens that follow when the likeliest is taken each time.</summary>
    public int[] Greedy(IReadOnlyList<int> tokens, int count)
    {
        List<int> all = [.. tokens];

        while (all.Count < tokens.Count + count)
        {
            var last = Logits(all)[^1];
            all.Add(Array.IndexOf(last, last.Max()));
        }

        return [.. all.Skip(tokens.Count)];
    }

    public void Dispose()
    {
        foreach (var weight in _weights.Values)
        {
            weight.Dispose();
        }
    }

    private Tensor Attend(string module, Tensor hidden, Tensor angles, Tensor mask)
    {
        var queries = Rotation(Heads("wq", _args.NHeads), angles);
        var keys = Rotation(Heads("wk", _args.KeyValueHeads), angles);
        var values = Heads("wv", _args.KeyValueHeads);
        var queriesPerKey = _args.NHeads / _args.KeyValueHeads;

        var scores = matmul(ByHead(queries), ByHead(Repeat(keys)).transpose(1, 2)).Over(Math.Sqrt(_args.HeadDim));
        var attended = matmul(softmax(scores.Plus(mask), -1), ByHead(Repeat(values)));

        return Project($"{module}.wo", ByHead(attended).flatten(1));

        Tensor Heads(string name, int count) => Project($"{module}.{name}", hidden).view(hidden.shape[0], count, _args.HeadDim);

        Tensor Repeat(Tensor heads) => heads.repeat_interleave(queriesPerKey, dim: 1);

        static Tensor ByHead(Tensor heads) => heads.transpose(0, 1);
    }

    private Tensor FeedForward(string module, Tensor hidden) =>
        Project($"{module}.w2", silu(Project($"{module}.w1", hidden)) * Project($"{module}.w3", hidden));

    private Tensor Normalize(string module, Tensor hidden) =>
        hidden * rsqrt(hidden.square().mean([-1], keepdim: true).Plus(_args.NormEps)) * _weights[$"{module}.weight"];

    private Tensor Project(string module, Tensor hidden) => matmul(hidden, _weights[$"{module}.weight"].t());
}
