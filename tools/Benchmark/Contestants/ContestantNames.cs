namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>What contestants are called, because reports look for them.</summary>
internal static class ContestantNames
{
    public const string Copy = "cp";
    public const string CopyNeverSharing = "cp --reflink=never";
    public const string CopySharing = "cp --reflink=always";
    public const string ExportProcess = "export, whole process";
    public const string ExportSession = "export, in a running session";
    public const string ManifestSession = "export with a manifest, in a running session";
    public const string Hashing = "SHA-256 of each byte twice, on two threads";
    public const string AverageSession = "average of three, in a running session";
    public const string ReadThree = "cat of two files, then cp of a third";
    public const string HuggingFaceProcess = "export to Hugging Face, whole process";
    public const string HuggingFaceSession = "export to Hugging Face, in a running session";
    public const string GgufSession = "export to GGUF, in a running session";
    public const string QuantizeSession = "export to GGUF in Q8_0, in a running session";
    public const string TorchDefault = "PyTorch, whole process";
    public const string TorchMapped = "PyTorch with mmap=True, whole process";
    public const string MergeProcess = "merge 4 shards, whole process";
    public const string MergeSession = "merge 4 shards, in a running session";
    public const string SplitProcess = "split into 4, whole process";
    public const string SplitSession = "split into 4, in a running session";
    public const string NarrowSession = "cast to float16, in a running session";
    public const string WidenSession = "cast to float32, in a running session";
    public const string MeasureSession = "measure all tensors, in a running session";
    public const string DeepSession = "test with -Deep, in a running session";
    public const string CompareBitsSession = "compare with itself bit by bit, in a running session";
    public const string CompareNumbersSession = "compare with itself by numbers, in a running session";
    public const string Start = "PowerShell, nothing else";
    public const string Import = "PowerShell, Import-Module";
    public const string Read = "PowerShell, Import-Module, Read-Fairseq2Checkpoint";
}
