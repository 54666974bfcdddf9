/* SPDX-License-Identifier: MIT */
/*
 * tcp_state_machine: what the host sends. Learns from it where the host stands, and holds it to
 * this: data is what the application wrote, again and again the same, never beyond what it wrote or
 * the peer's window; no data after FIN, FIN only where writing ended; acknowledgements name only
 * what was sent; the announced right edge stays.
 */
#include "tcp_scenario.h"

#include <stdio.h>

#include "stack/socket.h"

#define COOKIE_MSS_MAX 1460u /* the largest that a cookie can say of IPv4 */

struct seen {
	u32 seq, ack, win, len;
	u8 flags;
	const u8 *payload;
	s32 wscale; /* -1: no such option */
	bool ts;
	u32 ts_val;
};

/* The codec has found the frame well-formed. */
static void parse_options(struct seen *s, const u8 *p, u32 len)
{
	u32 i = 0;

	s->wscale = -1;
	while (i < len && p[i] != 0) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		FUZZ_CHECK(i + 1 < len && p[i + 1] >= 2 && i + p[i + 1] <= len,
			   "a TCP option of a wrong length was sent");
		if (p[i] == 3)
			s->wscale = p[i + 2];
		if (p[i] == 8) {
			s->ts = true;
			s->ts_val = get32(p + i + 2);
		}
		i += p[i + 1];
	}
}

/* A SYN or SYN-ACK of the host: where its stream begins. */
static void saw_syn(struct scenario *sc, struct conn *c, const struct seen *s)
{
	if (!c->open || c->isn != s->seq) {
		/* With cookies several may stand at once. */
		if ((sc->host & 3) == 0)
			c->isn_count = 0;
		c->isns[c->isn_count++ % ISNS] = s->seq;
		c->fin_seen = false;
		c->reborn = false;
		c->field_full = false;
		c->peer_edge = s->seq + 1;
		c->acked = s->seq;
		c->snd_nxt = s->seq + 1;
		c->rsts = 0;
	}
	c->open = true;
	c->isn = s->seq;
	c->edge_known = false;
	c->wscale = s->wscale > 0 && ((s->flags & ACK) || sc->peer_ws) ? (u8)s->wscale : 0;
	if (c->wscale > 14)
		fuzz_fail("a window scale above 14");
}

static bool is_place(const struct conn *c, u32 conn, const struct seen *s, u32 isn)
{
	u32 off = s->seq - isn - 1;

	if (off > c->limit || s->len > c->limit - off)
		return false;
	for (u32 i = 0; i < s->len; i++)
		if (s->payload[i] != host_byte(conn, off + i))
			return false;
	return true;
}

static void saw_data(struct conn *c, u32 conn, const struct seen *s)
{
	u32 n = c->isn_count < ISNS ? c->isn_count : ISNS, isn = c->isn;
	bool found = c->isn_count > ISNS; /* forgotten ones */

	for (u32 i = 0; i < n && !found; i++) {
		isn = c->isns[i];
		found = is_place(c, conn, s, isn);
	}
	FUZZ_CHECK(found, "data was sent that was not written there");
	FUZZ_CHECK(n > 1 || seq_le(s->seq + s->len, c->peer_edge),
		   "data was sent beyond the peer's window");
	FUZZ_CHECK(n > 1 || !c->fin_seen || s->seq + s->len - isn - 1 <= c->fin_off,
		   "data was sent behind FIN");
}

static void saw_fin(struct conn *c, const struct seen *s)
{
	u32 off = s->seq + s->len - c->isn - 1;

	if (c->isn_count != 1)
		return;
	FUZZ_CHECK(off == c->written, "FIN is not where writing ended");
	FUZZ_CHECK(!c->fin_seen || off == c->fin_off, "FIN moved");
	c->fin_seen = true;
	c->fin_off = off;
}

/*
 * Linux gives the window up when it has no memory at all (RFC 9293 3.8.6 allows it). Without
 * scaling TIME-WAIT cuts off what the field can not say (docs/divergences.md, SHLD-14).
 * of_cookie: the edge that is known is that of a cookie's SYN-ACK, which counted it in our MSS; the
 * connection counts it in the cookie's (cookie_v4_check).
 */
static void check_edge(const struct conn *c, const struct seen *s, u32 edge, bool of_cookie)
{
	/* Time-wait and request sockets round down to the unit. */
	u32 slack = (1u << c->wscale) - 1 + (of_cookie ? COOKIE_MSS_MAX - 1 : 0);

	if (!c->edge_known || c->reborn || !s->win || s->flags & SYN || c->isn_count != 1)
		return;
	if (c->fin_seen && c->field_full)
		return;
	FUZZ_CHECK(seq_le(c->edge, edge + slack), "the window's right edge went back");
}

static void saw_ack(const struct scenario *sc, struct conn *c, const struct seen *s)
{
	u32 edge = s->ack + (s->flags & SYN ? s->win : s->win << c->wscale);
	bool of_cookie = c->answered && !(s->flags & SYN) && has_cookies(sc), found = false;

	for (u32 i = c->sent_count; i-- > 0 && !found;)
		found = s->ack - c->sent[i].seq <= c->sent[i].end - c->sent[i].seq;
	FUZZ_CHECK(found, "something was acknowledged that was not sent");
	if (s->flags & RST)
		return;
	check_edge(c, s, edge, of_cookie);
	c->field_full = c->field_full || (s->win == 65535 && !c->wscale);
	if (!c->edge_known || !s->win || of_cookie || seq_le(c->edge, edge))
		c->edge = edge;
	c->edge_known = true;
	c->answered = s->flags & SYN;
	c->rcv_nxt = s->ack;
}

void saw_frame(struct fuzz_world *f, const u8 *frame, u32 len)
{
	struct scenario *sc = f->ctx;
	const u8 *ip = frame + 14, *th;
	struct seen s = { 0 };
	struct conn *c = NULL;
	u32 conn, total, doff;

	if (len < 54 || frame[12] != 8 || frame[13] || ip[9] != IPPROTO_TCP || (ip[6] & 0x3f) ||
	    ip[7])
		return;
	total = (u32)ip[2] << 8 | ip[3];
	th = ip + (ip[0] & 15) * 4;
	for (conn = 0; conn < CONNS && !c; conn++)
		if (sc->c[conn].sport == ((u32)th[2] << 8 | th[3]) &&
		    sc->c[conn].dport == ((u32)th[0] << 8 | th[1]))
			c = &sc->c[conn];
	if (!c)
		fprintf(stderr, "from %u to %u\n", (u32)th[0] << 8 | th[1],
			(u32)th[2] << 8 | th[3]);
	if (!c)
		fuzz_fail("a segment was sent to nobody");
	conn--;
	doff = (th[12] >> 4) * 4u;
	s.seq = get32(th + 4);
	s.ack = get32(th + 8);
	s.flags = th[13];
	s.win = (u32)th[14] << 8 | th[15];
	s.payload = th + doff;
	s.len = total - (ip[0] & 15u) * 4 - doff;
	parse_options(&s, th + 20, doff - 20);
	FUZZ_CHECK((s.flags & (SYN | FIN)) != (SYN | FIN) &&
			   (s.flags & (RST | FIN)) != (RST | FIN) &&
			   (s.flags & (RST | SYN)) != (RST | SYN),
		   "flags that go not together were sent");
	if (s.ts) {
		c->ts_recent = s.ts_val;
		c->ts_seen = true;
	}
	if (s.flags & SYN)
		saw_syn(sc, c, &s);
	if (s.flags & RST) {
		FUZZ_CHECK(!s.len, "RST with data was sent");
		c->rsts++;
		may_have_ended(sc, c);
	}
	if (s.flags & ACK)
		saw_ack(sc, c, &s);
	else
		FUZZ_CHECK(s.flags & (SYN | RST), "a segment without ACK was sent");
	if (s.len && !(s.flags & SYN))
		saw_data(c, conn, &s);
	if (s.flags & FIN)
		saw_fin(c, &s);
	if (!(s.flags & RST)) {
		u32 end = s.seq + s.len + ((s.flags & (SYN | FIN)) != 0);

		if (seq_le(c->snd_nxt, end))
			c->snd_nxt = end;
	}
}
