/* SPDX-License-Identifier: MIT */
/*
 * net_device and what stands between drivers and protocols: NAPI, packet types (taps and demux),
 * the receive entry, the transmit entry. Names and order of things are the kernel's net/core/dev.c.
 */
#ifndef TAPLINE_CORE_NETDEVICE_H
#define TAPLINE_CORE_NETDEVICE_H

#include "kernel/cpu.h"
#include "kernel/timer.h"
#include "skb/skbuff.h"
#include "wire/eth.h"

struct in_device;
struct neigh_parms;
struct Qdisc;
struct dql;
struct napi_struct;
struct vlan_info;
struct rtnl_link_ops;
struct op_link_set;

#define ETH_ALEN     6u
#define ETH_HLEN     14u
#define GSO_MAX_SIZE 65536u
#define GSO_MAX_SEGS 65535u
#define ETH_ZLEN     60u /* shortest frame without FCS */
#define MAX_ADDR_LEN 32u

#define ARPHRD_ETHER	1
#define ARPHRD_LOOPBACK 772
#define ARPHRD_NONE	0xFFFE

#define IFF_UP		0x1u
#define IFF_BROADCAST	0x2u
#define IFF_LOOPBACK	0x8u
#define IFF_POINTOPOINT 0x10u
#define IFF_RUNNING	0x40u
#define IFF_NOARP	0x80u
#define IFF_PROMISC	0x100u
#define IFF_ALLMULTI	0x200u
#define IFF_MULTICAST	0x1000u

#define NETIF_F_HW_CSUM		0x1u /* TX checksum */
#define NETIF_F_RXCSUM		0x2u
#define NETIF_F_SG		0x4u /* gathers packets of up to SKB_PIECES_MAX pieces */
#define NETIF_F_GSO_ACCECN	0x8000u /* cuts packets with SKB_GSO_TCP_ACCECN as they want it */
#define NETIF_F_TSO		0x8u /* cuts super-packets of TCP over IPv4 by itself */
#define NETIF_F_GSO		0x10u
#define NETIF_F_GRO		0x20u
#define NETIF_F_GSO_UDP_L4	0x40u /* cuts super-packets of UDP by itself */
#define NETIF_F_GRO_FRAGLIST	0x80u /* rx-gro-list */
#define NETIF_F_GRO_UDP_FWD	0x100u /* rx-udp-gro-forwarding */
#define NETIF_F_HW_VLAN_CTAG_TX 0x200u /* puts 802.1Q tags in by itself, */
#define NETIF_F_HW_VLAN_CTAG_RX 0x400u /* takes them out */
#define NETIF_F_LRO		0x800u /* merges received segments by itself: not to be forwarded */
#define NETIF_F_FRAGLIST	0x1000u /* with NETIF_F_SG: of any number of pieces */
#define NETIF_F_TSO6		0x2000u /* cuts super-packets of TCP over IPv6 by itself */

/* Takes no frames of VLANs that there is no device for. */
#define NETIF_F_HW_VLAN_CTAG_FILTER 0x10000u

enum netdev_tx { NETDEV_TX_OK = 0, NETDEV_TX_BUSY = 0x10 };
#define NET_XMIT_SUCCESS 0
#define NET_XMIT_DROP	 1
#define NET_XMIT_CN	 2
#define NET_RX_SUCCESS	 0
#define NET_RX_DROP	 1

/* `ip -s -s link` (rtnl_link_stats64). */
struct net_device_stats {
	u64 rx_packets, rx_bytes, rx_errors, rx_dropped, rx_missed_errors, rx_length_errors,
		rx_crc_errors, rx_over_errors, rx_nohandler, multicast;
	u64 tx_packets, tx_bytes, tx_errors, tx_dropped, tx_fifo_errors, tx_carrier_errors;
};

struct net_device_ops {
	const char *driver; /* its name, for `ethtool -i`; NULL: none */
	int (*ndo_open)(struct net_device *dev);
	int (*ndo_stop)(struct net_device *dev);
	/* Takes the packet (NETDEV_TX_OK) or leaves it with the caller (NETDEV_TX_BUSY). Linear
	 * unless NETIF_F_SG. */
	enum netdev_tx (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
	void (*ndo_set_rx_mode)(struct net_device *dev);
	int (*ndo_change_mtu)(struct net_device *dev, u32 mtu);
	/* A VLAN device of 802.1Q is made on it, is gone. NULL: it has no filter. */
	void (*ndo_vlan_rx_add_vid)(struct net_device *dev, u16 vid);
	void (*ndo_vlan_rx_kill_vid)(struct net_device *dev, u16 vid);
	int (*ndo_set_mac_address)(struct net_device *dev, const u8 *addr);
	void (*ndo_tx_timeout)(struct net_device *dev, u32 queue);
	/* ethtool: -EOPNOTSUPP for a parameter it has not. */
	int (*ndo_nic_set)(struct net_device *dev, u32 param, u32 index, u64 value);
	/* The same, read. May be NULL. */
	int (*ndo_nic_get)(const struct net_device *dev, u32 param, u32 index, u64 *value);
	/* ethtool -S: calls fn for every counter, fixed order. */
	void (*ndo_ethtool_stats)(const struct net_device *dev,
				  void (*fn)(void *ctx, const char *name, u64 value), void *ctx);
	/* The cable is plugged into a wire end (drivers/wire.h), or out (NULL). */
	int (*ndo_attach)(struct net_device *dev, struct wire *wire, u32 end);
	/* The cable is pulled or plugged (LINK_PARAM_CARRIER). NULL: the carrier flag is set at
	 * once. */
	void (*ndo_change_carrier)(struct net_device *dev, bool on);
	/* Adds to `stats` what only the device counts. NULL: dev->stats is all there is. */
	void (*ndo_get_stats64)(const struct net_device *dev, struct net_device_stats *stats);
	/* world_check(): panics at a broken invariant; not from inside the driver. May be NULL. */
	void (*ndo_check)(const struct net_device *dev);
	/* Frees what the driver holds, at unregistration. */
	void (*ndo_uninit)(struct net_device *dev);
};

/* Link headers (header_ops of the kernel); NULL in the device when it has none (tun, lo has
 * Ethernet's as in Linux). */
struct neighbour;
struct header_ops {
	/* Pushes the header; daddr NULL: leaves the destination for later. saddr NULL: the
	 * device's. Returns 0 or -errno. */
	int (*create)(struct sk_buff *skb, struct net_device *dev, u16 type, const u8 *daddr,
		      const u8 *saddr);
	/* Copies the source address of a received frame to haddr, returns its length. */
	u32 (*parse)(const struct sk_buff *skb, u8 *haddr);
};

struct netdev_queue {
	struct net_device *dev;
	struct Qdisc *qdisc;
	u32 index;
	bool stopped; /* netif_tx_stop_queue: the ring is full */
	bool stack_xoff; /* more bytes are under way than the device needs (core/bql.c) */
	bool active; /* has its qdisc (or needs none): the device is up and has a carrier */
	u64 trans_start; /* ns of the last transmission, for the watchdog */
	u64 trans_timeout; /* how often the watchdog barked */
	struct dql *dql; /* NULL: no byte queue limits */
};

/* What an rx_handler did: took the packet; changed skb->dev, so that it is received again there; or
 * nothing. */
enum rx_handler_result { RX_HANDLER_CONSUMED, RX_HANDLER_ANOTHER, RX_HANDLER_PASS };
typedef enum rx_handler_result (*rx_handler_fn)(struct sk_buff **pskb);

struct net_device {
	struct list_head dev_list; /* net->dev_base */
	struct hlist_node name_node, index_node; /* net->devs */
	struct world *world;
	struct net *net; /* NULL until it is registered */
	char name[IFNAME_LEN];
	u32 ifindex;
	u32 flags; /* IFF_* */
	u32 features;
	u32 vlan_features; /* those that VLAN devices on it may have */
	u16 type; /* ARPHRD_* */
	u8 addr_len;
	bool carrier;
	u32 carrier_changes; /* since it was registered: up and down */
	bool no_queue; /* straight to the driver (noqueue) */
	bool no_queue_default; /* IFF_NO_QUEUE: without a queue unless it is given one (loopback) */
	bool qdisc_attached; /* it was up once: has its default discipline */
	bool keep_dst; /* its packets keep their route (loopback: input uses it again) */
	bool promisc_user, allmulti_user; /* asked for by `ip link set` */
	bool anyip; /* every IPv4 destination is local here (LINK_PARAM_ANYIP) */
	u32 promiscuity, allmulti; /* how many asked for it */
	struct list_head mc_list; /* core/dev_addr.c: multicast addresses to be received */
	bool xmit_more; /* another packet for the driver follows at once */
	u32 driver_depth; /* > 0: inside its poll or ndo_start_xmit; it can not be reconfigured then
			   */
	u32 mtu, min_mtu, max_mtu;
	u16 hard_header_len;
	u16 needed_headroom;
	u32 tx_queue_len;
	u32 gso_max_size; /* bytes of one super-packet */
	u32 gso_max_segs;
	u32 gro_max_size;
	u64 gro_flush_timeout; /* ns: held packets may wait so long for more; 0: end with the poll
				*/
	u32 napi_defer_hard_irqs; /* polls without work before interrupts are asked for again */
	u8 dev_addr[MAX_ADDR_LEN];
	u8 broadcast[MAX_ADDR_LEN];
	const struct net_device_ops *netdev_ops;
	const struct header_ops *header_ops;
	struct net_device_stats stats;
	struct list_head napi_list;
	struct Qdisc *qdisc; /* the outermost discipline; NULL: none */
	struct Qdisc *clsact; /* filters on the way in and out (`clsact`, `ingress`); NULL: none */
	struct netdev_queue *tx;
	u32 num_tx_queues;
	u32 real_num_tx_queues; /* in use: the first ones */
	u32 num_rx_queues;
	struct dev_steering *steering; /* core/rps.h; NULL: nothing is set */
	struct list_head ptype_all, ptype_specific; /* taps of this device */
	rx_handler_fn rx_handler;
	void *rx_handler_data;
	struct in_device *ip_ptr; /* ipv4/ */
	struct neigh_parms *arp_parms; /* core/neighbour.c: made when the device registers, freed
					  when it goes */
	struct timer watchdog; /* armed while a queue is stopped */
	u32 watchdog_timeo_ms;
	void *priv; /* the driver's, priv_size bytes */
	size_t priv_size;
	u32 refcnt; /* dev_hold/dev_put: must be zero (registration's own aside) when it is freed */
	const struct rtnl_link_ops *link_ops; /* core/dev_link.h; NULL: a physical device, or lo */
	struct vlan_info *vlan_info; /* core/vlan.h: VLAN devices on this one; NULL: none */
	struct net_device *master; /* the bridge whose port it is; NULL: none */
	struct net_device *mc_sync_to; /* its multicast list is kept in this one too */
	bool netns_local; /* stays in its namespace (lo, bridges) */
	bool moving; /* NETDEV_UNREGISTER means: to another namespace */
	bool mtu_user, addr_user; /* set by the user: bridges do not choose them any more */
};

static inline struct net *dev_net(const struct net_device *dev)
{
	return dev->net;
}

static inline struct host *dev_host(const struct net_device *dev)
{
	return dev->net->host;
}

static inline struct world *dev_world(const struct net_device *dev)
{
	return dev->net->host->world;
}

/* Not registered yet; name is a pattern as "eth%d". priv_size bytes of zeroed private memory. NULL:
 * no memory. */
struct net_device *alloc_netdev(struct host *h, const char *name, u32 tx_queues, u32 rx_queues,
				size_t priv_size);
void free_netdev(struct net_device *dev);
/* Gives name and ifindex in net, tells the notifier chain. 0 or -errno. */
int register_netdevice(struct net_device *dev, struct net *net);
/* Takes it down, tells everyone; nothing may refer to it afterwards. */
void unregister_netdevice(struct net_device *dev);
int dev_open(struct net_device *dev);
void dev_close(struct net_device *dev);
int dev_set_mtu(struct net_device *dev, u32 mtu);
int dev_set_mac_address(struct net_device *dev, const u8 *addr);
/* Into another namespace of the same host, down, as `name` (NULL: its own). -EINVAL, -EEXIST,
 * -EBUSY, -ENOMEM: it is where it was. */
int dev_change_net_namespace(struct net_device *dev, struct net *net, const char *name);
int dev_change_name(struct net_device *dev, const char *name);
/* A step of the host is running: what it holds must not be taken away now. */
bool host_in_step(const struct host *h);
/* Counted: +1 and -1 as asked for and given back (packet sockets, `ip link set promisc`). */
void dev_set_promiscuity(struct net_device *dev, s32 inc);
void dev_set_allmulti(struct net_device *dev, s32 inc);
/* One of dev->mc_list (netdev_hw_addr). */
struct dev_mc {
	struct list_head list;
	u32 refs;
	bool synced; /* is in dev->mc_sync_to as well */
	u8 addr[ETH_ALEN];
};

/* Multicast link addresses to be received, counted. 0, -ENOMEM, -ENOENT. */
int dev_mc_add(struct net_device *dev, const u8 *addr);
int dev_mc_del(struct net_device *dev, const u8 *addr);
/* Calls fn for every address of the list, in the order of making. */
void dev_mc_walk(const struct net_device *dev, void (*fn)(void *ctx, const u8 *addr), void *ctx);
/* The list of `from` is kept in `to` as well from now on (and no longer). */
void dev_mc_sync(struct net_device *to, struct net_device *from);
void dev_mc_unsync(struct net_device *from);
/* Tells the driver the present flags and multicast list. */
void dev_set_rx_mode(struct net_device *dev);
void netif_carrier_on(struct net_device *dev);
void netif_carrier_off(struct net_device *dev);
static inline bool netif_carrier_ok(const struct net_device *dev)
{
	return dev->carrier;
}
static inline bool netif_running(const struct net_device *dev)
{
	return (dev->flags & IFF_UP) != 0;
}
/* `ip -s -s link`: dev->stats and what the device counts itself. Readers use this, not dev->stats.
 */
void dev_get_stats(const struct net_device *dev, struct net_device_stats *stats);
/* OP_LINK_SET. 0 or -errno; -EBUSY from inside the driver. */
int dev_link_set(struct net_device *dev, const struct op_link_set *op);
struct net_device *dev_get_by_index(const struct net *net, u32 ifindex);
struct net_device *dev_get_by_name(const struct net *net, const char *name);
static inline void dev_hold(struct net_device *dev)
{
	dev->refcnt++;
}
static inline void dev_put(struct net_device *dev)
{
	ASSERT(dev->refcnt > 0);
	dev->refcnt--;
}

static inline void netdev_set_feature(struct net_device *dev, u32 feature, bool on)
{
	dev->features = on ? dev->features | feature : dev->features & ~feature;
}
/* Switches LRO off, here and on the devices below: frames will be forwarded. */
void dev_disable_lro(struct net_device *dev);
/* NIC_PARAM_* that are the stack's for any device with NAPI: GRO and its settings. 0 or -errno;
 * -ENOENT: it is none of them. */
int netdev_set_param(struct net_device *dev, u32 param, u64 value);

/* Notifier chain of devices (NETDEV_*): called in order of registration; per host. */
enum netdev_event {
	NETDEV_REGISTER,
	NETDEV_UP,
	NETDEV_GOING_DOWN,
	NETDEV_DOWN,
	NETDEV_UNREGISTER,
	NETDEV_CHANGEMTU,
	NETDEV_CHANGEADDR,
	NETDEV_CHANGE,
	NETDEV_NOTIFY_PEERS /* it wants to be announced to its neighbours */
};
typedef int (*netdev_notifier_fn)(struct net_device *dev, enum netdev_event event);
/* 0 or -ENOMEM. Devices that are there already are told to it at once (REGISTER, UP). */
int register_netdevice_notifier(struct host *h, netdev_notifier_fn fn);

/* Packet types: taps (ETH_P_ALL) and protocols. `func` owns the skb. */
struct packet_type {
	u16 type; /* host order; ETH_P_ALL: every packet, a copy */
	struct net_device *dev; /* NULL: all */
	int (*func)(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		    struct net_device *orig_dev);
	void *af_packet_priv;
	/* Is the sender one of those it is for? NULL: af_packet_priv is the socket itself. */
	bool (*id_match)(const struct packet_type *pt, const struct sock *sk);
	struct net *af_packet_net; /* with a dev of NULL: only of this namespace; NULL: of the host
				      (protocols), or of its first one (taps) */
	bool ignore_outgoing;
};
/* `pt` must live until dev_remove_pack(). 0 or -ENOMEM. */
int dev_add_pack(struct host *h, const struct packet_type *pt);
void dev_remove_pack(struct host *h, const struct packet_type *pt);

/* Receive: from a driver's poll (GRO later), the core entry, and the backlog of a CPU (loopback,
 * RPS). The skb is the callee's from then on. */
int netif_receive_skb(struct sk_buff *skb);
int napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);
int netif_rx(struct sk_buff *skb);

/* Transmit: takes the skb in every case. NET_XMIT_* or -errno. */
int dev_queue_xmit(struct sk_buff *skb);
void netif_tx_stop_queue(struct netdev_queue *q);
/* Queues from n on are no longer used; what waits there is dropped. */
void netif_set_real_num_tx_queues(struct net_device *dev, u32 n);
void netif_tx_wake_queue(struct netdev_queue *q);

static inline int dev_hard_header(struct sk_buff *skb, struct net_device *dev, u16 type,
				  const u8 *daddr, const u8 *saddr)
{
	if (!dev->header_ops)
		return 0;
	return dev->header_ops->create(skb, dev, type, daddr, saddr);
}

/* LL_RESERVED_SPACE: headroom that a packet for this device should have. */
static inline u32 ll_reserved_space(const struct net_device *dev)
{
	return (dev->hard_header_len + (u32)dev->needed_headroom + 31u) & ~15u;
}

#define GRO_HASH_BUCKETS 8u
#define MAX_GRO_SKBS	 8u /* of one bucket */

/* NAPI (core/napi.c). */
#define MIN_NAPI_ID 8193u /* above the numbers of CPUs (CONFIG_NR_CPUS) */

enum {
	NAPI_STATE_SCHED = 1,
	NAPI_STATE_MISSED = 2,
	NAPI_STATE_DISABLE = 4,
	NAPI_STATE_IN_BUSY_POLL = 8, /* a call polls it: interrupts stay off */
};

struct napi_struct {
	struct list_head poll_list; /* of a softnet_data */
	struct list_head dev_list;
	struct net_device *dev;
	struct cpu *cpu; /* whose poll list it is on */
	u32 index; /* queue of the device, for traces */
	u32 napi_id; /* SO_INCOMING_NAPI_ID */
	u32 state;
	s32 weight;
	/* GRO (core/gro.c): held packets by flow hash, the newest first; packets on their way up.
	 */
	u32 gro_bitmask, rx_count;
	struct sk_buff_head gro_hash[GRO_HASH_BUCKETS];
	struct sk_buff_head rx_skbs;
	/* gro_flush_timeout: polls again instead of an interrupt, so many times. */
	struct timer timer;
	u32 defer_hard_irqs_count;
	/* Handles up to budget packets; fewer than budget: it is through and has called
	 * napi_complete_done. */
	s32 (*poll)(struct napi_struct *napi, s32 budget);
};

/* dev may be NULL (a CPU's backlog). */
void netif_napi_add(struct host *h, struct net_device *dev, struct napi_struct *napi,
		    s32 (*poll)(struct napi_struct *, s32), s32 weight);
void netif_napi_del(struct napi_struct *napi);
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);
/* True: the caller is the one that must call __napi_schedule. */
bool napi_schedule_prep(struct napi_struct *napi);
/* Onto the poll list of that CPU, and raises NET_RX_SOFTIRQ there. */
void __napi_schedule(struct napi_struct *napi, struct cpu *cpu);
bool napi_complete_done(struct napi_struct *napi, s32 work_done);

/* One line of /proc/net/softnet_stat per CPU. */
struct softnet_data {
	struct cpu *cpu;
	struct list_head poll_list;
	struct sk_buff_head input_pkt_queue, process_queue;
	struct napi_struct backlog;
	u64 processed, dropped, time_squeeze, received_rps, flow_limit_count;
	/* What became of each one processed: given to a protocol or tap, to nobody, taken on the
	 * way (a VLAN, a bridge, a broken tag), received again by the device above. */
	u64 rx_delivered, rx_unhandled, rx_taken, rx_again;
	/* RPS: packets taken off the backlog and put onto it; CPUs that this one has given packets
	 * and will interrupt; its own place in such a list. */
	u32 input_queue_head, input_queue_tail;
	struct list_head rps_ipi_list, rps_ipi;
	struct sd_flow_limit *flow_limit;
	/* net_rx_action under way between two polls (its locals: budget, time_limit, list). */
	bool rx_active;
	s32 budget;
	u64 time_limit; /* jiffies */
	struct list_head rx_list, repoll;
	struct list_head output_queue; /* Qdisc.sched: to be run by NET_TX */
	u32 xmit_recursion;
	u32 mirred_nest; /* redirections inside one another */
};

/* The hash of the packet's flow; 0: it has none. The network header is set. */
u32 skb_get_hash(struct sk_buff *skb);
/* The software's own, which is the same for both directions of a flow (__skb_get_hash_symmetric).
 */
u32 skb_get_hash_symmetric(const struct sk_buff *skb);

/* The CPU whose step is running, CPU 0 outside of steps. */
struct cpu *this_cpu(struct host *h);

/* Boot: softnet, softirq actions, packet types; and the end of it. */
int net_dev_init(struct host *h);
void net_dev_exit(struct host *h);
/* Panics at the first broken invariant; level 1: walks the queues, too. */
void net_dev_check(const struct host *h, u32 level);

#endif
