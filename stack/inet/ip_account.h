/* SPDX-License-Identifier: MIT */
/* The account of IP packets (netns/ip_account.h), as world_check() looks at it. */
#ifndef TAPLINE_INET_IP_ACCOUNT_H
#define TAPLINE_INET_IP_ACCOUNT_H

#include "netns/net.h"

/* Panics where a packet is missing. Between steps only: no packet may be in motion. Level 0 costs
 * no more than the sums; 1 adds up the reasons too. */
void ip_account_check(const struct net *net, u32 level);

#endif
