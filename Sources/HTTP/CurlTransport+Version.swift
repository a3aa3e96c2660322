// SPDX-License-Identifier: Apache-2.0

import CCurl

extension CurlTransport {
  /// The versions of the libcurl that is loaded, as `7.88.1`, and of its TLS library, as `OpenSSL/3.0.19`; nil where it does not say.
  package static var libraryVersions: (curl: String?, tls: String?) {
    guard let version = curl_version_info(CURLVERSION_FIRST)?.pointee else { return (nil, nil) }
    return (version.version.map { String(cString: $0) }, version.ssl_version.map { String(cString: $0) })
  }
}
