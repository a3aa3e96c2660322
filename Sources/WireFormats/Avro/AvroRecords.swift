// SPDX-License-Identifier: Apache-2.0

/// Goes over the records of a container, one block in plain bytes at a time. A copy goes on where the original stood.
package struct AvroRecords: Sendable {
  private let bytes: [UInt8]
  private let sync: ArraySlice<UInt8>
  private let program: AvroProgram
  private let codec: AvroCodec
  private let limit: Int
  private var file: AvroDecoder
  /// Of the plain bytes of the block, or of the whole file where they stand in it.
  private var record = AvroRecord(block: [], schemas: [])
  private var decoder = AvroDecoder(range: 0..<0)
  /// Records of the block that were not read yet.
  private var rest: Int64 = 0
  /// Where the block begins in the file.
  private var start = 0

  init(bytes: [UInt8], sync: ArraySlice<UInt8>, file: AvroDecoder, program: AvroProgram, codec: AvroCodec, limit: Int) {
    self.bytes = bytes
    self.sync = sync
    self.file = file
    self.program = program
    self.codec = codec
    self.limit = limit
  }

  /// Calls the body with the next record; false at the end of the file. Throws as ``AvroContainer/forEachRecord(_:limit:_:)`` does.
  package mutating func next(_ body: (borrowing AvroRecord) throws(AvroError) -> Void) throws(AvroError) -> Bool {
    while rest == 0 {
      guard try nextBlock() else { return false }
    }
    do throws(AvroError) {
      try step(record.block, body)
      if rest == 0 { try checkEnd() }
    } catch {
      throw placed(error)
    }
    return true
  }

  /// Takes the next block; false at the end of the file.
  mutating func nextBlock() throws(AvroError) -> Bool {
    guard file.position < bytes.count else { return false }
    start = file.position
    let bytes = bytes
    do throws(AvroError) {
      let count = try file.number(bytes.span)
      let place = try file.take(try file.number(bytes.span))
      guard bytes[try file.take(16)] == sync else { throw AvroError.corrupt("a wrong sync marker") }
      guard count >= 0 else { throw AvroError.corrupt("a negative count") }
      let isPlain = codec == .null
      let block = isPlain ? bytes : try codec.decompress(bytes.span.extracting(place), limit: limit)
      record = AvroRecord(block: block, schemas: program.schemas)
      decoder = AvroDecoder(range: isPlain ? place : block.indices)
      rest = count
      if count == 0 { try checkEnd() }
    } catch {
      throw error.at(start)
    }
    return true
  }

  /// Goes over what is left of the block.
  mutating func forEach(_ body: (borrowing AvroRecord) throws(AvroError) -> Void) throws(AvroError) {
    guard rest > 0 else { return }
    let block = record.block
    do throws(AvroError) {
      while rest > 0 { try step(block, body) }
      try checkEnd()
    } catch {
      throw placed(error)
    }
  }

  @inline(__always)
  private mutating func step(_ block: [UInt8], _ body: (borrowing AvroRecord) throws(AvroError) -> Void) throws(AvroError) {
    rest -= 1
    try record.read(&decoder, program, block.span)
    try body(record)
  }

  private func checkEnd() throws(AvroError) {
    guard decoder.isAtEnd else { throw AvroError.corrupt("a block longer than its records") }
  }

  /// In a compressed block no byte of the file stands for one of the plain ones, so the block's own place is told.
  private func placed(_ error: AvroError) -> AvroError {
    error.at(codec == .null ? decoder.position : start)
  }
}
