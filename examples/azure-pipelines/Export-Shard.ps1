<#
.SYNOPSIS
    Exports one shard of a checkpoint to Meta's format in a step of Azure Pipelines, or completes an export whose shards are there.

.DESCRIPTION
    Each job of a matrix exports one shard of a checkpoint of any format; a last job completes the export. Warnings and errors become issues of the
    run. If a job runs again, it skips a file that is already there. If the export fails, the exit code is 1.

    The script runs anywhere; without an agent, it prints the logging commands. It uses only PowerShell's core commands.

.EXAMPLE
    ./examples/azure-pipelines/Export-Shard.ps1 runs/70b /mnt/shared/70b -ShardCount 8 -ShardIndex 3

    Writes consolidated.03.pth.

.EXAMPLE
    ./examples/azure-pipelines/Export-Shard.ps1 runs/70b /mnt/shared/70b -ShardCount 8 -CompleteShards

    Checks the eight files, and writes params.json.
#>
[CmdletBinding(DefaultParameterSetName = 'Shard')]
param(
    # The folder, file or address of a checkpoint, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder, or the address in a store, to which all jobs write.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The number of jobs and files.
    [Parameter(Mandatory)]
    [int] $ShardCount,

    # The file to write, counted from 0.
    [Parameter(Mandatory, ParameterSetName = 'Shard')]
    [int] $ShardIndex,

    # Completes the export when all files are there.
    [Parameter(Mandatory, ParameterSetName = 'Complete')]
    [switch] $CompleteShards
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

Import-Module "$PSScriptRoot/../../output/Fairseq2Llama/Fairseq2Llama.psd1"
Import-Module "$PSScriptRoot/LoggingCommands.psm1"

$step = $CompleteShards ? @{ CompleteShards = $true } : @{ ShardIndex = $ShardIndex }
$what = $CompleteShards ? 'the files beside the shards' : "shard $ShardIndex"

try {
    Get-ProgressCommand 0 "Exporting $what"

    # Like errors, warnings may quote a checkpoint, so they are redirected and escaped.
    Read-LlamaCheckpoint -LiteralPath $Path 3>&1 |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.WarningRecord]) { return $_ }
            $_ | Export-LlamaReferenceCheckpoint $DestinationPath -ShardCount $ShardCount @step 3>&1
        } |
        Where-Object { $_ -is [System.Management.Automation.WarningRecord] } |
        ForEach-Object { Get-IssueCommand warning $_.Message }

    Get-ProgressCommand 100 "Exported $what"
} catch {
    Get-ErrorCommand $_
    exit 1
}
