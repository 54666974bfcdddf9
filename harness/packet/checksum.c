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

/*
 * RFC 791 3.1: a source route that is not used up yet ends at its last address: that one, and not
 * the next hop in the header, is the destination which transports sum over.
 */
static const u8 *ipv4_destination(const u8 *header, size_t header_len)
{
	size_t at = 20;

	while (at + 1 < header_len && header[at]) {
		const u8 *option = header + at;

		if (option[0] == 1) {
			at++;
			continue;
		}
		if (option[1] < 2 || option[1] > header_len - at)
			break;
		if ((option[0] == 0x83 || option[0] == 0x89) && option[1] >= 7 &&
		    option[2] <= option[1])
			return option + option[1] - 4;
		at += option[1];
	}
	return header + 16;
}

u32 packet_pseudo_sum(enum packet_proto ip, const u8 *header, size_t header_len, u32 protocol,
		      size_t len)
{
	u32 sum;

	if (ip == PACKET_IP)
		sum = packet_sum(packet_sum(0, header + 12, 4),
				 ipv4_destination(header, header_len), 4);
	else
		sum = packet_sum(0, header + 8, 32);
	return sum + protocol + (u32)(len >> 16) + (u32)(len & 0xffff);
}
