/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees (Guibas, Sedgewick 1978) whose nodes are part of the objects: the owner searches
 * down from root->node, then links and lets the tree balance itself. O(log n), no allocation.
 *
 * Invariants: the root is black; a red node has black children; all paths down to a leaf pass the
 * same number of black nodes. The shape depends on the order of operations only.
 */
#ifndef TAPLINE_LIB_RBTREE_H
#define TAPLINE_LIB_RBTREE_H

#include "stack/types.h"

struct rb_node {
	uintptr_t parent_color; /* parent's address, lowest bit: black */
	struct rb_node *left, *right;
};

struct rb_root {
	struct rb_node *node;
};

static inline struct rb_node *rb_parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~(uintptr_t)1);
}

/* Hangs n below parent at *link (one of its children, or the root's pointer; parent NULL then). */
static inline void rb_link_node(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent_color = (uintptr_t)parent;
	n->left = NULL;
	n->right = NULL;
	*link = n;
}

/* Balances after rb_link_node(). */
void rb_insert_color(struct rb_node *n, struct rb_root *root);
void rb_erase(struct rb_node *n, struct rb_root *root);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

/* Height in black nodes; panics nowhere: 0 when an invariant is broken, or the tree is empty. */
u32 rb_black_height(const struct rb_root *root);

#endif
