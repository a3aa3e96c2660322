// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@Suite("Ordinary users")
struct OrdinaryUserTests {
  /// Runs a script as root in a mount namespace of its own, with a /dev/fuse for all as udev makes it, on a workspace that belongs to `nobody`.
  /// `as NAME COMMAND…` runs a command as another user; `mount_lake OPTIONS…` mounts as `nobody`.
  private func run(_ script: String) async throws -> ProcessResult {
    try await TestSlots.mounts.occupied {
      let workspace = try await MountWorkspace(MountSettings(.glue))
      let directory = workspace.directory
      let head = """
        chmod 755 "$T" && chown -R nobody: "$T" && mount --make-rslave /
        mknod -m 666 "$T/fuse" c 10 229 && mount --bind "$T/fuse" /dev/fuse
        as() { runuser -u "$1" -- env HOME="$T" "${@:2}"; }
        mount_lake() { as nobody "$B" mount lake "$M" --config "$C" --staging-dir "$T/staging" "$@"; }

        """
      try directory.write(head + script, to: "script")
      let variables = ["T": directory.path, "M": workspace.mountpoint, "B": ProjectFiles.bergfs, "C": workspace.configurationFile]
      let result = try await Shell.run(
        "unshare", ["-m", "--propagation", "slave", "/bin/bash", directory.file("script")], environment: variables,
        directory: directory.path)
      // With the namespace its mounts are gone, and with them their daemons.
      #expect(await eventually { workspace.daemons.isEmpty })
      await workspace.discard()
      return result
    }
  }

  @Test("An ordinary user mounts through fusermount3, alone sees the mount, and unmounts it")
  func ownMount() async throws {
    let result = try await run(
      """
      mount_lake; echo "mount $?"
      as nobody ls "$M/sales"; as nobody stat -c '%U %a' "$M"
      as games ls "$M"; ls "$M"
      "$B" status "$M" | tail -n 2
      as nobody "$B" status "$M" | tail -n 1
      as nobody "$B" umount "$M"; echo "umount $?"
      """)
    #expect(result.lines.first == "mount 0" && result.lines.last == "umount 0", "\(result)")
    #expect(result.lines.contains("orders") && result.lines.contains("nobody 755"), "\(result)")
    #expect(result.errorText.split(separator: "\n").count { $0.contains("Permission denied") } == 2, "\(result)")
    #expect(result.text.contains("unreadable") && result.text.contains("lake (glue)  ok"), "\(result)")
  }

  @Test("--allow-other is refused to an ordinary user without user_allow_other, and lets others in as far as the modes say")
  func allowOther() async throws {
    let result = try await run(
      """
      echo > none; echo user_allow_other > allowed
      mount --bind none /etc/fuse.conf
      mount_lake --allow-other; echo "refused $?"
      umount /etc/fuse.conf; mount --bind allowed /etc/fuse.conf
      mount_lake --allow-other --uid 65534 --gid 60 --umask 027; echo "mount $?"
      stat -c '%u %g %a' "$M" "$M"/sales/orders/metadata/*.metadata.json | sort -u
      echo "games: $(runuser -u games -g games -- ls "$M/sales" | tr '\\n' ' ')"
      echo "daemon: $(runuser -u daemon -g daemon -- ls "$M/sales")"
      as nobody "$B" umount "$M"; echo "umount $?"
      """)
    #expect(result.lines.first == "refused 1" && result.errorText.contains("--allow-other needs the line user_allow_other"), "\(result)")
    #expect(result.lines.dropFirst().prefix(3) == ["mount 0", "65534 60 440", "65534 60 750"], "\(result)")
    // The group 60 is that of games.
    #expect(result.lines.contains { $0.hasPrefix("games: ") && $0.contains("orders") } && result.lines.contains("daemon: "), "\(result)")
    #expect(result.lines.last == "umount 0" && result.errorText.contains("Permission denied"), "\(result)")
  }

  @Test("A user's line of fstab is mounted by mount, as that user, and unmounted by bergfs umount")
  func userLine() async throws {
    let result = try await run(
      """
      echo "lake $M bergfs noauto,user,config=$C,staging-dir=$T/staging 0 0" > table && mount --bind table /etc/fstab
      mkdir over && mount -t tmpfs over over && mkdir over/upper over/work
      mount -t overlay over -o lowerdir=/usr/sbin,upperdir="$T/over/upper",workdir="$T/over/work" /usr/sbin
      ln -s "$B" /usr/sbin/mount.bergfs
      # mount(8) takes the first field for a path where there is such a file.
      cd /
      as nobody mount "$M"; echo "mount $?"
      as nobody ls "$M/sales"; ps -o user= -p "$(as nobody jq .pid "$M/.bergfs/status.json")"
      as nobody "$B" umount "$M"; echo "umount $?"
      """)
    #expect(result.lines.first == "mount 0" && result.lines.last == "umount 0", "\(result)")
    #expect(result.lines.contains("orders") && result.lines.contains("nobody"), "\(result)")
  }

  @Test("A /dev/fuse that only root may open is one sentence for everybody else")
  func closedDevice() async throws {
    let result = try await run(
      """
      chmod 600 "$T/fuse"
      mount_lake; echo "mount $?"
      """)
    #expect(result.lines == ["mount 1"], "\(result)")
    #expect(
      result.errorText == "bergfs: not allowed to open /dev/fuse: it must be open to all users, as udev makes it (chmod 666 /dev/fuse)\n")
  }
}
