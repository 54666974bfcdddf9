/* SPDX-License-Identifier: MIT */
/*
 * IPv6 reassembly (net/ipv6/reassembly.c; RFC 8200 4.5, RFC 5722, RFC 6946): what a fragment may be
 * and when a packet is whole. The queues themselves are inet/inet_fragment.c's.
 *
 * The state of a namespace is made by its first fragment. The fragment header stays in front of
 * what was put together, and the length in the fixed header is the first fragment's: what stands
 * above looks at the addresses only.
 */
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"

#include "inet/inet_frag.h"
#include "stack/errno.h"

#define FRAG_HLEN    8u
#define IP6F_OFFSET  0xfff8u
#define IP6F_MF	     1u
#define IPV6_MAXPLEN 65535u

struct ipv6_frags {
	struct fqdir fqdir;
};

/* ip6_frag_expire */
static void ip6_expire(struct inet_frag_queue *q)
{
	struct net *net = q->fqdir->net;

	q->refcnt++;
	inet_frag_kill(q);
	MIB_INC(net, Ip6ReasmFails);
	MIB_INC(net, Ip6ReasmTimeout);
	inet_frag_put(q, SKB_DROP_REASON_FRAG_REASM_TIMEOUT);
}

static struct fqdir *net_frags(struct net *net)
{
	struct ipv6_frags *f = net->ipv6_frags;

	if (!f) {
		f = mem_zalloc(net_world(net), MEM_NET, sizeof(*f));
		if (!f)
			return NULL;
		fqdir_init(&f->fqdir, net, ip6_expire);
		net->ipv6_frags = f;
	}
	return &f->fqdir;
}

void ipv6_net_exit(struct net *net)
{
	struct ipv6_frags *f = net->ipv6_frags;

	addrconf_net_exit(net);
	if (!f)
		return;
	fqdir_exit(&f->fqdir);
	mem_free(net_world(net), MEM_NET, f, sizeof(*f));
	net->ipv6_frags = NULL;
}

static struct inet_frag_queue *fq_find(struct net *net, const u8 *h, u32 id)
{
	struct fqdir *f = net_frags(net);
	struct inet_frag_key key = { .id = id };
	bool created;

	if (!f)
		return NULL;
	memcpy(key.saddr, h + 8, 16);
	memcpy(key.daddr, h + 24, 16);
	return inet_frag_find(f, &key, (u64)net->sysctl.ip6frag_high_thresh,
			      (u64)net->sysctl.ip6frag_time * HZ, &created);
}

static bool frag_drop(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, Ip6ReasmFails);
	kfree_skb_reason(skb, reason);
	return false;
}

/* The packet is thrown away with the fragment at hand; the caller's reference goes. */
static bool frag_discard(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb,
			 enum skb_drop_reason reason)
{
	inet_frag_kill(q);
	inet_frag_put(q, reason);
	return frag_drop(net, skb, reason);
}

/* False: it can not stand there. */
static bool frag_position(struct inet_frag_queue *q, bool more, u32 offset, u32 end)
{
	if (!more) {
		if (end < q->len || (q->flags & INET_FRAG_LAST_IN && end != q->len))
			return false;
		q->flags |= INET_FRAG_LAST_IN;
		q->len = end;
	} else if (end > q->len) {
		if (q->flags & INET_FRAG_LAST_IN)
			return false;
		q->len = end;
	}
	return end != offset;
}

/* ip6_frag_reasm: skb becomes the whole packet. */
static bool frag_reasm(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb,
		       struct net_device *dev)
{
	const struct sk_buff *head = container_of(rb_first(&q->runs), struct sk_buff, rbnode);
	u32 before = (u32)(head->data - skb_network_header(head)) - IP6_HLEN - FRAG_HLEN;
	u8 nexthdr = IP6CB(head)->nexthdr;

	inet_frag_kill(q);
	if (before + q->len > IPV6_MAXPLEN || inet_frag_reasm(q, skb)) { /* still the queue's */
		MIB_INC(net, Ip6ReasmFails);
		inet_frag_put(q, SKB_DROP_REASON_FRAG_INVALID);
		return false;
	}
	inet_frag_put(q, SKB_DROP_REASON_FRAG_INVALID);
	skb->dev = dev;
	IP6CB(skb)->nexthdr = nexthdr;
	MIB_INC(net, Ip6ReasmOKs);
	return true;
}

/* One fragment, its header pulled, into its queue; the caller's reference of q goes. */
static bool frag_queue(struct net *net, struct inet_frag_queue *q, struct sk_buff *skb, u32 offset,
		       bool more)
{
	struct net_device *dev = skb->dev;
	u32 end = offset + skb->len;

	if (!frag_position(q, more, offset, end))
		return frag_discard(net, q, skb, SKB_DROP_REASON_FRAG_INVALID);
	switch (inet_frag_queue_insert(q, skb, offset, end)) {
	case IPFRAG_OK:
		break;
	case IPFRAG_DUP:
		kfree_skb_reason(skb, SKB_DROP_REASON_DUP_FRAG);
		inet_frag_put(q, SKB_DROP_REASON_DUP_FRAG);
		return false;
	default:
		MIB_INC(net, Ip6ReasmOverlaps);
		return frag_discard(net, q, skb, SKB_DROP_REASON_FRAG_OVERLAP);
	}
	q->iif = dev->ifindex;
	if (offset == 0)
		q->flags |= INET_FRAG_FIRST_IN;
	if ((q->flags & (INET_FRAG_FIRST_IN | INET_FRAG_LAST_IN)) ==
		    (INET_FRAG_FIRST_IN | INET_FRAG_LAST_IN) &&
	    q->meat == q->len)
		return frag_reasm(net, q, skb, dev);
	inet_frag_put(q, SKB_DROP_REASON_FRAG_INVALID);
	return false;
}

static bool frag_hdr_error(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, Ip6InHdrErrors);
	kfree_skb_reason(skb, reason);
	return false;
}

bool ipv6_frag_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	struct inet_frag_queue *q;
	u32 frag, offset, id;

	MIB_INC(net, Ip6ReasmReqds);
	if (!pskb_may_pull(skb, FRAG_HLEN))
		return frag_hdr_error(net, skb, SKB_DROP_REASON_IPV6_BAD_EXTHDR);
	IP6CB(skb)->nexthdr = skb->data[0];
	frag = get_be16(skb->data + 2);
	id = get_be32(skb->data + 4);
	skb_pull_rcsum(skb, FRAG_HLEN);
	offset = frag & IP6F_OFFSET;
	if (!(frag & (IP6F_OFFSET | IP6F_MF))) { /* RFC 6946: atomic */
		MIB_INC(net, Ip6ReasmOKs);
		MIB_INC(net, SeenIp6Atomics);
		return true;
	}
	MIB_INC(net, SeenIp6Frags);
	/* RFC 8200 4.5: all but the last are multiples of 8 long; none ends past 65,535. */
	if (offset + skb->len > IPV6_MAXPLEN || (frag & IP6F_MF && skb->len & 7))
		return frag_hdr_error(net, skb, SKB_DROP_REASON_FRAG_INVALID);
	q = fq_find(net, ipv6_hdr(skb), id);
	if (!q)
		return frag_drop(net, skb, SKB_DROP_REASON_FRAG_HIGH_MEM);
	return frag_queue(net, q, skb, offset, (frag & IP6F_MF) != 0);
}
