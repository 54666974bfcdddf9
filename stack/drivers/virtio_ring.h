/* SPDX-License-Identifier: MIT */
/* The driver's side of a split virtqueue (drivers/virtio/virtio_ring.c): buffers are added,
 * made available with a kick, and come back used. */
#ifndef TAPLINE_DRIVERS_VIRTIO_RING_H
#define TAPLINE_DRIVERS_VIRTIO_RING_H

#include "drivers/virtio.h"

/* What the driver keeps of a descriptor for itself, as the device can write to the table
 * (vring_desc_state_split, vring_desc_extra). */
struct vring_desc_state {
	void *data; /* of the buffer whose chain begins here; NULL: none does */
	u64 addr;
	u32 len;
	u16 next; /* in the chain, or in the list of free ones */
	bool more; /* the chain goes on there */
};

struct virtqueue {
	struct world *world;
	u8 *desc, *avail, *used;
	struct vring_desc_state *state;
	u32 num, num_free;
	u16 free_head, avail_idx, last_used, kicked;
	bool event_idx;
	bool broken; /* the device used what it was not given: nothing is added or taken any more */
	u32 bad_id; /* what it named then */
};

/* One piece of a buffer. */
struct virtio_sg {
	const u8 *p;
	u32 len;
};

/* NULL: no memory. */
struct virtqueue *vring_new_virtqueue(struct world *w, u32 num, bool event_idx);
/* All buffers must have been taken off. */
void vring_del_virtqueue(struct virtqueue *vq);
/* n pieces, of which the device reads the first `out` and writes the others; `data` is what
 * get_buf() gives back. There must be n free descriptors. False: it is broken. */
bool virtqueue_add(struct virtqueue *vq, const struct virtio_sg *sg, u32 n, u32 out, void *data);
/* Added buffers are the device's from now on. True: it wants to be notified. */
bool virtqueue_kick_prepare(struct virtqueue *vq);
bool virtqueue_more_used(const struct virtqueue *vq);
/* Bytes written of the k-th used buffer that has not been taken, as the device says. */
u32 virtqueue_used_len(const struct virtqueue *vq, u32 k);
/* How many there are; more than the queue holds only when the device lies. */
u32 virtqueue_used(const struct virtqueue *vq);
/* The data of the k-th of them; NULL: what it names is no buffer. */
void *virtqueue_peek(const struct virtqueue *vq, u32 k);
/* The next used one; NULL: none, or what it names is no buffer: the queue is broken now. */
void *virtqueue_get_buf(struct virtqueue *vq, u32 *len);
void virtqueue_disable_cb(struct virtqueue *vq);
/* False: there are used buffers that were not told: look again. */
bool virtqueue_enable_cb(struct virtqueue *vq);
/* A buffer that the device did not use (and will not: it was reset); NULL: none is left. */
void *virtqueue_detach_unused_buf(struct virtqueue *vq);
/* Is [addr, addr + len) of the bus part of a buffer that the device has? */
bool virtqueue_mapped(const struct virtqueue *vq, u64 addr, u64 len);

#endif
