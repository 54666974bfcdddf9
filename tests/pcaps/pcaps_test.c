/* SPDX-License-Identifier: MIT */
/*
 * The captures of pcaps/ and their MANIFEST.tsv are made here, frame by frame, from the RFCs'
 * rules and the harness's codec; each frame says which facts it adds to. The test holds the files
 * in the repository against that. With TAPLINE_PCAPS_WRITE=DIR it writes them instead (pcaps/make).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "packet/packet.h"

/* Columns of MANIFEST.tsv after file, expect and shows; names and meaning as Wireshark's facts. */
static const char *const facts[] = {
	"frames",     "trunc",	      "ts_back",       "noip",
	"llc",	      "vlan",	      "qinq",	       "arp",
	"arp_req",    "arp_rep",      "arp_grat",      "arp_probe",
	"ip4",	      "ip4_opt",      "ip4_csum_bad",  "ip4_frag",
	"ip4_reasm",  "ip4_overlap",  "ip4_conflict",  "ip4_fragerr",
	"ip4_hdrbad", "ip6",	      "icmp4",	       "icmp4_echo",
	"icmp4_err",  "icmp4_redir",  "icmp4_ptb",     "icmp4_csum_bad",
	"udp",	      "udp_csum_bad", "udp_csum_zero", "udp_len_bad",
	"tcp",	      "tcp_csum_bad", "tcp_syn",       "tcp_synack",
	"tcp_fin",    "tcp_rst",      "tcp_urg",       "opt_sackperm",
	"opt_sack",   "opt_wscale",   "opt_ts",	       "opt_tfo",
	"opt_md5",    "opt_mptcp",    "igmp",	       "igmp_csum_bad",
};
enum { FACTS = sizeof(facts) / sizeof(facts[0]) };

struct maker {
	const char *name, *expect, *shows;
	struct capture_writer *w;
	char *bytes;
	size_t len;
	FILE *f;
	u64 time_ns, last_ns;
	u32 snaplen;
	u16 link; /* of the first interface */
	u32 counts[FACTS];
};

static void count(struct maker *m, const char *name)
{
	for (size_t i = 0; i < FACTS; i++) {
		if (!strcmp(facts[i], name)) {
			m->counts[i]++;
			return;
		}
	}
	fail_msg("no fact %s", name);
}

/* "ip4 udp": one more of each. */
static void count_all(struct maker *m, const char *list)
{
	char word[32];
	int n;

	while (sscanf(list, "%31s%n", word, &n) == 1) {
		count(m, word);
		list += n;
	}
}

static void begin(struct maker *m, const char *name, enum capture_format format, u16 link,
		  const char *shows)
{
	*m = (struct maker){ .name = name, .expect = "replay", .shows = shows, .link = link };
	m->time_ns = 1700000000000000000ull;
	m->f = open_memstream(&m->bytes, &m->len);
	assert_non_null(m->f);
	m->w = capture_create_stream(m->f, format, link, 0);
}

/* Writes bytes as a frame, a millisecond after the one before. */
static void raw_frame(struct maker *m, const u8 *bytes, size_t len, u32 interface, const char *list)
{
	u32 kept = m->snaplen && len > m->snaplen ? m->snaplen : (u32)len;
	struct capture_frame f = { .time_ns = m->time_ns,
				   .interface = interface,
				   .data = bytes,
				   .caplen = kept,
				   .len = (u32)len };

	capture_write(m->w, &f);
	count(m, "frames");
	if (kept < len)
		count(m, "trunc");
	if (m->time_ns < m->last_ns)
		count(m, "ts_back");
	m->last_ns = m->time_ns;
	m->time_ns += 1000000;
	count_all(m, list);
}

/* Builds and frees p, writes it. */
static void frame_on(struct maker *m, struct packet *p, u32 interface, const char *list)
{
	char error[PACKET_ERROR_SIZE];
	size_t len;
	u8 *b = packet_build(p, &len, error);

	if (!b)
		fail_msg("%s", error);
	raw_frame(m, b, len, interface, list);
	free(b);
	packet_free(p);
}

static void frame(struct maker *m, struct packet *p, const char *list)
{
	frame_on(m, p, 0, list);
}

static struct packet_layer *layer(struct packet *p, enum packet_proto proto)
{
	struct packet_layer *l = packet_add(p, proto);

	assert_non_null(l);
	return l;
}

static void text(struct packet_layer *l, const char *field, const char *value)
{
	char error[PACKET_ERROR_SIZE];

	if (!packet_set_text(l, field, value, strlen(value), error))
		fail_msg("%s", error);
}

static void number(struct packet_layer *l, const char *field, u64 value)
{
	char error[PACKET_ERROR_SIZE];

	if (!packet_set_uint(l, field, value, error))
		fail_msg("%s", error);
}

static struct packet *eth(const char *dst)
{
	struct packet *p = packet_new();
	struct packet_layer *l = layer(p, PACKET_ETH);

	text(l, "dst", dst);
	text(l, "src", "02:00:00:00:00:09");
	return p;
}

static struct packet *eth_host(void)
{
	return eth("02:00:00:00:00:01");
}

static struct packet_layer *ip(struct packet *p)
{
	struct packet_layer *l = layer(p, PACKET_IP);

	text(l, "src", "192.0.2.9");
	text(l, "dst", "192.0.2.1");
	return l;
}

static struct packet_layer *udp(struct packet *p, u32 dport)
{
	struct packet_layer *l = layer(p, PACKET_UDP);

	number(l, "sport", 5000);
	number(l, "dport", dport);
	return l;
}

static struct packet *udp_packet(struct packet *p, const char *payload)
{
	ip(p);
	udp(p, 7);
	packet_add_payload(p, payload, strlen(payload));
	return p;
}

static struct packet *arp(const char *dst, const char *op, const char *spa, const char *tpa)
{
	struct packet *p = eth(dst);
	struct packet_layer *l = layer(p, PACKET_ARP);

	text(l, "op", op);
	text(l, "sha", "02:00:00:00:00:09");
	text(l, "spa", spa);
	text(l, "tpa", tpa);
	return p;
}

static void make_arp(struct maker *m)
{
	static const char all[] = "ff:ff:ff:ff:ff:ff", host[] = "02:00:00:00:00:01";
	struct packet *p;

	begin(m, "arp/arp.pcap", CAPTURE_PCAP, 1,
	      "ARP requests, replies, announcements, probes; RARP");
	frame(m, arp(all, "request", "192.0.2.9", "192.0.2.1"), "arp arp_req");
	frame(m, arp(all, "request", "192.0.2.9", "192.0.2.8"), "arp arp_req");
	frame(m, arp(host, "reply", "192.0.2.9", "192.0.2.1"), "arp arp_rep");
	frame(m, arp(all, "request", "192.0.2.9", "192.0.2.9"), "arp arp_req arp_grat");
	frame(m, arp(all, "reply", "192.0.2.9", "192.0.2.9"), "arp arp_rep arp_grat");
	frame(m, arp(all, "request", "0.0.0.0", "192.0.2.7"), "arp arp_req arp_probe");
	frame(m, arp(all, "request", "0.0.0.0", "192.0.2.6"), "arp arp_req arp_probe");
	p = arp(all, "rrequest", "0.0.0.0", "0.0.0.0");
	number(p->layer[0], "type", 0x8035);
	frame(m, p, "arp");
}

static struct packet *icmp(const char *type, const char *code)
{
	struct packet *p = eth_host();
	struct packet_layer *l;

	ip(p);
	l = layer(p, PACKET_ICMP);
	text(l, "type", type);
	text(l, "code", code);
	return p;
}

/* An error about a datagram that 192.0.2.1 would have sent. */
static struct packet *icmp_error(const char *type, const char *code)
{
	struct packet *p = icmp(type, code);
	struct packet_layer *l = layer(p, PACKET_IP);

	text(l, "src", "192.0.2.1");
	text(l, "dst", "192.0.2.9");
	udp(p, 7);
	return p;
}

static void make_icmp(struct maker *m)
{
	struct packet *p;

	begin(m, "icmp/icmp.pcap", CAPTURE_PCAP_NS, 1,
	      "ICMP echoes, errors of every type, wrong checksums");
	p = icmp("echo", "0");
	packet_add_payload(p, "0123456789", 10);
	frame(m, p, "ip4 icmp4 icmp4_echo");
	frame(m, icmp("echo-reply", "0"), "ip4 icmp4 icmp4_echo");
	frame(m, icmp_error("dest-unreach", "port"), "ip4 icmp4 icmp4_err");
	p = icmp_error("dest-unreach", "frag-needed");
	number(p->layer[2], "mtu", 1400);
	frame(m, p, "ip4 icmp4 icmp4_err icmp4_ptb");
	frame(m, icmp_error("source-quench", "0"), "ip4 icmp4 icmp4_err");
	p = icmp_error("redirect", "host");
	text(p->layer[2], "gateway", "192.0.2.254");
	frame(m, p, "ip4 icmp4 icmp4_err icmp4_redir");
	frame(m, icmp_error("time-exceeded", "ttl"), "ip4 icmp4 icmp4_err");
	frame(m, icmp_error("param-problem", "pointer"), "ip4 icmp4 icmp4_err");
	frame(m, icmp("timestamp", "0"), "ip4 icmp4");
	p = icmp("echo", "0");
	number(p->layer[2], "checksum", 0x1234);
	frame(m, p, "ip4 icmp4 icmp4_echo icmp4_csum_bad");
	p = icmp("echo", "0");
	number(p->layer[1], "checksum", 0x1234);
	number(p->layer[2], "checksum", 0x1234);
	frame(m, p, "ip4 ip4_csum_bad icmp4 icmp4_echo icmp4_csum_bad");
}

static void make_udp(struct maker *m)
{
	struct packet *p;

	begin(m, "udp/udp.pcap", CAPTURE_PCAP, 1,
	      "UDP to unicast, multicast and broadcast; checksums wrong, absent; length wrong");
	frame(m, udp_packet(eth_host(), "hello"), "ip4 udp");
	frame(m, udp_packet(eth("02:00:00:00:00:77"), "another station's"), "ip4 udp");
	p = udp_packet(eth("01:00:5e:00:00:fb"), "multicast");
	text(p->layer[1], "dst", "224.0.0.251");
	frame(m, p, "ip4 udp");
	p = udp_packet(eth("ff:ff:ff:ff:ff:ff"), "broadcast from nobody");
	text(p->layer[1], "src", "0.0.0.0");
	text(p->layer[1], "dst", "255.255.255.255");
	frame(m, p, "ip4 udp");
	p = udp_packet(eth_host(), "loopback's addresses");
	text(p->layer[1], "src", "127.0.0.1");
	text(p->layer[1], "dst", "127.0.0.1");
	frame(m, p, "ip4 udp");
	p = udp_packet(eth_host(), "no checksum");
	number(p->layer[2], "checksum", 0);
	frame(m, p, "ip4 udp udp_csum_zero");
	p = udp_packet(eth_host(), "wrong checksum");
	number(p->layer[2], "checksum", 0x1234);
	frame(m, p, "ip4 udp udp_csum_bad");
	p = udp_packet(eth("01:00:5e:00:00:fb"), "a wrong checksum that is longer than the 76 "
						 "bytes up to which Linux verifies at once");
	text(p->layer[1], "dst", "224.0.0.251");
	number(p->layer[2], "checksum", 0x1234);
	frame(m, p, "ip4 udp udp_csum_bad");
	p = udp_packet(eth_host(), "too long a length");
	number(p->layer[2], "len", 400);
	frame(m, p, "ip4 udp udp_len_bad");
}

static void make_ip4(struct maker *m)
{
	struct packet *p;

	begin(m, "ip/ip4.pcap", CAPTURE_PCAP, 1,
	      "IPv4 header: options, wrong checksum, protocols nobody handles, padding");
	p = udp_packet(eth_host(), "router alert");
	packet_set_bytes(p->layer[1], "options", "\x94\x04\x00\x00", 4, NULL);
	frame(m, p, "ip4 ip4_opt udp");
	p = udp_packet(eth_host(), "wrong header checksum");
	number(p->layer[1], "checksum", 0x1234);
	frame(m, p, "ip4 ip4_csum_bad udp");
	p = udp_packet(eth_host(), "padded");
	packet_set_bytes(layer(p, PACKET_PAD), "data", "0123456789", 10, NULL);
	frame(m, p, "ip4 udp");
	p = eth_host();
	number(ip(p), "proto", 253);
	packet_add_payload(p, "experiment", 10);
	frame(m, p, "ip4");
	p = eth_host();
	ip(p);
	number(layer(p, PACKET_TCP), "dport", 80);
	frame(m, p, "ip4 tcp");
}

static struct packet_layer *igmp(struct packet *p, const char *type)
{
	struct packet_layer *l;

	packet_set_bytes(ip(p), "options", "\x94\x04\x00\x00", 4, NULL);
	l = layer(p, PACKET_IGMP);
	text(l, "type", type);
	text(l, "group", "224.0.0.251");
	return l;
}

static void make_igmp(struct maker *m)
{
	struct packet *p;

	begin(m, "igmp/igmp.pcap", CAPTURE_PCAP, 1,
	      "IGMP queries, reports, leaves; a wrong checksum");
	igmp(p = eth("01:00:5e:00:00:01"), "query");
	text(p->layer[1], "dst", "224.0.0.1");
	frame(m, p, "ip4 ip4_opt igmp");
	igmp(p = eth("01:00:5e:00:00:fb"), "report-v1");
	frame(m, p, "ip4 ip4_opt igmp");
	igmp(p = eth("01:00:5e:00:00:fb"), "report-v2");
	frame(m, p, "ip4 ip4_opt igmp");
	igmp(p = eth("01:00:5e:00:00:02"), "leave");
	frame(m, p, "ip4 ip4_opt igmp");
	number(igmp(p = eth("01:00:5e:00:00:fb"), "report-v2"), "checksum", 0x1234);
	frame(m, p, "ip4 ip4_opt igmp igmp_csum_bad");
}

static struct packet *tcp(const char *flags, const char *options, size_t len)
{
	struct packet *p = eth_host();
	struct packet_layer *l;

	ip(p);
	l = layer(p, PACKET_TCP);
	number(l, "sport", 5000);
	number(l, "dport", 80);
	text(l, "flags", flags);
	if (len)
		packet_set_bytes(l, "options", options, len, NULL);
	return p;
}

static void make_tcp(struct maker *m)
{
	struct packet *p;

	begin(m, "tcp/tcp.pcap", CAPTURE_PCAP, 1,
	      "TCP flags and options, each kind of option by itself and together; wrong checksums");
	frame(m, tcp("S", "\2\4\5\xb4\4\2\x8\xa\0\0\0\1\0\0\0\0\1\3\3\7", 20),
	      "ip4 tcp tcp_syn opt_sackperm opt_ts opt_wscale");
	frame(m, tcp("SA", "\2\4\5\xb4\1\3\3\xe", 8), "ip4 tcp tcp_synack opt_wscale");
	frame(m, tcp("A", "\1\1\x8\xa\0\0\0\2\0\0\0\1", 12), "ip4 tcp opt_ts");
	frame(m, tcp("A", "\1\1\5\xa\0\0\0\1\0\0\0\2", 12), "ip4 tcp opt_sack");
	frame(m, tcp("S", "\x22\2\1\1", 4), "ip4 tcp tcp_syn opt_tfo");
	frame(m, tcp("A", "\x13\x12\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\1\1", 20),
	      "ip4 tcp opt_md5");
	frame(m, tcp("S", "\x1e\4\1\1", 4), "ip4 tcp tcp_syn opt_mptcp");
	frame(m, tcp("UA", NULL, 0), "ip4 tcp tcp_urg");
	frame(m, tcp("FA", NULL, 0), "ip4 tcp tcp_fin");
	frame(m, tcp("R", NULL, 0), "ip4 tcp tcp_rst");
	/* behind the end of options nothing counts */
	frame(m, tcp("A", "\0\4\2\1", 4), "ip4 tcp");
	p = tcp("RA", NULL, 0);
	number(p->layer[2], "checksum", 0x1234);
	frame(m, p, "ip4 tcp tcp_rst tcp_csum_bad");
}

/* A datagram of n bytes of UDP in fragments of `step` bytes, given in the order of `order`. */
static void fragments(struct maker *m, u32 id, size_t n, size_t step, const int *order,
		      int count_of, bool complete)
{
	struct packet *p = packet_new();
	char error[PACKET_ERROR_SIZE];
	u8 payload[600], *b;
	size_t len;

	memset(payload, 'f', sizeof(payload));
	ip(p);
	udp(p, 7);
	packet_add_payload(p, payload, n - 8);
	b = packet_build(p, &len, error);
	assert_non_null(b);
	for (int i = 0; i < count_of; i++) {
		size_t at = (size_t)order[i] * step, part = n - at < step ? n - at : step;
		struct packet *f = eth_host();
		struct packet_layer *l = ip(f);

		number(l, "id", id);
		number(l, "off", at / 8);
		number(l, "mf", at + part < n);
		number(l, "proto", 17);
		packet_add_payload(f, b + 20 + at, part);
		frame(m, f,
		      complete && i == count_of - 1 ? "ip4 ip4_frag ip4_reasm udp" :
						      "ip4 ip4_frag");
	}
	free(b);
	packet_free(p);
}

static void make_frag(struct maker *m)
{
	static const int forth[] = { 0, 1, 2, 3 }, back[] = { 3, 2, 1, 0 },
			 mixed[] = { 2, 0, 3, 1 };
	static const int hole[] = { 0, 2, 3 };

	begin(m, "ipfrag/order.pcap", CAPTURE_PCAP, 1,
	      "IPv4 fragments in order, reversed, mixed; one that never completes");
	fragments(m, 1, 400, 104, forth, 4, true);
	fragments(m, 2, 400, 104, back, 4, true);
	fragments(m, 3, 400, 104, mixed, 4, true);
	fragments(m, 4, 400, 104, hole, 3, false);
	fragments(m, 5, 30, 24, forth, 2, true);
}

static void make_vlan(struct maker *m)
{
	struct packet *p;

	begin(m, "vlan/vlan.pcap", CAPTURE_PCAP, 1,
	      "802.1Q tags, priority tags, two tags, ARP in one");
	p = eth_host();
	number(layer(p, PACKET_VLAN), "id", 100);
	frame(m, udp_packet(p, "tagged"), "vlan ip4 udp");
	p = eth_host();
	number(layer(p, PACKET_VLAN), "pcp", 5);
	frame(m, udp_packet(p, "priority tag"), "vlan ip4 udp");
	p = eth_host();
	number(p->layer[0], "type", 0x88a8);
	number(layer(p, PACKET_VLAN), "id", 200);
	number(layer(p, PACKET_VLAN), "id", 100);
	frame(m, udp_packet(p, "two tags"), "vlan qinq ip4 udp");
	p = arp("ff:ff:ff:ff:ff:ff", "request", "192.0.2.9", "192.0.2.1");
	number(packet_insert(p, 1, PACKET_VLAN), "id", 7);
	frame(m, p, "vlan arp arp_req");
	frame(m, udp_packet(eth_host(), "untagged"), "ip4 udp");
}

static void make_other(struct maker *m)
{
	static const u8 zeros[40];
	struct packet *p;
	struct packet_layer *l;

	begin(m, "link/other.pcap", CAPTURE_PCAP, 1,
	      "IPv6, LLC, an EtherType nobody knows, frames too short for a header");
	p = eth_host();
	layer(p, PACKET_IP6);
	packet_add_payload(p, "no next", 7);
	number(p->layer[1], "next", 59);
	frame(m, p, "ip6");
	p = eth("01:80:c2:00:00:00");
	l = layer(p, PACKET_LLC);
	number(l, "dsap", 0x42);
	number(l, "ssap", 0x42);
	packet_add_payload(p, zeros, 35);
	frame(m, p, "llc");
	p = eth_host();
	number(p->layer[0], "type", 0x88cc);
	packet_add_payload(p, zeros, 40);
	frame(m, p, "noip");
	raw_frame(m, zeros, 0, 0, "noip");
	raw_frame(m, zeros, 13, 0, "noip");
}

static void make_cut(struct maker *m)
{
	begin(m, "truncated/snaplen.pcap", CAPTURE_PCAP, 1,
	      "frames cut by the snapshot length, some of them whole");
	m->snaplen = 60;
	frame(m,
	      udp_packet(eth_host(), "this datagram is cut in its payload, so that nobody can "
				     "verify its checksum"),
	      "ip4 udp");
	frame(m, udp_packet(eth_host(), "whole"), "ip4 udp");
	frame(m, icmp_error("time-exceeded", "ttl"), "ip4 icmp4 icmp4_err");
}

static void make_backwards(struct maker *m)
{
	begin(m, "time/backwards.pcap", CAPTURE_PCAP_NS, 1,
	      "time runs backwards, stands still, leaps over a year");
	frame(m, udp_packet(eth_host(), "one"), "ip4 udp");
	m->time_ns -= 5000000;
	frame(m, udp_packet(eth_host(), "two"), "ip4 udp");
	m->time_ns -= 1000000;
	frame(m, udp_packet(eth_host(), "three"), "ip4 udp");
	m->time_ns += 400ull * 86400 * 1000000000;
	frame(m, udp_packet(eth_host(), "four"), "ip4 udp");
}

static struct packet *link_packet(u16 link)
{
	struct packet *p = packet_new();
	struct packet_layer *l;

	p->link = link;
	if (link == PACKET_LINK_NULL || link == PACKET_LINK_LOOP) {
		layer(p, PACKET_NULL);
	} else if (link == PACKET_LINK_SLL || link == PACKET_LINK_SLL2) {
		l = layer(p, link == PACKET_LINK_SLL ? PACKET_SLL : PACKET_SLL2);
		text(l, "src", "02:00:00:00:00:09");
	}
	return p;
}

static void make_link(struct maker *m, const char *name, u16 link, const char *shows)
{
	struct packet *p;

	begin(m, name, CAPTURE_PCAP, link, shows);
	frame(m, udp_packet(link_packet(link), "one"), "ip4 udp");
	p = link_packet(link);
	ip(p);
	layer(p, PACKET_ICMP);
	frame(m, p, "ip4 icmp4 icmp4_echo");
	if (link == PACKET_LINK_SLL) {
		struct packet_layer *l;

		p = link_packet(link);
		number(p->layer[0], "pkttype", 1);
		l = layer(p, PACKET_ARP);
		text(l, "sha", "02:00:00:00:00:09");
		text(l, "spa", "192.0.2.9");
		text(l, "tpa", "192.0.2.1");
		frame(m, p, "arp arp_req");
	}
}

static void make_raw(struct maker *m)
{
	make_link(m, "link/raw.pcap", PACKET_LINK_RAW, "raw IP");
}

static void make_ipv4(struct maker *m)
{
	make_link(m, "link/ipv4.pcap", PACKET_LINK_IPV4, "raw IPv4");
}

static void make_null(struct maker *m)
{
	make_link(m, "link/null.pcap", PACKET_LINK_NULL, "BSD loopback, little-endian");
}

static void make_loop(struct maker *m)
{
	make_link(m, "link/loop.pcap", PACKET_LINK_LOOP, "OpenBSD loopback");
}

static void make_sll(struct maker *m)
{
	make_link(m, "link/sll.pcap", PACKET_LINK_SLL, "Linux cooked, version 1");
}

static void make_sll2(struct maker *m)
{
	make_link(m, "link/sll2.pcap", PACKET_LINK_SLL2, "Linux cooked, version 2");
}

static void make_mixed(struct maker *m)
{
	begin(m, "format/interfaces.pcapng", CAPTURE_PCAPNG, 1,
	      "pcapng, interfaces of different link types");
	capture_add_interface(m->w, PACKET_LINK_IPV4, "tun0");
	frame(m, udp_packet(eth_host(), "Ethernet"), "ip4 udp");
	frame_on(m, udp_packet(link_packet(PACKET_LINK_IPV4), "raw"), 1, "ip4 udp");
	frame(m, arp("ff:ff:ff:ff:ff:ff", "request", "192.0.2.9", "192.0.2.1"), "arp arp_req");
}

static void make_damaged(struct maker *m)
{
	begin(m, "format/damaged.pcap", CAPTURE_PCAP, 1, "the third record ends early");
	m->expect = "error-after-2";
	frame(m, udp_packet(eth_host(), "one"), "ip4 udp");
	frame(m, udp_packet(eth_host(), "two"), "ip4 udp");
	fflush(m->f);
	/* header of 20 bytes of data of which 3 follow */
	fwrite("\0\0\0\0\0\0\0\0\x14\0\0\0\x14\0\0\0abc", 1, 19, m->f);
}

static void make_unsupported(struct maker *m)
{
	static const u8 zeros[24];

	begin(m, "format/radio.pcap", CAPTURE_PCAP, 105, "a link type that is not supported");
	m->expect = "unsupported-linktype";
	raw_frame(m, zeros, 24, 0, "");
}

static void make_empty(struct maker *m)
{
	begin(m, "format/empty.pcap", CAPTURE_PCAP, 1, "a file header and no frame");
}

static void (*const makers[])(struct maker *) = {
	make_arp, make_empty, make_damaged,   make_mixed, make_unsupported, make_icmp,	make_igmp,
	make_ip4, make_frag,  make_ipv4,      make_loop,  make_null,	    make_other, make_raw,
	make_sll, make_sll2,  make_backwards, make_cut,	  make_tcp,	    make_udp,	make_vlan,
};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

static char *path_of(const char *dir, const char *name)
{
	static char path[4096]; /* a test's, one at a time */

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *dir, const char *name, const char *bytes, size_t len)
{
	FILE *f = fopen(path_of(dir, name), "wb");

	if (!f)
		fail_msg("%s can not be written", path_of(dir, name));
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void compare_file(const char *dir, const char *name, const char *bytes, size_t len)
{
	FILE *f = fopen(path_of(dir, name), "rb");
	char *have = malloc(len + 1);

	assert_non_null(have);
	if (!f)
		fail_msg("%s is missing: run pcaps/make", path_of(dir, name));
	if (fread(have, 1, len + 1, f) != len || memcmp(have, bytes, len))
		fail_msg("%s is not what is made here: run pcaps/make", path_of(dir, name));
	fclose(f);
	free(have);
}

static void row(FILE *manifest, const struct maker *m)
{
	fprintf(manifest, "%s\t%s\t%s", m->name, m->expect, m->shows);
	for (size_t i = 0; i < FACTS; i++)
		fprintf(manifest, "\t%u", m->counts[i]);
	fputc('\n', manifest);
}

static void test_captures(void **state)
{
	const char *out = getenv("TAPLINE_PCAPS_WRITE"), *top = getenv("TAPLINE_SOURCE_DIR");
	char *manifest_text, dir[4000], error[CAPTURE_ERROR_SIZE];
	size_t manifest_len;
	FILE *manifest = open_memstream(&manifest_text, &manifest_len);

	(void)state;
	snprintf(dir, sizeof(dir), "%s/pcaps", top ? top : ".");
	fprintf(manifest, "file\texpect\tshows");
	for (size_t i = 0; i < FACTS; i++)
		fprintf(manifest, "\t%s", facts[i]);
	fputc('\n', manifest);
	for (size_t i = 0; i < MAKERS; i++) {
		struct maker m;

		makers[i](&m);
		assert_true(capture_finish(m.w, error));
		fclose(m.f);
		if (out)
			write_file(out, m.name, m.bytes, m.len);
		else
			compare_file(dir, m.name, m.bytes, m.len);
		row(manifest, &m);
		free(m.bytes);
	}
	fclose(manifest);
	if (out)
		write_file(out, "MANIFEST.tsv", manifest_text, manifest_len);
	else
		compare_file(dir, "MANIFEST.tsv", manifest_text, manifest_len);
	free(manifest_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
