// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Telemetry

/// The P-256 key that a set of AWS keys stands for in Signature Version 4A (spec: clients.md §8).
///
/// The service derives the public half from the same two texts, so nothing is exchanged.
// SAFETY: the key is written once; libcrypto's keys may be used by several threads at a time as long as none changes them.
final class SigV4AKey: @unchecked Sendable {
  /// SEC 1 of a private key on prime256v1: what stands before and behind its 32 bytes. libcrypto finds the public half itself.
  private static let encodingHead: [UInt8] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]
  private static let encodingTail: [UInt8] = [0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

  /// The order of the curve less two.
  private static let greatest: [UInt8] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
    0x9E,
    0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x4F,
  ]

  private let key: OpaquePointer

  /// - Throws: `configuration` where libcrypto cannot sign on this curve, or for the one in 2^8000 secrets without a key.
  init(accessKeyID: String, secretAccessKey: Secret) throws(AWSError) {
    guard let scalar = Self.scalar(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey) else {
      throw .configuration("These keys have no SigV4A key; make a new access key.")
    }
    let encoding = Self.encodingHead + scalar + Self.encodingTail
    let decoded = encoding.withUnsafeBufferPointer { buffer in
      var start = buffer.baseAddress
      return d2i_AutoPrivateKey(nil, &start, buffer.count)
    }
    guard let decoded else { throw .configuration("libcrypto has no P-256, which SigV4A signatures of multi-region access points need.") }
    key = decoded
  }

  deinit { EVP_PKEY_free(key) }

  /// ECDSA over the SHA-256 of a message, in DER. Another one each time.
  func signature(of message: [UInt8]) throws(AWSError) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var length = 0
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
      EVP_DigestSign(context, nil, &length, message, message.count) == 1
    else { throw .configuration("libcrypto cannot sign with P-256 (SigV4A).") }
    var isDone = false
    let signature = [UInt8](unsafeUninitializedCapacity: length) { output, count in
      isDone = EVP_DigestSign(context, output.baseAddress, &length, message, message.count) == 1
      count = isDone ? length : 0
    }
    guard isDone else { throw .configuration("libcrypto cannot sign with P-256 (SigV4A).") }
    return signature
  }

  /// The public point: 4, then X and Y of 32 bytes each.
  var publicPoint: [UInt8] {
    var buffer: UnsafeMutablePointer<UInt8>?
    let count = EVP_PKEY_get1_encoded_public_key(key, &buffer)
    defer { CRYPTO_free(buffer, nil, 0) }
    return Array(UnsafeBufferPointer(start: buffer, count: count))
  }

  /// The private number: the first of 254 candidates that is small enough, and one more.
  private static func scalar(accessKeyID: String, secretAccessKey: Secret) -> [UInt8]? {
    let secret = Array("AWS4A\(secretAccessKey.reveal())".utf8)
    for counter in UInt8(1)...254 {
      let message = [0, 0, 0, 1] + Array("AWS4-ECDSA-P256-SHA256".utf8) + [0] + Array(accessKeyID.utf8) + [counter, 0, 0, 1, 0]
      let candidate = SHA256.hmac(key: secret, message)
      if !greatest.lexicographicallyPrecedes(candidate) { return incremented(candidate) }
    }
    return nil
  }

  private static func incremented(_ number: [UInt8]) -> [UInt8] {
    var number = number
    for index in number.indices.reversed() {
      number[index] &+= 1
      if number[index] != 0 { break }
    }
    return number
  }
}
