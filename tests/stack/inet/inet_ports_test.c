/* SPDX-License-Identifier: MIT */
/*
 * Who may share a port (a table of all cases), which port is taken when nobody says, what happens
 * when there is none left, and the place of TIME-WAIT sockets in it.
 */
#include "stack/inet/inet_world.h"

#define A 0xc0000201u
#define B 0xc0000202u

/* ---- conflicts ---- */

struct binder {
	u32 addr, dev;
	bool reuse, reuseport, listens;
};

static int bind_as(struct sock *sk, const struct binder *b)
{
	int err;

	sk->sk_reuse = b->reuse;
	sk->sk_reuseport = b->reuseport;
	sk->sk_bound_dev_if = b->dev;
	err = bind_to(sk, b->addr, 4000);
	return err || !b->listens ? err : listen_on(sk, 1);
}

/* The first is bound to port 4000; what becomes of the second? (socket(7), bind(2)) */
static const struct {
	struct binder first, second;
	int err;
} conflicts[] = {
	{ { A, 0, 0, 0, 0 }, { A, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { A, 0, 0, 0, 0 }, { B, 0, 0, 0, 0 }, 0 },
	{ { 0, 0, 0, 0, 0 }, { B, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { B, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0 }, -EADDRINUSE },
	/* SO_REUSEADDR: both must have it, and nobody listens. */
	{ { A, 0, 1, 0, 0 }, { A, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { A, 0, 0, 0, 0 }, { A, 0, 1, 0, 0 }, -EADDRINUSE },
	{ { A, 0, 1, 0, 0 }, { A, 0, 1, 0, 0 }, 0 },
	{ { A, 0, 1, 0, 1 }, { A, 0, 1, 0, 0 }, -EADDRINUSE },
	{ { A, 0, 1, 0, 1 }, { A, 0, 1, 0, 1 }, -EADDRINUSE },
	{ { 0, 0, 1, 0, 1 }, { A, 0, 1, 0, 1 }, -EADDRINUSE },
	{ { B, 0, 1, 0, 1 }, { A, 0, 1, 0, 1 }, 0 },
	/* SO_REUSEPORT: both must have it. */
	{ { A, 0, 0, 1, 0 }, { A, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { A, 0, 0, 1, 0 }, { A, 0, 0, 1, 0 }, 0 },
	{ { A, 0, 0, 1, 1 }, { A, 0, 0, 1, 1 }, 0 },
	{ { 0, 0, 0, 1, 1 }, { A, 0, 0, 1, 1 }, 0 },
	{ { A, 0, 1, 0, 1 }, { A, 0, 1, 1, 1 }, -EADDRINUSE },
	{ { A, 0, 1, 1, 1 }, { A, 0, 1, 1, 1 }, 0 },
	/* Devices. */
	{ { A, 2, 0, 0, 0 }, { A, 3, 0, 0, 0 }, 0 },
	{ { A, 2, 0, 0, 0 }, { A, 2, 0, 0, 0 }, -EADDRINUSE },
	{ { A, 2, 0, 0, 0 }, { A, 0, 0, 0, 0 }, -EADDRINUSE },
	{ { 0, 2, 0, 0, 1 }, { 0, 3, 0, 0, 1 }, 0 },
};

static void who_may_share(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(conflicts); i++) {
		struct inet_world *iw = inet_world_new(i);
		struct sock *a = new_sock(iw), *b = new_sock(iw);
		int err;

		assert_int_equal(bind_as(a, &conflicts[i].first), 0);
		inet_hashinfo_check(&iw->hi, 1);
		err = bind_as(b, &conflicts[i].second);
		if (err != conflicts[i].err)
			print_error("case %u: %d\n", i, err);
		assert_int_equal(err, conflicts[i].err);
		inet_hashinfo_check(&iw->hi, 1);
		kill_sock(a);
		kill_sock(b);
		inet_world_end(iw);
	}
}

/* Two that are bound by SO_REUSEADDR can not both listen. */
static void listen_asks_again(void **state)
{
	struct inet_world *iw = inet_world_new(1);
	struct sock *a = new_sock(iw), *b = new_sock(iw);

	(void)state;
	a->sk_reuse = 1;
	b->sk_reuse = 1;
	assert_int_equal(bind_to(a, A, 4000), 0);
	assert_int_equal(bind_to(b, A, 4000), 0);
	assert_int_equal(listen_on(a, 1), 0);
	assert_int_equal(listen_on(b, 1), -EADDRINUSE);
	assert_int_equal(b->sk_state, TCP_CLOSE);
	kill_sock(a);
	assert_int_equal(listen_on(b, 1), 0);
	kill_sock(b);
	inet_world_end(iw);
}

/* ---- bind(0) ---- */

static void ports_run_out(void **state)
{
	struct inet_world *iw = inet_world_new(2);
	struct sock *sk[12];
	bool seen[10] = { false };

	(void)state;
	iw->net->sysctl.ip_local_port_min = 50000;
	iw->net->sysctl.ip_local_port_max = 50009;
	for (u32 i = 0; i < 10; i++) {
		sk[i] = new_sock(iw);
		assert_int_equal(bind_to(sk[i], A, 0), 0);
		assert_in_range(sk[i]->inet_num, 50000, 50009);
		assert_false(seen[sk[i]->inet_num - 50000]);
		seen[sk[i]->inet_num - 50000] = true;
		/* Odd ones first: connect() starts with even ones. */
		assert_int_equal(sk[i]->inet_num & 1, i < 5);
	}
	sk[10] = new_sock(iw);
	assert_int_equal(bind_to(sk[10], A, 0), -EADDRINUSE);
	assert_int_equal(bind_to(sk[10], B, 0), 0);
	kill_sock(sk[3]);
	sk[3] = new_sock(iw);
	assert_int_equal(bind_to(sk[3], A, 0), 0);
	for (u32 i = 0; i < 11; i++)
		kill_sock(sk[i]);
	inet_world_end(iw);
}

/* ---- connect ---- */

static void connects_share_ports(void **state)
{
	struct inet_world *iw = inet_world_new(3);
	struct sock *sk[21], *bound = new_sock(iw);

	(void)state;
	iw->net->sysctl.ip_local_port_min = 50000;
	iw->net->sysctl.ip_local_port_max = 50009;
	/* Ten to one peer, ten to another: each port twice. */
	for (u32 i = 0; i < 20; i++) {
		sk[i] = new_sock(iw);
		assert_int_equal(connect_to(sk[i], A, i < 10 ? B : B + 1, 80), 0);
		for (u32 j = i < 10 ? 0 : 10; j < i; j++)
			assert_int_not_equal(sk[i]->inet_num, sk[j]->inet_num);
		inet_hashinfo_check(&iw->hi, 1);
	}
	sk[20] = new_sock(iw);
	assert_int_equal(connect_to(sk[20], A, B, 80), -EADDRNOTAVAIL);
	assert_int_equal(sk[20]->inet_num, 0);
	inet_hashinfo_check(&iw->hi, 1);
	/* A port in use by a connect is not free to be bound, another address is. */
	assert_int_equal(bind_to(bound, A, 50004), -EADDRINUSE);
	assert_int_equal(bind_to(bound, B, 50004), 0);
	for (u32 i = 0; i < 21; i++)
		kill_sock(sk[i]);
	kill_sock(bound);
	inet_world_end(iw);
}

/* Behind the half of the ports that is looked at first, each connect looked at all of that half. */
static void a_full_half_is_not_searched_again(void **state)
{
	struct inet_world *iw = inet_world_new(4);
	struct sock *sk[401];
	u64 probes;

	(void)state;
	iw->net->sysctl.ip_local_port_min = 50000;
	iw->net->sysctl.ip_local_port_max = 50399;
	for (u32 i = 0; i < 400; i++) {
		sk[i] = new_sock(iw);
		assert_int_equal(connect_to(sk[i], A, B, 80), 0);
		assert_int_equal(sk[i]->inet_num & 1, i >= 200);
	}
	/* The even half once until it was full, twice in all with the search that found it so. */
	assert_in_range(iw->hi.connect_probes, 400, 1600);
	probes = iw->hi.connect_probes;
	sk[400] = new_sock(iw);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(connect_to(sk[400], A, B, 80), -EADDRNOTAVAIL);
	assert_in_range(iw->hi.connect_probes - probes, 200, 200); /* of the odd half, once */
	/* Another peer, and a port given back, are found at once. */
	assert_int_equal(connect_to(sk[400], A, B + 1, 80), 0);
	kill_sock(sk[400]);
	for (u32 i = 0; i < 2; i++) {
		u16 port = sk[i * 300]->inet_num;

		kill_sock(sk[i * 300]);
		sk[i * 300] = new_sock(iw);
		assert_int_equal(connect_to(sk[i * 300], A, B, 80), 0);
		assert_int_equal(sk[i * 300]->inet_num, port);
	}
	for (u32 i = 0; i < 400; i++)
		kill_sock(sk[i]);
	inet_world_end(iw);
}

static void connect_leaves_bound_ports_alone(void **state)
{
	struct inet_world *iw = inet_world_new(4);
	struct sock *bound = new_sock(iw), *sk = new_sock(iw), *twin = new_sock(iw);

	(void)state;
	iw->net->sysctl.ip_local_port_min = 50000;
	iw->net->sysctl.ip_local_port_max = 50000;
	assert_int_equal(bind_to(bound, B, 50000), 0);
	assert_int_equal(connect_to(sk, A, B, 80), -EADDRNOTAVAIL);
	/* From the port that one is bound to: once per peer. */
	assert_int_equal(connect_to(bound, B, A, 80), 0);
	twin->sk_reuse = 1;
	bound->sk_reuse = 1;
	assert_int_equal(bind_to(twin, B, 50000), 0);
	assert_int_equal(connect_to(twin, B, A, 80), -EADDRNOTAVAIL);
	assert_int_equal(connect_to(twin, B, A, 81), 0);
	kill_sock(bound);
	kill_sock(sk);
	kill_sock(twin);
	inet_world_end(iw);
}

/* RFC 6056 3.3.4: to one peer ports go up; to another they start elsewhere; seeds differ. */
static void ports_are_hard_to_guess(void **state)
{
	u16 first[8];
	u32 same = 0;

	(void)state;
	for (u32 i = 0; i < 8; i++) {
		struct inet_world *iw = inet_world_new(100 + i);
		struct sock *sk = new_sock(iw), *other = new_sock(iw);

		assert_int_equal(connect_to(sk, A, B, 80), 0);
		assert_int_equal(connect_to(other, A, B + 7, 443), 0);
		first[i] = sk->inet_num;
		assert_int_equal(first[i] & 1, 32768 & 1);
		same += abs(other->inet_num - sk->inet_num) < 64;
		for (u32 j = 0; j < i; j++)
			same += first[j] == first[i];
		kill_sock(sk);
		kill_sock(other);
		inet_world_end(iw);
	}
	assert_in_range(same, 0, 1);
}

/* Nobody shares the port of most connections: they need no buckets until somebody does. Accounted
 * for are both all the time. */
static void the_only_connection_of_a_port_has_no_bucket(void **state)
{
	struct inet_world *iw = inet_world_new(7);
	struct sock *sk = new_sock(iw), *next = new_sock(iw), *bound = new_sock(iw);
	const struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;

	(void)state;
	iw->net->sysctl.ip_local_port_min = 40000;
	iw->net->sysctl.ip_local_port_max = 40000;
	assert_int_equal(connect_to(sk, A, B, 80), 0);
	assert_true(inet_bind_alone(o));
	assert_int_equal(iw->hi.bhash2.entries, 0);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 1);
	assert_int_equal(mem_count(iw->w, MEM_BIND2_BUCKET), 1);
	inet_hashinfo_check(&iw->hi, 1);
	/* Who asks for it by name sees that it is in use, */
	assert_int_equal(bind_to(bound, A, 40000), -EADDRINUSE);
	assert_int_equal(bind_to(bound, 0, 40000), -EADDRINUSE);
	assert_true(inet_bind_alone(o));
	/* on another address it is free, */
	assert_int_equal(bind_to(bound, A + 1, 40000), 0);
	assert_false(inet_bind_alone(o));
	inet_hashinfo_check(&iw->hi, 1);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 1);
	assert_int_equal(mem_count(iw->w, MEM_BIND2_BUCKET), 2);
	kill_sock(bound);
	assert_int_equal(mem_count(iw->w, MEM_BIND2_BUCKET), 1);
	/* and another connection, to another peer, shares it. */
	assert_int_equal(connect_to(next, A, B + 1, 80), -EADDRNOTAVAIL);
	kill_sock(sk);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 0);
	assert_int_equal(connect_to(next, A, B + 1, 80), 0);
	assert_true(inet_bind_alone(&inet_csk(next)->icsk_bind));
	sk = new_sock(iw);
	assert_int_equal(connect_to(sk, A, B, 80), 0);
	assert_int_equal(sk->inet_num, next->inet_num);
	assert_ptr_equal(inet_csk(sk)->icsk_bind.tb2, inet_csk(next)->icsk_bind.tb2);
	inet_hashinfo_check(&iw->hi, 1);
	kill_sock(sk);
	kill_sock(next);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 0);
	assert_int_equal(mem_count(iw->w, MEM_BIND2_BUCKET), 0);
	inet_world_end(iw);
}

/* ---- TIME-WAIT ---- */

static bool may_reuse;

static bool fake_unique(struct sock *sk, struct inet_timewait_sock *tw, bool bound)
{
	assert_true(bound);
	assert_int_equal(tw->tw_common.skc_num, 50000);
	assert_int_equal(sk->inet_dport, 80);
	return may_reuse;
}

static void time_wait_keeps_the_port(void **state)
{
	struct inet_world *iw = inet_world_new(5);
	struct sock *sk = new_sock(iw), *next = new_sock(iw);
	struct inet_timewait_sock *tw;

	(void)state;
	iw->hi.twsk_unique = fake_unique;
	assert_int_equal(bind_to(sk, A, 50000), 0);
	assert_int_equal(connect_to(sk, A, B, 80), 0);
	tw = inet_twsk_alloc(sk, TCP_TIME_WAIT, false);
	assert_non_null(tw);
	inet_twsk_hashdance_schedule(tw, sk, TCP_TIMEWAIT_LEN);
	kill_sock(sk);
	inet_hashinfo_check(&iw->hi, 1);
	assert_int_equal(iw->hi.tw_count, 1);
	/* The port is in use unless both have SO_REUSEADDR. */
	assert_int_equal(bind_to(next, A, 50000), -EADDRINUSE);
	tw->tw_reuse = 1;
	next->sk_reuse = 1;
	assert_int_equal(bind_to(next, A, 50000), 0);
	/* And the fourfold is when TCP says that it is too early. */
	assert_int_equal(connect_to(next, A, B, 80), -EADDRNOTAVAIL);
	may_reuse = true;
	assert_int_equal(connect_to(next, A, B, 80), 0);
	assert_int_equal(iw->hi.tw_count, 0);
	assert_int_equal(iw->net->mib[MIB_TcpExtTWRecycled], 1);
	kill_sock(next);
	inet_world_end(iw);
}

/* The TIME-WAIT socket of a port's only connection takes its place. */
static void time_wait_takes_a_lone_place(void **state)
{
	struct inet_world *iw = inet_world_new(8);
	struct sock *sk = new_sock(iw), *next = new_sock(iw);
	struct inet_timewait_sock *tw;
	u16 port;

	(void)state;
	assert_int_equal(connect_to(sk, A, B, 80), 0);
	port = sk->inet_num;
	tw = inet_twsk_alloc(sk, TCP_TIME_WAIT, 0);
	assert_non_null(tw);
	inet_twsk_hashdance_schedule(tw, sk, TCP_TIMEWAIT_LEN);
	assert_true(inet_bind_alone(&tw->tw_bind));
	assert_null(inet_csk(sk)->icsk_bind.tb2);
	assert_int_equal(sk->inet_num, 0);
	kill_sock(sk);
	inet_hashinfo_check(&iw->hi, 1);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 1);
	assert_int_equal(bind_to(next, A, port), -EADDRINUSE);
	/* Beside another owner it is on the bucket's death row. */
	assert_int_equal(bind_to(next, A + 1, port), 0);
	assert_false(inet_bind_alone(&tw->tw_bind));
	inet_hashinfo_check(&iw->hi, 1);
	inet_twsk_deschedule_put(tw);
	assert_int_equal(mem_count(iw->w, MEM_BIND2_BUCKET), 1);
	kill_sock(next);
	assert_int_equal(mem_count(iw->w, MEM_BIND_BUCKET), 0);
	inet_world_end(iw);
}

static void time_wait_ends(void **state)
{
	struct inet_world *iw = inet_world_new(6);
	struct sock *sk = new_sock(iw);
	struct inet_timewait_sock *tw;
	u64 start = iw->w->now;

	(void)state;
	iw->net->sysctl.tcp_max_tw_buckets = 1;
	assert_int_equal(connect_to(sk, A, B, 80), 0);
	tw = inet_twsk_alloc(sk, TCP_TIME_WAIT, false);
	assert_non_null(tw);
	inet_twsk_hashdance_schedule(tw, sk, TCP_TIMEWAIT_LEN);
	assert_null(inet_twsk_alloc(sk, TCP_TIME_WAIT, false));
	kill_sock(sk);
	assert_int_equal(iw->w->heap->time, start + 60 * NSEC_PER_SEC);
	inet_twsk_reschedule(tw, 2 * TCP_TIMEWAIT_LEN);
	assert_int_equal(iw->w->heap->time, start + 120 * NSEC_PER_SEC);
	event_queue_run_first(iw->w);
	assert_int_equal(iw->hi.tw_count, 0);
	assert_int_equal(iw->hi.ehash.entries, 0);
	assert_int_equal(iw->hi.bhash.entries, 0);
	assert_int_equal(iw->net->mib[MIB_TcpExtTW], 1);
	inet_world_end(iw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_share),
		cmocka_unit_test(listen_asks_again),
		cmocka_unit_test(ports_run_out),
		cmocka_unit_test(connects_share_ports),
		cmocka_unit_test(a_full_half_is_not_searched_again),
		cmocka_unit_test(connect_leaves_bound_ports_alone),
		cmocka_unit_test(ports_are_hard_to_guess),
		cmocka_unit_test(time_wait_keeps_the_port),
		cmocka_unit_test(the_only_connection_of_a_port_has_no_bucket),
		cmocka_unit_test(time_wait_takes_a_lone_place),
		cmocka_unit_test(time_wait_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
