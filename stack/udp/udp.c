/* SPDX-License-Identifier: MIT */
/*
 * UDP of both families: ports (udp_lib_get_port), the receive queue with its memory rule, poll,
 * ioctl, options of level SOL_UDP (net/ipv4/udp.c).
 *
 * Invariant: sk_rmem_alloc = truesize of receive and error queue + forward_deficit.
 */
#include "udp/udp_sock.h"

#include "core/busy_poll.h"
#include "core/reuseport.h"
#include "core/sock_mem.h"
#include "inet/inet_hashtables.h"
#include "kernel/trace.h"
#include "lib/checksum.h"

/* ---- ports ---- */

/* Do their local addresses overlap? With match_wildcard INADDR_ANY overlaps with all. */
static bool inet_rcv_saddr_equal(const struct sock *sk, const struct sock *sk2, bool match_wildcard)
{
	if (sk->inet_rcv_saddr == sk2->inet_rcv_saddr)
		return true;
	return match_wildcard && (!sk->inet_rcv_saddr || !sk2->inet_rcv_saddr);
}

static bool bound_dev_overlaps(const struct sock *sk, const struct sock *sk2)
{
	return !sk->sk_bound_dev_if || !sk2->sk_bound_dev_if ||
	       sk->sk_bound_dev_if == sk2->sk_bound_dev_if;
}

/* udp_lib_lport_inuse: `explicit`: the user names the port, so that a group may share it. */
static bool port_in_use(const struct sock *sk, u16 port, bool explicit)
{
	u32 hash = udp_hash_port(sk->net, port);
	const struct udp_hslot *slot = udp_htable_slot(&udp_table_of(sk)->port, hash);

	hlist_for_each(pos, &slot->head)
	{
		const struct sock *sk2 = &udp_by_port(pos)->sk;

		if (sk2->net != sk->net || sk2 == sk || sk2->inet_num != port)
			continue;
		if ((sk2->sk_reuse && sk->sk_reuse) || !bound_dev_overlaps(sk, sk2) ||
		    !inet_rcv_saddr_equal(sk, sk2, true))
			continue;
		if (sk2->sk_reuseport && sk->sk_reuseport && !sk->sk_reuseport_cb) {
			if (explicit)
				return false;
			continue;
		}
		return true;
	}
	return false;
}

/* RFC 6056 3.3.1, simple port randomization: a random start, then the next free one. 0: none. */
static u16 ephemeral_port(const struct sock *sk)
{
	struct port_range r = inet_sk_get_local_port_range(sk);
	u32 n = r.high - r.low, port;

	if (!n)
		return 0;
	port = r.low + get_random_u32_below(net_world(sk->net), RANDOM_PORT, n);
	for (u32 i = 0; i < n; i++) {
		if (!inet_is_local_reserved_port(sk->net, (u16)port) &&
		    !port_in_use(sk, (u16)port, false))
			return (u16)port;
		if (++port >= r.high)
			port = r.low;
	}
	return 0;
}

/* Joins the group of those bound alike, or opens one. */
static int udp_reuseport_add_sock(struct sock *sk)
{
	u32 hash = udp_hash_port(sk->net, sk->inet_num);
	const struct udp_hslot *slot = udp_htable_slot(&udp_table_of(sk)->port, hash);
	bool any = sk->inet_rcv_saddr == 0;

	hlist_for_each(pos, &slot->head)
	{
		struct sock *sk2 = &udp_by_port(pos)->sk;

		if (sk2->net == sk->net && sk2 != sk && sk2->family == sk->family &&
		    sk2->inet_num == sk->inet_num && sk2->sk_bound_dev_if == sk->sk_bound_dev_if &&
		    sk2->sk_reuseport && inet_rcv_saddr_equal(sk, sk2, false))
			return reuseport_add_sock(sk, sk2, any);
	}
	return reuseport_alloc(sk, any);
}

int udp_lib_get_port(struct sock *sk, u16 port)
{
	struct udp_table *t = udp_table_of(sk);
	struct udp_sock *up = udp_sk(sk);
	struct world *w = net_world(sk->net);

	if (!port) {
		port = ephemeral_port(sk);
		if (!port)
			return -EADDRINUSE;
	} else if (port_in_use(sk, port, true)) {
		return -EADDRINUSE;
	}
	sk->inet_num = port;
	if (sk->sk_reuseport && udp_reuseport_add_sock(sk)) {
		sk->inet_num = 0;
		return -EADDRINUSE;
	}
	udp_htable_add(w, &t->port, &up->by_port, udp_hash_port(sk->net, port));
	udp_htable_add(w, &t->addr, &up->by_addr,
		       udp_hash_addr(t, sk->net, sk->inet_rcv_saddr, port));
	return 0;
}

void udp_lib_unhash(struct sock *sk)
{
	struct udp_table *t = udp_table_of(sk);
	struct udp_sock *up = udp_sk(sk);

	reuseport_detach_sock(sk);
	udp_htable_del(&t->port, &up->by_port);
	udp_htable_del(&t->addr, &up->by_addr);
	udp_htable_del(&t->flow, &up->by_flow);
	sk->inet_num = 0;
}

void udp_lib_rehash(struct sock *sk)
{
	struct udp_table *t = udp_table_of(sk);
	struct udp_sock *up = udp_sk(sk);
	struct world *w = net_world(sk->net);
	u32 hash;

	if (hlist_unhashed(&up->by_port.node))
		return;
	hash = udp_hash_addr(t, sk->net, sk->inet_rcv_saddr, sk->inet_num);
	if (hash != up->by_addr.hash) {
		reuseport_detach_sock(sk);
		udp_htable_del(&t->addr, &up->by_addr);
		udp_htable_add(w, &t->addr, &up->by_addr, hash);
		/* Both tables name the youngest first. */
		udp_htable_del(&t->port, &up->by_port);
		udp_htable_add(w, &t->port, &up->by_port, udp_hash_port(sk->net, sk->inet_num));
	}
	udp_htable_del(&t->flow, &up->by_flow);
	if (sk->sk_state == TCP_ESTABLISHED)
		udp_htable_add(w, &t->flow, &up->by_flow,
			       udp_hash_flow(t, sk->net, sk->inet_rcv_saddr, sk->inet_num,
					     sk->inet_daddr, sk->inet_dport));
}

/* ---- memory of the receive queue ---- */

static void udp_rmem_uncharge(struct sock *sk, u32 size)
{
	ASSERT(sk->sk_rmem_alloc >= size);
	sk_mem_uncharge(sk, size);
	sk->sk_rmem_alloc -= size;
}

/* udp_rmem_release: partial: the reader took a packet, more of its share are left. */
static void udp_rmem_release(struct sock *sk, u32 size, bool partial)
{
	struct udp_sock *up = udp_sk(sk);

	size += up->forward_deficit;
	if (partial && size < (u32)sk->sk_rcvbuf >> 2 && up->reader_qlen) {
		up->forward_deficit = size;
		return;
	}
	up->forward_deficit = 0;
	udp_rmem_uncharge(sk, size);
}

/* __udp_enqueue_schedule_skb: a packet that would pass the limit is refused, unless the queue is
 * empty (-ENOMEM); and one that udp_mem has no room for (-ENOBUFS). */
static int udp_enqueue(struct sock *sk, struct sk_buff *skb)
{
	u32 rmem = sk->sk_rmem_alloc, size = skb->truesize;
	u32 rcvbuf = (u32)sk->sk_rcvbuf;

	if (rmem + size > rcvbuf && (rcvbuf > INT32_MAX >> 1 || rmem)) {
		sk->sk_drops++;
		return -ENOMEM;
	}
	if (!sk_rmem_schedule(sk, size)) {
		sk->sk_drops++;
		return -ENOBUFS;
	}
	sk_mem_charge(sk, size);
	sk->sk_rmem_alloc += size;
	skb->dev = NULL;
	sock_skb_set_dropcount(sk, skb);
	skb_queue_tail(&sk->receive_queue, skb);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_data_ready(sk);
	return 0;
}

int __udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	struct world *w = net_world(sk->net);
	u64 id = skb->id;
	u32 len = skb->len;
	int rc;

	if (sk->inet_daddr)
		sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb, !sk->inet_daddr);
	rc = udp_enqueue(sk, skb);
	trace(w, sk->net->host, TRACE_UDP_QUEUE, id, sk->inet_num, len, (u64)(s64)rc);
	if (rc) {
		bool buffer = rc == -ENOMEM;

		if (buffer)
			MIB_INC(sk->net, UdpRcvbufErrors);
		else
			MIB_INC(sk->net, UdpMemErrors);
		MIB_INC(sk->net, UdpInErrors);
		kfree_skb_reason(skb, buffer ? SKB_DROP_REASON_SOCKET_RCVBUFF :
					       SKB_DROP_REASON_PROTO_MEM);
		return -1;
	}
	return 0;
}

struct sk_buff *__skb_recv_udp(struct sock *sk, u32 flags, s32 *off, int *err)
{
	struct udp_sock *up = udp_sk(sk);
	struct sk_buff *skb = __skb_recv_datagram(sk, flags, off, err);

	if (!skb || flags & MSG_PEEK)
		return skb;
	/* The reader takes over all that is there when its share is used up. */
	if (!up->reader_qlen)
		up->reader_qlen = sk->receive_queue.qlen + 1;
	up->reader_qlen--;
	udp_rmem_release(sk, skb->truesize, true);
	return skb;
}

/* A packet whose checksum turned out wrong after it was queued. */
static void drop_bad_csum(struct sock *sk, struct sk_buff *skb)
{
	MIB_INC(sk->net, UdpInCsumErrors);
	MIB_INC(sk->net, UdpInErrors);
	sk->sk_drops++;
	kfree_skb_reason(skb, SKB_DROP_REASON_UDP_CSUM);
}

s32 udp_first_packet_length(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);
	struct sk_buff *skb;
	u32 freed = 0;

	while ((skb = skb_peek(&sk->receive_queue)) != NULL && !udp_checksum_ok(skb)) {
		skb_unlink(&sk->receive_queue, skb);
		if (up->reader_qlen)
			up->reader_qlen--;
		freed += skb->truesize;
		drop_bad_csum(sk, skb);
	}
	if (freed)
		udp_rmem_release(sk, freed, false);
	return skb ? (s32)skb->len : -1;
}

void udp_drop_peeked(struct sock *sk, struct sk_buff *skb)
{
	struct udp_sock *up = udp_sk(sk);

	if (!sk_queue_drop_skb(&sk->receive_queue, skb))
		return;
	if (up->reader_qlen > sk->receive_queue.qlen)
		up->reader_qlen = sk->receive_queue.qlen;
	udp_rmem_release(sk, skb->truesize, false);
	consume_skb(skb);
}

void skb_consume_udp(struct sock *sk, struct sk_buff *skb, s32 len)
{
	sk_peek_offset_bwd(sk, len);
	consume_skb(skb);
}

/* ---- poll, ioctl, options ---- */

u32 udp_poll(struct sock *sk, u32 f_flags)
{
	u32 mask = datagram_poll(sk);

	/* Readable only when a right one waits: a reader that blocks must not find none. */
	if (mask & POLLRDNORM && !(f_flags & O_NONBLOCK) && !(sk->sk_shutdown & RCV_SHUTDOWN) &&
	    udp_first_packet_length(sk) == -1)
		mask &= ~(u32)(POLLIN | POLLRDNORM);
	return mask;
}

int udp_ioctl(struct sock *sk, u32 cmd, s64 *value)
{
	s32 len;

	switch (cmd) {
	case SIOCOUTQ:
		*value = sk->sk_wmem_alloc;
		return 0;
	case SIOCINQ:
		len = udp_first_packet_length(sk);
		*value = len < 0 ? 0 : len;
		return 0;
	default:
		return -ENOTTY;
	}
}

int udp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len)
{
	struct udp_sock *up = udp_sk(sk);
	s32 v;

	if (level != SOL_UDP)
		return -ENOPROTOOPT;
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	switch (name) {
	case UDP_CORK:
		up->corkflag = v != 0;
		if (!v && up->pending)
			udp_push_pending_frames(sk);
		return 0;
	case UDP_SEGMENT:
		if (v < 0 || v > UINT16_MAX)
			return -EINVAL;
		up->gso_size = (u16)v;
		return 0;
	case UDP_GRO:
		if (v)
			udp_gro_enable(sk->net->host);
		up->gro_enabled = v != 0;
		return 0;
	case UDP_NO_CHECK6_TX:
		up->no_check6_tx = v != 0;
		return 0;
	case UDP_NO_CHECK6_RX:
		up->no_check6_rx = v != 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int udp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len)
{
	const struct udp_sock *up = udp_sk(sk);

	if (level != SOL_UDP)
		return -EOPNOTSUPP;
	switch (name) {
	case UDP_CORK:
		return sock_put_int(val, len, up->corkflag);
	case UDP_SEGMENT:
		return sock_put_int(val, len, up->gso_size);
	case UDP_GRO:
		return sock_put_int(val, len, up->gro_enabled);
	case UDP_NO_CHECK6_TX:
		return sock_put_int(val, len, up->no_check6_tx);
	case UDP_NO_CHECK6_RX:
		return sock_put_int(val, len, up->no_check6_rx);
	default:
		return -ENOPROTOOPT;
	}
}

void udp_splice_eof(struct sock *sk)
{
	const struct udp_sock *up = udp_sk(sk);

	if (up->pending && !up->corkflag)
		udp_push_pending_frames(sk);
}

/* ---- end ---- */

void udp_flush_pending_frames(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);

	if (!up->pending)
		return;
	up->len = 0;
	up->pending = 0;
	ip_flush_pending_frames(&sk->write_queue, &up->cork);
}

void udp_lib_close(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);

	udp_flush_pending_frames(sk);
	udp_lib_unhash(sk);
	sock_orphan(sk);
	/* The queue's memory is not in skb destructors: settle it with the queue. */
	for (const struct sk_buff *skb = sk->receive_queue.next; skb; skb = skb->next)
		udp_rmem_uncharge(sk, skb->truesize);
	skb_queue_purge_reason(&sk->receive_queue, SKB_DROP_REASON_SOCKET_CLOSE);
	udp_rmem_uncharge(sk, up->forward_deficit);
	up->forward_deficit = 0;
	up->reader_qlen = 0;
	sock_put(sk);
}
