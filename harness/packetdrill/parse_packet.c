/* SPDX-License-Identifier: MIT */
/*
 * Packets: what stands behind "<" or ">", up to and without the TCP options and encapsulations.
 */
#include "packetdrill/parse.h"
#include "packetdrill/symbols.h"

#include "base/suggest.h"

#include <string.h>

bool pd_parse_sequence(struct pd_scan *s, u32 *first, u32 *last, u32 *length)
{
	if (!pd_scan_u32(s, first) || !pd_scan_need(s, ":") || !pd_scan_u32(s, last) ||
	    !pd_scan_need(s, "(") || !pd_scan_u32(s, length) || !pd_scan_need(s, ")"))
		return false;
	if (*length > 0xffff + 0x10000)
		return pd_scan_fail(s, "%u bytes do not fit into a packet", *length);
	if (*last != *first + *length)
		return pd_scan_fail(s, "%u:%u(%u): the length is not the difference", *first, *last,
				    *length);
	return true;
}

static const char *const marks_known[] = { "noecn",  "ect0", "ect1", "ect01", "ce",	   "tos",
					   "tclass", "ttl",  "hl",   "hlim",  "flowlabel", "ecn" };

static bool parse_ecn(struct pd_scan *s, struct pd_text word, struct pd_ip_marks *marks)
{
	static const struct {
		const char *name;
		enum pd_ecn ecn;
	} names[] = {
		{ "noecn", PD_ECN_NOECN }, { "ect0", PD_ECN_ECT0 }, { "ect1", PD_ECN_ECT1 },
		{ "ect01", PD_ECN_ECT01 }, { "ce", PD_ECN_CE },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, word.p) == 0) {
			marks->ecn = names[i].ecn;
			return true;
		}
	}
	return pd_scan_unknown_near(s, "mark", word,
				    suggest(word.p, marks_known, ARRAY_SIZE(marks_known)));
}

static bool parse_mark(struct pd_scan *s, struct pd_ip_marks *marks)
{
	struct pd_text word;
	u64 value = 0;

	if (!pd_scan_word(s, &word))
		return false;
	if (strcmp(word.p, "tos") == 0 || strcmp(word.p, "tclass") == 0) {
		pd_scan_take(s, "=");
		marks->has_tos = pd_scan_number(s, 255, &value, NULL);
		marks->tos = (u8)value;
		return marks->has_tos;
	}
	if (strcmp(word.p, "ttl") == 0 || strcmp(word.p, "hl") == 0 ||
	    strcmp(word.p, "hlim") == 0) {
		pd_scan_take(s, "=");
		marks->has_ttl = pd_scan_number(s, 255, &value, NULL);
		marks->ttl = (u8)value;
		return marks->has_ttl;
	}
	if (strcmp(word.p, "flowlabel") == 0) {
		pd_scan_take(s, "=");
		marks->has_flow_label = pd_scan_number(s, 0xfffff, &value, NULL);
		marks->flow_label = (u32)value;
		return marks->has_flow_label;
	}
	if (strcmp(word.p, "ecn") == 0) {
		pd_scan_take(s, "=");
		if (!pd_scan_word(s, &word))
			return false;
	}
	return parse_ecn(s, word, marks);
}

bool pd_parse_marks(struct pd_scan *s, struct pd_ip_marks *marks)
{
	for (;;) {
		const char *closing = pd_scan_take(s, "[") ? "]" :
				      pd_scan_take(s, "(") ? ")" :
							     NULL;

		if (!closing)
			return !s->failed;
		while (!pd_scan_take(s, closing)) {
			if (!parse_mark(s, marks))
				return false;
			pd_scan_take(s, ",");
		}
	}
}

/* "5000 > 80" in front of the flags; digits alone are flags (the ACE field). */
static bool parse_ports(struct pd_scan *s, struct pd_packet *packet)
{
	const struct pd_scan_text *f;
	const char *p;
	u64 port;

	pd_scan_space(s);
	f = &s->frame[s->top];
	for (p = f->p; p < f->end && *p >= '0' && *p <= '9'; p++)
		;
	if (p == f->p)
		return !s->failed;
	while (p < f->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == f->end || *p != '>')
		return true;
	packet->has_ports = true;
	if (!pd_scan_number(s, 65535, &port, NULL) || !pd_scan_need(s, ">"))
		return false;
	packet->src_port = (u16)port;
	if (!pd_scan_number(s, 65535, &port, NULL))
		return false;
	packet->dst_port = (u16)port;
	pd_scan_take(s, ":");
	return true;
}

/* One letter or digit of the flags; false for what is none. */
static bool take_flag(struct pd_tcp *tcp, char c)
{
	static const char letters[] = "FSRP.UEWA";
	const char *found = strchr(letters, c);

	if (c >= '0' && c <= '7' && tcp->ace < 0) {
		tcp->ace = (s8)(c - '0');
		tcp->flags |= (u16)((c & 1 ? PD_TCP_ECE : 0) | (c & 2 ? PD_TCP_CWR : 0) |
				    (c & 4 ? PD_TCP_AE : 0));
		return true;
	}
	if (!found || !c)
		return false;
	tcp->flags |= (u16)(1u << (found - letters));
	return true;
}

static bool parse_flags(struct pd_scan *s, struct pd_tcp *tcp)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.0123456789";
	struct pd_text run;
	size_t i;

	tcp->ace = -1;
	if (pd_scan_take(s, "-"))
		return true;
	run = pd_scan_run(s, letters);
	if (run.len == 0)
		return pd_scan_expected(s, "TCP flags, udp, icmp or an encapsulation");
	for (i = 0; i < run.len; i++) {
		if (!take_flag(tcp, run.p[i]))
			return pd_scan_unknown(s, "flags or protocol", run);
	}
	return true;
}

static bool parse_tcp(struct pd_scan *s, struct pd_tcp *tcp)
{
	if (!parse_flags(s, tcp) || !pd_parse_sequence(s, &tcp->seq, &tcp->seq_end, &tcp->len))
		return false;
	for (;;) {
		if (pd_scan_take_word(s, "ack")) {
			tcp->has_ack = true;
			if (!pd_scan_u32(s, &tcp->ack))
				return false;
		} else if (pd_scan_take_word(s, "win")) {
			/* A larger one than the field holds is cut when it is built. */
			tcp->has_win = true;
			if (!pd_scan_u32(s, &tcp->win))
				return false;
		} else if (pd_scan_take_word(s, "urg")) {
			tcp->has_urg = true;
			if (!pd_scan_u32(s, &tcp->urg))
				return false;
			if (tcp->urg > 65535)
				return pd_scan_fail(s, "urg %u: at most 65535", tcp->urg);
		} else {
			break;
		}
	}
	if (pd_scan_take(s, "<"))
		return pd_parse_options(s, tcp);
	tcp->no_options = true;
	return !s->failed;
}

static bool parse_udp(struct pd_scan *s, struct pd_packet *packet)
{
	if (!pd_scan_need(s, "(") || !pd_scan_u32(s, &packet->udp_len) || !pd_scan_need(s, ")"))
		return false;
	if (packet->udp_len > 65535)
		return pd_scan_fail(s, "udp (%u): at most 65535", packet->udp_len);
	return true;
}

static bool parse_code(struct pd_scan *s, struct pd_icmp *icmp, bool v6)
{
	u64 value;

	if (pd_scan_looking_at(s, "mtu") || pd_scan_looking_at(s, "id") || s->failed)
		return !s->failed;
	if (pd_scan_take_word(s, "code")) {
		if (!pd_scan_number(s, 255, &value, NULL))
			return false;
		icmp->code = (u8)value;
		return true;
	}
	/* A name in capitals is one that -D was to define: not known, not the next event. */
	if (!strchr("abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ", pd_scan_peek(s)) ||
	    pd_scan_at_end(s))
		return true;
	if (!pd_scan_word(s, &icmp->code_name))
		return false;
	if (!pd_icmp_code(v6, icmp->type, icmp->code_name.p, icmp->code_name.len, &icmp->code))
		return pd_scan_unknown_near(s, "ICMP code", icmp->code_name,
					    pd_icmp_near(v6, icmp->type, icmp->code_name.p));
	return true;
}

static bool parse_type(struct pd_scan *s, struct pd_icmp *icmp, bool v6)
{
	u64 value;

	if (pd_scan_take_word(s, "type")) {
		if (!pd_scan_number(s, 255, &value, NULL))
			return false;
		icmp->type = (u8)value;
		return true;
	}
	if (!pd_scan_word(s, &icmp->type_name))
		return false;
	if (!pd_icmp_type(v6, icmp->type_name.p, icmp->type_name.len, &icmp->type))
		return pd_scan_unknown_near(s, "ICMP type", icmp->type_name,
					    pd_icmp_near(v6, -1, icmp->type_name.p));
	return true;
}

/* "[1:1001(1000)]" or "[udp (100)]": behind the bracket. */
static bool parse_echo(struct pd_scan *s, struct pd_icmp *icmp)
{
	u32 last;

	icmp->has_echo = true;
	if (pd_scan_take_word(s, "udp")) {
		icmp->echo_udp = true;
		if (!pd_scan_need(s, "(") || !pd_scan_u32(s, &icmp->echo_len) ||
		    !pd_scan_need(s, ")"))
			return false;
	} else if (!pd_parse_sequence(s, &icmp->echo_seq, &last, &icmp->echo_len)) {
		return false;
	}
	return pd_scan_need(s, "]");
}

bool pd_parse_icmp(struct pd_scan *s, struct pd_icmp *icmp)
{
	bool v6 = icmp->v6 || s->family == PD_IPV6;

	if (!parse_type(s, icmp, v6) || !parse_code(s, icmp, v6))
		return false;
	if (pd_scan_take_word(s, "mtu")) {
		icmp->has_mtu = true;
		if (!pd_scan_u32(s, &icmp->mtu))
			return false;
	}
	if (pd_scan_take_word(s, "id")) {
		icmp->has_id = true;
		if (!pd_scan_u32(s, &icmp->id))
			return false;
	}
	if (pd_scan_take(s, "("))
		return pd_scan_u32(s, &icmp->len) && pd_scan_need(s, ")");
	if (pd_scan_take(s, "["))
		return parse_echo(s, icmp);
	return !s->failed;
}

static bool parse_inner(struct pd_scan *s, struct pd_packet *packet)
{
	if (!parse_ports(s, packet))
		return false;
	packet->icmp.v6 = pd_scan_take_word(s, "icmpv6");
	if (packet->icmp.v6 || pd_scan_take_word(s, "icmp")) {
		packet->kind = PD_PACKET_ICMP;
		return pd_parse_icmp(s, &packet->icmp);
	}
	if (pd_scan_take_word(s, "udp")) {
		packet->kind = PD_PACKET_UDP;
		return parse_udp(s, packet);
	}
	if (pd_scan_take_word(s, "raw")) {
		packet->kind = PD_PACKET_RAW;
		return pd_scan_hex(s, &packet->raw) || pd_scan_expected(s, "hex digits");
	}
	packet->kind = PD_PACKET_TCP;
	if (pd_scan_take_word(s, "tcp"))
		pd_scan_take(s, ":");
	return parse_tcp(s, &packet->tcp);
}

/* "(sum=bad)" behind a packet. */
static bool parse_checksum(struct pd_scan *s, struct pd_packet *packet)
{
	if (!pd_scan_take(s, "("))
		return !s->failed;
	if (!pd_scan_take_word(s, "sum") || !pd_scan_need(s, "=") || !pd_scan_take_word(s, "bad"))
		return pd_scan_expected(s, "'sum=bad)'");
	if (packet->direction == PD_OUTBOUND)
		return pd_scan_fail(s, "a host sends no wrong checksums");
	packet->bad_checksum = true;
	return pd_scan_need(s, ")");
}

bool pd_parse_packet(struct pd_scan *s, struct pd_packet *packet)
{
	bool found;

	if (!pd_parse_marks(s, &packet->marks))
		return false;
	do {
		if (!pd_parse_layer(s, packet, &found))
			return false;
		/* Marks behind the last encapsulation are the inner header's. */
		if (found && !pd_parse_marks(s, &packet->marks))
			return false;
	} while (found);
	return parse_inner(s, packet) && parse_checksum(s, packet);
}
