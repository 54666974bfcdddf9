/* SPDX-License-Identifier: MIT */
/*
 * IPv4 as a whole (net/ipv4/af_inet.c: inet_init): boot and end, neighbours and sysctls from
 * outside, the checker.
 */
#include "ipv4/ipv4.h"

#include "ipv4/arp.h"
#include "ipv4/fib.h"
#include "ipv4/icmp.h"
#include "ipv4/igmp.h"
#include "ipv4/ip.h"
#include "ipv4/ip_fragment.h"
#include "ipv4/ip_offload.h"
#include "ipv4/ip_send.h"
#include "ipv4/netns_ipv4.h"
#include "ipv4/protocol.h"

#define NEIGH_PREFIX "net.ipv4.neigh."

_Static_assert(sizeof(struct netns_ipv4) <= 8192, "a namespace stays small");

static const struct packet_type ip_packet_type = { .type = ETH_P_IP, .func = ip_rcv };

int ipv4_init(struct host *h)
{
	int err;

	h->inet_protos = mem_zalloc(h->world, MEM_HOST, sizeof(*h->inet_protos));
	if (!h->inet_protos)
		return -ENOMEM;
	get_random_siphash_key(h->world, RANDOM_IPID, &h->ip_id_key);
	err = ip_offload_init(h);
	if (!err)
		err = arp_init(h);
	if (!err)
		err = dev_add_pack(h, &ip_packet_type);
	if (!err)
		err = icmp_init(h);
	if (!err)
		err = igmp_init(h);
	if (!err)
		err = devinet_init(h);
	if (err)
		ipv4_exit(h);
	return err;
}

/* Copes with what ipv4_init() did not get to. */
void ipv4_exit(struct host *h)
{
	if (!h->inet_protos)
		return;
	if (h->arp_tbl)
		dev_remove_pack(h, &ip_packet_type);
	arp_exit(h);
	ip_idents_free(h);
	mem_free(h->world, MEM_HOST, h->inet_protos, sizeof(*h->inet_protos));
	h->inet_protos = NULL;
}

int ipv4_net_init(struct net *net)
{
	struct netns_ipv4 *v4 = mem_zalloc(net_world(net), MEM_NET, sizeof(*v4));
	int err;

	if (!v4)
		return -ENOMEM;
	net->ipv4 = v4;
	v4->net = net;
	inet_peer_base_init(net->host, &v4->peers);
	ip_rt_net_init(net);
	devinet_net_init(net);
	icmp_net_init(net);
	err = fib_net_init(net);
	if (!err)
		err = ipfrag_net_init(net);
	if (err)
		ipv4_net_exit(net);
	return err;
}

void ipv4_net_exit(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);

	if (!v4)
		return;
	ipfrag_net_exit(net);
	ip_rt_net_exit(net);
	fib_net_exit(net);
	inet_peer_base_exit(&v4->peers);
	devinet_net_exit(net);
	ASSERT(list_empty(&v4->rtables));
	mem_free(net_world(net), MEM_NET, v4, sizeof(*v4));
	net->ipv4 = NULL;
}

/* ---- neighbours from outside ---- */

static int neigh_op_find(struct net *net, u64 ifindex, const struct op_bytes *addr,
			 struct net_device **dev)
{
	*dev = ifindex <= UINT32_MAX ? dev_get_by_index(net, (u32)ifindex) : NULL;
	if (!*dev)
		return -ENODEV;
	return addr->len == 4 && (*dev)->ip_ptr ? 0 : -EINVAL;
}

int inet_op_neigh_set(struct net *net, const struct op_neigh_set *op)
{
	struct net_device *dev;
	struct neighbour *n;
	int err = neigh_op_find(net, op->ifindex, &op->addr, &dev);

	if (err)
		return err;
	if (op->state == 0 || op->state > NUD_PERMANENT || op->state & (op->state - 1) ||
	    (op->lladdr.len != 0 && op->lladdr.len != dev->addr_len))
		return -EINVAL;
	n = neigh_create(net->host->arp_tbl, op->addr.p, dev);
	if (!n)
		return -ENOBUFS;
	err = neigh_update(n, op->lladdr.len ? op->lladdr.p : NULL, (u8)op->state,
			   NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN);
	neigh_release(n);
	return err;
}

int inet_op_neigh_del(struct net *net, const struct op_neigh_del *op)
{
	struct net_device *dev;
	int err = neigh_op_find(net, op->ifindex, &op->addr, &dev);

	return err ? err : neigh_delete(net->host->arp_tbl, op->addr.p, dev);
}

int inet_op_neigh_proxy(struct net *net, const struct op_neigh_proxy *op)
{
	struct neigh_table *tbl = net->host->arp_tbl;
	struct net_device *dev;
	int err = neigh_op_find(net, op->ifindex, &op->addr, &dev);

	if (err)
		return err;
	return op->remove ? pneigh_delete(tbl, op->addr.p, dev) :
			    pneigh_create(tbl, op->addr.p, dev);
}

/* ---- sysctls ---- */

int ipv4_sysctl_get(struct net *net, const char *name, s32 *value)
{
	int err = devinet_sysctl_get(net, name, value);

	if (err == -ENOENT)
		err = neigh_sysctl_get(net->host->arp_tbl, net, NEIGH_PREFIX, name, value);
	return err;
}

int ipv4_sysctl_set(struct net *net, const char *name, s32 value)
{
	int err = devinet_sysctl_set(net, name, value);

	if (err == -ENOENT)
		err = neigh_sysctl_set(net->host->arp_tbl, net, NEIGH_PREFIX, name, value);
	return err;
}

void ipv4_sysctl_walk(struct net *net, void (*fn)(void *ctx, const char *name), void *ctx)
{
	devinet_sysctl_walk(net, fn, ctx);
	neigh_sysctl_walk(net->host->arp_tbl, net, NEIGH_PREFIX, fn, ctx);
}

/* ---- checks ---- */

static void rtables_check(const struct net *net)
{
	list_for_each(pos, &net_ipv4(net)->rtables) {
		const struct rtable *rt = list_entry(pos, struct rtable, list);

		ASSERT(rt->net == net && rt->dst.refcnt > 0);
	}
}

void ipv4_check(struct host *h, u32 level)
{
	list_for_each(pos, &h->nets) {
		const struct net *net = list_entry(pos, struct net, list);

		if (!net->ipv4)
			continue;
		ipfrag_check(net);
		if (level == 0)
			continue;
		rtables_check(net);
		for (struct fib_table *tb = NULL; (tb = fib_next_table(net, tb)) != NULL;)
			fib_table_check(tb);
	}
	if (level)
		neigh_check(h->arp_tbl);
}
