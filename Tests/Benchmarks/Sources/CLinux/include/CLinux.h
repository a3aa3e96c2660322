// SPDX-License-Identifier: Apache-2.0
// Linux calls that the Glibc module leaves out.
#pragma once

/// memfd_create(2) with MFD_CLOEXEC: a descriptor of anonymous memory, or -1 and errno.
int bench_memfd_create(const char *name);
