// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The bytes that are still here.
extension UploadingFile {
  /// - Parameter isSequential: the bytes, and all before them, were written in order.
  func stage(
    _ bytes: [UInt8], at offset: Int64, end: Int64, file: StagingFile?, isSequential: Bool
  ) async throws(FilesystemError) {
    if isSequential, beginsStreaming(at: end) {
      return try await beginStreaming(file).write(bytes, at: offset)
    }
    do throws(FilesystemError) {
      try keep(file, through: end, isSequential: isSequential) { file throws(FilesystemError) in
        try file.write(bytes, at: offset)
      }
    } catch {
      // No room here, but the bytes are in order: they need none.
      guard isSequential, [.noSpace, .outOfMemory, .tooLarge].contains(error.code) else { throw error }
      try await beginStreaming(file).write(bytes, at: offset)
    }
  }

  func resize(_ file: StagingFile?, isSequential: Bool, to size: Int64) throws(FilesystemError) {
    // Who makes room beforehand will not write in order.
    let isSequential = isSequential && size <= file?.size ?? 0
    try keep(file, through: size, isSequential: isSequential) { file throws(FilesystemError) in
      try file.truncate(to: size)
    }
  }

  /// Brings here what was only referred to. The reference stays if that fails.
  ///
  /// - Parameter staysStaged: not to be uploaded meanwhile: what follows is not in order.
  func fetch(_ content: ReferencedContent, staysStaged: Bool) async throws(FilesystemError) {
    if staysStaged, content.size > staging.capacity { throw Self.outOfOrder(through: content.size, staging) }
    try enter(.staged(nil, isSequential: !staysStaged))
    do throws(FilesystemError) {
      var next: Int64 = 0
      while next < content.size {
        let range = next..<min(next + ReferencedContent.chunk, content.size)
        let bytes = try await Self.map { () throws(FileIOError) in try await content.bytes(range) }
        switch try checkOpen() {
        case .staged(let file, let isSequential):
          try await stage(bytes, at: next, end: range.upperBound, file: file, isSequential: isSequential)
        case .streaming(let stream):
          try await stream.write(bytes, at: next)
        case .referenced, .published, .failed, .aborted:
          throw Self.givenUp
        }
        next = range.upperBound
      }
    } catch {
      if case .streaming(let stream) = phase { await stream.abort() }
      try enter(.referenced(content))
      throw error
    }
  }

  /// Runs a change of the staging file that reaches up to an end.
  private func keep(
    _ present: StagingFile?, through end: Int64, isSequential: Bool, _ change: (StagingFile) throws(FilesystemError) -> Void
  ) throws(FilesystemError) {
    if end > staging.capacity { throw Self.outOfOrder(through: end, staging) }
    let file: StagingFile
    if let present { file = present } else { file = try staging.makeFile() }
    try change(file)
    try enter(.staged(file, isSequential: isSequential))
  }
}
