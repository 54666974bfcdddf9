/* SPDX-License-Identifier: MIT */
/*
 * The metrics cache (tcp_metrics.h; net/ipv4/tcp_metrics.c).
 *
 * Invariants: one entry for a pair of addresses; a chain is never longer than
 * TCP_METRICS_RECLAIM_DEPTH: the one set longest ago makes room; an entry that was not set for an
 * hour starts anew. The table is made with the first entry.
 */
#include "tcp/tcp_metrics.h"

#include "tcp/tcp_secure_seq.h"
#include "tcp/tcp_ack.h"

#define TCP_METRICS_TIMEOUT	  (60u * 60 * HZ)
#define TCP_METRICS_RECLAIM_DEPTH 5u
#ifdef TAPLINE_HOSTILE
#define TCP_METRICS_SLOTS 1u
#else
#define TCP_METRICS_SLOTS 256u
#endif

static u64 addr_word(const struct inet_addr *a, u32 i)
{
	return (u64)a->w[i] << 32 | a->w[i + 1];
}

static struct hlist_head *chain_of(const struct tcp_host *th, const struct inet_addr *daddr)
{
	u32 hash = hsiphash_2u64(addr_word(daddr, 0), addr_word(daddr, 2), &th->ts_key);

	return &th->metrics[hash & (TCP_METRICS_SLOTS - 1)];
}

/* ---- entries ---- */

/* By enum tcp_metric_index. */
static const u8 route_metrics[] = { RTAX_RTT, RTAX_RTTVAR, RTAX_SSTHRESH, RTAX_CWND,
				    RTAX_REORDERING };

/* What the route says goes first (tcpm_suck_dst). */
static void suck_dst(struct tcp_metrics_block *tm, const struct dst_entry *dst)
{
	tm->stamp = jiffies(tm->net->host);
	tm->lock = 0;
	for (u32 i = 0; i < ARRAY_SIZE(route_metrics); i++)
		if (dst_metric_locked(dst, route_metrics[i]))
			tm->lock |= (u8)(1u << i);
	tm->vals[TCP_METRIC_RTT] = dst_metric(dst, RTAX_RTT) * 1000;
	tm->vals[TCP_METRIC_RTTVAR] = dst_metric(dst, RTAX_RTTVAR) * 1000;
	tm->vals[TCP_METRIC_SSTHRESH] = dst_metric(dst, RTAX_SSTHRESH);
	tm->vals[TCP_METRIC_CWND] = dst_metric(dst, RTAX_CWND);
	tm->vals[TCP_METRIC_REORDERING] = dst_metric(dst, RTAX_REORDERING);
	tm->fastopen = (struct tcp_fastopen_metrics){ .cookie.len = 0 };
}

static struct tcp_metrics_block *find(const struct net *net, u16 family,
				      const struct inet_addr *saddr, const struct inet_addr *daddr,
				      u32 *depth, struct tcp_metrics_block **oldest)
{
	const struct tcp_host *th = tcp_host_of(net);

	*depth = 0;
	*oldest = NULL;
	if (!th->metrics)
		return NULL;
	hlist_for_each(n, chain_of(th, daddr))
	{
		struct tcp_metrics_block *tm = container_of(n, struct tcp_metrics_block, node);

		if (tm->net == net && tm->family == family && inet_addr_equal(&tm->daddr, daddr) &&
		    inet_addr_equal(&tm->saddr, saddr))
			return tm;
		++*depth;
		if (!*oldest || tm->stamp < (*oldest)->stamp)
			*oldest = tm;
	}
	return NULL;
}

/* False: no memory. */
static bool table_make(struct world *w, struct tcp_host *th)
{
	if (th->metrics)
		return true;
	th->metrics = mem_alloc_n(w, MEM_HASH_TABLE, TCP_METRICS_SLOTS, sizeof(*th->metrics));
	if (th->metrics)
		memset(th->metrics, 0, TCP_METRICS_SLOTS * sizeof(*th->metrics));
	return th->metrics != NULL;
}

static struct tcp_metrics_block *new_entry(struct net *net, struct tcp_metrics_block *oldest,
					   u32 depth, const struct inet_addr *daddr)
{
	struct tcp_host *th = tcp_host_of(net);
	struct world *w = net_world(net);
	struct tcp_metrics_block *tm = oldest;

	if (!table_make(w, th))
		return NULL;
	if (depth > TCP_METRICS_RECLAIM_DEPTH) {
		hlist_del_init(&tm->node);
	} else {
		tm = mem_zalloc(w, MEM_TCP_METRICS, sizeof(*tm));
		if (!tm)
			return NULL;
	}
	hlist_add_tail(&tm->node, chain_of(th, daddr));
	return tm;
}

/* An AF_INET6 socket that talks to a mapped address shares what is known of it. */
static u16 family_of(const struct sock *sk)
{
	return sk_is_ipv6(sk) ? AF_INET6 : AF_INET;
}

static void addresses(const struct sock *sk, struct inet_addr *saddr, struct inet_addr *daddr)
{
	if (!sk_is_ipv6(sk)) {
		*saddr = inet_addr4(sk->inet_saddr);
		*daddr = inet_addr4(sk->inet_daddr);
	} else {
		*saddr = skc_rcv_saddr(inet_skc(sk));
		*daddr = skc_daddr(inet_skc(sk));
	}
}

static struct tcp_metrics_block *tcp_get_metrics(struct sock *sk, const struct dst_entry *dst,
						 bool create)
{
	struct inet_addr saddr, daddr;
	struct tcp_metrics_block *tm, *oldest;
	u32 depth;

	addresses(sk, &saddr, &daddr);
	tm = find(sk->net, family_of(sk), &saddr, &daddr, &depth, &oldest);
	if (tm) {
		if (jiffies(sk->net->host) > tm->stamp + TCP_METRICS_TIMEOUT)
			suck_dst(tm, dst);
		return tm;
	}
	if (!create)
		return NULL;
	tm = new_entry(sk->net, oldest, depth, &daddr);
	if (!tm)
		return NULL;
	tm->net = sk->net;
	tm->family = family_of(sk);
	tm->saddr = saddr;
	tm->daddr = daddr;
	suck_dst(tm, dst);
	return tm;
}

/* ---- learning ---- */

static bool locked(const struct tcp_metrics_block *tm, enum tcp_metric_index i)
{
	return tm->lock >> i & 1;
}

static void set(struct tcp_metrics_block *tm, enum tcp_metric_index i, u32 val)
{
	if (!locked(tm, i))
		tm->vals[i] = val;
}

/* A larger RTT is taken as it is, a smaller one slowly: too long is better than too short. */
static void update_rtt(struct tcp_metrics_block *tm, const struct tcp_sock *tp)
{
	u32 rtt = tm->vals[TCP_METRIC_RTT], var = tm->vals[TCP_METRIC_RTTVAR], dev;
	s32 m = (s32)(rtt - tp->srtt_us);

	set(tm, TCP_METRIC_RTT, m <= 0 ? tp->srtt_us : rtt - ((u32)m >> 3));
	dev = max_u32((m < 0 ? 0 - (u32)m : (u32)m) >> 1, tp->mdev_us);
	set(tm, TCP_METRIC_RTTVAR, dev >= var ? dev : var - ((var - dev) >> 2));
}

static void update_cwnd(struct sock *sk, struct tcp_metrics_block *tm)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	bool save_ssthresh = !sysctl->tcp_no_ssthresh_metrics_save;
	u32 cwnd = tm->vals[TCP_METRIC_CWND], ssthresh = tm->vals[TCP_METRIC_SSTHRESH];
	u32 reordering = tm->vals[TCP_METRIC_REORDERING];

	if (tcp_in_initial_slowstart(tp)) {
		/* Slow start did not end. */
		if (save_ssthresh && ssthresh && tp->snd_cwnd >> 1 > ssthresh)
			set(tm, TCP_METRIC_SSTHRESH, tp->snd_cwnd >> 1);
		if (tp->snd_cwnd > cwnd)
			set(tm, TCP_METRIC_CWND, tp->snd_cwnd);
	} else if (!tcp_in_slow_start(tp) && inet_csk(sk)->icsk_ca_state == TCP_CA_Open) {
		/* Congestion avoidance: cwnd means something. */
		if (save_ssthresh)
			set(tm, TCP_METRIC_SSTHRESH, max_u32(tp->snd_cwnd >> 1, tp->snd_ssthresh));
		set(tm, TCP_METRIC_CWND, (cwnd + tp->snd_cwnd) >> 1);
	} else {
		set(tm, TCP_METRIC_CWND, (cwnd + tp->snd_ssthresh) >> 1);
		if (save_ssthresh && ssthresh && tp->snd_ssthresh > ssthresh)
			set(tm, TCP_METRIC_SSTHRESH, tp->snd_ssthresh);
		if (reordering < tp->reordering && tp->reordering != (u32)sysctl->tcp_reordering)
			set(tm, TCP_METRIC_REORDERING, tp->reordering);
	}
}

void tcp_update_metrics(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct dst_entry *dst = sk->dst_cache;
	struct tcp_metrics_block *tm;

	if (sk->net->sysctl.tcp_no_metrics_save || !dst)
		return;
	if (inet_csk(sk)->icsk_backoff || !tp->srtt_us) {
		/* No estimate: nothing came back in time. The old one is not to be trusted. */
		tm = tcp_get_metrics(sk, dst, false);
		if (tm)
			set(tm, TCP_METRIC_RTT, 0);
		return;
	}
	tm = tcp_get_metrics(sk, dst, true);
	if (!tm)
		return;
	update_rtt(tm, tp);
	update_cwnd(sk, tm);
	tm->stamp = jiffies(sk->net->host);
}

/* ---- using it ---- */

/* Scaled RTT, 0: none is known. */
static u32 apply_metrics(struct sock *sk, const struct tcp_metrics_block *tm)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ssthresh =
		sk->net->sysctl.tcp_no_ssthresh_metrics_save ? 0 : tm->vals[TCP_METRIC_SSTHRESH];

	if (locked(tm, TCP_METRIC_CWND))
		tp->snd_cwnd_clamp = tm->vals[TCP_METRIC_CWND];
	if (ssthresh)
		tp->snd_ssthresh = min_u32(ssthresh, tp->snd_cwnd_clamp);
	if (tm->vals[TCP_METRIC_REORDERING])
		tp->reordering = tm->vals[TCP_METRIC_REORDERING];
	return tm->vals[TCP_METRIC_RTT];
}

void tcp_init_metrics(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_metrics_block *tm;
	u32 crtt = 0;

	/* A lost SYN may have lowered it. */
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tm = sk->dst_cache ? tcp_get_metrics(sk, sk->dst_cache, false) : NULL;
	if (tm)
		crtt = apply_metrics(sk, tm);
	if (crtt > tp->srtt_us) {
		/* The handshake's small segments saw a shorter RTT than data will: for the first
		 * timeout only. */
		crtt /= 8 * 1000;
		icsk->icsk_rto = crtt + max_u32(2 * crtt, tcp_rto_min(sk));
	} else if (!tp->srtt_us) {
		/* RFC 6298 5.7: no RTT sample from the handshake. */
		tp->rttvar_us = TCP_TIMEOUT_FALLBACK * 1000;
		tp->mdev_us = tp->rttvar_us;
		tp->mdev_max_us = tp->rttvar_us;
		icsk->icsk_rto = TCP_TIMEOUT_FALLBACK;
	}
	tcp_bound_rto(sk);
}

bool tcp_peer_is_proven(const struct request_sock *req)
{
	const struct sock_common *skc = &req->skc;
	const struct inet_addr saddr = skc_rcv_saddr(skc), daddr = skc_daddr(skc);
	struct tcp_metrics_block *oldest;
	u32 depth;
	const struct tcp_metrics_block *tm =
		find(skc->skc_net, skc->skc_family, &saddr, &daddr, &depth, &oldest);

	return tm && tm->vals[TCP_METRIC_RTT];
}

/* ---- fast open ---- */

void tcp_fastopen_cache_get(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie)
{
	const struct tcp_metrics_block *tm =
		sk->dst_cache ? tcp_get_metrics(sk, sk->dst_cache, false) : NULL;

	if (!tm)
		return;
	if (tm->fastopen.mss)
		*mss = tm->fastopen.mss;
	*cookie = tm->fastopen.cookie;
	if (cookie->len <= 0 && tm->fastopen.try_exp == 1)
		cookie->exp = true;
}

void tcp_fastopen_cache_set(struct sock *sk, u16 mss, const struct tcp_fastopen_cookie *cookie,
			    bool syn_lost, u16 try_exp)
{
	struct tcp_metrics_block *tm =
		sk->dst_cache ? tcp_get_metrics(sk, sk->dst_cache, true) : NULL;
	struct tcp_fastopen_metrics *tfom;

	if (!tm)
		return;
	tfom = &tm->fastopen;
	if (mss)
		tfom->mss = mss;
	if (cookie->len > 0)
		tfom->cookie = *cookie;
	else if (try_exp > tfom->try_exp && tfom->cookie.len <= 0 && !tfom->cookie.exp)
		tfom->try_exp = (u32)try_exp & 3;
	if (syn_lost) {
		tfom->syn_loss = (tfom->syn_loss + 1u) & 0x3ff;
		tfom->last_syn_loss = jiffies(sk->net->host);
	} else {
		tfom->syn_loss = 0;
	}
}

/* ---- ip tcp_metrics ---- */

static void entry_free(const struct net *net, struct tcp_metrics_block *tm)
{
	hlist_del_init(&tm->node);
	mem_free(net_world(net), MEM_TCP_METRICS, tm, sizeof(*tm));
}

u32 tcp_metrics_flush(struct net *net, u16 family, const struct inet_addr *daddr)
{
	struct tcp_host *th = tcp_host_of(net);
	u32 count = 0;

	for (u32 i = 0; th->metrics && i < TCP_METRICS_SLOTS; i++) {
		hlist_for_each_safe(n, tmp, &th->metrics[i])
		{
			struct tcp_metrics_block *tm =
				container_of(n, struct tcp_metrics_block, node);

			if (tm->net != net || (daddr && (tm->family != family ||
							 !inet_addr_equal(&tm->daddr, daddr))))
				continue;
			entry_free(net, tm);
			count++;
		}
	}
	return count;
}

const struct tcp_metrics_block *tcp_metrics_get(const struct net *net, u32 n)
{
	const struct tcp_host *th = tcp_host_of(net);

	for (u32 i = 0; th->metrics && i < TCP_METRICS_SLOTS; i++) {
		hlist_for_each(pos, &th->metrics[i])
		{
			const struct tcp_metrics_block *tm =
				container_of(pos, struct tcp_metrics_block, node);

			if (tm->net == net && !n--)
				return tm;
		}
	}
	return NULL;
}

void tcp_metrics_exit(struct host *h)
{
	struct tcp_host *th = container_of(h->tcp_hashinfo, struct tcp_host, hashinfo);

	if (th->metrics)
		mem_free_n(h->world, MEM_HASH_TABLE, th->metrics, TCP_METRICS_SLOTS,
			   sizeof(*th->metrics));
	th->metrics = NULL;
}
