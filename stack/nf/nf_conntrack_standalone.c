/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking of a namespace (net/netfilter/nf_conntrack_standalone.c): made when the first
 * rule asks for it, its hooks there while somebody does, taken down with the namespace; checks.
 */
#include "nf/nf_conntrack_core.h"

#include "kernel/random.h"
#include "nf/nf_defrag.h"

static const struct {
	nf_hookfn hook;
	u32 hooknum;
	s32 priority;
} hooks[] = {
	{ nf_conntrack_in, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK },
	{ nf_conntrack_in, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK },
	{ nf_confirm, NF_INET_POST_ROUTING, NF_IP_PRI_CONNTRACK_CONFIRM },
	{ nf_confirm, NF_INET_LOCAL_IN, NF_IP_PRI_CONNTRACK_CONFIRM },
	{ nf_ct_defrag, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK_DEFRAG },
};

static struct nf_hook_ops hook_ops(struct netns_ct *cn, u16 pf, u32 i)
{
	return (struct nf_hook_ops){ .hook = hooks[i].hook,
				     .priv = cn,
				     .pf = pf,
				     .hooknum = hooks[i].hooknum,
				     .priority = hooks[i].priority };
}

static void hooks_del(struct netns_ct *cn, u16 pf, u32 n)
{
	while (n-- > 0) {
		const struct nf_hook_ops ops = hook_ops(cn, pf, n);

		nf_unregister_net_hook(cn->net, &ops);
	}
}

static int hooks_add(struct netns_ct *cn, u16 pf)
{
	for (u32 i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct nf_hook_ops ops = hook_ops(cn, pf, i);

		if (nf_register_net_hook(cn->net, &ops)) {
			hooks_del(cn, pf, i);
			return -ENOMEM;
		}
	}
	return 0;
}

static struct netns_ct *netns_ct_make(struct net *net)
{
	struct world *w = net_world(net);
	struct netns_ct *cn = mem_zalloc(w, MEM_MISC, sizeof(*cn));

	if (!cn)
		return NULL;
	cn->hash_bits = NF_CT_HASH_BITS_MIN;
	cn->hash = mem_alloc_n(w, MEM_HASH_TABLE, 1u << NF_CT_HASH_BITS_MIN, sizeof(*cn->hash));
	if (!cn->hash) {
		mem_free(w, MEM_MISC, cn, sizeof(*cn));
		return NULL;
	}
	memset(cn->hash, 0, sizeof(*cn->hash) << NF_CT_HASH_BITS_MIN);
	cn->net = net;
	list_init(&cn->all);
	get_random_siphash_key(w, RANDOM_CONNTRACK, &cn->key);
	timer_setup(&cn->gc_work, host_cpu(net->host, 0), nf_ct_gc_worker);
	return cn;
}

int nf_ct_netns_get(struct net *net, u16 pf)
{
	u32 f = nf_family_index(pf);

	if (!net->ct)
		net->ct = netns_ct_make(net);
	if (!net->ct)
		return -ENOMEM;
	if (!net->ct->users[f] && hooks_add(net->ct, pf))
		return -ENOMEM;
	net->ct->users[f]++;
	return 0;
}

void nf_ct_netns_put(struct net *net, u16 pf)
{
	u32 f = nf_family_index(pf);

	ASSERT(net->ct && net->ct->users[f] > 0);
	if (--net->ct->users[f] == 0)
		hooks_del(net->ct, pf, ARRAY_SIZE(hooks));
}

int nf_conntrack_enable_hooks(struct net *net, bool on)
{
	if (on == !!net->sysctl.nf_conntrack_enable_hooks)
		return 0;
	if (!on) {
		nf_ct_netns_put(net, AF_INET);
		nf_ct_netns_put(net, AF_INET6);
	} else if (nf_ct_netns_get(net, AF_INET)) {
		return -ENOMEM;
	} else if (nf_ct_netns_get(net, AF_INET6)) {
		nf_ct_netns_put(net, AF_INET);
		return -ENOMEM;
	}
	net->sysctl.nf_conntrack_enable_hooks = on;
	return 0;
}

/* No packet of the namespace is left. */
void nf_conntrack_net_exit(struct net *net)
{
	struct world *w = net_world(net);
	struct netns_ct *cn = net->ct;

	if (!cn)
		return;
	list_for_each_safe(pos, tmp, &cn->all)
		nf_ct_kill(list_entry(pos, struct nf_conn, list));
	ASSERT(cn->count == 0);
	del_timer(&cn->gc_work);
	mem_free_n(w, MEM_HASH_TABLE, cn->hash, 1u << cn->hash_bits, sizeof(*cn->hash));
	mem_free(w, MEM_MISC, cn, sizeof(*cn));
	net->ct = NULL;
}

/* Each entry is in the table under both tuples. */
static void check_entry(struct netns_ct *cn, const struct nf_conn *ct)
{
	ASSERT(nf_ct_is_confirmed(ct) && !(ct->status & IPS_DYING) && ct->refs > 0);
	for (u32 dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		const struct nf_conntrack_tuple_hash *h = &ct->tuplehash[dir];
		bool found = false;

		hlist_for_each(n, nf_ct_hash_bucket(cn, h->hash)) found |= n == &h->hnnode;
		ASSERT(found);
	}
}

void nf_conntrack_check(struct host *h, u32 level)
{
	list_for_each(n, &h->nets) {
		struct netns_ct *cn = list_entry(n, struct net, list)->ct;
		u32 entries = 0;

		if (!cn || !level)
			continue;
		list_for_each(pos, &cn->all) {
			check_entry(cn, list_entry(pos, struct nf_conn, list));
			entries++;
		}
		ASSERT(entries <= cn->count);
		ASSERT(!entries || timer_pending(&cn->gc_work));
	}
}
