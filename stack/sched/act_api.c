/* SPDX-License-Identifier: MIT */
/*
 * The actions of filters: gact says what becomes of the packet, mirred gives it, or a copy, to a
 * device: to be sent by it, or as if it had received it. (net/sched/act_gact.c, act_mirred.c)
 *
 * Invariant: TC_ACT_STOLEN means that the packet is gone; after any other it is the caller's.
 */
#include "sched/cls_api.h"

#include "core/dev_core.h"
#include "kernel/host.h"

#define MIRRED_NEST_LIMIT 4u

/* tcf_mirred_forward(): takes skb, whose data is where `from_ingress` says. */
static int mirred_forward(struct sk_buff *skb, struct net_device *dev, bool from_ingress,
			  bool to_ingress)
{
	struct softnet_data *sd = this_softnet(dev_host(dev));
	int err = 0;

	if (!from_ingress) {
		skb_reset_mac_header(skb);
		skb->mac_len = (u16)(skb_network_header(skb) - skb->data);
	}
	if (from_ingress && !to_ingress)
		skb_push(skb, skb->mac_len);
	else if (!from_ingress && to_ingress)
		skb_pull_rcsum(skb, skb->mac_len);
	skb->skb_iif = skb->dev->ifindex;
	skb->dev = dev;
	skb->net = dev->net;
	sd->mirred_nest++;
	if (!to_ingress) {
		err = dev_queue_xmit(skb);
	} else {
		skb_dst_drop(skb);
		skb_orphan(skb);
		err = netif_rx(skb) == NET_RX_SUCCESS ? 0 : -ENOBUFS;
	}
	sd->mirred_nest--;
	return err;
}

static s32 mirred_run(struct sk_buff *skb, struct tc_action *a, bool at_ingress)
{
	struct net_device *dev = dev_get_by_index(skb->net, a->ifindex);
	bool redirect = a->how == TCF_EGRESS_REDIR || a->how == TCF_INGRESS_REDIR;
	bool to_ingress = a->how == TCF_INGRESS_REDIR || a->how == TCF_INGRESS_MIRROR;
	struct sk_buff *out = skb;

	if (!dev || !netif_running(dev))
		out = NULL;
	else if (!redirect || skb_shared(skb))
		out = skb_clone(skb);
	if (!out) {
		a->overlimits++;
		return redirect ? TC_ACT_SHOT : TC_ACT_PIPE;
	}
	if (mirred_forward(out, dev, at_ingress, to_ingress))
		a->overlimits++;
	if (redirect && out != skb)
		consume_skb(skb);
	return redirect ? TC_ACT_STOLEN : TC_ACT_PIPE;
}

s32 tcf_action_exec(struct sk_buff *skb, struct tcf_filter *f, bool at_ingress)
{
	const struct softnet_data *sd = this_softnet(dev_host(skb->dev));

	for (u32 i = 0; i < f->actions_count; i++) {
		struct tc_action *a = &f->actions[i];
		s32 verdict = a->verdict;

		if (a->mirred && sd->mirred_nest >= MIRRED_NEST_LIMIT)
			return TC_ACT_SHOT;
		a->packets++;
		a->bytes += skb->len + (at_ingress ? skb->mac_len : 0);
		a->used = skb->world->now;
		if (!a->firstused)
			a->firstused = a->used;
		if (a->mirred)
			verdict = mirred_run(skb, a, at_ingress);
		else if (verdict == TC_ACT_SHOT)
			a->drops++;
		if (verdict != TC_ACT_PIPE)
			return verdict;
	}
	return TC_ACT_OK;
}
