/* SPDX-License-Identifier: MIT */
/* Between inet_hashtables.c, inet_bind.c and inet_ports.c: tables that grow, the fourfold's
 * uniqueness, buckets. */
#ifndef TAPLINE_INET_INET_PORTS_H
#define TAPLINE_INET_INET_PORTS_H

#include "inet/inet_hashtables.h"

/* Enters n in front of its chain; `hash` gives the hash of any entry of the table. */
void inet_htable_add(struct world *w, struct inet_htable *t, struct hlist_node *n,
		     u32 (*hash)(const struct hlist_node *n));
/* Harmless when it is in none. */
void inet_htable_del(struct inet_htable *t, struct hlist_node *n);

/*
 * Enters sk into ehash with local port lport, unless another has its key; a TIME-WAIT socket that
 * has may have to give way. bound: sk chose the port itself. 0 (inet_num is lport then) or
 * -EADDRNOTAVAIL.
 */
int __inet_check_established(struct sock *sk, u16 lport, bool bound);

/* ---- inet_bind.c ---- */

/* The key of an owner, which lies in front of its place. */
static inline struct sock_common *inet_bind_skc(const struct inet_bind_owner *o)
{
	return (struct sock_common *)(uintptr_t)(const void *)o - 1;
}

/* An entry of bhash: a bucket's place, or a lone owner's. */
static inline struct inet_bind_owner *inet_bind_place(const struct hlist_node *n)
{
	return container_of(n, struct inet_bind_owner, node);
}

/* The bucket of a place that is no lone owner's. */
static inline struct inet_bind_bucket *inet_bind_tb(const struct inet_bind_owner *place)
{
	return container_of(place, struct inet_bind_bucket, place);
}

/* Who has the port; NULL: nobody. */
struct inet_bind_owner *inet_bind_find(const struct inet_hashinfo *hi, const struct net *net,
				       u16 port);
/* o, which has no place, is the only owner of a port that connect() chose. 0 or -ENOMEM. */
int inet_bind_first(struct inet_hashinfo *hi, struct inet_bind_owner *o);
/* An empty bucket. NULL: no memory. */
struct inet_bind_bucket *inet_bind_bucket_create(struct inet_hashinfo *hi, struct net *net,
						 u16 port);
/* The port's bucket, for one more owner. NULL: no memory. */
struct inet_bind_bucket *inet_bind_bucket_get(struct inet_hashinfo *hi,
					      struct inet_bind_owner *place);
/* sk becomes an owner of tb on its address. An empty tb goes when that fails. 0 or -ENOMEM. */
int inet_bind_hash(struct inet_hashinfo *hi, struct sock *sk, struct inet_bind_bucket *tb);
/* The checker of the bind tables. */
void inet_bind_check(const struct inet_hashinfo *hi);

#endif
