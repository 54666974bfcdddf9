/* SPDX-License-Identifier: MIT */
/* The fuzz targets' world and the oracles that hold for all of them (fuzz_world.h). */
#include "fuzz_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"

/* Small rings fill soon, and a world with them is made fast. */
#define RING	   32u
#define ARENA_SIZE (16u << 20)
/* Frames out for frames in: an answer each, ARP's three tries for each, and a few of the host's
 * own. */
#define AMPLIFICATION	  5u
#define AMPLIFICATION_OWN 64u

#ifndef FUZZ_TWIN_EVERY
#define FUZZ_TWIN_EVERY 1u
#endif

/* One or two CPUs, one or two queues, rings or virtqueues. */
#define TOPOLOGIES 8u

/* All that outlives an input: arenas, whose content must not matter, and booted worlds. */
static struct {
	u8 *bytes;
	struct fuzz_world f; /* at one place always: worlds point to it */
	u8 *snapshot[TOPOLOGIES];
	size_t snapshot_size[TOPOLOGIES];
} arenas[2];

/* Of the last input's run. */
static u64 last_digest;

int LLVMFuzzerInitialize(int *argc, char ***argv);

_Noreturn void fuzz_fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

bool fuzz_more(const struct fuzz_input *in)
{
	return in->len > 0;
}

u8 fuzz_u8(struct fuzz_input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->p++;
}

u16 fuzz_u16(struct fuzz_input *in)
{
	u16 hi = fuzz_u8(in);

	return (u16)(hi << 8 | fuzz_u8(in));
}

const u8 *fuzz_bytes(struct fuzz_input *in, size_t n, size_t *got)
{
	const u8 *p = in->p;

	*got = n < in->len ? n : in->len;
	in->p += *got;
	in->len -= *got;
	return p;
}

u16 fuzz_csum(const u8 *p, size_t len, u32 sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (u32)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (u32)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* RFC 1122 3.2.2: no ICMP error about an ICMP error, a broadcast or multicast, or a fragment that
 * is not the first. */
static void check_icmp_error(const struct packet *p, int icmp)
{
	u64 type = packet_get_uint(p->layer[icmp], "type", 0);
	int inner = packet_inner(p, 1), inner_icmp;
	const struct packet_value *dst;

	if (type != 3 && type != 5 && type != 11 && type != 12)
		return;
	FUZZ_CHECK(inner >= 0 && p->layer[inner]->proto == PACKET_IP, "ICMP error without a quote");
	dst = packet_get(p->layer[inner], "dst");
	FUZZ_CHECK(dst && dst->addr[0] < 224, "ICMP error about a multicast or broadcast");
	FUZZ_CHECK(packet_get_uint(p->layer[inner], "off", 0) == 0,
		   "ICMP error about a fragment that is not the first");
	inner_icmp = packet_find(p, PACKET_ICMP, (size_t)inner, 1);
	if (inner_icmp >= 0) {
		u64 quoted = packet_get_uint(p->layer[inner_icmp], "type", 0);

		FUZZ_CHECK(quoted != 3 && quoted != 4 && quoted != 5 && quoted != 11 &&
				   quoted != 12,
			   "ICMP error about an ICMP error");
	}
}

/* Seen by the harness's own codec, not by the stack's. */
static void check_tx(const u8 *frame, u32 len)
{
	struct packet *p = packet_parse(PACKET_LINK_ETHERNET, frame, len, len);
	int icmp;

	FUZZ_CHECK(len >= 14 && len <= 1514, "a frame of a wrong size was sent");
	FUZZ_CHECK(memcmp(frame + 6, FUZZ_HOST_MAC, 6) == 0,
		   "a frame with a foreign source was sent");
	for (size_t i = 0; i < p->count; i++) {
		if (p->layer[i]->depth)
			break; /* what an error quotes is as it was received */
		if (p->layer[i]->reason) {
			fprintf(stderr, "%s: %s\n", packet_proto_name(p->layer[i]->proto),
				p->layer[i]->reason);
			fuzz_fail("a malformed frame was sent");
		}
		FUZZ_CHECK(p->layer[i]->checksum != PACKET_CSUM_BAD,
			   "a frame with a wrong checksum was sent");
	}
	icmp = packet_find(p, PACKET_ICMP, 0, 0);
	if (icmp >= 0)
		check_icmp_error(p, icmp);
	packet_free(p);
}

static void wire_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct fuzz_world *f = ctx;

	(void)wire;
	(void)end;
	f->tx_frames++;
	if (!f->lied_to)
		check_tx(frame, len);
	if (f->on_tx)
		f->on_tx(f, frame, len);
}

static u32 nf_hook(void *ctx, struct nf_hook_packet *p)
{
	struct fuzz_world *f = ctx;

	return f->on_hook ? f->on_hook(f, p->id, p->data, p->len) : NF_ACCEPT;
}

static const struct world_ops callbacks = { .wire_rx = wire_rx, .nf_hook = nf_hook };

static const struct repro_recorder *recorder;

void fuzz_record(const struct repro_recorder *r)
{
	recorder = r;
}

static void record_op(void *ctx, u64 events, const struct op *op)
{
	struct fuzz_world *f = ctx;

	/* The very first ops come before the caller has the world. */
	f->recorder->op(f->recorder->ctx, f->w ? world_now(f->w) : 0, events, op);
}

static void record_frame(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len)
{
	struct fuzz_world *f = ctx;

	(void)id;
	if (point == CAPTURE_WIRE)
		f->recorder->frame(f->recorder->ctx, world_now(f->w), dir, frame, len);
}

static u32 record_hook(void *ctx, struct nf_hook_packet *p)
{
	struct fuzz_world *f = ctx;
	u32 verdict = nf_hook(ctx, p);

	f->recorder->hook(f->recorder->ctx, p->id, verdict);
	return verdict;
}

static const struct world_ops recording = {
	.wire_rx = wire_rx, .nf_hook = record_hook, .op_log = record_op, .capture = record_frame
};

static void warm_up(void);

static u64 run_once(u32 arena, bool fresh, const u8 *data, size_t size,
		    void (*scenario)(struct fuzz_world *f, struct fuzz_input *in))
{
	struct fuzz_world *f = &arenas[arena].f;
	struct fuzz_input in = { data, size };
	struct world_leaks leaks;
	u64 digest;

	*f = (struct fuzz_world){ .arena = arena, .fresh = fresh || recorder };
	f->recorder = arena ? NULL : recorder;
	(void)fuzz_u8(&in);
	scenario(f, &in);
	world_check(f->w, 1);
	FUZZ_CHECK(f->tx_frames <= AMPLIFICATION * (f->rx_frames + f->sends) + AMPLIFICATION_OWN +
					   f->own_frames,
		   "the host sends many frames for few");
	digest = world_digest(f->w);
	if (f->recorder)
		f->recorder->end(f->recorder->ctx, world_now(f->w), world_event_count(f->w),
				 digest);
	world_destroy(f->w, &leaks);
	if (leaks.kind)
		fprintf(stderr, "leaked: %s\n", leaks.kind);
	FUZZ_CHECK(!leaks.objects && !leaks.bytes && !leaks.timers, "a world ended with a leak");
	return digest;
}

/* FNV-1a: which inputs get a twin must not depend on anything but the input. */
static u32 input_hash(const u8 *p, size_t len)
{
	u32 h = 2166136261u;

	while (len--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

u64 fuzz_digest(void)
{
	return last_digest;
}

void fuzz_run(const u8 *data, size_t size,
	      void (*scenario)(struct fuzz_world *f, struct fuzz_input *in))
{
	u64 digest;

	warm_up();
	digest = run_once(0, false, data, size, scenario);

	last_digest = digest;
	if (input_hash(data, size) % FUZZ_TWIN_EVERY)
		return;
	FUZZ_CHECK(run_once(1, true, data, size, scenario) == digest,
		   "two runs of one input differ");
}

static s64 apply(struct fuzz_world *f, const struct op *op)
{
	s64 r = world_apply(f->w, op);

	FUZZ_CHECK(r >= 0, "an op of the set-up was refused");
	return r;
}

static void boot(struct fuzz_world *f, u32 cpus, u32 queues, u32 model)
{
	const struct world_config config = { .seed = FUZZ_SEED,
					     .digest = true,
					     .check_events = true };
	struct op op = { .kind = OP_WIRE_ADD };

	f->w = world_create(arenas[f->arena].bytes, ARENA_SIZE, &config,
			    f->recorder ? &recording : &callbacks, f);
	FUZZ_CHECK(f->w != NULL, "no world");
	op.u.wire_add.delay_ns = 1000;
	apply(f, &op);
	op = (struct op){ .kind = OP_HOST_ADD };
	op.u.host_add.cpus = cpus;
	apply(f, &op);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.model = model;
	op.u.nic_add.queues = queues;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.rx_ring = RING;
	op.u.nic_add.tx_ring = RING;
	op.u.nic_add.mac = (struct op_bytes){ (const u8 *)FUZZ_HOST_MAC, 6 };
	apply(f, &op);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.ifindex = 2;
	apply(f, &op);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	apply(f, &op);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ (const u8 *)FUZZ_HOST_ADDR, 4 };
	apply(f, &op);
	op = (struct op){ .kind = OP_NEIGH_SET };
	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = NUD_PERMANENT;
	op.u.neigh_set.addr = (struct op_bytes){ (const u8 *)FUZZ_PEER_ADDR, 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ (const u8 *)FUZZ_PEER_MAC, 6 };
	apply(f, &op);
}

/*
 * All that is made once is made here, before the first input: what an input runs through must be a
 * function of the input, or the fuzzer takes the difference for something new (AFL++ calls it
 * instability).
 */
static void warm_up(void)
{
	if (arenas[0].bytes)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(arenas); i++) {
		arenas[i].bytes = aligned_alloc(64, ARENA_SIZE);
		FUZZ_CHECK(arenas[i].bytes != NULL, "no memory");
	}
	for (u32 i = 0; i < TOPOLOGIES; i++) {
		struct fuzz_world *f = &arenas[0].f;
		u8 **snapshot = &arenas[0].snapshot[i];
		struct world_leaks leaks;

		*f = (struct fuzz_world){ .arena = 0 };
		boot(f, 1 + i / 2 % 2, 1 + i % 2, i < 4 ? NIC_MODEL_RING : NIC_MODEL_VIRTIO);
		arenas[0].snapshot_size[i] = world_snapshot_size(f->w);
		*snapshot = malloc(arenas[0].snapshot_size[i]);
		FUZZ_CHECK(*snapshot != NULL, "no memory");
		world_snapshot(f->w, *snapshot);
		world_destroy(f->w, &leaks);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	warm_up();
	return 0;
}

void fuzz_boot_model(struct fuzz_world *f, u32 cpus, u32 queues, u32 model)
{
	u32 topology = (cpus - 1) * 2 + (queues - 1) + (model == NIC_MODEL_VIRTIO ? 4 : 0);

	FUZZ_CHECK(topology < TOPOLOGIES, "no such topology");
	if (f->fresh) {
		boot(f, cpus, queues, model);
		return;
	}
	f->w = (struct world *)(void *)arenas[f->arena].bytes;
	world_restore(f->w, arenas[f->arena].snapshot[topology],
		      arenas[f->arena].snapshot_size[topology]);
}

void fuzz_boot(struct fuzz_world *f, u32 cpus, u32 queues)
{
	fuzz_boot_model(f, cpus, queues, NIC_MODEL_RING);
}

void fuzz_frame(struct fuzz_world *f, const u8 *frame, u32 len, u32 flags)
{
	u8 *exact = malloc(len ? len : 1);
	struct op op = { .kind = OP_FRAME };

	FUZZ_CHECK(exact != NULL, "no memory");
	memcpy(exact, frame, len);
	op.u.frame.end = 1;
	op.u.frame.flags = flags;
	op.u.frame.bytes = (struct op_bytes){ exact, len };
	(void)world_apply(f->w, &op);
	free(exact);
	f->rx_frames++;
}

void fuzz_link_set(struct fuzz_world *f, u32 param, u64 value)
{
	struct op op = { .kind = OP_LINK_SET };

	op.u.link_set.ifindex = 2;
	op.u.link_set.param = param;
	op.u.link_set.value = value;
	(void)world_apply(f->w, &op);
}

void fuzz_advance(struct fuzz_world *f, u8 code)
{
	u64 ns = NSEC_PER_USEC << (code % 32);

	FUZZ_CHECK(world_run(f->w, world_now(f->w) + ns) == WORLD_TIME, "a storm of events");
}

s64 fuzz_call(struct fuzz_world *f, struct sys_op *op)
{
	op->timeout_ns = 0;
	if (op->nr == SYS_SENDMSG)
		f->sends++;
	FUZZ_CHECK(sys_submit(f->w, op) == 0, "a call was refused");
	if (!op->completed)
		FUZZ_CHECK(world_run(f->w, world_now(f->w)) == WORLD_TIME, "a storm of events");
	if (!op->completed)
		sys_cancel(f->w, op);
	FUZZ_CHECK(op->completed, "a cancelled call did not end");
	return op->ret;
}

s32 fuzz_udp_socket(struct fuzz_world *f, u16 port)
{
	struct sys_op op = { .nr = SYS_SOCKET, .fd = -1 };
	s32 fd;

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_DGRAM | SOCK_NONBLOCK;
	fd = (s32)fuzz_call(f, &op);
	FUZZ_CHECK(fd >= 0, "no socket");
	op = (struct sys_op){ .nr = SYS_BIND, .fd = fd, .has_addr = true };
	op.addr.family = AF_INET;
	op.addr.port = port;
	FUZZ_CHECK(fuzz_call(f, &op) == 0, "no bind");
	return fd;
}

bool fuzz_sysctl(struct fuzz_world *f, const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	return world_apply(f->w, &op) == 0;
}
