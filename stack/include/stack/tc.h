/* SPDX-License-Identifier: MIT */
/*
 * Traffic control (OP_QDISC of stack/op.def): verbs, handles, and the options of the queueing
 * disciplines. Options travel as runs of 9 bytes: a TCA_* number and its value, little endian.
 */
#ifndef TAPLINE_STACK_TC_H
#define TAPLINE_STACK_TC_H

#include "stack/types.h"

/* OP_QDISC verb: what of RTM_NEWQDISC's flags, or RTM_DELQDISC, `tc qdisc VERB` sends. */
enum tc_verb { TC_ADD, TC_REPLACE, TC_CHANGE, TC_LINK, TC_DELETE, TC_VERB_COUNT };

/* Handles: the discipline's number in the upper half, a class of it in the lower. */
#define TC_H_ROOT	      0xffffffffu
#define TC_H_MAKE(major, min) ((major) << 16 | (min))
#define TC_H_MAJ(h)	      ((h)&0xffff0000u)
#define TC_H_MIN(h)	      ((h)&0x0000ffffu)

/* Where filters before and behind the disciplines hang (`clsact`, `ingress`). */
#define TC_H_INGRESS_QDISC 0xffff0000u /* the handle; its parent: */
#define TC_H_CLSACT	   0xfffffff1u
#define TC_H_MIN_INGRESS   0xfff2u
#define TC_H_MIN_EGRESS	   0xfff3u

#define TC_PRIO_MAX 15u

/* Fractions: of 2^32 - 1. Times: ns. Rates: bytes a second, UINT64_MAX for no limit. */
enum tca {
	TCA_LIMIT = 1, /* packets; of bfifo and tbf bytes */
	TCA_QUANTUM, /* bytes */
	TCA_INITIAL_QUANTUM,
	TCA_FLOW_LIMIT, /* fq: packets of one flow; htb: those of no class */
	TCA_BUCKETS,
	TCA_ORPHAN_MASK,
	TCA_PACING, /* 0/1 */
	TCA_MAXRATE, /* of one flow */
	TCA_LOW_RATE_THRESHOLD,
	TCA_REFILL_DELAY,
	TCA_CE_THRESHOLD,
	TCA_TIMER_SLACK,
	TCA_HORIZON,
	TCA_HORIZON_DROP, /* 1: what lies beyond is dropped, 0: sent at the horizon */
	TCA_OFFLOAD_HORIZON,
	TCA_PRIOMAP, /* band of each of 16 priorities, 4 bits each, the lowest first */
	TCA_WEIGHT0, /* of the bands */
	TCA_WEIGHT1,
	TCA_WEIGHT2,
	TCA_TARGET,
	TCA_INTERVAL,
	TCA_FLOWS,
	TCA_ECN,
	TCA_DROP_BATCH,
	TCA_MEMORY_LIMIT,
	TCA_LATENCY,
	TCA_JITTER,
	TCA_DELAY_CORR,
	TCA_DISTRIBUTION, /* enum tc_distribution */
	TCA_LOSS,
	TCA_LOSS_CORR,
	TCA_LOSS_MODEL, /* enum tc_loss_model */
	TCA_LOSS_P1, /* state: p13 p31 p32 p23 p14; gemodel: p, r, 1-h, 1-k */
	TCA_LOSS_P2,
	TCA_LOSS_P3,
	TCA_LOSS_P4,
	TCA_LOSS_P5,
	TCA_DUPLICATE,
	TCA_DUPLICATE_CORR,
	TCA_REORDER,
	TCA_REORDER_CORR,
	TCA_GAP,
	TCA_CORRUPT,
	TCA_CORRUPT_CORR,
	TCA_RATE,
	TCA_PACKET_OVERHEAD, /* netem's rate: two's complement in 32 bits */
	TCA_CELL_SIZE,
	TCA_CELL_OVERHEAD,
	TCA_SEED,
	TCA_BURST,
	TCA_PEAKRATE, /* tbf; htb: the ceiling */
	TCA_MTU, /* tbf; htb: the burst at the ceiling */
	TCA_BANDS, /* prio; its map: TCA_PRIOMAP */
	TCA_DEFCLS, /* htb: minor of the class for the rest */
	TCA_R2Q,
	TCA_PRIO,
	TCA_SLOT_MIN, /* netem: ns between the times when packets may go */
	TCA_SLOT_MAX,
	TCA_SLOT_PACKETS, /* at each; 0: any number */
	TCA_SLOT_BYTES,
	TCA_SLOT_DIST, /* enum tc_distribution: min is the mean, max the jitter */
	TCA_COUNT
};

enum tc_distribution {
	TC_DIST_NONE,
	TC_DIST_UNIFORM,
	TC_DIST_NORMAL,
	TC_DIST_PARETO,
	TC_DIST_COUNT
};
enum tc_loss_model { TC_LOSS_RANDOM, TC_LOSS_STATE, TC_LOSS_GEMODEL, TC_LOSS_COUNT };

/* One option as it travels. */
#define TC_OPTION_LEN 9u

/* `tc -s`, of kinds that count more than all do. */
enum fq_xstat {
	FQ_FLOWS,
	FQ_INACTIVE,
	FQ_THROTTLED_FLOWS,
	FQ_BAND0,
	FQ_BAND1,
	FQ_BAND2,
	FQ_NEXT_DELAY, /* ns until the next throttled flow; 0: none */
	FQ_GC,
	FQ_HIGHPRIO,
	FQ_FASTPATH,
	FQ_THROTTLED,
	FQ_LATENCY, /* ns that flows were woken too late */
	FQ_CE_MARK,
	FQ_FLOWS_PLIMIT,
	FQ_PKTS_TOO_LONG,
	FQ_ALLOC_ERRORS,
	FQ_HORIZON_DROPS,
	FQ_HORIZON_CAPS,
	FQ_BAND0_DROPS,
	FQ_BAND1_DROPS,
	FQ_BAND2_DROPS,
	FQ_XSTATS
};

enum fq_codel_xstat {
	FQC_MAXPACKET,
	FQC_DROP_OVERLIMIT,
	FQC_NEW_FLOWS,
	FQC_ECN_MARK,
	FQC_CE_MARK,
	FQC_MEMORY,
	FQC_DROP_OVERMEMORY,
	FQC_NEW_LEN,
	FQC_OLD_LEN,
	FQC_XSTATS
};

#define TC_XSTATS_MAX 24u

/* ---- filters (OP_FILTER): options that may come several times, in order ---- */

enum tcf_option {
	TCF_CLASSID = 1,
	TCF_KEY, /* u32: value, mask << 32: of 4 bytes, at: */
	TCF_KEY_AT, /* s32 from the network header; bit 32: said as nexthdr+N */
	TCF_MASK, /* fw: of the mark */
	TCF_GACT, /* an action: TC_ACT_* */
	TCF_MIRRED, /* an action: enum tcf_mirred */
	TCF_DEV, /* its device: the first 8 bytes of the name */
	TCF_DEV2, /* the rest */
	TCF_COUNT
};

/* What an action says (TC_ACT_* of the kernel; unspec: -1). */
#define TC_ACT_UNSPEC	  (-1) /* `continue`: the next filter */
#define TC_ACT_OK	  0
#define TC_ACT_RECLASSIFY 1
#define TC_ACT_SHOT	  2
#define TC_ACT_PIPE	  3 /* the next action */
#define TC_ACT_STOLEN	  4

enum tcf_mirred { TCF_EGRESS_REDIR = 1, TCF_EGRESS_MIRROR, TCF_INGRESS_REDIR, TCF_INGRESS_MIRROR };

#define TCF_ACTIONS_MAX 4u
#define TCF_KEYS_MAX	16u

#endif
