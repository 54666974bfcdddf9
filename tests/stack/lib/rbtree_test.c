/* SPDX-License-Identifier: MIT */
/* Red-black trees against a sorted array: random inserts and erases, both ends, both neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rbtree.h"

#define N 300u

struct item {
	struct rb_node node;
	u32 key;
	bool in;
};

static struct item items[N];

static struct item *of(struct rb_node *n)
{
	return n ? container_of(n, struct item, node) : NULL;
}

static u32 next_random(u32 *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void insert(struct rb_root *root, struct item *it)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = it->key < of(parent)->key ? &parent->left : &parent->right;
	}
	rb_link_node(&it->node, parent, link);
	rb_insert_color(&it->node, root);
	it->in = true;
}

/* The tree holds exactly what is marked, in order both ways, and is balanced. */
static void verify(const struct rb_root *root)
{
	struct rb_node *n = rb_first(root), *back = rb_last(root);
	u32 height = rb_black_height(root), count = 0;

	for (u32 i = 0; i < N; i++) {
		if (!items[i].in)
			continue;
		assert_ptr_equal(of(n), &items[i]);
		n = rb_next(n);
		count++;
	}
	assert_null(n);
	for (u32 i = N; i-- > 0;) {
		if (!items[i].in)
			continue;
		assert_ptr_equal(of(back), &items[i]);
		back = rb_prev(back);
	}
	assert_null(back);
	assert_true(count == 0 ? height == 0 : height > 0 && height <= 10);
}

static void random_walk(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 20; seed++) {
		struct rb_root root = { NULL };
		u32 rnd = seed;

		for (u32 i = 0; i < N; i++)
			items[i] = (struct item){ .key = i };
		for (u32 step = 0; step < 1500; step++) {
			struct item *it = &items[next_random(&rnd) % N];

			if (it->in) {
				rb_erase(&it->node, &root);
				it->in = false;
			} else {
				insert(&root, it);
			}
			verify(&root);
		}
	}
}

/* As TCP fills it: always behind the last, always from the front. */
static void queue_like(void **state)
{
	struct rb_root root = { NULL };

	(void)state;
	for (u32 i = 0; i < N; i++) {
		items[i] = (struct item){ .key = i };
		insert(&root, &items[i]);
	}
	verify(&root);
	for (u32 i = 0; i < N; i++) {
		rb_erase(rb_first(&root), &root);
		items[i].in = false;
		verify(&root);
	}
	assert_null(root.node);
}

/* The checker sees a wrong colour. */
static void broken(void **state)
{
	struct rb_root root = { NULL };

	(void)state;
	for (u32 i = 0; i < 7; i++) {
		items[i] = (struct item){ .key = i };
		insert(&root, &items[i]);
	}
	assert_int_not_equal(rb_black_height(&root), 0);
	root.node->left->parent_color ^= 1;
	assert_int_equal(rb_black_height(&root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walk),
		cmocka_unit_test(queue_like),
		cmocka_unit_test(broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
