<#
.SYNOPSIS
    Converts the fairseq2 checkpoint beside this script to Meta's reference format and shows the result.

.DESCRIPTION
    Builds the module first if it is not built yet.

.EXAMPLE
    ./examples/Convert-Checkpoint.ps1

    Converts examples/tiny-llama to output/tiny-llama.

.EXAMPLE
    ./examples/Convert-Checkpoint.ps1 -Path runs/sft/step_1000 -DestinationPath out/sft -Architecture llama3_2_1b

    Converts a model of your own.
#>
[CmdletBinding()]
param(
    # The folder or file of a checkpoint, or a training run.
    [string] $Path = "$PSScriptRoot/tiny-llama",

    # The folder to write into.
    [string] $DestinationPath = "$PSScriptRoot/../output/tiny-llama",

    # The name of an architecture, or an object of New-LlamaArchitecture. By default, the one of model.yaml, or the one that the shapes fit.
    [object] $Architecture
)

$ErrorActionPreference = 'Stop'

$module = "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

if (-not [System.IO.File]::Exists($module)) {
    Write-Host 'The module is not built yet. Building it takes about half a minute.'
    & "$PSScriptRoot/../build.ps1" -Task Module | Out-Host
}

Import-Module $module

$how = @{}

if ($Architecture) {
    $how.Architecture = $Architecture
} elseif (-not $PSBoundParameters.ContainsKey('Path')) {
    # Get-LlamaArchitecture does not list the architecture of tiny-llama.
    $how.Architecture = New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4
}

# The default folder is replaced each time, but a folder of your own is not.
if (-not $PSBoundParameters.ContainsKey('DestinationPath')) {
    $how.Force = $true
}

$checkpoint = Read-Fairseq2Checkpoint -LiteralPath $Path
$checkpoint | Out-Host
$checkpoint | Get-CheckpointTensor -Layer 0 | Out-Host

$exported = $checkpoint | Export-LlamaReferenceCheckpoint -DestinationPath $DestinationPath @how
$exported | Out-Host
[System.IO.File]::ReadAllText($exported.Files[-1])
