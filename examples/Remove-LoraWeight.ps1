<#
.SYNOPSIS
    Exports a checkpoint without what LoRA left in it, and proves that all else is there, bit for bit.

.DESCRIPTION
    Fine-tuning with LoRA leaves tensors such as decoder.layers.0.self_attn.q_proj.lora_A beside the weights, which no loader of a
    LLaMA expects. This leaves them out. It does not merge them: what they have learned is not in the export. Merge first, where the
    model was trained, if you want to keep it.

.EXAMPLE
    ./examples/Remove-LoraWeight.ps1 runs/lora out/base

    Exports what is left in Meta's reference format. The architecture is the one that model.yaml tells.

.EXAMPLE
    ./examples/Remove-LoraWeight.ps1 runs/lora out/base -Architecture llama3_2_1b -Pattern *lora*, *adapter*

    Leaves out adapters of another name, too.
#>
[CmdletBinding()]
param(
    # A checkpoint's folder or file, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # Names of the tensors to leave out, with wildcards.
    [string[]] $Pattern = '*lora*',

    # The name of an architecture or an object of New-LlamaArchitecture; what model.yaml or the shapes tell when absent.
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

# Read it back from the disk, and hold it against what it was made of.
$differing = Compare-LlamaCheckpoint $original (Read-LlamaReferenceCheckpoint -LiteralPath $exported.Path) |
    Where-Object { $_.Result -ne 'Equal' -and $_.ReferenceTensor -notin $left }

if ($differing) { throw "The export is not what it should be: $($differing -join ', ')" }

"$($left.Count) tensors are left out, $($kept.Count) are the same, bit for bit." | Out-Host
$exported
