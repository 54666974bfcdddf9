/* SPDX-License-Identifier: MIT */
/*
 * The driver's transmit half: a packet is put into descriptors and the doorbell rung; sent ones are
 * freed in NAPI poll. The queue is stopped when the next packet might not fit, and woken when
 * cleaning has made room.
 *
 * Invariant: the queue is stopped exactly when fewer descriptors are free than the longest packet
 * takes, or a planted fault said so; it runs again at the latest after a reset.
 */
#include "core/errqueue.h"
#include "core/offload.h"
#include "core/sch_generic.h"
#include "drivers/nic_driver.h"
#include "lib/checksum.h"
#include "wire/tcp.h"
#include "wire/udp.h"

int nic_tx_ring_alloc(struct nic_queue *q, u32 count)
{
	struct world *w = q->adapter->world;
	struct nic_tx_desc *ring;
	struct nic_tx_buffer *buffer;

	ring = mem_alloc_n(w, MEM_NIC_DMA, count * sizeof(*ring), 1);
	buffer = mem_alloc_n(w, MEM_NIC_BUF_INFO, count, sizeof(*buffer));
	if (!ring || !buffer) {
		if (ring)
			mem_free_n(w, MEM_NIC_DMA, ring, count * sizeof(*ring), 1);
		if (buffer)
			mem_free_n(w, MEM_NIC_BUF_INFO, buffer, count, sizeof(*buffer));
		return -ENOMEM;
	}
	for (u32 i = 0; i < count; i++) {
		ring[i] = (struct nic_tx_desc){ .status = 0 };
		buffer[i].skb = NULL;
	}
	q->tx = (struct nic_ring){ .count = count, .tx = ring, .tx_buffer = buffer };
	q->tx_rung = 0;
	return 0;
}

void nic_tx_ring_free(struct nic_queue *q)
{
	struct world *w = q->adapter->world;
	struct nic_ring *r = &q->tx;

	if (!r->tx)
		return;
	for (u32 i = 0; i < r->count; i++) {
		q->tx_purged += r->tx_buffer[i].skb != NULL;
		/* Sent already, or never to be. */
		if (r->tx_buffer[i].skb && r->tx[i].status & TXD_DD)
			consume_skb(r->tx_buffer[i].skb);
		else
			kfree_skb_reason(r->tx_buffer[i].skb, w->ending ?
								      SKB_DROP_REASON_WORLD_END :
								      SKB_DROP_REASON_DEV_READY);
	}
	mem_free_n(w, MEM_NIC_DMA, r->tx, r->count * sizeof(*r->tx), 1);
	mem_free_n(w, MEM_NIC_BUF_INFO, r->tx_buffer, r->count, sizeof(*r->tx_buffer));
	*r = (struct nic_ring){ .count = 0 };
}

static u32 tx_descs(u32 len)
{
	return len ? (len + NIC_TX_MAX_DATA - 1) / NIC_TX_MAX_DATA : 1;
}

/* Where a packet's bytes lie, and how many descriptors that takes with the context of one that is
 * to be cut or tagged. */
struct nic_tx_pieces {
	u32 n, descs;
	struct skb_piece piece[SKB_PIECES_MAX];
};

static void nic_tx_gather(struct nic_tx_pieces *pieces, const struct sk_buff *skb)
{
	pieces->n = 1;
	pieces->piece[0] = (struct skb_piece){ skb->data, skb->len };
	if (skb_is_nonlinear(skb))
		pieces->n = skb_to_pieces(skb, pieces->piece);
	pieces->descs = skb_is_gso(skb) || skb->vlan_present;
	for (u32 i = 0; i < pieces->n; i++)
		pieces->descs += tx_descs(pieces->piece[i].len);
}

/* One that the whole ring could not hold is put together. False: no memory. */
static bool nic_tx_fit(struct nic_tx_pieces *pieces, struct sk_buff *skb, u32 room)
{
	nic_tx_gather(pieces, skb);
	if (pieces->n && pieces->descs <= room)
		return true;
	if (skb_linearize(skb))
		return false;
	nic_tx_gather(pieces, skb);
	return true;
}

/* Free descriptors that there must be for the queue to run: for what the stack sends without need
 * of gathering, and with segmentation for packets in pieces (DESC_NEEDED), but not of a small ring.
 */
static u32 tx_needed(const struct nic_queue *q)
{
	const struct net_device *dev = q->adapter->dev;
	u32 n;

	if (!(dev->features & (NETIF_F_TSO | NETIF_F_GSO_UDP_L4)))
		return tx_descs(dev->mtu + dev->hard_header_len + NIC_VLAN_HLEN) +
		       !!(dev->features & NETIF_F_HW_VLAN_CTAG_TX);
	n = tx_descs(dev->gso_max_size + dev->hard_header_len) + 1;
	if (dev->features & NETIF_F_SG)
		n = max_u32(n, min_u32(SKB_PIECES_MAX + 1, q->tx.count / 4));
	return n;
}

/* The context descriptor at i. The headers are the packet's own (nic_tso_prepare). */
static void nic_tso_context(struct nic_tx_desc *d, const struct sk_buff *skb)
{
	u32 l4 = (u32)skb_transport_offset(skb);
	bool udp = skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;

	*d = (struct nic_tx_desc){
		.length = skb_shinfo(skb)->gso_size,
		.csum_start = (u16)(l4 + (udp ? UDP_HLEN : tcp_doff(skb_transport_header(skb)))),
		.csum_offset = (u8)skb_network_offset(skb),
		.cmd = (u8)(udp ? TXD_TSO | TXD_USO : TXD_TSO),
	};
}

/* Takes the length out of the pseudo header's sum: the device puts each segment's in. False: no
 * memory. */
static bool nic_tso_prepare(struct sk_buff *skb)
{
	u8 words[2], *sum;

	if (skb_cow_head(skb, 0))
		return false;
	sum = skb->head + skb->csum_start + skb->csum_offset;
	put_be16(words, (u16) ~(skb->len - (u32)skb_transport_offset(skb)));
	store_be16(sum, csum_fold_raw(csum_partial(words, 2, load_be16(sum))));
	return true;
}

/* The context in front of a packet that is to be cut or tagged. True: it has one. */
static bool nic_tx_context(struct nic_tx_desc *d, const struct sk_buff *skb)
{
	if (!skb_is_gso(skb) && !skb->vlan_present)
		return false;
	*d = (struct nic_tx_desc){ .cmd = 0 };
	if (skb_is_gso(skb))
		nic_tso_context(d, skb);
	if (skb->vlan_present) {
		d->cmd |= TXD_VLAN;
		d->addr = skb->vlan_tci;
	}
	return true;
}

/* Writes the descriptors of a packet; the last one holds it. cmd: of the first with data. */
static void nic_tx_map(struct nic_queue *q, struct sk_buff *skb, const struct nic_tx_pieces *pieces,
		       u8 cmd)
{
	struct nic_ring *r = &q->tx;
	u32 next = r->next_to_use, last = next;
	u16 start = 0;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		cmd |= TXD_CSUM;
		start = (u16)(skb->csum_start - skb_headroom(skb));
	}
	if (nic_tx_context(&r->tx[next], skb))
		next = nic_ring_next(r, next);
	for (u32 k = 0; k < pieces->n; k++) {
		const struct skb_piece *piece = &pieces->piece[k];

		for (u32 done = 0, part; done < piece->len; done += part) {
			part = min_u32(piece->len - done, NIC_TX_MAX_DATA);
			r->tx[next] = (struct nic_tx_desc){
				.addr = dma_map(q->adapter->world, piece->p + done),
				.length = (u16)part,
				.cmd = cmd,
				.csum_start = start,
				.csum_offset = (u8)skb->csum_offset,
			};
			cmd = 0;
			last = next;
			next = nic_ring_next(r, next);
		}
	}
	r->tx[last].cmd |= TXD_EOP;
	r->tx_buffer[last].skb = skb;
	q->tx_queued++;
	r->next_to_use = next;
}

enum netdev_tx nic_tx_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	skb->dev->stats.tx_dropped++;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

enum netdev_tx nic_tx_busy(struct nic_queue *q)
{
	q->tx_busy++;
	netif_tx_stop_queue(&q->adapter->dev->tx[q->index]);
	return NETDEV_TX_BUSY;
}

void nic_tx_stop(struct nic_queue *q)
{
	q->tx_stopped++;
	netif_tx_stop_queue(&q->adapter->dev->tx[q->index]);
}

void nic_tx_account(struct nic_queue *q, u32 bytes)
{
	netdev_tx_sent_queue(&q->adapter->dev->tx[q->index], bytes);
}

/* Into the ring, the doorbell not rung. */
static enum netdev_tx nic_queue_packet(struct nic_queue *q, struct sk_buff *skb)
{
	struct nic_adapter *a = q->adapter;
	struct net_device *dev = a->dev;
	struct nic_tx_pieces pieces;
	u32 bytes = skb->len;
	u8 cmd = 0;

	if (!a->up)
		return nic_tx_drop(skb, SKB_DROP_REASON_DEV_READY);
	if (!nic_tx_fit(&pieces, skb, q->tx.count - 1))
		return nic_tx_drop(skb, SKB_DROP_REASON_NOMEM);
	if (nic_ring_unused(&q->tx) < pieces.descs || should_fail(dev->world, FAULT_TX_BUSY))
		return nic_tx_busy(q);
	if (skb_is_gso(skb)) {
		if (!nic_tso_prepare(skb))
			return nic_tx_drop(skb, SKB_DROP_REASON_NOMEM);
		nic_tx_gather(&pieces, skb); /* its head may lie elsewhere now */
	}
	if (skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP)
		cmd = nic_tstamp_start(a, skb);
	nic_tx_map(q, skb, &pieces, cmd);
	nic_tx_account(q, bytes);
	/* Before the doorbell: the device may be through at once. */
	if (nic_ring_unused(&q->tx) < tx_needed(q))
		nic_tx_stop(q);
	return NETDEV_TX_OK;
}

enum netdev_tx nic_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic_adapter *a = dev->priv;
	struct nic_queue *q = &a->q[skb->queue_mapping];
	enum netdev_tx rc = nic_queue_packet(q, skb);

	if (netdev_xmit_more(dev) && rc == NETDEV_TX_OK && !netif_xmit_stopped(&dev->tx[q->index]))
		return rc;
	if (q->tx.next_to_use != q->tx_rung) {
		q->tx_rung = q->tx.next_to_use;
		nic_hw_write(a->hw, NIC_TDT, q->index, q->tx_rung);
	}
	return rc;
}

void nic_tx_sent(struct nic_queue *q, struct sk_buff *skb)
{
	q->tx_done++;
	cpu_cost(q->napi.cpu, COST_TX_COMPLETE, 1);
	q->tx_packets += skb_segs(skb);
	q->tx_bytes += qdisc_pkt_len(skb);
	q->tx_cleaned += skb->len;
	consume_skb(skb);
}

void nic_tx_wake(struct nic_queue *q, bool room)
{
	struct netdev_queue *txq = &q->adapter->dev->tx[q->index];
	u32 cleaned = q->tx_cleaned;

	q->tx_cleaned = 0;
	netdev_tx_completed_queue(txq, cleaned);
	if (!txq->stopped || !room)
		return;
	q->tx_restart++;
	netif_tx_wake_queue(txq);
}

void nic_clean_tx(struct nic_queue *q)
{
	struct nic_ring *r = &q->tx;
	u32 i = r->next_to_clean;

	for (; i != r->next_to_use && r->tx[i].status & TXD_DD; i = nic_ring_next(r, i)) {
		struct sk_buff *skb = r->tx_buffer[i].skb;

		if (!skb)
			continue;
		r->tx_buffer[i].skb = NULL;
		nic_tx_sent(q, skb);
	}
	if (i == r->next_to_clean)
		return;
	r->next_to_clean = i;
	nic_tx_wake(q, nic_ring_unused(r) >= tx_needed(q));
}

bool nic_tx_mapped(const struct nic_queue *q, u64 addr, u64 len)
{
	const struct nic_ring *r = &q->tx;

	for (u32 i = r->next_to_clean; r->tx && i != r->next_to_use; i = nic_ring_next(r, i))
		if (!(r->tx[i].cmd & (TXD_TSO | TXD_VLAN)) &&
		    dma_within(addr, len, r->tx[i].addr, r->tx[i].length))
			return true;
	return r->tx &&
	       dma_within(addr, len, dma_map(q->adapter->world, r->tx), r->count * sizeof(*r->tx));
}
