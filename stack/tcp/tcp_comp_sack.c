/* SPDX-License-Identifier: MIT */
/*
 * ACK compression (net/ipv4/tcp_input.c: __tcp_ack_snd_check): while segments come out of order the
 * receiver acknowledges the first three at once (RFC 5681 4.2: the sender's fast retransmit waits
 * for them), and of those that follow only the last within a twentieth of the round trip.
 *
 * Invariant: compressed_ack counts the ACKs that were held back; while it is not 0 the timer is
 * armed, and whatever ACK leaves carries what they would have said and ends both.
 */
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_output.h"

bool tcp_compress_ack(struct sock *sk)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	struct timer_set *ts = &inet_csk(sk)->icsk_timers;
	struct tcp_sock *tp = tcp_sk(sk);
	u64 delay, rtt = tp->rcv_rtt_us;

	if (!tcp_is_sack(tp) || tp->compressed_ack >= (u32)sysctl->tcp_comp_sack_nr)
		return false;
	if (tp->compressed_ack_rcv_nxt != tp->rcv_nxt) {
		tp->compressed_ack_rcv_nxt = tp->rcv_nxt;
		tp->dup_ack_counter = 0;
	}
	if (tp->dup_ack_counter < TCP_FASTRETRANS_THRESH) {
		tp->dup_ack_counter++;
		return false;
	}
	tp->compressed_ack++;
	if (timer_set_pending(ts, ICSK_TIMER_COMPRESSED_ACK))
		return true;
	/* Both estimates are eight times the RTT. */
	if (tp->srtt_us && tp->srtt_us < rtt)
		rtt = tp->srtt_us;
	delay = min_u64((u64)sysctl->tcp_comp_sack_delay_ns, rtt * (NSEC_PER_USEC >> 3) / 20);
	/* The hardware is set to the end of the range in which the timer may fire. */
	timer_set_start(ts, ICSK_TIMER_COMPRESSED_ACK,
			net_world(sk->net)->now + delay + (u64)sysctl->tcp_comp_sack_slack_ns);
	return true;
}

void tcp_compressed_ack_sent(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	MIB_ADD(sk->net, TcpExtTCPAckCompressed, tp->compressed_ack);
	tp->compressed_ack = 0;
	timer_set_del(&inet_csk(sk)->icsk_timers, ICSK_TIMER_COMPRESSED_ACK);
}

void tcp_compressed_ack_kick(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->compressed_ack)
		return;
	/* One of them is sent after all. */
	tp->compressed_ack--;
	tcp_mstamp_refresh(tp);
	tcp_send_ack(sk);
}
