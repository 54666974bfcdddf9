/* SPDX-License-Identifier: MIT */
/* Ethernet II and IEEE 802.3 headers and 802.1Q tags as bytes. */
#ifndef TAPLINE_WIRE_ETH_H
#define TAPLINE_WIRE_ETH_H

#include "lib/bytes.h"

#define ETH4_HLEN    14u
#define VLAN4_HLEN   4u
#define ETH_TYPE_MIN 0x0600 /* below: an IEEE 802.3 length */

#define ETH_P_IP     0x0800
#define ETH_P_ARP    0x0806
#define ETH_P_8021Q  0x8100
#define ETH_P_8021AD 0x88A8
#define ETH_P_IPV6   0x86DD
#define ETH_P_ALL    0x0003
#define ETH_P_802_2  0x0004

static inline u16 eth_type(const u8 *p)
{
	return get_be16(p + 12);
}
static inline bool eth_is_multicast(const u8 *addr)
{
	return (addr[0] & 1) != 0;
}
static inline bool eth_is_broadcast(const u8 *addr)
{
	return (addr[0] & addr[1] & addr[2] & addr[3] & addr[4] & addr[5]) == 0xff;
}
static inline bool eth_is_zero(const u8 *addr)
{
	return (addr[0] | addr[1] | addr[2] | addr[3] | addr[4] | addr[5]) == 0;
}

struct eth_hdr {
	u8 dst[6], src[6];
	u16 type;
};

/* A tag's control information: PCP << 13 | DEI << 12 | VID; then the EtherType behind it. */
struct vlan_tag {
	u16 tci;
	u16 type;
};

bool eth_parse(const u8 *p, u32 len, struct eth_hdr *h);
void eth_build(u8 *p, const struct eth_hdr *h);
/* p at the TCI, behind the tag's EtherType. */
bool vlan_parse(const u8 *p, u32 len, struct vlan_tag *t);
void vlan_build(u8 *p, const struct vlan_tag *t);

#endif
