/* SPDX-License-Identifier: MIT */
/* The inside of the virtio network driver: virtio_net.c (life, transmit, interrupt and poll),
 * virtio_net_rx.c (receive), virtio_net_ctrl.c (control queue). */
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

/* virtio_net.c: tells the device where a queue is. */
void virtnet_tell_queue(struct nic_adapter *a, u32 index, const struct virtqueue *vq);

/* virtio_net_ctrl.c: of nic_model_ops. */
int virtnet_start(struct nic_adapter *a);
void virtnet_stop(struct nic_adapter *a);
void virtnet_set_rx_mode(struct nic_adapter *a);
void virtnet_set_mac(struct nic_adapter *a, const u8 *addr);
void virtnet_set_queues(struct nic_adapter *a);
void virtnet_vlan_vid(struct nic_adapter *a, u16 vid, bool on);
void virtnet_config_changed(struct nic_adapter *a);
/* What the driver would take of what the device has. */
u64 virtnet_features(const struct nic_adapter *a);

#endif
