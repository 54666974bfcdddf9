/* SPDX-License-Identifier: MIT */
/*
 * System calls. A call is a `struct sys_op` that the caller owns: submitted, run in steps by a task
 * of the host, completed. One that can not go on waits on the stack's wait queues, without thread
 * or second C stack, so that a blocking call, a time-out, a partial write or a poll is only a call
 * that completes later. The bytes behind the pointers stay the caller's and must live until the
 * call is done.
 */
#ifndef TAPLINE_STACK_SYS_H
#define TAPLINE_STACK_SYS_H

#include "stack/types.h"

struct world;

enum sys_nr {
	SYS_SOCKET, /* arg0 family, arg1 type (| SOCK_NONBLOCK), arg2 protocol -> fd */
	SYS_BIND, /* fd, addr */
	SYS_CONNECT, /* fd, addr */
	SYS_LISTEN, /* fd, arg0 backlog */
	SYS_ACCEPT, /* fd, arg0 flags (SOCK_NONBLOCK) -> new fd, addr */
	SYS_SENDMSG, /* fd, arg0 MSG_* flags, arg1 bytes of each iovec (0: one; MSG_ZEROCOPY only),
			addr if has_addr, data, control -> bytes taken */
	SYS_RECVMSG, /* fd, arg0 MSG_* flags, data -> bytes; addr, control, msg_flags are filled */
	SYS_SHUTDOWN, /* fd, arg0 SHUT_* */
	SYS_CLOSE, /* fd */
	SYS_GETSOCKNAME, /* fd -> addr */
	SYS_GETPEERNAME, /* fd -> addr */
	SYS_SETSOCKOPT, /* fd, arg0 level, arg1 name, data (the option's bytes, Linux x86-64 layout,
			   little endian) */
	SYS_GETSOCKOPT, /* fd, arg0 level, arg1 name, data_len = room -> bytes written */
	SYS_POLL, /* data: array of struct sys_pollfd, data_len its size in bytes, timeout_ns ->
		     ready ones */
	SYS_FCNTL, /* fd, arg0 F_GETFL/F_SETFL, arg1 value */
	SYS_IOCTL, /* fd, arg0 request (FIONREAD, SIOCOUTQ, ...) -> the value */
	SYS_DUP, /* fd -> new fd */
	SYS_EPOLL_CREATE, /* -> fd */
	SYS_EPOLL_CTL, /* fd of the set, arg0 EPOLL_CTL_*, arg1 fd, data: epoll_event, 12 bytes,
			  little endian */
	SYS_EPOLL_WAIT, /* fd of the set, arg0 how many, data: room of 12 bytes each, timeout_ns ->
			   ready ones */
	SYS_PIPE, /* arg0 flags (O_NONBLOCK) -> both fds: the lower half is read, the upper written
		   */
	SYS_SPLICE, /* fd in, arg0 fd out, arg1 bytes, arg2 SPLICE_F_* -> bytes; one end is a pipe
		     */
	SYS_SENDFILE, /* fd, arg0 fd of the file, arg1 offset (~0: its own), arg2 bytes -> bytes */
	SYS_MEMFD, /* data: the bytes of a file in memory; arg0 not 0: zero bytes without end -> fd
		    */
	SYS_NR_COUNT
};

/* An address of either family; the port in host byte order, the address bytes in network order (4
 * used for AF_INET). */
/* AF_PACKET: port is the protocol (host order, in socket() too), scope_id the ifindex; addr the
 * link address, from byte 8 on the hardware type (network order, two bytes), the packet type, the
 * address's length. */
struct sock_addr {
	u16 family; /* AF_INET, AF_INET6, AF_UNSPEC, AF_PACKET */
	u16 port;
	u32 scope_id; /* AF_INET6; ifindex for AF_PACKET */
	u8 addr[16];
};

struct sys_pollfd {
	s32 fd;
	u16 events, revents;
};

struct sys_op {
	/* In. */
	u32 host;
	u32 nr; /* enum sys_nr */
	s32 fd;
	u64 arg[4];
	bool has_addr;
	struct sock_addr addr; /* in or out */
	u8 *data; /* in or out; a send only reads it */
	u32 data_len;
	u8 *control; /* ancillary data in and out: struct cmsghdr as Linux x86-64 lays it out,
			little endian */
	u32 control_len;
	u64 timeout_ns; /* relative limit of a poll; TIME_NEVER: none (SO_RCVTIMEO and the like hold
			   besides) */
	/* Called once when the call is done, from inside the world; may submit further calls. May
	 * be NULL. */
	void (*done)(struct sys_op *op);
	void *ctx;

	/* Out, valid when `completed`. */
	bool completed;
	s64 ret; /* >= 0, or -errno */
	u32 msg_flags; /* MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE, ... */
	u64 id; /* the number of OP_SYSCALL, given at submission */

	void *state; /* the stack's own, while pending */
};

/*
 * Submits a call. It is run at this instant as soon as the host's CPU gets to it: at once when the
 * CPU is idle and nothing else is due now (then `completed` may hold on return), else from
 * world_run(). Returns 0, or -EINVAL for a call that is malformed (no such host, unknown nr).
 */
int sys_submit(struct world *w, struct sys_op *op);

/* Gives up a pending call: it completes with -EINTR before this returns. Without effect on a
 * completed one. */
void sys_cancel(struct world *w, struct sys_op *op);

#endif
