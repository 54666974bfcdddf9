/* SPDX-License-Identifier: MIT */
/*
 * The window of a tracked TCP connection (tcp_in_window of nf_conntrack_proto_tcp.c; van Rooij,
 * section 3). For data of A towards B, with what A (the sender) and B (the receiver) have said:
 *
 *   I    seq + len <= what B has acknowledged + its window		 (td_maxend of A)
 *   II   seq >= what A sent last - the largest window of B		 (td_end of A, td_maxwin of
 * B) III  ack <= what B has sent					 (td_end of B) IV   ack >=
 * what B has sent - max(largest window of A, 66000)
 *
 * I is tested with seq, so that a segment may begin in the window and end behind it (RFC 9293
 * 3.10.7.4 lets a receiver take its front).
 */
#include "nf/nf_conntrack_tcp.h"

#define TCP_MAX_WSCALE 14u
#define MAXACKWINCONST 66000u

/* ---- options ---- */

void tcp_ct_options(const struct nf_ct_segment *s, struct ip_ct_tcp_state *state)
{
	u32 next, size;
	u8 kind;

	state->td_scale = 0;
	state->flags &= IP_CT_TCP_FLAG_BE_LIBERAL;
	for (u32 at = 0; at < s->options_len; at = next) {
		next = tcp_option_next(s->options, s->options_len, at, &kind, &size);
		if (!size || kind == TCPOPT_EOL)
			return;
		if (kind == TCPOPT_SACK_PERM && size == 2) {
			state->flags |= IP_CT_TCP_FLAG_SACK_PERM;
		} else if (kind == TCPOPT_WINDOW && size == 3) {
			state->td_scale = (u8)min_u32(s->options[at + 2], TCP_MAX_WSCALE);
			state->flags |= IP_CT_TCP_FLAG_WINDOW_SCALE;
		}
		if (!next)
			return;
	}
}

/* The highest edge of SACK blocks (RFC 2018 3), at least `sack`. */
static u32 tcp_sack(const struct nf_ct_segment *s, u32 sack)
{
	u32 next, size;
	u8 kind;

	for (u32 at = 0; at < s->options_len; at = next) {
		next = tcp_option_next(s->options, s->options_len, at, &kind, &size);
		if (!size || kind == TCPOPT_EOL)
			return sack;
		if (kind == TCPOPT_SACK && size >= 10 && (size - 2) % 8 == 0) {
			for (u32 i = at + 2; i < at + size; i += 8) {
				u32 edge = get_be32(s->options + i + 4);

				if (after(edge, sack))
					sack = edge;
			}
			return sack;
		}
		if (!next)
			return sack;
	}
	return sack;
}

/* ---- the window ---- */

static u32 max_ack_window(const struct ip_ct_tcp_state *sender)
{
	return max_u32(sender->td_maxwin, MAXACKWINCONST);
}

/* The first SYN of a side, or a new one of a connection that does not stand yet. */
static void tcp_init_sender(struct ip_ct_tcp_state *sender, struct ip_ct_tcp_state *receiver,
			    const struct nf_ct_segment *s, u8 dir)
{
	sender->td_end = s->end;
	sender->td_maxend = s->end;
	sender->td_maxwin = max_u32(s->th.window, 1);
	tcp_ct_options(s, sender);
	/* RFC 7323 2.2: both must send the option, or neither scales. */
	if (dir == IP_CT_DIR_REPLY &&
	    !(sender->flags & receiver->flags & IP_CT_TCP_FLAG_WINDOW_SCALE)) {
		sender->td_scale = 0;
		receiver->td_scale = 0;
	}
}

/* A side that was never heard, in the middle of a connection: what the packet says is believed. */
static void pick_up_sender(struct ip_ct_tcp_state *sender, struct ip_ct_tcp_state *receiver,
			   const struct nf_ct_segment *s, u32 sack)
{
	sender->td_end = s->end;
	sender->td_maxwin = max_u32((u32)s->th.window << sender->td_scale, 1);
	sender->td_maxend = s->end + sender->td_maxwin;
	if (receiver->td_maxwin == 0) {
		receiver->td_end = sack;
		receiver->td_maxend = sack;
	} else if (sack == receiver->td_end + 1) {
		receiver->td_end++; /* likely the answer to a keepalive */
	}
}

static enum nf_ct_tcp_action not_in_window(const struct nf_conn *ct, const struct nf_ct_segment *s,
					   const struct ip_ct_tcp_state *sender,
					   enum nf_ct_tcp_action action, enum nf_ct_invalid why)
{
	if (sender->flags & IP_CT_TCP_FLAG_BE_LIBERAL ||
	    ct->net->sysctl.nf_conntrack_tcp_be_liberal)
		return NFCT_TCP_ACCEPT;
	nf_ct_l4proto_log_invalid(s->p, why);
	return action;
}

/* Test I failed. One that sends a little more than the window allows is believed as far as that an
 * acknowledgment of it may come. */
static enum nf_ct_tcp_action over_upper_bound(const struct nf_conn *ct,
					      const struct nf_ct_segment *s,
					      struct ip_ct_tcp_state *sender,
					      const struct ip_ct_tcp_state *receiver, u32 end,
					      u32 sack)
{
	u32 overshot = end - sender->td_maxend + 1;
	bool in_recv_win =
		receiver->td_maxwin && after(end, sender->td_end - receiver->td_maxwin - 1);

	if (in_recv_win && after(sack, receiver->td_end - max_ack_window(sender) - 1) &&
	    overshot <= receiver->td_maxwin && before(sack, receiver->td_end + 1)) {
		sender->td_end = end;
		sender->flags |= IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED;
		return not_in_window(ct, s, sender, NFCT_TCP_IGNORE,
				     NF_CT_INVALID_TCP_SEQ_OVERSHOT);
	}
	return not_in_window(ct, s, sender, NFCT_TCP_INVALID, NF_CT_INVALID_TCP_SEQ_OVER);
}

/* What the segment says, numbers as they are taken. */
struct claim {
	u32 seq, end, ack, sack, win;
};

/* Sender's and receiver's numbers by a segment that lies in the window. */
static void update_window(struct ip_ct_tcp *state, struct ip_ct_tcp_state *sender,
			  struct ip_ct_tcp_state *receiver, const struct nf_ct_segment *s,
			  const struct claim *c, u8 dir)
{
	u32 win = s->th.flags & TCPHDR_SYN ? c->win : c->win << sender->td_scale;

	sender->td_maxwin = max_u32(sender->td_maxwin, win + (c->sack - c->ack));
	if (after(c->end, sender->td_end)) {
		sender->td_end = c->end;
		sender->flags |= IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED;
	}
	if (s->th.flags & TCPHDR_ACK) {
		if (!(sender->flags & IP_CT_TCP_FLAG_MAXACK_SET) ||
		    after(c->ack, sender->td_maxack))
			sender->td_maxack = c->ack;
		sender->flags |= IP_CT_TCP_FLAG_MAXACK_SET;
	}
	if (receiver->td_maxwin && after(c->end, sender->td_maxend))
		receiver->td_maxwin += c->end - sender->td_maxend;
	if (after(c->sack + win, receiver->td_maxend - 1)) {
		receiver->td_maxend = c->sack + win;
		if (!win)
			receiver->td_maxend++;
	}
	if (c->ack == receiver->td_end)
		receiver->flags &= (u8)~IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED;
	if (s->index != TCP_ACK_SET)
		return;
	/* The same again is a retransmission. */
	if (state->last_dir == dir && state->last_seq == c->seq && state->last_ack == c->ack &&
	    state->last_end == c->end && state->last_win == s->th.window) {
		state->retrans++;
		return;
	}
	state->last_dir = dir;
	state->last_seq = c->seq;
	state->last_ack = c->ack;
	state->last_end = c->end;
	state->last_win = s->th.window;
	state->retrans = 0;
}

enum nf_ct_tcp_action tcp_in_window(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;
	struct ip_ct_tcp_state *sender = &state->seen[dir], *receiver = &state->seen[!dir];
	struct claim c = { s->th.seq, s->end, s->th.ack_seq, s->th.ack_seq, s->th.window };
	bool syn = s->th.flags & TCPHDR_SYN, ack = s->th.flags & TCPHDR_ACK;
	bool rst = s->th.flags & TCPHDR_RST;

	if (receiver->flags & IP_CT_TCP_FLAG_SACK_PERM)
		c.sack = tcp_sack(s, c.sack);
	if (sender->td_maxwin == 0 && !syn) {
		pick_up_sender(sender, receiver, s, c.sack);
	} else if (sender->td_maxwin == 0 || (syn && after(c.end, sender->td_end) &&
					      (state->state == TCP_CONNTRACK_SYN_SENT ||
					       state->state == TCP_CONNTRACK_SYN_RECV))) {
		bool first = sender->td_maxwin == 0;

		tcp_init_sender(sender, receiver, s, dir);
		/* Simultaneous open. */
		if (!ack && (first || dir == IP_CT_DIR_REPLY))
			return NFCT_TCP_ACCEPT;
	}
	/* No acknowledgment, or one of 0 in a RST, as some send it: nothing is said. */
	if (!ack || (rst && c.ack == 0))
		c.ack = c.sack = receiver->td_end;
	/* A RST that answers a SYN. */
	if (rst && c.seq == 0 && state->state == TCP_CONNTRACK_SYN_SENT)
		c.seq = c.end = sender->td_end;
	if (!before(c.seq, sender->td_maxend + 1))
		return over_upper_bound(ct, s, sender, receiver, c.end, c.sack);
	if (!before(c.sack, receiver->td_end + 1))
		return not_in_window(ct, s, sender, NFCT_TCP_INVALID, NF_CT_INVALID_TCP_ACK_OVER);
	if (receiver->td_maxwin && !after(c.end, sender->td_end - receiver->td_maxwin - 1))
		return not_in_window(ct, s, sender, NFCT_TCP_IGNORE, NF_CT_INVALID_TCP_SEQ_UNDER);
	if (!after(c.sack, receiver->td_end - max_ack_window(sender) - 1))
		return not_in_window(ct, s, sender, NFCT_TCP_IGNORE, NF_CT_INVALID_TCP_ACK_UNDER);
	update_window(state, sender, receiver, s, &c, dir);
	return NFCT_TCP_ACCEPT;
}
