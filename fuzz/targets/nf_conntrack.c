/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: connection tracking and rules of one host: packets of few addresses and ports, so
 * that they meet in the same connections, datagrams of its own, time, and commands of iptables.
 *
 * Input: seed, settings, then records of an op byte and its arguments (every byte string is valid,
 * and so is each prefix of one):
 *   0..3  TCP ports flags seq ack len     numbers near those that are due
 *   4     UDP ports len
 *   5     ICMP kind ports                 an echo, its answer, or an error about a packet of ours
 *   6     OUT port                        the host's socket sends
 *   7     TIME code                       2^(code mod 32) us pass
 *   8     COMMAND len bytes               text for ip6tables, whose tables nobody meets
 *   9     RULE which                      a command for iptables from a list
 *
 * Oracles: each packet that comes to INPUT or FORWARD is in exactly one connection state; entries
 * are as many as the table may hold; when enough time has passed there is none; the module's own
 * checks.
 */
#include "fuzz_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/counters.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"

#define OPS_MAX	  256u
#define ENTRIES	  "64" /* nf_conntrack_max */
#define STATES	  5u
#define FRAME_MAX 200u
#define FAR_ADDR  "\xc0\x00\x02\x0a" /* another station on the wire */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static void put32(u8 *p, u32 v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* An IPv4 header of 20 bytes around len bytes of payload. */
static void ip_header(u8 *ip, u8 protocol, const char *src, const char *dst, u32 len)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + len);
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	put16(ip + 10, fuzz_csum(ip, 20, 0));
}

/* The checksum of the transport's len bytes at `at` of them. */
static void l4_checksum(u8 *ip, u32 len, u32 at)
{
	u32 pseudo = 0;

	if (ip[9] != IPPROTO_ICMP) {
		for (u32 i = 12; i < 20; i += 2)
			pseudo += (u32)ip[i] << 8 | ip[i + 1];
		pseudo += ip[9] + len;
	}
	put16(ip + 20 + at, 0);
	put16(ip + 20 + at, fuzz_csum(ip + 20, len, pseudo));
}

/* To the host: len bytes of transport behind the IP header in frame. */
static void send_frame(struct fuzz_world *f, u8 *frame, u32 len)
{
	memcpy(frame, FUZZ_HOST_MAC, 6);
	memcpy(frame + 6, FUZZ_PEER_MAC, 6);
	put16(frame + 12, 0x0800);
	fuzz_frame(f, frame, 14 + 20 + len, 0);
}

/*
 * Ports and addresses: two bits for each port (the peer's 5000..5003, the other's 7..10), bit 4: to
 * a station behind the host that forwards, bit 5: the other way, as its answer would come.
 */
static void put_ends(u8 *ip, u8 protocol, u8 ports, u32 len)
{
	const char *far = ports & 16 ? FAR_ADDR : FUZZ_HOST_ADDR;
	u32 near_port = 5000u + (ports & 3), far_port = 7u + (ports >> 2 & 3);
	bool answer = (ports & 48) == 48;

	put16(ip + 20, answer ? far_port : near_port);
	put16(ip + 22, answer ? near_port : far_port);
	ip_header(ip, protocol, answer ? far : FUZZ_PEER_ADDR, answer ? FUZZ_PEER_ADDR : far, len);
}

static void op_tcp(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 frame[FRAME_MAX] = { 0 }, *tcp = frame + 34;
	u8 ports = fuzz_u8(in), flags = fuzz_u8(in);
	u32 seq = fuzz_u16(in), ack = fuzz_u16(in), len = fuzz_u8(in) & 63;

	put_ends(frame + 14, IPPROTO_TCP, ports, 20 + len);
	/* Half of them around the middle of the space, so that they wrap there. */
	put32(tcp + 4, (ports & 0x40 ? 0xffff8000u : 0x1000u) + seq);
	put32(tcp + 8, (ports & 0x80 ? 0xffff8000u : 0x1000u) + ack);
	tcp[12] = 0x50;
	tcp[13] = flags & 0x3f;
	put16(tcp + 14, 1000);
	l4_checksum(frame + 14, 20 + len, 16);
	/* What goes on is checked where it comes out. */
	if (flags & 0x40 && !(ports & 16))
		tcp[16] ^= 1;
	send_frame(f, frame, 20 + len);
}

static void op_udp(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 frame[FRAME_MAX] = { 0 }, *udp = frame + 34;
	u8 ports = fuzz_u8(in);
	u32 len = 8u + (fuzz_u8(in) & 63);

	put_ends(frame + 14, IPPROTO_UDP, ports, len);
	put16(udp + 4, (ports & 0x90) == 0x80 ? len + 1 : len);
	l4_checksum(frame + 14, len, 6);
	send_frame(f, frame, len);
}

static void op_icmp(struct fuzz_world *f, struct fuzz_input *in)
{
	static const u8 types[] = { 8, 0, 3, 11, 13, 14, 5, 42 };
	u8 frame[FRAME_MAX] = { 0 }, *icmp = frame + 34;
	u8 kind = fuzz_u8(in), ports = fuzz_u8(in);
	u32 len = 8;

	icmp[0] = types[kind & 7];
	icmp[5] = ports & 3;
	if (icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 5) {
		/* It quotes a datagram of ours, or of somebody else's. */
		ip_header(icmp + 8, kind & 8 ? IPPROTO_TCP : IPPROTO_UDP,
			  kind & 16 ? FUZZ_PEER_ADDR : FUZZ_HOST_ADDR, FUZZ_PEER_ADDR, 8);
		put16(icmp + 28, 7u + (ports >> 2 & 3));
		put16(icmp + 30, 5000u + (ports & 3));
		len += kind & 32 ? 20 : 28;
	}
	ip_header(frame + 14, IPPROTO_ICMP, FUZZ_PEER_ADDR, FUZZ_HOST_ADDR, len);
	l4_checksum(frame + 14, len, 2);
	send_frame(f, frame, len);
}

static void op_out(struct fuzz_world *f, s32 fd, u8 port)
{
	struct sys_op op = { .nr = SYS_SENDMSG, .fd = fd, .has_addr = true };
	u8 data[4] = { 0 };

	op.addr.family = AF_INET;
	memcpy(op.addr.addr, FUZZ_PEER_ADDR, 4);
	op.addr.port = (u16)(5000 + (port & 3));
	op.data = data;
	op.data_len = sizeof(data);
	op.arg[0] = MSG_DONTWAIT;
	(void)fuzz_call(f, &op);
}

static s64 iptables(struct fuzz_world *f, u16 family, const void *text, size_t len)
{
	struct op op = { .kind = OP_IPTABLES };

	op.u.iptables.family = family;
	op.u.iptables.command = (struct op_bytes){ text, (u32)len };
	return world_apply(f->w, &op);
}

static void op_command(struct fuzz_world *f, struct fuzz_input *in)
{
	static char shown[1u << 16];
	char path[300];
	size_t got;
	const u8 *text = fuzz_bytes(in, fuzz_u8(in), &got);

	(void)iptables(f, AF_INET6, text, got);
	/* What is shown of it can be read again. */
	(void)snprintf(path, sizeof(path), "ip6tables %.*s", (int)got, (const char *)text);
	(void)proc_read(f->w, 0, path, shown, sizeof(shown));
}

static void op_rule(struct fuzz_world *f, u8 which)
{
	static const char *const rules[] = {
		"-A OUTPUT -m conntrack --ctstate INVALID -j DROP",
		"-A OUTPUT -p icmp -m limit --limit 3/s -j ACCEPT",
		"-t raw -A PREROUTING -p udp --dport 9 -j NOTRACK",
		"-t mangle -A INPUT -p tcp --syn -j MARK --set-mark 1",
		"-t mangle -A POSTROUTING -m conntrack --ctdir REPLY -m statistic --mode nth --every 3 --packet 0 -j DROP",
		"-A OUTPUT -p tcp --tcp-flags RST RST -j REJECT",
		"-D OUTPUT 1",
		"-t raw -F",
	};
	const char *rule = rules[which % (sizeof(rules) / sizeof(rules[0]))];
	struct op op = { .kind = OP_CONNTRACK_DELETE };

	if (which >= 0xf0)
		(void)world_apply(f->w, &op);
	else
		(void)iptables(f, AF_INET, rule, strlen(rule));
}

/* ---- oracles ---- */

static const char *const states[STATES] = { "INVALID", "NEW", "ESTABLISHED", "RELATED",
					    "UNTRACKED" };

/* Packets that the rules of a chain have counted, one rule for all, then one for each state. */
static void check_states(struct fuzz_world *f, const char *chain)
{
	char path[64], mark[32];
	char text[4096];
	unsigned long long all = 0, sum = 0;
	const char *p = text;

	(void)snprintf(path, sizeof(path), "iptables -v -S %s", chain);
	(void)snprintf(mark, sizeof(mark), "-A %s", chain);
	FUZZ_CHECK(proc_read(f->w, 0, path, text, sizeof(text)) > 0, "no rules");
	for (u32 n = 0; (p = strstr(p, mark)) != NULL; n++) {
		unsigned long long packets = 0;

		p = strstr(p, " -c ");
		FUZZ_CHECK(p && sscanf(p, " -c %llu", &packets) == 1, "a rule without counters");
		*(n ? &sum : &all) += packets;
	}
	FUZZ_CHECK(all == sum, "a packet is in no state, or in two");
}

static void check_entries(struct fuzz_world *f, bool none)
{
	char count[32];

	FUZZ_CHECK(sysctl_read(f->w, 0, "net.netfilter.nf_conntrack_count", count, sizeof(count)) >
			   0,
		   "no count");
	FUZZ_CHECK(strtoul(count, NULL, 10) <= strtoul(ENTRIES, NULL, 10),
		   "more entries than allowed");
	FUZZ_CHECK(!none || strcmp(count, "0") == 0, "an entry outlives its time-out");
}

/* One rule for all, then one for each state. */
static void count_states(struct fuzz_world *f, const char *chain)
{
	char rule[80];

	(void)snprintf(rule, sizeof(rule), "-A %s", chain);
	FUZZ_CHECK(iptables(f, AF_INET, rule, strlen(rule)) == 0, "no rule");
	for (u32 i = 0; i < STATES; i++) {
		(void)snprintf(rule, sizeof(rule), "-A %s -m conntrack --ctstate %s", chain,
			       states[i]);
		FUZZ_CHECK(iptables(f, AF_INET, rule, strlen(rule)) == 0, "no rule");
	}
}

/* The host is a router between two stations of its one wire. */
static void forwards(struct fuzz_world *f)
{
	struct op op = { .kind = OP_NEIGH_SET };

	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = NUD_PERMANENT;
	op.u.neigh_set.addr = (struct op_bytes){ (const u8 *)FAR_ADDR, 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ (const u8 *)FUZZ_PEER_MAC, 6 };
	FUZZ_CHECK(world_apply(f->w, &op) == 0, "no neighbour");
	(void)fuzz_sysctl(f, "net.ipv4.conf.all.send_redirects", "0");
	(void)fuzz_sysctl(f, "net.ipv4.conf.eth0.send_redirects", "0");
	(void)fuzz_sysctl(f, "net.ipv4.ip_forward", "1");
}

static void set_up(struct fuzz_world *f, u8 settings)
{
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_max", ENTRIES);
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_buckets", settings & 1 ? "8" : "65536");
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_acct", settings & 2 ? "1" : "0");
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_tcp_loose", settings & 4 ? "0" : "1");
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_tcp_be_liberal", settings & 8 ? "1" : "0");
	(void)fuzz_sysctl(f, "net.netfilter.nf_conntrack_log_invalid", "255");
	forwards(f);
	count_states(f, "INPUT");
	count_states(f, "FORWARD");
	if (settings & 16)
		(void)iptables(f, AF_INET, "-A INPUT -m state --state INVALID -j DROP", 41);
	if (settings & 32)
		(void)iptables(f, AF_INET, "-A INPUT -p tcp -j REJECT --reject-with tcp-reset", 49);
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 settings = fuzz_u8(in);
	s32 fd;

	fuzz_boot(f, 1, 1);
	fd = fuzz_udp_socket(f, 7);
	set_up(f, settings);
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++) {
		u8 op = fuzz_u8(in) % 10;

		switch (op) {
		case 4:
			op_udp(f, in);
			break;
		case 5:
			op_icmp(f, in);
			break;
		case 6:
			op_out(f, fd, fuzz_u8(in));
			break;
		case 7:
			fuzz_advance(f, fuzz_u8(in));
			break;
		case 8:
			op_command(f, in);
			break;
		case 9:
			op_rule(f, fuzz_u8(in));
			break;
		default:
			op_tcp(f, in);
			break;
		}
		world_check(f->w, 0);
	}
	check_entries(f, false);
	if (!(settings & 48))
		check_states(f, "INPUT");
	check_states(f, "FORWARD");
	/* Five days and more: no time-out is longer. */
	for (u32 i = 0; i < 210; i++)
		fuzz_advance(f, 31);
	check_entries(f, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
