/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of a split virtqueue (virtio_ring.h).
 *
 * Invariants: free descriptors are chained from free_head, num_free of them; state[head].data is
 * set exactly while the chain that begins there is with the device or used and not yet taken. Of
 * what the device can write to nothing is read but the used ring and the notification's wishes, and
 * no number there is followed unchecked.
 */
#include "drivers/virtio_ring.h"

#include "kernel/mem.h"
#include "kernel/world.h"
#include "stack/assert.h"

/* Descriptor i as the device sees it, and the driver's own note of it. */
static void desc_set(struct virtqueue *vq, u32 i, u64 addr, u32 len, u32 flags)
{
	struct vring_desc_state *s = &vq->state[i];
	u8 *d = vq->desc + i * VRING_DESC_SIZE;

	s->addr = addr;
	s->len = len;
	s->more = flags & VRING_DESC_F_NEXT;
	put_le64(d, addr);
	put_le32(d + 8, len);
	put_le16(d + 12, (u16)flags);
	put_le16(d + 14, s->next);
}

static u32 area_size(u32 num)
{
	return num * VRING_DESC_SIZE + ((vring_avail_size(num) + 7) & ~7u) + vring_used_size(num);
}

struct virtqueue *vring_new_virtqueue(struct world *w, u32 num, bool event_idx)
{
	struct virtqueue *vq = mem_alloc_n(w, MEM_NIC_BUF_INFO, 1, sizeof(*vq));
	u8 *area = mem_alloc_n(w, MEM_NIC_DMA, area_size(num), 1);
	struct vring_desc_state *state = mem_alloc_n(w, MEM_NIC_BUF_INFO, num, sizeof(*state));

	if (!vq || !area || !state) {
		if (vq)
			mem_free_n(w, MEM_NIC_BUF_INFO, vq, 1, sizeof(*vq));
		if (area)
			mem_free_n(w, MEM_NIC_DMA, area, area_size(num), 1);
		if (state)
			mem_free_n(w, MEM_NIC_BUF_INFO, state, num, sizeof(*state));
		return NULL;
	}
	memset(area, 0, area_size(num));
	*vq = (struct virtqueue){
		.world = w,
		.desc = area,
		.avail = area + num * VRING_DESC_SIZE,
		.state = state,
		.num = num,
		.num_free = num,
		.event_idx = event_idx,
	};
	vq->used = vq->avail + ((vring_avail_size(num) + 7) & ~7u);
	for (u32 i = 0; i < num; i++)
		state[i] = (struct vring_desc_state){ .next = (u16)(i + 1) };
	return vq;
}

void vring_del_virtqueue(struct virtqueue *vq)
{
	struct world *w = vq->world;

	ASSERT(vq->num_free == vq->num);
	mem_free_n(w, MEM_NIC_DMA, vq->desc, area_size(vq->num), 1);
	mem_free_n(w, MEM_NIC_BUF_INFO, vq->state, vq->num, sizeof(*vq->state));
	mem_free_n(w, MEM_NIC_BUF_INFO, vq, 1, sizeof(*vq));
}

bool virtqueue_add(struct virtqueue *vq, const struct virtio_sg *sg, u32 n, u32 out, void *data)
{
	u16 head = vq->free_head, i = head;

	ASSERT(n && n <= vq->num_free && data);
	if (vq->broken)
		return false;
	for (u32 k = 0; k < n; k++) {
		desc_set(vq, i, dma_map(vq->world, sg[k].p), sg[k].len,
			 (k >= out ? VRING_DESC_F_WRITE : 0) | (k + 1 < n ? VRING_DESC_F_NEXT : 0));
		i = vq->state[i].next;
	}
	vq->free_head = i;
	vq->num_free -= n;
	vq->state[head].data = data;
	put_le16(vq->avail + 4 + 2 * (vq->avail_idx % vq->num), head);
	vq->avail_idx++;
	return true;
}

bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	u16 old = vq->kicked;

	if (vq->broken)
		return false;
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
	return virtqueue_used(vq) != 0 && !vq->broken;
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
	u32 head = get_le32(used_elem(vq, k));

	return head < vq->num ? vq->state[head].data : NULL;
}

/* Its descriptors are free again (detach_buf_split). */
static void *detach_buf(struct virtqueue *vq, u32 head)
{
	struct vring_desc_state *s = &vq->state[head];
	void *data = s->data;

	s->data = NULL;
	for (vq->num_free++; s->more; vq->num_free++) {
		s->more = false;
		s = &vq->state[s->next];
	}
	s->next = vq->free_head;
	vq->free_head = (u16)head;
	return data;
}

void *virtqueue_get_buf(struct virtqueue *vq, u32 *len)
{
	void *data;

	if (!virtqueue_more_used(vq))
		return NULL;
	*len = virtqueue_used_len(vq, 0);
	data = virtqueue_peek(vq, 0);
	if (!data) {
		/* "id %u out of range", "id %u is not a head!" (BAD_RING) */
		vq->broken = true;
		vq->bad_id = get_le32(used_elem(vq, 0));
		return NULL;
	}
	detach_buf(vq, get_le32(used_elem(vq, 0)));
	vq->last_used++;
	return data;
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
		if (vq->state[i].data)
			return detach_buf(vq, i);
	return NULL;
}

/* In one piece of the chain that begins at `head`? */
static bool chain_mapped(const struct virtqueue *vq, u32 head, u64 addr, u64 len)
{
	const struct vring_desc_state *s = &vq->state[head];

	for (;; s = &vq->state[s->next]) {
		if (dma_within(addr, len, s->addr, s->len))
			return true;
		if (!s->more)
			return false;
	}
}

bool virtqueue_mapped(const struct virtqueue *vq, u64 addr, u64 len)
{
	for (u32 i = 0; i < vq->num; i++)
		if (vq->state[i].data && chain_mapped(vq, i, addr, len))
			return true;
	return false;
}
