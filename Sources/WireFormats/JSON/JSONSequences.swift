// SPDX-License-Identifier: Apache-2.0

/// The members of an object in the order of the text.
package struct JSONMemberSequence: Sequence, IteratorProtocol, Sendable {
  private let storage: JSONStorage
  private var indices: Range<Int>

  init(storage: JSONStorage, indices: Range<Int>) {
    self.storage = storage
    self.indices = indices
  }

  package mutating func next() -> (key: String, value: JSONNode)? {
    guard let name = indices.first else { return nil }
    let value = name + 1
    indices = Int(storage.tape[value].next)..<indices.upperBound
    return (JSONNode(storage: storage, index: name).string ?? "", JSONNode(storage: storage, index: value))
  }
}

/// The elements of an array in order.
package struct JSONElementSequence: Sequence, IteratorProtocol, Sendable {
  private let storage: JSONStorage
  private var indices: Range<Int>

  init(storage: JSONStorage, indices: Range<Int>) {
    self.storage = storage
    self.indices = indices
  }

  package mutating func next() -> JSONNode? {
    guard let element = indices.first else { return nil }
    indices = Int(storage.tape[element].next)..<indices.upperBound
    return JSONNode(storage: storage, index: element)
  }
}
