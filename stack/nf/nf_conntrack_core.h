/* SPDX-License-Identifier: MIT */
/* What turns tracking on and off (nf_conntrack_standalone.c) needs of the core. */
#ifndef TAPLINE_NF_NF_CONNTRACK_CORE_H
#define TAPLINE_NF_NF_CONNTRACK_CORE_H

#include "nf/nf_conntrack.h"

#define NF_CT_HASH_BITS_MIN 6u

/* The hooks. */
u32 nf_conntrack_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);
u32 nf_confirm(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);
/* netns_ct.gc_work: ends what has run out. */
void nf_ct_gc_worker(struct timer *t);
struct hlist_head *nf_ct_hash_bucket(struct netns_ct *cn, u32 hash);

#endif
