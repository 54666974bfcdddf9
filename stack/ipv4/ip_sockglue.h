/* SPDX-License-Identifier: MIT */
/*
 * What sockets of every protocol over IPv4 share (net/ipv4/ip_sockglue.c, the socket side of
 * igmp.c): options of level SOL_IP, control messages, the error queue, groups joined.
 */
#ifndef TAPLINE_IPV4_IP_SOCKGLUE_H
#define TAPLINE_IPV4_IP_SOCKGLUE_H

#include "ipv4/ip.h"

/* sk->inet_cmsg_flags: what a receive reports. */
#define IP_CMSG_PKTINFO	     0x01u
#define IP_CMSG_TTL	     0x02u
#define IP_CMSG_TOS	     0x04u
#define IP_CMSG_RECVOPTS     0x08u
#define IP_CMSG_RETOPTS	     0x10u
#define IP_CMSG_PASSSEC	     0x20u
#define IP_CMSG_ORIGDSTADDR  0x40u
#define IP_CMSG_CHECKSUM     0x80u
#define IP_CMSG_RECVFRAGSIZE 0x100u
#define IP_ERR_RFC4884	     0x200u /* of entries of the error queue: IP_RECVERR_RFC4884 */

int ip_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len);
int ip_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len);
/* The priority that a TOS stands for. */
u32 tos2priority(u8 tos);
/* Those of ip_setsockopt() that are about groups. */
int ip_mc_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len);

/* Control messages of a send, SOL_SOCKET's too. `room` holds options that one of them gave
 * (ipc->opt points there). 0 or -EINVAL. */
int ip_cmsg_send(const struct sock *sk, const struct msghdr *msg, struct ipcm_cookie *ipc,
		 struct inet_opts *room);
/* What has to be remembered of a packet's way before it is queued without its route. */
void ipv4_pktinfo_prepare(const struct sock *sk, struct sk_buff *skb);
/* The control messages that sk asked for. */
void ip_cmsg_recv(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb);

/*
 * Puts an ICMP error about a packet of sk onto its error queue: skb->data at the quoted IP header,
 * icmp header at the transport header; `payload`: bytes from skb->data to what the reader gets.
 * err positive, port in host order (the destination's).
 */
void ip_icmp_error(struct sock *sk, struct sk_buff *skb, s32 err, u16 port, u32 info, u32 payload);
/* The same for an error found here (EMSGSIZE with the MTU as info); only with IP_RECVERR. */
void ip_local_error(struct sock *sk, s32 err, be32 daddr, u16 port, u32 info);
/* recvmsg(MSG_ERRQUEUE): bytes, -EAGAIN when there is none. */
s64 ip_recv_error(struct sock *sk, struct msghdr *msg);

/* May a packet to loc_addr that came by dif be given to sk? Always when it is no group. */
bool ip_mc_sf_allow(const struct sock *sk, be32 loc_addr, u32 dif);
/* Leaves all groups. */
void ip_mc_drop_socket(struct sock *sk);
/* The options of what it sends become opt, which it takes; NULL: none. False: no memory. */
bool ip_sock_set_opt(struct sock *sk, struct inet_opts *opt);
/* proto.destruct of sockets over IPv4: frees what the options hold. */
void inet_sock_destruct(struct sock *sk);

/* struct sockaddr_in of Linux as bytes. */
static inline void put_sockaddr_in(u8 b[16], be32 addr, u16 port)
{
	memset(b, 0, 16);
	put_le16(b, AF_INET);
	put_be16(b + 2, port);
	store_be32(b + 4, addr);
}

static inline void sock_addr_set_in(struct sock_addr *a, be32 addr, u16 port)
{
	*a = (struct sock_addr){ .family = AF_INET, .port = port };
	store_be32(a->addr, addr);
}

#endif
