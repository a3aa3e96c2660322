// SPDX-License-Identifier: Apache-2.0

import CFuse

extension FuseSession {
  /// The version of the libfuse that is loaded, as `3.14.0`.
  package static var libraryVersion: String { String(cString: fuse_pkgversion()) }
}
