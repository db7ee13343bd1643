<#
.SYNOPSIS
    Exports a checkpoint whose vocabulary is larger or smaller than that of the published model on which it is based.

.DESCRIPTION
    If tokens were added before fine-tuning, the embeddings have more rows than the published architecture. An export with the name of
    that architecture then fails with ArchitectureMismatch. This script makes an architecture from the published one and the actual
    number of rows.

    The module moves whole tensors: it does not remove, add or fill rows. The export has as many rows as the checkpoint, so use the
    tokenizer with which it was trained. The embeddings and the output layer must have the same number of rows.

.EXAMPLE
    ./examples/Export-ResizedVocabulary.ps1 downloads/chat/model.pt out/chat -BasedOn llama3_2_1b

    Exports a LLaMA 3.2 with added tokens in Meta's reference format.
#>
[CmdletBinding()]
param(
    # The folder or file of a checkpoint, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The published architecture: a name, or an object of Get-LlamaArchitecture.
    [Parameter(Mandatory)]
    [object] $BasedOn
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$original = Read-Fairseq2Checkpoint -LiteralPath $Path
$published = New-LlamaArchitecture published -BasedOn $BasedOn

# One row for each token.
$vocabSize = ($original | Get-CheckpointTensor decoder_frontend.embed.weight).Shape[0]
$resized = New-LlamaArchitecture "$($original.Name)-$vocabSize" -BasedOn $BasedOn -VocabSize $vocabSize

$exported = $original | Export-LlamaReferenceCheckpoint $DestinationPath -Architecture $resized

# Read the export back from the disk, and compare it with the original.
$copy = Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path
$differing = Compare-LlamaCheckpoint $original $copy | Where-Object Result -ne Equal

if ($differing) { throw "The export differs from the original: $($differing -join ', ')" }
if ($copy.Architecture.VocabSize -ne $vocabSize) { throw "params.json says $($copy.Architecture.VocabSize) tokens, not $vocabSize." }

"The vocabulary has $vocabSize tokens, not $($published.VocabSize); all tensors are the same, bit for bit." | Out-Host
$exported
