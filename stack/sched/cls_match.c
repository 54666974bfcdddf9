/* SPDX-License-Identifier: MIT */
/* What the classifiers look at: u32 words of the packet, fw its mark, matchall nothing.
 * (net/sched/cls_u32.c, cls_fw.c, cls_matchall.c) */
#include "sched/cls_api.h"

#include "lib/bytes.h"

const char *const cls_names[CLS_COUNT] = { "u32", "matchall", "fw" };

static bool key_matches(const struct sk_buff *skb, const struct u32_key *k)
{
	s64 at = (s64)(skb_network_header(skb) - skb->data) + k->off;
	u8 word[4];

	/* Before data lies the link header, where it is still there. */
	if (at < 0) {
		if (at + (s64)skb_headroom(skb) < 0)
			return false;
		memcpy(word, skb->data + at, sizeof(word));
	} else if (!skb_copy_bits(skb, (u32)at, word, sizeof(word))) {
		return false;
	}
	return !((get_be32(word) ^ k->val) & k->mask);
}

bool tcf_match(const struct sk_buff *skb, const struct tcf_proto *tp, const struct tcf_filter *f)
{
	switch (tp->kind) {
	case CLS_U32:
		/* u32_classify(): one that names neither a class nor an action ends nothing. */
		if (!f->classid && !f->actions_count)
			return false;
		for (u32 i = 0; i < f->keys_count; i++)
			if (!key_matches(skb, &f->keys[i]))
				return false;
		return true;
	case CLS_FW:
		return (skb->mark & f->mark_mask) == f->handle;
	case CLS_MATCHALL:
	default:
		return true;
	}
}
