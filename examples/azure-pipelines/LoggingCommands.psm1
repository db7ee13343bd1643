# What the agent of Azure Pipelines understands in the output of a step. It acts on ##vso[ anywhere in a line, so a value that comes
# from a checkpoint, the name of a tensor for example, must never reach the output but through here.

# The escapes that the agent undoes; the percent sign first, or it would undo too much.
function ConvertTo-EscapedData([string] $Text) {
    $Text.Replace('%', '%AZP25').Replace("`r", '%0D').Replace("`n", '%0A')
}

function ConvertTo-EscapedProperty([string] $Text) {
    (ConvertTo-EscapedData $Text).Replace(']', '%5D').Replace(';', '%3B')
}

<#
.SYNOPSIS
    Gives a logging command, as ##vso[task.logissue type=error]message.
#>
function Get-LoggingCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # Area and action, as task.logissue.
        [Parameter(Mandatory, Position = 0)]
        [string] $Name,

        # What follows the bracket.
        [Parameter(Position = 1)]
        [AllowEmptyString()]
        [string] $Message = '',

        # What stands in it.
        [System.Collections.IDictionary] $Property = @{}
    )

    $properties = $Property.Keys | ForEach-Object { "$_=$(ConvertTo-EscapedProperty $Property[$_])" }
    $head = "$Name $($properties -join ';')".TrimEnd()
    "##vso[$head]$(ConvertTo-EscapedData $Message)"
}

<#
.SYNOPSIS
    Gives the command that adds an error or a warning to the summary of the run.
#>
function Get-IssueCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # error or warning.
        [Parameter(Mandatory, Position = 0)]
        [ValidateSet('error', 'warning')]
        [string] $Type,

        # What it says.
        [Parameter(Mandatory, Position = 1)]
        [AllowEmptyString()]
        [string] $Message,

        # The id of an error.
        [string] $Code = ''
    )

    $property = [ordered]@{ type = $Type }
    if ($Code) { $property.code = $Code }

    Get-LoggingCommand task.logissue $Message -Property $property
}

<#
.SYNOPSIS
    Gives the command that adds an error of PowerShell to the summary of the run, with the id that the module gave it.
#>
function Get-ErrorCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # The error.
        [Parameter(Mandatory, Position = 0)]
        [System.Management.Automation.ErrorRecord] $ErrorRecord
    )

    Get-IssueCommand error $ErrorRecord.Exception.Message -Code ($ErrorRecord.FullyQualifiedErrorId -split ',')[0]
}

<#
.SYNOPSIS
    Gives the command that shows how far a step is.
#>
function Get-ProgressCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # From 0 to 100.
        [Parameter(Mandatory, Position = 0)]
        [ValidateRange(0, 100)]
        [int] $Percent,

        # What it is at.
        [Parameter(Mandatory, Position = 1)]
        [string] $Operation
    )

    Get-LoggingCommand task.setprogress $Operation -Property @{ value = $Percent }
}

Export-ModuleMember -Function Get-LoggingCommand, Get-IssueCommand, Get-ErrorCommand, Get-ProgressCommand
