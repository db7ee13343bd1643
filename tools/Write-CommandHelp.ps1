<#
.SYNOPSIS
    Writes docs/commands: a page for each command, of what Get-Help says of it.

.EXAMPLE
    ./tools/Write-CommandHelp.ps1

    Brings docs/commands up to date with module/en-US/Fairseq2Llama.dll-Help.xml.
#>
[CmdletBinding()]
param(
    # The folder that gets the pages.
    [string] $DestinationPath = "$PSScriptRoot/../docs/commands"
)

$ErrorActionPreference = 'Stop'

$help = [xml] [System.IO.File]::ReadAllText("$PSScriptRoot/../module/en-US/Fairseq2Llama.dll-Help.xml")

# Without it, text with <, * or _ would be markup.
function Protect([string] $text) { $text -replace '([\\<>*_`\[\]|])', '\$1' }

function Join-Paragraph($element) { ($element.para | Where-Object { $_ } | ForEach-Object { Protect $_ }) -join "`n`n" }

function Format-Link([string] $name) {
    if ($name -like 'about_*') { "[$name](../../module/en-US/$name.help.txt)" } else { "[$name]($name.md)" }
}

function Format-Value($parameter) {
    if ($parameter.parameterValueGroup) { " {$($parameter.parameterValueGroup.parameterValue.'#text' -join ' | ')}" }
    elseif ($parameter.parameterValue) { " <$($parameter.parameterValue.'#text')>" }
}

function Format-Syntax($item) {
    $parts = foreach ($parameter in $item.parameter) {
        $name = if ($parameter.position -eq 'named') { "-$($parameter.name)" } else { "[-$($parameter.name)]" }
        $text = $name + (Format-Value $parameter)
        if ($parameter.required -eq 'true') { $text } else { "[$text]" }
    }

    # A line for each parameter that does not fit, as in Get-Help of a wide window.
    "$($item.name) $($parts -join ' ') [<CommonParameters>]" -replace '(.{90,120}) (?=\[?-)', "`$1`n    "
}

function Format-Parameter($parameter) {
    "### -$($parameter.name) \<$(Protect $parameter.type.name)\>"
    ''
    Join-Paragraph $parameter.description
    ''
    $facts = @(
        if ($parameter.required -eq 'true') { 'required' }
        if ($parameter.position -ne 'named') { "position $($parameter.position)" }
        if ($parameter.pipelineInput -ne 'false') { "from the pipeline $($parameter.pipelineInput -replace '^true ')" }
        if ($parameter.globbing -eq 'true') { 'wildcards' }
        if ($parameter.aliases -ne 'none') { "alias $($parameter.aliases)" }
        if ($parameter.defaultValue -notin 'None', 'False') { "default ``$($parameter.defaultValue)``" }
    )

    if ($facts) {
        "*$($facts -join '; ')*"
        ''
    }
}

function Format-Type($element) { "- ``$($element.type.name)``: $(Join-Paragraph $element.description)" }

function Format-Command($command) {
    "# $($command.details.name)"
    ''
    '<!-- Written by tools/Write-CommandHelp.ps1 of module/en-US/Fairseq2Llama.dll-Help.xml; edit that. -->'
    ''
    Join-Paragraph $command.details.description
    ''
    '```powershell'
    ($command.syntax.syntaxItem | ForEach-Object { Format-Syntax $_ }) -join "`n`n"
    '```'
    ''
    Join-Paragraph $command.description
    ''
    '## Examples'
    ''
    foreach ($example in $command.examples.example) {
        "### $(Protect ($example.title -replace '^Example \d+: '))"
        ''
        '```powershell'
        $example.code
        '```'
        ''
        Join-Paragraph $example.remarks
        ''
    }
    '## Parameters'
    ''
    $command.parameters.parameter | ForEach-Object { Format-Parameter $_ }
    '## Inputs'
    ''
    $command.inputTypes.inputType | ForEach-Object { Format-Type $_ }
    ''
    '## Outputs'
    ''
    $command.returnValues.returnValue | ForEach-Object { Format-Type $_ }
    ''
    '## See also'
    ''
    $command.relatedLinks.navigationLink | ForEach-Object { "- $(Format-Link $_.linkText)" }
}

$folder = [System.IO.Directory]::CreateDirectory($DestinationPath).FullName

# The namespace of that name counts as one of them, too.
foreach ($command in $help.helpItems.command | Where-Object { $_.details }) {
    [System.IO.File]::WriteAllText("$folder/$($command.details.name).md", ((Format-Command $command) -join "`n") + "`n")
}
