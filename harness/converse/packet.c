/* SPDX-License-Identifier: MIT */
/* See packet.h. The host under test sends only what its own checks let pass; lengths are looked at
 * all the same. */
#include "converse/packet.h"

#include <string.h>

#include "converse/conversation.h"
#include "packet/bytes.h"

enum { IP_LEN = 20, IP6_LEN = 40, TCP_LEN = 20, OPTIONS_MAX = 40, PROTO_TCP = 6 };

/* 192.0.2.1 and .2; 2001:db8::1 and ::2 */
static const u8 host4[4] = { 192, 0, 2, 1 }, peer4[4] = { 192, 0, 2, 2 };
static const u8 host6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
static const u8 peer6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 2 };

const u8 *cv_host_addr(bool v6)
{
	return v6 ? host6 : host4;
}

const u8 *cv_peer_addr(bool v6)
{
	return v6 ? peer6 : peer4;
}

/* One of the usual layouts: each option behind the NOPs that align it. */
static u32 write_options(u8 *o, const struct cv_tcp *t)
{
	u32 n = 0, blocks;

	if (t->has_mss) {
		o[n] = PACKET_OPT_MSS;
		o[n + 1] = 4;
		write_be16(o + n + 2, t->mss);
		n += 4;
	}
	if (t->wscale != CV_NO_WSCALE) {
		o[n] = PACKET_OPT_NOP;
		o[n + 1] = PACKET_OPT_WSCALE;
		o[n + 2] = 3;
		o[n + 3] = t->wscale;
		n += 4;
	}
	if (t->sack_permitted) {
		memcpy(o + n, "\1\1\4\2", 4);
		n += 4;
	}
	if (t->has_ts) {
		memcpy(o + n, "\1\1\x8\xa", 4);
		write_be32(o + n + 4, t->ts_val);
		write_be32(o + n + 8, t->ts_ecr);
		n += 12;
	}
	blocks = (OPTIONS_MAX - n - 4) / 8;
	if (blocks > t->sack_count)
		blocks = t->sack_count;
	if (blocks) {
		memcpy(o + n, "\1\1\5", 3);
		o[n + 3] = (u8)(2 + 8 * blocks);
		for (u32 i = 0; i < 2 * blocks; i++)
			write_be32(o + n + 4 + 4 * i, t->sack[i]);
		n += 4 + 8 * blocks;
	}
	return n;
}

/* Writes the IP header in front of so many bytes of TCP; returns its length. */
static u32 write_ip(u8 *out, const struct cv_tcp *t, u32 tcp_len)
{
	if (t->v6) {
		write_be32(out, 6u << 28 | (u32)t->tos << 20);
		write_be16(out + 4, tcp_len);
		out[6] = PROTO_TCP;
		out[7] = 64;
		memcpy(out + 8, peer6, 16);
		memcpy(out + 24, host6, 16);
		return IP6_LEN;
	}
	memset(out, 0, IP_LEN);
	out[0] = 0x45;
	out[1] = t->tos;
	write_be16(out + 2, IP_LEN + tcp_len);
	out[6] = 0x40; /* DF */
	out[8] = 64;
	out[9] = PROTO_TCP;
	memcpy(out + 12, peer4, 4);
	memcpy(out + 16, host4, 4);
	write_be16(out + 10, packet_checksum(out, IP_LEN));
	return IP_LEN;
}

u32 cv_packet_write(u8 *out, const struct cv_tcp *t)
{
	u32 size = t->v6 ? 16 : 4, head = t->v6 ? IP6_LEN : IP_LEN;
	u8 pseudo[40] = { 0 }, *th = out + head;
	u32 options = write_options(th + TCP_LEN, t);
	u32 tcp_len = TCP_LEN + options + t->len, sum;

	memset(th, 0, TCP_LEN);
	(void)write_ip(out, t, tcp_len);
	write_be16(th, t->sport);
	write_be16(th + 2, t->dport);
	write_be32(th + 4, t->seq);
	write_be32(th + 8, t->ack);
	write_be16(th + 12, (TCP_LEN + options) / 4 << 12 | (t->flags & 0xfffu));
	write_be16(th + 14, t->win);
	write_be16(th + 18, t->urg);
	if (t->len)
		memcpy(th + TCP_LEN + options, t->payload, t->len);
	/* Both addresses, protocol and length: the sum is the same for the order of either family.
	 */
	memcpy(pseudo, out + head - 2 * size, 2 * size);
	pseudo[2 * size + 1] = PROTO_TCP;
	write_be16(pseudo + 2 * size + 2, tcp_len);
	/* The complements of two sums, added: the sum of both. */
	sum = (u16)~packet_checksum(pseudo, 2 * size + 4) + (u32)(u16)~packet_checksum(th, tcp_len);
	sum = (sum & 0xffff) + (sum >> 16);
	write_be16(th + 16, ~sum);
	return head + tcp_len;
}

static void read_options(struct cv_tcp *t, const u8 *o, u32 len)
{
	for (u32 i = 0; i < len && o[i] != PACKET_OPT_EOL;) {
		u32 n = o[i] == PACKET_OPT_NOP ? 1 : i + 1 < len ? o[i + 1] : 0;

		if (!n || i + n > len || (o[i] != PACKET_OPT_NOP && n < 2))
			return;
		if (o[i] == PACKET_OPT_WSCALE && n == 3)
			t->wscale = o[i + 2] < 14 ? o[i + 2] : 14;
		t->sack_permitted = t->sack_permitted || o[i] == PACKET_OPT_SACKOK;
		if (o[i] == PACKET_OPT_TS && n == 10) {
			t->has_ts = true;
			t->ts_val = read_be32(o + i + 2);
			t->ts_ecr = read_be32(o + i + 6);
		}
		i += n;
	}
}

bool cv_packet_read(struct cv_tcp *t, const u8 *packet, u32 len)
{
	bool v6 = len && packet[0] >> 4 == 6;
	u32 ip = v6 ? IP6_LEN : IP_LEN, total, head;
	const u8 *th = packet + ip;

	*t = (struct cv_tcp){ .wscale = CV_NO_WSCALE, .v6 = v6 };
	if (len < ip + TCP_LEN || packet[v6 ? 6 : 9] != PROTO_TCP || (!v6 && packet[0] != 0x45))
		return false;
	total = v6 ? IP6_LEN + read_be16(packet + 4) : read_be16(packet + 2);
	head = (th[12] >> 4) * 4u;
	if (total > len || head < TCP_LEN || ip + head > total)
		return false;
	t->sport = read_be16(th);
	t->dport = read_be16(th + 2);
	t->seq = read_be32(th + 4);
	t->ack = read_be32(th + 8);
	t->flags = read_be16(th + 12) & 0xfffu;
	t->win = read_be16(th + 14);
	t->payload = th + head;
	t->len = total - ip - head;
	read_options(t, th + TCP_LEN, head - TCP_LEN);
	return true;
}
