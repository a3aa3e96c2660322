// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// MD5 of libcrypto, for `Content-MD5`, which some servers want. It protects against damage, not against anyone.
package enum MD5 {
  /// Nil where libcrypto runs in a mode that forbids it.
  package static func digest(_ bytes: [UInt8]) -> [UInt8]? {
    var length: UInt32 = 0
    var isDone = false
    let digest = [UInt8](unsafeUninitializedCapacity: 16) { output, count in
      isDone = bytes.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, output.baseAddress, &length, EVP_md5(), nil) == 1 }
      count = isDone ? Int(length) : 0
    }
    return isDone ? digest : nil
  }
}
