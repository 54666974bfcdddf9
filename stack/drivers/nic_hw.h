/* SPDX-License-Identifier: MIT */
/*
 * The software NIC as hardware: registers, descriptor rings in bus memory, an address filter, DMA,
 * interrupts with moderation. What a driver sees is in this header: nic_hw_read() and
 * nic_hw_write() of the registers, the two descriptor formats, the vectors. The rest (the cable,
 * faults) is what a technician can do to the board.
 *
 * The bus is the world's arena: a bus address is an offset into it (dma_map()), the same in every
 * run. A descriptor that names memory outside of it is counted and skipped, not followed.
 *
 * Rings have head and tail as Intel's have: the device owns [head, tail), so that a ring of N
 * descriptors holds N - 1.
 */
#ifndef TAPLINE_DRIVERS_NIC_HW_H
#define TAPLINE_DRIVERS_NIC_HW_H

#include "drivers/wire.h"
#include "kernel/cpu.h"

struct nic_hw;

/* Registers. Those from NIC_RDBA on have one instance per queue (`index`). Unknown ones read 0. */
enum nic_reg {
	NIC_CTRL, /* CTRL_RST: everything but the address and the cable as after power-on */
	NIC_STATUS, /* STATUS_LU: the link is up */
	NIC_RCTL, /* RCTL_* */
	NIC_TCTL, /* TCTL_* */
	NIC_RLPML, /* longest frame received, without FCS */
	NIC_RAL, /* own address: bytes 0-3, first byte lowest */
	NIC_RAH, /* bytes 4-5 */
	NIC_MTA, /* multicast hash table, index 0..1: bit nic_mta_bit(address) */
	NIC_RXCSUM, /* 1: check IPv4 TCP and UDP checksums */
	NIC_VLANC, /* 1: take 802.1Q tags out of received frames */
	NIC_VLANFC, /* 1: frames of VLANs that are not in NIC_VFTA are not taken */
	NIC_VFTA, /* index 0..127: bits of 32 VLANs */
	NIC_TSYNC, /* 1: stamp received frames: 8 bytes, ns, lowest first, in front of each */
	NIC_TXSTMPL, /* when a frame with TXD_TSTAMP left, ns; writing it makes room for the next,
		      */
	NIC_TXSTMPH, /* which is not stamped before */
	NIC_PAUSEC, /* PAUSE_* */
	NIC_LOOP, /* 1: what is sent is received, the cable is not needed */
	NIC_LROC, /* bytes to which TCP segments that follow on are merged; 0: not. Reads 0 without
		     memory */
	NIC_MRQC, /* MRQC_*; these three only with several queues */
	NIC_RSSRK, /* Toeplitz key, index 0..9, first byte highest */
	NIC_RETA, /* redirection table, index 0..NIC_RETA_SIZE-1: a queue */
	NIC_RDBAL,
	NIC_RDBAH, /* bus address of the receive ring */
	NIC_RDLEN, /* descriptors in it */
	NIC_SRRCTL, /* bytes of each receive buffer */
	NIC_RDH,
	NIC_RDT,
	NIC_TDBAL,
	NIC_TDBAH,
	NIC_TDLEN,
	NIC_TDH,
	NIC_TDT, /* writing it is the doorbell */
	NIC_ICR, /* causes; writing ones clears them */
	NIC_ICS, /* writing raises causes by hand */
	NIC_IMS, /* causes that interrupt; writing ones adds */
	NIC_IMC, /* writing ones takes away */
	NIC_EITR, /* at least so many us between interrupts */
};

#define MRQC_RSS     1u /* spread frames over the queues */
#define MRQC_UDP     2u /* with the ports of UDP, too */
#define MRQC_SYM_XOR 4u /* both directions of a flow alike: source xor destination is hashed */

#define NIC_RETA_SIZE 128u

#define NIC_LRO_MAX   65535u /* behind the link header it is one packet of IPv4 */
#define NIC_LRO_USECS 32u /* how long a frame waits for more */

#define PAUSE_RX 1u /* obey pause frames */
#define PAUSE_TX                                                                         \
	2u /* send them: when a receive ring is nearly full, and when it is not any more \
	    */

#define CTRL_RST  1u
#define STATUS_LU 1u

#define RCTL_EN	 1u
#define RCTL_UPE 2u /* all unicast */
#define RCTL_MPE 4u /* all multicast */

#define TCTL_EN	 1u
#define TCTL_PSP 2u /* pad short frames to 60 bytes (RFC 894: 46 octets of data) */

/* Interrupt causes of a vector. */
#define ICR_RX	1u
#define ICR_TX	2u
#define ICR_LSC 4u /* link status change; vector 0 */
#define ICR_TS	8u /* a stamp is in NIC_TXSTMP; vector 0 */

struct nic_rx_desc {
	u64 addr; /* the buffer; written back: the flow hash, above it with RXD_LRO how many
		     segments */
	u32 status; /* RXD_*; 0 when it is given to the device */
	u16 length; /* written back: bytes in this buffer */
	u16 vlan; /* written back: with RXD_VP the tag that was taken out */
};
#define RXD_DD	   1u /* done: the driver's again */
#define RXD_EOP	   2u /* last buffer of the frame */
#define RXD_L4CS   4u /* the TCP or UDP checksum is right */
#define RXD_HASH   8u /* the hash is valid */
#define RXD_L4HASH 16u /* ports are part of it */
#define RXD_VP	   32u /* a tag was taken out */
#define RXD_TS	   64u /* a stamp stands in front of the frame */
#define RXD_LRO	   128u /* several segments were merged */

struct nic_tx_desc {
	u64 addr;
	u16 length;
	u16 csum_start; /* with TXD_CSUM, in the first descriptor: sum from here to the end ... */
	u8 csum_offset; /* ... into the field this far behind csum_start */
	u8 cmd;
	u8 status;
	u8 reserved;
};
#define TXD_EOP	 1u
#define TXD_CSUM 2u
/*
 * A context: no data; the frame behind it, with TXD_CSUM, is cut into TCP segments, or with TXD_USO
 * besides into UDP datagrams. length: payload
 * of each, csum_start: bytes of all headers, csum_offset: of those in front of the IP header. The
 * checksum field holds the sum of the pseudo header without the length.
 */
#define TXD_TSO 4u
#define TXD_USO 8u
/* A context, alone or with TXD_TSO: a tag is put in, the one in addr. */
#define TXD_VLAN 16u
#define TXD_TSTAMP                                                                     \
	32u /* in the first descriptor with data: when it leaves is kept in NIC_TXSTMP \
	     */
#define TXD_DD 1u /* status: sent */

/* Statistics registers: 64 bits wide, never cleared by a reset. */
#define NIC_HW_STATS(X)      \
	X(rx_arrived)        \
	X(rx_frames)         \
	X(rx_bytes)          \
	X(rx_broadcast)      \
	X(rx_multicast)      \
	X(rx_vlan)           \
	X(rx_filtered)       \
	X(rx_missed)         \
	X(rx_crc_errors)     \
	X(rx_length_errors)  \
	X(rx_disabled)       \
	X(rx_bad_descriptor) \
	X(rx_pause)          \
	X(rx_lro_merged)     \
	X(rx_lro_flushed)    \
	X(tx_frames)         \
	X(tx_bytes)          \
	X(tx_no_link)        \
	X(tx_no_buffer)      \
	X(tx_bad_descriptor) \
	X(tx_tso)            \
	X(tx_tso_segments)   \
	X(tx_pause)          \
	X(interrupts)        \
	X(interrupts_lost)   \
	X(interrupts_moderated)

struct nic_hw_stats {
#define X(name) u64 name;
	NIC_HW_STATS(X)
#undef X
};

struct nic_hw *nic_hw_create(struct world *w, u32 queues);
/* Must have been unplugged; pending events are cancelled. */
void nic_hw_free(struct nic_hw *hw);

u32 nic_hw_read(const struct nic_hw *hw, enum nic_reg reg, u32 index);
void nic_hw_write(struct nic_hw *hw, enum nic_reg reg, u32 index, u32 value);
const struct nic_hw_stats *nic_hw_stats(const struct nic_hw *hw);
/* Has it lied to the driver since the last reset (NIC_PARAM_RX_BAD_LEN and on)? Then what it counts
 * and what the driver has seen differ. nic_hw_lie(): from now on it has. */
bool nic_hw_lied(const struct nic_hw *hw);
void nic_hw_lie(struct nic_hw *hw);
/* An IOMMU in front of memory: `mapped` says what the device may touch. NULL: all of it. */
void nic_hw_iommu(struct nic_hw *hw, bool (*mapped)(void *ctx, u64 addr, u64 len), void *ctx);
/* Frames that wait on the board for others of their connection (LRO). */
u64 nic_hw_lro_held(const struct nic_hw *hw);
/* The MSI-X table: where vector `index` goes. NULL: nowhere. */
void nic_hw_msix(struct nic_hw *hw, u32 index, struct irq_desc *irq);
/* Which interface and host trace records name. */
void nic_hw_identity(struct nic_hw *hw, const struct host *host, u32 ifindex);

/* The bus. */
static inline u64 dma_map(const struct world *w, const void *p)
{
	return (u64)((const u8 *)p - w->mem.base);
}

/* Does [addr, addr + len) lie in [from, from + size)? */
static inline bool dma_within(u64 addr, u64 len, u64 from, u64 size)
{
	return addr >= from && addr - from <= size && len <= size - (addr - from);
}

/* Bit 0..63 of the multicast hash table for an address. */
u32 nic_mta_bit(const u8 *addr);

/* The technician: a wire's end in (NULL: out) of the socket, the cable good or cut, faults
 * (NIC_PARAM_TX_STALL, _IRQ_LOST, _IRQ_SPURIOUS). 0 or -errno. */
int nic_hw_plug(struct nic_hw *hw, struct wire *wire, u32 end);
void nic_hw_cable(struct nic_hw *hw, bool good);
int nic_hw_fault(struct nic_hw *hw, u32 param, u32 index, u64 value);

#endif
