<#
.SYNOPSIS
    Exports one shard of a checkpoint in a step of Azure Pipelines; the other jobs of its matrix export the others.

.DESCRIPTION
    Warnings and errors become issues of the run. A job that is run again replaces its file. The exit code is 1 when the export fails.

    It can be run anywhere, and prints there what the agent would act on. Uses PowerShell's core commands only.

.EXAMPLE
    ./examples/azure-pipelines/Export-Shard.ps1 runs/70b /mnt/shared/70b -ShardCount 8 -ShardIndex 3

    Writes consolidated.03.pth and params.json.
#>
[CmdletBinding()]
param(
    # A checkpoint's folder or file, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder that all jobs write into.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The number of jobs, and of files.
    [Parameter(Mandatory)]
    [int] $ShardCount,

    # Which of the files to write, from 0.
    [Parameter(Mandatory)]
    [int] $ShardIndex
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

Import-Module "$PSScriptRoot/../../output/Fairseq2Llama/Fairseq2Llama.psd1"
Import-Module "$PSScriptRoot/LoggingCommands.psm1"

try {
    Get-ProgressCommand 0 "Exporting shard $ShardIndex"

    # Warnings may quote a checkpoint, as errors do, so they are taken from their stream.
    Read-Fairseq2Checkpoint -LiteralPath $Path 3>&1 |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.WarningRecord]) { return $_ }
            $_ | Export-LlamaReferenceCheckpoint $DestinationPath -ShardCount $ShardCount -ShardIndex $ShardIndex -Force 3>&1
        } |
        Where-Object { $_ -is [System.Management.Automation.WarningRecord] } |
        ForEach-Object { Get-IssueCommand warning $_.Message }

    Get-ProgressCommand 100 "Shard $ShardIndex is there"
} catch {
    Get-ErrorCommand $_
    exit 1
}
