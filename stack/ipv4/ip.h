/* SPDX-License-Identifier: MIT */
/*
 * IPv4 (RFC 791, RFC 1122 3): what the rest of the stack calls. In: ip_rcv -> ip_local_deliver ->
 * inet_protos[]. Out: a datagram from ip_make_skb / ip_append_data (UDP, ICMP, raw) or a segment
 * through ip_queue_xmit (TCP) -> ip_local_out -> ip_output -> neighbour.
 */
#ifndef TAPLINE_IPV4_IP_H
#define TAPLINE_IPV4_IP_H

#include "core/errqueue.h"
#include "ipv4/route.h"
#include "wire/ip4.h"

#define IPV4_MIN_MTU 68u /* RFC 791 */
#define IP_MAX_MTU   0xffffu

/* Options in the header at hand: offsets from the network header, 0: not there
 * (struct ip_options). */
struct ip_options {
	be32 faddr; /* source route: first hop */
	be32 nexthop; /* source route: next hop */
	u8 optlen; /* bytes, a multiple of 4 */
	u8 srr, rr, ts;
	u8 is_strictroute : 1, srr_is_hit : 1, is_changed : 1, rr_needaddr : 1, ts_needtime : 1,
		ts_needaddr : 1;
	u8 router_alert, cipso;
};

/* Options kept apart from a packet: of a socket (IP_OPTIONS), of a reply. The bytes start at offset
 * 20 of the header-to-be as far as opt's offsets are concerned. */
struct inet_opts {
	struct ip_options opt;
	u8 data[40];
};

/* The mark of what answers skb (IP4_REPLY_MARK). */
static inline u32 ip4_reply_mark(const struct net *net, const struct sk_buff *skb)
{
	return net->sysctl.fwmark_reflect ? skb->mark : 0;
}

#define IPSKB_FORWARDED	    0x01u
#define IPSKB_FRAG_COMPLETE 0x08u
#define IPSKB_REROUTED	    0x10u
#define IPSKB_DOREDIRECT    0x20u
#define IPSKB_FRAG_PMTU	    0x40u

/* What IPv4 keeps in skb->cb. Protocols above that need cb put their own behind it. */
struct inet_skb_parm {
	u32 iif;
	struct ip_options opt;
	u16 flags; /* IPSKB_* */
	u16 frag_max_size;
};

static inline struct inet_skb_parm *IPCB(const struct sk_buff *skb)
{
	return (struct inet_skb_parm *)(void *)(uintptr_t)(const void *)skb->cb;
}

/* The header of a packet whose network header is set. */
static inline u8 *ip_hdr(const struct sk_buff *skb)
{
	return skb_network_header(skb);
}

static inline u32 ip_hdrlen(const struct sk_buff *skb)
{
	return ip4_ihl(ip_hdr(skb));
}

/* ---- in ---- */

/* packet_type of ETH_P_IP. */
int ip_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
	   struct net_device *orig_dev);
/* dst.input of local routes. */
int ip_local_deliver(struct sk_buff *skb);
/* dst.input of routes to others. */
int ip_forward(struct sk_buff *skb);
int ip_error(struct sk_buff *skb);

/* ---- out ---- */

/* What one sendmsg says about its packet (ipcm_cookie): from the socket, then from the call. */
struct ipcm_cookie {
	be32 addr; /* source address; 0: the route's */
	u32 oif;
	const struct inet_opts *opt; /* may be NULL */
	struct sockcm_cookie sockc;
	s16 ttl; /* 0: the socket's or the route's */
	s16 tos; /* -1: the socket's */
	u8 protocol;
	u8 pmtudisc; /* IP_PMTUDISC_* */
	u16 gso_size;
};

/* From the socket's settings; sk NULL: a packet of the kernel itself (ICMP). */
void ipcm_init_sk(struct ipcm_cookie *ipc, const struct sock *sk);

/* A datagram under construction (struct inet_cork): of a socket between calls (MSG_MORE, UDP_CORK),
 * or on the stack of one call. */
struct inet_cork {
	struct net *net;
	struct dst_entry *dst; /* held from ip_setup_cork to ip_finish_skb or flush */
	bool opt_valid; /* IPCORK_OPT */
	struct inet_opts opt;
	be32 addr; /* final destination (source route: the first hop) */
	u32 fragsize; /* MTU the datagram is cut to */
	u32 length; /* bytes so far, without IP headers */
	u32 mark, priority;
	s16 ttl, tos;
	u8 protocol, pmtudisc;
	u16 gso_size;
};

/*
 * Appends `length` bytes from `from` to the datagram in `queue`; the first call sets the cork up
 * (takes over the route *rtp, which becomes NULL) and leaves transhdrlen bytes for the transport
 * header at the front (part of `length`: length = transhdrlen + payload). skb->csum of each sk_buff
 * is the sum of its payload unless ip_summed is CHECKSUM_PARTIAL (the device does it). sk may be
 * NULL: the kernel's own. 0; -EMSGSIZE (over 65,535, or over the MTU with IP_PMTUDISC_DO/PROBE);
 * -EAGAIN (send buffer full, nothing was taken), -ENOBUFS.
 */
int ip_append_data(struct net *net, struct sock *sk, const struct flowi4 *fl4,
		   struct sk_buff_head *queue, struct inet_cork *cork, const u8 *from, u32 length,
		   u32 transhdrlen, const struct ipcm_cookie *ipc, struct rtable **rtp, u32 flags);

/* Joins the queue into one packet with its IP header (network and transport header set, data at the
 * IP header), ready for ip_send_skb(). Releases the cork. NULL: the queue was empty. */
struct sk_buff *ip_finish_skb(struct sock *sk, const struct flowi4 *fl4, struct sk_buff_head *queue,
			      struct inet_cork *cork);
/* ip_append_data and ip_finish_skb for a datagram in one piece. `cork` is its room. NULL with
 * *err. */
struct sk_buff *ip_make_skb(struct net *net, struct sock *sk, const struct flowi4 *fl4,
			    const u8 *from, u32 length, u32 transhdrlen,
			    const struct ipcm_cookie *ipc, struct rtable **rtp, u32 flags,
			    struct inet_cork *cork, int *err);
/* Throws a corked datagram away. */
void ip_flush_pending_frames(struct sk_buff_head *queue, struct inet_cork *cork);

/* ip_local_out, errors as a sender sees them: NET_XMIT_DROP becomes -ENOBUFS only with IP_RECVERR.
 */
int ip_send_skb(struct net *net, struct sk_buff *skb);
/* Sets total length and header checksum, passes LOCAL_OUT, goes to dst_output. Takes skb. */
int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb);
/* dst.output of unicast routes, and of multicast and broadcast ones. */
int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb);

/* A segment of a connected socket (TCP): routes it by sk's addresses and ports (sk->dst_cache),
 * builds the IP header in front of skb->data, sends it. fl4 is worked on. Takes skb. */
int ip_queue_xmit(struct sock *sk, struct sk_buff *skb, struct flowi4 *fl4);
/* A segment with given addresses, before there is a full socket (SYN-ACK, RST); skb->dst is set. */
int ip_build_and_send_pkt(struct net *net, struct sk_buff *skb, const struct sock *sk, be32 saddr,
			  be32 daddr, const struct inet_opts *opt, u8 tos, s32 ttl);

/* An identification for `segs` packets of this flow: the kernel's 2,048 hashed counters (RFC 6864
 * 4.1, RFC 7739 5.3 in spirit). */
void ip_select_ident_segs(struct net *net, struct sk_buff *skb, const struct sock *sk, u32 segs);
/* Where a connected socket of its own begins to count: at random, or pinned by a test. */
u16 ip_ident_first(struct net *net);

/* ---- reassembly (ip_fragment.c) ---- */

enum ip_defrag_users { IP_DEFRAG_LOCAL_DELIVER, IP_DEFRAG_CALL_RA_CHAIN, IP_DEFRAG_CONNTRACK_IN };
/* A fragment in; 0: skb is now the whole datagram; -EINPROGRESS or another: it was taken. */
int ip_defrag(struct net *net, struct sk_buff *skb, u32 user);

/* ---- options (ip_options.c) ---- */

/*
 * Checks the options in the header of skb (opt->optlen bytes behind 20) and, for a packet that
 * arrived, fills in record route and time stamp. skb NULL: options in `data` of a socket's.
 * 0, or -EINVAL with *pointer the offset in the header of the offending byte.
 */
int ip_options_compile(struct net *net, struct ip_options *opt, struct sk_buff *skb, u8 *data,
		       u32 *pointer);
/* The options for an answer to skb: record route, time stamp and the source route reversed. */
int ip_options_echo(struct net *net, struct inet_opts *dopt, struct sk_buff *skb);
/* Options from setsockopt(IP_OPTIONS): 0 or -EINVAL. */
int ip_options_get(struct net *net, struct inet_opts *opt, const u8 *data, u32 len);

#endif
