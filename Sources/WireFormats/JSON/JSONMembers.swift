// SPDX-License-Identifier: Apache-2.0

/// The members of a JSON object to be written, in order. Names are not made unique.
package struct JSONMembers: Sendable, ExpressibleByDictionaryLiteral {
  /// One name with its value.
  package typealias Member = (key: String, value: JSONValue)

  /// In the order they are written.
  package var members: [Member]

  package init(_ members: [Member] = []) {
    self.members = members
  }

  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    members = elements.map { (key: $0.0, value: $0.1) }
  }

  /// The last member of this name, compared as bytes like a parsed object's.
  ///
  /// Setting replaces its value in place or appends; setting nil removes every member of the name.
  package subscript(_ key: String) -> JSONValue? {
    get { members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value }
    set {
      guard let newValue else {
        members.removeAll { $0.key.utf8.elementsEqual(key.utf8) }
        return
      }
      if let index = members.lastIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
        members[index].value = newValue
      } else {
        members.append((key, newValue))
      }
    }
  }
}

extension JSONMembers: Hashable {
  package static func == (left: JSONMembers, right: JSONMembers) -> Bool {
    left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(members.count)
    for member in members {
      hasher.combine(member.key)
      hasher.combine(member.value)
    }
  }
}
