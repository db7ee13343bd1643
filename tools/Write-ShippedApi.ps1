#Requires -Version 7.4
<#
.SYNOPSIS
    Moves what PublicAPI.Unshipped.txt lists to PublicAPI.Shipped.txt, beside each project that has them. To be done for a release.
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
$header = '#nullable enable'
$removal = '*REMOVED*'

foreach ($unshipped in Get-ChildItem -Path (Join-Path ([WildcardPattern]::Escape((Split-Path $PSScriptRoot))) src * PublicAPI.Unshipped.txt)) {
    $shipped = Join-Path $unshipped.DirectoryName PublicAPI.Shipped.txt
    $new = [IO.File]::ReadAllLines($unshipped.FullName) | Where-Object { $_ -and $_ -ne $header }
    $gone = $new | Where-Object { $_.StartsWith($removal) } | ForEach-Object { $_.Substring($removal.Length) }

    $lines = [string[]] @(
        [IO.File]::ReadAllLines($shipped) | Where-Object { $_ -and $_ -cne $header -and $_ -cnotin $gone }
        $new | Where-Object { -not $_.StartsWith($removal) })
    [Array]::Sort($lines, [StringComparer]::OrdinalIgnoreCase)

    [IO.File]::WriteAllText($shipped, ($header, $lines | ForEach-Object { $_ } | Join-String -Separator "`n" -OutputSuffix "`n"))
    [IO.File]::WriteAllText($unshipped.FullName, "$header`n")
}
