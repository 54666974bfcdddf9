/* SPDX-License-Identifier: MIT */
/* Virtual devices and namespaces without memory: whichever allocation fails, nothing is left
 * behind, and what is there is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/netdevice.h"
#include "kernel/world.h"
#include "stack/errno.h"
#include "stack/fault.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/world.h"

#define ARENA (16u << 20)

static u8 *arena;
static struct world *w;

static struct op_bytes text(const char *s)
{
	return (struct op_bytes){ (const u8 *)s, (u32)strlen(s) };
}

static s64 add_link(u64 host, u64 peer_host, const char *kind, u64 link, u64 id)
{
	struct op op = { .kind = OP_LINK_ADD };

	op.u.link_add.host = host;
	op.u.link_add.peer_host = peer_host;
	op.u.link_add.kind = text(kind);
	op.u.link_add.link = link;
	op.u.link_add.id = id;
	return world_apply(w, &op);
}

static s64 link_set(u64 host, u64 ifindex, u64 param, u64 value)
{
	struct op op = { .kind = OP_LINK_SET };

	op.u.link_set.host = host;
	op.u.link_set.ifindex = ifindex;
	op.u.link_set.param = param;
	op.u.link_set.value = value;
	return world_apply(w, &op);
}

static s64 netns_add(void)
{
	struct op op = { .kind = OP_NETNS_ADD };

	op.u.netns_add.name = text("blue");
	return world_apply(w, &op);
}

static void begin(void)
{
	struct world_config config = { .seed = 1 };
	struct op op = { .kind = OP_HOST_ADD };

	w = world_create(arena, ARENA, &config, NULL, NULL);
	assert_non_null(w);
	op.u.host_add.cpus = 1;
	assert_int_equal(world_apply(w, &op), 0);
}

static void end(void)
{
	struct world_leaks leaks;

	world_check(w, 1);
	world_destroy(w, &leaks);
	assert_int_equal(leaks.objects, 0);
	assert_int_equal(leaks.timers, 0);
}

/* Every op of a small topology; what fails is skipped by what follows. */
static void topology(void)
{
	s64 blue = netns_add();
	u64 there = blue > 0 ? (u64)blue : 0;
	s64 veth = add_link(0, there, "veth", 0, 0);
	s64 br = add_link(0, 0, "bridge", 0, 0);
	s64 vlan = veth > 0 ? add_link(0, 0, "vlan", (u64)veth, 5) : -1;
	s64 dummy = add_link(0, 0, "dummy", 0, 0);

	if (veth > 0 && br > 0)
		(void)link_set(0, (u64)veth, LINK_PARAM_MASTER, (u64)br);
	if (veth > 0)
		(void)link_set(0, (u64)veth, LINK_PARAM_UP, 1);
	if (vlan > 0)
		(void)link_set(0, (u64)vlan, LINK_PARAM_UP, 1);
	if (br > 0)
		(void)link_set(0, (u64)br, LINK_PARAM_UP, 1);
	if (dummy > 0 && there)
		(void)link_set(0, (u64)dummy, LINK_PARAM_NETNS, there);
	world_check(w, 1);
}

static void any_allocation_may_fail(void **state)
{
	(void)state;
	for (u32 nth = 0; nth < 120; nth++) {
		struct op op = { .kind = OP_FAULT };

		begin();
		op.u.fault.point = FAULT_ALLOC;
		op.u.fault.skip = nth;
		op.u.fault.count = 1;
		assert_int_equal(world_apply(w, &op), 0);
		topology();
		end();
	}
}

/* A device that there is no memory for in the other namespace is in its own again, under its
 * number, though that was another's there. */
static void refused_moves_change_nothing(void **state)
{
	u32 refused = 0;
	s64 ifindex, other;
	u64 blue;

	(void)state;
	begin();
	blue = (u64)netns_add();
	ifindex = add_link(0, 0, "dummy", 0, 0);
	do
		other = add_link(blue, 0, "bridge", 0, 0);
	while (other > 0 && other < ifindex);
	for (u32 nth = 0; nth < 40; nth++) {
		struct op op = { .kind = OP_FAULT };
		s64 err;

		op.u.fault.point = FAULT_ALLOC;
		op.u.fault.skip = nth;
		op.u.fault.count = 1;
		assert_int_equal(world_apply(w, &op), 0);
		err = link_set(0, (u64)ifindex, LINK_PARAM_NETNS, blue);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		refused++;
		assert_int_equal(link_set(0, (u64)ifindex, LINK_PARAM_MTU, 1400), 0);
		world_check(w, 1);
	}
	assert_true(refused > 0);
	end();
}

static void namespaces_are_named_by_number(void **state)
{
	struct op del = { .kind = OP_NETNS_DEL };
	s64 first, second;

	(void)state;
	begin();
	first = netns_add();
	second = netns_add();
	assert_int_equal(first, 1 << 16);
	assert_int_equal(second, 2 << 16);
	del.u.netns_del.host = (u64)first;
	assert_int_equal(world_apply(w, &del), 0);
	assert_int_equal(world_apply(w, &del), -ENODEV);
	assert_int_equal(add_link((u64)first, 0, "dummy", 0, 0), -ENODEV);
	assert_int_equal(netns_add(), 3 << 16);
	del.u.netns_del.host = 0;
	assert_int_equal(world_apply(w, &del), -EINVAL);
	assert_int_equal(add_link((u64)second, 0, "token", 0, 0), -EOPNOTSUPP);
	end();
}

static s64 named_dummy(const char *name)
{
	struct op op = { .kind = OP_LINK_ADD };

	op.u.link_add.kind = text("dummy");
	op.u.link_add.name = text(name);
	return world_apply(w, &op);
}

static s64 del_link(s64 ifindex)
{
	struct op op = { .kind = OP_LINK_DEL };

	op.u.link_del.ifindex = (u64)ifindex;
	return world_apply(w, &op);
}

/* Names that only look like the pattern's are none; what was deleted or renamed is free again. */
static void first_free_number_names_a_device(void **state)
{
	static const char *const others[] = { "dummy", "dummy01", "dummy1x", "dumm0",
					      "dummy4294967296" };
	s64 dev[4];

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(named_dummy(others[i]) > 0);
	assert_true(named_dummy("dummy2") > 0);
	for (size_t i = 0; i < 4; i++) /* 0, 1, 3, 4 */
		dev[i] = named_dummy("dummy%d");
	assert_int_equal(named_dummy("dummy4"), -EEXIST);
	assert_int_equal(del_link(dev[1]), 0);
	assert_int_equal(del_link(dev[2]), 0);
	assert_true(named_dummy("dummy%d") > 0);
	assert_int_equal(named_dummy("dummy1"), -EEXIST);
	assert_true(named_dummy("dummy%d") > 0);
	assert_int_equal(named_dummy("dummy3"), -EEXIST);
	assert_true(named_dummy("dummy%d") > 0);
	assert_int_equal(named_dummy("dummy5"), -EEXIST);
	assert_int_equal(named_dummy("fifteen-letters"), dev[3] + 4);
	assert_int_equal(named_dummy("fifteen-lette%d"), dev[3] + 5);
	assert_int_equal(named_dummy("fifteen-lette0x"), dev[3] + 6);
	assert_int_equal(named_dummy("fifteen-letter%d"), -EINVAL);
	end();
}

/* One "%d" and no other '%' makes a pattern, wherever it stands. Of 32768 numbers none is left, or
 * the next one makes the name too long. */
static void patterns_have_their_limits(void **state)
{
	static const char *const bad[] = { "a%", "a%s", "a%d%d", "a%%d", "%05d" };
	struct netns_devs *devs;
	char name[16];

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(named_dummy(bad[i]), -EINVAL);
	assert_true(named_dummy("a%dx") > 0);
	assert_int_equal(named_dummy("a0x"), -EEXIST);
	assert_true(named_dummy("a%dx") > 0);
	assert_int_equal(named_dummy("a1x"), -EEXIST);
	for (u32 i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "thirteen-lett%u", i);
		assert_true(named_dummy(name) > 0);
	}
	assert_int_equal(named_dummy("thirteen-lett%d"), -EEXIST);
	assert_true(named_dummy("dummy%d") > 0);
	devs = &w->hosts[0]->init_net->devs;
	for (size_t i = 0; i < sizeof(devs->numbered) / sizeof(devs->numbered[0]); i++)
		devs->numbered[i].first = 32767;
	assert_true(named_dummy("dummy%d") > 0);
	assert_int_equal(named_dummy("dummy32767"), -EEXIST);
	assert_int_equal(named_dummy("dummy%d"), -ENFILE);
	end();
}

/* Each device is named by two looks at most, and found by a look at a chain of a few, however many
 * there are. */
static void naming_does_not_grow_dear(void **state)
{
	const u32 many = 1500;
	char name[16];
	struct net *net;

	(void)state;
	begin();
	net = w->hosts[0]->init_net;
	for (u32 i = 0; i < many; i++) {
		s64 ifindex = named_dummy("dummy%d");
		struct net_device *dev = dev_get_by_index(net, (u32)ifindex);

		snprintf(name, sizeof(name), "dummy%u", i);
		assert_non_null(dev);
		assert_ptr_equal(dev_get_by_name(net, name), dev);
	}
	assert_true(net->devs.numbers_tried <= 2 * many);
	assert_true(net->devs.count <= 2 * net->devs.size);
	for (u32 i = 0; i < net->devs.size; i++) {
		u32 length = 0;

		hlist_for_each(n, &net->devs.by_name[i]) length++;
		assert_true(length < 12);
	}
	end();
}

static int setup(void **state)
{
	(void)state;
	arena = aligned_alloc(64, ARENA);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(refused_moves_change_nothing),
		cmocka_unit_test(namespaces_are_named_by_number),
		cmocka_unit_test(first_free_number_names_a_device),
		cmocka_unit_test(patterns_have_their_limits),
		cmocka_unit_test(naming_does_not_grow_dear),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
