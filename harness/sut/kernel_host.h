/* SPDX-License-Identifier: MIT */
/* The host of sut_kernel: what is done to the thread's network namespace, and what it shows. */
#ifndef TAPLINE_SUT_KERNEL_HOST_H
#define TAPLINE_SUT_KERNEL_HOST_H

#include "stack/op.h"

#include <stdbool.h>
#include <stddef.h>

/* An op but OP_FRAME; *tun is the tun device's descriptor once there is one. As world_apply(). */
s64 kernel_host_apply(int *tun, const struct op *op);

/* "net.ipv4.tcp_sack" (len bytes) as a path below /proc/sys. */
void kernel_sysctl_path(const char *name, u32 len, char *path, size_t cap);

/* ---- kernel_view.c: as the entries of struct sut_ops ---- */

s32 kernel_view_sysctl(const char *name, char *out, u32 cap);
void kernel_view_sysctls(void (*fn)(void *ctx, const char *name), void *ctx);
s32 kernel_view_proc(const char *path, char *out, u32 cap);
void kernel_view_counters(void (*fn)(void *ctx, const char *name, u64 value), void *ctx);
bool kernel_view_counter(const char *name, u64 *value);

#endif
