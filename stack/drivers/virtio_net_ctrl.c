/* SPDX-License-Identifier: MIT */
/*
 * The virtio network driver's control queue (Virtual I/O Device Version 1.2, 5.1.6.5): what is
 * negotiated, commands to the device, and what the device asks for: an announcement after it was
 * moved to another place in the network (5.1.6.5.4).
 *
 * Invariant: one command is under way, and only inside of virtnet_send_command(): the device
 * answers at once. A device that does not, or whose answer is no buffer of ours, has refused.
 */
#include "core/dev_core.h"
#include "core/vlan.h"
#include "drivers/virtio_net.h"
#include "ethernet/eth.h"

#define CTRL_RING 8u
/* Class and command, two tables of addresses, the answer. */
#define CTRL_HDR  2u
#define CTRL_DATA (8u + ETH_ALEN * VNET_MAC_TABLE)
#define CTRL_SIZE (CTRL_HDR + CTRL_DATA + 1)

u64 virtnet_features(const struct nic_adapter *a)
{
	u64 want = VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |
		   VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_MQ |
		   VIRTIO_NET_F_HASH_REPORT;

	if (!a->no_event_idx)
		want |= VIRTIO_F_EVENT_IDX;
	/* Negotiated, it drops the frames of all VLANs that were not added. */
	if (a->dev->features & NETIF_F_HW_VLAN_CTAG_FILTER)
		want |= VIRTIO_NET_F_CTRL_VLAN;
	return want & vnet_hw_offered(a->hw);
}

int virtnet_start(struct nic_adapter *a)
{
	a->virtio_features = virtnet_features(a);
	vnet_hw_features(a->hw, a->virtio_features);
	if (!(a->virtio_features & VIRTIO_NET_F_CTRL_VQ))
		return 0;
	a->cvq = vring_new_virtqueue(a->world, CTRL_RING, a->virtio_features & VIRTIO_F_EVENT_IDX);
	a->ctrl = mem_alloc_n(a->world, MEM_NIC_DMA, CTRL_SIZE, 1);
	if (!a->cvq || !a->ctrl)
		return -ENOMEM;
	virtnet_tell_queue(a, virtio_ctrlq(a->max_queues), a->cvq);
	return 0;
}

void virtnet_stop(struct nic_adapter *a)
{
	del_timer(&a->config_work);
	if (a->cvq) {
		while (virtqueue_detach_unused_buf(a->cvq))
			;
		vring_del_virtqueue(a->cvq);
	}
	if (a->ctrl)
		mem_free_n(a->world, MEM_NIC_DMA, a->ctrl, CTRL_SIZE, 1);
	a->cvq = NULL;
	a->ctrl = NULL;
}

static u8 *ctrl_data(struct nic_adapter *a)
{
	return a->ctrl + CTRL_HDR;
}

/* With `len` bytes at ctrl_data(). False: refused, or there is no such queue. */
static bool virtnet_send_command(struct nic_adapter *a, u8 class, u8 command, u32 len)
{
	struct virtio_sg sg[3] = { { a->ctrl, CTRL_HDR },
				   { a->ctrl + CTRL_HDR, len },
				   { a->ctrl + CTRL_HDR + CTRL_DATA, 1 } };
	u32 n = 3, used;

	if (!a->cvq)
		return false;
	a->ctrl[0] = class;
	a->ctrl[1] = command;
	a->ctrl[CTRL_HDR + CTRL_DATA] = VIRTIO_NET_ERR;
	if (!len) {
		sg[1] = sg[2];
		n = 2;
	}
	a->ctrl_commands++;
	if (a->cvq->num_free < n || !virtqueue_add(a->cvq, sg, n, n - 1, a->ctrl))
		return false;
	if (virtqueue_kick_prepare(a->cvq))
		vnet_hw_notify(a->hw, virtio_ctrlq(a->max_queues));
	if (!virtqueue_get_buf(a->cvq, &used))
		return false;
	return a->ctrl[CTRL_HDR + CTRL_DATA] == VIRTIO_NET_OK;
}

static void send_or_count(struct nic_adapter *a, u8 class, u8 command, u32 len)
{
	if (!virtnet_send_command(a, class, command, len))
		a->ctrl_failed++;
}

struct mac_walk {
	u8 *at;
	u32 n;
};

static void mac_add(void *ctx, const u8 *addr)
{
	struct mac_walk *w = ctx;

	if (w->n++ < VNET_MAC_TABLE)
		memcpy(w->at + (w->n - 1) * ETH_ALEN, addr, ETH_ALEN);
}

/* virtnet_set_rx_mode(): more groups than the table takes are all of them. */
void virtnet_set_rx_mode(struct nic_adapter *a)
{
	const struct net_device *dev = a->dev;
	struct mac_walk w = { .n = 0 };

	if (!a->cvq || !(a->virtio_features & VIRTIO_NET_F_CTRL_RX))
		return;
	w.at = ctrl_data(a) + 8;
	dev_mc_walk(dev, mac_add, &w);
	put_le32(ctrl_data(a), 0);
	put_le32(ctrl_data(a) + 4, w.n <= VNET_MAC_TABLE ? w.n : 0);
	send_or_count(a, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
		      8 + ETH_ALEN * (w.n <= VNET_MAC_TABLE ? w.n : 0));
	*ctrl_data(a) = (dev->flags & IFF_PROMISC) != 0;
	send_or_count(a, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1);
	*ctrl_data(a) = (dev->flags & (IFF_ALLMULTI | IFF_PROMISC)) || w.n > VNET_MAC_TABLE;
	send_or_count(a, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1);
}

/* virtnet_set_mac_address(): a device of version 1 has no other way to hear of it. */
void virtnet_set_mac(struct nic_adapter *a, const u8 *addr)
{
	if (!a->cvq || !(a->virtio_features & VIRTIO_NET_F_CTRL_MAC_ADDR))
		return;
	memcpy(ctrl_data(a), addr, ETH_ALEN);
	send_or_count(a, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, ETH_ALEN);
}

void virtnet_vlan_vid(struct nic_adapter *a, u16 vid, bool on)
{
	if (!a->cvq || !(a->virtio_features & VIRTIO_NET_F_CTRL_VLAN))
		return;
	put_le16(ctrl_data(a), vid);
	send_or_count(a, VIRTIO_NET_CTRL_VLAN,
		      on ? VIRTIO_NET_CTRL_VLAN_ADD : VIRTIO_NET_CTRL_VLAN_DEL, 2);
}

/* _virtnet_set_queues() */
void virtnet_set_queues(struct nic_adapter *a)
{
	if (!a->cvq || !(a->virtio_features & VIRTIO_NET_F_MQ))
		return;
	put_le16(ctrl_data(a), (u16)a->queues);
	send_or_count(a, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2);
}

/* virtnet_config_changed_work() */
static void config_changed_work(struct timer *t)
{
	struct nic_adapter *a = container_of(t, struct nic_adapter, config_work);

	if (!a->up || !(vnet_hw_status(a->hw) & VIRTIO_NET_S_ANNOUNCE))
		return;
	call_netdevice_notifiers(a->dev, NETDEV_NOTIFY_PEERS);
	send_or_count(a, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, 0);
}

void virtnet_init(struct nic_adapter *a, struct host *h)
{
	timer_setup(&a->config_work, host_cpu(h, 0), config_changed_work);
}

/* In the interrupt: the rest is work for later. */
void virtnet_config_changed(struct nic_adapter *a)
{
	if (vnet_hw_status(a->hw) & VIRTIO_NET_S_ANNOUNCE)
		mod_timer(&a->config_work, jiffies(dev_host(a->dev)));
}
