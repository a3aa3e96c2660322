// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// Something a person should know about a configuration that works.
package struct ConfigurationWarning: Sendable, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable, CaseIterable {
    /// No such key in the table.
    case unknownKey
    /// A key that another one would have to make effective.
    case idle
    /// A key that has no meaning here; worth a line in the log only.
    case notApplicable
    /// A key that PyIceberg itself ignores.
    case removed
    /// A secret that `ps` shows.
    case exposedSecret
  }
  package var kind: Kind
  package var key: String
  /// One sentence without a full stop.
  package var message: String

  package init(kind: Kind, key: String, message: String) {
    self.kind = kind
    self.key = key
    self.message = message
  }

  package var description: String { message }
  /// True if it is worth only a line at level info.
  package var isNotice: Bool { kind == .notApplicable }
}

/// The metastore of a catalog.
package enum CatalogType: String, Sendable, Hashable, CaseIterable {
  case glue
  case dynamodb
}

/// A catalog's configuration: what all sources say together, checked. Source: filesystem contract §1.
///
/// Printing it masks secrets.
package struct CatalogConfiguration: Sendable {
  /// As the user wrote it.
  package let catalog: String
  package let catalogType: CatalogType
  /// What is in effect, sorted by key.
  package let configured: [ConfiguredProperty]
  /// The same for the code that reads them: values by normalised key, defaults from the table, sources for messages.
  package let properties: EffectiveProperties
  package let warnings: [ConfigurationWarning]
  /// The environment the configuration was made from; the AWS settings of spec/properties.md §8 are read from here. Holds secrets.
  package let environment: [String: String]
  /// The home directory, where the shared AWS files lie.
  package let homeDirectory: String?

  init(
    catalog: String, catalogType: CatalogType, configured: [ConfiguredProperty], warnings: [ConfigurationWarning],
    inputs: ConfigurationInputs
  ) {
    self.catalog = catalog
    self.catalogType = catalogType
    self.configured = configured
    self.properties = EffectiveProperties(
      Dictionary(configured.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }),
      sources: Dictionary(configured.map { ($0.key, $0.origin) }, uniquingKeysWith: { first, _ in first }))
    self.warnings = warnings
    self.environment = inputs.environment
    self.homeDirectory = inputs.homeDirectory
  }

  /// The names that a person may complete: those of catalogs in `.pyiceberg.yaml` and the environment.
  package static func names(from inputs: ConfigurationInputs) throws(ConfigurationError) -> [String] {
    try GatheredProperties.catalogNames(in: inputs)
  }

  /// The level that the properties ask for; nil where they do not.
  package var logLevel: MountOptions.LogLevel? {
    properties.values[MountKeys.logLevel].flatMap { MountOptions.LogLevel(rawValue: $0.lowercased()) }
  }

  /// Merges all sources by key, the first source wins; translates aliases; checks every value.
  package static func load(_ catalog: String, from inputs: ConfigurationInputs) throws(ConfigurationError) -> CatalogConfiguration {
    let gathered = try GatheredProperties(catalog: catalog, inputs: inputs)
    var normalised = NormalisedProperties(gathered.winners)
    try normalised.checkValues()
    try normalised.resolveCatalogType(of: catalog)
    normalised.translateAliases()
    normalised.deriveAddressing(environment: inputs.environment)
    let type = try normalised.checkTogether(catalog: catalog)
    return CatalogConfiguration(
      catalog: catalog, catalogType: type, configured: normalised.entries.values.sorted { $0.key < $1.key },
      warnings: ConfigurationWarning.all(of: gathered.winners), inputs: inputs)
  }
}

extension CatalogConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "\(catalog): \(properties)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
