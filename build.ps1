<#
.SYNOPSIS
    Builds and tests the module. Thin: what it calls, dotnet and Pester, can be called directly, too.

.EXAMPLE
    ./build.ps1

    Builds everything and stages the importable module in output/Fairseq2Llama.

.EXAMPLE
    ./build.ps1 -Task Test

    Runs all tests: those of the library and the cmdlets with dotnet, then those of the staged module with Pester.

.EXAMPLE
    ./build.ps1 -Task Bench --rounds 3 --scaling

    Times the module beside cp and PyTorch and writes docs/benchmarks.md. What follows the task goes to the benchmark; --help lists it.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Bench')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    [Parameter(ValueFromRemainingArguments)]
    [string[]] $BenchmarkArgument = @()
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

function Build {
    dotnet build $PSScriptRoot/Fairseq2Llama.slnx --configuration $Configuration
}

function Test {
    Build
    dotnet test --solution $PSScriptRoot/Fairseq2Llama.slnx --configuration $Configuration --no-build

    Import-Module Pester -MinimumVersion 5.0

    $pester = New-PesterConfiguration
    $pester.Run.Path = "$PSScriptRoot/tests"
    $pester.Run.Throw = $true
    $pester.Output.Verbosity = 'Detailed'
    Invoke-Pester -Configuration $pester
}

function Bench {
    dotnet run --project $PSScriptRoot/tools/Benchmark --configuration $Configuration -- @BenchmarkArgument
}

foreach ($name in $Task) {
    & $name
}
