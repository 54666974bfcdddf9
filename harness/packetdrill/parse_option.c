/* SPDX-License-Identifier: MIT */
/*
 * TCP options in <angle brackets>, and the encapsulations in front of a packet.
 */
#include "packetdrill/parse.h"

#include "base/suggest.h"

#include <string.h>

#define HEX "0123456789abcdefABCDEF"

static bool parse_ts(struct pd_scan *s, struct pd_option *o)
{
	if (!pd_scan_take_word(s, "val"))
		return pd_scan_expected(s, "'val'");
	o->ts_val_any = pd_scan_take(s, "*");
	if (!o->ts_val_any && !pd_scan_u32(s, &o->num[0]))
		return false;
	if (!pd_scan_take_word(s, "ecr"))
		return pd_scan_expected(s, "'ecr'");
	o->ts_ecr_any = pd_scan_take(s, "*");
	o->count = 2;
	return o->ts_ecr_any || pd_scan_u32(s, &o->num[1]);
}

static bool at_digit(struct pd_scan *s)
{
	char c = pd_scan_peek(s);

	return c >= '0' && c <= '9';
}

static bool parse_sack(struct pd_scan *s, struct pd_option *o)
{
	do {
		if (o->count == PD_MAX_OPTION_NUMBERS)
			return pd_scan_fail(s, "more than %d SACK blocks",
					    PD_MAX_OPTION_NUMBERS / 2);
		if (!pd_scan_u32(s, &o->num[o->count]) || !pd_scan_need(s, ":") ||
		    !pd_scan_u32(s, &o->num[o->count + 1]))
			return false;
		o->count = (u8)(o->count + 2);
	} while (at_digit(s));
	return true;
}

/* "ECN e1b 1 ceb 0 e0b 1": the order of the counters is that of RFC 9768 3.2.3. */
static bool parse_accecn(struct pd_scan *s, struct pd_option *o)
{
	static const char *const order[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };

	o->first_e1b = pd_scan_looking_at(s, "e1b");
	while (o->count < 3 && pd_scan_take_word(s, order[o->first_e1b][o->count])) {
		if (!pd_scan_u32(s, &o->num[o->count]))
			return false;
		if (o->num[o->count] > 0xffffff)
			return pd_scan_fail(s, "counters of ECN have 24 bits");
		o->count++;
	}
	return true;
}

static bool parse_one_number(struct pd_scan *s, struct pd_option *o, u32 max)
{
	o->count = 1;
	if (!pd_scan_u32(s, &o->num[0]))
		return false;
	return o->num[0] <= max || pd_scan_fail(s, "%u is too large: at most %u", o->num[0], max);
}

static bool parse_bytes(struct pd_scan *s, struct pd_option *o)
{
	if (!pd_scan_hex(s, &o->data))
		o->data = pd_arena_text(s->arena, "", 0);
	if (o->data.len > 38)
		return pd_scan_fail(s, "%zu bytes do not fit into an option", o->data.len);
	return !s->failed;
}

/* "kind 253 0102": any option by its number. */
static bool parse_generic(struct pd_scan *s, struct pd_option *o)
{
	u64 number;

	if (!pd_scan_number(s, 255, &number, NULL))
		return false;
	o->number = (u8)number;
	return parse_bytes(s, o);
}

static const struct {
	const char *name;
	enum pd_option_kind kind;
} kinds[] = {
	{ "nop", PD_OPT_NOP },	     { "eol", PD_OPT_EOL },	  { "mss", PD_OPT_MSS },
	{ "wscale", PD_OPT_WSCALE }, { "sackOK", PD_OPT_SACKOK }, { "sack", PD_OPT_SACK },
	{ "TS", PD_OPT_TS },	     { "FO", PD_OPT_FASTOPEN },	  { "FOEXP", PD_OPT_FASTOPEN_EXP },
	{ "md5", PD_OPT_MD5 },	     { "ao", PD_OPT_AO },	  { "ECN", PD_OPT_ACCECN },
	{ "kind", PD_OPT_GENERIC },
};

static bool parse_body(struct pd_scan *s, struct pd_option *o)
{
	switch (o->kind) {
	case PD_OPT_MSS:
		return parse_one_number(s, o, 65535);
	case PD_OPT_WSCALE:
		return parse_one_number(s, o, 255);
	case PD_OPT_SACK:
		return parse_sack(s, o);
	case PD_OPT_TS:
		return parse_ts(s, o);
	case PD_OPT_ACCECN:
		return parse_accecn(s, o);
	case PD_OPT_FASTOPEN:
	case PD_OPT_FASTOPEN_EXP:
	case PD_OPT_MD5:
	case PD_OPT_AO:
		return parse_bytes(s, o);
	case PD_OPT_GENERIC:
		return parse_generic(s, o);
	default:
		return true;
	}
}

static bool parse_option(struct pd_scan *s, struct pd_option *o)
{
	struct pd_text name;
	size_t i;

	if (!pd_scan_word(s, &name))
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name.p) == 0) {
			o->kind = kinds[i].kind;
			return parse_body(s, o);
		}
	}
	return pd_scan_unknown_near(s, "TCP option", name,
				    suggest_entry(name.p, kinds, ARRAY_SIZE(kinds),
						  sizeof(kinds[0])));
}

bool pd_parse_options(struct pd_scan *s, struct pd_tcp *tcp)
{
	if (pd_scan_take(s, "...")) {
		tcp->any_options = true;
		return pd_scan_need(s, ">");
	}
	while (!pd_scan_take(s, ">")) {
		tcp->option =
			pd_arena_grow(s->arena, tcp->option, tcp->options, sizeof(*tcp->option));
		tcp->option[tcp->options] = (struct pd_option){ .kind = PD_OPT_NOP };
		if (!parse_option(s, &tcp->option[tcp->options++]))
			return false;
		if (!pd_scan_take(s, ",") && !pd_scan_looking_at(s, ">"))
			return pd_scan_expected(s, "',' or '>' in the options");
	}
	return true;
}

static bool parse_address(struct pd_scan *s, struct pd_text *out)
{
	*out = pd_scan_run(s, HEX ".:");
	return out->len || pd_scan_expected(s, "an address");
}

/* "ipv4 SRC > DST [marks]:"; the ":" may hang on the address. */
static bool parse_ip_layer(struct pd_scan *s, struct pd_layer *l)
{
	size_t len;

	if (!parse_address(s, &l->src) || !pd_scan_need(s, ">") || !parse_address(s, &l->dst))
		return false;
	len = l->dst.len;
	if (l->dst.p[len - 1] == ':' &&
	    !(len > 2 && l->dst.p[len - 2] == ':' && !(len > 3 && l->dst.p[len - 3] == ':'))) {
		l->dst = pd_arena_text(s->arena, l->dst.p, len - 1);
		return true;
	}
	return pd_parse_marks(s, &l->marks) && pd_scan_need(s, ":");
}

/* A number of at most `max` behind a name, with or without "=". */
static bool parse_value(struct pd_scan *s, u64 max, u64 *out)
{
	pd_scan_take(s, "=");
	return pd_scan_number(s, max, out, NULL);
}

static bool parse_gre_item(struct pd_scan *s, struct pd_layer *l)
{
	static const char *const names[] = { "flags", "proto", "sum", "checksum",
					     "off",   "key",   "seq" };
	struct pd_text name;
	u64 value = 0;

	if (!pd_scan_word(s, &name))
		return false;
	if (strcmp(name.p, "flags") == 0) {
		l->has_gre_flags = true;
		if (pd_scan_take_word(s, "none"))
			return true;
		if (!parse_value(s, 65535, &value))
			return false;
		l->gre_flags = (u16)value;
	} else if (strcmp(name.p, "proto") == 0) {
		l->has_gre_proto = parse_value(s, 65535, &value);
		l->gre_proto = (u16)value;
	} else if (strcmp(name.p, "sum") == 0 || strcmp(name.p, "checksum") == 0) {
		l->gre_has_checksum = parse_value(s, 65535, &value);
		l->gre_checksum = (u16)value;
	} else if (strcmp(name.p, "off") == 0) {
		if (!parse_value(s, 65535, &value))
			return false;
		l->gre_offset = (u16)value;
	} else if (strcmp(name.p, "key") == 0) {
		l->gre_has_key = parse_value(s, 0xffffffff, &value);
		l->gre_key = (u32)value;
	} else if (strcmp(name.p, "seq") == 0) {
		l->gre_has_seq = parse_value(s, 0xffffffff, &value);
		l->gre_seq = (u32)value;
	} else {
		return pd_scan_unknown_near(s, "field of GRE", name,
					    suggest(name.p, names, ARRAY_SIZE(names)));
	}
	return !s->failed;
}

static bool parse_gre(struct pd_scan *s, struct pd_layer *l)
{
	bool bracket = pd_scan_take(s, "[");

	while (!pd_scan_looking_at(s, bracket ? "]" : ":")) {
		if (!parse_gre_item(s, l))
			return false;
		pd_scan_take(s, ",");
	}
	if (bracket && !pd_scan_need(s, "]"))
		return false;
	return pd_scan_need(s, ":");
}

static bool parse_label_item(struct pd_scan *s, struct pd_mpls_label *label)
{
	static const char *const names[] = { "label", "tc", "ttl" };
	struct pd_text name;
	u64 value = 0;

	if (pd_scan_take(s, "[")) {
		label->bottom = pd_scan_take_word(s, "S");
		return label->bottom ? pd_scan_need(s, "]") : pd_scan_expected(s, "'S]'");
	}
	if (!pd_scan_word(s, &name))
		return false;
	if (strcmp(name.p, "label") == 0) {
		if (!parse_value(s, 0xfffff, &value))
			return false;
		label->label = (u32)value;
	} else if (strcmp(name.p, "tc") == 0) {
		if (!parse_value(s, 7, &value))
			return false;
		label->tc = (u8)value;
	} else if (strcmp(name.p, "ttl") == 0) {
		if (!parse_value(s, 255, &value))
			return false;
		label->ttl = (u8)value;
	} else {
		return pd_scan_unknown_near(s, "field of MPLS", name,
					    suggest(name.p, names, ARRAY_SIZE(names)));
	}
	return true;
}

static bool parse_mpls(struct pd_scan *s, struct pd_layer *l)
{
	while (pd_scan_take(s, "(")) {
		if (l->labels == PD_MAX_MPLS)
			return pd_scan_fail(s, "more than %d MPLS labels", PD_MAX_MPLS);
		while (!pd_scan_take(s, ")")) {
			if (!parse_label_item(s, &l->label[l->labels]))
				return false;
			pd_scan_take(s, ",");
		}
		l->labels++;
		pd_scan_take(s, ",");
	}
	if (l->labels == 0)
		return pd_scan_expected(s, "(label ...)");
	return pd_scan_need(s, ":");
}

bool pd_parse_layer(struct pd_scan *s, struct pd_packet *packet, bool *found)
{
	static const char *const names[] = { "ipv4", "ipv6", "gre", "mpls" };
	struct pd_layer *l;
	size_t kind;

	*found = false;
	for (kind = 0; kind < 4 && !pd_scan_take_word(s, names[kind]); kind++)
		;
	if (kind == 4)
		return !s->failed;
	if (packet->layers == PD_MAX_LAYERS)
		return pd_scan_fail(s, "more than %d encapsulations", PD_MAX_LAYERS);
	*found = true;
	packet->layer =
		pd_arena_grow(s->arena, packet->layer, packet->layers, sizeof(*packet->layer));
	l = &packet->layer[packet->layers++];
	*l = (struct pd_layer){ .kind = (enum pd_layer_kind)kind };
	if (kind == PD_LAYER_GRE)
		return parse_gre(s, l);
	if (kind == PD_LAYER_MPLS)
		return parse_mpls(s, l);
	return parse_ip_layer(s, l);
}
