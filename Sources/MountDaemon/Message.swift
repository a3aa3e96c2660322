// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Lines for the person at the terminal.
package enum Message {
  /// `bergfs: sentence` on standard error, in one write.
  package static func error(_ sentence: String) {
    writeLine("bergfs: \(sentence.replacing("\n", with: " "))", to: STDERR_FILENO)
  }

  /// `bergfs: warning: sentence` on standard error.
  package static func warning(_ sentence: String) {
    error("warning: \(sentence)")
  }

  /// A text on standard output, with a newline at its end.
  package static func output(_ text: String) {
    writeLine(text, to: STDOUT_FILENO)
  }

  private static func writeLine(_ text: String, to descriptor: Int32) {
    var bytes = Array((text + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
