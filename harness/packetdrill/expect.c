/* SPDX-License-Identifier: MIT */
/*
 * Outbound script packets: the next frame of the host must be that packet, at its time. Frames of
 * other connections are passed over, as packetdrill does; where the script writes ports they are a
 * failure.
 */
#include "packetdrill/bytes.h"

#include "packetdrill/segments.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The parts of a frame's TCP header. */
struct tcp_view {
	const u8 *bytes; /* the header */
	u32 header;
	u32 len; /* payload that is left */
	u32 seq; /* of what is left */
	u32 ack;
	u16 flags, win, urg;
	bool cut; /* a part of it has been matched before */
};

static bool view_of(const struct pd_frame *fr, struct tcp_view *v)
{
	int at = packet_find(fr->packet, PACKET_TCP, 0, 0);
	const struct packet_layer *l;

	if (at < 0)
		return false;
	l = fr->packet->layer[at];
	if (l->reason || l->body > fr->len || l->end > fr->len)
		return false;
	v->bytes = fr->bytes + l->start;
	v->header = (u32)(l->body - l->start);
	v->seq = pd_get32(v->bytes + 4) + fr->taken;
	v->ack = pd_get32(v->bytes + 8);
	v->flags = (u16)(pd_get16(v->bytes + 12) & 0x1ff);
	v->win = (u16)pd_get16(v->bytes + 14);
	v->urg = (u16)pd_get16(v->bytes + 18);
	v->len = (u32)(l->end - l->body) - fr->taken;
	v->cut = fr->taken != 0;
	return true;
}

void pd_frame_add(struct pd_run *r, u64 time_ns, const u8 *bytes, u32 len)
{
	if (r->frame_count == r->frame_size) {
		r->frame_size = r->frame_size ? 2 * r->frame_size : 16;
		r->frames = xrealloc(r->frames, r->frame_size * sizeof(*r->frames));
	}
	r->frames[r->frame_count] = (struct pd_frame){
		.time_ns = time_ns,
		.bytes = xrealloc(NULL, len + !len),
		.len = len,
		.packet = packet_parse(PACKET_LINK_RAW, bytes, len, len),
	};
	memcpy(r->frames[r->frame_count++].bytes, bytes, len);
}

void pd_frame_drop(struct pd_run *r)
{
	struct pd_frame *f = &r->frames[0];

	free(f->bytes);
	packet_free(f->packet);
	memmove(f, f + 1, --r->frame_count * sizeof(*f));
}

/* -- Waiting -- */

/*
 * Takes the expected encapsulations off the first frame, or forgets it: what goes out without them,
 * or in others, is not of this packet's connection. What was different is told when nothing comes.
 */
static void unwrap(struct pd_run *r, const struct pd_expectation *x)
{
	struct pd_frame *fr = &r->frames[0];
	struct strbuf what = { 0 };
	u32 inner = 0;

	if (!pd_encap_take(r, &x->event->packet, fr->bytes, fr->len, &inner, &what)) {
		strbuf_clear(&r->diff);
		strbuf_printf(&r->diff, "a frame went out in another encapsulation: %s",
			      strbuf_text(&what));
		pd_frame_drop(r);
	} else {
		fr->len -= inner;
		memmove(fr->bytes, fr->bytes + inner, fr->len);
		packet_free(fr->packet);
		fr->packet = packet_parse(PACKET_LINK_RAW, fr->bytes, fr->len, fr->len);
		fr->unwrapped = true;
		strbuf_clear(&r->diff);
	}
	strbuf_free(&what);
}

/*
 * The flow of the first frame that counts for the expectation; NULL: none is here yet. As with
 * packetdrill, what other sockets send is passed over; but where the script writes ports it speaks
 * of all its flows.
 */
static struct pd_flow *next_frame(struct pd_run *r, const struct pd_expectation *x)
{
	const struct pd_flow *wanted = x->flow;
	struct pd_flow *f;

	while (r->frame_count) {
		if (x->event->packet.layers && !r->frames[0].unwrapped)
			unwrap(r, x);
		if (!r->frame_count)
			break;
		f = pd_flow_of_frame(r, r->frames[0].packet);
		if (f && (f == wanted || f->script_ports))
			return f;
		pd_frame_drop(r);
	}
	return NULL;
}

bool pd_expect_missing(struct pd_run *r, const struct pd_expectation *x)
{
	struct pd_flow *f = next_frame(r, x);
	struct strbuf got = { 0 };
	struct strbuf when = { 0 };
	bool ok;

	if (f) {
		pd_show_time(&when, r->frames[0].time_ns - r->start_ns);
		strbuf_printf(&got, "%s ", strbuf_text(&when));
		pd_show_frame(r, f, r->frames[0].packet, &got);
	} else {
		strbuf_puts(&got, "(no packet)");
	}
	strbuf_clear(&when);
	pd_show_time(&when, x->limit_ns);
	ok = pd_fail(r, x->event, strbuf_text(&got), x->event->source.p,
		     "no packet came until %s%s", strbuf_text(&when),
		     f ? "; the next one came later" : "");
	strbuf_free(&got);
	strbuf_free(&when);
	return ok;
}

static bool mismatch(struct pd_run *r, const struct pd_event *e, const struct pd_flow *f,
		     const char *what)
{
	struct strbuf got = { 0 };
	bool ok;

	pd_show_time(&got, r->frames[0].time_ns - r->start_ns);
	strbuf_putc(&got, ' ');
	pd_show_frame(r, f, r->frames[0].packet, &got);
	if (!r->diff.len)
		strbuf_puts(&r->diff, what);
	pd_show_details(r, &r->details);
	ok = pd_fail(r, e, strbuf_text(&got), e->source.p,
		     "the host sent another packet than the script: %s", what);
	strbuf_free(&got);
	return ok;
}

/* -- Comparing -- */

static bool differs(struct strbuf *what, const char *field, u32 want, u32 got)
{
	if (want == got)
		return false;
	strbuf_printf(what, "%s: expected %" PRIu32 ", got %" PRIu32, field, want, got);
	return true;
}

static void learn_isn(struct pd_flow *f, const struct tcp_view *v)
{
	if (!(v->flags & PD_TCP_SYN) || f->local_known)
		return;
	f->local_known = true;
	f->live_local_isn = v->seq;
}

/* Options must be there exactly as written and in that order; time stamps have names. */
static bool options_differ(struct pd_run *r, struct pd_flow *f, const struct pd_packet *p,
			   const struct tcp_view *v, struct strbuf *what)
{
	const struct pd_option *o = NULL;
	u8 want[PD_MAX_OPTION_BYTES] = { 0 };
	const u8 *got = v->bytes + 20;
	u32 got_len = v->header - 20;
	u32 len, script_ts;
	int ts;

	if (p->tcp.any_options)
		return false;
	len = pd_options_build(r, f, p, want, &ts, &o);
	if (ts >= 0 && len == got_len && got[ts - 2] == 8) {
		u32 live = pd_get32(got + ts);

		script_ts = pd_get32(want + ts);
		if (o->ts_val_any)
			script_ts = live;
		else
			pd_ts_learn(f, script_ts, live);
		memcpy(want + ts, got + ts, o->ts_ecr_any ? 8 : 4);
		if (r->settings->ts_tick_us && f->ts_count && !o->ts_val_any) {
			s64 want_us =
				(s64)(s32)(script_ts - f->ts[0].script) * r->settings->ts_tick_us;
			s64 got_us = (s64)(s32)(live - f->ts[0].live) * 1000;
			u64 off = (u64)(want_us > got_us ? want_us - got_us : got_us - want_us);

			if (off * 1000 > r->settings->tolerance_ns) {
				strbuf_printf(what,
					      "TS val: expected %" PRIi64 " us after the first, "
					      "got %" PRIi64 " us",
					      want_us, got_us);
				return true;
			}
		}
	}
	if (len == got_len && memcmp(want, got, len) == 0)
		return false;
	strbuf_puts(what, "the TCP options differ");
	return true;
}

bool pd_tos_differs(const struct pd_ip_marks *m, u32 tos, struct strbuf *what)
{
	u32 ecn = tos & 3;

	if (m->has_tos && differs(what, "tos", m->tos, tos))
		return true;
	switch (m->ecn) {
	case PD_ECN_UNSPECIFIED:
		return false;
	case PD_ECN_NOECN:
		return differs(what, "ecn", 0, ecn);
	case PD_ECN_ECT0:
		return differs(what, "ecn", 2, ecn);
	case PD_ECN_ECT1:
		return differs(what, "ecn", 1, ecn);
	case PD_ECN_ECT01:
		if (ecn == 1 || ecn == 2)
			return false;
		return differs(what, "ecn", 2, ecn);
	case PD_ECN_CE:
		return differs(what, "ecn", 3, ecn);
	}
	return false;
}

static bool marks_differ(const struct pd_ip_marks *m, const struct packet *p, struct strbuf *what)
{
	const struct packet_layer *ip = p->count ? p->layer[0] : NULL;
	bool v6 = ip && ip->proto == PACKET_IP6;

	if (!ip || (ip->proto != PACKET_IP && !v6))
		return true;
	if (pd_tos_differs(m, (u32)packet_get_uint(ip, v6 ? "tclass" : "tos", 0), what))
		return true;
	if (m->has_ttl &&
	    differs(what, "ttl", m->ttl, (u32)packet_get_uint(ip, v6 ? "hlim" : "ttl", 0)))
		return true;
	return m->has_flow_label && v6 &&
	       differs(what, "flow label", m->flow_label, (u32)packet_get_uint(ip, "flow", 0));
}

static u16 want_flags(const struct pd_tcp *t)
{
	return t->ace >= 0 ? (u16)(t->flags | (u16)t->ace << 6) : t->flags;
}

/* What does not change from piece to piece of a segment. */
static bool header_differs(struct pd_run *r, struct pd_flow *f, const struct pd_packet *p,
			   const struct tcp_view *v, const struct packet *packet,
			   struct strbuf *what)
{
	const struct pd_tcp *t = &p->tcp;
	bool syn = v->flags & PD_TCP_SYN;

	if (t->has_ack && differs(what, "ack", t->ack, pd_remote_to_script(f, v->ack, syn)))
		return true;
	if (t->has_win && differs(what, "win", t->win, v->win))
		return true;
	if (differs(what, "urg", t->has_urg ? t->urg : 0, v->urg))
		return true;
	return marks_differ(&p->marks, packet, what) || options_differ(r, f, p, v, what);
}

static void tell_segment(const struct pd_segment *want, const struct pd_segment *got,
			 struct strbuf *what)
{
	if (differs(what, "seq", want->seq, got->seq) ||
	    differs(what, "payload", want->len, got->len))
		return;
	strbuf_puts(what, "the flags differ");
}

/* One frame against what is left of a TCP script packet; 1: complete, 0: more must come, -1: no. */
static int match_tcp(struct pd_run *r, const struct pd_event *e, struct pd_flow *f,
		     struct pd_segment *want, bool first)
{
	struct pd_frame *fr = &r->frames[0];
	struct strbuf what = { 0 };
	struct pd_segment got, was = *want;
	struct tcp_view v;
	u32 taken = 0;
	int result = -1;

	if (!view_of(fr, &v)) {
		mismatch(r, e, f, "it is no whole TCP segment");
		return -1;
	}
	learn_isn(f, &v);
	got = (struct pd_segment){ pd_local_to_script(f, v.seq, v.flags & PD_TCP_SYN), v.len,
				   v.flags };
	switch (header_differs(r, f, &e->packet, &v, fr->packet, &what) ?
			PD_SEGMENT_DIFFERS :
			pd_segment_match(want, &got, first, r->settings->strict_segments, &taken)) {
	case PD_SEGMENT_WHOLE:
		pd_frame_drop(r);
		result = 1;
		break;
	case PD_SEGMENT_PART:
		pd_frame_drop(r);
		result = 0;
		break;
	case PD_SEGMENT_CUT:
		fr->taken += taken;
		result = 1;
		break;
	case PD_SEGMENT_DIFFERS:
		if (!what.len)
			tell_segment(&was, &got, &what);
		mismatch(r, e, f, strbuf_text(&what));
		break;
	}
	strbuf_free(&what);
	return result;
}

/* What came is as it must be, and taken; or not: what differs. */
static int verdict(struct pd_run *r, const struct pd_event *e, struct pd_flow *f, bool bad,
		   struct strbuf *what)
{
	if (bad)
		mismatch(r, e, f, strbuf_text(what));
	else
		pd_frame_drop(r);
	strbuf_free(what);
	return bad ? -1 : 1;
}

static int match_udp(struct pd_run *r, const struct pd_event *e, struct pd_flow *f)
{
	const struct packet *p = r->frames[0].packet;
	int at = packet_find(p, PACKET_UDP, 0, 0);
	struct strbuf what = { 0 };
	bool bad;

	if (at < 0) {
		mismatch(r, e, f, "it is no UDP datagram");
		return -1;
	}
	bad = differs(&what, "payload", e->packet.udp_len,
		      (u32)packet_get_uint(p->layer[at], "len", 8) - 8) ||
	      marks_differ(&e->packet.marks, p, &what);
	return verdict(r, e, f, bad, &what);
}

static int match_icmp(struct pd_run *r, const struct pd_event *e, struct pd_flow *f)
{
	const struct packet *p = r->frames[0].packet;
	const struct pd_icmp *c = &e->packet.icmp;
	int at = packet_find(p, c->v6 ? PACKET_ICMP6 : PACKET_ICMP, 0, 0);
	struct strbuf what = { 0 };
	bool bad;

	if (at < 0) {
		mismatch(r, e, f, "it is no ICMP message");
		return -1;
	}
	bad = differs(&what, "type", c->type, (u32)packet_get_uint(p->layer[at], "type", 256)) ||
	      differs(&what, "code", c->code, (u32)packet_get_uint(p->layer[at], "code", 256)) ||
	      (c->has_mtu &&
	       differs(&what, "mtu", c->mtu, (u32)packet_get_uint(p->layer[at], "mtu", 0))) ||
	      marks_differ(&e->packet.marks, p, &what);
	return verdict(r, e, f, bad, &what);
}

/* The IP packet's bytes, all of them. */
static int match_raw(struct pd_run *r, const struct pd_event *e, struct pd_flow *f)
{
	const struct pd_frame *fr = &r->frames[0];
	const struct pd_text *raw = &e->packet.raw;

	if (fr->len != raw->len || memcmp(fr->bytes, raw->p, raw->len) != 0) {
		mismatch(r, e, f, "its bytes are others");
		return -1;
	}
	pd_frame_drop(r);
	return 1;
}

static int match_frame(struct pd_run *r, const struct pd_event *e, struct pd_flow *f,
		       struct pd_segment *want, bool first)
{
	switch (e->packet.kind) {
	case PD_PACKET_TCP:
		return match_tcp(r, e, f, want, first);
	case PD_PACKET_UDP:
		return match_udp(r, e, f);
	case PD_PACKET_RAW:
		return match_raw(r, e, f);
	default:
		return match_icmp(r, e, f);
	}
}

/* The last time at which it may come. */
static u64 limit_of(const struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns)
{
	if (e->time.kind == PD_TIME_ANY)
		return PD_TIME_LIMIT;
	return (until_ns > want_ns ? until_ns : want_ns) + pd_tolerance(r, e, want_ns);
}

bool pd_expect_begin(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns,
		     struct pd_expectation *x)
{
	const struct pd_packet *p = &e->packet;
	struct pd_flow *f = pd_flow_of_script(r, p);

	if (!f)
		return pd_fail(r, e, NULL, NULL, "no socket is there for this packet");
	if (f->state == PD_FLOW_SYN_RECEIVED && (p->tcp.flags & PD_TCP_SYN) &&
	    (p->tcp.flags & PD_TCP_ACK)) {
		f->script_local_isn = p->tcp.seq;
		f->state = PD_FLOW_SYNACK_SENT;
	}
	*x = (struct pd_expectation){ .event = e,
				      .want_ns = want_ns,
				      .until_ns = until_ns,
				      .limit_ns = limit_of(r, e, want_ns, until_ns),
				      .flow = f,
				      .rest = { p->tcp.seq, p->tcp.len, want_flags(&p->tcp) },
				      .first = true };
	return true;
}

enum pd_step pd_expect_step(struct pd_run *r, struct pd_expectation *x)
{
	struct pd_flow *f;
	int done = 0;

	while (!done) {
		u64 came;

		f = next_frame(r, x);
		if (!f)
			return PD_STEP_WAIT;
		came = r->frames[0].time_ns - r->start_ns;
		if (f != x->flow) {
			mismatch(r, x->event, f, "it is of another connection");
			return PD_STEP_FAILED;
		}
		done = match_frame(r, x->event, f, &x->rest, x->first);
		if (done < 0 ||
		    !pd_check_time(r, x->event, x->want_ns, x->until_ns, came, "the packet came"))
			return PD_STEP_FAILED;
		x->first = false;
	}
	return PD_STEP_DONE;
}

bool pd_expect(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns)
{
	struct pd_expectation x;
	enum pd_step step;
	u64 limit;

	if (!pd_expect_begin(r, e, want_ns, until_ns, &x))
		return false;
	limit = x.limit_ns;
	while ((step = pd_expect_step(r, &x)) == PD_STEP_WAIT) {
		if (pd_now(r) < limit) {
			if (!pd_advance(r, limit, true))
				return false;
		} else if (r->recorder) {
			return false;
		} else if (limit == x.limit_ns) {
			/* Too late. What comes now only tells when it did. */
			pd_show_details(r, &r->details);
			limit += PD_LATE_NS;
			while (pd_now(r) < limit && !next_frame(r, &x)) {
				if (!pd_advance(r, limit, true))
					return false;
			}
			return pd_expect_missing(r, &x);
		}
	}
	return step == PD_STEP_DONE;
}
