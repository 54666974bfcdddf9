/* SPDX-License-Identifier: MIT */
/*
 * Filters and their actions (net/sched/cls_api.c, act_api.c): where a block of them hangs
 * (a discipline, a class of htb, the way in and out of a device), a packet is shown to them in
 * order of priority; the first that matches says which class it belongs to, or what becomes of it.
 */
#ifndef TAPLINE_SCHED_CLS_API_H
#define TAPLINE_SCHED_CLS_API_H

#include "core/sch_generic.h"

struct tcf_proto;

/* Counted by every action. */
struct tc_action {
	u32 index; /* numbered through the host */
	bool mirred; /* else gact */
	s32 verdict; /* gact: TC_ACT_* */
	u32 how; /* mirred: enum tcf_mirred */
	u32 ifindex; /* the device it gives packets to; that may be gone by now */
	u64 packets, bytes, drops, overlimits;
	u64 installed, used, firstused; /* ns; used 0: never */
};

struct u32_key {
	u32 mask, val; /* as the 4 bytes read from the wire */
	s32 off;
	bool nexthdr;
};

struct tcf_filter {
	struct list_head list; /* of its tcf_proto, in order of handles */
	u32 handle;
	u32 classid;
	u32 mark_mask; /* fw */
	u32 keys_count, actions_count;
	struct u32_key keys[TCF_KEYS_MAX];
	struct tc_action actions[TCF_ACTIONS_MAX];
};

enum cls_kind { CLS_U32, CLS_MATCHALL, CLS_FW, CLS_COUNT };

/* The filters of one priority, protocol and kind. */
struct tcf_proto {
	struct list_head list; /* of the block, lowest priority number first */
	u32 prio;
	u16 protocol; /* ETH_P_*; ETH_P_ALL: every one */
	enum cls_kind kind;
	u32 htid; /* u32: the hash table's number */
	u32 next_node; /* u32: of the next filter */
	struct list_head filters;
};

struct tcf_block {
	struct net_device *dev;
	struct list_head protos;
};

void tcf_block_init(struct tcf_block *b, struct net_device *dev);
/* Ends all filters. */
void tcf_block_put(struct tcf_block *b);

/*
 * What the filters say of a packet: TC_ACT_*, with its class in *classid for TC_ACT_OK (0: none was
 * named); TC_ACT_UNSPEC when none matched. TC_ACT_STOLEN: it is gone. at_ingress: its data is at
 * the network header.
 */
s32 tcf_classify(struct sk_buff *skb, struct tcf_block *b, bool at_ingress, u32 *classid);

/* The same for a discipline's enqueue: false: the packet is gone, *rc to be returned. Else *classid
 * (0: none). */
bool tcf_classify_qdisc(struct sk_buff *skb, struct Qdisc *q, struct tcf_block *b, u32 *classid,
			int *rc);

/* Runs the actions of a filter: TC_ACT_*. (act_api.c) */
s32 tcf_action_exec(struct sk_buff *skb, struct tcf_filter *f, bool at_ingress);
/* Does the filter match? (cls_match.c) */
bool tcf_match(const struct sk_buff *skb, const struct tcf_proto *tp, const struct tcf_filter *f);

/* The block that hangs at `parent` of a device ("1:", "1:10", "ffff:fff2"); NULL with *why: there
 * is none. */
struct tcf_block *tcf_block_find(struct net_device *dev, u32 parent, const char **why);
extern const char *const cls_names[CLS_COUNT];

struct op_filter;
/* `tc filter add|replace|del`. 0 or -errno, why in tc_extack(). */
int sched_op_filter(struct net *net, const struct op_filter *o);

#endif
