/* SPDX-License-Identifier: MIT */
/* Segments of a conversation in the short notation of docs/lua.md, and their data. */
#include "convert/talk.h"

#include "convert/notation.h"
#include "packet/bytes.h"

#include <inttypes.h>
#include <string.h>

static void put_flags(struct strbuf *out, u16 flags)
{
	static const struct {
		u16 bit;
		char letter;
	} list[] = { { CV_SYN, 'S' }, { CV_FIN, 'F' }, { CV_RST, 'R' },
		     { CV_PSH, 'P' }, { CV_URG, 'U' }, { 0x40, 'E' },
		     { 0x80, 'W' },   { 0x100, 'A' },  { CV_ACK, '.' } };
	bool any = false;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (!(flags & list[i].bit) || list[i].letter == 'A')
			continue;
		strbuf_putc(out, list[i].letter);
		any = true;
	}
	if (!any)
		strbuf_putc(out, '-');
}

static void put_sack(struct strbuf *out, const u8 *o, u32 len, u32 isn)
{
	for (u32 i = 2; i + 8 <= len; i += 8)
		strbuf_printf(out, " %u:%u", read_be32(o + i) - isn, read_be32(o + i + 4) - isn);
}

/* One option of `len` bytes; time stamps of the host are any. */
static void put_option(const struct talk *w, const struct cv_segment *g, const u8 *o, u32 len)
{
	u32 echo = len == 10 ? read_be32(o + 6) : 0;

	if (o[0] == PACKET_OPT_NOP || o[0] == PACKET_OPT_EOL) {
		strbuf_puts(w->out, o[0] ? "nop" : "eol");
	} else if (o[0] == PACKET_OPT_MSS && len == 4) {
		strbuf_printf(w->out, "mss %u", read_be16(o + 2));
	} else if (o[0] == PACKET_OPT_WSCALE && len == 3) {
		strbuf_printf(w->out, "wscale %u", o[2]);
	} else if (o[0] == PACKET_OPT_SACKOK && len == 2) {
		strbuf_puts(w->out, "sackOK");
	} else if (o[0] == PACKET_OPT_SACK && len % 8 == 2 && len > 2) {
		strbuf_puts(w->out, "sack");
		put_sack(w->out, o, len, talk_isn_of(w, !g->side));
	} else if (o[0] == PACKET_OPT_TS && len == 10 && g->side == w->host) {
		strbuf_puts(w->out, "TS val * ecr *");
	} else if (o[0] == PACKET_OPT_TS && len == 10) {
		strbuf_printf(w->out, "TS val %u ecr %u", read_be32(o + 2),
			      g->flags & CV_ACK ? echo - w->host_ts : echo);
	} else {
		strbuf_printf(w->out, "kind %u ", o[0]);
		for (u32 i = 2; i < len; i++)
			strbuf_printf(w->out, "%02x", o[i]);
	}
}

static void put_options(const struct talk *w, const struct cv_segment *g)
{
	const u8 *o = g->option;
	bool any = false;

	for (u32 i = 0; i < g->option_len;) {
		bool lone = o[i] == PACKET_OPT_NOP || o[i] == PACKET_OPT_EOL;
		u32 len = lone ? 1 : i + 1 < g->option_len ? o[i + 1] : 0;

		if (!lone && (len < 2 || i + len > g->option_len))
			break; /* damaged: the test leaves the rest out */
		strbuf_puts(w->out, any ? "," : " <");
		put_option(w, g, o + i, len);
		any = true;
		i += len;
	}
	if (any)
		strbuf_putc(w->out, '>');
}

void talk_put_segment(const struct talk *w, const struct cv_segment *g)
{
	u32 first = g->seq - talk_isn_of(w, g->side);
	u64 next = (u64)first + g->len;
	bool own = g->side == w->host;

	strbuf_putc(w->out, '"');
	if (!own && g->tos & 3)
		strbuf_printf(w->out, "[%s] ",
			      (g->tos & 3) == 3 ? "ce" :
			      g->tos & 1	? "ect1" :
						  "ect0");
	put_flags(w->out, g->flags);
	strbuf_printf(w->out, " %u:%" PRIu64 "(%u)", first, next, g->len);
	if (g->flags & CV_ACK)
		strbuf_printf(w->out, " ack %u", g->ack - talk_isn_of(w, !g->side));
	if (!own)
		strbuf_printf(w->out, " win %u", g->win);
	if (g->flags & CV_URG)
		strbuf_printf(w->out, " urg %u", g->urg);
	/* A host chooses its options; what SACK says of what came it does not. */
	if (!own || g->sack_count)
		put_options(w, g);
	strbuf_putc(w->out, '"');
}

/* The bytes of a segment: a part of the stream's text, or themselves where they are others. */
void talk_put_data(const struct talk *w, const struct cv_segment *g)
{
	const struct cv_stream *s = &w->c->stream[g->side];
	u32 at = g->seq + (g->flags & CV_SYN ? 1 : 0) - talk_isn_of(w, g->side) - 1;
	u8 bytes[65536];

	strbuf_puts(w->out, "data = ");
	if (g->len <= sizeof(bytes) && (u64)at + g->len <= s->len) {
		cv_stream_copy(s, at, bytes, g->len);
		if (!memcmp(bytes, g->payload, g->len)) {
			strbuf_printf(w->out, "%s:sub(%u, %u)", g->side == w->host ? "out" : "into",
				      at + 1, at + g->len);
			return;
		}
	}
	notation_string(w->out, g->payload, g->len);
}
