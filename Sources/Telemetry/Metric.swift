// SPDX-License-Identifier: Apache-2.0

/// One metric of the daemon: its name, kind, labels, unit and meaning, from which `docs/operations.md`'s table is made.
package enum Metric: String, CaseIterable, Sendable {
  case operations = "bergfs_operations_total"
  case operationSeconds = "bergfs_operation_duration_seconds"
  case requests = "bergfs_requests_total"
  case requestSeconds = "bergfs_request_duration_seconds"
  case requestRetries = "bergfs_request_retries_total"
  case bytesRead = "bergfs_read_bytes_total"
  case bytesFetched = "bergfs_fetched_bytes_total"
  case cacheHits = "bergfs_cache_hits_total"
  case cacheMisses = "bergfs_cache_misses_total"
  case cacheBytes = "bergfs_cache_bytes"
  case prefetchedBytes = "bergfs_prefetched_bytes_total"
  case diskCacheHits = "bergfs_disk_cache_hits_total"
  case diskCacheMisses = "bergfs_disk_cache_misses_total"
  case diskCacheWrittenBytes = "bergfs_disk_cache_written_bytes_total"
  case diskCacheDamaged = "bergfs_disk_cache_damaged_total"
  case diskCacheErrors = "bergfs_disk_cache_errors_total"
  case diskCacheBytes = "bergfs_disk_cache_bytes"
  case memoryReservedBytes = "bergfs_memory_reserved_bytes"
  case inodes = "bergfs_inodes"
  case openHandles = "bergfs_open_handles"
  case startTimeSeconds = "bergfs_start_time_seconds"
  case residentBytes = "bergfs_resident_memory_bytes"
  case memoryLimitBytes = "bergfs_memory_limit_bytes"
  case stagedFiles = "bergfs_staged_files"
  case stagingBytes = "bergfs_staging_bytes"
  case stagingCapacityBytes = "bergfs_staging_capacity_bytes"
  case transfers = "bergfs_transfers"
  case workInFlight = "bergfs_work_in_flight"
  case errors = "bergfs_errors_total"
  case commits = "bergfs_commits_total"
  case commitSeconds = "bergfs_commit_duration_seconds"
  case lockWaitSeconds = "bergfs_lock_wait_seconds"

  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  package var kind: Kind {
    switch self {
    case .operationSeconds, .requestSeconds, .commitSeconds, .lockWaitSeconds: .histogram
    case .cacheBytes, .diskCacheBytes, .memoryReservedBytes, .inodes, .openHandles, .startTimeSeconds, .residentBytes, .memoryLimitBytes,
      .stagedFiles, .stagingBytes, .stagingCapacityBytes, .transfers, .workInFlight:
      .gauge
    case .operations, .requests, .requestRetries, .bytesRead, .bytesFetched, .cacheHits, .cacheMisses, .prefetchedBytes,
      .diskCacheHits, .diskCacheMisses, .diskCacheWrittenBytes, .diskCacheDamaged, .diskCacheErrors, .errors, .commits:
      .counter
    }
  }

  /// The label names, in the order in which values are given to ``Metrics``.
  package var labels: [String] {
    switch self {
    case .operations: ["operation", "errno"]
    case .operationSeconds: ["operation"]
    case .requests: ["api", "status"]
    case .requestSeconds, .requestRetries: ["api"]
    case .errors: ["errno"]
    case .commits, .commitSeconds: ["outcome"]
    case .lockWaitSeconds: ["lock"]
    case .bytesRead, .bytesFetched, .cacheHits, .cacheMisses, .cacheBytes, .prefetchedBytes, .diskCacheHits, .diskCacheMisses,
      .diskCacheWrittenBytes, .diskCacheDamaged, .diskCacheErrors, .diskCacheBytes, .memoryReservedBytes, .inodes, .openHandles,
      .startTimeSeconds, .residentBytes, .memoryLimitBytes, .stagedFiles, .stagingBytes, .stagingCapacityBytes, .transfers, .workInFlight:
      []
    }
  }

  package var help: String {
    switch self {
    case .operations: "Filesystem operations answered, by operation and errno name (OK for success)."
    case .operationSeconds: "Time from the kernel's request to the reply."
    case .requests: "HTTP requests sent to AWS, by API and HTTP status (0: no answer)."
    case .requestSeconds: "Time from sending a request to the end of its answer."
    case .requestRetries: "Requests that were sent again."
    case .bytesRead: "Bytes handed to readers of the mount."
    case .bytesFetched: "Object bytes received from S3."
    case .cacheHits: "Blocks found in the block cache."
    case .cacheMisses: "Blocks that had to be fetched or waited for."
    case .cacheBytes: "Bytes held by the block cache."
    case .prefetchedBytes: "Bytes asked for ahead of a reader."
    case .diskCacheHits: "Blocks, or parts of them, missing in memory and found in the disk cache."
    case .diskCacheMisses: "Blocks, or parts of them, missing in memory and not, or not wholly, found in the disk cache."
    case .diskCacheWrittenBytes: "Bytes written to the disk cache."
    case .diskCacheDamaged: "Files of the disk cache that were not what had been written, and were removed."
    case .diskCacheErrors: "Calls on the directory of the disk cache that failed."
    case .diskCacheBytes: "Bytes of the disk that the disk cache takes, as last known."
    case .memoryReservedBytes: "Bytes reserved from the memory limit."
    case .inodes: "Inodes the kernel knows."
    case .openHandles: "Open file handles."
    case .startTimeSeconds: "When the mount was made, in seconds since 1970."
    case .residentBytes: "Memory of the daemon that is resident, all in all."
    case .memoryLimitBytes: "The memory limit for data (--memory-limit)."
    case .stagedFiles: "Files that exist in this mount only, scratch files among them."
    case .stagingBytes: "Bytes in the staging directory."
    case .stagingCapacityBytes: "Bytes that may be staged (--staging-size); 0 on a read-only mount."
    case .transfers: "Files that are being written or uploaded now."
    case .workInFlight: "Commits, publications and deletions under way, which an unmount waits for."
    case .errors: "Failed operations written to errors.jsonl, by errno name."
    case .commits: "Commits to tables, by outcome (committed, created, registered, unchanged, or why not)."
    case .commitSeconds: "Time of a commit from its document to its outcome, waiting for locks included."
    case .lockWaitSeconds: "Time spent waiting for the lock on a table: this process's own, or the catalog's lock manager."
    }
  }
}
