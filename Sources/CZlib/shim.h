// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <zlib.h>

// `inflateInit2` is a macro around a call with the library's version and struct size.
static inline int bergfs_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }
