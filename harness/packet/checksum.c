/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum, the plain way (RFC 1071), and the pseudo-headers of RFC 768 / 9293 (IPv4)
 * and RFC 8200 8.1 (IPv6). Slow on purpose: the stack's fast one is checked against it.
 */
#include "packet/bytes.h"
#include "packet/packet.h"
#include "packet/proto.h"

u32 packet_sum(u32 sum, const u8 *bytes, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += read_be16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (i < len)
		sum += (u32)bytes[i] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

u16 packet_fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

u16 packet_checksum(const void *bytes, size_t len)
{
	return packet_fold(packet_sum(0, bytes, len));
}

u32 packet_pseudo_sum(enum packet_proto ip, const u8 *header, u32 protocol, size_t len)
{
	u32 sum;

	if (ip == PACKET_IP)
		sum = packet_sum(0, header + 12, 8);
	else
		sum = packet_sum(0, header + 8, 32);
	return sum + protocol + (u32)(len >> 16) + (u32)(len & 0xffff);
}
