namespace Fairseq2Llama.Tests.Documentation;

/// <summary>
/// PowerShell's own commands that the bare engine lacks, as far as examples use them. They do no more than is needed for an example to
/// run.
/// </summary>
internal static class StandIns
{
    public const string Script = """
        function Get-ChildItem([string] $Path = '.', [string] $Filter = '*', [switch] $Directory, [switch] $File, [switch] $Recurse) {
            $folder = [System.IO.DirectoryInfo]::new((Resolve-Path $Path).ProviderPath)
            $depth = [System.IO.SearchOption][int][bool]$Recurse
            if (-not $File) { $folder.GetDirectories($Filter, $depth) }
            if (-not $Directory) { $folder.GetFiles($Filter, $depth) }
        }

        function Resolve-Path([string] $Path) { $ExecutionContext.SessionState.Path.GetResolvedPSPathFromPSPath($Path) }

        function Select-Object([object[]] $Property, [string] $ExpandProperty, [int] $First, [int] $Last) {
            $items = @($input)
            if ($First) { $items = $items[0..($First - 1)] }
            if ($Last) { $items = $items[-$Last..-1] }
            if ($ExpandProperty) { $items.$ExpandProperty } else { $items }
        }

        function Sort-Object([object[]] $Property, [switch] $Descending, [int] $Top) { $input }

        function Format-Table([object[]] $Property, [switch] $AutoSize, [object] $GroupBy) { $input }

        function Export-Csv([string] $Path) { [System.IO.File]::WriteAllText((Join-Path $PWD.ProviderPath $Path), "$input") }

        function Join-Path([string] $Path, [string] $ChildPath) { [System.IO.Path]::Combine($Path, $ChildPath) }
        """;
}
