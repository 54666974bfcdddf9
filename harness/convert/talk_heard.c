/* SPDX-License-Identifier: MIT */
/*
 * What our own host sent, as a recording has it, against what the capture's host sent: the texts of
 * the capture's wait until our host has sent theirs, and stay as remarks where it did not.
 */
#include "convert/talk.h"

#include "packet/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
	g->seq = read_be32(p + 4) - w->live_isn + talk_isn_of(w, w->host);
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
	u32 at = g->seq + (g->flags & CV_SYN ? 1 : 0) - talk_isn_of(w, w->host) - 1;
	u64 wait = h->time > w->reached ? h->time - w->reached : 0;

	strbuf_printf(w->out, "  peer:expect(%s, { within = \"%" PRIu64 "ms\"", text,
		      wait / 1000000 + 2);
	if (g->len && (u64)at + g->len <= talk_host_stream(w)->len)
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
	talk_put_segment(w, &g);
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
void talk_put_at(struct talk *w)
{
	put_heard(w, w->now);
	strbuf_printf(w->out, "  at(%" PRIu64 ")\n", w->now);
	if (w->mode == TALK_DRIVE)
		strbuf_puts(w->out, "  listen()\n");
	if (w->now > w->reached)
		w->reached = w->now;
}
