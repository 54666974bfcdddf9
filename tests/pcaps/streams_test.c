/* SPDX-License-Identifier: MIT */
/*
 * The captures of pcaps/talk and pcaps/streams.tsv are made here, segment by segment: conversations
 * whose streams are known because they are declared, with all that happens to segments on their
 * way. The test holds the files in the repository against that, and `tapline replay --converse`
 * against the streams. With TAPLINE_PCAPS_WRITE=DIR it writes the files instead (pcaps/make).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/sha2.h>

#include "capture/capture.h"
#include "harness/run/command.h"
#include "packet/packet.h"

enum { C, S }; /* client, server: who speaks */

struct maker {
	const char *name;
	struct capture_writer *w;
	char *bytes;
	size_t len;
	FILE *f;
	FILE *streams;
	u64 time_ns;
	/* How segments look from now on. */
	const char *addr[2];
	u16 port[2];
	u32 isn[2];
	u32 ts[2]; /* time stamps when not 0 */
	u32 echo[2]; /* the last that came */
	bool ip6, vlan, other; /* other: bytes that are not the stream's */
	u16 win[2];
	/* Of the next segment only. */
	const char *syn_options; /* "m w7 s": MSS, window scale, SACK */
	u32 sack[2]; /* offsets */
	u16 urgent;
	u32 split; /* into IP fragments of this size */
};

static u8 stream_byte(u32 side, u32 at)
{
	u32 x = (at + 1) * 2654435761u + side * 97u;

	return (u8)("abcdefghijklmnopqrstuvwxyz .,\r\n0"[x >> 27]);
}

static struct packet_layer *layer(struct packet *p, enum packet_proto proto)
{
	struct packet_layer *l = packet_add(p, proto);

	assert_non_null(l);
	return l;
}

static void text(struct packet_layer *l, const char *field, const char *value)
{
	assert_true(packet_set_text(l, field, value, strlen(value), NULL));
}

static void number(struct packet_layer *l, const char *field, u64 value)
{
	assert_true(packet_set_uint(l, field, value, NULL));
}

static void begin(struct maker *m, const char *name, u16 link)
{
	FILE *streams = m->streams;

	*m = (struct maker){ .name = name,
			     .streams = streams,
			     .addr = { "198.51.100.7", "203.0.113.80" },
			     .port = { 40000, 80 },
			     .isn = { 1000000, 3000000000u },
			     .win = { 65535, 65535 } };
	m->time_ns = 1700000000000000000ull;
	m->f = open_memstream(&m->bytes, &m->len);
	assert_non_null(m->f);
	m->w = capture_create_stream(m->f, CAPTURE_PCAP, link, 0);
}

static void put_frame(struct maker *m, const u8 *b, size_t len)
{
	struct capture_frame f = {
		.time_ns = m->time_ns, .data = b, .caplen = (u32)len, .len = (u32)len
	};

	capture_write(m->w, &f);
	m->time_ns += 1000000;
}

static void put_options(struct maker *m, struct packet_layer *tcp, u32 side)
{
	const char *o = m->syn_options ? m->syn_options : "";
	struct packet_option list[8] = { 0 };
	size_t n = 0;

	for (; *o; o++) {
		if (*o == 'm')
			list[n++] =
				(struct packet_option){ .kind = 2, .count = 1, .num = { 1460 } };
		if (*o == 'w')
			list[n++] = (struct packet_option){ .kind = 3,
							    .count = 1,
							    .num = { (u32)(o[1] - '0') } };
		if (*o == 's')
			list[n++] = (struct packet_option){ .kind = 4 };
	}
	if (m->ts[side])
		list[n++] = (struct packet_option){ .kind = 8,
						    .count = 2,
						    .num = { m->ts[side], m->echo[side] } };
	if (m->ts[side])
		m->echo[!side] = m->ts[side]++;
	if (m->sack[1])
		list[n++] = (struct packet_option){ .kind = 5,
						    .count = 2,
						    .num = { m->isn[!side] + 1 + m->sack[0],
							     m->isn[!side] + 1 + m->sack[1] } };
	while (n && n < 8) { /* to a multiple of four */
		size_t bytes = 0;

		for (size_t i = 0; i < n; i++)
			bytes += list[i].lone	   ? 1u :
				 list[i].kind == 4 ? 2u :
				 list[i].kind == 2 ? 4u :
				 list[i].kind == 3 ? 3u :
						     10u;
		if (bytes % 4 == 0)
			break;
		list[n++] = (struct packet_option){ .kind = 1, .lone = true };
	}
	if (n)
		assert_true(packet_set_options(tcp, "options", list, n, NULL));
	m->syn_options = NULL;
	m->sack[0] = m->sack[1] = 0;
}

/* The frame's IPv4 packet (behind 14 bytes) as fragments. */
static void put_fragments(struct maker *m, const u8 *b, size_t len)
{
	for (u32 off = 0; off < len - 34; off += m->split) {
		struct packet *p = packet_parse(PACKET_LINK_ETHERNET, b, 34, 34);
		u32 n = len - 34 - off < m->split ? (u32)(len - 34) - off : m->split;
		struct packet_layer *ip = p->layer[1];
		size_t out_len;
		u8 *out;

		packet_unset(ip, "len");
		packet_unset(ip, "checksum");
		number(ip, "mf", off + n < len - 34);
		number(ip, "off", off / 8);
		packet_add_payload(p, b + 34 + off, n);
		out = packet_build(p, &out_len, NULL);
		put_frame(m, out, out_len);
		free(out);
		packet_free(p);
	}
	m->split = 0;
}

/* A segment: flags, place in the stream (-1: the SYN's), bytes, what it acknowledges. */
static void say(struct maker *m, u32 side, const char *flags, int off, u32 len, int ack)
{
	struct packet *p = packet_new();
	struct packet_layer *l;
	u8 *payload = malloc(len + 1), *b;
	size_t frame_len;

	if (m->f && !m->ip6) {
		l = layer(p, PACKET_ETH);
		text(l, "dst", side ? "02:00:00:00:00:01" : "02:00:00:00:00:09");
		text(l, "src", side ? "02:00:00:00:00:09" : "02:00:00:00:00:01");
	}
	if (m->vlan)
		number(layer(p, PACKET_VLAN), "id", 5);
	l = layer(p, m->ip6 ? PACKET_IP6 : PACKET_IP);
	text(l, "src", m->addr[side]);
	text(l, "dst", m->addr[!side]);
	l = layer(p, PACKET_TCP);
	number(l, "sport", m->port[side]);
	number(l, "dport", m->port[!side]);
	number(l, "seq", m->isn[side] + 1 + (u32)off);
	number(l, "ack", strchr(flags, 'A') ? m->isn[!side] + 1 + (u32)ack : 0);
	text(l, "flags", flags);
	number(l, "window", m->win[side]);
	number(l, "urg", m->urgent);
	put_options(m, l, side);
	for (u32 i = 0; i < len; i++)
		payload[i] =
			m->other ? 'X' : stream_byte(side, (u32)off + i + !!strchr(flags, 'S'));
	if (len)
		packet_add_payload(p, payload, len);
	b = packet_build(p, &frame_len, NULL);
	assert_non_null(b);
	if (m->split)
		put_fragments(m, b, frame_len);
	else
		put_frame(m, b, frame_len);
	m->other = false;
	m->urgent = 0;
	free(b);
	free(payload);
	packet_free(p);
}

/* The row of streams.tsv: what both sides sent in all. */
static void streams(struct maker *m, u32 client_bytes, u32 server_bytes)
{
	const u32 len[2] = { client_bytes, server_bytes };

	fprintf(m->streams, m->ip6 ? "%s\t[%s]:%u\t[%s]:%u" : "%s\t%s:%u\t%s:%u", m->name,
		m->addr[C], m->port[C], m->addr[S], m->port[S]);
	for (u32 side = C; side <= S; side++) {
		u8 digest[SHA256_DIGEST_SIZE];
		struct sha256_ctx sha;

		sha256_init(&sha);
		for (u32 i = 0; i < len[side]; i++) {
			u8 byte = stream_byte(side, i);

			sha256_update(&sha, 1, &byte);
		}
		sha256_digest(&sha, sizeof(digest), digest);
		fprintf(m->streams, "\t%u\t", len[side]);
		for (u32 i = 0; i < sizeof(digest); i++)
			fprintf(m->streams, "%02x", digest[i]);
	}
	fputc('\n', m->streams);
}

static void handshake(struct maker *m, const char *client_options, const char *server_options)
{
	m->syn_options = client_options;
	say(m, C, "S", -1, 0, 0);
	m->syn_options = server_options;
	say(m, S, "SA", -1, 0, 0);
	say(m, C, "A", 0, 0, 0);
}

static void end(struct maker *m, u32 c, u32 s)
{
	say(m, C, "FA", (int)c, 0, (int)s);
	say(m, S, "FA", (int)s, 0, (int)c + 1);
	say(m, C, "A", (int)c + 1, 0, (int)s + 1);
}

static void make_plain(struct maker *m)
{
	begin(m, "talk/plain.pcap", PACKET_LINK_ETHERNET);
	m->ts[C] = 1000;
	m->ts[S] = 77000;
	handshake(m, "m w7 s", "m w2 s");
	say(m, C, "PA", 0, 300, 0);
	say(m, S, "A", 0, 1448, 300);
	say(m, S, "PA", 1448, 900, 300);
	say(m, C, "A", 300, 0, 2348);
	end(m, 300, 2348);
	streams(m, 300, 2348);
}

/* Lost before the capture: what is behind the hole comes first; SACK tells; it comes again. */
static void make_lost(struct maker *m)
{
	begin(m, "talk/lost.pcap", PACKET_LINK_ETHERNET);
	handshake(m, "m w7 s", "m w7 s");
	say(m, C, "PA", 0, 100, 0);
	say(m, S, "A", 1460, 1460, 100);
	m->sack[0] = 1460;
	m->sack[1] = 2920;
	say(m, C, "A", 100, 0, 0);
	say(m, S, "A", 2920, 1460, 100);
	m->sack[0] = 1460;
	m->sack[1] = 4380;
	say(m, C, "A", 100, 0, 0);
	m->time_ns += 300000000;
	say(m, S, "A", 0, 1460, 100);
	say(m, C, "A", 100, 0, 4380);
	/* lost behind the capture: it has them twice, in other sizes */
	say(m, C, "PA", 100, 200, 4380);
	say(m, C, "PA", 300, 200, 4380);
	m->time_ns += 300000000;
	say(m, C, "PA", 100, 150, 4380);
	say(m, C, "PA", 250, 250, 4380);
	say(m, S, "A", 4380, 0, 500);
	end(m, 500, 4380);
	streams(m, 500, 4380);
}

/* Everything in a wrong order, the handshake too. */
static void make_reordered(struct maker *m)
{
	begin(m, "talk/reordered.pcap", PACKET_LINK_ETHERNET);
	m->syn_options = "m";
	say(m, C, "S", -1, 0, 0);
	say(m, C, "PA", 10, 10, 0);
	say(m, C, "A", 0, 0, 0);
	m->syn_options = "m";
	say(m, S, "SA", -1, 0, 0);
	say(m, C, "FA", 30, 0, 20);
	for (u32 i = 20; i-- > 0;)
		say(m, S, "A", (int)i, 1, 30);
	say(m, C, "PA", 20, 10, 0);
	say(m, C, "PA", 0, 10, 0);
	say(m, S, "FA", 20, 0, 31);
	say(m, C, "A", 31, 0, 21);
	streams(m, 30, 20);
}

/* The same places twice with other bytes: the first copy wins. Garbage from elsewhere. */
static void make_conflicting(struct maker *m)
{
	begin(m, "talk/conflicting.pcap", PACKET_LINK_ETHERNET);
	handshake(m, "m", "m");
	say(m, C, "PA", 50, 50, 0);
	m->other = true;
	say(m, C, "PA", 40, 80, 0); /* its ends are the first there */
	say(m, C, "PA", 0, 50, 0);
	m->other = true;
	say(m, C, "PA", 0, 50, 0);
	m->other = true;
	say(m, C, "PA", 1 << 30, 20, 0);
	m->other = true;
	say(m, C, "R", 5000, 0, 0);
	say(m, S, "A", 0, 0, 100);
	end(m, 100, 0);
}

/* Sequence numbers and time stamps over their end. */
static void make_wrap(struct maker *m)
{
	begin(m, "talk/wrap.pcap", PACKET_LINK_ETHERNET);
	m->isn[C] = 0xffffffffu;
	m->isn[S] = 0xfffffc00u;
	m->ts[C] = 0xfffffffeu;
	m->ts[S] = 0x7ffffffeu;
	handshake(m, "m s", "m s");
	say(m, C, "PA", 0, 500, 0);
	for (u32 i = 0; i < 20; i++) {
		say(m, S, "A", (int)i * 1000, 1000, 500);
		say(m, C, "A", 500, 0, (int)i * 1000 + 1000);
	}
	end(m, 500, 20000);
	streams(m, 500, 20000);
}

/* Data in the SYN that the server took (RFC 7413), and in the SYN-ACK. */
static void make_fast_open(struct maker *m)
{
	begin(m, "talk/fast-open.pcap", PACKET_LINK_ETHERNET);
	m->syn_options = "m";
	say(m, C, "S", -1, 64, 0);
	m->syn_options = "m";
	say(m, S, "SA", -1, 30, 64);
	say(m, C, "A", 64, 0, 30);
	say(m, C, "PA", 64, 6, 30);
	end(m, 70, 30);
	streams(m, 70, 30);
}

/* RFC 9293 3.5: both send SYN. */
static void make_simultaneous(struct maker *m)
{
	begin(m, "talk/simultaneous.pcap", PACKET_LINK_ETHERNET);
	m->syn_options = "m w3";
	say(m, C, "S", -1, 0, 0);
	m->syn_options = "m w3";
	say(m, S, "S", -1, 0, 0);
	say(m, C, "SA", -1, 0, 0);
	say(m, S, "SA", -1, 0, 0);
	say(m, S, "PA", 0, 12, 0);
	say(m, C, "PA", 0, 34, 12);
	end(m, 34, 12);
	streams(m, 34, 12);
}

/* A window of 0, probes with a byte and without, and a window that opens; a keepalive. */
static void make_zero_window(struct maker *m)
{
	begin(m, "talk/zero-window.pcap", PACKET_LINK_ETHERNET);
	m->win[C] = 2000;
	handshake(m, "m", "m");
	say(m, C, "PA", 0, 10, 0);
	say(m, S, "A", 0, 1000, 10);
	say(m, S, "A", 1000, 1000, 10);
	m->win[C] = 0;
	say(m, C, "A", 10, 0, 2000);
	m->time_ns += 3000000000u;
	say(m, S, "A", 2000, 1, 10);
	say(m, C, "A", 10, 0, 2000);
	m->time_ns += 90000000000u;
	say(m, S, "A", 1999, 0, 10);
	say(m, C, "A", 10, 0, 2000);
	m->win[C] = 60000;
	say(m, C, "A", 10, 0, 2000);
	say(m, S, "PA", 2000, 1460, 10);
	say(m, S, "PA", 3460, 40, 10);
	say(m, C, "A", 10, 0, 3500);
	m->other = true;
	say(m, C, "A", 9, 1, 3500);
	say(m, S, "A", 3500, 0, 10);
	end(m, 10, 3500);
	streams(m, 10, 3500);
}

/* Resets: one that nobody heeded, one with the last words, one in the end. */
static void make_reset(struct maker *m)
{
	begin(m, "talk/reset.pcap", PACKET_LINK_ETHERNET);
	handshake(m, "m", "m");
	say(m, C, "PA", 0, 20, 0);
	say(m, C, "R", 20, 0, 0);
	say(m, S, "RA", 0, 0, 20);
	say(m, S, "PA", 0, 40, 20);
	say(m, C, "PA", 20, 20, 40);
	say(m, S, "RA", 40, 8, 40);
	streams(m, 40, 48);
	m->port[C]++;
	handshake(m, "m", "m");
	say(m, C, "PA", 0, 7, 0);
	say(m, S, "RA", 0, 0, 7);
	streams(m, 7, 0);
}

/* The client ends first and listens on; both ends come twice. */
static void make_half_closed(struct maker *m)
{
	begin(m, "talk/half-closed.pcap", PACKET_LINK_ETHERNET);
	handshake(m, "m", "m");
	say(m, C, "FPA", 0, 33, 0);
	say(m, S, "A", 0, 0, 34);
	m->time_ns += 3600000000000u;
	for (u32 i = 0; i < 5; i++)
		say(m, S, "PA", (int)i * 700, 700, 34);
	say(m, C, "FA", 33, 0, 0);
	say(m, C, "A", 34, 0, 3500);
	say(m, S, "FA", 3500, 0, 34);
	m->time_ns += 1000000000u;
	say(m, S, "FA", 3500, 0, 34);
	say(m, C, "A", 34, 0, 3501);
	streams(m, 33, 3500);
}

/* The same ports again and again; the second has no option, the third is IPv6's neighbour. */
static void make_reused(struct maker *m)
{
	begin(m, "talk/reused.pcap", PACKET_LINK_ETHERNET);
	for (u32 i = 1; i <= 3; i++) {
		m->isn[C] += 100000;
		m->isn[S] += 7;
		handshake(m, i == 2 ? NULL : "m w0 s", i == 2 ? NULL : "w0");
		say(m, C, "PA", 0, i * 10, 0);
		say(m, S, "PA", 0, i, (int)i * 10);
		end(m, i * 10, i);
		streams(m, i * 10, i);
	}
}

static void make_ip6(struct maker *m)
{
	begin(m, "talk/ip6.pcap", PACKET_LINK_RAW);
	m->ip6 = true;
	m->addr[C] = "2001:db8::7";
	m->addr[S] = "2001:db8::80";
	handshake(m, "m w7", "m w7");
	say(m, C, "PA", 0, 400, 0);
	say(m, S, "PA", 0, 1400, 400);
	end(m, 400, 1400);
	streams(m, 400, 1400);
}

/* In a VLAN; IP fragments; a segment before offload cut it up; urgent data. */
static void make_odd(struct maker *m)
{
	begin(m, "talk/odd.pcap", PACKET_LINK_ETHERNET);
	m->vlan = true;
	handshake(m, "m w7 s", "m w7 s");
	m->vlan = false;
	m->split = 512;
	say(m, C, "PA", 0, 1400, 0);
	say(m, S, "PA", 0, 40000, 1400);
	say(m, C, "A", 1400, 0, 40000);
	m->urgent = 5;
	say(m, C, "PUA", 1400, 9, 40000);
	m->urgent = 1;
	say(m, S, "PUA", 40000, 1, 1409);
	end(m, 1409, 40001);
	streams(m, 1409, 40001);
}

/* SYNs again, and one that the server answers anew. */
static void make_syn_again(struct maker *m)
{
	begin(m, "talk/syn-again.pcap", PACKET_LINK_ETHERNET);
	for (u32 i = 0; i < 3; i++) {
		m->syn_options = "m s";
		say(m, C, "S", -1, 0, 0);
		m->time_ns += 1000000000ull << i;
	}
	m->syn_options = "m";
	say(m, S, "SA", -1, 0, 0);
	m->isn[S] += 5000;
	m->syn_options = "m";
	say(m, S, "SA", -1, 0, 0);
	say(m, C, "A", 0, 0, 0);
	say(m, C, "PA", 0, 77, 0);
	m->syn_options = "m";
	say(m, S, "SA", -1, 0, 0);
	say(m, S, "PA", 0, 55, 77);
	end(m, 77, 55);
	streams(m, 77, 55);
}

static void (*const makers[])(struct maker *m) = {
	make_plain,	   make_lost,	     make_reordered, make_wrap,	       make_fast_open,
	make_simultaneous, make_zero_window, make_reset,     make_half_closed, make_reused,
	make_ip6,	   make_odd,	     make_syn_again, make_conflicting,
};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

static const char *path_of(const char *dir, const char *name)
{
	static char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *dir, const char *name, const char *bytes, size_t len)
{
	FILE *f = fopen(path_of(dir, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void compare_file(const char *dir, const char *name, const char *bytes, size_t len)
{
	FILE *f = fopen(path_of(dir, name), "rb");
	char *have = malloc(len + 1);

	if (!f)
		fail_msg("%s is missing: run pcaps/make", path_of(dir, name));
	if (fread(have, 1, len + 1, f) != len || memcmp(have, bytes, len))
		fail_msg("%s is not what is made here: run pcaps/make", path_of(dir, name));
	fclose(f);
	free(have);
}

static void test_captures(void **state)
{
	const char *out = getenv("TAPLINE_PCAPS_WRITE"), *top = getenv("TAPLINE_SOURCE_DIR");
	struct maker m = { 0 };
	char dir[4000], error[CAPTURE_ERROR_SIZE], *rows;
	size_t rows_len;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/pcaps", top ? top : ".");
	m.streams = open_memstream(&rows, &rows_len);
	fputs("file\tclient\tserver\tc2s_bytes\tc2s_sha256\ts2c_bytes\ts2c_sha256\n", m.streams);
	for (size_t i = 0; i < MAKERS; i++) {
		makers[i](&m);
		assert_true(capture_finish(m.w, error));
		fclose(m.f);
		if (out)
			write_file(out, m.name, m.bytes, m.len);
		else
			compare_file(dir, m.name, m.bytes, m.len);
		free(m.bytes);
	}
	fclose(m.streams);
	if (out)
		write_file(out, "streams.tsv", rows, rows_len);
	else
		compare_file(dir, "streams.tsv", rows, rows_len);
	free(rows);
}

/* ---- what replay --converse makes of them ---- */

#define TALK "$TAPLINE_SOURCE_DIR/pcaps/talk"

static void test_streams(void **state)
{
	const struct command *c = command("bash $TAPLINE_SOURCE_DIR/ci/replay-streams "
					  "--tapline $TAPLINE $TAPLINE_SOURCE_DIR/pcaps");

	(void)state;
	assert_string_equal(c->err, "");
	assert_contains(c->out, " directions of streams agree, 0 do not, 0 streams do not bind\n");
	assert_int_equal(c->status, 0);
}

/* ... and that a wrong stream is found. */
static void test_streams_differ(void **state)
{
	const struct command *c =
		command("mkdir -p d/talk && cp " TALK "/plain.pcap d/talk && "
			"sed -n '1p;/plain/s/\t300\t./\t300\t-/p' " TALK
			"/../streams.tsv >d/streams.tsv && "
			"bash $TAPLINE_SOURCE_DIR/ci/replay-streams --tapline $TAPLINE d");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "c2s: should be 300 bytes, is 300, others");
	assert_contains(c->out, "1 directions of streams agree, 1 do not");
}

static void test_text_and_json(void **state)
{
	const struct command *c =
		command("$TAPLINE replay --converse --side server " TALK "/plain.pcap");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_string_equal(c->err, "");
	assert_contains(c->out, "stream 0 client 198.51.100.7:40000 server 203.0.113.80:80 "
				"peer server received 2348 ");
	assert_contains(c->out, " whole\nstreams 1 whole 1 part 0 unplayed 0\n");
	c = command("$TAPLINE replay --converse --json " TALK "/ip6.pcap");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "\"client\": \"[2001:db8::7]:40000\", \"server\": "
				"\"[2001:db8::80]:80\", \"peer\": \"client\"");
	assert_contains(c->out, "\"verdict\": \"whole\", \"ip6\": true}");
}

/* A byte that comes twice with other contents goes with the first ones; garbage is left out. */
static void test_conflicting(void **state)
{
	const struct command *c = command("$TAPLINE replay --converse " TALK "/conflicting.pcap");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "received 120 ");
	assert_contains(c->out, " whole");
}

/* What was played, both directions: a capture of its own, whose streams are the same. */
static void test_written(void **state)
{
	const struct command *c = command(
		"for f in lost wrap zero-window reset; do for s in client server; do "
		"$TAPLINE replay --converse --side $s -w w.pcapng " TALK "/$f.pcap >a; "
		"$TAPLINE replay --converse --side $s w.pcapng >b; "
		"for x in a b; do sed 's/.*peer//;s/whole.*/whole/' $x >$x.1; done; cmp a.1 b.1; done; done");

	(void)state;
	assert_string_equal(c->out, "");
	assert_string_equal(c->err, "");
	assert_int_equal(c->status, 0);
}

static void test_deterministic(void **state)
{
	const struct command *c = command(
		"for f in " TALK "/*.pcap; do $TAPLINE replay --converse --digest $f >a; "
		"$TAPLINE replay --converse --digest $f >b; cmp a b; grep -q 'digest [0-9a-f]' a || "
		"echo none; done");

	(void)state;
	assert_string_equal(c->out, "");
	assert_int_equal(c->status, 0);
}

/* No capture that is cut anywhere makes it fail, and options that do not go are named. */
static void test_damaged(void **state)
{
	const struct command *c = command("for n in 0 10 24 100 500 900 1300 2000 2700 3300; do "
					  "head -c $n " TALK "/reordered.pcap >cut.pcap; "
					  "$TAPLINE replay --converse cut.pcap >/dev/null 2>&1; "
					  "[ $? -le 2 ] || echo bad $n; done; "
					  "$TAPLINE replay --converse --side both x");

	(void)state;
	assert_string_equal(c->out, "");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "--side is client or server, not: both");
	c = command(
		"$TAPLINE replay --converse --checksums trust x; $TAPLINE replay --side client x");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "does not go with --converse: --checksums");
	assert_contains(c->err, "--side is for --converse");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures),       cmocka_unit_test(test_streams),
		cmocka_unit_test(test_streams_differ), cmocka_unit_test(test_text_and_json),
		cmocka_unit_test(test_conflicting),    cmocka_unit_test(test_written),
		cmocka_unit_test(test_deterministic),  cmocka_unit_test(test_damaged),
	};
	const struct CMUnitTest writing[] = { cmocka_unit_test(test_captures) };

	if (getenv("TAPLINE_PCAPS_WRITE"))
		return cmocka_run_group_tests(writing, NULL, NULL);
	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
