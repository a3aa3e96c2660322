// SPDX-License-Identifier: Apache-2.0

/// Table metadata with a long past, as Java writes it: about 1.1 KB a snapshot with its entries in the logs.
enum MetadataInput {
  private static let table = "s3://lake/sales/orders"

  /// The file of the document with so many snapshots.
  static func file(_ index: Int) -> String { "\(table)/metadata/\(index)-b8a1da4b-58fa-430a-96e5-c504d1ed379b.metadata.json" }

  static func document(snapshots count: Int) -> [UInt8] {
    let start: Int64 = 1_764_000_000_000
    func id(_ index: Int) -> Int64 { 4_518_131_054_258_417_601 &+ Int64(index) * 7_919 }
    var text = """
      {"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"\(table)","last-sequence-number":\(count),\
      "last-updated-ms":\(start + Int64(count) * 60_000),"last-column-id":2,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,\
      "fields":[{"id":1,"name":"id","required":true,"type":"long"},{"id":2,"name":"name","required":false,"type":"string"}]}],\
      "default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,"default-sort-order-id":0,\
      "sort-orders":[{"order-id":0,"fields":[]}],"properties":{"owner":"ops"},"current-snapshot-id":\(id(count - 1)),\
      "refs":{"main":{"snapshot-id":\(id(count - 1)),"type":"branch"}},"snapshots":[
      """
    func list(_ entry: (Int) -> String) {
      for index in 0..<count { text += (index == 0 ? "" : ",") + entry(index) }
    }
    list { index in
      """
      {"sequence-number":\(index + 1),"snapshot-id":\(id(index)),\(index == 0 ? "" : "\"parent-snapshot-id\":\(id(index - 1)),")\
      "timestamp-ms":\(start + Int64(index) * 60_000),"summary":{"operation":"append","spark.app.id":"application_1764000000000_0042",\
      "added-data-files":"12","added-records":"1200000","added-files-size":"360000204","changed-partition-count":"1",\
      "total-records":"\(1_200_000 * (index + 1))","total-files-size":"\(360_000_204 * (index + 1))","total-data-files":"\(12 * (index + 1))",\
      "total-delete-files":"0","total-position-deletes":"0","total-equality-deletes":"0","engine-version":"3.5.2",\
      "app-id":"application_1764000000000_0042","engine-name":"spark",\
      "iceberg-version":"Apache Iceberg 1.6.1 (commit 8e9d59d299be42b0bca9461457cd1e95dbaad086)"},\
      "manifest-list":"\(table)/metadata/snap-\(id(index))-1-b8a1da4b-58fa-430a-96e5-c504d1ed379b.avro","schema-id":0}
      """
    }
    text += "],\"statistics\":[],\"partition-statistics\":[],\"snapshot-log\":["
    list { index in "{\"timestamp-ms\":\(start + Int64(index) * 60_000),\"snapshot-id\":\(id(index))}" }
    text += "],\"metadata-log\":["
    list { index in
      "{\"timestamp-ms\":\(start + Int64(index) * 60_000),\"metadata-file\":\"\(file(index))\"}"
    }
    return Array((text + "]}").utf8)
  }
}
