/* SPDX-License-Identifier: MIT */
/*
 * Listening, accepting, the birth of a child and the end of a connection's socket
 * (net/ipv4/inet_connection_sock.c). Requests are in request_sock.c, ports in inet_ports.c.
 *
 * References of a connection's socket: one of the socket layer or of the accept queue, given up in
 * inet_csk_destroy_sock(), and those of who works with it. Tables and timers hold none: they are
 * left before the socket goes.
 */
#include "inet/inet_connection_sock.h"

#include "core/reuseport.h"

#include "kernel/trace.h"

static void inet_sk_set_state(struct sock *sk, u8 state)
{
	trace(net_world(sk->net), sk->net->host, TRACE_INET_SOCK_SET_STATE, sk->inet_num,
	      sk->inet_dport, sk->sk_state, state);
	sk->sk_state = state;
}

/* ---- timers ---- */

void inet_csk_init_xmit_timers(struct sock *sk, event_fn fn)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	timer_set_init(&icsk->icsk_timers, fn);
	icsk->icsk_common.skc_timer_cpu = (u16)this_cpu(sk->net->host)->id;
	icsk->icsk_pending = 0;
	icsk->icsk_ack.pending = 0;
	icsk->icsk_keepalive_timeout = 0;
}

void inet_csk_clear_xmit_timers(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_pending = 0;
	icsk->icsk_ack.pending = 0;
	icsk->icsk_keepalive_timeout = 0;
	timer_set_clear(&icsk->icsk_timers, sk->net->host);
}

/* ---- listening ---- */

const struct request_sock_queue reqsk_queue_none;

struct request_sock_queue *inet_csk_queue_get(struct sock *sk)
{
	struct request_sock_queue *q;

	if (inet_csk(sk)->icsk_accept_queue != &reqsk_queue_none)
		return inet_csk_queue(sk);
	q = mem_zalloc(net_world(sk->net), MEM_REQSK_QUEUE, sizeof(*q));
	if (q)
		inet_csk(sk)->icsk_accept_queue = q;
	return q;
}

int inet_csk_listen_start(struct sock *sk)
{
	struct request_sock_queue *q = inet_csk_queue(sk);
	int err;

	q->qlen = 0;
	q->young = 0;
	q->ack_backlog = 0;
	q->rskq_accept_head = NULL;
	q->rskq_accept_tail = NULL;
	inet_csk_delack_init(sk);
	/* In LISTEN before the port is asked for again: SO_REUSEADDR alone is not enough now. */
	inet_sk_set_state(sk, TCP_LISTEN);
	err = sk->prot->get_port(sk, sk->inet_num);
	if (!err) {
		sk_dst_reset(sk);
		err = inet_hash(sk);
	}
	if (err)
		inet_sk_set_state(sk, TCP_CLOSE);
	return err;
}

int inet_csk_listen(struct sock *sk, u32 backlog)
{
	struct request_sock_queue *q = inet_csk_queue_get(sk);

	if (!q)
		return -ENOMEM;
	q->max_ack_backlog = backlog;
	return sk->sk_state == TCP_LISTEN ? 0 : inet_csk_listen_start(sk);
}

void inet_child_forget(struct sock *child)
{
	child->prot->disconnect(child);
	sock_orphan(child);
	inet_csk_orphan_add(child, 1);
	inet_csk_destroy_sock(child);
}

/* tcp_migrate_req: another listener of the group accepts it. */
static bool child_migrate(struct sock *sk, struct request_sock *req)
{
	struct sock *child = req->sk, *nsk;

	/* A fast open child whose handshake is not over hangs on the listener's account of them. */
	if (req->tfo_listener)
		return false;
	nsk = reuseport_migrate_sock(sk, inet_skc(child)->skc_hash);
	if (!nsk)
		return false;
	sock_hold(nsk);
	req->rsk_listener = nsk;
	sock_put(sk);
	req->sk = NULL;
	if (!inet_csk_reqsk_queue_add(nsk, req, child))
		BUG("a member of a group does not listen");
	reqsk_put(req);
	MIB_INC(nsk->net, TcpExtTCPMigrateReqSuccess);
	sk_data_ready(nsk);
	return true;
}

/*
 * Requests whose third ACK has not come stay in ehash: each goes when its timer finds no listener,
 * or at the next segment for it.
 */
void inet_csk_listen_stop(struct sock *sk)
{
	struct request_sock_queue *q = inet_csk_queue(sk);
	struct request_sock *req;

	while ((req = reqsk_queue_remove(q, sk)) != NULL) {
		if (child_migrate(sk, req))
			continue;
		inet_child_forget(req->sk);
		req->sk = NULL;
		reqsk_put(req);
	}
	while ((req = q->fastopenq.rskq_rst_head) != NULL) {
		q->fastopenq.rskq_rst_head = reqsk_next(req);
		q->fastopenq.qlen--;
		reqsk_put(req);
	}
}

struct sock *inet_csk_accept(struct sock *sk, int *err)
{
	struct request_sock *req;
	struct sock *child;

	if (sk->sk_state != TCP_LISTEN) {
		*err = -EINVAL;
		return NULL;
	}
	req = reqsk_queue_remove(inet_csk_queue(sk), sk);
	if (!req) {
		*err = -EAGAIN;
		return NULL;
	}
	child = req->sk;
	req->sk = NULL;
	/* The request of a fast open lives until the SYN-ACK is acknowledged. */
	if (!req->tfo_listener)
		reqsk_put(req);
	return child;
}

/* ---- birth of a child ---- */

struct sock *inet_csk_clone_lock(struct sock *sk, const struct request_sock *req)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct sock *newsk = sk_clone(sk);
	struct inet_connection_sock *newicsk;

	if (!newsk)
		return NULL;
	newicsk = inet_csk(newsk);
	newicsk->icsk_common = (struct sock_common){ 0 };
	newicsk->icsk_bind = (struct inet_bind_owner){ 0 };
	newicsk->icsk_accept_queue = &reqsk_queue_none;
	inet_csk_init_xmit_timers(newsk, icsk->icsk_timers.event.fn);
	newicsk->icsk_retransmits = 0;
	newicsk->icsk_backoff = 0;
	newicsk->icsk_probes_out = 0;
	newicsk->icsk_probes_tstamp = 0;
	newsk->sk_state = TCP_LISTEN;
	inet_sk_set_state(newsk, TCP_SYN_RECV);
	newsk->inet_num = req->skc.skc_num;
	newsk->inet_dport = req->skc.skc_dport;
	newsk->sk_mark = req->ir_mark;
	if (req->skc.skc_family == AF_INET) {
		newsk->inet_daddr = req->skc.skc_v4.daddr;
		newsk->inet_rcv_saddr = req->skc.skc_v4.rcv_saddr;
		newsk->inet_saddr = newsk->inet_rcv_saddr;
		if (newsk->pinet6)
			newsk->pinet6->v4mapped = 1;
	} else {
		newsk->pinet6->daddr = req->skc.skc_v6->daddr;
		newsk->pinet6->rcv_saddr = req->skc.skc_v6->rcv_saddr;
		newsk->pinet6->saddr = req->skc.skc_v6->rcv_saddr;
	}
	inet_sk_key(newsk);
	return newsk;
}

void inet_csk_prepare_forced_close(struct sock *sk)
{
	sock_orphan(sk);
	inet_csk_orphan_add(sk, 1);
}

/* ---- the end ---- */

void inet_csk_destroy_sock(struct sock *sk)
{
	ASSERT(sk->sk_state == TCP_CLOSE);
	ASSERT(sk->sk_flags & SOCK_DEAD);
	ASSERT(hlist_unhashed(&inet_skc(sk)->skc_node));
	sk->prot->destroy(sk);
	ASSERT(!inet_csk(sk)->icsk_bind.tb2);
	skb_queue_purge_reason(&sk->receive_queue, SKB_DROP_REASON_SOCKET_CLOSE);
	sock_error_queue_purge(sk);
	inet_csk_orphan_add(sk, -1);
	sock_put(sk);
}

u32 inet_csk_orphan_count(const struct sock *sk)
{
	return (u32)inet_hashinfo_of(sk->net)->orphan_count;
}

void inet_csk_orphan_add(struct sock *sk, s32 n)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);

	hi->orphan_count += n;
	ASSERT(hi->orphan_count >= 0);
}
