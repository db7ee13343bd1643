#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.0' }

# The examples that need a real pwsh, each as a process of its own, from another directory, with brackets and spaces in its paths.

BeforeAll {
    Import-Module "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1" -Force

    $PSNativeCommandUseErrorActionPreference = $false
    # Not the path of this process, which is dotnet's when pwsh is a tool of it.
    $pwsh = (Get-Command pwsh -CommandType Application -TotalCount 1).Source
    $examples = "$PSScriptRoot/../examples"
    $fs2 = "$PSScriptRoot/data/checkpoints/fs2"
    $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8

    function Invoke-Example([string] $Name) {
        Push-Location $TestDrive

        try {
            $said = & $pwsh -NoProfile -NonInteractive -File "$examples/$Name" @args 2>&1
            [pscustomobject]@{
                ExitCode = $LASTEXITCODE
                Output = @($said | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] }) -join "`n"
                Errors = @($said | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | ForEach-Object { "$_" })
            }
        } finally {
            Pop-Location
        }
    }
}

Describe 'Tour.ps1' {
    It 'runs through where nobody can press Enter, and leaves nothing' {
        $temporary = New-Item TestDrive:/temporary -ItemType Directory
        $before = $env:TMPDIR, $env:TMP

        try {
            $env:TMPDIR = $env:TMP = $temporary.FullName
            $tour = Invoke-Example Tour.ps1
        } finally {
            $env:TMPDIR, $env:TMP = $before
        }

        $tour.ExitCode | Should -Be 0
        $tour.Errors | Should -BeNullOrEmpty
        $tour.Output | Should -Match "(?s)is .*temporary.*1 of 14: .*14 of 14: .*That was the tour"
        Get-ChildItem $temporary -Filter fairseq2llama* | Should -BeNullOrEmpty
    }
}

Describe 'Export-Shard.ps1' {
    It 'prints nothing but commands for the agent, and has an exit code' {
        Read-Fairseq2Checkpoint -LiteralPath $fs2 | Export-Fairseq2Checkpoint "TestDrive:/a run" -Architecture $tiny | Out-Null

        $exported = Invoke-Example azure-pipelines/Export-Shard.ps1 'a run' 'shards' -ShardCount 2 -ShardIndex 1
        $failed = Invoke-Example azure-pipelines/Export-Shard.ps1 'a run' 'shards' -ShardCount 2 -ShardIndex 2

        $exported.ExitCode, $failed.ExitCode | Should -Be 0, 1
        $exported.Errors + $failed.Errors | Should -BeNullOrEmpty
        $exported.Output, $failed.Output -split "`n" | Should -Match '^##vso\[task\.(setprogress|logissue) '
        $failed.Output | Should -Match 'type=error;code=MissingShard'
        Get-ChildItem TestDrive:/shards -Name | Should -Be consolidated.01.pth
    }
}

Describe 'Convert-EveryStep.ps1' {
    BeforeAll {
        function Add-Step([string] $Run, [long[]] $Step) {
            foreach ($number in $Step) {
                $null = New-Item "$runs/$Run/checkpoints/step_$number" -ItemType Directory
                Copy-Item -LiteralPath $fs2/model.pt "$runs/$Run/checkpoints/step_$number"
            }

            Copy-Item -LiteralPath $yaml "$runs/$Run/checkpoints/model.yaml"
        }

        function Read-Log {
            Get-Content -LiteralPath $converted/convert-every-step.jsonl | ConvertFrom-Json
        }

        function Get-Converted {
            Get-ChildItem -LiteralPath $converted -Recurse -Filter params.json |
                ForEach-Object { [System.IO.Path]::GetRelativePath($converted, $_.DirectoryName).Replace('\', '/') } |
                Sort-Object
        }

        Read-Fairseq2Checkpoint -LiteralPath $fs2 | Export-Fairseq2Checkpoint TestDrive:/made -Architecture $tiny | Out-Null
        $yaml = "$TestDrive/made/model.yaml"
    }

    BeforeEach {
        $world = "$TestDrive/$(New-Guid) world [1]"
        $runs = "$world/runs"
        $converted = "$world/converted"

        Add-Step 'my run [1]' 500, 1000
        Add-Step 'team/ws_1.abc' 2, 10
        $null = New-Item "$runs/my run [1]/checkpoints/step_1500.tmp", "$runs/my run [1]/checkpoints/step_2000" -ItemType Directory
        Copy-Item -LiteralPath $fs2/model.pt "$runs/my run [1]/checkpoints/step_1500.tmp"

        $all = 'my run [1]/step_1000', 'my run [1]/step_500', 'team/ws_1.abc/step_10', 'team/ws_1.abc/step_2'
    }

    AfterEach {
        Remove-Item -LiteralPath $world -Recurse -Force
    }

    It 'converts every finished step, and nothing the second time' {
        $first = Invoke-Example Convert-EveryStep.ps1 $runs $converted
        $log = Get-Item -LiteralPath $converted/convert-every-step.jsonl | ForEach-Object { Get-FileHash -LiteralPath $_.FullName }
        $second = Invoke-Example Convert-EveryStep.ps1 $runs $converted

        $first.ExitCode, $second.ExitCode | Should -Be 0, 0
        $first.Errors + $second.Errors | Should -BeNullOrEmpty
        $second.Output | Should -BeNullOrEmpty
        Get-Converted | Should -Be $all

        # What it logs is what lies there.
        $lines = Read-Log
        $lines | ForEach-Object { "$($_.Run)/step_$($_.Step)" } | Sort-Object | Should -Be $all
        $lines.Result | Sort-Object -Unique | Should -Be Converted
        ($lines | Where-Object Step -EQ 500).Bytes |
            Should -Be (Get-ChildItem -LiteralPath "$converted/my run [1]/step_500" -File | Measure-Object Length -Sum).Sum
        (Get-FileHash -LiteralPath $converted/convert-every-step.jsonl).Hash | Should -Be $log.Hash

        # And the model is the one of the step.
        Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint -LiteralPath $fs2) (Read-LlamaReferenceCheckpoint -LiteralPath "$converted/my run [1]/step_500") |
            Group-Object Result -NoElement |
            ForEach-Object Name |
            Should -Be Equal
    }

    It 'takes a new step, and relative paths' {
        $null = Invoke-Example Convert-EveryStep.ps1 $runs $converted
        Add-Step 'my run [1]' 3000

        $name = Split-Path $world -Leaf
        $again = Invoke-Example Convert-EveryStep.ps1 "$name/runs" "./$name/converted"

        $again.ExitCode | Should -Be 0
        Get-Converted | Should -Be ($all + 'my run [1]/step_3000' | Sort-Object)
        (Read-Log).Count | Should -Be 5
    }

    It 'goes on after a damaged step, tries it again, and takes it when it is whole' {
        $damaged = "$runs/my run [1]/checkpoints/step_500/model.pt"
        $bytes = [System.IO.File]::ReadAllBytes($damaged)
        $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 1
        [System.IO.File]::WriteAllBytes($damaged, $bytes)

        $first, $second = 1..2 | ForEach-Object { Invoke-Example Convert-EveryStep.ps1 $runs $converted }
        Copy-Item -LiteralPath $fs2/model.pt $damaged
        $third = Invoke-Example Convert-EveryStep.ps1 $runs $converted

        $first.ExitCode, $second.ExitCode, $third.ExitCode | Should -Be 1, 1, 0
        $first.Errors | Should -HaveCount 1
        $first.Errors | Should -Match '^my run \[1\], step 500: CheckpointCorrupt: .*CRC-32'
        $third.Errors | Should -BeNullOrEmpty
        Get-Converted | Should -Be $all

        $lines = Read-Log
        $lines | Where-Object Step -EQ 500 | ForEach-Object { "$($_.Result) $($_.ErrorId)".Trim() } |
            Should -Be 'Failed CheckpointCorrupt', 'Failed CheckpointCorrupt', 'Converted'
        $lines.Count | Should -Be 6
    }

    It 'goes on where a killed one was' {
        Add-Step many (1..80)
        $start = [System.Diagnostics.ProcessStartInfo]::new(
            $pwsh, [string[]] ('-NoProfile', '-NonInteractive', '-File', "$examples/Convert-EveryStep.ps1", $runs, $converted))
        $process = [System.Diagnostics.Process]::Start($start)

        try {
            while (-not $process.HasExited -and -not (Test-Path -LiteralPath $converted/convert-every-step.jsonl)) { Start-Sleep -Milliseconds 5 }
        } finally {
            $process.Kill()
            $process.WaitForExit()
        }

        $done = @(Get-Converted).Count
        $done | Should -BeLessThan 84
        (Invoke-Example Convert-EveryStep.ps1 $runs $converted).ExitCode | Should -Be 0

        Get-Converted | Should -HaveCount 84
        Get-ChildItem -LiteralPath $converted -Recurse -Force -Filter .fairseq2llama* | Should -BeNullOrEmpty

        # A step that was put in place in the moment of the kill has no line; none has two.
        $lines = Read-Log
        $lines.Result | Sort-Object -Unique | Should -Be Converted
        $lines | Group-Object Run, Step | Where-Object Count -GT 1 | Should -BeNullOrEmpty
        $lines.Count | Should -BeGreaterOrEqual 83
    }

    It 'leaves the work to another one' {
        $null = New-Item $converted -ItemType Directory
        $lock = [System.IO.File]::Open("$converted/.convert-every-step.lock", 'OpenOrCreate', 'ReadWrite', 'None')

        try {
            $second = Invoke-Example Convert-EveryStep.ps1 $runs $converted
        } finally {
            $lock.Dispose()
        }

        $second.ExitCode | Should -Be 0
        $second.Output | Should -Match 'Another instance is working'
        Get-Converted | Should -BeNullOrEmpty

        (Invoke-Example Convert-EveryStep.ps1 $runs $converted).ExitCode | Should -Be 0
        Get-Converted | Should -Be $all
    }

    It 'lists with -WhatIf what it would convert, and writes nothing' {
        $plan = Invoke-Example Convert-EveryStep.ps1 $runs $converted -WhatIf

        $plan.ExitCode | Should -Be 0
        @($plan.Output -split "`n") -match '^What if: ' | Should -HaveCount 4
        $plan.Output | Should -Match 'step 10 of team/ws_1\.abc'
        Test-Path -LiteralPath $converted | Should -BeFalse
    }

    It 'converts to Hugging Face' {
        (Invoke-Example Convert-EveryStep.ps1 $runs $converted -Format HuggingFace).ExitCode | Should -Be 0

        Get-ChildItem -LiteralPath "$converted/team/ws_1.abc/step_10" -Name | Should -Be config.json, generation_config.json, model.safetensors
        (Invoke-Example Convert-EveryStep.ps1 $runs $converted -Format HuggingFace).Output | Should -BeNullOrEmpty
    }

    It 'takes a run whose name begins as those of steps do' {
        Add-Step step_by_step 7

        (Invoke-Example Convert-EveryStep.ps1 $runs $converted).ExitCode | Should -Be 0
        Get-Converted | Should -Be ($all + 'step_by_step/step_7' | Sort-Object)
    }

    It 'does not take for runs what it has written below them' {
        1..2 | ForEach-Object { Invoke-Example Convert-EveryStep.ps1 $runs "$runs/converted" } | ForEach-Object ExitCode | Should -Be 0, 0

        Get-ChildItem -LiteralPath "$runs/converted" -Directory -Name | Should -Be 'my run [1]', team
    }

    It 'takes away a last line that was cut, and renames a log that is large' {
        $log = "$converted/convert-every-step.jsonl"
        $null = New-Item $converted -ItemType Directory
        [System.IO.File]::WriteAllText($log, "{`"Run`":`"old`"}`n{`"Run`":`"cu")

        (Invoke-Example Convert-EveryStep.ps1 $runs $converted).ExitCode | Should -Be 0
        (Read-Log).Run | Should -Be old, 'my run [1]', 'my run [1]', 'team/ws_1.abc', 'team/ws_1.abc'

        [System.IO.File]::WriteAllBytes($log, [byte[]]::new(10MB))
        (Invoke-Example Convert-EveryStep.ps1 $runs $converted).ExitCode | Should -Be 0
        (Get-Item -LiteralPath "$log.old").Length | Should -Be 10MB
        Test-Path -LiteralPath $log | Should -BeFalse
    }

    It 'ends with 2 for <Why>' -ForEach @(
        @{ Why = 'no arguments'; Arguments = @(); Says = 'RunsPath' }
        @{ Why = 'a format that there is not'; Arguments = 'runs', 'out', '-Format', 'gguf'; Says = 'gguf' }
        @{ Why = 'an architecture that there is not'; Arguments = '.', 'out', '-Architecture', 'gpt'; Says = 'gpt' }
        @{ Why = 'runs that are not there'; Arguments = 'nowhere', 'out'; Says = 'nowhere' }
        @{ Why = 'runs and destination in one folder'; Arguments = '.', '.'; Says = 'must be different folders' }
        @{ Why = 'a folder without runs'; Arguments = 'made', 'out'; Says = 'no readable run' }
        @{ Why = 'a folder where the log should be'; Arguments = '.', 'unlogged', '-LogPath', 'made'; Says = 'nothing is converted: .*made' }
        @{ Why = 'a file where the destination should be'; Arguments = '.', 'made/model.yaml'; Says = 'model.yaml' }
    ) {
        $ended = Invoke-Example Convert-EveryStep.ps1 @Arguments

        $ended.ExitCode | Should -Be 2
        $ended.Errors -join "`n" | Should -Match $Says
        $ended.Output | Should -BeNullOrEmpty
    }
}
