<#
.SYNOPSIS
    Tests checkpoints in a step of Azure Pipelines, with an issue for each finding, progress, and a report in the summary of the run.

.DESCRIPTION
    Errors and warnings become issues of the run; other findings go to the debug log. If a checkpoint fails, the exit code is 1,
    otherwise 0. The script writes a Markdown report for each checkpoint that can be read.

    The script runs anywhere; without an agent, it prints the logging commands. It uses only PowerShell's core commands.

.EXAMPLE
    ./examples/azure-pipelines/Test-Checkpoint.ps1 runs/sft reports

    Tests the newest finished step of a training run.

.EXAMPLE
    ./examples/azure-pipelines/Test-Checkpoint.ps1 runs/* reports -Deep -FailOn Warning

    Also reads all data of all runs, and fails on warnings.
#>
[CmdletBinding()]
param(
    # Checkpoints or training runs. Wildcards are allowed.
    [Parameter(Mandatory, Position = 0)]
    [string[]] $Path,

    # The folder for the reports.
    [Parameter(Mandatory, Position = 1)]
    [string] $ReportPath,

    # The architecture. By default, the one of model.yaml, or the one that the shapes fit.
    [string] $Architecture,

    # Also reads all data.
    [switch] $Deep,

    # The severity of findings that fail a checkpoint.
    [ValidateSet('Error', 'Warning')]
    [string] $FailOn = 'Error'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

Import-Module "$PSScriptRoot/../../output/Fairseq2Llama/Fairseq2Llama.psd1"
Import-Module "$PSScriptRoot/LoggingCommands.psm1"

$how = @{}
if ($Architecture) { $how.Architecture = $Architecture }

$failing = $FailOn -eq 'Warning' ? ('Error', 'Warning') : 'Error'
$failed = 0

try {
    $reports = [System.IO.Directory]::CreateDirectory($PSCmdlet.GetUnresolvedProviderPathFromPSPath($ReportPath)).FullName

    Get-ProgressCommand 0 'Testing'
    $results = @(Test-LlamaCheckpoint $Path @how -Deep:$Deep -ErrorAction SilentlyContinue -ErrorVariable problems)

    # Paths that do not exist. A checkpoint that exists and can't be read is a finding.
    foreach ($problem in $problems) {
        Get-ErrorCommand $problem
        $failed++
    }

    for ($number = 1; $number -le $results.Count; $number++) {
        $result = $results[$number - 1]

        foreach ($finding in $result.Findings) {
            $message = "$($result.Name): $($finding.Message)"

            switch ($finding.Severity) {
                Information { Get-LoggingCommand task.debug $message }
                default { Get-IssueCommand $_.ToString().ToLowerInvariant() $message -Code $finding.Code }
            }
        }

        $failed += [int]($result.Findings.Where({ $_.Severity -in $failing }).Count -gt 0)

        # A checkpoint that can't be read has no report. Two checkpoints can have the same name, hence the number.
        Read-Fairseq2Checkpoint -LiteralPath $result.Path -ErrorAction Ignore |
            Export-CheckpointReport "$reports/$number-$($result.Name).md" -Force @how |
            ForEach-Object { Get-LoggingCommand task.uploadsummary $_.FullName }

        Get-ProgressCommand (50 + 50 * $number / $results.Count) "Reported on $($result.Name)"
    }

    Get-ProgressCommand 100 "$($results.Count) tested, $failed failures"
} catch {
    # The message may quote a checkpoint, so PowerShell must not print it.
    Get-ErrorCommand $_
    exit 1
}

exit [int]($failed -gt 0)
