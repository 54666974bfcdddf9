/* SPDX-License-Identifier: MIT */
/*
 * struct sock: the protocol side of a socket, both families: buffers and their accounts, queues,
 * options, the callbacks upward. struct socket (socket/) is the descriptor side. Names are the
 * kernel's include/net/sock.h.
 *
 * Accounts: sk_rmem_alloc is the truesize of all that waits to be received, sk_wmem_alloc that of
 * all sent and not yet freed by the device.
 */
#ifndef TAPLINE_CORE_SOCK_H
#define TAPLINE_CORE_SOCK_H

#include "core/dst.h"
#include "kernel/wait.h"
#include "lib/hlist.h"
#include "stack/errno.h"
#include "stack/socket.h"
#include "stack/sys.h"

/* An address of either family as on the wire; IPv4's is the first word, the others are 0. */
struct inet_addr {
	be32 w[4];
};

static inline struct inet_addr inet_addr4(be32 addr)
{
	return (struct inet_addr){ { addr, 0, 0, 0 } };
}

static inline bool inet_addr_equal(const struct inet_addr *a, const struct inet_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

/* 0.0.0.0 or :: */
static inline bool inet_addr_any(const struct inet_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

/* RFC 4291 2.5.5.2: ::ffff:a.b.c.d, an IPv4 address in IPv6's clothes. */
static inline bool ipv6_addr_v4mapped(const struct inet_addr *a)
{
	return !(a->w[0] | a->w[1]) && a->w[2] == htonl(0x0000ffff);
}

/* Own and peer's address of an IPv6 connection, as part of its key. */
struct inet6_key {
	struct inet_addr rcv_saddr, daddr;
};

/*
 * What a socket of AF_INET6 has besides (struct ipv6_pinfo). As long as v4mapped is set it talks
 * IPv4: its addresses are those of the inet_* fields, and these here are not looked at.
 */
struct ipv6_pinfo {
	struct inet_addr saddr, rcv_saddr, daddr;
	s16 hop_limit; /* -1: the default */
	u8 tclass, pmtudisc; /* IP_PMTUDISC_* */
	u8 v4mapped : 1, ipv6only : 1, recverr : 1;
	u32 flow_label; /* 20 bits; of the address connected to */
	u32 dst_cookie; /* of dst_cache */
	struct inet6_key key; /* behind sock_common's */
};

struct proto;
struct proto_ops;
struct socket;
struct inet_opts;
struct ubuf_info_msgzc;
struct sock_reuseport;
struct sk_filter;

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV
};

#define RCV_SHUTDOWN  1
#define SEND_SHUTDOWN 2
#define SHUTDOWN_MASK 3

/* sk_flags */
#define SOCK_DEAD	      0x1u
#define SOCK_KEEPOPEN	      0x2u
#define SOCK_BROADCAST	      0x4u
#define SOCK_LINGER	      0x8u
#define SOCK_URGINLINE	      0x10u
#define SOCK_TIMESTAMP	      0x20u
#define SOCK_LOCALROUTE	      0x40u
#define SOCK_RCVTSTAMPNS      0x80u
#define SOCK_RXQ_OVFL	      0x100u
#define SOCK_DONE	      0x200u
#define SOCK_SELECT_ERR_QUEUE 0x400u
#define SOCK_ZEROCOPY	      0x800u
#define SOCK_FILTERED	      0x1000u
#define SOCK_FILTER_LOCKED    0x2000u
#define SOCK_DBG	      0x4000u
#define SOCK_WIFI_STATUS      0x8000u
#define SOCK_NOFCS	      0x10000u
#define SOCK_TSTAMP_NEW	      0x20000u
#define SOCK_RCVMARK	      0x40000u
#define SOCK_RCVPRIORITY      0x80000u

/* sk_userlocks: what the user fixed and the stack may not change. */
#define SOCK_SNDBUF_LOCK   1
#define SOCK_RCVBUF_LOCK   2
#define SOCK_BINDADDR_LOCK 4
#define SOCK_BINDPORT_LOCK 8
#define SOCK_LOCK_MASK	   15u
#define SOCK_BUF_LOCK_MASK (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK)

/* sk_pacing_status: nobody paces, the socket itself must, a qdisc does. */
enum { SK_PACING_NONE, SK_PACING_NEEDED, SK_PACING_FQ };

/* Smallest buffers (TCP_SKB_MIN_TRUESIZE of Linux x86-64, twice that for sending). */
#define SOCK_MIN_RCVBUF 2304
#define SOCK_MIN_SNDBUF 4608

/* A system call in progress as the protocols see it; what they need to wait (socket/ makes it). */
struct sys_call;

struct msghdr {
	const struct sock_addr *name; /* of a send; NULL: none */
	struct sock_addr *name_out; /* of a receive; NULL: not wanted */
	bool name_valid; /* a receive filled name_out */
	u8 *data;
	u32 len; /* bytes at data */
	u32 done; /* bytes already moved by earlier steps of the same call */
	u32 flags; /* MSG_* asked for */
	u32 out_flags;
	u64 rx_tstamp; /* a stream's receive: when the last packet read came; 0: none was */
	struct ubuf_info_msgzc *uarg; /* MSG_ZEROCOPY; NULL: none */
	u32 retry_ms; /* of a send that returns -EAGAIN: memory may be there then; 0: it is woken */
	bool connecting; /* this send has begun to open the connection (MSG_FASTOPEN) */
	bool splice; /* a receive for splice(2): it stops in front of an urgent byte */
	u32 piece; /* MSG_ZEROCOPY: bytes of each iovec, 0: one */
	u8 *control; /* cmsgs in (send) or room for them (receive) */
	u32 control_len, control_used;
};

/*
 * What few sockets ever have other than it was made: the values of rarely used options and what
 * goes with them. All that have not share sock_rare_default.
 */
struct sock_rare {
	u64 rcvtimeo, sndtimeo; /* ns; TIME_NEVER: none */
	u64 max_pacing_rate; /* SO_MAX_PACING_RATE, bytes a second; UINT64_MAX: no limit */
	struct sk_buff_head error_queue;
	struct list_head mc_list; /* ipv4/: groups joined */
	be32 mc_addr; /* IP_MULTICAST_IF */
	u32 mc_index;
	u32 uc_index; /* IP_UNICAST_IF; 0: none */
	u32 local_port_range; /* IP_LOCAL_PORT_RANGE: the highest << 16 | the lowest; 0: none */
	s32 peek_off; /* < 0: off */
	s32 incoming_cpu; /* SO_INCOMING_CPU; -1: any */
	s32 rcvlowat;
	u32 inet_cmsg_flags;
	struct inet_opts *inet_opt; /* of sending; NULL: none */
	u32 lingertime_s;
	u32 tsflags; /* SOF_TIMESTAMPING_* */
	u32 ll_usec; /* SO_BUSY_POLL: a call looks so long by itself before it sleeps */
	u32 rx_ifindex; /* with it: the device that packets came by, */
	u16 rx_queue; /* and its queue */
	u16 busy_poll_budget; /* packets of a look; 0: the default */
	bool prefer_busy_poll;
	u32 tskey; /* what OPT_ID counts from, or the next number */
	u32 zckey; /* the next send with MSG_ZEROCOPY */
	struct sk_filter *filter; /* core/filter.h; NULL: none */
};

extern const struct sock_rare sock_rare_default;

/* Upward calls: who waits is told. */
struct sock_calls {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/* Of protocols that do nothing special. */
extern const struct sock_calls sock_def_calls;

struct sock {
	u8 family;
	u8 sk_state; /* TCP_* of every protocol */
	u8 sk_reuse : 1, sk_reuseport : 1, sk_no_check_tx : 1, sk_userlocks : 4;
	u8 sk_nospace : 1; /* a sender found the buffer full */
	u8 sk_protocol;
	u8 sk_type : 4;
	u8 sk_pacing_shift : 4; /* a super-packet holds 1/2^shift s at that rate */
	u8 sk_shutdown : 2;
	u8 sk_pacing_status : 2; /* SK_PACING_* */
	u8 sk_gso_disabled : 1; /* its segments must be made one by one (keys in the header) */
	u8 sk_dst_pending_confirm : 1; /* the next packet tells the neighbour (sk_dst_confirm) */
	u8 sk_txrehash : 1; /* SO_TXREHASH: a time-out sends the flow another way */
	u16 sk_write_pending; /* calls that wait to send more */
	u32 sk_bound_dev_if;
	u32 sk_flags;
	struct net *net;
	const struct proto *prot;
	struct socket *socket; /* NULL: orphan */
	u32 refcnt;
	s16 sk_err;
	u8 sk_err_soft;
	u8 inet_pmtudisc; /* IP_PMTUDISC_* */
	struct wait_queue_head wq;
	struct sk_buff_head receive_queue;
	s32 sk_rcvbuf;
	u32 sk_rmem_alloc;
	u32 sk_drops;
	u32 sk_rxhash; /* flow of what it received last; 0: none */
	u16 sk_rx_queue; /* receive queue + 1 of what it received last; 0: none yet */
	u16 sk_tx_queue; /* transmit queue + 1; 0: none yet */
	u32 sk_mark;
	struct dst_entry *dst_cache; /* held */
	const struct sock_rare *sk_rare; /* sock_rare_get() to write */
	struct sk_buff_head write_queue;
	s32 sk_sndbuf;
	u32 sk_wmem_alloc, sk_wmem_queued;
	u32 sk_priority;
	u64 sk_pacing_rate; /* bytes a second that the flow should have now; UINT64_MAX: no limit */
	/* IPv4 addresses and ports (inet_sock); ports in host order, addresses as on the wire. */
	be32 inet_daddr, inet_rcv_saddr, inet_saddr;
	u16 inet_dport, inet_num;
	u8 inet_tos, inet_min_ttl;
	s16 inet_uc_ttl; /* -1: the sysctl */
	u8 inet_mc_ttl;
	u8 inet_recverr : 1, inet_freebind : 1, inet_hdrincl : 1, inet_mc_loop : 1,
		inet_nodefrag : 1, inet_transparent : 1, inet_bind_no_port : 1,
		inet_mc_all : 1; /* IP_MULTICAST_ALL */
	u16 inet_id; /* of the next packet that has none of its own */
	struct ipv6_pinfo *pinet6; /* of AF_INET6; NULL: AF_INET */
	struct sock_reuseport *sk_reuseport_cb; /* its SO_REUSEPORT group; NULL: none */
};

/* One transport protocol (struct proto). Calls run in steps: what would block returns -EAGAIN after
 * having moved what it could (msg->done), and is called again when the socket's wait queue was
 * woken. */
struct proto {
	const char *name;
	const struct sock_calls *calls;
	u32 obj_size;
	u8 mem_kind;
	u8 memory; /* enum proto_mem_kind: whose limits its buffers count against */
	bool no_autobind; /* connect binds by itself, a send does not */
	int (*init)(struct sock *sk);
	/* Last words before the memory goes: accounts are settled, queues purged. NULL: nothing. */
	void (*destruct)(struct sock *sk);
	void (*close)(struct sock *sk);
	int (*connect)(struct sock *sk, const struct sock_addr *addr);
	int (*disconnect)(struct sock *sk);
	int (*bind_conflict)(struct sock *sk, const struct sock_addr *addr);
	s64 (*sendmsg)(struct sock *sk, struct msghdr *msg);
	s64 (*recvmsg)(struct sock *sk, struct msghdr *msg);
	/* A sendfile(2) that said MSG_MORE found no more: what waited for it goes. May be NULL. */
	void (*splice_eof)(struct sock *sk);
	int (*setsockopt)(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len);
	/* Bytes written to val (room len), or -errno. */
	int (*getsockopt)(struct sock *sk, u32 level, u32 name, u8 *val, u32 len);
	int (*ioctl)(struct sock *sk, u32 cmd, s64 *value);
	/* POLL* bits that hold now; f_flags: O_NONBLOCK or 0. */
	u32 (*poll)(struct sock *sk, u32 f_flags);
	int (*get_port)(
		struct sock *sk,
		u16 port); /* port 0: any. Binds in the protocol's table. 0 or -EADDRINUSE */
	void (*hash)(struct sock *sk);
	void (*unhash)(struct sock *sk);
	/* inet_rcv_saddr or the peer changed. */
	void (*rehash)(struct sock *sk);
	/* SOF_TIMESTAMPING_OPT_ID is about to be set: tskey. NULL: packets count from 0. */
	int (*timestamping_key)(struct sock *sk, u32 flags);
	/* SOF_TIMESTAMPING_OPT_STATS: what comes with the time stamp of `orig`; ack: what
	 * acknowledged it, or NULL. May be NULL. */
	struct sk_buff *(*opt_stats)(struct sock *sk, const struct sk_buff *orig,
				     const struct sk_buff *ack);
	/* SO_KEEPALIVE is about to change; may be NULL. */
	void (*keepalive)(struct sock *sk, bool on);
	/* SO_RCVLOWAT was set; may be NULL. */
	void (*rcvlowat_set)(struct sock *sk, struct sock_rare *rare);
	/* SO_LINGER: close waits as long as this says so; `begin`: it says so to the peer first.
	 * May be NULL. */
	bool (*lingers)(struct sock *sk, bool begin);
	void (*shutdown)(struct sock *sk, int how);
	int (*listen)(struct sock *sk, u32 backlog);
	struct sock *(*accept)(struct sock *sk, int *err);
	/* The end of a connection whose socket may live on for a while: queues, timers, port. */
	void (*destroy)(struct sock *sk);
};

struct sock *sk_alloc(struct net *net, u16 family, const struct proto *prot, size_t size);
void sock_def_readable(struct sock *sk);
void sock_def_wakeup(struct sock *sk);
void sock_def_error_report(struct sock *sk);
/* Its own struct sock_rare, made at the first call. NULL: no memory. */
struct sock_rare *sock_rare_get(struct sock *sk);
/* Of a socket that has one: a default is there for all to read. */
static inline struct sock_rare *sock_rare_own(struct sock *sk)
{
	ASSERT(sk->sk_rare != &sock_rare_default);
	return (struct sock_rare *)(uintptr_t)(const void *)sk->sk_rare;
}
/* The error queue's packets are freed. */
void sock_error_queue_purge(struct sock *sk);
/* Buffers, limits, callbacks and queues as new; socket may be NULL. */
void sock_init_data(struct socket *socket, struct sock *sk);
/* Another socket with the same options, in no table and without queues, peer's data and user: a
 * listener's child (sk_clone_lock). One reference. NULL: no memory. */
struct sock *sk_clone(const struct sock *sk);
static inline void sock_hold(struct sock *sk)
{
	sk->refcnt++;
}
/* The last one frees it. */
void sock_put(struct sock *sk);
/* The descriptor side is gone: nobody is to be woken any more. */
void sock_orphan(struct sock *sk);

/* The skb is charged to the sender until the device frees it / to the receiver until it is read. */
void skb_set_owner_w(struct sk_buff *skb, struct sock *sk);
/* The destructor of such packets. */
void sock_wfree(struct sk_buff *skb);
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);
/* An skb charged to the sender; NULL when the send buffer is full (unless force) or no memory. */
struct sk_buff *sock_wmalloc(struct sock *sk, u32 size, bool force);
/* Room to send in: NULL and *err -EAGAIN when the send buffer is full, -ENOBUFS/-ENOMEM when memory
 * is refused; sk_err, or -EPIPE after shutdown, go first. */
struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 size, int *err);
static inline bool sock_writeable(const struct sock *sk)
{
	return sk->sk_wmem_alloc < (u32)sk->sk_sndbuf >> 1;
}
/* Queues for the reader, charged. 0; -ENOMEM (SOCKET_RCVBUFF) when it does not fit: the skb is
 * still the caller's. */
int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* The error queue (MSG_ERRQUEUE); takes the skb unless it returns an error. */
int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb);
/*
 * What an entry of the error queue is about (sock_exterr_skb), in skb->cb at SOCK_CB_EXTERR; what
 * IP keeps lies in front of it. Its own payload is what the entry gives to the reader.
 */
struct sock_exterr {
	u32 ee_errno; /* positive */
	u8 ee_origin, ee_type, ee_code;
	u8 opt_stats; /* its bytes are SOF_TIMESTAMPING_OPT_STATS */
	u32 ee_info, ee_data;
	u16 addr_offset; /* of the destination the packet had, from the network header */
	u16 port; /* that went with it, host order */
};
#define SOCK_CB_EXTERR 32u
static inline struct sock_exterr *skb_ext_err(struct sk_buff *skb)
{
	return (struct sock_exterr *)(void *)(skb->cb + SOCK_CB_EXTERR);
}

/* The oldest entry of the error queue; sk_err becomes what the next one says. NULL: empty. The
 * caller frees it. */
struct sk_buff *sock_dequeue_err_skb(struct sock *sk);
/* Takes and clears sk_err: 0 or -errno. */
int sock_error(struct sock *sk);
/* Tells those who wait that sk_err or the error queue has something. */
static inline void sk_error_report(struct sock *sk)
{
	sk->prot->calls->error_report(sk);
}

static inline void sk_data_ready(struct sock *sk)
{
	sk->prot->calls->data_ready(sk);
}

static inline void sk_write_space(struct sock *sk)
{
	sk->prot->calls->write_space(sk);
}

static inline void sk_state_change(struct sock *sk)
{
	sk->prot->calls->state_change(sk);
}

/*
 * What the layers below keep in skb->cb ends before SOCK_CB_DROPCOUNT; the socket layer's own
 * word lies behind: how many packets the socket had dropped when this one was queued (SO_RXQ_OVFL).
 */
#define SOCK_CB_DROPCOUNT 60u
void sock_skb_set_dropcount(const struct sock *sk, struct sk_buff *skb);

/* datagram.c */
u32 datagram_poll(struct sock *sk);
/*
 * The first packet of the receive queue. With MSG_PEEK it stays there and gets one more reference;
 * *off is where to read (SO_PEEK_OFF; < 0: from the start) and becomes the offset within the
 * packet. NULL with *err: -EAGAIN when there is none, sk_err, 0 after shutdown of a call that may
 * wait.
 */
struct sk_buff *__skb_recv_datagram(struct sock *sk, u32 flags, s32 *off, int *err);
/* The same without an offset. */
struct sk_buff *skb_recv_datagram(struct sock *sk, u32 flags, int *err);
/* Bytes [offset, offset + len) to the caller's buffer. 0, or -EFAULT when they are not there. */
int skb_copy_datagram_msg(const struct sk_buff *skb, u32 offset, struct msghdr *msg, u32 len);
/* All from offset on, summed up with skb->csum in the same pass. -EINVAL: the checksum is wrong. */
int skb_copy_and_csum_datagram_msg(struct sk_buff *skb, u32 offset, struct msghdr *msg);
/* A peeked packet whose checksum turned out wrong: off the queue when it is still there. */
bool sk_queue_drop_skb(struct sk_buff_head *q, struct sk_buff *skb);
static inline s32 sk_peek_offset(const struct sock *sk, u32 flags)
{
	return flags & MSG_PEEK ? sk->sk_rare->peek_off : 0;
}
/* len bytes were read (> 0) or peeked at (< 0): SO_PEEK_OFF moves along. */
static inline void sk_peek_offset_bwd(struct sock *sk, s32 len)
{
	if (sk->sk_rare->peek_off >= 0)
		sock_rare_own(sk)->peek_off =
			sk->sk_rare->peek_off > len ? sk->sk_rare->peek_off - len : 0;
}

/* sock_opt.c: options that all sockets have (SOL_SOCKET). */
int sock_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len);
int sock_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len);
/* What the buffers hold now, SK_MEMINFO_VARS numbers as SO_MEMINFO has them and ss shows them.
 * Those of options and of the backlog of a locked socket are 0. */
enum {
	SK_MEMINFO_RMEM_ALLOC,
	SK_MEMINFO_RCVBUF,
	SK_MEMINFO_WMEM_ALLOC,
	SK_MEMINFO_SNDBUF,
	SK_MEMINFO_FWD_ALLOC,
	SK_MEMINFO_WMEM_QUEUED,
	SK_MEMINFO_OPTMEM,
	SK_MEMINFO_BACKLOG,
	SK_MEMINFO_DROPS,
	SK_MEMINFO_VARS
};
void sk_get_meminfo(const struct sock *sk, u32 *mem);
/* An int option as the kernel reads it: little endian, -EINVAL below 4 bytes. */
int sock_get_int(const u8 *val, u32 len, s32 *out);
/* An int to the caller's room, cut to len. Returns the bytes written. */
int sock_put_int(u8 *val, u32 len, s32 v);
/* The same with bytes. */
int sock_put_bytes(u8 *val, u32 len, const void *from, u32 size);
/* Appends one control message in Linux's layout; sets MSG_CTRUNC when there is no room. */
void put_cmsg(struct msghdr *msg, u32 level, u32 type, const u8 *data, u32 len);
/* Walks the control messages of a send. Start with *offset 0; false at the end, or with *err
 * -EINVAL at a malformed one. */
bool next_cmsg(const struct msghdr *msg, u32 *offset, u32 *level, u32 *type, const u8 **data,
	       u32 *len, int *err);
/* SO_TIMESTAMP, SO_TIMESTAMPNS, SCM_TIMESTAMPING for what came, or an entry of the error queue; hw:
 * the device's stamp, 0: none. */
void sock_recv_timestamp(struct msghdr *msg, const struct sock *sk, u64 tstamp, u64 hw,
			 bool err_queue);
/* SOL_SOCKET's control messages for a received packet: time stamps, SO_RXQ_OVFL. */
void sock_recv_cmsgs(struct msghdr *msg, struct sock *sk, const struct sk_buff *skb);

/* AF_INET6, and not in talk with an IPv4 address. */
static inline bool sk_is_ipv6(const struct sock *sk)
{
	return sk->pinet6 && !sk->pinet6->v4mapped;
}

/* A call on the socket runs here: RFS brings its packets to this CPU (core/rps.c). */
void sock_rps_record_flow(const struct sock *sk);
static inline void sock_rps_save_rxhash(struct sock *sk, const struct sk_buff *skb)
{
	if (skb->l4_hash || skb->sw_hash)
		sk->sk_rxhash = skb->hash;
	sk->sk_rx_queue = (u16)(skb->queue_mapping + 1);
}

/* The cached route of the socket, still valid, with a reference for the caller; NULL: look it up.
 */
struct dst_entry *sk_dst_check(struct sock *sk, u32 cookie);
/* The socket takes over a reference. */
void sk_dst_set(struct sock *sk, struct dst_entry *dst);
void sk_dst_reset(struct sock *sk);

/*
 * The other end got something: so does the next hop (RFC 1122 3.3.1.4: advice of a higher layer;
 * RFC 4861 7.3.1: forward progress). The socket's next packet tells it to the neighbour.
 */
static inline void sk_dst_confirm(struct sock *sk)
{
	sk->sk_dst_pending_confirm = 1;
}

/* Receive account equals what is queued, sizes are sane. Panics at the first wrong one. `reserved`:
 * bytes that the protocol holds charged besides. */
void sk_check(const struct sock *sk, u32 reserved);

#endif
