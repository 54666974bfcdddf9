/* SPDX-License-Identifier: MIT */
/* The inside of the virtio network driver: virtio_net.c (life, transmit, interrupt and poll),
 * virtio_net_rx.c (receive). */
#ifndef TAPLINE_DRIVERS_VIRTIO_NET_H
#define TAPLINE_DRIVERS_VIRTIO_NET_H

#include "drivers/nic_driver.h"
#include "drivers/virtio_ring.h"

/* Of the header in front of every packet. */
static inline u32 virtnet_hdr_len(const struct nic_queue *q)
{
	return q->adapter->max_queues > 1 ? VIRTIO_NET_HDR_HASH_LEN : VIRTIO_NET_HDR_LEN;
}

/* virtqueue_get_buf(), and told when it finds the queue broken. */
void *virtnet_get_buf(struct nic_queue *q, struct virtqueue *vq, u32 *len);

/* virtio_net_rx.c */
void virtnet_refill(struct nic_queue *q);
u64 virtnet_rx_waiting(const struct nic_queue *q);
s32 virtnet_receive(struct nic_queue *q, s32 budget);
void virtnet_free_rx(struct nic_queue *q);

#endif
