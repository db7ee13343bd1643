using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Makes a LLaMA architecture of one's own, from another and what differs.</summary>
[Cmdlet(VerbsCommon.New, "LlamaArchitecture")]
[OutputType(typeof(LlamaArchitecture))]
public sealed class NewLlamaArchitectureCommand : CheckpointCmdlet
{
    /// <summary>Its name.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>The architecture to take the rest from; fairseq2's defaults, which are those of 7b, when absent.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? BasedOn { get; set; }

    /// <summary>The width of the residual stream.</summary>
    [Parameter]
    public int? ModelDim { get; set; }

    /// <summary>The number of decoder layers.</summary>
    [Parameter]
    public int? NumLayers { get; set; }

    /// <summary>The number of query heads.</summary>
    [Parameter]
    public int? NumAttnHeads { get; set; }

    /// <summary>The number of key/value heads; where absent and the base has as many as query heads, so has this.</summary>
    [Parameter]
    public int? NumKeyValueHeads { get; set; }

    /// <summary>The number of tokens in the vocabulary.</summary>
    [Parameter]
    public int? VocabSize { get; set; }

    /// <summary>The longest sequence, in tokens.</summary>
    [Parameter]
    public int? MaxSeqLen { get; set; }

    /// <summary>Widens the FFN.</summary>
    [Parameter]
    public double? FfnInnerDimMultiplier { get; set; }

    /// <summary>The FFN dim is rounded up to a multiple of it.</summary>
    [Parameter]
    public int? FfnInnerDimMultipleOf { get; set; }

    /// <summary>The base of the rotary frequencies.</summary>
    [Parameter]
    public double? RopeTheta { get; set; }

    /// <summary>The factor of scaled rotary encoding; $null for none.</summary>
    [Parameter]
    public double? RopeScaleFactor { get; set; }

    /// <summary>The epsilon of the RMS norms.</summary>
    [Parameter]
    public double? NormEps { get; set; }

    /// <summary>The output projection is the embedding table.</summary>
    [Parameter]
    public SwitchParameter TiedEmbeddings { get; set; }

    /// <summary>
    /// Model parallelism divides the embedding table along the model dim, as for LLaMA 1 and 2, rather than along the vocabulary, as for
    /// LLaMA 3. Where absent and not based on another, fairseq2's rule decides: $true for sequences shorter than 8192.
    /// </summary>
    [Parameter]
    public bool? ShardEmbedDim { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => WriteObject(FromArgument(Make));

    private LlamaArchitecture Make()
    {
        var origin = BasedOn?.Get() ?? new LlamaArchitecture { Name = Name };
        var numAttnHeads = NumAttnHeads ?? origin.NumAttnHeads;
        var maxSeqLen = MaxSeqLen ?? origin.MaxSeqLen;
        var isGrouped = origin.NumKeyValueHeads != origin.NumAttnHeads;

        var architecture = origin with
        {
            Name = Name,
            ModelDim = ModelDim ?? origin.ModelDim,
            NumLayers = NumLayers ?? origin.NumLayers,
            NumAttnHeads = numAttnHeads,
            NumKeyValueHeads = NumKeyValueHeads ?? (isGrouped ? origin.NumKeyValueHeads : numAttnHeads),
            VocabSize = VocabSize ?? origin.VocabSize,
            MaxSeqLen = maxSeqLen,
            FfnInnerDimMultiplier = FfnInnerDimMultiplier ?? origin.FfnInnerDimMultiplier,
            FfnInnerDimMultipleOf = FfnInnerDimMultipleOf ?? origin.FfnInnerDimMultipleOf,
            RopeTheta = RopeTheta ?? origin.RopeTheta,
            RopeScaleFactor = IsBound(nameof(RopeScaleFactor)) ? RopeScaleFactor : origin.RopeScaleFactor,
            NormEps = NormEps ?? origin.NormEps,
            TiedEmbeddings = IsBound(nameof(TiedEmbeddings)) ? TiedEmbeddings : origin.TiedEmbeddings,
            ShardEmbedDim = ShardEmbedDim ?? (BasedOn is null ? LlamaArchitecture.GuessShardEmbedDim(maxSeqLen) : origin.ShardEmbedDim),
            AssetNames = [],
        };

        architecture.Validate();
        return architecture;
    }

    private bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}
