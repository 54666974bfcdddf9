/* SPDX-License-Identifier: MIT */
/*
 * Rules: which tables are asked for a flow, in which order (net/core/fib_rules.c,
 * net/ipv4/fib_rules.c; policy routing). Until somebody changes them they are the three that Linux
 * begins with, and no list of them is kept.
 *
 * Invariant: the list is ordered by priority, then by age.
 */
#include "ipv4/fib.h"

#include "ipv4/netns_ipv4.h"
#include "stack/op.h"

struct fib_rule {
	struct fib_rule *next;
	u32 priority, table, flags, mark, mask, iif, oif, target;
	be32 src, dst, src_mask, dst_mask;
	s32 suppress; /* a result by a prefix no longer than this is none; -1: any will do */
	u8 action, tos, src_len, dst_len;
};

static bool rule_match(const struct fib_rule *r, const struct flowi4 *flp)
{
	bool match = !((flp->saddr ^ r->src) & r->src_mask) &&
		     !((flp->daddr ^ r->dst) & r->dst_mask) && (!r->tos || r->tos == flp->tos) &&
		     (!r->iif || r->iif == flp->iif) && (!r->oif || r->oif == flp->oif) &&
		     !((flp->mark ^ r->mark) & r->mask);

	return match != !!(r->flags & FIB_RULE_INVERT);
}

/* What the rule says of the flow; -EAGAIN: nothing. */
static int rule_action(struct net *net, const struct fib_rule *r, const struct flowi4 *flp,
		       struct fib_result *res)
{
	struct fib_table *tb;
	int err;

	switch (r->action) {
	case FR_ACT_TO_TBL:
		tb = fib_get_table(net, r->table);
		err = tb ? fib_table_lookup(tb, flp, res) : -EAGAIN;
		if (!err && (s32)res->prefixlen <= r->suppress)
			return -EAGAIN;
		return err;
	case FR_ACT_UNREACHABLE:
		return -ENETUNREACH;
	case FR_ACT_PROHIBIT:
		return -EACCES;
	case FR_ACT_BLACKHOLE:
		return -EINVAL;
	default:
		return -EAGAIN;
	}
}

int fib_rules_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res)
{
	const struct fib_rule *r = net_ipv4(net)->rules;

	while (r) {
		int err;

		if (!rule_match(r, flp)) {
			r = r->next;
			continue;
		}
		if (r->action == FR_ACT_GOTO) {
			u32 target = r->target;

			/* Always forward: the kernel refuses others. */
			while (r && r->priority < target)
				r = r->next;
			continue;
		}
		err = rule_action(net, r, flp, res);
		if (err != -EAGAIN)
			return err;
		r = r->next;
	}
	return -EAGAIN;
}

/* ---- changes ---- */

static void rule_insert(struct netns_ipv4 *v4, struct fib_rule *rule)
{
	struct fib_rule **p = &v4->rules;

	while (*p && (*p)->priority <= rule->priority)
		p = &(*p)->next;
	rule->next = *p;
	*p = rule;
}

void fib_rules_exit(struct net *net)
{
	struct netns_ipv4 *v4 = net->ipv4;

	while (v4 && v4->rules) {
		struct fib_rule *r = v4->rules;

		v4->rules = r->next;
		mem_free(net_world(net), MEM_FIB_ALIAS, r, sizeof(*r));
	}
}

/* From now on there is a list. */
static int rules_begin(struct net *net)
{
	static const struct {
		u32 priority, table;
	} first[] = { { 0, RT_TABLE_LOCAL },
		      { 32766, RT_TABLE_MAIN },
		      { 32767, RT_TABLE_DEFAULT } };
	struct netns_ipv4 *v4 = net_ipv4(net);

	if (v4->rules_set)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(first); i++) {
		struct fib_rule *r = mem_zalloc(net_world(net), MEM_FIB_ALIAS, sizeof(*r));

		if (!r) {
			fib_rules_exit(net);
			return -ENOMEM;
		}
		r->priority = first[i].priority;
		r->table = first[i].table;
		r->action = FR_ACT_TO_TBL;
		r->suppress = -1;
		rule_insert(v4, r);
	}
	v4->rules_set = true;
	return 0;
}

/* fib_default_rule_pref(): just before the first of those behind `local`. */
static u32 default_priority(const struct netns_ipv4 *v4)
{
	const struct fib_rule *r = v4->rules ? v4->rules->next : NULL;

	return r && r->priority ? r->priority - 1 : 0;
}

static bool same(const struct fib_rule *a, const struct fib_rule *b)
{
	return a->action == b->action && a->table == b->table && a->flags == b->flags &&
	       a->mark == b->mark && a->mask == b->mask && a->iif == b->iif && a->oif == b->oif &&
	       a->target == b->target && a->src == b->src && a->dst == b->dst &&
	       a->src_len == b->src_len && a->dst_len == b->dst_len && a->tos == b->tos &&
	       a->suppress == b->suppress;
}

/* What is named of a rule to be removed. */
static bool named(const struct fib_rule *r, const struct fib_rule *want)
{
	return (want->action == FR_ACT_UNSPEC || r->action == want->action) &&
	       (!want->table || r->table == want->table) &&
	       (!want->mark || r->mark == want->mark) && (!want->iif || r->iif == want->iif) &&
	       (!want->oif || r->oif == want->oif) &&
	       (!want->src_len || (r->src == want->src && r->src_len == want->src_len)) &&
	       (!want->dst_len || (r->dst == want->dst && r->dst_len == want->dst_len)) &&
	       (!want->tos || r->tos == want->tos);
}

static int rule_remove(struct net *net, const struct fib_rule *want, bool any_priority)
{
	struct fib_rule **p = &net_ipv4(net)->rules;

	for (; *p; p = &(*p)->next) {
		struct fib_rule *r = *p;

		if ((!any_priority && r->priority != want->priority) || !named(r, want))
			continue;
		*p = r->next;
		mem_free(net_world(net), MEM_FIB_ALIAS, r, sizeof(*r));
		rt_cache_flush(net);
		return 0;
	}
	return -ENOENT;
}

static int rule_add(struct net *net, const struct fib_rule *want)
{
	struct fib_rule *r;

	if (want->action == FR_ACT_TO_TBL && !want->table)
		return -EINVAL;
	if (want->action == FR_ACT_GOTO && want->target <= want->priority)
		return -EINVAL;
	for (r = net_ipv4(net)->rules; r; r = r->next)
		if (r->priority == want->priority && same(r, want))
			return -EEXIST;
	r = mem_alloc(net_world(net), MEM_FIB_ALIAS, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = *want;
	rule_insert(net_ipv4(net), r);
	rt_cache_flush(net);
	return 0;
}

static bool read_prefix(const struct op_bytes *b, u64 len, be32 *addr, be32 *mask, u8 *plen)
{
	if (len > 32 || (b->len != 4 && (b->len || len)))
		return false;
	*plen = (u8)len;
	*mask = htonl(len ? ~0u << (32 - len) : 0);
	*addr = b->len ? load_be32(b->p) & *mask : 0;
	return true;
}

int fib_op_rule(struct net *net, const struct op_rule *o)
{
	struct fib_rule r = { .suppress = -1 };
	int err;

	if (o->priority > UINT32_MAX || o->table > UINT32_MAX || o->flags & ~(u64)FIB_RULE_INVERT ||
	    o->tos > 0x1c || o->mark > UINT32_MAX || o->mask > UINT32_MAX || o->iif > UINT32_MAX ||
	    o->oif > UINT32_MAX || o->action > FR_ACT_PROHIBIT || o->suppress > 33 ||
	    o->target > UINT32_MAX || (!o->remove && !o->action) ||
	    !read_prefix(&o->src, o->src_len, &r.src, &r.src_mask, &r.src_len) ||
	    !read_prefix(&o->dst, o->dst_len, &r.dst, &r.dst_mask, &r.dst_len))
		return -EINVAL;
	err = rules_begin(net);
	if (err)
		return err;
	r.priority = o->priority == UINT32_MAX ? default_priority(net_ipv4(net)) : (u32)o->priority;
	r.action = (u8)o->action;
	r.table = (u32)o->table;
	r.flags = (u32)o->flags;
	r.tos = (u8)o->tos;
	r.mark = (u32)o->mark;
	r.mask = o->mark && !o->mask ? UINT32_MAX : (u32)o->mask;
	r.iif = (u32)o->iif;
	r.oif = (u32)o->oif;
	r.suppress = (s32)o->suppress - 1;
	r.target = (u32)o->target;
	return o->remove ? rule_remove(net, &r, o->priority == UINT32_MAX) : rule_add(net, &r);
}

/* ---- the list as it is shown ---- */

void fib_rules_walk(const struct net *net, void (*fn)(void *ctx, const struct fib_rule_info *r),
		    void *ctx)
{
	static const struct fib_rule_info first[] = {
		{ .priority = 0, .action = FR_ACT_TO_TBL, .table = RT_TABLE_LOCAL, .suppress = -1 },
		{ .priority = 32766,
		  .action = FR_ACT_TO_TBL,
		  .table = RT_TABLE_MAIN,
		  .suppress = -1 },
		{ .priority = 32767,
		  .action = FR_ACT_TO_TBL,
		  .table = RT_TABLE_DEFAULT,
		  .suppress = -1 },
	};

	if (!net_ipv4(net)->rules_set)
		for (u32 i = 0; i < ARRAY_SIZE(first); i++)
			fn(ctx, &first[i]);
	for (const struct fib_rule *r = net_ipv4(net)->rules; r; r = r->next) {
		struct fib_rule_info info = { .priority = r->priority,
					      .table = r->table,
					      .mark = r->mark,
					      .mask = r->mask,
					      .target = r->target,
					      .iif = r->iif,
					      .oif = r->oif,
					      .src = r->src,
					      .dst = r->dst,
					      .src_len = r->src_len,
					      .dst_len = r->dst_len,
					      .suppress = r->suppress,
					      .action = r->action,
					      .tos = r->tos,
					      .invert = r->flags & FIB_RULE_INVERT };

		fn(ctx, &info);
	}
}
