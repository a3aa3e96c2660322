// SPDX-License-Identifier: Apache-2.0

/// Moves chunks between a block and its file. All of it blocks.
struct DiskBlockFile {
  /// What became of a look for a block's chunks.
  struct Found {
    /// Chunks that were read, proven and published.
    var chunks: UInt64 = 0
    /// The file is not, or not any more, what was written; it is to be removed.
    var isDamaged = false
    var failure: DiskFailure?
  }

  /// Seconds. Times of use are kept to the minute, so that reading seldom writes.
  private static let touchAge: Int64 = 60

  let directory: DiskDirectory
  let key: DiskBlockKey

  /// Publishes those of `wanted` that the file holds. The caller has claimed them.
  func load(_ wanted: UInt64, into block: Block) -> Found {
    var found = Found()
    do throws(DiskFailure) {
      guard let file = try directory.open(key.name) else { return found }
      guard let header = try header(of: file, size: block.size) else {
        found.isDamaged = true
        return found
      }
      for run in BlockGeometry.runs(wanted & header.chunks, size: block.size) {
        let memory = block.claimedBytes(run)
        let isWhole = try file.read(into: memory, at: DiskBlockHeader.length + run.lowerBound)
        guard isWhole, Self.isSound(UnsafeRawBufferPointer(memory), header, at: run) else {
          found.isDamaged = true
          return found
        }
        let mask = BlockGeometry.mask(run)
        block.publish(mask)
        found.chunks |= mask
      }
      if found.chunks != 0, try file.status().age >= Self.touchAge { file.touch() }
    } catch {
      found.failure = error
      found.isDamaged = error.concernsFile
    }
    return found
  }

  /// Writes a file of all chunks that the block has, and those that an earlier file has besides.
  ///
  /// It is written under another name and then renamed: a reader finds the old one, the new one, or none.
  /// - Parameter temporary: a number that no other attempt has.
  /// - Returns: bytes written, 0 if the file holds all of them already, and by how much the disk is fuller.
  func save(_ block: Block, temporary number: UInt64) throws(DiskFailure) -> (written: Int, growth: Int64) {
    let present = block.presentChunks
    let earlier = try earlier(size: block.size)
    if let header = earlier.header, present & ~header.chunks == 0 { return (0, 0) }
    let temporary = key.name.temporaryName(number)
    let new = try directory.create(temporary)
    do throws(DiskFailure) {
      var header = DiskBlockHeader(key: key.text, size: block.size)
      try new.setLength(DiskBlockHeader.length + block.size)
      var written = try write(present, of: block, to: new, &header)
      if let old = earlier.header { written += try copy(old.chunks & ~present, of: old, to: new, &header) }
      try new.write(header.encoded, at: 0)
      let bytes = try new.status().bytes
      try directory.publish(temporary, as: key.name)
      return (written + DiskBlockHeader.length, bytes - earlier.bytes)
    } catch {
      try? directory.remove(temporary)
      throw error
    }
  }

  /// The header of the file that is there, if it can be used, and the bytes of the disk that the file takes.
  private func earlier(size: Int) throws(DiskFailure) -> (header: DiskBlockHeader?, bytes: Int64) {
    guard let file = try directory.open(key.name) else { return (nil, 0) }
    return (try header(of: file, size: size), try file.status().bytes)
  }

  /// Nil unless it is this block's, and the file as long as it must be.
  private func header(of file: borrowing DiskFile, size: Int) throws(DiskFailure) -> DiskBlockHeader? {
    guard try file.status().length == Int64(DiskBlockHeader.length + size) else { return nil }
    return try file.read(0..<DiskBlockHeader.length).flatMap { DiskBlockHeader($0, key: key.text, size: size) }
  }

  private func write(
    _ chunks: UInt64, of block: Block, to file: borrowing DiskFile, _ header: inout DiskBlockHeader
  ) throws(DiskFailure) -> Int {
    var written = 0
    for run in BlockGeometry.runs(chunks, size: block.size) {
      let bytes = block.bytes(run)
      for chunk in Self.chunks(run) { header.add(chunk, Self.slice(bytes, header.range(of: chunk), from: run)) }
      try file.write(bytes, at: DiskBlockHeader.length + run.lowerBound)
      written += run.count
    }
    return written
  }

  /// Takes over chunks of an earlier file. A damaged one is left out; if another mount has replaced the file, a sound one is right all the same.
  private func copy(
    _ chunks: UInt64, of old: DiskBlockHeader, to file: borrowing DiskFile, _ header: inout DiskBlockHeader
  ) throws(DiskFailure) -> Int {
    guard chunks != 0, let source = try directory.open(key.name) else { return 0 }
    var written = 0
    for run in BlockGeometry.runs(chunks, size: old.size) {
      for chunk in Self.chunks(run) {
        let range = old.range(of: chunk)
        let place = DiskBlockHeader.length + range.lowerBound
        guard let bytes = try source.read(place..<place + range.count), bytes.withUnsafeBytes({ old.isSound(chunk, $0) }) else { continue }
        bytes.withUnsafeBytes { header.add(chunk, $0) }
        try file.write(bytes, at: place)
        written += range.count
      }
    }
    return written
  }

  private static func isSound(_ bytes: UnsafeRawBufferPointer, _ header: DiskBlockHeader, at run: Range<Int>) -> Bool {
    chunks(run).allSatisfy { header.isSound($0, slice(bytes, header.range(of: $0), from: run)) }
  }

  /// The chunks of a run, which begins with one and ends with one.
  private static func chunks(_ run: Range<Int>) -> Range<Int> {
    run.lowerBound / BlockGeometry.chunkSize..<(run.upperBound + BlockGeometry.chunkSize - 1) / BlockGeometry.chunkSize
  }

  private static func slice(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, from run: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound - run.lowerBound..<range.upperBound - run.lowerBound])
  }
}
