// SPDX-License-Identifier: Apache-2.0

import Configuration

/// `mount.bergfs(8)`: the options of `bergfs mount` in the form of mount(8) and fstab(5).
enum MountHelperManual {
  static func text() throws -> String {
    var page = ManualPage(
      "mount.bergfs", section: 8, version: BuildVersions.current, purpose: "mount an Apache Iceberg catalog by mount(8) and fstab(5)")
    page.section("Synopsis")
    page.literal(["mount -t bergfs [-o OPTION[,OPTION...]] CATALOG MOUNTPOINT"])
    page.section("Description")
    page.paragraph(
      "mount(8) runs this helper for the type bergfs. It starts the daemon and returns when the mount answers; a mount that cannot be made is one "
        + "line on standard error and exit status 1. It is the program bergfs itself under another name: mount.bergfs CATALOG MOUNTPOINT -o LIST "
        + "does what bergfs mount CATALOG MOUNTPOINT -o LIST does.")
    page.paragraph(
      "CATALOG is a name in the configuration, usually in the file that config= names. What stands in fstab and on the command line of mount(8) is "
        + "everybody's to read: keep secrets in that file, with mode 0600. Properties of the command line are handed to the daemon where neither ps(1) "
        + "nor its environment shows them.")
    page.section("Options")
    page.paragraph("A comma within a value is written \\,. Dashes may be written as underscores.")
    guard let mount = try CommandTable.current().command("mount") else { return page.text }
    page.entry("ro", "As read-only.")
    page.entry("env.NAME=VALUE", "Set a variable in the daemon's environment, as env.AWS_PROFILE=reader.")
    page.options(mount.shownArguments.filter { $0.kind != "positional" && $0.longName != nil }, term)
    page.subsection("Options of mount(8)")
    page.paragraph(
      "Understood, and left to mount(8), systemd and the kernel: \(CommandLineExpansion.settledByMount.sorted().joined(separator: ", ")), and all that "
        + "begin with x- (x-systemd.automount, x-systemd.requires=...). -f checks options and configuration and mounts nothing. "
        + "remount is refused: unmount, and mount anew.")
    page.section("Examples")
    page.paragraph("A line of /etc/fstab that waits for the network, and does not stop the boot where the mount cannot be made:")
    page.literal(["prod  /mnt/prod  bergfs  ro,_netdev,nofail,config=/etc/bergfs/catalogs.yaml,metadata-ttl=5  0 0"])
    page.paragraph("Mounted at its first use, for all users:")
    page.literal(["prod  /mnt/prod  bergfs  noauto,x-systemd.automount,_netdev,allow-other,config=/etc/bergfs/catalogs.yaml  0 0"])
    page.paragraph("By an ordinary user, through fusermount3:")
    page.literal(["prod  /home/ann/prod  bergfs  noauto,user,config=/home/ann/.pyiceberg.yaml  0 0"])
    page.section("Exit status")
    page.entry("0", "The mount answers.")
    page.entry("1", "There is none; one line on standard error says why.")
    page.section("See also")
    page.paragraph("bergfs(1), mount(8), fstab(5), systemd.mount(5), fuse(4)")
    return page.text
  }

  private static func term(_ argument: CommandTable.Argument) -> String {
    let name = argument.longName ?? ""
    return argument.kind == "flag" ? name : "\(name)=<\(argument.valueName ?? "value")>"
  }
}
