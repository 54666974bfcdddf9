/* SPDX-License-Identifier: MIT */
/* What a conversation's test stands on: host, peer, sockets, streams; and what is compared in its
 * end. */
#include "convert/talk.h"

#include "convert/notation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses that a host can have on a wire of its own; others are replaced. */
static bool fits(const struct cv_addr *a)
{
	return a->len == 4 && a->bytes[0] && a->bytes[0] != 127 && a->bytes[0] < 224 &&
	       a->bytes[3] && a->bytes[3] != 255;
}

void talk_put_addr(struct strbuf *out, const u8 *a)
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

void talk_put_stage(struct talk *w)
{
	static const u8 other[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
	const struct cv_addr *host = &w->c->end[w->host], *peer = &w->c->end[!w->host];
	bool own = fits(host) && fits(peer) && memcmp(host->bytes, peer->bytes, 4);

	strbuf_puts(w->out, "  local host = net.host { addr = \"");
	talk_put_addr(w->out, own ? host->bytes : other[0]);
	strbuf_printf(w->out,
		      "/24\"%s }\n  host:route { dst = \"default\", dev = 2 }\n"
		      "  local peer = host.wire:peer { addr = \"",
		      w->raw ? ", model = \"tun\"" : "");
	talk_put_addr(w->out, own ? peer->bytes : other[1]);
	strbuf_printf(w->out, "\", port = %u, isn = %u }:to(%u)\n", peer->port,
		      talk_isn_of(w, !w->host), host->port);
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
	talk_put_addr(w->out, own ? peer->bytes : other[1]);
	strbuf_printf(w->out, "\", %u) then read(conn) end\n  end)\n", peer->port);
	w->connected = true;
}

/* A stream as text, from which the segments' bytes are taken. */
void talk_put_stream(struct strbuf *out, const char *name, const struct cv_stream *s)
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
void talk_put_other_end(struct talk *w)
{
	w->now += AFTERWARDS_NS;
	talk_put_at(w);
	if (w->mode == TALK_DRIVE) {
		strbuf_printf(
			w->out,
			"  local all = table.concat(%s)\n"
			"  print("
			"\"received\", #all, all == (%s):sub(1, #all) and \"same\" or \"other\")\n"
			"  t:ok(true)\nend)\n",
			w->refused ? "{}" : "received", talk_peer_stream(w)->len ? "into" : "\"\"");
		return;
	}
	strbuf_puts(w->out, "  peer:expect_nothing()\n");
	if (w->delivered != talk_peer_stream(w)->len)
		strbuf_printf(w->out, "  -- the capture's application was sent %" PRIu64 " bytes\n",
			      talk_peer_stream(w)->len);
	if (w->other_bytes)
		strbuf_printf(w->out,
			      "  -- not the bytes that the capture has first\n"
			      "  t:is(#table.concat(received), %" PRIu64 ")\n",
			      w->delivered);
	else if (!w->refused && w->delivered && w->delivered <= talk_peer_stream(w)->len)
		strbuf_printf(w->out, "  t:is(table.concat(received), into:sub(1, %" PRIu64 "))\n",
			      w->delivered);
	strbuf_puts(w->out, "  t:ok(true)\nend)\n");
}

void talk_put_end(const struct talk *w)
{
	const struct cv_stream *s = talk_peer_stream(w);
	u64 len = s->len;
	bool over = (s->fin || s->rst) &&
		    (talk_host_stream(w)->fin || talk_host_stream(w)->rst || s->rst);

	for (size_t i = s->count; i-- > 0;)
		len = s->extent[i].bytes ? len : s->extent[i].off;
	if (over)
		strbuf_puts(w->out, "  peer:expect_nothing { during = \"1s\" }\n");
	else
		strbuf_puts(w->out, "  net.sleep \"1ms\"\n");
	if (!w->refused && len && !talk_host_stream(w)->rst)
		strbuf_printf(w->out, "  t:is(table.concat(received), into:sub(1, %" PRIu64 "))\n",
			      len);
	strbuf_puts(w->out, "end)\n");
}
