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

  /// - Parameter range: where the block, or the part of it, stands in the bytes.
  init(range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
    budget = range.count &* 8 &+ 4096
  }

  var isAtEnd: Bool { position == end }

  // MARK: Records

  /// Goes over one record and fills the slots; those of what it has not are null.
  mutating func record(
    _ program: borrowing AvroProgram, _ text: Span<UInt8>, into slots: inout MutableSpan<Slot>
  ) throws(AvroError) {
    for slot in slots.indices { slots[slot] = .null }
    try spend()
    let steps = program.steps.span
    try run(steps, 0..<steps.count, text, &slots)
  }

  private mutating func run(
    _ steps: Span<AvroProgram.Step>, _ range: Range<Int>, _ text: Span<UInt8>, _ slots: inout MutableSpan<Slot>
  ) throws(AvroError) {
    // A copy that no call gets hold of: it stays in registers.
    var here = self
    defer { self = here }
    var index = range.lowerBound
    while index < range.upperBound {
      let step = steps[index]
      index += 1
      switch step.kind {
      case .skipNumbers: try here.skipNumbers(step.count, text)
      case .skipBytes: _ = try here.take(Int64(step.count))
      case .skipPrefixed: _ = try here.lengthPrefixed(text)
      case .skipNumberItems: try here.skipNumberItems(step.count, text)
      case .skipPrefixedItems: try here.skipPrefixedItems(step.count, text)
      case .skipItems:
        self = here
        defer { here = self }
        try skipItems(steps, index..<(index + step.count), text, &slots)
        index += step.count
      case .branch:
        let branch = try here.number(text)
        guard branch >= 0, branch < Int64(step.count) else { throw AvroError.corrupt("a union branch that does not exist") }
        index = steps[index + Int(branch)].count
      case .jump: index = step.count
      case .keepNumber: slots[step.slot] = .number(try here.number(text))
      case .keepBoolean: slots[step.slot] = .boolean(try here.boolean(text))
      case .keepBytes: slots[step.slot] = .bytes(try here.lengthPrefixed(text))
      case .beginValue: slots[step.slot] = .value(here.position..<here.position)
      case .endValue:
        if case .value(let begun) = slots[step.slot] { slots[step.slot] = .value(begun.lowerBound..<here.position) }
      }
    }
  }

  private mutating func skipItems(
    _ steps: Span<AvroProgram.Step>, _ item: Range<Int>, _ text: Span<UInt8>, _ slots: inout MutableSpan<Slot>
  ) throws(AvroError) {
    while let count = try walkedBlock(text) {
      for _ in 0..<count {
        try spend()
        try run(steps, item, text, &slots)
      }
    }
  }

  @inline(__always)
  private mutating func skipNumberItems(_ numbers: Int, _ text: Span<UInt8>) throws(AvroError) {
    while let count = try walkedBlock(text) {
      // A number takes a byte at least; so the product is far from overflowing.
      guard count <= Int64(end - position) else { throw AvroError.truncated }
      try skipNumbers(Int(count) * numbers, text)
    }
  }

  @inline(__always)
  private mutating func skipPrefixedItems(_ numbers: Int, _ text: Span<UInt8>) throws(AvroError) {
    while let count = try walkedBlock(text) {
      // Each takes a byte at least, so a false count ends at the end of the block.
      for _ in 0..<count {
        for _ in 0..<numbers { _ = try number(text) }
        _ = try lengthPrefixed(text)
      }
    }
  }

  /// How many items follow in the next block that has to be walked, past those that say how many bytes they take; nil at the end.
  @inline(__always)
  private mutating func walkedBlock(_ text: Span<UInt8>) throws(AvroError) -> Int64? {
    while let block = try block(text) {
      guard let size = block.size else { return block.count }
      _ = try take(size)
    }
    return nil
  }

  // MARK: Values

  /// Zig-zag, base 128, least significant group first.
  @inline(__always)
  mutating func number(_ text: Span<UInt8>) throws(AvroError) -> Int64 {
    guard position < end else { throw AvroError.truncated }
    let byte = text[position]
    guard byte < 0x80 else {
      let long = try longNumber(text)
      position = long.end
      return long.value
    }
    position += 1
    return Int64(byte >> 1) ^ -Int64(byte & 1)
  }

  private func longNumber(_ text: Span<UInt8>) throws(AvroError) -> (value: Int64, end: Int) {
    var value: UInt64 = 0
    var next = position
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard next < end else { throw AvroError.truncated }
      let byte = text[next]
      next += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return (Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1), next) }
    }
    throw AvroError.corrupt("a number of more than ten bytes")
  }

  /// Numbers end at bytes below 0x80: eight bytes are looked at together, wherever among them numbers begin and end.
  @inline(__always)
  private mutating func skipNumbers(_ count: Int, _ text: Span<UInt8>) throws(AvroError) {
    var rest = UInt64(count)
    // The high bits of the eight bytes before that end numbers; no number has begun before the first.
    var before = Self.highBits
    while rest > 0 {
      if position + 8 <= end {
        // SAFETY: eight bytes from `position` lie inside the text, by the condition above.
        let word = unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
        let ends = ~UInt64(littleEndian: word) & Self.highBits
        // A number of more than ten bytes has all of eight bytes, or three and more on both sides of where eight end.
        if ends != 0, (before >> 40 | ends) & 0xFF_FFFF != 0 {
          // Of each byte: the ends up to and including it.
          let sums = (ends >> 7) &* Self.lowBits
          if sums >> 56 >= rest {
            let reached = ((sums | Self.highBits) &- rest &* Self.lowBits) & Self.highBits
            position += reached.trailingZeroBitCount >> 3 + 1
            return
          }
          rest -= sums >> 56
          before = ends
          position += 8
          continue
        }
      }
      // Number by number, from where the one that has begun does.
      position -= before.leadingZeroBitCount >> 3
      before = Self.highBits
      _ = try number(text)
      rest -= 1
    }
  }

  private static let highBits: UInt64 = 0x8080_8080_8080_8080
  private static let lowBits: UInt64 = 0x0101_0101_0101_0101

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
