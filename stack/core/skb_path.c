/* SPDX-License-Identifier: MIT */
/* Records of a packet's way (skb_path.h): where it is, and whose flow it belongs to once IP has
 * looked at it. */
#include "core/skb_path.h"

#include "wire/ip4.h"

/* Ports are those of the first fragment of TCP and UDP, else 0. */
static void show_flow(const struct sk_buff *skb, const struct host *h)
{
	u32 at = (u32)skb_network_offset(skb), ports = 0;
	u8 buffer[IP4_HLEN], l4[4];
	const u8 *iph = skb_header_pointer(skb, at, IP4_HLEN, buffer), *p = NULL;
	u8 protocol;

	if (!iph)
		return;
	protocol = ip4_protocol(iph);
	if ((protocol == 6 || protocol == 17) && !(ip4_frag(iph) & IP4_OFFSET))
		p = skb_header_pointer(skb, at + ip4_ihl(iph), 4, l4);
	if (p)
		ports = get_be32(p);
	trace_show(skb->world, h, TRACE_SKB_FLOW, skb->id,
		   (u64)ntohl(ip4_saddr(iph)) << 32 | ntohl(ip4_daddr(iph)),
		   (u64)ports << 8 | protocol, ip4_tot_len(iph));
}

void __skb_path(const struct sk_buff *skb, enum skb_path at)
{
	const struct host *h = skb->net ? skb->net->host : NULL;

	trace_show(skb->world, h, TRACE_SKB_PATH, skb->id, at, skb->dev ? skb->dev->ifindex : 0,
		   skb->queue_mapping);
	if ((at == SKB_PATH_IP_RCV || at == SKB_PATH_IP_LOCAL_OUT) && skb_network_offset(skb) >= 0)
		show_flow(skb, h);
}
