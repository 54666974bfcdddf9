/* SPDX-License-Identifier: MIT */
/* Counting what segments carry, for replays. */
#ifndef TAPLINE_TCP_TCP_OBSERVE_H
#define TAPLINE_TCP_TCP_OBSERVE_H

#include "netns/net.h"

/*
 * Counts flags and kinds of options of a segment whose header (th, tcp_doff() bytes of it linear)
 * is sound: SeenTcpSyns ... SeenTcpOptMptcps. Linux has no such counters; the callers do it only
 * for devices that take every packet (LINK_PARAM_ANYIP), so that no other segment pays for it.
 */
void tcp_observe(struct net *net, const u8 *th);

#endif
