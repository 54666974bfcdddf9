/* SPDX-License-Identifier: MIT */
/*
 * Blocks of filters: how a packet is shown to them, and OP_FILTER, which makes and ends them
 * (net/sched/cls_api.c). Messages are the kernel's.
 *
 * Invariant: a request that fails has changed nothing.
 */
#include "sched/cls_api.h"

#include "core/dev_core.h"
#include "lib/str.h"
#include "sched/sch_api.h"
#include "stack/op.h"

#define TC_AUTO_PRIO   0xc000u
#define U32_FIRST      0x800u
#define RECLASSIFY_MAX 4u

void tcf_block_init(struct tcf_block *b, struct net_device *dev)
{
	b->dev = dev;
	list_init(&b->protos);
}

static void proto_free(struct tcf_block *b, struct tcf_proto *tp)
{
	struct world *w = b->dev->world;

	list_for_each_safe(pos, tmp, &tp->filters)
		mem_free(w, MEM_QDISC, list_entry(pos, struct tcf_filter, list),
			 sizeof(struct tcf_filter));
	list_del_init(&tp->list);
	mem_free(w, MEM_QDISC, tp, sizeof(*tp));
}

void tcf_block_put(struct tcf_block *b)
{
	list_for_each_safe(pos, tmp, &b->protos)
		proto_free(b, list_entry(pos, struct tcf_proto, list));
}

/* ---- packets ---- */

/* One round over the block: TC_ACT_UNSPEC: nobody said anything. */
static s32 classify_once(struct sk_buff *skb, struct tcf_block *b, bool at_ingress, u32 *classid)
{
	u16 protocol = ntohs(skb->protocol);

	list_for_each(pos, &b->protos) {
		const struct tcf_proto *tp = list_entry(pos, struct tcf_proto, list);

		if (tp->protocol != protocol && tp->protocol != ETH_P_ALL)
			continue;
		list_for_each(fp, &tp->filters) {
			struct tcf_filter *f = list_entry(fp, struct tcf_filter, list);
			s32 verdict;

			if (!tcf_match(skb, tp, f))
				continue;
			*classid = f->classid;
			verdict = tcf_action_exec(skb, f, at_ingress);
			if (verdict != TC_ACT_UNSPEC)
				return verdict;
		}
	}
	return TC_ACT_UNSPEC;
}

s32 tcf_classify(struct sk_buff *skb, struct tcf_block *b, bool at_ingress, u32 *classid)
{
	s32 verdict = TC_ACT_RECLASSIFY;

	for (u32 n = 0; verdict == TC_ACT_RECLASSIFY && n <= RECLASSIFY_MAX; n++) {
		*classid = 0;
		verdict = classify_once(skb, b, at_ingress, classid);
	}
	return verdict == TC_ACT_RECLASSIFY ? TC_ACT_SHOT : verdict;
}

bool tcf_classify_qdisc(struct sk_buff *skb, struct Qdisc *q, struct tcf_block *b, u32 *classid,
			int *rc)
{
	switch (tcf_classify(skb, b, false, classid)) {
	case TC_ACT_STOLEN:
		*rc = NET_XMIT_SUCCESS;
		return false;
	case TC_ACT_SHOT:
		*rc = qdisc_drop_reason(skb, q, SKB_DROP_REASON_QDISC_DROP);
		return false;
	default:
		return true;
	}
}

/* ---- requests ---- */

struct filter_request {
	struct net_device *dev;
	struct tcf_block *block;
	struct Qdisc *q;
	u32 verb, prio, protocol, handle;
	s32 kind; /* -1: not said */
	struct tcf_filter f;
};

static int fail(const struct filter_request *r, int err, const char *why)
{
	dev_host(r->dev)->ptypes->tc_extack = why;
	return err;
}

static void read_device(struct tc_action *a, const struct net_device *dev, const u8 *name)
{
	const struct net_device *to = dev_get_by_name(dev->net, (const char *)name);

	a->ifindex = to ? to->ifindex : 0;
}

/* Options behind TCF_KEY belong to that key, behind an action to that action. */
static bool read_option(struct filter_request *r, u8 id, const u8 *v, u8 name[17])
{
	struct tcf_filter *f = &r->f;
	struct tc_action *a = f->actions_count ? &f->actions[f->actions_count - 1] : NULL;
	u64 value = get_le64(v);

	switch (id) {
	case TCF_CLASSID:
		f->classid = (u32)value;
		return true;
	case TCF_KEY:
		if (f->keys_count == TCF_KEYS_MAX)
			return false;
		f->keys[f->keys_count++] =
			(struct u32_key){ .val = (u32)value, .mask = (u32)(value >> 32) };
		return true;
	case TCF_KEY_AT:
		if (!f->keys_count)
			return false;
		f->keys[f->keys_count - 1].off = (s32)(u32)value;
		f->keys[f->keys_count - 1].nexthdr = value >> 32 & 1;
		return true;
	case TCF_MASK:
		f->mark_mask = (u32)value;
		return true;
	case TCF_GACT:
	case TCF_MIRRED:
		if (f->actions_count == TCF_ACTIONS_MAX)
			return false;
		a = &f->actions[f->actions_count++];
		*a = (struct tc_action){ .mirred = id == TCF_MIRRED };
		a->verdict = (s32)(u32)value;
		a->how = a->mirred ? (u32)value : 0;
		return !a->mirred ? a->verdict >= TC_ACT_UNSPEC && a->verdict <= TC_ACT_STOLEN :
				    a->how >= TCF_EGRESS_REDIR && a->how <= TCF_INGRESS_MIRROR;
	case TCF_DEV:
	case TCF_DEV2:
		if (!a || !a->mirred)
			return false;
		memcpy(name + (id == TCF_DEV ? 0 : 8), v, 8);
		read_device(a, r->dev, name);
		return true;
	default:
		return false;
	}
}

static bool read_filter(struct filter_request *r, const struct op_bytes *b)
{
	u8 name[17] = { 0 };

	r->f.mark_mask = UINT32_MAX;
	if (b->len % TC_OPTION_LEN)
		return false;
	for (u32 at = 0; at < b->len; at += TC_OPTION_LEN) {
		if (b->p[at] == TCF_DEV)
			memset(name, 0, sizeof(name));
		if (!read_option(r, b->p[at], b->p + at + 1, name))
			return false;
	}
	return true;
}

static struct tcf_proto *proto_find(const struct filter_request *r)
{
	list_for_each(pos, &r->block->protos) {
		struct tcf_proto *tp = list_entry(pos, struct tcf_proto, list);

		if (tp->prio == r->prio)
			return tp;
	}
	return NULL;
}

/* tcf_auto_prio(): one less than the first of those that got theirs so. */
static u32 auto_prio(const struct tcf_block *b)
{
	list_for_each(pos, &b->protos) {
		const struct tcf_proto *tp = list_entry(pos, struct tcf_proto, list);

		if (tp->prio >= 0x8000)
			return tp->prio - 1;
	}
	return TC_AUTO_PRIO;
}

static struct tcf_proto *proto_new(struct filter_request *r)
{
	struct tcf_proto *tp = mem_zalloc(r->dev->world, MEM_QDISC, sizeof(*tp));
	struct list_head *at = r->block->protos.next;

	if (!tp)
		return NULL;
	tp->prio = r->prio;
	tp->protocol = (u16)r->protocol;
	tp->kind = (enum cls_kind)r->kind;
	tp->next_node = U32_FIRST;
	list_init(&tp->filters);
	if (tp->kind == CLS_U32)
		tp->htid = U32_FIRST + r->q->u32_tables++ % 0x7ff;
	while (at != &r->block->protos && list_entry(at, struct tcf_proto, list)->prio < tp->prio)
		at = at->next;
	list_add_tail(&tp->list, at);
	return tp;
}

static struct tcf_filter *filter_find(const struct tcf_proto *tp, u32 handle)
{
	list_for_each(pos, &tp->filters) {
		struct tcf_filter *f = list_entry(pos, struct tcf_filter, list);

		if (f->handle == handle)
			return f;
	}
	return NULL;
}

/* u32's handle is TABLE::NODE, 0xttt00nnn. */
static u32 new_handle(const struct filter_request *r, struct tcf_proto *tp)
{
	if (r->handle)
		return r->handle;
	return tp->kind == CLS_U32 ? tp->htid << 20 | tp->next_node++ : 1;
}

static int filter_add(struct filter_request *r, struct tcf_proto *tp)
{
	struct host *h = dev_host(r->dev);
	struct list_head *at;
	struct tcf_filter *f = mem_alloc(r->dev->world, MEM_QDISC, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = r->f;
	f->handle = new_handle(r, tp);
	for (u32 i = 0; i < f->actions_count; i++) {
		f->actions[i].index = ++h->ptypes->tc_action_index;
		f->actions[i].installed = r->dev->world->now;
	}
	for (at = tp->filters.next; at != &tp->filters; at = at->next)
		if (list_entry(at, struct tcf_filter, list)->handle > f->handle)
			break;
	list_add_tail(&f->list, at);
	return 0;
}

/* Other words for one that is there: its actions are new. */
static int filter_change(struct filter_request *r, struct tcf_proto *tp, struct tcf_filter *f)
{
	int err;

	/* u32_change(): the keys stay as they are. */
	if (tp->kind == CLS_U32) {
		memcpy(r->f.keys, f->keys, sizeof(f->keys));
		r->f.keys_count = f->keys_count;
	}
	r->handle = f->handle;
	err = filter_add(r, tp);
	if (err)
		return err;
	list_del_init(&f->list);
	mem_free(r->dev->world, MEM_QDISC, f, sizeof(*f));
	return 0;
}

/* tc_new_tfilter() */
static int filter_new(struct filter_request *r)
{
	struct tcf_proto *tp;
	struct tcf_filter *f;
	int err;

	if (!r->prio)
		r->prio = auto_prio(r->block);
	if (r->kind < 0 || !r->protocol)
		return fail(r, -EINVAL, "Filter kind and protocol must be specified.");
	tp = proto_find(r);
	if (!tp && r->verb == TC_CHANGE)
		return fail(r, -ENOENT,
			    "Need both RTM_NEWTFILTER and NLM_F_CREATE to create a new filter.");
	if (tp && tp->protocol != r->protocol)
		return fail(r, -EINVAL, "Protocol mismatch for filter with specified priority.");
	if (tp && (s32)tp->kind != r->kind)
		return fail(r, -EINVAL, "Specified filter kind does not match existing one.");
	if (r->kind == CLS_FW && !r->handle)
		return fail(r, -EINVAL, NULL);
	f = tp ? filter_find(tp, r->handle) : NULL;
	if (f && r->verb == TC_ADD)
		return fail(r, -EEXIST, "Filter already exists");
	/* matchall has one filter. */
	if (tp && tp->kind == CLS_MATCHALL && !f && !list_empty(&tp->filters))
		return fail(r, -EEXIST, NULL);
	if (f)
		return filter_change(r, tp, f);
	if (!tp)
		tp = proto_new(r);
	err = tp ? filter_add(r, tp) : -ENOMEM;
	if (err && tp && list_empty(&tp->filters))
		proto_free(r->block, tp);
	return err;
}

/* tc_del_tfilter() */
static int filter_del(struct filter_request *r)
{
	struct tcf_proto *tp;
	struct tcf_filter *f;

	if (!r->prio) {
		if (r->protocol || r->handle || r->kind >= 0)
			return fail(r, -ENOENT,
				    "Cannot flush filters with protocol, handle or kind set");
		tcf_block_put(r->block);
		return 0;
	}
	tp = proto_find(r);
	if (!tp || (r->protocol && tp->protocol != r->protocol))
		return fail(r, -ENOENT, "Filter with specified priority/protocol not found.");
	if (r->kind >= 0 && (s32)tp->kind != r->kind)
		return fail(r, -EINVAL, "Specified filter kind does not match existing one.");
	if (r->handle) {
		f = filter_find(tp, r->handle);
		if (!f)
			return fail(r, -ENOENT, "Specified filter handle not found.");
		list_del_init(&f->list);
		mem_free(r->dev->world, MEM_QDISC, f, sizeof(*f));
	}
	if (!r->handle || list_empty(&tp->filters))
		proto_free(r->block, tp);
	return 0;
}

static s32 kind_of(const struct op_bytes *name)
{
	for (s32 i = 0; i < CLS_COUNT; i++)
		if (str_eq_n(cls_names[i], (const char *)name->p, name->len))
			return i;
	return -1;
}

int sched_op_filter(struct net *net, const struct op_filter *o)
{
	struct filter_request r = { .kind = -1 };
	char name[IFNAME_LEN];
	const char *why = NULL;

	if (o->dev.len >= sizeof(name))
		return -ENODEV;
	str_copy_n(name, sizeof(name), (const char *)o->dev.p, o->dev.len);
	r.dev = dev_get_by_name(net, name);
	if (!r.dev)
		return -ENODEV;
	dev_host(r.dev)->ptypes->tc_extack = NULL;
	if (o->verb >= TC_VERB_COUNT || o->parent > UINT32_MAX || o->handle > UINT32_MAX ||
	    o->prio > 0xffff || o->protocol > 0xffff || !read_filter(&r, &o->options))
		return fail(&r, -EINVAL, "Invalid request.");
	if (r.dev->driver_depth)
		return -EBUSY;
	r.verb = (u32)o->verb;
	r.prio = (u32)o->prio;
	r.protocol = (u32)o->protocol;
	r.handle = (u32)o->handle;
	r.block = tcf_block_find(r.dev, (u32)o->parent, &why);
	if (!r.block)
		return fail(&r, -EINVAL, why);
	r.q = tc_qdisc_of(r.dev, (u32)o->parent);
	if (o->kind.len) {
		r.kind = kind_of(&o->kind);
		if (r.kind < 0)
			return fail(&r, -ENOENT, "TC classifier not found.");
	}
	for (u32 i = 0; i < r.f.actions_count; i++)
		if (r.f.actions[i].mirred && !r.f.actions[i].ifindex)
			return fail(&r, -ENODEV, "Specified device does not exist");
	return r.verb == TC_DELETE ? filter_del(&r) : filter_new(&r);
}
