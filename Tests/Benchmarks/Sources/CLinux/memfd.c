// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CLinux.h"
#include <sys/mman.h>

int bench_memfd_create(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
