// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <curl/curl.h>
#include <sys/prctl.h>

// `curl_easy_setopt` and its kin are variadic, which Swift cannot call: one typed shim for each argument kind.
static inline CURLcode bergfs_curl_set_long(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_set_string(CURL *handle, CURLoption option, const char *value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_set_pointer(CURL *handle, CURLoption option, void *value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_set_write_function(CURL *handle, CURLoption option, size_t (*value)(char *, size_t, size_t, void *)) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode bergfs_curl_get_long(CURL *handle, CURLINFO info, long *value) { return curl_easy_getinfo(handle, info, value); }
static inline CURLcode bergfs_curl_get_pointer(CURL *handle, CURLINFO info, void **value) { return curl_easy_getinfo(handle, info, value); }
static inline CURLMcode bergfs_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return curl_multi_setopt(multi, option, value); }
static inline CURLcode bergfs_curl_set_seek_function(CURL *handle, int (*value)(void *, curl_off_t, int)) { return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value); }
static inline CURLSHcode bergfs_curl_share_set_long(CURLSH *share, CURLSHoption option, long value) { return curl_share_setopt(share, option, value); }

// `pthread_setname_np` is a GNU extension that the Glibc module does not show, and `prctl` is variadic.
static inline void bergfs_name_this_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
