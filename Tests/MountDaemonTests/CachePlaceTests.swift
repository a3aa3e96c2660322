// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Fuse
import Glibc
import Processes
import Testing

@testable import MountDaemon

@Suite("Where blocks are kept on disk")
struct CachePlaceTests {
  private static let gibibyte: Int64 = 1 << 30
  private static let advice = "give another one by --cache-dir"

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = "/tmp/bergfs-cache-test-\(UUID().uuidString)"
    #expect(mkdir(path, 0o700) == 0)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func options(_ directory: String?, size: Int64? = nil, mountpoint: String = "/m") -> MountOptions {
    var options = MountOptions(catalog: "c", mountpoint: mountpoint, memoryLimit: 1)
    options.cacheDirectory = directory
    options.cacheSize = size
    return options
  }

  private func message(_ options: MountOptions, user: UInt32 = geteuid()) -> String? {
    do throws(LifecycleError) {
      _ = try CachePlace.prepare(options, user: user)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("Without --cache-dir there is none; with it the directory is made for the user alone, and taken again as it is")
  func made() throws {
    #expect(try CachePlace.prepare(options(nil)) == nil)
    try withDirectory { path in
      for _ in 1...2 {
        let place = try CachePlace.prepare(options("\(path)//c/", size: Self.gibibyte), space: { _ in nil })
        #expect(place == CachePlace(directory: "\(path)/c", limit: Self.gibibyte, warning: nil))
        var status = stat()
        #expect(lstat("\(path)/c", &status) == 0 && status.st_mode & 0o777 == 0o700)
      }
    }
  }

  @Test("Links, files, other users' directories and open ones are refused, each with its sentence")
  func unsafe() throws {
    try withDirectory { path in
      mkdir("\(path)/real", 0o700)
      symlink("real", "\(path)/link")
      close(open("\(path)/file", O_CREAT | O_WRONLY, 0o600))
      for name in ["link", "link/", "file"] {
        let shown = name.hasPrefix("link") ? "link" : name
        #expect(
          message(options("\(path)/\(name)")) == "the cache directory \(path)/\(shown) is a symbolic link or no directory; \(Self.advice)")
      }
      #expect(
        message(options("\(path)/no/c")) == "the cache directory \(path)/no/c cannot be made: No such file or directory; \(Self.advice)")
      mkdir("\(path)/open", 0o700)
      chmod("\(path)/open", 0o750)
      #expect(
        message(options("\(path)/open"))
          == "the cache directory \(path)/open is open to other users: run chmod 700 \(path)/open, or \(Self.advice)")
      #expect(
        message(options("\(path)/real"), user: 4711)
          == "the cache directory \(path)/real belongs to user \(geteuid()), who could change what is read; \(Self.advice)")
      for text in ["/", "relative"] {
        #expect(message(options(text))?.hasPrefix("the cache directory \(text) is not usable") == true)
      }
    }
  }

  @Test("A cache in the mountpoint is refused, by whatever path, before anything is made there")
  func inMountpoint() throws {
    try withDirectory { path in
      mkdir("\(path)/mount", 0o755)
      symlink("mount", "\(path)/way")
      let options = ["mount", "mount/", "mount/c", "way/c", "./mount/../mount/c"].map {
        self.options("\(path)/\($0)", mountpoint: "\(path)/mount")
      }
      for option in options {
        let refusal = message(option)
        #expect(refusal?.hasSuffix("lies in the mountpoint \(path)/mount; \(Self.advice)") == true, "\(refusal ?? "no refusal")")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/mount")
      #expect(names == [])
      // Beside it, around it.
      #expect(message(self.options("\(path)/mounted", mountpoint: "\(path)/mount")) == nil)
      #expect(message(self.options(path, mountpoint: "\(path)/mount")) == nil)
    }
  }

  @Test("A read-only disk is refused")
  func readOnly() throws {
    try withDirectory { path in
      let mount = ChildProcess.run("mount", ["-t", "tmpfs", "-o", "ro,mode=0700", "none", path])
      try #require(mount.status == 0, "\(mount.errors)")
      #expect(message(options(path)) == "the cache directory \(path) cannot be used: Read-only file system; \(Self.advice)")
      #expect(message(options("\(path)/c")) == "the cache directory \(path)/c cannot be made: Read-only file system; \(Self.advice)")
      let end = ChildProcess.run("umount", ["-l", path])
      #expect(end.status == 0)
    }
  }

  @Test("A place in memory, and a size beyond the free space, are told")
  func warnings() throws {
    try withDirectory { path in
      func warning(_ size: Int64?, free: Int64, isMemory: Bool = false) throws -> String? {
        try CachePlace.prepare(options("\(path)/c", size: size), space: { _ in .init(free: free, isMemory: isMemory) })?.warning
      }
      let none = [try warning(nil, free: Self.gibibyte), try warning(Self.gibibyte, free: Self.gibibyte)]
      #expect(none == [nil, nil])
      let large = try warning(2 * Self.gibibyte, free: Self.gibibyte)
      #expect(large == "--cache-size is 2048 MiB, but only 1024 MiB are free in the cache directory \(path)/c")
      let memory = try warning(nil, free: Self.gibibyte, isMemory: true)
      #expect(memory == "the cache directory \(path)/c is in memory (tmpfs): what is cached there counts as memory")
    }
  }
}
