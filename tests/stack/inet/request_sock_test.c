/* SPDX-License-Identifier: MIT */
/*
 * Requests: SYN-ACK retransmission times (RFC 6298 2.1, 5.5: 1 s, doubled), the end after
 * tcp_synack_retries, a clogged SYN queue, deferred accept, the accept queue, a listener that
 * closes.
 */
#include "stack/inet/inet_world.h"

static u32 sent, timeouts, destructed;
static u64 sent_at[16];
static struct world *the_world;
static bool send_fails;

static int fake_rtx(struct sock *sk, struct request_sock *req)
{
	(void)sk;
	(void)req;
	if (send_fails)
		return -ENOBUFS;
	if (sent < 16)
		sent_at[sent] = the_world->now;
	sent++;
	return 0;
}

static void fake_timeout(struct request_sock *req)
{
	(void)req;
	timeouts++;
}

static void fake_destructor(struct request_sock *req)
{
	(void)req;
	destructed++;
}

static const struct request_sock_ops ops = { .family = AF_INET,
					     .obj_size = sizeof(struct request_sock),
					     .rtx_syn_ack = fake_rtx,
					     .destructor = fake_destructor,
					     .syn_ack_timeout = fake_timeout };

static struct sock *setup(struct inet_world **iw, u32 backlog)
{
	struct sock *sk;

	*iw = inet_world_new(1);
	(*iw)->hi.rsk_ops = &ops;
	the_world = (*iw)->w;
	sent = 0;
	timeouts = 0;
	destructed = 0;
	destroyed = 0;
	disconnected = 0;
	send_fails = false;
	sk = new_sock(*iw);
	assert_int_equal(bind_to(sk, 0, 80), 0);
	assert_int_equal(listen_on(sk, backlog), 0);
	return sk;
}

static struct request_sock *add_request(struct sock *sk, u16 port)
{
	struct request_sock *req = inet_reqsk_alloc(AF_INET, sk);

	assert_non_null(req);
	req->skc.skc_num = 80;
	req->skc.skc_dport = port;
	req->skc.skc_v4.rcv_saddr = ip(0xc0000201);
	req->skc.skc_v4.daddr = ip(0xc6336401);
	assert_true(inet_csk_reqsk_queue_hash_add(sk, req, 1 * HZ));
	reqsk_put(req); /* the table's is left */
	return req;
}

static struct sock *establish(struct sock *sk, struct request_sock *req)
{
	struct sock *child = inet_csk_clone_lock(sk, req);

	assert_non_null(child);
	assert_int_equal(child->sk_state, TCP_SYN_RECV);
	assert_int_equal(__inet_inherit_port(sk, child), 0);
	assert_true(inet_ehash_nolisten(child, &req->skc));
	reqsk_hold(req);
	assert_ptr_equal(inet_csk_complete_hashdance(sk, child, req, true), child);
	reqsk_put(req);
	child->sk_state = TCP_ESTABLISHED;
	return child;
}

static void synack_timing(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 10);
	u64 start = iw->w->now, at = 0;

	(void)state;
	add_request(sk, 1000);
	bare_world_run(iw->w);
	assert_int_equal(sent, 5);
	for (u32 i = 0; i < 5; i++) {
		at += NSEC_PER_SEC << i;
		assert_int_equal(sent_at[i] - start, at);
	}
	/* Given up 32 s after the last one. */
	assert_int_equal(iw->w->now - start, 63 * NSEC_PER_SEC);
	assert_int_equal(timeouts, 6);
	assert_int_equal(destructed, 1);
	assert_int_equal(inet_csk_reqsk_queue_len(sk), 0);
	assert_int_equal(inet_csk(sk)->icsk_accept_queue->young, 0);
	kill_sock(sk);
	inet_world_end(iw);
}

static void send_failure_ends_it(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 10);

	(void)state;
	add_request(sk, 1000);
	send_fails = true;
	bare_world_run(iw->w);
	assert_int_equal(iw->w->now, 1 * NSEC_PER_SEC);
	assert_int_equal(destructed, 1);
	kill_sock(sk);
	inet_world_end(iw);
}

static void twice_is_once(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 10);
	struct request_sock *first = add_request(sk, 1000), *req = inet_reqsk_alloc(AF_INET, sk);

	(void)state;
	req->skc.skc_num = 80;
	req->skc.skc_dport = 1000;
	req->skc.skc_v4 = first->skc.skc_v4;
	assert_false(inet_csk_reqsk_queue_hash_add(sk, req, 1 * HZ));
	reqsk_put(req);
	assert_int_equal(inet_csk_reqsk_queue_len(sk), 1);
	assert_true(inet_csk_reqsk_queue_drop(sk, first));
	kill_sock(sk);
	inet_world_end(iw);
}

/* Old requests that fill more than half of the queue get fewer retries (two at least). */
static void clogged_queue(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 16);
	u64 start = iw->w->now;

	(void)state;
	for (u16 i = 0; i < 12; i++)
		add_request(sk, (u16)(1000 + i));
	bare_world_run(iw->w);
	assert_int_equal(destructed, 12);
	/* 12 old ones, none young: 2 retries, so 1 + 2 + 4 s; the last few, no more in the way,
	 * may live as long as alone. */
	assert_in_range(iw->w->now - start, 7 * NSEC_PER_SEC, 63 * NSEC_PER_SEC);
	assert_in_range(sent, 24, 12 * 5 - 10);
	kill_sock(sk);
	inet_world_end(iw);
}

static void deferred_accept(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 10);
	struct request_sock *req = add_request(sk, 1000);

	(void)state;
	inet_csk_queue(sk)->rskq_defer_accept = 3;
	req->acked = 1;
	bare_world_run(iw->w);
	/* Nothing is sent while data is waited for; at the end of it once, then as usual. */
	assert_int_equal(sent_at[0], (1 + 2 + 4) * NSEC_PER_SEC);
	kill_sock(sk);
	inet_world_end(iw);
}

static void accept_in_order(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 1), *child[2];
	int err = 0;

	(void)state;
	assert_null(inet_csk_accept(sk, &err));
	assert_int_equal(err, -EAGAIN);
	for (u16 i = 0; i < 2; i++) {
		assert_false(sk_acceptq_is_full(sk));
		child[i] = establish(sk, add_request(sk, (u16)(1000 + i)));
		inet_hashinfo_check(&iw->hi, 1);
		assert_int_equal(child[i]->inet_dport, 1000 + i);
		assert_int_equal(child[i]->inet_num, 80);
	}
	/* A backlog of n has room for n + 1. */
	assert_true(sk_acceptq_is_full(sk));
	for (u32 i = 0; i < 2; i++)
		assert_ptr_equal(inet_csk_accept(sk, &err), child[i]);
	assert_null(inet_csk_accept(sk, &err));
	assert_int_equal(inet_csk_reqsk_queue_len(sk), 0);
	assert_int_equal(destructed, 2);
	kill_sock(sk);
	/* The children keep the port. */
	assert_int_equal(iw->hi.bhash.entries, 1);
	kill_sock(child[0]);
	kill_sock(child[1]);
	assert_null(iw->w->heap);
	inet_world_end(iw);
}

static void listener_closes(void **state)
{
	struct inet_world *iw;
	struct sock *sk = setup(&iw, 10);

	(void)state;
	establish(sk, add_request(sk, 1000));
	establish(sk, add_request(sk, 1001));
	add_request(sk, 1002);
	inet_unhash(sk);
	sk->sk_state = TCP_CLOSE;
	inet_csk_listen_stop(sk);
	assert_int_equal(disconnected, 2);
	assert_int_equal(destroyed, 2);
	assert_int_equal(destructed, 2);
	assert_int_equal(inet_csk_orphan_count(sk), 0);
	/* The request holds its listener until its timer sees what became of it. */
	inet_put_port(sk);
	sock_put(sk);
	assert_int_equal(iw->hi.ehash.entries, 1);
	bare_world_run(iw->w);
	assert_int_equal(iw->w->now, 1 * NSEC_PER_SEC);
	assert_int_equal(sent, 0);
	assert_int_equal(destructed, 3);
	inet_world_end(iw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synack_timing),   cmocka_unit_test(send_failure_ends_it),
		cmocka_unit_test(twice_is_once),   cmocka_unit_test(clogged_queue),
		cmocka_unit_test(deferred_accept), cmocka_unit_test(accept_in_order),
		cmocka_unit_test(listener_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
