/* SPDX-License-Identifier: MIT */
/* See converse.h. */
#include "converse/converse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "converse/play.h"
#include "replay/frame.h"

struct totals {
	u64 whole, part, unplayed;
	bool broken;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "tapline replay: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return 2;
}

/* ---- reading ---- */

static int read_all(struct conversations *all, const struct replay_options *o,
		    struct capture_reader *r)
{
	/* Checksums are not judged: every segment is written anew. */
	struct replay_options how = { .any = true, .cut = o->cut, .checksums = CHECKSUMS_TRUST_IP };
	static const u8 mac[6] = { 0x02, 0, 0, 0, 0, 1 };
	struct replay_frame *frame = malloc(sizeof(*frame));
	enum capture_status s;
	struct capture_frame f;

	if (!frame)
		abort();
	while ((s = capture_next(r, &f)) == CAPTURE_FRAME) {
		if (!f.supported || replay_frame_make(frame, &f, &how, mac) != FRAME_INJECT)
			continue;
		conversations_add(all, f.time_ns, frame->bytes, frame->len,
				  frame->cut || frame->shortened);
	}
	free(frame);
	conversations_finish(all);
	return s == CAPTURE_END ? 0 : complain(o->file, capture_error(r));
}

/* ---- writing what was played ---- */

static void tap(void *ctx, u64 time_ns, bool from_host, const u8 *packet, u32 len)
{
	struct capture_frame f = { .time_ns = time_ns, .caplen = len, .len = len, .data = packet };

	f.direction = from_host ? CAPTURE_OUT : CAPTURE_IN;
	capture_write(ctx, &f);
}

static int open_out(const struct replay_options *o, struct capture_writer **w)
{
	char error[CAPTURE_ERROR_SIZE];
	size_t len = o->out ? strlen(o->out) : 0;
	bool ng = len > 7 && !strcmp(o->out + len - 7, ".pcapng");

	if (!o->out)
		return 0;
	*w = capture_create(o->out, ng ? CAPTURE_PCAPNG : CAPTURE_PCAP_NS, PACKET_LINK_RAW, 0,
			    error);
	return *w ? 0 : complain(o->out, error);
}

/* ---- printing ---- */

static const char *const side_names[2] = { "client", "server" };

/* The notation of addresses and ports that Wireshark has. */
static void print_end(const struct cv_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text));
	printf(a->len == 4 ? "%s:%u" : "[%s]:%u", text, a->port);
}

static void print_sha(const u8 *sha)
{
	for (u32 i = 0; i < SHA256_DIGEST_SIZE; i++)
		printf("%02x", sha[i]);
}

static const char *verdict(const struct conversation *c, const struct cv_result *r)
{
	return c->unplayable ? "unplayed" : r->whole ? "whole" : "part";
}

/* What else is to be known; the names are those of the JSON. */
struct note {
	const char *name, *text;
	bool holds;
	u64 count;
};

enum { NOTES = 6 };

static void make_notes(const struct conversation *c, const struct cv_result *r, struct note *n)
{
	const struct cv_stream *s = c->stream;
	bool handshake = s[0].has_syn && s[1].has_syn;
	u64 missing = s[0].missing + s[1].missing, beyond = s[0].beyond + s[1].beyond;

	n[0] = (struct note){ "no_handshake", "no handshake in the capture", !handshake, 0 };
	n[1] = (struct note){ "missing", "bytes missing in the capture", missing > 0, missing };
	n[2] = (struct note){ "beyond", "bytes behind a hole left out", beyond > 0, beyond };
	n[3] = (struct note){ "cut", "segments cut by the snapshot length", c->cut, 0 };
	n[4] = (struct note){ "ip6", "carried over IPv6", cv_is_v6(c), 0 };
	n[5] = (struct note){ "again", "segments sent again besides", r->again > 0, r->again };
}

static void print_text(u64 number, const struct conversation *c, u32 side,
		       const struct cv_result *r, const struct replay_options *o)
{
	struct note notes[NOTES];

	make_notes(c, r, notes);
	printf("stream %llu client ", (unsigned long long)number);
	print_end(&c->end[CV_CLIENT]);
	printf(" server ");
	print_end(&c->end[CV_SERVER]);
	printf(" peer %s received %llu ", side_names[side], (unsigned long long)r->received);
	print_sha(r->received_sha);
	printf(" sent %llu ", (unsigned long long)r->sent);
	print_sha(r->sent_sha);
	if (o->digest)
		printf(" digest %016llx", (unsigned long long)r->digest);
	printf(" %s", verdict(c, r));
	if (c->unplayable || r->trouble)
		printf(": %s", c->unplayable ? c->unplayable : r->trouble);
	if (r->error)
		printf(" (error %lld)", (long long)-r->error);
	for (u32 i = 0; i < NOTES; i++) {
		if (notes[i].holds && notes[i].count)
			printf("; %llu %s", (unsigned long long)notes[i].count, notes[i].text);
		else if (notes[i].holds)
			printf("; %s", notes[i].text);
	}
	putchar('\n');
}

static void print_json(u64 number, const struct conversation *c, u32 side,
		       const struct cv_result *r, const struct replay_options *o)
{
	struct note notes[NOTES];

	make_notes(c, r, notes);
	printf("%s    {\"stream\": %llu, \"client\": \"", number ? ",\n" : "\n",
	       (unsigned long long)number);
	print_end(&c->end[CV_CLIENT]);
	printf("\", \"server\": \"");
	print_end(&c->end[CV_SERVER]);
	printf("\", \"peer\": \"%s\", \"received\": {\"bytes\": %llu, \"sha256\": \"",
	       side_names[side], (unsigned long long)r->received);
	print_sha(r->received_sha);
	printf("\"}, \"sent\": {\"bytes\": %llu, \"sha256\": \"", (unsigned long long)r->sent);
	print_sha(r->sent_sha);
	printf("\"}, \"verdict\": \"%s\"", verdict(c, r));
	if (c->unplayable || r->trouble)
		printf(", \"why\": \"%s\"", c->unplayable ? c->unplayable : r->trouble);
	if (r->error)
		printf(", \"error\": %lld", (long long)-r->error);
	if (o->digest)
		printf(", \"digest\": \"%016llx\"", (unsigned long long)r->digest);
	for (u32 i = 0; i < NOTES; i++) {
		if (notes[i].holds && notes[i].count)
			printf(", \"%s\": %llu", notes[i].name, (unsigned long long)notes[i].count);
		else if (notes[i].holds)
			printf(", \"%s\": true", notes[i].name);
	}
	putchar('}');
}

/* ---- all of it ---- */

static void play_one(u64 number, const struct conversation *c, const struct replay_options *o,
		     struct capture_writer *w, struct totals *t)
{
	u32 side = o->server ? CV_SERVER : CV_CLIENT;
	struct cv_result r = { 0 };
	struct replay_options own = *o;

	if (c->unplayable) {
		struct sha256_ctx empty;

		sha256_init(&empty);
		sha256_digest(&empty, SHA256_DIGEST_SIZE, r.received_sha);
		memcpy(r.sent_sha, r.received_sha, sizeof(r.sent_sha));
		t->unplayed++;
	} else {
		own.seed += number; /* two hosts never choose the same */
		cv_play(c, side, &own, w ? tap : NULL, w, &r);
		t->whole += r.whole;
		t->part += !r.whole;
	}
	t->broken = t->broken || r.broken;
	if (o->json)
		print_json(number, c, side, &r, o);
	else
		print_text(number, c, side, &r, o);
	if (r.broken)
		fprintf(stderr, "tapline replay: %s: stream %llu: leak\n", o->file,
			(unsigned long long)number);
}

static int play_all(const struct conversations *all, const struct replay_options *o)
{
	struct capture_writer *w = NULL;
	char error[CAPTURE_ERROR_SIZE];
	struct totals t = { 0 };
	int status = open_out(o, &w);

	if (status)
		return status;
	if (o->json)
		printf("{\n  \"conversations\": [");
	for (size_t i = 0; i < all->count; i++)
		play_one(i, all->list[i], o, w, &t);
	if (o->json)
		printf("%s],\n  \"whole\": %llu,\n  \"part\": %llu,\n  \"unplayed\": %llu\n}\n",
		       all->count ? "\n  " : "", (unsigned long long)t.whole,
		       (unsigned long long)t.part, (unsigned long long)t.unplayed);
	else
		printf("streams %llu whole %llu part %llu unplayed %llu\n",
		       (unsigned long long)all->count, (unsigned long long)t.whole,
		       (unsigned long long)t.part, (unsigned long long)t.unplayed);
	if (fflush(stdout) || ferror(stdout))
		status = complain("standard output", "can not be written");
	if (w && !capture_finish(w, error))
		status = complain(o->out, error);
	return t.broken ? 3 : status ? status : t.part > 0;
}

int converse_run(const struct replay_options *o)
{
	struct conversations all = { 0 };
	char error[CAPTURE_ERROR_SIZE];
	struct capture_reader *r = capture_open(o->file, NULL, error);
	int status, played;

	if (!r)
		return complain(o->file, error);
	status = read_all(&all, o, r);
	capture_close(r);
	played = play_all(&all, o);
	conversations_free(&all);
	return played > status ? played : status;
}
