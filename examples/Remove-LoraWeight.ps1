<#
.SYNOPSIS
    Exports a checkpoint without its LoRA weights, and checks that everything else is the same, bit for bit.

.DESCRIPTION
    Fine-tuning with LoRA adds tensors such as decoder.layers.0.self_attn.q_proj.lora_A, which loaders of a LLaMA do not expect. This
    script omits them, so the export does not contain what they learned. To keep that, use Merge-LoraWeight.ps1.

.EXAMPLE
    ./examples/Remove-LoraWeight.ps1 runs/lora out/base

    Exports the remaining tensors in Meta's reference format, with the architecture of model.yaml.

.EXAMPLE
    ./examples/Remove-LoraWeight.ps1 runs/lora out/base -Architecture llama3_2_1b -Pattern *lora*, *adapter*

    Also omits adapters with another name.
#>
[CmdletBinding()]
param(
    # The folder or file of a checkpoint, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # Names of the tensors to omit: the matrices, and the second names that fairseq2 saves of the weights. Wildcards are allowed.
    [string[]] $Pattern = @('*lora*', '*.wrapped.weight'),

    # The name of an architecture, or an object of New-LlamaArchitecture. By default, the one of model.yaml, or the one that the shapes fit.
    [object] $Architecture
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$how = @{}
if ($Architecture) { $how.Architecture = $Architecture }

$original = Read-Fairseq2Checkpoint -LiteralPath $Path

$left = @($original | Get-CheckpointTensor $Pattern)
$kept = @($original | Get-CheckpointTensor | Where-Object { $_ -notin $left })
$exported = $kept | Export-LlamaReferenceCheckpoint $DestinationPath @how

# Read the export back from the disk, and compare it with the original.
$differing = Compare-LlamaCheckpoint $original (Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path) |
    Where-Object { $_.Result -ne 'Equal' -and $_.ReferenceTensor -notin $left }

if ($differing) { throw "The export differs from the original: $($differing -join ', ')" }

"$($left.Count) tensors are omitted; $($kept.Count) are the same, bit for bit." | Out-Host
$exported
