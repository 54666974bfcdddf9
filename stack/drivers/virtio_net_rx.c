/* SPDX-License-Identifier: MIT */
/*
 * The virtio network driver's receive half: buffers are given to the device, used ones taken in
 * NAPI poll and made packets. A frame that lies in several (VIRTIO_NET_F_MRG_RXBUF) is copied
 * together.
 *
 * Invariants: what is in a receive queue is a data area of NIC_RX_AREA bytes, its used length
 * counted from the header's length before NIC_RX_HEADROOM. No length and no number of buffers that
 * the device has written is used before it was checked: a frame that fails is given up and counted
 * in rx_length_errors; a queue whose used ring names no buffer is broken until the device is reset.
 */
#include "core/offload.h"
#include "drivers/virtio_net.h"
#include "ethernet/eth.h"
#include "kernel/trace.h"

/* Where the device writes: the header, then the frame at NIC_RX_HEADROOM. */
static u8 *rx_hdr(const struct nic_queue *q, u8 *head)
{
	return head + NIC_RX_HEADROOM - virtnet_hdr_len(q);
}

static u32 rx_buffer_len(const struct nic_queue *q)
{
	return virtnet_hdr_len(q) + NIC_RX_BUFFER;
}

static void free_buf(struct nic_queue *q, u8 *head)
{
	skb_data_free(q->adapter->world, head, NIC_RX_AREA);
}

void virtnet_free_rx(struct nic_queue *q)
{
	u64 frames = q->model->rx_waiting(q);
	u8 *head;

	q->rx_purged += frames;
	q->adapter->dev->stats.rx_dropped += frames;
	while ((head = virtqueue_detach_unused_buf(q->rvq)) != NULL)
		free_buf(q, head);
	vring_del_virtqueue(q->rvq);
	q->rvq = NULL;
}

/* try_fill_recv() */
void virtnet_refill(struct nic_queue *q)
{
	struct world *w = q->adapter->world;
	struct virtqueue *vq = q->rvq;
	u32 added = 0;

	for (; vq->num_free && !vq->broken; added++) {
		u8 *head = skb_data_alloc(w, NIC_RX_AREA);
		struct virtio_sg sg;

		if (!head) {
			q->rx_alloc_failed++;
			break;
		}
		nic_rx_clear(q, head);
		sg = (struct virtio_sg){ rx_hdr(q, head), rx_buffer_len(q) };
		virtqueue_add(vq, &sg, 1, 0, head);
	}
	if (added && virtqueue_kick_prepare(vq))
		vnet_hw_notify(q->adapter->hw, virtio_rxq(q->index));
	/* With no buffer left no frame can come that would bring us back here. */
	if (vq->num_free == vq->num && !vq->broken && !timer_pending(&q->refill))
		mod_timer(&q->refill, jiffies(dev_host(q->adapter->dev)) + NIC_REFILL_MS);
}

/* Buffers of the frame that begins in the k-th used one, as the device says; 0: it names none. */
static u32 num_buffers(const struct nic_queue *q, u32 k)
{
	u8 *head = virtqueue_peek(q->rvq, k);
	u32 n;

	if (!head || !virtqueue_used_len(q->rvq, k))
		return head != NULL;
	n = get_le16(rx_hdr(q, head) + VNET_HDR_NUM_BUFFERS);
	return n ? n : 1;
}

/* Whole frames that wait for a poll. */
u64 virtnet_rx_waiting(const struct nic_queue *q)
{
	u32 used = q->rvq ? virtqueue_used(q->rvq) : 0, buffers;
	u64 n = 0;

	for (u32 k = 0; k < used; k += buffers) {
		buffers = num_buffers(q, k);
		if (!buffers)
			break;
		n += virtqueue_used_len(q->rvq, k) != 0;
	}
	return n;
}

/* One buffer, of `len` bytes behind the header. NULL: no memory. */
static struct sk_buff *receive_small(struct nic_queue *q, u8 *head, u32 len)
{
	struct sk_buff *skb = build_skb(q->adapter->world, head, NIC_RX_AREA);

	if (!skb) {
		free_buf(q, head);
		nic_rx_no_skb(q, 1);
		return NULL;
	}
	skb_reserve(skb, NIC_RX_HEADROOM);
	skb_put(skb, len);
	return skb;
}

/* Bytes of a frame whose next n buffers are used ones behind the first, of `len` bytes. 0: it can
 * not be one: buffers are missing, or longer than they are, or the whole is. */
static u32 mergeable_len(const struct nic_queue *q, u32 n, u32 len)
{
	if (n > virtqueue_used(q->rvq))
		return 0;
	for (u32 k = 0; k < n; k++) {
		u32 part = virtqueue_used_len(q->rvq, k);

		if (part > rx_buffer_len(q))
			return 0;
		len += part;
	}
	return len <= NIC_FRAME_MAX ? len : 0;
}

/* What is left of a frame that is given up (mergeable_buf_free). */
static void drop_buffers(struct nic_queue *q, u32 n)
{
	u32 len;
	u8 *head;

	for (; n && (head = virtnet_get_buf(q, q->rvq, &len)) != NULL; n--)
		free_buf(q, head);
}

/* "rx error: len %u exceeds max size", "%d buffers out of %d missing" */
static void bad_frame(struct nic_queue *q, u32 why, u32 value)
{
	struct net_device *dev = q->adapter->dev;

	q->rx_length_errors++;
	trace(dev->world, dev_host(dev), TRACE_NIC_BAD_RING, dev->ifindex, virtio_rxq(q->index),
	      why, value);
}

/* receive_mergeable(): a frame of `total` bytes in `head` and n buffers more. NULL: no memory; they
 * are used all the same. */
static struct sk_buff *receive_mergeable(struct nic_queue *q, u8 *head, u32 len, u32 n, u32 total)
{
	struct sk_buff *skb = alloc_skb(q->adapter->world, NIC_RX_HEADROOM + total);
	u8 *from = head + NIC_RX_HEADROOM;

	if (!skb) {
		free_buf(q, head);
		drop_buffers(q, n);
		nic_rx_no_skb(q, 1);
		return NULL;
	}
	skb_reserve(skb, NIC_RX_HEADROOM);
	for (;; n--) {
		memcpy(skb_put(skb, len), from, len);
		free_buf(q, head);
		if (!n)
			return skb;
		head = virtnet_get_buf(q, q->rvq, &len);
		if (!head) {
			bad_frame(q, NIC_BAD_END, n);
			consume_skb(skb);
			return NULL;
		}
		from = rx_hdr(q, head);
	}
}

/* The frame that begins in this used buffer. NULL: there is none, and that is counted. */
static struct sk_buff *receive_frame(struct nic_queue *q, u8 *head, u32 len)
{
	u32 n = get_le16(rx_hdr(q, head) + VNET_HDR_NUM_BUFFERS), hdr = virtnet_hdr_len(q), total;

	if (len < hdr + ETH_HLEN || len > rx_buffer_len(q)) {
		bad_frame(q, NIC_BAD_LENGTH, len);
		free_buf(q, head);
		if (len > hdr + ETH_HLEN && n > 1)
			drop_buffers(q, n - 1);
		return NULL;
	}
	if (n <= 1)
		return receive_small(q, head, len - hdr);
	total = mergeable_len(q, n - 1, len - hdr);
	if (!total) {
		bad_frame(q, NIC_BAD_END, n);
		free_buf(q, head);
		drop_buffers(q, n - 1);
		return NULL;
	}
	return receive_mergeable(q, head, len - hdr, n - 1, total);
}

/* Takes one frame off the queue. False: nothing was there. */
static bool receive_buf(struct nic_queue *q)
{
	u8 hdr[VIRTIO_NET_HDR_HASH_LEN];
	struct sk_buff *skb;
	u32 len, report;
	u8 *head = virtnet_get_buf(q, q->rvq, &len);

	if (!head)
		return false;
	if (!len) {
		/* Given back unused: the device could make nothing of it. */
		free_buf(q, head);
		return true;
	}
	memcpy(hdr, rx_hdr(q, head), virtnet_hdr_len(q));
	skb = receive_frame(q, head, len);
	if (!skb)
		return true;
	if (virtnet_hdr_len(q) == VIRTIO_NET_HDR_HASH_LEN && get_le16(hdr + VNET_HDR_HASH_REPORT)) {
		report = get_le16(hdr + VNET_HDR_HASH_REPORT);
		skb->hash = get_le32(hdr + VNET_HDR_HASH);
		skb->l4_hash = report % 3 != VIRTIO_NET_HASH_IPV4;
	}
	nic_receive_skb(q, skb, hdr[0] & VIRTIO_NET_HDR_F_DATA_VALID);
	return true;
}

s32 virtnet_receive(struct nic_queue *q, s32 budget)
{
	s32 work = 0;

	for (; work < budget && receive_buf(q); work++)
		if (q->rvq->num_free >= NIC_RX_BUFFER_WRITE)
			virtnet_refill(q);
	if (work)
		virtnet_refill(q);
	return work;
}
