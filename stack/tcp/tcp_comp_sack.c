/* SPDX-License-Identifier: MIT */
/*
 * ACK compression (net/ipv4/tcp_input.c: __tcp_ack_snd_check): while segments come out of order the
 * receiver acknowledges the first three at once (RFC 5681 4.2: the sender's fast retransmit waits
 * for them), and of those that follow only the last within a twentieth of the round trip.
 *
 * Invariant: compressed_ack counts the ACKs that were held back; while it is not 0 the timer is
 * armed, and whatever ACK leaves carries what they would have said and ends both.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_output.h"

bool tcp_compress_ack(struct sock *sk)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);
	u64 delay, rtt = tp->rcv_rtt_us;

	if (!tcp_is_sack(tp) || loss->compressed_ack >= (u32)sysctl->tcp_comp_sack_nr)
		return false;
	if (loss->compressed_ack_rcv_nxt != tp->rcv_nxt) {
		loss->compressed_ack_rcv_nxt = tp->rcv_nxt;
		loss->dup_ack_counter = 0;
	}
	if (loss->dup_ack_counter < TCP_FASTRETRANS_THRESH) {
		loss->dup_ack_counter++;
		return false;
	}
	loss->compressed_ack++;
	if (timer_pending(&loss->compressed_ack_timer))
		return true;
	/* Both estimates are eight times the RTT. */
	if (tp->srtt_us && tp->srtt_us < rtt)
		rtt = tp->srtt_us;
	delay = min_u64((u64)sysctl->tcp_comp_sack_delay_ns, rtt * (NSEC_PER_USEC >> 3) / 20);
	/* The hardware is set to the end of the range in which the timer may fire. */
	hrtimer_start(&loss->compressed_ack_timer,
		      net_world(sk->net)->now + delay + (u64)sysctl->tcp_comp_sack_slack_ns);
	return true;
}

void tcp_compressed_ack_sent(struct sock *sk)
{
	struct tcp_loss *loss = tcp_loss_own(tcp_sk(sk));

	MIB_ADD(sk->net, TcpExtTCPAckCompressed, loss->compressed_ack);
	loss->compressed_ack = 0;
	del_timer(&loss->compressed_ack_timer);
}

void tcp_compressed_ack_kick(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->loss->compressed_ack)
		return;
	/* One of them is sent after all. */
	tcp_loss_own(tp)->compressed_ack--;
	tcp_mstamp_refresh(tp);
	tcp_send_ack(sk);
}

void tcp_compressed_ack_timer(struct timer *t)
{
	struct sock *sk = container_of(t, struct tcp_loss, compressed_ack_timer)->sk;

	sock_hold(sk);
	tcp_compressed_ack_kick(sk);
	sock_put(sk);
}
