// SPDX-License-Identifier: Apache-2.0

/// What a property's text must look like. Source: spec/properties.md §0.
package enum PropertyType: Sendable, Hashable {
  /// `true` or `false` in any case.
  case boolean
  /// Decimal, 32 bits, optional sign.
  case int32
  /// Decimal, 64 bits, optional sign.
  case int64
  /// As Java's `Double.parseDouble` reads it.
  case double
  /// Anything, taken verbatim.
  case string
  /// An absolute `http://` or `https://` address with a host.
  case endpoint
  /// One of a list.
  case choice([String], ignoringCase: Bool)
  /// A Java class name, one of a list.
  case className([String])

  /// The word for it in documents and messages.
  package var name: String {
    switch self {
    case .boolean: "boolean"
    case .int32: "int"
    case .int64: "long"
    case .double: "double"
    case .string: "string"
    case .endpoint: "URI"
    case .choice(let values, _): "one of " + values.map { "`\($0)`" }.joined(separator: " ")
    case .className: "class"
    }
  }
}

/// What holds when a property is not set.
package enum PropertyDefault: Sendable, Hashable {
  /// Nothing.
  case unset
  /// Exactly this text, as if it had been set.
  case value(String)
  /// Something found out at run time, described for people.
  case described(String)
}

/// What this version does with a property.
package enum PropertyStatus: Sendable, Hashable {
  /// Does what Iceberg does.
  case honoured
  /// Has the nearest meaning, described.
  case mapped(String)
  /// Accepted without effect, for the reason given.
  case notApplicable(String)
}

/// The part of the program that reads a property.
package enum PropertyUser: String, Sendable, Hashable, CaseIterable {
  case catalog
  case glue
  case dynamodb
  case s3
  case credentials
  case http
  case kms
  case lock
  case signer
  case mount
}

/// Bounds of a number, and the sentence for a value outside of them.
package struct PropertyRange: Sendable, Hashable {
  package var minimum: Double?
  package var maximum: Double?
  /// Why a value is refused; ends without a full stop.
  package var sentence: String

  package init(minimum: Double? = nil, maximum: Double? = nil, sentence: String) {
    self.minimum = minimum
    self.maximum = maximum
    self.sentence = sentence
  }

  /// True if the number lies inside. NaN never does.
  package func contains(_ number: Double) -> Bool {
    !number.isNaN && (minimum.map { number >= $0 } ?? true) && (maximum.map { number <= $0 } ?? true)
  }
}

/// One row of the table of configuration keys: everything the parser, `bergfs config` and `docs/configuration.md` know of a key.
package struct PropertyDefinition: Sendable, Hashable {
  /// The exact key; for a prefix its text with the final dot.
  package var key: String
  /// What follows the prefix in documents, as `<bucket>`; nil for an exact key.
  package var prefixOf: String?
  package var type: PropertyType
  package var defaultValue: PropertyDefault
  /// Its value is never shown.
  package var isSecret: Bool
  /// One sentence for a person.
  package var meaning: String
  package var user: PropertyUser
  package var range: PropertyRange?
  /// Sentence for a value that is not among the choices; `%s` stands for the value.
  package var refusal: String?
  package var status: PropertyStatus

  package init(
    _ key: String, prefixOf: String? = nil, type: PropertyType = .string, default defaultValue: PropertyDefault = .unset,
    secret isSecret: Bool = false, user: PropertyUser, status: PropertyStatus = .honoured, _ meaning: String,
    range: PropertyRange? = nil, refusal: String? = nil
  ) {
    self.key = key
    self.prefixOf = prefixOf
    self.type = type
    self.defaultValue = defaultValue
    self.isSecret = isSecret
    self.meaning = meaning
    self.user = user
    self.range = range
    self.refusal = refusal
    self.status = status
  }

  /// The key as documents show it.
  package var displayKey: String { key + (prefixOf ?? "") }

  /// The default's text where it is an exact one.
  package var defaultText: String? {
    if case .value(let text) = defaultValue { text } else { nil }
  }

  /// True if the definition speaks of this key.
  package func covers(_ key: String) -> Bool {
    prefixOf == nil ? key == self.key : key.hasPrefix(self.key) && key.utf8.count > self.key.utf8.count
  }
}

extension PropertyDefault: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) {
    self = .value(value)
  }
}
