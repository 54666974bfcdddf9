/* SPDX-License-Identifier: MIT */
/* From captured frames to Ethernet frames; see frame.h. */
#include "replay/frame.h"

#include <string.h>

#include "packet/bytes.h"
#include "packet/packet.h"

enum { ETH_HEADER = 14, TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, TYPE_UNKNOWN = 0x88b5 };
enum { TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100 };
enum { TYPE_MIN = 0x0600, IP4_MIN = 20 };

/* What the link header of a capture says, in Ethernet's terms. */
struct link {
	u32 header; /* its bytes */
	u32 type; /* EtherType; below TYPE_MIN: an 802.3 frame with LLC */
	u8 pkttype; /* of the cooked links: 1 broadcast, 2 multicast, else unicast */
	const u8 *src; /* 6 bytes, or NULL */
};

static u32 type_by_version(const u8 *data, u32 len)
{
	if (len && data[0] >> 4 == 4)
		return TYPE_IP4;
	if (len && data[0] >> 4 == 6)
		return TYPE_IP6;
	return TYPE_UNKNOWN;
}

/* Address families are numbers of the capturing machine, in its byte order. */
static u32 type_by_family(const u8 *data, u32 len)
{
	u32 family;

	if (len < 4)
		return TYPE_UNKNOWN;
	family = read_be32(data);
	if (family > 0xffff)
		family = (u32)data[3] << 24 | (u32)data[2] << 16 | (u32)data[1] << 8 | data[0];
	switch (family) {
	case 2:
		return TYPE_IP4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return TYPE_IP6;
	default:
		return family >= TYPE_MIN && family <= 0xffff ? family : (u32)TYPE_UNKNOWN;
	}
}

static struct link read_link(const struct capture_frame *in)
{
	struct link l = { 0 };
	const u8 *d = in->data;

	switch (in->link) {
	case PACKET_LINK_IPV4:
		l.type = TYPE_IP4;
		break;
	case PACKET_LINK_IPV6:
		l.type = TYPE_IP6;
		break;
	case PACKET_LINK_NULL:
	case PACKET_LINK_LOOP:
		l.header = 4;
		l.type = type_by_family(d, in->caplen);
		break;
	case PACKET_LINK_SLL:
		l.header = 16;
		if (in->caplen < 16)
			break;
		l.pkttype = d[1];
		l.src = read_be16(d + 4) == 6 ? d + 6 : NULL;
		l.type = read_be16(d + 14);
		break;
	case PACKET_LINK_SLL2:
		l.header = 20;
		if (in->caplen < 20)
			break;
		l.type = read_be16(d);
		l.pkttype = d[10];
		l.src = d[11] == 6 ? d + 12 : NULL;
		break;
	default:
		l.type = type_by_version(d, in->caplen);
	}
	return l;
}

static void put_bytes(struct replay_frame *out, const u8 *bytes, u32 len)
{
	if (len > FRAME_LEN_MAX - out->len)
		len = FRAME_LEN_MAX - out->len;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put_header(struct replay_frame *out, const struct link *l, u32 wire_len, const u8 *mac)
{
	static const u8 peer[6] = { 0x02, 0, 0, 0, 0, 0xfe };
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const u8 multicast[6] = { 0x01, 0x00, 0x5e, 0, 0, 1 };
	u8 type[2];

	put_bytes(out, l->pkttype == 1 ? broadcast : l->pkttype == 2 ? multicast : mac, 6);
	put_bytes(out, l->src ? l->src : peer, 6);
	/* 1 and 4 are the cooked links' names for 802.3 and 802.2 frames. */
	write_be16(type, l->type >= TYPE_MIN ? l->type : wire_len - l->header);
	put_bytes(out, type, 2);
}

/* Length that the frame had on the wire, once it is an Ethernet frame. */
static u64 full_length(const struct capture_frame *in, u32 header, bool ethernet)
{
	u64 len = in->len > in->caplen ? in->len : in->caplen;

	return ethernet ? len : len - header + ETH_HEADER;
}

static void pad_to(struct replay_frame *out, u64 len)
{
	if (len > FRAME_LEN_MAX)
		len = FRAME_LEN_MAX;
	if (len <= out->len)
		return;
	memset(out->bytes + out->len, 0, (size_t)len - out->len);
	out->len = (u32)len;
}

static bool is_tag(u32 type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

/* Place of the IPv4 header behind the tags, or 0 when there is none that is whole. */
static u32 find_ip4(const u8 *b, u32 len)
{
	u32 at = 12, hlen;

	while (at + 2 <= len && is_tag(read_be16(b + at)))
		at += 4;
	if (at + 2 + IP4_MIN > len || read_be16(b + at) != TYPE_IP4)
		return 0;
	at += 2;
	hlen = (b[at] & 15u) * 4;
	return b[at] >> 4 == 4 && hlen >= IP4_MIN && at + hlen <= len ? at : 0;
}

/*
 * --any: a tag of before IEEE 802.1ad (0x9100, QinQ of old switches), which Linux knows no more,
 * becomes one of it.
 */
static bool rename_tags(struct replay_frame *out)
{
	bool renamed = false;

	for (u32 at = 12; at + 2 <= out->len && is_tag(read_be16(out->bytes + at)); at += 4) {
		if (read_be16(out->bytes + at) != TYPE_QINQ_OLD)
			continue;
		write_be16(out->bytes + at, TYPE_QINQ);
		renamed = true;
	}
	return renamed;
}

static u32 ip_header_end(const struct replay_frame *f, u32 ip)
{
	return ip + (f->bytes[ip] & 15u) * 4;
}

/*
 * What the sender's hardware would have finished: the total length of a segment to be cut up (0 in
 * the capture) and the header checksum.
 */
static bool finish_ip4(struct replay_frame *out, u32 at)
{
	u8 *ip = out->bytes + at;
	u32 hlen = (ip[0] & 15u) * 4;
	u8 before[IP4_MIN];

	memcpy(before, ip, sizeof(before));
	if (!read_be16(ip + 2) && out->len - at <= 0xffff)
		write_be16(ip + 2, out->len - at);
	write_be16(ip + 10, 0);
	write_be16(ip + 10, packet_checksum(ip, hlen));
	return memcmp(before, ip, sizeof(before)) != 0;
}

enum frame_verdict replay_frame_make(struct replay_frame *out, const struct capture_frame *in,
				     const struct replay_options *o, const u8 *mac)
{
	bool ethernet = in->link == PACKET_LINK_ETHERNET;
	struct link l = { 0 };
	u32 captured, ip;
	u64 full;

	out->len = 0;
	out->cut = in->caplen < in->len;
	out->fixed = false;
	out->vouched = o->checksums == CHECKSUMS_TRUST || (out->cut && o->cut == CUT_PAD);
	if (out->cut && o->cut == CUT_DROP)
		return FRAME_LEAVE_OUT;
	if (!ethernet) {
		l = read_link(in);
		if (in->caplen < l.header) /* not even the link header: nothing is known of it */
			l = (struct link){ .type = TYPE_UNKNOWN };
		put_header(out, &l, in->caplen, mac);
	}
	full = full_length(in, l.header, ethernet);
	put_bytes(out, in->data + l.header, in->caplen - l.header);
	captured = out->len;
	out->shortened = out->len < in->caplen - l.header + (ethernet ? 0u : (u32)ETH_HEADER);
	out->vouched = out->vouched || out->shortened;
	if (out->cut && o->cut == CUT_PAD)
		pad_to(out, full);
	out->renamed = o->any && rename_tags(out);
	/* A header that was cut has a checksum which nobody can judge. */
	ip = find_ip4(out->bytes, out->len);
	if (ip && (o->checksums != CHECKSUMS_JUDGE || ip_header_end(out, ip) > captured))
		out->fixed = finish_ip4(out, ip);
	return FRAME_INJECT;
}
