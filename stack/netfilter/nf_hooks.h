/* SPDX-License-Identifier: MIT */
/*
 * The hooks of netfilter: chains of functions by namespace, family and place, in order of priority
 * (net/netfilter/core.c), and the packets that a hook holds until somebody decides about them
 * (net/netfilter/nf_queue.c). An empty chain costs one test.
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

/*
 * A verdict: NF_*. NF_DROP frees the packet (NETFILTER_DROP); after NF_STOLEN it is the hook's
 * (which ends it by ip_way_consume() or kfree_skb_reason()); NF_REPEAT calls the hook again; after
 * NF_QUEUE the packet waits where there is a listener, else it is dropped.
 */
typedef u32 (*nf_hookfn)(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

struct nf_hook_ops {
	nf_hookfn hook;
	void *priv;
	u16 pf;
	u32 hooknum;
	s32 priority; /* smaller first; equal ones in order of registration */
};

/* Priorities that Linux gives (enum nf_ip_hook_priorities). */
#define NF_IP_PRI_FIRST		    INT32_MIN
#define NF_IP_PRI_CONNTRACK_DEFRAG  (-400)
#define NF_IP_PRI_RAW		    (-300)
#define NF_IP_PRI_CONNTRACK	    (-200)
#define NF_IP_PRI_MANGLE	    (-150)
#define NF_IP_PRI_NAT_DST	    (-100)
#define NF_IP_PRI_FILTER	    0
#define NF_IP_PRI_NAT_SRC	    100
#define NF_IP_PRI_CONNTRACK_CONFIRM INT32_MAX
#define NF_IP_PRI_LAST		    INT32_MAX

/* NF_DROP with an errno for the sender (positive); without one it is EPERM. */
#define NF_DROP_ERR(err)	(NF_DROP | (u32)(err) << 16)
#define NF_VERDICT_MASK		0xffu
#define NF_DROP_GETERR(verdict) ((verdict) >> 16 ? -(int)((verdict) >> 16) : -EPERM)

/* The ops are copied. 0, -EINVAL (family, hook) or -ENOMEM. */
int nf_register_net_hook(struct net *net, const struct nf_hook_ops *ops);
/* Takes off the chain what was registered with the same hook, priv, pf and hooknum. */
void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *ops);
void nf_net_exit(struct net *net);

static inline u32 nf_family_index(u16 pf)
{
	return pf == AF_INET6;
}

/* Runs a chain that is not empty. 1: okfn goes on with the packet. Else it is gone: 0 when it was
 * stolen or is held, or -errno. */
int nf_hook_slow(struct sk_buff *skb, const struct nf_hook_state *state);

/* Runs the chain. 1: the caller goes on with okfn. Else the packet is gone: -EPERM or the hook's
 * errno when it was dropped, 0 when it was stolen or is held for okfn. */
static inline int nf_hook(u16 pf, u32 hook, struct net *net, struct sock *sk, struct sk_buff *skb,
			  struct net_device *in, struct net_device *out, nf_okfn okfn)
{
	if (net->nf_hooks[nf_family_index(pf)][hook]) {
		const struct nf_hook_state state = { hook, pf, in, out, sk, net, okfn };

		return nf_hook_slow(skb, &state);
	}
	return 1;
}

/* The same, and okfn when all accept, whose result it returns. Takes the packet. */
static inline int NF_HOOK(u16 pf, u32 hook, struct net *net, struct sock *sk, struct sk_buff *skb,
			  struct net_device *in, struct net_device *out, nf_okfn okfn)
{
	int ret = nf_hook(pf, hook, net, sk, skb, in, out, okfn);

	return ret == 1 ? okfn(net, sk, skb) : ret;
}

/* ---- packets that wait for a verdict ---- */

struct nf_queue;

/* The device is down or goes away: what came by it or was to leave by it is dropped. */
int netfilter_init(struct host *h);
void netfilter_exit(struct host *h);

/* ---- the outside ---- */

/* OP_HOOK_ADD, OP_HOOK_DEL: hooks that call world->ops->nf_hook. 0, -EINVAL, -EEXIST (id), -ENOENT,
 * -ENOMEM. */
int nf_op_hook_add(struct net *net, const struct op_hook_add *op);
int nf_op_hook_del(struct net *net, const struct op_hook_del *op);
/* OP_NF_VERDICT: what becomes of a packet that is held. 0, -ENOENT, -EINVAL (verdict), -ENOMEM. */
int nf_op_nf_verdict(struct net *net, const struct op_nf_verdict *op);

/* ---- rooms of this folder ---- */

/* A place in a chain that a packet has come to: behind the hook of that priority and order. */
struct nf_hook_pos {
	s32 priority;
	u32 order;
};

/* The chain from a place on: behind it, or with `repeat` the hook there again when it still is.
 * Results as nf_hook_slow(). */
int nf_hook_resume(struct sk_buff *skb, const struct nf_hook_state *state, struct nf_hook_pos pos,
		   bool repeat);
/* Keeps the packet until OP_NF_VERDICT. False: it can not, and the packet is still the caller's. */
bool nf_queue(struct sk_buff *skb, const struct nf_hook_state *state, struct nf_hook_pos pos);
void nf_queue_net_exit(struct net *net);
/* Other bytes in the place of all from the network header on. 0; -EINVAL (no packet of the family),
 * -ENOMEM: nothing has changed. */
int nf_mangle(struct sk_buff *skb, u16 pf, const u8 *bytes, u32 len);

#endif
