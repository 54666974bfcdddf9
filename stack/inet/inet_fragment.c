/* SPDX-License-Identifier: MIT */
/* Reassembly core (net/ipv4/inet_fragment.c). See inet_frag.h. */
#include "inet/inet_frag.h"

#include "skb/ip_way.h"

/* Declared size of a queue: struct ipq on Linux x86-64, slab rounded (mem_kinds.def). */
#define FRAG_QUEUE_MEM 192u

static struct sk_buff *rb_to_skb(struct rb_node *n)
{
	return n ? container_of(n, struct sk_buff, rbnode) : NULL;
}

void fqdir_init(struct fqdir *f, struct net *net, void (*expire)(struct inet_frag_queue *q))
{
	memset(f, 0, sizeof(*f));
	f->net = net;
	f->host = net->host;
	f->expire = expire;
	f->hash_bits = 4;
	list_init(&f->all);
	get_random_siphash_key(net_world(net), RANDOM_HASH, &f->key);
}

static u32 frag_bucket(const struct fqdir *f, const struct inet_frag_key *k)
{
	u32 h = hsiphash_3u32((u32)siphash(k->saddr, sizeof(k->saddr), &f->key),
			      get_be32(k->daddr) ^ get_be32(k->daddr + 12),
			      k->id ^ k->user << 20 ^ k->vif << 16 ^ (u32)k->protocol << 24,
			      &f->key);

#ifdef TAPLINE_HOSTILE
	h = 0; /* one chain for all */
#endif
	return h & ((1u << f->hash_bits) - 1);
}

static bool key_equal(const struct inet_frag_key *a, const struct inet_frag_key *b)
{
	return a->id == b->id && a->protocol == b->protocol && a->user == b->user &&
	       a->vif == b->vif && memcmp(a->saddr, b->saddr, 16) == 0 &&
	       memcmp(a->daddr, b->daddr, 16) == 0;
}

static void frag_buckets_free(struct fqdir *f)
{
	if (f->buckets)
		mem_free_n(f->host->world, MEM_FRAG_TABLE, f->buckets, 1u << f->hash_bits,
			   sizeof(*f->buckets));
	f->buckets = NULL;
}

static bool frag_rehash(struct fqdir *f, u32 bits)
{
	size_t n = (size_t)1 << bits;
	struct hlist_head *buckets;

	buckets = mem_alloc_n(f->host->world, MEM_FRAG_TABLE, n, sizeof(*buckets));
	if (!buckets)
		return f->buckets != NULL;
	memset(buckets, 0, n * sizeof(*buckets));
	list_for_each(pos, &f->all) {
		hlist_del_init(&list_entry(pos, struct inet_frag_queue, all)->hash);
	}
	frag_buckets_free(f);
	f->buckets = buckets;
	f->hash_bits = bits;
	list_for_each(pos, &f->all) {
		struct inet_frag_queue *q = list_entry(pos, struct inet_frag_queue, all);

		hlist_add_head(&q->hash, &buckets[frag_bucket(f, &q->key)]);
	}
	return true;
}

/* ---- fragments of a queue ---- */

void inet_frag_purge(struct inet_frag_queue *q, enum skb_drop_reason reason)
{
	struct rb_node *n;

	while ((n = rb_first(&q->runs)) != NULL) {
		struct sk_buff *skb = rb_to_skb(n);

		rb_erase(n, &q->runs);
		while (skb) {
			struct sk_buff *next = FRAG_CB(skb)->next_frag;

			skb->next = skb->prev = NULL;
			ip_way_unhold(skb);
			skb->dev = NULL;
			kfree_skb_reason(skb, reason);
			skb = next;
		}
	}
	q->fqdir->mem -= q->mem;
	q->mem = 0;
	q->tail = q->last_run = NULL;
}

static void frag_cb_init(struct sk_buff *skb, u32 offset)
{
	FRAG_CB(skb)->next_frag = NULL;
	FRAG_CB(skb)->run_len = skb->len;
	FRAG_CB(skb)->offset = offset;
}

/* A run of its own, below parent at *link. */
static void run_create(struct inet_frag_queue *q, struct sk_buff *skb, struct rb_node *parent,
		       struct rb_node **link)
{
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &q->runs);
}

/* Behind all others, as most arrive. */
static enum inet_frag_result insert_last(struct inet_frag_queue *q, struct sk_buff *skb, u32 offset)
{
	u32 tail_end = q->tail ? FRAG_CB(q->tail)->offset + q->tail->len : 0;

	if (q->tail && offset < tail_end)
		return IPFRAG_OVERLAP;
	frag_cb_init(skb, offset);
	if (q->tail && offset == tail_end) {
		FRAG_CB(q->last_run)->run_len += skb->len;
		FRAG_CB(q->tail)->next_frag = skb;
	} else {
		struct rb_node *last = rb_last(&q->runs);

		run_create(q, skb, last, last ? &last->right : &q->runs.node);
		q->last_run = skb;
	}
	q->tail = skb;
	return IPFRAG_OK;
}

static enum inet_frag_result insert_between(struct inet_frag_queue *q, struct sk_buff *skb,
					    u32 offset, u32 end)
{
	struct rb_node **link = &q->runs.node, *parent = NULL;

	while (*link) {
		const struct frag_cb *run;

		parent = *link;
		run = FRAG_CB(rb_to_skb(parent));
		if (end <= run->offset)
			link = &parent->left;
		else if (offset >= run->offset + run->run_len)
			link = &parent->right;
		else if (offset >= run->offset && end <= run->offset + run->run_len)
			return IPFRAG_DUP;
		else
			return IPFRAG_OVERLAP;
	}
	frag_cb_init(skb, offset);
	run_create(q, skb, parent, link);
	return IPFRAG_OK;
}

enum inet_frag_result inet_frag_queue_insert(struct inet_frag_queue *q, struct sk_buff *skb,
					     u32 offset, u32 end)
{
	enum inet_frag_result r;

	if (!q->tail || FRAG_CB(q->tail)->offset + q->tail->len < end)
		r = insert_last(q, skb, offset);
	else
		r = insert_between(q, skb, offset, end);
	if (r == IPFRAG_OK) {
		q->meat += skb->len;
		q->mem += skb->truesize;
		q->fqdir->mem += skb->truesize;
		ip_way_hold(skb);
	}
	return r;
}

struct sk_buff *inet_frag_pull_head(struct inet_frag_queue *q)
{
	struct rb_node *n = rb_first(&q->runs);
	struct sk_buff *head = rb_to_skb(n), *next;

	if (!head)
		return NULL;
	next = FRAG_CB(head)->next_frag;
	rb_erase(n, &q->runs);
	if (next) { /* the rest of the run becomes one */
		struct rb_node **link = &q->runs.node, *parent = NULL;

		while (*link) {
			parent = *link;
			link = &parent->left;
		}
		FRAG_CB(next)->run_len = FRAG_CB(head)->run_len - head->len;
		run_create(q, next, parent, link);
		if (q->last_run == head)
			q->last_run = next;
	} else if (q->tail == head) {
		q->tail = q->last_run = NULL;
	}
	q->mem -= head->truesize;
	q->fqdir->mem -= head->truesize;
	ip_way_unhold(head);
	head->next = head->prev = NULL;
	head->dev = NULL;
	return head;
}

/* ---- life of a queue ---- */

static void frag_expire(struct timer *t)
{
	struct inet_frag_queue *q = container_of(t, struct inet_frag_queue, timer);

	q->fqdir->expire(q);
}

static struct inet_frag_queue *inet_frag_create(struct fqdir *f, const struct inet_frag_key *key,
						u64 timeout)
{
	struct inet_frag_queue *q;

	if (!f->buckets && !frag_rehash(f, f->hash_bits))
		return NULL;
	q = mem_zalloc(f->host->world, MEM_FRAG_QUEUE, sizeof(*q));
	if (!q)
		return NULL;
	q->fqdir = f;
	q->key = *key;
	q->refcnt = 1;
	timer_setup(&q->timer, host_cpu(f->host, 0), frag_expire);
	mod_timer(&q->timer, jiffies(f->host) + timeout);
	list_add_tail(&q->all, &f->all);
	f->mem += FRAG_QUEUE_MEM;
	if (++f->count > 2u << f->hash_bits)
		frag_rehash(f, f->hash_bits + 1);
	hlist_del_init(&q->hash);
	hlist_add_head(&q->hash, &f->buckets[frag_bucket(f, key)]);
	return q;
}

struct inet_frag_queue *inet_frag_find(struct fqdir *f, const struct inet_frag_key *key,
				       u64 high_thresh, u64 timeout, bool *created)
{
	struct inet_frag_queue *q;

	*created = false;
	if (!high_thresh || f->mem > high_thresh)
		return NULL;
	if (f->buckets) {
		hlist_for_each(pos, &f->buckets[frag_bucket(f, key)])
		{
			q = container_of(pos, struct inet_frag_queue, hash);
			if (!key_equal(&q->key, key))
				continue;
			q->refcnt++;
			return q;
		}
	}
	q = inet_frag_create(f, key, timeout);
	if (q) {
		*created = true;
		q->refcnt++;
	}
	return q;
}

void inet_frag_kill(struct inet_frag_queue *q)
{
	if (q->flags & INET_FRAG_COMPLETE)
		return;
	q->flags |= INET_FRAG_COMPLETE;
	del_timer(&q->timer);
	hlist_del_init(&q->hash);
	list_del_init(&q->all);
	q->fqdir->count--;
	ASSERT(q->refcnt > 1); /* the caller's besides the table's */
	q->refcnt--;
}

void inet_frag_put(struct inet_frag_queue *q, enum skb_drop_reason reason)
{
	struct fqdir *f = q->fqdir;

	ASSERT(q->refcnt > 0);
	if (--q->refcnt)
		return;
	ASSERT(q->flags & INET_FRAG_COMPLETE);
	inet_frag_purge(q, reason);
	if (q->peer)
		q->peer->refcnt--;
	f->mem -= FRAG_QUEUE_MEM;
	mem_free(f->host->world, MEM_FRAG_QUEUE, q, sizeof(*q));
}

void fqdir_exit(struct fqdir *f)
{
	list_for_each_safe(pos, tmp, &f->all) {
		struct inet_frag_queue *q = list_entry(pos, struct inet_frag_queue, all);

		q->refcnt++;
		inet_frag_kill(q);
		inet_frag_put(q, SKB_DROP_REASON_FRAG_NETNS_EXIT);
	}
	ASSERT(f->mem == 0);
	frag_buckets_free(f);
}

/* ---- joining ---- */

/* a and b change places: who points to one finds the other's packet there. */
static void skb_swap(struct sk_buff *a, struct sk_buff *b)
{
	struct sk_buff t = *a;

	ASSERT(a->users == 1 && b->users == 1);
	*a = *b;
	*b = t;
}

/* All fragments in order as a list over ->next, the tree empty. */
static struct sk_buff *frag_list_collect(struct inet_frag_queue *q)
{
	struct sk_buff *first = NULL, **tail = &first;
	struct rb_node *n;

	while ((n = rb_first(&q->runs)) != NULL) {
		struct sk_buff *skb = rb_to_skb(n);

		rb_erase(n, &q->runs);
		for (; skb; skb = FRAG_CB(skb)->next_frag) {
			skb->next = skb->prev = NULL;
			skb->dev = NULL;
			ip_way_unhold(skb);
			*tail = skb;
			tail = &skb->next;
		}
	}
	q->tail = q->last_run = NULL;
	q->fqdir->mem -= q->mem;
	q->mem = 0;
	return first;
}

int inet_frag_reasm(struct inet_frag_queue *q, struct sk_buff *skb)
{
	struct sk_buff *head = rb_to_skb(rb_first(&q->runs)), *rest, *part;

	/* The head's shared info gets the list: it must be its own. */
	if (skb_cloned(head) && pskb_expand_head(head, 0, 0))
		return -ENOMEM;
	if (skb_shinfo(head)->frag_list && skb_linearize(head))
		return -ENOMEM;
	head = frag_list_collect(q);
	if (head != skb) {
		struct sk_buff **link = &rest;

		skb_swap(head, skb);
		rest = skb->next;
		while (*link != skb) /* whose place in the list is head's now */
			link = &(*link)->next;
		*link = head;
	} else {
		rest = skb->next;
	}
	skb->next = NULL;
	skb_shinfo(skb)->frag_list = rest;
	for (part = rest; part; part = part->next) {
		skb->len += part->len;
		skb->data_len += part->len;
		skb->truesize += part->truesize;
		if (skb->ip_summed != part->ip_summed)
			skb->ip_summed = CHECKSUM_NONE;
		else if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->csum = skb->csum + part->csum + (skb->csum + part->csum < skb->csum);
		skb_dst_drop(part);
		ip_way_join(part);
	}
	return 0;
}

void fqdir_check(const struct fqdir *f)
{
	u64 mem = 0;
	u32 count = 0;

	list_for_each(pos, &f->all) {
		const struct inet_frag_queue *q = list_entry(pos, struct inet_frag_queue, all);
		u32 meat = 0, end = 0, bytes = 0;

		count++;
		for (struct rb_node *n = rb_first(&q->runs); n; n = rb_next(n)) {
			const struct sk_buff *skb = rb_to_skb(n);
			u32 run = 0;

			ASSERT(FRAG_CB(skb)->offset >= end);
			end = FRAG_CB(skb)->offset;
			for (const struct sk_buff *s = skb; s; s = FRAG_CB(s)->next_frag) {
				ASSERT(FRAG_CB(s)->offset == end);
				end += s->len;
				run += s->len;
				bytes += s->truesize;
			}
			ASSERT(run == FRAG_CB(skb)->run_len);
			meat += run;
		}
		ASSERT(meat == q->meat && bytes == q->mem && end <= q->len);
		ASSERT(timer_pending(&q->timer));
		mem += q->mem + FRAG_QUEUE_MEM;
	}
	ASSERT(count == f->count && mem == f->mem);
}
