/* SPDX-License-Identifier: MIT */
/* Between inet_hashtables.c and inet_ports.c: tables that grow, the fourfold's uniqueness. */
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

/* The checker of the bind tables. */
void inet_bind_check(const struct inet_hashinfo *hi);

#endif
