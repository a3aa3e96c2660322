// SPDX-License-Identifier: Apache-2.0

import Testing

/// What goes wrong, end to end: the real program, real mounts, servers that misbehave.
///
/// One test at a time: bounds on time are part of most of them.
@Suite("Failures", .serialized)
enum FailureTests {}
