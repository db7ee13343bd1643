#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.0' }

# The module as people use it, in a real pwsh: what the hosted engine of `dotnet test` does not have, above all
# Select-Object, Format-Table, Get-ChildItem and the rest of PowerShell's own commands.
# FAIRSEQ2LLAMA_MODULE names the folder of the module; without it the staged one is tested.

BeforeAll {
    $module = $env:FAIRSEQ2LLAMA_MODULE ? $env:FAIRSEQ2LLAMA_MODULE : "$PSScriptRoot/../output/Fairseq2Llama"
    Import-Module $module/Fairseq2Llama.psd1 -Force

    # With wildcards, as -Path takes it; the repository may lie in a folder with brackets.
    $data = [WildcardPattern]::Escape("$PSScriptRoot/data/checkpoints")
    $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8

    function Show([Parameter(ValueFromPipeline)] $InputObject) {
        begin { $all = @() }
        process { $all += $InputObject }
        end {
            $PSStyle.OutputRendering = 'PlainText'
            ($all | Out-String -Width 120).Trim() -split '\r?\n' | ForEach-Object TrimEnd
        }
    }
}

Describe 'The manifest' {
    It 'is valid and for PowerShell 7.4 or newer' {
        # Test-ModuleManifest takes no folder with brackets, escaped or not.
        Copy-Item -LiteralPath $module TestDrive:/tested/Fairseq2Llama -Recurse
        $manifest = Test-ModuleManifest TestDrive:/tested/Fairseq2Llama/Fairseq2Llama.psd1

        $manifest.PowerShellVersion | Should -Be '7.4'
        $manifest.CompatiblePSEditions | Should -Be 'Core'
    }
}

Describe 'Importing' {
    It 'works beside a copy in another folder' {
        Copy-Item -LiteralPath $module TestDrive:/copy/Fairseq2Llama -Recurse -Force

        $said = pwsh -NoProfile -NonInteractive -Command "
            `$ErrorActionPreference = 'Stop'
            Import-Module '$TestDrive/copy/Fairseq2Llama'
            Import-Module '$module/Fairseq2Llama.psd1'
            (Read-Fairseq2Checkpoint '$data/fs2').Name"

        $said | Should -Be 'fs2'
    }
}

Describe 'Help' {
    It 'tells all of a command' {
        $said = (Get-Help Export-LlamaHuggingFaceCheckpoint -Full | Out-String -Width 200)

        $said | Should -Match '(?s)SYNOPSIS\s+Exports a checkpoint .*SYNTAX\s+Export-LlamaHuggingFaceCheckpoint \[-Path\] <CheckpointArgument\[\]> \[-DestinationPath\] <DestinationArgument> .*-TokenizerPath <string>.*See also: .*about_CheckpointFormats.*OUTPUTS.*Example 2: '
    }

    It 'tells of one parameter, with its default' {
        (Get-Help Export-LlamaHuggingFaceCheckpoint -Parameter MaxShardSize | Out-String) | Should -Match 'Default value +5000000000'
    }

    It 'shows examples of every command' {
        Get-Command -Module Fairseq2Llama | Where-Object { (Get-Help $_.Name).examples.example.Count -lt 2 } | Should -BeNullOrEmpty
    }

    It 'has topics' {
        Get-Help about_CheckpointFormats | Should -Match 'Lists the files of each checkpoint format'
        (Get-Help about_CheckpointS*).Name | Should -Be about_CheckpointSafety
    }
}

Describe 'Tab' {
    It 'completes paths of <_>' -ForEach 'Get-CheckpointTensor', 'Measure-CheckpointTensor', 'Test-LlamaCheckpoint', 'Read-LlamaCheckpoint', 'Compare-LlamaCheckpoint',
        'Export-LlamaReferenceCheckpoint', 'Export-CheckpointReport' {
        Push-Location -LiteralPath $PSScriptRoot/data
        try {
            $line = "$_ ./check"
            (TabExpansion2 $line $line.Length).CompletionMatches.ListItemText | Should -Contain checkpoints
        } finally {
            Pop-Location
        }
    }
}

Describe 'The views' {
    It 'show architectures' {
        Get-LlamaArchitecture llama3_2_1b, llama2_70b | Show | Should -Be @(
            'Name        Parameters ModelDim Layers Heads FfnInnerDim VocabSize MaxSeqLen'
            '----        ---------- -------- ------ ----- ----------- --------- ---------'
            'llama3_2_1b      1.24B     2048     16  32/8        8192    128256    131072'
            'llama2_70b      68.98B     8192     80  64/8       28672     32000      4096'
        )
    }

    It 'show tensors with shapes and sizes, by layer' {
        Read-Fairseq2Checkpoint $data/fs2 | Get-CheckpointTensor -Layer 1 -Name *ffn* | Show | Should -Be @(
            'Checkpoint: fs2, layer 1'
            ''
            'Name                                    DType   Shape     Size'
            '----                                    -----   -----     ----'
            'decoder.layers.1.ffn.gate_proj.weight   float32 48x16 3.00 KiB'
            'decoder.layers.1.ffn.output_proj.weight float32 16x48 3.00 KiB'
            'decoder.layers.1.ffn.inner_proj.weight  float32 48x16 3.00 KiB'
            'decoder.layers.1.ffn_layer_norm.weight  float32    16     64 B'
        )
    }

    It 'show tensors in one table to who sorts them' {
        $sorted = Read-Fairseq2Checkpoint $data/fs2 | Get-CheckpointTensor *.ffn.*, *embed* | Sort-Object Shape, Name
        $shown = $sorted | Format-Table -View Flat | Show

        $shown[0] | Should -Be 'Checkpoint: fs2'
        $shown | Should -HaveCount (4 + 7)
    }

    It 'leave no errors, however strict the session is, as <_>' -ForEach Format-Table, Format-List, Format-Wide {
        Set-StrictMode -Version Latest
        $fs2 = Read-Fairseq2Checkpoint $data/fs2
        $part = $fs2 | Export-LlamaReferenceCheckpoint $TestDrive/part-$_ -Architecture $tiny -ShardCount 2 -ShardIndex 1
        $Error.Clear()

        $fs2, (Read-LlamaHuggingFaceCheckpoint $data/../huggingface/half), $part | & $_ | Out-String | Should -Not -BeNullOrEmpty

        $Error | Should -BeNullOrEmpty
    }

    It 'show no command that the agent of a pipeline would obey, as <_>' -ForEach Format-Table, Format-List, Format-Wide {
        $folder = "$TestDrive/$_/##vso[task.complete]"
        $null = [System.IO.Directory]::CreateDirectory($folder)
        [System.IO.File]::Copy("$data/fs2/model.pt", "$folder/model.pt")
        $checkpoint = Read-Fairseq2Checkpoint -LiteralPath $folder
        $average = Merge-LlamaCheckpoint $checkpoint, $checkpoint

        $shown = @(
            $checkpoint | & $_ | Out-String
            Get-CheckpointTensor -Checkpoint $checkpoint *embed* | & $_ | Out-String
            Test-LlamaCheckpoint -Checkpoint $checkpoint | & $_ | Out-String
            (Test-LlamaCheckpoint -Checkpoint $checkpoint).Findings | Format-List | Out-String
            Compare-LlamaCheckpoint $checkpoint $checkpoint | Format-List | Out-String
            Compare-LlamaCheckpoint $checkpoint $checkpoint -Summary | & $_ | Out-String
            (Compare-LlamaCheckpoint $checkpoint $checkpoint -Summary).Layers | & $_ | Out-String
            $average | & $_ | Out-String
            $average.Sources | Format-List | Out-String
        )

        $shown | Should -Not -Match '##vso\['
        $shown[0] | Should -BeLike '*## vso*'
    }

    It 'show a checkpoint as a list, with what there is to tell' {
        Read-Fairseq2Checkpoint $data/tp2-llama3 | Format-List | Show | Where-Object { $_ -notlike 'Path*' } | Should -Be @(
            'Name               : tp2-llama3'
            'Format             : Fairseq2'
            'Architecture       :'
            'TensorParallelSize : 2'
            'Files              : model.0.pt, model.1.pt'
            'Tensors            : 21'
            'DTypes             : float32'
            'ElementCount       : 7.50K (7,504)'
            'SizeInBytes        : 41.32 KiB (42,316 bytes)'
        )
    }

    It 'show an average as a list, with its sources in the place of files' {
        $shown = Merge-LlamaCheckpoint $data/fs2, $data/fs2 | Format-List | Show

        $shown | Should -Contain 'Sources      : fs2 (weight 1), fs2 (weight 1)'
        $shown | Should -Not -Match '^Files'
    }

    It 'show checkpoints side by side' {
        Get-LlamaArchitecture llama3_2* | Format-Wide | Show | Should -Be 'llama3_2_3b (3.21B)  llama3_2_1b (1.24B)'
    }

    It 'show what a test found' {
        $result = Read-Fairseq2Checkpoint $data/fs2 | Test-LlamaCheckpoint -Architecture 7b

        ($result | Show)[0] | Should -Be 'failed  fs2 (7b)'
        (($result | Show)[1..2] -join '') -replace '\s+', ' ' | Should -Match '^ Error ArchitectureMismatch: NumLayers is 32 in the architecture and 2 in the weights'
        ($result | Format-Table | Show)[2] | Should -Match '^fs2 +False +7b +5 +0 NumLayers is 32'
        ($result.Findings | Show)[0] | Should -Match '^Error ArchitectureMismatch: NumLayers is 32 in the architecture and 2'
        ($result.Findings | Format-Table | Show)[2] | Should -Match '^ *Error +ArchitectureMismatch NumLayers is 32 in the architecture and 2'
    }

    It 'show what can be saved as CSV and read back' {
        Get-CheckpointTensor $data/fs2 | Select-Object Name, DType, Shape, Size | Export-Csv TestDrive:/tensors.csv
        $wide = Import-Csv TestDrive:/tensors.csv | Where-Object { $_.DType -eq 'Float32' -and [Fairseq2Llama.TensorShape] $_.Shape -gt '16x16' }

        $wide.Name | Should -Be (Get-CheckpointTensor $data/fs2 | Where-Object Shape -gt '16x16').Name
        $wide | Should -Not -BeNullOrEmpty
    }

    It 'show what can be saved as JSON and read back' {
        $json = Get-CheckpointTensor $data/fs2 | Select-Object Name, DType, Shape, Size | ConvertTo-Json -EnumsAsStrings -Depth 3 | ConvertFrom-Json

        $json[0].DType | Should -Be Float32
        $json[0].Shape.Sizes | Should -Be 40, 16
        [Fairseq2Llama.DType] $json[0].DType | Should -Be (Get-CheckpointTensor $data/fs2)[0].DType
    }

    It 'have no colours where NO_COLOR asks for none' {
        $shown = @{}

        foreach ($rendering in 'Ansi', 'NO_COLOR') {
            $env:NO_COLOR = if ($rendering -eq 'NO_COLOR') { '1' }
            $set = if ($rendering -eq 'Ansi') { '$PSStyle.OutputRendering = "Ansi"' }
            $shown[$rendering] = pwsh -NoProfile -NonInteractive -Command "
                $set
                Import-Module '$module/Fairseq2Llama.psd1'
                Read-Fairseq2Checkpoint '$data/fs2' | Test-LlamaCheckpoint -Architecture 7b" | Out-String
        }

        $shown.Ansi | Should -Match ([char]27)
        $shown.NO_COLOR | Should -Not -Match ([char]27)
    }
}

Describe 'The picture in the README' {
    It 'is what the terminal shows' {
        & $PSScriptRoot/../tools/Write-TerminalPicture.ps1 -Path TestDrive:/terminal.svg

        Get-Content TestDrive:/terminal.svg -Raw | Should -BeExactly (Get-Content -LiteralPath $PSScriptRoot/../docs/images/terminal.svg -Raw)
    }
}

Describe 'Numbers' {
    BeforeAll {
        $fs2 = Read-Fairseq2Checkpoint $data/fs2
        $half = Read-LlamaHuggingFaceCheckpoint -LiteralPath $PSScriptRoot/data/huggingface/half

        try {
            $null = $fs2 | Get-CheckpointTensor -Layer 0 | Measure-CheckpointTensor
            $why = ''
        }
        catch {
            # CI has it.
            if ($env:CI) { throw }
            $why = $_.ToString()
        }
    }

    BeforeEach {
        if ($why) { Set-ItResult -Skipped -Because $why }
    }

    It 'are shown with what matters first' {
        $fs2 | Get-CheckpointTensor decoder.layer_norm.weight | Measure-CheckpointTensor | Show | Should -Be @(
            'Checkpoint: fs2'
            ''
            'Name                      NaN Inf    Min   Max     Std Mean  Norm Zeros'
            '----                      --- ---    ---   ---     --- ----  ---- -----'
            'decoder.layer_norm.weight   0   0 0.9575 1.041 0.01967 1.005 4.02     0'
        )
    }

    It 'are compared across formats and types' {
        Compare-LlamaCheckpoint $fs2 $half -Tolerance 1e-3 | Group-Object Result -NoElement | Show | Should -Be @(
            'Count Name'
            '----- ----'
            '   21 Equal'
        )
        Compare-LlamaCheckpoint $fs2 $half | Select-Object -First 1 | Show | Should -Be @(
            'Checkpoints: fs2 and half'
            ''
            'Name                          Result       Description'
            '----                          ------       -----------'
            'decoder_frontend.embed.weight DTypeDiffers float32 and float16'
        )
    }

    It 'are summarized, each comparison in a line of a table' {
        $fs2, $half | Compare-LlamaCheckpoint $fs2 -Summary | Format-Table | Show | Should -Be @(
            'Reference Difference Equal Different RelativeNorm MaxAbsoluteDifference'
            '--------- ---------- ----- --------- ------------ ---------------------'
            'fs2       fs2           21         0            0                     0'
            'fs2       half           0         0'
        )
    }

    It 'are sorted by what a table of them calls its columns: <_>' -ForEach @(
        { Compare-LlamaCheckpoint $fs2 $half -Tolerance 0 }
        { Compare-LlamaCheckpoint $fs2 $half -Summary -Tolerance 0 }
        { (Compare-LlamaCheckpoint $fs2 $half -Summary -Tolerance 0).Layers }
    ) {
        $compared = & $_
        $header = $compared | Format-Table | Show | Where-Object { $_ -match '^(Name|Reference) ' }

        -split $header | Should -BeIn $compared[0].PSObject.Properties.Name
        ($compared | Sort-Object (-split $header)[-1] -Descending)[0] | Should -Not -BeNullOrEmpty
    }

    It 'are told to who asks for what differs, and are not in the pipeline' {
        $shown = & { Compare-LlamaCheckpoint $fs2 $fs2 -DifferentOnly } 6>&1

        $shown | Should -BeOfType System.Management.Automation.InformationRecord
        $shown | Should -Be 'fs2 and fs2: all 21 tensors are equal, bit for bit.'
        Compare-LlamaCheckpoint $fs2 $half -DifferentOnly | Should -HaveCount 21
    }

    It 'come as tensors that are multiplied at the prompt' {
        $q, $k = $fs2 | Get-CheckpointTensor *.layers.0.*q_proj*, *.layers.0.*k_proj* | ConvertTo-TorchTensor

        $q.matmul($k.mT) | Show | Should -Be '[16x8], type = Float32, device = cpu'
        $q.matmul($k.mT).abs().max().item[float]() | Should -BeGreaterThan 0
        $q.Dispose()
        $q | Show | Should -Be 'disposed'
    }

    It 'convert to CSV and JSON' {
        $fs2 | Measure-CheckpointTensor -Histogram 3 | Sort-Object Std -Descending | Export-Csv TestDrive:/statistics.csv
        (Import-Csv TestDrive:/statistics.csv).Count | Should -Be 21

        $json = $fs2 | Get-CheckpointTensor final_proj.weight | Measure-CheckpointTensor -Histogram 3 | ConvertTo-Json -Depth 4 | ConvertFrom-Json
        ($json.Histogram | Measure-Object Count -Sum).Sum | Should -Be 640
    }

    It 'are cast on export' {
        $fs2 | Export-LlamaReferenceCheckpoint TestDrive:/cast -Architecture $tiny -DType bfloat16 | Out-Null

        (Read-LlamaReferenceCheckpoint TestDrive:/cast).DTypes | Should -Be BFloat16
    }
}

Describe 'A pipeline' {
    It 'stops early without an error' {
        $first = Read-Fairseq2Checkpoint $data/fs2, $data/no-such-thing -ErrorVariable errors | Get-CheckpointTensor | Select-Object -First 1

        $first.Name | Should -Be 'decoder_frontend.embed.weight'
        $errors | Should -BeNullOrEmpty
    }

    It 'converts every checkpoint of a folder into a folder of its own' {
        $exported = Get-ChildItem $data -Directory |
            Where-Object Name -In fs2, flat, fsdp |
            Read-Fairseq2Checkpoint |
            Export-LlamaReferenceCheckpoint -DestinationPath { "TestDrive:/out/$($_.Name)" } -Architecture $tiny

        $exported.Name | Sort-Object | Should -Be flat, fs2, fsdp
        Get-ChildItem TestDrive:/out/*/* -Name | Sort-Object -Unique | Should -Be consolidated.00.pth, params.json
    }

    It 'converts every step of a run into a folder of its own' {
        foreach ($step in 90, 500, 1000) {
            Copy-Item $data/fs2 "TestDrive:/my run/checkpoints/step_$step" -Recurse
        }

        $exported = Read-LlamaCheckpoint 'TestDrive:/my run' -Step 5*, 1000 |
            Export-LlamaHuggingFaceCheckpoint -DestinationPath { "TestDrive:/steps/$($_.Name)" } -Architecture $tiny

        $exported.Name | Should -Be 'my run@500', 'my run@1000'
        (Read-LlamaCheckpoint 'TestDrive:/my run' -AllSteps | Measure-Object Step -Sum).Sum | Should -Be 1590
        (Read-LlamaCheckpoint 'TestDrive:/my run' -Step (500, 90)).Step | Should -Be 90, 500
        (Get-ChildItem TestDrive:/my*/*/*500/model.pt | Read-LlamaCheckpoint).Name | Should -Be 'my run@500'
    }

    It 'exports what a filter leaves' {
        $exported = Read-Fairseq2Checkpoint $data/lora | Get-CheckpointTensor |
            Where-Object Name -NotLike '*lora*' |
            Export-LlamaReferenceCheckpoint TestDrive:/filtered -Architecture $tiny

        $exported.ShardCount | Should -Be 1
        'TestDrive:/filtered/consolidated.00.pth' | Should -Exist
    }

    It 'gives objects that sort, group and convert' {
        $tensors = Read-Fairseq2Checkpoint $data/fs2 | Get-CheckpointTensor

        ($tensors | Sort-Object Size -Bottom 1).Size | Should -Be 3072
        ($tensors | Where-Object DType -EQ float32).Count | Should -Be $tensors.Count
        ($tensors | Group-Object Layer | ForEach-Object Count) | Should -Be 3, 9, 9
        ($tensors[0] | ConvertTo-Json -Depth 4 | ConvertFrom-Json).Shape.Sizes | Should -Be 40, 16
        $tensors[-1].Shards[-1].Shape.Sizes[-1] | Should -Be 16
        ($tensors | Where-Object Shape -EQ 48x16).Count | Should -Be 4

        $tensors | Export-Csv TestDrive:/tensors.csv
        (Import-Csv TestDrive:/tensors.csv)[0].Shape | Should -Be '40x16'
    }
}

Describe 'What a table calls something' {
    It 'is what it is sorted, selected and grouped by' {
        $checkpoints = Read-LlamaCheckpoint $data/tp2-llama3, $data/../huggingface/half, $data/fs2
        $tensors = $checkpoints[2] | Get-CheckpointTensor
        $architectures = Get-LlamaArchitecture llama3_2_1b, llama2_70b, llama2_7b
        $tests = $checkpoints[0, 2] | Test-LlamaCheckpoint -Architecture 7b

        # By numbers: as text 952 KiB would be more than 1.5 MiB.
        ($checkpoints | Sort-Object Size).Name | Should -Be ($checkpoints | Sort-Object SizeInBytes).Name
        ($checkpoints | Sort-Object Shards -Descending)[0].Name | Should -Be tp2-llama3
        ($checkpoints | Measure-Object Elements -Sum).Sum | Should -Be (3 * 7504)
        ($checkpoints | Where-Object DTypes -Contains Float16).Name | Should -Be half
        ($tensors | Sort-Object Size -Top 1).Shape.ElementCount | Should -Be 16
        ($tensors | Sort-Object Shape -Descending -Top 2).Shape.ElementCount | Should -Be 768, 768
        ($tensors | Group-Object Size | Measure-Object Count -Sum).Sum | Should -Be 21
        ($tensors | Select-Object Name, DType, Shape, Size -First 1).Size | Should -Be 2560
        ($architectures | Sort-Object Parameters).Name | Should -Be llama3_2_1b, llama2_7b, llama2_70b
        ($architectures | Sort-Object Layers).Name | Should -Be llama3_2_1b, llama2_7b, llama2_70b
        ($architectures | Where-Object Heads -EQ 64).Name | Should -Be llama2_70b
        ($tests | Measure-Object Errors -Sum).Sum | Should -Be 10
        $tests.Warnings | Should -Be 0, 0
    }
}

Describe 'Paths' {
    BeforeEach {
        $folder = New-Item -ItemType Directory "TestDrive:/run [1] ü"
        [System.IO.File]::Copy("$PSScriptRoot/data/checkpoints/fs2/model.pt", (Join-Path $folder.FullName model.pt), $true)
        Push-Location TestDrive:/
    }

    AfterEach {
        Pop-Location
        Remove-Item -LiteralPath $folder.FullName -Recurse -Force
    }

    It 'may have brackets, spaces and letters of any script' {
        $read = Get-ChildItem -Directory | Where-Object Name -Like 'run*' | Read-Fairseq2Checkpoint
        $read.Name | Should -Be 'run [1] ü'

        (Read-Fairseq2Checkpoint -LiteralPath 'run [1] ü').Path | Should -Be $folder.FullName
        (Read-Fairseq2Checkpoint 'run [1] ü').Name | Should -Be 'run [1] ü'
    }

    It 'are relative to the location of the session' {
        $read = Read-Fairseq2Checkpoint ./run*

        $exported = $read | Export-LlamaReferenceCheckpoint './out [2]' -Architecture $tiny
        $exported.Path | Should -Be (Join-Path (Get-Item TestDrive:/).FullName 'out [2]')
        Test-Path -LiteralPath 'TestDrive:/out [2]/params.json' | Should -BeTrue
    }
}

Describe 'The three formats' {
    BeforeAll {
        $fs2 = Read-Fairseq2Checkpoint $data/fs2
    }

    It 'follow each other in a pipeline' {
        $hf = $fs2 |
            Export-LlamaReferenceCheckpoint TestDrive:/way/reference -Architecture $tiny -ShardCount 2 |
            Export-LlamaHuggingFaceCheckpoint TestDrive:/way/hf
        $back = $hf | Export-Fairseq2Checkpoint TestDrive:/way/fairseq2

        Compare-LlamaCheckpoint $fs2 $hf | Group-Object Result -NoElement | ForEach-Object { "$($_.Name) $($_.Count)" } | Should -Be 'Equal 21'
        Compare-LlamaCheckpoint $fs2 $back | Group-Object Result -NoElement | ForEach-Object { "$($_.Name) $($_.Count)" } | Should -Be 'Equal 21'
    }

    It 'are shown in one table' {
        $hf = $fs2 | Export-LlamaHuggingFaceCheckpoint TestDrive:/hf -Architecture $tiny

        ($hf | Show)[0] | Should -Match '^Name +Architecture +Elements DTypes +Size Shards Path$'
        ($hf | Show)[2] | Should -Match '^hf +2 layers of 16 +7.50K float32 '
    }

    It 'are divided by the size that was typed' {
        ($fs2 | Export-LlamaHuggingFaceCheckpoint TestDrive:/twelve -Architecture $tiny -MaxShardSize 12KB).ShardCount | Should -Be 3
        ($fs2 | Export-LlamaHuggingFaceCheckpoint TestDrive:/sixteen -Architecture $tiny -MaxShardSize 16KB).ShardCount | Should -Be 2
        (Get-Content TestDrive:/sixteen/model.safetensors.index.json | ConvertFrom-Json).metadata.total_size | Should -Be 30016
    }

    It 'have a tokenizer beside them when one is given' {
        $null = New-Item -ItemType Directory 'TestDrive:/a tokenizer [1]'
        [System.IO.File]::WriteAllText((Join-Path (Get-Item TestDrive:/).FullName 'a tokenizer [1]/tokenizer.json'), '{}')

        $fs2 | Export-LlamaHuggingFaceCheckpoint TestDrive:/spoken -Architecture $tiny -TokenizerPath 'TestDrive:/a tokenizer [1]' | Out-Null

        Get-ChildItem TestDrive:/spoken -Name | Should -Be config.json, generation_config.json, model.safetensors, tokenizer.json
    }

    It 'go each into a folder of its own' {
        $exported = Get-ChildItem $data -Directory |
            Where-Object Name -In fs2, flat, tied |
            Read-Fairseq2Checkpoint |
            Export-LlamaHuggingFaceCheckpoint -DestinationPath { "TestDrive:/each/$($_.Name)" } -Architecture $tiny

        $exported.Name | Should -Be flat, fs2, tied
        Get-Content TestDrive:/each/*/config.json | Where-Object { $_ -match 'tie_word' } | ForEach-Object Trim | Should -Be @(
            '"tie_word_embeddings": false,'
            '"tie_word_embeddings": false,'
            '"tie_word_embeddings": true,'
        )
    }

    It 'can be stopped early' {
        $first = Get-ChildItem $data -Directory | Where-Object Name -In fs2, flat | Read-Fairseq2Checkpoint |
            Export-LlamaHuggingFaceCheckpoint -DestinationPath { "TestDrive:/early/$($_.Name)" } -Architecture $tiny -ErrorVariable errors |
            Select-Object -First 1

        $first.Name | Should -Be flat
        $errors | Should -BeNullOrEmpty
        Get-ChildItem TestDrive:/early -Name -Force | Should -Be flat
    }
}

Describe 'Export-CheckpointReport' {
    It 'gives files as Get-Item does' {
        $file = Read-Fairseq2Checkpoint $data/fs2 | Export-CheckpointReport 'TestDrive:/my [1].md' -Architecture $tiny

        $file.Length | Should -BeGreaterThan 1000
        $file | Get-Content | Select-Object -First 1 | Should -Be '# Checkpoint fs2'
        ($file | Show)[-1] | Should -Match "$($file.Length) my \[1\]\.md$"
    }

    It 'writes a file for each checkpoint' {
        $files = Get-Item $data/fs2, $data/tp2-llama3 | Read-Fairseq2Checkpoint |
            Export-CheckpointReport -DestinationPath { "TestDrive:/reports/$($_.Name).html" } -Architecture $tiny

        $files.Name | Should -Be 'fs2.html', 'tp2-llama3.html'
    }
}

Describe 'Export-LlamaReferenceCheckpoint' {
    It 'says what it would do and does nothing with -WhatIf' {
        $said = pwsh -NoProfile -NonInteractive -Command "
            Import-Module '$module/Fairseq2Llama.psd1'
            `$tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
            Read-Fairseq2Checkpoint '$data/fs2' | Export-LlamaReferenceCheckpoint '$TestDrive/dry' -Architecture `$tiny -WhatIf"

        $said -join "`n" | Should -Match "(?s)What if: Export 'fs2' as tiny to .*consolidated\.00\.pth: 21 tensors, .*params\.json"
        'TestDrive:/dry' | Should -Not -Exist
    }

    It 'refuses to overwrite unless told to' {
        Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint TestDrive:/twice -Architecture $tiny | Out-Null

        { Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint TestDrive:/twice -Architecture $tiny -ErrorAction Stop } |
            Should -Throw -ErrorId 'OutputExists,Fairseq2Llama.Cmdlets.ExportLlamaReferenceCheckpointCommand'
        Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint TestDrive:/twice -Architecture $tiny -Force | Should -HaveCount 1
    }

    It 'makes a script fail with an exit code' {
        Set-Content TestDrive:/nightly.ps1 "
            `$ErrorActionPreference = 'Stop'
            Import-Module '$module/Fairseq2Llama.psd1'
            Read-Fairseq2Checkpoint '$data/tp-gap' | Export-LlamaReferenceCheckpoint '$TestDrive/gap'"

        $PSNativeCommandUseErrorActionPreference = $false
        $said = pwsh -NoProfile -NonInteractive -File $TestDrive/nightly.ps1 2>&1
        $LASTEXITCODE | Should -Be 1
        "$said" | Should -Match 'model\.1\.pt'
        "$said" | Should -Not -Match '   at Fairseq2Llama'
    }
}

Describe 'Errors' {
    It 'are gathered by -ErrorVariable while the others go on' {
        $read = Read-Fairseq2Checkpoint $data/tp-gap, $data/fs2 -ErrorAction SilentlyContinue -ErrorVariable errors

        $read.Name | Should -Be fs2
        $errors.FullyQualifiedErrorId | Should -Be 'MissingShard,Fairseq2Llama.Cmdlets.ReadFairseq2CheckpointCommand'
        $errors.Exception.Message | Should -BeLike '*tp-gap*'
    }

    It 'end a script that asks for that' {
        $ErrorActionPreference = 'Stop'

        { Read-Fairseq2Checkpoint $data/tp-gap, $data/fs2 } | Should -Throw -ErrorId 'MissingShard,*'
    }

    It 'are seen in $?' {
        $null = Read-Fairseq2Checkpoint $data/tp-gap, $data/fs2 -ErrorAction SilentlyContinue
        $? | Should -BeFalse
    }

    It 'are short at the prompt, and say what to do' {
        $PSNativeCommandUseErrorActionPreference = $false
        $said = pwsh -NoProfile -NonInteractive -Command "
            `$PSStyle.OutputRendering = 'PlainText'
            Import-Module '$module/Fairseq2Llama.psd1'
            Read-Fairseq2Checkpoint '$data/tp-gap'" 2>&1 | Out-String

        $said | Should -Match "Read-Fairseq2Checkpoint"
        $said -replace '\s*\n\s*\|?\s*', ' ' | Should -Match 'Copy the missing files from where the model was trained'
        $said | Should -Not -Match 'Exception|   at '
    }

    It 'give exit codes to who starts pwsh' -TestCases @(
        @{ Stop = 'Continue'; Code = 0 }
        @{ Stop = 'Stop'; Code = 1 }
    ) {
        Set-Content TestDrive:/codes.ps1 "
            `$ErrorActionPreference = '$Stop'
            Import-Module '$module/Fairseq2Llama.psd1'
            Read-Fairseq2Checkpoint '$data/tp-gap'
            'went on'"

        $PSNativeCommandUseErrorActionPreference = $false
        $said = pwsh -NoProfile -NonInteractive -File $TestDrive/codes.ps1 2>&1

        $LASTEXITCODE | Should -Be $Code
        ("$said" -match 'went on') | Should -Be ($Code -eq 0)
    }
}

Describe 'Jobs at the same time' {
    It 'write an export together, a shard each' {
        $together = Join-Path (Get-Item TestDrive:/).FullName together

        $written = 0..1 | ForEach-Object -Parallel {
            Import-Module "$using:module/Fairseq2Llama.psd1"
            Read-Fairseq2Checkpoint "$using:data/fs2" |
                Export-LlamaReferenceCheckpoint $using:together -Architecture $using:tiny -ShardCount 2 -ShardIndex $_
        } -ThrottleLimit 2

        $written.Name | Sort-Object | Should -Be consolidated.00.pth, consolidated.01.pth
        Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint $together -Architecture $tiny -ShardCount 2 -CompleteShards
        Get-ChildItem $together -Name -Force | Should -Be consolidated.00.pth, consolidated.01.pth, params.json
        Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $data/fs2) (Read-LlamaReferenceCheckpoint $together) |
            Group-Object Result -NoElement | ForEach-Object { "$($_.Count) $($_.Name)" } | Should -Be '21 Equal'
    }
}

Describe 'Drives of PowerShell' {
    It 'are understood on every system' {
        $null = New-PSDrive -Name Runs -PSProvider FileSystem -Root $PSScriptRoot/data/checkpoints
        (Read-Fairseq2Checkpoint Runs:/fs2).Name | Should -Be fs2

        Read-Fairseq2Checkpoint Runs:/fs2 | Export-LlamaHuggingFaceCheckpoint TestDrive:/from-drive -Architecture $tiny | Out-Null
        'TestDrive:/from-drive/config.json' | Should -Exist
    }
}
