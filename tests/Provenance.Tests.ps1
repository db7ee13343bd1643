#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.0' }

# As if Azure Pipelines had built a package.

BeforeAll {
    $write = "$(Split-Path $PSScriptRoot)/tools/Write-Provenance.ps1"
    $run = @{
        SYSTEM_COLLECTIONURI     = 'https://dev.azure.com/contoso/'
        SYSTEM_TEAMPROJECT       = 'Model Tools'
        SYSTEM_DEFINITIONID      = '7'
        SYSTEM_PIPELINESTARTTIME = '2026-11-08 16:01:23+01:00'
        BUILD_REPOSITORY_URI     = 'https://someone:secret@example.org/contoso/llama'
        BUILD_SOURCEBRANCH       = 'refs/tags/v1.0.0'
        BUILD_SOURCEVERSION      = '5e74c2c5e74c2c5e74c2c5e74c2c5e74c2c5e74c'
        BUILD_BUILDID            = '1234'
        BUILD_REASON             = 'IndividualCI'
        AGENT_VERSION            = '4.248.0'
        PROVENANCE_KEY           = $null
    }
    $before = @{}
    $run.Keys | ForEach-Object { $before[$_] = [Environment]::GetEnvironmentVariable($_) }
    function Set-Variables([hashtable] $Values) { $Values.Keys | ForEach-Object { [Environment]::SetEnvironmentVariable($_, $Values[$_] ?? [NullString]::Value) } }
}

AfterAll { Set-Variables $before }

Describe 'Write-Provenance.ps1' {
    BeforeEach {
        Set-Variables $run
        $folder = "$TestDrive/$([guid]::NewGuid()) [1]"
        $null = [IO.Directory]::CreateDirectory($folder)
        $package = "$folder/Small.1.0.0.nupkg"
        [IO.File]::WriteAllText($package, 'abc')
    }

    It 'says what was built of what by whom' {
        & $write $package -WarningAction SilentlyContinue

        $statement = Get-Content -LiteralPath "$package.provenance.json" -Raw
        # The SHA-256 of "abc" is the example of FIPS 180.
        ($statement | ConvertFrom-Json | ConvertTo-Json -Depth 8 -Compress) | Should -BeExactly (@'
            {
              "_type": "https://in-toto.io/Statement/v1",
              "subject": [ { "name": "Small.1.0.0.nupkg", "digest": { "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" } } ],
              "predicateType": "https://slsa.dev/provenance/v1",
              "predicate": {
                "buildDefinition": {
                  "buildType": "https://learn.microsoft.com/azure/devops/pipelines/build/variables",
                  "externalParameters": { "repository": "https://example.org/contoso/llama", "ref": "refs/tags/v1.0.0", "path": "azure-pipelines.yml" },
                  "internalParameters": { "definition": "7", "reason": "IndividualCI" },
                  "resolvedDependencies": [
                    { "uri": "git+https://example.org/contoso/llama@refs/tags/v1.0.0", "digest": { "gitCommit": "5e74c2c5e74c2c5e74c2c5e74c2c5e74c2c5e74c" } }
                  ]
                },
                "runDetails": {
                  "builder": { "id": "https://dev.azure.com/contoso/", "version": { "agent": "4.248.0" } },
                  "metadata": { "invocationId": "https://dev.azure.com/contoso/Model%20Tools/_build/results?buildId=1234", "startedOn": "2026-11-08T15:01:23Z" }
                }
              }
            }
'@ | ConvertFrom-Json | ConvertTo-Json -Depth 8 -Compress)
    }

    It 'warns that it is not signed, where there is no key' {
        # What a script gets for a variable that the pipeline does not define.
        foreach ($value in $null, '', '$(ProvenanceKey)') {
            Set-Variables @{ PROVENANCE_KEY = $value }
            & $write $package -WarningVariable warning -WarningAction SilentlyContinue

            $warning | Should -BeLike '*Small.1.0.0.nupkg is not signed*'
            "$package.intoto.jsonl" | Should -Not -Exist
        }
    }

    It 'signs the statement so that OpenSSL verifies it' {
        if (-not (Get-Command openssl -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'openssl is not installed'
            return
        }

        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/key.pem" 2>&1 | Out-Null
        openssl pkcs8 -topk8 -nocrypt -in "$folder/key.pem" -outform DER -out "$folder/key.der"
        openssl pkey -in "$folder/key.pem" -pubout -out "$folder/public.pem"
        Set-Variables @{ PROVENANCE_KEY = [Convert]::ToBase64String([IO.File]::ReadAllBytes("$folder/key.der")) }
        $said = & $write $package *>&1

        $said | Should -BeNullOrEmpty
        $envelope = Get-Content -LiteralPath "$package.intoto.jsonl" | ConvertFrom-Json
        $envelope.payloadType | Should -Be application/vnd.in-toto+json
        $payload = [Convert]::FromBase64String($envelope.payload)
        [Text.Encoding]::UTF8.GetString($payload) | Should -BeExactly ([IO.File]::ReadAllText("$package.provenance.json"))
        $envelope.signatures.Count | Should -Be 1

        # https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
        [IO.File]::WriteAllBytes("$folder/signed", [Text.Encoding]::ASCII.GetBytes("DSSEv1 28 application/vnd.in-toto+json $($payload.Length) ") + $payload)
        [IO.File]::WriteAllBytes("$folder/signature", [Convert]::FromBase64String($envelope.signatures[0].sig))
        openssl dgst -sha256 -verify "$folder/public.pem" -signature "$folder/signature" "$folder/signed" | Should -Be 'Verified OK'
    }

    It 'refuses to speak for a machine that is no agent' {
        Set-Variables @{ BUILD_BUILDID = $null }

        { & $write $package } | Should -Throw '*BUILD_BUILDID*'
        "$package.provenance.json" | Should -Not -Exist
    }
}
