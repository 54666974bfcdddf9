/* SPDX-License-Identifier: MIT */
/* What /proc/net/packet shows of a packet socket; the rest of it is socket/af_packet.h's. */
#ifndef TAPLINE_CORE_PACKET_H
#define TAPLINE_CORE_PACKET_H

#include "core/sock.h"

struct packet_info {
	struct list_head list; /* net->packet_sklist */
	const struct sock *sk;
	u16 num; /* protocol, host order; 0: none */
	s32 ifindex; /* 0: all devices; -1: the one that was is gone */
	bool running; /* it hears */
};

#endif
