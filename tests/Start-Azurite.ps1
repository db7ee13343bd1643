#Requires -Version 7.4
<#
.SYNOPSIS
    Starts Azurite, the emulator of Azure Blob Storage, for the tests or to try the module without an account.

.DESCRIPTION
    Installs Azurite with npm if the folder does not have it (365 MB), starts it, and makes a container. What is stored there is gone when Azurite ends.

    The account and its key are the same in every Azurite, so they protect nothing.

.EXAMPLE
    ./tests/Start-Azurite.ps1 ~/azurite

    Shows the address of a container, a SAS for it, and how to stop Azurite.

.EXAMPLE
    ./tests/Start-Azurite.ps1 ~/azurite -InstallOnly
    $env:FAIRSEQ2LLAMA_AZURITE = "$HOME/azurite"
    dotnet run --project tests/Fairseq2Llama.Tests -- -class '*.Stores.Azure.*'

    Runs the tests that need Azurite, which start it by themselves.
#>
[CmdletBinding()]
param(
    # The folder that has, or gets, node_modules/azurite.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The port; 0 for any that is free.
    [ValidateRange(0, 65535)]
    [int] $Port = 10000,

    # The container to make.
    [string] $Container = 'runs',

    # Only installs it.
    [switch] $InstallOnly
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$folder = [System.IO.Directory]::CreateDirectory($PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)).FullName
$main = Join-Path $folder node_modules azurite dist src blob main.js

if (-not [System.IO.File]::Exists($main)) {
    if (-not (Get-Command npm -CommandType Application -ErrorAction Ignore)) {
        throw 'Azurite needs Node.js and its npm. Install them from https://nodejs.org/ or with the package manager of your system.'
    }

    npm install --prefix $folder --no-audit --no-fund azurite | Out-Host
}

if ($InstallOnly) { return }

# As tests/Fairseq2Llama.Tests/Support/Azurite.cs starts it. The SDK speaks newer versions of the protocol than Azurite knows, which does not matter.
$log = Join-Path $folder 'azurite.log'
$process = Start-Process node -PassThru -RedirectStandardOutput $log -RedirectStandardError "$log.errors" -ArgumentList @(
    """$main""", '--blobHost', '127.0.0.1', '--blobPort', $Port, '--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck')

$deadline = [DateTime]::UtcNow.AddMinutes(2)
while (-not ($listening = Select-String -LiteralPath $log -Pattern 'listens on (\S+)' -ErrorAction Ignore)) {
    if ($process.HasExited) { throw "Azurite does not start: $([System.IO.File]::ReadAllText("$log.errors"))" }
    if ([DateTime]::UtcNow -gt $deadline) { Stop-Process -InputObject $process; throw "Azurite hangs; see '$log'." }
    Start-Sleep -Milliseconds 200
}

$name = 'devstoreaccount1'
$key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
$account = "$($listening.Matches[0].Groups[1].Value)/$name"

# A SAS for the whole account, which is signed line by line.
$version = '2020-08-04'
$expiry = [DateTime]::UtcNow.AddDays(7).ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture)
$lines = $name, 'rwdlac', 'b', 'sco', '', $expiry, '', '', $version, ''
$hash = [System.Security.Cryptography.HMACSHA256]::HashData([Convert]::FromBase64String($key), [System.Text.Encoding]::UTF8.GetBytes($lines -join "`n"))
$signature = [Uri]::EscapeDataString([Convert]::ToBase64String($hash))
$sas = "sv=$version&ss=b&srt=sco&sp=rwdlac&se=$([Uri]::EscapeDataString($expiry))&sig=$signature"

$null = Invoke-RestMethod -Method Put -Uri "$account/${Container}?restype=container&$sas"

[pscustomobject]@{
    Account   = $account
    Container = "$account/$Container"
    SasToken  = $sas
    ProcessId = $process.Id
    Stop      = "Stop-Process -Id $($process.Id)"
}
