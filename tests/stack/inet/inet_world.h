/* SPDX-License-Identifier: MIT */
/*
 * A host without devices, its connection tables, and sockets of a protocol that does nothing: for
 * tests of inet/ without TCP.
 */
#ifndef TAPLINE_TESTS_STACK_INET_INET_WORLD_H
#define TAPLINE_TESTS_STACK_INET_INET_WORLD_H

#include "stack/bare_world.h"

#include "inet/inet_connection_sock.h"
#include "inet/inet_timewait_sock.h"

struct inet_world {
	struct world *w;
	struct host *h;
	struct net *net;
	struct inet_hashinfo hi;
};

static u32 destroyed, disconnected;

static inline void fake_destroy(struct sock *sk)
{
	destroyed++;
	inet_csk_clear_xmit_timers(sk);
	inet_put_port(sk);
}

static inline int fake_disconnect(struct sock *sk)
{
	disconnected++;
	inet_unhash(sk);
	sk->sk_state = TCP_CLOSE;
	return 0;
}

static inline void fake_timers(struct world *w, struct event *ev)
{
	struct timer_set *ts = container_of(ev, struct timer_set, event);
	struct cpu *cpu = inet_csk_timer_cpu(inet_csk_timer_sk(ev));

	(void)w;
	if (timer_set_begin(ts, cpu) != TIMER_SET_SLOTS)
		timer_end(cpu);
}

static inline void fake_destruct(struct sock *sk)
{
	if (inet_csk(sk)->icsk_accept_queue != &reqsk_queue_none)
		mem_free(net_world(sk->net), MEM_REQSK_QUEUE, inet_csk_queue(sk),
			 sizeof(struct request_sock_queue));
}

static const struct proto fake_prot = {
	.name = "FAKE",
	.calls = &sock_def_calls,
	.obj_size = sizeof(struct inet_connection_sock),
	.mem_kind = MEM_TCP_SOCK,
	.disconnect = fake_disconnect,
	.destroy = fake_destroy,
	.destruct = fake_destruct,
	.get_port = inet_csk_get_port,
};

static inline struct inet_world *inet_world_new(u64 seed)
{
	struct inet_world *iw = calloc(1, sizeof(*iw));
	struct net *net;

	assert_non_null(iw);
	iw->w = bare_world(seed);
	iw->h = host_create(iw->w, 1, "h");
	assert_non_null(iw->h);
	net = mem_zalloc(iw->w, MEM_NET, sizeof(*net));
	assert_non_null(net);
	netns_init(net, iw->h);
	iw->net = net;
	assert_int_equal(inet_hashinfo_init(iw->h, &iw->hi), 0);
	iw->h->tcp_hashinfo = &iw->hi;
	return iw;
}

static inline void inet_world_end(struct inet_world *iw)
{
	inet_hashinfo_check(&iw->hi, 1);
	inet_hashinfo_exit(&iw->hi);
	list_del_init(&iw->net->list);
	mem_free(iw->w, MEM_NET, iw->net, sizeof(*iw->net));
	host_free(iw->h);
	bare_world_end(iw->w);
	free(iw);
}

static inline struct sock *new_sock(struct inet_world *iw)
{
	struct sock *sk =
		sk_alloc(iw->net, AF_INET, &fake_prot, sizeof(struct inet_connection_sock));

	assert_non_null(sk);
	sock_init_data(NULL, sk);
	sk->sk_protocol = IPPROTO_TCP;
	inet_csk_init_xmit_timers(sk, fake_timers);
	inet_csk(sk)->icsk_accept_queue = &reqsk_queue_none;
	inet_csk(sk)->icsk_rto_max = 120 * HZ;
	return sk;
}

/* Out of all tables and gone. */
static inline void kill_sock(struct sock *sk)
{
	inet_unhash(sk);
	sk->sk_state = TCP_CLOSE;
	inet_put_port(sk);
	sock_put(sk);
}

static inline be32 ip(u32 host_order)
{
	return htonl(host_order);
}

static inline int bind_to(struct sock *sk, u32 addr, u16 port)
{
	int err;

	sk->inet_rcv_saddr = ip(addr);
	sk->inet_saddr = ip(addr);
	err = inet_csk_get_port(sk, port);
	if (!err && port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	return err;
}

static inline int listen_on(struct sock *sk, u32 backlog)
{
	return inet_csk_listen(sk, backlog);
}

/* A socket connected from (laddr, 0 or bound port) to (faddr, fport). */
static inline int connect_to(struct sock *sk, u32 laddr, u32 faddr, u16 fport)
{
	sk->inet_rcv_saddr = ip(laddr);
	sk->inet_saddr = ip(laddr);
	sk->inet_daddr = ip(faddr);
	sk->inet_dport = fport;
	sk->sk_state = TCP_SYN_SENT;
	if (inet_bhash2_update_saddr(sk))
		return -ENOMEM;
	return inet_hash_connect(sk);
}

#endif
