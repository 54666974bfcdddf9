/* SPDX-License-Identifier: MIT */
/*
 * What a virtio network device and its driver have in common (Virtual I/O Device Version 1.2: 2.7
 * split virtqueues, 5.1 network device): the layout of a virtqueue's three parts in bus memory, all
 * little endian, and of the header in front of every packet. The device is virtio_hw.c, the driver
 * virtio_ring.c and virtio_net.c.
 */
#ifndef TAPLINE_DRIVERS_VIRTIO_H
#define TAPLINE_DRIVERS_VIRTIO_H

#include "drivers/nic_hw.h"
#include "lib/bytes.h"

/* Addresses in each of the two tables of the filter (MAC_TABLE_ENTRIES of QEMU). */
#define VNET_MAC_TABLE 64u

/* A descriptor: le64 address, le32 length, le16 flags, le16 next. */
#define VRING_DESC_SIZE	   16u
#define VRING_DESC_F_NEXT  1u
#define VRING_DESC_F_WRITE 2u
/* The driver's area: le16 flags, le16 idx, le16 ring[num], le16 used_event. */
#define VRING_AVAIL_F_NO_INTERRUPT 1u
/* The device's area: le16 flags, le16 idx, { le32 id, le32 len } ring[num], le16 avail_event. */
#define VRING_USED_F_NO_NOTIFY 1u

static inline u32 vring_avail_size(u32 num)
{
	return 6 + 2 * num;
}
static inline u32 vring_used_size(u32 num)
{
	return 6 + 8 * num;
}
/* Where the other side says at which index it wants to be told (VIRTIO_F_EVENT_IDX). */
static inline u32 vring_used_event(u32 num)
{
	return 4 + 2 * num;
}
static inline u32 vring_avail_event(u32 num)
{
	return 4 + 8 * num;
}

/* 2.7.7.1: has the index moved past `event` on its way from old to new? */
static inline bool vring_need_event(u16 event, u16 new_idx, u16 old)
{
	return (u16)(new_idx - event - 1) < (u16)(new_idx - old);
}

/* struct virtio_net_hdr: u8 flags, u8 gso_type, le16 hdr_len, gso_size, csum_start, csum_offset,
 * num_buffers; with VIRTIO_NET_F_HASH_REPORT le32 hash_value, le16 hash_report, le16 padding. */
#define VIRTIO_NET_HDR_LEN	    12u
#define VIRTIO_NET_HDR_HASH_LEN	    20u
#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u
#define VIRTIO_NET_HDR_F_DATA_VALID 2u
#define VIRTIO_NET_HDR_GSO_NONE	    0u
#define VIRTIO_NET_HDR_GSO_TCPV4    1u
#define VIRTIO_NET_HDR_GSO_UDP_L4   5u
#define VNET_HDR_HDR_LEN	    2u
#define VNET_HDR_GSO_SIZE	    4u
#define VNET_HDR_CSUM_START	    6u
#define VNET_HDR_CSUM_OFFSET	    8u
#define VNET_HDR_NUM_BUFFERS	    10u
#define VNET_HDR_HASH		    12u
#define VNET_HDR_HASH_REPORT	    16u
/* hash_report; those of IPv6 are 3 higher. */
enum { VIRTIO_NET_HASH_NONE, VIRTIO_NET_HASH_IPV4, VIRTIO_NET_HASH_TCPV4, VIRTIO_NET_HASH_UDPV4 };

/* Features (5.1.3, 6), as bits of 64. */
#define VIRTIO_NET_F_STATUS	    (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ	    (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX	    (1ull << 18)
#define VIRTIO_NET_F_CTRL_VLAN	    (1ull << 19)
#define VIRTIO_NET_F_GUEST_ANNOUNCE (1ull << 21)
#define VIRTIO_NET_F_MQ		    (1ull << 22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR  (1ull << 23)
#define VIRTIO_F_EVENT_IDX	    (1ull << 29)
#define VIRTIO_NET_F_HASH_REPORT    (1ull << 57)

/* Commands of the control queue (5.1.6.5): u8 class, u8 command, data; u8 answer. */
enum {
	VIRTIO_NET_CTRL_RX,
	VIRTIO_NET_CTRL_MAC,
	VIRTIO_NET_CTRL_VLAN,
	VIRTIO_NET_CTRL_ANNOUNCE,
	VIRTIO_NET_CTRL_MQ
};
enum { VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_CTRL_RX_ALLMULTI };
enum { VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_CTRL_MAC_ADDR_SET };
enum { VIRTIO_NET_CTRL_VLAN_ADD, VIRTIO_NET_CTRL_VLAN_DEL };
enum { VIRTIO_NET_CTRL_ANNOUNCE_ACK };
enum { VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET };
enum { VIRTIO_NET_OK, VIRTIO_NET_ERR };
#define VIRTIO_NET_S_ANNOUNCE 2u /* of the status in the configuration */

/* Queue numbers of a pair (5.1.2): receiveq, transmitq. */
static inline u32 virtio_rxq(u32 pair)
{
	return 2 * pair;
}
static inline u32 virtio_txq(u32 pair)
{
	return 2 * pair + 1;
}

/* Behind the pairs that there are (5.1.2). */
static inline u32 virtio_ctrlq(u32 pairs)
{
	return 2 * pairs;
}

/* ---- the device, for its driver; filter, RSS and moderation are registers of nic_hw.h ---- */

/* The board speaks virtio instead of rings. 0 or -ENOMEM. */
int vnet_hw_create(struct nic_hw *hw);
/* VIRTIO_*F_* that the device has, those that the driver takes (3.1.1). After a reset: none. */
u64 vnet_hw_offered(const struct nic_hw *hw);
void vnet_hw_features(struct nic_hw *hw, u64 features);
/* VIRTIO_NET_S_*. */
u32 vnet_hw_status(const struct nic_hw *hw);
/* The technician: the device has been moved, and wants it announced (-EOPNOTSUPP: not negotiated);
 * it has no control queue from the next reset on. */
int vnet_hw_announce(struct nic_hw *hw);
void vnet_hw_withhold_ctrl(struct nic_hw *hw, bool withhold);
/* 4.1.4.3: bus addresses of the three parts; num 0: the queue is off. */
void vnet_hw_queue(struct nic_hw *hw, u32 vq, u64 desc, u64 avail, u64 used, u32 num);
/* The available buffer notification. */
void vnet_hw_notify(struct nic_hw *hw, u32 vq);
/* Notifications taken, used buffer notifications that the driver did not want. */
void vnet_hw_counts(const struct nic_hw *hw, u64 *notified, u64 *suppressed);

#endif
