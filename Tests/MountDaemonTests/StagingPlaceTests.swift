// SPDX-License-Identifier: Apache-2.0

import Configuration
import Fuse
import Glibc
import Processes
import Testing

@testable import MountDaemon

@Suite("Where what is not published waits")
struct StagingPlaceTests {
  private static let gibibyte: Int64 = 1 << 30

  private func withDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/bergfs-staging-test.XXXXXX".utf8CString)
    let path = try template.withUnsafeMutableBufferPointer {
      try #require($0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) })
    }
    defer { _ = ChildProcess.run("rm", ["-rf", path]) }
    try body(path)
  }

  private func options(_ directory: String?, size: Int64? = nil) -> MountOptions {
    var options = MountOptions(catalog: "c", mountpoint: "/m", memoryLimit: 1)
    options.stagingDirectory = directory
    options.stagingSize = size
    return options
  }

  private func surroundings(_ free: Int64?, isMemory: Bool = false) -> StagingPlace.Surroundings {
    var surroundings = StagingPlace.Surroundings()
    surroundings.space = { _ in free.map { .init(free: $0, isMemory: isMemory) } }
    return surroundings
  }

  private func message(_ options: MountOptions, _ surroundings: StagingPlace.Surroundings = .init()) -> String? {
    do throws(LifecycleError) {
      _ = try StagingPlace.prepare(options, in: surroundings)
      return nil
    } catch {
      return error.message
    }
  }

  private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test("The default is a directory of the user below /var/tmp, or below the cache directory of one who has one and is not root")
  func defaults() {
    var place = StagingPlace.Surroundings(user: 1000, environment: ["XDG_CACHE_HOME": "/home/me/.cache/"])
    #expect(StagingPlace.defaultDirectory(place) == "/home/me/.cache/bergfs")
    place.environment = ["XDG_CACHE_HOME": "relative"]
    #expect(StagingPlace.defaultDirectory(place) == "/var/tmp/bergfs-1000")
    place.environment = [:]
    #expect(StagingPlace.defaultDirectory(place) == "/var/tmp/bergfs-1000")
    place = StagingPlace.Surroundings(user: 0, environment: ["XDG_CACHE_HOME": "/home/me/.cache"])
    #expect(StagingPlace.defaultDirectory(place) == "/var/tmp/bergfs-0")
  }

  @Test("Below s3.staging-dir a directory of the user's own is made, with what is missing above it; --staging-dir wins")
  func namedByProperty() throws {
    try withDirectory { base in
      var place = surroundings(1 << 40)
      place.namedDirectory = "\(base)/some/place/"
      #expect(try StagingPlace.prepare(options(nil), in: place).directory == "\(base)/some/place/bergfs-\(place.user)")
      #expect(mode("\(base)/some/place/bergfs-\(place.user)") == 0o700)
      try #require(mkdir("\(base)/own", 0o700) == 0)
      #expect(try StagingPlace.prepare(options("\(base)/own"), in: place).directory == "\(base)/own")
    }
  }

  @Test("Directory and journals are made for the user alone, and taken again as they are")
  func made() throws {
    try withDirectory { path in
      for _ in 1...2 {
        let place = try StagingPlace.prepare(options("\(path)/s/"))
        #expect(place.directory == "\(path)/s" && place.journals == "\(path)/s/journals")
        #expect(mode(place.directory) == 0o700 && mode(place.journals) == 0o700)
      }
      var surroundings = StagingPlace.Surroundings()
      surroundings.sharedDirectory = "\(path)/var/tmp"
      let place = try StagingPlace.prepare(options(nil), in: surroundings)
      #expect(place.directory == "\(path)/var/tmp/bergfs-\(geteuid())")
    }
  }

  @Test("Links, files, other users' directories and open ones are refused, each with its sentence")
  func refused() throws {
    try withDirectory { path in
      let advice = "give another one by --staging-dir"
      mkdir("\(path)/real", 0o700)
      symlink("real", "\(path)/link")
      for name in ["link", "link/"] {
        #expect(message(options("\(path)/\(name)")) == "the staging directory \(path)/link is a symbolic link or no directory; \(advice)")
      }
      close(open("\(path)/file", O_CREAT | O_WRONLY, 0o600))
      #expect(message(options("\(path)/file")) == "the staging directory \(path)/file is a symbolic link or no directory; \(advice)")
      #expect(
        message(options("\(path)/no/s")) == "the staging directory \(path)/no/s cannot be made: No such file or directory; \(advice)")
      mkdir("\(path)/open", 0o700)
      chmod("\(path)/open", 0o750)
      #expect(
        message(options("\(path)/open"))
          == "the staging directory \(path)/open is open to other users: run chmod 700 \(path)/open, or \(advice)")
      #expect(
        message(options("\(path)/real"), .init(user: 4711))
          == "the staging directory \(path)/real belongs to user \(geteuid()), who could change what is published; \(advice)")
      symlink("/tmp", "\(path)/real/journals")
      #expect(
        message(options("\(path)/real")) == "the staging directory \(path)/real/journals is a symbolic link or no directory; \(advice)")
      for text in ["/", "relative"] {
        #expect(message(options(text))?.hasPrefix("the staging directory \(text) is not usable") == true)
      }
    }
  }

  @Test("10 GiB may wait there, but no more than half of the free space, unless a size was given")
  func capacity() throws {
    try withDirectory { path in
      func capacity(_ size: Int64?, free: Int64?) throws -> Int64 {
        try StagingPlace.prepare(options("\(path)/s", size: size), in: surroundings(free)).capacity
      }
      let capacities = [
        try capacity(nil, free: 100 * Self.gibibyte), try capacity(nil, free: 6 * Self.gibibyte), try capacity(nil, free: nil),
        try capacity(50 * Self.gibibyte, free: 6 * Self.gibibyte),
      ]
      #expect(capacities == [10, 3, 10, 50].map { $0 * Self.gibibyte })
    }
  }

  @Test("A place in memory, and a size beyond the free space, are told")
  func warnings() throws {
    try withDirectory { path in
      func warning(_ size: Int64?, free: Int64, isMemory: Bool = false) throws -> String? {
        try StagingPlace.prepare(options("\(path)/s", size: size), in: surroundings(free, isMemory: isMemory)).warning
      }
      let warnings = [
        try warning(nil, free: Self.gibibyte), try warning(Self.gibibyte, free: Self.gibibyte),
        try warning(2 * Self.gibibyte, free: Self.gibibyte), try warning(nil, free: Self.gibibyte, isMemory: true),
      ]
      #expect(
        warnings == [
          nil, nil, "--staging-size is 2048 MiB, but only 1024 MiB are free in the staging directory \(path)/s",
          "the staging directory \(path)/s is in memory (tmpfs): what is staged, up to 512 MiB, counts as memory; "
            + "give a directory on a disk by --staging-dir",
        ])
    }
  }

  @Test("The kernel tells a place in memory from one on a disk")
  func space() {
    #expect(StagingPlace.Space(of: "/dev/shm")?.isMemory == true)
    #expect(StagingPlace.Space(of: "/proc")?.isMemory == false)
    #expect(StagingPlace.Space(of: "/no/such/place") == nil)
  }
}
