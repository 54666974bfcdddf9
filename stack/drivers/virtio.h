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

/* Queue numbers of a pair (5.1.2): receiveq, transmitq. */
static inline u32 virtio_rxq(u32 pair)
{
	return 2 * pair;
}
static inline u32 virtio_txq(u32 pair)
{
	return 2 * pair + 1;
}

/* ---- the device, for its driver; filter, RSS and moderation are registers of nic_hw.h ---- */

/* The board speaks virtio instead of rings. 0 or -ENOMEM. */
int vnet_hw_create(struct nic_hw *hw);
/* What was negotiated: notification by index, header with a hash. After a reset: neither. */
void vnet_hw_features(struct nic_hw *hw, bool event_idx, bool hash_report);
/* 4.1.4.3: bus addresses of the three parts; num 0: the queue is off. */
void vnet_hw_queue(struct nic_hw *hw, u32 vq, u64 desc, u64 avail, u64 used, u32 num);
/* The available buffer notification. */
void vnet_hw_notify(struct nic_hw *hw, u32 vq);
/* Notifications taken, used buffer notifications that the driver did not want. */
void vnet_hw_counts(const struct nic_hw *hw, u64 *notified, u64 *suppressed);

#endif
