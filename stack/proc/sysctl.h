/* SPDX-License-Identifier: MIT */
/* Sysctls of a namespace by name, as `sysctl` and /proc/sys have them. Reading is in
 * stack/counters.h. */
#ifndef TAPLINE_PROC_SYSCTL_H
#define TAPLINE_PROC_SYSCTL_H

#include "netns/net.h"

/* Text as the kernel takes it. 0; -ENOENT no such name; -EINVAL not a number, or outside the
 * limits. */
int sysctl_write(struct net *net, const char *name, const char *value);

#endif
