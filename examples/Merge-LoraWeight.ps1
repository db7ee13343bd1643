<#
.SYNOPSIS
    Merges a LoRA into its base model, exports the result in Hugging Face's format, and checks that nothing else has changed.

.DESCRIPTION
    The LoRA is an adapter that PEFT saved, or the one in a checkpoint of fairseq2, whose -Alpha only its trainer knows. The export needs
    no adapter.

    The script fails if a tensor changed that the LoRA does not adapt, or if one that it adapts did not: an adapter that was not trained
    changes nothing.

.EXAMPLE
    ./examples/Merge-LoraWeight.ps1 hf/base out/chat -AdapterPath adapters/chat

    Merges an adapter of PEFT.

.EXAMPLE
    ./examples/Merge-LoraWeight.ps1 runs/lora out/tuned -Alpha 16

    Merges the LoRA that a checkpoint of fairseq2 has beside its weights.
#>
[CmdletBinding()]
param(
    # The base model, of any format; or a checkpoint of fairseq2 that has a LoRA.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The adapter. By default, the LoRA is in the checkpoint itself.
    [string] $AdapterPath,

    # The alpha of a LoRA of fairseq2.
    [double] $Alpha,

    # The name of an architecture, or an object of New-LlamaArchitecture. By default, the one of the file beside the weights, or the one that the shapes fit.
    [object] $Architecture
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$lora = @{}
if ($AdapterPath) { $lora.AdapterPath = $AdapterPath }
if ($Alpha) { $lora.Alpha = $Alpha }

$how = @{}
if ($Architecture) { $how.Architecture = $Architecture }

$base = Read-LlamaCheckpoint -LiteralPath $Path @how
$merged = $base | Merge-LlamaLora @lora

# Weights that are not adapted still have the file that they came from; others are only in the merged checkpoint.
$adapted = @($merged.Tensors | Where-Object { $_.Shards[0].File -eq $merged.Name } | ForEach-Object Fairseq2Name)
$exported = $merged | Export-LlamaHuggingFaceCheckpoint $DestinationPath @how

# Read the export back from the disk, and compare it with the base model.
$copy = Read-LlamaHuggingFaceCheckpoint -LiteralPath $exported.Path
$compared = @(Compare-LlamaCheckpoint $base $copy | Where-Object { $_.DifferenceTensor })
$wrong = $compared | Where-Object { ($_.Result -ne 'Equal') -ne ($_.DifferenceTensor.Fairseq2Name -in $adapted) }

if ($wrong) { throw "The LoRA should not have this effect: $($wrong -join ', ')" }

"$($adapted.Count) of $($compared.Count) tensors are merged; the others are the same, bit for bit." | Out-Host
$exported
