<#
.SYNOPSIS
    Tests checkpoints in a step of Azure Pipelines: an issue for each finding, progress, and a report of each as summary of the run.

.DESCRIPTION
    Errors and warnings become issues of the run; what is only good to know goes to the debug log. The exit code is 1 when a
    checkpoint has a finding that fails it, else 0. Each checkpoint that can be read has a report in Markdown, whatever was found.

    It can be run anywhere, and prints there what the agent would act on. Uses PowerShell's core commands only.

.EXAMPLE
    ./examples/azure-pipelines/Test-Checkpoint.ps1 runs/sft reports

    Tests the newest finished step of a training run.

.EXAMPLE
    ./examples/azure-pipelines/Test-Checkpoint.ps1 runs/* reports -Deep -FailOn Warning

    Reads all data of all runs, too, and does not let warnings pass.
#>
[CmdletBinding()]
param(
    # Checkpoints or training runs. Wildcards are allowed.
    [Parameter(Mandatory, Position = 0)]
    [string[]] $Path,

    # The folder for the reports.
    [Parameter(Mandatory, Position = 1)]
    [string] $ReportPath,

    # The architecture; what model.yaml or the shapes tell when absent.
    [string] $Architecture,

    # Reads all data as well.
    [switch] $Deep,

    # What fails a checkpoint.
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

    # Paths that lead nowhere; what is there and can't be read is a finding.
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

        # What can't be read has no report. Two checkpoints may have the same name.
        Read-Fairseq2Checkpoint -LiteralPath $result.Path -ErrorAction Ignore |
            Export-CheckpointReport "$reports/$number-$($result.Name).md" -Force @how |
            ForEach-Object { Get-LoggingCommand task.uploadsummary $_.FullName }

        Get-ProgressCommand (50 + 50 * $number / $results.Count) "Reported on $($result.Name)"
    }

    Get-ProgressCommand 100 "$($results.Count) tested, $failed failures"
} catch {
    # The message may quote a checkpoint, so the engine must not print it.
    Get-ErrorCommand $_
    exit 1
}

exit [int]($failed -gt 0)
