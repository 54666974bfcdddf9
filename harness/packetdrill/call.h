/* SPDX-License-Identifier: MIT */
/*
 * What the files that make system calls share: a script's arguments as numbers and bytes, and the
 * life of a call.
 */
#ifndef TAPLINE_PACKETDRILL_CALL_H
#define TAPLINE_PACKETDRILL_CALL_H

#include "packetdrill/runner.h"

/* A call with one buffer; the fd is that of the script's first argument where has_fd. */
struct pd_call *pd_call_new(struct pd_run *r, const struct pd_event *e, u32 nr, u32 data_size);
/* Submits it. False: the script failed. */
bool pd_call_go(struct pd_run *r, struct pd_call *c, u64 at_ns);
/* The result against the script's; for calls whose `finish` does more. */
bool pd_call_check(struct pd_run *r, const struct pd_call *c, s64 ret);

/* Argument i as a number; `or_any`: "..." gives that. False: the script failed. */
bool pd_arg_number(struct pd_run *r, const struct pd_event *e, size_t i, s64 *out);
bool pd_arg_number_or(struct pd_run *r, const struct pd_event *e, size_t i, s64 any, s64 *out);
/* Argument 0 as the host's descriptor; one that the script does not know is -1 (EBADF). */
bool pd_arg_fd(struct pd_run *r, const struct pd_event *e, size_t i, s32 *live);
/* Is the argument NULL: a pointer that a copy faults on? */
bool pd_arg_null(const struct pd_event *e, size_t i);
bool pd_arg_count(struct pd_run *r, const struct pd_event *e, size_t least, size_t most);
const struct pd_expr *pd_arg(const struct pd_event *e, size_t i);

/* A socket address argument: "..." is `otherwise`. False: the script failed. */
bool pd_arg_address(struct pd_run *r, const struct pd_event *e, size_t i,
		    const struct sock_addr *otherwise, struct sock_addr *out);

/* A value as the bytes that Linux has: number of `size` bytes, string, struct by its fields. */
bool pd_value_bytes(struct pd_run *r, const struct pd_event *e, const struct pd_expr *x, u32 size,
		    struct strbuf *out);
void pd_put_le(u8 *p, u64 n, u32 size);
u64 pd_get_le(const u8 *p, u32 size);

/* A new descriptor: the script's number stands for the host's from now on. */
void pd_fd_set(struct pd_run *r, int script, int live);
int pd_fd_script(const struct pd_run *r, int live);

/* More bytes than that are refused. */
#define PD_MAX_DATA (64u << 20)

/* The bytes that a list of iovecs holds together, and each of them (0: one, or they are not alike).
 * False: the script failed. */
bool pd_iov_sum(struct pd_run *r, const struct pd_event *e, const struct pd_expr *list, u32 *out,
		u32 *piece);

/* Is the first of them NULL? */
bool pd_iov_null(const struct pd_expr *list);

/* The flow of the descriptor in argument 0; NULL: none. */
struct pd_flow *pd_flow_of_arg(struct pd_run *r, const struct pd_event *e);

void pd_fd_forget(struct pd_run *r, int script);
/* For calls that give a descriptor and have no more to do. */
bool pd_call_finish_fd(struct pd_run *r, struct pd_call *c);

/* One for each name; each submits what its event says. */
typedef bool pd_call_function(struct pd_run *r, const struct pd_event *e, u64 at_ns);

/* call_socket.c */
pd_call_function pd_call_socket, pd_call_bind, pd_call_listen, pd_call_accept, pd_call_connect;
pd_call_function pd_call_close, pd_call_shutdown;
/* call_io.c */
pd_call_function pd_call_write, pd_call_send, pd_call_sendto, pd_call_read, pd_call_recv;
pd_call_function pd_call_readv, pd_call_writev, pd_call_fcntl, pd_call_ioctl;
pd_call_function pd_call_epoll_create;
/* call_file.c */
pd_call_function pd_call_pipe, pd_call_splice, pd_call_sendfile, pd_call_open;
/* call_data.c */
pd_call_function pd_call_sendmsg, pd_call_recvmsg, pd_call_poll, pd_call_epoll_ctl;
pd_call_function pd_call_epoll_wait, pd_call_getsockopt, pd_call_setsockopt;

#endif
