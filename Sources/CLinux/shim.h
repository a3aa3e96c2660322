// SPDX-License-Identifier: Apache-2.0
#pragma once

// Linux calls that Swift's Glibc module does not show (variadic ones, and those that glibc hides behind _GNU_SOURCE).
#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Names the calling thread; 15 bytes are kept.
static inline int bergfs_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/// A pipe whose ends are closed at exec from the start, so that no child spawned meanwhile inherits them.
static inline int bergfs_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/// A file in memory without a name in any directory, closed at exec.
static inline int bergfs_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }

/// O_TMPFILE: a file without a name, from its first moment on.
static const int bergfs_unnamed_file = 020000000 | O_DIRECTORY;

/// Gives the blocks of a range of a file back and leaves its size; whole blocks only, the rest is zeroed.
static inline int bergfs_free_range(int file, long long offset, long long length) {
  return (int)syscall(SYS_fallocate, file, 3 /* KEEP_SIZE | PUNCH_HOLE */, offset, length);
}

/// POSIX_SPAWN_SETSID (spawn.h of glibc): the child leads a session of its own.
static const int bergfs_spawn_setsid = 0x80;

/// Closes every descriptor from `first` on in the child.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);
static inline int bergfs_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
