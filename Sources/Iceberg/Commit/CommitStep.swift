// SPDX-License-Identifier: Apache-2.0

/// The places of a commit between which a process may be killed or stand still.
package enum CommitStep: String, Sendable, CaseIterable {
  case beforeUpload, afterUpload, afterLock, beforeConditionalWrite, afterConditionalWrite, afterRelease, beforeCleanup
}

/// Is called at each step and holds the commit there until it returns: for tests that kill, stall or race a commit. Does nothing in service.
package typealias CommitPause = @Sendable (CommitStep) async -> Void
