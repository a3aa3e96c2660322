# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# On a bare Debian: installs the package, and mounts by fstab. Prints `name: value` lines for the test to judge.
set -uo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
! command -v bergfs fusermount3 || exit 1
echo 'PRUNEFS="NFS nfs4"' >/etc/updatedb.conf
apt-get -q -y --no-install-recommends install /exchange/bergfs_*.deb >/exchange/apt.log 2>&1 || { tail -n 20 /exchange/apt.log >&2 && exit 1; }
echo "version: $(bergfs version | head -n 1)"
echo "pruned: $(cat /etc/updatedb.conf)"
echo "conffile: $(stat -c '%a %U' /etc/bergfs/catalogs.yaml)"
install -m 600 /exchange/catalogs.yaml /etc/bergfs/catalogs.yaml
mkdir /mnt/prod
echo 'prod  /mnt/prod  bergfs  ro,_netdev,nofail,x-systemd.automount,config=/etc/bergfs/catalogs.yaml,metadata-ttl=5,env.AWS_PROFILE=none  0 0' >/etc/fstab
mount -fa && echo "fake: $(grep -c /mnt/prod /proc/self/mountinfo)"
mount -a && echo "mounted: $(findmnt -n -o SOURCE,FSTYPE /mnt/prod | tr -s ' ')"
echo "options: $(findmnt -n -o OPTIONS /mnt/prod)"
echo "listing: $(cd /mnt/prod && echo *)"
echo "ttl: $(grep metadata-ttl /mnt/prod/.bergfs/status.json | tr -d ' ,')"
mount -a && echo "again: $(grep -c /mnt/prod /proc/self/mountinfo)"
bergfs status >/exchange/status.txt && echo "status: $(tail -n 1 /exchange/status.txt | tr -s ' ')"
pid=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' /mnt/prod/.bergfs/status.json)
echo "exposed: $(tr '\0' ' ' <"/proc/$pid/cmdline" | grep -c -F "$(sed -n 's/.*secret-access-key: "*\([^"]*\)"*/\1/p' /exchange/catalogs.yaml)")"
umount /mnt/prod && echo "unmounted: $(grep -c /mnt/prod /proc/self/mountinfo)"
mount -t bergfs absent /mnt/prod -o config=/etc/bergfs/catalogs.yaml 2>/exchange/absent.txt
echo "absent: $? $(wc -l </exchange/absent.txt)"
