/* SPDX-License-Identifier: MIT */
/*
 * Conversations as tests, one each: the peer sends the capture's segments at their times, the
 * host's are expected. The parts of a test stand in talk_*.c.
 */
#include "convert/tcp.h"

#include "convert/script.h"
#include "convert/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the play ---- */

static void put_peer(struct talk *w, size_t i)
{
	const struct cv_segment *g = &w->c->segment[i];

	strbuf_puts(w->out, "  peer:send(");
	talk_put_segment(w, g);
	if (g->len) {
		strbuf_puts(w->out, ", { ");
		talk_put_data(w, g);
		strbuf_puts(w->out, " }");
	}
	strbuf_puts(w->out, ")\n");
	if (w->passive && !w->refused && !w->connected && talk_host_stream(w)->has_syn &&
	    (g->flags & (CV_ACK | CV_SYN | CV_RST)) == CV_ACK &&
	    cv_seq_diff(g->ack, talk_host_stream(w)->isn + 1) >= 0)
		talk_put_connected(w);
	if (!g->win && g->flags & CV_ACK)
		talk_put_call_before_probe(w, i);
}

static void put_host(struct talk *w, size_t i, u64 gap)
{
	const struct cv_segment *g = &w->c->segment[i];

	talk_put_call(w, i);
	if (w->mode == TALK_RECORDED) {
		struct strbuf *out = w->out;

		w->out = &w->pending;
		talk_put_segment(w, g);
		strbuf_putc(w->out, '\n');
		w->out = out;
	}
	if (w->mode != TALK_CAPTURE)
		return;
	strbuf_puts(w->out, "  peer:expect(");
	talk_put_segment(w, g);
	strbuf_printf(w->out, ", { within = \"%" PRIu64 "s\"", (u64)(gap / SECOND_NS + 1));
	if (g->len) {
		strbuf_puts(w->out, ", ");
		talk_put_data(w, g);
	}
	strbuf_puts(w->out, " })\n");
}

/* What of the host's data the peer has not acknowledged yet. */
struct flight {
	u32 end; /* behind the last byte */
	bool waits;
};

static void in_flight(struct flight *f, const struct talk *w, const struct cv_segment *g)
{
	if (g->side == w->host && g->len) {
		f->end = f->waits && cv_seq_diff(f->end, g->seq + g->len) > 0 ? f->end :
										g->seq + g->len;
		f->waits = true;
	} else if (g->side != w->host && g->flags & CV_ACK && cv_seq_diff(g->ack, f->end) >= 0) {
		f->waits = false;
	}
}

/*
 * The application acts at the time of what it causes. What Nagle's algorithm held back was written
 * before: a probe of that instant takes it along (RFC 8985 7.3).
 */
static void put_at_of_application(struct talk *w, bool held)
{
	w->now -= held;
	talk_put_at(w);
	w->now += held;
}

static void put_segments(struct talk *w)
{
	u64 last = w->c->segment[0].time_ns, sent = 0;
	struct flight flight = { 0 };

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
			talk_put_at(w);
			put_peer(w, i);
		} else {
			/* An answer comes by itself. */
			if (!w->refused && !w->closed && (g->len || g->flags & (CV_FIN | CV_RST)))
				put_at_of_application(w, gap && flight.waits);
			put_host(w, i, gap);
		}
		in_flight(&flight, w, g);
	}
}

/* Why there is no test of it, or NULL. */
static const char *unfit(const struct talk *w)
{
	if (w->c->unplayable)
		return w->c->unplayable;
	if (w->c->cut)
		return "the capture has only the beginning of its segments";
	if (!talk_peer_stream(w)->has_syn)
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
	w->refused = w->passive && !talk_host_stream(w)->has_syn;
	for (size_t i = c->count; i-- > 0;) {
		if (c->segment[i].side == w->host && c->segment[i].has_ts)
			w->host_ts = c->segment[i].ts_val;
	}
	strbuf_puts(w->out, "\ntap.test(\"");
	put_name(w->out, title);
	strbuf_puts(w->out, "\", function(t)\n");
	talk_put_stage(w);
	talk_put_stream(w->out, "into", talk_peer_stream(w));
	talk_put_stream(w->out, "out", talk_host_stream(w));
	strbuf_puts(w->out,
		    "  local start = t:now()\n"
		    "  local function at(time)\n"
		    "    if start + time > t:now() then net.sleep(start + time - t:now()) end\n"
		    "  end\n\n");
	if (w->mode == TALK_DRIVE)
		put_listener(w);
	put_segments(w);
	if (w->mode == TALK_CAPTURE)
		talk_put_end(w);
	else
		talk_put_other_end(w);
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
		talk_put_addr(&title, w.c->end[CV_CLIENT].bytes);
		strbuf_printf(&title, ":%u to ", w.c->end[CV_CLIENT].port);
		talk_put_addr(&title, w.c->end[CV_SERVER].bytes);
		strbuf_printf(&title, ":%u", w.c->end[CV_SERVER].port);
		if (!record || !put_recorded(&w, strbuf_text(&title)))
			put_talk(&w, strbuf_text(&title));
		tests++;
	}
	strbuf_free(&title);
	return tests;
}
