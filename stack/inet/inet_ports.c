/* SPDX-License-Identifier: MIT */
/*
 * Local ports of connection sockets: who may share a port, which one is taken when nobody says
 * (net/ipv4/inet_connection_sock.c and inet_hashtables.c: inet_csk_get_port, __inet_hash_connect).
 * The tables themselves are in inet_bind.c.
 */
#include "core/reuseport.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_ports.h"
#include "inet/inet_timewait_sock.h"

/* ---- conflicts ---- */

/* Do packets to the one's address reach the other's? (inet_rcv_saddr_equal with wildcards; a bucket
 * of AF_INET6's wildcard is told from an ipv6only one by its owners.) */
static bool inet_rcv_saddr_overlap(const struct sock_common *skc, u8 family,
				   const struct inet_addr *rcv_saddr)
{
	const struct inet_addr addr = skc_rcv_saddr(skc);

	if (skc->skc_family != family)
		return inet_addr_any(skc->skc_family == AF_INET6 ? &addr : rcv_saddr) &&
		       !(skc->skc_family == AF_INET6 && skc->skc_ipv6only);
	return inet_addr_any(&addr) || inet_addr_any(rcv_saddr) ||
	       inet_addr_equal(&addr, rcv_saddr);
}

/* What counts of another owner of the port. */
struct owner_traits {
	u32 bound_dev_if;
	bool reuse, reuseport, listens;
};

/*
 * inet_bind_conflict(). relax: the user named the port, so SO_REUSEADDR is enough to share it;
 * reuseport_ok: SO_REUSEPORT may be.
 */
static bool inet_bind_conflict(const struct sock *sk, const struct owner_traits *o, bool relax,
			       bool reuseport_ok)
{
	bool both_reuseport = sk->sk_reuseport && o->reuseport && reuseport_may_join(sk);

	if (sk->sk_bound_dev_if && o->bound_dev_if && sk->sk_bound_dev_if != o->bound_dev_if)
		return false;
	if (sk->sk_reuse && o->reuse && !o->listens)
		return !relax || (!reuseport_ok && both_reuseport);
	return !reuseport_ok || !both_reuseport;
}

static bool owner_conflict(const struct sock *sk, const struct inet_bind_owner *owner, bool relax,
			   bool reuseport_ok)
{
	struct sock_common *skc = inet_bind_skc(owner);
	struct owner_traits o;

	if (skc->skc_kind == SKC_TIMEWAIT) {
		const struct inet_timewait_sock *tw = inet_twsk(skc);

		o = (struct owner_traits){ .bound_dev_if = skc->skc_bound_dev_if,
					   .reuse = tw->tw_reuse,
					   .reuseport = tw->tw_reuseport };
	} else {
		const struct sock *sk2 = inet_sk_of(skc);

		if (sk2 == sk || (skc->skc_ipv6only && inet_skc(sk)->skc_family == AF_INET))
			return false;
		o = (struct owner_traits){ .bound_dev_if = sk2->sk_bound_dev_if,
					   .reuse = sk2->sk_reuse,
					   .reuseport = sk2->sk_reuseport,
					   .listens = sk2->sk_state == TCP_LISTEN };
	}
	return inet_bind_conflict(sk, &o, relax, reuseport_ok);
}

static bool tb2_conflict(const struct sock *sk, const struct inet_bind2_bucket *tb2, bool relax,
			 bool reuseport_ok)
{
	hlist_for_each(n, &tb2->owners)
	{
		if (owner_conflict(sk, inet_bind_place(n), relax, reuseport_ok))
			return true;
	}
	hlist_for_each(n, &tb2->deathrow)
	{
		if (owner_conflict(sk, inet_bind_place(n), relax, reuseport_ok))
			return true;
	}
	return false;
}

/* May sk not be bound to the port beside those who are? (inet_csk_bind_conflict) */
static bool inet_csk_bind_conflict(struct sock *sk, const struct inet_bind_owner *place, bool relax,
				   bool reuseport_ok)
{
	const struct sock_common *skc = inet_skc(sk);

	if (inet_bind_alone(place)) {
		const struct inet_addr addr = skc_rcv_saddr(inet_bind_skc(place));

		return inet_rcv_saddr_overlap(skc, inet_bind_skc(place)->skc_family, &addr) &&
		       owner_conflict(sk, place, relax, reuseport_ok);
	}
	hlist_for_each(n, &inet_bind_tb(place)->bhash2)
	{
		const struct inet_bind2_bucket *tb2 =
			container_of(n, struct inet_bind2_bucket, bhash_node);

		if (inet_rcv_saddr_overlap(skc, tb2->family, &tb2->rcv_saddr) &&
		    tb2_conflict(sk, tb2, relax, reuseport_ok))
			return true;
	}
	return false;
}

static void inet_csk_update_fastreuse(struct inet_bind_bucket *tb, const struct sock *sk)
{
	bool reuse = sk->sk_reuse && sk->sk_state != TCP_LISTEN;

	if (!tb->bhash2.first) {
		tb->fastreuse = (s8)reuse;
		tb->fastreuseport = (s8)sk->sk_reuseport;
		return;
	}
	if (!reuse)
		tb->fastreuse = 0;
	if (!sk->sk_reuseport)
		tb->fastreuseport = 0;
}

/* ---- bind ---- */

struct port_range inet_sk_get_local_port_range(const struct sock *sk)
{
	u32 low = (u32)sk->net->sysctl.ip_local_port_min;
	u32 high = (u32)sk->net->sysctl.ip_local_port_max;
	u32 own = sk->sk_rare->local_port_range;
	u32 own_low = own & UINT16_MAX, own_high = own >> 16;

	if (own_low >= low && own_low <= high)
		low = own_low;
	if (own_high >= low && own_high <= high)
		high = own_high;
	return (struct port_range){ low, high < low ? low : high + 1 };
}

/* The free ports of one parity, in turn from `offset` on. 0: there is none. */
static u16 scan_for_bind(struct inet_hashinfo *hi, struct sock *sk, struct port_range r, u32 offset,
			 bool relax)
{
	u32 remaining = r.high - r.low;

	if (remaining > 1)
		remaining &= ~1u;
	for (u32 i = 0, port = r.low + offset; i < remaining; i += 2, port += 2) {
		const struct inet_bind_owner *place;

		if (port >= r.high)
			port -= remaining;
		if (inet_is_local_reserved_port(sk->net, (u16)port))
			continue;
		place = inet_bind_find(hi, sk->net, (u16)port);
		if (!place || !inet_csk_bind_conflict(sk, place, relax, false))
			return (u16)port;
	}
	return 0;
}

static u16 scan_range_for_bind(struct inet_hashinfo *hi, struct sock *sk, struct port_range r,
			       bool relax)
{
	u32 remaining = r.high - r.low;
	u32 offset;
	u16 port;

	if (!remaining)
		return 0;
	if (remaining == 1)
		return scan_for_bind(hi, sk, r, 0, relax);
	/* Ports of the other parity than connect() starts with, not to be in its way. */
	offset = get_random_u32_below(hi->host->world, RANDOM_PORT, remaining & ~1u) | 1;
	port = scan_for_bind(hi, sk, r, offset, relax);
	return port ? port : scan_for_bind(hi, sk, r, offset - 1, relax);
}

static u16 scan_halves_for_bind(struct inet_hashinfo *hi, struct sock *sk, bool relax)
{
	struct port_range r = inet_sk_get_local_port_range(sk), half = r;
	u16 port;

	if (!sk->sk_reuse || r.high - r.low < 4)
		return scan_range_for_bind(hi, sk, r, relax);
	half.high = r.low + (((r.high - r.low) >> 2) << 1);
	port = scan_range_for_bind(hi, sk, half, relax);
	if (port)
		return port;
	half.low = half.high;
	half.high = r.high;
	return scan_range_for_bind(hi, sk, half, relax);
}

/* inet_csk_find_open_port: RFC 6056 3.3.1. With SO_REUSEADDR the lower half of the range first, and
 * with net.ipv4.ip_autobind_reuse at last what others with it have. */
static u16 inet_csk_find_open_port(struct inet_hashinfo *hi, struct sock *sk)
{
	u16 port = scan_halves_for_bind(hi, sk, false);

	if (!port && sk->net->sysctl.ip_autobind_reuse)
		port = scan_halves_for_bind(hi, sk, true);
	return port;
}

int inet_csk_get_port(struct sock *sk, u16 port)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind, *place;
	struct inet_bind_bucket *tb;
	bool named = port != 0;

	if (hlist_unhashed(&inet_skc(sk)->skc_node))
		inet_sk_key(sk);
	if (!named) {
		port = inet_csk_find_open_port(hi, sk);
		if (!port)
			return -EADDRINUSE;
	}
	place = inet_bind_find(hi, sk->net, port);
	if (place && named && inet_csk_bind_conflict(sk, place, true, true))
		return -EADDRINUSE;
	tb = place ? inet_bind_bucket_get(hi, place) : inet_bind_bucket_create(hi, sk->net, port);
	if (!tb)
		return -ENOMEM;
	inet_csk_update_fastreuse(tb, sk);
	if (!o->tb2) {
		int err = inet_bind_hash(hi, sk, tb);

		if (err)
			return err;
	}
	ASSERT(o->tb2->tb == tb);
	sk->inet_num = port;
	return 0;
}

/* ---- connect ---- */

/* secure_ipv4_port_ephemeral() and its like: F(local IP, remote IP, remote port, secret). */
static u64 inet_sk_port_offset(const struct inet_hashinfo *hi, const struct sock_common *skc)
{
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);
	u64 l = (u64)ntohl(laddr.w[0]) << 32 | ntohl(laddr.w[1]);
	u64 l2 = (u64)ntohl(laddr.w[2]) << 32 | ntohl(laddr.w[3]);
	u64 r = (u64)ntohl(faddr.w[0]) << 32 | ntohl(faddr.w[1]);
	u64 r2 = (u64)ntohl(faddr.w[2]) << 32 | ntohl(faddr.w[3]);

	return siphash_3u64(l ^ mix64(l2), r ^ mix64(r2), skc->skc_dport, &hi->port_key);
}

static int table_perturb_init(struct inet_hashinfo *hi)
{
	struct world *w = hi->host->world;

	if (hi->table_perturb)
		return 0;
	hi->table_perturb =
		mem_alloc_n(w, MEM_MISC, INET_TABLE_PERTURB_SIZE, sizeof(*hi->table_perturb));
	if (!hi->table_perturb)
		return -ENOMEM;
	for (u32 i = 0; i < INET_TABLE_PERTURB_SIZE; i++)
		hi->table_perturb[i] = get_random_u32(w, RANDOM_PORT);
	return 0;
}

/* A port that somebody bound is not shared with connects. */
static bool shared_by_connects(const struct inet_bind_owner *place)
{
	return inet_bind_alone(place) ||
	       (inet_bind_tb(place)->fastreuse < 0 && inet_bind_tb(place)->fastreuseport < 0);
}

/* Can sk connect from this port? 0: it is in ehash with it and owns it. *may_end: what is in the
 * way may be so for a time only, without giving the port back. */
static int try_connect_port(struct inet_hashinfo *hi, struct sock *sk, u16 port, bool *may_end)
{
	struct inet_bind_owner *place = inet_bind_find(hi, sk->net, port);
	const struct sock_common *other;
	int err;

	hi->connect_probes++;
	if (place && !shared_by_connects(place))
		return -EADDRNOTAVAIL;
	other = inet_ehash_conflict(sk, port);
	if (other && other->skc_kind != SKC_TIMEWAIT)
		return -EADDRNOTAVAIL;
	if (other)
		*may_end = true;
	if (place) {
		struct inet_bind_bucket *tb = inet_bind_bucket_get(hi, place);

		err = tb ? inet_bind_hash(hi, sk, tb) : -ENOMEM;
	} else {
		err = inet_bind_first(hi, &inet_csk(sk)->icsk_bind);
	}
	if (err)
		return err;
	err = __inet_check_established(sk, port, false);
	if (err)
		inet_put_port(sk);
	return err;
}

/* What is known of the range with sk's peer. */
static struct inet_ports_full *ports_full_of(struct inet_hashinfo *hi, const struct sock *sk,
					     struct port_range r, u64 port_offset)
{
	struct inet_ports_full *f = &hi->ports_full[port_offset >> 60 & (INET_PORTS_FULL_SIZE - 1)];
	const struct sock_common *skc = &inet_csk(sk)->icsk_common;
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);

	if (f->net == sk->net && f->low == r.low && f->high == r.high &&
	    f->dport == skc->skc_dport && f->family == skc->skc_family &&
	    f->bound_dev_if == skc->skc_bound_dev_if && inet_addr_equal(&f->daddr, &faddr) &&
	    inet_addr_equal(&f->rcv_saddr, &laddr))
		return f;
	*f = (struct inet_ports_full){ .net = sk->net,
				       .rcv_saddr = laddr,
				       .daddr = faddr,
				       .bound_dev_if = skc->skc_bound_dev_if,
				       .low = r.low,
				       .high = r.high,
				       .dport = skc->skc_dport,
				       .family = skc->skc_family };
	return f;
}

/*
 * The ports of one parity of the range, in turn from `first` on. 0: sk has one, *steps ports behind
 * the first. What is known to be in use with this peer is not looked at again.
 */
static int scan_for_connect(struct inet_hashinfo *hi, struct sock *sk, struct port_range r,
			    u32 first, struct inet_ports_full *f, u32 *steps)
{
	u32 remaining = r.high - r.low, which = (first - r.low) & 1, port = first;
	const u64 *freed = &hi->ports_freed[first & 1];
	bool may_end = false;

	if (f->full[which] && f->freed[which] == *freed)
		return -EADDRNOTAVAIL;
	if (remaining > 1)
		remaining &= ~1u;
	for (u32 i = 0; i < remaining; i += 2, port += 2) {
		int err;

		if (port >= r.high)
			port -= remaining;
		if (inet_is_local_reserved_port(sk->net, (u16)port))
			continue;
		err = try_connect_port(hi, sk, (u16)port, &may_end);
		if (err == -EADDRNOTAVAIL)
			continue;
		*steps = i;
		return err;
	}
	f->full[which] = !may_end;
	f->freed[which] = *freed;
	return -EADDRNOTAVAIL;
}

/* With IP_LOCAL_PORT_RANGE all ports of the range are taken in turn. */
static int connect_own_range(struct inet_hashinfo *hi, struct sock *sk, struct port_range r)
{
	u32 n = r.high - r.low, *perturb, offset, i;
	int err = -EADDRNOTAVAIL;
	u64 port_offset;
	bool may_end;

	inet_sk_key(sk);
	port_offset = inet_sk_port_offset(hi, inet_skc(sk));
	perturb = &hi->table_perturb[port_offset & (INET_TABLE_PERTURB_SIZE - 1)];
	offset = (*perturb + (u32)(port_offset >> 32)) % n;
	for (i = 0; i < n && err == -EADDRNOTAVAIL; i++) {
		u16 port = (u16)(r.low + (offset + i) % n);

		if (!inet_is_local_reserved_port(sk->net, port))
			err = try_connect_port(hi, sk, port, &may_end);
	}
	if (!err)
		*perturb += max_u32(i, get_random_u32_below(hi->host->world, RANDOM_PORT, 8)) + 1;
	return err;
}

/* RFC 6056 3.3.4, as __inet_hash_connect: ports of the range's lower parity first. */
static int connect_any_port(struct inet_hashinfo *hi, struct sock *sk)
{
	struct port_range r = inet_sk_get_local_port_range(sk);
	u32 remaining = r.high - r.low;
	struct inet_ports_full *full;
	u64 port_offset;
	u32 *perturb, offset, steps;
	int err = -EADDRNOTAVAIL;

	if (!remaining || table_perturb_init(hi))
		return remaining ? -ENOMEM : -EADDRNOTAVAIL;
	if (sk->sk_rare->local_port_range)
		return connect_own_range(hi, sk, r);
	if (remaining > 1)
		remaining &= ~1u;
	inet_sk_key(sk);
	port_offset = inet_sk_port_offset(hi, inet_skc(sk));
	perturb = &hi->table_perturb[port_offset & (INET_TABLE_PERTURB_SIZE - 1)];
	offset = (*perturb + (u32)(port_offset >> 32)) % remaining & ~1u;
	full = ports_full_of(hi, sk, r, port_offset);
	for (u32 parity = 0; err == -EADDRNOTAVAIL && parity < (remaining > 1 ? 2u : 1u); parity++)
		err = scan_for_connect(hi, sk, r, r.low + offset + parity, full, &steps);
	/* With few ports in use the next one is hard to foresee. */
	if (!err)
		*perturb +=
			max_u32(steps, get_random_u32_below(hi->host->world, RANDOM_PORT, 8) * 2) +
			2;
	return err;
}

int inet_hash_connect(struct sock *sk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);

	if (sk->inet_num)
		return __inet_check_established(sk, sk->inet_num, true);
	return connect_any_port(hi, sk);
}
