/* SPDX-License-Identifier: MIT */
/* Between the files of TCP's connection tracking: a segment as read, the window. */
#ifndef TAPLINE_NF_NF_CONNTRACK_TCP_H
#define TAPLINE_NF_NF_CONNTRACK_TCP_H

#include "lib/seq.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

#define IP_CT_TCP_FLAG_WINDOW_SCALE	   0x01u
#define IP_CT_TCP_FLAG_SACK_PERM	   0x02u
#define IP_CT_TCP_FLAG_CLOSE_INIT	   0x04u /* this side sent the first FIN */
#define IP_CT_TCP_FLAG_BE_LIBERAL	   0x08u /* a packet out of the window is right, too */
#define IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED 0x10u
#define IP_CT_TCP_FLAG_MAXACK_SET	   0x20u /* td_maxack is known */
#define IP_CT_EXP_CHALLENGE_ACK		   0x40u
#define IP_CT_TCP_SIMULTANEOUS_OPEN	   0x80u

/* Kinds of segments: rows of the table of transitions. */
enum { TCP_SYN_SET, TCP_SYNACK_SET, TCP_FIN_SET, TCP_ACK_SET, TCP_RST_SET, TCP_NONE_SET };

struct nf_ct_segment {
	const struct nf_ct_packet *p;
	struct tcp_hdr th;
	const u8 *options;
	u32 options_len;
	u32 end; /* behind its last number, SYN and FIN counted */
	u8 index; /* TCP_SYN_SET, ... */
};

enum nf_ct_tcp_action {
	NFCT_TCP_IGNORE, /* let it through, it changes nothing */
	NFCT_TCP_INVALID,
	NFCT_TCP_ACCEPT,
};

/* Is the segment one that its receiver takes, and an acknowledgment of what it was sent? What both
 * sides have said is brought up to date. */
enum nf_ct_tcp_action tcp_in_window(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir);
/* Window scale and SACK permission of a SYN (RFC 7323 2.2, RFC 2018 2); BE_LIBERAL stays. */
void tcp_ct_options(const struct nf_ct_segment *s, struct ip_ct_tcp_state *state);

#endif
