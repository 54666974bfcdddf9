/* SPDX-License-Identifier: MIT */
/*
 * IPv4 reassembly (net/ipv4/ip_fragment.c; RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 1858, RFC 3168
 * 5.3): what a fragment may be, when a datagram is whole, what is told to the sender when it never
 * becomes so. The queues themselves are inet/inet_fragment.c's.
 */
#include "ipv4/icmp.h"
#include "ipv4/ip.h"
#include "ipv4/ip_fragment.h"
#include "ipv4/netns_ipv4.h"
#include "inet/inet_frag.h"
#include "kernel/trace.h"

_Static_assert(sizeof(struct inet_skb_parm) <= FRAG_CB_OFFSET, "IPCB and FRAG_CB lie apart");
_Static_assert(FRAG_CB_OFFSET + sizeof(struct frag_cb) <= sizeof(((struct sk_buff *)0)->cb),
	       "FRAG_CB fits");

struct ipv4_frags {
	struct fqdir fqdir;
};

/* Codepoints seen, a bit each (1 << (tos & 3)). */
#define FRAG_ECN_NOT_ECT (1u << INET_ECN_NOT_ECT)
#define FRAG_ECN_ECT_1	 (1u << INET_ECN_ECT_1)
#define FRAG_ECN_ECT_0	 (1u << INET_ECN_ECT_0)
#define FRAG_ECN_CE	 (1u << INET_ECN_CE)

/*
 * RFC 3168 5.3: what the datagram's codepoint becomes, OR-ed into the first fragment's; 0xff: they
 * can not be of one datagram. (ip_frag_ecn_table)
 */
static u8 frag_ecn(u32 seen)
{
	if (seen & FRAG_ECN_CE)
		return seen & FRAG_ECN_NOT_ECT ? 0xff : INET_ECN_CE;
	if (seen & FRAG_ECN_NOT_ECT && seen & (FRAG_ECN_ECT_0 | FRAG_ECN_ECT_1))
		return 0xff;
	return 0;
}

static struct fqdir *net_frags(struct net *net)
{
	return &net->ipv4_frags->fqdir;
}

static u64 peer_key(const struct inet_frag_key *k)
{
	return get_be32(k->saddr);
}

/* Off the table, its fragments dropped. The caller's reference goes. */
static void ipq_drop(struct inet_frag_queue *q, enum skb_drop_reason reason)
{
	inet_frag_kill(q);
	inet_frag_put(q, reason);
}

/* ip_expire: RFC 792: time exceeded, but only to the sender of a first fragment. */
static void ip_expire(struct inet_frag_queue *q)
{
	struct net *net = q->fqdir->net;
	enum skb_drop_reason reason;
	struct sk_buff *head;

	q->refcnt++;
	inet_frag_kill(q);
	MIB_INC(net, IpReasmFails);
	MIB_INC(net, IpReasmTimeout);
	head = q->flags & INET_FRAG_FIRST_IN ? inet_frag_pull_head(q) : NULL;
	if (head) {
		head->dev = dev_get_by_index(net, q->iif);
		if (head->dev &&
		    ip_route_input(head, ip4_daddr(ip_hdr(head)), ip4_saddr(ip_hdr(head)),
				   ip4_tos(ip_hdr(head)), head->dev, &reason) == 0 &&
		    (q->key.user == IP_DEFRAG_LOCAL_DELIVER ||
		     skb_rtable(head)->rt_type == RTN_LOCAL))
			icmp_send(head, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
		kfree_skb_reason(head, SKB_DROP_REASON_FRAG_REASM_TIMEOUT);
	}
	inet_frag_put(q, SKB_DROP_REASON_FRAG_REASM_TIMEOUT);
}

static struct inet_frag_queue *ip_find(struct net *net, const u8 *iph, u32 user)
{
	struct inet_frag_key key = { .id = ip4_id(iph),
				     .protocol = ip4_protocol(iph),
				     .user = user };
	struct inet_frag_queue *q;
	bool created;

	memcpy(key.saddr, iph + 12, 4);
	memcpy(key.daddr, iph + 16, 4);
	q = inet_frag_find(net_frags(net), &key, (u64)net->sysctl.ipfrag_high_thresh,
			   (u64)net->sysctl.ipfrag_time * HZ, &created);
	if (q && created && net->sysctl.ipfrag_max_dist) {
		q->peer = inet_getpeer(&net_ipv4(net)->peers, 0, peer_key(&key));
		if (q->peer) {
			q->peer->refcnt++;
			q->rid = q->peer->rid;
		}
	}
	return q;
}

/* Too many fragments of other datagrams of this peer came between (ipfrag_max_dist). */
static bool ip_frag_too_far(struct net *net, struct inet_frag_queue *q)
{
	u32 start = q->rid;

	if (!q->peer || !net->sysctl.ipfrag_max_dist)
		return false;
	q->rid = ++q->peer->rid;
	if (!q->tail || q->rid - start <= (u32)net->sysctl.ipfrag_max_dist)
		return false;
	MIB_INC(net, IpReasmFails);
	return true;
}

/* The datagram begins anew with the fragment at hand. */
static void ip_frag_reinit(struct net *net, struct inet_frag_queue *q)
{
	mod_timer(&q->timer, jiffies(net->host) + (u64)net->sysctl.ipfrag_time * HZ);
	inet_frag_purge(q, SKB_DROP_REASON_FRAG_TOO_FAR);
	q->flags = 0;
	q->len = 0;
	q->meat = 0;
	q->iif = 0;
	q->ecn = 0;
}

static int ip_frag_reasm(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb,
			 struct net_device *dev, enum skb_drop_reason *reason)
{
	u8 ecn = frag_ecn(q->ecn);
	struct sk_buff *head = container_of(rb_first(&q->runs), struct sk_buff, rbnode);
	u32 ihl = ip_hdrlen(head), len;
	u8 *iph;

	*reason = SKB_DROP_REASON_FRAG_INVALID;
	len = ihl + q->len;
	if (ecn == 0xff || len > 65535)
		return -EINVAL;
	*reason = SKB_DROP_REASON_NOMEM;
	if (inet_frag_reasm(q, skb))
		return -ENOMEM;
	skb->dev = dev;
	skb_push(skb, ihl);
	IPCB(skb)->frag_max_size = q->max_size > q->max_df_size ? q->max_size : q->max_df_size;
	iph = ip_hdr(skb);
	ip4_set_tot_len(iph, len);
	iph[1] |= ecn;
	/* DF on the largest fragment: the path's MTU is no smaller; kept for re-fragmenting. */
	if (q->max_df_size == q->max_size) {
		IPCB(skb)->flags |= IPSKB_FRAG_PMTU;
		ip4_set_frag(iph, IP4_DF);
	} else {
		ip4_set_frag(iph, 0);
	}
	ip4_send_check(iph);
	MIB_INC(net, IpReasmOKs);
	return 0;
}

/* Where a fragment stands and whether it can stand there. False: the datagram is no good. */
static bool frag_position(struct inet_frag_queue *q, struct sk_buff *skb, u32 *offset, u32 *end)
{
	u16 frag = ip4_frag(ip_hdr(skb));

	*offset = (frag & IP4_OFFSET) * 8u;
	*end = *offset + skb->len - ip_hdrlen(skb);
	if (!(frag & IP4_MF)) {
		if (*end < q->len || (q->flags & INET_FRAG_LAST_IN && *end != q->len))
			return false;
		q->flags |= INET_FRAG_LAST_IN;
		q->len = *end;
	} else {
		if (*end & 7) { /* RFC 791 3.2: only the last may be odd; the rest is cut off */
			*end &= ~7u;
			if (skb->ip_summed != CHECKSUM_UNNECESSARY)
				skb->ip_summed = CHECKSUM_NONE;
		}
		if (*end > q->len) {
			if (q->flags & INET_FRAG_LAST_IN)
				return false;
			q->len = *end;
		}
	}
	return *end != *offset;
}

static void frag_sizes(struct inet_frag_queue *q, const struct sk_buff *skb, u32 payload)
{
	u32 size = payload + ip_hdrlen(skb);

	if (size > q->max_size)
		q->max_size = (u16)size;
	if (ip4_frag(ip_hdr(skb)) & IP4_DF && size > q->max_df_size)
		q->max_df_size = (u16)size;
}

/* The datagram is thrown away with the fragment at hand. */
static int frag_discard(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb,
			enum skb_drop_reason reason)
{
	MIB_INC(net, IpReasmFails);
	kfree_skb_reason(skb, reason);
	ipq_drop(q, reason);
	return -EINVAL;
}

/* One fragment into its queue; the caller's reference of q goes. */
static int ip_frag_queue(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct dst_entry *dst;
	enum skb_drop_reason reason;
	u32 offset, end;
	u8 ecn = (u8)(1u << (ip4_tos(ip_hdr(skb)) & INET_ECN_MASK));

	if (!(IPCB(skb)->flags & IPSKB_FRAG_COMPLETE) && ip_frag_too_far(net, q))
		ip_frag_reinit(net, q);
	if (!frag_position(q, skb, &offset, &end))
		return frag_discard(net, q, skb, SKB_DROP_REASON_FRAG_INVALID);
	if (!pskb_may_pull(skb, ip_hdrlen(skb)))
		return frag_discard(net, q, skb, SKB_DROP_REASON_NOMEM);
	skb_pull(skb, ip_hdrlen(skb));
	if (pskb_trim_rcsum(skb, end - offset))
		return frag_discard(net, q, skb, SKB_DROP_REASON_NOMEM);
	/* The tree's node lies where dev does; the route may not outlive this call with it. */
	dst = skb->dst;
	skb->dst = NULL;
	switch (inet_frag_queue_insert(q, skb, offset, end)) {
	case IPFRAG_OK:
		break;
	case IPFRAG_DUP:
		dst_release(dst);
		kfree_skb_reason(skb, SKB_DROP_REASON_DUP_FRAG);
		inet_frag_put(q, SKB_DROP_REASON_DUP_FRAG);
		return -EINVAL;
	default:
		dst_release(dst);
		MIB_INC(net, IpExtReasmOverlaps);
		return frag_discard(net, q, skb, SKB_DROP_REASON_FRAG_OVERLAP);
	}
	q->iif = dev->ifindex;
	q->stamp = skb->tstamp;
	q->ecn |= ecn;
	if (offset == 0)
		q->flags |= INET_FRAG_FIRST_IN;
	frag_sizes(q, skb, end - offset);
	if ((q->flags & (INET_FRAG_FIRST_IN | INET_FRAG_LAST_IN)) !=
		    (INET_FRAG_FIRST_IN | INET_FRAG_LAST_IN) ||
	    q->meat != q->len) {
		dst_release(dst);
		inet_frag_put(q, SKB_DROP_REASON_FRAG_INVALID);
		return -EINPROGRESS;
	}
	inet_frag_kill(q);
	if (ip_frag_reasm(net, q, skb, dev, &reason)) {
		dst_release(dst);
		MIB_INC(net, IpReasmFails);
		inet_frag_put(q, reason);
		return -EINVAL;
	}
	skb_dst_set(skb, dst);
	inet_frag_put(q, SKB_DROP_REASON_FRAG_INVALID);
	return 0;
}

int ip_defrag(struct net *net, struct sk_buff *skb, u32 user)
{
	u64 id = skb->id;
	u32 offset = (ip4_frag(ip_hdr(skb)) & IP4_OFFSET) * 8u, ident = ip4_id(ip_hdr(skb));
	struct inet_frag_queue *q;
	int err = -ENOMEM;

	MIB_INC(net, IpReasmReqds);
	skb_orphan(skb);
	q = ip_find(net, ip_hdr(skb), user);
	if (q) {
		err = ip_frag_queue(net, q, skb);
	} else {
		MIB_INC(net, IpReasmFails);
		kfree_skb_reason(skb, net_frags(net)->mem > (u64)net->sysctl.ipfrag_high_thresh ||
						      !net->sysctl.ipfrag_high_thresh ?
					      SKB_DROP_REASON_FRAG_HIGH_MEM :
					      SKB_DROP_REASON_NOMEM);
	}
	trace(net_world(net), net->host, TRACE_IP_FRAG, id, ident, offset, (u64)(u32)-err);
	return err;
}

int ipfrag_net_init(struct net *net)
{
	net->ipv4_frags = mem_zalloc(net_world(net), MEM_FIB_TABLE, sizeof(struct ipv4_frags));
	if (!net->ipv4_frags)
		return -ENOMEM;
	fqdir_init(net_frags(net), net, ip_expire);
	return 0;
}

void ipfrag_net_exit(struct net *net)
{
	if (!net->ipv4_frags)
		return;
	fqdir_exit(net_frags(net));
	mem_free(net_world(net), MEM_FIB_TABLE, net->ipv4_frags, sizeof(struct ipv4_frags));
	net->ipv4_frags = NULL;
}

u64 ip_frag_mem(const struct net *net)
{
	return net->ipv4_frags ? net->ipv4_frags->fqdir.mem : 0;
}

u32 ip_frag_queues(const struct net *net)
{
	return net->ipv4_frags ? net->ipv4_frags->fqdir.count : 0;
}

void ipfrag_check(const struct net *net)
{
	fqdir_check(&net->ipv4_frags->fqdir);
}
