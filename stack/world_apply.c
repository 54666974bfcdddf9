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

/* An op that names a host: fn(net, op), or -ENODEV. */
#define WITH_NET(fn, o)                                     \
	do {                                                \
		struct net *net_ = net_of(w, (o)->host);    \
		return net_ ? (s64)fn(net_, (o)) : -ENODEV; \
	} while (0)

static s64 apply(struct world *w, const struct op *op)
{
	switch ((enum op_kind)op->kind) {
	case OP_HOST_ADD:
		return apply_host_add(w, &op->u.host_add);
	case OP_NIC_ADD:
		return apply_nic_add(w, &op->u.nic_add);
	case OP_WIRE_ADD:
		return wire_create(w, op->u.wire_add.delay_ns, op->u.wire_add.rate_bps);
	case OP_WIRE_ATTACH:
		return apply_wire_attach(w, &op->u.wire_attach);
	case OP_WIRE_SET:
		return apply_wire_set(w, &op->u.wire_set);
	case OP_FRAME:
		return apply_frame(w, &op->u.frame);
	case OP_LINK_SET:
		return apply_link_set(w, &op->u.link_set);
	case OP_LINK_ADD:
		return apply_link_add(w, &op->u.link_add);
	case OP_LINK_DEL:
		WITH_NET(rtnl_op_link_del, &op->u.link_del);
	case OP_FDB_SET:
		WITH_NET(rtnl_op_fdb_set, &op->u.fdb_set);
	case OP_NETNS_ADD:
		return apply_netns_add(w, &op->u.netns_add);
	case OP_NETNS_DEL:
		return apply_netns_del(w, &op->u.netns_del);
	case OP_NIC_SET:
		return apply_nic_set(w, &op->u.nic_set);
	case OP_ADDR_ADD:
		if (op->u.addr_add.addr.len == 16)
			WITH_NET(inet6_rtm_newaddr, &op->u.addr_add);
		WITH_NET(inet_rtm_newaddr, &op->u.addr_add);
	case OP_ADDR_DEL:
		if (op->u.addr_del.addr.len == 16)
			WITH_NET(inet6_rtm_deladdr, &op->u.addr_del);
		WITH_NET(inet_rtm_deladdr, &op->u.addr_del);
	case OP_ROUTE_ADD:
		if (op->u.route_add.dst.len == 16 || op->u.route_add.gateway.len == 16)
			WITH_NET(inet6_rtm_newroute, &op->u.route_add);
		WITH_NET(inet_rtm_newroute, &op->u.route_add);
	case OP_ROUTE_DEL:
		if (op->u.route_del.dst.len == 16)
			WITH_NET(inet6_rtm_delroute, &op->u.route_del);
		WITH_NET(inet_rtm_delroute, &op->u.route_del);
	case OP_NEIGH_SET:
		WITH_NET(inet_op_neigh_set, &op->u.neigh_set);
	case OP_NEIGH_DEL:
		WITH_NET(inet_op_neigh_del, &op->u.neigh_del);
	case OP_SYSCTL:
		return apply_sysctl(w, &op->u.sysctl);
	case OP_FAULT:
		return apply_fault(w, &op->u.fault);
	case OP_COST:
		return apply_cost(w, &op->u.cost);
	case OP_HOOK_ADD:
		WITH_NET(nf_op_hook_add, &op->u.hook_add);
	case OP_HOOK_DEL:
		WITH_NET(nf_op_hook_del, &op->u.hook_del);
	case OP_NF_VERDICT:
		WITH_NET(nf_op_nf_verdict, &op->u.nf_verdict);
	case OP_IPTABLES:
		WITH_NET(xt_op_iptables, &op->u.iptables);
	case OP_CONNTRACK_DELETE:
		WITH_NET(nf_ct_op_delete, &op->u.conntrack_delete);
	case OP_SCHED:
		return sched_apply(w, &op->u.sched);
	case OP_SOFTIRQ:
		return apply_softirq(w, &op->u.softirq);
	case OP_CANCEL:
		return sys_cancel_id(w, op->u.cancel.id);
	case OP_ADVANCE:
		return apply_advance(w, &op->u.advance);
	case OP_CHECK:
		world_check(w, (u32)op->u.check.level);
		return 0;
	case OP_QDISC_SET: {
		struct net_device *dev = dev_of(w, op->u.qdisc_set.host, op->u.qdisc_set.ifindex);

		return dev ? sched_op_qdisc_set(dev, &op->u.qdisc_set) : -ENODEV;
	}
	case OP_ROUTE:
		WITH_NET(apply_route, &op->u.route);
	case OP_RULE:
		WITH_NET(fib_op_rule, &op->u.rule);
	case OP_TASKSET:
		WITH_NET(apply_taskset, &op->u.taskset);
	case OP_QDISC:
		WITH_NET(sched_op_qdisc, &op->u.qdisc);
	case OP_FILTER:
		WITH_NET(sched_op_filter, &op->u.filter);
	case OP_CLASS:
		WITH_NET(sched_op_class, &op->u.class);
	case OP_TCP_METRICS_FLUSH:
		WITH_NET(apply_tcp_metrics_flush, &op->u.tcp_metrics_flush);
	case OP_SYSCALL:
	case OP_KIND_COUNT:
		break;
	}
	return -EINVAL;
}

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
	result = op->kind == OP_FRAME ? apply_frame(w, &op->u.frame) : apply(w, op);
	if (w->digest_on)
		digest_word(w, (u64)result);
	return result;
}
