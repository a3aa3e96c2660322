// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import Glibc

// fuzz TARGET SECONDS SEED STATE-FILE CORPUS-DIRECTORY…: reads changed inputs for so long. Each is written to the state file before it is read, so that
// one that ends the program is there afterwards.
let arguments = CommandLine.arguments
guard arguments.count >= 5, let target = FuzzTarget(rawValue: arguments[1]), let seconds = Double(arguments[2]),
  let seed = UInt64(arguments[3])
else {
  print("usage: fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) SECONDS SEED STATE-FILE [CORPUS-DIRECTORY…]")
  exit(2)
}
let state = open(arguments[4], O_RDWR | O_CREAT | O_TRUNC, 0o644)
guard state >= 0 else {
  print("\(arguments[4]) cannot be written")
  exit(2)
}
var fuzzer = Fuzzer(target, corpus: arguments[5...].flatMap { Fuzzer.corpus(in: $0) }, seed: seed)
do throws(Fuzzer.Finding) {
  let count = try fuzzer.run(until: .now + .seconds(seconds)) { input in
    _ = input.withUnsafeBytes { pwrite(state, $0.baseAddress, $0.count, 0) }
    _ = ftruncate(state, off_t(input.count))
  }
  print("\(target.rawValue): \(count) inputs in \(seconds) s, seed \(seed), nothing found")
} catch {
  print("\(target.rawValue): \(error); the input is in \(arguments[4])")
  exit(1)
}
