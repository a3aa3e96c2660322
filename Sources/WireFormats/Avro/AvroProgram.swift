// SPDX-License-Identifier: Apache-2.0

/// How to go over one value of a schema and keep what was asked for: worked out once a file, followed once a record.
///
/// A flat list: following it neither calls nor counts references, and what nobody wants is one step wherever the encoding allows it.
struct AvroProgram: Sendable {
  struct Step: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
      /// `count` numbers, one after the other.
      case skipNumbers
      /// `count` bytes.
      case skipBytes
      /// Bytes preceded by their length.
      case skipPrefixed
      /// An array whose items are `count` numbers each: Iceberg's maps of counts and sizes.
      case skipNumberItems
      /// An array or map whose items are `count` numbers each and bytes preceded by their length: Iceberg's maps of bounds.
      case skipPrefixedItems
      /// An array; the next `count` steps go over an item.
      case skipItems
      /// A union; one of the next `count` steps is a jump to the branch.
      case branch
      /// On to step `count`.
      case jump
      case keepNumber, keepBoolean, keepBytes
      /// The bytes from here on are the value of the slot …
      case beginValue
      /// … to here.
      case endValue
    }

    var kind: Kind
    var count: Int
    var slot = 0
  }

  private(set) var steps: [Step] = []
  /// What the value of a slot is of, where it is kept whole.
  private(set) var schemas: [AvroSchema?]

  /// Steps before this one may be jumped over, so none after it is joined to them.
  private var barrier = 0
  private var valueCount = 0

  /// Values, named types counted wherever they stand: a table of 1,000 columns has one partition field in its manifests for each at most.
  private static let mostValues = 1 << 16

  /// - Parameter paths: the fields asked for from the outermost record inwards; the index of a path is its slot.
  /// - Throws: `unsupportedSchema`, `overLimit`.
  init(_ schema: AvroSchema, keeping paths: [[AvroContainer.Selection]]) throws(AvroError) {
    schemas = Array(repeating: nil, count: paths.count)
    try add(schema, paths.enumerated().map { ($0.offset, $0.element[...]) })
  }

  /// - Parameter wanted: slots, and what is left of the way to their fields.
  private mutating func add(
    _ schema: AvroSchema, _ wanted: [(slot: Int, path: ArraySlice<AvroContainer.Selection>)]
  ) throws(AvroError) {
    if let end = wanted.first(where: { $0.path.isEmpty }) { return try keep(schema, end.slot) }
    switch schema {
    case .union(let branches):
      try addUnion(branches) { program, branch throws(AvroError) in try program.add(branch, wanted) }
    case .record(let fields) where !wanted.isEmpty:
      try count()
      let hasIDs = fields.contains { $0.fieldID != nil }
      for field in fields {
        let inside = wanted.filter { wanted in
          wanted.path.first.map { hasIDs ? $0.fieldID == field.fieldID : $0.name == field.name } ?? false
        }
        try add(field.schema, inside.map { ($0.slot, $0.path.dropFirst()) })
      }
    default: try skip(schema)
    }
  }

  private mutating func keep(_ schema: AvroSchema, _ slot: Int) throws(AvroError) {
    switch schema {
    case .null: break
    case .int, .long: append(.keepNumber, slot: slot)
    case .boolean: append(.keepBoolean, slot: slot)
    case .bytes, .string: append(.keepBytes, slot: slot)
    case .union(let branches) where branches.allSatisfy(\.isSimple):
      try addUnion(branches) { program, branch throws(AvroError) in try program.keep(branch, slot) }
    default:
      schemas[slot] = schema
      append(.beginValue, slot: slot)
      barrier = steps.count
      try skip(schema)
      append(.endValue, slot: slot)
    }
  }

  private mutating func skip(_ schema: AvroSchema) throws(AvroError) {
    try count()
    switch schema {
    case .null, .fixed(0): break
    case .boolean: append(.skipBytes, 1)
    case .float: append(.skipBytes, 4)
    case .double: append(.skipBytes, 8)
    case .fixed(let size): append(.skipBytes, size)
    case .int, .long, .enumeration: append(.skipNumbers, 1)
    case .bytes, .string: append(.skipPrefixed)
    case .union(let branches): try addUnion(branches) { program, branch throws(AvroError) in try program.skip(branch) }
    case .record(let fields): for field in fields { try skip(field.schema) }
    case .array(let items): try addItems { program throws(AvroError) in try program.skip(items) }
    case .map(let values):
      try addItems { program throws(AvroError) in
        program.append(.skipPrefixed)
        try program.skip(values)
      }
    }
  }

  private mutating func addItems(_ addItem: (inout AvroProgram) throws(AvroError) -> Void) throws(AvroError) {
    let head = steps.count
    append(.skipItems)
    barrier = steps.count
    try addItem(&self)
    let item = steps[(head + 1)...]
    let numbers = item.first?.kind == .skipNumbers ? item.first?.count : nil
    switch (numbers, item.last?.kind, item.count) {
    case (let numbers?, _, 1): steps[head] = Step(kind: .skipNumberItems, count: numbers)
    case (let numbers?, .skipPrefixed, 2): steps[head] = Step(kind: .skipPrefixedItems, count: numbers)
    case (nil, .skipPrefixed, 1): steps[head] = Step(kind: .skipPrefixedItems, count: 0)
    default: steps[head].count = item.count
    }
    if steps[head].kind != .skipItems { steps.removeLast(item.count) }
    barrier = steps.count
  }

  private mutating func addUnion(
    _ branches: [AvroSchema], _ addBranch: (inout AvroProgram, AvroSchema) throws(AvroError) -> Void
  ) throws(AvroError) {
    try count()
    let head = steps.count
    append(.branch, branches.count)
    for _ in branches { append(.jump) }
    var ends: [Int] = []
    for (index, branch) in branches.enumerated() {
      let start = steps.count
      barrier = start
      try addBranch(&self, branch)
      if steps.count == start {
        // Nothing to do for null: straight to the end.
        ends.append(head + 1 + index)
        continue
      }
      steps[head + 1 + index].count = start
      if index < branches.count - 1 {
        ends.append(steps.count)
        append(.jump)
      }
    }
    for end in ends { steps[end].count = steps.count }
    barrier = steps.count
  }

  /// Adds a step, or lets the one before do its work too.
  private mutating func append(_ kind: Step.Kind, _ count: Int = 0, slot: Int = 0) {
    if kind == .skipNumbers || kind == .skipBytes, steps.count > barrier, steps[steps.count - 1].kind == kind {
      steps[steps.count - 1].count += count
    } else {
      steps.append(Step(kind: kind, count: count, slot: slot))
    }
  }

  private mutating func count() throws(AvroError) {
    valueCount += 1
    guard valueCount <= Self.mostValues else {
      throw AvroError(code: .overLimit, message: "the Avro schema has more than \(Self.mostValues) values")
    }
  }
}

extension AvroSchema {
  /// Kept as it is decoded, rather than as a range of bytes.
  fileprivate var isSimple: Bool {
    switch self {
    case .null, .int, .long, .boolean, .bytes, .string: true
    case .float, .double, .enumeration, .fixed, .array, .map, .union, .record: false
    }
  }
}
