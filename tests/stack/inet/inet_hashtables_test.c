/* SPDX-License-Identifier: MIT */
/*
 * The tables of connections and listeners: found is what a walk over a plain list would find, with
 * one entry and with a hundred thousand, of both families; listeners by score; SO_REUSEPORT
 * spreads.
 */
#include "stack/inet/inet_world.h"

#define MANY 20000u

/* Entries of their own: the tables look at nothing but the key. */
static struct sock_common *random_entry(struct inet_world *iw, struct sock_common *skc,
					struct inet6_key *key)
{
	u32 r = get_random_u32(iw->w, RANDOM_TCP);
	bool six = r & 1;

	memset(skc, 0, sizeof(*skc));
	*key = (struct inet6_key){ inet_addr4(ip(r >> 14 & 3)), inet_addr4(ip(r >> 16 & 15)) };
	key->rcv_saddr.w[3] = ip(r >> 24 & 1);
	key->daddr.w[2] = ip(r >> 25 & 3);
	skc->skc_net = iw->net;
	skc->skc_kind = SKC_SOCK;
	skc->skc_family = six ? AF_INET6 : AF_INET;
	skc->skc_num = (u16)(r >> 1 & 7);
	skc->skc_dport = (u16)(r >> 4 & 15);
	if (six) {
		skc->skc_v6 = key;
	} else {
		skc->skc_v4.rcv_saddr = key->rcv_saddr.w[0];
		skc->skc_v4.daddr = key->daddr.w[0];
	}
	return skc;
}

static struct sock_common *lookup(struct inet_world *iw, const struct sock_common *k)
{
	const struct inet_addr laddr = skc_rcv_saddr(k), faddr = skc_daddr(k);

	return __inet_lookup_established(&iw->hi, iw->net, k->skc_family, &faddr, k->skc_dport,
					 &laddr, k->skc_num, 3);
}

static bool same_key(const struct sock_common *a, const struct sock_common *b)
{
	const struct inet_addr laddr = skc_rcv_saddr(a), laddr2 = skc_rcv_saddr(b);
	const struct inet_addr faddr = skc_daddr(a), faddr2 = skc_daddr(b);

	return a->skc_family == b->skc_family && a->skc_num == b->skc_num &&
	       a->skc_dport == b->skc_dport && inet_addr_equal(&laddr, &laddr2) &&
	       inet_addr_equal(&faddr, &faddr2);
}

static void finds_what_a_list_finds(void **state)
{
	struct inet_world *iw = inet_world_new(1);
	struct sock_common *e = calloc(3000, sizeof(*e));
	struct inet6_key *keys = calloc(3000, sizeof(*keys));
	u32 n = 0, hits = 0;

	(void)state;
	assert_non_null(e);
	assert_non_null(keys);
	for (u32 i = 0; i < 3000; i++) {
		struct sock_common *found, *naive = NULL, k;

		random_entry(iw, &k, &keys[n]);
		for (u32 j = 0; j < n && !naive; j++)
			if (!hlist_unhashed(&e[j].skc_node) && same_key(&e[j], &k))
				naive = &e[j];
		found = lookup(iw, &k);
		assert_ptr_equal(found, naive);
		if (found) {
			hits++;
			inet_ehash_remove(&iw->hi, found);
			assert_null(lookup(iw, &k));
			continue;
		}
		e[n] = k;
		inet_ehash_insert(&iw->hi, &e[n++]);
		assert_ptr_equal(lookup(iw, &k), &e[n - 1]);
	}
	assert_in_range(hits, 1, n);
	inet_hashinfo_check(&iw->hi, 1);
	for (u32 i = 0; i < n; i++)
		inet_ehash_remove(&iw->hi, &e[i]);
	free(keys);
	free(e);
	inet_world_end(iw);
}

static void chains_stay_short(void **state)
{
	struct inet_world *iw = inet_world_new(2);
	struct sock_common *e = calloc(MANY, sizeof(*e));
	u32 longest = 0;

	(void)state;
	assert_non_null(e);
	for (u32 i = 0; i < MANY; i++) {
		e[i].skc_net = iw->net;
		e[i].skc_kind = SKC_SOCK;
		e[i].skc_family = AF_INET;
		e[i].skc_num = 80;
		e[i].skc_dport = (u16)(1024 + (i & 0x3fff));
		e[i].skc_v4.rcv_saddr = ip(0xc0000201);
		e[i].skc_v4.daddr = ip(0x0a000000 + (i >> 14));
		inet_ehash_insert(&iw->hi, &e[i]);
	}
#ifndef TAPLINE_HOSTILE
	assert_in_range(iw->hi.ehash.mask + 1, MANY, 2 * MANY);
	for (u32 i = 0; i <= iw->hi.ehash.mask; i++) {
		u32 len = 0;

		hlist_for_each(pos, &iw->hi.ehash.heads[i]) len++;
		longest = max_u32(longest, len);
	}
	assert_in_range(longest, 1, 12);
#else
	(void)longest;
#endif
	for (u32 i = 0; i < MANY; i += 97)
		assert_ptr_equal(lookup(iw, &e[i]), &e[i]);
	for (u32 i = 0; i < MANY; i++)
		inet_ehash_remove(&iw->hi, &e[i]);
	free(e);
	inet_world_end(iw);
}

static void bound_device_counts(void **state)
{
	struct inet_world *iw = inet_world_new(3);
	struct sock_common a, b;
	struct inet6_key key;

	(void)state;
	random_entry(iw, &a, &key);
	a.skc_bound_dev_if = 3;
	b = a;
	b.skc_bound_dev_if = 4;
	inet_ehash_insert(&iw->hi, &a);
	inet_ehash_insert(&iw->hi, &b);
	assert_ptr_equal(lookup(iw, &a), &a);
	inet_ehash_remove(&iw->hi, &a);
	assert_null(lookup(iw, &a));
	inet_ehash_remove(&iw->hi, &b);
	inet_world_end(iw);
}

/* ---- listeners ---- */

static struct sock *listener(struct inet_world *iw, u32 addr, u16 port, u32 dev, bool reuseport)
{
	struct sock *sk = new_sock(iw);

	sk->sk_reuse = 1;
	sk->sk_reuseport = reuseport;
	sk->sk_bound_dev_if = dev;
	assert_int_equal(bind_to(sk, addr, port), 0);
	assert_int_equal(listen_on(sk, 4), 0);
	return sk;
}

static struct sock *hear(struct inet_world *iw, u32 addr, u16 port, u32 dif, u16 from)
{
	struct inet_addr s = inet_addr4(ip(0xc6336401)), d = inet_addr4(ip(addr));

	return __inet_lookup_listener(&iw->hi, iw->net, NULL, 0, AF_INET, &s, from, &d, port, dif);
}

static void listeners_by_score(void **state)
{
	struct inet_world *iw = inet_world_new(4);
	struct sock *any, *addr, *dev;

	(void)state;
	assert_null(hear(iw, 0x01020304, 80, 2, 9));
	any = listener(iw, 0, 80, 0, true);
	assert_ptr_equal(hear(iw, 0x01020304, 80, 2, 9), any);
	assert_null(hear(iw, 0x01020304, 81, 2, 9));
	addr = listener(iw, 0x01020304, 80, 0, true);
	assert_ptr_equal(hear(iw, 0x01020304, 80, 2, 9), addr);
	assert_ptr_equal(hear(iw, 0x01020305, 80, 2, 9), any);
	dev = listener(iw, 0x01020304, 80, 7, true);
	assert_ptr_equal(hear(iw, 0x01020304, 80, 7, 9), dev);
	assert_ptr_equal(hear(iw, 0x01020304, 80, 2, 9), addr);
	kill_sock(addr);
	assert_ptr_equal(hear(iw, 0x01020304, 80, 2, 9), any);
	kill_sock(any);
	kill_sock(dev);
	inet_world_end(iw);
}

static void reuseport_spreads(void **state)
{
	struct inet_world *iw = inet_world_new(5);
	struct sock *sk[4];
	u32 count[4] = { 0 };

	(void)state;
	for (u32 i = 0; i < 4; i++)
		sk[i] = listener(iw, 0, 80, 0, true);
	for (u16 from = 1; from <= 4000; from++) {
		struct sock *got = hear(iw, 0x01020304, 80, 2, from);

		assert_ptr_equal(got, hear(iw, 0x01020304, 80, 2, from));
		for (u32 i = 0; i < 4; i++)
			count[i] += got == sk[i];
	}
	for (u32 i = 0; i < 4; i++) {
		assert_in_range(count[i], 800, 1200);
		kill_sock(sk[i]);
	}
	inet_world_end(iw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_list_finds), cmocka_unit_test(chains_stay_short),
		cmocka_unit_test(bound_device_counts),	   cmocka_unit_test(listeners_by_score),
		cmocka_unit_test(reuseport_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
