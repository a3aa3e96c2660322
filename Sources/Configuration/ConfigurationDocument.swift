// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// Writes `docs/configuration.md` from the table of keys.
package enum ConfigurationDocument {
  /// The whole page, ending in a newline.
  package static func markdown() -> String {
    let sections = PropertyTable.sections.map { section in
      "## \(section.title)\n\n" + header + section.definitions.map(row).joined(separator: "\n")
    }
    return introduction + "\n" + sections.joined(separator: "\n\n") + "\n"
  }

  private static let header = "| Key | Type | Default | Meaning | This version |\n|---|---|---|---|---|\n"

  private static func row(_ definition: PropertyDefinition) -> String {
    var meaning = definition.meaning
    if definition.isSecret { meaning += " Secret: never shown." }
    if let range = definition.range, case .unset = definition.defaultValue { meaning += " (\(range.sentence).)" }
    let cells = ["`\(definition.displayKey)`", type(definition.type), defaultText(definition.defaultValue), meaning, status(definition)]
    return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
  }

  private static func type(_ type: PropertyType) -> String {
    switch type {
    case .className(let names): "class: " + names.map { "`\($0)`" }.joined(separator: " ")
    case .choice(let names, _): "one of " + names.filter { !$0.isEmpty }.map { "`\($0)`" }.joined(separator: " ")
    default: type.name
    }
  }

  private static func defaultText(_ value: PropertyDefault) -> String {
    switch value {
    case .unset: ""
    case .value(let text): "`\(text)`"
    case .described(let text): text
    }
  }

  private static func status(_ definition: PropertyDefinition) -> String {
    switch definition.status {
    case .honoured: "yes"
    case .mapped(let meaning): "yes: \(meaning)"
    case .notApplicable(let reason): "no effect: \(reason)"
    }
  }

  private static let introduction = """
    # Configuration

    This page is made from the table of keys in the source (`bergfs generate-docs configuration`); do not edit it by hand.

    A catalog has a name, and properties. `bergfs mount NAME MOUNTPOINT` looks for the properties of `NAME` in four places and merges them by
    key; the first place that has a key wins:

    1. `--property KEY=VALUE`, as often as wanted. Secrets given so are visible in `ps`: better use one of the next.
    2. `--properties FILE`, in the syntax of Java properties (`key=value` or `key: value`, `#` comments, `\\` continues a line, `\\uXXXX`).
       A prefix `spark.sql.catalog.NAME.` is stripped, other `spark.` settings are ignored.
    3. Environment variables `PYICEBERG_CATALOG__NAME__KEY`, by PyIceberg's rules: `__` in the key stands for `.` and `_` for `-`, all in lower
       case. `PYICEBERG_CATALOG__MY_LAKE__S3__ENDPOINT` sets `s3.endpoint` of the catalog `my-lake`.
    4. `.pyiceberg.yaml`: the file of `--config`, else the first one found in `$PYICEBERG_HOME`, the home directory, the working directory.
       Keys are lowercased, every value is a text; flow style, anchors, tags and duplicate keys are errors.

    ```yaml
    catalog:
      lake:
        type: glue
        warehouse: s3://bucket/warehouse
        client.region: eu-west-1
    ```

    `bergfs config NAME` shows every property in effect and where it came from, secrets masked; `--all` adds the defaults.

    Rules: `type` (or `catalog-impl`) must be set, to `glue` or `dynamodb`; a `dynamodb` catalog needs `warehouse`. Booleans are `true` or
    `false`; in places 3 and 4 also yes/no, on/off, 1/0, y/n, t/f, and an empty value there counts as not set. A known key with a value it
    cannot have is an error. An unknown key is a warning that names the nearest known one. A key that
    has no effect here is accepted, and named in the log.

    Region, credentials and endpoints that no property gives come from the usual AWS settings (`AWS_REGION`, `AWS_PROFILE`,
    `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL_S3`, the shared files in `~/.aws`). A property wins over them.

    """
}
