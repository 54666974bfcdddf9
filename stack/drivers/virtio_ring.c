/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of a split virtqueue (virtio_ring.h).
 *
 * Invariants: free descriptors are chained from free_head, num_free of them; data[head] is set
 * exactly while the chain that begins there is with the device or used and not yet taken.
 */
#include "drivers/virtio_ring.h"

#include "kernel/mem.h"
#include "kernel/world.h"
#include "stack/assert.h"

static void desc_set(struct virtqueue *vq, u32 i, u64 addr, u32 len, u32 flags)
{
	u8 *d = vq->desc + i * VRING_DESC_SIZE;

	put_le64(d, addr);
	put_le32(d + 8, len);
	put_le16(d + 12, (u16)flags);
}

static u16 desc_next(const struct virtqueue *vq, u32 i)
{
	return get_le16(vq->desc + i * VRING_DESC_SIZE + 14);
}

static u32 area_size(u32 num)
{
	return num * VRING_DESC_SIZE + ((vring_avail_size(num) + 7) & ~7u) + vring_used_size(num);
}

struct virtqueue *vring_new_virtqueue(struct world *w, u32 num, bool event_idx)
{
	struct virtqueue *vq = mem_alloc_n(w, MEM_NIC_BUF_INFO, 1, sizeof(*vq));
	u8 *area = mem_alloc_n(w, MEM_NIC_DMA, area_size(num), 1);
	void **data = mem_alloc_n(w, MEM_NIC_BUF_INFO, num, sizeof(*data));

	if (!vq || !area || !data) {
		if (vq)
			mem_free_n(w, MEM_NIC_BUF_INFO, vq, 1, sizeof(*vq));
		if (area)
			mem_free_n(w, MEM_NIC_DMA, area, area_size(num), 1);
		if (data)
			mem_free_n(w, MEM_NIC_BUF_INFO, data, num, sizeof(*data));
		return NULL;
	}
	memset(area, 0, area_size(num));
	*vq = (struct virtqueue){
		.world = w,
		.desc = area,
		.avail = area + num * VRING_DESC_SIZE,
		.data = data,
		.num = num,
		.num_free = num,
		.event_idx = event_idx,
	};
	vq->used = vq->avail + ((vring_avail_size(num) + 7) & ~7u);
	for (u32 i = 0; i < num; i++) {
		put_le16(vq->desc + i * VRING_DESC_SIZE + 14, (u16)(i + 1));
		data[i] = NULL;
	}
	return vq;
}

void vring_del_virtqueue(struct virtqueue *vq)
{
	struct world *w = vq->world;

	ASSERT(vq->num_free == vq->num);
	mem_free_n(w, MEM_NIC_DMA, vq->desc, area_size(vq->num), 1);
	mem_free_n(w, MEM_NIC_BUF_INFO, vq->data, vq->num, sizeof(*vq->data));
	mem_free_n(w, MEM_NIC_BUF_INFO, vq, 1, sizeof(*vq));
}

void virtqueue_add(struct virtqueue *vq, const struct virtio_sg *sg, u32 n, bool in, void *data)
{
	u16 head = vq->free_head, i = head;

	ASSERT(n && n <= vq->num_free && data);
	for (u32 k = 0; k < n; k++) {
		desc_set(vq, i, dma_map(vq->world, sg[k].p), sg[k].len,
			 (in ? VRING_DESC_F_WRITE : 0) | (k + 1 < n ? VRING_DESC_F_NEXT : 0));
		i = desc_next(vq, i);
	}
	vq->free_head = i;
	vq->num_free -= n;
	vq->data[head] = data;
	put_le16(vq->avail + 4 + 2 * (vq->avail_idx % vq->num), head);
	vq->avail_idx++;
}

bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	u16 old = vq->kicked;

	put_le16(vq->avail + 2, vq->avail_idx);
	vq->kicked = vq->avail_idx;
	if (!vq->event_idx)
		return !(get_le16(vq->used) & VRING_USED_F_NO_NOTIFY);
	return vring_need_event(get_le16(vq->used + vring_avail_event(vq->num)), vq->avail_idx,
				old);
}

u32 virtqueue_used(const struct virtqueue *vq)
{
	return (u16)(get_le16(vq->used + 2) - vq->last_used);
}

bool virtqueue_more_used(const struct virtqueue *vq)
{
	return virtqueue_used(vq) != 0;
}

static const u8 *used_elem(const struct virtqueue *vq, u32 k)
{
	return vq->used + 4 + 8 * ((u16)(vq->last_used + k) % vq->num);
}

u32 virtqueue_used_len(const struct virtqueue *vq, u32 k)
{
	return get_le32(used_elem(vq, k) + 4);
}

void *virtqueue_peek(const struct virtqueue *vq, u32 k)
{
	return vq->data[get_le32(used_elem(vq, k))];
}

/* Its descriptors are free again (detach_buf_split). */
static void *detach_buf(struct virtqueue *vq, u32 head)
{
	void *data = vq->data[head];
	u32 i = head, n = 1;

	while (get_le16(vq->desc + i * VRING_DESC_SIZE + 12) & VRING_DESC_F_NEXT) {
		i = desc_next(vq, i);
		n++;
	}
	put_le16(vq->desc + i * VRING_DESC_SIZE + 14, vq->free_head);
	vq->free_head = (u16)head;
	vq->num_free += n;
	vq->data[head] = NULL;
	return data;
}

void *virtqueue_get_buf(struct virtqueue *vq, u32 *len)
{
	u32 head;

	if (!virtqueue_more_used(vq))
		return NULL;
	head = get_le32(used_elem(vq, 0));
	*len = virtqueue_used_len(vq, 0);
	ASSERT(head < vq->num && vq->data[head]);
	vq->last_used++;
	return detach_buf(vq, head);
}

void virtqueue_disable_cb(struct virtqueue *vq)
{
	/* By index no message comes before it is asked for again. */
	if (!vq->event_idx)
		put_le16(vq->avail, VRING_AVAIL_F_NO_INTERRUPT);
}

bool virtqueue_enable_cb(struct virtqueue *vq)
{
	put_le16(vq->avail, 0);
	put_le16(vq->avail + vring_used_event(vq->num), vq->last_used);
	return !virtqueue_more_used(vq);
}

void *virtqueue_detach_unused_buf(struct virtqueue *vq)
{
	for (u32 i = 0; i < vq->num; i++)
		if (vq->data[i])
			return detach_buf(vq, i);
	return NULL;
}
