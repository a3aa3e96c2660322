// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// SHA-1 of libcrypto, for the name of a file that other tools choose by it. It protects nothing.
enum SHA1 {
  /// Lower-case hex; empty where libcrypto runs in a mode that forbids it.
  static func hexDigest(_ bytes: [UInt8]) -> String {
    var length: UInt32 = 0
    let digest = [UInt8](unsafeUninitializedCapacity: 20) { output, count in
      let isDone = bytes.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, output.baseAddress, &length, EVP_sha1(), nil) == 1 }
      count = isDone ? Int(length) : 0
    }
    return String(decoding: SHA256.hex(digest), as: UTF8.self)
  }
}
