/* SPDX-License-Identifier: MIT */
/*
 * The driver of the ring NIC: probe, open and stop, the interrupt handler, NAPI poll, settings and
 * the reset after a transmit timeout. In the packet's way it stands between the device's interrupt
 * and napi_gro_receive(), and between ndo_start_xmit and the doorbell.
 *
 * Interrupts: the handler masks its vector and schedules NAPI; poll acknowledges the causes before
 * it looks at the rings and unmasks when it is through, so that what comes after the look
 * interrupts again: none is lost, none comes for work that is done.
 */
#include "core/sch_generic.h"
#include "drivers/nic.h"
#include "drivers/nic_driver.h"
#include "drivers/virtio.h"
#include "ethernet/eth.h"
#include "lib/str.h"

#define QUEUE_CAUSES (ICR_RX | ICR_TX)

static void nic_check_link(struct nic_adapter *a)
{
	if (nic_hw_read(a->hw, NIC_STATUS, 0) & STATUS_LU)
		netif_carrier_on(a->dev);
	else
		netif_carrier_off(a->dev);
}

bool nic_irq_link(struct nic_queue *q)
{
	struct nic_hw *hw = q->adapter->hw;

	if (!(nic_hw_read(hw, NIC_ICR, q->index) & nic_hw_read(hw, NIC_IMS, q->index) & ICR_LSC))
		return false;
	nic_hw_write(hw, NIC_ICR, q->index, ICR_LSC);
	nic_check_link(q->adapter);
	if (q->model->config_changed)
		q->model->config_changed(q->adapter);
	return true;
}

static void nic_irq(void *dev_id)
{
	struct nic_queue *q = dev_id;
	struct nic_hw *hw = q->adapter->hw;
	u32 cause = nic_hw_read(hw, NIC_ICR, q->index) & nic_hw_read(hw, NIC_IMS, q->index);

	q->irqs++;
	nic_irq_link(q);
	if (cause & ICR_TS) {
		nic_hw_write(hw, NIC_ICR, q->index, ICR_TS);
		nic_tstamp_irq(q->adapter);
	}
	if (cause & QUEUE_CAUSES) {
		nic_hw_write(hw, NIC_IMC, q->index, QUEUE_CAUSES);
		if (napi_schedule_prep(&q->napi))
			__napi_schedule(&q->napi, q->irq->cpu);
	}
	if (!cause)
		q->irqs_spurious++;
}

static s32 nic_poll(struct napi_struct *napi, s32 budget)
{
	struct nic_queue *q = container_of(napi, struct nic_queue, napi);
	struct nic_hw *hw = q->adapter->hw;
	s32 work;

	q->polls++;
	nic_hw_write(hw, NIC_ICR, q->index, ICR_RX);
	work = nic_clean_rx(q, budget);
	/* After the receive half, whose answers may have been sent by now. */
	nic_hw_write(hw, NIC_ICR, q->index, ICR_TX);
	nic_clean_tx(q);
	if (work >= budget)
		return budget;
	if (q->adapter->adaptive_rx)
		nic_adapt_itr(q);
	if (napi_complete_done(napi, work))
		nic_hw_write(hw, NIC_IMS, q->index, QUEUE_CAUSES);
	return work;
}

static void nic_write_base(struct nic_adapter *a, enum nic_reg low, u32 index, u64 base)
{
	nic_hw_write(a->hw, low, index, (u32)base);
	nic_hw_write(a->hw, (enum nic_reg)(low + 1), index, (u32)(base >> 32));
}

/* ---- the ring model ---- */

static void ring_configure(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;
	u32 i = q->index;

	nic_write_base(a, NIC_RDBAL, i, dma_map(a->world, q->rx.rx));
	nic_hw_write(a->hw, NIC_RDLEN, i, q->rx.count);
	nic_hw_write(a->hw, NIC_SRRCTL, i, NIC_RX_BUFFER);
	nic_write_base(a, NIC_TDBAL, i, dma_map(a->world, q->tx.tx));
	nic_hw_write(a->hw, NIC_TDLEN, i, q->tx.count);
	nic_rx_refill(q);
}

static int ring_alloc(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;

	return nic_rx_ring_alloc(q, a->rx_count) || nic_tx_ring_alloc(q, a->tx_count) ? -ENOMEM : 0;
}

static void ring_free(struct nic_queue *q)
{
	nic_rx_ring_free(q);
	nic_tx_ring_free(q);
}

static u64 ring_rx_waiting(const struct nic_queue *q)
{
	const struct nic_ring *r = &q->rx;
	u64 n = 0;

	for (u32 i = 0; r->rx && i < r->count; i++)
		if ((r->rx[i].status & (RXD_DD | RXD_EOP)) == (RXD_DD | RXD_EOP))
			n += nic_rx_frames(&r->rx[i]);
	return n;
}

static u64 ring_tx_waiting(const struct nic_queue *q)
{
	const struct nic_ring *r = &q->tx;
	u64 n = 0;

	for (u32 i = 0; r->tx && i < r->count; i++)
		n += r->tx_buffer[i].skb != NULL;
	return n;
}

static bool ring_mapped(const struct nic_queue *q, u64 addr, u64 len)
{
	return nic_rx_mapped(q, addr, len) || nic_tx_mapped(q, addr, len);
}

static void nic_mta_add(void *ctx, const u8 *addr)
{
	u64 *mta = ctx;

	*mta |= 1ull << nic_mta_bit(addr);
}

static void ring_set_rx_mode(struct nic_adapter *a)
{
	const struct net_device *dev = a->dev;
	u32 rctl = nic_hw_read(a->hw, NIC_RCTL, 0) & ~(RCTL_UPE | RCTL_MPE);
	u64 mta = 0;

	if (dev->flags & IFF_PROMISC)
		rctl |= RCTL_UPE | RCTL_MPE;
	if (dev->flags & IFF_ALLMULTI)
		rctl |= RCTL_MPE;
	dev_mc_walk(dev, nic_mta_add, &mta);
	nic_hw_write(a->hw, NIC_MTA, 0, (u32)mta);
	nic_hw_write(a->hw, NIC_MTA, 1, (u32)(mta >> 32));
	nic_hw_write(a->hw, NIC_RCTL, 0, rctl);
}

static void ring_set_mac(struct nic_adapter *a, const u8 *addr)
{
	nic_hw_write(a->hw, NIC_RAL, 0, get_le32(addr));
	nic_hw_write(a->hw, NIC_RAH, 0, get_le16(addr + 4));
}

const struct nic_model_ops nic_ring_model = {
	.alloc = ring_alloc,
	.free = ring_free,
	.configure = ring_configure,
	.refill = nic_rx_refill,
	.rx_waiting = ring_rx_waiting,
	.tx_waiting = ring_tx_waiting,
	.mapped = ring_mapped,
	.set_rx_mode = ring_set_rx_mode,
	.set_mac = ring_set_mac,
	.vlan_vid = ring_vlan_vid,
	.irq = nic_irq,
	.poll = nic_poll,
	.vector = "-TxRx-", /* as igb names its vectors */
};

/* ---- life ---- */

static void nic_set_rx_mode(struct net_device *dev)
{
	struct nic_adapter *a = dev->priv;

	a->q[0].model->set_rx_mode(a);
}

/* Tells the device everything: after probe, open and reset. */
static void nic_configure(struct nic_adapter *a)
{
	struct net_device *dev = a->dev;
	struct nic_hw *hw = a->hw;

	/* It may have moved to a namespace where its number was another's. */
	nic_hw_identity(hw, dev_host(dev), dev->ifindex);
	a->q[0].model->set_mac(a, dev->dev_addr);
	nic_hw_write(hw, NIC_RLPML, 0, dev->mtu + ETH_HLEN + NIC_VLAN_HLEN);
	nic_hw_write(hw, NIC_RXCSUM, 0, (dev->features & NETIF_F_RXCSUM) != 0);
	for (u32 i = 0; i < a->queues; i++) {
		struct nic_queue *q = &a->q[i];

		q->model->configure(q);
		nic_write_eitr(q);
	}
	if (a->q[0].model->set_queues)
		a->q[0].model->set_queues(a);
	nic_rss_configure(a);
	nic_configure_extra(a);
	nic_hw_write(hw, NIC_VLANFC, 0, (dev->features & NETIF_F_HW_VLAN_CTAG_FILTER) != 0);
	nic_vlan_configure(a);
	nic_hw_write(hw, NIC_TCTL, 0, TCTL_EN | TCTL_PSP);
	nic_hw_write(hw, NIC_RCTL, 0, RCTL_EN);
	nic_set_rx_mode(dev);
}

static void nic_free_queue(struct nic_queue *q)
{
	del_timer(&q->refill);
	q->model->free(q);
	if (q->irq) {
		nic_hw_msix(q->adapter->hw, q->index, NULL);
		free_irq(q->irq);
		q->irq = NULL;
	}
}

/* "eth0-TxRx-3" */
static void nic_irq_name(const struct nic_queue *q, char name[32])
{
	size_t n;

	str_copy(name, q->adapter->dev->name, IFNAME_LEN);
	n = str_len(name);
	str_copy(name + n, q->model->vector, 32 - n);
	n = str_len(name);
	if (q->index >= 10)
		name[n++] = (char)('0' + q->index / 10);
	name[n++] = (char)('0' + q->index % 10);
	name[n] = 0;
}

static int nic_alloc_queue(struct nic_queue *q)
{
	struct nic_adapter *a = q->adapter;
	char name[32];

	if (q->model->alloc(q))
		return -ENOMEM;
	nic_irq_name(q, name);
	q->irq = request_irq(dev_host(a->dev), q->irq_cpu, q->model->irq, q, name);
	if (!q->irq)
		return -ENOMEM;
	nic_hw_msix(a->hw, q->index, q->irq);
	return 0;
}

static void nic_stop_model(struct nic_adapter *a)
{
	if (a->q[0].model->stop)
		a->q[0].model->stop(a);
}

static int nic_start_model(struct nic_adapter *a)
{
	int err = a->q[0].model->start ? a->q[0].model->start(a) : 0;

	if (err)
		nic_stop_model(a);
	return err;
}

/* Rings, interrupts, device: all or nothing. */
int nic_up(struct nic_adapter *a)
{
	if (nic_start_model(a))
		return -ENOMEM;
	for (u32 i = 0; i < a->queues; i++) {
		if (nic_alloc_queue(&a->q[i]) == 0)
			continue;
		for (u32 k = 0; k <= i; k++)
			nic_free_queue(&a->q[k]);
		nic_stop_model(a);
		return -ENOMEM;
	}
	a->up = true;
	for (u32 i = 0; i < a->queues; i++) {
		a->dev->tx[i].stopped = false;
		netdev_tx_reset_queue(&a->dev->tx[i]);
		napi_enable(&a->q[i].napi);
	}
	nic_configure(a);
	for (u32 i = 0; i < a->queues; i++) {
		/* What came before is seen below. */
		nic_hw_write(a->hw, NIC_ICR, i, UINT32_MAX);
		nic_hw_write(a->hw, NIC_IMS, i, QUEUE_CAUSES | (i == 0 ? ICR_LSC | ICR_TS : 0));
	}
	nic_check_link(a);
	return 0;
}

void nic_down(struct nic_adapter *a)
{
	bool lied = nic_hw_lied(a->hw);

	if (!a->up)
		return;
	a->up = false;
	nic_tstamp_stop(a);
	nic_hw_write(a->hw, NIC_CTRL, 0, CTRL_RST);
	for (u32 i = 0; i < a->queues; i++) {
		napi_disable(&a->q[i].napi);
		nic_free_queue(&a->q[i]);
	}
	nic_stop_model(a);
	if (lied)
		nic_settle(a);
}

static int nic_open(struct net_device *dev)
{
	return nic_up(dev->priv);
}

static int nic_stop(struct net_device *dev)
{
	nic_down(dev->priv);
	return 0;
}

static int nic_change_mtu(struct net_device *dev, u32 mtu)
{
	struct nic_adapter *a = dev->priv;

	nic_hw_write(a->hw, NIC_RLPML, 0, mtu + ETH_HLEN + NIC_VLAN_HLEN);
	return 0;
}

static int nic_set_mac_address(struct net_device *dev, const u8 *addr)
{
	struct nic_adapter *a = dev->priv;

	a->q[0].model->set_mac(a, addr);
	return 0;
}

void nic_wake_queues(struct nic_adapter *a)
{
	for (u32 i = 0; i < a->queues; i++) {
		/* nic_up() has cleared `stopped`: the qdisc runs again. */
		a->dev->tx[i].stopped = true;
		netif_tx_wake_queue(&a->dev->tx[i]);
	}
}

/* The watchdog found the queue stopped for 5 s: everything from the start. What was in the rings is
 * dropped. Fails like an open: then the device stays silent until it is taken down and up. */
static void nic_tx_timeout(struct net_device *dev, u32 queue)
{
	struct nic_adapter *a = dev->priv;

	dev->stats.tx_errors++;
	a->q[queue].tx_timeouts++;
	nic_down(a);
	if (nic_up(a))
		return;
	nic_wake_queues(a);
}

static int nic_attach(struct net_device *dev, struct wire *wire, u32 end)
{
	struct nic_adapter *a = dev->priv;

	return dev->driver_depth ? -EBUSY : nic_hw_plug(a->hw, wire, end);
}

static void nic_change_carrier(struct net_device *dev, bool on)
{
	struct nic_adapter *a = dev->priv;

	nic_hw_cable(a->hw, on);
}

/* Also undoes a probe that got half way. */
static void nic_uninit(struct net_device *dev)
{
	struct nic_adapter *a = dev->priv;

	if (a->q) {
		for (u32 i = 0; i < a->max_queues; i++)
			netif_napi_del(&a->q[i].napi);
		mem_free_n(a->world, MEM_NAPI, a->q, a->max_queues, sizeof(*a->q));
		a->q = NULL;
	}
	if (a->hw) {
		nic_hw_plug(a->hw, NULL, 0);
		nic_hw_free(a->hw);
		a->hw = NULL;
	}
}

/* What all models share. */
#define NIC_NETDEV_OPS                                                                            \
	.ndo_vlan_rx_add_vid = nic_vlan_rx_add_vid, .ndo_vlan_rx_kill_vid = nic_vlan_rx_kill_vid, \
	.ndo_open = nic_open, .ndo_stop = nic_stop, .ndo_set_rx_mode = nic_set_rx_mode,           \
	.ndo_change_mtu = nic_change_mtu, .ndo_set_mac_address = nic_set_mac_address,             \
	.ndo_tx_timeout = nic_tx_timeout, .ndo_nic_set = nic_set_param,                           \
	.ndo_nic_get = nic_get_param, .ndo_ethtool_stats = nic_ethtool_stats,                     \
	.ndo_attach = nic_attach, .ndo_change_carrier = nic_change_carrier,                       \
	.ndo_get_stats64 = nic_get_stats64, .ndo_check = nic_check, .ndo_uninit = nic_uninit

static const struct net_device_ops nic_netdev_ops = {
	NIC_NETDEV_OPS,
	.driver = "ring",
	.ndo_start_xmit = nic_start_xmit,
};
static const struct net_device_ops virtio_netdev_ops = {
	NIC_NETDEV_OPS,
	.driver = "virtio_net",
	.ndo_start_xmit = virtnet_start_xmit,
};

static void nic_refill_timer(struct timer *t)
{
	struct nic_queue *q = container_of(t, struct nic_queue, refill);

	q->model->refill(q);
}

static int nic_alloc_adapter(struct host *h, struct net_device *dev, struct nic_adapter *a,
			     const struct nic_model_ops *model)
{
	a->hw = nic_hw_create(a->world, a->max_queues);
	if (!a->hw)
		return -ENOMEM;
	if (model == &virtio_net_model && vnet_hw_create(a->hw))
		return -ENOMEM;
	a->q = mem_alloc_n(a->world, MEM_NAPI, a->max_queues, sizeof(*a->q));
	if (!a->q)
		return -ENOMEM;
	for (u32 i = 0; i < a->max_queues; i++) {
		struct nic_queue *q = &a->q[i];

		*q = (struct nic_queue){ .adapter = a, .index = i, .model = model };
		netif_napi_add(h, dev, &q->napi, model->poll, 64);
		q->napi.index = i;
	}
	return 0;
}

/* The driver part of probe: device, queues, defaults. */
static int nic_init(struct net_device *dev, struct net *net, const struct op_nic_add *op)
{
	struct nic_adapter *a = dev->priv;
	struct host *h = net->host;
	bool virtio = op->model == NIC_MODEL_VIRTIO;

	ether_setup(dev);
	dev->netdev_ops = virtio ? &virtio_netdev_ops : &nic_netdev_ops;
	dev->max_mtu = NIC_MTU_MAX;
	dev->features |= NETIF_F_GRO | NETIF_F_SG;
	if (op->mtu)
		dev->mtu = (u32)op->mtu;
	a->dev = dev;
	a->world = h->world;
	a->max_queues = dev->num_rx_queues;
	a->queues = a->max_queues;
	a->rx_count = op->rx_ring ? (u32)op->rx_ring : NIC_RING_DEFAULT;
	a->tx_count = op->tx_ring ? (u32)op->tx_ring : NIC_RING_DEFAULT;
	if (nic_alloc_adapter(h, dev, a, virtio ? &virtio_net_model : &nic_ring_model))
		return -ENOMEM;
	nic_rss_init(a);
	nic_tstamp_init(a, h);
	virtnet_init(a, h);
	/* As its maker has set it. */
	nic_hw_write(a->hw, NIC_RAL, 0, get_le32(dev->dev_addr));
	nic_hw_write(a->hw, NIC_RAH, 0, get_le16(dev->dev_addr + 4));
	for (u32 i = 0; i < a->max_queues; i++) {
		a->q[i].irq_cpu = i % h->cpus_count;
		timer_setup(&a->q[i].refill, host_cpu(h, a->q[i].irq_cpu), nic_refill_timer);
	}
	return 0;
}

/* A locally administered address from host and interface number, when none is asked for. */
static void nic_default_address(struct net_device *dev, const struct net *net,
				const struct op_nic_add *op)
{
	if (op->mac.len) {
		memcpy(dev->dev_addr, op->mac.p, ETH_ALEN);
		return;
	}
	memset(dev->dev_addr, 0, ETH_ALEN);
	dev->dev_addr[0] = 0x02;
	put_be16(dev->dev_addr + 2, (u16)net->host->id);
	put_be16(dev->dev_addr + 4, (u16)net->ifindex_next);
}

struct net_device *nic_ring_probe(struct net *net, const struct op_nic_add *op, const char *name,
				  int *err)
{
	u32 queues = op->queues ? (u32)op->queues : 1;
	bool virtio = op->model == NIC_MODEL_VIRTIO;
	struct net_device *dev;
	struct nic_adapter *a;

	*err = -EINVAL;
	if ((op->rx_ring && !nic_ring_size_ok(virtio, op->rx_ring)) ||
	    (op->tx_ring && !nic_ring_size_ok(virtio, op->tx_ring)) ||
	    (op->mac.len != 0 && op->mac.len != ETH_ALEN) || (op->mac.len && op->mac.p[0] & 1))
		return NULL;
	*err = -ENOMEM;
	dev = alloc_netdev(net->host, name[0] ? name : "eth%d", queues, queues, sizeof(*a));
	if (!dev)
		return NULL;
	a = dev->priv;
	nic_default_address(dev, net, op);
	*err = nic_init(dev, net, op);
	if (*err == 0)
		*err = register_netdevice(dev, net);
	if (*err) {
		nic_uninit(dev);
		free_netdev(dev);
		return NULL;
	}
	nic_hw_identity(a->hw, net->host, dev->ifindex);
	return dev;
}

struct net_device *nic_probe(struct net *net, const struct op_nic_add *op, int *err)
{
	char name[IFNAME_LEN];

	*err = -EINVAL;
	if (op->name.len >= sizeof(name) || op->queues > NIC_QUEUES_MAX || op->mtu > NIC_MTU_MAX ||
	    (op->mtu && op->mtu < 68))
		return NULL;
	str_copy_n(name, sizeof(name), (const char *)op->name.p, op->name.len);
	switch (op->model) {
	case NIC_MODEL_RING:
	case NIC_MODEL_VIRTIO:
		return nic_ring_probe(net, op, name, err);
	case NIC_MODEL_TUN:
		return tun_probe(net, op, name, err);
	default:
		return NULL;
	}
}
