// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct ListingTests {
  private static let keys = ["a", "a-b", "a.txt", "a/", "a/b/x", "a/b/y", "a/z", "aa/q", "b", "z z/+%", "é/1", "é/2"]

  private var bucket: Bucket {
    var source = SyntheticSource(born: 0)
    for key in Self.keys.reversed() { source.add(key: key, bytes: Array(key.utf8)) }
    source.seal()
    return Bucket(sources: [source])
  }

  /// The rows S3 gives, from the definition: filter, group, cut.
  private func expected(_ query: ListQuery) -> [[UInt8]] {
    var rows: [[UInt8]] = []
    for key in Self.keys.map({ Array($0.utf8) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard key.starts(with: query.prefix), query.after.lexicographicallyPrecedes(key) else { continue }
      var row = key
      if let delimiter = query.delimiter.first, let found = key[query.prefix.count...].firstIndex(of: delimiter) {
        row = Array(key[...found])
        if row == query.after { continue }
      }
      if rows.last != row { rows.append(row) }
    }
    return rows
  }

  @Test(
    "Pages joined are the whole listing, whatever prefix, delimiter, start and page size",
    arguments: ["", "a", "a/", "a/b", "é", "none"], ["", "/", "b"])
  func pagesJoin(prefix: String, delimiter: String) {
    for after in ["", "a", "a/", "a/b/", "a/b/x", "b", "zz"] {
      for size in 1...4 {
        var query = ListQuery()
        query.prefix = Array(prefix.utf8)
        query.delimiter = Array(delimiter.utf8)
        query.after = Array(after.utf8)
        query.maxKeys = size
        let wanted = expected(query)
        var rows: [[UInt8]] = []
        var page = ListPage(query, in: bucket)
        rows += page.rows.map(\.name)
        while let next = page.next, rows.count <= wanted.count {
          #expect(page.rows.count == size)
          query.after = next
          page = ListPage(query, in: bucket)
          rows += page.rows.map(\.name)
        }
        #expect(rows == wanted, "after \(after), \(size) a page")
      }
    }
  }

  @Test("A page of no keys is empty and last")
  func noKeys() {
    var query = ListQuery()
    query.maxKeys = 0
    let page = ListPage(query, in: bucket)
    #expect(page.rows.isEmpty && page.next == nil)
  }
}
