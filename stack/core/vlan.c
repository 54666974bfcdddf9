/* SPDX-License-Identifier: MIT */
/*
 * IEEE 802.1Q tags on the way in: the tag leaves the bytes and goes into the sk_buff's fields, so
 * that taps and protocols see an untagged frame (skb_vlan_untag, net/core/skbuff.c).
 */
#include "core/dev_core.h"

#define VLAN_HLEN	4u
#define ETH_P_802_3_MIN 0x0600u
#define ETH_P_802_3	0x0001u

/* vlan_set_encap_proto(): EtherType, or IEEE 802.3 length with Novell raw IPX (0xffff) or LLC. */
static u16 vlan_encap_proto(const struct sk_buff *skb, u16 inner)
{
	if (inner >= ETH_P_802_3_MIN)
		return inner;
	if (skb_headlen(skb) >= 2 && get_be16(skb->data) == 0xffff)
		return ETH_P_802_3;
	return ETH_P_802_2;
}

/* data stands behind the EtherType that said VLAN. Takes the skb; NULL when it is dropped. */
struct sk_buff *skb_vlan_untag(struct sk_buff *skb)
{
	u32 mac_len;
	u16 inner;

	skb = skb_share_check(skb);
	if (!skb)
		return NULL;
	if (!pskb_may_pull(skb, VLAN_HLEN)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_HDR_TRUNC);
		return NULL;
	}
	/* The MAC addresses move over the tag. */
	if (skb_cow_head(skb, skb_headroom(skb))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	skb->vlan_proto = skb->protocol;
	skb->vlan_tci = get_be16(skb->data);
	skb->vlan_present = 1;
	inner = get_be16(skb->data + 2);
	skb_pull_rcsum(skb, VLAN_HLEN);
	skb->protocol = htons(vlan_encap_proto(skb, inner));
	mac_len = (u32)(skb->data - skb_mac_header(skb));
	if (mac_len > VLAN_HLEN + 2)
		memmove(skb_mac_header(skb) + VLAN_HLEN, skb_mac_header(skb),
			mac_len - VLAN_HLEN - 2);
	skb->mac_header = (u16)(skb->mac_header + VLAN_HLEN);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	return skb;
}
