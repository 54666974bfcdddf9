/* SPDX-License-Identifier: MIT */
/*
 * struct sock from birth to death: memory accounts, owner destructors of packets, the error queue,
 * the callbacks that wake who waits, the cached route (net/core/sock.c).
 *
 * Invariants: sk_rmem_alloc is the truesize of what receive and error queue hold (and what the
 * protocol says it keeps besides); sk_wmem_alloc that of every packet whose destructor is
 * sock_wfree, and one reference is held while it is not zero (packets joined keep the sum); a
 * socket is freed with both at zero.
 */
#include "core/sock.h"

#include "core/filter.h"
#include "core/reuseport.h"
#include "core/sock_mem.h"

/* ---- waking ---- */

void sock_def_wakeup(struct sock *sk)
{
	if (waitqueue_active(&sk->wq))
		wake_up_poll(&sk->wq, 0);
}

void sock_def_readable(struct sock *sk)
{
	if (waitqueue_active(&sk->wq))
		wake_up_poll(&sk->wq, POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND);
}

void sock_def_error_report(struct sock *sk)
{
	if (waitqueue_active(&sk->wq))
		wake_up_poll(&sk->wq, POLLERR);
}

static void sock_def_write_space(struct sock *sk)
{
	if (sock_writeable(sk) && waitqueue_active(&sk->wq))
		wake_up_poll(&sk->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
}

/* ---- birth and death ---- */

const struct sock_rare sock_rare_default = {
	.rcvtimeo = TIME_NEVER,
	.sndtimeo = TIME_NEVER,
	.max_pacing_rate = UINT64_MAX,
	/* Only ever looked at. */
	.mc_list = { (struct list_head *)(uintptr_t)&sock_rare_default.mc_list,
		     (struct list_head *)(uintptr_t)&sock_rare_default.mc_list },
	.peek_off = -1,
	.incoming_cpu = -1,
	.rcvlowat = 1,
};

const struct sock_calls sock_def_calls = {
	.data_ready = sock_def_readable,
	.write_space = sock_def_write_space,
	.state_change = sock_def_wakeup,
	.error_report = sock_def_error_report,
};

struct sock_rare *sock_rare_get(struct sock *sk)
{
	struct sock_rare *r;

	if (sk->sk_rare != &sock_rare_default)
		return sock_rare_own(sk);
	r = mem_alloc(net_world(sk->net), MEM_SOCK_RARE, sizeof(*r));
	if (!r)
		return NULL;
	*r = sock_rare_default;
	list_init(&r->mc_list);
	sk->sk_rare = r;
	return r;
}

void sock_error_queue_purge(struct sock *sk)
{
	if (sk->sk_rare != &sock_rare_default)
		skb_queue_purge_reason(&sock_rare_own(sk)->error_queue,
				       SKB_DROP_REASON_SOCKET_CLOSE);
}

struct sock *sk_alloc(struct net *net, u16 family, const struct proto *prot, size_t size)
{
	struct sock *sk = mem_zalloc(net_world(net), (enum mem_kind)prot->mem_kind, size);

	if (!sk)
		return NULL;
	ASSERT(size == prot->obj_size);
	sk->net = net;
	sk->family = (u8)family;
	sk->prot = prot;
	sk->refcnt = 1;
	sk->dst_cache = NULL;
	sk->sk_rare = &sock_rare_default;
	net->sock_inuse++;
	sk_proto_mem(sk)->sockets++;
	if (prot->mem_kind == MEM_TCP_SOCK)
		net->tcp_sock_inuse++;
	return sk;
}

/* net.core.busy_read: what new sockets have as SO_BUSY_POLL. Without memory this one sleeps. */
static void set_busy_read(struct sock *sk)
{
	struct sock_rare *rare = sock_rare_get(sk);

	if (rare)
		rare->ll_usec = (u32)sk->net->sysctl.core_busy_read;
}

void sock_init_data(struct socket *socket, struct sock *sk)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;

	sk->socket = socket;
	sk->sk_state = TCP_CLOSE;
	init_waitqueue_head(&sk->wq);
	skb_queue_head_init(&sk->receive_queue);
	skb_queue_head_init(&sk->write_queue);
	sk->sk_rcvbuf = sysctl->core_rmem_default;
	sk->sk_sndbuf = sysctl->core_wmem_default;
	sk->sk_pacing_rate = UINT64_MAX;
	sk->sk_pacing_shift = 10;
	if (sysctl->core_busy_read)
		set_busy_read(sk);
}

/* The memory of a socket that holds nothing any more. */
static void sk_prot_free(struct sock *sk)
{
	struct world *w = net_world(sk->net);

	if (sk->pinet6)
		mem_free(w, MEM_MISC, sk->pinet6, sizeof(*sk->pinet6));
	sk_filter_release(sk);
	if (sk->sk_rare != &sock_rare_default)
		mem_free(w, MEM_SOCK_RARE, sock_rare_own(sk), sizeof(struct sock_rare));
	sk_proto_mem(sk)->sockets--;
	sk->net->sock_inuse--;
	if (sk->net->dying && !sk->net->sock_inuse)
		mod_timer(&sk->net->cleanup, jiffies(sk->net->host));
	if (sk->prot->mem_kind == MEM_TCP_SOCK)
		sk->net->tcp_sock_inuse--;
	mem_free(w, (enum mem_kind)sk->prot->mem_kind, sk, sk->prot->obj_size);
}

/* What a copy of a socket must not share with it. False: no memory. */
static bool sk_clone_parts(struct sock *newsk, const struct sock *sk)
{
	struct sock_rare *rare;

	newsk->sk_rare = &sock_rare_default;
	newsk->pinet6 = NULL;
	if (sk->pinet6) {
		newsk->pinet6 = mem_alloc(net_world(sk->net), MEM_MISC, sizeof(*sk->pinet6));
		if (!newsk->pinet6)
			return false;
		*newsk->pinet6 = *sk->pinet6;
	}
	if (sk->sk_rare == &sock_rare_default)
		return true;
	rare = sock_rare_get(newsk);
	if (!rare)
		return false;
	*rare = *sk->sk_rare;
	rare->zckey = 0;
	rare->inet_opt = NULL;
	if (rare->filter)
		rare->filter->refcnt++;
	skb_queue_head_init(&rare->error_queue);
	list_init(&rare->mc_list);
	return true;
}

struct sock *sk_clone(const struct sock *sk)
{
	struct sock *newsk = sk_alloc(sk->net, sk->family, sk->prot, sk->prot->obj_size);

	if (!newsk)
		return NULL;
	memcpy(newsk, sk, sk->prot->obj_size);
	if (!sk_clone_parts(newsk, sk)) {
		sk_prot_free(newsk);
		return NULL;
	}
	newsk->refcnt = 1;
	newsk->socket = NULL;
	init_waitqueue_head(&newsk->wq);
	skb_queue_head_init(&newsk->receive_queue);
	skb_queue_head_init(&newsk->write_queue);
	newsk->sk_rmem_alloc = 0;
	newsk->sk_wmem_alloc = 0;
	newsk->sk_wmem_queued = 0;
	newsk->dst_cache = NULL;
	newsk->sk_dst_pending_confirm = 0;
	newsk->sk_userlocks &= (u8)~SOCK_BINDPORT_LOCK & 0xf;
	newsk->sk_flags &= ~SOCK_DONE;
	newsk->sk_shutdown = 0;
	newsk->sk_err = 0;
	newsk->sk_err_soft = 0;
	newsk->sk_drops = 0;
	newsk->sk_nospace = false;
	newsk->sk_write_pending = 0;
	newsk->sk_reuseport_cb = NULL;
	return newsk;
}

static void sk_free(struct sock *sk)
{
	skb_queue_purge_reason(&sk->receive_queue, SKB_DROP_REASON_SOCKET_CLOSE);
	sock_error_queue_purge(sk);
	skb_queue_purge_reason(&sk->write_queue, SKB_DROP_REASON_SOCKET_CLOSE);
	if (sk->prot->destruct)
		sk->prot->destruct(sk);
	reuseport_detach_sock(sk);
	sk_dst_reset(sk);
	ASSERT(sk->sk_rmem_alloc == 0);
	ASSERT(sk->sk_wmem_alloc == 0);
	ASSERT(!waitqueue_active(&sk->wq));
	sk_prot_free(sk);
}

void sock_put(struct sock *sk)
{
	ASSERT(sk->refcnt > 0);
	if (--sk->refcnt == 0)
		sk_free(sk);
}

void sock_orphan(struct sock *sk)
{
	sk->sk_flags |= SOCK_DEAD;
	sk->socket = NULL;
}

/* ---- accounts ---- */

void sock_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	ASSERT(sk->sk_wmem_alloc >= skb->truesize);
	sk->sk_wmem_alloc -= skb->truesize;
	sk_write_space(sk);
	if (!sk->sk_wmem_alloc)
		sock_put(sk);
}

static void sock_rfree(struct sk_buff *skb)
{
	ASSERT(skb->sk->sk_rmem_alloc >= skb->truesize);
	sk_mem_uncharge(skb->sk, skb->truesize);
	skb->sk->sk_rmem_alloc -= skb->truesize;
}

void skb_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	if (!sk->sk_wmem_alloc)
		sock_hold(sk);
	skb->sk = sk;
	skb->destructor = sock_wfree;
	sk->sk_wmem_alloc += skb->truesize;
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_rfree;
	sk_mem_charge(sk, skb->truesize);
	sk->sk_rmem_alloc += skb->truesize;
}

struct sk_buff *sock_wmalloc(struct sock *sk, u32 size, bool force)
{
	struct sk_buff *skb;

	if (!force && sk->sk_wmem_alloc >= (u32)sk->sk_sndbuf)
		return NULL;
	skb = alloc_skb(net_world(sk->net), size);
	if (skb) {
		skb->net = sk->net;
		skb_set_owner_w(skb, sk);
	}
	return skb;
}

struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 size, int *err)
{
	struct sk_buff *skb;

	*err = sock_error(sk);
	if (*err)
		return NULL;
	if (sk->sk_shutdown & SEND_SHUTDOWN) {
		*err = -EPIPE;
		return NULL;
	}
	if (sk->sk_wmem_alloc >= (u32)sk->sk_sndbuf) {
		sk->sk_nospace = true;
		*err = -EAGAIN;
		return NULL;
	}
	skb = sock_wmalloc(sk, size, true);
	if (!skb)
		*err = -ENOBUFS;
	return skb;
}

void sock_skb_set_dropcount(const struct sock *sk, struct sk_buff *skb)
{
	u32 drops = sk->sk_flags & SOCK_RXQ_OVFL ? sk->sk_drops : 0;

	memcpy(skb->cb + SOCK_CB_DROPCOUNT, &drops, sizeof(drops));
}

int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (sk->sk_rmem_alloc >= (u32)sk->sk_rcvbuf) {
		sk->sk_drops++;
		return -ENOMEM;
	}
	skb->dev = NULL;
	skb_set_owner_r(skb, sk);
	skb_dst_drop(skb);
	sock_skb_set_dropcount(sk, skb);
	skb_queue_tail(&sk->receive_queue, skb);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_data_ready(sk);
	return 0;
}

/* ---- errors ---- */

int sock_error(struct sock *sk)
{
	int err = sk->sk_err;

	sk->sk_err = 0;
	return -err;
}

int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb)
{
	struct sock_rare *rare;

	if (sk->sk_rmem_alloc + skb->truesize >= (u32)sk->sk_rcvbuf)
		return -ENOMEM;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	skb_set_owner_r(skb, sk);
	skb_dst_drop(skb);
	skb->dev = NULL;
	skb_queue_tail(&rare->error_queue, skb);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_error_report(sk);
	return 0;
}

static bool is_icmp_err(struct sk_buff *skb)
{
	return skb && (skb_ext_err(skb)->ee_origin == SO_EE_ORIGIN_ICMP ||
		       skb_ext_err(skb)->ee_origin == SO_EE_ORIGIN_ICMP6);
}

struct sk_buff *sock_dequeue_err_skb(struct sock *sk)
{
	struct sk_buff *skb, *next;

	if (sk->sk_rare == &sock_rare_default)
		return NULL;
	skb = skb_dequeue(&sock_rare_own(sk)->error_queue);
	next = skb_peek(&sk->sk_rare->error_queue);
	if (is_icmp_err(next))
		sk->sk_err = (s16)skb_ext_err(next)->ee_errno;
	else if (is_icmp_err(skb))
		sk->sk_err = 0;
	if (next)
		sk_error_report(sk);
	return skb;
}

/* ---- the cached route ---- */

struct dst_entry *sk_dst_check(struct sock *sk, u32 cookie)
{
	struct dst_entry *dst = sk->dst_cache;

	if (!dst)
		return NULL;
	if (dst->obsolete || (dst->ops->check && !dst->ops->check(dst, cookie))) {
		sk_dst_reset(sk);
		return NULL;
	}
	dst_hold(dst);
	return dst;
}

void sk_dst_set(struct sock *sk, struct dst_entry *dst)
{
	struct dst_entry *old = sk->dst_cache;

	sk->dst_cache = dst;
	sk->sk_dst_pending_confirm = 0; /* it was of the old way */
	if (old)
		dst_release(old);
}

void sk_dst_reset(struct sock *sk)
{
	sk_dst_set(sk, NULL);
}

/* ---- check ---- */

static u32 queue_truesize(const struct sk_buff_head *q)
{
	u32 sum = 0, n = 0;

	for (const struct sk_buff *skb = q->next; skb; skb = skb->next) {
		sum += skb->truesize;
		n++;
	}
	ASSERT(n == q->qlen);
	return sum;
}

void sk_check(const struct sock *sk, u32 reserved)
{
	ASSERT(sk->refcnt > 0);
	ASSERT(sk->sk_rmem_alloc == queue_truesize(&sk->receive_queue) +
					    queue_truesize(&sk->sk_rare->error_queue) + reserved);
	ASSERT(sk->sk_rcvbuf >= SOCK_MIN_RCVBUF && sk->sk_sndbuf >= SOCK_MIN_SNDBUF);
	ASSERT((sk->sk_shutdown & ~SHUTDOWN_MASK) == 0);
	/* A stream's may wait in an accept queue. */
	ASSERT(sk->socket || sk->sk_flags & SOCK_DEAD || sk->sk_type == SOCK_STREAM);
}
