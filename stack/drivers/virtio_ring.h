/* SPDX-License-Identifier: MIT */
/* The driver's side of a split virtqueue (drivers/virtio/virtio_ring.c): buffers are added,
 * made available with a kick, and come back used. */
#ifndef TAPLINE_DRIVERS_VIRTIO_RING_H
#define TAPLINE_DRIVERS_VIRTIO_RING_H

#include "drivers/virtio.h"

struct virtqueue {
	struct world *world;
	u8 *desc, *avail, *used;
	void **data; /* of the buffer whose chain begins at this descriptor; NULL: none does */
	u32 num, num_free;
	u16 free_head, avail_idx, last_used, kicked;
	bool event_idx;
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
/* `data` is what get_buf() gives back. There must be n free descriptors. */
void virtqueue_add(struct virtqueue *vq, const struct virtio_sg *sg, u32 n, bool in, void *data);
/* Added buffers are the device's from now on. True: it wants to be notified. */
bool virtqueue_kick_prepare(struct virtqueue *vq);
bool virtqueue_more_used(const struct virtqueue *vq);
/* Bytes written of the k-th used buffer that has not been taken; there are more than k. */
u32 virtqueue_used_len(const struct virtqueue *vq, u32 k);
u32 virtqueue_used(const struct virtqueue *vq);
/* The data of the k-th of them. */
void *virtqueue_peek(const struct virtqueue *vq, u32 k);
/* The next used one; NULL: none. */
void *virtqueue_get_buf(struct virtqueue *vq, u32 *len);
void virtqueue_disable_cb(struct virtqueue *vq);
/* False: there are used buffers that were not told: look again. */
bool virtqueue_enable_cb(struct virtqueue *vq);
/* A buffer that the device did not use (and will not: it was reset); NULL: none is left. */
void *virtqueue_detach_unused_buf(struct virtqueue *vq);

#endif
