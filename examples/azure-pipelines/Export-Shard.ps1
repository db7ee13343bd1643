<#
.SYNOPSIS
    Exports one shard of a checkpoint in a step of Azure Pipelines. The other jobs of the matrix export the others.

.DESCRIPTION
    Warnings and errors become issues of the run. If a job runs again, it replaces its file. If the export fails, the exit code is 1.

    The script runs anywhere; without an agent, it prints the logging commands. It uses only PowerShell's core commands.

.EXAMPLE
    ./examples/azure-pipelines/Export-Shard.ps1 runs/70b /mnt/shared/70b -ShardCount 8 -ShardIndex 3

    Writes consolidated.03.pth and params.json.
#>
[CmdletBinding()]
param(
    # The folder or file of a checkpoint, or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder into which all jobs write.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The number of jobs and files.
    [Parameter(Mandatory)]
    [int] $ShardCount,

    # The file to write, counted from 0.
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

    # Like errors, warnings may quote a checkpoint, so they are redirected and escaped.
    Read-Fairseq2Checkpoint -LiteralPath $Path 3>&1 |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.WarningRecord]) { return $_ }
            $_ | Export-LlamaReferenceCheckpoint $DestinationPath -ShardCount $ShardCount -ShardIndex $ShardIndex -Force 3>&1
        } |
        Where-Object { $_ -is [System.Management.Automation.WarningRecord] } |
        ForEach-Object { Get-IssueCommand warning $_.Message }

    Get-ProgressCommand 100 "Exported shard $ShardIndex"
} catch {
    Get-ErrorCommand $_
    exit 1
}
