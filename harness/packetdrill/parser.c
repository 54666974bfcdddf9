/* SPDX-License-Identifier: MIT */
/*
 * A script from its first option to its last event. Each kind of event is parsed in a file of its
 * own (parse_*.c).
 */
#include "packetdrill/parse.h"

#include "base/suggest.h"

#include <string.h>

/* Options that a script may hold in lines of its own. */
static const struct {
	const char *name;
	bool value;
} options[] = {
	{ "ip_version", true },
	{ "bind_port", true },
	{ "connect_port", true },
	{ "code_command", true },
	{ "code_format", true },
	{ "code_sockopt", true },
	{ "local_ip", true },
	{ "remote_ip", true },
	{ "gateway_ip", true },
	{ "netmask_ip", true },
	{ "speed", true },
	{ "mtu", true },
	{ "mss", true },
	{ "init_scripts", true },
	{ "tolerance_usecs", true },
	{ "tolerance_percent", true },
	{ "tcp_ts_tick_usecs", true },
	{ "tcp_ts_ecr_scaled", false },
	{ "strict_segments", false },
	{ "non_fatal", true },
	{ "dry_run", false },
	{ "is_anyip", false },
	{ "send_omit_free", false },
	{ "no_cleanup", false },
	{ "define", true },
	{ "env", true },
	{ "default_send_flags", true },
	{ "verbose", false },
};

#define MAX_EVENTS 100000u

#define BLANK " \t\n\r\f\v"

static bool parse_option_value(struct pd_scan *s, struct pd_text *value)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	size_t n = 0;

	if (f->p < f->end && *f->p == '"')
		return pd_scan_string(s, value);
	while (f->p + n < f->end && f->p[n] && !strchr(BLANK, f->p[n]))
		n++;
	if (n == 0)
		return pd_scan_expected(s, "the value of an option");
	*value = pd_arena_text(s->arena, f->p, n);
	s->frame[s->top].p += n;
	return true;
}

/* "-D NAME=VALUE": from here on the words of the script are replaced. */
static bool take_define(struct pd_scan *s, struct pd_text pair)
{
	const char *equals = memchr(pair.p, '=', pair.len);
	struct pd_define *larger;
	size_t name;

	if (!equals || equals == pair.p)
		return pd_scan_fail(s, "-D needs NAME=VALUE");
	name = (size_t)(equals - pair.p);
	larger = pd_arena_alloc(s->arena, (s->defines + 1) * sizeof(*larger));
	if (s->defines)
		memcpy(larger, s->define, s->defines * sizeof(*larger));
	larger[s->defines++] =
		(struct pd_define){ pd_arena_text(s->arena, pair.p, name).p,
				    pd_arena_text(s->arena, equals + 1, pair.len - name - 1).p };
	s->define = larger;
	return true;
}

static bool check_family(struct pd_scan *s, struct pd_text value)
{
	static const char *const names[] = { "ipv4", "ipv6", "ipv4-mapped-ipv6" };

	if (strcmp(value.p, "ipv4") == 0)
		s->family = PD_IPV4;
	else if (strcmp(value.p, "ipv6") == 0)
		s->family = PD_IPV6;
	else if (strcmp(value.p, "ipv4-mapped-ipv6") == 0)
		s->family = PD_MAPPED;
	else
		return pd_scan_unknown_near(s, "IP version", value,
					    suggest(value.p, names, ARRAY_SIZE(names)));
	return true;
}

static const char *near_option(const char *name)
{
	const char *names[sizeof(options) / sizeof(options[0])];
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		names[i] = options[i].name;
	return suggest(name, names, i);
}

/* The value behind a name: "=value", or " NAME=VALUE" of -D. */
static bool parse_option_rest(struct pd_scan *s, bool dashes, struct pd_script_option *o)
{
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, o->name.p) == 0)
			break;
	}
	if (i == sizeof(options) / sizeof(options[0]))
		return pd_scan_unknown_near(s, "option", o->name, near_option(o->name.p));
	if (!options[i].value)
		return true;
	/* "--name=value"; "-D NAME=VALUE". */
	if (dashes && !pd_scan_take(s, "="))
		return pd_scan_expected(s, "'=' and a value");
	if (!dashes)
		pd_scan_space(s);
	return parse_option_value(s, &o->value);
}

/* Behind "--" or "-". */
static bool parse_option_line(struct pd_scan *s, struct pd_script *script, bool dashes)
{
	struct pd_script_option *o;

	script->option =
		pd_arena_grow(s->arena, script->option, script->options, sizeof(*script->option));
	o = &script->option[script->options++];
	*o = (struct pd_script_option){ .line = s->line };
	if (!pd_scan_word(s, &o->name))
		return false;
	if (!dashes && strcmp(o->name.p, "D") == 0)
		o->name = pd_arena_text(s->arena, "define", 6);
	if (!parse_option_rest(s, dashes, o))
		return false;
	if (strcmp(o->name.p, "define") == 0)
		return take_define(s, o->value);
	if (strcmp(o->name.p, "ip_version") == 0)
		return check_family(s, o->value);
	return true;
}

static bool parse_options_at_top(struct pd_scan *s, struct pd_script *script)
{
	for (;;) {
		if (pd_scan_take(s, "--")) {
			if (!parse_option_line(s, script, true))
				return false;
		} else if (pd_scan_looking_at(s, "-D")) {
			pd_scan_take(s, "-");
			if (!parse_option_line(s, script, false))
				return false;
		} else {
			return !s->failed;
		}
	}
}

static bool parse_time(struct pd_scan *s, struct pd_time *t)
{
	if (pd_scan_take(s, "*")) {
		t->kind = PD_TIME_ANY;
		return true;
	}
	t->kind = pd_scan_take(s, "+") ? PD_TIME_RELATIVE : PD_TIME_ABSOLUTE;
	if (!pd_scan_seconds(s, &t->at))
		return false;
	t->until = t->at;
	if (pd_scan_take(s, "~")) {
		pd_scan_take(s, "+");
		t->range = true;
		if (!pd_scan_seconds(s, &t->until))
			return false;
		if (t->until < t->at)
			return pd_scan_fail(s, "the time range ends before it begins");
	}
	if (pd_scan_take(s, "...")) {
		t->blocking = true;
		if (!pd_scan_seconds(s, &t->end))
			return false;
		if (t->end < t->at)
			return pd_scan_fail(s, "the call ends before it begins");
	}
	return true;
}

static bool parse_packet_event(struct pd_scan *s, struct pd_event *e, enum pd_direction direction)
{
	e->kind = PD_PACKET;
	e->packet.direction = direction;
	if (e->time.blocking)
		return pd_scan_fail(s, "'...' between times is for calls, this is a packet");
	if (direction == PD_INBOUND && (e->time.range || e->time.kind == PD_TIME_ANY))
		return pd_scan_fail(s, "a packet that is sent needs one time");
	return pd_parse_packet(s, &e->packet);
}

static bool parse_event_body(struct pd_scan *s, struct pd_event *e)
{
	if (pd_scan_take(s, "<"))
		return parse_packet_event(s, e, PD_INBOUND);
	if (pd_scan_take(s, ">"))
		return parse_packet_event(s, e, PD_OUTBOUND);
	if (pd_scan_take(s, "`")) {
		e->kind = PD_COMMAND;
		e->body_line = s->line;
		return pd_scan_until(s, "`", "a command", &e->command);
	}
	if (pd_scan_take(s, "%{")) {
		e->kind = PD_CODE;
		e->body_line = s->line;
		return pd_scan_until(s, "}%", "a code block", &e->code);
	}
	e->kind = PD_SYSCALL;
	return pd_parse_syscall(s, &e->syscall);
}

static bool parse_event(struct pd_scan *s, struct pd_script *script)
{
	struct pd_event *e;
	const char *begin;
	char c = pd_scan_peek(s);

	if (script->events == MAX_EVENTS)
		return pd_scan_fail(s, "more than %u events", MAX_EVENTS);
	script->event =
		pd_arena_grow(s->arena, script->event, script->events, sizeof(*script->event));
	e = &script->event[script->events++];
	memset(e, 0, sizeof(*e));
	e->line = s->line;
	if (c == '+' || c == '*' || c == '.' || (c >= '0' && c <= '9')) {
		if (!parse_time(s, &e->time))
			return false;
	} else if (c != '`' && c != '%') {
		return pd_scan_expected(s, "a time");
	}
	pd_scan_space(s);
	begin = s->frame[0].p;
	if (!parse_event_body(s, e))
		return false;
	pd_scan_space(s);
	if (s->token_end > begin)
		e->source = pd_arena_text(s->arena, begin, (size_t)(s->token_end - begin));
	else
		e->source = pd_arena_text(s->arena, "", 0);
	return !s->failed;
}

static bool parse_script(struct pd_scan *s, struct pd_script *script)
{
	if (!parse_options_at_top(s, script))
		return false;
	while (!pd_scan_at_end(s)) {
		if (s->failed || !parse_event(s, script))
			return false;
	}
	return !s->failed;
}

struct pd_script *pd_script_parse(const char *text, size_t len,
				  const struct pd_parse_config *config, struct pd_error *error)
{
	struct pd_arena *arena = pd_arena_new();
	struct pd_script *script = pd_arena_alloc(arena, sizeof(*script));
	struct pd_text copy = pd_arena_text(arena, text, len);
	struct pd_scan scan;

	*error = (struct pd_error){ .kind = PD_ERROR_NONE };
	script->arena = arena;
	script->path = pd_arena_text(arena, config->path, strlen(config->path)).p;
	pd_scan_init(&scan, copy.p, copy.len, script->path, arena, error);
	scan.family = config->family;
	scan.define = config->define;
	scan.defines = config->defines;
	if (parse_script(&scan, script))
		return script;
	pd_arena_free(arena);
	return NULL;
}

void pd_script_free(struct pd_script *s)
{
	if (s)
		pd_arena_free(s->arena);
}

const struct pd_script_option *pd_script_find(const struct pd_script *s, const char *name)
{
	size_t i;

	for (i = s->options; i-- > 0;) {
		if (strcmp(s->option[i].name.p, name) == 0)
			return &s->option[i];
	}
	return NULL;
}

const struct pd_expr *pd_expr_field(const struct pd_expr *x, const char *name)
{
	size_t i;

	for (i = 0; x && i < x->count; i++) {
		if (x->item[i]->kind == PD_X_FIELD && strcmp(x->item[i]->text.p, name) == 0)
			return x->item[i]->item[0];
	}
	return NULL;
}
