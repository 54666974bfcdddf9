/* SPDX-License-Identifier: MIT */
/*
 * The application's calls, read from what its host sent: a write ends where a segment has PSH, FIN
 * is a shutdown (a close, if a reset follows), a reset that acknowledges is a close that does not
 * linger. It reads all there is at once.
 */
#include "convert/talk.h"

#include <inttypes.h>
#include <stdio.h>

/* A call of the application. Ours may have no connection where the capture's had one. */
static void put_app(struct talk *w, const char *body)
{
	strbuf_printf(w->out,
		      w->mode == TALK_CAPTURE ? "  app(function() %s end)\n" :
						"  app(function() if conn then %s end end)\n",
		      body);
}

void talk_put_connected(struct talk *w)
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
	const struct cv_stream *s = talk_host_stream(w);
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

	talk_put_connected(w);
	/* With TCP_CORK the last bytes wait for the FIN that takes them along. */
	if (fin)
		put_app(w, "conn:try(\"option\", \"TCP_CORK\", 1)");
	snprintf(body, sizeof(body), "conn:try(\"send\", out:sub(%" PRIu64 ", %" PRIu64 "))",
		 w->written + 1, stop);
	put_app(w, body);
	w->written = stop;
}

/* What the application must have done for the host to send this. */
void talk_put_call(struct talk *w, size_t i)
{
	const struct cv_segment *g = &w->c->segment[i];
	const struct cv_stream *s = talk_host_stream(w);
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
		talk_put_connected(w);
		put_app(w, resets_later(w, i) ?
				   "conn:try(\"shutdown\", \"rd\") conn:try(\"close\")" :
				   "conn:try(\"shutdown\", \"wr\")");
		w->closed = true;
	}
}

/* The window is closed, and the host's next segment probes it: there is something to be sent. */
void talk_put_call_before_probe(struct talk *w, size_t i)
{
	const struct cv_stream *s = talk_host_stream(w);
	u32 probe = s->isn + (u32)w->written;

	for (i++; i < w->c->count && w->c->segment[i].side != w->host;)
		i++;
	if (i < w->c->count && !w->c->segment[i].len && w->c->segment[i].seq == probe &&
	    w->written && w->written < s->len && !w->closed)
		put_write(w, i);
}
