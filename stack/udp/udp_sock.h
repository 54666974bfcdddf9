/* SPDX-License-Identifier: MIT */
/*
 * UDP (RFC 768, RFC 1122 4.1): what both families share. udp.c has ports, queue and options,
 * udp_table.c the hash tables; all that is IPv4 is in udp_ipv4.c.
 */
#ifndef TAPLINE_UDP_UDP_SOCK_H
#define TAPLINE_UDP_UDP_SOCK_H

#include "core/sock.h"
#include "ipv4/ip.h"
#include "lib/hash.h"

#define CSUM_MANGLED_0	 0xffffu /* a computed sum of 0 is sent as this (RFC 768) */
#define UDP_MAX_PAYLOAD	 65507u
#define UDP_MAX_SEGMENTS 128u /* of one call with UDP_SEGMENT */

/* A place in one of the tables. */
struct udp_hnode {
	struct hlist_node node;
	u32 hash;
};

struct udp_sock {
	struct sock sk; /* first */
	struct udp_hnode by_port; /* while bound */
	struct udp_hnode by_addr; /* while bound */
	struct udp_hnode by_flow; /* while connected and bound */
	u16 pending; /* AF_*: a datagram is under construction (UDP_CORK, MSG_MORE) */
	bool corkflag; /* UDP_CORK */
	u8 gro_enabled : 1; /* UDP_GRO */
	u8 no_check6_tx : 1, no_check6_rx : 1; /* UDP_NO_CHECK6_*: kept for a socket over IPv6 */
	u16 gso_size; /* UDP_SEGMENT; 0: off */
	u32 len; /* bytes of the pending datagram with its header */
	struct inet_cork cork;
	struct flowi4 cork_fl4;
	/* The reader's share of receive_queue, and freed bytes not yet given back to the account:
	 * udp_rmem_release() returns memory in batches, which decides when a full queue takes
	 * packets again. */
	u32 reader_qlen;
	u32 forward_deficit;
};

static inline struct udp_sock *udp_sk(struct sock *sk)
{
	return (struct udp_sock *)(void *)sk;
}

/* ---- udp_table.c ---- */

struct udp_hslot {
	struct hlist_head head;
	u32 count;
};

struct udp_htable {
	struct udp_hslot *slots;
	u32 mask;
	u32 entries;
};

/* Sockets of a host by (net, port), by (net, address, port) and, connected ones, by all four. */
struct udp_table {
	struct udp_htable port, addr, flow;
	struct siphash_key key;
};

int udp_table_init(struct host *h);
void udp_table_free(struct host *h);

u32 udp_hash_port(const struct net *net, u16 port);
/* `addr`: IPv4 address as on the wire, or a hash of an IPv6 one. */
u32 udp_hash_addr(const struct udp_table *t, const struct net *net, u32 addr, u16 port);
u32 udp_hash_flow(const struct udp_table *t, const struct net *net, u32 laddr, u16 lport, u32 raddr,
		  u16 rport);
/* In front of its chain, as the kernel does: of equals the youngest wins. Grows the table when it
 * can. */
void udp_htable_add(struct world *w, struct udp_htable *t, struct udp_hnode *n, u32 hash);
/* Harmless when it is in none. */
void udp_htable_del(struct udp_htable *t, struct udp_hnode *n);
static inline const struct udp_hslot *udp_htable_slot(const struct udp_htable *t, u32 hash)
{
	return &t->slots[hash & t->mask];
}
static inline struct udp_table *udp_table_of(const struct sock *sk)
{
	return sk->net->host->udp_table;
}

#define udp_by_port(n) container_of((n), struct udp_sock, by_port.node)
#define udp_by_addr(n) container_of((n), struct udp_sock, by_addr.node)
#define udp_by_flow(n) container_of((n), struct udp_sock, by_flow.node)

/* ---- udp.c ---- */

/* Binds to a port (0: an unused one out of ip_local_port_range, RFC 6056 3.3.1) and enters the
 * tables. 0 or -EADDRINUSE. */
int udp_lib_get_port(struct sock *sk, u16 port);
void udp_lib_unhash(struct sock *sk);
/* Local or remote address changed: finds its new places. */
void udp_lib_rehash(struct sock *sk);
void udp_lib_close(struct sock *sk);
/* Queues a datagram whose header is pulled, or drops and counts it. Takes skb. */
int __udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* As __skb_recv_datagram on UDP's queue; gives the memory back when the packet is taken off. */
struct sk_buff *__skb_recv_udp(struct sock *sk, u32 flags, s32 *off, int *err);
/* Length of the first packet whose checksum is right, -1: none. Wrong ones are dropped. */
s32 udp_first_packet_length(struct sock *sk);
/* A peeked packet turned out wrong: the queue gives it up, with its memory. */
void udp_drop_peeked(struct sock *sk, struct sk_buff *skb);
/* The reader is through with a packet from __skb_recv_udp; len: bytes read, negative when peeked.
 */
void skb_consume_udp(struct sock *sk, struct sk_buff *skb, s32 len);
/* The checksum is known to be right, or there is none to check. */
static inline bool udp_csum_unnecessary(const struct sk_buff *skb)
{
	return skb->csum_valid || skb->ip_summed == CHECKSUM_UNNECESSARY ||
	       skb->ip_summed == CHECKSUM_PARTIAL;
}
/* Computes it. True: it is right. */
static inline bool __udp_checksum_ok(struct sk_buff *skb)
{
	/* skb->csum covers what has been pulled, and the pseudo-header (RFC 768). */
	u32 sum = skb_checksum(skb, 0, skb->len, skb->csum);

	if (csum_fold(sum))
		return false;
	skb->csum_valid = 1;
	return true;
}
/* The same when need be. */
static inline bool udp_checksum_ok(struct sk_buff *skb)
{
	return udp_csum_unnecessary(skb) || __udp_checksum_ok(skb);
}
u32 udp_poll(struct sock *sk, u32 f_flags);
int udp_ioctl(struct sock *sk, u32 cmd, s64 *value);
int udp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len);
int udp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len);
void udp_flush_pending_frames(struct sock *sk);
/* Sends the datagram under construction. 0 or -errno. (udp_ipv4.c) */
int udp_push_pending_frames(struct sock *sk);
void udp_splice_eof(struct sock *sk);

/* ---- udp_offload.c ---- */

int udpv4_offload_init(struct host *h);
/* Has a socket of this host ever asked for UDP_GRO (udp_encap_needed_key)? One does now. */
bool udp_gro_needed(const struct host *h);
void udp_gro_enable(struct host *h);
static inline bool udp_sk_gro_enabled(const struct sock *sk)
{
	return ((const struct udp_sock *)(const void *)sk)->gro_enabled;
}

/* ---- udp_ipv4.c ---- */

int udp_rcv(struct sk_buff *skb);
int udp_err(struct sk_buff *skb, u32 info);
/* Who gets a datagram: the best score (__udp4_lib_lookup). Ports in host order. NULL: none. */
struct sock *__udp4_lib_lookup(struct net *net, be32 saddr, u16 sport, be32 daddr, u16 dport,
			       u32 dif);

#endif
