/* SPDX-License-Identifier: MIT */
/*
 * The life of TIME-WAIT sockets (inet_timewait_sock.h; net/ipv4/inet_timewait_sock.c): made from a
 * full socket, whose key and port they keep, ended by their timer or by a new connection.
 */
#include "inet/inet_timewait_sock.h"

#include "inet/inet_connection_sock.h"

static struct inet_hashinfo *tw_hashinfo(const struct inet_timewait_sock *tw)
{
	return inet_hashinfo_of(tw->tw_common.skc_net);
}

/* inet_twsk_kill(): out of all tables, gone. */
void inet_twsk_deschedule_put(struct inet_timewait_sock *tw)
{
	struct inet_hashinfo *hi = tw_hashinfo(tw);

	event_cancel(hi->host->world, &tw->tw_timer);
	inet_ehash_remove(hi, &tw->tw_common);
	inet_bind_owner_del(hi, &tw->tw_bind);
	ASSERT(hi->tw_count > 0);
	hi->tw_count--;
	if (tw->tw_extra)
		hi->twsk_destructor(tw);
	mem_free(hi->host->world, MEM_TIMEWAIT_SOCK, tw,
		 sizeof(*tw) + inet_twsk_key_size(tw) + tw->tw_extra);
}

static void tw_timer_event(struct world *w, struct event *ev)
{
	struct inet_timewait_sock *tw = container_of(ev, struct inet_timewait_sock, tw_timer);
	struct cpu *cpu = host_cpu(tw_hashinfo(tw)->host, tw->tw_common.skc_timer_cpu);

	(void)w;
	if (!timer_begin(cpu, ev))
		return;
	inet_twsk_deschedule_put(tw);
	timer_end(cpu);
}

/* sk's as it is in the table. */
static void tw_key(struct inet_timewait_sock *tw, const struct sock *sk)
{
	struct inet6_key *key = (struct inet6_key *)(void *)(tw + 1);

	tw->tw_common = *inet_skc(sk);
	tw->tw_common.skc_node = (struct hlist_node){ 0 };
	tw->tw_common.skc_kind = SKC_TIMEWAIT;
	tw->tw_common.skc_bound_dev_if = sk->sk_bound_dev_if;
	if (tw->tw_common.skc_family != AF_INET6)
		return;
	*key = *inet_skc(sk)->skc_v6;
	tw->tw_common.skc_v6 = key;
}

struct inet_timewait_sock *inet_twsk_alloc(struct sock *sk, u8 substate, u32 extra)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct inet_timewait_sock *tw;
	size_t key = inet_skc(sk)->skc_family == AF_INET6 ? sizeof(struct inet6_key) : 0;

	if (hi->tw_count >= (u32)sk->net->sysctl.tcp_max_tw_buckets)
		return NULL;
	tw = mem_zalloc(hi->host->world, MEM_TIMEWAIT_SOCK, sizeof(*tw) + key + extra);
	if (!tw)
		return NULL;
	tw_key(tw, sk);
	tw->tw_substate = substate;
	tw->tw_extra = (u8)extra;
	tw->tw_tos = sk->inet_tos;
	tw->tw_mark = sk->sk_mark;
	tw->tw_priority = sk->sk_priority;
	tw->tw_reuse = sk->sk_reuse;
	tw->tw_reuseport = sk->sk_reuseport;
	tw->tw_transparent = sk->inet_transparent;
	tw->tw_common.skc_timer_cpu = (u16)this_cpu(hi->host)->id;
	event_init(&tw->tw_timer, tw_timer_event);
	return tw;
}

void inet_twsk_hashdance_schedule(struct inet_timewait_sock *tw, struct sock *sk, u32 timeo)
{
	struct inet_hashinfo *hi = tw_hashinfo(tw);

	inet_bind_owner_add_tw(&tw->tw_bind, &inet_csk(sk)->icsk_bind);
	if (!inet_csk(sk)->icsk_bind.tb2)
		sk->inet_num = 0; /* its place is the other's: inet_put_port() */
	inet_ehash_remove(hi, inet_skc(sk));
	inet_ehash_insert(hi, &tw->tw_common);
	hi->tw_count++;
	/* A short stay is one that was cut (the kernel counts so since it recycled them). */
	if (timeo <= 4 * HZ)
		MIB_INC(sk->net, TcpExtTWKilled);
	else
		MIB_INC(sk->net, TcpExtTW);
	inet_twsk_reschedule(tw, timeo);
}

void inet_twsk_reschedule(struct inet_timewait_sock *tw, u32 timeo)
{
	struct host *h = tw_hashinfo(tw)->host;

	event_arm(h->world, &tw->tw_timer, timer_expiry_ns(h, jiffies(h) + timeo), EVENT_TIMER);
}

void inet_twsk_purge(struct inet_hashinfo *hi, const struct net *net)
{
	for (u32 i = 0; i <= hi->ehash.mask; i++) {
		hlist_for_each_safe(n, tmp, &hi->ehash.heads[i])
		{
			struct sock_common *skc = container_of(n, struct sock_common, skc_node);

			if (skc->skc_kind == SKC_TIMEWAIT && skc->skc_net == net)
				inet_twsk_deschedule_put(inet_twsk(skc));
		}
	}
}
