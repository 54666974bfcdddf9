/* SPDX-License-Identifier: MIT */
/* System calls under way, for the rest of the socket layer and the assembler (sys.c). */
#ifndef TAPLINE_SOCKET_SYS_H
#define TAPLINE_SOCKET_SYS_H

#include "socket/socket.h"
#include "stack/sys.h"

/* OP_CANCEL: 0, or -ENOENT when no call of that number is pending. */
s64 sys_cancel_id(struct world *w, u64 id);
/* All pending calls of a host end with EINTR. */
void sys_kill_all(struct host *h);
void sys_check(const struct host *h);

#endif
