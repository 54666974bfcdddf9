/* SPDX-License-Identifier: MIT */
/*
 * Recording a run as a script. Lines are kept in the order in which they happened: an event that
 * waits for its time has its place when that has come, so that what the host does before (a timer's
 * packet) stands in front of it. All times are absolute. Invariant: each event of the script but
 * its outbound packets and code blocks gives one line, at most.
 */
#include "packetdrill/record.h"

#include "packetdrill/bytes.h"
#include "packetdrill/runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARGUMENTS 8

/* What a call has given. */
struct outcome {
	bool ended;
	s64 ret;
	u64 end_ns;
	size_t first, count; /* these are `arguments` */
	char *arguments; /* NULL: all are as the script has them */
};

struct line {
	u64 time_ns;
	const struct pd_event *event; /* NULL: the text is the line */
	struct outcome outcome;
	char *text;
	struct pd_frame frame; /* bytes: the text is still to be made of it */
};

struct pd_recorder {
	bool info;
	struct line *line;
	size_t count, rendered;
	/* The event that waits for its time; NULL: it has its place. */
	const struct pd_event *pending;
	u64 pending_ns;
};

/* Fields that say what TCP thinks, and neither how fast the machine is nor how large its memory. */
static const char *const info_fields[] = {
	"tcpi_state",	      "tcpi_ca_state",	    "tcpi_retransmits",
	"tcpi_probes",	      "tcpi_backoff",	    "tcpi_options",
	"tcpi_snd_wscale",    "tcpi_snd_mss",	    "tcpi_rcv_mss",
	"tcpi_unacked",	      "tcpi_sacked",	    "tcpi_lost",
	"tcpi_retrans",	      "tcpi_pmtu",	    "tcpi_snd_ssthresh",
	"tcpi_snd_cwnd",      "tcpi_advmss",	    "tcpi_reordering",
	"tcpi_total_retrans", "tcpi_bytes_acked",   "tcpi_bytes_received",
	"tcpi_segs_in",	      "tcpi_notsent_bytes", "tcpi_delivered",
	"tcpi_delivered_ce",  "tcpi_bytes_sent",    "tcpi_bytes_retrans",
	"tcpi_dsack_dups",    "tcpi_reord_seen",    "tcpi_rcv_ooopack",
	"tcpi_snd_wnd",	      "tcpi_total_rto",	    "tcpi_total_rto_recoveries",
};

struct pd_recorder *pd_recorder_new(bool info)
{
	struct pd_recorder *rec = xrealloc(NULL, sizeof(*rec));

	*rec = (struct pd_recorder){ .info = info };
	return rec;
}

void pd_recorder_free(struct pd_recorder *rec)
{
	size_t i;

	for (i = 0; i < rec->count; i++) {
		free(rec->line[i].text);
		free(rec->line[i].outcome.arguments);
		free(rec->line[i].frame.bytes);
		packet_free(rec->line[i].frame.packet);
	}
	free(rec->line);
	free(rec);
}

static void add_line(struct pd_recorder *rec, u64 time_ns, const struct pd_event *e,
		     const char *text)
{
	rec->line = xrealloc(rec->line, (rec->count + 1) * sizeof(*rec->line));
	rec->line[rec->count++] = (struct line){ .time_ns = time_ns,
						 .event = e,
						 .text = text ? xstrdup(text) : NULL };
}

/* -- What the run tells -- */

static void put_field(void *ctx, const char *name, u64 value)
{
	struct strbuf *out = ctx;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(info_fields); i++) {
		if (strcmp(info_fields[i], name) == 0)
			strbuf_printf(out, "assert %s == %" PRIu64 ", %s\n", name, value, name);
	}
}

/* The state of the socket under test between two events. */
static void add_info(struct pd_run *r)
{
	int fd = r->under_test ? r->under_test->live_fd : -1;
	struct strbuf text = { 0 };

	strbuf_puts(&text, "%{\n");
	if (fd >= 0 && r->under_test->protocol == IPPROTO_TCP &&
	    pd_info_each(r, fd, put_field, &text)) {
		strbuf_puts(&text, "}%");
		add_line(r->recorder, pd_now(r), NULL, strbuf_text(&text));
	}
	strbuf_free(&text);
}

static void place(struct pd_recorder *rec)
{
	if (rec->pending)
		add_line(rec, rec->pending_ns, rec->pending, NULL);
	rec->pending = NULL;
}

/* As the expectation of this packet would have done. */
static void learn(struct pd_flow *f, const u8 *tcp, u32 header)
{
	u16 flags = (u16)(pd_get16(tcp + 12) & 0x1ff);
	u32 at, len, known;

	if (flags & PD_TCP_SYN) {
		if (!f->local_known)
			f->live_local_isn = pd_get32(tcp + 4);
		f->local_known = true;
		if (f->state == PD_FLOW_CONNECTING)
			f->state = PD_FLOW_SYN_SENT;
		else if (f->state == PD_FLOW_SYN_RECEIVED)
			f->state = PD_FLOW_SYNACK_SENT;
	}
	for (at = 20; at + 10 <= header; at += len) {
		u32 live = pd_get32(tcp + at + 2);

		len = tcp[at] < 2 ? 1 : tcp[at + 1];
		if (tcp[at] == 8 && len == 10 && !pd_ts_to_script(f, live, &known))
			pd_ts_learn(f, f->ts_count ? live - f->ts[0].live + f->ts[0].script : 100,
				    live);
		if (!len)
			break;
	}
}

static void put_ecn(struct strbuf *out, const struct packet *p)
{
	static const char *const names[] = { "", "[ect1] ", "[ect0] ", "[ce] " };
	const struct packet_layer *ip = p->layer[0];

	strbuf_puts(out,
		    names[packet_get_uint(ip, ip->proto == PACKET_IP6 ? "tclass" : "tos", 0) & 3]);
}

/* A frame as the script has to expect it; false: no script packet says that. */
static bool put_packet(struct pd_run *r, struct pd_flow *f, const struct pd_frame *frame,
		       struct strbuf *out)
{
	const struct packet *p = frame->packet;
	int tcp = packet_find(p, PACKET_TCP, 0, 0), udp = packet_find(p, PACKET_UDP, 0, 0);
	struct strbuf text = { 0 };

	if (tcp >= 0 && !p->layer[tcp]->reason) {
		const struct packet_layer *l = p->layer[tcp];

		learn(f, frame->bytes + l->start, (u32)(l->body - l->start));
		pd_show_frame(r, f, p, &text);
		strbuf_puts(out, "> ");
		put_ecn(out, p);
		strbuf_puts(out, strbuf_text(&text) + 2);
		strbuf_free(&text);
		return true;
	}
	if (udp < 0)
		return false;
	strbuf_printf(out, "> udp (%" PRIu64 ")", packet_get_uint(p->layer[udp], "len", 8) - 8);
	return true;
}

void pd_record_frame(struct pd_run *r, const struct pd_frame *frame)
{
	struct pd_recorder *rec = r->recorder;
	u64 time = frame->time_ns - r->start_ns;
	struct pd_frame *copy;

	if (rec->pending && time >= rec->pending_ns)
		place(rec);
	add_line(rec, time, NULL, NULL);
	copy = &rec->line[rec->count - 1].frame;
	copy->len = frame->len;
	copy->bytes = xrealloc(NULL, frame->len + !frame->len);
	memcpy(copy->bytes, frame->bytes, frame->len);
	copy->packet = packet_parse(PACKET_LINK_RAW, copy->bytes, copy->len, copy->len);
}

/*
 * The text of a frame, when the event is over that it may be an answer to: only then its flow knows
 * what its numbers count from, and what the script calls its time stamps.
 */
static void render(struct pd_run *r, struct line *l)
{
	struct pd_flow *f = pd_flow_of_frame(r, l->frame.packet);
	struct strbuf text = { 0 };

	/* The script packet would be taken for one of the flow under test. */
	if (f && put_packet(r, f, &l->frame, &text) && f == r->under_test)
		l->text = xstrdup(strbuf_text(&text));
	strbuf_free(&text);
}

static void render_all(struct pd_run *r)
{
	struct pd_recorder *rec = r->recorder;

	for (; rec->rendered < rec->count; rec->rendered++) {
		if (rec->line[rec->rendered].frame.bytes)
			render(r, &rec->line[rec->rendered]);
	}
}

void pd_record_event(struct pd_run *r, const struct pd_event *e)
{
	u64 due_ns, until_ns;
	struct pd_recorder *rec = r->recorder;
	bool outbound = e->kind == PD_PACKET && e->packet.direction == PD_OUTBOUND;

	pd_due(r, &e->time, &due_ns, &until_ns);
	if (rec->info)
		add_info(r);
	/* The script's packets may still name the time stamps of the frames. */
	if (!outbound)
		render_all(r);
	rec->pending = outbound || e->kind == PD_CODE ? NULL : e;
	rec->pending_ns = due_ns > pd_now(r) ? due_ns : pd_now(r);
}

void pd_record_done(struct pd_run *r)
{
	place(r->recorder);
}

void pd_record_end(struct pd_run *r)
{
	render_all(r);
}

static struct outcome *outcome_of(struct pd_run *r, const struct pd_event *e)
{
	struct pd_recorder *rec = r->recorder;
	size_t i;

	place(rec);
	for (i = rec->count; i-- > 0;) {
		if (rec->line[i].event == e)
			return &rec->line[i].outcome;
	}
	return NULL;
}

void pd_record_result(struct pd_run *r, const struct pd_call *c)
{
	struct outcome *o = outcome_of(r, c->event);

	if (!o)
		return;
	o->ended = true;
	o->ret = c->op.ret;
	o->end_ns = c->done_ns;
}

bool pd_record_arguments(struct pd_run *r, const struct pd_event *e, size_t first, size_t count,
			 const char *text)
{
	struct outcome *o = r->recorder ? outcome_of(r, e) : NULL;

	if (o && !o->arguments) {
		o->first = first;
		o->count = count;
		o->arguments = xstrdup(text);
	}
	return r->recorder != NULL;
}

/* -- Writing -- */

/* The quote that ends a string; else the text's end. */
static const char *string_end(const char *p)
{
	for (; *p && *p != '"'; p++)
		p += *p == '\\' && p[1];
	return p;
}

/* Where each argument begins, and behind the last; false: this is no call. */
static bool split(const char *call, const char **at, size_t *count, const char **end)
{
	const char *p = strchr(call, '(');
	int depth = 0;

	*count = 0;
	for (; p && *p; p++) {
		if (*p == '"') {
			p = string_end(p + 1);
			if (!*p)
				return false;
		} else if (strchr("([{", *p)) {
			if (!depth++)
				at[(*count)++] = p + 1;
		} else if (strchr(")]}", *p)) {
			if (!--depth) {
				*end = p;
				return true;
			}
		} else if (*p == ',' && depth == 1 && *count < MAX_ARGUMENTS) {
			at[(*count)++] = p + 1;
		}
	}
	return false;
}

/* Calls that give a descriptor: the script's number stays. Others tell success with 0. */
static s64 shown_result(const struct pd_event *e, const struct outcome *o)
{
	static const char *const makers[] = { "socket", "accept",	"accept4",
					      "open",	"epoll_create", "epoll_create1" };
	static const char *const plain[] = { "ioctl", "getsockopt", "pipe", "pipe2" };
	const struct pd_expr *want = e->syscall.result;
	size_t i;

	for (i = 0; o->ret >= 0 && i < ARRAY_SIZE(makers); i++) {
		if (strcmp(makers[i], e->syscall.name.p) == 0 && want &&
		    want->kind == PD_X_NUMBER && want->num >= 0)
			return want->num;
	}
	for (i = 0; o->ret >= 0 && i < ARRAY_SIZE(plain); i++) {
		if (strcmp(plain[i], e->syscall.name.p) == 0)
			return 0;
	}
	return o->ret;
}

static void write_call(const struct line *l, struct strbuf *out)
{
	const struct outcome *o = &l->outcome;
	const char *call = l->event->source.p;
	const char *at[MAX_ARGUMENTS + 1], *end;
	size_t count;
	s64 ret;

	if (!o->ended || !split(call, at, &count, &end)) {
		strbuf_puts(out, call);
		return;
	}
	if (o->arguments && o->first + o->count <= count) {
		const char *rest = o->first + o->count < count ? at[o->first + o->count] - 1 : end;

		strbuf_add(out, call, (size_t)(at[o->first] - call));
		strbuf_printf(out, "%s%s", o->first ? " " : "", o->arguments);
		call = rest;
	}
	strbuf_add(out, call, (size_t)(end + 1 - call));
	ret = shown_result(l->event, o);
	if (ret < 0)
		strbuf_printf(out, " = -1 %s", pd_errno_name((int)-ret));
	else
		strbuf_printf(out, " = %" PRIi64, ret);
}

static void write_line(const struct line *l, struct strbuf *out)
{
	const struct pd_event *e = l->event;

	if (!e && !l->text)
		return; /* of another connection */
	if (!e || e->time.kind != PD_TIME_NONE) {
		pd_show_time(out, l->time_ns / 1000 * 1000);
		if (e && e->time.blocking && l->outcome.ended) {
			strbuf_puts(out, "...");
			pd_show_time(out, l->outcome.end_ns / 1000 * 1000);
		}
		strbuf_putc(out, ' ');
	}
	if (!e)
		strbuf_puts(out, l->text);
	else if (e->kind == PD_SYSCALL)
		write_call(l, out);
	else if (e->kind == PD_PACKET)
		strbuf_puts(out, e->source.p);
	else
		strbuf_printf(out, "`%s`", e->command.p);
	strbuf_putc(out, '\n');
}

/* Lines of the script in front of its first event: options, comments. */
static void write_head(const struct pd_script *script, const char *text, struct strbuf *out)
{
	int line = 1, first = script->events ? script->event[0].line : 1;

	while (*text && line < first) {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		strbuf_add(out, text, len);
		text += len;
		line++;
	}
}

void pd_recorder_write(const struct pd_recorder *rec, const struct pd_script *script,
		       const char *text, struct strbuf *out)
{
	size_t i;

	write_head(script, text, out);
	for (i = 0; i < rec->count; i++)
		write_line(&rec->line[i], out);
}
