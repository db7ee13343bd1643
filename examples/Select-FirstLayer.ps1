<#
.SYNOPSIS
    Exports the first layers of a checkpoint as a model of their own, and checks that they are the same, bit for bit.

.DESCRIPTION
    The result is small and has the shapes of the real model. Use it to try a serving stack, for tests, or as the start of a
    distillation. Until it is trained, its output makes no sense.

    The script takes the first layers because layers are numbered from 0. Layers from the middle would have to be renamed, which the
    module does not do.

.EXAMPLE
    ./examples/Select-FirstLayer.ps1 runs/sft out/sft-4 -LayerCount 4

    Exports the embeddings, layers 0 to 3, the final norm and the output layer. The architecture is that of model.yaml, with 4 layers.

.EXAMPLE
    ./examples/Select-FirstLayer.ps1 downloads/7b/model.pt out/7b-2 -LayerCount 2 -Architecture 7b

    Names the architecture of the whole model, because there is no model.yaml.
#>
[CmdletBinding()]
param(
    # The folder or file of a checkpoint, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # How many layers to take.
    [Parameter(Mandatory)]
    [ValidateRange('Positive')]
    [int] $LayerCount,

    # The architecture of the whole model: a name, or an object of New-LlamaArchitecture. By default, the one of model.yaml.
    [object] $Architecture
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$original = Read-Fairseq2Checkpoint -LiteralPath $Path
$whole = $Architecture ?? $original.Architecture

if (-not $whole) { throw "There is no model.yaml for '$Path'. Name its architecture with -Architecture." }

$short = New-LlamaArchitecture "$($original.Name)-$LayerCount" -BasedOn $whole -NumLayers $LayerCount

# Tensors outside the layers, such as the embeddings, have no layer number and stay.
$exported = $original |
    Get-CheckpointTensor |
    Where-Object { $null -eq $_.Layer -or $_.Layer -lt $LayerCount } |
    Export-LlamaReferenceCheckpoint $DestinationPath -Architecture $short

# Read the export back from the disk, and compare it with the original: only the other layers may be missing.
$compared = Compare-LlamaCheckpoint $original (Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path)
$equal, $other = $compared.Where({ $_.Result -eq 'Equal' }, 'Split')
$differing = $other | Where-Object { $_.Result -ne 'OnlyInReference' -or $_.Layer -lt $LayerCount }

if ($differing) { throw "The export differs from the original: $($differing -join ', ')" }

"$($equal.Count) tensors are the same, bit for bit; $($other.Count) of the other layers are omitted." | Out-Host
$exported
