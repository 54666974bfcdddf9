/* SPDX-License-Identifier: MIT */
/*
 * Traffic control (net/sched/sch_api.c): finds the discipline that a request is about, and makes,
 * changes, replaces or removes it. Messages are the kernel's extended acknowledgements.
 *
 * Invariant: a request that fails has changed nothing.
 */
#include "sched/sch_api.h"

#include "core/dev_core.h"
#include "lib/str.h"
#include "stack/op.h"

static const struct Qdisc_ops *const kinds[] = {
	&pfifo_fast_ops, &pfifo_ops, &bfifo_ops, &mq_ops,  &fq_ops,	&fq_codel_ops,
	&netem_ops,	 &tbf_ops,   &prio_ops,	 &htb_ops, &clsact_ops, &ingress_ops,
};

static const struct Qdisc_ops *qdisc_lookup_ops(const char *name, u32 len)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq_n(kinds[i]->id, name, len))
			return kinds[i];
	return NULL;
}

/* A request under way. */
struct tc_request {
	struct net_device *dev;
	u32 verb, parent, handle;
	const struct Qdisc_ops *ops; /* NULL: no kind was named */
	bool noqueue; /* the kind that is none */
	struct tc_attrs opt;
};

static int fail(struct net_device *dev, int err, const char *why)
{
	dev_host(dev)->ptypes->tc_extack = why;
	return err;
}

const char *tc_extack(const struct host *h)
{
	const char *why = h->ptypes->tc_extack;

	return why ? why : "";
}

/* ---- looking up ---- */

struct Qdisc **qdisc_child_at(struct Qdisc *q, u32 n, u32 *minor)
{
	*minor = q->ops->class_at ? q->ops->class_at(q, n) : n + 1;
	if (!*minor || !q->ops->child)
		return NULL;
	return q->ops->child(q, *minor);
}

/* The one with this handle, and those below it. */
static struct Qdisc *find_below(struct Qdisc *q, u32 handle)
{
	struct Qdisc **child;

	if (!q || q->handle == handle)
		return q;
	for (u32 n = 0, minor; (child = qdisc_child_at(q, n, &minor)) != NULL; n++) {
		struct Qdisc *found = find_below(*child, handle);

		if (found)
			return found;
	}
	return NULL;
}

struct Qdisc *qdisc_lookup(struct net_device *dev, u32 handle)
{
	return dev->qdisc && handle ? find_below(dev->qdisc, handle) : NULL;
}

/* qdisc_alloc_handle(): 8001: and on. */
static u32 alloc_handle(struct net_device *dev)
{
	struct ptype_table *t = dev_host(dev)->ptypes;

	for (u32 i = 0; i < 0x7fff; i++) {
		t->tc_handle = t->tc_handle >= 0x7ffe ? 1 : t->tc_handle + 1;
		if (!qdisc_lookup(dev, TC_H_MAKE(0x8000 + t->tc_handle, 0)))
			return TC_H_MAKE(0x8000 + t->tc_handle, 0);
	}
	return 0;
}

/* ---- making ---- */

struct Qdisc *qdisc_create_child(struct Qdisc *q, const struct Qdisc_ops *ops, u32 minor,
				 const struct tc_attrs *opt, int *err)
{
	struct Qdisc *child = qdisc_create(q->dev, q->txq, ops, opt, err);

	if (!child)
		return NULL;
	child->parent_q = q;
	child->parent = TC_H_MAJ(q->handle) | minor;
	return child;
}

static int create_error(struct net_device *dev, int err)
{
	const char *why = dev_host(dev)->ptypes->tc_extack; /* the discipline's own words */

	if (!why && err == -EINVAL)
		why = "Invalid options of the qdisc.";
	return fail(dev, err, why);
}

static int graft_root(const struct tc_request *r, u32 handle)
{
	struct net_device *dev = r->dev;
	struct netdev_queue *txq = dev->num_tx_queues > 1 ? NULL : &dev->tx[0];
	struct Qdisc *q;
	int err;

	if (r->noqueue)
		return dev_graft_noqueue(dev);
	q = qdisc_create(dev, txq, r->ops, &r->opt, &err);
	if (!q)
		return create_error(dev, err);
	q->handle = handle;
	err = dev_graft_qdisc(dev, q);
	if (err)
		qdisc_destroy(q, SKB_DROP_REASON_DEV_DELETED);
	return err;
}

/* Below mq: the discipline of one transmit queue. */
static int graft_queue(const struct tc_request *r, u32 handle)
{
	struct net_device *dev = r->dev;
	u32 queue = TC_H_MIN(r->parent) - 1;
	struct Qdisc *q;
	int err;

	if (r->ops->multiqueue)
		return -EOPNOTSUPP;
	q = qdisc_create(dev, &dev->tx[queue], r->ops, &r->opt, &err);
	if (!q)
		return create_error(dev, err);
	q->handle = handle;
	q->parent = TC_H_MAJ(dev->qdisc->handle) | TC_H_MIN(r->parent);
	err = dev_graft_queue(dev, queue, q);
	if (err)
		qdisc_destroy(q, SKB_DROP_REASON_DEV_DELETED);
	return err;
}

static int graft_child(const struct tc_request *r, struct Qdisc *parent, struct Qdisc **slot,
		       u32 handle)
{
	struct Qdisc *q;
	int err;

	if (r->dev->driver_depth)
		return -EBUSY;
	if (r->ops->multiqueue)
		return -EOPNOTSUPP;
	q = qdisc_create_child(parent, r->ops, TC_H_MIN(r->parent), &r->opt, &err);
	if (!q)
		return create_error(r->dev, err);
	q->handle = handle;
	if (*slot) {
		qdisc_tree_reduce_backlog(*slot, (*slot)->stats.qlen, (*slot)->stats.backlog);
		qdisc_destroy(*slot, SKB_DROP_REASON_DEV_DELETED);
	}
	*slot = q;
	return 0;
}

static int do_graft(const struct tc_request *r, struct Qdisc *parent, struct Qdisc **slot)
{
	u32 handle = r->handle ? r->handle : alloc_handle(r->dev);

	if (!handle)
		return fail(r->dev, -ENOSPC, "Maximum number of qdisc handles was exceeded.");
	if (!parent)
		return graft_root(r, handle);
	if (r->noqueue)
		return fail(r->dev, -EINVAL, "Can not have a qdisc of no queue here.");
	return parent->ops->multiqueue ? graft_queue(r, handle) :
					 graft_child(r, parent, slot, handle);
}

static int change(const struct tc_request *r, struct Qdisc *q)
{
	if (!r->opt.present)
		return 0;
	if (!q->ops->change)
		return fail(r->dev, -EINVAL, "Change operation not supported by specified qdisc.");
	if (r->dev->driver_depth)
		return -EBUSY;
	return q->ops->change(q, &r->opt) ? create_error(r->dev, -EINVAL) : 0;
}

/* ---- requests ---- */

/* One with classes below it, which has no discipline. */
static bool class_is_inner(const struct Qdisc *q, u32 minor)
{
	struct tc_class c = { .inner = false };

	if (q->ops->class_dump)
		q->ops->class_dump(q, minor, &c);
	return c.inner;
}

/* What a class has when its discipline is taken away: pfifo where it has classes of its own making,
 * else one that drops all (noop_qdisc). */
static struct Qdisc *default_child(const struct tc_request *r, struct Qdisc *parent, int *err)
{
	struct tc_attrs opt = { .present = 0 };

	if (!parent->ops->tcf_block)
		tca_put(&opt, TCA_LIMIT, 0);
	return qdisc_create_child(parent, &pfifo_ops, TC_H_MIN(r->parent), &opt, err);
}

/* tc_get_qdisc() with RTM_DELQDISC */
static int delete_qdisc(const struct tc_request *r, struct Qdisc *parent, struct Qdisc **slot,
			struct Qdisc *q)
{
	struct net_device *dev = r->dev;
	int err;

	if (!q && !(dev->no_queue && !parent && !dev->no_queue_default))
		return fail(dev, -ENOENT, "Cannot find specified qdisc on specified device.");
	if (q && r->handle && q->handle != r->handle)
		return fail(dev, -EINVAL, "Invalid handle.");
	if (r->ops && q && r->ops != q->ops)
		return fail(dev, -EINVAL, "Invalid qdisc name.");
	if (q && !q->handle)
		return fail(dev, -ENOENT, "Cannot delete qdisc with handle of zero.");
	if (!parent)
		return dev_graft_default(dev);
	if (!parent->ops->multiqueue) {
		struct Qdisc *child = NULL;

		/* netem does without. */
		if (parent->ops != &netem_ops) {
			child = default_child(r, parent, &err);
			if (!child)
				return err;
		}
		qdisc_tree_reduce_backlog(q, q->stats.qlen, q->stats.backlog);
		qdisc_destroy(q, SKB_DROP_REASON_DEV_DELETED);
		*slot = child;
		return 0;
	}
	q = qdisc_create(dev, &dev->tx[TC_H_MIN(r->parent) - 1], dev_default_qdisc(dev_host(dev)),
			 NULL, &err);
	if (!q)
		return err;
	q->parent = TC_H_MAJ(parent->handle) | TC_H_MIN(r->parent);
	err = dev_graft_queue(dev, TC_H_MIN(r->parent) - 1, q);
	if (err)
		qdisc_destroy(q, SKB_DROP_REASON_DEV_DELETED);
	return err;
}

/* tc_modify_qdisc(): q is what is there now, NULL: nothing, or only a default. */
static int modify_qdisc(const struct tc_request *r, struct Qdisc *parent, struct Qdisc **slot,
			struct Qdisc *q)
{
	struct net_device *dev = r->dev;

	if (q && r->verb == TC_ADD)
		return fail(dev, -EEXIST, "Exclusivity flag on, cannot modify.");
	if (r->verb == TC_CHANGE || r->verb == TC_LINK) {
		if (!q)
			return fail(dev, -ENOENT,
				    "Qdisc not found. To create specify NLM_F_CREATE flag.");
		if ((r->ops && r->ops != q->ops) || r->noqueue)
			return fail(dev, -EINVAL, "Invalid qdisc name: must match existing qdisc.");
		return change(r, q);
	}
	if (!r->ops && !r->noqueue)
		return fail(dev, -EINVAL, "Qdisc kind must be specified.");
	/* A replace of the same kind, under the same handle, is a change. */
	if (q && r->ops == q->ops && (!r->handle || r->handle == q->handle) && q->ops->change)
		return change(r, q);
	return do_graft(r, parent, slot);
}

/* clsact, ingress: beside the tree of disciplines, under a handle of its own. */
static int request_clsact(const struct tc_request *r)
{
	struct net_device *dev = r->dev;
	struct Qdisc *q = dev->clsact;
	int err;

	if (q && r->ops && r->ops != q->ops)
		return r->verb == TC_ADD ?
			       fail(dev, -EEXIST, "Exclusivity flag on, cannot modify.") :
			       fail(dev, -EINVAL, "Invalid qdisc name: must match existing qdisc.");
	if (r->verb == TC_DELETE) {
		if (!q)
			return fail(dev, -ENOENT,
				    "Cannot find specified qdisc on specified device.");
		dev_clsact_end(dev);
		return 0;
	}
	if (q)
		return r->verb == TC_ADD ?
			       fail(dev, -EEXIST, "Exclusivity flag on, cannot modify.") :
			       0;
	if (r->verb != TC_ADD && r->verb != TC_REPLACE)
		return fail(dev, -ENOENT, "Qdisc not found. To create specify NLM_F_CREATE flag.");
	if (!r->ops || !r->ops->filter)
		return fail(dev, -ENOENT, "Can not have such a qdisc here.");
	q = qdisc_create(dev, NULL, r->ops, &r->opt, &err);
	if (!q)
		return err;
	q->handle = TC_H_INGRESS_QDISC;
	q->parent = TC_H_CLSACT;
	dev->clsact = q;
	return 0;
}

static int request(const struct tc_request *r)
{
	struct net_device *dev = r->dev;
	struct Qdisc *parent = NULL, *q, **slot = &dev->qdisc;

	if (dev->driver_depth)
		return -EBUSY;
	if (r->parent == TC_H_CLSACT)
		return request_clsact(r);
	if (r->ops && r->ops->filter)
		return fail(dev, -EOPNOTSUPP, "A qdisc of filters has a place of its own.");
	if (r->parent != TC_H_ROOT) {
		/* mq by default has no number: `parent :1`. */
		parent = TC_H_MAJ(r->parent) ? qdisc_lookup(dev, TC_H_MAJ(r->parent)) : dev->qdisc;
		if (!parent)
			return fail(dev, -ENOENT, "Failed to find specified qdisc.");
		if (!parent->ops->child)
			return fail(dev, -EOPNOTSUPP, "Parent Qdisc doesn't exists");
		slot = parent->ops->child(parent, TC_H_MIN(r->parent));
		if (!slot)
			return fail(dev, -ENOENT, "Specified class not found.");
		if (class_is_inner(parent, TC_H_MIN(r->parent)))
			return -EINVAL;
	}
	q = *slot;
	if (r->verb == TC_DELETE)
		return delete_qdisc(r, parent, slot, q);
	if (q && !q->handle)
		q = NULL;
	if (r->handle && qdisc_lookup(dev, r->handle) && (!q || q->handle != r->handle))
		return fail(dev, -EEXIST, "Handle cannot be used: a qdisc has it already.");
	return modify_qdisc(r, parent, slot, q);
}

/* Options as they travel (stack/tc.h). */
bool tca_read(const struct op_bytes *b, struct tc_attrs *opt)
{
	if (b->len % TC_OPTION_LEN)
		return false;
	for (u32 at = 0; at < b->len; at += TC_OPTION_LEN) {
		if (!b->p[at] || b->p[at] >= TCA_COUNT)
			return false;
		tca_put(opt, b->p[at], get_le64(b->p + at + 1));
	}
	return true;
}

int sched_op_qdisc(struct net *net, const struct op_qdisc *o)
{
	struct net_device *dev;
	struct tc_request r = { .opt.present = 0 };
	char name[IFNAME_LEN];

	if (o->dev.len >= sizeof(name))
		return -ENODEV;
	str_copy_n(name, sizeof(name), (const char *)o->dev.p, o->dev.len);
	dev = dev_get_by_name(net, name);
	r.dev = dev;
	if (!dev)
		return -ENODEV;
	dev_host(dev)->ptypes->tc_extack = NULL;
	if (o->verb >= TC_VERB_COUNT || o->parent > UINT32_MAX || o->handle > UINT32_MAX ||
	    TC_H_MIN((u32)o->handle) || !tca_read(&o->options, &r.opt))
		return fail(dev, -EINVAL, "Invalid request.");
	r.verb = (u32)o->verb;
	r.parent = o->parent ? (u32)o->parent : TC_H_ROOT;
	r.handle = (u32)o->handle;
	if (o->kind.len) {
		r.ops = qdisc_lookup_ops((const char *)o->kind.p, o->kind.len);
		r.noqueue = str_eq_n("noqueue", (const char *)o->kind.p, o->kind.len);
		if (!r.ops && !r.noqueue)
			return fail(dev, -ENOENT, "Specified qdisc kind is unknown.");
	}
	return request(&r);
}

int sched_op_qdisc_set(struct net_device *dev, const struct op_qdisc_set *o)
{
	struct tc_request r = { .dev = dev, .verb = TC_REPLACE, .parent = TC_H_ROOT };

	r.ops = qdisc_lookup_ops((const char *)o->kind.p, o->kind.len);
	if (!r.ops)
		return -ENOENT;
	if (dev->no_queue)
		return -EOPNOTSUPP;
	if (o->limit < UINT32_MAX)
		tca_put(&r.opt, TCA_LIMIT, o->limit);
	return graft_root(&r, alloc_handle(dev));
}

int qdisc_set_default(struct host *h, const char *kind)
{
	const struct Qdisc_ops *ops = qdisc_lookup_ops(kind, (u32)str_len(kind));

	if (!ops || ops->multiqueue)
		return -ENOENT;
	dev_set_default_qdisc(h, ops, &mq_ops);
	return 0;
}

/* ---- boot ---- */

int pktsched_init(struct host *h)
{
	dev_set_default_qdisc(h, &pfifo_fast_ops, &mq_ops);
	return 0;
}

void pktsched_exit(struct host *h)
{
	dev_set_default_qdisc(h, NULL, NULL);
}
