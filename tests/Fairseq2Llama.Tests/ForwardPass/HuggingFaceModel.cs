namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>The forward pass of transformers' modeling_llama.py, on the files of a folder as they are.</summary>
internal static class HuggingFaceModel
{
    /// <param name="folder">With config.json and safetensors files.</param>
    public static ReferenceModel Load(string folder) =>
        new(HuggingFaceArgs.Read(folder), HuggingFaceWeights.Load(folder)) { Rotation = RotateHalf.Apply };

    /// <summary>How likely it finds each token of the vocabulary (second index) to follow on each of these (first index).</summary>
    public static float[][] Logits(string folder, IReadOnlyList<int> tokens)
    {
        using var model = Load(folder);
        return model.Logits(tokens);
    }
}
