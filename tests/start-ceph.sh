#!/usr/bin/env bash
# Starts Ceph, a store that speaks the protocol of S3, for the tests or to try the module without an account.
#
#     tests/start-ceph.sh FOLDER [PORT]
#
# Installs Ceph of Debian 13 into the folder if it does not have it (510 MB), starts it, and makes a bucket. What is stored there is gone when Ceph
# ends. It needs root on Debian, mmdebstrap and curl; nothing but the folder is changed.
#
# Prints what to set so that the tests find it, and last how to stop it:
#
#     eval "$(tests/start-ceph.sh /srv/ceph)"
#     dotnet run --project tests/Fairseq2Llama.Tests -- -class '*.RealS3*'
set -eEuo pipefail

folder=${1:?Name the folder that has, or gets, Ceph.}
port=${2:-7480}

fail() {
    echo "$*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail 'Ceph is started in a root of its own, which only root can do.'
for program in mmdebstrap curl; do
    command -v $program >/dev/null || fail "Ceph needs $program: apt-get install mmdebstrap curl"
done

mkdir -p "$folder"
root=$(realpath "$folder")/root

if [ ! -x "$root/usr/bin/radosgw" ]; then
    # Only unpacked: nothing in it is configured or started.
    rm -rf "$root"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
    mmdebstrap --quiet --variant=extract --include=ceph-mon,ceph-osd,radosgw trixie "$root" "${mirror:?apt knows no mirror of Debian}" >&2
    for name in bin sbin lib lib64; do
        [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
    done
fi

# One monitor, one OSD that keeps everything in memory, and one gateway. Without a manager, nothing but statistics is missing.
state=$root/srv/ceph
rm -rf "$state"
mkdir -p "$state/mon" "$state/osd"
id=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
key=$(cat /proc/sys/kernel/random/uuid)
secret=$(cat /proc/sys/kernel/random/uuid)
monitor=v2:127.0.0.1:$((port + 1))

cat >"$state/ceph.conf" <<END
[global]
fsid = $id
mon_host = $monitor/0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = /srv/ceph/keyring
run_dir = /srv/ceph
log_file =
log_to_stderr = true
mon_cluster_log_file =
paxos_propose_interval = 0.05
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
[mon]
mon_data = /srv/ceph/mon
mon_data_avail_crit = 0
[osd]
osd_data = /srv/ceph/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
[client]
rgw_data = /srv/ceph
rgw_frontends = beast endpoint=127.0.0.1:$port
END

ceph() {
    local program=$1
    shift
    chroot "$root" "/usr/bin/$program" -c /srv/ceph/ceph.conf "$@" >>"$state/$program.log" 2>&1 </dev/null
}

start() {
    chroot "$root" "/usr/bin/$1" -c /srv/ceph/ceph.conf "${@:2}" -f >>"$state/$1.log" 2>&1 </dev/null &
    echo $! >>"$state/pids"
}

stop() {
    [ ! -f "$state/pids" ] || kill -KILL $(cat "$state/pids") 2>/dev/null || true
    fail "Ceph does not start; see $state/*.log."
}
trap stop ERR

ceph monmaptool --create --addv a "[$monitor]" --fsid "$id" /srv/ceph/monmap
ceph ceph-authtool /srv/ceph/keyring --create-keyring --gen-key -n mon. --cap mon 'allow *'
ceph ceph-authtool /srv/ceph/keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
ceph ceph-authtool /srv/ceph/keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
ceph ceph-mon -i a --mkfs --monmap /srv/ceph/monmap
start ceph-mon -i a
ceph ceph --connect-timeout 300 osd new "$osd"
ceph ceph-osd -i 0 --mkfs --osd-uuid "$osd"
start ceph-osd -i 0
ceph radosgw-admin user create --uid tests --display-name Tests --access-key "$key" --secret-key "$secret"
start radosgw -n client.admin

address=http://127.0.0.1:$port
until curl --silent --output /dev/null "$address"; do
    kill -0 "$(tail -n 1 "$state/pids")" 2>/dev/null
    sleep 0.2
done
curl --silent --show-error --fail --output /dev/null --request PUT --aws-sigv4 aws:amz:us-east-1:s3 --user "$key:$secret" \
    --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$address/tests"

cat <<END
export FAIRSEQ2LLAMA_S3=$address/tests AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret
# To stop it: kill -KILL $(tr '\n' ' ' <"$state/pids")
END
