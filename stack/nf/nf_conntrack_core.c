/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking (net/netfilter/nf_conntrack_core.c): the table, a packet's way through it
 * (nf_conntrack_in, __nf_conntrack_confirm), the end of entries. What is said of it stands in
 * nf_conntrack.h.
 *
 * Entries have no timer of their own: one that has run out is ended by whoever meets it, or by the
 * collector (gc_work), which comes at the latest after GC_SCAN_INTERVAL_MAX.
 */
#include "nf/nf_conntrack_core.h"

#include "kernel/random.h"

#define GC_SCAN_INTERVAL_MAX (60ull * HZ)
#define GC_SCAN_INTERVAL_MIN (1ull * HZ)
#define NF_CT_EVICTION_RANGE 8u /* buckets that are looked through for one to end */

/* ---- references ---- */

void nf_ct_hold(struct nf_conn *ct)
{
	ct->refs++;
}

void nf_ct_put(struct nf_conn *ct)
{
	ASSERT(ct->refs > 0);
	if (--ct->refs)
		return;
	ct->net->ct->count--;
	mem_free(net_world(ct->net), MEM_NF_CONN, ct, sizeof(*ct));
}

void nf_ct_set(struct sk_buff *skb, struct nf_conn *ct, u32 ctinfo)
{
	skb->nfct = ct;
	skb->nfctinfo = (u8)ctinfo;
}

void nf_ct_set_untracked(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	skb->nfctinfo = IP_CT_UNTRACKED;
}

void nf_conntrack_attach(struct sk_buff *skb, const struct sk_buff *from)
{
	u32 ctinfo;
	struct nf_conn *ct = nf_ct_get(from, &ctinfo);

	if (!ct)
		return;
	nf_ct_hold(ct);
	nf_ct_set(skb, ct,
		  CTINFO2DIR(ctinfo) == IP_CT_DIR_ORIGINAL ? IP_CT_RELATED_REPLY : IP_CT_RELATED);
}

/* ---- the table ---- */

static u32 tuple_hash(const struct netns_ct *cn, const struct nf_conntrack_tuple *t)
{
	u64 addrs = siphash_4u64((u64)ntohl(t->src.w[0]) << 32 | ntohl(t->src.w[1]),
				 (u64)ntohl(t->src.w[2]) << 32 | ntohl(t->src.w[3]),
				 (u64)ntohl(t->dst.w[0]) << 32 | ntohl(t->dst.w[1]),
				 (u64)ntohl(t->dst.w[2]) << 32 | ntohl(t->dst.w[3]), &cn->key);
	u64 rest = (u64)t->sport << 48 | (u64)t->dport << 32 | (u64)t->l3num << 16 | t->protonum;

	return (u32)siphash_2u64(addrs, rest, &cn->key);
}

/* The highest bits, so that neighbours stay neighbours when the table grows. */
struct hlist_head *nf_ct_hash_bucket(struct netns_ct *cn, u32 hash)
{
#ifdef TAPLINE_HOSTILE
	hash = 0;
#endif
	return &cn->hash[hash >> (32 - cn->hash_bits)];
}

static void hash_move(struct netns_ct *cn, struct hlist_head *old, u32 buckets)
{
	for (u32 i = 0; i < buckets; i++) {
		hlist_for_each_safe(n, tmp, &old[i])
		{
			struct nf_conntrack_tuple_hash *h =
				list_entry(n, struct nf_conntrack_tuple_hash, hnnode);

			hlist_del_init(n);
			hlist_add_head(n, nf_ct_hash_bucket(cn, h->hash));
		}
	}
}

/* Twice as many chains when there are more entries than chains; failing that, longer chains. */
static void hash_grow(struct netns_ct *cn)
{
	struct world *w = net_world(cn->net);
	struct hlist_head *old = cn->hash, *new;
	u32 buckets = 1u << cn->hash_bits;

	if (cn->count <= buckets || buckets >= (u32)cn->net->sysctl.nf_conntrack_buckets)
		return;
	new = mem_alloc_n(w, MEM_HASH_TABLE, 2 * buckets, sizeof(*new));
	if (!new)
		return;
	memset(new, 0, 2 * buckets * sizeof(*new));
	cn->hash = new;
	cn->hash_bits++;
	hash_move(cn, old, buckets);
	mem_free_n(w, MEM_HASH_TABLE, old, buckets, sizeof(*old));
}

/* Takes it off the table; the table's reference goes. */
static void ct_unlink(struct nf_conn *ct)
{
	hlist_del_init(&ct->tuplehash[IP_CT_DIR_ORIGINAL].hnnode);
	hlist_del_init(&ct->tuplehash[IP_CT_DIR_REPLY].hnnode);
	list_del_init(&ct->list);
	nf_ct_put(ct);
}

bool nf_ct_kill(struct nf_conn *ct)
{
	if (ct->status & IPS_DYING)
		return false;
	ct->status |= IPS_DYING;
	if (nf_ct_is_confirmed(ct))
		ct_unlink(ct);
	return true;
}

struct nf_conntrack_tuple_hash *nf_conntrack_find(struct netns_ct *cn,
						  const struct nf_conntrack_tuple *tuple)
{
	u32 hash = tuple_hash(cn, tuple);

	hlist_for_each_safe(n, tmp, nf_ct_hash_bucket(cn, hash))
	{
		struct nf_conntrack_tuple_hash *h =
			list_entry(n, struct nf_conntrack_tuple_hash, hnnode);

		if (h->hash != hash || !nf_ct_tuple_equal(&h->tuple, tuple))
			continue;
		/* A tuple is in the table once. */
		if (!nf_ct_is_expired(h->ct))
			return h;
		nf_ct_kill(h->ct);
		return NULL;
	}
	return NULL;
}

u32 nf_ct_iterate_cleanup(struct net *net, bool (*match)(const struct nf_conn *ct, void *data),
			  void *data)
{
	u32 n = 0;

	if (!net->ct)
		return 0;
	list_for_each_safe(pos, tmp, &net->ct->all) {
		struct nf_conn *ct = list_entry(pos, struct nf_conn, list);

		if (nf_ct_is_expired(ct)) {
			nf_ct_kill(ct);
		} else if (!match || match(ct, data)) {
			nf_ct_kill(ct);
			n++;
		}
	}
	return n;
}

/* ---- collection ---- */

/* What is closing may go when there is little room (gc_worker_can_early_drop). */
static bool can_early_drop(const struct nf_conn *ct)
{
	if (!(ct->status & IPS_ASSURED))
		return true;
	return nf_ct_protonum(ct) == IPPROTO_TCP && nf_ct_tcp_can_early_drop(ct);
}

static bool table_nearly_full(const struct netns_ct *cn)
{
	u32 max = (u32)cn->net->sysctl.nf_conntrack_max;

	return max && cn->count > max / 100 * 95 + max % 100 * 95 / 100;
}

void nf_ct_gc_worker(struct timer *t)
{
	struct netns_ct *cn =
		(struct netns_ct *)(void *)((u8 *)t - offsetof(struct netns_ct, gc_work));
	u64 next = GC_SCAN_INTERVAL_MAX;
	bool early = cn->early_drop;

	cn->early_drop = false;
	list_for_each_safe(pos, tmp, &cn->all) {
		struct nf_conn *ct = list_entry(pos, struct nf_conn, list);

		if (nf_ct_is_expired(ct)) {
			nf_ct_kill(ct);
			continue;
		}
		if (early && table_nearly_full(cn) && can_early_drop(ct) && nf_ct_kill(ct)) {
			cn->stat.early_drop++;
			continue;
		}
		next = min_u64(next, nf_ct_expires(ct));
	}
	if (!list_empty(&cn->all))
		mod_timer(t, jiffies(cn->net->host) + max_u64(next, GC_SCAN_INTERVAL_MIN));
}

static void gc_schedule(struct netns_ct *cn, u64 delay)
{
	if (!timer_pending(&cn->gc_work))
		mod_timer(&cn->gc_work, jiffies(cn->net->host) + delay);
}

/* Is the entry in one of the eight buckets from that of `hash` on, of nf_conntrack_buckets? */
static bool in_eviction_range(const struct netns_ct *cn, u32 hash, u32 entry)
{
	u64 buckets = (u32)cn->net->sysctl.nf_conntrack_buckets;
	u64 from = buckets * hash >> 32, at = buckets * entry >> 32;

	return (at + buckets - from) % buckets < NF_CT_EVICTION_RANGE;
}

/* Entries of a chain in that range: those that have run out end, and of the others that are not
 * assured the one that has been there longest is the victim. */
static void eviction_scan(struct netns_ct *cn, const struct hlist_head *chain, u32 hash,
			  struct nf_conn **victim)
{
	const struct hlist_node *n = chain->first;

	while (n) {
		const struct nf_conntrack_tuple_hash *h =
			list_entry(n, struct nf_conntrack_tuple_hash, hnnode);
		struct nf_conn *ct = h->ct;

		n = n->next;
		if (!in_eviction_range(cn, hash, h->hash))
			continue;
		if (nf_ct_is_expired(ct)) {
			nf_ct_kill(ct);
			n = chain->first; /* its other tuple may have been the next */
		} else if (!(ct->status & IPS_ASSURED) && (!*victim || ct->id < (*victim)->id)) {
			*victim = ct;
		}
	}
}

/* early_drop: one that is not assured makes room. False: there is none near. The table's own chains
 * are as many as it needs, the range is one of hashes: it may be part of a chain, or many. */
static bool early_drop(struct netns_ct *cn, u32 hash)
{
	u64 buckets = (u32)cn->net->sysctl.nf_conntrack_buckets, chains = 1ull << cn->hash_bits;
	u64 from = (buckets * hash >> 32) * chains / buckets;
	u64 count = min_u64(NF_CT_EVICTION_RANGE * chains / buckets + 2, chains);
	struct nf_conn *victim = NULL;

	for (u64 i = 0; i < count; i++) {
		u32 at = (u32)((from + i) % chains);

		eviction_scan(cn, nf_ct_hash_bucket(cn, at << (32 - cn->hash_bits)), hash, &victim);
	}
	if (!victim || !nf_ct_kill(victim))
		return false;
	cn->stat.early_drop++;
	return true;
}

/* ---- a packet ---- */

/* __nf_conntrack_alloc. NULL: no room. */
static struct nf_conn *nf_conntrack_alloc(struct netns_ct *cn,
					  const struct nf_conntrack_tuple *orig,
					  const struct nf_conntrack_tuple *reply)
{
	u32 max = (u32)cn->net->sysctl.nf_conntrack_max;
	struct nf_conn *ct;

	if (max && cn->count >= max && !early_drop(cn, tuple_hash(cn, orig))) {
		cn->early_drop = true;
		mod_timer(&cn->gc_work, jiffies(cn->net->host) + 1);
		return NULL;
	}
	ct = mem_zalloc(net_world(cn->net), MEM_NF_CONN, sizeof(*ct));
	if (!ct)
		return NULL;
	cn->count++;
	ct->net = cn->net;
	ct->refs = 1;
	ct->id = ++cn->last_id;
	ct->acct = cn->net->sysctl.nf_conntrack_acct != 0;
	list_init(&ct->list);
	for (u32 dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		struct nf_conntrack_tuple_hash *h = &ct->tuplehash[dir];

		h->ct = ct;
		h->tuple = dir ? *reply : *orig;
		h->hash = tuple_hash(cn, &h->tuple);
	}
	return ct;
}

void nf_ct_acct_update(struct nf_conn *ct, const struct sk_buff *skb, u32 dir)
{
	if (!ct->acct)
		return;
	ct->counters[dir].packets++;
	ct->counters[dir].bytes += (u32)((s32)skb->len - skb_network_offset(skb));
}

void nf_ct_refresh_acct(struct nf_conn *ct, const struct sk_buff *skb, u32 ctinfo, u64 extra)
{
	ct->timeout = nf_ct_is_confirmed(ct) ? extra + jiffies(ct->net->host) : extra;
	nf_ct_acct_update(ct, skb, CTINFO2DIR(ctinfo));
}

/* resolve_normal_ct: the packet's connection, or a new one. -ENOMEM: no room; 0 without one: there
 * can be none. */
static int resolve_normal_ct(struct netns_ct *cn, const struct nf_ct_packet *p,
			     const struct nf_conntrack_tuple *addrs)
{
	struct nf_conntrack_tuple tuple, reply;
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;
	u32 ctinfo;

	if (!nf_ct_get_tuple(p->skb, p->dataoff, addrs->l3num, p->protonum, addrs, &tuple))
		return 0;
	h = nf_conntrack_find(cn, &tuple);
	if (!h) {
		if (!nf_ct_invert_tuple(&reply, &tuple))
			return 0;
		ct = nf_conntrack_alloc(cn, &tuple, &reply);
		if (!ct)
			return -ENOMEM;
		nf_ct_set(p->skb, ct, IP_CT_NEW);
		return 0;
	}
	ct = h->ct;
	if (h->tuple.dir == IP_CT_DIR_REPLY)
		ctinfo = IP_CT_ESTABLISHED_REPLY;
	else if (ct->status & IPS_SEEN_REPLY)
		ctinfo = IP_CT_ESTABLISHED;
	else
		ctinfo = IP_CT_NEW;
	nf_ct_hold(ct);
	nf_ct_set(p->skb, ct, ctinfo);
	return 0;
}

static int handle_packet(struct nf_conn *ct, const struct nf_ct_packet *p, u32 ctinfo)
{
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		return nf_conntrack_tcp_packet(ct, p, ctinfo);
	case IPPROTO_UDP:
		return nf_conntrack_udp_packet(ct, p, ctinfo);
	case IPPROTO_ICMP:
		return nf_conntrack_icmp_packet(ct, p);
	case IPPROTO_ICMPV6:
		return nf_conntrack_icmpv6_packet(ct, p);
	default:
		return nf_conntrack_generic_packet(ct, p);
	}
}

/* From the transport header on: find, judge, again when the connection was only in the way. */
static u32 track(struct netns_ct *cn, const struct nf_ct_packet *p,
		 const struct nf_conntrack_tuple *addrs)
{
	for (u32 round = 0;; round++) {
		struct nf_conn *ct;
		u32 ctinfo;
		int ret;

		if (resolve_normal_ct(cn, p, addrs)) {
			cn->stat.drop++;
			return NF_DROP;
		}
		ct = nf_ct_get(p->skb, &ctinfo);
		if (!ct) {
			cn->stat.invalid++;
			return NF_ACCEPT;
		}
		ret = handle_packet(ct, p, ctinfo);
		if (ret > 0) {
			if (ctinfo == IP_CT_ESTABLISHED_REPLY)
				ct->status |= IPS_SEEN_REPLY;
			return (u32)ret;
		}
		nf_reset_ct(p->skb);
		if (ret == -NF_REPEAT && round == 0)
			continue;
		cn->stat.invalid++;
		if (ret == -NF_DROP) {
			cn->stat.drop++;
			return NF_DROP;
		}
		return NF_ACCEPT;
	}
}

/* nf_conntrack_in */
u32 nf_conntrack_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct netns_ct *cn = priv;
	struct nf_ct_packet p = { .skb = skb, .state = state };
	struct nf_conntrack_tuple addrs;

	/* Seen before (it came by lo), or told not to. */
	if (skb->nfct || skb->nfctinfo == IP_CT_UNTRACKED)
		return NF_ACCEPT;
	if (!nf_ct_get_l4proto(skb, (u32)skb_network_offset(skb), state->pf, &p.protonum,
			       &p.dataoff, &addrs)) {
		cn->stat.invalid++;
		return NF_ACCEPT;
	}
	p.len = skb->len - p.dataoff;
	if (p.protonum == IPPROTO_ICMP || p.protonum == IPPROTO_ICMPV6) {
		if (nf_conntrack_handle_icmp(&p) <= 0) {
			cn->stat.error++;
			cn->stat.invalid++;
			return NF_ACCEPT;
		}
		if (skb->nfct || skb->nfctinfo == IP_CT_UNTRACKED)
			return NF_ACCEPT;
	}
	return track(cn, &p, &addrs);
}

/*
 * nf_ct_resolve_clash: two packets of one flow were on their way at once, and the other was first.
 * A datagram joins its connection; of others one is dropped.
 */
static u32 resolve_clash(struct netns_ct *cn, struct sk_buff *skb, struct nf_conn *ct,
			 const struct nf_conntrack_tuple_hash *winner, u32 ctinfo)
{
	if (nf_ct_protonum(ct) != IPPROTO_UDP || winner->tuple.dir != IP_CT_DIR_ORIGINAL) {
		cn->stat.drop++;
		cn->stat.insert_failed++;
		return NF_DROP;
	}
	nf_ct_acct_update(winner->ct, skb, IP_CT_DIR_ORIGINAL);
	nf_ct_hold(winner->ct);
	nf_reset_ct(skb);
	nf_ct_set(skb, winner->ct, ctinfo);
	cn->stat.clash_resolve++;
	return NF_ACCEPT;
}

/* __nf_conntrack_confirm */
u32 nf_confirm(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct netns_ct *cn = priv;
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;
	u32 ctinfo;

	(void)state;
	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || nf_ct_is_confirmed(ct) || CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL)
		return NF_ACCEPT;
	if (ct->status & IPS_DYING) {
		cn->stat.insert_failed++;
		return NF_DROP;
	}
	for (u32 dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		h = nf_conntrack_find(cn, &ct->tuplehash[dir].tuple);
		if (h)
			return resolve_clash(cn, skb, ct, h, ctinfo);
	}
	ct->timeout += jiffies(cn->net->host);
	ct->start_ns = net_world(cn->net)->now;
	ct->status |= IPS_CONFIRMED;
	nf_ct_hold(ct);
	for (u32 dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		hlist_add_head(&ct->tuplehash[dir].hnnode,
			       nf_ct_hash_bucket(cn, ct->tuplehash[dir].hash));
	}
	list_add_tail(&ct->list, &cn->all);
	hash_grow(cn);
	gc_schedule(cn, GC_SCAN_INTERVAL_MAX);
	return NF_ACCEPT;
}
