/* SPDX-License-Identifier: MIT */
/* The route trie against a plain list that is searched from end to end. */
#include "stack/ipv4/ip_world.h"

#include "ipv4/fib.h"

#define ROUTES_MAX 600u

struct naive_route {
	u32 dst, plen, metric;
	u8 tos, type;
	bool used;
};

static struct naive_route naive[ROUTES_MAX];

static u32 mask(u32 plen)
{
	return plen ? ~0u << (32 - plen) : 0;
}

/* What the rules say: longest prefix, then a matching TOS before none, then the smallest metric. */
static const struct naive_route *naive_lookup(u32 addr, u8 tos)
{
	const struct naive_route *best = NULL;

	for (u32 i = 0; i < ROUTES_MAX; i++) {
		const struct naive_route *r = &naive[i];

		if (!r->used || ((addr ^ r->dst) & mask(r->plen)) || (r->tos && r->tos != tos))
			continue;
		if (!best || r->plen > best->plen ||
		    (r->plen == best->plen &&
		     (r->tos > best->tos || (r->tos == best->tos && r->metric < best->metric))))
			best = r;
	}
	return best;
}

static struct fib_config config_of(const struct naive_route *r)
{
	return (struct fib_config){ .dst = r->dst,
				    .dst_len = (u8)r->plen,
				    .tos = r->tos,
				    .type = r->type,
				    .priority = r->metric,
				    .table = RT_TABLE_MAIN,
				    .oif = r->type == RTN_UNICAST ? 2 : 0,
				    .scope = r->type == RTN_UNICAST ? RT_SCOPE_LINK :
								      RT_SCOPE_UNIVERSE };
}

static u32 seed;

static u32 rnd(u32 n)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * n >> 24);
}

/* Few address bits, so that prefixes nest and collide. */
static u32 some_addr(void)
{
	return 10u << 24 | rnd(4) << 22 | rnd(8) << 12 | rnd(16) << 4 | rnd(4);
}

static void compare(struct fib_table *tb, u32 addr, u8 tos)
{
	const struct naive_route *want = naive_lookup(addr, tos);
	struct flowi4 fl4 = { .daddr = htonl(addr), .tos = tos };
	struct fib_result res;
	int err = fib_table_lookup(tb, &fl4, &res);

	if (!want) {
		assert_int_equal(err, -EAGAIN);
		return;
	}
	if (want->type == RTN_BLACKHOLE) {
		assert_int_equal(err, -EINVAL);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(res.prefixlen, want->plen);
	assert_int_equal(res.prefix, want->dst);
	assert_int_equal(res.fi->priority, want->metric);
}

static void as_a_list_would(void **state)
{
	struct fib_table *tb = fib_trie_table(iw.net, RT_TABLE_MAIN);

	(void)state;
	assert_non_null(tb);
	memset(naive, 0, sizeof(naive));
	seed = 5;
	for (u32 step = 0; step < 6000; step++) {
		struct naive_route *r = &naive[rnd(ROUTES_MAX)];
		struct fib_config cfg;

		if (r->used) {
			cfg = config_of(r);
			assert_int_equal(fib_table_delete(tb, &cfg), 0);
			r->used = false;
			assert_int_equal(fib_table_delete(tb, &cfg), -ESRCH);
		} else {
			bool twice = false;

			r->plen = rnd(33);
			r->dst = some_addr() & mask(r->plen);
			r->tos = rnd(4) ? 0 : (u8)(rnd(3) * 8);
			r->metric = 1 + rnd(3); /* 0 would delete any */
			r->type = rnd(10) ? RTN_UNICAST : RTN_BLACKHOLE;
			for (u32 i = 0; i < ROUTES_MAX; i++)
				twice |= naive[i].used && naive[i].dst == r->dst &&
					 naive[i].plen == r->plen && naive[i].tos == r->tos &&
					 naive[i].metric == r->metric;
			cfg = config_of(r);
			assert_int_equal(fib_table_insert(tb, &cfg), twice ? -EEXIST : 0);
			r->used = !twice;
		}
		fib_table_check(tb);
		for (u32 i = 0; i < 4; i++)
			compare(tb, some_addr(), (u8)(rnd(3) * 8));
	}
	assert_non_null(tb->hash); /* that, too, has been walked through */
	fib_free_table(tb);
}

static void bad_prefixes(void **state)
{
	struct naive_route r = { .dst = 0x0a000001, .plen = 24, .type = RTN_UNICAST };
	struct fib_config cfg = config_of(&r);

	(void)state;
	assert_int_equal(fib_table_insert(iw.net->fib_main, &cfg), -EINVAL); /* host bits set */
	cfg.dst_len = 33;
	assert_int_equal(fib_table_insert(iw.net->fib_main, &cfg), -EINVAL);
	cfg.dst_len = 32;
	cfg.oif = 77;
	assert_int_equal(fib_table_insert(iw.net->fib_main, &cfg), -ENODEV);
	cfg.oif = 2;
	cfg.type = RTN_THROW + 1;
	assert_int_equal(fib_table_insert(iw.net->fib_main, &cfg), -EINVAL);
}

static s64 route_op(u32 dst, u32 plen, u32 gw, u32 oif, u32 type)
{
	static u8 d[4], g[4];
	struct op op = { .kind = OP_ROUTE_ADD };

	put_be32(d, dst);
	put_be32(g, gw);
	op.u.route_add.type = type;
	op.u.route_add.scope = 255;
	op.u.route_add.oif = oif;
	op.u.route_add.prefix_len = plen;
	op.u.route_add.dst = (struct op_bytes){ d, plen ? 4 : 0 };
	if (gw)
		op.u.route_add.gateway = (struct op_bytes){ g, 4 };
	return ipw_apply(&op);
}

static int lookup(u32 addr, struct fib_result *res)
{
	struct flowi4 fl4 = { .daddr = htonl(addr) };

	return fib_lookup(iw.net, &fl4, res);
}

/* A gateway must be on the link, routes die with what they stand on. */
static void gateways(void **state)
{
	struct fib_result res;

	(void)state;
	assert_int_equal(route_op(0x0a000000, 8, 0x08080808, 0, RTN_UNICAST), -ENETUNREACH);
	assert_int_equal(route_op(0x0a000000, 8, 0xc00002fe, 0, RTN_UNICAST), 0);
	assert_int_equal(route_op(0x0a000000, 8, 0xc00002fd, 0, RTN_UNICAST), -EEXIST);
	assert_int_equal(route_op(0, 0, 0xc00002fe, 0, RTN_UNICAST), 0);
	assert_int_equal(route_op(0x0b000000, 8, 0, 0, RTN_PROHIBIT), 0);
	assert_int_equal(lookup(0x0a010203, &res), 0);
	assert_int_equal(res.prefixlen, 8);
	assert_int_equal(res.nh->gw, htonl(0xc00002fe));
	assert_int_equal(lookup(0x0b010203, &res), -EACCES);
	assert_int_equal(lookup(0xc00002ff, &res), 0);
	assert_int_equal(res.type, RTN_BROADCAST);
	assert_int_equal(lookup(OUR_IP, &res), 0);
	assert_int_equal(res.type, RTN_LOCAL);
	assert_int_equal(ipw_link(LINK_PARAM_UP, 0), 0);
	assert_int_equal(lookup(0x0a010203, &res), -ENETUNREACH);
	assert_int_equal(lookup(OUR_IP, &res), 0); /* ours even when the device is down */
	assert_int_equal(lookup(0x0b010203, &res), -EACCES);
	assert_int_equal(ipw_link(LINK_PARAM_UP, 1), 0);
	assert_int_equal(lookup(PEER_IP, &res), 0); /* connected routes come back, others do not */
	assert_int_equal(lookup(0x0a010203, &res), -ENETUNREACH);
	assert_int_equal(ipw_addr(OUR_IP, 24, false), 0);
	assert_int_equal(ipw_addr(OUR_IP, 24, false), -EADDRNOTAVAIL);
	assert_int_equal(lookup(PEER_IP, &res), -ENETUNREACH);
	assert_int_equal(lookup(OUR_IP, &res), -ENETUNREACH);
}

static void secondaries(void **state)
{
	struct fib_result res;

	(void)state;
	assert_int_equal(ipw_addr(0xc0000202, 24, true), 0);
	assert_int_equal(ipw_addr(0xc0000202, 24, true), -EEXIST);
	assert_int_equal(inet_select_addr(iw.dev, 0, RT_SCOPE_LINK), htonl(OUR_IP));
	/* Without promotion the secondary goes with its primary. */
	assert_int_equal(ipw_addr(OUR_IP, 24, false), 0);
	assert_int_equal(lookup(0xc0000202, &res), -ENETUNREACH);
	assert_int_equal(ipw_addr(OUR_IP, 24, true), 0);
	assert_int_equal(ipw_addr(0xc0000202, 24, true), 0);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.promote_secondaries", "1"), 0);
	assert_int_equal(ipw_addr(OUR_IP, 24, false), 0);
	assert_int_equal(lookup(0xc0000202, &res), 0);
	assert_int_equal(res.type, RTN_LOCAL);
	assert_int_equal(lookup(PEER_IP, &res), 0);
	assert_int_equal(res.type, RTN_UNICAST);
	assert_int_equal(fib_result_prefsrc(&res), htonl(0xc0000202));
	assert_int_equal(lookup(0xc00002ff, &res), 0);
	assert_int_equal(res.type, RTN_BROADCAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(as_a_list_would),
		IPW_TEST(bad_prefixes),
		IPW_TEST(gateways),
		IPW_TEST(secondaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
