#!/usr/bin/env bash
# Makes a Windows of Wine 10 with .NET, to run the tests or to try the module without Windows.
#
#     tests/start-wine.sh FOLDER
#
# Gets Wine of Debian 13, .NET and PowerShell for Windows from NuGet, and makes a drive C:, all in the folder (2.4 GB), if it does not have them.
# Needs root on Debian, mmdebstrap and the SDK of .NET; nothing but the folder is changed, except that NuGet keeps PowerShell. Nothing is left running.
#
# Prints the program that runs programs of Windows, which find everything of this machine on their drive Z:
#
#     wine=$(tests/start-wine.sh /srv/wine)
#     $wine dotnet "Z:$PWD/tests/Fairseq2Llama.Tests/bin/Debug/net10.0/Fairseq2Llama.Tests.dll" -class '*OnWindowsTests'
#     $wine pwsh -NoProfile -File "Z:$PWD/examples/Convert-Checkpoint.ps1"
set -eEuo pipefail

folder=${1:?Name the folder that has, or gets, Wine.}

fail() {
    echo "$*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail 'Wine is started with a /usr of its own, which only root can mount.'
for program in mmdebstrap unshare script dotnet; do
    command -v $program >/dev/null || fail "Wine needs $program: apt-get install mmdebstrap util-linux bsdutils; dotnet is the SDK of .NET."
done
unshare --mount true 2>/dev/null || fail 'Wine is started with a /usr of its own, and this root can'"'"'t mount one.'

mkdir -p "$folder"
folder=$(realpath "$folder")
root=$folder/root
framework=$folder/dotnet

if [ ! -x "$root/usr/lib/wine/wine64" ]; then
    # Only unpacked: nothing in it is configured or started. libc-bin has the locale C.UTF-8; the compiler is for the program below.
    rm -rf "$root"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
    mmdebstrap --quiet --variant=extract --include=wine64,libc-bin,gcc-mingw-w64-x86-64-win32 trixie "$root" "${mirror:?apt knows no mirror of Debian}" >&2
fi

# Runs a program with the /usr of that folder. Everything else is as it is here, /usr/local too.
within() {
    unshare --mount sh -c 'mount --bind "$0" /usr && exec "$@"' "$root/usr" "$@"
}

if [ ! -x "$framework/dotnet.exe" ]; then
    # What Linux would run an application of Windows with, had it been published with its runtime, put where an installed .NET has it.
    rm -rf "$framework" "$folder/packs"
    mkdir -p "$framework" "$folder/packs"
    cat >"$folder/packs/packs.csproj" <<'END'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net$(BundledNETCoreAppTargetFrameworkVersion)</TargetFramework>
    <RestorePackagesPath>packages</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Microsoft.NETCore.App.Runtime.win-x64" Version="[$(BundledNETCoreAppPackageVersion)]" />
    <PackageDownload Include="Microsoft.AspNetCore.App.Runtime.win-x64" Version="[$(BundledNETCoreAppPackageVersion)]" />
    <PackageDownload Include="Microsoft.WindowsDesktop.App.Runtime.win-x64" Version="[$(BundledNETCoreAppPackageVersion)]" />
  </ItemGroup>
</Project>
END
    dotnet restore "$folder/packs" >&2
    for pack in "$folder"/packs/packages/microsoft.*.app.runtime.win-x64/*/runtimes/win-x64; do
        version=$(basename "$(dirname "$(dirname "$pack")")")
        # Its list of libraries bears the name of the framework.
        name=$(basename "$pack"/lib/*/Microsoft.*.App.deps.json .deps.json)
        mkdir -p "$framework/shared/$name/$version"
        cp "$pack"/lib/*/*.* "$pack"/native/*.* "$framework/shared/$name/$version"
    done
    mkdir -p "$framework/host/fxr/$version"
    mv "$framework/shared/Microsoft.NETCore.App/$version/hostfxr.dll" "$framework/host/fxr/$version"
    rm -rf "$folder/packs"

    # No package has dotnet.exe. All that it does is to hand its command line over.
    within x86_64-w64-mingw32-gcc-win32 -municode -x c -o "$framework/dotnet.exe" - <<END
#include <windows.h>

int wmain(int argc, const wchar_t *argv[])
{
    HMODULE host = LoadLibraryW(L"Z:${framework//\//\\\\}\\\\host\\\\fxr\\\\$version\\\\hostfxr.dll");
    int (*run)(int, const wchar_t **) = host ? (int (*)(int, const wchar_t **))(void *)GetProcAddress(host, "hostfxr_main") : NULL;
    return run ? run(argc, argv) : 1;
}
END
fi

# The tool manifest names the PowerShell, as for the tests; the package has that of every system.
(cd "$(dirname "$0")/.." && dotnet tool restore >&2)
version=$(sed -n '/"powershell"/,/}/s/.*"version": "\(.*\)".*/\1/p' "$(dirname "$0")/../.config/dotnet-tools.json")
packages=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')
powershell=${packages%/}/powershell/$version/tools/net10.0/any/win
[ -f "$powershell/pwsh.exe" ] || fail "The package of PowerShell $version has none for Windows."

cat >"$folder/wine" <<END
#!/usr/bin/env bash
# Runs a program of Windows; tests/start-wine.sh made this.
export WINEPREFIX='$folder/prefix' WINESERVER=/usr/lib/wine/wineserver64 WINEDEBUG=-all
export WINEPATH='Z:$framework;Z:$powershell' DOTNET_ROOT='Z:$framework' PSExecutionPolicyPreference=Bypass
# Wine 10 loses registers of AVX-512 when .NET stops a thread to collect garbage: data that is copied or compared just then would be wrong.
export DOTNET_EnableAVX512=0
# Names of files are UTF-8. Without the other, a library of Wayland complains.
export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR='$folder'
# PowerShell needs a console of Windows, and that a terminal. It is where input comes from; what is printed does not go through it.
exec 3>&1 4>&2
exec script --quiet --return --command "\$(printf '%q ' unshare --mount sh -c \\
    'mount --bind "\$0" /usr && cd "\$WINEPREFIX/drive_c" && exec /usr/lib/wine/wine64 "\$@"' '$root/usr' "\$@") >&3 2>&4 3>&- 4>&-" /dev/null >/dev/null </dev/null
END
chmod +x "$folder/wine"

if [ ! -f "$folder/prefix/system.reg" ]; then
    # Wine takes a library of MinGW from where the scripts of Debian's package link it to.
    mkdir -p "$folder/prefix/drive_c/windows/system32"
    cp "$root/usr/x86_64-w64-mingw32/lib/zlib1.dll" "$folder/prefix/drive_c/windows/system32"
    "$folder/wine" wineboot --init >&2 </dev/null || fail "Wine does not start; 'WINEDEBUG= $folder/wine wineboot' says more."
fi
"$folder/wine" dotnet --list-runtimes </dev/null | grep -q Microsoft.NETCore.App >&2 || fail 'Wine can'"'"'t run .NET.'

echo "$folder/wine"
