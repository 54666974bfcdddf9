/* SPDX-License-Identifier: MIT */
/* Packets of a played conversation as bytes: IPv4 without options or IPv6, TCP. Pure functions. */
#ifndef TAPLINE_CONVERSE_PACKET_H
#define TAPLINE_CONVERSE_PACKET_H

#include <stdbool.h>

#include "stack/types.h"

enum { CV_HEADERS_MAX = 40 + 60, CV_PACKET_MAX = 40 + 65535 };

struct cv_tcp {
	u32 seq, ack, len;
	u16 sport, dport;
	u16 flags, win, urg;
	u8 tos;
	bool v6; /* carried over IPv6 */
	bool has_ts, has_mss, sack_permitted;
	u8 wscale; /* CV_NO_WSCALE: none */
	u8 sack_count; /* blocks */
	u16 mss;
	u32 ts_val, ts_ecr;
	u32 sack[8];
	const u8 *payload;
};

/* Addresses of the host and of the peer: 4 bytes, or 16. */
const u8 *cv_host_addr(bool v6);
const u8 *cv_peer_addr(bool v6);

/* Writes a packet from the peer to the host; the length. As many SACK blocks as there is room for.
 */
u32 cv_packet_write(u8 *out, const struct cv_tcp *t);

/* Reads a packet of the host's. False: it is none of TCP. */
bool cv_packet_read(struct cv_tcp *t, const u8 *packet, u32 len);

#endif
