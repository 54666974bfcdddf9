/* SPDX-License-Identifier: MIT */
/*
 * Datagrams put together from one or several writes (ip_append_data, ip_make_skb of
 * net/ipv4/ip_output.c). The queue holds one sk_buff per fragment-to-be, so that fragmenting splits
 * along them; ip_finish_skb joins them into one packet with the others in its frag_list.
 *
 * Invariant: every sk_buff but the last holds a multiple of 8 bytes of payload and is full.
 */
#include "ipv4/icmp.h"
#include "ipv4/ip.h"
#include "ipv4/ip_options.h"
#include "ipv4/ip_send.h"
#include "lib/checksum.h"

void ipcm_init_sk(struct ipcm_cookie *ipc, const struct sock *sk)
{
	memset(ipc, 0, sizeof(*ipc));
	ipc->tos = -1;
	ipc->pmtudisc = IP_PMTUDISC_DONT;
	if (!sk)
		return;
	ipc->oif = sk->sk_bound_dev_if;
	ipc->addr = sk->inet_saddr;
	ipc->sockc = sockcm_init(sk);
	ipc->protocol = sk->sk_protocol;
	ipc->pmtudisc = sk->inet_pmtudisc;
	ipc->opt = sk->sk_rare->inet_opt;
}

static bool pmtu_probing(const struct inet_cork *cork)
{
	return cork->pmtudisc >= IP_PMTUDISC_PROBE;
}

/* IP_PMTUDISC_DO and PROBE: never in pieces. */
static bool must_not_fragment(const struct inet_cork *cork)
{
	return cork->pmtudisc == IP_PMTUDISC_DO || cork->pmtudisc == IP_PMTUDISC_PROBE;
}

static int ip_setup_cork(struct net *net, struct inet_cork *cork, const struct ipcm_cookie *ipc,
			 struct rtable **rtp)
{
	struct rtable *rt = *rtp;

	memset(cork, 0, sizeof(*cork));
	cork->net = net;
	if (ipc->opt) {
		cork->opt = *ipc->opt;
		cork->opt_valid = true;
	}
	cork->addr = ipc->addr;
	cork->mark = ipc->sockc.mark;
	cork->priority = ipc->sockc.priority;
	cork->ttl = ipc->ttl;
	cork->tos = ipc->tos;
	cork->protocol = ipc->protocol;
	cork->pmtudisc = ipc->pmtudisc;
	cork->gso_size = ipc->gso_size;
	cork->fragsize =
		pmtu_probing(cork) ? min_u32(rt->dst.dev->mtu, IP_MAX_MTU) : dst_mtu(&rt->dst);
	if (cork->fragsize < IPV4_MIN_MTU)
		return -ENETUNREACH;
	cork->dst = &rt->dst;
	*rtp = NULL;
	return 0;
}

static struct sk_buff *append_alloc(struct net *net, struct sock *sk, u32 size, bool first,
				    int *err)
{
	struct sk_buff *skb;

	if (!sk) {
		skb = alloc_skb(net_world(net), size);
		if (skb)
			skb->net = net;
		else
			*err = -ENOBUFS;
		return skb;
	}
	if (first)
		return sock_alloc_send_skb(sk, size, err);
	/* Only the first waits: what is begun is finished as long as twice the buffer is not full.
	 */
	skb = sk->sk_wmem_alloc <= 2 * (u32)sk->sk_sndbuf ? sock_wmalloc(sk, size, true) : NULL;
	if (!skb)
		*err = -ENOBUFS;
	return skb;
}

struct append {
	struct net *net;
	struct sock *sk;
	struct sk_buff_head *queue;
	struct inet_cork *cork;
	const u8 *from;
	u32 left; /* bytes of payload still to come */
	u32 mtu; /* of a packet to be cut by GSO: the most there is */
	u32 hh_len, fragheaderlen, maxfraglen;
	bool partial; /* the device sums */
};

static void append_copy(struct append *a, struct sk_buff *skb, u32 len, u32 at)
{
	u8 *to = skb_put(skb, len);

	if (a->partial) {
		memcpy(to, a->from, len);
	} else {
		skb->csum = csum_block_add(skb->csum, csum_partial_copy(to, a->from, len, 0), at);
	}
	a->from += len;
	a->left -= len;
}

/* A further sk_buff: takes over what stands behind the last multiple of 8 of the one before. */
static int append_new(struct append *a, u32 transhdrlen, bool more)
{
	struct sk_buff *prev = a->queue->prev, *skb;
	u32 fraggap =
		prev && a->queue->qlen && prev->len > a->maxfraglen ? prev->len - a->maxfraglen : 0;
	u32 datalen = transhdrlen + a->left + fraggap, alloclen;
	int err = 0;

	if (datalen > a->mtu - a->fragheaderlen)
		datalen = a->maxfraglen - a->fragheaderlen;
	/* With more to come there is room for a whole fragment. */
	alloclen = more ? a->mtu : datalen + a->fragheaderlen;
	skb = append_alloc(a->net, a->sk, alloclen + a->hh_len + 15, a->queue->qlen == 0, &err);
	if (!skb)
		return err;
	skb->ip_summed = a->partial ? CHECKSUM_PARTIAL : CHECKSUM_NONE;
	skb->csum = 0;
	skb_reserve(skb, a->hh_len);
	memset(skb_put(skb, a->fragheaderlen + transhdrlen), 0, a->fragheaderlen + transhdrlen);
	skb_reset_network_header(skb);
	skb->transport_header = (u16)(skb->network_header + a->fragheaderlen);
	if (fraggap) {
		u8 *to = skb_put(skb, fraggap);

		skb_copy_bits(prev, a->maxfraglen, to, fraggap);
		if (!a->partial) {
			skb->csum = csum_partial(to, fraggap, 0);
			prev->csum = csum_sub(prev->csum, skb->csum);
		}
		pskb_trim(prev, a->maxfraglen);
	}
	if (datalen > transhdrlen + fraggap)
		append_copy(a, skb, min_u32(datalen - transhdrlen - fraggap, a->left), fraggap);
	if (a->sk && !skb->sk)
		skb_set_owner_w(skb, a->sk);
	skb_queue_tail(a->queue, skb);
	return 0;
}

static int append_all(struct append *a, u32 transhdrlen, bool more)
{
	bool first = a->queue->qlen == 0;

	while (a->left || first) {
		struct sk_buff *skb = a->queue->qlen ? a->queue->prev : NULL;
		u32 room = 0;
		int err;

		if (skb && skb->len < a->mtu) {
			/* All of the MTU while it may stay the last, else a multiple of 8. */
			room = a->mtu - skb->len;
			if (room < a->left)
				room = skb->len < a->maxfraglen ? a->maxfraglen - skb->len : 0;
			room = min_u32(room, skb_tailroom(skb));
		}
		if (room) {
			/* csum counts from the payload's start: parity of what is there. */
			append_copy(a, skb, min_u32(room, a->left),
				    skb->len - (u32)(skb_transport_header(skb) - skb->data));
			continue;
		}
		err = append_new(a, first ? transhdrlen : 0, more);
		if (err)
			return err;
		first = false;
	}
	return 0;
}

int ip_append_data(struct net *net, struct sock *sk, const struct flowi4 *fl4,
		   struct sk_buff_head *queue, struct inet_cork *cork, const u8 *from, u32 length,
		   u32 transhdrlen, const struct ipcm_cookie *ipc, struct rtable **rtp, u32 flags)
{
	struct append a = { .net = net, .sk = sk, .queue = queue, .cork = cork, .from = from };
	bool fresh = queue->qlen == 0;
	u32 optlen, before, max;
	int err;

	(void)fl4;
	if (fresh) {
		err = ip_setup_cork(net, cork, ipc, rtp);
		if (err)
			return err;
	} else {
		transhdrlen = 0;
	}
	optlen = cork->opt_valid ? cork->opt.opt.optlen : 0;
	a.left = length - transhdrlen;
	a.hh_len = ll_reserved_space(cork->dst->dev);
	a.fragheaderlen = IP4_HLEN + optlen;
	a.mtu = cork->gso_size ? IP_MAX_MTU : cork->fragsize;
	a.maxfraglen = ((a.mtu - a.fragheaderlen) & ~7u) + a.fragheaderlen;
	max = must_not_fragment(cork) ? a.mtu : 0xffff;
	before = cork->length;
	/* Bytes may not pass 65,535; nor, without fragments, the MTU. */
	if (length > 0xffff || before + length > max - a.fragheaderlen) {
		err = -EMSGSIZE;
	} else {
		if (fresh)
			a.partial = transhdrlen && length + a.fragheaderlen <= a.mtu &&
				    cork->dst->dev->features & NETIF_F_HW_CSUM && !optlen &&
				    (!(flags & MSG_MORE) || cork->gso_size) &&
				    cork->protocol == IPPROTO_UDP;
		else
			a.partial = queue->prev->ip_summed == CHECKSUM_PARTIAL;
		cork->length += length;
		err = append_all(&a, transhdrlen, flags & MSG_MORE);
		/* Only the first fragment is stamped. */
		if (!err && fresh && ipc->sockc.tsflags)
			skb_setup_tx_timestamp(queue->next, sk, &ipc->sockc);
	}
	if (err) {
		cork->length = before;
		if (fresh)
			ip_flush_pending_frames(queue, cork);
		else
			MIB_INC(net, IpOutDiscards);
	}
	return err;
}

/* ---- joining ---- */

static void join_frag_list(struct sk_buff *head, struct sk_buff_head *queue)
{
	struct sk_buff **tail = &skb_shinfo(head)->frag_list, *skb;

	while ((skb = skb_dequeue(queue)) != NULL) {
		skb_pull(skb, (u32)(skb_transport_header(skb) - skb->data));
		*tail = skb;
		tail = &skb->next;
		head->len += skb->len;
		head->data_len += skb->len;
		head->truesize += skb->truesize;
		skb->destructor = NULL;
		skb->sk = NULL;
	}
	*tail = NULL;
}

struct sk_buff *ip_finish_skb(struct sock *sk, const struct flowi4 *fl4, struct sk_buff_head *queue,
			      struct inet_cork *cork)
{
	struct net *net = cork->net;
	struct rtable *rt = (struct rtable *)(void *)cork->dst;
	const struct inet_opts *opt = cork->opt_valid ? &cork->opt : NULL;
	struct sk_buff *skb = skb_dequeue(queue);
	struct ip4_hdr h = { .ihl = IP4_HLEN };
	u8 *iph;

	if (!skb)
		return NULL;
	join_frag_list(skb, queue);
	if (opt)
		h.ihl = (u8)(h.ihl + opt->opt.optlen);
	if (cork->ttl)
		h.ttl = (u8)cork->ttl;
	else if (rt->rt_type == RTN_MULTICAST)
		h.ttl = sk ? sk->inet_mc_ttl : 1;
	else
		h.ttl = ip_select_ttl(sk, &rt->dst, net);
	h.tos = cork->tos != -1 ? (u8)cork->tos : sk ? sk->inet_tos : 0;
	if (must_not_fragment(cork) || (skb->len <= dst_mtu(&rt->dst) && ip_dont_fragment(sk, rt)))
		h.frag = IP4_DF;
	skb->ignore_df = !must_not_fragment(cork);
	h.protocol = cork->protocol;
	h.saddr = fl4->saddr;
	h.daddr = fl4->daddr;
	iph = ip_hdr(skb);
	ip4_build(iph, &h);
	ip_select_ident_segs(net, skb, sk, 1);
	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	if (opt)
		ip_options_build(net, iph, &IPCB(skb)->opt, opt, cork->addr, fl4->saddr);
	skb->priority = cork->priority;
	skb->mark = cork->mark;
	skb->protocol = htons(ETH_P_IP);
	skb_dst_set(skb, &rt->dst); /* the cork's reference */
	cork->dst = NULL;
	cork->opt_valid = false;
	if (h.protocol == IPPROTO_ICMP)
		icmp_out_count(net, icmp4_type(skb_transport_header(skb)));
	return skb;
}

struct sk_buff *ip_make_skb(struct net *net, struct sock *sk, const struct flowi4 *fl4,
			    const u8 *from, u32 length, u32 transhdrlen,
			    const struct ipcm_cookie *ipc, struct rtable **rtp, u32 flags,
			    struct inet_cork *cork, int *err)
{
	struct sk_buff_head queue;

	skb_queue_head_init(&queue);
	*err = ip_append_data(net, sk, fl4, &queue, cork, from, length, transhdrlen, ipc, rtp,
			      flags & ~(u32)MSG_MORE);
	if (*err)
		return NULL;
	return ip_finish_skb(sk, fl4, &queue, cork);
}

void ip_flush_pending_frames(struct sk_buff_head *queue, struct inet_cork *cork)
{
	struct sk_buff *skb;

	/* Never sent: its end, not a loss. */
	while ((skb = skb_dequeue(queue)) != NULL)
		consume_skb(skb);
	dst_release(cork->dst);
	cork->dst = NULL;
	cork->opt_valid = false;
	cork->length = 0;
}
