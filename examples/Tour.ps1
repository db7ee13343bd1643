<#
.SYNOPSIS
    Shows what the module can do, in fourteen short stops on a checkpoint that comes with this repository.

.DESCRIPTION
    Each stop says what to look at, shows a command, and runs it. Everything happens on a copy in a temporary folder, which is removed
    at the end, even after Ctrl+C.

    The tour waits for Enter after each stop, unless input is redirected or -NoPause is given.

.EXAMPLE
    ./examples/Tour.ps1

    Takes the tour. Build the module first: ./build.ps1, or dotnet build.

.EXAMPLE
    dotnet tool exec powershell --yes -- -NoProfile -File examples/Tour.ps1

    Takes the tour with only the .NET SDK, if PowerShell is not installed.

.EXAMPLE
    ./examples/Tour.ps1 -NoPause

    Runs all stops without waiting.
#>
[CmdletBinding()]
param(
    # Does not wait for Enter.
    [switch] $NoPause
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$module = "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"

if (-not [System.IO.File]::Exists($module)) {
    throw "The module is not built yet. Run ./build.ps1, or dotnet build, in '$([System.IO.Path]::GetFullPath("$PSScriptRoot/.."))', and start the tour again."
}

Import-Module $module

$stops = @(
    @{
        Title = 'Read a checkpoint'
        Look = 'Only the index is read, no weights. Nothing in the file is executed.'
        Command = {
            $model = Read-Fairseq2Checkpoint $tour/tiny-llama
            $model
        }
    }
    @{
        Title = 'Look at its tensors'
        Look = "Names are fairseq2's. Meta's and Hugging Face's names are properties of each tensor."
        Command = {
            $model | Get-CheckpointTensor -Layer 0
            $model | Get-CheckpointTensor *.0.*q_proj* | ForEach-Object { $_.ReferenceName, $_.HuggingFaceName }
        }
    }
    @{
        Title = 'Filter it'
        Look = 'Tensors are objects, so you can filter by any property.'
        Command = { $model | Get-CheckpointTensor *proj* | Where-Object SizeInBytes -gt 20KB }
    }
    @{
        Title = 'List the known architectures'
        Look = 'Heads are query heads / key and value heads. With a model.yaml beside the weights, you need not name an architecture.'
        Command = { Get-LlamaArchitecture llama3* }
    }
    @{
        Title = 'Make an architecture of your own'
        Look = 'tiny-llama is none of these. FfnInnerDim is computed as in fairseq2.'
        Command = {
            $tiny = New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4
            $tiny
        }
    }
    @{
        Title = 'Test it'
        Look = 'One line for each checkpoint, and its findings below: here everything that contradicts another architecture.'
        Command = {
            $model | Test-LlamaCheckpoint -Architecture $tiny
            $model | Test-LlamaCheckpoint -Architecture llama3_2_1b
        }
    }
    @{
        Title = 'Plan an export'
        Look = 'Every file and its size, planned down to the byte. Nothing is written.'
        Command = { $model | Export-LlamaReferenceCheckpoint $tour/meta -Architecture $tiny -WhatIf }
    }
    @{
        Title = "Export it in Meta's format"
        Look = 'All or nothing: the folder appears when it is complete and verified. You can pipe the result on.'
        Command = {
            $meta = $model | Export-LlamaReferenceCheckpoint $tour/meta -Architecture $tiny
            $meta
        }
    }
    @{
        Title = 'Compare it bit for bit'
        Look = 'Tensors are matched even if the two formats name them differently. All are Equal.'
        Command = { Compare-LlamaCheckpoint $model $meta | Where-Object Layer -eq 3 }
    }
    @{
        Title = 'Measure its numbers'
        Look = 'NaN and Inf come first, because they matter most. Std is the standard deviation of the weights.'
        Command = { $model | Get-CheckpointTensor -Layer 0 | Measure-CheckpointTensor }
    }
    @{
        Title = 'Cast it, and see how much changes'
        Look = 'float16 is more precise than bfloat16 but has a smaller range, so only the smallest numbers changed; max shows by how much.'
        Command = {
            $half = $model | Export-LlamaReferenceCheckpoint $tour/half -Architecture $tiny -DType float16
            Compare-LlamaCheckpoint $model $half -Tolerance 1e-3 | Where-Object Layer -eq 0
        }
    }
    @{
        Title = 'Change one bit, and find it'
        Look = 'The quick test reads no data and cannot see it. -Deep compares checksums and names the tensor.'
        Command = {
            $bytes = [System.IO.File]::ReadAllBytes("$tour/tiny-llama/model.pt")
            $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 1
            [System.IO.File]::WriteAllBytes("$tour/damaged.pt", $bytes)

            Read-Fairseq2Checkpoint $tour/damaged.pt | Test-LlamaCheckpoint -Architecture $tiny
            Read-Fairseq2Checkpoint $tour/damaged.pt | Test-LlamaCheckpoint -Architecture $tiny -Deep | ForEach-Object Findings
        }
    }
    @{
        Title = 'Try to export the damaged one'
        Look = 'Every copied byte is checked. The error has an id that scripts can rely on, and the last line says whether the folder exists.'
        Command = {
            try {
                Read-Fairseq2Checkpoint $tour/damaged.pt | Export-LlamaReferenceCheckpoint $tour/damaged -Architecture $tiny
            } catch {
                $_.FullyQualifiedErrorId
                $_.Exception.Message
            }

            [System.IO.Directory]::Exists("$tour/damaged")
        }
    }
    @{
        Title = 'Convert it to Hugging Face, and back to fairseq2'
        Look = 'Rows of query and key projections change their order, and the way back restores it: 0 tensors differ.'
        Command = {
            $there = $meta | Export-LlamaHuggingFaceCheckpoint $tour/hf
            $back = $there | Export-Fairseq2Checkpoint $tour/back
            $there
            $back
            @(Compare-LlamaCheckpoint $model $back | Where-Object Result -ne Equal).Count
        }
    }
)

# The lines of a script block as you would type them, without their indentation here.
function Format-Typed([scriptblock] $Command) {
    $lines = $Command.ToString().Trim() -split '\r?\n' -replace '^ {12}'
    $lines -replace '^(?=[ }])', '>> ' -replace '^(?=[^ }>])', 'PS> ' -join "`n"
}

function Wait-ForEnter {
    "$($PSStyle.Dim)Press Enter to continue, Ctrl+C to end the tour.$($PSStyle.Reset)" | Out-Host

    try {
        $null = $Host.UI.ReadLine()
    } catch [System.Management.Automation.PSInvalidOperationException] {
        # pwsh -NonInteractive.
        $script:pause = $false
    }
}

$pause = -not ($NoPause -or [System.Console]::IsInputRedirected)
$tour = [System.IO.Directory]::CreateTempSubdirectory('fairseq2llama-tour-').FullName

try {
    $null = [System.IO.Directory]::CreateDirectory("$tour/tiny-llama")
    [System.IO.File]::Copy("$PSScriptRoot/tiny-llama/model.pt", "$tour/tiny-llama/model.pt")

    "`$tour is $tour. It is removed at the end." | Out-Host

    for ($number = 1; $number -le $stops.Count; $number++) {
        $stop = $stops[$number - 1]

        "`n$($PSStyle.Bold)$number of $($stops.Count): $($stop.Title)$($PSStyle.Reset)" | Out-Host
        "$($stop.Look)`n" | Out-Host
        "$($PSStyle.Foreground.Cyan)$(Format-Typed $stop.Command)$($PSStyle.Reset)" | Out-Host

        # In this scope, so that later stops can use its variables.
        . $stop.Command | Out-Host

        if ($pause -and $number -lt $stops.Count) { Wait-ForEnter }
    }

    "That was the tour. To learn more, run Get-Help about_Fairseq2Llama, or Get-Help <command> -Examples.`n" | Out-Host
} finally {
    [System.IO.Directory]::Delete($tour, $true)
}
