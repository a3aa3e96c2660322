// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Numbers of errno(3) in words.
package enum SystemError {
  /// What the system calls the error: `No such file or directory`.
  package static func text(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    return buffer.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, let text = xsiText(number, base, buffer.count) else { return "error \(number)" }
      return String(cString: text)
    }
  }

  /// strerror_r comes in two kinds: the XSI one returns a number, the GNU one the text. Swift's Glibc module shows the XSI one.
  private static func xsiText(_ number: Int32, _ buffer: UnsafeMutablePointer<CChar>, _ size: Int) -> UnsafePointer<CChar>? {
    guard strerror_r(number, buffer, size) == 0 else { return nil }
    return UnsafePointer(buffer)
  }
}
