/* SPDX-License-Identifier: MIT */
/* Numbers for the ops that touch wires, links and NICs (stack/op.def). */
#ifndef TAPLINE_STACK_NIC_H
#define TAPLINE_STACK_NIC_H

/* OP_NIC_ADD model. */
enum nic_model {
	NIC_MODEL_RING, /* the software NIC: descriptor rings, registers, interrupts */
	NIC_MODEL_TUN, /* raw IP, no link header, no neighbour; what it sends leaves the free end of
			  the wire it is attached to */
	NIC_MODEL_VIRTIO, /* the same board behind virtqueues: virtio-net */
};

/* OP_WIRE_SET: of frames that enter at `end`. Rates of faults are in parts per million; the draws
 * come from the stream `wire`. */
enum wire_param {
	WIRE_PARAM_DELAY_NS,
	WIRE_PARAM_RATE_BPS,
	WIRE_PARAM_LOSS_PPM,
	WIRE_PARAM_DUPLICATE_PPM,
	WIRE_PARAM_REORDER_PPM, /* such a frame is held WIRE_PARAM_REORDER_NS longer */
	WIRE_PARAM_REORDER_NS,
	WIRE_PARAM_CORRUPT_PPM, /* one bit of the frame is flipped */
	WIRE_PARAM_JITTER_NS, /* 0..n ns more delay, order kept */
	WIRE_PARAM_DROP_NEXT, /* the next n frames are lost */
	WIRE_PARAM_QUEUE_BYTES, /* with a rate: bytes that may wait, else dropped; 0: no limit */
	WIRE_PARAM_COUNT
};

/* OP_FRAME flags. */
#define FRAME_BAD_FCS \
	1u /* arrives with a wrong frame check sequence: the NIC counts rx_crc_errors and drops */
#define FRAME_CSUM_UNNECESSARY \
	2u /* the NIC vouches for the L4 checksum (a capture made on the sender with offload) */
#define FRAME_NO_DELAY                                                                             \
	4u /* reaches the other end at this instant, whatever the wire's delay and rate: replay of \
	      a capture made at the receiver */

enum link_param {
	LINK_PARAM_UP, /* 0/1: `ip link set up|down` */
	LINK_PARAM_MTU,
	LINK_PARAM_PROMISC,
	LINK_PARAM_ALLMULTI,
	LINK_PARAM_ADDRESS, /* bytes: MAC */
	LINK_PARAM_CARRIER, /* 0/1: the cable */
	LINK_PARAM_TXQLEN,
	LINK_PARAM_ANYIP, /* 0/1: every IPv4 destination that arrives here is local (`ip route add
			     local 0/0 dev X`); replay --any */
	LINK_PARAM_ARP, /* 0/1: `ip link set arp off` */
	LINK_PARAM_NAME, /* bytes: `ip link set name`; the device is down */
	LINK_PARAM_NETNS, /* value: a namespace of this host, as ops name it */
	LINK_PARAM_MASTER, /* value: ifindex of a bridge, 0: none */
	/* Of VLAN devices; maps: bytes, two words in network order, from and to. */
	LINK_PARAM_REORDER_HDR,
	LINK_PARAM_LOOSE_BINDING,
	LINK_PARAM_INGRESS_QOS,
	LINK_PARAM_EGRESS_QOS,
	/* Of bridges; times in 1/100 s. */
	LINK_PARAM_AGEING_TIME,
	LINK_PARAM_GROUP_FWD_MASK,
	LINK_PARAM_FDB_MAX_LEARNED,
	/* Of a bridge's ports (`bridge link set`). */
	LINK_PARAM_LEARNING,
	LINK_PARAM_FLOOD,
	LINK_PARAM_MCAST_FLOOD,
	LINK_PARAM_BCAST_FLOOD,
	LINK_PARAM_HAIRPIN,
	LINK_PARAM_ISOLATED,
	LINK_PARAM_PORT_FWD_MASK,
	LINK_PARAM_STATE, /* 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking */
	LINK_PARAM_COUNT
};

/* OP_LINK_ADD flags, of a VLAN device. */
#define LINK_ADD_NO_REORDER_HDR 1u
#define LINK_ADD_LOOSE_BINDING	2u

/* OP_FDB_SET. */
enum fdb_action { FDB_ADD, FDB_REPLACE, FDB_DEL, FDB_FLUSH };
#define FDB_F_LOCAL  1u /* of the host itself: `permanent`, the default of `bridge fdb add` */
#define FDB_F_STATIC 2u /* does not age */
#define FDB_F_STICKY 4u /* does not move to another port */
#define FDB_F_SELF   8u /* of the bridge device, not of a port */

/* OP_NIC_SET (`ethtool`); `index` is the queue where it matters. */
enum nic_param {
	NIC_PARAM_RX_RING,
	NIC_PARAM_TX_RING,
	NIC_PARAM_RX_USECS, /* interrupt moderation: at least this long between interrupts */
	NIC_PARAM_RX_CSUM, /* offload: checksum of received frames */
	NIC_PARAM_TX_CSUM,
	NIC_PARAM_IRQ_CPU, /* /proc/irq/N/smp_affinity of the queue: a CPU number */
	NIC_PARAM_GRO,
	NIC_PARAM_TX_STALL, /* 1: the device stops completing transmissions (fault) */
	NIC_PARAM_IRQ_LOST, /* the next n interrupts do not arrive (fault) */
	NIC_PARAM_IRQ_SPURIOUS, /* raise an interrupt with no cause now (fault) */
	NIC_PARAM_TSO, /* offload: the device cuts TCP's super-segments; needs TX_CSUM */
	/* Of the device (/sys/class/net/X): ns that held packets may wait for more, polls without
	 * work before interrupts come again. */
	NIC_PARAM_GRO_FLUSH_TIMEOUT,
	NIC_PARAM_DEFER_HARD_IRQS,
	NIC_PARAM_ADAPTIVE_RX, /* interrupt moderation that follows the traffic (`ethtool -C`) */
	NIC_PARAM_CHANNELS, /* queues in use (`ethtool -L combined`), at most those it was made with
			     */
	NIC_PARAM_RSS_INDIR, /* `ethtool -X`: entry `index` of 128 of the redirection table: a queue
			      */
	NIC_PARAM_RSS_KEY, /* bytes 8 * `index` and on of the 40 of the Toeplitz key, first one
			      highest */
	NIC_PARAM_RSS_SYM_XOR, /* 0/1: `ethtool -X xfrm symmetric-xor` */
	NIC_PARAM_RSS_UDP, /* 0/1: `ethtool -N rx-flow-hash udp4 sd|sdfn` */
	/* /sys/class/net/X/queues: masks of CPUs of receive queue `index`, its flows for RFS, masks
	 * of transmit queue `index`. */
	NIC_PARAM_RPS_CPUS,
	NIC_PARAM_RPS_FLOW_CNT,
	NIC_PARAM_XPS_CPUS,
	/* Offloads: the device cuts what UDP_SEGMENT sends (tx-udp-segmentation); datagrams that
	 * nobody on this host asked for are merged (rx-udp-gro-forwarding), as mere lists
	 * (rx-gro-list). */
	NIC_PARAM_USO,
	NIC_PARAM_GRO_UDP_FWD,
	NIC_PARAM_GRO_LIST,
	NIC_PARAM_VIRTIO_EVENT_IDX, /* 0/1: VIRTIO_F_EVENT_IDX; the device is reset */
	/* Ring model only. Offloads: tags taken out and put in (rxvlan, txvlan), what is sent comes
	 * in again (loopback); IEEE 802.3 pause frames obeyed, sent when a ring runs full
	 * (`ethtool -A`); frames stamped when they arrive (HWTSTAMP_FILTER_ALL). */
	NIC_PARAM_RX_VLAN,
	NIC_PARAM_TX_VLAN,
	NIC_PARAM_LOOPBACK,
	NIC_PARAM_RX_PAUSE,
	NIC_PARAM_TX_PAUSE,
	NIC_PARAM_RX_TSTAMP,
	/* Faults: interrupts come so many ns late; 1: nothing is written to memory any more, until
	 * a reset; the next n descriptors of that side name no memory. */
	NIC_PARAM_IRQ_LATE,
	NIC_PARAM_RX_STALL,
	NIC_PARAM_RX_BAD_DESC,
	NIC_PARAM_TX_BAD_DESC,
	NIC_PARAM_XPS_RXQS, /* mask of receive queues whose flows transmit queue `index` sends */
	/* byte_queue_limits of transmit queue `index`: 0/1, and bytes; the hold time is in ms. */
	NIC_PARAM_BQL,
	NIC_PARAM_BQL_LIMIT_MAX,
	NIC_PARAM_BQL_LIMIT_MIN,
	NIC_PARAM_BQL_HOLD_TIME,
	NIC_PARAM_GSO, /* 0/1: `ethtool -K gso`; TCP hands super-packets down in any case */
	NIC_PARAM_LRO, /* 0/1: `ethtool -K lro`; ring model only, needs RX_CSUM */
	NIC_PARAM_TX_TSTAMP, /* 0/1: frames that leave are stamped when asked for (HWTSTAMP_TX_ON);
			      ring model */
	NIC_PARAM_SG, /* 0/1: `ethtool -K sg`; packets in pieces are gathered by the device */
	NIC_PARAM_RX_VLAN_FILTER, /* 0/1: `ethtool -K rx-vlan-filter` */
	/* Virtio only: 0/1: the device has a control queue (ctrl_vq of QEMU); it has been moved and
	 * wants to be announced (VIRTIO_NET_S_ANNOUNCE). */
	NIC_PARAM_VIRTIO_CTRL_VQ,
	NIC_PARAM_ANNOUNCE,
	NIC_PARAM_RESET, /* `ethtool --reset`: the device and its rings from the start */
	/* Faults, of a device that lies to its driver. The next n received frames: with a length
	 * that no buffer has; with an end that does not come (ring: no EOP; virtio: more buffers
	 * than were used). Virtio only, of queue pair `index`: the next n used buffers are named
	 * by a descriptor that is not there; are given back twice; the used index runs n ahead. */
	NIC_PARAM_RX_BAD_LEN,
	NIC_PARAM_RX_NO_EOP,
	NIC_PARAM_USED_BAD_ID,
	NIC_PARAM_USED_TWICE,
	NIC_PARAM_USED_AHEAD,
	NIC_PARAM_SCRIBBLE, /* fault, with DMA_STRICT: the device writes the value's low 32 bits to
			       word value >> 32 of ring `index` (2n: receive n, 2n + 1: transmit n);
			       of a transmit ring (ring model): the status of descriptor word / 4 */
	NIC_PARAM_DMA_STRICT, /* 0/1: an IOMMU lets the device touch what the driver has mapped
				 only (intel_iommu=on iommu.strict=1) */
	NIC_PARAM_COUNT
};

/* Capture points of world_ops.capture. */
enum capture_point {
	CAPTURE_WIRE, /* id: wire; dir: the end it entered at; what the cable carries, at the time
			 it leaves the sender */
	CAPTURE_DEVICE, /* id: host << 16 | ifindex; dir 0 in, 1 out; what a tap on the host sees
			   (before GSO on the way out) */
};

#endif
