<#
.SYNOPSIS
    Converts every new step of every training run below a folder; made to be run each night.

.DESCRIPTION
    A run is a folder with steps (step_500, step_1000, ...), or with a folder called checkpoints that has them. Runs are looked for at
    any depth below -RunsPath; links and hidden folders are not followed. Step 500 of the run sft goes to sft/step_500 below
    -DestinationPath.

    A step is done when its folder has a params.json (config.json for Hugging Face): exports are all or nothing and bring that file
    last. Steps that are done are skipped, so a second run does nothing, and one after a kill goes on where the first was. Steps that are
    still being written (step_N.tmp, or without a model) are left alone. A step that can't be converted is reported, and tried again
    the next time; the others are converted all the same.

    Each step that was converted, or could not be, adds a line of JSON to the log, with the properties Time, Run, Step, Result, ErrorId,
    Seconds and Bytes. Get-Content <log> | ConvertFrom-Json reads it. At 10 MB it is renamed to <log>.old, replacing the one before,
    so two files are all that there ever is.

    Only one at a time works on a destination: a second one says so and ends. The operating system frees the lock when its process
    ends, however it does.

    Exit codes:
        0  everything is done, or another one is at work
        1  some steps could not be converted; each is on stderr, with the id of its error
        2  wrong arguments, nothing that could be read below -RunsPath, or a destination that can't be written to

    (pwsh itself ends with 1 for a parameter that there is not.)

.EXAMPLE
    ./examples/Convert-EveryStep.ps1 /data/runs /data/converted -WhatIf

    Lists what would be converted.

.EXAMPLE
    ./examples/Convert-EveryStep.ps1 /data/runs /data/converted -Format HuggingFace

    Converts all new steps to Hugging Face's format.

.EXAMPLE
    Get-Content /data/converted/convert-every-step.jsonl | ConvertFrom-Json | Where-Object Result -eq Failed | Group-Object Run, ErrorId

    Asks the log what has failed.

.NOTES
    For cron, in crontab -e, each night at half past two; what is left, stderr, cron sends by mail:

        30 2 * * * pwsh -NoProfile -NonInteractive -File /srv/fairseq2llama/examples/Convert-EveryStep.ps1 /data/runs /data/converted >/dev/null

    The same for Windows Task Scheduler, in a command prompt; it shows the exit code as Last Run Result:

        schtasks /Create /TN "Convert steps" /SC DAILY /ST 02:30 /TR "pwsh -NoProfile -NonInteractive -File C:\fairseq2llama\examples\Convert-EveryStep.ps1 D:\runs D:\converted"
#>
#Requires -Version 7.4
[CmdletBinding(SupportsShouldProcess)]
[OutputType([pscustomobject])]
param(
    # The folder that has the runs.
    [Parameter(Position = 0)]
    [string] $RunsPath,

    # The folder that gets a folder for each run.
    [Parameter(Position = 1)]
    [string] $DestinationPath,

    # Reference for Meta's format, or HuggingFace.
    [ArgumentCompletions('Reference', 'HuggingFace')]
    [string] $Format = 'Reference',

    # The name of the architecture of all runs; what each model.yaml tells when absent.
    [string] $Architecture,

    # The log; convert-every-step.jsonl in the destination when absent.
    [string] $LogPath
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# An argument that fails an attribute ends pwsh -File with 1, so what shall end it with 2 is checked here.
function Exit-Script([int] $ExitCode, [string] $Message) {
    [System.Console]::Error.WriteLine($Message)
    exit $ExitCode
}

function Resolve-FullPath([string] $Path) {
    [System.IO.Path]::TrimEndingDirectorySeparator($PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path))
}

# The path below the folder of all runs; of that folder itself its name.
function Get-RunName([string] $Folder) {
    $relative = [System.IO.Path]::GetRelativePath($runs, $Folder)
    $relative -eq '.' ? (Split-Path $runs -Leaf) : $relative.Replace('\', '/')
}

# Runs are not looked for in runs, nor in the destination, where each run has steps, too.
function Find-Run([string] $Folder) {
    foreach ($stepsPath in "$Folder/checkpoints", $Folder) {
        $steps = Get-ChildItem -LiteralPath $stepsPath -Directory -Filter step_* -ErrorAction Ignore

        # Also a run whose first step is still being written, but not the folder of a run that is called step_by_step.
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

# As the module tells finished steps from others: by the name here, by what is in them when they are read.
function Find-Step([string] $Folder) {
    Get-ChildItem -LiteralPath $Folder -Directory -Filter step_* |
        Where-Object Name -CMatch '^step_(0|[1-9][0-9]{0,17})$' |
        ForEach-Object { [long] $_.Name.Substring('step_'.Length) } |
        Sort-Object
}

# Gives a record, and adds it to the log in one write, so that a kill leaves a whole line or none.
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

# Renames a log that is large, and takes away a last line that a full disk or a loss of power has cut.
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

# Before anything is converted, because the first record would come after that.
function Assert-LogWritable {
    $isNew = -not [System.IO.File]::Exists($log)

    try {
        [System.IO.File]::AppendAllText($log, '')
    } catch {
        Exit-Script 2 "The log can't be written, so nothing was converted: $($_.Exception.InnerException.Message)"
    }

    if ($isNew) { [System.IO.File]::Delete($log) }
}

if (-not $RunsPath -or -not $DestinationPath) { Exit-Script 2 'Say where the runs are and where to write: -RunsPath and -DestinationPath.' }
if ($Format -notin 'Reference', 'HuggingFace') { Exit-Script 2 "-Format is Reference or HuggingFace, not '$Format'." }

$runs = Resolve-FullPath $RunsPath
$destination = Resolve-FullPath $DestinationPath
$log = $LogPath ? (Resolve-FullPath $LogPath) : "$destination/convert-every-step.jsonl"

if (-not (Test-Path -LiteralPath $runs -PathType Container)) { Exit-Script 2 "There is no folder '$runs'." }
if ($runs -eq $destination) { Exit-Script 2 'The runs and what becomes of them need folders of their own.' }

try {
    Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"
} catch {
    Exit-Script 2 "The module can't be imported. Build it with ./build.ps1 or dotnet build, and start a session that has not loaded another copy. $_"
}

$how = @{}

if ($Architecture) {
    try {
        $how.Architecture = Get-LlamaArchitecture $Architecture
    } catch {
        Exit-Script 2 $_.Exception.Message
    }
}

# The last file of an export, and the command that writes it.
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

            Write-Warning "Another one is at work on '$destination', so there is nothing to do for this one."
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
                    Write-Verbose "Step $step of $($run.Name) is left alone: it is not finished."
                    continue
                }

                Write-Record -Run $run.Name -Step $step -Seconds $watch.Elapsed.TotalSeconds -Failure $_
            }
        }
    }

    # An empty folder may be a share that is not mounted.
    if (-not $found) { Exit-Script 2 "There is no run with steps that could be read below '$runs'." }
} catch {
    Exit-Script 2 $_.Exception.GetBaseException().Message
} finally {
    if ($lock) { $lock.Dispose() }
}

exit [int]$anyFailed
