#!/usr/bin/env bash
# Submits an export to Meta's format: an array with a task for each file, and a last step that waits for all of them. Prints the ids of both jobs.
#
#     ./submit.sh runs/70b out/70b 8
#
# sbatch takes further options from the environment, such as SBATCH_PARTITION and SBATCH_ACCOUNT. If a task fails, the last step is cancelled. Once the
# cause is gone, submit the export again: tasks skip files that are done. Once the last step is done, there is nothing to submit.

set -euo pipefail

if (($# != 3)) || [[ ! $3 =~ ^[1-9][0-9]*$ ]]; then
    echo "Usage: $0 CHECKPOINT DESTINATION FILES" >&2
    exit 2
fi

script=$(dirname "${BASH_SOURCE[0]}")/convert.sbatch

# At most four tasks at a time, so that other users of the file server notice little.
array=$(sbatch --parsable --array="0-$(($3 - 1))%4" "$script" "$@")

# --parsable prints ID or ID;CLUSTER.
last=$(sbatch --parsable --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes --output=%x-%j.log "$script" "$@")

echo "${array%%;*} ${last%%;*}"
