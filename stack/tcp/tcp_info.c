/* SPDX-License-Identifier: MIT */
/*
 * struct tcp_info (tcp_get_info), in Linux x86-64's layout on every machine.
 *
 * Invariant: reading changes nothing.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_user.h"

static u64 delivery_rate(const struct tcp_sock *tp)
{
	if (!tp->rate_delivered || !tp->rate_interval_us)
		return 0;
	return (u64)tp->rate_delivered * tp->mss_cache * 1000000 / tp->rate_interval_us;
}

static u8 info_options(const struct tcp_sock *tp)
{
	return (u8)((tp->rx_opt.tstamp_ok ? TCPI_OPT_TIMESTAMPS : 0) |
		    (tcp_is_sack(tp) ? TCPI_OPT_SACK : 0) |
		    (tp->rx_opt.wscale_ok ? TCPI_OPT_WSCALE : 0) |
		    (tp->ecn_flags & TCP_ECN_MODE_ANY ? TCPI_OPT_ECN : 0) |
		    (tp->ecn_flags & TCP_ECN_SEEN ? TCPI_OPT_ECN_SEEN : 0) |
		    (tp->syn_data_acked ? TCPI_OPT_SYN_DATA : 0) |
		    (tp->syn_fastopen_child ? TCPI_OPT_TFO_CHILD : 0));
}

/* Offsets 0..103: what every Linux had. */
static void info_first(const struct sock *sk, u8 *p)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_jiffies32(sk);

	p[1] = icsk->icsk_ca_state;
	p[2] = icsk->icsk_retransmits;
	p[3] = icsk->icsk_probes_out;
	p[4] = icsk->icsk_backoff;
	p[5] = info_options(tp);
	if (tp->rx_opt.wscale_ok)
		p[6] = (u8)(tp->rx_opt.snd_wscale | tp->rx_opt.rcv_wscale << 4);
	p[7] = (u8)(tp->rate_app_limited | tp->fastopen_client_fail << 1);
	put_le32(p + 8, icsk->icsk_rto * 1000);
	put_le32(p + 12, min_u32(icsk->icsk_ack.ato, icsk->icsk_delack_max) * 1000);
	put_le32(p + 16, tp->mss_cache);
	put_le32(p + 20, icsk->icsk_ack.rcv_mss);
	put_le32(p + 24, tp->packets_out);
	put_le32(p + 28, tp->sacked_out);
	put_le32(p + 32, tp->lost_out);
	put_le32(p + 36, tp->retrans_out);
	put_le32(p + 44, now - tp->lsndtime);
	put_le32(p + 52, now - icsk->icsk_ack.lrcvtime);
	put_le32(p + 56, now - tp->rcv_tstamp);
	put_le32(p + 60, icsk->icsk_pmtu_cookie);
	put_le32(p + 64, tp->rcv_ssthresh);
	put_le32(p + 68, tp->srtt_us >> 3);
	put_le32(p + 72, tp->mdev_us >> 2);
	put_le32(p + 76, tp->snd_ssthresh);
	put_le32(p + 80, tp->snd_cwnd);
	put_le32(p + 84, tp->advmss);
	put_le32(p + 88, tp->reordering);
	put_le32(p + 92, tp->rcv_rtt_us >> 3);
	put_le32(p + 96, tp->rcvq_space);
	put_le32(p + 100, tp->loss->total_retrans);
}

static void info_chronos(const struct tcp_sock *tp, u8 *p)
{
	u64 stats[3], total = 0;
	u32 now = tcp_jiffies32(&tp->inet_conn.icsk_inet);

	for (u32 i = 0; i < 3; i++) {
		stats[i] = tp->chrono_stat[i];
		if (tp->chrono_type == i + 1)
			stats[i] += now - tp->chrono_start;
		stats[i] *= 1000000 / HZ;
		total += stats[i];
	}
	put_le64(p, total);
	put_le64(p + 8, stats[1]);
	put_le64(p + 16, stats[2]);
}

/* Time-outs, and the time that they took, with that of one that is not over. */
static void info_rto(const struct sock *sk, u8 *p)
{
	const struct tcp_loss *loss = tcp_sk(sk)->loss;
	u32 now = loss->rto_stamp ? tcp_clock_ms(sk->net->host) - loss->rto_stamp : 0;

	put_le16(p, loss->total_rto);
	put_le16(p + 2, loss->total_rto_recoveries);
	put_le32(p + 4, loss->total_rto_time + now);
}

static void info_rest(const struct sock *sk, u8 *p)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	put_le64(p + 104, sk->sk_pacing_rate);
	put_le64(p + 112, UINT64_MAX);
	put_le64(p + 120, tp->bytes_acked);
	put_le64(p + 128, tp->bytes_received);
	put_le32(p + 136, tp->segs_out);
	put_le32(p + 140, tp->segs_in);
	put_le32(p + 144, before(tp->snd_nxt, tp->write_seq) ? tp->write_seq - tp->snd_nxt : 0);
	put_le32(p + 148, tcp_min_rtt(tp));
	put_le32(p + 152, tp->data_segs_in);
	put_le32(p + 156, tp->data_segs_out);
	put_le64(p + 160, delivery_rate(tp));
	info_chronos(tp, p + 168);
	put_le32(p + 192, tp->delivered);
	put_le32(p + 196, tp->delivered_ce);
	put_le64(p + 200, tp->bytes_sent);
	put_le64(p + 208, tp->loss->bytes_retrans);
	put_le32(p + 216, tp->loss->dsack_dups);
	put_le32(p + 220, tp->loss->reord_seen);
	put_le32(p + 224, tp->loss->rcv_ooopack);
	put_le32(p + 228, tp->snd_wnd);
	put_le32(p + 232, tp->rcv_wnd);
	put_le32(p + 236, tp->loss->timeout_rehash);
	info_rto(sk, p + 240);
	tcp_accecn_info(tp, p + 248);
}

void tcp_get_info(struct sock *sk, u8 *out)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	memset(out, 0, TCP_INFO_SIZE);
	if (sk->sk_type != SOCK_STREAM)
		return;
	out[0] = sk->sk_state;
	put_le64(out + 104, UINT64_MAX);
	put_le64(out + 112, UINT64_MAX);
	put_le32(out + 80, tcp_sk(sk)->snd_cwnd);
	put_le32(out + 88, tcp_sk(sk)->reordering);
	if (sk->sk_state == TCP_LISTEN) {
		put_le32(out + 24, icsk->icsk_accept_queue->ack_backlog);
		put_le32(out + 28, icsk->icsk_accept_queue->max_ack_backlog);
		return;
	}
	info_first(sk, out);
	info_rest(sk, out);
}
