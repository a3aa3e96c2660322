// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The properties of one catalog as the sources write them, merged by key.
struct GatheredProperties {
  /// By key: the property of the first source that has the key; later ones of the same source win.
  private(set) var winners: [String: ConfiguredProperty] = [:]

  private let catalog: String
  private let inputs: ConfigurationInputs
  /// Where was looked, and what was found there, for a catalog that nobody knows.
  private var looked: [String] = []
  private var isKnown = false

  init(catalog: String, inputs: ConfigurationInputs) throws(ConfigurationError) {
    self.catalog = catalog
    self.inputs = inputs
    try readCommandLine()
    try readPropertiesFile()
    try readPyIceberg()
    guard isKnown else {
      throw ConfigurationError(
        .unknownCatalog,
        "no catalog is named \"\(catalog)\"; looked in \(looked.joined(separator: "; ")); name one of these, or give its properties with --property or --properties"
      )
    }
  }

  /// Nothing is read yet.
  private init(inputs: ConfigurationInputs) {
    catalog = ""
    self.inputs = inputs
  }

  /// The names of catalogs in `.pyiceberg.yaml` and the environment.
  static func catalogNames(in inputs: ConfigurationInputs) throws(ConfigurationError) -> [String] {
    let reader = GatheredProperties(inputs: inputs)
    var (tree, _) = try reader.pyIcebergFile()
    try PyIcebergEnvironment.apply(inputs.environment, to: &tree)
    return reader.names(in: tree).sorted()
  }

  private mutating func take(_ key: String, _ value: String, _ source: ConfigurationSource) {
    isKnown = true
    if let present = winners[key], present.source.rank < source.rank { return }
    winners[key] = ConfiguredProperty(key: key, value: value, source: source)
  }

  private mutating func readCommandLine() throws(ConfigurationError) {
    for text in inputs.properties {
      guard let separator = text.firstIndex(of: "="), separator != text.startIndex else {
        throw ConfigurationError(.option, "--property takes key=value, as --property client.region=eu-west-1")
      }
      guard case .own(let key) = spark(String(text[..<separator])) else { continue }
      take(key, String(text[text.index(after: separator)...]), .commandLine)
    }
  }

  private mutating func readPropertiesFile() throws(ConfigurationError) {
    guard let file = inputs.propertiesFile else { return }
    let path = inputs.absolute(file)
    guard let bytes = try inputs.readFile(path) else {
      throw ConfigurationError(.unreadable, "\(path): no such file (--properties)")
    }
    var others: Set<String> = []
    for entry in try JavaProperties.parse(bytes, path: path) {
      switch spark(entry.key) {
      case .own(let key): take(key, entry.value, .propertiesFile(path: path, line: entry.line))
      case .other(let name): others.insert(name)
      case .ignored: break
      }
    }
    looked.append(path + found(others))
  }

  private enum SparkKey {
    case own(String)
    case other(String)
    case ignored
  }

  /// Strips `spark.sql.catalog.<name>.`; other settings of Spark do not concern the catalog.
  private func spark(_ key: String) -> SparkKey {
    guard key.hasPrefix("spark.") else { return .own(key) }
    let prefix = "spark.sql.catalog."
    guard key.hasPrefix(prefix) else { return .ignored }
    if key.hasPrefix(prefix + catalog + ".") { return .own(String(key.dropFirst(prefix.count + catalog.count + 1))) }
    let rest = key.dropFirst(prefix.count)
    return rest == catalog ? .ignored : .other(String(rest.prefix { $0 != "." }))
  }

  private mutating func readPyIceberg() throws(ConfigurationError) {
    var (tree, place) = try pyIcebergFile()
    let fileNames = names(in: tree)
    try PyIcebergEnvironment.apply(inputs.environment, to: &tree)
    let allNames = names(in: tree)
    looked.append("environment \(environmentPrefix)*" + found(allNames.subtracting(fileNames)))
    looked.append(place + (place.hasSuffix(")") ? "" : found(fileNames)))
    guard let catalogs = tree["catalog"] else { return }
    guard case .mapping(let members, _) = catalogs else {
      throw ConfigurationError(.syntax, "\(catalogs.source): catalog must hold the catalogs by name")
    }
    guard let settings = members[catalog.lowercased()] else { return }
    guard case .mapping(let entries, _) = settings else {
      throw ConfigurationError(.syntax, "\(settings.source): catalog \(catalog) must hold properties as key: value")
    }
    isKnown = true
    for (key, entry) in entries {
      try takePyIceberg(key, entry)
    }
  }

  /// Empty values count as not set, as in PyIceberg.
  private mutating func takePyIceberg(_ key: String, _ entry: SettingsTree) throws(ConfigurationError) {
    switch entry {
    case .text(let value, let source):
      if !key.isEmpty, !value.isEmpty { take(key, value, source) }
    case .mapping(let members, let source):
      if ["auth", "ssl"].contains(key) { return }
      let example = members.keys.min().map { "\(key).\($0)" } ?? "\(key).…"
      throw ConfigurationError(.syntax, "\(source): \(key) holds a group of settings; write flat keys as \(example)")
    case .list(let source):
      throw ConfigurationError(.syntax, "\(source): \(key) holds a list; a property is a single text")
    }
  }

  private var environmentPrefix: String {
    "PYICEBERG_CATALOG__" + catalog.uppercased().replacing("-", with: "_").replacing(".", with: "__") + "__"
  }

  private func names(in tree: SettingsTree) -> Set<String> {
    if case .mapping(let members, _) = tree["catalog"] { Set(members.keys) } else { [] }
  }

  private func found(_ names: Set<String>) -> String {
    names.isEmpty ? " (no catalog)" : " (\(names.sorted().joined(separator: ", ")))"
  }

  /// The first file found is the only one read.
  private func pyIcebergFile() throws(ConfigurationError) -> (SettingsTree, String) {
    if let file = inputs.configFile {
      let path = inputs.absolute(file)
      guard let bytes = try inputs.readFile(path) else {
        throw ConfigurationError(.unreadable, "\(path): no such file (--config)")
      }
      return (try PyIcebergYAML.parse(bytes, path: path), path)
    }
    var absent: [String] = []
    for directory in [inputs.environment["PYICEBERG_HOME"], inputs.homeDirectory, inputs.workingDirectory] {
      guard let directory, !directory.isEmpty else { continue }
      let path = inputs.absolute(directory + (directory.hasSuffix("/") ? "" : "/") + ".pyiceberg.yaml")
      if let bytes = try inputs.readFile(path) { return (try PyIcebergYAML.parse(bytes, path: path), path) }
      if !absent.contains(path) { absent.append(path) }
    }
    return (.empty, absent.joined(separator: ", ") + " (not there)")
  }
}
