<#
.SYNOPSIS
    Takes the fairseq2 checkpoint that lies beside this script to Hugging Face's format and back, and compares what came of it.

.EXAMPLE
    ./examples/Convert-ToHuggingFace.ps1

    Converts examples/tiny-llama to output/tiny-llama-hf, that to output/tiny-llama-fairseq2, and compares the first with the last.
#>
[CmdletBinding()]
param(
    # The folder that gets a folder for each format.
    [string] $DestinationPath = "$PSScriptRoot/../output"
)

$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

# tiny-llama is in no catalogue, and no model.yaml lies beside it.
$architecture = New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4

$original = Read-Fairseq2Checkpoint -LiteralPath $PSScriptRoot/tiny-llama
$there = $original | Export-LlamaHuggingFaceCheckpoint $DestinationPath/tiny-llama-hf -Architecture $architecture -Force
$back = $there | Export-Fairseq2Checkpoint $DestinationPath/tiny-llama-fairseq2 -Force

$there | Out-Host
$back | Out-Host

# Only the rows of query and key projections have changed their order on the way there, and have it back.
Compare-LlamaCheckpoint $original $there | Where-Object Result -NE Equal
Compare-LlamaCheckpoint $original $back | Where-Object Result -NE Equal

[System.IO.File]::ReadAllText("$($there.Path)/config.json")
