<#
.SYNOPSIS
    Runs a few commands on examples/tiny-llama and draws what the terminal shows: docs/images/terminal.svg.

.EXAMPLE
    ./tools/Write-TerminalPicture.ps1

    Draws it anew, after a change to the views. A test compares it with what the commands show.
#>
#Requires -Version 7.4
param(
    # The file to write.
    [string] $Path = "$PSScriptRoot/../docs/images/terminal.svg"
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$commands = @(
    '$model = Read-Fairseq2Checkpoint examples/tiny-llama'
    '$model | Get-CheckpointTensor -Layer 0'
    '$tiny = New-LlamaArchitecture tiny -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4'
    '$model | Test-LlamaCheckpoint -Architecture $tiny'
    '$meta = $model | Export-LlamaReferenceCheckpoint $out/tiny -Architecture $tiny'
    'Get-ChildItem $out/tiny -Name'
    'Compare-LlamaCheckpoint $model $meta | Group-Object Result -NoElement'
)

$columns = 88
$columnWidth = 8.4
$lineHeight = 19
$colors = @{ 31 = '#ff7b72'; 32 = '#7ee787'; 33 = '#f2cc60'; 36 = '#79c0ff' }

# A long command goes on in the next line, after a backtick, as PowerShell takes it.
function Split-Command([string] $Command) {
    $prompt = 'PS> '

    while ($prompt.Length + $Command.Length -gt $columns) {
        $end = $Command.LastIndexOf(' ', $columns - $prompt.Length - ' `'.Length)
        "$prompt$($Command.Substring(0, $end)) ``"
        $Command = "    $($Command.Substring($end + 1))"
        $prompt = '>>  '
    }

    "$prompt$Command"
}

# The text between two escape sequences is one tspan, at the column where it begins.
function ConvertTo-Text([string] $Line, [int] $Row) {
    $column = 0
    $style = ''

    $spans = foreach ($piece in [regex]::Matches($Line, '\x1b\[(?<codes>[0-9;]*)m|(?<text>[^\x1b]+)')) {
        if ($piece.Groups['text'].Success) {
            # Renderers make one space of several, whatever xml:space says.
            $text = [System.Net.WebUtility]::HtmlEncode($piece.Value).Replace(' ', [char] 0xA0)
            $x = (16 + $column * $columnWidth).ToString('0.#', [cultureinfo]::InvariantCulture)
            "<tspan x=`"$x`"$style>$text</tspan>"
            $column += $piece.Value.Length
            continue
        }

        $codes = [int[]]($piece.Groups['codes'].Value -split ';' -ne '')
        $style = -join @(
            foreach ($code in $codes) {
                if ($colors.ContainsKey($code)) { " fill=`"$($colors[$code])`"" }
                if ($code -eq 1) { ' font-weight="bold"' }
                if ($code -eq 3) { ' font-style="italic"' }
            }
        )
    }

    "  <text y=`"$(58 + $Row * $lineHeight)`">$(-join $spans)</text>"
}

if (-not (Get-Module Fairseq2Llama)) { Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1" }
$rendering = $PSStyle.OutputRendering
$out = Join-Path ([System.IO.Path]::GetTempPath()) ([System.IO.Path]::GetRandomFileName())
Push-Location -LiteralPath "$PSScriptRoot/.."

try {
    $PSStyle.OutputRendering = 'Ansi'

    $lines = foreach ($command in $commands) {
        Split-Command $command.Replace('$out', 'out') | ForEach-Object { "`e[36m$_`e[0m" }

        # In this scope, where the next command finds its variables. Blank lines around a table are air that a picture does not need.
        $shown = . ([scriptblock]::Create($command)) | Out-String -Width $columns
        $shown -split '\r?\n' | ForEach-Object TrimEnd | Where-Object { $_ }
    }
} finally {
    $PSStyle.OutputRendering = $rendering
    Pop-Location
    if (Test-Path -LiteralPath $out) { Remove-Item -LiteralPath $out -Recurse }
}

$width = [int](32 + $columns * $columnWidth)
$height = 58 + @($lines).Count * $lineHeight
$row = 0

@(
    "<svg xmlns=`"http://www.w3.org/2000/svg`" width=`"$width`" height=`"$height`" viewBox=`"0 0 $width $height`" role=`"img`" aria-labelledby=`"title`">"
    '  <title id="title">A PowerShell session that reads a checkpoint, looks into it, tests it, exports it and compares what came out</title>'
    "  <rect width=`"$width`" height=`"$height`" rx=`"8`" fill=`"#0d1117`"/>"
    '  <circle cx="20" cy="20" r="6" fill="#ff5f57"/><circle cx="40" cy="20" r="6" fill="#febc2e"/><circle cx="60" cy="20" r="6" fill="#28c840"/>'
    '  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, ''DejaVu Sans Mono'', monospace" font-size="14" fill="#e6edf3">'
    foreach ($line in $lines) { ConvertTo-Text $line ($row++) }
    '  </g>'
    '</svg>'
) -join "`n" | Set-Content -LiteralPath $Path -Encoding utf8NoBOM
