/* SPDX-License-Identifier: MIT */
/*
 * Options of level SOL_IP (do_ip_setsockopt, do_ip_getsockopt of net/ipv4/ip_sockglue.c). A number
 * may be given as one byte, too.
 */
#include "ipv4/ip_sockglue.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"

void inet_sock_destruct(struct sock *sk)
{
	ASSERT(list_empty(&sk->sk_rare->mc_list));
	ip_sock_set_opt(sk, NULL);
}

bool ip_sock_set_opt(struct sock *sk, struct inet_opts *opt)
{
	struct sock_rare *rare = opt || sk->sk_rare->inet_opt ? sock_rare_get(sk) : NULL;

	if (!rare)
		return !opt;
	mem_free(net_world(sk->net), MEM_MISC, rare->inet_opt, sizeof(*opt));
	rare->inet_opt = opt;
	return true;
}

static int set_ip_options(struct sock *sk, const u8 *val, u32 len)
{
	struct world *w = net_world(sk->net);
	struct inet_opts *opt = NULL;
	int err;

	if (len > 40)
		return -EINVAL;
	if (len) {
		opt = mem_zalloc(w, MEM_MISC, sizeof(*opt));
		if (!opt)
			return -ENOBUFS;
		err = ip_options_get(sk->net, opt, val, len);
		if (err) {
			mem_free(w, MEM_MISC, opt, sizeof(*opt));
			return err;
		}
	}
	if (!ip_sock_set_opt(sk, opt)) {
		mem_free(w, MEM_MISC, opt, sizeof(*opt));
		return -ENOBUFS;
	}
	sk_dst_reset(sk);
	return 0;
}

static void set_tos(struct sock *sk, u8 tos)
{
	if (sk->sk_type == SOCK_STREAM)
		tos = (u8)((tos & ~INET_ECN_MASK) | (sk->inet_tos & INET_ECN_MASK));
	if (sk->inet_tos == tos)
		return;
	sk->inet_tos = tos;
	sk->sk_priority = tos2priority(tos);
	sk_dst_reset(sk);
}

/* Options that are one bit of inet_cmsg_flags: what a receive reports. */
static const struct {
	u8 name;
	u16 flag;
} cmsg_options[] = {
	{ IP_PKTINFO, IP_CMSG_PKTINFO },
	{ IP_RECVTTL, IP_CMSG_TTL },
	{ IP_RECVTOS, IP_CMSG_TOS },
	{ IP_RECVOPTS, IP_CMSG_RECVOPTS },
	{ IP_RETOPTS, IP_CMSG_RETOPTS },
	{ IP_PASSSEC, IP_CMSG_PASSSEC },
	{ IP_RECVORIGDSTADDR, IP_CMSG_ORIGDSTADDR },
	{ IP_CHECKSUM, IP_CMSG_CHECKSUM },
	{ IP_RECVFRAGSIZE, IP_CMSG_RECVFRAGSIZE },
};

/* 0: it is none. */
static u32 cmsg_flag_of(u32 name)
{
	for (u32 i = 0; i < ARRAY_SIZE(cmsg_options); i++)
		if (cmsg_options[i].name == name)
			return cmsg_options[i].flag;
	return 0;
}

static int set_cmsg_flag(struct sock *sk, u32 flag, bool on)
{
	struct sock_rare *rare;

	if (flag == IP_CMSG_RECVFRAGSIZE && sk->sk_type != SOCK_RAW && sk->sk_type != SOCK_DGRAM)
		return -EINVAL;
	if (on == ((sk->sk_rare->inet_cmsg_flags & flag) == flag))
		return 0;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	rare->inet_cmsg_flags ^= flag;
	return 0;
}

/* The device of a datagram without another one, in network byte order (IPV6_UNICAST_IF too). */
static int set_unicast_if(struct sock *sk, const u8 *val, u32 len)
{
	struct sock_rare *rare;
	u32 ifindex;

	if (len != 4)
		return -EINVAL;
	ifindex = get_be32(val);
	if (ifindex && !dev_get_by_index(sk->net, ifindex))
		return -EADDRNOTAVAIL;
	if (ifindex && sk->sk_bound_dev_if && sk->sk_bound_dev_if != ifindex)
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	rare->uc_index = ifindex;
	return 0;
}

static int set_local_port_range(struct sock *sk, const u8 *val, u32 len)
{
	struct sock_rare *rare;
	u16 low, high;

	if (len != 4)
		return -EINVAL;
	low = get_le16(val);
	high = get_le16(val + 2);
	if (low && high && low > high)
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	rare->local_port_range = get_le32(val);
	return 0;
}

static int set_mc_ttl(struct sock *sk, s32 v)
{
	if (sk->sk_type == SOCK_STREAM || v < -1 || v > 255)
		return -EINVAL;
	sk->inet_mc_ttl = v == -1 ? 1 : (u8)v;
	return 0;
}

/* Those that an empty value does not turn off. */
static bool needs_value(u32 name)
{
	return name == IP_TTL || name == IP_MINTTL || name == IP_MULTICAST_TTL ||
	       name == IP_FREEBIND || name == IP_TRANSPARENT || name == IP_MULTICAST_LOOP ||
	       name == IP_MULTICAST_ALL;
}

/* The options that are one number. */
static int set_ip_number(struct sock *sk, u32 name, s32 v)
{
	switch (name) {
	case IP_TOS:
		set_tos(sk, (u8)v);
		return 0;
	case IP_TTL:
		if (v != -1 && (v < 1 || v > 255))
			return -EINVAL;
		sk->inet_uc_ttl = (s16)v;
		return 0;
	case IP_HDRINCL:
		if (sk->sk_type != SOCK_RAW)
			return -ENOPROTOOPT;
		sk->inet_hdrincl = v != 0;
		return 0;
	case IP_ROUTER_ALERT: /* for those of SOCK_RAW, and there are none */
		return -EINVAL;
	case IP_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		sk->inet_pmtudisc = (u8)v;
		return 0;
	case IP_RECVERR:
		sk->inet_recverr = v != 0;
		if (!v)
			sock_error_queue_purge(sk);
		return 0;
	case IP_RECVERR_RFC4884:
		return v < 0 || v > 1 ? -EINVAL : set_cmsg_flag(sk, IP_ERR_RFC4884, v != 0);
	case IP_FREEBIND:
		sk->inet_freebind = v != 0;
		return 0;
	case IP_TRANSPARENT:
		sk->inet_transparent = v != 0;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
		sk->inet_bind_no_port = v != 0;
		return 0;
	case IP_MINTTL:
		if (v < 0 || v > 255)
			return -EINVAL;
		sk->inet_min_ttl = (u8)v;
		return 0;
	case IP_MULTICAST_TTL:
		return set_mc_ttl(sk, v);
	case IP_MULTICAST_LOOP:
		sk->inet_mc_loop = v != 0;
		return 0;
	case IP_MULTICAST_ALL:
		if (v < 0 || v > 1)
			return -EINVAL;
		sk->inet_mc_all = v != 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	u32 flag = cmsg_flag_of(name);
	s32 v = 0;

	switch (name) {
	case IP_OPTIONS:
		return set_ip_options(sk, val, len);
	case IP_UNICAST_IF:
		return set_unicast_if(sk, val, len);
	case IP_LOCAL_PORT_RANGE:
		return set_local_port_range(sk, val, len);
	case IP_MULTICAST_IF:
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
	case MCAST_JOIN_GROUP:
	case MCAST_LEAVE_GROUP:
		return ip_mc_setsockopt(sk, name, val, len);
	default:
		break;
	}
	if (len < 1 && needs_value(name))
		return -EINVAL;
	if (len >= 4)
		v = (s32)get_le32(val);
	else if (len >= 1)
		v = val[0];
	return flag ? set_cmsg_flag(sk, flag, v != 0) : set_ip_number(sk, name, v);
}

static int get_mtu(struct sock *sk, s32 *v)
{
	const struct dst_entry *dst = sk->dst_cache; /* as it is, and of either family */

	if (!dst)
		return -ENOTCONN;
	*v = (s32)dst_mtu(dst);
	return *v ? 0 : -ENOTCONN;
}

static int get_ip_number(struct sock *sk, u32 name, s32 *v)
{
	switch (name) {
	case IP_TOS:
		*v = sk->inet_tos;
		return 0;
	case IP_TTL:
		*v = sk->inet_uc_ttl < 0 ? sk->net->sysctl.ip_default_ttl : sk->inet_uc_ttl;
		return 0;
	case IP_HDRINCL:
		*v = sk->inet_hdrincl;
		return 0;
	case IP_ROUTER_ALERT:
		*v = 0;
		return 0;
	case IP_NODEFRAG:
		*v = sk->inet_nodefrag;
		return 0;
	case IP_MTU_DISCOVER:
		*v = sk->inet_pmtudisc;
		return 0;
	case IP_MTU:
		return get_mtu(sk, v);
	case IP_RECVERR:
		*v = sk->inet_recverr;
		return 0;
	case IP_RECVERR_RFC4884:
		*v = (sk->sk_rare->inet_cmsg_flags & IP_ERR_RFC4884) != 0;
		return 0;
	case IP_FREEBIND:
		*v = sk->inet_freebind;
		return 0;
	case IP_TRANSPARENT:
		*v = sk->inet_transparent;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
		*v = sk->inet_bind_no_port;
		return 0;
	case IP_MINTTL:
		*v = sk->inet_min_ttl;
		return 0;
	case IP_MULTICAST_TTL:
		*v = sk->inet_mc_ttl;
		return 0;
	case IP_MULTICAST_LOOP:
		*v = sk->inet_mc_loop;
		return 0;
	case IP_MULTICAST_ALL:
		*v = sk->inet_mc_all;
		return 0;
	case IP_UNICAST_IF:
		*v = (s32)htonl(sk->sk_rare->uc_index);
		return 0;
	case IP_LOCAL_PORT_RANGE:
		*v = (s32)sk->sk_rare->local_port_range;
		return 0;
	case IP_PROTOCOL: /* meant for SOCK_RAW, whose number is the protocol */
		*v = sk->inet_num;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	u32 n, flag = cmsg_flag_of(name);
	u8 addr[4];
	s32 v;
	int err = 0;

	switch (name) {
	case IP_OPTIONS:
		n = sk->sk_rare->inet_opt ? min_u32(len, sk->sk_rare->inet_opt->opt.optlen) : 0;
		if (n)
			memcpy(val, sk->sk_rare->inet_opt->data, n);
		return (int)n;
	case IP_MULTICAST_IF:
		store_be32(addr, sk->sk_rare->mc_addr);
		n = min_u32(len, 4);
		if (n)
			memcpy(val, addr, n);
		return (int)n;
	default:
		break;
	}
	if (flag)
		v = (sk->sk_rare->inet_cmsg_flags & flag) != 0;
	else
		err = get_ip_number(sk, name, &v);
	if (err)
		return err;
	if (len > 0 && len < 4 && v >= 0 && v <= 255) {
		val[0] = (u8)v;
		return 1;
	}
	return sock_put_int(val, len, v);
}
