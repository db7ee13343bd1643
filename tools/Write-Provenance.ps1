#Requires -Version 7.4
<#
.SYNOPSIS
    Writes where a package was built: an in-toto statement with SLSA provenance, from what Azure Pipelines says of the run. Azure Pipelines writes none itself.

.DESCRIPTION
    Writes <package>.provenance.json. If the environment variable PROVENANCE_KEY has a private key (ECDSA, PKCS #8 in Base64), the same statement is
    signed into <package>.intoto.jsonl, a DSSE envelope.

.EXAMPLE
    ./tools/Write-Provenance.ps1 output/Fairseq2Llama.1.0.0.nupkg
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0)]
    [string] $PackagePath
)

$ErrorActionPreference = 'Stop'

function Get-Fact([string] $Name) {
    $value = [Environment]::GetEnvironmentVariable($Name)
    if (-not $value) { throw "'$Name' is not set. Only a run of Azure Pipelines can tell where a package was built." }
    $value
}

$package = Get-Item -LiteralPath $PackagePath
$project = "$(Get-Fact SYSTEM_COLLECTIONURI)$([uri]::EscapeDataString((Get-Fact SYSTEM_TEAMPROJECT)))"
# Where the repository is, but not who fetched it.
$repository = (Get-Fact BUILD_REPOSITORY_URI) -replace '(?<=://)[^/@]*@'

$statement = [ordered] @{
    _type         = 'https://in-toto.io/Statement/v1'
    subject       = @([ordered] @{ name = $package.Name; digest = @{ sha256 = (Get-FileHash -LiteralPath $package.FullName).Hash.ToLowerInvariant() } })
    predicateType = 'https://slsa.dev/provenance/v1'
    predicate     = [ordered] @{
        buildDefinition = [ordered] @{
            # It explains the parameters.
            buildType            = 'https://learn.microsoft.com/azure/devops/pipelines/build/variables'
            externalParameters   = [ordered] @{ repository = $repository; ref = Get-Fact BUILD_SOURCEBRANCH; path = 'azure-pipelines.yml' }
            internalParameters   = [ordered] @{ definition = Get-Fact SYSTEM_DEFINITIONID; reason = Get-Fact BUILD_REASON }
            resolvedDependencies = @([ordered] @{ uri = "git+$repository@$(Get-Fact BUILD_SOURCEBRANCH)"; digest = @{ gitCommit = Get-Fact BUILD_SOURCEVERSION } })
        }
        runDetails      = [ordered] @{
            builder  = [ordered] @{ id = Get-Fact SYSTEM_COLLECTIONURI; version = @{ agent = Get-Fact AGENT_VERSION } }
            metadata = [ordered] @{
                invocationId = "$project/_build/results?buildId=$(Get-Fact BUILD_BUILDID)"
                startedOn    = [DateTimeOffset]::Parse((Get-Fact SYSTEM_PIPELINESTARTTIME), [cultureinfo]::InvariantCulture).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [cultureinfo]::InvariantCulture)
            }
        }
    }
}

$text = ($statement | ConvertTo-Json -Depth 8).ReplaceLineEndings("`n") + "`n"
[IO.File]::WriteAllText("$($package.FullName).provenance.json", $text)

# The pipeline leaves the name of a variable that is not defined as it is.
if (-not $env:PROVENANCE_KEY -or $env:PROVENANCE_KEY -like '$(*') {
    Write-Warning "The provenance of $($package.Name) is not signed, because PROVENANCE_KEY has no key."
    return
}

$key = [Security.Cryptography.ECDsa]::Create()
$read = 0
$key.ImportPkcs8PrivateKey([Convert]::FromBase64String($env:PROVENANCE_KEY), [ref] $read)

$type = 'application/vnd.in-toto+json'
$payload = [Text.Encoding]::UTF8.GetBytes($text)
# DSSE signs the type with the payload, each after its length.
$signed = [Text.Encoding]::UTF8.GetBytes("DSSEv1 $($type.Length) $type $($payload.Length) $text")
$signature = $key.SignData($signed, [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.DSASignatureFormat]::Rfc3279DerSequence)

$envelope = [ordered] @{
    payloadType = $type
    payload     = [Convert]::ToBase64String($payload)
    signatures  = @([ordered] @{
            keyid = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($key.ExportSubjectPublicKeyInfo())).ToLowerInvariant()
            sig   = [Convert]::ToBase64String($signature)
        })
}
[IO.File]::WriteAllText("$($package.FullName).intoto.jsonl", ($envelope | ConvertTo-Json -Depth 4 -Compress) + "`n")
