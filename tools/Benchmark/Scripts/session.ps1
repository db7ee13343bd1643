<#
.SYNOPSIS
    A running session: takes commands from standard input, a line each, and says how many seconds each of them took.
#>
param(
    [Parameter(Mandatory)]
    [string] $ModulePath
)

$ErrorActionPreference = 'Stop'

Import-Module $ModulePath

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $command = [scriptblock]::Create($line)
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = & $command
    $watch.Stop()

    # The prefix tells it from whatever else a session prints, such as warnings.
    [Console]::Out.WriteLine('seconds: ' + $watch.Elapsed.TotalSeconds.ToString('R', [cultureinfo]::InvariantCulture))
}
