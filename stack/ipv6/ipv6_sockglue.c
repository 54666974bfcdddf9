/* SPDX-License-Identifier: MIT */
/*
 * Options of level SOL_IPV6 (net/ipv6/ipv6_sockglue.c; RFC 3493 5, RFC 3542). A socket that talks
 * to a mapped address keeps them for when it talks IPv6.
 */
#include "ipv6/ipv6_sockglue.h"

#include "ipv6/ipv6.h"
#include "wire/ip4.h"

void ipv6_icmp_error(struct sock *sk, struct sk_buff *skb, const u8 *iph, s32 err, u32 info)
{
	const u8 *icmp = iph - ICMPV6_HLEN;
	struct sk_buff *n;

	if (!sk->pinet6->recverr)
		return;
	n = skb_clone(skb);
	if (!n)
		return;
	*skb_ext_err(n) = (struct sock_exterr){
		.ee_errno = (u32)err,
		.ee_origin = SO_EE_ORIGIN_ICMP6,
		.ee_type = icmp[0],
		.ee_code = icmp[1],
		.ee_info = info,
		.addr_offset = (u16)(iph + 24 - skb_network_header(skb)),
		.port = sk->inet_dport,
	};
	skb_reset_transport_header(n);
	if (sock_queue_err_skb(sk, n))
		kfree_skb_reason(n, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

/* Does the option take -1 for "the default", and up to max? */
static int set_ranged(s16 *field, s32 v, s32 max)
{
	if (v < -1 || v > max)
		return -EINVAL;
	*field = (s16)v;
	return 0;
}

static int set_v6only(struct sock *sk, s32 v)
{
	if (sk->inet_num)
		return -EINVAL;
	sk->pinet6->ipv6only = v != 0;
	return 0;
}

/* The ECN field of a stream is TCP's own. */
static int set_tclass(const struct sock *sk, s32 v)
{
	struct ipv6_pinfo *np = sk->pinet6;

	if (v < -1 || v > 255)
		return -EINVAL;
	if (v < 0)
		v = 0;
	if (sk->sk_type == SOCK_STREAM)
		v = (v & ~INET_ECN_MASK) | (np->tclass & INET_ECN_MASK);
	np->tclass = (u8)v;
	return 0;
}

static bool is_known(u32 name)
{
	return name == IPV6_V6ONLY || name == IPV6_UNICAST_HOPS || name == IPV6_TCLASS ||
	       name == IPV6_RECVERR || name == IPV6_MINHOPCOUNT || name == IPV6_FREEBIND ||
	       name == IPV6_MTU_DISCOVER;
}

int ipv6_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	struct ipv6_pinfo *np = sk->pinet6;
	s32 v;

	if (!np || !is_known(name))
		return -ENOPROTOOPT;
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	switch (name) {
	case IPV6_V6ONLY:
		return set_v6only(sk, v);
	case IPV6_UNICAST_HOPS:
		return set_ranged(&np->hop_limit, v, 255);
	case IPV6_TCLASS:
		return set_tclass(sk, v);
	case IPV6_RECVERR:
		np->recverr = v != 0;
		sk->inet_recverr = v != 0;
		if (!v)
			sock_error_queue_purge(sk);
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		np->pmtudisc = (u8)v;
		return 0;
	case IPV6_FREEBIND: /* the same switch as IP_FREEBIND */
		sk->inet_freebind = v != 0;
		return 0;
	default: /* IPV6_MINHOPCOUNT */
		if (v < 0 || v > 255)
			return -EINVAL;
		sk->inet_min_ttl = (u8)v;
		return 0;
	}
}

static int get_mtu(struct sock *sk, s32 *v)
{
	struct dst_entry *dst = sk_dst_check(sk, sk->pinet6->dst_cookie);

	if (!dst)
		return -ENOTCONN;
	*v = (s32)dst_mtu(dst);
	dst_release(dst);
	return 0;
}

int ipv6_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	const struct ipv6_pinfo *np = sk->pinet6;
	s32 v;
	int err;

	if (!np)
		return -ENOPROTOOPT;
	switch (name) {
	case IPV6_V6ONLY:
		v = np->ipv6only;
		break;
	case IPV6_UNICAST_HOPS:
		v = np->hop_limit < 0 ? 64 : np->hop_limit;
		break;
	case IPV6_TCLASS:
		v = np->tclass;
		break;
	case IPV6_RECVERR:
		v = np->recverr;
		break;
	case IPV6_MINHOPCOUNT:
		v = sk->inet_min_ttl;
		break;
	case IPV6_FREEBIND:
		v = sk->inet_freebind;
		break;
	case IPV6_MTU_DISCOVER:
		v = np->pmtudisc;
		break;
	case IPV6_MTU:
		err = get_mtu(sk, &v);
		if (err)
			return err;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return sock_put_int(val, len, v);
}
