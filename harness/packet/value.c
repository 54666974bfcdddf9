/* SPDX-License-Identifier: MIT */
/*
 * Values of fields: setting them from numbers, text and bytes, getting them, and writing them as
 * text. A value that does not fit its field is refused with a sentence; whether it makes sense is
 * not asked (a test wants wrong packets).
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/bytes.h"
#include "packet/packet.h"
#include "packet/proto.h"
#include "packet/text.h"

/* Bit i of the TCP flags, in packetdrill's and tcpdump's letters. Several may mean one bit. */
static const struct {
	char letter;
	u16 bit;
} flag_letters[] = {
	/* the first of each bit is the one that is printed */
	{ 'F', 0x001 }, { 'S', 0x002 }, { 'R', 0x004 }, { 'P', 0x008 },
	{ '.', 0x010 }, { 'U', 0x020 }, { 'E', 0x040 }, { 'W', 0x080 },
	{ 'N', 0x100 }, { 'A', 0x010 }, { 'C', 0x080 },
};

__attribute__((format(printf, 2, 3))) static bool refuse(char *error, const char *fmt, ...)
{
	va_list ap;

	if (error) {
		va_start(ap, fmt);
		vsnprintf(error, PACKET_ERROR_SIZE, fmt, ap);
		va_end(ap);
	}
	return false;
}

static int find_field(const struct packet_layer *l, const char *field, char *error)
{
	int i = packet_field_index((enum packet_proto)l->proto, field);

	if (i < 0)
		refuse(error, "%s has no field \"%s\"",
		       packet_proto_name((enum packet_proto)l->proto), field);
	return i;
}

const struct packet_value *packet_get(const struct packet_layer *l, const char *field)
{
	int i = packet_field_index((enum packet_proto)l->proto, field);

	return i >= 0 && l->value[i].type ? &l->value[i] : NULL;
}

u64 packet_get_uint(const struct packet_layer *l, const char *field, u64 otherwise)
{
	const struct packet_value *v = packet_get(l, field);

	return v && v->type == PACKET_V_UINT ? v->num : otherwise;
}

void packet_unset(struct packet_layer *l, const char *field)
{
	int i = packet_field_index((enum packet_proto)l->proto, field);

	if (i >= 0)
		l->value[i] = (struct packet_value){ 0 };
}

/*
 * Field `at` has a new value: other names for the same bits (tos, dscp, ecn; rest, id, seq) that
 * are set follow it, so that the last one to be set is what counts.
 */
static void follow(struct packet_layer *l, int at)
{
	const struct packet_field *fields = packet_fields((enum packet_proto)l->proto);
	const struct packet_field *f = &fields[at];

	if (!f->width)
		return;
	for (int i = 0; fields[i].name; i++) {
		const struct packet_field *g = &fields[i];
		u8 bits[16] = { 0 };
		unsigned int base = (f->bit < g->bit ? f->bit : g->bit) / 8u * 8u;

		if (i == at || !l->value[i].type || g->bit >= f->bit + f->width ||
		    f->bit >= g->bit + g->width || !g->width)
			continue;
		if (g->width > 32 || f->width > 32 || l->value[i].type != PACKET_V_UINT ||
		    l->value[at].type != PACKET_V_UINT) {
			l->value[i] = (struct packet_value){ 0 };
			continue;
		}
		write_bits(bits, g->bit - base, g->width, (u32)l->value[i].num);
		write_bits(bits, f->bit - base, f->width, (u32)l->value[at].num);
		l->value[i].num = read_bits(bits, g->bit - base, g->width);
	}
}

static bool set_num(struct packet_layer *l, int i, u64 num, char *error)
{
	const struct packet_field *f = &packet_fields((enum packet_proto)l->proto)[i];
	const char *proto = packet_proto_name((enum packet_proto)l->proto);

	if (f->type != PACKET_F_UINT && f->type != PACKET_F_FLAG && f->type != PACKET_F_FLAGS)
		return refuse(error, "%s.%s is not a number", proto, f->name);
	if (f->width < 64 && num >> f->width)
		return refuse(error, "%s.%s has %u bits: %llu is too large", proto, f->name,
			      f->width, (unsigned long long)num);
	l->value[i] = (struct packet_value){ .type = PACKET_V_UINT, .num = num };
	follow(l, i);
	return true;
}

bool packet_set_uint(struct packet_layer *l, const char *field, u64 num, char *error)
{
	int i = find_field(l, field, error);

	return i >= 0 && set_num(l, i, num, error);
}

static bool set_addr(struct packet_layer *l, int i, u8 type, const void *bytes, size_t len)
{
	l->value[i] = (struct packet_value){ .type = type };
	memcpy(l->value[i].addr, bytes, len);
	follow(l, i);
	return true;
}

bool packet_set_bytes(struct packet_layer *l, const char *field, const void *bytes, size_t len,
		      char *error)
{
	int i = find_field(l, field, error);
	const struct packet_field *f;

	if (i < 0)
		return false;
	f = &packet_fields((enum packet_proto)l->proto)[i];
	if (f->type == PACKET_F_MAC && len == 6)
		return set_addr(l, i, PACKET_V_MAC, bytes, 6);
	if (f->type == PACKET_F_IP4 && len == 4)
		return set_addr(l, i, PACKET_V_IP4, bytes, 4);
	if (f->type == PACKET_F_IP6 && len == 16)
		return set_addr(l, i, PACKET_V_IP6, bytes, 16);
	if (f->width || f->type == PACKET_F_UINT)
		return refuse(error, "%s.%s can not be set from %zu bytes",
			      packet_proto_name((enum packet_proto)l->proto), field, len);
	if (f->type == PACKET_F_OPTIONS) {
		struct packet_option *o;
		const char *wrong;
		size_t n = packet_options_parse(l->packet, packet_copy_bytes(l->packet, bytes, len),
						len, &o, &wrong);

		l->value[i] = (struct packet_value){ .type = PACKET_V_OPTIONS };
		l->value[i].options = o;
		l->value[i].len = n;
		return true;
	}
	l->value[i] = (struct packet_value){ .type = PACKET_V_BYTES };
	l->value[i].bytes = packet_copy_bytes(l->packet, bytes, len);
	l->value[i].len = len;
	return true;
}

static bool parse_mac(const char *text, u8 *mac)
{
	unsigned int b[6];
	char more;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &more) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (u8)b[i];
	return true;
}

static bool parse_flags(const char *text, u64 *flags)
{
	*flags = 0;
	for (; *text; text++) {
		size_t i = 0;

		while (i < sizeof(flag_letters) / sizeof(flag_letters[0]) &&
		       flag_letters[i].letter != *text)
			i++;
		if (i == sizeof(flag_letters) / sizeof(flag_letters[0]))
			return false;
		*flags |= flag_letters[i].bit;
	}
	return true;
}

static bool parse_num(const struct packet_field *f, const char *text, u64 *num)
{
	char *end;

	for (const struct packet_symbol *s = f->symbols; s && s->name; s++) {
		if (!strcmp(s->name, text)) {
			*num = s->value;
			return true;
		}
	}
	if (f->type == PACKET_F_FLAGS && parse_flags(text, num))
		return true;
	if (*text < '0' || *text > '9')
		return false;
	*num = strtoull(text, &end, 0);
	return !*end;
}

bool packet_set_text(struct packet_layer *l, const char *field, const char *text, size_t len,
		     char *error)
{
	int i = find_field(l, field, error);
	const char *proto = packet_proto_name((enum packet_proto)l->proto);
	const struct packet_field *f;
	u8 addr[16];
	char s[64];
	u64 num;

	if (i < 0)
		return false;
	f = &packet_fields((enum packet_proto)l->proto)[i];
	if (f->type == PACKET_F_BYTES || f->type == PACKET_F_OPTIONS)
		return packet_set_bytes(l, field, text, len, error);
	snprintf(s, sizeof(s), "%.*s", (int)(len < sizeof(s) ? len : sizeof(s)), text);
	switch (f->type) {
	case PACKET_F_MAC:
		if (parse_mac(s, addr))
			return set_addr(l, i, PACKET_V_MAC, addr, 6);
		break;
	case PACKET_F_IP4:
		if (inet_pton(AF_INET, s, addr) == 1)
			return set_addr(l, i, PACKET_V_IP4, addr, 4);
		break;
	case PACKET_F_IP6:
		if (inet_pton(AF_INET6, s, addr) == 1)
			return set_addr(l, i, PACKET_V_IP6, addr, 16);
		break;
	default:
		if (parse_num(f, s, &num))
			return set_num(l, i, num, error);
	}
	if (!f->width) /* an ARP address of another kind: its bytes */
		return packet_set_bytes(l, field, text, len, error);
	return refuse(error, "%s.%s can not be \"%s\"", proto, f->name, s);
}

bool packet_set_options(struct packet_layer *l, const char *field,
			const struct packet_option *options, size_t count, char *error)
{
	int i = find_field(l, field, error);
	struct packet_option *copy;

	if (i < 0)
		return false;
	if (packet_fields((enum packet_proto)l->proto)[i].type != PACKET_F_OPTIONS)
		return refuse(error, "%s.%s takes no list of options",
			      packet_proto_name((enum packet_proto)l->proto), field);
	copy = packet_alloc(l->packet, sizeof(*copy) * (count ? count : 1));
	for (size_t k = 0; k < count; k++) {
		copy[k] = options[k];
		if (copy[k].data)
			copy[k].data =
				packet_copy_bytes(l->packet, options[k].data, options[k].data_len);
	}
	l->value[i] = (struct packet_value){ .type = PACKET_V_OPTIONS };
	l->value[i].options = copy;
	l->value[i].len = count;
	return true;
}

static void flags_text(struct text *t, u64 flags)
{
	if (!flags)
		text_add(t, "none");
	for (size_t i = 0; i < 9; i++) {
		if (flags & flag_letters[i].bit)
			text_f(t, "%c", flag_letters[i].letter);
	}
}

static void num_text(struct text *t, const struct packet_layer *l, const struct packet_field *f,
		     u64 num)
{
	const struct packet_symbol *symbols = f->symbols;
	const char *name;

	if (l->proto == PACKET_ICMP && f == &packet_fields_icmp[ICMP_CODE])
		symbols = packet_icmp_codes((u32)packet_get_uint(l, "type", ICMP_T_ECHO));
	name = packet_symbol_name(symbols, num);
	if (f->type == PACKET_F_FLAGS)
		flags_text(t, num);
	else if (name)
		text_add(t, name);
	else if (f->base == 16)
		text_f(t, "0x%0*llx", (f->width + 3) / 4, (unsigned long long)num);
	else
		text_f(t, "%llu", (unsigned long long)num);
}

char *packet_value_text(const struct packet_layer *l, const struct packet_field *f,
			const struct packet_value *v)
{
	struct text t = { 0 };
	char s[INET6_ADDRSTRLEN];

	switch (v->type) {
	case PACKET_V_NONE:
		text_add(&t, "unset");
		break;
	case PACKET_V_UINT:
		num_text(&t, l, f, v->num);
		break;
	case PACKET_V_MAC:
		text_f(&t, "%02x:%02x:%02x:%02x:%02x:%02x", v->addr[0], v->addr[1], v->addr[2],
		       v->addr[3], v->addr[4], v->addr[5]);
		break;
	case PACKET_V_IP4:
		text_f(&t, "%u.%u.%u.%u", v->addr[0], v->addr[1], v->addr[2], v->addr[3]);
		break;
	case PACKET_V_IP6:
		text_add(&t, inet_ntop(AF_INET6, v->addr, s, sizeof(s)) ? s : "?");
		break;
	case PACKET_V_BYTES:
		if (l->proto == PACKET_PAYLOAD)
			text_quoted(&t, v->bytes, v->len, 48);
		else
			text_hex(&t, v->bytes, v->len, 48);
		break;
	case PACKET_V_OPTIONS:
		text_add(&t, "<");
		for (size_t i = 0; i < v->len; i++) {
			text_add(&t, i ? "," : "");
			packet_option_text(&t, &v->options[i]);
		}
		text_add(&t, ">");
		break;
	default:
		abort();
	}
	return text_take(&t);
}
