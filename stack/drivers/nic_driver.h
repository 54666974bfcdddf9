/* SPDX-License-Identifier: MIT */
/*
 * The inside of the ring NIC's driver: nic_main.c (life, settings, interrupts), nic_rx.c, nic_tx.c,
 * nic_ethtool.c. It knows the device by nic_hw.h alone: registers and descriptors in bus memory.
 */
#ifndef TAPLINE_DRIVERS_NIC_DRIVER_H
#define TAPLINE_DRIVERS_NIC_DRIVER_H

#include "core/netdevice.h"
#include "drivers/nic_hw.h"
#include "lib/bytes.h"
#include "stack/errno.h"
#include "stack/op.h"

#define NIC_RING_DEFAULT 256u
#define NIC_RING_MIN	 8u
#define NIC_RING_MAX	 4096u
#define NIC_MTU_MAX	 65535u
#define NIC_VLAN_HLEN	 4u

/*
 * A receive buffer is half a page as in igb: 2,048 bytes less the 320 of skb_shared_info. So a
 * frame costs a socket a truesize of 2,304, as it does there. Of it the device gets NIC_RX_BUFFER
 * bytes behind the headroom; longer frames take several.
 */
#define NIC_RX_AREA   1728u
#define NIC_RX_BUFFER 1536u
/* Where a frame begins in its area. */
#define NIC_RX_HEADROOM (NET_SKB_PAD + NET_IP_ALIGN)
/* Refilled descriptors are given to the device in batches (E1000_RX_BUFFER_WRITE). */
#define NIC_RX_BUFFER_WRITE 16u
/* A starved ring is refilled after this time when no frame brings the chance (virtio_net). */
#define NIC_REFILL_MS 500u
/* Descriptors that a frame of LRO may take (RSCCTL.MAXDESC of 82599), at most half a ring. */
#define NIC_LRO_DESCS 16u
/* Bytes that one transmit descriptor can name. */
#define NIC_TX_MAX_DATA 32768u
/* A frame with two tags: what is longer came from no wire. */
#define NIC_FRAME_MAX (NIC_MTU_MAX + ETH_HLEN + 2 * NIC_VLAN_HLEN)
/* Descriptors that the longest frame can take: more have no end. */
#define NIC_RX_DESCS_MAX ((NIC_MTU_MAX + 32u) / NIC_RX_BUFFER + 2)

struct nic_tx_buffer {
	struct sk_buff *skb; /* in the last descriptor of its frame */
};

struct nic_rx_buffer {
	u8 *head; /* of skb_data_alloc(NIC_RX_AREA); NULL: the descriptor has no buffer */
};

struct nic_ring {
	u32 count; /* descriptors */
	u32 next_to_use, next_to_clean;
	struct nic_rx_desc *rx;
	struct nic_rx_buffer *rx_buffer;
	struct nic_tx_desc *tx;
	struct nic_tx_buffer *tx_buffer;
};

/* TRACE_NIC_BAD_RING: what the device can not have meant. */
enum { NIC_BAD_ID = 1, NIC_BAD_LENGTH, NIC_BAD_END };

struct nic_adapter;
struct nic_queue;
struct virtqueue;

/* What the models of the board differ in for their drivers: the rings. */
struct nic_model_ops {
	/* Memory of a queue pair. 0 or -ENOMEM: what is there is freed with free(). */
	int (*alloc)(struct nic_queue *q);
	void (*free)(struct nic_queue *q);
	/* Tells the device where it is and gives it buffers. */
	void (*configure)(struct nic_queue *q);
	void (*refill)(struct nic_queue *q);
	/* Whole frames that wait for a poll, packets that wait to be sent or freed. */
	u64 (*rx_waiting)(const struct nic_queue *q);
	u64 (*tx_waiting)(const struct nic_queue *q);
	/* Is [addr, addr + len) of the bus the device's to touch? */
	bool (*mapped)(const struct nic_queue *q, u64 addr, u64 len);
	void (*irq)(void *dev_id);
	s32 (*poll)(struct napi_struct *napi, s32 budget);
	/* Before the queues are told, after the reset; NULL: nothing to do. 0 or -ENOMEM. */
	int (*start)(struct nic_adapter *a);
	void (*stop)(struct nic_adapter *a);
	/* The filter, the own address, the number of queues, a VLAN more or less: to the device. */
	void (*set_rx_mode)(struct nic_adapter *a);
	void (*set_mac)(struct nic_adapter *a, const u8 *addr);
	void (*set_queues)(struct nic_adapter *a);
	void (*vlan_vid)(struct nic_adapter *a, u16 vid, bool on);
	/* The interrupt of a change of the link may stand for another one. */
	void (*config_changed)(struct nic_adapter *a);
	const char *vector; /* of /proc/interrupts, between device and queue */
};
extern const struct nic_model_ops nic_ring_model, virtio_net_model;

struct nic_queue {
	struct napi_struct napi;
	struct nic_adapter *adapter;
	u32 index;
	u32 irq_cpu;
	struct irq_desc *irq;
	const struct nic_model_ops *model;
	struct nic_ring rx, tx;
	struct virtqueue *rvq, *svq; /* the virtio model's */
	u8 *tx_hdrs;
	struct timer refill;
	/* Statistics of the queue. */
	u64 rx_packets, rx_bytes, rx_alloc_failed, rx_csum_good, rx_purged;
	u64 rx_lro_packets, rx_lro_bytes;
	bool rx_discarding; /* up to the end of a frame that had none */
	u32 tx_rung; /* next_to_use as the device was told it last */
	u32 tx_cleaned; /* bytes cleaned since nic_tx_wake() */
	u64 tx_packets, tx_bytes, tx_busy, tx_restart, tx_stopped, tx_timeouts;
	u64 irqs, irqs_spurious, polls;
	/* The device lied: frames given up, queues found broken. */
	u64 rx_length_errors, broken;
	/* For nic_check(): frames lost for want of memory; given to the ring, sent, thrown away. */
	u64 rx_no_skb, tx_queued, tx_done, tx_purged;
	/* Adaptive moderation: its class, and what had been received when it was chosen. */
	u8 itr_class;
	u64 itr_packets, itr_bytes;
};

struct nic_adapter {
	struct net_device *dev;
	struct world *world;
	struct nic_hw *hw;
	u32 max_queues, queues; /* there are, in use */
	u32 rx_count, tx_count; /* ring sizes asked for */
	u32 rx_usecs;
	bool adaptive_rx;
	/* RSS, with several queues: `ethtool -X`. */
	bool rss_udp, rss_sym_xor, indir_user;
	u8 rss_key[40], indir[NIC_RETA_SIZE];
	bool rx_vlan, rx_tstamp, loopback, rx_pause,
		tx_pause; /* as nic_configure() tells the device */
	/* virtio: what was negotiated, the control queue and the memory of its commands, how many
	 * there were and were refused; work that the device has asked for. */
	u64 virtio_features;
	struct virtqueue *cvq;
	u8 *ctrl;
	u64 ctrl_commands, ctrl_failed;
	struct timer config_work;
	bool no_ctrl_vq; /* virtio: the device is told to have no control queue */
	bool no_event_idx; /* virtio: notifications by flags, not by index */
	bool lro_wanted; /* large-receive-offload; needs the checksums too */
	bool tso_wanted; /* `ethtool -K tso on`; needs the checksums */
	bool uso_wanted; /* tx-udp-segmentation; the same */
	bool tx_tstamp; /* hardware stamps of what is sent (HWTSTAMP_TX_ON) */
	struct sk_buff *tx_tstamp_skb; /* waits for its stamp */
	struct timer tx_tstamp_timer;
	u64 tx_hwtstamp_skipped, tx_hwtstamp_timeouts;
	bool dma_strict; /* an IOMMU checks what the device touches */
	u64 dma_faults, rx_unaccounted; /* see nic_settle() */
	bool up; /* rings and interrupts are there */
	struct nic_queue *q;
};

static inline u32 nic_ring_next(const struct nic_ring *r, u32 i)
{
	return ++i == r->count ? 0 : i;
}

/* Descriptors that could be given to the device: one always stays free. */
static inline u32 nic_ring_unused(const struct nic_ring *r)
{
	u32 to_clean = r->next_to_clean, to_use = r->next_to_use;

	return (to_clean > to_use ? 0 : r->count) + to_clean - to_use - 1;
}

/* nic_rx.c: the ring model's receive half; to the stack (csum_ok: the device vouches), or lost for
 * want of memory. */
int nic_rx_ring_alloc(struct nic_queue *q, u32 count);
void nic_rx_ring_free(struct nic_queue *q);
void nic_rx_refill(struct nic_queue *q);
s32 nic_clean_rx(struct nic_queue *q, s32 budget);
void nic_receive_skb(struct nic_queue *q, struct sk_buff *skb, bool csum_ok);
void nic_rx_no_skb(struct nic_queue *q, u32 frames);
/* Frames off the wire that a written-back descriptor with EOP stands for. */
static inline u32 nic_rx_frames(const struct nic_rx_desc *d)
{
	u64 segs = d->addr >> 32;

	return d->status & RXD_LRO && segs - 1 < UINT16_MAX ? (u32)segs : 1;
}

/* For the IOMMU: is it part of a ring, or of a buffer in one? */
bool nic_rx_mapped(const struct nic_queue *q, u64 addr, u64 len);
bool nic_tx_mapped(const struct nic_queue *q, u64 addr, u64 len);
/* nic_tx.c: the ring model's transmit half, and what both count. */
int nic_tx_ring_alloc(struct nic_queue *q, u32 count);
void nic_tx_ring_free(struct nic_queue *q);
enum netdev_tx nic_start_xmit(struct sk_buff *skb, struct net_device *dev);
void nic_clean_tx(struct nic_queue *q);
enum netdev_tx nic_tx_drop(struct sk_buff *skb, enum skb_drop_reason reason);
/* Byte queue limits: before the device is told. */
void nic_tx_account(struct nic_queue *q, u32 bytes);
enum netdev_tx nic_tx_busy(struct nic_queue *q);
void nic_tx_stop(struct nic_queue *q);
void nic_tx_sent(struct nic_queue *q, struct sk_buff *skb);
void nic_tx_wake(struct nic_queue *q, bool room);

/* virtio_net_ctrl.c */
void virtnet_init(struct nic_adapter *a, struct host *h);
/* virtio_net.c */
enum netdev_tx virtnet_start_xmit(struct sk_buff *skb, struct net_device *dev);

/* nic_main.c */
/* Takes notice of a change of the link. False: there was none. */
bool nic_irq_link(struct nic_queue *q);
int nic_up(struct nic_adapter *a);
void nic_down(struct nic_adapter *a);

/* Their stopped queues run again. */
void nic_wake_queues(struct nic_adapter *a);

/* nic_check.c: panics at the first frame that is not accounted for. */
void nic_check(const struct net_device *dev);
/* The rings are gone, the device was reset after it had lied: what it counted and the driver has
 * not seen, or the other way round, is settled. */
void nic_settle(struct nic_adapter *a);

/* nic_iommu.c: on or off; what it lets through follows the driver's own books. */
int nic_set_iommu(struct nic_adapter *a, bool on);

/* A new receive buffer, for a device that may say that it has written what it has not: zeros, so
 * that runs are alike, and nothing old is told (as swiotlb does for devices that are not trusted).
 */
void nic_rx_clear(const struct nic_queue *q, u8 *head);

/* nic_vlan.c: which VLANs' frames the device takes (rx-vlan-filter). */
void nic_vlan_configure(struct nic_adapter *a);
int nic_set_vlan_filter(struct nic_adapter *a, bool on);
void nic_vlan_rx_add_vid(struct net_device *dev, u16 vid);
void nic_vlan_rx_kill_vid(struct net_device *dev, u16 vid);
void ring_vlan_vid(struct nic_adapter *a, u16 vid, bool on);

/* nic_extra.c: what the ring model has besides: tags, stamps, pause, loopback. */
int nic_set_extra(struct nic_adapter *a, u32 param, u64 value);
void nic_configure_extra(struct nic_adapter *a);
/* Tells the device about LRO. -ENOMEM: it has no memory for it, LRO is off. */
int nic_configure_lro(struct nic_adapter *a);

/* nic_tstamp.c: a packet with a wish of SKBTX_ANY_TSTAMP is given to the device: TXD_TSTAMP or 0;
 * the device has stamped; it is about to be reset. */
void nic_tstamp_init(struct nic_adapter *a, struct host *h);
u8 nic_tstamp_start(struct nic_adapter *a, struct sk_buff *skb);
void nic_tstamp_irq(struct nic_adapter *a);
void nic_tstamp_stop(struct nic_adapter *a);

/* nic_rss.c */
void nic_rss_init(struct nic_adapter *a);
void nic_rss_configure(struct nic_adapter *a);
int nic_set_rss(struct nic_adapter *a, u32 param, u32 index, u64 value);
int nic_set_channels(struct nic_adapter *a, u64 count);
void nic_adapt_itr(struct nic_queue *q);
void nic_write_eitr(struct nic_queue *q);

/* nic_ethtool.c */
bool nic_ring_size_ok(bool virtio, u64 n);
/* Down and up again, with these sizes. 0 or -ENOMEM. */
int nic_set_rings(struct nic_adapter *a, u32 rx, u32 tx);
int nic_set_param(struct net_device *dev, u32 param, u32 index, u64 value);
int nic_get_param(const struct net_device *dev, u32 param, u32 index, u64 *value);
void nic_get_stats64(const struct net_device *dev, struct net_device_stats *stats);
void nic_ethtool_stats(const struct net_device *dev,
		       void (*fn)(void *ctx, const char *name, u64 value), void *ctx);

/* tun.c, nic_main.c: the models behind nic_probe(). */
struct net_device *nic_ring_probe(struct net *net, const struct op_nic_add *op, const char *name,
				  int *err);
struct net_device *tun_probe(struct net *net, const struct op_nic_add *op, const char *name,
			     int *err);

#endif
