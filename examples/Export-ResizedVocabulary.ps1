<#
.SYNOPSIS
    Exports a checkpoint whose vocabulary is larger or smaller than that of the published model that it was made of.

.DESCRIPTION
    Tokens that were added before fine-tuning give the embeddings more rows than the published architecture has, and its name alone is
    refused then, with ArchitectureMismatch. This makes the architecture of the published one and the number of rows that are there.

    The module moves whole tensors: it does not cut rows off, add any, or fill them. What is exported has as many rows as the
    checkpoint, and the tokenizer has to be the one that it was trained with. Embeddings and output have to have the same number of
    rows.

.EXAMPLE
    ./examples/Export-ResizedVocabulary.ps1 downloads/chat/model.pt out/chat -BasedOn llama3_2_1b

    Exports a LLaMA 3.2 with tokens of its own in Meta's reference format.
#>
[CmdletBinding()]
param(
    # A checkpoint's folder or file, or a training run.
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

# Read it back from the disk, and hold it against what it was made of.
$copy = Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path
$differing = Compare-LlamaCheckpoint $original $copy | Where-Object Result -ne Equal

if ($differing) { throw "The export is not what it should be: $($differing -join ', ')" }
if ($copy.Architecture.VocabSize -ne $vocabSize) { throw "params.json says $($copy.Architecture.VocabSize) tokens, not $vocabSize." }

"The vocabulary has $vocabSize tokens and not $($published.VocabSize); all tensors are the same, bit for bit." | Out-Host
$exported
