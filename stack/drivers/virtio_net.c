/* SPDX-License-Identifier: MIT */
/*
 * The virtio network driver's rings (drivers/net/virtio_net.c): the header in front of every packet
 * with its offloads, transmit, interrupt and poll; the receive half is virtio_net_rx.c. The life of
 * the device, its settings and statistics are those of the ring model (nic_main.c, nic_ethtool.c),
 * as both are the same board.
 *
 * Invariants: what is in a transmit queue is a packet. A queue that the device broke
 * (virtio_ring.h) is silent: nothing is polled, what is to be sent is dropped, until a reset makes
 * it anew.
 */
#include "core/errqueue.h"
#include "core/offload.h"
#include "core/sch_generic.h"
#include "drivers/virtio_net.h"
#include "kernel/trace.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* Descriptors of a packet: header, bytes; in pieces. */
#define TX_DESCS     2u
#define TX_DESCS_MAX (1 + SKB_PIECES_MAX)

void *virtnet_get_buf(struct nic_queue *q, struct virtqueue *vq, u32 *len)
{
	struct net_device *dev = q->adapter->dev;
	bool broken = vq->broken;
	void *data = virtqueue_get_buf(vq, len);

	if (data || vq->broken == broken)
		return data;
	q->broken++;
	trace(dev->world, dev_host(dev), TRACE_NIC_BAD_RING, dev->ifindex,
	      vq == q->rvq ? virtio_rxq(q->index) : virtio_txq(q->index), NIC_BAD_ID, vq->bad_id);
	return NULL;
}

/* ---- life ---- */

static int virtnet_alloc(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;
	bool event_idx = !a->no_event_idx;

	q->rvq = vring_new_virtqueue(a->world, a->rx_count, event_idx);
	q->svq = vring_new_virtqueue(a->world, a->tx_count, event_idx);
	q->tx_hdrs = mem_alloc_n(a->world, MEM_NIC_DMA, a->tx_count * VIRTIO_NET_HDR_HASH_LEN, 1);
	return q->rvq && q->svq && q->tx_hdrs ? 0 : -ENOMEM;
}

static void free_tx(struct nic_queue *q)
{
	bool ending = q->adapter->world->ending;
	struct sk_buff *skb;
	u32 len;

	while ((skb = virtqueue_get_buf(q->svq, &len)) != NULL) {
		q->tx_purged++;
		consume_skb(skb);
	}
	while ((skb = virtqueue_detach_unused_buf(q->svq)) != NULL) {
		q->tx_purged++;
		kfree_skb_reason(skb,
				 ending ? SKB_DROP_REASON_WORLD_END : SKB_DROP_REASON_DEV_READY);
	}
	vring_del_virtqueue(q->svq);
	q->svq = NULL;
}

static void virtnet_free(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;
	u32 size = (q->svq ? q->svq->num : a->tx_count) * VIRTIO_NET_HDR_HASH_LEN;

	if (q->rvq)
		virtnet_free_rx(q);
	if (q->svq)
		free_tx(q);
	if (q->tx_hdrs)
		mem_free_n(a->world, MEM_NIC_DMA, q->tx_hdrs, size, 1);
	q->tx_hdrs = NULL;
}

void virtnet_tell_queue(struct nic_adapter *a, u32 index, const struct virtqueue *vq)
{
	vnet_hw_queue(a->hw, index, dma_map(a->world, vq->desc), dma_map(a->world, vq->avail),
		      dma_map(a->world, vq->used), vq->num);
}

static void virtnet_configure(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;

	virtnet_tell_queue(a, virtio_rxq(q->index), q->rvq);
	virtnet_tell_queue(a, virtio_txq(q->index), q->svq);
	q->model->refill(q);
}

static u64 virtnet_tx_waiting(const struct nic_queue *q)
{
	u64 n = 0;

	for (u32 i = 0; q->svq && i < q->svq->num; i++)
		n += q->svq->state[i].data != NULL;
	return n;
}

static bool area_mapped(const struct virtqueue *vq, u64 addr, u64 len)
{
	u64 from = dma_map(vq->world, vq->desc), used = dma_map(vq->world, vq->used);

	return dma_within(addr, len, from, used + vring_used_size(vq->num) - from) ||
	       virtqueue_mapped(vq, addr, len);
}

static bool virtnet_mapped(const struct nic_queue *q, u64 addr, u64 len)
{
	const struct virtqueue *cvq = q->adapter->cvq;

	return (cvq && area_mapped(cvq, addr, len)) || (q->rvq && area_mapped(q->rvq, addr, len)) ||
	       (q->svq && area_mapped(q->svq, addr, len));
}

/* ---- out ---- */

/* virtio_net_hdr_from_skb() */
static void xmit_header(u8 *hdr, const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	bool udp = shinfo->gso_type & SKB_GSO_UDP_L4;
	u32 l4 = (u32)skb_transport_offset(skb);

	memset(hdr, 0, VIRTIO_NET_HDR_HASH_LEN);
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		hdr[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		put_le16(hdr + VNET_HDR_CSUM_START, (u16)(skb->csum_start - skb_headroom(skb)));
		put_le16(hdr + VNET_HDR_CSUM_OFFSET, skb->csum_offset);
	}
	if (!skb_is_gso(skb))
		return;
	hdr[1] = udp ? VIRTIO_NET_HDR_GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_TCPV4;
	put_le16(hdr + VNET_HDR_GSO_SIZE, shinfo->gso_size);
	put_le16(hdr + VNET_HDR_HDR_LEN,
		 (u16)(l4 + (udp ? UDP_HLEN : tcp_doff(skb_transport_header(skb)))));
}

/* Where the bytes lie; put together when the whole queue could not hold them. 0: no memory. */
static u32 tx_sg(struct virtio_sg *sg, struct sk_buff *skb, u32 room)
{
	struct skb_piece pieces[SKB_PIECES_MAX];
	u32 n = skb_is_nonlinear(skb) ? skb_to_pieces(skb, pieces) : 0;

	if (n && n <= room) {
		for (u32 i = 0; i < n; i++)
			sg[i] = (struct virtio_sg){ pieces[i].p, pieces[i].len };
		return n;
	}
	if (skb_linearize(skb))
		return 0;
	sg[0] = (struct virtio_sg){ skb->data, skb->len };
	return 1;
}

/* Free descriptors that there must be for the queue to run: more where packets in pieces are to be
 * expected (2 + MAX_SKB_FRAGS of virtio_net), but not of a small ring. */
static u32 tx_needed(const struct nic_queue *q)
{
	u32 want = NETIF_F_SG | NETIF_F_TSO;

	if ((q->adapter->dev->features & want) != want)
		return TX_DESCS;
	return max_u32(TX_DESCS, min_u32(TX_DESCS_MAX, q->svq->num / 4));
}

/* "Unexpected TXQ queue failure" */
static enum netdev_tx xmit_broken(struct nic_queue *q, struct sk_buff *skb)
{
	q->adapter->dev->stats.tx_fifo_errors++;
	return nic_tx_drop(skb, SKB_DROP_REASON_DEV_READY);
}

enum netdev_tx virtnet_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic_adapter *a = dev->priv;
	struct nic_queue *q = &a->q[skb->queue_mapping];
	struct virtqueue *vq = q->svq;
	struct virtio_sg sg[TX_DESCS_MAX];
	u32 descs;
	u8 *hdr;

	if (!a->up)
		return nic_tx_drop(skb, SKB_DROP_REASON_DEV_READY);
	descs = 1 + tx_sg(sg + 1, skb, vq->num - 1);
	if (descs == 1)
		return nic_tx_drop(skb, SKB_DROP_REASON_NOMEM);
	if (vq->broken)
		return xmit_broken(q, skb);
	if (vq->num_free < descs || should_fail(dev->world, FAULT_TX_BUSY))
		return nic_tx_busy(q);
	skb_tx_timestamp(skb);
	hdr = q->tx_hdrs + vq->free_head * VIRTIO_NET_HDR_HASH_LEN;
	xmit_header(hdr, skb);
	sg[0] = (struct virtio_sg){ hdr, virtnet_hdr_len(q) };
	virtqueue_add(vq, sg, descs, descs, skb);
	nic_tx_account(q, skb->len);
	q->tx_queued++;
	/* Before the notification: the device may be through at once. */
	if (vq->num_free < tx_needed(q))
		nic_tx_stop(q);
	if (virtqueue_kick_prepare(vq))
		vnet_hw_notify(a->hw, virtio_txq(q->index));
	return NETDEV_TX_OK;
}

/* free_old_xmit() */
static void virtnet_clean_tx(struct nic_queue *q)
{
	struct sk_buff *skb;
	u32 len, n = 0;

	for (; (skb = virtnet_get_buf(q, q->svq, &len)) != NULL; n++)
		nic_tx_sent(q, skb);
	if (n)
		nic_tx_wake(q, q->svq->num_free >= tx_needed(q));
}

/* ---- interrupt and poll ---- */

static void virtnet_irq(void *dev_id)
{
	struct nic_queue *q = dev_id;
	bool work = virtqueue_more_used(q->rvq) || virtqueue_more_used(q->svq);

	q->irqs++;
	if (!nic_irq_link(q) && !work && !q->rvq->broken && !q->svq->broken)
		q->irqs_spurious++;
	if (!work)
		return;
	virtqueue_disable_cb(q->rvq);
	virtqueue_disable_cb(q->svq);
	if (napi_schedule_prep(&q->napi))
		__napi_schedule(&q->napi, q->irq->cpu);
}

/* virtqueue_napi_complete(): what came between the last look and the permission to interrupt is
 * polled for again. */
static void virtnet_irq_on(struct nic_queue *q)
{
	bool quiet = virtqueue_enable_cb(q->rvq);

	if (virtqueue_enable_cb(q->svq) && quiet)
		return;
	virtqueue_disable_cb(q->rvq);
	virtqueue_disable_cb(q->svq);
	if (napi_schedule_prep(&q->napi))
		__napi_schedule(&q->napi, q->irq->cpu);
}

static s32 virtnet_poll(struct napi_struct *napi, s32 budget)
{
	struct nic_queue *q = container_of(napi, struct nic_queue, napi);
	s32 work;

	q->polls++;
	work = virtnet_receive(q, budget);
	/* After the receive half, whose answers may have been sent by now. */
	virtnet_clean_tx(q);
	if (work >= budget)
		return budget;
	if (q->adapter->adaptive_rx)
		nic_adapt_itr(q);
	if (napi_complete_done(napi, work))
		virtnet_irq_on(q);
	return work;
}

const struct nic_model_ops virtio_net_model = {
	.alloc = virtnet_alloc,
	.free = virtnet_free,
	.configure = virtnet_configure,
	.refill = virtnet_refill,
	.rx_waiting = virtnet_rx_waiting,
	.tx_waiting = virtnet_tx_waiting,
	.mapped = virtnet_mapped,
	.irq = virtnet_irq,
	.poll = virtnet_poll,
	.vector = "-virtio-",
	.start = virtnet_start,
	.stop = virtnet_stop,
	.set_rx_mode = virtnet_set_rx_mode,
	.set_mac = virtnet_set_mac,
	.set_queues = virtnet_set_queues,
	.vlan_vid = virtnet_vlan_vid,
	.config_changed = virtnet_config_changed,
};
