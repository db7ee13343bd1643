# What build.ps1 needs to make a package of the module and to install it.

# The version as the Gallery writes it: 1.2.0, or 1.2.0-preview.
function Get-PackageVersion {
    $manifest = Import-PowerShellDataFile -LiteralPath $PSScriptRoot/../module/Fairseq2Llama.psd1
    $prerelease = $manifest.PrivateData.PSData.Prerelease

    if ($prerelease) { "$($manifest.ModuleVersion)-$prerelease" } else { $manifest.ModuleVersion }
}

function Assert-ChangelogHasRelease([string] $Version) {
    if ($Version -match '-') { return }

    $heading = '^## \[' + [regex]::Escape($Version) + '\] - \d{4}-\d{2}-\d{2}$'
    if (-not (Select-String -LiteralPath $PSScriptRoot/../CHANGELOG.md -Pattern $heading -Quiet)) {
        throw "CHANGELOG.md has no heading '## [$Version] - <year>-<month>-<day>'. Give what stands under [Unreleased] that heading, or set Prerelease in module/Fairseq2Llama.psd1 for a package of what is not released yet."
    }
}

# What a version has made public, later ones must not lose.
function Assert-ApiIsShipped([string] $Version) {
    if ($Version -match '-') { return }

    $source = Join-Path ([WildcardPattern]::Escape((Split-Path $PSScriptRoot))) src
    $new = Select-String -Path $source/*/PublicAPI.Unshipped.txt -Pattern '^(?!#)\S' | Select-Object -First 1
    if ($new) {
        throw "'$($new.Path)' still lists '$($new.Line)', which $Version has. Say ./tools/Write-ShippedApi.ps1, and commit what it has moved."
    }
}

# The SDK, and how it runs tests, are those of the global.json that is found from the current directory.
function Invoke-DotNet {
    Push-Location -LiteralPath $PSScriptRoot/..
    try {
        dotnet @args
    } finally {
        Pop-Location
    }
}

# Builds the module into a folder that nothing was in before. An incremental build would take what was compiled for this machine, with its paths.
function Build-CleanModule([string] $Folder) {
    Invoke-DotNet build $PSScriptRoot/../src/Cmdlets/Fairseq2Llama.csproj --configuration Release --no-incremental "-p:ContinuousIntegrationBuild=true" "-p:ModuleOutput=$Folder/Fairseq2Llama/" | Out-Host
    $null = Test-ModuleManifest -Path ([WildcardPattern]::Escape("$Folder/Fairseq2Llama/Fairseq2Llama.psd1"))
}

function Initialize-TemporaryFolder {
    (New-Item -ItemType Directory -Path ([IO.Path]::GetTempPath()) -Name "fairseq2llama-$([guid]::NewGuid())").FullName
}

# Makes the .nupkg by publishing to a folder, which every version of PSResourceGet can.
function Publish-ModuleToFolder([string] $Module, [string] $Folder) {
    # NuGet puts its settings into the current folder when the user's does not exist yet.
    $null = [Environment]::GetFolderPath('ApplicationData', 'Create')

    $repository = "fairseq2llama-$([guid]::NewGuid())"
    Register-PSResourceRepository -Name $repository -Uri $Folder -Trusted
    try {
        Publish-PSResource -Path $Module -Repository $repository
    } finally {
        Unregister-PSResourceRepository -Name $repository
    }
}

# Makes the package of a module, and beside it its SHA-256 and its bill of materials.
function Write-ModulePackage([string] $Module, [string] $Version, [string] $Destination) {
    $name = "Fairseq2Llama.$Version"
    $folder = Initialize-TemporaryFolder
    try {
        Write-Sbom $Module $Version
        Publish-ModuleToFolder $Module $folder
        Copy-ReproduciblePackage "$folder/$name.nupkg" "$Destination/$name.nupkg"
    } finally {
        Remove-Item -LiteralPath $folder -Recurse -Force
    }

    Copy-Item -LiteralPath $Module/_manifest/spdx_2.2/manifest.spdx.json -Destination "$Destination/$name.spdx.json"
    # As sha256sum -c reads it.
    $hash = (Get-FileHash -LiteralPath "$Destination/$name.nupkg").Hash.ToLowerInvariant()
    [IO.File]::WriteAllText("$Destination/$name.nupkg.sha256", "$hash  $name.nupkg`n")
}

# The module in a package, without what packing has added.
function Expand-ModulePackage([string] $Package, [string] $Destination) {
    [IO.Compression.ZipFile]::ExtractToDirectory($Package, $Destination)
    '_manifest', '_rels', 'package', '[Content_Types].xml', 'Fairseq2Llama.nuspec' | ForEach-Object { Remove-Item -LiteralPath "$Destination/$_" -Recurse -Force }
}

# What Authenticode can sign of our own. The signatures of others, where they have any, stay as they are.
function Get-SignableFile([string] $Module) {
    Get-ChildItem -LiteralPath $Module -Recurse -File | Where-Object { $_.Name -like 'Fairseq2Llama*.dll' -or $_.Extension -in '.psd1', '.ps1xml' }
}

# Publishing puts the time, a random name and the version of the kernel into a package. Without them, the same module makes the same bytes.
function Copy-ReproduciblePackage([string] $Package, [string] $Destination) {
    $epoch = [DateTimeOffset]::new(1980, 1, 1, 0, 0, 0, [TimeSpan]::Zero)
    $source = [IO.Compression.ZipFile]::OpenRead($Package)
    $copy = [IO.Compression.ZipArchive]::new([IO.File]::Create($Destination), 'Create')
    try {
        $entries = [Linq.Enumerable]::OrderBy($source.Entries, [Func[IO.Compression.ZipArchiveEntry, string]] { $args[0].FullName }, [StringComparer]::Ordinal)
        foreach ($entry in $entries) {
            $bytes = [IO.MemoryStream]::new()
            $content = $entry.Open()
            $content.CopyTo($bytes)
            $content.Dispose()

            $name = $entry.FullName -replace '(?<=/core-properties/)\w+(?=\.psmdcp$)', 'properties'
            if ($name -eq '_rels/.rels' -or $name -like '*.psmdcp') {
                $text = [Text.Encoding]::UTF8.GetString($bytes.ToArray()) -replace
                    '(?<=/core-properties/)\w+(\.psmdcp" Id=)"\w+"', 'properties$1"RProperties"' -replace
                    '(?<=<lastModifiedBy>)[^<]+', 'NuGet.Packaging'
                $bytes = [IO.MemoryStream]::new([Text.Encoding]::UTF8.GetBytes($text))
            }

            if ($name -eq '[Content_Types].xml') {
                # NuGet lists them in the order of hashes, which is another in each process.
                $types = [xml] [Text.Encoding]::UTF8.GetString($bytes.ToArray()).TrimStart([char] 0xFEFF)
                $sorted = @($types.DocumentElement.ChildNodes | Sort-Object Name, Extension, PartName)
                $sorted | ForEach-Object { $null = $types.DocumentElement.AppendChild($_) }
                $bytes = [IO.MemoryStream]::new([Text.Encoding]::UTF8.GetBytes($types.OuterXml))
            }

            $written = $copy.CreateEntry($name)
            $written.LastWriteTime = $epoch
            $content = $written.Open()
            $bytes.WriteTo($content)
            $content.Dispose()
        }
    } finally {
        $copy.Dispose()
        $source.Dispose()
    }
}

# Where PowerShell looks for the modules of the current user.
function Get-UserModuleFolder {
    if (-not $HOME) { throw 'HOME is not set, so there is no folder of the current user to install in.' }

    $folder = if ($IsWindows) {
        # Knows of folders that were redirected, to OneDrive for example.
        Join-Path ([Environment]::GetFolderPath('MyDocuments')) PowerShell Modules
    } elseif ($env:XDG_DATA_HOME) {
        Join-Path $env:XDG_DATA_HOME powershell Modules
    } else {
        Join-Path $HOME .local share powershell Modules
    }

    $searched = @($env:PSModulePath -split [IO.Path]::PathSeparator | Where-Object { $_ })
    if ($folder -in $searched) { return $folder }

    # Somebody has configured another one.
    $underHome = $searched | Where-Object { $_.StartsWith($HOME + [IO.Path]::DirectorySeparatorChar) } | Select-Object -First 1
    if (-not $underHome) {
        throw "No folder of PSModulePath is the current user's. Add '$folder' to it, or copy output/Fairseq2Llama to where you keep modules."
    }
    $underHome
}

# Both copies lie in one file system, so that each step is a rename; if the new copy can't take its place, the old one returns.
function Copy-ModuleInto([string] $Module, [string] $Target) {
    $parent = Split-Path $Target
    $new = Join-Path $parent ".new-$([guid]::NewGuid())"
    $old = Join-Path $parent ".old-$([guid]::NewGuid())"

    try {
        $null = [IO.Directory]::CreateDirectory($parent)
        Copy-Item -LiteralPath $Module -Destination $new -Recurse -Force
        if ([IO.Directory]::Exists($Target)) {
            try {
                [IO.Directory]::Move($Target, $old)
            } catch {
                throw "'$Target' can't be replaced: $($_.Exception.InnerException.Message) On Windows, close every session that has imported the module."
            }
        }
        [IO.Directory]::Move($new, $Target)
    } catch {
        if ([IO.Directory]::Exists($old) -and -not [IO.Directory]::Exists($Target)) { [IO.Directory]::Move($old, $Target) }
        throw
    } finally {
        foreach ($folder in $new, $old) {
            if ([IO.Directory]::Exists($folder)) { [IO.Directory]::Delete($folder, $true) }
        }
    }
}
