/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets (AF_PACKET): between af_packet.c (their life, the tap, send and receive) and
 * af_packet_opt.c (options, memberships, devices that come and go).
 */
#ifndef TAPLINE_SOCKET_AF_PACKET_H
#define TAPLINE_SOCKET_AF_PACKET_H

#include "core/packet.h"
#include "socket/socket.h"

/* How sock_addr carries a sockaddr_ll: port the protocol in host order, scope_id the ifindex, addr
 * the link address, and behind it: */
#define SLL_HATYPE  8u /* two bytes, network order */
#define SLL_PKTTYPE 10u
#define SLL_HALEN   11u

struct packet_mclist {
	struct packet_mclist *next;
	u32 ifindex, count;
	u16 type, alen;
	u8 addr[8];
};

struct packet_fanout;
struct packet_rollover;

struct packet_sock {
	struct sock sk; /* first */
	struct packet_info info;
	struct packet_type prot_hook;
	bool auxdata, origdev;
	struct packet_mclist *mclist;
	struct packet_fanout *fanout; /* whose tap it hears by; NULL: its own */
	struct packet_rollover
		*rollover; /* where its packets go when it has no room; NULL: nowhere */
	u32 tp_packets, tp_drops; /* since PACKET_STATISTICS was read */
	u64 seen, filtered, queued, dropped; /* all that came by; what became of it */
};

static inline struct packet_sock *pkt_sk(struct sock *sk)
{
	return (struct packet_sock *)(void *)sk;
}

void register_prot_hook(struct packet_sock *po);
void unregister_prot_hook(struct packet_sock *po);

/* af_packet_fanout.c: joins a group (made by its first member) for the rest of its life. 0 or
 * -errno. */
int packet_fanout_add(struct packet_sock *po, u16 id, u16 type_flags, u32 max_members);
/* Its id, and type and flags << 16. */
u32 packet_fanout_get(const struct packet_sock *po);
/* Packets that went elsewhere, of which of one large flow; that found room nowhere. */
bool packet_rollover_stats(const struct packet_sock *po, u64 stats[3]);
/* The member hears from now on, no more; its device is another; it ends. */
bool packet_fanout_link(struct packet_sock *po);
void packet_fanout_unlink(struct packet_sock *po);
void packet_fanout_moved(struct packet_sock *po);
void packet_fanout_release(struct packet_sock *po);

/* af_packet_opt.c */
int packet_setsockopt(struct socket *sock, u32 level, u32 name, const u8 *val, u32 len);
int packet_getsockopt(struct socket *sock, u32 level, u32 name, u8 *val, u32 len);
void packet_flush_mclist(struct packet_sock *po);

#endif
