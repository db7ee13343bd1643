<#
.SYNOPSIS
    Converts the fairseq2 checkpoint that lies beside this script to Meta's reference format and shows the result.

.DESCRIPTION
    Uses PowerShell's core commands only, so it runs in pwsh and in the script host of tools/ScriptHost alike.

.EXAMPLE
    ./examples/Convert-Checkpoint.ps1

    Converts examples/tiny-llama to output/tiny-llama.

.EXAMPLE
    ./examples/Convert-Checkpoint.ps1 -Path runs/sft/step_1000 -DestinationPath out/sft -Architecture llama3_2_1b

    Converts a model of your own.
#>
[CmdletBinding()]
param(
    # A folder that holds model.pt or model.0.pt, model.1.pt, …, or one such file.
    [string] $Path = "$PSScriptRoot/tiny-llama",

    # The folder to write into; an earlier export in it is replaced.
    [string] $DestinationPath = "$PSScriptRoot/../output/tiny-llama",

    # The name of an architecture. The one of tiny-llama is not in the catalogue, so it is made here.
    [string] $Architecture
)

$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama"

$model = if ($Architecture) {
    Get-LlamaArchitecture $Architecture
} else {
    New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4
}

$checkpoint = Read-Fairseq2Checkpoint -LiteralPath $Path
$checkpoint | Out-Host
$checkpoint | Get-CheckpointTensor -Layer 0 | Out-Host

$exported = $checkpoint | Export-LlamaReferenceCheckpoint -DestinationPath $DestinationPath -Architecture $model -Force
$exported | Out-Host
[System.IO.File]::ReadAllText($exported.Files[-1])
