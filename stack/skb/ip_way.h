/* SPDX-License-Identifier: MIT */
/*
 * A packet's steps through the account of IP (netns/ip_account.h). Drops need no call: they are
 * counted by kfree_skb_reason(), for the way that the packet is on.
 *
 * Rule: a clone or a copy is on no way until somebody puts it there.
 */
#ifndef TAPLINE_SKB_IP_WAY_H
#define TAPLINE_SKB_IP_WAY_H

#include "skb/skbuff.h"
#include "wire/eth.h"

/* One that is gone before it could be put on its way. */
static inline void ip_account_lost(struct ip_account *a, enum ip_way way,
				   enum skb_drop_reason reason)
{
	a->drops[way]++;
	a->dropped[way][reason]++;
}

static inline struct ip_account *ip_account_of(const struct sk_buff *skb)
{
	return &skb->net->ip[skb->protocol == htons(ETH_P_IPV6)];
}

/* It begins to wait, it goes on. */
static inline void ip_way_hold(const struct sk_buff *skb)
{
	if (skb->ip_way)
		ip_account_of(skb)->held[skb->ip_way]++;
}

static inline void ip_way_unhold(const struct sk_buff *skb)
{
	if (skb->ip_way)
		ip_account_of(skb)->held[skb->ip_way]--;
}

/* It becomes part of another. */
static inline void ip_way_join(struct sk_buff *skb)
{
	if (skb->ip_way)
		ip_account_of(skb)->joined[skb->ip_way]++;
	skb->ip_way = IP_WAY_NONE;
}

/* consume_skb() of a packet that ends on its way. */
static inline void ip_way_consume(struct sk_buff *skb)
{
	if (skb->ip_way)
		ip_account_of(skb)->ended[skb->ip_way]++;
	skb->ip_way = IP_WAY_NONE;
	consume_skb(skb);
}

/* It was cut into pieces, each put on the way out by ip_way_piece(). */
static inline void ip_way_cut(struct sk_buff *skb)
{
	ip_account_of(skb)->cut++;
	skb->ip_way = IP_WAY_NONE;
	consume_skb(skb);
}

static inline void ip_way_piece(struct sk_buff *skb)
{
	ip_account_of(skb)->pieces++;
	skb->ip_way = IP_WAY_OUT;
}

#endif
