/* SPDX-License-Identifier: MIT */
/*
 * CUBIC (RFC 9438) with HyStart: cwnd follows a cubic of the time since the last reduction, around
 * the window at which that happened; slow start ends when ACKs are spread over half of the RTT or
 * the RTT grows (Ha, Rhee 2011). Numbers and units as in Linux: time in 1/1024 s, beta 717/1024,
 * C 410/1024.
 *
 * HyStart's state is the connection's from its beginning; that of the curve is made when slow start
 * ends. Without memory for it cwnd grows as Reno's.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_cong.h"

#include "kernel/mem.h"

#define CUBIC_HZ       10 /* log2 of time units in a second */
#define CUBIC_BETA     717u /* of 1024: cwnd after a loss */
#define CUBIC_C	       410u /* of 1024 */
#define CUBIC_FRIENDLY 15u /* 8 (1 + beta) / (3 (1 - beta)): Reno's growth with this beta, / 8 */
/* Bits of the module parameter hystart_detect. */
#define HYSTART_ACK_TRAIN 1u
#define HYSTART_DELAY	  2u
#define HYSTART_LOW	  16u /* no look at smaller windows */
#define HYSTART_SAMPLES	  8u
#define HYSTART_ACK_DELTA 2000 /* us: ACKs of one train are closer */
#define HYSTART_DELAY_MIN 4000u
#define HYSTART_DELAY_MAX 16000u

/* All 0: nothing was ever lost. */
struct cubic_curve {
	u32 cnt; /* cwnd grows by one after so many ACKs */
	u32 last_max_cwnd, last_cwnd;
	u32 last_time; /* jiffies of the last calculation */
	u32 origin; /* W_max of the curve */
	u32 k; /* time from the epoch's start to the origin */
	u32 epoch_start; /* jiffies; 0: a new one begins */
	u32 ack_cnt, tcp_cwnd; /* what Reno would have */
};

struct cubic {
	struct cubic_curve *curve; /* NULL: as if all of it were 0 */
	u32 delay_min; /* us */
	u32 round_start, end_seq, last_ack; /* HyStart: us, sequence number, us */
	u32 curr_rtt;
	u8 sample_cnt;
	bool found;
};

_Static_assert(sizeof(struct cubic) <= ICSK_CA_PRIV_WORDS * 8, "CUBIC fits into icsk_ca_priv");

static struct cubic *cubic_of(const struct sock *sk)
{
	return inet_csk_ca(sk);
}

/* NULL: no memory, or the connection does not stand yet. */
static struct cubic_curve *curve_get(struct sock *sk)
{
	struct cubic *ca = cubic_of(sk);

	if (!ca->curve && inet_csk(sk)->icsk_ca_initialized)
		ca->curve = mem_zalloc(net_world(sk->net), MEM_TCP_CA, sizeof(*ca->curve));
	return ca->curve;
}

static void hystart_reset(struct sock *sk)
{
	struct cubic *ca = cubic_of(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	ca->round_start = (u32)tcp_mstamp(tp);
	ca->last_ack = ca->round_start;
	ca->end_seq = tp->snd_nxt;
	ca->curr_rtt = UINT32_MAX;
	ca->sample_cnt = 0;
}

static void cubic_init(struct sock *sk)
{
	*cubic_of(sk) = (struct cubic){ 0 };
	hystart_reset(sk);
}

static void cubic_release(struct sock *sk)
{
	struct cubic *ca = cubic_of(sk);

	mem_free(net_world(sk->net), MEM_TCP_CA, ca->curve, sizeof(*ca->curve));
	ca->curve = NULL;
}

/* floor of the cube root. */
static u32 cube_root(u64 v)
{
	u64 root = 0;

	for (u64 bit = 1u << 21; bit; bit >>= 1) {
		u64 next = root | bit;

		if (next * next * next <= v)
			root = next;
	}
	return (u32)root;
}

static void new_epoch(struct cubic_curve *ca, u32 cwnd, u32 acked, u32 now)
{
	ca->epoch_start = now ? now : 1;
	ca->ack_cnt = acked;
	ca->tcp_cwnd = cwnd;
	if (ca->last_max_cwnd <= cwnd) {
		ca->k = 0;
		ca->origin = cwnd;
	} else {
		/* RFC 9438 4.2: K is the cube root of (W_max - cwnd) / C. */
		ca->k = cube_root((1ull << (10 + 3 * CUBIC_HZ)) / CUBIC_C *
				  (ca->last_max_cwnd - cwnd));
		ca->origin = ca->last_max_cwnd;
	}
}

/* RFC 9438 4.2: W_cubic(t + RTT). */
static u32 cubic_target(const struct cubic_curve *ca, u32 delay_min, u32 now)
{
	u64 t = (u64)(now - ca->epoch_start) + (delay_min + 999) / 1000, offs;
	u32 delta;

	t = (t << CUBIC_HZ) / HZ;
	offs = t < ca->k ? ca->k - t : t - ca->k;
	offs = min_u64(offs, 1u << 18); /* 256 s: cubed it fits */
	delta = (u32)min_u64((CUBIC_C * offs * offs * offs) >> (10 + 3 * CUBIC_HZ), 1u << 30);
	if (t >= ca->k)
		return ca->origin + delta;
	return ca->origin > delta ? ca->origin - delta : 1;
}

/* RFC 9438 4.3: not slower than Reno. */
static void reno_friendly(struct cubic_curve *ca, u32 cwnd)
{
	u32 delta = (cwnd * CUBIC_FRIENDLY) >> 3;

	if (delta && ca->ack_cnt > delta) {
		u32 n = (ca->ack_cnt - 1) / delta;

		ca->ack_cnt -= n * delta;
		ca->tcp_cwnd += n;
	}
	if (ca->tcp_cwnd > cwnd)
		ca->cnt = min_u32(ca->cnt, cwnd / (ca->tcp_cwnd - cwnd));
}

static void cubic_update(struct cubic_curve *ca, u32 delay_min, u32 cwnd, u32 acked, u32 now)
{
	ca->ack_cnt += acked;
	if (ca->last_cwnd == cwnd && (s32)(now - ca->last_time) <= (s32)(HZ / 32))
		return;
	if (!ca->epoch_start || now != ca->last_time) {
		u32 target;

		ca->last_cwnd = cwnd;
		ca->last_time = now;
		if (!ca->epoch_start)
			new_epoch(ca, cwnd, acked, now);
		target = cubic_target(ca, delay_min, now);
		ca->cnt = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;
		/* Nothing is known of the path yet: not slower than 5% a round trip. */
		if (!ca->last_max_cwnd && ca->cnt > 20)
			ca->cnt = 20;
	}
	reno_friendly(ca, cwnd);
	ca->cnt = max_u32(ca->cnt, 2);
}

static void cubic_cong_avoid(struct sock *sk, u32 ack, u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct cubic_curve *curve;

	(void)ack;
	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	curve = curve_get(sk);
	if (curve)
		cubic_update(curve, cubic_of(sk)->delay_min, tp->snd_cwnd, acked,
			     tcp_jiffies32(sk));
	tcp_cong_avoid_ai(tp, curve ? curve->cnt : tp->snd_cwnd, acked);
}

/* RFC 9438 4.6, 4.7. */
static u32 cubic_ssthresh(struct sock *sk)
{
	struct cubic_curve *curve = curve_get(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	if (curve) {
		curve->epoch_start = 0;
		if (cwnd < curve->last_max_cwnd)
			curve->last_max_cwnd = (u32)((u64)cwnd * (1024 + CUBIC_BETA) / 2048);
		else
			curve->last_max_cwnd = cwnd;
	}
	return max_u32((u32)((u64)cwnd * CUBIC_BETA / 1024), 2);
}

static void cubic_state(struct sock *sk, u8 new_state)
{
	if (new_state != TCP_CA_Loss)
		return;
	cubic_release(sk);
	cubic_init(sk);
}

/* Idle time is no time of growth (RFC 9438 5.8). */
static void cubic_cwnd_event(struct sock *sk, enum tcp_ca_event event)
{
	struct cubic_curve *curve = cubic_of(sk)->curve;
	u32 now = tcp_jiffies32(sk);
	s32 idle = (s32)(now - tcp_sk(sk)->lsndtime);

	if (event != CA_EVENT_TX_START || !curve || !curve->epoch_start || idle <= 0)
		return;
	curve->epoch_start += (u32)idle;
	if ((s32)(curve->epoch_start - now) > 0)
		curve->epoch_start = now;
	curve->epoch_start += !curve->epoch_start;
}

static void hystart_found(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	cubic_of(sk)->found = true;
	tp->snd_ssthresh = tp->snd_cwnd;
}

/* How long a burst of this sender may take: it spreads ACKs by itself. us. */
static u32 hystart_ack_delay(const struct sock *sk)
{
	u64 rate = sk->sk_pacing_rate;

	return rate && rate != UINT64_MAX ? (u32)min_u64(1000, 4ull * 65536 * 1000000 / rate) : 0;
}

static void hystart_update(struct sock *sk, u32 delay)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct cubic *ca = cubic_of(sk);
	u32 now = (u32)tcp_mstamp(tp), thresh, detect;

	detect = (u32)sk->net->sysctl.cubic_hystart_detect;
	if (after(tp->snd_una, ca->end_seq))
		hystart_reset(sk);
	if (tp->snd_cwnd < HYSTART_LOW)
		return;
	if (detect & HYSTART_ACK_TRAIN && (s32)(now - ca->last_ack) <= HYSTART_ACK_DELTA) {
		ca->last_ack = now;
		thresh = (ca->delay_min + hystart_ack_delay(sk)) >> 1;
		if ((s32)(now - ca->round_start) > (s32)thresh) {
			MIB_INC(sk->net, TcpExtTCPHystartTrainDetect);
			MIB_ADD(sk->net, TcpExtTCPHystartTrainCwnd, tp->snd_cwnd);
			hystart_found(sk);
			return;
		}
	}
	if (!(detect & HYSTART_DELAY))
		return;
	ca->curr_rtt = min_u32(ca->curr_rtt, delay);
	if (ca->sample_cnt < HYSTART_SAMPLES) {
		ca->sample_cnt++;
		return;
	}
	thresh = min_u32(max_u32(ca->delay_min >> 3, HYSTART_DELAY_MIN), HYSTART_DELAY_MAX);
	if (ca->curr_rtt > ca->delay_min + thresh) {
		MIB_INC(sk->net, TcpExtTCPHystartDelayDetect);
		MIB_ADD(sk->net, TcpExtTCPHystartDelayCwnd, tp->snd_cwnd);
		hystart_found(sk);
	}
}

static void cubic_acked(struct sock *sk, const struct ack_sample *sample)
{
	struct cubic *ca = cubic_of(sk);
	u32 delay;

	if (sample->rtt_us < 0)
		return;
	/* Just after a reduction the queue is still there. */
	if (ca->curve && ca->curve->epoch_start &&
	    (s32)(tcp_jiffies32(sk) - ca->curve->epoch_start) < (s32)HZ)
		return;
	delay = max_u32((u32)sample->rtt_us, 1);
	if (!ca->delay_min || delay < ca->delay_min)
		ca->delay_min = delay;
	if (!ca->found && tcp_in_slow_start(tcp_sk(sk)))
		hystart_update(sk, delay);
}

const struct tcp_congestion_ops tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.release = cubic_release,
	.ssthresh = cubic_ssthresh,
	.cong_avoid = cubic_cong_avoid,
	.set_state = cubic_state,
	.undo_cwnd = tcp_reno_undo_cwnd,
	.cwnd_event = cubic_cwnd_event,
	.pkts_acked = cubic_acked,
};
