/* SPDX-License-Identifier: MIT */
/*
 * The world of a test: made at the first use, driven by ops, ended with all checks. Here are the
 * callbacks for frames, captures and traces, and the stations that scripts play on free wire ends.
 */
#include "lua/net.h"

#include "capture/annotate.h"
#include "stack/nic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int net_wire_link(const struct net_run *n, size_t wire)
{
	return wire < n->wire_count && n->wires[wire].raw ? PACKET_LINK_RAW : PACKET_LINK_ETHERNET;
}

/* -- Frames -- */

/*
 * The oracle of the wire: what a host sends is well formed and its checksums hold. It is asked
 * where the frame enters the wire, before the wire's own faults.
 */
static void check_sent_frame(struct net_run *n, u32 wire, const u8 *frame, u32 len)
{
	struct packet *p = packet_parse(net_wire_link(n, wire), frame, len, len);
	size_t i;

	for (i = 0; i < p->count && !n->test->failed; i++) {
		const struct packet_layer *l = p->layer[i];
		const char *wrong = NULL;

		if (l->depth || l->proto == PACKET_PAYLOAD)
			continue;
		if (l->checksum == PACKET_CSUM_BAD)
			wrong = "its checksum is wrong";
		else if (l->reason)
			wrong = l->reason;
		if (wrong) {
			struct strbuf message = { 0 };
			char *text = packet_text(p);

			strbuf_printf(&message, "the host sent a malformed frame: %s: %s",
				      packet_proto_name((enum packet_proto)l->proto), wrong);
			test_run_fail(n->test, strbuf_text(&message), text, NULL, NULL,
				      n->test->script->path, 0);
			free(text);
			strbuf_free(&message);
		}
	}
	packet_free(p);
}

static void on_capture(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len)
{
	struct net_run *n = ctx;

	if (point != CAPTURE_WIRE || id >= n->wire_count || dir > 1)
		return;
	if (n->capture_kept || n->test->script->config->capture_dir)
		net_capture_add(n, id, dir, frame, len);
	if (n->wires[id].attached[dir] && !n->damaging)
		check_sent_frame(n, id, frame, len);
}

static s64 apply(struct net_run *n, const struct op *op)
{
	return n->sut->ops->apply(n->sut, op);
}

static bool is_arp_request(const u8 *frame, u32 len)
{
	static const u8 ethernet_ip_request[] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	return len >= 42 && frame[12] == 0x08 && frame[13] == 0x06 &&
	       memcmp(frame + 14, ethernet_ip_request, 8) == 0;
}

/* RFC 826: swap the sender and the target, put in our own address. */
static void answer_arp(struct net_run *n, const struct net_peer *p, const u8 *request)
{
	struct op op = { .kind = OP_FRAME };
	u8 reply[60] = { 0 };

	memcpy(reply, request + 6, 6);
	memcpy(reply + 6, p->mac, 6);
	memcpy(reply + 12, request + 12, 8);
	reply[21] = 2;
	memcpy(reply + 22, p->mac, 6);
	memcpy(reply + 28, p->ip, 4);
	memcpy(reply + 32, request + 22, 10);
	op.u.frame.wire = p->wire;
	op.u.frame.end = p->end;
	op.u.frame.bytes = (struct op_bytes){ reply, sizeof(reply) };
	n->wires[p->wire].anchor_ns = n->sut->ops->now(n->sut) + n->wires[p->wire].delay_ns[p->end];
	apply(n, &op);
}

static const struct net_peer *arp_target(const struct net_run *n, u32 wire, u32 end,
					 const u8 *frame)
{
	size_t i;

	for (i = 0; i < n->peer_count; i++) {
		const struct net_peer *p = &n->peers[i];

		if (p->wire == wire && p->end == end && p->answers &&
		    memcmp(p->ip, frame + 38, 4) == 0)
			return p;
	}
	return NULL;
}

static s32 addressee(const struct net_run *n, u32 wire, u32 end, const u8 *frame, u32 len)
{
	size_t i;

	for (i = 0; len >= 6 && !n->wires[wire].raw && i < n->peer_count; i++) {
		const struct net_peer *p = &n->peers[i];

		if (p->wire == wire && p->end == end && memcmp(p->mac, frame, 6) == 0)
			return (s32)i;
	}
	return -1;
}

static void wake_for_frame(struct net_run *n)
{
	struct net_task *task;

	for (task = n->tasks; task; task = task->next) {
		if (task->for_frames && !task->done && !task->ready)
			net_task_wake(n, task);
	}
}

static void on_frame(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct net_run *n = ctx;
	const struct net_peer *p = NULL;
	struct net_frame *f;

	if (n->test->log)
		return; /* the log knows what comes */
	if (!n->wires[wire].raw && is_arp_request(frame, len))
		p = arp_target(n, wire, end, frame);
	if (p) {
		answer_arp(n, p, frame);
		return;
	}
	if (n->frame_count == NET_MAX_FRAMES) {
		net_fail(n, "too many frames that nobody expects");
		return;
	}
	if (n->frame_count == n->frame_size) {
		n->frame_size = n->frame_size ? n->frame_size * 2 : 16;
		n->frames = xrealloc(n->frames, n->frame_size * sizeof(*n->frames));
	}
	f = &n->frames[n->frame_count++];
	*f = (struct net_frame){
		.wire = wire,
		.end = end,
		.peer = addressee(n, wire, end, frame, len),
		.time_ns = n->sut->ops->now(n->sut),
		.bytes = xrealloc(NULL, len),
		.len = len,
	};
	memcpy(f->bytes, frame, len);
	wake_for_frame(n);
}

static void on_trace(void *ctx, const struct trace_record *rec)
{
	struct net_run *n = ctx;

	/* What comes when the world ends is for nobody. */
	if (n->annotator)
		annotator_trace(n->annotator, rec);
	if (!(n->trace_mask >> rec->event & 1))
		return;
	if (n->trace_count == n->trace_size) {
		if (n->trace_size >= 1u << 20)
			return;
		n->trace_size = n->trace_size ? n->trace_size * 2 : 64;
		n->traces = xrealloc(n->traces, n->trace_size * sizeof(*n->traces));
	}
	n->traces[n->trace_count++] = *rec;
}

/* -- Life -- */

static const struct world_ops callbacks = {
	.wire_rx = on_frame,
	.capture = on_capture,
	.trace = on_trace,
	.nf_hook = net_on_hook,
};

struct net_run *net_run_of(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	const struct script_config *c = t->script->config;
	struct world_config config = {
		.seed = t->log ? t->log_seed : t->seed,
		.profile_rfc = strcmp(t->profile, "rfc") == 0,
		.digest = c->digest || t->log,
		.check_events = true,
	};
	struct net_run *n = t->net;

	if (t->loading)
		script_error(L, "a world exists only inside of a test");
	if (n)
		return n;
	n = xrealloc(NULL, sizeof(*n));
	*n = (struct net_run){ .test = t };
	n->sut = sut_tapline.create(&config, &callbacks, n);
	if (!n->sut) {
		free(n);
		script_error(L, "no memory for a world");
	}
	n->annotator = annotator_new();
	net_trace_set(n);
	/* Who asks is the main task: there is no other before there is a world. */
	n->tasks = t->main_task;
	n->running = t->main_task;
	t->net = n;
	return n;
}

void net_fail(struct net_run *n, const char *message)
{
	test_run_fail(n->test, message, NULL, NULL, NULL, n->test->script->path, 0);
	n->sut->ops->stop(n->sut);
}

void net_touch(struct net_run *n)
{
	u64 now = n->sut->ops->now(n->sut);
	size_t i;

	for (i = 0; i < n->wire_count; i++) {
		if (n->wires[i].anchor_ns < now)
			n->wires[i].anchor_ns = now;
	}
}

/* Frames that are still there when a test ends were expected by nobody. */
static void check_frames(struct net_run *n)
{
	const struct net_frame *f = n->frames;
	struct strbuf message = { 0 };
	struct packet *p;
	char *text;

	if (!n->frame_count || n->test->failed || n->test->skipped)
		return;
	p = packet_parse(net_wire_link(n, f->wire), f->bytes, f->len, f->len);
	text = packet_text(p);
	strbuf_printf(&message,
		      "%zu frame%s came that the test did not expect; the first at %" PRIu64
		      " ns on wire %" PRIu32,
		      n->frame_count, n->frame_count == 1 ? "" : "s", f->time_ns, f->wire);
	test_run_fail(n->test, strbuf_text(&message), text, "(no frame)", NULL,
		      n->test->script->path, 0);
	free(text);
	packet_free(p);
	strbuf_free(&message);
}

static void check_leaks(struct net_run *n, const struct world_leaks *leaks)
{
	struct strbuf message = { 0 };

	if (!leaks->bytes && !leaks->objects && !leaks->timers)
		return;
	strbuf_printf(&message,
		      "invariant: the world ended with %" PRIu64 " bytes in %" PRIu32
		      " objects and %" PRIu32 " timers not given back (%s)",
		      leaks->bytes, leaks->objects, leaks->timers,
		      leaks->kind ? leaks->kind : "no kind");
	n->test->result->invariant = true;
	test_run_fail(n->test, strbuf_text(&message), NULL, NULL, NULL, n->test->script->path, 0);
	strbuf_free(&message);
}

static void write_digest(struct net_run *n)
{
	struct test_run *t = n->test;
	u8 verdict = (u8)t->failed;
	n->sut->ops->digest_add(n->sut, &verdict, 1);
	strbuf_printf(&t->result->digest, "digest %s %016" PRIx64, t->script->tests[t->wanted].name,
		      n->sut->ops->digest(n->sut));
}

static void free_run(struct net_run *n)
{
	size_t i;

	for (i = 0; i < n->frame_count; i++)
		free(n->frames[i].bytes);
	while (n->tasks) {
		struct net_task *next = n->tasks->next;

		free(n->tasks);
		n->tasks = next;
	}
	net_calls_free(n);
	free(n->frames);
	free(n->peers);
	free(n->wires);
	free(n->traces);
	strbuf_free(&n->capture_path);
	free(n->capture_bytes);
	free(n);
}

void net_run_end(struct test_run *t)
{
	struct net_run *n = t->net;
	struct world_leaks leaks = { 0 };

	if (!n)
		return;
	if (!t->failed && !t->skipped)
		net_run_settle(n);
	check_frames(n);
	n->sut->ops->check(n->sut, 1);
	t->end_time_ns = n->sut->ops->now(n->sut);
	t->has_time = true;
	if (t->script->config->digest)
		write_digest(n);
	net_capture_end(n);
	strbuf_puts(&t->capture, strbuf_text(&n->capture_path));
	net_calls_cancel(n);
	n->sut->ops->destroy(n->sut, &leaks);
	check_leaks(n, &leaks);
	t->net = NULL;
	free_run(n);
}

/* -- Natives -- */

static u64 field_number(lua_State *L, const char *op, const char *field)
{
	lua_Integer value = 0;
	int type = lua_getfield(L, 2, field);

	if (type == LUA_TBOOLEAN)
		value = lua_toboolean(L, -1);
	else if (type != LUA_TNIL && !lua_isinteger(L, -1))
		luaL_error(L, "%s: '%s' must be an integer", op, field);
	else
		value = lua_tointeger(L, -1);
	lua_pop(L, 1);
	return (u64)value;
}

/* The string stays alive: the table at index 2 holds it. */
static struct op_bytes field_bytes(lua_State *L, const char *op, const char *field)
{
	struct op_bytes b = { NULL, 0 };
	size_t len = 0;
	int type = lua_getfield(L, 2, field);

	if (type == LUA_TSTRING)
		b.p = (const u8 *)lua_tolstring(L, -1, &len);
	else if (type != LUA_TNIL)
		luaL_error(L, "%s: '%s' must be a string", op, field);
	lua_pop(L, 1);
	b.len = (u32)len;
	return b;
}

void net_read_op(lua_State *L, const char *name, struct op *op)
{
#define U(x) o->x = field_number(L, name, #x);
#define B(x) o->x = field_bytes(L, name, #x);
#define OP(KIND, opname, fields)                       \
	if (strcmp(name, #opname) == 0) {              \
		struct op_##opname *o = &op->u.opname; \
		op->kind = OP_##KIND;                  \
		fields return;                         \
	}
#include "stack/op.def"
#undef OP
#undef U
#undef B
	luaL_error(L, "there is no op '%s'", name);
}

void net_note_op(struct net_run *n, const struct op *op)
{
	if (op->kind == OP_WIRE_ADD) {
		n->wires = xrealloc(n->wires, (n->wire_count + 1) * sizeof(*n->wires));
		n->wires[n->wire_count++] = (struct net_wire){
			.delay_ns = { op->u.wire_add.delay_ns, op->u.wire_add.delay_ns },
			.anchor_ns = n->sut->ops->now(n->sut),
			.capture_interface = -1,
		};
	} else if (op->kind == OP_WIRE_ATTACH && op->u.wire_attach.wire < n->wire_count &&
		   op->u.wire_attach.end < 2) {
		const struct op_wire_attach *o = &op->u.wire_attach;

		n->wires[o->wire].attached[o->end] = true;
		annotator_attach(n->annotator, (u32)o->wire, (u32)o->end, (u32)o->host,
				 (u32)o->ifindex);
	} else if (op->kind == OP_WIRE_SET && op->u.wire_set.param == WIRE_PARAM_DELAY_NS &&
		   op->u.wire_set.wire < n->wire_count && op->u.wire_set.end < 2) {
		n->wires[op->u.wire_set.wire].delay_ns[op->u.wire_set.end] = op->u.wire_set.value;
	} else if (op->kind == OP_FRAME && op->u.frame.wire < n->wire_count &&
		   op->u.frame.end < 2) {
		struct net_wire *w = &n->wires[op->u.frame.wire];

		w->anchor_ns = n->sut->ops->now(n->sut);
		if (!(op->u.frame.flags & FRAME_NO_DELAY))
			w->anchor_ns += w->delay_ns[op->u.frame.end];
	}
}

/* native.op(name, fields): the op's number, or nil and the name of the error. */
static int native_op(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	const char *name = luaL_checkstring(L, 1);
	struct op op = { 0 };
	s64 result;

	luaL_checktype(L, 2, LUA_TTABLE);
	net_read_op(L, name, &op);
	net_touch(n);
	result = apply(n, &op);
	if (result < 0) {
		lua_pushnil(L);
		lua_pushstring(L, net_errno_name((int)-result));
		return 2;
	}
	net_note_op(n, &op);
	lua_pushinteger(L, (lua_Integer)result);
	return 1;
}

static int native_now(lua_State *L)
{
	struct test_run *t = test_run_of(L);

	lua_pushinteger(L, t->net ? (lua_Integer)t->net->sut->ops->now(t->net->sut) : 0);
	return 1;
}

/* native.peer(wire, end, mac, ip, answers): its number. */
static int native_peer(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	struct net_peer p = { 0 };
	size_t mac_len, ip_len;
	const char *mac = luaL_checklstring(L, 3, &mac_len);
	const char *ip = luaL_checklstring(L, 4, &ip_len);

	p.wire = (u32)luaL_checkinteger(L, 1);
	p.end = (u32)luaL_checkinteger(L, 2);
	p.answers = lua_toboolean(L, 5);
	luaL_argcheck(L, mac_len == 6, 3, "6 bytes expected");
	luaL_argcheck(L, ip_len == 4, 4, "4 bytes expected");
	memcpy(p.mac, mac, 6);
	memcpy(p.ip, ip, 4);
	n->peers = xrealloc(n->peers, (n->peer_count + 1) * sizeof(*n->peers));
	n->peers[n->peer_count] = p;
	lua_pushinteger(L, (lua_Integer)n->peer_count++);
	return 1;
}

/* native.take(wire, peer): the next frame for that peer (-1: for anyone), its bytes and time. */
static int native_take(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 wire = (u32)luaL_checkinteger(L, 1);
	s32 peer = (s32)luaL_checkinteger(L, 2);
	size_t i;

	for (i = 0; i < n->frame_count; i++) {
		struct net_frame *f = &n->frames[i];

		if (f->wire != wire || (peer >= 0 && f->peer >= 0 && f->peer != peer))
			continue;
		lua_pushlstring(L, (const char *)f->bytes, f->len);
		lua_pushinteger(L, (lua_Integer)f->time_ns);
		lua_pushinteger(L, (lua_Integer)(f->time_ns - n->wires[wire].delay_ns[!f->end]));
		free(f->bytes);
		memmove(f, f + 1, (n->frame_count - i - 1) * sizeof(*f));
		n->frame_count--;
		return 3;
	}
	return 0;
}

/* native.anchor(wire [, time]): reads or sets it; native.delay(wire, end). */
static int native_anchor(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	size_t wire = (size_t)luaL_checkinteger(L, 1);

	luaL_argcheck(L, wire < n->wire_count, 1, "no such wire");
	if (lua_isinteger(L, 2) && (u64)lua_tointeger(L, 2) > n->wires[wire].anchor_ns)
		n->wires[wire].anchor_ns = (u64)lua_tointeger(L, 2);
	lua_pushinteger(L, (lua_Integer)n->wires[wire].anchor_ns);
	return 1;
}

static int native_delay(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	size_t wire = (size_t)luaL_checkinteger(L, 1);
	lua_Integer end = luaL_checkinteger(L, 2);

	luaL_argcheck(L, wire < n->wire_count, 1, "no such wire");
	lua_pushinteger(L, (lua_Integer)n->wires[wire].delay_ns[end != 0]);
	return 1;
}

/* native.raw_wire(wire): its frames have no link header. */
static int native_raw_wire(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	size_t wire = (size_t)luaL_checkinteger(L, 1);

	luaL_argcheck(L, wire < n->wire_count, 1, "no such wire");
	n->wires[wire].raw = true;
	annotator_raw(n->annotator, (u32)wire);
	return 0;
}

/* native.trace(mask): chooses the events that are recorded from now on. */
static int native_trace(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	n->trace_mask = (u64)luaL_checkinteger(L, 1);
	net_trace_set(n);
	return 0;
}

static int native_check(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	n->sut->ops->check(n->sut, 1);
	return 0;
}

void net_open_world(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "op", native_op },	     { "now", native_now },
		{ "peer", native_peer },     { "take", native_take },
		{ "anchor", native_anchor }, { "delay", native_delay },
		{ "trace", native_trace },   { "raw_wire", native_raw_wire },
		{ "check", native_check },   { NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
