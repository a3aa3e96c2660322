// SPDX-License-Identifier: Apache-2.0

/// Goes over the plain bytes of a block.
///
/// The bytes are given with each call rather than held, so that they are neither copied nor counted.
struct AvroDecoder: Sendable {
  /// What was kept of a record.
  enum Slot: Sendable {
    case null
    case boolean(Bool)
    /// An Avro int or long.
    case number(Int64)
    /// The content of bytes or a string, by its place in the block.
    case bytes(Range<Int>)
    /// The encoding of a value of another type, by its place in the block.
    case value(Range<Int>)
  }

  private(set) var position: Int
  private let end: Int
  /// Records and items that may still be read: stops those of no bytes, repeated without end.
  private var budget: Int
  private(set) var slots: [Slot]

  /// - Parameter range: where the block, or the part of it, stands in the bytes.
  init(range: Range<Int>, slotCount: Int = 0) {
    position = range.lowerBound
    end = range.upperBound
    budget = range.count &* 8 &+ 4096
    slots = Array(repeating: .null, count: slotCount)
  }

  var isAtEnd: Bool { position == end }

  // MARK: Records

  /// Goes over one record and fills the slots.
  mutating func record(_ program: borrowing AvroProgram, _ text: Span<UInt8>) throws(AvroError) {
    for slot in slots.indices { slots[slot] = .null }
    let steps = program.steps
    try spend()
    try run(steps.span, 0..<steps.count, text)
  }

  private mutating func run(_ steps: Span<AvroProgram.Step>, _ range: Range<Int>, _ text: Span<UInt8>) throws(AvroError) {
    var index = range.lowerBound
    while index < range.upperBound {
      let step = steps[index]
      index += 1
      switch step.kind {
      case .skipNumbers: try skipNumbers(step.count, text)
      case .skipBytes: _ = try take(Int64(step.count))
      case .skipPrefixed: _ = try lengthPrefixed(text)
      case .skipNumberItems: try skipNumberItems(step.count, text)
      case .skipItems:
        try skipItems(steps, index..<(index + step.count), text)
        index += step.count
      case .branch:
        let branch = try number(text)
        guard branch >= 0, branch < Int64(step.count) else { throw AvroError.corrupt("a union branch that does not exist") }
        index = steps[index + Int(branch)].count
      case .jump: index = step.count
      case .keepNumber: slots[step.slot] = .number(try number(text))
      case .keepBoolean: slots[step.slot] = .boolean(try boolean(text))
      case .keepBytes: slots[step.slot] = .bytes(try lengthPrefixed(text))
      case .beginValue: slots[step.slot] = .value(position..<position)
      case .endValue:
        if case .value(let begun) = slots[step.slot] { slots[step.slot] = .value(begun.lowerBound..<position) }
      }
    }
  }

  private mutating func skipItems(_ steps: Span<AvroProgram.Step>, _ item: Range<Int>, _ text: Span<UInt8>) throws(AvroError) {
    while let block = try block(text) {
      if let size = block.size {
        _ = try take(size)
        continue
      }
      for _ in 0..<block.count {
        try spend()
        try run(steps, item, text)
      }
    }
  }

  private mutating func skipNumberItems(_ numbers: Int, _ text: Span<UInt8>) throws(AvroError) {
    while let block = try block(text) {
      if let size = block.size {
        _ = try take(size)
        continue
      }
      // A number takes a byte at least; so the product is far from overflowing.
      guard block.count <= Int64(end - position) else { throw AvroError.truncated }
      try skipNumbers(Int(block.count) * numbers, text)
    }
  }

  // MARK: Values

  /// Zig-zag, base 128, least significant group first.
  @inline(__always)
  mutating func number(_ text: Span<UInt8>) throws(AvroError) -> Int64 {
    guard position < end else { throw AvroError.truncated }
    let byte = text[position]
    guard byte < 0x80 else { return try longNumber(text) }
    position += 1
    return Int64(byte >> 1) ^ -Int64(byte & 1)
  }

  private mutating func longNumber(_ text: Span<UInt8>) throws(AvroError) -> Int64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw AvroError.truncated }
      let byte = text[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
    }
    throw AvroError.corrupt("a number of more than ten bytes")
  }

  /// Numbers end at bytes below 0x80: eight bytes are looked at together, and the last end among them is where the next number begins.
  private mutating func skipNumbers(_ count: Int, _ text: Span<UInt8>) throws(AvroError) {
    var rest = count
    let raw = text.bytes
    while rest >= 8, position + 8 <= end {
      // SAFETY: eight bytes from `position` lie inside the text, by the loop's condition.
      let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
      let ends = ~word & 0x8080_8080_8080_8080
      if ends == 0 {
        _ = try longNumber(text)
        rest -= 1
      } else {
        rest -= ends.nonzeroBitCount
        position += 8 - ends.leadingZeroBitCount >> 3
      }
    }
    for _ in 0..<rest { _ = try number(text) }
  }

  mutating func boolean(_ text: Span<UInt8>) throws(AvroError) -> Bool {
    text[try take(1).lowerBound] != 0
  }

  /// The place of bytes preceded by their length.
  mutating func lengthPrefixed(_ text: Span<UInt8>) throws(AvroError) -> Range<Int> {
    try take(try number(text))
  }

  /// The place of the next bytes.
  mutating func take(_ count: Int64) throws(AvroError) -> Range<Int> {
    guard count >= 0 else { throw AvroError.corrupt("a negative length") }
    guard count <= Int64(end - position) else { throw AvroError.truncated }
    let start = position
    position += Int(count)
    return start..<position
  }

  /// The next block of an array or map; nil at its end.
  ///
  /// - Returns: how many items follow and, where the writer says so, how many bytes they take.
  mutating func block(_ text: Span<UInt8>) throws(AvroError) -> (count: Int64, size: Int64?)? {
    let count = try number(text)
    if count == 0 { return nil }
    guard count < 0 else { return (count, nil) }
    guard count != .min else { throw AvroError.corrupt("a block count out of range") }
    return (-count, try number(text))
  }

  mutating func spend() throws(AvroError) {
    budget -= 1
    guard budget > 0 else { throw AvroError(code: .overLimit, message: "the Avro file claims more values than it has bytes for") }
  }
}
