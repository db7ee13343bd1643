<#
.SYNOPSIS
    Converts every new step of every training run below a folder. Schedule it to run each night.

.DESCRIPTION
    A run is a folder with steps (step_500, step_1000, ...), or with a folder named checkpoints that has them. The script looks for runs
    at any depth below -RunsPath. It does not follow links or hidden folders. Step 500 of the run sft goes to sft/step_500 below
    -DestinationPath.

    A step is done when its folder has a params.json (config.json for Hugging Face), because exports are all or nothing and write that
    file last. The script skips steps that are done. So a second run does nothing, and a run after a kill continues where the first one
    stopped. Steps that are still being written (step_N.tmp, or without a model) are skipped, too. If a step can't be converted, the
    script reports it, continues with the others, and tries the step again the next time.

    Each step that was converted or failed adds a line of JSON to the log, with the properties Time, Run, Step, Result, ErrorId,
    Seconds and Bytes. Get-Content <log> | ConvertFrom-Json reads it. At 10 MB, the log is renamed to <log>.old and replaces the previous
    one, so there are never more than two files.

    Only one instance works on a destination at a time. A second one reports that and ends. The operating system releases the lock when
    the process ends for any reason.

    Exit codes:
        0  everything is done, or another instance is running
        1  some steps could not be converted; stderr lists each with its error id
        2  wrong arguments, no readable run below -RunsPath, or a destination that can't be written to

    (pwsh itself ends with 1 if a parameter does not exist.)

.EXAMPLE
    ./examples/Convert-EveryStep.ps1 /data/runs /data/converted -WhatIf

    Lists what would be converted.

.EXAMPLE
    ./examples/Convert-EveryStep.ps1 /data/runs /data/converted -Format HuggingFace

    Converts all new steps to Hugging Face's format.

.EXAMPLE
    Get-Content /data/converted/convert-every-step.jsonl | ConvertFrom-Json | Where-Object Result -eq Failed | Group-Object Run, ErrorId

    Lists the failures in the log.

.NOTES
    For cron: run crontab -e and add this line for half past two each night. cron mails the remaining output, stderr:

        30 2 * * * pwsh -NoProfile -NonInteractive -File /srv/fairseq2llama/examples/Convert-EveryStep.ps1 /data/runs /data/converted >/dev/null

    For Windows Task Scheduler: run this in a command prompt. Task Scheduler shows the exit code as Last Run Result:

        schtasks /Create /TN "Convert steps" /SC DAILY /ST 02:30 /TR "pwsh -NoProfile -NonInteractive -File C:\fairseq2llama\examples\Convert-EveryStep.ps1 D:\runs D:\converted"
#>
#Requires -Version 7.4
[CmdletBinding(SupportsShouldProcess)]
[OutputType([pscustomobject])]
param(
    # The folder with the runs.
    [Parameter(Position = 0)]
    [string] $RunsPath,

    # The folder to write into; each run gets a subfolder.
    [Parameter(Position = 1)]
    [string] $DestinationPath,

    # Reference for Meta's format, or HuggingFace.
    [ArgumentCompletions('Reference', 'HuggingFace')]
    [string] $Format = 'Reference',

    # The name of the architecture of all runs. By default, the one of each model.yaml.
    [string] $Architecture,

    # The log. By default, convert-every-step.jsonl in the destination.
    [string] $LogPath
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# If an argument fails a validation attribute, pwsh -File ends with 1. The script checks arguments itself, to end with 2.
function Exit-Script([int] $ExitCode, [string] $Message) {
    [System.Console]::Error.WriteLine($Message)
    exit $ExitCode
}

function Resolve-FullPath([string] $Path) {
    [System.IO.Path]::TrimEndingDirectorySeparator($PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path))
}

# The path below the folder of all runs. For that folder itself, its name.
function Get-RunName([string] $Folder) {
    $relative = [System.IO.Path]::GetRelativePath($runs, $Folder)
    $relative -eq '.' ? (Split-Path $runs -Leaf) : $relative.Replace('\', '/')
}

# Does not look inside runs, nor in the destination, where each run has steps, too.
function Find-Run([string] $Folder) {
    foreach ($stepsPath in "$Folder/checkpoints", $Folder) {
        $steps = Get-ChildItem -LiteralPath $stepsPath -Directory -Filter step_* -ErrorAction Ignore

        # This includes a run whose first step is still being written, but not the folder of a run named step_by_step.
        if ($steps | Where-Object Name -CMatch '^step_[0-9]+(\.tmp)?$') {
            return [pscustomobject]@{ Name = Get-RunName $Folder; Path = $Folder; StepsPath = $stepsPath }
        }
    }

    try {
        $folders = Get-ChildItem -LiteralPath $Folder -Directory -Attributes !ReparsePoint
    } catch {
        $unreadable.Add([pscustomobject]@{ Name = Get-RunName $Folder; Failure = $_ })
        return
    }

    $folders | Where-Object FullName -NE $destination | ForEach-Object { Find-Run $_.FullName }
}

# Finds steps with the name of a finished step. The module checks their content when it reads them.
function Find-Step([string] $Folder) {
    Get-ChildItem -LiteralPath $Folder -Directory -Filter step_* |
        Where-Object Name -CMatch '^step_(0|[1-9][0-9]{0,17})$' |
        ForEach-Object { [long] $_.Name.Substring('step_'.Length) } |
        Sort-Object
}

# Returns a record, and adds it to the log in one write, so that a kill leaves a whole line or none.
function Write-Record {
    param(
        [string] $Run,
        [Nullable[long]] $Step,
        [double] $Seconds,
        [long] $Bytes,
        [System.Management.Automation.ErrorRecord] $Failure
    )

    $record = [pscustomobject]@{
        Time = [datetimeoffset]::Now.ToString('o')
        Run = $Run
        Step = $Step
        Result = $Failure ? 'Failed' : 'Converted'
        ErrorId = $Failure ? ($Failure.FullyQualifiedErrorId -split ',')[0] : ''
        Seconds = [math]::Round($Seconds, 3)
        Bytes = $Bytes
    }

    if ($Failure) {
        $script:anyFailed = $true
        $what = $null -eq $Step ? $Run : "$Run, step $Step"
        [System.Console]::Error.WriteLine("${what}: $($record.ErrorId): $($Failure.Exception.Message)")
    }

    if (-not $WhatIfPreference) {
        [System.IO.File]::AppendAllText($log, ($record | ConvertTo-Json -Compress) + "`n")
    }

    $record
}

# Renames a large log, and removes a last line that a full disk or a loss of power has cut off.
function Repair-Log {
    if (-not [System.IO.File]::Exists($log)) { return }

    if ((Get-Item -LiteralPath $log -Force).Length -ge 10MB) {
        [System.IO.File]::Move($log, "$log.old", $true)
        return
    }

    $text = [System.IO.File]::ReadAllBytes($log)
    $end = [array]::LastIndexOf($text, [byte] 10) + 1

    if ($end -lt $text.Length) {
        $file = [System.IO.File]::OpenWrite($log)
        try { $file.SetLength($end) } finally { $file.Dispose() }
    }
}

# Fails before anything is converted, because the first record is written after that.
function Assert-LogWritable {
    $isNew = -not [System.IO.File]::Exists($log)

    try {
        [System.IO.File]::AppendAllText($log, '')
    } catch {
        Exit-Script 2 "The log can't be written, so nothing is converted: $($_.Exception.InnerException.Message)"
    }

    if ($isNew) { [System.IO.File]::Delete($log) }
}

if (-not $RunsPath -or -not $DestinationPath) { Exit-Script 2 'Give the folder of the runs and the folder to write to: -RunsPath and -DestinationPath.' }
if ($Format -notin 'Reference', 'HuggingFace') { Exit-Script 2 "-Format must be Reference or HuggingFace, not '$Format'." }

$runs = Resolve-FullPath $RunsPath
$destination = Resolve-FullPath $DestinationPath
$log = $LogPath ? (Resolve-FullPath $LogPath) : "$destination/convert-every-step.jsonl"

if (-not (Test-Path -LiteralPath $runs -PathType Container)) { Exit-Script 2 "The folder '$runs' does not exist." }
if ($runs -eq $destination) { Exit-Script 2 '-RunsPath and -DestinationPath must be different folders.' }

try {
    Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"
} catch {
    Exit-Script 2 "The module can't be imported. Build it with ./build.ps1 or dotnet build, and use a session that has not loaded another copy. $_"
}

$how = @{}

if ($Architecture) {
    try {
        $how.Architecture = Get-LlamaArchitecture $Architecture
    } catch {
        Exit-Script 2 $_.Exception.Message
    }
}

# The file that an export writes last, and the export command.
$lastFile, $export = $Format -eq 'Reference' ?
    ('params.json', 'Export-LlamaReferenceCheckpoint') :
    ('config.json', 'Export-LlamaHuggingFaceCheckpoint')

$lockPath = "$destination/.convert-every-step.lock"
$lock = $null
$anyFailed = $false
$unreadable = [System.Collections.Generic.List[object]]::new()

try {
    if (-not $WhatIfPreference) {
        $null = [System.IO.Directory]::CreateDirectory($destination)
        $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($log))

        try {
            $lock = [System.IO.File]::Open($lockPath, 'OpenOrCreate', 'ReadWrite', 'None')
        } catch [System.IO.IOException] {
            if (-not [System.IO.File]::Exists($lockPath)) { throw }

            Write-Warning "Another instance is working on '$destination', so this one does nothing."
            exit 0
        }

        Repair-Log
        Assert-LogWritable
    }

    $found = @(Find-Run $runs)
    $unreadable | ForEach-Object { Write-Record -Run $_.Name -Failure $_.Failure }

    foreach ($run in $found) {
        foreach ($step in Find-Step $run.StepsPath) {
            $target = "$destination/$($run.Name)/step_$step"

            if (Test-Path -LiteralPath "$target/$lastFile") { continue }

            $watch = [System.Diagnostics.Stopwatch]::StartNew()

            try {
                $checkpoint = Read-Fairseq2Checkpoint -LiteralPath $run.Path -Step $step

                if (-not $PSCmdlet.ShouldProcess("step $step of $($run.Name)", "Convert to '$target'")) { continue }

                $exported = $checkpoint | & $export $target @how -Confirm:$false
                Write-Record -Run $run.Name -Step $step -Seconds $watch.Elapsed.TotalSeconds -Bytes $exported.SizeInBytes
            } catch {
                if ($_.FullyQualifiedErrorId -like 'CheckpointNotFound,*') {
                    Write-Verbose "Step $step of $($run.Name) is skipped: it is not finished."
                    continue
                }

                Write-Record -Run $run.Name -Step $step -Seconds $watch.Elapsed.TotalSeconds -Failure $_
            }
        }
    }

    # An empty folder can be a share that is not mounted.
    if (-not $found) { Exit-Script 2 "There is no readable run with steps below '$runs'." }
} catch {
    Exit-Script 2 $_.Exception.GetBaseException().Message
} finally {
    if ($lock) { $lock.Dispose() }
}

exit [int]$anyFailed
