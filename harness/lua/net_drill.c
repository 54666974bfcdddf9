/* SPDX-License-Identifier: MIT */
/*
 * What `require "packetdrill"` (scripts/lib/packetdrill.lua) needs of the packetdrill front end:
 * packets in its notation as bytes, the comparison of what the host sent with them, times and their
 * tolerances, flows, backtick commands. The world is the test's own: the library moves the clock,
 * makes the socket calls and tells here what they did.
 *
 * Invariant: nothing here runs the world, but for the details of a failure.
 */
#include "lua/net.h"

#include "packetdrill/runner.h"

#include <stdlib.h>
#include <string.h>

#define DRILL_META "packetdrill"
#define EVENT_META "packetdrill event"
#define PEER_END   1u

/* A test's packetdrill state: a run without a script. */
struct drill {
	struct pd_settings settings;
	struct pd_script script; /* the path only */
	struct pd_run run;
	struct pd_expectation expectation;
	struct pd_flow *injected; /* the flow of the packet that goes in now */
	char *path;
	u32 wire;
};

/* A parsed line: "TIME PACKET" or "TIME" alone. */
struct drill_event {
	struct pd_script *script;
	const struct pd_event *event;
};

static struct drill *drill_of(lua_State *L)
{
	return luaL_checkudata(L, 1, DRILL_META);
}

static const struct pd_event *event_at(lua_State *L, int index)
{
	return ((struct drill_event *)luaL_checkudata(L, index, EVENT_META))->event;
}

static int drill_gc(lua_State *L)
{
	struct drill *d = drill_of(L);

	pd_run_free(&d->run);
	strbuf_free(&d->run.message);
	strbuf_free(&d->run.got);
	strbuf_free(&d->run.expect);
	strbuf_free(&d->run.diff);
	strbuf_free(&d->run.details);
	strbuf_free(&d->run.classic);
	strbuf_free(&d->run.printed);
	pd_settings_free(&d->settings);
	free(d->path);
	return 0;
}

static int event_gc(lua_State *L)
{
	struct drill_event *e = luaL_checkudata(L, 1, EVENT_META);

	pd_script_free(e->script);
	e->script = NULL;
	return 0;
}

static void push_meta(lua_State *L, const char *name, lua_CFunction gc)
{
	if (luaL_newmetatable(L, name)) {
		lua_pushcfunction(L, gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
}

static void push_text(lua_State *L, const struct strbuf *b)
{
	if (b->len)
		lua_pushlstring(L, b->data, b->len);
	else
		lua_pushnil(L);
}

/* True; or false and what native.fail wants: message, got, expected, difference. */
static int outcome(lua_State *L, struct drill *d, bool ok)
{
	struct pd_run *r = &d->run;
	struct strbuf diff = { 0 };

	lua_pushboolean(L, ok);
	if (ok)
		return 1;
	strbuf_puts(&diff, strbuf_text(&r->diff));
	if (r->details.len) {
		strbuf_puts(&diff, diff.len ? "\n" : "");
		strbuf_puts(&diff, strbuf_text(&r->details));
	}
	lua_pushstring(L, r->message.len ? r->message.data : "the packetdrill run ended");
	push_text(L, &r->got);
	push_text(L, &r->expect);
	push_text(L, &diff);
	strbuf_free(&diff);
	return 5;
}

/* -- Making -- */

static void take_option(lua_State *L, struct drill *d, const char *name, const char *value)
{
	struct strbuf error = { 0 };
	char dashed[64];
	bool takes_value;

	snprintf(dashed, sizeof(dashed), "--%s", name);
	if (strcmp(name, "ip_version") == 0)
		return;
	if (pd_option_check(dashed, value, &takes_value, &error) > 0 &&
	    pd_settings_take(&d->settings, name, value, &error) && !d->settings.other_family)
		return;
	if (d->settings.other_family)
		strbuf_printf(&error, "%s: '%s' is of another family than ip_version", name, value);
	else if (!error.len)
		strbuf_printf(&error, "there is no option '%s'", name);
	lua_pushstring(L, strbuf_text(&error));
	strbuf_free(&error);
	script_error(L, "packetdrill.new: %s", lua_tostring(L, -1));
}

/* native.drill(path, ip_version, { name, value, name, value, ... }): its state. */
static int native_drill(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	const char *path = luaL_checkstring(L, 1), *version = luaL_checkstring(L, 2);
	lua_Integer i, count = luaL_len(L, 3);
	enum pd_family family;
	struct drill *d;

	if (!pd_family_by_name(version, &family))
		return script_error(L, "packetdrill.new: there is no ip_version '%s'", version);
	d = lua_newuserdatauv(L, sizeof(*d), 0);
	*d = (struct drill){ .path = xstrdup(path) };
	push_meta(L, DRILL_META, drill_gc);
	pd_settings_init(&d->settings, family);
	d->script.path = d->path;
	d->run = (struct pd_run){ .script = &d->script,
				  .settings = &d->settings,
				  .sut = n->sut,
				  .next_port = PD_FIRST_REMOTE_PORT };
	d->run.shell = pd_shell_new(&pd_host_commands, &d->run, d->path);
	for (i = 1; i + 1 <= count; i += 2) {
		lua_rawgeti(L, 3, i);
		lua_rawgeti(L, 3, i + 1);
		take_option(L, d, luaL_checkstring(L, -2),
			    *luaL_checkstring(L, -1) ? lua_tostring(L, -1) : NULL);
		lua_pop(L, 2);
	}
	for (i = 0; (size_t)i < d->settings.envs; i++)
		pd_shell_set(d->run.shell, d->settings.env[i].name, d->settings.env[i].value);
	return 1;
}

static void set_address(lua_State *L, const char *field, const struct pd_address *a)
{
	char text[PD_ADDRESS_TEXT];

	pd_address_text(a, text);
	lua_pushstring(L, text);
	lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, u64 value)
{
	lua_pushinteger(L, (lua_Integer)value);
	lua_setfield(L, -2, field);
}

/* native.drill_settings(d): what the host has to be. */
static int native_drill_settings(lua_State *L)
{
	const struct pd_settings *s = &drill_of(L)->settings;

	lua_newtable(L);
	set_address(L, "local_addr", &s->local);
	set_address(L, "remote_addr", &s->remote);
	set_number(L, "prefix_len", s->prefix_len);
	set_number(L, "mtu", s->mtu);
	set_number(L, "bind_port", s->bind_port);
	set_number(L, "connect_port", s->connect_port);
	set_number(L, "tolerance", s->tolerance_ns);
	set_number(L, "default_send_flags", (u64)s->default_send_flags);
	return 1;
}

/* native.drill_begin(d): time 0 is now. */
static int native_drill_begin(lua_State *L)
{
	struct drill *d = drill_of(L);

	d->run.start_ns = d->run.sut->ops->now(d->run.sut);
	return 0;
}

/* native.drill_start(d, wire): time 0 is now. */
static int native_drill_start(lua_State *L)
{
	struct drill *d = drill_of(L);

	d->wire = (u32)luaL_checkinteger(L, 2);
	return native_drill_begin(L);
}

/* -- Events -- */

/* native.drill_event(d, text): a packet with its time ("+.1 < S 0:0(0)"); raises. */
static int native_drill_event(lua_State *L)
{
	struct drill *d = drill_of(L);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	const struct pd_parse_config config = { .path = d->path, .family = d->settings.family };
	struct pd_error error = { 0 };
	struct drill_event *e = lua_newuserdatauv(L, sizeof(*e), 0);

	*e = (struct drill_event){ 0 };
	push_meta(L, EVENT_META, event_gc);
	e->script = pd_script_parse(text, len, &config, &error);
	if (!e->script) {
		const char *message = strchr(error.text, ' ');

		return script_error(L, "'%s':%s", text, message ? message : error.text);
	}
	if (e->script->events != 1)
		return script_error(L, "'%s' is no single packet", text);
	e->event = &e->script->event[0];
	return 1;
}

/* native.drill_due(d, event): from when and until when it is due, and where a call ends. */
static int native_drill_due(lua_State *L)
{
	struct drill *d = drill_of(L);
	const struct pd_event *e = event_at(L, 2);
	u64 at, until, base;

	pd_due(&d->run, &e->time, &at, &until);
	base = e->time.kind == PD_TIME_RELATIVE ? pd_now(&d->run) : 0;
	lua_pushinteger(L, (lua_Integer)(d->run.start_ns + at));
	lua_pushinteger(L, (lua_Integer)(d->run.start_ns + until));
	lua_pushinteger(L, (lua_Integer)(d->run.start_ns + base + (u64)e->time.end));
	return 3;
}

/*
 * native.drill_time(d, event, want, until, was, what [, began]): was it in time? `began`: the step
 * counts from there.
 */
static int native_drill_time(lua_State *L)
{
	struct drill *d = drill_of(L);
	struct pd_run *r = &d->run;
	const struct pd_event *e = event_at(L, 2);
	u64 time[3], last = r->last_ns;
	bool ok;
	int i;

	for (i = 0; i < 3; i++)
		time[i] = (u64)luaL_checkinteger(L, 3 + i) - r->start_ns;
	if (lua_isinteger(L, 7))
		r->last_ns = (u64)lua_tointeger(L, 7) - r->start_ns;
	ok = pd_check_time(r, e, time[0], time[1], time[2], luaL_checkstring(L, 6));
	r->last_ns = last;
	return outcome(L, d, ok);
}

/* native.drill_done(d): the next relative time counts from now. */
static int native_drill_done(lua_State *L)
{
	struct drill *d = drill_of(L);

	d->run.last_ns = pd_now(&d->run);
	return 0;
}

/* -- Packets -- */

/* native.drill_bytes(d, event): an inbound packet; native.drill_sent(d, event) when it is in. */
static int native_drill_bytes(lua_State *L)
{
	struct drill *d = drill_of(L);
	u8 *bytes;
	u32 len;

	if (!pd_packet_bytes(&d->run, event_at(L, 2), &bytes, &len, &d->injected))
		return outcome(L, d, false);
	lua_pushlstring(L, (const char *)bytes, len);
	free(bytes);
	return 1;
}

static int native_drill_sent(lua_State *L)
{
	struct drill *d = drill_of(L);

	if (d->injected)
		pd_flow_injected(d->injected, &event_at(L, 2)->packet);
	return 0;
}

/* native.drill_expect(d, event): begins to wait for it; then the time until when. */
static int native_drill_expect(lua_State *L)
{
	struct drill *d = drill_of(L);
	struct pd_run *r = &d->run;
	const struct pd_event *e = event_at(L, 2);
	u64 at, until;

	pd_due(r, &e->time, &at, &until);
	if (!pd_expect_begin(r, e, at, until, &d->expectation))
		return outcome(L, d, false);
	lua_pushinteger(L, (lua_Integer)(r->start_ns + d->expectation.limit_ns));
	return 1;
}

/* Frames that came out of the host since. */
static void take_frames(struct net_run *n, struct drill *d)
{
	size_t i, left = 0;

	for (i = 0; i < n->frame_count; i++) {
		struct net_frame *f = &n->frames[i];

		if (f->wire != d->wire || f->end != PEER_END) {
			n->frames[left++] = *f;
			continue;
		}
		pd_frame_add(&d->run, f->time_ns, f->bytes, f->len);
		free(f->bytes);
	}
	n->frame_count = left;
}

/* native.drill_step(d): nil: wait for a frame; true: it came; false and why it failed. */
static int native_drill_step(lua_State *L)
{
	struct drill *d = drill_of(L);

	take_frames(net_run_of(L), d);
	switch (pd_expect_step(&d->run, &d->expectation)) {
	case PD_STEP_WAIT:
		lua_pushnil(L);
		return 1;
	case PD_STEP_DONE:
		return outcome(L, d, true);
	default:
		return outcome(L, d, false);
	}
}

/* native.drill_late(d): nothing came in time; native.drill_missing(d): and what came later. */
static int native_drill_late(lua_State *L)
{
	struct pd_run *r = &drill_of(L)->run;

	pd_show_details(r, &r->details);
	lua_pushinteger(L, (lua_Integer)(r->start_ns + pd_now(r) + PD_LATE_NS));
	return 1;
}

static int native_drill_missing(lua_State *L)
{
	struct drill *d = drill_of(L);

	take_frames(net_run_of(L), d);
	return outcome(L, d, pd_expect_missing(&d->run, &d->expectation));
}

/* native.drill_forgive(d): goes on behind a packet that was other than expected. */
static int native_drill_forgive(lua_State *L)
{
	struct pd_run *r = &drill_of(L)->run;

	if (!r->invariant)
		pd_forgive(r);
	return 0;
}

/* native.drill_drop(d): forgets frames that nobody expects. */
static int native_drill_drop(lua_State *L)
{
	struct drill *d = drill_of(L);

	take_frames(net_run_of(L), d);
	while (d->run.frame_count)
		pd_frame_drop(&d->run);
	return 0;
}

/* -- Flows -- */

/* native.drill_flow(d, call, fd, a, b): what a call did, or (connect) is about to do. */
static int native_drill_flow(lua_State *L)
{
	static const char *const names[] = { "socket", "bind",	"listen", "connect",
					     "accept", "close", "sendto", NULL };
	struct drill *d = drill_of(L);
	int call = luaL_checkoption(L, 2, NULL, names);
	int fd = (int)luaL_checkinteger(L, 3);
	struct pd_flow *f = pd_flow_of_fd(&d->run, fd);
	struct sock_addr a = { .family = AF_INET, .port = (u16)luaL_optinteger(L, 4, 0) };

	switch (call) {
	case 0:
		pd_flow_socket(&d->run, fd, fd, (int)luaL_checkinteger(L, 4),
			       (int)luaL_checkinteger(L, 5));
		break;
	case 1:
		if (f)
			f->local_port = a.port;
		break;
	case 2:
		pd_flow_listen(&d->run, f);
		break;
	case 3:
		pd_flow_connect(&d->run, f, &a);
		break;
	case 4:
		pd_flow_accept(&d->run, fd, fd, a.port);
		break;
	case 5:
		pd_flow_close(f);
		break;
	default: /* sendto() begins a flow of UDP, and with fast open one of TCP */
		if ((f && f->protocol == IPPROTO_UDP) || (luaL_checkinteger(L, 5) & MSG_FASTOPEN))
			pd_flow_connect(&d->run, f, &a);
		break;
	}
	return 0;
}

/* -- The rest -- */

static void add_info(void *ctx, const char *name, u64 value)
{
	set_number(ctx, name, value);
}

/* native.drill_info(d, fd): TCP_INFO as numbers by the names that scripts have for its fields. */
static int native_drill_info(lua_State *L)
{
	struct drill *d = drill_of(L);

	lua_newtable(L);
	if (!pd_info_each(&d->run, (int)luaL_checkinteger(L, 2), add_info, L))
		lua_pushnil(L);
	return 1;
}

/* native.drill_constant(name): its number, or nil. */
static int native_drill_constant(lua_State *L)
{
	size_t len;
	const char *name = luaL_checklstring(L, 1, &len);
	s64 value = pd_errno_by_name(name, len);

	if (value || pd_symbol_find_info(name, len, &value) || pd_symbol_find(name, len, &value))
		lua_pushinteger(L, (lua_Integer)value);
	else
		lua_pushnil(L);
	return 1;
}

/* native.drill_sh(d, text): exit status and output of a command; raises when one is not known. */
static int native_drill_sh(lua_State *L)
{
	struct drill *d = drill_of(L);
	struct pd_text text = { 0 };
	struct pd_error error = { 0 };
	struct strbuf out = { 0 };
	int status = 0;
	bool ok;

	text.p = luaL_checklstring(L, 2, &text.len);
	net_touch(net_run_of(L));
	ok = pd_shell_run(d->run.shell, text, 1, &status, &out, &error);
	lua_pushinteger(L, status);
	lua_pushlstring(L, strbuf_text(&out), out.len);
	strbuf_free(&out);
	return ok ? 2 : script_error(L, "%s", error.text);
}

/* native.drill_file(d, path): the bytes of a file that commands made, or nil. */
static int native_drill_file(lua_State *L)
{
	struct strbuf text = { 0 };
	int err = pd_shell_file_read(drill_of(L)->run.shell, luaL_checkstring(L, 2), &text);

	if (err)
		lua_pushnil(L);
	else
		lua_pushlstring(L, strbuf_text(&text), text.len);
	strbuf_free(&text);
	return 1;
}

void net_open_drill(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "drill", native_drill },
		{ "drill_settings", native_drill_settings },
		{ "drill_start", native_drill_start },
		{ "drill_begin", native_drill_begin },
		{ "drill_event", native_drill_event },
		{ "drill_due", native_drill_due },
		{ "drill_time", native_drill_time },
		{ "drill_done", native_drill_done },
		{ "drill_bytes", native_drill_bytes },
		{ "drill_sent", native_drill_sent },
		{ "drill_expect", native_drill_expect },
		{ "drill_step", native_drill_step },
		{ "drill_late", native_drill_late },
		{ "drill_missing", native_drill_missing },
		{ "drill_forgive", native_drill_forgive },
		{ "drill_drop", native_drill_drop },
		{ "drill_flow", native_drill_flow },
		{ "drill_info", native_drill_info },
		{ "drill_constant", native_drill_constant },
		{ "drill_sh", native_drill_sh },
		{ "drill_file", native_drill_file },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
