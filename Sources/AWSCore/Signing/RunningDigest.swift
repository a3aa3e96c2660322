// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// SHA-1 or SHA-256 of bytes that come in pieces. Not for several threads at a time.
// SAFETY: whoever holds it feeds it from one place at a time; libcrypto's context is bound to no thread.
package final class RunningDigest: @unchecked Sendable {
  package enum Algorithm: Sendable, Hashable {
    case sha1, sha256
  }

  private let context: OpaquePointer?
  private var isSound: Bool

  package init(_ algorithm: Algorithm) {
    context = EVP_MD_CTX_new()
    isSound = EVP_DigestInit_ex(context, algorithm == .sha1 ? EVP_sha1() : EVP_sha256(), nil) == 1
  }

  deinit { EVP_MD_CTX_free(context) }

  package func update(_ bytes: UnsafeRawBufferPointer) {
    isSound = isSound && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
  }

  /// Nil where libcrypto runs in a mode that forbids the algorithm. Call once.
  package func finish() -> [UInt8]? {
    guard isSound else { return nil }
    var length: UInt32 = 0
    let digest = [UInt8](unsafeUninitializedCapacity: 32) { output, count in
      isSound = EVP_DigestFinal_ex(context, output.baseAddress, &length) == 1
      count = isSound ? Int(length) : 0
    }
    return isSound ? digest : nil
  }
}
