# Logging commands, which the agent of Azure Pipelines obeys in the output of a step. It acts on ##vso[ anywhere in a line. So print
# values from a checkpoint, such as the name of a tensor, only with these functions.

# The escapes that the agent decodes. The percent sign comes first, so that it is not decoded twice.
function ConvertTo-EscapedData([string] $Text) {
    $Text.Replace('%', '%AZP25').Replace("`r", '%0D').Replace("`n", '%0A')
}

function ConvertTo-EscapedProperty([string] $Text) {
    (ConvertTo-EscapedData $Text).Replace(']', '%5D').Replace(';', '%3B')
}

<#
.SYNOPSIS
    Returns a logging command, such as ##vso[task.logissue type=error]message.
#>
function Get-LoggingCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # Area and action, such as task.logissue.
        [Parameter(Mandatory, Position = 0)]
        [string] $Name,

        # The text after the bracket.
        [Parameter(Position = 1)]
        [AllowEmptyString()]
        [string] $Message = '',

        # The properties in the bracket.
        [System.Collections.IDictionary] $Property = @{}
    )

    $properties = $Property.Keys | ForEach-Object { "$_=$(ConvertTo-EscapedProperty $Property[$_])" }
    $head = "$Name $($properties -join ';')".TrimEnd()
    "##vso[$head]$(ConvertTo-EscapedData $Message)"
}

<#
.SYNOPSIS
    Returns the command that adds an error or a warning to the summary of the run.
#>
function Get-IssueCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # error or warning.
        [Parameter(Mandatory, Position = 0)]
        [ValidateSet('error', 'warning')]
        [string] $Type,

        # The text of the issue.
        [Parameter(Mandatory, Position = 1)]
        [AllowEmptyString()]
        [string] $Message,

        # The error id.
        [string] $Code = ''
    )

    $property = [ordered]@{ type = $Type }
    if ($Code) { $property.code = $Code }

    Get-LoggingCommand task.logissue $Message -Property $property
}

<#
.SYNOPSIS
    Returns the command that adds a PowerShell error to the summary of the run, with its error id.
#>
function Get-ErrorCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # The error record.
        [Parameter(Mandatory, Position = 0)]
        [System.Management.Automation.ErrorRecord] $ErrorRecord
    )

    Get-IssueCommand error $ErrorRecord.Exception.Message -Code ($ErrorRecord.FullyQualifiedErrorId -split ',')[0]
}

<#
.SYNOPSIS
    Returns the command that shows the progress of a step.
#>
function Get-ProgressCommand {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        # From 0 to 100.
        [Parameter(Mandatory, Position = 0)]
        [ValidateRange(0, 100)]
        [int] $Percent,

        # The current operation.
        [Parameter(Mandatory, Position = 1)]
        [string] $Operation
    )

    Get-LoggingCommand task.setprogress $Operation -Property @{ value = $Percent }
}

Export-ModuleMember -Function Get-LoggingCommand, Get-IssueCommand, Get-ErrorCommand, Get-ProgressCommand
