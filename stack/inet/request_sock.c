/* SPDX-License-Identifier: MIT */
/*
 * Requests (request_sock.h): memory, the SYN queue's counts, the SYN-ACK timer, the accept queue
 * (net/core/request_sock.c; reqsk_timer_handler and its kin of net/ipv4/inet_connection_sock.c).
 *
 * A request has one reference of the table while it is in ehash, one of the accept queue while it
 * is there, and those of who works with it.
 */
#include "inet/inet_connection_sock.h"

#include "core/reuseport.h"

struct request_sock *inet_reqsk_alloc(u8 family, struct sock *listener)
{
	const struct inet_hashinfo *hi = inet_hashinfo_of(listener->net);
	const struct request_sock_ops *ops = family == AF_INET6 ? hi->rsk_ops_v6 : hi->rsk_ops;
	struct request_sock *req =
		mem_zalloc(net_world(listener->net), MEM_REQUEST_SOCK, ops->obj_size);

	if (!req)
		return NULL;
	req->skc.skc_kind = SKC_REQUEST;
	req->skc.skc_family = family;
	req->skc.skc_net = listener->net;
	req->rsk_listener = listener;
	req->rsk_refcnt = 1;
	sock_hold(listener);
	return req;
}

struct reqsk_rare *reqsk_rare_get(struct request_sock *req)
{
	if (!req->rsk_rare)
		req->rsk_rare = mem_zalloc(net_world(req->skc.skc_net), MEM_REQSK_RARE,
					   sizeof(*req->rsk_rare));
	return req->rsk_rare;
}

void reqsk_free(struct request_sock *req)
{
	const struct request_sock_ops *ops = reqsk_ops(req);
	struct world *w = net_world(req->skc.skc_net);

	ASSERT(hlist_unhashed(&req->skc.skc_node));
	if (ops->destructor)
		ops->destructor(req);
	mem_free(w, MEM_REQSK_RARE, req->rsk_rare, sizeof(*req->rsk_rare));
	if (req->rsk_listener)
		sock_put(req->rsk_listener);
	mem_free(w, MEM_REQUEST_SOCK, req, ops->obj_size);
}

void reqsk_put(struct request_sock *req)
{
	ASSERT(req->rsk_refcnt > 0);
	if (--req->rsk_refcnt == 0)
		reqsk_free(req);
}

/* ---- the SYN queue ---- */

static struct request_sock_queue *reqsk_queue(const struct request_sock *req)
{
	return inet_csk_queue(req->rsk_listener);
}

static void reqsk_queue_removed(struct request_sock_queue *q, const struct request_sock *req)
{
	if (req->num_timeout == 0)
		q->young--;
	q->qlen--;
}

/* Out of ehash, no timer. True: it was there; the table's reference is the caller's now. */
static bool reqsk_queue_unlink(struct request_sock *req)
{
	bool found = !hlist_unhashed(&req->skc.skc_node);

	if (found)
		inet_ehash_remove(inet_hashinfo_of(req->skc.skc_net), &req->skc);
	event_cancel(net_world(req->skc.skc_net), &req->rsk_timer);
	return found;
}

bool inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req)
{
	(void)sk; /* the request knows its listener */
	if (!reqsk_queue_unlink(req))
		return false;
	reqsk_queue_removed(reqsk_queue(req), req);
	reqsk_put(req);
	return true;
}

static u64 reqsk_timeout(const struct request_sock *req)
{
	return min_u64((u64)req->timeout << min_u32(req->num_timeout, 30),
		       inet_csk(req->rsk_listener)->icsk_rto_max);
}

/* When the SYN queue is clogged by old requests, they are given up the earlier the more there are:
 * half of it is for young ones (RFC 4987 3.3). */
static u32 synack_retries(const struct request_sock *req)
{
	const struct inet_connection_sock *icsk = inet_csk(req->rsk_listener);
	const struct request_sock_queue *q = icsk->icsk_accept_queue;
	u32 max = icsk->icsk_syn_retries ? icsk->icsk_syn_retries :
					   (u32)req->skc.skc_net->sysctl.tcp_synack_retries;

	if (q->qlen << 1 > max_u32(8, q->max_ack_backlog)) {
		u32 young = q->young << 1;

		while (max > 2 && q->qlen >= young) {
			max--;
			young <<= 1;
		}
	}
	return max;
}

/* Is it to be given up, and if not, is the SYN-ACK to be sent again? With deferred accept the peer
 * may have acknowledged already, and only its data is waited for. */
static void syn_ack_recalc(const struct request_sock *req, u32 max_retries, u8 defer_accept,
			   bool *expire, bool *resend)
{
	*expire = req->num_timeout >= max_retries;
	*resend = true;
	if (!defer_accept)
		return;
	*expire = *expire && (!req->acked || req->num_timeout >= defer_accept);
	*resend = !req->acked || req->num_timeout >= defer_accept - 1;
}

void reqsk_mod_timer(struct request_sock *req, u64 expires_jiffies)
{
	struct host *h = req->skc.skc_net->host;

	event_arm(h->world, &req->rsk_timer, timer_expiry_ns(h, expires_jiffies), EVENT_TIMER);
}

bool reqsk_migrate(struct request_sock *req)
{
	struct sock *old = req->rsk_listener;
	struct sock *nsk = reuseport_migrate_sock(old, req->skc.skc_hash);
	struct request_sock_queue *q;

	if (!nsk)
		return false;
	reqsk_queue_removed(reqsk_queue(req), req);
	sock_hold(nsk);
	req->rsk_listener = nsk;
	q = reqsk_queue(req);
	q->qlen++;
	if (req->num_timeout == 0)
		q->young++;
	sock_put(old);
	MIB_INC(nsk->net, TcpExtTCPMigrateReqSuccess);
	return true;
}

static void reqsk_timer_handler(struct request_sock *req)
{
	const struct request_sock_ops *ops = reqsk_ops(req);
	struct request_sock_queue *q;
	struct sock *listener;
	bool expire, resend, go_on;

	reqsk_hold(req);
	go_on = req->rsk_listener->sk_state == TCP_LISTEN || reqsk_migrate(req);
	listener = req->rsk_listener;
	q = reqsk_queue(req);
	if (go_on) {
		syn_ack_recalc(req, synack_retries(req), q->rskq_defer_accept, &expire, &resend);
		if (ops->syn_ack_timeout)
			ops->syn_ack_timeout(req);
		go_on = !expire && (!resend || !ops->rtx_syn_ack(listener, req) || req->acked);
	}
	if (!go_on) {
		inet_csk_reqsk_queue_drop(listener, req);
	} else if (!hlist_unhashed(&req->skc.skc_node)) {
		if (req->num_timeout++ == 0)
			q->young--;
		reqsk_mod_timer(req, jiffies(req->skc.skc_net->host) + reqsk_timeout(req));
	}
	reqsk_put(req);
}

static void reqsk_timer_event(struct world *w, struct event *ev)
{
	struct request_sock *req = container_of(ev, struct request_sock, rsk_timer);
	struct cpu *cpu = host_cpu(req->skc.skc_net->host, req->skc.skc_timer_cpu);

	(void)w;
	if (!timer_begin(cpu, ev))
		return;
	reqsk_timer_handler(req);
	timer_end(cpu);
}

bool inet_csk_reqsk_queue_hash_add(struct sock *sk, struct request_sock *req, u32 timeout)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct request_sock_queue *q = reqsk_queue(req);
	struct sock_common *skc = &req->skc;
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);

	if (__inet_lookup_established(hi, sk->net, skc->skc_family, &faddr, skc->skc_dport, &laddr,
				      skc->skc_num, skc->skc_bound_dev_if))
		return false;
	req->timeout = timeout;
	skc->skc_timer_cpu = (u16)this_cpu(hi->host)->id;
	event_init(&req->rsk_timer, reqsk_timer_event);
	inet_ehash_insert(hi, skc);
	reqsk_hold(req);
	q->qlen++;
	q->young++;
	reqsk_mod_timer(req, jiffies(hi->host) + timeout);
	return true;
}

void inet_reqsk_purge(struct inet_hashinfo *hi, const struct net *net)
{
	for (u32 i = 0; i <= hi->ehash.mask; i++) {
		hlist_for_each_safe(n, tmp, &hi->ehash.heads[i])
		{
			struct sock_common *skc = container_of(n, struct sock_common, skc_node);

			if (skc->skc_kind == SKC_REQUEST && skc->skc_net == net)
				inet_csk_reqsk_queue_drop(inet_reqsk(skc)->rsk_listener,
							  inet_reqsk(skc));
		}
	}
}

/* ---- the accept queue ---- */

struct request_sock *reqsk_queue_remove(struct request_sock_queue *q, struct sock *listener)
{
	struct request_sock *req = q->rskq_accept_head;

	(void)listener;
	if (!req)
		return NULL;
	q->rskq_accept_head = reqsk_next(req);
	if (!q->rskq_accept_head)
		q->rskq_accept_tail = NULL;
	req->skc.skc_node.next = NULL;
	ASSERT(q->ack_backlog > 0);
	q->ack_backlog--;
	return req;
}

bool inet_csk_reqsk_queue_add(struct sock *sk, struct request_sock *req, struct sock *child)
{
	struct request_sock_queue *q;

	if (sk->sk_state != TCP_LISTEN)
		return false;
	q = inet_csk_queue(sk);
	ASSERT(!req->sk && !reqsk_next(req) && hlist_unhashed(&req->skc.skc_node));
	req->sk = child;
	reqsk_hold(req);
	if (q->rskq_accept_tail)
		q->rskq_accept_tail->skc.skc_node.next = &req->skc.skc_node;
	else
		q->rskq_accept_head = req;
	q->rskq_accept_tail = req;
	q->ack_backlog++;
	return true;
}

struct sock *inet_csk_complete_hashdance(struct sock *sk, struct sock *child,
					 struct request_sock *req, bool own_req)
{
	if (own_req) {
		/* The child has taken the request's place in ehash already. */
		event_cancel(net_world(sk->net), &req->rsk_timer);
		reqsk_queue_removed(reqsk_queue(req), req);
		reqsk_put(req);
		if (inet_csk_reqsk_queue_add(sk, req, child))
			return child;
	}
	inet_child_forget(child);
	return NULL;
}

/* ---- fast open ---- */

/*
 * RFC 7413 5.1: one that an RST ended may have been a spoofed SYN: it is counted for a while
 * longer, so that a flood of them turns fast open off. The reference is the accept queue's as long
 * as the child waits there (req->sk), else it is given up here.
 */
void reqsk_fastopen_remove(struct request_sock *req, bool reset, u32 life)
{
	const struct sock *listener = req->rsk_listener;
	struct fastopen_queue *q = &reqsk_queue(req)->fastopenq;

	q->qlen--;
	req->tfo_listener = 0;
	if (req->sk)
		return;
	if (!reset || listener->sk_state != TCP_LISTEN) {
		reqsk_put(req);
		return;
	}
	req->timeout = (u32)jiffies(listener->net->host) + life;
	req->skc.skc_node.next = NULL;
	if (q->rskq_rst_head)
		q->rskq_rst_tail->skc.skc_node.next = &req->skc.skc_node;
	else
		q->rskq_rst_head = req;
	q->rskq_rst_tail = req;
	q->qlen++;
}
