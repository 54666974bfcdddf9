/* SPDX-License-Identifier: MIT */
/* Traffic control: the kinds of disciplines there are, and OP_QDISC (net/sched/sch_api.c). */
#ifndef TAPLINE_SCHED_SCH_API_H
#define TAPLINE_SCHED_SCH_API_H

#include "core/sch_generic.h"

extern const struct Qdisc_ops pfifo_fast_ops, pfifo_ops, bfifo_ops, mq_ops, fq_ops, fq_codel_ops,
	netem_ops, tbf_ops, prio_ops, htb_ops, clsact_ops, ingress_ops;

struct op_qdisc;
struct op_qdisc_set;
struct op_class;
struct op_bytes;

/* `tc qdisc add|replace|change|delete`. 0 or -errno, why in tc_extack(). */
int sched_op_qdisc(struct net *net, const struct op_qdisc *o);
/* `tc class add|replace|change|delete`, the same. (sch_class.c) */
int sched_op_class(struct net *net, const struct op_class *o);
/* OP_QDISC_SET: `tc qdisc replace dev DEV root KIND limit N`. */
int sched_op_qdisc_set(struct net_device *dev, const struct op_qdisc_set *o);
/* What the kernel had to say about the last request of the host ("" when it went well). */
const char *tc_extack(const struct host *h);

/* net.core.default_qdisc. -ENOENT: no such kind, or none that can be one. */
int qdisc_set_default(struct host *h, const char *kind);

/* Boot and end of a host: pfifo_fast becomes what new devices get. */
int pktsched_init(struct host *h);
void pktsched_exit(struct host *h);

/* The discipline with this handle; that which `parent` of a request names (0: the outermost one).
 * NULL: there is none. */
struct Qdisc *qdisc_lookup(struct net_device *dev, u32 handle);
struct Qdisc *tc_qdisc_of(struct net_device *dev, u32 parent);
bool tc_class_exists(const struct Qdisc *q, u32 minor);
/* The n-th class of a discipline and its discipline; NULL: there are no more. */
struct Qdisc **qdisc_child_at(struct Qdisc *q, u32 n, u32 *minor);
/* Options as they travel (stack/tc.h). False: they are malformed. */
bool tca_read(const struct op_bytes *b, struct tc_attrs *opt);

/* For disciplines that hold another: its child of a kind, with a limit. NULL with *err. */
struct Qdisc *qdisc_create_child(struct Qdisc *q, const struct Qdisc_ops *ops, u32 minor,
				 const struct tc_attrs *opt, int *err);

#endif
