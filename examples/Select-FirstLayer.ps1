<#
.SYNOPSIS
    Exports the first layers of a checkpoint as a model of its own, and proves that they are the same, bit for bit.

.DESCRIPTION
    What comes out is small and has the shapes of the real thing: for trying a serving stack, for tests, or to begin a distillation
    with. It says nothing sensible before it is trained.

    Layers are taken from the front, since they are counted from 0: layers from the middle would have to be renamed, which the module
    does not do.

.EXAMPLE
    ./examples/Select-FirstLayer.ps1 runs/sft out/sft-4 -LayerCount 4

    Takes embeddings, layers 0 to 3, the last norm and the output. The architecture is that of model.yaml, with 4 layers.

.EXAMPLE
    ./examples/Select-FirstLayer.ps1 downloads/7b/model.pt out/7b-2 -LayerCount 2 -Architecture 7b

    Says the architecture of the whole model, where there is no model.yaml.
#>
[CmdletBinding()]
param(
    # A checkpoint's folder or file, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # How many layers to take.
    [Parameter(Mandatory)]
    [ValidateRange('Positive')]
    [int] $LayerCount,

    # The architecture of the whole model: a name, or an object of New-LlamaArchitecture. It may be left out where model.yaml tells.
    [object] $Architecture
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$original = Read-Fairseq2Checkpoint -LiteralPath $Path
$whole = $Architecture ?? $original.Architecture

if (-not $whole) { throw "No model.yaml tells the architecture of '$Path'. Name it with -Architecture." }

$short = New-LlamaArchitecture "$($original.Name)-$LayerCount" -BasedOn $whole -NumLayers $LayerCount

# What is in no layer, the embeddings for example, has no number and stays.
$exported = $original |
    Get-CheckpointTensor |
    Where-Object { $null -eq $_.Layer -or $_.Layer -lt $LayerCount } |
    Export-LlamaReferenceCheckpoint $DestinationPath -Architecture $short

# Read it back from the disk, and hold it against what it was made of: only the other layers may be missing.
$compared = Compare-LlamaCheckpoint $original (Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path)
$equal, $other = $compared.Where({ $_.Result -eq 'Equal' }, 'Split')
$differing = $other | Where-Object { $_.Result -ne 'OnlyInReference' -or $_.Layer -lt $LayerCount }

if ($differing) { throw "The export is not what it should be: $($differing -join ', ')" }

"$($equal.Count) tensors are the same, bit for bit; $($other.Count) of further layers are left out." | Out-Host
$exported
