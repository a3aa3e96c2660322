// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The two ends of a pipe, both close-on-exec; whoever made it closes them.
package struct Pipe: Sendable {
  package let readEnd: Int32
  package let writeEnd: Int32

  /// Makes a pipe; nil if no descriptor is left.
  package init?() {
    var ends: [Int32] = [-1, -1]
    guard bergfs_pipe(&ends) == 0 else { return nil }
    readEnd = ends[0]
    writeEnd = ends[1]
  }

  /// Reads two descriptors to their ends, as the bytes come.
  package static func drain(_ first: Int32, _ second: Int32) -> (first: [UInt8], second: [UInt8]) {
    var bytes: [[UInt8]] = [[], []]
    var polled = [pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0)]
    while polled.contains(where: { $0.fd >= 0 }) {
      guard poll(&polled, nfds_t(polled.count), -1) >= 0 || errno == EINTR else { break }
      for index in polled.indices where polled[index].fd >= 0 && polled[index].revents != 0 {
        if let chunk = readChunk(polled[index].fd), !chunk.isEmpty {
          bytes[index] += chunk
        } else {
          polled[index].fd = -1
        }
      }
    }
    return (bytes[0], bytes[1])
  }

  /// What a descriptor has now, waiting for the first byte; empty at its end, nil on an error.
  package static func readChunk(_ descriptor: Int32) -> [UInt8]? {
    var result = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
      repeat { result = read(descriptor, buffer.baseAddress, buffer.count) } while result < 0 && errno == EINTR
      count = max(result, 0)
    }
    return result < 0 ? nil : chunk
  }
}

/// C's `char *argv[]` for the length of a call.
package enum CStringArray {
  package static func withPointers<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
      // SAFETY: the array holds at least the terminating nil, so it has a base address.
      body(buffer.baseAddress!)
    }
  }
}
