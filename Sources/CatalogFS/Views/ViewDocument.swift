// SPDX-License-Identifier: Apache-2.0

import Iceberg
import WireFormats

/// The files of `.iceberg` whose content is made at once: small, and of exact size when they are looked at.
enum ViewDocument: String, Sendable, Hashable, CaseIterable {
  case history = "history.jsonl"
  case snapshots = "snapshots.jsonl"
  case references = "refs.jsonl"
  case manifests = "manifests.jsonl"
  case metadataLog = "metadata-log.jsonl"
  case schema = "schema.json"
  case spec = "spec.json"
  case sortOrder = "sort-order.json"
  case properties = "properties.json"

  /// The content, but for ``manifests``, which takes a look at the manifest list.
  func content(of view: TableView) -> [UInt8] {
    let rows = MetadataRows(view.metadata)
    let root = view.metadata.document.root
    return switch self {
    case .history: rows.history()
    case .snapshots: rows.snapshots()
    case .references: rows.refs()
    case .metadataLog: rows.metadataLog(location: view.pointer)
    case .manifests: []
    case .schema: Self.text(Self.member(of: root["schemas"], "schema-id", view.metadata.currentSchemaID) ?? root["schema"])
    case .spec:
      // The first version may have the fields alone.
      Self.member(of: root["partition-specs"], "spec-id", view.metadata.defaultSpecID).map { Self.text($0) }
        ?? Self.text(["spec-id": 0, "fields": root["partition-spec"].map { JSONValue($0) } ?? []])
    case .sortOrder:
      Self.member(of: root["sort-orders"], "order-id", view.metadata.defaultSortOrderID).map { Self.text($0) }
        ?? Self.text(["order-id": 0, "fields": []])
    case .properties: Self.text(root["properties"])
    }
  }

  /// A part of the document as it stands there, in lines; `{}` where it is absent.
  static func text(_ node: JSONNode?) -> [UInt8] {
    text(node.map { JSONValue($0) } ?? [:])
  }

  private static func text(_ value: JSONValue) -> [UInt8] {
    value.serialized(pretty: true) + [UInt8(ascii: "\n")]
  }

  private static func member(of array: JSONNode?, _ name: String, _ id: Int) -> JSONNode? {
    array?.elements.first { $0[name]?.int64 == Int64(id) }
  }
}

/// What was made of a ``ViewDocument``.
final class ViewText: Sendable {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }
}

extension ViewText: ViewCached {
  var cost: Int { bytes.count }
}
