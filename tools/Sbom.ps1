# What build.ps1 needs to write the bill of materials of a package. It uses functions of Packaging.ps1.

# The NuGet packages that files of the module come from. More is restored than is shipped: references for the compiler, and what packages need for features
# that the module does not use. So a package counts if it has a file with the very bytes of one in the module.
function Get-ShippedPackage([string] $Module, [string] $PackageFolder) {
    $others = @(Get-ChildItem -LiteralPath $Module -Recurse -File |
            Where-Object { $_.Extension -in '.dll', '.so', '.dylib' -and $_.Name -notlike 'Fairseq2Llama*' })
    $byHash = $others | Group-Object { (Get-FileHash -LiteralPath $_.FullName).Hash } -AsHashTable

    $locks = Get-ChildItem -Path (Join-Path ([WildcardPattern]::Escape((Split-Path $PSScriptRoot))) src * packages.lock.json)
    $restored = foreach ($framework in $locks | ForEach-Object { (Get-Content -LiteralPath $_ -Raw | ConvertFrom-Json -AsHashtable).dependencies.Values }) {
        # Projects are in it, too, and have no version.
        $framework.GetEnumerator() | Where-Object { $_.Value.resolved } | ForEach-Object { "$($_.Key)/$($_.Value.resolved)" }
    }

    $found = foreach ($package in $restored | Sort-Object -Unique) {
        $id, $version = $package -split '/'
        $folder = Join-Path $PackageFolder $id.ToLowerInvariant() $version.ToLowerInvariant()
        if (-not (Test-Path -LiteralPath $folder)) { continue }

        $hashes = Get-ChildItem -LiteralPath $folder -Recurse -File | Where-Object Name -In $others.Name | ForEach-Object { (Get-FileHash -LiteralPath $_.FullName).Hash }
        $files = @($hashes | Sort-Object -Unique | ForEach-Object { $byHash[$_] } | Where-Object { $_ })
        if ($files) { [pscustomobject] @{ Id = $id; Version = $version; Folder = $folder; Files = $files } }
    }

    $unknown = $others | Where-Object FullName -NotIn $found.Files.FullName | Select-Object -First 1
    if ($unknown) {
        throw "'$($unknown.FullName)' is in no package that src/*/packages.lock.json list, so the bill of materials can't tell where it comes from. Run dotnet restore, or build the module again."
    }
    $found
}

# When the sources were last changed, which every build of a commit agrees on. Where nothing tells, as early as the files in the package.
function Get-SourceTime {
    $seconds = if ($env:SOURCE_DATE_EPOCH) {
        $env:SOURCE_DATE_EPOCH
    } elseif ((Test-Path -LiteralPath $PSScriptRoot/../.git) -and (Get-Command git -ErrorAction Ignore)) {
        git -C $PSScriptRoot log -1 --format=%ct
    } else {
        [DateTimeOffset]::new(1980, 1, 1, 0, 0, 0, [TimeSpan]::Zero).ToUnixTimeSeconds()
    }
    [DateTimeOffset]::FromUnixTimeSeconds($seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [cultureinfo]::InvariantCulture)
}

# Runs Microsoft's sbom-tool, of the tool manifest.
function Invoke-SbomTool([string] $PackageFolder, [string] $Scratch, [string[]] $Argument) {
    # It looks for packages only here, whatever NuGet's settings say, and leaves files in the temporary folder.
    $environment = @{ NUGET_PACKAGES = $PackageFolder; TMPDIR = $Scratch; TEMP = $Scratch; TMP = $Scratch }
    $before = @{}
    foreach ($name in $environment.Keys) {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
        [Environment]::SetEnvironmentVariable($name, $environment[$name])
    }
    try {
        $PSNativeCommandUseErrorActionPreference = $false
        $said = Invoke-DotNet tool exec microsoft.sbom.dotnettool --yes -- @Argument 2>&1
        if ($LASTEXITCODE -ne 0) { throw "sbom-tool has failed:`n$($said -join "`n")" }
    } finally {
        foreach ($name in $environment.Keys) { [Environment]::SetEnvironmentVariable($name, $before[$name] ?? [NullString]::Value) }
    }
}

# Writes _manifest/spdx_2.2/manifest.spdx.json into the module, where scanners and sbom-tool look for it.
function Write-Sbom([string] $Module, [string] $Version) {
    # These have the text of their license in a file and do not name it.
    $licenses = @{ 'Apache.Arrow' = 'Apache-2.0' }

    $manifest = Import-PowerShellDataFile -LiteralPath $Module/Fairseq2Llama.psd1
    $packageFolder = (Invoke-DotNet nuget locals global-packages --list) -replace '^global-packages: '
    $shipped = Get-ShippedPackage $Module $packageFolder

    $scratch = Initialize-TemporaryFolder
    try {
        foreach ($package in $shipped) {
            $folder = New-Item -ItemType Directory -Path (Join-Path $scratch packages $package.Id $package.Version)
            Copy-Item -Path (Join-Path ([WildcardPattern]::Escape($package.Folder)) *.nuspec) -Destination $folder
        }
        Invoke-SbomTool $packageFolder $scratch @(
            'generate', '-b', $Module, '-bc', "$scratch/packages", '-m', $scratch
            '-pn', 'Fairseq2Llama', '-pv', $Version, '-ps', $manifest.Author
            # All the others ask other programs for packages, which takes seconds. Licenses come from the packages and not from a web service.
            '-cd', '--DetectorCategories NuGet', '-pm', 'true', '-li', 'false'
            '-nsb', 'https://spdx.org/spdxdocs', '-gt', (Get-SourceTime), '-V', 'Error')
        $sbom = Get-Content -LiteralPath $scratch/_manifest/spdx_2.2/manifest.spdx.json -Raw | ConvertFrom-Json -AsHashtable
    } finally {
        Remove-Item -LiteralPath $scratch -Recurse -Force
    }

    $root = $sbom.packages | Where-Object { $_.SPDXID -eq 'SPDXRef-RootPackage' }
    $root.licenseDeclared = 'MIT'
    $root.copyrightText = $manifest.Copyright
    # The tool's own is a random SWID tag.
    $root.externalRefs = @([ordered] @{
            referenceCategory = 'PACKAGE-MANAGER'
            referenceType     = 'purl'
            referenceLocator  = "pkg:nuget/Fairseq2Llama@${Version}?repository_url=https://www.powershellgallery.com/api/v2"
        })

    # The tool adds hashes up in upper case, the specification in lower case.
    $hashes = [string[]] ($sbom.files | ForEach-Object { ($_.checksums | Where-Object { $_.algorithm -eq 'SHA1' }).checksumValue.ToLowerInvariant() })
    [Array]::Sort($hashes, [StringComparer]::Ordinal)
    $code = [Convert]::ToHexString([Security.Cryptography.SHA1]::HashData([Text.Encoding]::ASCII.GetBytes(-join $hashes))).ToLowerInvariant()
    $root.packageVerificationCode.packageVerificationCodeValue = $code
    # What spdx.org gives to everyone. It has to differ wherever the contents do.
    $sbom.documentNamespace = "https://spdx.org/spdxdocs/Fairseq2Llama-$Version-$code"

    foreach ($package in $shipped) {
        $entry = $sbom.packages | Where-Object { $_.name -eq $package.Id -and $_.versionInfo -eq $package.Version }
        if ($entry.licenseDeclared -eq 'NOASSERTION' -and $licenses[$package.Id]) { $entry.licenseDeclared = $licenses[$package.Id] }

        $hash = Get-Content -Path (Join-Path ([WildcardPattern]::Escape($package.Folder)) *.nupkg.sha512) -Raw
        $entry.checksums = @([ordered] @{ algorithm = 'SHA512'; checksumValue = [Convert]::ToHexString([Convert]::FromBase64String($hash)).ToLowerInvariant() })

        foreach ($file in $package.Files) {
            $name = './' + [IO.Path]::GetRelativePath($Module, $file.FullName).Replace('\', '/')
            $sbom.relationships += @{
                spdxElementId      = ($sbom.files | Where-Object { $_.fileName -ceq $name }).SPDXID
                relationshipType   = 'EXPANDED_FROM_ARCHIVE'
                relatedSpdxElement = $entry.SPDXID
            }
        }
    }

    # The tool writes in the order in which its threads get ready.
    $root.hasFiles = Get-InOrder $root.hasFiles { $args[0] }
    $sbom.files = Get-InOrder $sbom.files { $args[0].fileName }
    $sbom.packages = Get-InOrder $sbom.packages { "$($args[0].name) $($args[0].versionInfo)" }
    $sbom.relationships = Get-InOrder $sbom.relationships { "$($args[0].spdxElementId) $($args[0].relatedSpdxElement)" } |
        ForEach-Object { [ordered] @{ spdxElementId = $_.spdxElementId; relationshipType = $_.relationshipType; relatedSpdxElement = $_.relatedSpdxElement } }

    $folder = New-Item -ItemType Directory -Path $Module/_manifest/spdx_2.2
    [IO.File]::WriteAllText("$folder/manifest.spdx.json", ($sbom | ConvertTo-Json -Depth 8).ReplaceLineEndings("`n") + "`n")
}

# The same on every system, unlike the order of cultures.
function Get-InOrder([object[]] $Items, [Func[object, string]] $Key) {
    [Linq.Enumerable]::ToArray([Linq.Enumerable]::OrderBy($Items, $Key, [StringComparer]::Ordinal))
}
