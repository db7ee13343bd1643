#Requires -Version 7.4
<#
.SYNOPSIS
    Compares exports to GGUF with what llama.cpp's own converter makes of the same model, and has llama.cpp tell a story from each.

.DESCRIPTION
    Exports a checkpoint to Hugging Face's format, which convert_hf_to_gguf.py converts, and directly to GGUF, for each type of file. Both files should have the same
    bytes. Where they do not, gguf-py says which keys and tensors differ.

    The converter takes some keys from its surroundings, such as general.name from the name of a folder. The export is given these with -Metadata, and they are listed.

    Then llama-simple tells a story from each exported file, and so does a forward pass of Meta's model in float64, from an export to Meta's format. F32 must tell the same.
    Other types round the weights, so sooner or later they tell something else. The forward pass is slow: use a small model.

    Nothing is downloaded or built. The script needs the sources of llama.cpp, https://github.com/ggml-org/llama.cpp, in which llama-simple is built as docs/build.md there
    describes, and a Python that has the packages of requirements/requirements-convert_hf_to_gguf.txt there.

.EXAMPLE
    ./tests/Compare-GgufExport.ps1 runs/sft ~/llama.cpp -TokenizerPath tokenizer/

    Compares the exports of a model in all types.

.EXAMPLE
    ./tests/Compare-GgufExport.ps1 runs/sft ~/llama.cpp -TokenizerPath tokenizer/ -Type F32 -Count 32 -KeepPath out/judged

    Compares one type, with a shorter story, and keeps all files.
#>
[CmdletBinding()]
param(
    # The checkpoint: a folder, a file or a training run.
    [Parameter(Mandatory, Position = 0)]
    [string] $Path,

    # The folder with the sources of llama.cpp.
    [Parameter(Mandatory, Position = 1)]
    [string] $LlamaCppPath,

    # The folder with the files of the tokenizer.
    [Parameter(Mandatory)]
    [string] $TokenizerPath,

    # The name of an architecture, or an object of New-LlamaArchitecture. By default, the one that the checkpoint tells.
    [object] $Architecture,

    # The types to compare.
    [ValidateSet('F32', 'F16', 'BF16', 'Q8_0')]
    [string[]] $Type = @('F32', 'F16', 'BF16', 'Q8_0'),

    # How many tokens to tell.
    [ValidateRange(1, 10000)]
    [int] $Count = 100,

    # The Python to use.
    [string] $Python = 'python3',

    # llama-simple; by default, the one in a build folder of the sources.
    [string] $LlamaSimplePath,

    # A new folder for all files that are made. By default, they are deleted.
    [string] $KeepPath
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

# What the converter gets from the name of the folder and of the model (gguf-py's metadata.py).
$fromSurroundings = 'general.name', 'general.basename', 'general.finetune', 'general.version', 'general.size_label', 'general.organization'

$dtypes = @{ F32 = 'float32'; F16 = 'float16'; BF16 = 'bfloat16'; Q8_0 = 'q8_0' }

# gguf-py's view of a file, in JSON. Elements of long arrays are only hashed.
$readGguf = @'
import hashlib, json, sys
from gguf import GGUFReader
reader = GGUFReader(sys.argv[1])
def value(field):
    content = field.contents()
    text = json.dumps(content)
    return [field.types[0].name, content if len(text) < 200 else f'{len(content)} elements, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}']
print(json.dumps({
    'metadata': {name: value(field) for name, field in reader.fields.items()},
    'tensors': {t.name: [t.tensor_type.name, [int(n) for n in t.shape], int(t.data_offset), hashlib.sha256(t.data.tobytes()).hexdigest()] for t in reader.tensors}}))
'@

# Meta's model.py with its weights in float64, without a cache. Prints, in JSON, the tokens from the one that begins a text, and the bytes that each stands for.
$tellStory = @'
import json, sys
import numpy as np, torch
from gguf import GGUFReader
folder, file, factor, count = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])

args = json.load(open(f'{folder}/params.json'))
args = args.get('model', args)
weights = {name: t.double().numpy() for name, t in torch.load(f'{folder}/consolidated.00.pth', map_location='cpu').items()}
dim, heads = args['dim'], args['n_heads']
kv_heads, size = args.get('n_kv_heads') or heads, dim // heads

frequencies = args.get('rope_theta', 10000.0) ** -(np.arange(0, size, 2) / size)
if factor:
    wavelengths = 2 * np.pi / frequencies
    smooth = np.clip((8192 / wavelengths - 1) / (4 - 1), 0, 1)
    frequencies = (1 - smooth) * frequencies / factor + smooth * frequencies

def norm(x, name): return x / np.sqrt((x * x).mean(-1, keepdims=True) + args['norm_eps']) * weights[f'{name}.weight']
def project(x, name): return x @ weights[f'{name}.weight'].T
def rotate(x):
    angles = np.arange(len(x))[:, None, None] * frequencies
    return (x.reshape(*x.shape[:-1], -1, 2) @ [[1], [1j]])[..., 0] * np.exp(1j * angles)
def real(x): return np.stack([x.real, x.imag], -1).reshape(*x.shape[:-1], size)

def logits(tokens):
    x = weights['tok_embeddings.weight'][tokens]
    mask = np.triu(np.full((len(tokens),) * 2, -np.inf), 1)
    for layer in range(args['n_layers']):
        layer = f'layers.{layer}'
        h = norm(x, f'{layer}.attention_norm')
        q, k, v = (project(h, f'{layer}.attention.{w}').reshape(len(tokens), -1, size) for w in ('wq', 'wk', 'wv'))
        q, k, v = real(rotate(q)), real(rotate(k)).repeat(heads // kv_heads, 1), v.repeat(heads // kv_heads, 1)
        scores = np.einsum('qhd,khd->hqk', q, k) / np.sqrt(size) + mask
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        x = x + project(np.einsum('hqk,khd->qhd', scores / scores.sum(-1, keepdims=True), v).reshape(len(tokens), -1), f'{layer}.attention.wo')
        h = norm(x, f'{layer}.ffn_norm')
        gate = project(h, f'{layer}.feed_forward.w1')
        x = x + project(gate / (1 + np.exp(-gate)) * project(h, f'{layer}.feed_forward.w3'), f'{layer}.feed_forward.w2')
    return norm(x[-1], 'norm') @ weights.get('output.weight', weights['tok_embeddings.weight']).T

fields = GGUFReader(file).fields
pieces, types = fields['tokenizer.ggml.tokens'].contents(), fields['tokenizer.ggml.token_type'].contents()
if fields['tokenizer.ggml.model'].contents() == 'llama':
    def text(token):
        if types[token] == 6: return bytes([int(pieces[token][3:5], 16)])
        return pieces[token].replace('\u2581', ' ').encode()
else:
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    table = {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(hidden)}
    def text(token): return bytes(table[c] for c in pieces[token]) if types[token] == 1 else pieces[token].encode()

end = fields['tokenizer.ggml.eos_token_id'].contents()
tokens = [fields['tokenizer.ggml.bos_token_id'].contents()]
while len(tokens) <= count and (likeliest := int(logits(tokens).argmax())) != end: tokens.append(likeliest)
print(json.dumps({'tokens': tokens, 'texts': [list(text(token)) for token in tokens]}))
'@

function Invoke-Python([string] $Script) {
    $env:PYTHONPATH = (@("$sources/gguf-py", $pythonPath) -ne '') -join [System.IO.Path]::PathSeparator

    try {
        $said = & $Python -c $Script @args
        if ($LASTEXITCODE) { throw "'$Python' ends with exit code $LASTEXITCODE." }
        $said | ConvertFrom-Json -AsHashtable
    } finally {
        $env:PYTHONPATH = $pythonPath
    }
}

function Read-Gguf([string] $File) { Invoke-Python $readGguf $File }

# A character for each byte, because a token can end within a character.
function Invoke-LlamaSimple([string] $File) {
    $start = [System.Diagnostics.ProcessStartInfo]::new($LlamaSimplePath, [string[]] @('-m', $File, '-n', "$Count", ''))
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::Latin1
    $process = [System.Diagnostics.Process]::Start($start)

    try {
        $errors = $process.StandardError.ReadToEndAsync()
        $said = $process.StandardOutput.ReadToEnd()
        $process.WaitForExit()
        if ($process.ExitCode) { throw "llama-simple ends with exit code $($process.ExitCode): $($errors.GetAwaiter().GetResult())" }
        $said
    } finally {
        $process.Dispose()
    }
}

# How many of the tokens that the original tells llama-simple told.
function Measure-Story([string] $Said, [hashtable] $Original) {
    $place = 0
    $equal = -1

    foreach ($text in $Original.texts) {
        $text = -join [char[]] $text
        if (-not $Said.Substring($place).StartsWith($text, 'Ordinal')) { break }
        $place += $text.Length
        $equal++
    }

    $equal
}

function Compare-Map([hashtable] $Ours, [hashtable] $Theirs) {
    foreach ($name in @($Ours.Keys) + @($Theirs.Keys) | Sort-Object -Unique -CaseSensitive) {
        $values = foreach ($map in $Ours, $Theirs) { $map.ContainsKey($name) ? (ConvertTo-Json $map[$name] -Compress -Depth 5) : '(absent)' }
        if ($values[0] -cne $values[1]) { "${name}: $($values[0]), the converter's $($values[1])" }
    }
}

$sources = (Resolve-Path -LiteralPath $LlamaCppPath).ProviderPath
$pythonPath = "$env:PYTHONPATH"
$converter = Join-Path $sources convert_hf_to_gguf.py
if (-not [System.IO.File]::Exists($converter)) { throw "'$sources' holds no sources of llama.cpp: convert_hf_to_gguf.py is not there." }

if (-not $LlamaSimplePath) {
    $LlamaSimplePath = Get-ChildItem -LiteralPath $sources -Directory |
        ForEach-Object { "$_/bin/llama-simple", "$_/bin/llama-simple.exe", "$_/bin/Release/llama-simple.exe" } |
        Where-Object { [System.IO.File]::Exists($_) } | Select-Object -First 1
    if (-not $LlamaSimplePath) { throw "No build folder of '$sources' has bin/llama-simple. Build it, or name it with -LlamaSimplePath." }
}

$module = "$PSScriptRoot/../output/Fairseq2Llama/Fairseq2Llama.psd1"
if (-not [System.IO.File]::Exists($module)) { throw "The module is not built yet. Run '$PSScriptRoot/../build.ps1'." }
Import-Module $module

$folder = $KeepPath ? $PSCmdlet.GetUnresolvedProviderPathFromPSPath($KeepPath) : (Join-Path ([System.IO.Path]::GetTempPath()) ([System.IO.Path]::GetRandomFileName()))
if ([System.IO.Directory]::Exists($folder)) { throw "'$folder' exists already." }
$null = [System.IO.Directory]::CreateDirectory($folder)

try {
    $how = $Architecture ? @{ Architecture = $Architecture } : @{}
    $checkpoint = Read-LlamaCheckpoint -LiteralPath $Path

    # One file, because the converter takes tensors file by file.
    $huggingFace = $checkpoint | Export-LlamaHuggingFaceCheckpoint "$folder/model" -TokenizerPath $TokenizerPath -MaxShardSize ([long]::MaxValue) @how
    $meta = $checkpoint | Export-LlamaReferenceCheckpoint "$folder/meta" -ShardCount 1 @how

    $results = foreach ($one in $Type) {
        $theirFile = Join-Path $folder "converter-$one.gguf"
        $log = & $Python $converter $huggingFace.Path --outtype $one.ToLowerInvariant() --outfile $theirFile 2>&1
        if ($LASTEXITCODE) { throw "convert_hf_to_gguf.py ends with exit code ${LASTEXITCODE}:`n$($log -join "`n")" }
        $theirs = Read-Gguf $theirFile

        $metadata = @{}
        foreach ($key in $theirs.metadata.Keys | Where-Object { $_ -in $fromSurroundings }) { $metadata[$key] = $theirs.metadata[$key][1] }

        $ourFile = Join-Path $folder "export-$one.gguf"
        $null = $checkpoint | Export-LlamaGgufCheckpoint $ourFile -TokenizerPath $TokenizerPath -DType $dtypes[$one] -Metadata $metadata @how
        $ours = Read-Gguf $ourFile

        $differences = @(Compare-Map $ours.metadata $theirs.metadata) + @(Compare-Map $ours.tensors $theirs.tensors)
        $isEqual = (Get-FileHash -LiteralPath $ourFile).Hash -eq (Get-FileHash -LiteralPath $theirFile).Hash

        # What gguf-py sees no difference in, such as the order of keys.
        if (-not $isEqual -and -not $differences) { $differences = 'the bytes, though gguf-py reads the same: the order of keys or tensors, or the space between them' }

        if (-not (Test-Path Variable:original)) {
            $original = Invoke-Python $tellStory $meta.Path $ourFile ($checkpoint.Architecture.RopeScaleFactor ?? 0) $Count
        }

        $said = Invoke-LlamaSimple $ourFile

        [pscustomobject]@{
            Type = $one
            Size = ([System.IO.FileInfo] $ourFile).Length
            Bytes = $isEqual ? 'equal' : 'different'
            Differences = $differences
            FromSurroundings = @($metadata.Keys | Sort-Object | ForEach-Object { "$_ = $($metadata[$_])" })
            EqualTokens = Measure-Story $said $original
            Tokens = $original.tokens.Count - 1
            Story = [System.Text.Encoding]::UTF8.GetString([System.Text.Encoding]::Latin1.GetBytes($said)).TrimEnd("`n")
        }
    }
} finally {
    if (-not $KeepPath) { [System.IO.Directory]::Delete($folder, $true) }
}

$results

if ($wrong = $results | Where-Object { $_.Bytes -ne 'equal' -or ($_.Type -eq 'F32' -and $_.EqualTokens -ne $_.Tokens) }) {
    throw "Exports differ from the converter's files, or tell another story than the original: $($wrong.Type -join ', ')."
}
