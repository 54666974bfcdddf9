/* SPDX-License-Identifier: MIT */
/* What the files of ipv4/ share about options (ip_options.c). */
#ifndef TAPLINE_IPV4_IP_OPTIONS_H
#define TAPLINE_IPV4_IP_OPTIONS_H

#include "ipv4/ip.h"

/* Milliseconds since midnight UT (RFC 791 3.1); the world's clock began at midnight. */
be32 inet_current_timestamp(const struct net *net);
/* ip_options_echo with options other than the packet's own record of them. */
int ip_options_echo_from(struct net *net, struct inet_opts *dopt, struct sk_buff *skb,
			 const struct ip_options *sopt);
/* Writes options behind the 20 bytes at iph: daddr is the final destination (source route), src our
 * address (record route, time stamp). cb becomes the packet's own record. */
void ip_options_build(struct net *net, u8 *iph, struct ip_options *cb, const struct inet_opts *opt,
		      be32 daddr, be32 src);
/* After the first fragment only options with the copied flag stay (RFC 791 3.1). */
void ip_options_fragment(u8 *options, struct ip_options *opt);

#endif
