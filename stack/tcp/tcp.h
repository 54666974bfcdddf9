/* SPDX-License-Identifier: MIT */
/*
 * TCP (RFC 9293): what all its modules share; what one of them has for others stands in its own
 * header. One code for both families: what is IPv4's or IPv6's is behind icsk_af_ops and lies in
 * tcp_ipv4*.c and tcp_ipv6*.c alone.
 *
 * In: tcp_v4_rcv -> tcp_v4_do_rcv -> tcp_rcv_established or tcp_rcv_state_process -> tcp_ack,
 * tcp_data_queue -> receive queue. Out: tcp_sendmsg -> write queue -> tcp_write_xmit ->
 * tcp_transmit_skb -> icsk_af_ops.queue_xmit; what was sent waits in tcp_rtx_queue until it is
 * acknowledged.
 *
 * Units: sequence numbers as numbers (never as on the wire); *_us microseconds; jiffies are ms;
 * windows in bytes, already scaled; cwnd and the *_out counts in packets.
 */
#ifndef TAPLINE_TCP_TCP_H
#define TAPLINE_TCP_TCP_H

#include "core/sock_mem.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_timewait_sock.h"
#include "kernel/trace.h"
#include "lib/rbtree.h"
#include "lib/seq.h"
#include "stack/rst_reason.h"
#include "stack/tcp.h"
#include "wire/tcp.h"

/* ---- constants (include/net/tcp.h) ---- */

#define MAX_TCP_HEADER		    320u /* room for all headers in front of a segment */
#define MAX_TCP_OPTION_SPACE	    40u
#define TCP_MIN_SND_MSS		    48u
#define TCP_MIN_MSS		    88u
#define TCP_MSS_DEFAULT		    536u /* RFC 9293 3.7.1: none was announced */
#define TCP_BASE_MSS		    1024u
#define MAX_TCP_WINDOW		    32767u
#define TCP_MAX_WSCALE		    14u /* RFC 7323 2.3 */
#define TCP_MIN_RCVMSS		    536u
#define TCP_MAX_QUICKACKS	    16u
#define TCP_FASTRETRANS_THRESH	    3u
#define TCP_INIT_CWND		    10u /* RFC 6928 */
#define TCP_INFINITE_SSTHRESH	    0x7fffffffu
#define TCP_MAX_SND_SSTHRESH	    TCP_INFINITE_SSTHRESH
#define TCP_RTO_MIN		    (HZ / 5)
#define TCP_RTO_MAX		    (120u * HZ)
#define TCP_DELACK_MIN		    (HZ / 25)
#define TCP_DELACK_MAX		    (HZ / 5)
#define TCP_ATO_MIN		    (HZ / 25)
#define TCP_TIMEOUT_INIT	    (1u * HZ) /* RFC 6298 2.1 */
#define TCP_TIMEOUT_FALLBACK	    (3u * HZ) /* RFC 6298 5.7 */
#define TCP_TIMEOUT_MIN		    2u
#define TCP_RESOURCE_PROBE_INTERVAL (HZ / 2)
#define TCP_FIN_TIMEOUT_MAX	    (120u * HZ)
#define TCP_PAWS_WRAP		    0x7fffffff
#define TCP_PAWS_24DAYS		    (60u * 60 * 24 * 24) /* s: RFC 7323 5.5 */
#define TCP_PAWS_MSL		    60u /* s */
#define TCP_PAWS_WINDOW		    1
#define TCP_NUM_SACKS		    4u
#define TCP_SKB_OVERHEAD	    1280u /* declared truesize of a segment without its bytes */
#define MAX_TCP_KEEPIDLE	    32767u
#define MAX_TCP_KEEPINTVL	    32767u
#define MAX_TCP_KEEPCNT		    127u
#define MAX_TCP_SYNCNT		    127u

#define TCPOLEN_WINDOW		  3u
#define TCPOLEN_SACK_PERM	  2u
#define TCPOLEN_TIMESTAMP	  10u
#define TCPOLEN_TSTAMP_ALIGNED	  12u
#define TCPOLEN_SACK_BASE	  2u
#define TCPOLEN_SACK_BASE_ALIGNED 4u
#define TCPOLEN_SACK_PERBLOCK	  8u

/* Flags of the header, with the AE bit of RFC 9768 above the eight. */
#define TCPHDR_AE  0x100u
#define TCPHDR_ACE (TCPHDR_AE | TCPHDR_CWR | TCPHDR_ECE)

/* tcp_sock.nonagle */
#define TCP_NAGLE_OFF  1u /* TCP_NODELAY */
#define TCP_NAGLE_CORK 2u
#define TCP_NAGLE_PUSH 4u /* this once */

/* tcp_sock.ecn_flags */
#define TCP_ECN_DISABLED     0u
#define TCP_ECN_MODE_RFC3168 1u
#define TCP_ECN_QUEUE_CWR    2u
#define TCP_ECN_DEMAND_CWR   4u
#define TCP_ECN_SEEN	     8u
#define TCP_ECN_MODE_ACCECN  16u
#define TCP_ECN_MODE_ANY     (TCP_ECN_MODE_RFC3168 | TCP_ECN_MODE_ACCECN)
#define TCP_ECN_MODE_PENDING TCP_ECN_MODE_ANY

/* ---- a segment in TCP's hands ---- */

/* tcp_skb_cb.sacked: what the scoreboard knows of a segment in the retransmission queue. */
#define TCPCB_SACKED_ACKED   0x01 /* SACKed */
#define TCPCB_SACKED_RETRANS 0x02 /* sent again, and that copy may be under way */
#define TCPCB_LOST	     0x04 /* thought to be lost */
#define TCPCB_TAGBITS	     0x07
#define TCPCB_REPAIRED	     0x10
#define TCPCB_EVER_RETRANS   0x80 /* was ever sent again (Karn) */
#define TCPCB_RETRANS	     (TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS | TCPCB_REPAIRED)

/* TCP's part of skb->cb. On the way in tcp_v4_rcv() moves IP's own to `header` and fills in the
 * rest (tcp_demux.c). */
struct tcp_skb_cb {
	u32 seq; /* first byte, or SYN */
	u32 end_seq; /* behind the last byte, SYN and FIN counted */
	union {
		u32 tcp_tw_isn; /* in: ISN chosen by TIME-WAIT for a SYN (0: none) */
		struct {
			u16 tcp_gso_segs; /* out: segments on the wire */
			u16 tcp_gso_size; /* out: payload of each, when there are several */
		};
	};
	u16 tcp_flags; /* TCPHDR_* */
	u8 sacked; /* TCPCB_* */
	u8 ip_dsfield; /* in: TOS of the packet */
	u8 eor : 1, /* out: end of record, nothing may be appended */
		payload_csum : 1, /* out: skb->csum is the sum of the whole payload */
		has_rxtstamp : 1,
		txstamp_ack : 1; /* out: its socket wants to know when tskey is acked */
	u8 zc_frags; /* out: pages of the user's memory in it (MSG_ZEROCOPY) */
	u32 ack_seq;
	union {
		struct {
			u32 delivered; /* tp->delivered when it was sent */
			u32 in_flight : 20, is_app_limited : 1;
			u64 first_tx_mstamp, delivered_mstamp; /* us */
			struct list_head
				tsorted; /* tcp_sock.tsorted_sent_queue, while not SACKed */
		} tx;
		u32 header[8]; /* in: struct inet_skb_parm or its IPv6 like */
	};
};

_Static_assert(sizeof(struct tcp_skb_cb) <= sizeof(((struct sk_buff *)NULL)->cb),
	       "TCP's control block fits into a packet's");

static inline struct tcp_skb_cb *TCP_SKB_CB(const struct sk_buff *skb)
{
	return (struct tcp_skb_cb *)(void *)(uintptr_t)(const void *)skb->cb;
}

/* The header of a segment that arrived, or that is about to leave. */
static inline u8 *tcp_hdr(const struct sk_buff *skb)
{
	return skb_transport_header(skb);
}

static inline u32 tcp_skb_pcount(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->tcp_gso_segs;
}

static inline void tcp_skb_pcount_set(struct sk_buff *skb, u32 segs)
{
	TCP_SKB_CB(skb)->tcp_gso_segs = (u16)segs;
}

static inline u32 tcp_skb_mss(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->tcp_gso_size;
}

/* ---- options of a segment, and what was negotiated ---- */

struct tcp_sack_block {
	u32 start_seq, end_seq;
};

struct tcp_options_received {
	u32 ts_recent_stamp; /* s: when ts_recent was taken; 0: never */
	u32 ts_recent; /* TS.Recent (RFC 7323) */
	u32 rcv_tsval, rcv_tsecr; /* of the segment at hand; tsecr without our offset */
	u16 saw_tstamp : 1, /* of the segment at hand */
		tstamp_ok : 1, /* negotiated */
		dsack : 1, /* a D-SACK waits to be sent */
		wscale_ok : 1, snd_wscale : 4, rcv_wscale : 4;
	u8 sack_ok; /* 0: no; TCP_SACK_SEEN */
	u8 num_sacks; /* blocks waiting to be sent */
	u8 user_mss_set;
	u8 accecn; /* of the segment at hand: where its AccECN option begins; 0: none */
	u16 user_mss; /* TCP_MAXSEG; 0: none */
	u16 mss_clamp; /* largest segment we may send: the peer's MSS option */
};

#define TCP_SACK_SEEN  1u
#define TCP_DSACK_SEEN 4u

static inline void tcp_clear_options(struct tcp_options_received *rx_opt)
{
	rx_opt->tstamp_ok = 0;
	rx_opt->sack_ok = 0;
	rx_opt->wscale_ok = 0;
	rx_opt->snd_wscale = 0;
}

/* ---- sockets ---- */

struct tcp_accecn;
struct tcp_fastopen_cookie;
struct tcp_auth;
struct tcp_fastopen_request;

struct tcp_rack {
	u64 mstamp; /* us: send time of the segment sent last of those delivered */
	u32 rtt_us; /* its RTT */
	u32 end_seq; /* its end */
	u32 last_delivered; /* tp->delivered at the last adaptation */
	u8 reo_wnd_steps;
	u8 reo_wnd_persist : 5, dsack_seen : 1, advanced : 1;
};

/*
 * What a connection has from the first segment on that was lost, came twice or out of order, either
 * way: recovery's state and counters, SACK blocks, the out-of-order queue. One to which that never
 * happened shares tcp_loss_none; who is about to write makes one of its own (tcp_loss.h), which
 * stays until the socket ends or is disconnected.
 */
struct tcp_loss {
	struct sock *sk; /* whose it is */

	/* The receiver's. */
	struct tcp_sack_block
		selective_acks[TCP_NUM_SACKS]; /* rx_opt.num_sacks of them to be told */
	struct tcp_sack_block duplicate_sack; /* told with the next ACK when rx_opt.dsack */
	struct rb_root out_of_order_queue; /* segments above rcv_nxt, by sequence number */
	struct sk_buff *ooo_last_skb;
	struct timer compressed_ack_timer; /* tcp_comp_sack.c */
	u32 compressed_ack_rcv_nxt; /* what dup_ack_counter counts for */
	u8 compressed_ack, dup_ack_counter;
	u32 ofo_truesize; /* of what out_of_order_queue holds: part of sk_rmem_alloc */
	u32 rcv_ooopack; /* TCP_INFO */

	/* The sender's. */
	struct tcp_sack_block recv_cache[TCP_NUM_SACKS]; /* what the last ACK with SACK told us */
	struct sk_buff *highest_sack; /* first segment above all that is SACKed; NULL: at the end */
	struct sk_buff *retransmit_skb_hint;
	u32 high_seq; /* snd_nxt when recovery began */
	u32 undo_marker; /* snd_una when cwnd was cut; 0: no undo */
	s32 undo_retrans; /* retransmissions that may turn out needless */
	u32 prior_cwnd, prior_ssthresh, prr_delivered, prr_out;
	u32 tlp_high_seq; /* snd_nxt when the loss probe went; 0: none */
	u32 reord_seen;
	u32 lost; /* segments, ever */
	u32 rto_stamp; /* ms: RTO recovery began; 0: it is over */
	/* TCP_INFO. */
	u64 bytes_retrans;
	u32 total_retrans, dsack_dups;
	u32 total_rto_time; /* ms in RTO recovery */
	u16 total_rto, total_rto_recoveries;
	u32 timeout_rehash; /* time-outs that sent the flow another way */
};

extern const struct tcp_loss tcp_loss_none;

/*
 * What few connections have: values of rarely set options, keys, fast open's state. All others
 * share tcp_rare_default.
 */
struct tcp_rare {
	struct tcp_rare_options { /* a child has its listener's */
		u32 keepalive_time, keepalive_intvl; /* jiffies; 0: the sysctl */
		u32 notsent_lowat;
		u32 tx_delay; /* us: TCP_TX_DELAY */
		u32 user_timeout; /* ms; 0: none */
		s32 linger2; /* jiffies; < 0: no FIN-WAIT-2 without a user */
		u8 keepalive_probes; /* 0: the sysctl */
	} options;
	struct tcp_mtup { /* RFC 4821, while icsk_mtup_enabled */
		u32 search_low;
		u32 probe_size; /* of the probe under way; 0: none */
		u32 probe_seq_start, probe_seq_end, probe_timestamp;
	} mtup;
	struct saved_syn *saved_syn; /* of the child's SYN; NULL: none */
	struct tcp_accecn *accecn; /* tcp_accecn.h; NULL: not negotiated */
	struct tcp_auth *auth; /* tcp_auth.h: keys of TCP MD5 and TCP-AO; NULL: none */
	struct request_sock *fastopen_rsk; /* held: the SYN-ACK is not acknowledged yet */
	struct tcp_fastopen_request *fastopen_req; /* while tcp_connect() runs */
	struct timer resume_timer; /* tcp_pacing.c, of who was held back once */
	struct sock *sk; /* whose it is; NULL: of tcp_rare_default */
};

extern const struct tcp_rare tcp_rare_default;

struct tcp_sock {
	struct inet_connection_sock inet_conn; /* first */

	/* Both ways, every segment. */
	u32 pred_flags; /* header prediction: bytes 12..15 of the header that is expected; 0: off */
	u32 rcv_nxt; /* RCV.NXT */
	u32 copied_seq; /* next byte for the reader */
	u32 rcv_wup; /* RCV.NXT when the last window was sent */
	u32 rcv_wnd; /* RCV.WND as announced then */
	u32 rcv_mwnd_seq; /* highest right edge ever announced: rcv_wup + rcv_wnd or above */
	u32 snd_nxt; /* SND.NXT */
	u32 snd_una; /* SND.UNA */
	u32 snd_wnd; /* SND.WND */
	u32 snd_wl1; /* SND.WL1: SND.WL2 is not needed, as in the BSDs */
	u32 snd_sml; /* last byte of the last small segment sent (Minshall) */
	u32 write_seq; /* behind the last byte of the write queue */
	u32 pushed_seq; /* last byte that had PSH */
	u32 max_window; /* largest window the peer ever offered */
	u32 mss_cache; /* bytes of payload in a segment now */
	u32 packets_out; /* sent and not acknowledged */
	u32 sacked_out, lost_out, retrans_out;
	u32 snd_cwnd, snd_ssthresh, snd_cwnd_cnt, snd_cwnd_clamp, snd_cwnd_used;
	u32 snd_cwnd_stamp; /* jiffies */
	u32 lsndtime; /* jiffies: last data sent */
	u32 rcv_tstamp; /* jiffies: last ACK received */
	u16 tcp_header_len; /* with the options of every segment */
	u16 advmss; /* what we announce */
	u16 urg_data; /* the urgent byte and TCP_URG_*; 0: none */
	u8 ecn_flags;
	u8 nonagle : 4, repair : 1, thin_lto : 1, is_cwnd_limited : 1, is_sack_reneg : 1;
	u8 frto : 1, tlp_retrans : 1, fast_ack_mode : 2, recvmsg_inq : 1, rate_app_limited : 1;
	u8 tsq_throttled : 1; /* TSQ_THROTTLED: goes on when the device has freed a packet */
	u8 tcp_usec_ts : 1, save_syn : 2, chrono_type : 2; /* enum tcp_chrono */
	/* Fast open: our SYN had data; had the option; had it in the experimental form; tries it
	 * again after a pause; the data was acknowledged; we are such a child. */
	u8 syn_data : 1, syn_fastopen : 1, syn_fastopen_exp : 1, syn_fastopen_ch : 1,
		syn_data_acked : 1, syn_fastopen_child : 1;
	u8 fastopen_connect : 1, fastopen_no_cookie : 1, fastopen_client_fail : 2,
		defer_connect : 1; /* connect() was called, the SYN waits for data */
	u8 scaling_ratio; /* payload of a skb in 1/256 of its truesize */
	struct rb_root tcp_rtx_queue; /* sent, not acknowledged, by sequence number */
	struct sk_buff *rtx_last; /* the highest of it */
	struct list_head tsorted_sent_queue; /* the same in the order of their last transmission */

	/* RTT (RFC 6298), in us; srtt_us is scaled by 8. */
	u64 tcp_clock_cache; /* ns: the clock, read once per segment */
	u32 srtt_us, mdev_us, mdev_max_us, rttvar_us, rtt_seq;
	struct {
		u32 s[3][2]; /* {time, value}: windowed minimum of the RTT */
	} rtt_min;
	u32 rcv_rtt_us, rcv_rtt_seq; /* receiver's estimate, for autotuning */
	u32 rcv_rtt_last_tsecr;
	u64 rcv_rtt_time;

	/* Receive window. */
	u32 window_clamp, rcv_ssthresh;
	u32 rcvq_space, rcvq_seq;
	u64 rcvq_time;
	u32 urg_seq; /* sequence number of the urgent byte (RFC 6093) */
	u32 snd_up; /* SND.UP */
	u32 last_oow_ack_time; /* the last challenge ACK (RFC 5961) */

	/* Time stamps, options. */
	struct tcp_options_received rx_opt;
	u32 tsoffset; /* of our time stamps, ms */
	u32 delivered, delivered_ce, app_limited;
	u64 first_tx_mstamp, delivered_mstamp;
	u32 rate_delivered, rate_interval_us;

	/* Losses. */
	const struct tcp_loss *loss; /* tcp_loss_get() to write */
	struct tcp_rack rack;
	u32 reordering; /* packets */
	u32 retrans_stamp; /* ms (our time stamp clock): first retransmission; 0: none */
	u32 max_packets_out, cwnd_usage_seq;
	u64 tcp_wstamp_ns; /* when the last packet left, or with pacing the next one may */

	const struct tcp_rare *rare; /* tcp_rare_get() to write */

	/* TCP_INFO. */
	u64 bytes_acked, bytes_received, bytes_sent;
	u32 segs_in, segs_out, data_segs_in, data_segs_out;
	u32 chrono_start; /* jiffies: the present chrono began */
	u32 chrono_stat[3]; /* jiffies: busy, rwnd limited, sndbuf limited */
};

/* There may be a million. What few of them need belongs into struct tcp_loss, tcp_rare or
 * sock_rare. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct tcp_sock) <= 944, "a block of 944");
_Static_assert(sizeof(void *) != 8 || sizeof(struct sock) <= 208, "struct sock grew");

/* tcp_sock.urg_data */
#define TCP_URG_VALID  0x0100
#define TCP_URG_NOTYET 0x0200
#define TCP_URG_READ   0x0400

enum tcp_chrono {
	TCP_CHRONO_UNSPEC,
	TCP_CHRONO_BUSY, /* data is under way or waits */
	TCP_CHRONO_RWND_LIMITED,
	TCP_CHRONO_SNDBUF_LIMITED
};

/* The headers of a SYN, for TCP_SAVED_SYN. */
struct saved_syn {
	u32 len;
	u8 data[];
};

struct tcp_request_sock {
	struct request_sock req; /* first */
	u32 rcv_isn, snt_isn;
	u32 last_oow_ack_time;
	u32 rcv_nxt; /* behind the SYN (and its data) */
	u32 snt_tsval_first, snt_tsval_last;
	u8 ao_keyid, ao_rcv_next; /* TCP-AO: the KeyIDs of what we send and of what we get */
	u8 accecn_ok : 1, synack_sent : 1, syn_ect_rcv : 2, syn_ect_snt : 2, saw_accecn_opt : 2;
	u8 accecn_fail_mode : 4, used_tcp_ao : 1;
	u32 snt_synack; /* us modulo 2^32 (71 minutes): first SYN-ACK, for the RTT; 0: none */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct tcp_request_sock) <= 192, "a block of 192");

/* struct tcp_timewait_sock is all in struct inet_timewait_sock. */

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)(void *)(uintptr_t)(const void *)sk;
}

static inline struct tcp_request_sock *tcp_rsk(const struct request_sock *req)
{
	return (struct tcp_request_sock *)(void *)(uintptr_t)(const void *)req;
}

/* ---- clocks ---- */

/* ktime_get_ns(), inline. */
#define TCP_CLOCK_BASE KTIME_BASE
/* What a pinned offset of time stamps takes back of it, modulo 2^32. */
#define TCP_CLOCK_SHIFT_MS (u32)((TCP_CLOCK_BASE - NSEC_PER_SEC) / NSEC_PER_MSEC)
static inline u64 tcp_clock_ns(const struct host *h)
{
	return h->world->now - h->born_ns + TCP_CLOCK_BASE;
}

static inline u64 tcp_clock_us(const struct host *h)
{
	return tcp_clock_ns(h) / NSEC_PER_USEC;
}

static inline u32 tcp_clock_ms(const struct host *h)
{
	return (u32)(tcp_clock_ns(h) / NSEC_PER_MSEC);
}

static inline void tcp_mstamp_refresh(struct tcp_sock *tp)
{
	tp->tcp_clock_cache = tcp_clock_ns(tp->inet_conn.icsk_inet.net->host);
}

/* The same in us. */
static inline u64 tcp_mstamp(const struct tcp_sock *tp)
{
	return tp->tcp_clock_cache / NSEC_PER_USEC;
}

/* Our time stamp clock without its offset: ms (RFC 7323 5.4). */
static inline u32 tcp_time_stamp_ms(const struct tcp_sock *tp)
{
	return (u32)(tcp_mstamp(tp) / 1000);
}

static inline u32 tcp_stamp_us_delta(u64 t1, u64 t0)
{
	return t1 > t0 ? (u32)min_u64(t1 - t0, UINT32_MAX) : 0;
}

/* When the segment was sent, us. */
static inline u64 tcp_skb_timestamp_us(const struct sk_buff *skb)
{
	return skb->tstamp / NSEC_PER_USEC;
}

/* Does the peer echo a time stamp (ms) from before that one? */
static inline bool tcp_tsopt_ecr_before(const struct tcp_sock *tp, u32 when)
{
	return tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr && before(tp->rx_opt.rcv_tsecr, when);
}

/* Sent again, and it was the original that is acknowledged. */
static inline bool tcp_skb_spurious_retrans(const struct tcp_sock *tp, const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->sacked & TCPCB_RETRANS &&
	       tcp_tsopt_ecr_before(tp, (u32)(skb->tstamp / NSEC_PER_MSEC));
}

/* The host's clock in seconds, for ts_recent_stamp (ktime_get_seconds). */
static inline u32 tcp_clock_seconds(const struct host *h)
{
	return (u32)(tcp_clock_ns(h) / NSEC_PER_SEC);
}

/* ---- windows ---- */

static inline u32 tcp_wnd_end(const struct tcp_sock *tp)
{
	return tp->snd_una + tp->snd_wnd;
}

/* What is left of the window announced last (RFC 9293 3.8.6.2.2: never shrunk). */
static inline u32 tcp_receive_window(const struct tcp_sock *tp)
{
	s32 win = (s32)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);

	return win < 0 ? 0 : (u32)win;
}

/* Payload that fits into `space` bytes of buffer. */
static inline u32 tcp_win_from_space(const struct sock *sk, u32 space)
{
	return (u32)((u64)space * tcp_sk(sk)->scaling_ratio >> 8);
}

static inline u32 tcp_space_from_win(const struct sock *sk, u32 win)
{
	u64 space = ((u64)win << 8) / tcp_sk(sk)->scaling_ratio;

	return (u32)min_u64(space, INT32_MAX);
}

static inline u32 tcp_full_space(const struct sock *sk)
{
	return tcp_win_from_space(sk, (u32)sk->sk_rcvbuf);
}

static inline u32 tcp_space(const struct sock *sk)
{
	u32 rcvbuf = (u32)sk->sk_rcvbuf;

	return sk->sk_rmem_alloc >= rcvbuf ? 0 : tcp_win_from_space(sk, rcvbuf - sk->sk_rmem_alloc);
}

static inline bool tcp_is_sack(const struct tcp_sock *tp)
{
	return tp->rx_opt.sack_ok != 0;
}

static inline bool tcp_is_reno(const struct tcp_sock *tp)
{
	return !tcp_is_sack(tp);
}

static inline u32 tcp_left_out(const struct tcp_sock *tp)
{
	return tp->sacked_out + tp->lost_out;
}

/* Packets thought to be in the network (RFC 6675's pipe). */
static inline u32 tcp_packets_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tcp_left_out(tp) + tp->retrans_out;
}

static inline bool tcp_in_slow_start(const struct tcp_sock *tp)
{
	return tp->snd_cwnd < tp->snd_ssthresh;
}

static inline bool tcp_in_initial_slowstart(const struct tcp_sock *tp)
{
	return tp->snd_ssthresh >= TCP_INFINITE_SSTHRESH;
}

static inline void tcp_snd_cwnd_set(struct tcp_sock *tp, u32 cwnd)
{
	ASSERT(cwnd >= 1);
	tp->snd_cwnd = cwnd;
}

/* RFC 7323 5.3: may the segment's time stamp be accepted (or is TS.Recent so old that it no longer
 * counts)? */
bool tcp_paws_check(const struct host *h, const struct tcp_options_received *rx_opt, s32 paws_win);
/* The same, with RFC 1337's and Linux's exception for RST. True: reject. */
bool tcp_paws_reject(const struct host *h, const struct tcp_options_received *rx_opt, bool rst);

static inline struct sk_buff *tcp_write_queue_tail(const struct sock *sk)
{
	return sk->write_queue.prev;
}

/* First not yet sent; NULL: all is. */
static inline struct sk_buff *tcp_send_head(const struct sock *sk)
{
	return sk->write_queue.next;
}

static inline bool tcp_rtx_queue_empty(const struct sock *sk)
{
	return tcp_sk(sk)->tcp_rtx_queue.node == NULL;
}

static inline bool tcp_write_queue_empty(const struct sock *sk)
{
	return skb_queue_empty(&sk->write_queue);
}

static inline bool tcp_rtx_and_write_queues_empty(const struct sock *sk)
{
	return tcp_rtx_queue_empty(sk) && tcp_write_queue_empty(sk);
}

#endif
