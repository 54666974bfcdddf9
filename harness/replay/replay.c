/* SPDX-License-Identifier: MIT */
/*
 * `tapline replay`: builds a world of one host whose NIC is plugged into a wire, puts each frame
 * of a capture onto the free end at its time, lets the world run, and reports. All that happens to
 * the world happens through ops; which policy was applied to how many frames is counted under
 * `Replay.` and printed with the stack's own counters.
 *
 * Time: the first frame comes at START_NS; from then on the gaps are the capture's, except that
 * the clock never runs backwards and no gap is longer than GAP_MAX_NS (captures joined from
 * different years would have the host's periodic timers run for nothing).
 */
#include "replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/annotate.h"
#include "capture/capture.h"
#include "converse/converse.h"
#include "packet/packet.h"
#include "replay/frame.h"
#include "replay/options.h"
#include "replay/report.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/world.h"

#define SECOND_NS  1000000000ull
#define START_NS   SECOND_NS
#define GAP_MAX_NS (86400 * SECOND_NS)
/* After the last frame: longer than reassembly and neighbour resolution take to give up. */
#define DRAIN_NS (61 * SECOND_NS)

enum { ARENA_SIZE = 128 << 20, ARENA_ALIGN = 64, RX_RING = 4096, FREE_END = 1 };
enum { DEVICE_MTU = 65535, LO_IFINDEX = 1 };

struct replay {
	const struct replay_options *o;
	void *arena;
	struct world *w;
	u32 host, wire, ifindex;
	u8 mac[6];
	u64 now; /* virtual: of the last frame */
	u64 last; /* the capture's time of the last frame */
	u64 offset; /* capture's time minus virtual time, modulo 2^64 */
	struct replay_counts counts;
	struct capture_writer *out; /* -w */
	struct capture_writer *all; /* --annotate */
	struct annotator *annotator;
	u16 cpu; /* that sent last */
	struct replay_frame frame;
};

static int complain(const struct replay *r, const char *what, const char *why)
{
	fprintf(stderr, "tapline replay: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	(void)r;
	return 2;
}

/* -w: what comes out of the free end, that is what the host sent. */
static void on_wire_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct replay *r = ctx;
	struct capture_frame f = {
		.time_ns = world_now(r->w) + r->offset, .caplen = len, .len = len, .data = frame
	};
	char comment[40];

	(void)wire;
	(void)end;
	r->counts.sent++;
	if (!r->out)
		return;
	f.direction = CAPTURE_OUT;
	f.comment = comment;
	f.comment_len =
		(size_t)snprintf(comment, sizeof(comment), "host %u cpu %u: sent", r->host, r->cpu);
	capture_write(r->out, &f);
}

/* --annotate: what enters the wire at either end. */
static void on_capture(void *ctx, u32 point, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct replay *r = ctx;
	struct capture_frame f = {
		.time_ns = world_now(r->w) + r->offset, .caplen = len, .len = len, .data = frame
	};

	f.direction = end == FREE_END ? CAPTURE_IN : CAPTURE_OUT;
	if (r->annotator && point == CAPTURE_WIRE)
		annotator_frame(r->annotator, wire, end, &f);
}

static void on_trace(void *ctx, const struct trace_record *rec)
{
	struct replay *r = ctx;

	if (rec->event == TRACE_NET_DEV_XMIT)
		r->cpu = rec->cpu;
	if (r->annotator)
		annotator_trace(r->annotator, rec);
}

static s64 apply(struct replay *r, const struct op *op)
{
	s64 n = world_apply(r->w, op);

	if (n < 0)
		fprintf(stderr, "tapline replay: %s: error %lld\n", op_name(op->kind),
			(long long)-n);
	return n;
}

static s64 apply_link(struct replay *r, u32 ifindex, u64 param, u64 value)
{
	return apply(r, &(struct op){ .kind = OP_LINK_SET,
				      .u.link_set = { .host = r->host,
						      .ifindex = ifindex,
						      .param = param,
						      .value = value } });
}

static bool set_sysctls(struct replay *r)
{
	for (u32 i = 0; i < r->o->sysctl_count; i++) {
		const struct replay_sysctl *s = &r->o->sysctl[i];
		struct op op = { .kind = OP_SYSCTL, .u.sysctl = { .host = r->host } };

		op.u.sysctl.name = (struct op_bytes){ (const u8 *)s->name, (u32)strlen(s->name) };
		op.u.sysctl.value =
			(struct op_bytes){ (const u8 *)s->value, (u32)strlen(s->value) };
		if (world_apply(r->w, &op) < 0) {
			fprintf(stderr, "tapline replay: --set %s=%s: no such sysctl or value\n",
				s->name, s->value);
			return false;
		}
	}
	return true;
}

/* --as: the address, and a route for answers to everyone. */
static bool give_address(struct replay *r)
{
	struct op addr = { .kind = OP_ADDR_ADD,
			   .u.addr_add = { .host = r->host,
					   .ifindex = r->ifindex,
					   .prefix_len = r->o->prefix_len,
					   .addr = { r->o->addr, 4 } } };
	struct op route = { .kind = OP_ROUTE_ADD,
			    .u.route_add = { .host = r->host,
					     .type = RTN_UNICAST,
					     .scope = RT_SCOPE_LINK,
					     .oif = r->ifindex } };
	static const u8 any[4];

	route.u.route_add.dst = (struct op_bytes){ any, 4 };
	return apply(r, &addr) >= 0 && apply(r, &route) >= 0;
}

static bool build_host(struct replay *r)
{
	struct op host = { .kind = OP_HOST_ADD, .u.host_add = { .cpus = 1 } };
	struct op wire = { .kind = OP_WIRE_ADD };
	struct op nic = { .kind = OP_NIC_ADD,
			  .u.nic_add = { .model = NIC_MODEL_RING,
					 .queues = 1,
					 .rx_ring = RX_RING,
					 .mtu = DEVICE_MTU,
					 .mac = { r->mac, 6 } } };
	struct op attach = { .kind = OP_WIRE_ATTACH, .u.wire_attach = { .end = !FREE_END } };
	struct op moderation = { .kind = OP_NIC_SET,
				 .u.nic_set = { .param = NIC_PARAM_RX_USECS, .value = 0 } };
	s64 n;

	host.u.host_add.name = (struct op_bytes){ (const u8 *)"host", 4 };
	nic.u.nic_add.name = (struct op_bytes){ (const u8 *)"eth0", 4 };
	if ((n = apply(r, &host)) < 0)
		return false;
	r->host = (u32)n;
	if ((n = apply(r, &wire)) < 0)
		return false;
	r->wire = (u32)n;
	nic.u.nic_add.host = r->host;
	if ((n = apply(r, &nic)) < 0)
		return false;
	r->ifindex = (u32)n;
	attach.u.wire_attach.wire = r->wire;
	attach.u.wire_attach.host = r->host;
	attach.u.wire_attach.ifindex = r->ifindex;
	moderation.u.nic_set.host = r->host;
	moderation.u.nic_set.ifindex = r->ifindex;
	if (r->annotator)
		annotator_attach(r->annotator, r->wire, !FREE_END, r->host, r->ifindex);
	return apply(r, &attach) >= 0 && apply(r, &moderation) >= 0 && set_sysctls(r) &&
	       apply_link(r, r->ifindex, LINK_PARAM_UP, 1) >= 0;
}

static bool build_world(struct replay *r)
{
	static const struct world_ops ops = { .wire_rx = on_wire_rx };
	static const struct world_ops watched = { .wire_rx = on_wire_rx,
						  .capture = on_capture,
						  .trace = on_trace };
	struct world_config config = {
		.seed = r->o->seed,
		.profile_rfc = r->o->rfc,
		.digest = r->o->digest,
		.check_events = true,
		.steps_limit = UINT32_MAX, /* a file whose times are all 0 is no storm */
	};

	r->arena = aligned_alloc(ARENA_ALIGN, ARENA_SIZE);
	if (r->arena)
		r->w = world_create(r->arena, ARENA_SIZE, &config,
				    r->all || r->out ? &watched : &ops, r);
	if (!r->w) {
		complain(r, "no memory for a world", NULL);
		return false;
	}
	if (r->all)
		world_trace(r->w, annotator_events());
	else if (r->out)
		world_trace(r->w, 1ull << TRACE_NET_DEV_XMIT);
	if (!build_host(r))
		return false;
	if (!r->o->any)
		return give_address(r);
	/* lo down: an answer to 127/8 would come back in and be counted */
	return apply_link(r, LO_IFINDEX, LINK_PARAM_UP, 0) >= 0 &&
	       apply_link(r, r->ifindex, LINK_PARAM_PROMISC, 1) >= 0 &&
	       apply_link(r, r->ifindex, LINK_PARAM_ANYIP, 1) >= 0;
}

/* The MAC that an address has in a frame: as the destination of its packets, or in its ARP. */
static bool learn_mac(const struct packet *p, const u8 *addr, u8 *mac)
{
	int eth = packet_find(p, PACKET_ETH, 0, 0), ip = packet_find(p, PACKET_IP, 0, 0);
	int arp = packet_find(p, PACKET_ARP, 0, 0);
	const struct packet_value *a, *m;

	if (eth >= 0 && ip >= 0) {
		a = packet_get(p->layer[ip], "dst");
		m = packet_get(p->layer[eth], "dst");
		if (a && m && !memcmp(a->addr, addr, 4) && !(m->addr[0] & 1)) {
			memcpy(mac, m->addr, 6);
			return true;
		}
	}
	if (arp >= 0) {
		a = packet_get(p->layer[arp], "spa");
		m = packet_get(p->layer[arp], "sha");
		if (a && m && a->type == PACKET_V_IP4 && m->type == PACKET_V_MAC &&
		    !memcmp(a->addr, addr, 4) && !(m->addr[0] & 1)) {
			memcpy(mac, m->addr, 6);
			return true;
		}
	}
	return false;
}

/* --as: looks through the file for the MAC of the address; without one the host has its own. */
static void find_mac(struct replay *r)
{
	static const u8 own[6] = { 0x02, 0, 0, 0, 0, 1 };
	char error[CAPTURE_ERROR_SIZE];
	struct capture_reader *c;
	struct capture_frame f;
	bool found = false;

	memcpy(r->mac, own, 6);
	if (r->o->any || !strcmp(r->o->file, "-"))
		return;
	c = capture_open(r->o->file, NULL, error);
	while (c && !found && capture_next(c, &f) == CAPTURE_FRAME) {
		struct packet *p = packet_parse(f.link, f.data, f.caplen, f.len);

		found = learn_mac(p, r->o->addr, r->mac);
		packet_free(p);
	}
	capture_close(c);
}

/* Moves the clock to the frame's time. False: older than the last one, and that is an error. */
static bool advance(struct replay *r, const struct capture_frame *f)
{
	if (f->number == 1) {
		r->now = START_NS;
	} else if (f->time_ns < r->last) {
		r->counts.backwards++;
		if (r->o->backwards == BACKWARDS_ERROR)
			return false;
	} else if (f->time_ns - r->last > GAP_MAX_NS) {
		r->counts.gaps++;
		r->now += GAP_MAX_NS;
	} else {
		r->now += f->time_ns - r->last;
	}
	r->last = f->time_ns;
	r->offset = f->time_ns - r->now;
	world_run(r->w, r->now);
	return true;
}

static void inject(struct replay *r)
{
	struct op op = { .kind = OP_FRAME,
			 .u.frame = { .wire = r->wire,
				      .end = FREE_END,
				      .flags = FRAME_NO_DELAY,
				      .bytes = { r->frame.bytes, r->frame.len } } };

	if (r->frame.vouched)
		op.u.frame.flags |= FRAME_CSUM_UNNECESSARY;
	r->counts.shortened += r->frame.shortened;
	r->counts.fixed += r->frame.fixed;
	r->counts.renamed += r->frame.renamed;
	r->counts.padded += r->frame.cut && r->o->cut == CUT_PAD;
	if (world_apply(r->w, &op) < 0)
		r->counts.refused++;
	else
		r->counts.injected++;
	world_run(r->w, r->now);
}

/* --as: the NIC does not hear what its own host sent. */
static bool is_own(const struct replay *r)
{
	return !r->o->any && r->frame.len >= 12 && !memcmp(r->frame.bytes + 6, r->mac, 6);
}

static bool take(struct replay *r, const struct capture_frame *f)
{
	r->counts.frames++;
	r->counts.cut += f->caplen < f->len;
	if (!advance(r, f)) {
		fprintf(stderr, "tapline replay: %s: frame %llu: older than the one before\n",
			r->o->file, (unsigned long long)f->number);
		return false;
	}
	if (!f->supported) {
		r->counts.other_links++;
		return true;
	}
	switch (replay_frame_make(&r->frame, f, r->o, r->mac)) {
	case FRAME_LEAVE_OUT:
		r->counts.left_out++;
		break;
	default:
		if (is_own(r))
			r->counts.own++;
		else
			inject(r);
	}
	return true;
}

static int replay_all(struct replay *r, struct capture_reader *c)
{
	enum capture_status s;
	struct capture_frame f;

	while ((s = capture_next(c, &f)) == CAPTURE_FRAME) {
		if (!take(r, &f))
			return 2;
	}
	if (s == CAPTURE_END)
		return 0;
	return complain(r, r->o->file, capture_error(c));
}

static bool open_one(struct replay *r, const char *name, bool ng, struct capture_writer **w)
{
	char error[CAPTURE_ERROR_SIZE];

	if (!name)
		return true;
	*w = capture_create(name, ng ? CAPTURE_PCAPNG : CAPTURE_PCAP_NS, PACKET_LINK_ETHERNET, 0,
			    error);
	if (!*w)
		complain(r, name, error);
	return *w;
}

static int open_out(struct replay *r)
{
	size_t len = r->o->out ? strlen(r->o->out) : 0;
	bool ng = len > 7 && !strcmp(r->o->out + len - 7, ".pcapng");

	if (!open_one(r, r->o->out, ng, &r->out) || !open_one(r, r->o->annotate, true, &r->all))
		return 2;
	if (r->all)
		annotator_writer(r->annotator = annotator_new(), r->all);
	return 0;
}

/* Ends the world; what it did not give back is a defect of the stack. */
static int end_world(struct replay *r)
{
	struct world_leaks leaks = { 0 };

	world_destroy(r->w, &leaks);
	if (!leaks.bytes && !leaks.objects && !leaks.timers)
		return 0;
	fprintf(stderr, "tapline replay: leak: %llu bytes, %u objects, %u timers%s%s\n",
		(unsigned long long)leaks.bytes, leaks.objects, leaks.timers,
		leaks.kind ? ", kind " : "", leaks.kind ? leaks.kind : "");
	return 3;
}

static int run(struct replay *r, struct capture_reader *c)
{
	char error[CAPTURE_ERROR_SIZE];
	int status = 2, end;

	if (open_out(r)) {
		if (r->out)
			(void)capture_finish(r->out, error);
		return 2;
	}
	if (build_world(r)) {
		status = replay_all(r, c);
		world_run(r->w, r->now + DRAIN_NS);
		world_check(r->w, 1);
		if (replay_report(r->w, r->host, &r->counts, r->o))
			status = complain(r, "standard output", "can not be written");
	}
	annotator_finish(r->annotator);
	r->annotator = NULL;
	end = r->w ? end_world(r) : 0;
	if (r->out && !capture_finish(r->out, error))
		status = complain(r, r->o->out, error);
	if (r->all && !capture_finish(r->all, error))
		status = complain(r, r->o->annotate, error);
	free(r->arena);
	return end ? end : status;
}

int replay_main(int argc, char **argv)
{
	struct replay_options options;
	char error[CAPTURE_ERROR_SIZE];
	int status = replay_options_parse(&options, argc, argv);

	if (status < 0 && options.converse) {
		status = converse_run(&options);
	} else if (status < 0) {
		struct replay *r = calloc(1, sizeof(*r));
		struct capture_reader *c = capture_open(options.file, NULL, error);

		if (!r)
			abort();
		r->o = &options;
		if (c) {
			find_mac(r);
			status = run(r, c);
		} else {
			status = complain(r, options.file, error);
		}
		capture_close(c);
		free(r);
	}
	replay_options_free(&options);
	return status;
}
