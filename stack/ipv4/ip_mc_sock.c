/* SPDX-License-Identifier: MIT */
/*
 * The groups that a socket joined: the socket side of net/ipv4/igmp.c (RFC 1112 6.1).
 *
 * Invariant: an entry of a socket's list holds one membership of the interface that it names.
 */
#include "ipv4/ip_sockglue.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"
#include "ipv4/igmp.h"

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
	if ((s32)count >= sk->net->sysctl.igmp_max_memberships || !rare)
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
		rare->mc_index = 0;
		rare->mc_addr = 0;
		return 0;
	}
	dev = m.ifindex ? dev_get_by_index(sk->net, m.ifindex) : ip_dev_find(sk->net, m.address);
	if (!dev)
		return -EADDRNOTAVAIL;
	if (sk->sk_bound_dev_if && dev->ifindex != sk->sk_bound_dev_if)
		return -EINVAL;
	rare->mc_index = dev->ifindex;
	rare->mc_addr = m.address;
	return 0;
}

#define GROUP_REQ_LEN 136u /* struct group_req: ifindex, padding, sockaddr_storage */

/* MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP (RFC 3678 5.1.2). */
static int ip_mcast_join_leave(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	struct mreq m = { 0 };

	if (len < GROUP_REQ_LEN || get_le16(val + 8) != AF_INET)
		return -EINVAL;
	m.ifindex = get_le32(val);
	m.multiaddr = load_be32(val + 12);
	return name == MCAST_JOIN_GROUP ? ip_mc_join_group(sk, &m) : ip_mc_leave_group(sk, &m);
}

int ip_mc_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	bool stream = sk->sk_type == SOCK_STREAM;
	struct mreq m;

	if (name == IP_MULTICAST_IF)
		return stream ? -EINVAL : set_multicast_if(sk, val, len);
	if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP)
		return ip_mcast_join_leave(sk, name, val, len);
	if (stream)
		return -EPROTO;
	if (len < 8)
		return -EINVAL;
	m = get_mreq(val, len);
	return name == IP_ADD_MEMBERSHIP ? ip_mc_join_group(sk, &m) : ip_mc_leave_group(sk, &m);
}
