<#
.SYNOPSIS
    Converts the fairseq2 checkpoint beside this script to Hugging Face's format and back, and compares the results.

.EXAMPLE
    ./examples/Convert-ToHuggingFace.ps1

    Converts examples/tiny-llama to output/tiny-llama-hf and from there to output/tiny-llama-fairseq2, and compares both with the original.
#>
[CmdletBinding()]
param(
    # The folder to write into; each format gets a subfolder.
    [string] $DestinationPath = "$PSScriptRoot/../output"
)

$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

# Get-LlamaArchitecture does not list tiny-llama, and there is no model.yaml beside it.
$architecture = New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4

$original = Read-Fairseq2Checkpoint -LiteralPath $PSScriptRoot/tiny-llama
$there = $original | Export-LlamaHuggingFaceCheckpoint $DestinationPath/tiny-llama-hf -Architecture $architecture -Force
$back = $there | Export-Fairseq2Checkpoint $DestinationPath/tiny-llama-fairseq2 -Force

$there | Out-Host
$back | Out-Host

# Only the rows of the query and key projections changed their order, and the way back restored it.
Compare-LlamaCheckpoint $original $there | Where-Object Result -NE Equal
Compare-LlamaCheckpoint $original $back | Where-Object Result -NE Equal

[System.IO.File]::ReadAllText("$($there.Path)/config.json")
