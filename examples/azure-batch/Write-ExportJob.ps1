<#
.SYNOPSIS
    Writes a job of Azure Batch that exports a checkpoint with one task for each file, as JSON for the Azure CLI.

.DESCRIPTION
    Writes job.json and tasks.json. Each task exports one file to Meta's format. The last task depends on all others and completes the export.

    The pool has to support containers, to be able to pull the image (examples/containers/Dockerfile), and to have a user-assigned managed identity
    with the role Storage Blob Data Contributor. The job contains no secret.

    If a task fails for good, the last one does not start. Once the cause is gone, run the failed one again; the last one follows:

        az batch task reactivate --job-id llama-export --task-id 3

.EXAMPLE
    $from, $to = 'https://account.blob.core.windows.net/runs/70b', 'https://account.blob.core.windows.net/models/70b'
    ./examples/azure-batch/Write-ExportJob.ps1 $from $to -ShardCount 8 -PoolId exports -Image registry.azurecr.io/fairseq2llama -IdentityClientId $id
    az batch job create --json-file job.json
    az batch task create --job-id llama-export --json-file tasks.json
    az batch job set --job-id llama-export --on-all-tasks-complete terminatejob

    Exports with eight tasks. The job ends when all of them have succeeded.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    # The address of the checkpoint.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The address to export to.
    [Parameter(Mandatory, Position = 1)]
    [string] $DestinationPath,

    # The number of files.
    [Parameter(Mandatory)]
    [ValidateRange(1, 1000)]
    [int] $ShardCount,

    # The pool.
    [Parameter(Mandatory)]
    [string] $PoolId,

    # The image with PowerShell and the module.
    [Parameter(Mandatory)]
    [string] $Image,

    # The client id of the managed identity.
    [Parameter(Mandatory)]
    [guid] $IdentityClientId,

    # The id of the job, which has to be new.
    [string] $JobId = 'llama-export',

    # The folder to write into.
    [string] $OutputPath = '.'
)

$ErrorActionPreference = 'Stop'

# The same for all tasks, so that all of them make the same export.
$environment = [ordered]@{
    CHECKPOINT      = $Path
    DESTINATION     = $DestinationPath
    SHARD_COUNT     = $ShardCount
    # Tells DefaultAzureCredential which of the identities of the pool to use.
    AZURE_CLIENT_ID = $IdentityClientId
}

$job = [ordered]@{
    id                        = $JobId
    poolInfo                  = @{ poolId = $PoolId }
    # An error of the network, or a lost node.
    constraints               = @{ maxTaskRetryCount = 3 }
    commonEnvironmentSettings = @($environment.GetEnumerator() | ForEach-Object { [ordered]@{ name = $_.Key; value = "$($_.Value)" } })
    usesTaskDependencies      = $true
}

# Batch promises no pause before it runs a failed task again. If the node of an earlier attempt was lost, that attempt has left its claim in the store, which keeps others
# out for up to two minutes; hence the pause. There is no shell that would expand the variables, only PowerShell.
function Get-Task([string] $Id, [string] $Step) {
    $export = "Export-LlamaReferenceCheckpoint `$env:CHECKPOINT `$env:DESTINATION -ShardCount `$env:SHARD_COUNT $Step"

    [ordered]@{
        id                = $Id
        commandLine       = "pwsh -NoProfile -NonInteractive -Command 'try { $export -ErrorAction Stop } catch { Start-Sleep 150; throw }'"
        containerSettings = @{ imageName = $Image }
    }
}

# A range of ids names tasks by numbers, so the index of a file is the id of its task.
$tasks = @(
    0..($ShardCount - 1) | ForEach-Object { Get-Task $_ '-ShardIndex $env:AZ_BATCH_TASK_ID' }
    (Get-Task complete '-CompleteShards') + @{ dependsOn = @{ taskIdRanges = @([ordered]@{ start = 0; end = $ShardCount - 1 }) } }
)

ConvertTo-Json $job -Depth 4 | Set-Content -LiteralPath (Join-Path $OutputPath job.json)
ConvertTo-Json $tasks -Depth 5 | Set-Content -LiteralPath (Join-Path $OutputPath tasks.json)
