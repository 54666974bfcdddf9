/* SPDX-License-Identifier: MIT */
/*
 * TCP options between wire form and decoded form (RFC 9293 3.1, 7323, 2018, 7413). Whatever the
 * bytes, parsing and building again gives the same bytes: an option with a length that its kind
 * does not have keeps its body as data, and what can not be split is one last raw option.
 */
#include <string.h>

#include "packet/bytes.h"
#include "packet/packet.h"
#include "packet/proto.h"
#include "packet/text.h"

static const struct packet_symbol kinds[] = {
	{ "eol", PACKET_OPT_EOL },
	{ "nop", PACKET_OPT_NOP },
	{ "mss", PACKET_OPT_MSS },
	{ "wscale", PACKET_OPT_WSCALE },
	{ "sackok", PACKET_OPT_SACKOK },
	{ "sack", PACKET_OPT_SACK },
	{ "ts", PACKET_OPT_TS },
	{ "md5", PACKET_OPT_MD5 },
	{ "ao", PACKET_OPT_AO },
	{ "mptcp", PACKET_OPT_MPTCP },
	{ "fastopen", PACKET_OPT_FASTOPEN },
	{ "exp", PACKET_OPT_EXP },
	{ NULL, 0 },
};

const char *packet_option_name(unsigned int kind)
{
	return packet_symbol_name(kinds, kind);
}

int packet_option_by_name(const char *name)
{
	for (const struct packet_symbol *s = kinds; s->name; s++) {
		if (!strcmp(s->name, name))
			return (int)s->value;
	}
	return -1;
}

const struct packet_option *packet_option_find(const struct packet_layer *tcp, unsigned int kind)
{
	const struct packet_value *v = packet_get(tcp, "options");

	if (!v || v->type != PACKET_V_OPTIONS)
		return NULL;
	for (size_t i = 0; i < v->len; i++) {
		if (v->options[i].kind == kind)
			return &v->options[i];
	}
	return NULL;
}

static bool is_single(u8 kind)
{
	return kind == PACKET_OPT_EOL || kind == PACKET_OPT_NOP;
}

/* Decodes a body of the right length into numbers; false: keep it as data. */
static bool parse_numbers(struct packet_option *o, const u8 *body, size_t len)
{
	switch (o->kind) {
	case PACKET_OPT_MSS:
		if (len != 2)
			return false;
		o->num[0] = read_be16(body);
		o->count = 1;
		return true;
	case PACKET_OPT_WSCALE:
		if (len != 1)
			return false;
		o->num[0] = body[0];
		o->count = 1;
		return true;
	case PACKET_OPT_SACKOK:
		return len == 0;
	case PACKET_OPT_TS:
		if (len != 8)
			return false;
		o->count = 2;
		break;
	case PACKET_OPT_SACK:
		if (!len || len % 8 || len > 32)
			return false;
		o->count = (u8)(len / 4);
		break;
	default:
		return false;
	}
	for (u8 i = 0; i < o->count; i++)
		o->num[i] = read_be32(body + i * 4);
	return true;
}

/* Splits one option off; returns how many bytes it took. */
static size_t parse_one(const u8 *bytes, size_t len, struct packet_option *o, const char **wrong)
{
	*o = (struct packet_option){ .kind = bytes[0] };
	if (is_single(o->kind)) {
		if (o->kind == PACKET_OPT_NOP || len == 1)
			return 1;
		/* What comes after the end of the list is kept, as its data. */
		o->data = bytes + 1;
		o->data_len = len - 1;
		for (size_t i = 1; i < len; i++) {
			if (bytes[i])
				*wrong = "bytes after the end of the options";
		}
		return len;
	}
	if (len < 2) {
		*wrong = "option without length";
		o->lone = true;
		return 1;
	}
	o->has_length = true;
	o->length = bytes[1];
	if (o->length < 2 || o->length > len) {
		*wrong = "option length out of range";
		o->data = bytes + 2;
		o->data_len = len - 2;
		return len;
	}
	o->has_length = false;
	if (!parse_numbers(o, bytes + 2, o->length - 2u)) {
		o->data = bytes + 2;
		o->data_len = o->length - 2u;
	}
	return o->length;
}

size_t packet_options_parse(struct packet *p, const u8 *bytes, size_t len,
			    struct packet_option **options, const char **wrong)
{
	struct packet_option o;
	size_t n = 0;

	*wrong = NULL;
	for (size_t at = 0; at < len; n++)
		at += parse_one(bytes + at, len - at, &o, wrong);
	*options = packet_alloc(p, sizeof(o) * (n ? n : 1));
	for (size_t at = 0, i = 0; at < len; i++)
		at += parse_one(bytes + at, len - at, &(*options)[i], wrong);
	return n;
}

static size_t option_body(const struct packet_option *o, u8 *out)
{
	size_t n = 0;

	if (o->lone)
		return 0;
	if (o->data) {
		if (out)
			memcpy(out, o->data, o->data_len);
		return o->data_len;
	}
	for (u8 i = 0; i < o->count && i < 8; i++) {
		u8 b[4];
		size_t size = o->kind == PACKET_OPT_MSS ? 2 : o->kind == PACKET_OPT_WSCALE ? 1 : 4;

		write_be32(b, o->num[i]);
		if (out)
			memcpy(out + n, b + 4 - size, size);
		n += size;
	}
	return n;
}

size_t packet_options_build(const struct packet_option *options, size_t count, u8 *out)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		const struct packet_option *o = &options[i];
		size_t head = is_single(o->kind) || o->lone ? 1 : 2;
		size_t body = option_body(o, out ? out + at + head : NULL);

		if (out) {
			out[at] = o->kind;
			if (head == 2)
				out[at + 1] = o->has_length ? o->length : (u8)(body + 2);
		}
		at += head + body;
	}
	return at;
}

bool packet_option_equal(const struct packet_option *a, const struct packet_option *b)
{
	u8 x[300], y[300];
	size_t n = packet_options_build(a, 1, NULL), m = packet_options_build(b, 1, NULL);

	if (n != m || n > sizeof(x))
		return false;
	packet_options_build(a, 1, x);
	packet_options_build(b, 1, y);
	return !memcmp(x, y, n);
}

void packet_option_text(struct text *t, const struct packet_option *o)
{
	const char *name = packet_option_name(o->kind);

	if (name)
		text_add(t, name);
	else
		text_f(t, "kind%u", o->kind);
	if (o->has_length)
		text_f(t, " len %u", o->length);
	if (o->data) {
		if (o->data_len) {
			text_add(t, " ");
			text_hex(t, o->data, o->data_len, 40);
		}
	} else if (o->kind == PACKET_OPT_TS) {
		text_f(t, " val %u ecr %u", o->num[0], o->num[1]);
	} else if (o->kind == PACKET_OPT_SACK) {
		for (u8 i = 0; i + 1 < o->count; i = (u8)(i + 2))
			text_f(t, " %u:%u", o->num[i], o->num[i + 1]);
	} else if (o->count) {
		text_f(t, " %u", o->num[0]);
	}
}
