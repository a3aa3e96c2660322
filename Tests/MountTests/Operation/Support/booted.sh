# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# On a Debian that systemd has booted, with the package installed and a line in fstab: the automount point of that line; then the unit, its
# restart, reload and end; then the package's removal. Prints `name: value` lines.
set -uo pipefail
first() { (cd "$1" 2>/dev/null && set -- * && echo "$1"); }
echo "automounted: $(cd /mnt/prod && timeout 30 ls | tr '\n' ' ')"
journalctl --sync
echo "mount journal: $(journalctl -o cat --no-pager BERGFS_MESSAGE=mounted BERGFS_MOUNTPOINT=/mnt/prod | cut -d ' ' -f 1-3)"
systemctl stop mnt-prod.automount
timeout 30 systemctl stop mnt-prod.mount
echo "automount ended: $(grep -c ' /mnt/prod ' /proc/self/mountinfo)"

printf 'MOUNTPOINT=/mnt/unit\nBERGFS_OPTIONS=--allow-other --read-only\n' >/etc/bergfs/prod.env
timeout 60 systemctl start bergfs@prod || { journalctl -n 20 -u bergfs@prod --no-pager >&2 && exit 1; }
echo "active: $(systemctl show -p ActiveState --value bergfs@prod), $(systemctl show -p StatusText --value bergfs@prod)"
# Seen by all, not by the service alone.
expected=$(first /mnt/unit)
echo "first: $expected"
journalctl --sync
echo "journal: $(journalctl -u bergfs@prod -o cat --no-pager BERGFS_MESSAGE=mounted | cut -d ' ' -f 1-3)"
main=$(systemctl show -p MainPID --value bergfs@prod)
start=$(date +%s%N)
kill -9 "$main"
for ((round = 0; round < 1000; round++)); do
  [ "$(first /mnt/unit)" != "$expected" ] || [ "$(systemctl show -p MainPID --value bergfs@prod)" = "$main" ] || break
  sleep 0.01
done
echo "restarted: $((($(date +%s%N) - start) / 1000000)) ms, $(first /mnt/unit)"
sed -i 's/^    type:/    bergfs.log-level: debug\n    type:/' /etc/bergfs/catalogs.yaml
systemctl reload bergfs@prod
line=
for ((round = 0; round < 500 && ${#line} == 0; round++)); do
  journalctl --sync
  line=$(journalctl -u bergfs@prod -o cat --no-pager | grep 'read anew')
  sleep 0.01
done
echo "reloaded: $line"
timeout 80 systemctl stop bergfs@prod
echo "stopped: $(systemctl show -p Result --value bergfs@prod), $(grep -c /mnt/unit /proc/self/mountinfo)"
echo "last words: $(journalctl -u bergfs@prod -o cat --no-pager BERGFS_MESSAGE=unmounted)"
echo "unit: $(systemd-analyze verify bergfs@prod.service 2>&1 | tee /exchange/verify.txt | grep -c bergfs)"
rm /etc/bergfs/prod.env
apt-get -q -y purge bergfs >/dev/null 2>&1
echo "purged: $(cat /etc/updatedb.conf) $(find /etc /usr -xdev -name '*bergfs*' | tr '\n' ' ')"
