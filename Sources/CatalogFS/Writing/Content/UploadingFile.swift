// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

/// The bytes of one new object on their way to S3.
///
/// They are staged first. When more than `streamsAfter` have come in order, they go to a multipart upload as they come, and the staged ones
/// are freed. A file written out of order stays staged as a whole and is uploaded when it is finished.
///
/// Operations of one file run one after another in the order of their calls; ``abort()`` breaks off a write that waits for the network. Every
/// file must come to ``finish()`` or ``abort()``: an upload under way holds memory of the upload budget. An error of the upload is final, as
/// are an abort and an outcome that stays unknown; other errors leave the content as it was.
package final class UploadingFile: Sendable {
  /// Where the bytes are. Changed by the task that has the turn.
  enum Phase: Sendable {
    /// All bytes are here (nil: there are none). `isSequential`: nothing was written but at the end.
    case staged(StagingFile?, isSequential: Bool)
    /// All bytes are the first ones of another object.
    case referenced(ReferencedContent)
    case streaming(UploadStream)
    case published(ObjectAttributes)
    case failed(FilesystemError)
    case aborted
  }

  private struct State {
    var phase = Phase.staged(nil, isSequential: true)
    /// Somebody gave the file up: nothing may begin any more.
    var isAborting = false
    /// An abort has to wait for the result.
    var isFinishing = false
  }

  let location: ObjectLocation
  let files: any WritableFileIO
  let staging: StagingArea
  private let options: WriteOptions
  private let progress = TransferProgress()
  private let streamsAfter: Int64
  private let turns = TurnQueue()
  /// Never held over a call.
  private let state = Mutex(State())

  /// - Parameters:
  ///   - options: one mark for the whole life of the file: what it published can be told by it.
  ///   - streamsAfter: bytes. 64 MiB is more than goes in one request anyway (48 MiB with parts of the default size, 32 MiB), so that
  ///     files of one request take no upload memory while they are open, can be rewritten at will and finished again after a failure; and
  ///     little enough that many files at once fit the staging directory.
  package init(
    location: ObjectLocation, files: any WritableFileIO, staging: StagingArea, options: WriteOptions, streamsAfter: Int64 = 64 << 20
  ) {
    self.location = location
    self.files = files
    self.staging = staging
    var options = options
    options.progress = progress
    self.options = options
    self.streamsAfter = streamsAfter
  }

  /// Bytes; 0 once the file was aborted or its outcome is unknown.
  package var size: Int64 {
    switch phase {
    case .staged(let file, _): file?.size ?? 0
    case .referenced(let content): content.size
    case .streaming(let stream): stream.size
    case .published(let object): object.size
    case .failed, .aborted: 0
    }
  }

  package var isEmpty: Bool { size == 0 }

  /// Bytes that have arrived, of those of an upload in parts.
  package var uploaded: Int64 { progress.bytes }

  /// Writes bytes, waiting while the upload's memory or parts in flight are at their limit.
  ///
  /// - Throws: `tooLarge` (EFBIG) for bytes before what is uploaded already, and out-of-order content beyond the staging cap; `noSpace`
  ///   (ENOSPC) if other files fill the staging directory; `notPermitted` (EPERM) once published; `interrupted` if the task was cancelled.
  package func write(_ bytes: [UInt8], at offset: Int64) async throws(FilesystemError) {
    let end = try StagingFile.end(of: bytes, at: offset)
    try await inTurn { () throws(FilesystemError) in
      try checkOpen()
      if bytes.isEmpty { return }
      if case .referenced(let content) = phase {
        try await fetch(content, staysStaged: offset != content.size)
      }
      switch try checkOpen() {
      case .staged(let file, let isSequential):
        try await stage(bytes, at: offset, end: end, file: file, isSequential: isSequential && offset == file?.size ?? 0)
      case .streaming(let stream):
        try await stream.write(bytes, at: offset)
      case .referenced, .published, .failed, .aborted:
        throw Self.givenUp
      }
    }
  }

  /// Cuts the file or makes it longer by zeros. To 0, it begins anew even if bytes were uploaded.
  ///
  /// - Throws: as ``write(_:at:)``.
  package func truncate(to size: Int64) async throws(FilesystemError) {
    guard size >= 0 else { throw FilesystemError(.invalid, "a file cannot have \(size) bytes") }
    try await inTurn { () throws(FilesystemError) in
      try checkOpen()
      if size == self.size { return }
      if case .referenced(var content) = phase {
        if size > 0, size < content.size {
          content.size = size
          return try enter(.referenced(content))
        }
        if size > 0 { try await fetch(content, staysStaged: true) }
      }
      switch try checkOpen() {
      case .staged(let file, let isSequential) where size > 0:
        try resize(file, isSequential: isSequential, to: size)
      case .streaming(let stream) where size > 0:
        try stream.truncate(to: size)
      case .streaming(let stream):
        await stream.abort()
        progress.reset()
        try enter(.staged(nil, isSequential: true))
      case .staged, .referenced:
        try enter(.staged(nil, isSequential: true))
      case .published, .failed, .aborted:
        throw Self.givenUp
      }
    }
  }

  /// The bytes of a range, cut at the end of the file.
  ///
  /// - Throws: `busy` (EBUSY) once bytes are uploaded: they cannot be read before they are all there.
  package func read(_ range: Range<Int64>) async throws(FilesystemError) -> [UInt8] {
    try await inTurn { () throws(FilesystemError) in
      switch phase {
      case .staged(let file, _):
        return try file?.read(range) ?? []
      case .referenced(let content):
        let end = min(range.upperBound, content.size)
        return range.lowerBound < end
          ? try await Self.map { () throws(FileIOError) in try await content.bytes(range.lowerBound..<end) } : []
      case .streaming:
        throw FilesystemError(.busy, "\(location) is being uploaded: it can be read when its writer has closed it")
      case .published:
        throw FilesystemError(.busy, "\(location) has just been uploaded: open it again to read it")
      case .failed(let error):
        throw error
      case .aborted:
        throw Self.givenUp
      }
    }
  }

  /// Takes a range of an existing object by reference: ranges of one version that follow on one another from the first byte on.
  ///
  /// - Parameter sourceFiles: reads the source; if it is of the same kind as this file's own, a whole object never comes to this machine.
  /// - Returns: false if it is not possible here: the caller has the kernel copy the bytes (EOPNOTSUPP).
  package func copy(
    of source: ObjectAttributes, sourceFiles: any WritableFileIO, range: Range<Int64>, at offset: Int64
  ) async throws(FilesystemError) -> Bool {
    try await inTurn { () throws(FilesystemError) in
      let phase = try checkOpen()
      guard range.lowerBound >= 0, range.upperBound <= source.size, range.lowerBound == offset else { return false }
      if range.isEmpty { return true }
      switch phase {
      case .staged(let file, _) where file?.size ?? 0 == 0 && offset == 0:
        try enter(.referenced(ReferencedContent(source: source, files: sourceFiles, size: range.upperBound)))
      case .referenced(var content) where content.isSameVersion(as: source) && offset <= content.size:
        content.size = max(content.size, range.upperBound)
        try enter(.referenced(content))
      case .staged, .referenced, .streaming, .published, .failed, .aborted:
        return false
      }
      return true
    }
  }

  /// Publishes the object, unless one of its name exists. Once it has, every call gives the same attributes.
  ///
  /// - Throws: `exists` (EEXIST) and what else the upload meets. Where all bytes are still here and nothing was published for certain, the
  ///   content stays, can be changed, and finished again.
  package func finish() async throws(FilesystemError) -> ObjectAttributes {
    try await inTurn { () throws(FilesystemError) in
      if case .published(let object) = phase { return object }
      try checkOpen()
      try state.withLock { state throws(FilesystemError) in
        guard !state.isAborting else { throw Self.givenUp }
        state.isFinishing = true
      }
      defer { state.withLock { $0.isFinishing = false } }
      let object = try await publish()
      state.withLock { $0.phase = .published(object) }
      return object
    }
  }

  /// Gives the file up: no object, no parts, no staged bytes are left. Safe beside any call, and again; a finish under way is waited for.
  ///
  /// - Returns: the object, if it is published all the same.
  @discardableResult
  package func abort() async -> ObjectAttributes? {
    let stream = state.withLock { state -> UploadStream? in
      guard !state.isFinishing else { return nil }
      if case .published = state.phase { return nil }
      state.isAborting = true
      guard case .streaming(let stream) = state.phase else { return nil }
      return stream
    }
    // A write that waits for the network ends at once, instead of holding up the turn.
    await stream?.abort()
    await turns.enterAlways()
    defer { turns.leave() }
    let last = phase
    switch last {
    case .published(let object): return object
    case .streaming(let stream): await stream.abort()
    case .staged, .referenced, .failed, .aborted: break
    }
    state.withLock { $0.phase = .aborted }
    return nil
  }
}

extension UploadingFile {
  var phase: Phase { state.withLock { $0.phase } }
  /// Calls that wait for their turn.
  var waiting: Int { turns.count }

  /// Only for the task that has the turn.
  func enter(_ phase: Phase) throws(FilesystemError) {
    try state.withLock { state throws(FilesystemError) in
      guard !state.isAborting else { throw Self.givenUp }
      state.phase = phase
    }
  }

  /// The phase, if bytes can still come.
  @discardableResult
  func checkOpen() throws(FilesystemError) -> Phase {
    let (phase, isAborting) = state.withLock { ($0.phase, $0.isAborting) }
    switch phase {
    case .published: throw FilesystemError(.notPermitted, "\(location) is published: write a new file instead")
    case .failed(let error): throw error
    case .aborted: throw Self.givenUp
    case .streaming(let stream): try stream.checkOpen()
    case .staged, .referenced: break
    }
    guard !isAborting else { throw Self.givenUp }
    return phase
  }

  static var givenUp: FilesystemError { FilesystemError(.failed, "the upload was given up: write the file again") }

  static func outOfOrder(through end: Int64, _ staging: StagingArea) -> FilesystemError {
    FilesystemError(
      .tooLarge,
      "a file that is not written in order is staged first, and \(end) bytes do not fit the \(staging.capacity) of the staging directory: "
        + "write the file in order, or give the mount more staging space")
  }

  static func map<Value>(_ body: () async throws(FileIOError) -> Value) async throws(FilesystemError) -> Value {
    do throws(FileIOError) {
      return try await body()
    } catch {
      throw FilesystemError(error)
    }
  }

  private func inTurn<Value>(_ body: () async throws(FilesystemError) -> Value) async throws(FilesystemError) -> Value {
    guard await turns.enter() else { throw FilesystemError(.interrupted, "the operation was broken off before it began") }
    defer { turns.leave() }
    return try await body()
  }

  private func publish() async throws(FilesystemError) -> ObjectAttributes {
    let last = phase
    do throws(FileIOError) {
      switch last {
      case .staged(let file, _):
        return try await files.create(location, from: file ?? BytesContent([]), options: options)
      case .referenced(let content) where content.isWhole && type(of: content.files) == type(of: files):
        return try await files.copy(content.source, to: location, options: options)
      case .referenced(let content):
        return try await files.create(location, from: content, options: options)
      case .streaming, .published, .failed, .aborted:
        break
      }
    } catch {
      let failure = FilesystemError(error)
      // A second try would take the first one's object for its own, whatever was written since.
      if error.code == .unknown { state.withLock { $0.phase = .failed(failure) } }
      throw failure
    }
    guard case .streaming(let stream) = last else { throw Self.givenUp }
    return try await stream.finish()
  }

  /// Hands over to an upload what is staged; further bytes follow.
  func beginStreaming(_ file: StagingFile?) async throws(FilesystemError) -> UploadStream {
    let writer: any ObjectWriter
    do throws(FileIOError) {
      writer = try files.writer(location, expectedSize: nil, options: options)
    } catch {
      throw FilesystemError(error)
    }
    let stream = UploadStream(writer: writer, staging: staging, head: file)
    do throws(FilesystemError) {
      try enter(.streaming(stream))
    } catch {
      await stream.abort()
      throw error
    }
    try await stream.drain()
    return stream
  }

  func beginsStreaming(at size: Int64) -> Bool { size > streamsAfter }
}
