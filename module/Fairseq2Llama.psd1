@{
    RootModule           = 'Fairseq2Llama.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = 'd2c6b5f3-5a0e-4d63-9c0e-6b1f5f7a9e41'

    Author               = 'The Fairseq2Llama contributors'
    CompanyName          = 'The Fairseq2Llama contributors'
    Copyright            = '(c) The Fairseq2Llama contributors. MIT license.'
    Description          = 'Reads LLaMA checkpoints of fairseq2, in Meta''s reference format and in Hugging Face''s, lets you inspect, filter and compare them in pipelines, and exports from each format to each. No Python, no GPU, and nothing in a checkpoint is ever executed.'

    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.4'

    FormatsToProcess     = @(
        'Views/Architecture.Format.ps1xml'
        'Views/Checkpoint.Format.ps1xml'
        'Views/CheckpointTensor.Format.ps1xml'
        'Views/CheckpointTest.Format.ps1xml'
        'Views/Comparison.Format.ps1xml'
        'Views/ExportedShard.Format.ps1xml'
        'Views/Manifest.Format.ps1xml'
        'Views/MergeSource.Format.ps1xml'
        'Views/Numbers.Format.ps1xml'
    )

    CmdletsToExport      = @(
        'Compare-LlamaCheckpoint'
        'ConvertTo-TorchTensor'
        'Export-CheckpointReport'
        'Export-Fairseq2Checkpoint'
        'Export-LlamaGgufCheckpoint'
        'Export-LlamaHuggingFaceCheckpoint'
        'Export-LlamaReferenceCheckpoint'
        'Get-CheckpointTensor'
        'Get-LlamaArchitecture'
        'Measure-CheckpointTensor'
        'Merge-LlamaCheckpoint'
        'Merge-LlamaLora'
        'New-CheckpointManifest'
        'New-CheckpointTensor'
        'New-LlamaArchitecture'
        'Read-DistributedCheckpoint'
        'Read-Fairseq2Checkpoint'
        'Read-LlamaCheckpoint'
        'Read-LlamaHuggingFaceCheckpoint'
        'Read-LlamaReferenceCheckpoint'
        'Test-CheckpointManifest'
        'Test-LlamaCheckpoint'
    )
    FunctionsToExport    = @()
    AliasesToExport      = @('Test-Fairseq2Checkpoint')
    VariablesToExport    = @()

    PrivateData          = @{
        PSData = @{
            # Stands here until CHANGELOG.md has a heading for this version; see "A release" in CONTRIBUTING.md.
            Prerelease   = 'preview'
            # Where the repository is. While it is nowhere, the line stays a comment, and help has no online version; see StageModule.targets.
            # ProjectUri = 'https://…'
            Tags         = @('fairseq2', 'LLaMA', 'PyTorch', 'checkpoint', 'conversion', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            ReleaseNotes = 'CHANGELOG.md in the package says what has changed.'
        }
    }
}
