/* SPDX-License-Identifier: MIT */
/*
 * Playing a conversation: a world with one host on a tun device, whose wire ends at the peer; the
 * opening; the capture's segments at their times, the peer's as packets and the other side's as
 * calls of the application; then whatever is left, until both streams are through. A reset is the
 * last thing that is played, whenever the capture has it.
 */
#include "converse/play.h"

#include "converse/packet.h"

#include <stdlib.h>
#include <string.h>

#include "stack/nic.h"

#define SECOND_NS 1000000000ull
#define START_NS  SECOND_NS
/* Nothing in a connection waits longer; captures joined from different years do. */
#define GAP_MAX_NS (3600 * SECOND_NS)
/* To open the connection, and without any progress at the end. */
#define OPEN_NS	    (30 * SECOND_NS)
#define PATIENCE_NS (300 * SECOND_NS)

/* ---- the world ---- */

static void wire_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	(void)wire;
	(void)end;
	cv_peer_receive(ctx, frame, len);
}

static s64 apply(struct cv_play *p, const struct op *op)
{
	return p->sut->ops->apply(p->sut, op);
}

static bool set_sysctls(struct cv_play *p, const struct replay_options *o)
{
	for (u32 i = 0; i < o->sysctl_count; i++) {
		const char *name = o->sysctl[i].name, *value = o->sysctl[i].value;
		struct op op = { .kind = OP_SYSCTL, .u.sysctl = { .host = p->host } };

		op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
		op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
		if (apply(p, &op) < 0)
			return false;
	}
	return true;
}

static bool build(struct cv_play *p, const struct replay_options *o)
{
	static const struct world_ops callbacks = { .wire_rx = wire_rx };
	struct world_config config = {
		.seed = o->seed, .profile_rfc = o->rfc, .digest = o->digest, .check_events = true
	};
	struct op host = { .kind = OP_HOST_ADD, .u.host_add = { .cpus = 1 } };
	/* A little while in one direction: no exchange takes no time at all. */
	struct op wire = { .kind = OP_WIRE_ADD, .u.wire_add = { .delay_ns = 1000 } };
	struct op nic = { .kind = OP_NIC_ADD,
			  .u.nic_add = { .model = NIC_MODEL_TUN, .queues = 1, .mtu = 1500 } };
	struct op attach = { .kind = OP_WIRE_ATTACH };
	struct op up = { .kind = OP_LINK_SET,
			 .u.link_set = { .param = LINK_PARAM_UP, .value = 1 } };
	bool v6 = cv_is_v6(p->c);
	struct op addr = { .kind = OP_ADDR_ADD, .u.addr_add = { .prefix_len = v6 ? 64 : 24 } };
	s64 ifindex;

	p->sut = sut_tapline.create(&config, &callbacks, p);
	if (!p->sut)
		return false;
	host.u.host_add.name = (struct op_bytes){ (const u8 *)"host", 4 };
	nic.u.nic_add.name = (struct op_bytes){ (const u8 *)"tun0", 4 };
	addr.u.addr_add.addr = (struct op_bytes){ cv_host_addr(v6), v6 ? 16 : 4 };
	if (apply(p, &host) < 0 || apply(p, &wire) < 0)
		return false;
	ifindex = apply(p, &nic);
	if (ifindex < 0)
		return false;
	attach.u.wire_attach.ifindex = (u64)ifindex;
	up.u.link_set.ifindex = addr.u.addr_add.ifindex = (u64)ifindex;
	return apply(p, &attach) >= 0 && set_sysctls(p, o) && apply(p, &up) >= 0 &&
	       apply(p, &addr) >= 0;
}

/* ---- time ---- */

/* Until then, the peer's timer in between. False: a storm of events. */
static bool run_until(struct cv_play *p, u64 until)
{
	while (p->peer.timer <= until) {
		u64 at = p->peer.timer, now = p->sut->ops->now(p->sut);

		if (p->sut->ops->run(p->sut, at > now ? at : now) != WORLD_TIME)
			return false;
		/* What came in the meantime may have moved it. */
		if (p->peer.timer <= p->sut->ops->now(p->sut))
			cv_peer_timer(p);
	}
	return p->sut->ops->run(p->sut, until) == WORLD_TIME;
}

/* ---- the parts of a play ---- */

static bool is_through(const struct cv_play *p)
{
	return cv_peer_done(p) && cv_app_done(p);
}

/* A reset once all is through is what a closed port answers to the capture's afterthoughts. */
static const char *trouble_so_far(const struct cv_play *p)
{
	if (p->peer.reset && !is_through(p))
		return "the host reset the connection";
	if (p->app.error)
		return "a call of the application failed";
	return NULL;
}

static const char *play_opening(struct cv_play *p)
{
	u64 until = p->sut->ops->now(p->sut) + OPEN_NS;
	bool peer_opens = cv_opener(p->c) == p->peer_side;

	if (!cv_app_open(p))
		return trouble_so_far(p);
	if (peer_opens)
		cv_peer_open(p);
	for (u64 step = SECOND_NS / 1000; !p->peer.connected || !p->app.connected; step *= 2) {
		u64 now = p->sut->ops->now(p->sut);

		if (now >= until || trouble_so_far(p))
			return p->peer.reset ? "the host refused the connection" :
					       "the connection could not be opened";
		if (!run_until(p, now + step))
			return "a storm of events";
	}
	return NULL;
}

/* A segment of the side that the host plays: what its application must have done. */
static void play_call(struct cv_play *p, const struct cv_segment *g)
{
	const struct cv_stream *s = cv_host_stream(p);
	u32 seq = g->seq + (g->flags & CV_SYN ? 1 : 0);
	s64 end = (s64)p->app.target + cv_seq_diff(seq, s->isn + 1 + (u32)p->app.target) + g->len;

	if (g->flags & CV_RST || end < 0 || end > (s64)s->len)
		return;
	cv_app_write(p, (u64)end, g->flags & CV_FIN && s->fin && end == (s64)s->len);
}

static const char *play_capture(struct cv_play *p)
{
	const struct conversation *c = p->c;
	u64 now = p->sut->ops->now(p->sut), last = c->count ? c->segment[0].time_ns : 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];
		u64 gap = g->time_ns > last ? g->time_ns - last : 0;

		now += gap < GAP_MAX_NS ? gap : GAP_MAX_NS;
		if (g->time_ns > last)
			last = g->time_ns;
		if (now < p->sut->ops->now(p->sut))
			now = p->sut->ops->now(p->sut);
		p->offset = last - now;
		if (!run_until(p, now))
			return "a storm of events";
		if (trouble_so_far(p))
			return trouble_so_far(p);
		if (p->peer.now <= i)
			p->peer.now = (u32)i + 1;
		if (g->side == p->peer_side)
			cv_peer_segment(p, g);
		else
			play_call(p, g);
	}
	return NULL;
}

static u64 progress(const struct cv_play *p)
{
	return p->peer.una + p->peer.got.len + p->peer.got.end + p->app.got.len + p->app.got.end;
}

static const char *play_rest(struct cv_play *p)
{
	const struct cv_stream *s = cv_host_stream(p);
	u64 best = progress(p), patience = p->sut->ops->now(p->sut) + PATIENCE_NS;

	if (is_through(p))
		return NULL;
	cv_app_write(p, s->len, s->fin);
	cv_peer_finish(p);
	for (u64 step = SECOND_NS / 1000; !is_through(p);) {
		u64 now = p->sut->ops->now(p->sut);

		if (!run_until(p, now + step))
			return "a storm of events";
		if (trouble_so_far(p))
			return trouble_so_far(p);
		if (step < SECOND_NS)
			step *= 2;
		if (progress(p) > best) {
			best = progress(p);
			patience = now + PATIENCE_NS;
		} else if (now > patience) {
			return "nothing moves any more";
		}
	}
	return NULL;
}

/* As the capture ended: the resets of both sides. */
static void play_end(struct cv_play *p)
{
	if (cv_peer_stream(p)->rst)
		cv_peer_reset(p);
	(void)run_until(p, p->sut->ops->now(p->sut) + SECOND_NS);
	p->peer.timer = TIME_NEVER;
	cv_app_close(p);
	(void)run_until(p, p->sut->ops->now(p->sut) + SECOND_NS);
}

static void play(struct cv_play *p, struct cv_result *out)
{
	out->trouble = play_opening(p);
	if (!out->trouble)
		out->trouble = play_capture(p);
	if (!out->trouble)
		out->trouble = play_rest(p);
	out->error = p->app.error;
	out->received = p->app.got.len;
	out->sent = p->peer.got.len;
	out->again = p->peer.again;
	sha256_digest(&p->app.got.sha, SHA256_DIGEST_SIZE, out->received_sha);
	sha256_digest(&p->peer.got.sha, SHA256_DIGEST_SIZE, out->sent_sha);
	out->whole = !out->trouble && !p->app.got.differs && !p->peer.got.differs;
	if (!out->trouble && !out->whole)
		out->trouble = p->app.got.differs ? "the application read other bytes" :
						    "the host sent other bytes";
	play_end(p);
}

void cv_play(const struct conversation *c, u32 peer_side, const struct replay_options *o,
	     void (*tap)(void *, u64, bool, const u8 *, u32), void *tap_ctx, struct cv_result *out)
{
	struct cv_play *p = calloc(1, sizeof(*p));
	struct world_leaks leaks = { 0 };

	if (!p)
		abort();
	*out = (struct cv_result){ 0 };
	p->c = c;
	p->peer_side = peer_side;
	p->tap = tap;
	p->tap_ctx = tap_ctx;
	p->app.fd = p->app.listener = -1;
	sha256_init(&p->app.got.sha);
	if (build(p, o)) {
		p->offset = c->segment[0].time_ns - START_NS;
		(void)p->sut->ops->run(p->sut, START_NS);
		cv_peer_begin(p);
		play(p, out);
		p->sut->ops->check(p->sut, 1);
		out->digest = p->sut->ops->digest(p->sut);
	} else {
		out->trouble = "no world for it";
	}
	if (p->sut)
		p->sut->ops->destroy(p->sut, &leaks);
	out->broken = leaks.bytes || leaks.objects || leaks.timers;
	free(p);
}
