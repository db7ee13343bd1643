#!/usr/bin/env bash
# Starts Slurm on this machine alone, for the tests or to try examples/slurm. It uses no services, files or ports of an installed Slurm, runs until its
# input ends (Ctrl+D), and leaves nothing.
#
#     sudo apt-get install --no-install-recommends munge slurmctld slurmd slurm-client
#     ./tests/start-slurm.sh
#
# In another terminal, as the same user:
#
#     export SLURM_CONF=...        as the script prints it
#     sinfo
set -euo pipefail
PATH=$PATH:/usr/sbin

folder=$(mktemp -d)
# munged insists that everyone can reach its socket.
chmod 711 "$folder"

finish() {
    # Jobs do not end with slurmd.
    scancel --user="$(id -un)" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
        [[ $(squeue --noheader 2>/dev/null) ]] || break
        sleep 0.1
    done

    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap finish EXIT
# Ctrl+C in a terminal goes to the daemons, too.
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    local port
    while port=$((RANDOM % 20000 + 10000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

fail() {
    echo "$*" >&2
    tail -n 20 "$folder"/*.log >&2 || true
    exit 1
}

export SLURM_CONF=$folder/slurm.conf
host=$(uname -n)

# cred_expire is also how long a requeued job waits.
cat >"$SLURM_CONF" <<CONF
ClusterName=alone
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$folder/munge.socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1
KillWait=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/^MemTotal/ { print int($2 / 1024) - 100 }' /proc/meminfo)
PartitionName=all Nodes=ALL Default=YES OverSubscribe=FORCE:4
CONF

# Nothing uses control groups. slurmd looks for their file system nevertheless, which containers may not have, unless it knows the version.
echo CgroupPlugin=cgroup/v1 >"$folder/cgroup.conf"

mkdir "$folder/state" "$folder/spool"
(umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")

munged --foreground --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --seed-file="$folder/munged.seed" --log-file="$folder/munged.internal.log" </dev/null >"$folder/munged.log" 2>&1 &
slurmctld -D </dev/null >"$folder/slurmctld.log" 2>&1 &
slurmd -D </dev/null >"$folder/slurmd.log" 2>&1 &

for ((i = 0; ; i++)); do
    [[ $(sinfo --noheader --format=%t 2>/dev/null) != idle ]] || break
    [[ $(jobs -pr | wc -l) = 3 ]] || fail 'Slurm does not start:'
    ((i < 600)) || fail 'Slurm hangs:'
    sleep 0.1
done

echo "export SLURM_CONF=$SLURM_CONF"
cat >/dev/null
