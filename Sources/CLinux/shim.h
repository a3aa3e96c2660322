// SPDX-License-Identifier: Apache-2.0
#pragma once

// Linux calls that Swift's Glibc module does not show (variadic ones, and those that glibc hides behind _GNU_SOURCE).
#include <errno.h>
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

/// dup3(2), which glibc hides: `closesAtExec` sets O_CLOEXEC in the same step.
static inline int bergfs_duplicate(int from, int to, _Bool closesAtExec) {
  return from == to ? to : (int)syscall(SYS_dup3, from, to, closesAtExec ? O_CLOEXEC : 0);
}

/// A socket for datagrams to another process of this machine, closed at exec.
static inline int bergfs_datagram_socket(void) { return (int)syscall(SYS_socket, 1 /* AF_UNIX */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0); }

/// A file in memory without a name in any directory, closed at exec.
static inline int bergfs_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }

/// O_TMPFILE: a file without a name, from its first moment on.
static const int bergfs_unnamed_file = 020000000 | O_DIRECTORY;

/// Gives the blocks of a range of a file back and leaves its size; whole blocks only, the rest is zeroed.
static inline int bergfs_free_range(int file, long long offset, long long length) {
  return (int)syscall(SYS_fallocate, file, 3 /* KEEP_SIZE | PUNCH_HOLE */, offset, length);
}

/// Closes every descriptor from `first` on in the child.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);
static inline int bergfs_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

/// Starts a child that copies a file to a descriptor and ends with 0, or with the errno of open(2) or read(2). It keeps nothing else of ours open
/// and no terminal, so that nobody waits for it where it never ends: a call on a mount whose daemon is stopped may not be interruptible.
/// After fork(2) in a process with threads it makes only calls that signal-safety(7) allows.
static inline int bergfs_copy_in_child(const char *path, int output) {
  int child = (int)fork();
  if (child != 0) return child;
  setsid();
  dup2(output, 0);
  syscall(SYS_close_range, 1u, ~0u, 0u);
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) _exit(errno & 0xff);
  char bytes[16384];
  for (;;) {
    ssize_t count = read(file, bytes, sizeof bytes);
    if (count == 0) _exit(0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) _exit(errno & 0xff);
    for (ssize_t written = 0; written < count;) {
      ssize_t more = write(0, bytes + written, (size_t)(count - written));
      if (more < 0 && errno != EINTR) _exit(errno & 0xff);
      if (more > 0) written += more;
    }
  }
}
