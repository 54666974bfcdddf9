/* SPDX-License-Identifier: MIT */
/*
 * The software NIC with virtqueues instead of rings: a virtio network device (Virtual I/O Device
 * Version 1.2, 5.1). Frames come from nic_hw_receive() after filter and RSS, and leave through
 * nic_hw_tx_run(); here is how they are found in, and written to, the driver's buffers.
 *
 * Invariants: [last_avail, avail.idx) are buffers that the driver has given and that were not used
 * yet; a chain that leads nowhere is used up and counted as a bad descriptor, never followed for
 * longer than the queue has descriptors.
 */
#include "drivers/nic_hw_priv.h"
#include "drivers/virtio.h"

#include "lib/checksum.h"

/* The longest command: two full tables of addresses. */
#define VNET_COMMAND_MAX (2 + 8 + 2 * 6 * VNET_MAC_TABLE)

struct vnet_vq {
	u8 *desc, *avail, *used; /* NULL: the queue is off */
	u32 num;
	u16 last_avail, used_idx, signalled;
	bool signalled_valid;
};

struct vnet_hw {
	bool event_idx;
	u32 hdr_len;
	u64 notified, suppressed;
	struct vnet_vq *vq;
};

int vnet_hw_create(struct nic_hw *hw)
{
	struct vnet_hw *v = mem_zalloc(hw->world, MEM_NIC, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->vq = mem_alloc_n(hw->world, MEM_NIC_BUF_INFO, 2 * hw->queues + 1, sizeof(*v->vq));
	if (!v->vq) {
		mem_free(hw->world, MEM_NIC, v, sizeof(*v));
		return -ENOMEM;
	}
	hw->vnet = v;
	hw->tx_ops = &vnet_hw_tx;
	vnet_hw_reset(hw);
	return 0;
}

void vnet_hw_free(struct nic_hw *hw)
{
	struct vnet_hw *v = hw->vnet;

	if (!v)
		return;
	mem_free_n(hw->world, MEM_NIC_BUF_INFO, v->vq, 2 * hw->queues + 1, sizeof(*v->vq));
	mem_free(hw->world, MEM_NIC, v, sizeof(*v));
	hw->vnet = NULL;
}

void vnet_hw_reset(struct nic_hw *hw)
{
	if (!hw->vnet)
		return;
	vnet_hw_ctrl_reset(hw);
	hw->vnet->event_idx = false;
	hw->vnet->hdr_len = VIRTIO_NET_HDR_LEN;
	memset(hw->vnet->vq, 0, (2 * hw->queues + 1) * sizeof(*hw->vnet->vq));
}

void vnet_hw_features(struct nic_hw *hw, u64 features)
{
	features &= vnet_hw_offered(hw);
	hw->vnet_features = features;
	hw->vlan_filter = features & VIRTIO_NET_F_CTRL_VLAN;
	memset(hw->vfta, 0, sizeof(hw->vfta));
	hw->vnet->event_idx = features & VIRTIO_F_EVENT_IDX;
	hw->vnet->hdr_len =
		features & VIRTIO_NET_F_HASH_REPORT ? VIRTIO_NET_HDR_HASH_LEN : VIRTIO_NET_HDR_LEN;
}

void vnet_hw_queue(struct nic_hw *hw, u32 index, u64 desc, u64 avail, u64 used, u32 num)
{
	struct vnet_vq *vq;

	if (index > virtio_ctrlq(hw->queues))
		return;
	vq = &hw->vnet->vq[index];
	*vq = (struct vnet_vq){ .num = 0 };
	if (!num || num > 32768)
		return;
	vq->desc = dma_access(hw, desc, (u64)num * VRING_DESC_SIZE);
	vq->avail = dma_access(hw, avail, vring_avail_size(num));
	vq->used = dma_access(hw, used, vring_used_size(num));
	if (vq->desc && vq->avail && vq->used)
		vq->num = num;
}

void vnet_hw_counts(const struct nic_hw *hw, u64 *notified, u64 *suppressed)
{
	*notified = hw->vnet->notified;
	*suppressed = hw->vnet->suppressed;
}

/* ---- virtqueues ---- */

static u16 vq_waiting(const struct vnet_vq *vq)
{
	return vq->num ? (u16)(get_le16(vq->avail + 2) - vq->last_avail) : 0;
}

/* The head of the k-th buffer that waits; num: what stands there is no descriptor. */
static u32 vq_head(const struct vnet_vq *vq, u32 k)
{
	u32 head = get_le16(vq->avail + 4 + 2 * ((u16)(vq->last_avail + k) % vq->num));

	return head < vq->num ? head : vq->num;
}

/* Walks a chain. `at`: the descriptor, num at the end. False: it is broken, or longer than can be.
 */
static bool vq_next(const struct vnet_vq *vq, u32 *at, u32 *seen)
{
	const u8 *d = vq->desc + *at * VRING_DESC_SIZE;

	if (!(get_le16(d + 12) & VRING_DESC_F_NEXT)) {
		*at = vq->num;
		return true;
	}
	*at = get_le16(d + 14);
	return *at < vq->num && ++*seen < vq->num;
}

static void vq_write_used(struct vnet_vq *vq, u32 id, u32 len)
{
	u8 *elem = vq->used + 4 + 8 * (vq->used_idx % vq->num);

	put_le32(elem, id);
	put_le32(elem + 4, len);
	vq->used_idx++;
}

/* One more used buffer; told by vq_signal(). */
static void vq_put_used(struct vnet_vq *vq, u32 head, u32 len)
{
	vq_write_used(vq, head, len);
	vq->last_avail++;
}

/* ---- faults: what the used ring says is not so ---- */

int vnet_hw_fault(struct nic_hw *hw, u32 param, u32 pair, u64 value)
{
	if (value > 32768)
		return -EINVAL;
	if (param == NIC_PARAM_USED_BAD_ID)
		hw->lies.used[pair].bad_id = value;
	else if (param == NIC_PARAM_USED_TWICE)
		hw->lies.used[pair].twice = value;
	else
		hw->lies.used[pair].ahead = (u16)value;
	return 0;
}

/* All parts of a virtqueue are mapped for the device to write to: descriptors, available, used. */
int vnet_hw_scribble(struct nic_hw *hw, u32 index, u32 word, u32 value)
{
	const struct vnet_vq *vq = &hw->vnet->vq[index];
	u64 size;

	if (!vq->num)
		return -EINVAL;
	size = (u64)(vq->used - vq->desc) + vring_used_size(vq->num);
	if ((u64)word * 4 + 4 > size)
		return -EINVAL;
	put_le32(vq->desc + (size_t)word * 4, value);
	return 0;
}

/* The index moves over an entry that nobody has written. If it happens to name a buffer that waits,
 * that one holds what memory held: zeros, so that runs are alike. */
static void vq_skip_used(struct nic_hw *hw, struct vnet_vq *vq)
{
	u32 id = get_le32(vq->used + 4 + 8 * (vq->used_idx % vq->num));
	const u8 *d = vq->desc + id % vq->num * VRING_DESC_SIZE;
	u8 *p = NULL;

	if (id < vq->num && get_le16(d + 12) & VRING_DESC_F_WRITE)
		p = dma_access(hw, get_le64(d), get_le32(d + 8));
	if (p)
		memset(p, 0, get_le32(d + 8));
	vq->used_idx++;
}

static void vq_lie(struct nic_hw *hw, struct vnet_vq *vq)
{
	u32 pair = (u32)(vq - hw->vnet->vq) / 2;
	u8 *last = vq->used + 4 + 8 * ((u16)(vq->used_idx - 1) % vq->num);

	if (hw_lies(hw, &hw->lies.used[pair].bad_id))
		put_le32(last, get_le32(last) + vq->num);
	if (hw_lies(hw, &hw->lies.used[pair].twice))
		vq_write_used(vq, get_le32(last), get_le32(last + 4));
	for (; hw->lies.used[pair].ahead; hw->lies.used[pair].ahead--) {
		hw->lies.told = true;
		vq_skip_used(hw, vq);
	}
}

/* What was used is made visible. Does the driver want to be told (2.7.7)? */
static bool vq_signal(struct nic_hw *hw, struct vnet_vq *vq)
{
	u16 old = vq->signalled, event = get_le16(vq->avail + vring_used_event(vq->num));
	bool valid = vq->signalled_valid, wanted;
	struct vnet_hw *v = hw->vnet;

	vq_lie(hw, vq);
	put_le16(vq->used + 2, vq->used_idx);
	if (!v->event_idx) {
		wanted = !(get_le16(vq->avail) & VRING_AVAIL_F_NO_INTERRUPT);
	} else {
		vq->signalled = vq->used_idx;
		vq->signalled_valid = true;
		wanted = !valid || vring_need_event(event, vq->used_idx, old);
	}
	v->suppressed += !wanted;
	return wanted;
}

/* The device looks by itself as long as there is work; with none it wants to be told. */
static void vq_want_notify(const struct vnet_hw *v, struct vnet_vq *vq, bool on)
{
	if (!vq->num)
		return;
	put_le16(vq->used, (u16)(v->event_idx || on ? 0 : VRING_USED_F_NO_NOTIFY));
	if (v->event_idx && on)
		put_le16(vq->used + vring_avail_event(vq->num), vq->last_avail);
}

/* ---- in ---- */

/* How many of the waiting buffers a frame takes with its header; 0: there are not so many. */
static u32 rx_buffers(const struct vnet_vq *vq, u32 len)
{
	u32 waiting = vq_waiting(vq);
	u64 room = 0;

	for (u32 k = 0; k < waiting && k < vq->num; k++) {
		u32 head = vq_head(vq, k);

		if (head < vq->num)
			room += get_le32(vq->desc + head * VRING_DESC_SIZE + 8);
		if (room >= len)
			return k + 1;
	}
	return 0;
}

static void rx_header(const struct vnet_hw *v, u8 *hdr, const struct nic_hw_rx *rx, u32 buffers)
{
	struct nic_hw_parse p;
	u16 report;

	memset(hdr, 0, v->hdr_len);
	hdr[0] = rx->status & RXD_L4CS ? VIRTIO_NET_HDR_F_DATA_VALID : 0;
	put_le16(hdr + VNET_HDR_NUM_BUFFERS, (u16)buffers);
	if (v->hdr_len < VIRTIO_NET_HDR_HASH_LEN || !(rx->status & RXD_HASH) ||
	    !nic_hw_parse(rx->frame, rx->len, &p))
		return;
	report = VIRTIO_NET_HASH_IPV4;
	if (rx->status & RXD_L4HASH)
		report = p.proto == 17 ? VIRTIO_NET_HASH_UDPV4 : VIRTIO_NET_HASH_TCPV4;
	put_le32(hdr + VNET_HDR_HASH, rx->hash);
	put_le16(hdr + VNET_HDR_HASH_REPORT, (u16)(report + (p.v6 ? 3 : 0)));
}

/* Header and frame into the buffers, the first at last_avail (VIRTIO_NET_F_MRG_RXBUF). False: one
 * of them is no memory, or no room for the header. */
static bool rx_copy(struct nic_hw *hw, struct vnet_vq *vq, const struct nic_hw_rx *rx, u32 buffers)
{
	u32 hdr_len = hw->vnet->hdr_len, done = 0, lie = hw_lies(hw, &hw->lies.rx_len) ? 65536 : 0;

	for (u32 k = 0; k < buffers; k++) {
		u32 head = vq_head(vq, 0), skip = k ? 0 : hdr_len, part;
		const u8 *d = vq->desc + head * VRING_DESC_SIZE;
		u32 size = head < vq->num ? get_le32(d + 8) : 0;
		u8 *to = head < vq->num ? dma_access(hw, get_le64(d), size) : NULL;

		if (!to || size < skip || !(get_le16(d + 12) & VRING_DESC_F_WRITE))
			return false;
		if (!k)
			rx_header(hw->vnet, to, rx,
				  hw_lies(hw, &hw->lies.rx_no_eop) ? buffers + vq->num : buffers);
		part = min_u32(size - skip, rx->len - done);
		memcpy(to + skip, rx->frame + done, part);
		done += part;
		vq_put_used(vq, head, skip + part + lie);
		lie = 0;
	}
	return true;
}

enum nic_hw_placed vnet_hw_receive(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx)
{
	/* What is sorted into a pair that is not in use goes, and is told, by the first. */
	u32 pair = queue < hw->vnet_pairs ? queue : 0;
	struct vnet_vq *vq = &hw->vnet->vq[virtio_rxq(pair)];
	u32 buffers = rx_buffers(vq, rx->len + hw->vnet->hdr_len);
	u16 used = vq->used_idx, avail = vq->last_avail;

	vq_want_notify(hw->vnet, vq, !buffers);
	if (!buffers)
		return NIC_HW_MISSED;
	if (!rx_copy(hw, vq, rx, buffers)) {
		/* The driver hears of nothing but the buffer that is none. */
		vq->used_idx = used;
		vq->last_avail = avail;
		vq_put_used(vq, vq_head(vq, 0) % vq->num, 0);
		vq_signal(hw, vq);
		return NIC_HW_BAD;
	}
	if (vq_signal(hw, vq))
		nic_hw_cause(hw, pair, ICR_RX);
	return NIC_HW_PLACED;
}

/* ---- out ---- */

/* Bytes [skip, skip + len) of a chain. */
static bool chain_copy(const struct nic_hw *hw, const struct vnet_vq *vq, u32 at, u32 skip, u32 len,
		       u8 *to)
{
	u32 seen = 0;

	while (len && at < vq->num) {
		const u8 *d = vq->desc + at * VRING_DESC_SIZE, *from;
		u32 size = get_le32(d + 8), part;

		if (skip < size) {
			part = min_u32(size - skip, len);
			from = dma_access(hw, get_le64(d) + skip, part);
			if (!from)
				return false;
			memcpy(to, from, part);
			to += part;
			len -= part;
			skip = size;
		}
		skip -= size;
		if (!vq_next(vq, &at, &seen))
			return false;
	}
	return len == 0;
}

static u64 chain_len(const struct vnet_vq *vq, u32 at)
{
	u64 len = 0;
	u32 seen = 0;

	while (at < vq->num) {
		len += get_le32(vq->desc + at * VRING_DESC_SIZE + 8);
		if (!vq_next(vq, &at, &seen))
			return 0;
	}
	return len;
}

/* What the header asks for, in the words of the ring model. */
static void tx_offloads(const struct nic_hw *hw, const struct vnet_vq *vq, const u8 *hdr,
			struct nic_hw_tx *tx)
{
	u8 type = hdr[1] & 0x7f, eth[2];

	if (hdr[0] & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		tx->data.cmd = TXD_CSUM;
		tx->data.csum_start = get_le16(hdr + VNET_HDR_CSUM_START);
		tx->data.csum_offset = (u8)get_le16(hdr + VNET_HDR_CSUM_OFFSET);
	}
	if (type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	tx->ctx.cmd = type == VIRTIO_NET_HDR_GSO_UDP_L4 ? TXD_TSO | TXD_USO : TXD_TSO;
	tx->ctx.length = get_le16(hdr + VNET_HDR_GSO_SIZE);
	tx->ctx.csum_start = get_le16(hdr + VNET_HDR_HDR_LEN);
	tx->ctx.csum_offset = 14;
	if (chain_copy(hw, vq, tx->next, hw->vnet->hdr_len + 12, 2, eth) && get_be16(eth) == 0x8100)
		tx->ctx.csum_offset = 18;
	/* Nothing but a packet of TCP or UDP over IPv4 can be cut. */
	if ((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_UDP_L4) ||
	    !tx->data.cmd)
		tx->ctx.length = 0;
}

static bool vnet_tx_frame(struct nic_hw *hw, u32 index)
{
	struct vnet_hw *v = hw->vnet;
	struct vnet_vq *vq = &v->vq[virtio_txq(index)];
	bool any = vq_waiting(vq) != 0;
	u8 hdr[VIRTIO_NET_HDR_LEN];
	u64 len;

	vq_want_notify(v, vq, !any);
	if (!any)
		return false;
	hw->tx = (struct nic_hw_tx){ .next = vq_head(vq, 0) };
	len = chain_len(vq, hw->tx.next);
	/* Broken ones have no bytes: tx_build() gives them up. */
	if (len <= v->hdr_len || len > v->hdr_len + 65535u + 18u ||
	    !chain_copy(hw, vq, hw->tx.next, 0, sizeof(hdr), hdr))
		return true;
	hw->tx.bytes = (u32)len - v->hdr_len;
	tx_offloads(hw, vq, hdr, &hw->tx);
	return true;
}

static bool vnet_tx_gather(struct nic_hw *hw, u32 index, u32 skip, u32 len, u8 *to, u32 *csum)
{
	const struct nic_hw_tx *tx = &hw->tx;
	u32 sum = (u32)tx->data.csum_start + tx->data.csum_offset;
	u8 words[2];

	if (!chain_copy(hw, &hw->vnet->vq[virtio_txq(index)], tx->next, hw->vnet->hdr_len + skip,
			len, to))
		return false;
	/* The driver has put the whole packet's length into the sum; segments have their own. */
	if (tx->ctx.cmd && !skip && sum + 2 <= len) {
		put_be16(words, (u16) ~(tx->bytes - tx->data.csum_start));
		store_be16(to + sum, csum_fold_raw(csum_partial(words, 2, load_be16(to + sum))));
	}
	if (csum)
		*csum = csum_partial(to, len, 0);
	return true;
}

static void vnet_tx_complete(struct nic_hw *hw, u32 index)
{
	struct vnet_vq *vq = &hw->vnet->vq[virtio_txq(index)];

	if (!vq->num)
		return;
	vq_put_used(vq, hw->tx.next % vq->num, 0);
	if (vq_signal(hw, vq))
		nic_hw_cause(hw, index, ICR_TX);
}

const struct nic_hw_tx_ops vnet_hw_tx = {
	.frame = vnet_tx_frame,
	.gather = vnet_tx_gather,
	.complete = vnet_tx_complete,
};

/* ---- control ---- */

/* Where the answer goes: the first byte that the driver lets the device write. NULL: nowhere. */
static u8 *ctrl_answer(const struct nic_hw *hw, const struct vnet_vq *vq, u32 at, u32 *out)
{
	u32 seen = 0;

	for (*out = 0; at < vq->num;) {
		const u8 *d = vq->desc + at * VRING_DESC_SIZE;

		if (get_le16(d + 12) & VRING_DESC_F_WRITE)
			return dma_access(hw, get_le64(d), 1);
		*out += min_u32(get_le32(d + 8), VNET_COMMAND_MAX + 1);
		if (!vq_next(vq, &at, &seen))
			return NULL;
	}
	return NULL;
}

/* Commands are few and done at once; the driver waits for the used buffer without an interrupt. */
static void ctrl_run(struct nic_hw *hw)
{
	struct vnet_vq *vq = &hw->vnet->vq[virtio_ctrlq(hw->queues)];
	u8 command[VNET_COMMAND_MAX];

	for (u32 n = vq_waiting(vq); n; n--) {
		u32 head = vq_head(vq, 0), len;
		u8 *answer = ctrl_answer(hw, vq, head, &len);
		bool done = answer && len <= sizeof(command) &&
			    chain_copy(hw, vq, head, 0, len, command) &&
			    vnet_hw_command(hw, command, len);

		if (answer)
			*answer = done ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
		vq_put_used(vq, head % vq->num, answer ? 1 : 0);
	}
	if (!vq->num)
		return;
	put_le16(vq->used + 2, vq->used_idx);
	vq_want_notify(hw->vnet, vq, true);
}

void vnet_hw_notify(struct nic_hw *hw, u32 index)
{
	hw->vnet->notified++;
	if (index & 1)
		nic_hw_tx_run(hw);
	else if (index == virtio_ctrlq(hw->queues))
		ctrl_run(hw);
}
