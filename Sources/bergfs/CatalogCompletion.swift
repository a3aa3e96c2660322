// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

extension CompletionKind {
  /// The names of catalogs in `.pyiceberg.yaml`, or in the file that `--config` names on the same line.
  static var catalogs: CompletionKind {
    .custom { words, _, prefix in
      var arguments: [String] = []
      if let option = words.firstIndex(of: "--config"), option + 1 < words.count { arguments = ["--config", words[option + 1]] }
      guard let inputs = try? ConfigurationOptions.parse(arguments).inputs(), let names = try? CatalogConfiguration.names(from: inputs)
      else { return [] }
      return names.filter { $0.hasPrefix(prefix) }
    }
  }
}
