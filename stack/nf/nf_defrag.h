/* SPDX-License-Identifier: MIT */
/* Reassembly in front of connection tracking (net/ipv4/netfilter/nf_defrag_ipv4.c): a hook. */
#ifndef TAPLINE_NF_NF_DEFRAG_H
#define TAPLINE_NF_NF_DEFRAG_H

#include "netfilter/nf_hooks.h"

/* Keeps fragments until the datagram is whole (NF_STOLEN); then the last one is the datagram. */
u32 nf_ct_defrag(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

#endif
