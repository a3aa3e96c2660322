// SPDX-License-Identifier: Apache-2.0

/// Sizes as people write them.
package enum ByteSize {
  private static let units: [(suffix: String, bytes: Int64)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
    ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40), ("b", 1),
  ]

  /// Bytes of `128M`, `1GiB`, `1.5G`, `64kB`, `4096`: K M G T and KiB… are powers of 1024, kB MB… of 1000, in any case; nil if it is no size.
  package static func parse(_ text: String) -> Int64? {
    let lowered = text.lowercased()
    let unit = units.first { lowered.hasSuffix($0.suffix) }
    let number = lowered.dropLast(unit?.suffix.count ?? 0)
    guard !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }) else { return nil }
    let factor = unit?.bytes ?? 1
    if let whole = Int64(number) {
      let (bytes, overflows) = whole.multipliedReportingOverflow(by: factor)
      return overflows ? nil : bytes
    }
    guard number.first != ".", number.last != ".", let fraction = Double(number) else { return nil }
    let bytes = fraction * Double(factor)
    return bytes < 9.2e18 ? Int64(bytes) : nil
  }

  /// The size with the largest unit that divides it, as `128 MiB`.
  package static func text(_ bytes: Int64) -> String {
    for (unit, name) in [(Int64(1) << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    where bytes >= unit && bytes % unit == 0 {
      return "\(bytes / unit) \(name)"
    }
    return "\(bytes) bytes"
  }
}
