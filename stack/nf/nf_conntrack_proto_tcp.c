/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking of TCP (net/netfilter/nf_conntrack_proto_tcp.c; RFC 9293 3.3.2 as one in the
 * middle sees it; G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter", for the window).
 * A packet moves the state by the table and must lie in the window that both sides have announced
 * (nf_conntrack_tcp_window.c), or it is invalid and changes nothing.
 */
#include "nf/nf_conntrack_tcp.h"

#include "wire/tcp.h"

#define sNO TCP_CONNTRACK_NONE
#define sSS TCP_CONNTRACK_SYN_SENT
#define sSR TCP_CONNTRACK_SYN_RECV
#define sES TCP_CONNTRACK_ESTABLISHED
#define sFW TCP_CONNTRACK_FIN_WAIT
#define sCW TCP_CONNTRACK_CLOSE_WAIT
#define sLA TCP_CONNTRACK_LAST_ACK
#define sTW TCP_CONNTRACK_TIME_WAIT
#define sCL TCP_CONNTRACK_CLOSE
#define sS2 TCP_CONNTRACK_SYN_SENT2
#define sIV TCP_CONNTRACK_MAX
#define sIG TCP_CONNTRACK_IGNORE

/*
 * New state by direction, kind of packet, and old state. sIG: let it through, the connection may be
 * out of step with its ends; sIV: it can not be.
 */
/* clang-format off */
static const u8 tcp_conntracks[IP_CT_DIR_MAX][6][TCP_CONNTRACK_MAX] = {
	{ /* original      sNO, sSS, sSR, sES, sFW, sCW, sLA, sTW, sCL, sS2 */
	[TCP_SYN_SET] =    { sSS, sSS, sIG, sIG, sIG, sIG, sIG, sSS, sSS, sS2 },
	[TCP_SYNACK_SET] = { sIV, sIV, sSR, sIV, sIV, sIV, sIV, sIV, sIV, sSR },
	[TCP_FIN_SET] =    { sIV, sIV, sFW, sFW, sLA, sLA, sLA, sTW, sCL, sIV },
	[TCP_ACK_SET] =    { sES, sIV, sES, sES, sCW, sCW, sTW, sTW, sCL, sIV },
	[TCP_RST_SET] =    { sIV, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL },
	[TCP_NONE_SET] =   { sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV },
	},
	{ /* reply         sNO, sSS, sSR, sES, sFW, sCW, sLA, sTW, sCL, sS2 */
	[TCP_SYN_SET] =    { sIV, sS2, sIV, sIV, sIV, sIV, sIV, sSS, sIV, sS2 },
	[TCP_SYNACK_SET] = { sIV, sSR, sIG, sIG, sIG, sIG, sIG, sIG, sIG, sSR },
	[TCP_FIN_SET] =    { sIV, sIV, sFW, sFW, sLA, sLA, sLA, sTW, sCL, sIV },
	[TCP_ACK_SET] =    { sIV, sIG, sSR, sES, sCW, sCW, sTW, sTW, sCL, sIG },
	[TCP_RST_SET] =    { sIV, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL },
	[TCP_NONE_SET] =   { sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV },
	},
};
/* clang-format on */

static const char *const state_names[] = { "NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
					   "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
					   "CLOSE",    "SYN_SENT2" };

const char *nf_ct_tcp_state_name(u32 state)
{
	return state < ARRAY_SIZE(state_names) ? state_names[state] : "UNKNOWN";
}

/* What came: a header and what follows from it. */
static u8 get_conntrack_index(const struct tcp_hdr *th)
{
	if (th->flags & TCPHDR_RST)
		return TCP_RST_SET;
	if (th->flags & TCPHDR_SYN)
		return th->flags & TCPHDR_ACK ? TCP_SYNACK_SET : TCP_SYN_SET;
	if (th->flags & TCPHDR_FIN)
		return TCP_FIN_SET;
	return th->flags & TCPHDR_ACK ? TCP_ACK_SET : TCP_NONE_SET;
}

/* RFC 9293 3.5 and sense: combinations without PSH and ECN's bits that may be. */
static bool tcp_flags_valid(u8 flags)
{
	switch (flags & ~(TCPHDR_ECE | TCPHDR_CWR | TCPHDR_PSH)) {
	case TCPHDR_SYN:
	case TCPHDR_SYN | TCPHDR_URG:
	case TCPHDR_SYN | TCPHDR_ACK:
	case TCPHDR_RST:
	case TCPHDR_RST | TCPHDR_ACK:
	case TCPHDR_FIN | TCPHDR_ACK:
	case TCPHDR_FIN | TCPHDR_ACK | TCPHDR_URG:
	case TCPHDR_ACK:
	case TCPHDR_ACK | TCPHDR_URG:
		return true;
	default:
		return false;
	}
}

/* tcp_error: reads the header; false: the packet is invalid. */
static bool tcp_read(struct nf_ct_segment *s, u8 buffer[TCP_HLEN_MAX])
{
	const struct nf_ct_packet *p = s->p;
	u32 n = min_u32(p->len, TCP_HLEN_MAX);
	const u8 *bytes = skb_header_pointer(p->skb, p->dataoff, n, buffer);

	if (!bytes || !tcp_parse(bytes, n, &s->th)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_SHORT);
		return false;
	}
	if (!nf_ct_checksum_ok(p)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_CHECKSUM);
		return false;
	}
	if (!tcp_flags_valid(s->th.flags)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_TCP_FLAGS);
		return false;
	}
	s->options = bytes + TCP_HLEN;
	s->options_len = s->th.doff - TCP_HLEN;
	s->index = get_conntrack_index(&s->th);
	s->end = s->th.seq + p->len - s->th.doff + !!(s->th.flags & TCPHDR_SYN) +
		 !!(s->th.flags & TCPHDR_FIN);
	return true;
}

/* The first packet of a connection: a SYN, or with tcp_loose one from its middle. */
static bool tcp_new(struct nf_conn *ct, const struct nf_ct_segment *s)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;
	struct ip_ct_tcp_state *seen = &state->seen[0];
	u8 new_state = tcp_conntracks[0][s->index][TCP_CONNTRACK_NONE];

	if (new_state >= TCP_CONNTRACK_MAX) {
		nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_STATE);
		return false;
	}
	if (new_state != TCP_CONNTRACK_SYN_SENT && !ct->net->sysctl.nf_conntrack_tcp_loose)
		return false;
	memset(state, 0, sizeof(*state));
	seen->td_end = s->end;
	seen->td_maxwin = max_u32(s->th.window, 1);
	seen->td_maxend = seen->td_end;
	if (new_state == TCP_CONNTRACK_SYN_SENT) {
		tcp_ct_options(s, seen);
	} else {
		/* Its history is not known, nor its window scale. */
		seen->td_maxend += seen->td_maxwin;
		state->seen[0].flags = IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL;
		state->seen[1].flags = state->seen[0].flags;
	}
	state->last_index = TCP_NONE_SET;
	return true;
}

bool nf_ct_tcp_can_early_drop(const struct nf_conn *ct)
{
	switch (ct->proto.tcp.state) {
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_LAST_ACK:
	case TCP_CONNTRACK_TIME_WAIT:
	case TCP_CONNTRACK_CLOSE:
	case TCP_CONNTRACK_CLOSE_WAIT:
		return true;
	default:
		return false;
	}
}

/* A FIN or RST that is out of the window, and the like from the other side: the ends may know
 * better, so that the entry shall not stay for days. (nf_tcp_handle_invalid) */
static void tcp_handle_invalid(struct nf_conn *ct, u8 dir, const struct nf_ct_segment *s)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;
	u64 timeout = nf_ct_seconds(ct->net->sysctl.nf_conntrack_tcp_timeout_unacknowledged);

	if (!(ct->status & IPS_ASSURED) || (s->index != TCP_RST_SET && s->index != TCP_FIN_SET))
		return;
	if (state->last_dir == dir ||
	    (state->last_index != TCP_FIN_SET && state->last_index != TCP_RST_SET)) {
		state->last_index = s->index;
		state->last_dir = dir;
		return;
	}
	if (nf_ct_expires(ct) < nf_ct_seconds(120) || nf_ct_expires(ct) <= timeout)
		return;
	nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_LOWER_TIMEOUT);
	ct->timeout = jiffies(ct->net->host) + timeout;
}

/* ---- what a state asks before the window is looked at ---- */

/* What is to be done with a packet by the state it leads to. */
enum verdict {
	CHECK_WINDOW,
	IN_WINDOW, /* the window need not be looked at */
	LET_THROUGH, /* changes nothing */
	NOT_VALID,
	LOOK_AGAIN,
	DROP,
};

/* A SYN-ACK for a SYN that was ignored: the ends are in step with each other, and now we are. */
static void tcp_resync(struct ip_ct_tcp *state, u8 dir)
{
	struct ip_ct_tcp_state *seen = &state->seen[state->last_dir];

	seen->td_end = state->last_end;
	seen->td_maxend = state->last_end;
	seen->td_maxwin = max_u32(state->last_win, 1);
	seen->td_scale = state->last_wscale;
	state->last_flags &= (u8)~IP_CT_EXP_CHALLENGE_ACK;
	seen->flags = state->last_flags;
	memset(&state->seen[dir], 0, sizeof(state->seen[dir]));
}

/* Remembers a packet that is let through unjudged, a SYN with its options. */
static void tcp_remember_ignored(struct ip_ct_tcp *state, const struct nf_ct_segment *s, u8 dir,
				 u8 old_state)
{
	state->last_index = s->index;
	state->last_dir = dir;
	state->last_seq = s->th.seq;
	state->last_end = s->end;
	state->last_win = s->th.window;
	if (s->index == TCP_SYN_SET && dir == IP_CT_DIR_ORIGINAL) {
		struct ip_ct_tcp_state seen = { 0 };

		state->last_flags = 0;
		state->last_wscale = 0;
		tcp_ct_options(s, &seen);
		if (seen.flags & IP_CT_TCP_FLAG_WINDOW_SCALE) {
			state->last_flags |= IP_CT_TCP_FLAG_WINDOW_SCALE;
			state->last_wscale = seen.td_scale;
		}
		state->last_flags |= seen.flags & IP_CT_TCP_FLAG_SACK_PERM;
		/* The challenge ACK of RFC 5961 4 would pass for that of the last FIN. */
		if (old_state == TCP_CONNTRACK_LAST_ACK)
			state->last_flags |= IP_CT_EXP_CHALLENGE_ACK;
	}
	/* Perhaps a challenge ACK in answer to the SYN. */
	if (old_state == TCP_CONNTRACK_SYN_SENT && s->index == TCP_ACK_SET &&
	    dir == IP_CT_DIR_REPLY)
		state->last_ack = s->th.ack_seq;
}

static enum verdict tcp_ignored(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir,
				u8 *old_state, u8 *new_state)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;

	if (s->index == TCP_SYNACK_SET && state->last_index == TCP_SYN_SET &&
	    state->last_dir != dir && s->th.ack_seq == state->last_end) {
		*old_state = TCP_CONNTRACK_SYN_SENT;
		*new_state = TCP_CONNTRACK_SYN_RECV;
		tcp_resync(state, dir);
		return CHECK_WINDOW;
	}
	tcp_remember_ignored(state, s, dir, *old_state);
	nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_IGNORED);
	return LET_THROUGH;
}

/* A SYN when the connection is over: it may open it anew (RFC 9293 3.6.1), as a new entry. */
static enum verdict tcp_reopen(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir,
			       u8 *old_state, u8 *new_state)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;

	if (*old_state < TCP_CONNTRACK_TIME_WAIT)
		return CHECK_WINDOW;
	if ((state->seen[0].flags | state->seen[1].flags) & IP_CT_TCP_FLAG_CLOSE_INIT ||
	    (state->last_dir == dir && state->last_index == TCP_RST_SET))
		return nf_ct_kill(ct) ? LOOK_AGAIN : DROP;
	return tcp_ignored(ct, s, dir, old_state, new_state);
}

/*
 * A RST against the highest acknowledgment of the other side. True: that decides, *verdict says
 * how. False: it is not exactly the next, the connection stays (*new_state), and other tests may
 * still know better.
 */
static bool tcp_rst_sequence(const struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir,
			     enum verdict *verdict)
{
	const struct ip_ct_tcp *state = &ct->proto.tcp;
	const struct ip_ct_tcp_state *other = &state->seen[!dir];
	bool established = state->state == TCP_CONNTRACK_ESTABLISHED && ct->status & IPS_ASSURED;
	u32 seq = s->th.seq;

	*verdict = CHECK_WINDOW;
	/* Most likely an answer to a SYN that was let through. */
	if (!seq && !established)
		return true;
	if (before(seq, other->td_maxack) && !ct->net->sysctl.nf_conntrack_tcp_ignore_invalid_rst) {
		nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_RST);
		*verdict = NOT_VALID;
		return true;
	}
	if (!established || seq == other->td_maxack)
		return true;
	/* Right behind data of the same side that went by. */
	return state->last_index == TCP_ACK_SET && state->last_dir == dir && seq == state->last_end;
}

static enum verdict tcp_rst(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir, u8 old_state,
			    u8 *new_state)
{
	const struct ip_ct_tcp *state = &ct->proto.tcp;
	enum verdict verdict;

	/* When it is closing its ports may be in use again: nothing known of it is worth much. */
	if (nf_ct_tcp_can_early_drop(ct))
		return IN_WINDOW;
	/* td_maxack is old when a SYN was let through. */
	if (state->seen[!dir].flags & IP_CT_TCP_FLAG_MAXACK_SET &&
	    state->last_index != TCP_SYN_SET) {
		if (tcp_rst_sequence(ct, s, dir, &verdict))
			return verdict;
		/* RFC 5961 3.2: the receiver will answer with a challenge ACK. */
		*new_state = old_state;
	}
	/* It answers the SYN, or the ACK to a half-open connection, that was let through. */
	if (((ct->status & IPS_SEEN_REPLY && state->last_index == TCP_SYN_SET) ||
	     (!(ct->status & IPS_ASSURED) && state->last_index == TCP_ACK_SET)) &&
	    s->th.ack_seq == state->last_end)
		return IN_WINDOW;
	/* It answers a challenge ACK that was let through. */
	if (old_state == TCP_CONNTRACK_SYN_SENT && state->last_index == TCP_ACK_SET &&
	    state->last_dir == IP_CT_DIR_REPLY && s->th.seq == state->last_ack)
		return IN_WINDOW;
	return CHECK_WINDOW;
}

static enum verdict tcp_judge(struct nf_conn *ct, const struct nf_ct_segment *s, u8 dir,
			      u8 *old_state, u8 *new_state)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;

	switch (*new_state) {
	case TCP_CONNTRACK_SYN_SENT:
		return tcp_reopen(ct, s, dir, old_state, new_state);
	case TCP_CONNTRACK_IGNORE:
		return tcp_ignored(ct, s, dir, old_state, new_state);
	case TCP_CONNTRACK_MAX:
		nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_STATE);
		return NOT_VALID;
	case TCP_CONNTRACK_TIME_WAIT:
		/* RFC 5961 4: an ACK that challenges a SYN acknowledges no FIN. */
		if (*old_state == TCP_CONNTRACK_LAST_ACK && s->index == TCP_ACK_SET &&
		    state->last_dir != dir && state->last_index == TCP_SYN_SET &&
		    state->last_flags & IP_CT_EXP_CHALLENGE_ACK) {
			state->last_flags &= (u8)~IP_CT_EXP_CHALLENGE_ACK;
			nf_ct_l4proto_log_invalid(s->p, NF_CT_INVALID_TCP_CHALLENGE_ACK);
			return LET_THROUGH;
		}
		return CHECK_WINDOW;
	case TCP_CONNTRACK_SYN_SENT2:
		/* The table is not clever enough for a simultaneous open. */
		state->last_flags |= IP_CT_TCP_SIMULTANEOUS_OPEN;
		return CHECK_WINDOW;
	case TCP_CONNTRACK_SYN_RECV:
		if (dir == IP_CT_DIR_REPLY && s->index == TCP_ACK_SET &&
		    state->last_flags & IP_CT_TCP_SIMULTANEOUS_OPEN)
			*new_state = TCP_CONNTRACK_ESTABLISHED;
		return CHECK_WINDOW;
	case TCP_CONNTRACK_CLOSE:
		return s->index == TCP_RST_SET ? tcp_rst(ct, s, dir, *old_state, new_state) :
						 CHECK_WINDOW;
	default:
		return CHECK_WINDOW;
	}
}

/* ---- after it ---- */

static s32 state_seconds(const struct netns_sysctl *s, u8 state)
{
	switch (state) {
	case TCP_CONNTRACK_SYN_SENT:
	case TCP_CONNTRACK_SYN_SENT2:
		return s->nf_conntrack_tcp_timeout_syn_sent;
	case TCP_CONNTRACK_SYN_RECV:
		return s->nf_conntrack_tcp_timeout_syn_recv;
	case TCP_CONNTRACK_ESTABLISHED:
		return s->nf_conntrack_tcp_timeout_established;
	case TCP_CONNTRACK_FIN_WAIT:
		return s->nf_conntrack_tcp_timeout_fin_wait;
	case TCP_CONNTRACK_CLOSE_WAIT:
		return s->nf_conntrack_tcp_timeout_close_wait;
	case TCP_CONNTRACK_LAST_ACK:
		return s->nf_conntrack_tcp_timeout_last_ack;
	case TCP_CONNTRACK_TIME_WAIT:
		return s->nf_conntrack_tcp_timeout_time_wait;
	default:
		return s->nf_conntrack_tcp_timeout_close;
	}
}

/* How long the connection lives from this packet on. */
static s32 tcp_timeout(const struct nf_conn *ct, u8 index, u8 new_state)
{
	const struct ip_ct_tcp *state = &ct->proto.tcp;
	const struct netns_sysctl *s = &ct->net->sysctl;
	s32 timeout = state_seconds(s, new_state);

	if (state->retrans >= s->nf_conntrack_tcp_max_retrans &&
	    timeout > s->nf_conntrack_tcp_timeout_max_retrans)
		return s->nf_conntrack_tcp_timeout_max_retrans;
	if (index == TCP_RST_SET)
		return s->nf_conntrack_tcp_timeout_close;
	if ((state->seen[0].flags | state->seen[1].flags) & IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED &&
	    timeout > s->nf_conntrack_tcp_timeout_unacknowledged)
		return s->nf_conntrack_tcp_timeout_unacknowledged;
	if (state->last_win == 0 && timeout > s->nf_conntrack_tcp_timeout_max_retrans)
		return s->nf_conntrack_tcp_timeout_max_retrans;
	return timeout;
}

/* The packet counts: state, timeout, ASSURED. */
static int tcp_advance(struct nf_conn *ct, const struct nf_ct_segment *s, u32 ctinfo, u8 old_state,
		       u8 new_state)
{
	struct ip_ct_tcp *state = &ct->proto.tcp;
	s32 unack = ct->net->sysctl.nf_conntrack_tcp_timeout_unacknowledged, timeout;
	u8 dir = (u8)CTINFO2DIR(ctinfo);

	state->last_index = s->index;
	state->last_dir = dir;
	state->state = new_state;
	if (old_state != new_state && new_state == TCP_CONNTRACK_FIN_WAIT)
		state->seen[dir].flags |= IP_CT_TCP_FLAG_CLOSE_INIT;
	timeout = tcp_timeout(ct, s->index, new_state);
	if (!(ct->status & IPS_SEEN_REPLY)) {
		/* Nothing but a RST has answered: there never was a connection. */
		if (s->th.flags & TCPHDR_RST) {
			nf_ct_acct_update(ct, s->p->skb, dir);
			nf_ct_kill(ct);
			return NF_ACCEPT;
		}
		/* One who repeats his SYN shall not keep the entry for ever. */
		if (s->index == TCP_SYN_SET && old_state == TCP_CONNTRACK_SYN_SENT)
			return NF_ACCEPT;
		/* Picked up in its middle, and no answer seen. */
		if (new_state == TCP_CONNTRACK_ESTABLISHED && timeout > unack)
			timeout = unack;
	} else if (!(ct->status & IPS_ASSURED) &&
		   (old_state == TCP_CONNTRACK_SYN_RECV ||
		    old_state == TCP_CONNTRACK_ESTABLISHED) &&
		   new_state == TCP_CONNTRACK_ESTABLISHED) {
		ct->status |= IPS_ASSURED;
	}
	nf_ct_refresh_acct(ct, s->p->skb, ctinfo, nf_ct_seconds(timeout));
	return NF_ACCEPT;
}

int nf_conntrack_tcp_packet(struct nf_conn *ct, const struct nf_ct_packet *p, u32 ctinfo)
{
	struct nf_ct_segment s = { .p = p };
	u8 buffer[TCP_HLEN_MAX], dir = (u8)CTINFO2DIR(ctinfo), old_state, new_state;
	enum verdict verdict;

	if (!tcp_read(&s, buffer))
		return -NF_ACCEPT;
	if (!nf_ct_is_confirmed(ct) && !tcp_new(ct, &s))
		return -NF_ACCEPT;
	old_state = ct->proto.tcp.state;
	new_state = tcp_conntracks[dir][s.index][old_state];
	verdict = tcp_judge(ct, &s, dir, &old_state, &new_state);
	if (verdict == CHECK_WINDOW) {
		switch (tcp_in_window(ct, &s, dir)) {
		case NFCT_TCP_IGNORE:
			verdict = LET_THROUGH;
			break;
		case NFCT_TCP_INVALID:
			tcp_handle_invalid(ct, dir, &s);
			verdict = NOT_VALID;
			break;
		case NFCT_TCP_ACCEPT:
			break;
		}
	}
	switch (verdict) {
	case LET_THROUGH:
		return NF_ACCEPT;
	case NOT_VALID:
		return -NF_ACCEPT;
	case LOOK_AGAIN:
		return -NF_REPEAT;
	case DROP:
		return -NF_DROP;
	default:
		return tcp_advance(ct, &s, ctinfo, old_state, new_state);
	}
}
