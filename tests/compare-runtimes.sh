#!/usr/bin/env bash
# Lets the staged module convert checkpoints in another .NET, and compares every file with what it writes in the newest .NET of this machine.
#
#     tests/compare-runtimes.sh linux-x64
#     tests/compare-runtimes.sh linux-x64 9.0.20
#
# Without a version, it is the .NET 8 that the SDK asks for. NuGet must have it. Build before.
set -euo pipefail
cd "$(dirname "$0")/.."

runtime=${1:?Name the runtime, such as linux-x64.}
version=${2:-}

fail() {
    echo "$*" >&2
    exit 1
}

[ -f output/Fairseq2Llama/Fairseq2Llama.psd1 ] || fail 'No module is staged: dotnet build'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

dotnet publish tests/OtherRuntime --configuration Debug -p:PublishedRuntime="$runtime" ${version:+-p:RuntimeFrameworkVersion="$version"} --output "$scratch/program" --verbosity quiet

# It ends when its input does.
coproc server { exec dotnet run --project tests/S3Server; }
read -r endpoint <&"${server[0]}"
echo access >&"${server[1]}"
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY <&"${server[0]}"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

dotnet run --project tests/OtherRuntime -- . "$scratch/here" "$endpoint" libtorch
"$scratch/program/OtherRuntime" . "$scratch/there" "$endpoint" libtorch

diff --recursive "$scratch/here" "$scratch/there"
echo 'All files are the same.'
