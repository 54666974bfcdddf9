/* SPDX-License-Identifier: MIT */
/*
 * Classes of disciplines and what hangs at them: OP_CLASS (net/sched/sch_api.c: tc_ctl_tclass), and
 * where a block of filters is (net/sched/cls_api.c: __tcf_qdisc_find, __tcf_qdisc_cl_find).
 */
#include "sched/cls_api.h"
#include "sched/sch_api.h"

#include "core/dev_core.h"
#include "lib/str.h"
#include "stack/op.h"

bool tc_class_exists(const struct Qdisc *q, u32 minor)
{
	if (!q->ops->class_at) {
		/* Numbered from 1; child() does not change anything. */
		struct Qdisc *any = (struct Qdisc *)(uintptr_t)(const void *)q;

		return minor && q->ops->child && q->ops->child(any, minor);
	}
	for (u32 n = 0, at; (at = q->ops->class_at(q, n)) != 0; n++)
		if (at == minor)
			return true;
	return false;
}

struct Qdisc *tc_qdisc_of(struct net_device *dev, u32 parent)
{
	if (!parent || parent == TC_H_ROOT)
		return dev->qdisc;
	if (TC_H_MAJ(parent) == TC_H_INGRESS_QDISC)
		return dev->clsact;
	return qdisc_lookup(dev, TC_H_MAJ(parent));
}

struct tcf_block *tcf_block_find(struct net_device *dev, u32 parent, const char **why)
{
	struct Qdisc *q = tc_qdisc_of(dev, parent);
	u32 minor = parent == TC_H_ROOT ? 0 : TC_H_MIN(parent);
	struct tcf_block *b;

	*why = "Parent Qdisc doesn't exists.";
	if (!q)
		return NULL;
	*why = "Qdisc not classful.";
	if (!q->ops->tcf_block)
		return NULL;
	b = q->ops->tcf_block(q, minor);
	if (b)
		return b;
	*why = q == dev->clsact || !minor || tc_class_exists(q, minor) ?
		       "Class doesn't support blocks" :
		       "Specified class doesn't exist.";
	return NULL;
}

static int fail(struct net_device *dev, int err, const char *why)
{
	dev_host(dev)->ptypes->tc_extack = why;
	return err;
}

/* tc_ctl_tclass() */
static int class_request(struct net_device *dev, const struct op_class *o,
			 const struct tc_attrs *opt)
{
	u32 parent = (u32)o->parent, classid = (u32)o->classid, minor = TC_H_MIN(classid);
	struct Qdisc *q = tc_qdisc_of(dev, TC_H_MAJ(classid) ? TC_H_MAJ(classid) : parent);
	const char *why = NULL;
	bool there;
	int err;

	if (!q)
		return -ENOENT;
	if (parent && TC_H_MAJ(parent) && TC_H_MAJ(parent) != q->handle)
		return -EINVAL;
	there = tc_class_exists(q, minor);
	if (o->verb == TC_DELETE || o->verb == TC_CHANGE) {
		if (!there)
			return -ENOENT;
	} else if (there && o->verb == TC_ADD) {
		return -EEXIST;
	}
	if (!minor)
		return -EINVAL;
	if (dev->driver_depth)
		return -EBUSY;
	if (o->verb == TC_DELETE)
		err = q->ops->class_delete ? q->ops->class_delete(q, minor, &why) : -EOPNOTSUPP;
	else
		err = q->ops->class_change ?
			      q->ops->class_change(q, minor, TC_H_MIN(parent), opt, &why) :
			      -EOPNOTSUPP;
	return err ? fail(dev, err, why) : 0;
}

int sched_op_class(struct net *net, const struct op_class *o)
{
	struct tc_attrs opt = { .present = 0 };
	struct net_device *dev;
	char name[IFNAME_LEN];

	if (o->dev.len >= sizeof(name))
		return -ENODEV;
	str_copy_n(name, sizeof(name), (const char *)o->dev.p, o->dev.len);
	dev = dev_get_by_name(net, name);
	if (!dev)
		return -ENODEV;
	dev_host(dev)->ptypes->tc_extack = NULL;
	if (o->verb >= TC_VERB_COUNT || o->parent >= UINT32_MAX || o->classid >= UINT32_MAX ||
	    !tca_read(&o->options, &opt))
		return fail(dev, -EINVAL, "Invalid request.");
	return class_request(dev, o, &opt);
}
