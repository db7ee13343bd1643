<#
.SYNOPSIS
    Builds, tests, packs and installs the module. It only calls dotnet, Pester and PSResourceGet, which you can also call directly.

.EXAMPLE
    ./build.ps1

    Builds everything and stages the importable module in output/Fairseq2Llama.

.EXAMPLE
    ./build.ps1 -Task Module

    Builds and stages the module alone, without the tests and the packages that only they need.

.EXAMPLE
    ./build.ps1 -Task Test

    Runs all tests: those of the library and the cmdlets with dotnet, then those of the staged module with Pester.

.EXAMPLE
    ./build.ps1 -Task Package

    Makes output/Fairseq2Llama.<version>.nupkg as the PowerShell Gallery takes it, and beside it its SHA-256 and its bill of materials in SPDX.

.EXAMPLE
    ./build.ps1 -Task Package -ModulePath signed/Fairseq2Llama

    Packs a module as it is. The pipeline does this with what it has signed.

.EXAMPLE
    ./build.ps1 -Task Install

    Puts the module where PowerShell finds the current user's modules. -WhatIf says where that is.

.EXAMPLE
    ./build.ps1 -Task Bench --rounds 3 --scaling

    Times the module beside cp and PyTorch and writes docs/benchmarks.md. What follows the task goes to the benchmark; --help lists it.

.EXAMPLE
    ./build.ps1 -Task Bench --stores

    Times reading and exporting in stores, against a server on this machine, and writes docs/benchmarks-stores.md.

.EXAMPLE
    ./build.ps1 -Task Microbench --filter *Crc32*

    Times the parts that conversions are made of, each by itself; all of them without a filter. What follows the task goes to BenchmarkDotNet.
#>
#Requires -Version 7.4
# The tasks use the parameters and the -WhatIf of the script that they are part of, and speak to a person.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSReviewUnusedParameter', '')]
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSShouldProcess', '')]
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '')]
[CmdletBinding(SupportsShouldProcess, PositionalBinding = $false)]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Module', 'Test', 'Pester', 'Package', 'Install', 'Bench', 'Microbench')]
    [string[]] $Task = 'Build',

    # What Build, Module, Test and the benchmarks use. What is packed or installed is always Release.
    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # The folder of a module for Package, instead of one that is built.
    [string] $ModulePath,

    # A file for what Pester found, in NUnit's format.
    [string] $TestResult,

    # What Bench and Microbench pass on.
    [Parameter(ValueFromRemainingArguments)]
    [string[]] $BenchmarkArgument = @()
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

if ($BenchmarkArgument -and -not ($Task -like '*bench')) { throw "Only -Task Bench and Microbench take further arguments, as '$BenchmarkArgument'." }
if ($ModulePath -and 'Package' -notin $Task) { throw "Only -Task Package takes -ModulePath, as '$ModulePath'." }

. $PSScriptRoot/tools/Packaging.ps1
. $PSScriptRoot/tools/Sbom.ps1

function Build {
    if ($PSCmdlet.ShouldProcess("$PSScriptRoot/output/Fairseq2Llama", "Build ($Configuration)")) {
        Invoke-DotNet build $PSScriptRoot/Fairseq2Llama.slnx --configuration $Configuration
    }
}

function Module {
    if ($PSCmdlet.ShouldProcess("$PSScriptRoot/output/Fairseq2Llama", "Build the module ($Configuration)")) {
        Invoke-DotNet build $PSScriptRoot/src/Cmdlets/Fairseq2Llama.csproj --configuration $Configuration
    }
}

function Import-Pester {
    # Version 6 is another Pester.
    $installed = Get-Module Pester -ListAvailable | Where-Object { $_.Version.Major -eq 5 } | Sort-Object Version | Select-Object -Last 1
    if ($installed) {
        Import-Module $installed.Path
        return
    }

    # dotnet restore has brought it.
    $packages = (dotnet nuget locals global-packages --list) -replace '^global-packages: '
    $pester = Join-Path $packages pester 5.9.1 tools Pester.psd1
    if (-not (Test-Path -LiteralPath $pester)) {
        throw "Pester 5 is neither where PowerShell finds modules nor in '$packages'. Run dotnet restore in '$PSScriptRoot', or Install-Module Pester -MaximumVersion 5.99."
    }
    Import-Module $pester
}

function Test {
    if (-not $PSCmdlet.ShouldProcess($PSScriptRoot, 'Run all tests')) { return }

    Build
    Invoke-DotNet test --solution $PSScriptRoot/Fairseq2Llama.slnx --configuration $Configuration --no-build

    Pester
}

# The tests of what is in output already.
function Pester {
    if (-not $PSCmdlet.ShouldProcess("$PSScriptRoot/tests", 'Run Pester')) { return }

    Import-Pester

    $pester = New-PesterConfiguration
    # Pester takes files with brackets in their paths, escaped, but no such folder.
    $pester.Run.Path = Get-ChildItem -LiteralPath $PSScriptRoot/tests -Filter *.Tests.ps1 | ForEach-Object { [WildcardPattern]::Escape($_.FullName) }
    $pester.Run.Throw = $true
    $pester.Output.Verbosity = 'Detailed'
    if ($TestResult) {
        $pester.TestResult.Enabled = $true
        $pester.TestResult.OutputPath = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($TestResult)
    }

    # At its end Pester returns to the current folder, and fails where that has brackets.
    Push-Location ((Test-Path $PWD.Path) ? $PWD.Path : [IO.Path]::GetTempPath())
    try {
        Invoke-Pester -Configuration $pester
    } finally {
        Pop-Location
    }
}

function Package {
    $version = Get-PackageVersion
    Assert-ChangelogHasRelease $version
    Assert-ApiIsShipped $version
    $package = "$PSScriptRoot/output/Fairseq2Llama.$version.nupkg"
    if (-not $PSCmdlet.ShouldProcess($package, 'Make package')) { return }

    $folder = Initialize-TemporaryFolder
    try {
        if ($ModulePath) {
            Copy-Item -LiteralPath $PSCmdlet.GetUnresolvedProviderPathFromPSPath($ModulePath) -Destination $folder/Fairseq2Llama -Recurse
            Invoke-DotNet restore $PSScriptRoot/src/Cmdlets/Fairseq2Llama.csproj | Out-Host
        } else {
            Build-CleanModule $folder
        }
        $null = New-Item -ItemType Directory -Path $PSScriptRoot/output -Force
        Write-ModulePackage $folder/Fairseq2Llama $version $PSScriptRoot/output
    } finally {
        Remove-Item -LiteralPath $folder -Recurse -Force
    }
    Write-Host "The package is $package."
}

function Install {
    $version = (Import-PowerShellDataFile -LiteralPath $PSScriptRoot/module/Fairseq2Llama.psd1).ModuleVersion
    $target = Join-Path (Get-UserModuleFolder) Fairseq2Llama $version
    if (-not $PSCmdlet.ShouldProcess($target, 'Install module')) { return }

    $folder = Initialize-TemporaryFolder
    try {
        Build-CleanModule $folder
        Copy-ModuleInto $folder/Fairseq2Llama $target
    } finally {
        Remove-Item -LiteralPath $folder -Recurse -Force
    }

    Write-Host "Installed in $target."
    if (Get-Module Fairseq2Llama) {
        Write-Warning 'This session has the module already, and its assemblies stay until it ends. Start a new session to use what was installed.'
    }
    Write-Host 'Next: Import-Module Fairseq2Llama; Get-Help about_Fairseq2Llama'
}

function Bench {
    if ($PSCmdlet.ShouldProcess("$PSScriptRoot/docs/benchmarks.md", 'Run the benchmark')) {
        dotnet run --project $PSScriptRoot/tools/Benchmark --configuration $Configuration -- @BenchmarkArgument
    }
}

function Microbench {
    if ($PSCmdlet.ShouldProcess("$PSScriptRoot/output/microbenchmarks", 'Run the microbenchmarks')) {
        # Without a filter BenchmarkDotNet would ask.
        $filter = '--filter' -in $BenchmarkArgument ? @() : @('--filter', '*')
        dotnet run --project $PSScriptRoot/tools/Microbenchmarks --configuration $Configuration -- @filter @BenchmarkArgument
    }
}

foreach ($name in $Task) {
    & $name
}
