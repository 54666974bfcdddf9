/* SPDX-License-Identifier: MIT */
/*
 * The hooks of netfilter: chains of functions by namespace, family and place, in order of priority
 * (net/netfilter/core.c). An empty chain costs one test.
 */
#ifndef TAPLINE_NETFILTER_NF_HOOKS_H
#define TAPLINE_NETFILTER_NF_HOOKS_H

#include "core/netdevice.h"
#include "stack/op.h"
#include "stack/socket.h"

struct sock;
struct nf_hook_state;

typedef int (*nf_okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);

struct nf_hook_state {
	u32 hook; /* NF_INET_* */
	u16 pf; /* AF_INET, AF_INET6 */
	struct net_device *in, *out; /* NULL where there is none */
	struct sock *sk;
	struct net *net;
	nf_okfn okfn;
};

/* A verdict: NF_*. NF_DROP frees the packet (NETFILTER_DROP); after NF_STOLEN it is the hook's. */
typedef u32 (*nf_hookfn)(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

struct nf_hook_ops {
	nf_hookfn hook;
	void *priv;
	u16 pf;
	u32 hooknum;
	s32 priority; /* smaller first; equal ones in order of registration */
};

/* Priorities that Linux gives (enum nf_ip_hook_priorities). */
#define NF_IP_PRI_FIRST		   INT32_MIN
#define NF_IP_PRI_CONNTRACK_DEFRAG (-400)
#define NF_IP_PRI_RAW		   (-300)
#define NF_IP_PRI_CONNTRACK	   (-200)
#define NF_IP_PRI_MANGLE	   (-150)
#define NF_IP_PRI_NAT_DST	   (-100)
#define NF_IP_PRI_FILTER	   0
#define NF_IP_PRI_NAT_SRC	   100
#define NF_IP_PRI_LAST		   INT32_MAX

/* The ops are copied. 0, -EINVAL (family, hook) or -ENOMEM. */
int nf_register_net_hook(struct net *net, const struct nf_hook_ops *ops);
/* Takes off the chain what was registered with the same hook, priv, pf and hooknum. */
void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *ops);
void nf_net_exit(struct net *net);

static inline u32 nf_family_index(u16 pf)
{
	return pf == AF_INET6;
}

/* Runs a chain that is not empty. NF_ACCEPT, or the packet is gone: NF_DROP, NF_STOLEN. */
u32 nf_hook_slow(struct sk_buff *skb, const struct nf_hook_state *state);

/* Runs the chain, and okfn when all accept. Takes the packet. Returns okfn's result, -EPERM when it
 * was dropped, 0 when it was stolen. */
static inline int NF_HOOK(u16 pf, u32 hook, struct net *net, struct sock *sk, struct sk_buff *skb,
			  struct net_device *in, struct net_device *out, nf_okfn okfn)
{
	if (net->nf_hooks[nf_family_index(pf)][hook]) {
		const struct nf_hook_state state = { hook, pf, in, out, sk, net, okfn };
		u32 verdict = nf_hook_slow(skb, &state);

		if (verdict != NF_ACCEPT)
			return verdict == NF_DROP ? -1 /* -EPERM */ : 0;
	}
	return okfn(net, sk, skb);
}

/* OP_HOOK_ADD, OP_HOOK_DEL: hooks that call world->ops->nf_hook. 0, -EINVAL, -EEXIST (id), -ENOENT,
 * -ENOMEM. */
int nf_op_hook_add(struct net *net, const struct op_hook_add *op);
int nf_op_hook_del(struct net *net, const struct op_hook_del *op);

#endif
