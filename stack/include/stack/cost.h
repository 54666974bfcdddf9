/* SPDX-License-Identifier: MIT */
/* The cost model for OP_COST: virtual ns a CPU is busy for. All zero by default. */
#ifndef TAPLINE_STACK_COST_H
#define TAPLINE_STACK_COST_H

enum cost_kind {
	COST_IRQ, /* a hard interrupt handler */
	COST_SOFTIRQ, /* entering a softirq action */
	COST_POLL, /* one NAPI poll call */
	COST_RX_PACKET, /* a frame through netif_receive_skb */
	COST_RX_BYTE, /* each byte of it, in picoseconds x 1000 = ns per 1,000 bytes */
	COST_TX_PACKET,
	COST_SYSCALL, /* one step of a system call */
	COST_TIMER,
	COST_TX_BYTE, /* each byte of a frame that is sent, in ns per 1,000 bytes */
	COST_TX_COMPLETE, /* a sent frame that the driver cleans up */
	COST_IPI, /* telling another CPU that packets wait for it (RPS) */
	COST_KIND_COUNT
};

#endif
