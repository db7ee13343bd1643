using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>Rotary encoding: which two numbers of a head make a pair is what formats differ in.</summary>
/// <param name="heads">Queries or keys (position, head, head dim).</param>
/// <param name="angles">What <see cref="RotaryAngles"/> gives for these positions.</param>
internal delegate Tensor Rotation(Tensor heads, Tensor angles);
