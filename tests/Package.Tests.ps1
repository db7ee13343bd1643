#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.0' }

# The package as a user of the Gallery gets it: installed by PSResourceGet, imported by name in a new process that knows of nothing else.
# FAIRSEQ2LLAMA_PACKAGE names a package to be tested; without it one is made.

BeforeAll {
    $root = Split-Path $PSScriptRoot
    . $root/tools/Packaging.ps1
    . $root/tools/Sbom.ps1
    $manifest = Import-PowerShellDataFile -LiteralPath $root/module/Fairseq2Llama.psd1
    $prerelease = $manifest.PrivateData.PSData.Prerelease
    $version = $prerelease ? "$($manifest.ModuleVersion)-$prerelease" : $manifest.ModuleVersion

    $package = $env:FAIRSEQ2LLAMA_PACKAGE
    if (-not $package) {
        pwsh -NoProfile -NonInteractive -File $root/build.ps1 -Task Package | Out-Host
        $package = "$root/output/Fairseq2Llama.$version.nupkg"
    }

    $world = [IO.Directory]::CreateTempSubdirectory('fairseq2llama package ').FullName
    $modules = "$world/their modules"
    $module = "$modules/Fairseq2Llama/$($manifest.ModuleVersion)"
    foreach ($folder in 'home/.config', 'packages', 'gallery', 'their modules') {
        $null = [IO.Directory]::CreateDirectory("$world/$folder")
    }

    $variables = 'HOME', 'USERPROFILE', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'NUGET_PACKAGES', 'PSModulePath', 'FAIRSEQ2LLAMA_LIBTORCH'

    # Runs a script in a new process of a user who has nothing but the module.
    function Invoke-AsUser([string] $Script, [hashtable] $Environment = @{}) {
        $PSNativeCommandUseErrorActionPreference = $false
        $before = @{}
        $variables | ForEach-Object { $before[$_] = [Environment]::GetEnvironmentVariable($_) }
        try {
            $mine = @{ HOME = "$world/home"; USERPROFILE = "$world/home"; NUGET_PACKAGES = "$world/packages"; PSModulePath = $modules } + $Environment
            $variables | ForEach-Object { [Environment]::SetEnvironmentVariable($_, $mine[$_] ?? [NullString]::Value) }

            $said = pwsh -NoProfile -NonInteractive -Command "
                `$ErrorActionPreference = 'Stop'
                `$ProgressPreference = 'SilentlyContinue'
                `$PSStyle.OutputRendering = 'PlainText'
                $Script" 2>&1
            if ($LASTEXITCODE -ne 0) { throw ($said -join "`n") }
            $said
        } finally {
            $variables | ForEach-Object { [Environment]::SetEnvironmentVariable($_, $before[$_] ?? [NullString]::Value) }
        }
    }

    # A literal for a script.
    function Quote([string] $Text) { "'" + [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($Text) + "'" }

    [IO.File]::Copy($package, "$world/gallery/$(Split-Path $package -Leaf)")
    Invoke-AsUser "
        Register-PSResourceRepository -Name Folder -Uri $(Quote "$world/gallery") -Trusted
        Save-PSResource Fairseq2Llama -Repository Folder -Prerelease -Path $(Quote $modules)" | Out-Host
}

AfterAll {
    if ($world) { [IO.Directory]::Delete($world, $true) }
}

Describe 'The package' {
    BeforeAll {
        $archive = [IO.Compression.ZipFile]::OpenRead($package)
        $entries = $archive.Entries.FullName
        $reader = [IO.StreamReader]::new($archive.GetEntry('Fairseq2Llama.nuspec').Open())
        $nuspec = ([xml]$reader.ReadToEnd()).package.metadata
        $reader.Dispose()
        $archive.Dispose()
    }

    It 'has the version of the manifest' {
        $nuspec.id | Should -Be Fairseq2Llama
        $nuspec.version | Should -Be $version
        $nuspec.tags | Should -Match '\bPSModule\b.*\bfairseq2\b'
    }

    It 'holds the module and nothing else' {
        $own = $entries | Where-Object { $_ -notmatch '^(_rels/|package/|\[Content_Types\]\.xml$|Fairseq2Llama\.nuspec$)' }

        $own | Sort-Object -CaseSensitive -Culture '' | Should -Be (@(
                'CHANGELOG.md'
                'Fairseq2Llama.Checkpoints.dll'
                'Fairseq2Llama.Checkpoints.pdb'
                'Fairseq2Llama.dll'
                'Fairseq2Llama.pdb'
                'Fairseq2Llama.psd1'
                'LICENSE'
                'THIRD-PARTY-NOTICES.txt'
                '_manifest/spdx_2.2/manifest.spdx.json'
                'dependencies/AzureBlobs/Apache.Arrow.dll'
                'dependencies/AzureBlobs/Azure.Core.dll'
                'dependencies/AzureBlobs/Azure.Identity.dll'
                'dependencies/AzureBlobs/Azure.Storage.Blobs.dll'
                'dependencies/AzureBlobs/Azure.Storage.Common.dll'
                'dependencies/AzureBlobs/Fairseq2Llama.AzureBlobs.dll'
                'dependencies/AzureBlobs/Fairseq2Llama.AzureBlobs.pdb'
                'dependencies/AzureBlobs/Microsoft.Bcl.AsyncInterfaces.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Configuration.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.DependencyInjection.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Diagnostics.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.FileProviders.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Hosting.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Logging.Abstractions.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Options.dll'
                'dependencies/AzureBlobs/Microsoft.Extensions.Primitives.dll'
                'dependencies/AzureBlobs/Microsoft.Identity.Client.Extensions.Msal.dll'
                'dependencies/AzureBlobs/Microsoft.Identity.Client.dll'
                'dependencies/AzureBlobs/Microsoft.IdentityModel.Abstractions.dll'
                'dependencies/AzureBlobs/System.ClientModel.dll'
                'dependencies/AzureBlobs/System.Diagnostics.DiagnosticSource.dll'
                'dependencies/AzureBlobs/System.IO.Hashing.dll'
                'dependencies/AzureBlobs/System.IO.Pipelines.dll'
                'dependencies/AzureBlobs/System.Memory.Data.dll'
                'dependencies/AzureBlobs/System.Security.Cryptography.ProtectedData.dll'
                'dependencies/AzureBlobs/System.Text.Encodings.Web.dll'
                'dependencies/AzureBlobs/System.Text.Json.dll'
                'dependencies/Fairseq2Llama.Adapters.dll'
                'dependencies/Fairseq2Llama.Adapters.pdb'
                'dependencies/Fairseq2Llama.Torch.dll'
                'dependencies/Fairseq2Llama.Torch.pdb'
                'dependencies/S3/AWSSDK.Core.dll'
                'dependencies/S3/AWSSDK.Extensions.Numerics.dll'
                'dependencies/S3/AWSSDK.S3.dll'
                'dependencies/S3/AWSSDK.SSO.dll'
                'dependencies/S3/AWSSDK.SSOOIDC.dll'
                'dependencies/S3/AWSSDK.SecurityToken.dll'
                'dependencies/S3/Fairseq2Llama.S3.dll'
                'dependencies/S3/Fairseq2Llama.S3.pdb'
                'dependencies/S3/System.IO.Hashing.dll'
                'dependencies/System.IO.Hashing.dll'
                'dependencies/System.Numerics.Tensors.dll'
                'dependencies/TorchSharp.dll'
                'dependencies/YamlDotNet.dll'
                Get-ChildItem -LiteralPath $root/module/en-US | ForEach-Object { "en-US/$($_.Name)" }
                Get-ChildItem -LiteralPath $root/module/Views | ForEach-Object { "Views/$($_.Name)" }
                'runtimes/linux-x64/native/libLibTorchSharp.so'
                'runtimes/osx-arm64/native/libLibTorchSharp.dylib'
                'runtimes/win-arm64/native/LibTorchSharp.dll'
                'runtimes/win-x64/native/LibTorchSharp.dll'
            ) | Sort-Object -CaseSensitive -Culture '')
    }

    It 'is what the Dockerfile of the examples installs' {
        $run = @(Select-String -LiteralPath $root/examples/containers/Dockerfile -Pattern '^RUN (\[.+\])$' -Raw)
        $run.Count | Should -Be 1

        $arguments = $run[0].Substring('RUN '.Length) | ConvertFrom-Json
        Invoke-AsUser $arguments[-1].Replace('/packages', (Quote "$world/gallery")).Replace('/modules', (Quote "$world/image"))

        Get-ChildItem -LiteralPath $world/image/Fairseq2Llama -Name | Should -Be $manifest.ModuleVersion
    }

    It 'is far below the 250 MB that the Gallery takes' {
        (Get-Item -LiteralPath $package).Length | Should -BeLessThan 20MB
    }

    # PowerShell 7.4 runs on .NET 8.
    It 'asks for nothing but itself and what PowerShell 7.4 has' {
        $files = Get-ChildItem -LiteralPath $module -Filter *.dll -Recurse | Where-Object DirectoryName -NotMatch 'runtimes'
        $references = Invoke-AsUser "
            foreach (`$file in $(($files | ForEach-Object { Quote $_.FullName }) -join ', ')) {
                [Reflection.Assembly]::LoadFile(`$file).GetReferencedAssemblies() | ForEach-Object { `"`$(`$_.Name) `$(`$_.Version)`" }
            }" | Sort-Object -Unique

        # TorchSharp asks for these when it writes for TensorBoard or downloads datasets.
        $known = @($files.BaseName; 'Google.Protobuf', 'ICSharpCode.SharpZipLib', 'SkiaSharp')
        $others = $references | Where-Object { $_.Split(' ')[0] -notin $known }

        $others | Should -Not -BeNullOrEmpty
        $others | Where-Object { $_ -notmatch '^(System(\.\S+)?|Microsoft\.(CSharp|Win32\.\S+)|netstandard|mscorlib) [0-8]\.' } | Should -BeNullOrEmpty
    }

    It 'has a notice for each assembly of others' {
        $notices = Get-Content -LiteralPath $module/THIRD-PARTY-NOTICES.txt -Raw

        foreach ($file in Get-ChildItem -LiteralPath $module/dependencies -Filter *.dll -Recurse | Where-Object Name -NotLike Fairseq2Llama.*) {
            $notices | Should -Match ([regex]::Escape([IO.Path]::GetRelativePath($module, $file.FullName).Replace('\', '/')))
        }
    }
}

Describe 'The SHA-256 beside the package' {
    It 'is right, in the form that sha256sum reads' {
        [IO.File]::ReadAllText("$package.sha256") | Should -BeExactly "$((Get-FileHash -LiteralPath $package).Hash.ToLowerInvariant())  $(Split-Path $package -Leaf)`n"
        if (Get-Command sha256sum -ErrorAction Ignore) {
            Push-Location -LiteralPath (Split-Path $package)
            try {
                sha256sum --check --strict "$(Split-Path $package -Leaf).sha256" | Should -BeLike '*: OK'
            } finally {
                Pop-Location
            }
        }
    }
}

Describe 'The bill of materials' {
    BeforeAll {
        $sbomFile = "$module/_manifest/spdx_2.2/manifest.spdx.json"
        $sbom = Get-Content -LiteralPath $sbomFile -Raw | ConvertFrom-Json
        $self, $others = $sbom.packages.Where({ $_.SPDXID -eq 'SPDXRef-RootPackage' }, 'Split')
        $packageFolder = (dotnet nuget locals global-packages --list) -replace '^global-packages: '
    }

    It 'is beside the package, too' {
        Get-Content -LiteralPath ($package -replace '\.nupkg$', '.spdx.json') -Raw | Should -BeExactly (Get-Content -LiteralPath $sbomFile -Raw)
    }

    It 'lists the files of the module with their hashes, but for itself' {
        $installed = Get-ChildItem -LiteralPath $module -Recurse -File | Where-Object FullName -NE (Get-Item -LiteralPath $sbomFile).FullName |
            ForEach-Object { "./$([IO.Path]::GetRelativePath($module, $_.FullName).Replace('\', '/')) $((Get-FileHash -LiteralPath $_.FullName).Hash)" }

        $sbom.files | ForEach-Object { "$($_.fileName) $(($_.checksums | Where-Object algorithm -EQ SHA256).checksumValue)" } | Sort-Object |
            Should -Be ($installed | Sort-Object)
        $self.hasFiles | Sort-Object | Should -Be ($sbom.files.SPDXID | Sort-Object)
    }

    # Others name their assemblies after their packages, and put the version of the package into the assembly.
    It 'has the package of each assembly of others, and no more' {
        $named = Get-ChildItem -LiteralPath $module/dependencies -Filter *.dll -Recurse | Where-Object Name -NotLike Fairseq2Llama.* | ForEach-Object {
            $versions = $_.VersionInfo.ProductVersion, $_.VersionInfo.FileVersion
            $matching = @($others | Where-Object name -EQ $_.BaseName | Where-Object { $versions -match "^$([regex]::Escape($_.versionInfo))\b" })
            $matching.Count | Should -Be 1 -Because $_.FullName

            $name = "./$([IO.Path]::GetRelativePath($module, $_.FullName).Replace('\', '/'))"
            $from = $sbom.relationships | Where-Object { $_.relationshipType -eq 'EXPANDED_FROM_ARCHIVE' -and $_.spdxElementId -eq ($sbom.files | Where-Object fileName -EQ $name).SPDXID }
            $from.relatedSpdxElement | Should -Be $matching[0].SPDXID
            $matching[0].SPDXID
        }

        $others.SPDXID | Sort-Object | Should -Be ($named | Sort-Object -Unique)
    }

    It 'knows where the native libraries are from' {
        $native = $sbom.files | Where-Object fileName -Like ./runtimes/*
        $from = $sbom.relationships | Where-Object { $_.relationshipType -eq 'EXPANDED_FROM_ARCHIVE' -and $_.spdxElementId -in $native.SPDXID }

        $native.Count | Should -Be 4
        $from.relatedSpdxElement | Should -Be (@(($others | Where-Object name -EQ TorchSharp).SPDXID) * 4)
    }

    It 'has the license, the address and the hash of each package' {
        $others.licenseDeclared + $self.licenseDeclared | Sort-Object -Unique | Should -Be Apache-2.0, MIT
        foreach ($other in $others) {
            $other.externalRefs.referenceLocator | Should -Be "pkg:nuget/$($other.name)@$($other.versionInfo)"

            $restored = Join-Path $packageFolder $other.name.ToLowerInvariant() $other.versionInfo "$($other.name).$($other.versionInfo).nupkg".ToLowerInvariant()
            if (Test-Path -LiteralPath $restored) {
                $other.checksums.algorithm | Should -Be SHA512
                $other.checksums.checksumValue | Should -Be (Get-FileHash -LiteralPath $restored -Algorithm SHA512).Hash
            }
        }
    }

    It 'names nothing of the machine that made it' {
        $sbom.documentNamespace | Should -MatchExactly "^https://spdx\.org/spdxdocs/Fairseq2Llama-$([regex]::Escape($version))-[0-9a-f]{40}$"
        Get-Content -LiteralPath $sbomFile -Raw | Should -Not -Match ([regex]::Escape($root))
        $sbom.SPDXID, $sbom.spdxVersion, $sbom.dataLicense | Should -Be SPDXRef-DOCUMENT, SPDX-2.2, CC0-1.0
    }

    It 'finds files that were changed, as SECURITY.md shows' {
        $check = [regex]::Match((Get-Content -LiteralPath $root/SECURITY.md -Raw), '(?m)^ {6}\$module = (?s:.*?)(?=^\S)').Value
        $check | Should -BeLike '*Get-FileHash*'

        Invoke-AsUser $check | Should -BeNullOrEmpty
        $changed = "$world/changed/Fairseq2Llama/$($manifest.ModuleVersion)"
        Copy-Item -LiteralPath $module -Destination (New-Item -ItemType Directory -Path (Split-Path $changed)) -Recurse
        [IO.File]::AppendAllText("$changed/LICENSE", ' ')
        Invoke-AsUser "`$env:PSModulePath = $(Quote "$world/changed")
            (& { $check }).fileName" | Should -Be ./LICENSE
    }

    It 'refuses a file that no package has' {
        $strange = "$world/strange"
        Copy-Item -LiteralPath $module -Destination $strange -Recurse
        [IO.File]::WriteAllText("$strange/dependencies/Strange.dll", 'strange')

        { Get-ShippedPackage $strange $packageFolder } | Should -Throw '*Strange.dll*packages.lock.json*'
    }
}

Describe 'What is signed' {
    BeforeAll {
        $signed = "$world/signed/Fairseq2Llama"
        Expand-ModulePackage $package $signed
    }

    It 'is in the package with the rest, and nothing that packing has added' {
        Get-ChildItem -LiteralPath $signed -Recurse -File | ForEach-Object { [IO.Path]::GetRelativePath($signed, $_.FullName) } | Sort-Object |
            Should -Be (Get-ChildItem -LiteralPath $module -Recurse -File | ForEach-Object { [IO.Path]::GetRelativePath($module, $_.FullName) } |
                    Where-Object { $_ -notlike '_manifest*' } | Sort-Object)
    }

    It 'is everything of ours that Authenticode knows' {
        Get-SignableFile $signed | ForEach-Object { [IO.Path]::GetRelativePath($signed, $_.FullName).Replace('\', '/') } | Sort-Object -CaseSensitive -Culture '' | Should -Be (@(
                'Fairseq2Llama.Checkpoints.dll'
                'Fairseq2Llama.dll'
                'Fairseq2Llama.psd1'
                'dependencies/AzureBlobs/Fairseq2Llama.AzureBlobs.dll'
                'dependencies/Fairseq2Llama.Adapters.dll'
                'dependencies/Fairseq2Llama.Torch.dll'
                'dependencies/S3/Fairseq2Llama.S3.dll'
                Get-ChildItem -LiteralPath $root/module/Views | ForEach-Object { "Views/$($_.Name)" }
            ) | Sort-Object -CaseSensitive -Culture '')
    }

    It 'is packed with its signature, and listed as it is packed' {
        if (-not (Get-Command osslsigncode -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'osslsigncode is not installed'
            return
        }

        $key = [Security.Cryptography.RSA]::Create(2048)
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new(
            'CN=Test', $key, [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.RSASignaturePadding]::Pkcs1)
        $purposes = [Security.Cryptography.OidCollection]::new()
        $null = $purposes.Add([Security.Cryptography.Oid]::new('1.3.6.1.5.5.7.3.3'))
        $request.CertificateExtensions.Add([Security.Cryptography.X509Certificates.X509EnhancedKeyUsageExtension]::new($purposes, $false))
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        [IO.File]::WriteAllText("$world/certificate.pem", $certificate.ExportCertificatePem())
        [IO.File]::WriteAllText("$world/key.pem", $key.ExportPkcs8PrivateKeyPem())

        # Older versions of it sign no scripts.
        $assemblies = Get-SignableFile $signed | Where-Object Extension -EQ .dll
        foreach ($assembly in $assemblies) {
            osslsigncode sign -certs "$world/certificate.pem" -key "$world/key.pem" -h sha256 -in $assembly.FullName -out "$world/signed.dll" | Out-Null
            $LASTEXITCODE | Should -Be 0
            [IO.File]::Move("$world/signed.dll", $assembly.FullName, $true)
        }
        $destination = (New-Item -ItemType Directory -Path "$world/packed").FullName
        Write-ModulePackage $signed $version $destination

        $unpacked = "$world/unpacked"
        Expand-ModulePackage "$destination/$(Split-Path $package -Leaf)" $unpacked
        $listed = (Get-Content -LiteralPath "$destination/Fairseq2Llama.$version.spdx.json" -Raw | ConvertFrom-Json).files
        foreach ($assembly in Get-SignableFile $unpacked | Where-Object Extension -EQ .dll) {
            osslsigncode verify -CAfile "$world/certificate.pem" -in $assembly.FullName | Out-String | Should -Match '\bSucceeded\b'
            $LASTEXITCODE | Should -Be 0

            $name = "./$([IO.Path]::GetRelativePath($unpacked, $assembly.FullName).Replace('\', '/'))"
            (($listed | Where-Object fileName -EQ $name).checksums | Where-Object algorithm -EQ SHA256).checksumValue | Should -Be (Get-FileHash -LiteralPath $assembly.FullName).Hash
        }
        Invoke-AsUser "Import-Module $(Quote $unpacked/Fairseq2Llama.psd1); (Get-LlamaArchitecture llama3_2_1b).ModelDim" | Should -Be 2048
    }
}

Describe 'The installed module' {
    It 'is imported by name and exports its commands' {
        $names = Invoke-AsUser 'Import-Module Fairseq2Llama; (Get-Command -Module Fairseq2Llama).Name; (Get-Module Fairseq2Llama).ModuleBase'

        $names[0..($names.Count - 2)] | Sort-Object | Should -Be ($manifest.CmdletsToExport + $manifest.AliasesToExport | Sort-Object)
        $names[-1] | Should -Be $module
    }

    It 'is imported when a command is first used' {
        Invoke-AsUser '(Get-LlamaArchitecture llama3_2_1b).ModelDim' | Should -Be 2048
    }

    # By its manifest: Save-PSResource, PSModulePath and Import-Module of a folder do not take brackets.
    It 'is imported from a folder with brackets in its name' {
        $copy = "$world/copies [1]/Fairseq2Llama"
        $null = [IO.Directory]::CreateDirectory("$world/copies [1]")
        Copy-Item -LiteralPath $module -Destination $copy -Recurse

        Invoke-AsUser "Import-Module $(Quote $copy/Fairseq2Llama.psd1); (Get-LlamaArchitecture llama3_2_1b).ModelDim; (Get-Module Fairseq2Llama).ModuleBase" |
            Should -Be 2048, $copy
    }

    It 'has its help' {
        $said = Invoke-AsUser '(Get-Help Export-LlamaHuggingFaceCheckpoint).Synopsis; (Get-Help about_Fairseq2Llama).Name'

        $said[0] | Should -Match '^Exports a checkpoint '
        $said[1] | Should -Be about_Fairseq2Llama
    }

    It 'converts' {
        Invoke-AsUser "
            `$tiny = New-LlamaArchitecture tiny-llama -ModelDim 64 -NumLayers 4 -NumAttnHeads 8 -NumKeyValueHeads 4 -VocabSize 512 -FfnInnerDimMultipleOf 4
            `$exported = Read-Fairseq2Checkpoint -LiteralPath $(Quote $root/examples/tiny-llama) |
                Export-LlamaReferenceCheckpoint $(Quote "$world/out [1]") -Architecture `$tiny
            `$read = Read-LlamaReferenceCheckpoint -LiteralPath $(Quote "$world/out [1]")
            @(Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint -LiteralPath $(Quote $root/examples/tiny-llama)) `$read).Result |
                Group-Object | ForEach-Object { `"`$(`$_.Name) `$(`$_.Count)`" }" | Should -Be 'Equal 39'

        (Get-Content -LiteralPath "$world/out [1]/params.json" -Raw | ConvertFrom-Json).model.dim | Should -Be 64
        Test-Path -LiteralPath "$world/out [1]/consolidated.00.pth" | Should -BeTrue
    }
}

# Windows has no environment variable that gives a process another user's module folder.
Describe 'What a user does with the Gallery, which needs a HOME that moves the module folder' -Skip:$IsWindows {
    It 'is to install, to import by name, and to uninstall' {
        $installed = "$world/home/.local/share/powershell/Modules"

        Invoke-AsUser "
            `$env:PSModulePath = $(Quote $installed)
            Install-PSResource Fairseq2Llama -Repository Folder -Prerelease
            (Get-Command Read-Fairseq2Checkpoint).Module.ModuleBase
            (Get-InstalledPSResource Fairseq2Llama).InstalledLocation" |
            Should -Be "$installed/Fairseq2Llama/$($manifest.ModuleVersion)", $installed
        Invoke-AsUser "
            `$env:PSModulePath = $(Quote $installed)
            Uninstall-PSResource Fairseq2Llama -Prerelease"

        "$installed/Fairseq2Llama" | Should -Not -Exist
    }
}

Describe 'Online help' {
    It 'is promised only where the manifest says where the repository is' {
        Invoke-AsUser "
            Import-Module Fairseq2Llama
            `$help = Get-Help Read-LlamaCheckpoint | Out-String -Width 200
            `$help -match 'See also: Read-Fairseq2Checkpoint, '
            `$help -match '-Online'
            try { Get-Help Read-LlamaCheckpoint -Online } catch { `$_.FullyQualifiedErrorId -replace ',.*' }" |
            Should -Be 'True', 'False', 'InvalidOperation'
    }

    It 'leads to the page of each command once the manifest says it' {
        $stage = "$world/online/"
        $changed = (Get-Content -LiteralPath $root/module/Fairseq2Llama.psd1 -Raw) -replace "# ProjectUri = '.*'", "ProjectUri = 'https://example.org/llama/'"
        Set-Content -LiteralPath "$world/online.psd1" $changed
        dotnet msbuild "$root/src/Cmdlets/Fairseq2Llama.csproj" -t:StageModule -p:Configuration=Release "-p:ModuleOutput=$stage" "-p:ModuleManifest=$world/online.psd1" |
            Out-Host

        Invoke-AsUser "
            Import-Module $(Quote "$stage/Fairseq2Llama.psd1")
            `$help = Get-Help Read-LlamaCheckpoint | Out-String -Width 200
            `$help -match 'See also'
            `$help -match '-Online'
            Get-Command -Module Fairseq2Llama -CommandType Cmdlet |
                Where-Object { (Get-Help `$_).relatedLinks.navigationLink[0].uri -ne `"https://example.org/llama/blob/main/docs/commands/`$(`$_.Name).md`" }" |
            Should -Be 'False', 'True'
    }
}

Describe 'Tensors of TorchSharp in the installed module' {
    BeforeAll {
        $convert = "Read-Fairseq2Checkpoint -LiteralPath $(Quote $root/examples/tiny-llama) | Get-CheckpointTensor | ConvertTo-TorchTensor"
        $refusal = Invoke-AsUser "try { $convert } catch { `$_.FullyQualifiedErrorId; `$_.ToString() }"
        $native = ($refusal[1] -split "into '")[1] -split "', or name a folder" | Select-Object -First 1
    }

    It 'says which folder to fill' {
        $refusal[0] | Should -BeLike 'LibTorchUnavailable,*'
        $native.Replace('\', '/') | Should -BeLike ([WildcardPattern]::Escape($module.Replace('\', '/')) + '/runtimes/*/native')
    }

    It 'works when that folder is filled' {
        $system = Split-Path (Split-Path $native) -Leaf
        $packages = (dotnet nuget locals global-packages --list) -replace '^global-packages: '
        $libtorch = Join-Path $packages "libtorch-cpu-$system" 2.10.0 runtimes $system native
        if (-not (Test-Path $libtorch)) {
            Set-ItResult -Skipped -Because "there is no $libtorch, where dotnet restore puts libtorch"
            return
        }

        # Windows lets only administrators make symbolic links.
        foreach ($file in Get-ChildItem $libtorch) {
            $there = Join-Path $native $file.Name
            if ($IsWindows) { [IO.File]::Copy($file.FullName, $there) } else { $null = [IO.File]::CreateSymbolicLink($there, $file.FullName) }
        }

        Invoke-AsUser "@($convert).Count" | Should -Be 39
    }
}

Describe 'What is in it' {
    It 'passes the tests of the module' {
        $PSNativeCommandUseErrorActionPreference = $false
        $said = pwsh -NoProfile -NonInteractive -Command "
            `$env:FAIRSEQ2LLAMA_MODULE = $(Quote $module)
            Import-Module $(Quote (Join-Path (Get-Module Pester).ModuleBase Pester.psd1))
            `$pester = New-PesterConfiguration
            `$pester.Run.Path = $(Quote ([WildcardPattern]::Escape("$PSScriptRoot/Module.Tests.ps1")))
            `$pester.Run.Exit = `$true
            Invoke-Pester -Configuration `$pester" 2>&1

        $LASTEXITCODE | Should -Be 0 -Because ($said -join "`n")
    }
}

Describe 'Packing and installing' {
    BeforeAll {
        $target = "$world/installed/Fairseq2Llama/1.0.0"
    }

    It 'refuses a version that the changelog does not have' {
        { Assert-ChangelogHasRelease 99.0.0 } | Should -Throw '*## [[]99.0.0] - *'
        { Assert-ChangelogHasRelease 99.0.0-preview } | Should -Not -Throw
    }

    It 'refuses a release whose API is not written down as released, until it is' {
        $copy = "$world/api [1]"
        'tools', 'src/Library', 'src/Other' | ForEach-Object { $null = [IO.Directory]::CreateDirectory("$copy/$_") }
        Copy-Item -LiteralPath $root/tools/Packaging.ps1, $root/tools/Write-ShippedApi.ps1 -Destination "$copy/tools"
        [IO.File]::WriteAllText("$copy/src/Library/PublicAPI.Shipped.txt", "#nullable enable`nA.Gone() -> void`nA.Kept() -> void`n~override A.Old() -> string`n")
        [IO.File]::WriteAllText("$copy/src/Library/PublicAPI.Unshipped.txt", "#nullable enable`n*REMOVED*A.Gone() -> void`nA.Added() -> void`nstatic A.New() -> void`n")
        $assert = { . "$copy/tools/Packaging.ps1"; Assert-ApiIsShipped $args[0] }

        { & $assert 99.0.0 } | Should -Throw '*Write-ShippedApi.ps1*'
        { & $assert 99.0.0-preview } | Should -Not -Throw
        & "$copy/tools/Write-ShippedApi.ps1"
        { & $assert 99.0.0 } | Should -Not -Throw

        [IO.File]::ReadAllText("$copy/src/Library/PublicAPI.Shipped.txt") |
            Should -BeExactly "#nullable enable`nA.Added() -> void`nA.Kept() -> void`nstatic A.New() -> void`n~override A.Old() -> string`n"
        [IO.File]::ReadAllText("$copy/src/Library/PublicAPI.Unshipped.txt") | Should -BeExactly "#nullable enable`n"
    }

    # As if the package were the last release, and then as if that had had another assembly.
    It 'finds what a release had and this has not' {
        $PSNativeCommandUseErrorActionPreference = $false
        $released = "$world/released"
        Copy-Item -LiteralPath $module -Destination $released -Recurse
        $compare = { Invoke-DotNet msbuild $root/src/Cmdlets "-t:CompareWithRelease" "-p:ModuleOutput=$module/" "-p:ReleasedModule=$released" }

        & $compare | Should -BeNullOrEmpty
        [IO.File]::Delete("$released/Fairseq2Llama.dll")
        Add-Type -TypeDefinition 'public class Gone { }' -OutputAssembly "$released/Fairseq2Llama.dll"
        & $compare | Out-String | Should -Match 'CP0004'
    }

    It 'leaves nothing in the current folder of a user who has no settings yet' {
        'small/Small', 'published', 'current' | ForEach-Object { $null = [IO.Directory]::CreateDirectory("$world/$_") }
        New-ModuleManifest $world/small/Small/Small.psd1 -Author me -Description small -ModuleVersion 1.0.0
        Push-Location $world/current
        try {
            Invoke-AsUser "
                . $(Quote $root/tools/Packaging.ps1)
                Publish-ModuleToFolder $(Quote $world/small/Small) $(Quote $world/published)" @{ XDG_CONFIG_HOME = "$world/settings" } | Out-Host
        } finally {
            Pop-Location
        }

        "$world/published/Small.1.0.0.nupkg" | Should -Exist
        Get-ChildItem $world/current | Should -BeNullOrEmpty
    }

    It 'replaces all of an earlier copy' {
        Copy-ModuleInto $module $target
        Set-Content -LiteralPath $target/stale.txt stale
        Copy-ModuleInto $module $target

        "$target/Fairseq2Llama.psd1" | Should -Exist
        "$target/stale.txt" | Should -Not -Exist
        Get-ChildItem (Split-Path $target) -Force -Name | Should -Be 1.0.0
    }

    It 'leaves an earlier copy where it is when there is nothing to replace it' {
        { Copy-ModuleInto $world/nothing $target } | Should -Throw

        "$target/Fairseq2Llama.psd1" | Should -Exist
        Get-ChildItem (Split-Path $target) -Force -Name | Should -Be 1.0.0
    }
}

Describe 'build.ps1' {
    It 'passes on what follows the benchmarks, and nothing that follows other tasks' {
        { & $root/build.ps1 -Task Bench --rounds 3 --scaling -WhatIf } | Should -Not -Throw
        { & $root/build.ps1 -Task Microbench --filter *Crc32* -WhatIf } | Should -Not -Throw
        { & $root/build.ps1 -Task Package --rounds 3 -WhatIf } | Should -Throw '*--rounds 3*'
    }

    It 'takes a module only to pack it' {
        { & $root/build.ps1 -Task Package -ModulePath signed -WhatIf } | Should -Not -Throw
        { & $root/build.ps1 -Task Install -ModulePath signed -WhatIf } | Should -Throw '*-ModulePath*'
    }

    It 'uses the global.json of the repository, wherever it is called from' {
        $elsewhere = "$world/elsewhere [1]"
        $null = [IO.Directory]::CreateDirectory($elsewhere)
        [IO.File]::WriteAllText("$elsewhere/global.json", '{ "sdk": { "version": "1.0.0", "rollForward": "disable" } }')
        Push-Location -LiteralPath $elsewhere
        try {
            Invoke-DotNet --version | Should -Match '^10\.'
        } finally {
            Pop-Location
        }
    }
}
