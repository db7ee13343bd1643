#!/usr/bin/env bash
# Lets the staged module convert checkpoints in another .NET or on another processor, and compares every file with what it writes in the newest .NET
# of this machine.
#
#     tests/compare-runtimes.sh linux-x64
#     tests/compare-runtimes.sh linux-x64 9.0.20
#     tests/compare-runtimes.sh linux-arm64 10.0.12
#
# Without a version, it is the .NET 8 that the SDK asks for. NuGet must have it. Build before. Programs for ARM are emulated, with libraries that are
# unpacked into a temporary folder; on Debian, apt-get install qemu-user-static mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."

runtime=${1:?Name the runtime: linux-x64 or linux-arm64.}
version=${2:-}

fail() {
    echo "$*" >&2
    exit 1
}

[ -f output/Fairseq2Llama/Fairseq2Llama.psd1 ] || fail 'No module is staged: dotnet build'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

emulator=() options=()
case $runtime in
    linux-x64)
        options=(libtorch)
        ;;
    linux-arm64)
        # TorchSharp has no native library for it.
        if [ "$(uname -m)" != aarch64 ]; then
            for program in qemu-aarch64-static mmdebstrap; do
                command -v $program >/dev/null || fail "Emulation needs $program: apt-get install qemu-user-static mmdebstrap"
            done

            # Only unpacked: what .NET is linked with, and OpenSSL, of which it takes its hashes.
            mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
            mmdebstrap --quiet --variant=extract --architectures=arm64 --include=libc6,libstdc++6,libssl3t64 trixie "$scratch/root" "${mirror:?apt knows no mirror of Debian}"
            [ -e "$scratch/root/lib" ] || ln -s usr/lib "$scratch/root/lib"
            emulator=(qemu-aarch64-static -L "$scratch/root")
        fi
        ;;
    *)
        fail "'$runtime' is neither linux-x64 nor linux-arm64."
        ;;
esac

dotnet publish tests/OtherRuntime --configuration Debug -p:PublishedRuntime="$runtime" ${version:+-p:RuntimeFrameworkVersion="$version"} --output "$scratch/program" --verbosity quiet

# It ends when its input does.
coproc server { exec dotnet run --project tests/S3Server; }
read -r endpoint <&"${server[0]}"
echo access >&"${server[1]}"
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY <&"${server[0]}"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

dotnet run --project tests/OtherRuntime -- . "$scratch/here" "$endpoint" "${options[@]}"
"${emulator[@]}" "$scratch/program/OtherRuntime" . "$scratch/there" "$endpoint" "${options[@]}"

diff --recursive "$scratch/here" "$scratch/there"
echo 'All files are the same.'
