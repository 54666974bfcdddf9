/* SPDX-License-Identifier: MIT */
/*
 * One conversation, one test: the peer sends the capture's segments at their times, the
 * host's are expected. What the host's application did shows in what the host sent: a write
 * ends where a segment has PSH, FIN is a shutdown (a close, if a reset follows), a reset
 * that acknowledges is a close that does not linger. It reads all there is at once.
 */
#include "convert/tcp.h"

#include "convert/drive.h"
#include "convert/notation.h"
#include "convert/script.h"
#include "packet/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS     1000000000ull
#define GAP_MAX_NS    (3600 * SECOND_NS)
#define AFTERWARDS_NS 1234500000 /* what the host sends in the end; no time-out of its own */
#define ROUND_TRIP_NS 10000 /* more than there and back takes on a wire of 1 us */

enum talk_mode {
	TALK_CAPTURE, /* what the capture's host sent is expected */
	TALK_DRIVE, /* nothing is: what our stack sends is printed */
	TALK_RECORDED, /* that is expected, with remarks where the capture has other things */
};

struct talk {
	enum talk_mode mode;
	const struct heard *heard;
	size_t heard_count, heard_next;
	u32 live_isn; /* of our host, from its SYN */
	u64 delivered; /* bytes that the application had in the end */
	bool other_bytes; /* and they are not the capture's */
	u64 reached; /* the test's time by what it has expected so far */
	struct strbuf pending; /* what the capture's host sent since: texts, one a line */
	size_t differ; /* segments that the capture has not */
	struct strbuf *out;
	const struct conversation *c;
	u32 host; /* its side */
	bool passive; /* the host listens */
	bool raw; /* no link layer */
	bool refused; /* it has no socket there */
	bool connected; /* the script has the connection's socket */
	bool closed; /* and has ended it */
	u64 written; /* of the host's stream */
	u32 host_ts; /* origin of its time stamps */
	u64 now; /* the script's time, from its beginning */
};

static const struct cv_stream *host_stream(const struct talk *w)
{
	return &w->c->stream[w->host];
}

static const struct cv_stream *peer_stream(const struct talk *w)
{
	return &w->c->stream[!w->host];
}

/* Without its SYN a side counts from 0: what refuses a connection has no number of its own. */
static u32 isn_of(const struct talk *w, u32 side)
{
	return w->c->stream[side].has_syn ? w->c->stream[side].isn : 0;
}

/* ---- the notation ---- */

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
		put_sack(w->out, o, len, isn_of(w, !g->side));
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

static void put_segment(const struct talk *w, const struct cv_segment *g)
{
	u32 first = g->seq - isn_of(w, g->side);
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
		strbuf_printf(w->out, " ack %u", g->ack - isn_of(w, !g->side));
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
static void put_data(const struct talk *w, const struct cv_segment *g)
{
	const struct cv_stream *s = &w->c->stream[g->side];
	u32 at = g->seq + (g->flags & CV_SYN ? 1 : 0) - isn_of(w, g->side) - 1;
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

/* ---- what our own host sent ---- */

/* The header as a segment with the capture's numbers. */
static void heard_segment(struct talk *w, const struct heard *h, struct cv_segment *g)
{
	const u8 *p = h->header;

	*g = (struct cv_segment){ .side = w->host,
				  .len = h->len,
				  .flags = (u16)(read_be16(p + 12) & 0x1ff),
				  .win = (u16)read_be16(p + 14),
				  .urg = (u16)read_be16(p + 18),
				  .option_len = (u8)(h->header_len - 20) };
	if (g->flags & CV_SYN)
		w->live_isn = read_be32(p + 4);
	g->seq = read_be32(p + 4) - w->live_isn + isn_of(w, w->host);
	g->ack = read_be32(p + 8);
	memcpy(g->option, p + 20, g->option_len);
	for (u32 i = 0; i < g->option_len;) {
		u32 n = g->option[i] <= PACKET_OPT_NOP ? 1 :
			i + 1 < g->option_len	       ? g->option[i + 1] :
							 0;

		if (!n)
			break;
		g->sack_count |= g->option[i] == PACKET_OPT_SACK;
		i += n;
	}
}

static void put_expect(struct talk *w, const struct heard *h, const struct cv_segment *g,
		       const char *text)
{
	u32 at = g->seq + (g->flags & CV_SYN ? 1 : 0) - isn_of(w, w->host) - 1;
	u64 wait = h->time > w->reached ? h->time - w->reached : 0;

	strbuf_printf(w->out, "  peer:expect(%s, { within = \"%" PRIu64 "ms\"", text,
		      wait / 1000000 + 2);
	if (g->len && (u64)at + g->len <= host_stream(w)->len)
		strbuf_printf(w->out, ", data = out:sub(%u, %u)", at + 1, at + g->len);
	strbuf_puts(w->out, " })\n");
	if (h->time > w->reached)
		w->reached = h->time;
}

/* The first line of what the capture's host sent and ours has not; its length. */
static size_t first_pending(const struct talk *w)
{
	return strcspn(strbuf_text(&w->pending), "\n");
}

static void drop_pending(struct talk *w, size_t len)
{
	len += w->pending.data[len] == '\n';
	memmove(w->pending.data, w->pending.data + len, w->pending.len - len + 1);
	w->pending.len -= len;
}

/* Is the first of them this one; is any? */
static bool is_first(const struct talk *w, const char *text)
{
	size_t len = first_pending(w);

	return len == strlen(text) && memcmp(strbuf_text(&w->pending), text, len) == 0;
}

static bool has_pending(const struct talk *w, const char *text)
{
	const char *p = strbuf_text(&w->pending);
	size_t len = strlen(text);

	for (; *p; p += strcspn(p, "\n") + 1) {
		if (strncmp(p, text, len) == 0 && p[len] == '\n')
			return true;
	}
	return false;
}

static void put_not_sent(struct talk *w)
{
	size_t len = first_pending(w);

	w->differ++;
	strbuf_printf(w->out, "  -- the capture has here, and ours does not send: %.*s\n", (int)len,
		      w->pending.data);
	drop_pending(w, len);
}

static void put_one_heard(struct talk *w, const struct heard *h)
{
	struct strbuf *out = w->out, text = { 0 };
	struct cv_segment g;
	size_t len = first_pending(w);

	heard_segment(w, h, &g);
	w->out = &text;
	put_segment(w, &g);
	w->out = out;
	if (has_pending(w, text.data)) {
		while (!is_first(w, text.data))
			put_not_sent(w);
		len = first_pending(w);
	}
	if (text.len != len || memcmp(text.data, strbuf_text(&w->pending), len) != 0) {
		w->differ++;
		strbuf_printf(out,
			      len ? "  -- the capture has here: %.*s\n" :
				    "  -- the capture has nothing here\n",
			      (int)len, strbuf_text(&w->pending));
	}
	if (len)
		drop_pending(w, len);
	put_expect(w, h, &g, text.data);
	strbuf_free(&text);
}

/* Where the script waits for a time of its own: what our host has sent by then. */
static void put_heard(struct talk *w, u64 until)
{
	if (w->mode != TALK_RECORDED)
		return;
	while (w->heard_next < w->heard_count && w->heard[w->heard_next].time <= until)
		put_one_heard(w, &w->heard[w->heard_next++]);
	while (w->pending.len)
		put_not_sent(w);
}

/* Goes to a time of the capture. */
static void put_at(struct talk *w)
{
	put_heard(w, w->now);
	strbuf_printf(w->out, "  at(%" PRIu64 ")\n", w->now);
	if (w->mode == TALK_DRIVE)
		strbuf_puts(w->out, "  listen()\n");
	if (w->now > w->reached)
		w->reached = w->now;
}

/* ---- the application ---- */

/* A call of the application. Ours may have no connection where the capture's had one. */
static void put_app(struct talk *w, const char *body)
{
	strbuf_printf(w->out,
		      w->mode == TALK_CAPTURE ? "  app(function() %s end)\n" :
						"  app(function() if conn then %s end end)\n",
		      body);
}

static void put_connected(struct talk *w)
{
	if (w->connected)
		return;
	w->connected = true;
	if (w->passive && w->mode == TALK_CAPTURE)
		strbuf_puts(w->out, "  conn = server:accept()\n  read(conn)\n");
	else if (w->passive)
		strbuf_puts(w->out, "  if server:poll(\"in\", \"1ms\")[\"in\"] then\n"
				    "    conn = server:accept()\n    read(conn)\n  end\n");
}

/*
 * Where the write ends that the bytes at `at` of segment `i` begin; `fin`: its last segment has
 * FIN.
 */
static u64 end_of_write(const struct talk *w, size_t i, u64 at, bool *fin)
{
	const struct cv_stream *s = host_stream(w);
	u64 end = at;

	for (; i < w->c->count; i++) {
		const struct cv_segment *g = &w->c->segment[i];
		s64 stop = (s64)end + cv_seq_diff(g->seq + g->len, s->isn + 1 + (u32)end);

		if (g->side != w->host || stop <= (s64)at || stop > (s64)s->len ||
		    g->flags & (CV_SYN | CV_RST))
			continue;
		if (stop > (s64)end)
			end = (u64)stop;
		if (g->flags & (CV_PSH | CV_FIN)) {
			*fin = g->flags & CV_FIN;
			break;
		}
	}
	return end;
}

/* A reset of the host's, later than segment `i`. */
static bool resets_later(const struct talk *w, size_t i)
{
	for (i++; i < w->c->count; i++) {
		if (w->c->segment[i].side == w->host && w->c->segment[i].flags & CV_RST)
			return true;
	}
	return false;
}

static void put_write(struct talk *w, size_t i)
{
	char body[100];
	bool fin = false;
	u64 stop = end_of_write(w, i, w->written, &fin);

	put_connected(w);
	/* With TCP_CORK the last bytes wait for the FIN that takes them along. */
	if (fin)
		put_app(w, "conn:try(\"option\", \"TCP_CORK\", 1)");
	snprintf(body, sizeof(body), "conn:try(\"send\", out:sub(%" PRIu64 ", %" PRIu64 "))",
		 w->written + 1, stop);
	put_app(w, body);
	w->written = stop;
}

/* What the application must have done for the host to send this. */
static void put_call(struct talk *w, size_t i)
{
	const struct cv_segment *g = &w->c->segment[i];
	const struct cv_stream *s = host_stream(w);
	s64 end = (s64)w->written + cv_seq_diff(g->seq + g->len, s->isn + 1 + (u32)w->written);

	if (w->refused || w->closed || g->flags & CV_SYN)
		return;
	if (g->flags & CV_RST) {
		if (!(g->flags & CV_ACK) || !w->connected)
			return;
		strbuf_puts(w->out,
			    w->mode == TALK_CAPTURE ?
				    "  conn:shutdown(\"rd\")\n"
				    "  conn:option(\"SO_LINGER\", { 1, 0 })\n  conn:close()\n" :
				    "  if conn then\n    conn:try(\"shutdown\", \"rd\")\n"
				    "    conn:try(\"option\", \"SO_LINGER\", { 1, 0 })\n"
				    "    conn:try(\"close\")\n  end\n");
		w->closed = true;
		return;
	}
	if (g->len && end > (s64)w->written && end <= (s64)s->len)
		put_write(w, i);
	if (g->flags & CV_FIN && s->fin && w->written == s->len && end == (s64)s->len) {
		put_connected(w);
		put_app(w, resets_later(w, i) ?
				   "conn:try(\"shutdown\", \"rd\") conn:try(\"close\")" :
				   "conn:try(\"shutdown\", \"wr\")");
		w->closed = true;
	}
}

/* The window is closed, and the host's next segment probes it: there is something to be sent. */
static void put_call_before_probe(struct talk *w, size_t i)
{
	const struct cv_stream *s = host_stream(w);
	u32 probe = s->isn + (u32)w->written;

	for (i++; i < w->c->count && w->c->segment[i].side != w->host;)
		i++;
	if (i < w->c->count && !w->c->segment[i].len && w->c->segment[i].seq == probe &&
	    w->written && w->written < s->len && !w->closed)
		put_write(w, i);
}

/* ---- the play ---- */

static void put_peer(struct talk *w, size_t i)
{
	const struct cv_segment *g = &w->c->segment[i];

	strbuf_puts(w->out, "  peer:send(");
	put_segment(w, g);
	if (g->len) {
		strbuf_puts(w->out, ", { ");
		put_data(w, g);
		strbuf_puts(w->out, " }");
	}
	strbuf_puts(w->out, ")\n");
	if (w->passive && !w->refused && !w->connected && host_stream(w)->has_syn &&
	    (g->flags & (CV_ACK | CV_SYN | CV_RST)) == CV_ACK &&
	    cv_seq_diff(g->ack, host_stream(w)->isn + 1) >= 0)
		put_connected(w);
	if (!g->win && g->flags & CV_ACK)
		put_call_before_probe(w, i);
}

static void put_host(struct talk *w, size_t i, u64 gap)
{
	const struct cv_segment *g = &w->c->segment[i];

	put_call(w, i);
	if (w->mode == TALK_RECORDED) {
		struct strbuf *out = w->out;

		w->out = &w->pending;
		put_segment(w, g);
		strbuf_putc(w->out, '\n');
		w->out = out;
	}
	if (w->mode != TALK_CAPTURE)
		return;
	strbuf_puts(w->out, "  peer:expect(");
	put_segment(w, g);
	strbuf_printf(w->out, ", { within = \"%" PRIu64 "s\"", (u64)(gap / SECOND_NS + 1));
	if (g->len) {
		strbuf_puts(w->out, ", ");
		put_data(w, g);
	}
	strbuf_puts(w->out, " })\n");
}

static void put_segments(struct talk *w)
{
	u64 last = w->c->segment[0].time_ns, sent = 0;

	for (size_t i = 0; i < w->c->count; i++) {
		const struct cv_segment *g = &w->c->segment[i];
		u64 gap = g->time_ns > last ? g->time_ns - last : 0;

		gap = gap < GAP_MAX_NS ? gap : GAP_MAX_NS;
		if (g->time_ns > last)
			last = g->time_ns;
		w->now += gap;
		if (g->side != w->host) {
			/* The host's answer takes its time on the wire. */
			if (w->mode != TALK_CAPTURE && i && w->c->segment[i - 1].side == w->host &&
			    w->now < sent + ROUND_TRIP_NS)
				w->now = sent + ROUND_TRIP_NS;
			sent = w->now;
			put_at(w);
			put_peer(w, i);
			continue;
		}
		/* The application acts at its time; an answer comes by itself. */
		if (!w->refused && !w->closed && (g->len || g->flags & (CV_FIN | CV_RST)))
			put_at(w);
		put_host(w, i, gap);
	}
}

/* ---- the stage ---- */

/* Addresses that a host can have on a wire of its own; others are replaced. */
static bool fits(const struct cv_addr *a)
{
	return a->len == 4 && a->bytes[0] && a->bytes[0] != 127 && a->bytes[0] < 224 &&
	       a->bytes[3] && a->bytes[3] != 255;
}

static void put_addr(struct strbuf *out, const u8 *a)
{
	strbuf_printf(out, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

/* The peer sends urgent data: it is read in line, as a part of the stream. */
static bool is_urgent(const struct talk *w)
{
	for (size_t i = 0; i < w->c->count; i++) {
		if (w->c->segment[i].side != w->host && w->c->segment[i].flags & CV_URG)
			return true;
	}
	return false;
}

static void put_stage(struct talk *w)
{
	static const u8 other[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
	const struct cv_addr *host = &w->c->end[w->host], *peer = &w->c->end[!w->host];
	bool own = fits(host) && fits(peer) && memcmp(host->bytes, peer->bytes, 4);

	strbuf_puts(w->out, "  local host = net.host { addr = \"");
	put_addr(w->out, own ? host->bytes : other[0]);
	strbuf_printf(w->out,
		      "/24\"%s }\n  host:route { dst = \"default\", dev = 2 }\n"
		      "  local peer = host.wire:peer { addr = \"",
		      w->raw ? ", model = \"tun\"" : "");
	put_addr(w->out, own ? peer->bytes : other[1]);
	strbuf_printf(w->out, "\", port = %u, isn = %u }:to(%u)\n", peer->port, isn_of(w, !w->host),
		      host->port);
	if (!w->raw)
		strbuf_puts(w->out, "  host:neigh { addr = peer.addr, mac = peer.mac }\n");
	if (w->refused)
		return;
	strbuf_puts(w->out, "  local received, conn = {}\n"
			    "  local function read(from)\n"
			    "    net.spawn(function()\n"
			    "      repeat\n"
			    "        local data = from:try(\"recv\")\n"
			    "        received[#received + 1] = data\n"
			    "      until not data or data == \"\"\n"
			    "    end)\n"
			    "  end\n"
			    "  local last\n"
			    "  local function app(call)\n"
			    "    local before = last\n"
			    "    last = net.spawn(function()\n"
			    "      if before then before:join() end\n"
			    "      call()\n"
			    "    end)\n"
			    "  end\n");
	if (w->passive) {
		strbuf_printf(w->out, "  local server = host:socket \"tcp\":listen(%u)\n%s",
			      host->port,
			      is_urgent(w) ? "  server:option(\"SO_OOBINLINE\", 1)\n" : "");
		return;
	}
	strbuf_printf(w->out,
		      "  conn = host:socket \"tcp\"\n  conn:bind(%u)\n%s  net.spawn(function()\n"
		      "    if conn:try(\"connect\", \"",
		      host->port, is_urgent(w) ? "  conn:option(\"SO_OOBINLINE\", 1)\n" : "");
	put_addr(w->out, own ? peer->bytes : other[1]);
	strbuf_printf(w->out, "\", %u) then read(conn) end\n  end)\n", peer->port);
	w->connected = true;
}

/* A stream as text, from which the segments' bytes are taken. */
static void put_stream(struct strbuf *out, const char *name, const struct cv_stream *s)
{
	u8 *bytes;

	if (!s->len)
		return;
	bytes = xrealloc(NULL, (size_t)s->len);
	for (u64 off = 0; off < s->len;) {
		u32 n = s->len - off < 65536 ? (u32)(s->len - off) : 65536;

		cv_stream_copy(s, off, bytes + off, n);
		off += n;
	}
	strbuf_printf(out, "  local %s = ", name);
	notation_string(out, bytes, (size_t)s->len);
	strbuf_putc(out, '\n');
	free(bytes);
}

/* What the application must have read: up to where the capture has everything. */
static void put_other_end(struct talk *w)
{
	w->now += AFTERWARDS_NS;
	put_at(w);
	if (w->mode == TALK_DRIVE) {
		strbuf_printf(
			w->out,
			"  local all = table.concat(%s)\n"
			"  print("
			"\"received\", #all, all == (%s):sub(1, #all) and \"same\" or \"other\")\n"
			"  t:ok(true)\nend)\n",
			w->refused ? "{}" : "received", peer_stream(w)->len ? "into" : "\"\"");
		return;
	}
	strbuf_puts(w->out, "  peer:expect_nothing()\n");
	if (w->delivered != peer_stream(w)->len)
		strbuf_printf(w->out, "  -- the capture's application was sent %" PRIu64 " bytes\n",
			      peer_stream(w)->len);
	if (w->other_bytes)
		strbuf_printf(w->out,
			      "  -- not the bytes that the capture has first\n"
			      "  t:is(#table.concat(received), %" PRIu64 ")\n",
			      w->delivered);
	else if (!w->refused && w->delivered && w->delivered <= peer_stream(w)->len)
		strbuf_printf(w->out, "  t:is(table.concat(received), into:sub(1, %" PRIu64 "))\n",
			      w->delivered);
	strbuf_puts(w->out, "  t:ok(true)\nend)\n");
}

static void put_end(const struct talk *w)
{
	const struct cv_stream *s = peer_stream(w);
	u64 len = s->len;
	bool over = (s->fin || s->rst) && (host_stream(w)->fin || host_stream(w)->rst || s->rst);

	for (size_t i = s->count; i-- > 0;)
		len = s->extent[i].bytes ? len : s->extent[i].off;
	if (over)
		strbuf_puts(w->out, "  peer:expect_nothing { during = \"1s\" }\n");
	else
		strbuf_puts(w->out, "  net.sleep \"1ms\"\n");
	if (!w->refused && len && !host_stream(w)->rst)
		strbuf_printf(w->out, "  t:is(table.concat(received), into:sub(1, %" PRIu64 "))\n",
			      len);
	strbuf_puts(w->out, "end)\n");
}

/* Why there is no test of it, or NULL. */
static const char *unfit(const struct talk *w)
{
	if (w->c->unplayable)
		return w->c->unplayable;
	if (w->c->cut)
		return "the capture has only the beginning of its segments";
	if (!peer_stream(w)->has_syn)
		return "the capture has no SYN of the peer";
	return NULL;
}

/* A name has no control characters (convert.c). */
static void put_name(struct strbuf *out, const char *name)
{
	for (; *name; name++)
		strbuf_printf(out, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
}

/* Prints each segment of the host, and lets the peer learn its numbers. */
static void put_listener(const struct talk *w)
{
	strbuf_printf(
		w->out,
		"  local function listen()\n"
		"    for _, f in ipairs(peer:collect {}) do\n"
		"      local tcp = f.tcp\n"
		"      if tcp then\n"
		"        local from = %d + f.ip.ihl * 4\n"
		"        local header = f:bytes():sub(from + 1, from + tcp.doff * 4)\n"
		"        if tcp.flags:find \"S\" then peer.tcp.host_isn = tcp.seq end\n"
		"        for _, o in ipairs(tcp.options or {}) do\n"
		"          if o[1] == \"ts\" then peer.tcp.host_ts = peer.tcp.host_ts or o[2] end\n"
		"        end\n"
		"        print(\"heard\", f.time - start, f.ip.len - f.ip.ihl * 4 - #header,\n"
		"          (header:gsub(\".\", function(c) return (\"%%02x\"):format(c:byte()) end)))\n"
		"      end\n    end\n  end\n",
		w->raw ? 0 : 14);
}

static void put_talk(struct talk *w, const char *title)
{
	const struct conversation *c = w->c;

	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];

		if ((g->flags & (CV_SYN | CV_RST)) != CV_SYN)
			continue;
		w->passive = (g->side == w->host) == !!(g->flags & CV_ACK);
		break;
	}
	w->refused = w->passive && !host_stream(w)->has_syn;
	for (size_t i = c->count; i-- > 0;) {
		if (c->segment[i].side == w->host && c->segment[i].has_ts)
			w->host_ts = c->segment[i].ts_val;
	}
	strbuf_puts(w->out, "\ntap.test(\"");
	put_name(w->out, title);
	strbuf_puts(w->out, "\", function(t)\n");
	put_stage(w);
	put_stream(w->out, "into", peer_stream(w));
	put_stream(w->out, "out", host_stream(w));
	strbuf_puts(w->out,
		    "  local start = t:now()\n"
		    "  local function at(time)\n"
		    "    if start + time > t:now() then net.sleep(start + time - t:now()) end\n"
		    "  end\n\n");
	if (w->mode == TALK_DRIVE)
		put_listener(w);
	put_segments(w);
	if (w->mode == TALK_CAPTURE)
		put_end(w);
	else
		put_other_end(w);
}

/*
 * The test with what our stack sends as its expectations: it is driven first. False where it could
 * not be.
 */
static bool put_recorded(struct talk *w, const char *title)
{
	struct talk first = *w, second = *w;
	struct strbuf text = { 0 }, why = { 0 }, body = { 0 };
	struct recording r;
	bool ok;

	first.out = &text;
	first.mode = TALK_DRIVE;
	script_head(&text, "tapline convert --record");
	put_talk(&first, title);
	ok = drive(&text, &r, &why);
	if (ok) {
		second.out = &body;
		second.mode = TALK_RECORDED;
		second.heard = r.list;
		second.heard_count = r.count;
		second.delivered = r.delivered;
		second.other_bytes = r.other_bytes;
		put_talk(&second, title);
		strbuf_printf(w->out,
			      "\n-- %zu segments of our host; at %zu places the capture has other "
			      "ones.",
			      r.count, second.differ);
		strbuf_puts(w->out, strbuf_text(&body));
	} else {
		strbuf_printf(w->out,
			      "\n-- Our host does not get through this one (%s):\n"
			      "-- what is expected is what the capture has.",
			      strbuf_text(&why));
	}
	strbuf_free(&second.pending);
	strbuf_free(&text);
	strbuf_free(&body);
	strbuf_free(&why);
	free(r.list);
	return ok;
}

static bool is_host(const struct cv_addr *a, const u8 *host)
{
	return a->len == 4 && !memcmp(a->bytes, host, 4);
}

u32 tcp_write(struct strbuf *out, const struct conversations *all, const u8 *host, bool raw,
	      const char *file, bool record)
{
	struct strbuf title = { 0 };
	u32 tests = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct talk w = { .out = out, .c = all->list[i], .raw = raw };
		const char *why;

		w.host = is_host(&w.c->end[CV_SERVER], host) ? CV_SERVER : CV_CLIENT;
		if (!is_host(&w.c->end[w.host], host))
			continue;
		why = unfit(&w);
		if (why) {
			strbuf_printf(out, "\n-- TCP conversation %zu is left out: %s\n", i, why);
			continue;
		}
		strbuf_clear(&title);
		strbuf_printf(&title, "%s, TCP conversation %zu: ", file, i);
		put_addr(&title, w.c->end[CV_CLIENT].bytes);
		strbuf_printf(&title, ":%u to ", w.c->end[CV_CLIENT].port);
		put_addr(&title, w.c->end[CV_SERVER].bytes);
		strbuf_printf(&title, ":%u", w.c->end[CV_SERVER].port);
		if (!record || !put_recorded(&w, strbuf_text(&title)))
			put_talk(&w, strbuf_text(&title));
		tests++;
	}
	strbuf_free(&title);
	return tests;
}
