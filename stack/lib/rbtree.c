/* SPDX-License-Identifier: MIT */
/* Red-black trees (rbtree.h). Rebalancing as in Cormen et al., Introduction to Algorithms, 13. */
#include "lib/rbtree.h"

static inline bool is_black(const struct rb_node *n)
{
	return !n || (n->parent_color & 1);
}

static inline bool is_red(const struct rb_node *n)
{
	return !is_black(n);
}

static inline void set_black(struct rb_node *n)
{
	n->parent_color |= 1;
}

static inline void set_red(struct rb_node *n)
{
	n->parent_color &= ~(uintptr_t)1;
}

static inline void set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_color = (uintptr_t)parent | (n->parent_color & 1);
}

/* `to` takes the place of `from` below its parent. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *from,
			  struct rb_node *to)
{
	if (!parent)
		root->node = to;
	else if (parent->left == from)
		parent->left = to;
	else
		parent->right = to;
}

static void rotate_left(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *up = n->right, *parent = rb_parent(n);

	n->right = up->left;
	if (up->left)
		set_parent(up->left, n);
	up->left = n;
	set_parent(up, parent);
	replace_child(root, parent, n, up);
	set_parent(n, up);
}

static void rotate_right(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *up = n->left, *parent = rb_parent(n);

	n->left = up->right;
	if (up->right)
		set_parent(up->right, n);
	up->right = n;
	set_parent(up, parent);
	replace_child(root, parent, n, up);
	set_parent(n, up);
}

void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *parent, *grand, *uncle;

	while ((parent = rb_parent(n)) != NULL && is_red(parent)) {
		bool left;

		grand = rb_parent(parent);
		left = parent == grand->left;
		uncle = left ? grand->right : grand->left;
		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			n = grand;
			continue;
		}
		if (left && n == parent->right) {
			rotate_left(root, parent);
			n = parent;
		} else if (!left && n == parent->left) {
			rotate_right(root, parent);
			n = parent;
		}
		parent = rb_parent(n);
		set_black(parent);
		set_red(grand);
		if (left)
			rotate_right(root, grand);
		else
			rotate_left(root, grand);
	}
	set_black(root->node);
}

/* n (may be NULL), below parent, is one black short. */
static void erase_color(struct rb_root *root, struct rb_node *n, struct rb_node *parent)
{
	while (n != root->node && is_black(n)) {
		bool left = n == parent->left;
		struct rb_node *sibling = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			if (left)
				rotate_left(root, parent);
			else
				rotate_right(root, parent);
			sibling = left ? parent->right : parent->left;
		}
		near = left ? sibling->left : sibling->right;
		far = left ? sibling->right : sibling->left;
		if (is_black(near) && is_black(far)) {
			set_red(sibling);
			n = parent;
			parent = rb_parent(n);
			continue;
		}
		if (is_black(far)) {
			set_black(near);
			set_red(sibling);
			if (left)
				rotate_right(root, sibling);
			else
				rotate_left(root, sibling);
			far = sibling;
			sibling = near;
		}
		sibling->parent_color =
			(sibling->parent_color & ~(uintptr_t)1) | (parent->parent_color & 1);
		set_black(parent);
		set_black(far);
		if (left)
			rotate_left(root, parent);
		else
			rotate_right(root, parent);
		break;
	}
	if (n)
		set_black(n);
	if (root->node)
		set_black(root->node);
}

void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *child, *parent = rb_parent(n);
	bool black;

	if (n->left && n->right) {
		struct rb_node *next = n->right;

		while (next->left)
			next = next->left;
		child = next->right;
		black = is_black(next);
		parent = rb_parent(next);
		if (parent == n) {
			parent = next;
		} else {
			parent->left = child;
			if (child)
				set_parent(child, parent);
			next->right = n->right;
			set_parent(n->right, next);
		}
		next->left = n->left;
		set_parent(n->left, next);
		next->parent_color = n->parent_color;
		replace_child(root, rb_parent(n), n, next);
	} else {
		child = n->left ? n->left : n->right;
		black = is_black(n);
		replace_child(root, parent, n, child);
		if (child)
			set_parent(child, parent);
	}
	if (black)
		erase_color(root, child, parent);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)(uintptr_t)n;
	}
	while ((parent = rb_parent(n)) != NULL && n == parent->right)
		n = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)(uintptr_t)n;
	}
	while ((parent = rb_parent(n)) != NULL && n == parent->left)
		n = parent;
	return parent;
}

/* Blacks on the way down the left; every node's two sides are compared on the way. */
u32 rb_black_height(const struct rb_root *root)
{
	u32 height = 0;

	for (const struct rb_node *n = root->node; n; n = n->left)
		height += is_black(n);
	for (const struct rb_node *n = rb_first(root); n; n = rb_next(n)) {
		u32 blacks = 0;

		if (is_red(n) && (is_red(n->left) || is_red(n->right)))
			return 0;
		if (n->left && n->right)
			continue;
		for (const struct rb_node *up = n; up; up = rb_parent(up))
			blacks += is_black(up);
		if (blacks != height)
			return 0;
	}
	return height;
}
