/* SPDX-License-Identifier: MIT */
/*
 * Where the connections of a host are found (net/ipv4/inet_hashtables.c): connected sockets,
 * TIME-WAIT ones and requests by both addresses and ports (ehash), listeners by address and port
 * (lhash2), bound sockets by port and address (bhash, bhash2). Both families: an IPv6 key's
 * addresses lie behind it.
 *
 * On a segment's way in this is the step between tcp_v4_rcv and the socket.
 *
 * Invariants: a key in ehash is unique under inet_match(); the key of an entry does not change
 * while it is in a table; chains keep the order of entry, youngest first, whatever the table's
 * size, so that growing is seen by no one.
 */
#ifndef TAPLINE_INET_INET_HASHTABLES_H
#define TAPLINE_INET_INET_HASHTABLES_H

#include "core/sock.h"
#include "lib/hash.h"

struct inet_timewait_sock;
struct request_sock;
struct request_sock_ops;
struct inet_bind2_bucket;
struct inet_hashinfo;

/* What an entry is part of. */
enum skc_kind { SKC_SOCK, SKC_TIMEWAIT, SKC_REQUEST, SKC_LISTEN };

/*
 * The part that full sockets, TIME-WAIT sockets and requests have in common (struct sock_common):
 * their place in a table and the key that they are found by there. Of a listener the daddr is any
 * and dport 0. Most connections are IPv4's, so that IPv6's addresses lie where its owner has them:
 * skc_rcv_saddr() and skc_daddr() give those of either family.
 */
struct sock_common {
	struct hlist_node skc_node; /* ehash, or lhash2 of a listener */
	struct net *skc_net;
	u32 skc_hash;
	u32 skc_bound_dev_if;
	u16 skc_num, skc_dport; /* own and peer's port, host order */
	u8 skc_family; /* of the addresses: AF_INET for a mapped one of an AF_INET6 socket */
	u8 skc_kind : 2; /* enum skc_kind */
	u8 skc_ipv6only : 1; /* an AF_INET6 listener that takes no mapped addresses */
	u8 skc_rebound : 1; /* SO_BINDTODEVICE since it is hashed: may be a second of its key */
	u16 skc_timer_cpu; /* on which its timers fire; no part of the key */
	union {
		struct {
			be32 rcv_saddr, daddr;
		} skc_v4;
		const struct inet6_key *skc_v6;
	};
};

static inline struct inet_addr skc_rcv_saddr(const struct sock_common *skc)
{
	return skc->skc_family == AF_INET6 ? skc->skc_v6->rcv_saddr :
					     inet_addr4(skc->skc_v4.rcv_saddr);
}

static inline struct inet_addr skc_daddr(const struct sock_common *skc)
{
	return skc->skc_family == AF_INET6 ? skc->skc_v6->daddr : inet_addr4(skc->skc_v4.daddr);
}

/*
 * A place in the bind tables: of a full socket or of a TIME-WAIT one, right behind its sock_common.
 * The only connection from a port that connect() chose needs no buckets: it lies in bhash itself
 * (inet_bind_alone()).
 */
struct inet_bind_owner {
	struct hlist_node node;
	struct inet_bind2_bucket *tb2; /* NULL: not bound; &inet_bind_no_bucket: alone */
};

extern const struct inet_bind2_bucket inet_bind_no_bucket;

static inline bool inet_bind_alone(const struct inet_bind_owner *o)
{
	return o->tb2 == &inet_bind_no_bucket;
}

/* One port in use (struct inet_bind_bucket). */
struct inet_bind_bucket {
	struct inet_bind_owner place; /* first: in bhash, tb2 is NULL */
	struct net *net;
	u16 port;
	/* > 0: all owners have SO_REUSEADDR and none listens; < 0: all came by connect(), so that
	 * the port may be shared with other connects to other peers. */
	s8 fastreuse;
	s8 fastreuseport;
	struct hlist_head bhash2; /* inet_bind2_bucket.bhash_node */
};

/* One port in use on one address. */
struct inet_bind2_bucket {
	struct hlist_node node;
	struct hlist_node bhash_node; /* tb->bhash2 */
	struct inet_bind_bucket *tb;
	u8 family;
	struct inet_addr rcv_saddr;
	struct hlist_head owners; /* full sockets */
	struct hlist_head deathrow; /* TIME-WAIT ones */
};

/* A table that grows with its entries. */
struct inet_htable {
	struct hlist_head *heads;
	u32 mask;
	u32 entries;
};

/* RFC 6056 3.3.4: TABLE_LENGTH of the double-hash port selection (CONFIG_INET_TABLE_PERTURB_ORDER).
 */
#define INET_TABLE_PERTURB_SHIFT 8u
#define INET_TABLE_PERTURB_SIZE	 (1u << INET_TABLE_PERTURB_SHIFT)

/*
 * A search for a port found every other one of the range in use with this peer: the next one to
 * that peer need not look at them again, as long as none was given back.
 */
struct inet_ports_full {
	const struct net *net; /* NULL: nothing is known */
	struct inet_addr rcv_saddr, daddr;
	u32 bound_dev_if;
	u32 low, high; /* the range */
	u64 freed[2]; /* inet_hashinfo.ports_freed then, of the range's first parity and the other
		       */
	u16 dport;
	u8 family;
	bool full[2];
};

#define INET_PORTS_FULL_SIZE 4u

struct inet_hashinfo {
	struct host *host;
	struct inet_htable ehash, lhash2, bhash, bhash2;
	struct siphash_key key; /* of the tables */
	struct siphash_key port_key; /* of inet_connect's port offset */
	u32 *table_perturb; /* made by the first connect() */
	struct inet_ports_full ports_full[INET_PORTS_FULL_SIZE]; /* by bits of the port offset */
	u64 ports_freed[2]; /* even, odd: how often a port in use became free, or freer */
	u64 connect_probes; /* ports that searches looked at */
	const struct request_sock_ops *rsk_ops; /* of a request of IPv4, */
	const struct request_sock_ops *rsk_ops_v6; /* and of IPv6 */
	u32 tw_count; /* TIME-WAIT sockets (tcp_death_row.tw_refcount) */
	/* Sockets that their user closed and that still talk (tcp_orphan_count). */
	s32 orphan_count;
	/* May the TIME-WAIT socket's place be taken by sk, which connects? bound: from a port of
	 * its own choice. (twsk_unique) */
	bool (*twsk_unique)(struct sock *sk, struct inet_timewait_sock *tw, bool bound);
	/* What TCP keeps behind a TIME-WAIT socket goes with it. */
	void (*twsk_destructor)(struct inet_timewait_sock *tw);
};

/* Empty tables. 0 or -ENOMEM (nothing is left behind). */
int inet_hashinfo_init(struct host *h, struct inet_hashinfo *hi);
/* They must be empty. */
void inet_hashinfo_exit(struct inet_hashinfo *hi);
/* Panics at a broken invariant. */
void inet_hashinfo_check(const struct inet_hashinfo *hi, u32 level);

/* ---- connected ---- */

u32 inet_ehashfn(const struct inet_hashinfo *hi, const struct net *net,
		 const struct inet_addr *laddr, u16 lport, const struct inet_addr *faddr,
		 u16 fport);
/*
 * The entry for a segment from (saddr, sport) to (daddr, dport) that came by device dif: a socket,
 * a TIME-WAIT one or a request. Ports in host order. No reference is taken. NULL: none.
 */
struct sock_common *__inet_lookup_established(const struct inet_hashinfo *hi, struct net *net,
					      u8 family, const struct inet_addr *saddr, u16 sport,
					      const struct inet_addr *daddr, u16 dport, u32 dif);
/* Is the key of sk with local port lport in use, and by whom? NULL: it is free. */
struct sock_common *inet_ehash_conflict(struct sock *sk, u16 lport);
/* Enters skc, whose key is filled in but for its hash. */
void inet_ehash_insert(struct inet_hashinfo *hi, struct sock_common *skc);
/* Harmless when it is in no table. */
void inet_ehash_remove(struct inet_hashinfo *hi, struct sock_common *skc);
/* The key of a full socket from its addresses and ports as they are now. */
void inet_sk_key(struct sock *sk);
/* Enters a full, unhashed socket: a listener or a connected one (proto.hash). 0 or -ENOMEM. */
int inet_hash(struct sock *sk);
/* Takes it out of whichever table it is in (proto.unhash). */
void inet_unhash(struct sock *sk);
/* sk takes the place of `osk`, an entry of the same key (request or TIME-WAIT), which leaves the
 * table. False: osk is there no more, someone else was first; sk is not entered. osk may be NULL.
 */
bool inet_ehash_nolisten(struct sock *sk, struct sock_common *osk);

/* ---- listeners ---- */

/* Who hears a segment to (daddr, dport): the best score; of an SO_REUSEPORT group whom its program
 * or the flow's hash names. skb, at its TCP header of hdr_len bytes, is for the program; NULL:
 * none. NULL: nobody. */
struct sock *__inet_lookup_listener(const struct inet_hashinfo *hi, const struct net *net,
				    struct sk_buff *skb, u32 hdr_len, u8 family,
				    const struct inet_addr *saddr, u16 sport,
				    const struct inet_addr *daddr, u16 dport, u32 dif);

/* ---- ports ---- */

/* The ports that the stack may choose for sk: ip_local_port_range, made smaller by
 * IP_LOCAL_PORT_RANGE. */
struct port_range {
	u32 low, high; /* [low, high) */
};

struct port_range inet_sk_get_local_port_range(const struct sock *sk);

/* Binds sk to `port`, 0: to one that is free in ip_local_port_range (proto.get_port). 0,
 * -EADDRINUSE, or -ENOMEM. */
int inet_csk_get_port(struct sock *sk, u16 port);
/*
 * Gives sk, whose addresses and peer port are set, a local port unless it has one, and enters it
 * into ehash: RFC 6056 3.3.4. 0, -EADDRNOTAVAIL (no port is left, or the one it has is in use with
 * this peer), -ENOMEM.
 */
int inet_hash_connect(struct sock *sk);
/* Gives the port back. */
void inet_put_port(struct sock *sk);
/* A child gets its listener's port. 0 or -ENOMEM. */
int __inet_inherit_port(struct sock *sk, struct sock *child);
/* The local address of a bound socket changed (inet_bhash2_update_saddr). 0 or -ENOMEM. */
int inet_bhash2_update_saddr(struct sock *sk);

/* An unhashed socket forgets the local address that it was not bound to by its user. */
void inet_bhash2_reset_saddr(struct sock *sk);

/* A TIME-WAIT socket keeps the port of the socket that it takes over from. */
void inet_bind_owner_add_tw(struct inet_bind_owner *o, struct inet_bind_owner *from);
/* Leaves the bucket, which goes with its last owner. */
void inet_bind_owner_del(struct inet_hashinfo *hi, struct inet_bind_owner *o);

static inline struct inet_hashinfo *inet_hashinfo_of(const struct net *net)
{
	return net->host->tcp_hashinfo;
}

#endif
