/* SPDX-License-Identifier: MIT */
/*
 * Local ports of connection sockets: bind buckets, who may share a port, which one is taken when
 * nobody says (net/ipv4/inet_hashtables.c and inet_connection_sock.c: inet_bind_bucket,
 * inet_csk_get_port, __inet_hash_connect).
 *
 * A bucket stands for a port in use, its bhash2 buckets for the addresses it is in use on; owners
 * are sockets and TIME-WAIT sockets. Invariants: a bucket without owners does not exist; owner ->
 * tb2 -> tb have the port and the address that the owner is bound to.
 */
#include "inet/inet_connection_sock.h"
#include "inet/inet_ports.h"

#include "core/reuseport.h"
#include "inet/inet_timewait_sock.h"

/* ---- buckets ---- */

static struct inet_bind_bucket *tb_of(const struct hlist_node *n)
{
	return container_of(n, struct inet_bind_bucket, node);
}

static struct inet_bind2_bucket *tb2_of(const struct hlist_node *n)
{
	return container_of(n, struct inet_bind2_bucket, node);
}

static u32 bhashfn(const struct net *net, u16 port)
{
	return (u32)mix64((u64)net->id << 16 | port);
}

static u32 bhash2fn(const struct net *net, u16 port, const struct inet_addr *addr)
{
	u64 hi = (u64)ntohl(addr->w[0]) << 32 | ntohl(addr->w[1]);
	u64 lo = (u64)ntohl(addr->w[2]) << 32 | ntohl(addr->w[3]);

	return (u32)mix64(mix64(hi ^ mix64(lo)) ^ ((u64)net->id << 16 | port));
}

static u32 tb_hash(const struct hlist_node *n)
{
	return bhashfn(tb_of(n)->net, tb_of(n)->port);
}

static u32 tb2_hash(const struct hlist_node *n)
{
	const struct inet_bind2_bucket *tb2 = tb2_of(n);

	return bhash2fn(tb2->tb->net, tb2->tb->port, &tb2->rcv_saddr);
}

static struct inet_bind_bucket *tb_find(const struct inet_hashinfo *hi, const struct net *net,
					u16 port)
{
	hlist_for_each(n,
		       &hi->bhash.heads[bhashfn(net, port) &
					hi->bhash.mask]) if (tb_of(n)->port == port &&
							     tb_of(n)->net == net) return tb_of(n);
	return NULL;
}

static struct inet_bind2_bucket *tb2_find(const struct inet_hashinfo *hi,
					  const struct inet_bind_bucket *tb, u8 family,
					  const struct inet_addr *addr)
{
	u32 hash = bhash2fn(tb->net, tb->port, addr);

	hlist_for_each(n, &hi->bhash2.heads[hash & hi->bhash2.mask])
	{
		struct inet_bind2_bucket *tb2 = tb2_of(n);

		if (tb2->tb == tb && tb2->family == family &&
		    inet_addr_equal(&tb2->rcv_saddr, addr))
			return tb2;
	}
	return NULL;
}

static struct inet_bind_bucket *tb_create(struct inet_hashinfo *hi, struct net *net, u16 port)
{
	struct world *w = hi->host->world;
	struct inet_bind_bucket *tb = mem_zalloc(w, MEM_BIND_BUCKET, sizeof(*tb));

	if (!tb)
		return NULL;
	tb->net = net;
	tb->port = port;
	inet_htable_add(w, &hi->bhash, &tb->node, tb_hash);
	return tb;
}

static void tb_destroy_if_empty(struct inet_hashinfo *hi, struct inet_bind_bucket *tb)
{
	if (tb->bhash2.first)
		return;
	hi->ports_freed[tb->port & 1]++;
	inet_htable_del(&hi->bhash, &tb->node);
	mem_free(hi->host->world, MEM_BIND_BUCKET, tb, sizeof(*tb));
}

static struct inet_bind2_bucket *tb2_find_or_create(struct inet_hashinfo *hi,
						    struct inet_bind_bucket *tb, u8 family,
						    const struct inet_addr *addr)
{
	struct world *w = hi->host->world;
	struct inet_bind2_bucket *tb2 = tb2_find(hi, tb, family, addr);

	if (tb2)
		return tb2;
	tb2 = mem_zalloc(w, MEM_BIND2_BUCKET, sizeof(*tb2));
	if (!tb2)
		return NULL;
	tb2->tb = tb;
	tb2->family = family;
	tb2->rcv_saddr = *addr;
	hlist_add_head(&tb2->bhash_node, &tb->bhash2);
	inet_htable_add(w, &hi->bhash2, &tb2->node, tb2_hash);
	return tb2;
}

static void tb2_destroy_if_empty(struct inet_hashinfo *hi, struct inet_bind2_bucket *tb2)
{
	struct inet_bind_bucket *tb = tb2->tb;

	if (tb2->owners.first || tb2->deathrow.first)
		return;
	inet_htable_del(&hi->bhash2, &tb2->node);
	hlist_del_init(&tb2->bhash_node);
	mem_free(hi->host->world, MEM_BIND2_BUCKET, tb2, sizeof(*tb2));
	tb_destroy_if_empty(hi, tb);
}

void inet_bind_owner_add_tw(struct inet_bind_owner *o, struct inet_bind2_bucket *tb2)
{
	o->tb2 = tb2;
	hlist_add_head(&o->node, &tb2->deathrow);
}

void inet_bind_owner_del(struct inet_hashinfo *hi, struct inet_bind_owner *o)
{
	struct inet_bind2_bucket *tb2 = o->tb2;

	if (!tb2)
		return;
	hlist_del_init(&o->node);
	o->tb2 = NULL;
	tb2_destroy_if_empty(hi, tb2);
}

/* sk becomes an owner of tb on its address. An empty tb goes when that fails. */
static int inet_bind_hash(struct inet_hashinfo *hi, struct sock *sk, struct inet_bind_bucket *tb)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr addr = skc_rcv_saddr(skc);
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;
	struct inet_bind2_bucket *tb2 = tb2_find_or_create(hi, tb, skc->skc_family, &addr);

	ASSERT(!o->tb2);
	if (!tb2) {
		tb_destroy_if_empty(hi, tb);
		return -ENOMEM;
	}
	o->tb2 = tb2;
	hlist_add_head(&o->node, &tb2->owners);
	return 0;
}

void inet_put_port(struct sock *sk)
{
	inet_bind_owner_del(inet_hashinfo_of(sk->net), &inet_csk(sk)->icsk_bind);
	sk->inet_num = 0;
}

int __inet_inherit_port(struct sock *sk, struct sock *child)
{
	struct inet_bind2_bucket *tb2 = inet_csk(sk)->icsk_bind.tb2;

	if (!tb2)
		return -ENOENT; /* the listener closed meanwhile */
	inet_sk_key(child);
	return inet_bind_hash(inet_hashinfo_of(sk->net), child, tb2->tb);
}

int inet_bhash2_update_saddr(struct sock *sk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;
	struct inet_bind2_bucket *old = o->tb2, *tb2;
	struct inet_addr addr;

	inet_sk_key(sk);
	if (!old)
		return 0;
	addr = skc_rcv_saddr(inet_skc(sk));
	tb2 = tb2_find_or_create(hi, old->tb, inet_skc(sk)->skc_family, &addr);
	if (!tb2)
		return -ENOMEM;
	if (tb2 == old)
		return 0;
	hlist_del_init(&o->node);
	o->tb2 = tb2;
	hlist_add_head(&o->node, &tb2->owners);
	tb2_destroy_if_empty(hi, old);
	return 0;
}

void inet_bhash2_reset_saddr(struct sock *sk)
{
	be32 saddr = sk->inet_saddr, rcv_saddr = sk->inet_rcv_saddr;
	struct ipv6_pinfo *np = sk->pinet6, saved = { 0 };

	if (sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		return;
	sk->inet_saddr = 0;
	sk->inet_rcv_saddr = 0;
	if (np) {
		saved = *np;
		np->saddr = np->rcv_saddr = (struct inet_addr){ 0 };
		np->v4mapped = 0;
	}
	if (inet_bhash2_update_saddr(sk)) {
		/* No memory for another bucket: it stays bound to that address. */
		sk->inet_saddr = saddr;
		sk->inet_rcv_saddr = rcv_saddr;
		if (np)
			*np = saved;
		inet_sk_key(sk);
	}
}

/* ---- conflicts ---- */

/* Do packets to the one's address reach the other's? (inet_rcv_saddr_equal with wildcards; a bucket
 * of AF_INET6's wildcard is told from an ipv6only one by its owners.) */
static bool inet_rcv_saddr_overlap(const struct sock_common *skc,
				   const struct inet_bind2_bucket *tb2)
{
	const struct inet_addr addr = skc_rcv_saddr(skc);

	if (skc->skc_family != tb2->family)
		return inet_addr_any(skc->skc_family == AF_INET6 ? &addr : &tb2->rcv_saddr) &&
		       !(skc->skc_family == AF_INET6 && skc->skc_ipv6only);
	return inet_addr_any(&addr) || inet_addr_any(&tb2->rcv_saddr) ||
	       inet_addr_equal(&addr, &tb2->rcv_saddr);
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

static bool tb2_conflict(const struct sock *sk, const struct inet_bind2_bucket *tb2, bool relax,
			 bool reuseport_ok)
{
	hlist_for_each(n, &tb2->owners)
	{
		const struct inet_connection_sock *icsk2 =
			container_of(n, struct inet_connection_sock, icsk_bind.node);
		const struct sock *sk2 = &icsk2->icsk_inet;
		struct owner_traits o = { .bound_dev_if = sk2->sk_bound_dev_if,
					  .reuse = sk2->sk_reuse,
					  .reuseport = sk2->sk_reuseport,
					  .listens = sk2->sk_state == TCP_LISTEN };

		if (sk2 == sk ||
		    (icsk2->icsk_common.skc_ipv6only && inet_skc(sk)->skc_family == AF_INET))
			continue;
		if (inet_bind_conflict(sk, &o, relax, reuseport_ok))
			return true;
	}
	hlist_for_each(n, &tb2->deathrow)
	{
		const struct inet_timewait_sock *tw =
			container_of(n, struct inet_timewait_sock, tw_bind.node);
		struct owner_traits o = { .bound_dev_if = tw->tw_common.skc_bound_dev_if,
					  .reuse = tw->tw_reuse,
					  .reuseport = tw->tw_reuseport };

		if (inet_bind_conflict(sk, &o, relax, reuseport_ok))
			return true;
	}
	return false;
}

/* May sk not be bound to the port beside those who are? (inet_csk_bind_conflict) */
static bool inet_csk_bind_conflict(struct sock *sk, const struct inet_bind_bucket *tb, bool relax,
				   bool reuseport_ok)
{
	hlist_for_each(n, &tb->bhash2)
	{
		const struct inet_bind2_bucket *tb2 =
			container_of(n, struct inet_bind2_bucket, bhash_node);

		if (inet_rcv_saddr_overlap(inet_skc(sk), tb2) &&
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
		const struct inet_bind_bucket *tb;

		if (port >= r.high)
			port -= remaining;
		if (inet_is_local_reserved_port(sk->net, (u16)port))
			continue;
		tb = tb_find(hi, sk->net, (u16)port);
		if (!tb || !inet_csk_bind_conflict(sk, tb, relax, false))
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
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;
	struct inet_bind_bucket *tb;
	bool named = port != 0;

	if (hlist_unhashed(&inet_skc(sk)->skc_node))
		inet_sk_key(sk);
	if (!named) {
		port = inet_csk_find_open_port(hi, sk);
		if (!port)
			return -EADDRINUSE;
	}
	tb = tb_find(hi, sk->net, port);
	if (tb && named && inet_csk_bind_conflict(sk, tb, true, true))
		return -EADDRINUSE;
	if (!tb)
		tb = tb_create(hi, sk->net, port);
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

/* Can sk connect from this port? 0: it is in ehash with it and owns it. *may_end: what is in the
 * way may be so for a time only, without giving the port back. */
static int try_connect_port(struct inet_hashinfo *hi, struct sock *sk, u16 port, bool *may_end)
{
	struct inet_bind_bucket *tb = tb_find(hi, sk->net, port);
	const struct sock_common *other;
	int err;

	hi->connect_probes++;
	/* A port that somebody bound is not shared with connects. */
	if (tb && (tb->fastreuse >= 0 || tb->fastreuseport >= 0))
		return -EADDRNOTAVAIL;
	other = inet_ehash_conflict(sk, port);
	if (other && other->skc_kind != SKC_TIMEWAIT)
		return -EADDRNOTAVAIL;
	if (other)
		*may_end = true;
	if (!tb) {
		tb = tb_create(hi, sk->net, port);
		if (!tb)
			return -ENOMEM;
		tb->fastreuse = -1;
		tb->fastreuseport = -1;
	}
	err = inet_bind_hash(hi, sk, tb);
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

/* ---- as a whole ---- */

static u32 tb2_owners_check(const struct inet_bind2_bucket *tb2)
{
	u32 owners = 0;

	hlist_for_each(n, &tb2->owners)
	{
		struct inet_connection_sock *icsk =
			container_of(n, struct inet_connection_sock, icsk_bind.node);

		ASSERT(icsk->icsk_bind.tb2 == tb2);
		ASSERT(icsk->icsk_inet.inet_num == tb2->tb->port);
		ASSERT(icsk->icsk_inet.net == tb2->tb->net);
		owners++;
	}
	hlist_for_each(n, &tb2->deathrow)
	{
		struct inet_timewait_sock *tw =
			container_of(n, struct inet_timewait_sock, tw_bind.node);

		ASSERT(tw->tw_bind.tb2 == tb2);
		ASSERT(tw->tw_common.skc_num == tb2->tb->port);
		owners++;
	}
	return owners;
}

void inet_bind_check(const struct inet_hashinfo *hi)
{
	u32 ports = 0, addrs = 0;

	for (u32 i = 0; i <= hi->bhash.mask; i++) {
		hlist_for_each(n, &hi->bhash.heads[i])
		{
			const struct inet_bind_bucket *tb = tb_of(n);

			ASSERT((tb_hash(n) & hi->bhash.mask) == i);
			ASSERT(tb->bhash2.first);
			ports++;
			hlist_for_each(n2, &tb->bhash2)
			{
				const struct inet_bind2_bucket *tb2 =
					container_of(n2, struct inet_bind2_bucket, bhash_node);

				ASSERT(tb2->tb == tb);
				ASSERT(tb2_find(hi, tb, tb2->family, &tb2->rcv_saddr) == tb2);
				ASSERT(tb2_owners_check(tb2) > 0);
				addrs++;
			}
		}
	}
	ASSERT(ports == hi->bhash.entries);
	ASSERT(addrs == hi->bhash2.entries);
}
