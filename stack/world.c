/* SPDX-License-Identifier: MIT */
/*
 * The assembler: the only place (with world_apply.c) that sees every folder. Makes and ends a
 * world, boots and halts hosts in the kernel's order of initcalls, and runs the events. What a
 * world is stands in kernel/world.h; what the outside may do with it in stack/world.h.
 */
#include "world.h"

#include "bridge/br.h"
#include "core/dev_link.h"
#include "core/dst.h"
#include "drivers/links.h"
#include "drivers/loopback.h"
#include "drivers/wire.h"
#include "inet/ip_account.h"
#include "ipv4/ipv4.h"
#include "ipv6/ipv6.h"
#include "kernel/cpu_steps.h"
#include "kernel/event_queue.h"
#include "kernel/random_init.h"
#include "kernel/sched.h"
#include "kernel/trace.h"
#include "lib/bytes.h"
#include "lib/poison.h"
#include "lib/str.h"
#include "netfilter/nf_hooks.h"
#include "sched/sch_api.h"
#include "nf/nf_conntrack.h"
#include "nf/xt.h"
#include "socket/socket.h"
#include "tcp/tcp.h"
#include "tcp/tcp_check.h"
#include "tcp/tcp_minisocks.h"
#include "udp/udp.h"

/* Boot order of a host, as the kernel's initcalls: sock_init, net_dev_init, inet_init. Ended in
 * reverse. */
static const struct {
	int (*init)(struct host *h);
	void (*exit)(struct host *h);
} initcalls[] = {
	{ sock_init, sock_exit },
	{ net_dev_init, net_dev_exit },
	{ pktsched_init, pktsched_exit },
	{ netfilter_init, netfilter_exit },
	{ ipv4_init, ipv4_exit },
	{ ipv6_init, ipv6_exit },
	{ udp_init, udp_exit },
	{ tcp_init, tcp_exit },
	{ links_init, NULL },
	{ br_init, NULL },
	{ packet_init, NULL },
};

/* Per namespace (pernet_operations): tables first, then the loopback device that uses them. */
static const struct {
	int (*init)(struct net *net);
	void (*pre_exit)(struct net *net); /* while the devices are still there */
	void (*exit)(struct net *net);
} pernet[] = {
	{ NULL, nf_queue_net_exit, nf_conntrack_net_exit },
	{ NULL, NULL, xt_net_exit },
	{ ipv4_net_init, NULL, ipv4_net_exit },
	{ NULL, NULL, ipv6_net_exit },
	{ NULL, NULL, inet_reserved_ports_free },
	{ tcp_net_init, tcp_net_exit, NULL },
	{ loopback_net_init, NULL, NULL },
};

static const struct world_up up = {
	.dst_hold = dst_hold,
	.dst_release = dst_release,
	.nf_ct_hold = nf_ct_hold,
	.nf_ct_put = nf_ct_put,
};

struct world *world_create(void *arena, size_t arena_size, const struct world_config *config,
			   const struct world_ops *ops, void *ctx)
{
	struct world *w = arena;
	u8 *start = (u8 *)arena + ((sizeof(*w) + 63) & ~(size_t)63);
	u8 *end = (u8 *)arena + arena_size;

	ASSERT(((uintptr_t)arena & 63) == 0);
	if (arena_size < sizeof(*w) + 64 + 8192)
		return NULL;
	memset(w, 0, sizeof(*w));
	if (!mem_init(w, start, end, config->memory_limit))
		return NULL;
	w->now = config->start_ns;
	w->seed = config->seed;
	w->profile_rfc = config->profile_rfc;
	w->steps_limit = config->steps_limit ? config->steps_limit : STEPS_PER_INSTANT;
	w->digest_on = config->digest;
	w->check_events = config->check_events;
	w->trace_wanted = config->digest ? UINT64_MAX : 0;
	w->ops = ops;
	w->ops_ctx = ctx;
	w->up = &up;
	random_init(w);
	return w;
}

/* Boards go back to where they came from, with a new name if theirs is taken there. */
static void push_physical_devices(struct net *net)
{
	struct net *init_net = net->host->init_net;

	list_for_each_safe(pos, tmp, &net->dev_base) {
		struct net_device *dev = list_entry(pos, struct net_device, dev_list);

		if (dev->link_ops || dev == net->loopback_dev)
			continue;
		if (dev_change_net_namespace(dev, init_net, NULL) == -EEXIST)
			(void)dev_change_net_namespace(dev, init_net, "dev%d");
	}
}

/* Virtual devices first: they may stand on others. lo is the last, as it was the first. */
static void default_device_exit(struct net *net)
{
	struct list_head *last;

	if (net->id && !net_world(net)->ending)
		push_physical_devices(net);
	while (!list_empty(&net->dev_base)) {
		last = net->dev_base.prev;
		rtnl_dellink(list_entry(last, struct net_device, dev_list));
	}
}

static void net_exit(struct net *net)
{
	struct world *w = net_world(net);

	del_timer(&net->cleanup);
	for (u32 i = ARRAY_SIZE(pernet); i-- > 0;)
		if (pernet[i].pre_exit)
			pernet[i].pre_exit(net);
	default_device_exit(net);
	for (u32 i = ARRAY_SIZE(pernet); i-- > 0;)
		if (pernet[i].exit)
			pernet[i].exit(net);
	nf_net_exit(net);
	skb_net_exit(net);
	list_del_init(&net->list);
	mem_free(w, MEM_NET, net, sizeof(*net));
}

/* The last socket of a namespace that was deleted is gone. */
static void cleanup_net(struct timer *t)
{
	net_exit(container_of(t, struct net, cleanup));
}

void net_del(struct net *net)
{
	net->dying = true;
	if (!net->sock_inuse)
		net_exit(net);
}

static struct net *net_create(struct host *h)
{
	struct net *net = mem_zalloc(h->world, MEM_NET, sizeof(*net));

	if (!net)
		return NULL;
	netns_init(net, h);
	timer_setup(&net->cleanup, host_cpu(h, 0), cleanup_net);
	return net;
}

/* The first n pernet inits are undone when one fails: net_exit() copes with what was never made. */
struct net *net_boot(struct host *h, const char *name, size_t len)
{
	struct net *net = net_create(h);

	if (!net)
		return NULL;
	str_copy_n(net->name, sizeof(net->name), name, len);
	for (u32 i = 0; i < ARRAY_SIZE(pernet); i++) {
		if (pernet[i].init && pernet[i].init(net)) {
			net_exit(net);
			return NULL;
		}
	}
	return net;
}

/* `started` initcalls were begun; the last of them may have failed: every exit copes with that. */
static void host_halt(struct host *h, u32 started)
{
	if (h->init_net)
		sock_kill_all(h);
	/* The first namespace goes last: the pages of TCP in the whole host are its. */
	while (!list_empty(&h->nets))
		net_exit(list_entry(h->nets.prev, struct net, list));
	while (started-- > 0)
		if (initcalls[started].exit)
			initcalls[started].exit(h);
	h->world->hosts[h->id] = NULL;
	host_free(h);
}

struct host *host_boot(struct world *w, u32 cpus, const char *name)
{
	struct host *h;
	u32 started = 0;
	bool good = true;

	if (w->hosts_count == WORLD_HOSTS_MAX)
		return NULL;
	h = host_create(w, cpus, name);
	if (!h)
		return NULL;
	w->hosts[h->id] = h;
	while (good && started < ARRAY_SIZE(initcalls))
		good = initcalls[started++].init(h) == 0;
	if (good)
		h->init_net = net_boot(h, "", 0);
	if (!h->init_net) {
		host_halt(h, started);
		return NULL;
	}
	w->hosts_count++;
	return h;
}

void world_destroy(struct world *w, struct world_leaks *leaks)
{
	w->ending = true;
	for (u32 i = 0; i < w->hosts_count; i++)
		host_halt(w->hosts[i], ARRAY_SIZE(initcalls));
	for (u32 i = 0; i < w->wires_count; i++)
		wire_free(w->wires[i]);
	sched_free(w);
	if (leaks) {
		*leaks = (struct world_leaks){ .bytes = w->mem.bytes,
					       .objects = (u32)w->mem.objects,
					       .timers = w->events_armed };
		for (u32 i = 0; i < MEM_KIND_COUNT && !leaks->kind; i++)
			if (w->mem.kind_objects[i])
				leaks->kind = mem_kind_name(i);
	}
	mem_exit(w);
}

u64 world_now(const struct world *w)
{
	return w->now;
}

u64 world_next_event(const struct world *w)
{
	return w->heap ? w->heap->time : TIME_NEVER;
}

u64 world_event_count(const struct world *w)
{
	return w->events_run;
}

static void run_first(struct world *w)
{
	event_queue_run_first(w);
	if (w->check_events)
		world_check(w, 0);
}

enum world_stop world_run(struct world *w, u64 until_ns)
{
	w->stop = false;
	while (w->heap && w->heap->time <= until_ns) {
		if (w->heap->time == w->now && w->steps_at_instant >= w->steps_limit)
			return WORLD_STORM;
		run_first(w);
		if (w->stop)
			return WORLD_STOPPED;
	}
	if (w->now < until_ns && until_ns != TIME_NEVER) {
		w->now = until_ns;
		w->steps_at_instant = 0;
	}
	return WORLD_TIME;
}

bool world_step(struct world *w)
{
	if (!w->heap)
		return false;
	run_first(w);
	return true;
}

void world_stop(struct world *w)
{
	w->stop = true;
}

/* Of packets in motion nobody can say where they are. */
static void ip_check(const struct host *h, u32 level)
{
	if (host_in_step(h))
		return;
	list_for_each(pos, &h->nets)
		ip_account_check(list_entry(pos, struct net, list), level);
}

void world_check(struct world *w, u32 level)
{
	u64 bytes = 0;
	u32 objects = 0;

	if (level)
		event_queue_check(w);
	for (u32 i = 0; i < MEM_KIND_COUNT; i++) {
		bytes += w->mem.kind_bytes[i];
		objects += w->mem.kind_objects[i];
	}
	ASSERT(bytes == w->mem.bytes);
	ASSERT(objects == w->mem.objects);
	skb_check(w);
	for (u32 i = 0; i < w->hosts_count; i++) {
		net_dev_check(w->hosts[i], level);
		ip_check(w->hosts[i], level);
		ipv4_check(w->hosts[i], level);
		sock_check(w->hosts[i], level);
		udp_check(w->hosts[i], level);
		tcp_check_host(w->hosts[i], level);
		nf_conntrack_check(w->hosts[i], level);
	}
	for (u32 i = 0; i < w->wires_count; i++)
		wire_check(w->wires[i], level);
}

u64 world_digest(const struct world *w)
{
	return w->digest_on ? w->digest : 0;
}

void world_digest_add(struct world *w, const void *bytes, u32 len)
{
	digest_bytes(w, bytes, len);
}

void world_trace(struct world *w, u64 mask)
{
	w->trace_mask = mask;
	w->trace_wanted = w->digest_on ? UINT64_MAX : mask;
}

void world_memory(const struct world *w, struct world_memory *out)
{
	*out = (struct world_memory){ .bytes = w->mem.bytes,
				      .objects = w->mem.objects,
				      .peak = w->mem.peak,
				      .arena_used = (u64)(w->mem.brk - (const u8 *)w),
				      .failed = w->mem.failed };
}

size_t world_snapshot_size(const struct world *w)
{
	return (size_t)(w->mem.brk - (const u8 *)w);
}

/* memcpy that may cross poisoned bytes: the whole arena is ours. */
#if defined(TAPLINE_ASAN)
#define WHOLE_ARENA __attribute__((no_sanitize("address")))
#else
#define WHOLE_ARENA
#endif

WHOLE_ARENA static void copy_arena(u8 *to, const u8 *from, size_t n)
{
#if defined(TAPLINE_ASAN)
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
#else
	memcpy(to, from, n);
#endif
}

void world_snapshot(const struct world *w, void *out)
{
	copy_arena(out, (const u8 *)w, world_snapshot_size(w));
}

void world_restore(struct world *w, const void *snapshot, size_t size)
{
	size_t now = world_snapshot_size(w);

	/* Blocks poisoned since then may be in use again, and what was free may be written to. */
	unpoison_range(w, now > size ? now : size);
	memcpy(w, snapshot, size);
}
