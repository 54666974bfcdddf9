/* SPDX-License-Identifier: MIT */
/* epoll(7): files that watch files (eventpoll.c). */
#ifndef TAPLINE_SOCKET_EVENTPOLL_H
#define TAPLINE_SOCKET_EVENTPOLL_H

#include "socket/socket.h"

#define EPOLL_CTL_ADD	1
#define EPOLL_CTL_DEL	2
#define EPOLL_CTL_MOD	3
#define EPOLLEXCLUSIVE	(1u << 28)
#define EPOLLONESHOT	(1u << 30)
#define EPOLLET		(1u << 31)
#define EPOLL_EVENT_LEN 12u /* struct epoll_event of Linux x86-64: u32 events, u64 data, packed */

/* A descriptor or -errno. */
int epoll_create_fd(struct host *h);
/* event: EPOLL_EVENT_LEN bytes, little endian; not looked at for EPOLL_CTL_DEL. */
int epoll_ctl(struct host *h, s32 epfd, u32 op, s32 fd, const u8 *event);
/* What is ready now in the set, at most max events of EPOLL_EVENT_LEN bytes each to out. The
 * number, or -EINVAL: it is no set. */
int epoll_collect(struct file *set, u8 *out, u32 max);
/* The file goes away: whoever watches it forgets it. */
void eventpoll_release(struct file *f);

#endif
