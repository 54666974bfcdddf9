/* SPDX-License-Identifier: MIT */
/*
 * TCP (RFC 9293): what its modules share. One code for both families: what is IPv4's or IPv6's is
 * behind icsk_af_ops and lies in tcp_ipv4.c (and tcp_ipv6.c later) alone.
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

#define TCPOLEN_MSS		  4u
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
	u8 accecn; /* where the AccECN option of the segment at hand begins in its header; 0: none
		    */
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

/* Blocks of SACK, from the first one told or heard on. */
struct tcp_sack {
	struct tcp_sack_block
		selective_acks[TCP_NUM_SACKS]; /* rx_opt.num_sacks of them to be told */
	struct tcp_sack_block duplicate_sack; /* told with the next ACK when rx_opt.dsack */
	struct tcp_sack_block recv_cache[TCP_NUM_SACKS]; /* what the last ACK with SACK told us */
};

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
	u8 tcp_usec_ts : 1, save_syn : 2;
	/* Fast open: our SYN had data; had the option; had it in the experimental form; tries it
	 * again after a pause; the data was acknowledged; we are such a child. */
	u8 syn_data : 1, syn_fastopen : 1, syn_fastopen_exp : 1, syn_fastopen_ch : 1,
		syn_data_acked : 1, syn_fastopen_child : 1;
	u8 fastopen_connect : 1, fastopen_no_cookie : 1, fastopen_client_fail : 2,
		defer_connect : 1; /* connect() was called, the SYN waits for data */
	struct rb_root tcp_rtx_queue; /* sent, not acknowledged, by sequence number */
	struct sk_buff *rtx_last; /* the highest of it */
	struct list_head tsorted_sent_queue; /* the same in the order of their last transmission */
	struct rb_root out_of_order_queue; /* segments above rcv_nxt, by sequence number */
	struct sk_buff *ooo_last_skb;

	/* RTT (RFC 6298), in us; srtt_us is scaled by 8. */
	u64 tcp_mstamp; /* us: the clock, read once per segment */
	u64 tcp_clock_cache; /* the same in ns */
	u32 srtt_us, mdev_us, mdev_max_us, rttvar_us, rtt_seq;
	struct {
		u32 s[3][2]; /* {time, value}: windowed minimum of the RTT */
	} rtt_min;
	u32 rcv_rtt_us, rcv_rtt_seq; /* receiver's estimate, for autotuning */
	u32 rcv_rtt_last_tsecr;
	u64 rcv_rtt_time;
	u32 total_rto_time; /* ms in RTO recovery, for TCP_INFO */
	u32 rto_stamp;
	u16 total_rto, total_rto_recoveries;

	/* Receive window. */
	u32 window_clamp, rcv_ssthresh;
	u32 rcvq_space, rcvq_seq;
	u32 ofo_truesize; /* of what out_of_order_queue holds: part of sk_rmem_alloc */
	u64 rcvq_time;
	u8 scaling_ratio; /* payload of a skb in 1/256 of its truesize */
	u8 compressed_ack, dup_ack_counter;
	u8 chrono_type;
	u32 compressed_ack_rcv_nxt; /* what dup_ack_counter counts for */
	u32 urg_seq; /* sequence number of the urgent byte (RFC 6093) */
	u32 snd_up; /* SND.UP */

	/* Time stamps, options. */
	struct tcp_options_received rx_opt;
	u32 tsoffset; /* of our time stamps, ms */
	u32 lost, delivered, delivered_ce, app_limited;
	u64 first_tx_mstamp, delivered_mstamp;
	u32 rate_delivered, rate_interval_us;

	/* SACK. */
	struct tcp_sack *sack; /* NULL: there were none either way */
	struct sk_buff *highest_sack; /* first segment above all that is SACKed; NULL: at the end */
	struct sk_buff *retransmit_skb_hint;

	/* Recovery. */
	struct tcp_rack rack;
	u32 reordering; /* packets */
	u32 reord_seen;
	u32 high_seq; /* snd_nxt when recovery began */
	u32 retrans_stamp; /* ms (our time stamp clock): first retransmission; 0: none */
	u32 undo_marker; /* snd_una when cwnd was cut; 0: no undo */
	s32 undo_retrans; /* retransmissions that may turn out needless */
	u32 total_retrans;
	u32 prior_cwnd, prior_ssthresh, prr_delivered, prr_out;
	u32 tlp_high_seq; /* snd_nxt when the loss probe went; 0: none */
	u32 max_packets_out, cwnd_usage_seq;
	u64 tcp_wstamp_ns; /* when the last packet left, or with pacing the next one may */

	/* Challenge ACKs (RFC 5961), persist. */
	u32 last_oow_ack_time;
	u32 mtup_search_high; /* RFC 4821; the rest is in `rare` */

	const struct tcp_rare *rare; /* tcp_rare_get() to write */

	/* TCP_INFO. */
	u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	u32 segs_in, segs_out, data_segs_in, data_segs_out, dsack_dups, rcv_ooopack;
	u32 chrono_start; /* jiffies: the present chrono began */
	u32 chrono_stat[3]; /* jiffies: busy, rwnd limited, sndbuf limited */
};

/* There may be a million. What few of them need belongs into struct tcp_rare or sock_rare. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct tcp_sock) <= 1216, "a block of 1,216");
_Static_assert(sizeof(void *) != 8 || sizeof(struct sock) <= 240, "struct sock grew");

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
	struct saved_syn *saved_syn; /* NULL: none */
	u32 rcv_isn, snt_isn;
	u32 ts_off; /* of our time stamps */
	u32 last_oow_ack_time;
	u32 rcv_nxt; /* behind the SYN (and its data) */
	u32 snt_tsval_first, snt_tsval_last;
	u8 ao_keyid, ao_rcv_next; /* TCP-AO: the KeyIDs of what we send and of what we get */
	u8 accecn_ok : 1, synack_sent : 1, syn_ect_rcv : 2, syn_ect_snt : 2, saw_accecn_opt : 2;
	u8 accecn_fail_mode : 4, used_tcp_ao : 1;
	u64 snt_synack; /* us: first SYN-ACK, for the RTT; 0: it was sent again */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct tcp_request_sock) <= 240, "a block of 240");

/* struct tcp_timewait_sock is all in struct inet_timewait_sock. */

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)(void *)(uintptr_t)(const void *)sk;
}

static inline struct tcp_request_sock *tcp_rsk(const struct request_sock *req)
{
	return (struct tcp_request_sock *)(void *)(uintptr_t)(const void *)req;
}

/* The saved SYN becomes the child's. */
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
	tp->tcp_mstamp = tp->tcp_clock_cache / NSEC_PER_USEC;
}

/* Our time stamp clock without its offset: ms (RFC 7323 5.4). */
static inline u32 tcp_time_stamp_ms(const struct tcp_sock *tp)
{
	return (u32)(tp->tcp_mstamp / 1000);
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

/* ---- congestion control (tcp_cong.c, tcp_reno.c) ---- */

enum tcp_ca_event {
	CA_EVENT_TX_START, /* first data after all was acknowledged */
	CA_EVENT_CWND_RESTART, /* after idle */
	CA_EVENT_COMPLETE_CWR,
	CA_EVENT_LOSS,
	CA_EVENT_ECN_NO_CE,
	CA_EVENT_ECN_IS_CE
};

struct ack_sample {
	u32 pkts_acked;
	s32 rtt_us;
	u32 in_flight;
};

/* What an ACK delivered (struct rate_sample). */
struct rate_sample {
	u64 prior_mstamp;
	u32 prior_delivered;
	s32 delivered, acked_sacked, losses;
	u32 prior_in_flight, last_end_seq;
	s64 interval_us;
	s64 rtt_us;
	bool is_app_limited, is_retrans, is_ack_delayed;
};

struct tcp_congestion_ops {
	const char *name;
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	/* May be NULL. */
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	void (*set_state)(struct sock *sk, u8 new_state);
	void (*cwnd_event)(struct sock *sk, enum tcp_ca_event ev);
	void (*in_ack_event)(struct sock *sk, u32 flags);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	/* Takes over cwnd altogether. */
	void (*cong_control)(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs);
	bool needs_ecn;
	/* TCP_CC_INFO: bytes written to info (16 at most). May be NULL. */
	u32 (*get_info)(const struct sock *sk, u8 *info);
};

extern const struct tcp_congestion_ops tcp_reno, tcp_cubic, tcp_dctcp;

/* net.ipv4.tcp_congestion_control by number and name: NULL, -1: there is none such. */
const char *tcp_ca_name(u32 index);
s32 tcp_ca_index(const char *name);

/* The namespace's choice; started by tcp_init_congestion_control when the connection stands. */
void tcp_assign_congestion_control(struct sock *sk);
void tcp_init_congestion_control(struct sock *sk);
/* The route names one (`ip route ... congctl`): it goes before the socket's. */
void tcp_ca_dst_init(struct sock *sk, const struct dst_entry *dst);
void tcp_cleanup_congestion_control(struct sock *sk);
/* TCP_CONGESTION: 0, -ENOENT. */
int tcp_set_congestion_control(struct sock *sk, const u8 *name, u32 len);
void tcp_set_ca_state(struct sock *sk, u8 ca_state);
void tcp_ca_event(struct sock *sk, enum tcp_ca_event event);
/* RFC 5681 3.1: what of `acked` is left when slow start ends. */
u32 tcp_slow_start(struct tcp_sock *tp, u32 acked);
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked);
bool tcp_is_cwnd_limited(const struct sock *sk);
u32 tcp_reno_ssthresh(struct sock *sk);
void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked);
u32 tcp_reno_undo_cwnd(struct sock *sk);
/* RFC 6928, within net and route settings. */
u32 tcp_init_cwnd(const struct tcp_sock *tp, const struct dst_entry *dst);

/* ---- tcp.c, tcp_recvmsg.c, tcp_close.c, tcp_sockopt.c: calls of the user ---- */

/* proto.init: a socket in CLOSED. Family ops are the caller's (tcp_v4_init_sock). */
void tcp_init_sock(struct sock *sk);
s64 tcp_sendmsg(struct sock *sk, struct msghdr *msg);
/* Before the first step of a send: a number for it when it has MSG_ZEROCOPY. 0, -ENOBUFS. */
int tcp_zerocopy_begin(struct sock *sk, struct msghdr *msg);
/* proto.timestamping_key */
int tcp_timestamping_key(struct sock *sk, u32 flags);
/* proto.opt_stats (tcp_opt_stats.c): how the connection stands, for the time stamp of `orig`; ack:
 * the segment that acknowledged it, NULL: none yet. NULL: no memory. */
struct sk_buff *tcp_get_timestamping_opt_stats(struct sock *sk, const struct sk_buff *orig,
					       const struct sk_buff *ack);
s64 tcp_recvmsg(struct sock *sk, struct msghdr *msg);
u32 tcp_poll(struct sock *sk, u32 f_flags);
int tcp_ioctl(struct sock *sk, u32 cmd, s64 *value);
/* The user lets go (RFC 9293 3.10.4): FIN, or RST with data unread or linger 0. The socket may
 * live on as an orphan. */
void tcp_close(struct sock *sk);
void tcp_shutdown(struct sock *sk, int how);
/* proto.lingers: SO_LINGER waits for the peer to have it all. */
bool tcp_lingers(struct sock *sk, bool begin);
/* Back to CLOSED with an RST where RFC 9293 3.10.5 wants one. 0. */
int tcp_disconnect(struct sock *sk);
int tcp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len);
int tcp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len);
/* struct tcp_info as bytes (TCP_INFO_SIZE). */
void tcp_get_info(struct sock *sk, u8 *out);
/* Forgets a saved SYN; may be NULL. */
void tcp_saved_syn_free(const struct net *net, struct saved_syn **saved);
/* The request's SYN becomes the child's; without memory it is lost. */
void tcp_move_syn(struct sock *newsk, struct request_sock *req);

/* ---- tcp_rare.c ---- */

/* Its own struct tcp_rare, made at the first call. NULL: no memory. */
struct tcp_rare *tcp_rare_get(struct sock *sk);
/* Of a socket that has one: a default is there for all to read. */
static inline struct tcp_rare *tcp_rare_own(const struct tcp_sock *tp)
{
	ASSERT(tp->rare != &tcp_rare_default);
	return (struct tcp_rare *)(uintptr_t)(const void *)tp->rare;
}
/* The same options for the child of a request of sk, whose `rare` it becomes, and its keys. False:
 * no memory, or the key that the connection began with is gone. */
bool tcp_rare_clone(const struct sock *sk, const struct request_sock *req,
		    const struct tcp_rare **copy);
void tcp_rare_free(struct net *net, const struct tcp_rare *rare);
/* Traces, counts CurrEstab and EstabResets, leaves the tables when it closes. */
void tcp_set_state(struct sock *sk, u8 state);
/* The connection is over: CLOSED, timers off, who waits is woken; an orphan goes. */
void tcp_done(struct sock *sk);
/* FIN exchange is through on our side: into CLOSED or FIN-WAIT, to be called on orphans. */
void tcp_shutdown_orphan(struct sock *sk);
/* Too many orphans, or no memory for them? (tcp_max_orphans) */
bool tcp_check_oom(const struct sock *sk, u32 shift);
/* Frees what was never acknowledged. */
void tcp_write_queue_purge(struct sock *sk);
/* sk_destruct: queues of TCP are emptied. */
void tcp_v4_destroy_common(struct sock *sk);
void tcp_push(struct sock *sk, u32 flags, u32 mss_now, u32 nonagle, u32 size_goal);
u32 tcp_send_mss(struct sock *sk, u32 *size_goal, u32 flags);
/* The reader took bytes: is a window update due? (RFC 9293 3.8.6.2.2) */
void tcp_cleanup_rbuf(struct sock *sk, u32 copied);
u32 tcp_fin_time(const struct sock *sk);
/* Is there room for one more to write (sk_stream_memory_free)? */
bool tcp_stream_memory_free(const struct sock *sk);
u32 tcp_stream_min_wspace(const struct sock *sk);
void tcp_write_space(struct sock *sk);
void tcp_data_ready(struct sock *sk);
/* SO_RCVLOWAT: at most half of the buffer, which grows with it unless the user fixed it. */
void tcp_set_rcvlowat(struct sock *sk, struct sock_rare *rare);
s32 tcp_inq(struct sock *sk);
/* Ready to be read: at least `target` bytes, or the end. */
bool tcp_stream_is_readable(struct sock *sk, s32 target);
void tcp_chrono_start(struct sock *sk, enum tcp_chrono type);
void tcp_chrono_stop(struct sock *sk, enum tcp_chrono type);

/* ---- tcp_input.c: segments that arrive ---- */

/* A segment for a socket in ESTABLISHED. Takes skb. */
void tcp_rcv_established(struct sock *sk, struct sk_buff *skb);
/*
 * A segment for a socket in any other state but TIME-WAIT (RFC 9293 3.10.7). 0: done, skb was
 * taken. > 0: a reset is to be sent for it (enum sk_rst_reason) and skb is still the caller's.
 */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb);
/* RFC 9293 3.10.7.3; as tcp_rcv_state_process(). */
int tcp_rcv_synsent_state_process(struct sock *sk, struct sk_buff *skb);
/* Active open is through: ESTABLISHED, callbacks, keepalive. skb may be NULL. */
void tcp_finish_connect(struct sock *sk, struct sk_buff *skb);
/* First numbers of a connection once both ends' SYNs are known (buffers, cwnd, metrics). */
void tcp_init_transfer(struct sock *sk, struct sk_buff *skb);
/* The connection was reset (RFC 9293 3.10.7.4): error to the user, CLOSED. skb may be NULL. */
void tcp_reset(struct sock *sk, struct sk_buff *skb);
void tcp_reset_with(struct sock *sk, s32 err);
void tcp_fin(struct sock *sk);
/* Challenge ACK, within the limits of RFC 5961 7; reflect: with feedback of a SYN (AccECN). */
void tcp_send_challenge_ack(struct sock *sk, bool reflect);
/* May one more answer to an out-of-window segment go out (tcp_invalid_ratelimit)? True: no. */
bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, int mib_idx,
			  u32 *last_oow_ack_time);
/* In window? (RFC 9293 3.10.7.4 first) */
bool tcp_sequence_ok(const struct tcp_sock *tp, u32 seq, u32 end_seq);
void tcp_rcv_space_adjust(struct sock *sk);
void tcp_initialize_rcv_mss(struct sock *sk);
void tcp_enter_quickack_mode(struct sock *sk, u32 max_quickacks);
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb);

/* ---- tcp_options.c ---- */

/*
 * Reads the options of a segment. `estab`: not a SYN, or options are negotiated: only time stamps
 * and SACK count. Malformed ones end the walk (RFC 9293 3.1). foc: of SYN and SYN-ACK, may be NULL;
 * it is left alone when there is none.
 */
void tcp_parse_options(const struct net *net, const struct sk_buff *skb,
		       struct tcp_options_received *opt_rx, bool estab,
		       struct tcp_fastopen_cookie *foc);
/* The MSS option alone (0: none, TCP_MSS_DEFAULT is the caller's). */
u16 tcp_parse_mss_option(const u8 *th, u16 user_mss);
/* Options of a segment on an established connection, fast when they are just the aligned time
 * stamp. True when time stamps were seen. */
bool tcp_fast_parse_options(const struct net *net, const struct sk_buff *skb, const u8 *th,
			    struct tcp_sock *tp);

/* ---- tcp_ack.c ---- */

#define FLAG_DATA		0x01 /* the segment has data */
#define FLAG_WIN_UPDATE		0x02
#define FLAG_DATA_ACKED		0x04
#define FLAG_RETRANS_DATA_ACKED 0x08
#define FLAG_SYN_ACKED		0x10
#define FLAG_DATA_SACKED	0x20
#define FLAG_ECE		0x40
#define FLAG_LOST_RETRANS	0x80
#define FLAG_SLOWPATH		0x100
#define FLAG_ORIG_SACK_ACKED	0x200
#define FLAG_SND_UNA_ADVANCED	0x400
#define FLAG_DSACKING_ACK	0x800
#define FLAG_SET_XMIT_TIMER	0x1000
#define FLAG_SACK_RENEGING	0x2000
#define FLAG_UPDATE_TS_RECENT	0x4000
#define FLAG_NO_CHALLENGE_ACK	0x8000
#define FLAG_ACK_MAYBE_DELAYED	0x10000
#define FLAG_DSACK_TLP		0x20000
#define FLAG_TS_PROGRESS	0x40000 /* TS.Recent moved on */
#define FLAG_ACKED		(FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_NOT_DUP		(FLAG_DATA | FLAG_WIN_UPDATE | FLAG_ACKED)
#define FLAG_CA_ALERT		(FLAG_DATA_SACKED | FLAG_ECE | FLAG_DSACKING_ACK)
#define FLAG_FORWARD_PROGRESS	(FLAG_ACKED | FLAG_DATA_SACKED)

/* What one SACK or ACK told, gathered on its way (struct tcp_sacktag_state). */
struct tcp_sacktag_state {
	u64 first_sackt, last_sackt; /* us: send times of the first and last segment newly SACKed */
	u32 reord; /* lowest segment SACKed out of order */
	u32 sack_delivered;
	u32 delivered_bytes; /* acknowledged or SACKed for the first time */
	u32 flag;
	u32 mss_now;
	struct rate_sample *rate;
};

/*
 * RFC 9293 3.10.7.4 fifth: the acknowledgement of a segment. > 0: acceptable, 0: old, < 0: not
 * acceptable (-enum sk_rst_reason); a challenge ACK was sent when one is due.
 */
int tcp_ack(struct sock *sk, const struct sk_buff *skb, u32 flag);
/* RFC 7323 4.3: TS.Recent. */
/* FLAG_TS_PROGRESS: it grew. */
u32 tcp_replace_ts_recent(struct tcp_sock *tp, u32 seq);
/* May the peer's window of this segment replace ours? RFC 9293 3.10.7.4: SND.WL1 and WL2. */
bool tcp_may_update_window(const struct tcp_sock *tp, u32 ack, u32 ack_seq, u32 nwin);
u32 tcp_ack_update_window(struct sock *sk, const struct sk_buff *skb, u32 ack, u32 ack_seq);
void tcp_fast_path_on(struct tcp_sock *tp);
void tcp_fast_path_check(struct sock *sk);
void tcp_rearm_rto(struct sock *sk);
void tcp_set_xmit_timer(struct sock *sk);

/* ---- tcp_rtt.c (RFC 6298) ---- */

void tcp_rtt_estimator(struct sock *sk, s64 mrtt_us);
void tcp_set_rto(struct sock *sk);
u32 __tcp_set_rto(const struct tcp_sock *tp);
u32 tcp_rto_min(const struct sock *sk);
u32 tcp_rto_min_us(const struct sock *sk);
void tcp_bound_rto(struct sock *sk);
bool tcp_ack_update_rtt(struct sock *sk, u32 flag, s64 seq_rtt_us, s64 sack_rtt_us, s64 ca_rtt_us,
			struct rate_sample *rs);
/* RTT of the handshake: from the SYN-ACK of the request to now. */
void tcp_synack_rtt_meas(struct sock *sk, struct request_sock *req);
/* What was measured says nothing of what comes. */
void tcp_rtt_min_reset(struct sock *sk);
void tcp_update_rtt_min(struct sock *sk, u32 rtt_us, u32 flag);
u32 tcp_min_rtt(const struct tcp_sock *tp);
void tcp_rcv_rtt_measure(struct tcp_sock *tp);
void tcp_rcv_rtt_measure_ts(struct sock *sk, const struct sk_buff *skb);

/* ---- tcp_rtx_queue.c: what was sent and not acknowledged ---- */

/* Behind all others: its seq is not below their ends. */
void tcp_rtx_queue_insert(struct sock *sk, struct sk_buff *skb);
/* A piece split off: anywhere. */
void tcp_rtx_queue_insert_split(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_queue_unlink(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_queue_unlink_and_free(struct sock *sk, struct sk_buff *skb);
struct sk_buff *tcp_rtx_queue_head(const struct sock *sk);
struct sk_buff *tcp_rtx_queue_tail(const struct sock *sk);
struct sk_buff *tcp_rtx_queue_next(const struct sk_buff *skb);
struct sk_buff *tcp_rtx_queue_prev(const struct sk_buff *skb);
/* The segment that holds seq, else the first above it; NULL: none. */
struct sk_buff *tcp_rtx_queue_find(const struct sock *sk, u32 seq);
void tcp_rtx_queue_purge(struct sock *sk);

/* ---- tcp_ofo_queue.c: segments above RCV.NXT ---- */

/* Queues a segment; what others hold already is trimmed off or it is dropped. Takes skb. */
void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb);
/* rcv_nxt moved: what is in order now goes to the receive queue. */
void tcp_ofo_queue(struct sock *sk);
/* One of the queue, charged, is taken out and freed: dropped, or its bytes stand elsewhere. */
void tcp_ofo_drop(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason);
void tcp_ofo_consume(struct sock *sk, struct sk_buff *skb);
/* A charged segment that overlaps none. */
void tcp_ofo_add(struct sock *sk, struct sk_buff *skb);
/* tcp_prune.c. Drops the highest ones, never any for one that is higher still, until there is room
 * for in_skb. True: something went. */
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in_skb);
void tcp_ofo_queue_purge(struct sock *sk);
struct sk_buff *tcp_ofo_first(const struct sock *sk);
struct sk_buff *tcp_ofo_next(const struct sk_buff *skb);

/* ---- tcp_sack.c (RFC 2018, 2883) ---- */

/* Receiver: blocks to announce. */
void tcp_sack_new_ofo_skb(struct sock *sk, u32 seq, u32 end_seq);
void tcp_sack_remove(struct tcp_sock *tp);
void tcp_sack_extend(struct tcp_sack_block *sp, u32 seq, u32 end_seq);
/* Made at the first call; NULL: no memory. */
struct tcp_sack *tcp_sack_get(struct sock *sk);
void tcp_dsack_set(struct sock *sk, u32 seq, u32 end_seq);
void tcp_dsack_extend(struct sock *sk, u32 seq, u32 end_seq);
/* A segment that is a duplicate as a whole: D-SACK and quick ACK. */
void tcp_send_dupack(struct sock *sk, const struct sk_buff *skb);
/* Sender: the SACK option of an ACK marks the retransmission queue. Returns FLAG_*. */
u32 tcp_sacktag_write_queue(struct sock *sk, const struct sk_buff *ack_skb, u32 prior_snd_una,
			    struct tcp_sacktag_state *state);
void tcp_highest_sack_reset(struct sock *sk);
/* skb goes away or is acknowledged: hints that point to it move on. */
void tcp_advance_highest_sack(struct sock *sk, struct sk_buff *skb);
u32 tcp_highest_sack_seq(const struct tcp_sock *tp);

/* ---- tcp_recovery.c: loss detection and recovery states ---- */

void tcp_fastretrans_alert(struct sock *sk, u32 prior_snd_una, u32 num_dupack, u32 *ack_flag,
			   int *rexmit);
void tcp_enter_loss(struct sock *sk);
void tcp_enter_cwr(struct sock *sk);
void tcp_cwnd_reduction(struct sock *sk, s32 newly_acked_sacked, u32 newly_lost, u32 flag);
void tcp_process_tlp_ack(struct sock *sk, u32 ack, u32 flag);
void tcp_simple_retransmit(struct sock *sk); /* RFC 1191: MTU shrank */
/* What is marked lost goes again, and cwnd stays. */
void tcp_non_congestion_loss_retransmit(struct sock *sk);
void tcp_clear_retrans(struct tcp_sock *tp);
void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb);
void tcp_check_sack_reordering(struct sock *sk, u32 low_seq, s32 ts);
void tcp_check_reno_reordering(struct sock *sk, u32 addend);
void tcp_add_reno_sack(struct sock *sk, u32 num_dupack, bool ece_ack);
void tcp_remove_reno_sacks(struct sock *sk, u32 acked, bool ece_ack);
void tcp_reset_reno_sack(struct tcp_sock *tp);
void tcp_xmit_recovery(struct sock *sk, int rexmit);
bool tcp_try_undo_loss(struct sock *sk, bool frto_undo);
#define REXMIT_NONE 0
#define REXMIT_LOST 1
#define REXMIT_NEW  2

/* ---- tcp_rack.c (RFC 8985) ---- */

void tcp_rack_advance(struct tcp_sock *tp, u8 sacked, u32 end_seq, u64 xmit_time);
bool tcp_rack_mark_lost(struct sock *sk);
void tcp_rack_reo_timeout(struct sock *sk);
void tcp_rack_update_reo_wnd(struct sock *sk, const struct rate_sample *rs);
void tcp_newreno_mark_lost(struct sock *sk, bool snd_una_advanced);
s32 tcp_rack_skb_timeout(const struct tcp_sock *tp, const struct sk_buff *skb, u32 reo_wnd);
void tcp_enter_recovery(struct sock *sk, bool ece_ack);
void tcp_count_delivered(struct tcp_sock *tp, u32 delivered, bool ece_ack);
bool tcp_any_retrans_done(const struct sock *sk);

/* ---- tcp_rate.c ---- */

void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb);
void tcp_rate_skb_delivered(struct sock *sk, const struct sk_buff *skb, struct rate_sample *rs);
void tcp_rate_gen(struct sock *sk, u32 delivered, u32 lost, bool is_sack_reneg,
		  struct rate_sample *rs);
void tcp_rate_check_app_limited(struct sock *sk);

/* ---- tcp_tso.c ---- */

/* Bytes that a packet of the write queue should take: a multiple of mss_now. */
u32 tcp_xmit_size_goal(struct sock *sk, u32 mss_now, bool large_allowed);
/* Segments that one packet may stand for at the present rate. */
u32 tcp_tso_segs(struct sock *sk, u32 mss_now);
/* Sets sk_pacing_rate from cwnd and RTT. */
void tcp_update_pacing_rate(struct sock *sk);
/* ---- tcp_pacing.c ---- */

void tcp_resume_timer(struct timer_set *ts);
/* True: nothing may go yet; ICSK_TIMER_RESUME is armed. */
bool tcp_pacing_check(struct sock *sk);
/* True: enough waits below already; it goes on when some of it was sent. factor: twice as much. */
bool tcp_small_queue_check(struct sock *sk, const struct sk_buff *skb, u32 factor);
/* True: a small write waits for the device, others may fill the packet up. */
bool tcp_should_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal);
/* None is armed after it. */
void tcp_clear_xmit_timers(struct sock *sk);
/* Is a packet that was less than a segment under way (Minshall)? */
bool tcp_minshall_check(const struct tcp_sock *tp);

/* ---- tcp_output.c ---- */

/* Active open (RFC 9293 3.10.1): SYN queued and sent. Addresses, ports, ISN (write_seq) are set.
 * 0 or -errno. */
int tcp_connect(struct sock *sk);
/* proto.connect behind its addresses and port: numbers of this connection (RFC 6528), then the SYN,
 * unless fast open waits for data. 0 or -errno. */
int tcp_open(struct sock *sk, const struct inet_addr *laddr, const struct inet_addr *faddr);
/* The rest of an opening that waited for data. 0 or -errno; the socket is in CLOSED then. */
int tcp_connect_deferred(struct sock *sk);
/* First numbers before the SYN: windows, MSS, header length. */
void tcp_connect_init(struct sock *sk);
/*
 * The SYN-ACK for a request, with its route dst (held by the caller; the packet takes a reference
 * of its own): data at the TCP header, header without checksum. NULL: no memory.
 */
struct sk_buff *tcp_make_synack(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
				const struct tcp_fastopen_cookie *foc);
/* rcv_wnd, window_clamp, rcv_wscale for a request (tcp_openreq_init_rwin). */
void tcp_openreq_init_rwin(struct request_sock *req, const struct sock *sk_listener,
			   const struct dst_entry *dst);
/* Window to offer at first out of `space` bytes, and its scale (RFC 7323 2). */
void tcp_select_initial_window(const struct sock *sk, u32 space, u32 mss, u32 *rcv_wnd,
			       u32 *window_clamp, bool wscale_ok, u8 *rcv_wscale, u32 init_rcv_wnd);
u32 tcp_sync_mss(struct sock *sk, u32 pmtu);
u32 tcp_mtu_to_mss(struct sock *sk, u32 pmtu);
/* The same without options (__tcp_mtu_to_mss). */
u32 tcp_mtu_to_mss_plain(const struct sock *sk, u32 pmtu);
u32 tcp_mss_to_mtu(struct sock *sk, u32 mss);
void tcp_mtup_init(struct sock *sk);
/* The probe is acknowledged: that is the size now. */
void tcp_mtup_probe_success(struct sock *sk);
/* A loss is found: of the probe alone? Then it was too large, and that is all. */
bool tcp_mtup_probe_lost(struct sock *sk);
/* Time-out after time-out (tcp_retries1): smaller segments, and the search (RFC 4821 7.7). */
void tcp_mtu_black_hole(struct sock *sk);
u32 tcp_current_mss(struct sock *sk);
u16 tcp_advertise_mss(struct sock *sk);
/* The MSS to announce on this route, within TCP_MAXSEG. */
u16 tcp_mss_clamp(const struct tcp_sock *tp, u16 mss);
u32 tcp_dst_advmss(const struct dst_entry *dst);
void tcp_initialize_advmss(struct sock *sk, const struct dst_entry *dst);
/* Sends what may be sent. */
void __tcp_push_pending_frames(struct sock *sk, u32 cur_mss, u32 nonagle);
void tcp_push_one(struct sock *sk, u32 mss_now);
void tcp_push_pending_frames(struct sock *sk);
bool tcp_write_xmit(struct sock *sk, u32 mss_now, u32 nonagle, int push_one);
/* Sends one segment: `clone`: skb stays in a queue. 0, > 0 (dropped below), or -errno. */
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone);
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone, u32 rcv_nxt);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);
void tcp_xmit_retransmit_queue(struct sock *sk);
void tcp_send_ack(struct sock *sk);
/* The same for an earlier RCV.NXT (DCTCP): what is owed for later ones stays so. */
void __tcp_send_ack(struct sock *sk, u32 rcv_nxt, u16 flags);
/* With the feedback that AccECN has in a handshake: of the peer's SYN or SYN-ACK. */
void tcp_send_ack_reflect_ect(struct sock *sk);
void tcp_send_delayed_ack(struct sock *sk);
void tcp_send_fin(struct sock *sk);
void tcp_send_active_reset(struct sock *sk, enum sk_rst_reason reason);
/* SYN-ACK of a simultaneous open (RFC 9293 3.5 figure 7). 0 or -errno. */
int tcp_send_synack(struct sock *sk);
/* A segment with the sequence number SND.UNA - 1: probe or keepalive. */
int tcp_xmit_probe_skb(struct sock *sk, bool urgent, int mib);
int tcp_write_wakeup(struct sock *sk, int mib);
void tcp_send_probe0(struct sock *sk);
bool tcp_schedule_loss_probe(struct sock *sk, bool advancing_rto);
void tcp_send_loss_probe(struct sock *sk);
u32 __tcp_select_window(struct sock *sk);
/* Splits a segment of a queue at len. 0, -ENOMEM. */
enum tcp_queue { TCP_FRAG_IN_WRITE_QUEUE, TCP_FRAG_IN_RTX_QUEUE };
int tcp_fragment(struct sock *sk, enum tcp_queue queue, struct sk_buff *skb, u32 len, u32 mss_now);
/* A private data area for a segment of a queue: headers may be written again. 0, -ENOMEM. */
int tcp_skb_unclone(struct sk_buff *skb);
/* Takes the first len bytes, which are acknowledged, away. 0, -ENOMEM. */
int tcp_trim_head(struct sock *sk, struct sk_buff *skb, u32 len);
/* A segment without payload, headroom reserved, to be filled. */
struct sk_buff *tcp_stream_alloc_skb(struct sock *sk, u32 size);
void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb);
/* A copy for the device is charged to the socket until it was sent. */
void tcp_skb_set_owner_w(struct sock *sk, struct sk_buff *skb);
void tcp_wfree(struct sk_buff *skb);
/* Room for `need` bytes more at the end of a packet of a queue; when it must be moved, for `want`.
 * 0, -ENOMEM. */
int tcp_skb_make_room(struct sk_buff *skb, u32 need, u32 want);
/* Segments that it is at this MSS; set in the packet. */
u32 tcp_set_skb_tso_segs(struct sk_buff *skb, u32 mss_now);
/* RFC 9293 3.8.6.2.1: not more than half of the window of a peer with a small one. */
u32 tcp_bound_to_half_wnd(const struct tcp_sock *tp, u32 size);
void tcp_init_nondata_skb(struct sk_buff *skb, u32 seq, u16 flags);
/* RFC 5681 4.1: cwnd after idle time. */
void tcp_slow_start_after_idle_check(struct sock *sk);
void tcp_adjust_pcount(struct sock *sk, const struct sk_buff *skb, s32 decr);

/* What goes into a header besides the fixed part. */
struct tcp_out_options {
	u16 options; /* OPTION_* */
	u16 mss;
	u8 ws, num_sack_blocks;
	u8 auth_len; /* tcp_auth_sign() fills them: they come first */
	u8 num_accecn_fields;
	bool accecn_synack; /* of a SYN-ACK: counters are as they begin */
	u32 tsval, tsecr;
	const struct tcp_fastopen_cookie *fastopen_cookie;
};
#define OPTION_FAST_OPEN_COOKIE 256
#define OPTION_ACCECN		512
#define OPTION_SACK_ADVERTISE	1
#define OPTION_TS		2
#define OPTION_WSCALE		8
#define OPTION_MSS		16
/* Writes them behind the header at th (room is there). tp NULL: no SACK blocks. Bytes written. */
u32 tcp_options_write(u8 *th, struct tcp_sock *tp, const struct tcp_out_options *opts);
u32 tcp_established_options(struct sock *sk, const struct sk_buff *skb,
			    struct tcp_out_options *opts);

/* ---- tcp_timer.c ---- */

void tcp_init_xmit_timers(struct sock *sk);
void tcp_reset_keepalive_timer(struct sock *sk, u32 len);
void tcp_set_keepalive(struct sock *sk, bool on);
u32 keepalive_time_when(const struct tcp_sock *tp);
u32 keepalive_intvl_when(const struct tcp_sock *tp);
u32 keepalive_probes(const struct tcp_sock *tp);
u32 keepalive_time_elapsed(const struct tcp_sock *tp);
void tcp_delack_timer_handler(struct sock *sk);
void tcp_write_timer_handler(struct sock *sk);
void tcp_retransmit_timer(struct sock *sk);
/* Interval to the next zero window probe, jiffies, at most max_when. */
u32 tcp_probe0_when(const struct sock *sk, u32 max_when);
u32 tcp_probe0_base(const struct sock *sk);
u32 tcp_clamp_probe0_to_user_timeout(const struct sock *sk, u32 when);
void tcp_check_probe_timer(struct sock *sk);
void tcp_write_err(struct sock *sk);
u32 tcp_rto_max(const struct sock *sk);

/* ---- tcp_minisocks.c, tcp_ipv4.c, tcp_syncookies.c ---- */

/* What tcp_timewait_state_process wants done with the segment. */
enum tcp_tw_status { TCP_TW_SUCCESS, TCP_TW_RST, TCP_TW_ACK, TCP_TW_SYN, TCP_TW_ACK_OOW };

/* A segment for a TIME-WAIT socket (RFC 9293 3.10.7.4, RFC 6191). *tw_isn: ISN for a new
 * incarnation. Does not take skb. */
enum tcp_tw_status tcp_timewait_state_process(struct inet_timewait_sock *tw, struct sk_buff *skb,
					      u32 *tw_isn, enum skb_drop_reason *reason);
/* sk is replaced by a small socket in TIME-WAIT (or FIN-WAIT-2 of an orphan) for timeo jiffies and
 * is done with (tcp_done). */
void tcp_time_wait(struct sock *sk, u8 state, u32 timeo);
/*
 * A segment for a request. The child (or the listener itself: let it look on), or NULL: dropped or
 * answered. Does not take skb.
 */
struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			   bool fastopen, bool *lost_race, enum skb_drop_reason *reason);
/* The child gets the segment that made it. As tcp_rcv_state_process(): 0: skb was taken; > 0: a
 * reset is to be sent for it. */
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb);
struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req,
				      struct sk_buff *skb);
/* A SYN for a listener: request made, SYN-ACK sent. */
struct tcp_request_sock_ops;
int tcp_conn_request(const struct tcp_request_sock_ops *rsk_ops, struct sock *sk,
		     struct sk_buff *skb);

struct net_protocol;
extern const struct proto tcp_prot;
extern const struct proto tcpv6_prot;
extern const struct inet_connection_sock_af_ops ipv4_specific;

int tcp_v4_rcv(struct sk_buff *skb);
/* Boot: tables, the IPv4 protocol. After ipv4_init(). 0 or -errno. */
int tcp_init(struct host *h);
/* After all sockets are closed. */
void tcp_exit(struct host *h);
int tcp_net_init(struct net *net);
void tcp_net_exit(struct net *net);

/* ---- tcp_check.c ---- */

/* Panics at the first broken invariant of any TCP socket of the host. */
void tcp_check_host(struct host *h, u32 level);
/* Of one socket. */
void tcp_check_sk(const struct sock *sk, u32 level);

#endif
