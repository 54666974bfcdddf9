/* SPDX-License-Identifier: MIT */
/*
 * Marks bytes that nobody may touch, in builds with AddressSanitizer; nothing in others. The
 * allocator and sk_buff use it so that reads past a packet or an object are reported although all
 * lies in one arena.
 */
#ifndef TAPLINE_LIB_POISON_H
#define TAPLINE_LIB_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define TAPLINE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAPLINE_ASAN 1
#endif
#endif

#ifdef TAPLINE_ASAN
void __asan_poison_memory_region(void const volatile *addr, size_t size);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
#define poison_range(p, len)   __asan_poison_memory_region((p), (len))
#define unpoison_range(p, len) __asan_unpoison_memory_region((p), (len))
#else
#define poison_range(p, len)   ((void)(p), (void)(len))
#define unpoison_range(p, len) ((void)(p), (void)(len))
#endif

#endif
