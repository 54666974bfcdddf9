/* SPDX-License-Identifier: MIT */
/*
 * SOL_IP: options, control messages and the error queue of sockets over IPv4 (ip_sockglue.h).
 *
 * Invariant: an entry of the error queue has its network header at the packet that reported the
 * error (an ICMP message's, or one made up for a local error) and its data at what is returned.
 */
#include "ipv4/ip_sockglue.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"
#include "ipv4/icmp.h"

/* Where ipv4_pktinfo_prepare leaves in_pktinfo.ipi_spec_dst in skb->cb. */
#define CB_SPEC_DST 52u

_Static_assert(sizeof(struct inet_skb_parm) <= SOCK_CB_EXTERR, "IPCB overlaps sock_exterr");
_Static_assert(SOCK_CB_EXTERR + sizeof(struct sock_exterr) <= CB_SPEC_DST, "sock_exterr too long");
_Static_assert(CB_SPEC_DST + 4 <= SOCK_CB_DROPCOUNT, "cb is full");

/* ---- received packets ---- */

void ipv4_pktinfo_prepare(const struct sock *sk, struct sk_buff *skb)
{
	if (sk->sk_rare->inet_cmsg_flags & IP_CMSG_PKTINFO) {
		be32 spec_dst = fib_compute_spec_dst(skb);

		memcpy(skb->cb + CB_SPEC_DST, &spec_dst, sizeof(spec_dst));
	}
	skb_dst_drop(skb);
}

static void cmsg_pktinfo(struct msghdr *msg, const struct sk_buff *skb)
{
	u8 b[12];

	put_le32(b, skb->skb_iif);
	memcpy(b + 4, skb->cb + CB_SPEC_DST, 4);
	store_be32(b + 8, ip4_daddr(ip_hdr(skb)));
	put_cmsg(msg, SOL_IP, IP_PKTINFO, b, sizeof(b));
}

static void cmsg_options(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	struct inet_opts echo;

	if (!opt->optlen)
		return;
	if (sk->sk_rare->inet_cmsg_flags & IP_CMSG_RECVOPTS)
		put_cmsg(msg, SOL_IP, IP_RECVOPTS, ip_hdr(skb) + IP4_HLEN, opt->optlen);
	if (!(sk->sk_rare->inet_cmsg_flags & IP_CMSG_RETOPTS))
		return;
	memset(&echo, 0, sizeof(echo));
	if (ip_options_echo(sk->net, &echo, skb)) {
		msg->out_flags |= MSG_CTRUNC;
		return;
	}
	put_cmsg(msg, SOL_IP, IP_RETOPTS, echo.data, echo.opt.optlen);
}

void ip_cmsg_recv(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb)
{
	u32 flags = sk->sk_rare->inet_cmsg_flags;
	const u8 *iph = ip_hdr(skb);
	u8 b[16];

	if (!flags)
		return;
	if (flags & IP_CMSG_PKTINFO)
		cmsg_pktinfo(msg, skb);
	if (flags & IP_CMSG_TTL) {
		put_le32(b, ip4_ttl(iph));
		put_cmsg(msg, SOL_IP, IP_TTL, b, 4);
	}
	if (flags & IP_CMSG_TOS) {
		b[0] = ip4_tos(iph);
		put_cmsg(msg, SOL_IP, IP_TOS, b, 1);
	}
	if (flags & (IP_CMSG_RECVOPTS | IP_CMSG_RETOPTS))
		cmsg_options(msg, sk, skb);
	if (flags & IP_CMSG_ORIGDSTADDR) {
		put_sockaddr_in(b, ip4_daddr(iph), get_be16(skb_transport_header(skb) + 2));
		put_cmsg(msg, SOL_IP, IP_RECVORIGDSTADDR, b, 16);
	}
}

/* ---- control messages of a send ---- */

static u32 tos2priority(u8 tos)
{
	static const u8 prio[4] = { 0, 2, 6, 4 }; /* best effort, bulk, interactive, both */

	return prio[(tos & 0x1e) >> 3];
}

static int cmsg_ip(const struct sock *sk, u32 type, const u8 *data, u32 len,
		   struct ipcm_cookie *ipc, struct inet_opts *room)
{
	s32 v;

	switch (type) {
	case IP_RETOPTS:
		if (ip_options_get(sk->net, room, data, min_u32(len, 40)))
			return -EINVAL;
		ipc->opt = room;
		return 0;
	case IP_PKTINFO:
		if (len != 12)
			return -EINVAL;
		if (get_le32(data))
			ipc->oif = get_le32(data);
		ipc->addr = load_be32(data + 4);
		return 0;
	case IP_TTL:
		if (len != 4)
			return -EINVAL;
		v = (s32)get_le32(data);
		if (v < 1 || v > 255)
			return -EINVAL;
		ipc->ttl = (s16)v;
		return 0;
	case IP_TOS:
		if (len != 4 && len != 1)
			return -EINVAL;
		v = len == 4 ? (s32)get_le32(data) : data[0];
		if (v < 0 || v > 255)
			return -EINVAL;
		ipc->tos = (s16)v;
		ipc->priority = tos2priority((u8)v);
		return 0;
	default:
		return -EINVAL;
	}
}

int ip_cmsg_send(const struct sock *sk, const struct msghdr *msg, struct ipcm_cookie *ipc,
		 struct inet_opts *room)
{
	u32 offset = 0, level, type, len;
	const u8 *data;
	int err;

	while (next_cmsg(msg, &offset, &level, &type, &data, &len, &err)) {
		if (level == SOL_SOCKET) {
			if (type != SO_MARK || len != 4)
				return -EINVAL;
			ipc->mark = get_le32(data);
		} else if (level == SOL_IP) {
			err = cmsg_ip(sk, type, data, len, ipc, room);
			if (err)
				return err;
		}
	}
	return err;
}

/* ---- the error queue ---- */

void ip_icmp_error(struct sock *sk, struct sk_buff *skb, s32 err, u16 port, u32 info, u32 payload)
{
	const u8 *icmp = skb_transport_header(skb);
	struct sk_buff *n = skb_clone(skb);
	u32 inner = (u32)(icmp - skb_network_header(skb)) + ICMP4_HLEN;

	if (!n)
		return;
	*skb_ext_err(n) = (struct sock_exterr){
		.ee_errno = (u32)err,
		.ee_origin = SO_EE_ORIGIN_ICMP,
		.ee_type = icmp4_type(icmp),
		.ee_code = icmp4_code(icmp),
		.ee_info = info,
		.addr_offset = (u16)(inner + 16),
		.port = port,
	};
	if (pskb_may_pull(n, payload)) {
		skb_pull(n, payload);
		skb_reset_transport_header(n);
		if (!sock_queue_err_skb(sk, n))
			return;
	}
	kfree_skb_reason(n, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

void ip_local_error(struct sock *sk, s32 err, be32 daddr, u16 port, u32 info)
{
	struct sk_buff *n;
	u8 *iph;

	if (!sk->inet_recverr)
		return;
	n = alloc_skb(net_world(sk->net), IP4_HLEN);
	if (!n)
		return;
	n->net = sk->net;
	iph = skb_put(n, IP4_HLEN);
	memset(iph, 0, IP4_HLEN);
	ip4_set_daddr(iph, daddr);
	skb_reset_network_header(n);
	memset(IPCB(n), 0, sizeof(*IPCB(n)));
	*skb_ext_err(n) = (struct sock_exterr){
		.ee_errno = (u32)err,
		.ee_origin = SO_EE_ORIGIN_LOCAL,
		.ee_info = info,
		.addr_offset = 16,
		.port = port,
	};
	skb_pull(n, IP4_HLEN);
	skb_reset_transport_header(n);
	if (sock_queue_err_skb(sk, n))
		kfree_skb_reason(n, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

/* An AF_INET6 socket sees what it talks to as ::ffff:a.b.c.d, and its own level (ipv6_recv_error).
 */
static void set_name_mapped(struct sock_addr *name)
{
	name->family = AF_INET6;
	memmove(name->addr + 12, name->addr, 4);
	memset(name->addr, 0, 10);
	memset(name->addr + 10, 0xff, 2);
}

/* struct sock_extended_err and the offender's address, b[32] as IPv4 has it. */
static void put_recverr(struct msghdr *msg, const struct sock *sk, const u8 *b, bool offender)
{
	u8 b6[44] = { 0 };

	if (!sk->pinet6) {
		put_cmsg(msg, SOL_IP, IP_RECVERR, b, 32);
		return;
	}
	memcpy(b6, b, 16);
	if (offender) {
		put_le16(b6 + 16, AF_INET6);
		memset(b6 + 16 + 8 + 10, 0xff, 2);
		memcpy(b6 + 16 + 8 + 12, b + 16 + 4, 4);
	}
	put_cmsg(msg, SOL_IPV6, IPV6_RECVERR, b6, sizeof(b6));
}

s64 ip_recv_error(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	const struct sock_exterr *serr;
	u8 b[32] = { 0 };
	u32 copied;
	int err;

	if (!skb)
		return -EAGAIN;
	copied = skb->len;
	if (copied > msg->len) {
		msg->out_flags |= MSG_TRUNC;
		copied = msg->len;
	}
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return err;
	}
	serr = skb_ext_err(skb);
	sock_recv_timestamp(msg, sk, skb->tstamp, 0, true);
	if (msg->name_out && (serr->ee_origin == SO_EE_ORIGIN_ICMP ||
			      serr->ee_origin == SO_EE_ORIGIN_LOCAL || serr->port)) {
		const u8 *daddr = skb_network_header(skb) + serr->addr_offset;

		sock_addr_set_in(msg->name_out, load_be32(daddr), serr->port);
		if (sk->pinet6)
			set_name_mapped(msg->name_out);
		msg->name_valid = true;
	}
	put_le32(b, serr->ee_errno);
	b[4] = serr->ee_origin;
	b[5] = serr->ee_type;
	b[6] = serr->ee_code;
	put_le32(b + 8, serr->ee_info);
	put_le32(b + 12, serr->ee_data);
	if (serr->ee_origin == SO_EE_ORIGIN_ICMP) {
		put_sockaddr_in(b + 16, ip4_saddr(ip_hdr(skb)), 0);
		ip_cmsg_recv(msg, sk, skb);
	}
	put_recverr(msg, sk, b, serr->ee_origin == SO_EE_ORIGIN_ICMP);
	msg->out_flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return copied;
}

/* ---- groups (the socket side of igmp.c) ---- */

struct ip_mc_socklist {
	struct list_head list; /* sk->sk_rare->mc_list */
	be32 multiaddr;
	u32 ifindex;
};

/* struct ip_mreqn of the caller; the shorter forms leave the rest 0. */
struct mreq {
	be32 multiaddr, address;
	u32 ifindex;
};

static struct mreq get_mreq(const u8 *val, u32 len)
{
	struct mreq m = { load_be32(val), load_be32(val + 4), 0 };

	if (len >= 12)
		m.ifindex = get_le32(val + 8);
	return m;
}

/* ip_mc_find_dev: by number, by address, by the route to the group. */
static struct net_device *mc_find_dev(struct net *net, const struct mreq *m)
{
	struct flowi4 fl4 = { .daddr = m->multiaddr };
	struct net_device *dev;
	struct rtable *rt;
	int err;

	if (m->ifindex)
		return dev_get_by_index(net, m->ifindex);
	if (m->address)
		return ip_dev_find(net, m->address);
	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return NULL;
	dev = rt->dst.dev;
	dst_release(&rt->dst);
	return dev;
}

static struct ip_mc_socklist *mc_find(const struct sock *sk, be32 group, u32 ifindex)
{
	list_for_each(pos, &sk->sk_rare->mc_list) {
		struct ip_mc_socklist *e = list_entry(pos, struct ip_mc_socklist, list);

		if (e->multiaddr == group && e->ifindex == ifindex)
			return e;
	}
	return NULL;
}

static int ip_mc_join_group(struct sock *sk, const struct mreq *m)
{
	struct sock_rare *rare;
	struct ip_mc_socklist *e;
	struct net_device *dev;
	u32 count = 0;
	int err;

	if (!ipv4_is_multicast(m->multiaddr))
		return -EINVAL;
	dev = mc_find_dev(sk->net, m);
	if (!dev || !in_dev_get(dev))
		return -ENODEV;
	if (mc_find(sk, m->multiaddr, dev->ifindex))
		return -EADDRINUSE;
	list_for_each(pos, &sk->sk_rare->mc_list)
		count++;
	rare = sock_rare_get(sk);
	if (count >= IGMP_MAX_MEMBERSHIPS || !rare)
		return -ENOBUFS;
	e = mem_alloc(net_world(sk->net), MEM_MC_LIST, sizeof(*e));
	if (!e)
		return -ENOBUFS;
	err = ip_mc_inc_group(in_dev_get(dev), m->multiaddr);
	if (err) {
		mem_free(net_world(sk->net), MEM_MC_LIST, e, sizeof(*e));
		return err;
	}
	e->multiaddr = m->multiaddr;
	e->ifindex = dev->ifindex;
	list_add(&e->list, &rare->mc_list);
	return 0;
}

static void mc_leave(struct sock *sk, struct ip_mc_socklist *e)
{
	struct net_device *dev = dev_get_by_index(sk->net, e->ifindex);

	if (dev && in_dev_get(dev))
		ip_mc_dec_group(in_dev_get(dev), e->multiaddr);
	list_del_init(&e->list);
	mem_free(net_world(sk->net), MEM_MC_LIST, e, sizeof(*e));
}

static int ip_mc_leave_group(struct sock *sk, const struct mreq *m)
{
	struct net_device *dev = mc_find_dev(sk->net, m);
	struct ip_mc_socklist *e;

	if (!dev && !m->ifindex)
		return -ENODEV;
	e = mc_find(sk, m->multiaddr, dev ? dev->ifindex : m->ifindex);
	if (!e)
		return -EADDRNOTAVAIL;
	mc_leave(sk, e);
	return 0;
}

void ip_mc_drop_socket(struct sock *sk)
{
	while (!list_empty(&sk->sk_rare->mc_list))
		mc_leave(sk, list_first_entry(&sk->sk_rare->mc_list, struct ip_mc_socklist, list));
}

bool ip_mc_sf_allow(const struct sock *sk, be32 loc_addr, u32 dif)
{
	if (!ipv4_is_multicast(loc_addr))
		return true;
	return mc_find(sk, loc_addr, dif) || sk->inet_mc_all;
}

static int set_multicast_if(struct sock *sk, const u8 *val, u32 len)
{
	struct mreq m = { 0 };
	const struct net_device *dev;
	struct sock_rare *rare;

	if (len >= 8)
		m = get_mreq(val, len);
	else if (len >= 4)
		m.address = load_be32(val);
	else
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	if (!m.ifindex && !m.address) {
		sk->inet_mc_index = 0;
		rare->mc_addr = 0;
		return 0;
	}
	dev = m.ifindex ? dev_get_by_index(sk->net, m.ifindex) : ip_dev_find(sk->net, m.address);
	if (!dev)
		return -EADDRNOTAVAIL;
	if (sk->sk_bound_dev_if && dev->ifindex != sk->sk_bound_dev_if)
		return -EINVAL;
	sk->inet_mc_index = dev->ifindex;
	rare->mc_addr = m.address;
	return 0;
}

/* ---- options ---- */

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

static int set_cmsg_flag(struct sock *sk, u32 flag, bool on)
{
	struct sock_rare *rare;

	if (on == ((sk->sk_rare->inet_cmsg_flags & flag) == flag))
		return 0;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	rare->inet_cmsg_flags ^= flag;
	return 0;
}

/* The options that are one number; a byte is taken too. */
static int set_ip_number(struct sock *sk, u32 name, s32 v, u32 len)
{
	switch (name) {
	case IP_TOS:
		set_tos(sk, (u8)v);
		return 0;
	case IP_TTL:
		if (len < 1 || (v != -1 && (v < 1 || v > 255)))
			return -EINVAL;
		sk->inet_uc_ttl = (s16)v;
		return 0;
	case IP_HDRINCL:
		if (sk->sk_type != SOCK_RAW)
			return -ENOPROTOOPT;
		sk->inet_hdrincl = v != 0;
		return 0;
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
		if (sk->sk_type == SOCK_STREAM || len < 1 || v < -1 || v > 255)
			return -EINVAL;
		sk->inet_mc_ttl = v == -1 ? 1 : (u8)v;
		return 0;
	case IP_MULTICAST_LOOP:
		sk->inet_mc_loop = v != 0;
		return 0;
	case IP_MULTICAST_ALL:
		if (v < 0 || v > 1)
			return -EINVAL;
		sk->inet_mc_all = v != 0;
		return 0;
	case IP_PKTINFO:
		return set_cmsg_flag(sk, IP_CMSG_PKTINFO, v != 0);
	case IP_RECVTTL:
		return set_cmsg_flag(sk, IP_CMSG_TTL, v != 0);
	case IP_RECVTOS:
		return set_cmsg_flag(sk, IP_CMSG_TOS, v != 0);
	case IP_RECVOPTS:
		return set_cmsg_flag(sk, IP_CMSG_RECVOPTS, v != 0);
	case IP_RETOPTS:
		return set_cmsg_flag(sk, IP_CMSG_RETOPTS, v != 0);
	case IP_RECVORIGDSTADDR:
		return set_cmsg_flag(sk, IP_CMSG_ORIGDSTADDR, v != 0);
	default:
		return -ENOPROTOOPT;
	}
}

int ip_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	struct mreq m;
	s32 v = 0;

	switch (name) {
	case IP_OPTIONS:
		return set_ip_options(sk, val, len);
	case IP_MULTICAST_IF:
		return sk->sk_type == SOCK_STREAM ? -EINVAL : set_multicast_if(sk, val, len);
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		if (len < 8)
			return -EINVAL;
		m = get_mreq(val, len);
		return name == IP_ADD_MEMBERSHIP ? ip_mc_join_group(sk, &m) :
						   ip_mc_leave_group(sk, &m);
	default:
		break;
	}
	if (len >= 4)
		v = (s32)get_le32(val);
	else if (len >= 1)
		v = val[0];
	return set_ip_number(sk, name, v, len);
}

static int get_ip_number(struct sock *sk, u32 name, s32 *v)
{
	u32 flags = sk->sk_rare->inet_cmsg_flags;

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
	case IP_MTU_DISCOVER:
		*v = sk->inet_pmtudisc;
		return 0;
	case IP_MTU: {
		struct dst_entry *dst = sk_dst_check(sk, 0);

		if (!dst)
			return -ENOTCONN;
		*v = (s32)dst_mtu(dst);
		dst_release(dst);
		return *v ? 0 : -ENOTCONN;
	}
	case IP_RECVERR:
		*v = sk->inet_recverr;
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
	case IP_PKTINFO:
		*v = (flags & IP_CMSG_PKTINFO) != 0;
		return 0;
	case IP_RECVTTL:
		*v = (flags & IP_CMSG_TTL) != 0;
		return 0;
	case IP_RECVTOS:
		*v = (flags & IP_CMSG_TOS) != 0;
		return 0;
	case IP_RECVOPTS:
		*v = (flags & IP_CMSG_RECVOPTS) != 0;
		return 0;
	case IP_RETOPTS:
		*v = (flags & IP_CMSG_RETOPTS) != 0;
		return 0;
	case IP_RECVORIGDSTADDR:
		*v = (flags & IP_CMSG_ORIGDSTADDR) != 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	u8 addr[4];
	u32 n;
	s32 v;
	int err;

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
	err = get_ip_number(sk, name, &v);
	if (err)
		return err;
	if (len > 0 && len < 4 && v >= 0 && v <= 255) {
		val[0] = (u8)v;
		return 1;
	}
	return sock_put_int(val, len, v);
}
