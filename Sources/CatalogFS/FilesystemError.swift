// SPDX-License-Identifier: Apache-2.0

/// Why an operation of the mounted catalog failed, before it becomes an errno.
///
/// Mapped to POSIX in one table at the edge; nothing else decides by text.
package struct FilesystemError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// ENOENT
    case notFound
    /// ENOTDIR
    case notDirectory
    /// EISDIR
    case isDirectory
    /// EINVAL
    case invalid
    /// ESTALE
    case stale
    /// EACCES
    case denied
    /// EROFS
    case readOnly
    /// ETIMEDOUT
    case timedOut
    /// EIO
    case failed
    /// EINTR
    case interrupted
    /// EEXIST
    case exists
    /// ENOTEMPTY
    case notEmpty
    /// EFBIG
    case tooLarge
    /// EPERM: what this filesystem never does, or only with an option that the mount was not given.
    case notPermitted
    /// EBUSY: a second writer of a staged name, or bytes that are on their way. Tools try again on it: nothing else may give it.
    case busy
    /// ENOSPC: the staging directory is full.
    case noSpace
    /// ENOMEM: no more files can be open, or no more memory is allowed.
    case outOfMemory
    /// EOPNOTSUPP: the kernel falls back to another way.
    case notSupported
    /// EBADF: a handle that was never given out.
    case badHandle
  }

  package var code: Code
  /// One sentence for a person; empty for the plain absence of a name, which is no failure worth a line.
  package var message: String
  package var requestID: String?

  package init(_ code: Code, _ message: String = "", requestID: String? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
  }

  package static let notFound = FilesystemError(.notFound)
  package var description: String { message.isEmpty ? code.rawValue : message }
}
