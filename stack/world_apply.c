/* SPDX-License-Identifier: MIT */
/*
 * world_apply(): each op handed to the folder that knows what it means. Here are the checks that
 * hold for all: that the host, the interface and the wire named exist. Nothing else drives a world
 * (stack/op.h); calls come in by sys_submit() and are logged in the same stream.
 */
#include "world.h"

#include "core/dev_link.h"
#include "core/rps.h"
#include "core/sch_generic.h"
#include "drivers/nic.h"
#include "drivers/wire.h"
#include "ipv4/fib.h"
#include "ipv4/ipv4.h"
#include "ipv6/ip6_route.h"
#include "kernel/op_log.h"
#include "kernel/sched.h"
#include "kernel/trace.h"
#include "lib/str.h"
#include "netfilter/nf_hooks.h"
#include "nf/nf_conntrack_filter.h"
#include "nf/xt.h"
#include "proc/sysctl.h"
#include "sched/cls_api.h"
#include "sched/sch_api.h"
#include "socket/sys.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_cong.h"

#define NAME_MAX_LEN  128u
#define VALUE_MAX_LEN 256u

static struct net *net_of(struct world *w, u64 host)
{
	return net_by_ref(w, host);
}

static struct net_device *dev_of(struct world *w, u64 host, u64 ifindex)
{
	struct net *net = net_of(w, host);

	return net && ifindex <= UINT32_MAX ? dev_get_by_index(net, (u32)ifindex) : NULL;
}

static struct wire *wire_of(struct world *w, u64 wire)
{
	return wire < w->wires_count ? w->wires[wire] : NULL;
}

static s64 apply_host_add(struct world *w, const struct op_host_add *o)
{
	char name[32];
	struct host *h;

	if (o->cpus < 1 || o->cpus > HOST_CPUS_MAX)
		return -EINVAL;
	if (w->hosts_count == WORLD_HOSTS_MAX)
		return -ENOSPC;
	str_copy_n(name, sizeof(name), (const char *)o->name.p, o->name.len);
	h = host_boot(w, (u32)o->cpus, name);
	return h ? (s64)h->id : -ENOMEM;
}

static s64 apply_nic_add(struct world *w, const struct op_nic_add *o)
{
	struct net *net = net_of(w, o->host);
	struct net_device *dev;
	int err = 0;

	if (!net)
		return -ENODEV;
	dev = nic_probe(net, o, &err);
	return dev ? (s64)dev->ifindex : err;
}

/* What all devices have, and what a kind of them has. */
static s64 apply_link_set(struct world *w, const struct op_link_set *o)
{
	struct net_device *dev = dev_of(w, o->host, o->ifindex);
	int err;

	if (!dev)
		return -ENODEV;
	err = rtnl_link_set(dev, net_of(w, o->value), o);
	return err == -ENOENT ? dev_link_set(dev, o) : err;
}

static s64 apply_link_add(struct world *w, const struct op_link_add *o)
{
	struct net *net = net_of(w, o->host), *peer_net = net_of(w, o->peer_host);

	return net && peer_net ? rtnl_op_link_add(net, peer_net, o) : -ENODEV;
}

static s64 apply_netns_add(struct world *w, const struct op_netns_add *o)
{
	struct net *net = net_of(w, o->host);

	if (!net)
		return -ENODEV;
	if (net->host->nets_made >> NET_REF_SHIFT)
		return -ENOSPC;
	if (host_in_step(net->host))
		return -EBUSY;
	net = net_boot(net->host, (const char *)o->name.p, o->name.len);
	return net ? (s64)(net->host->id | net->id << NET_REF_SHIFT) : -ENOMEM;
}

static s64 apply_netns_del(struct world *w, const struct op_netns_del *o)
{
	struct net *net = net_of(w, o->host);

	if (!net || net->dying)
		return -ENODEV;
	if (!net->id)
		return -EINVAL;
	if (host_in_step(net->host))
		return -EBUSY;
	net_del(net);
	return 0;
}

static s64 apply_wire_set(struct world *w, const struct op_wire_set *o)
{
	struct wire *wire = wire_of(w, o->wire);

	if (!wire)
		return -ENODEV;
	if (o->end > 1 || o->param >= WIRE_PARAM_COUNT)
		return -EINVAL;
	return wire_set(wire, (u32)o->end, (u32)o->param, o->value);
}

static s64 apply_wire_attach(struct world *w, const struct op_wire_attach *o)
{
	struct wire *wire = wire_of(w, o->wire);
	struct net_device *dev = dev_of(w, o->host, o->ifindex);

	if (!wire || !dev)
		return -ENODEV;
	if (o->end > 1)
		return -EINVAL;
	if (!dev->netdev_ops->ndo_attach)
		return -EOPNOTSUPP;
	return dev->netdev_ops->ndo_attach(dev, wire, (u32)o->end);
}

static s64 apply_nic_set(struct world *w, const struct op_nic_set *o)
{
	struct net_device *dev = dev_of(w, o->host, o->ifindex);
	int err;

	if (!dev)
		return -ENODEV;
	if (o->param > UINT32_MAX || o->index > UINT32_MAX)
		return -EINVAL;
	err = dev_steering_set(dev, (u32)o->param, (u32)o->index, o->value);
	if (err == -ENOENT)
		err = bql_set(dev, (u32)o->param, (u32)o->index, o->value);
	if (err != -ENOENT)
		return err;
	if (!dev->netdev_ops->ndo_nic_set)
		return -EOPNOTSUPP;
	return dev->netdev_ops->ndo_nic_set(dev, (u32)o->param, (u32)o->index, o->value);
}

static s64 apply_sysctl(struct world *w, const struct op_sysctl *o)
{
	struct net *net = net_of(w, o->host);
	char name[NAME_MAX_LEN], value[VALUE_MAX_LEN];

	if (!net)
		return -ENODEV;
	if (o->name.len >= sizeof(name) || o->value.len >= sizeof(value))
		return -EINVAL;
	str_copy_n(name, sizeof(name), (const char *)o->name.p, o->name.len);
	str_copy_n(value, sizeof(value), (const char *)o->value.p, o->value.len);
	return sysctl_write(net, name, value);
}

static s64 apply_fault(struct world *w, const struct op_fault *o)
{
	if (o->point >= FAULT_POINT_COUNT)
		return -EINVAL;
	fault_plant(w, (enum fault_point)o->point, o->skip, o->count);
	return 0;
}

static s64 apply_softirq(struct world *w, const struct op_softirq *o)
{
	const struct net *net = net_of(w, o->host);

	if (!net || o->cpu >= net->host->cpus_count)
		return net ? -EINVAL : -ENODEV;
	return softirq_apply(net->host->cpus[o->cpu], o->nr, o->ns, o->again);
}

static s64 apply_cost(struct world *w, const struct op_cost *o)
{
	struct net *net = net_of(w, o->host);

	if (!net)
		return -ENODEV;
	if (o->kind >= COST_KIND_COUNT || o->ns > NSEC_PER_SEC)
		return -EINVAL;
	net->host->cost[o->kind] = o->ns;
	return 0;
}

static s64 apply_frame(struct world *w, const struct op_frame *o)
{
	struct wire *wire = wire_of(w, o->wire);

	if (!wire)
		return -ENODEV;
	if (o->end > 1 || o->bytes.len > FRAME_LEN_MAX)
		return -EINVAL;
	return wire_inject(wire, (u32)o->end, (u32)o->flags, o->bytes.p, o->bytes.len);
}

static s64 apply_advance(struct world *w, const struct op_advance *o)
{
	if (o->ns > TIME_NEVER - 1 - w->now)
		return -EINVAL;
	return world_run(w, w->now + o->ns) == WORLD_STORM ? -ETIME : 0;
}

static s64 apply_tcp_metrics_flush(struct net *net, const struct op_tcp_metrics_flush *o)
{
	struct inet_addr addr = { { 0 } };

	if (!o->addr.len)
		return tcp_metrics_flush(net, AF_UNSPEC, NULL);
	if (o->addr.len != 4 && o->addr.len != 16)
		return -EINVAL;
	memcpy(addr.w, o->addr.p, o->addr.len);
	return tcp_metrics_flush(net, o->addr.len == 4 ? AF_INET : AF_INET6, &addr);
}

static s64 apply_taskset(struct net *net, const struct op_taskset *o)
{
	if (o->cpu >= net->host->cpus_count)
		return -EINVAL;
	net->host->task_cpu = (u32)o->cpu;
	return 0;
}

/* Routes name a congestion control as `ip` does; they keep its number. */
static s64 apply_route(struct net *net, const struct op_route *o)
{
	char name[16];
	s32 ca;

	if (o->dst.len == 16)
		return -EAFNOSUPPORT;
	if (!o->congctl.len)
		return fib_op_route(net, o, 0);
	if (o->congctl.len >= sizeof(name))
		return -ENOENT;
	str_copy_n(name, sizeof(name), (const char *)o->congctl.p, o->congctl.len);
	ca = tcp_ca_index(name);
	return ca < 0 ? -ENOENT : fib_op_route(net, o, (u32)ca + 1);
}

/* ---- ops whose arguments say which of two functions they are for ---- */

static s64 apply_addr_add(struct net *net, const struct op_addr_add *o)
{
	return o->addr.len == 16 ? inet6_rtm_newaddr(net, o) : inet_rtm_newaddr(net, o);
}

static s64 apply_addr_del(struct net *net, const struct op_addr_del *o)
{
	return o->addr.len == 16 ? inet6_rtm_deladdr(net, o) : inet_rtm_deladdr(net, o);
}

static s64 apply_route_add(struct net *net, const struct op_route_add *o)
{
	return o->dst.len == 16 || o->gateway.len == 16 ? inet6_rtm_newroute(net, o) :
							  inet_rtm_newroute(net, o);
}

static s64 apply_route_del(struct net *net, const struct op_route_del *o)
{
	return o->dst.len == 16 ? inet6_rtm_delroute(net, o) : inet_rtm_delroute(net, o);
}

static s64 apply_qdisc_set(struct world *w, const struct op_qdisc_set *o)
{
	struct net_device *dev = dev_of(w, o->host, o->ifindex);

	return dev ? sched_op_qdisc_set(dev, o) : -ENODEV;
}

static s64 apply_wire_add(struct world *w, const struct op_wire_add *o)
{
	return wire_create(w, o->delay_ns, o->rate_bps);
}

static s64 apply_cancel(struct world *w, const struct op_cancel *o)
{
	return sys_cancel_id(w, o->id);
}

static s64 apply_check(struct world *w, const struct op_check *o)
{
	world_check(w, (u32)o->level);
	return 0;
}

/* ---- the table ---- */

/* Every op but system calls: OF_WORLD calls fn(w, op), OF_NET fn(net, op) of the host that the op
 * names, or answers -ENODEV. */
#define OPERATIONS(OF_WORLD, OF_NET)                                \
	OF_WORLD(HOST_ADD, host_add, apply_host_add)                \
	OF_WORLD(NIC_ADD, nic_add, apply_nic_add)                   \
	OF_WORLD(WIRE_ADD, wire_add, apply_wire_add)                \
	OF_WORLD(WIRE_ATTACH, wire_attach, apply_wire_attach)       \
	OF_WORLD(WIRE_SET, wire_set, apply_wire_set)                \
	OF_WORLD(FRAME, frame, apply_frame)                         \
	OF_WORLD(LINK_SET, link_set, apply_link_set)                \
	OF_WORLD(LINK_ADD, link_add, apply_link_add)                \
	OF_NET(LINK_DEL, link_del, rtnl_op_link_del)                \
	OF_NET(FDB_SET, fdb_set, rtnl_op_fdb_set)                   \
	OF_WORLD(NETNS_ADD, netns_add, apply_netns_add)             \
	OF_WORLD(NETNS_DEL, netns_del, apply_netns_del)             \
	OF_WORLD(NIC_SET, nic_set, apply_nic_set)                   \
	OF_NET(ADDR_ADD, addr_add, apply_addr_add)                  \
	OF_NET(ADDR_DEL, addr_del, apply_addr_del)                  \
	OF_NET(ROUTE_ADD, route_add, apply_route_add)               \
	OF_NET(ROUTE_DEL, route_del, apply_route_del)               \
	OF_NET(NEIGH_SET, neigh_set, inet_op_neigh_set)             \
	OF_NET(NEIGH_DEL, neigh_del, inet_op_neigh_del)             \
	OF_NET(NEIGH_PROXY, neigh_proxy, inet_op_neigh_proxy)       \
	OF_WORLD(SYSCTL, sysctl, apply_sysctl)                      \
	OF_WORLD(FAULT, fault, apply_fault)                         \
	OF_WORLD(COST, cost, apply_cost)                            \
	OF_NET(HOOK_ADD, hook_add, nf_op_hook_add)                  \
	OF_NET(HOOK_DEL, hook_del, nf_op_hook_del)                  \
	OF_NET(NF_VERDICT, nf_verdict, nf_op_nf_verdict)            \
	OF_NET(IPTABLES, iptables, xt_op_iptables)                  \
	OF_NET(CONNTRACK_DELETE, conntrack_delete, nf_ct_op_delete) \
	OF_WORLD(SCHED, sched, sched_apply)                         \
	OF_WORLD(SOFTIRQ, softirq, apply_softirq)                   \
	OF_WORLD(CANCEL, cancel, apply_cancel)                      \
	OF_WORLD(ADVANCE, advance, apply_advance)                   \
	OF_WORLD(CHECK, check, apply_check)                         \
	OF_WORLD(QDISC_SET, qdisc_set, apply_qdisc_set)             \
	OF_NET(ROUTE, route, apply_route)                           \
	OF_NET(RULE, rule, fib_op_rule)                             \
	OF_NET(TASKSET, taskset, apply_taskset)                     \
	OF_NET(QDISC, qdisc, sched_op_qdisc)                        \
	OF_NET(FILTER, filter, sched_op_filter)                     \
	OF_NET(CLASS, class, sched_op_class)                        \
	OF_NET(TCP_METRICS_FLUSH, tcp_metrics_flush, apply_tcp_metrics_flush)

#define APPLY_OF_WORLD(KIND, field, fn)                             \
	static s64 op_##field(struct world *w, const struct op *op) \
	{                                                           \
		return fn(w, &op->u.field);                         \
	}
#define APPLY_OF_NET(KIND, field, fn)                               \
	static s64 op_##field(struct world *w, const struct op *op) \
	{                                                           \
		struct net *net = net_of(w, op->u.field.host);      \
                                                                    \
		return net ? (s64)fn(net, &op->u.field) : -ENODEV;  \
	}
OPERATIONS(APPLY_OF_WORLD, APPLY_OF_NET)

#define APPLY_ENTRY(KIND, field, fn) [OP_##KIND] = op_##field,
static s64 (*const operations[OP_KIND_COUNT])(struct world *w, const struct op *op) = {
	OPERATIONS(APPLY_ENTRY, APPLY_ENTRY)
};

s64 world_apply(struct world *w, const struct op *op)
{
	s64 result;

	if (op->kind >= OP_KIND_COUNT)
		return -EINVAL;
	if (w->capturing)
		return -EBUSY;
	if (w->digest_on || w->ops)
		op_log(w, op);
	/* By far the most. */
	if (op->kind == OP_FRAME)
		result = apply_frame(w, &op->u.frame);
	else
		result = operations[op->kind] ? operations[op->kind](w, op) : -EINVAL;
	if (w->digest_on)
		digest_word(w, (u64)result);
	return result;
}
