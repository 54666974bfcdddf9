/* SPDX-License-Identifier: MIT */
/*
 * Calls of the user (tcp.c, tcp_recvmsg.c, tcp_close.c, tcp_sockopt.c), and the state of a socket
 * that they and the segments change.
 */
#ifndef TAPLINE_TCP_TCP_USER_H
#define TAPLINE_TCP_TCP_USER_H

#include "tcp/tcp.h"

/* proto.init: a socket in CLOSED. Family ops are the caller's (tcp_v4_init_sock). */
void tcp_init_sock(struct sock *sk);
s64 tcp_sendmsg(struct sock *sk, struct msghdr *msg);
void tcp_splice_eof(struct sock *sk);
/* Before the first step of a send: a number for it when it has MSG_ZEROCOPY. 0, -ENOBUFS. */
int tcp_zerocopy_begin(struct sock *sk, struct msghdr *msg);
/* proto.timestamping_key */
int tcp_timestamping_key(struct sock *sk, u32 flags);
/* proto.opt_stats (tcp_opt_stats.c): how the connection stands, for the time stamp of `orig`; ack:
 * the segment that acknowledged it, NULL: none yet. NULL: no memory. */
struct sk_buff *tcp_get_timestamping_opt_stats(struct sock *sk, const struct sk_buff *orig,
					       const struct sk_buff *ack);
s64 tcp_recvmsg(struct sock *sk, struct msghdr *msg);
u32 tcp_poll(struct sock *sk, u32 f_flags);
int tcp_ioctl(struct sock *sk, u32 cmd, s64 *value);
/* The user lets go (RFC 9293 3.10.4): FIN, or RST with data unread or linger 0. The socket may
 * live on as an orphan. */
void tcp_close(struct sock *sk);
void tcp_shutdown(struct sock *sk, int how);
/* proto.lingers: SO_LINGER waits for the peer to have it all. */
bool tcp_lingers(struct sock *sk, bool begin);
/* Back to CLOSED with an RST where RFC 9293 3.10.5 wants one. 0. */
int tcp_disconnect(struct sock *sk);
int tcp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len);
int tcp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len);
/* struct tcp_info as bytes (TCP_INFO_SIZE). */
void tcp_get_info(struct sock *sk, u8 *out);
/* Forgets a saved SYN; may be NULL. */
void tcp_saved_syn_free(const struct net *net, struct saved_syn **saved);
void tcp_reqsk_saved_syn_free(struct request_sock *req);
/* The request's SYN becomes the child's; without memory it is lost. */
void tcp_move_syn(struct sock *newsk, struct request_sock *req);

/* Traces, counts CurrEstab and EstabResets, leaves the tables when it closes. */
void tcp_set_state(struct sock *sk, u8 state);
/* The connection is over: CLOSED, timers off, who waits is woken; an orphan goes. */
void tcp_done(struct sock *sk);
/* Too many orphans, or no memory for them? (tcp_max_orphans) */
bool tcp_check_oom(const struct sock *sk, u32 shift);
/* Frees what was never acknowledged. */
void tcp_write_queue_purge(struct sock *sk);
void tcp_push(struct sock *sk, u32 flags, u32 mss_now, u32 nonagle, u32 size_goal);
u32 tcp_send_mss(struct sock *sk, u32 *size_goal, u32 flags);
/* The reader took bytes: is a window update due? (RFC 9293 3.8.6.2.2) */
void tcp_cleanup_rbuf(struct sock *sk, u32 copied);
u32 tcp_fin_time(const struct sock *sk);
/* Is there room for one more to write (sk_stream_memory_free)? */
bool tcp_stream_memory_free(const struct sock *sk);
void tcp_write_space(struct sock *sk);
void tcp_data_ready(struct sock *sk);
/* SO_RCVLOWAT: at most half of the buffer, which grows with it unless the user fixed it. */
void tcp_set_rcvlowat(struct sock *sk, struct sock_rare *rare);
s32 tcp_inq(struct sock *sk);
/* Ready to be read: at least `target` bytes, or the end. */
bool tcp_stream_is_readable(struct sock *sk, s32 target);
void tcp_chrono_start(struct sock *sk, enum tcp_chrono type);
void tcp_chrono_stop(struct sock *sk, enum tcp_chrono type);

#endif
