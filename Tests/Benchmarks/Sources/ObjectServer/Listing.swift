// SPDX-License-Identifier: Apache-2.0

/// What a listing asks for, both versions of the operation brought to one form.
package struct ListQuery: Sendable {
  package var prefix: [UInt8] = []
  /// Empty: no grouping.
  package var delimiter: [UInt8] = []
  package var maxKeys = 1000
  /// Only keys and common prefixes after this one.
  package var after: [UInt8] = []

  package init() {}
}

/// One page of a listing.
package struct ListPage: Sendable {
  package enum Row: Sendable {
    case object(ListedObject)
    case commonPrefix([UInt8])

    package var name: [UInt8] {
      switch self {
      case .object(let object): object.key
      case .commonPrefix(let prefix): prefix
      }
    }
  }

  package var rows: [Row] = []
  /// The last row's name when more rows follow; as `after` of the next query it continues there.
  package var next: [UInt8]?

  /// Walks a bucket from the query's start; costs one lookup a row, however many keys a common prefix stands for.
  package init(_ query: ListQuery, in bucket: Bucket) {
    guard query.maxKeys > 0 else { return }
    var cursor = ListPage.start(query)
    while let key = cursor, let object = bucket.first(atOrAfter: key), object.key.starts(with: query.prefix) {
      if rows.count == query.maxKeys {
        next = rows.last?.name
        return
      }
      if let common = ListPage.commonPrefix(of: object.key, query) {
        rows.append(.commonPrefix(common))
        cursor = ListPage.successor(ofAllWith: common)
      } else {
        rows.append(.object(object))
        cursor = object.key + [0]
      }
    }
  }

  private static func start(_ query: ListQuery) -> [UInt8]? {
    guard !query.after.isEmpty else { return query.prefix }
    if let common = commonPrefix(of: query.after, query), common == query.after {
      return successor(ofAllWith: common)
    }
    let next = query.after + [0]
    return next.lexicographicallyPrecedes(query.prefix) ? query.prefix : next
  }

  /// The part of a key up to and with the first delimiter after the prefix, or nil.
  private static func commonPrefix(of key: [UInt8], _ query: ListQuery) -> [UInt8]? {
    guard let first = query.delimiter.first, key.starts(with: query.prefix) else { return nil }
    var index = query.prefix.count
    while let found = key[index...].firstIndex(of: first) {
      if key[found...].starts(with: query.delimiter) { return Array(key[..<(found + query.delimiter.count)]) }
      index = found + 1
    }
    return nil
  }

  /// The smallest key after all keys that begin with `prefix`; nil when there is none.
  private static func successor(ofAllWith prefix: [UInt8]) -> [UInt8]? {
    var key = prefix
    while let last = key.popLast() {
      if last < 255 { return key + [last + 1] }
    }
    return nil
  }
}
