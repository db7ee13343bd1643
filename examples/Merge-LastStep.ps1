<#
.SYNOPSIS
    Averages the last steps of a training run, and exports the average in Hugging Face's format.

.DESCRIPTION
    The average of the last steps is often better than the last step itself. Whether it is better here, an evaluation of the export has to
    tell. The script also says how far the average is from the last step.

    The steps are averaged while the export reads them, so memory does not grow with the model.

.EXAMPLE
    ./examples/Merge-LastStep.ps1 runs/sft out/sft-average

    Averages the last five steps.

.EXAMPLE
    ./examples/Merge-LastStep.ps1 runs/sft out/sft-average -Last 10 -Architecture llama3_2_1b

    Averages the last ten, of a run without model.yaml.
#>
[CmdletBinding()]
param(
    # The folder of a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder to write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # How many steps to average: the last ones that are finished.
    [ValidateRange(2, [int]::MaxValue)]
    [int] $Last = 5,

    # The name of an architecture, or an object of New-LlamaArchitecture. By default, the one of model.yaml, or the one that the shapes fit.
    [object] $Architecture
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

$how = @{}
if ($Architecture) { $how.Architecture = $Architecture }

$steps = @(Read-Fairseq2Checkpoint -LiteralPath $Path -AllSteps)
if ($steps.Count -lt $Last) { throw "'$Path' has $($steps.Count) finished steps, not $Last. Give a smaller number with -Last." }

$averaged = $steps[-$Last..-1]
$exported = $averaged | Merge-LlamaCheckpoint | Export-LlamaHuggingFaceCheckpoint $DestinationPath @how

$moved = Compare-LlamaCheckpoint $averaged[-1] $exported -Summary -Tolerance 0
"The average of $($averaged.Name -join ', ') has a relative distance of $($moved.RelativeNorm) from the last." | Out-Host
$exported
