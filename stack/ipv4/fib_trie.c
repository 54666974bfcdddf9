/* SPDX-License-Identifier: MIT */
/*
 * Routes by longest prefix: a path-compressed binary trie (Morrison 1968, PATRICIA; the kernel's
 * fib_trie.c is its level-compressed sister). A lookup looks at 33 nodes at most, whatever the size
 * of the table. In a large table each of them is a cache miss; there the nodes with routes are
 * found by a hash of their prefix instead, one probe for each prefix length in use, longest first:
 * the same nodes in the same order.
 *
 * Invariants: a node's prefix extends its parent's; a node without routes has two children; the
 * aliases of a prefix are ordered by TOS descending, then priority ascending, then age; with a hash
 * every node with routes is in it once; plens says which prefix lengths have any.
 */
#include "ipv4/fib.h"

#include "kernel/trace.h"
#include "lib/hash.h"
#include "stack/assert.h"

/* From so many prefixes on there is a hash; how many slots it may have. */
#ifdef TAPLINE_HOSTILE
#define HASH_FROM 2u
#define HASH_MAX  1u
#else
#define HASH_FROM 64u
#define HASH_MAX  (1u << 24)
#endif

struct fib_node {
	u32 key; /* host order, bits behind plen are 0 */
	u8 plen;
	struct fib_node *hash_next;
	struct fib_node *parent, *child[2];
	struct fib_alias *aliases;
};

static u32 plen_mask(u32 plen)
{
	return plen ? ~0u << (32 - plen) : 0;
}

/* The bit that chooses a child below a prefix of plen < 32. */
static u32 key_bit(u32 key, u32 plen)
{
	return key >> (31 - plen) & 1;
}

/* Leading bits that a and b share, at most max. */
static u32 common_bits(u32 a, u32 b, u32 max)
{
	u32 x = a ^ b, n = 0;

	while (n < max && !(x & 0x80000000u)) {
		x <<= 1;
		n++;
	}
	return n;
}

struct fib_table *fib_trie_table(struct net *net, u32 id)
{
	struct fib_table *tb = mem_zalloc(net_world(net), MEM_FIB_TABLE, sizeof(*tb));

	if (tb) {
		tb->id = id;
		tb->net = net;
	}
	return tb;
}

static struct fib_node *node_alloc(struct fib_table *tb, u32 key, u32 plen)
{
	struct fib_node *n = mem_zalloc(net_world(tb->net), MEM_FIB_NODE, sizeof(*n));

	if (n) {
		n->key = key & plen_mask(plen);
		n->plen = (u8)plen;
		tb->nodes++;
	}
	return n;
}

static void node_free(struct fib_table *tb, struct fib_node *n)
{
	tb->nodes--;
	mem_free(net_world(tb->net), MEM_FIB_NODE, n, sizeof(*n));
}

/* The node that follows in order of prefix, shorter ones first. */
static struct fib_node *node_next(struct fib_node *n)
{
	if (n->child[0])
		return n->child[0];
	if (n->child[1])
		return n->child[1];
	while (n->parent) {
		if (n->parent->child[0] == n && n->parent->child[1])
			return n->parent->child[1];
		n = n->parent;
	}
	return NULL;
}

/* ---- the hash of prefixes ---- */

static struct fib_node **hash_slot(const struct fib_table *tb, u32 key, u32 plen)
{
	return &tb->hash[mix64((u64)plen << 32 | key) & tb->hash_mask];
}

static void hash_add(struct fib_table *tb, struct fib_node *n)
{
	struct fib_node **slot = hash_slot(tb, n->key, n->plen);

	n->hash_next = *slot;
	*slot = n;
}

/* All nodes with routes below n into the hash. */
static void hash_fill(struct fib_table *tb)
{
	for (struct fib_node *n = tb->root; n; n = node_next(n))
		if (n->aliases)
			hash_add(tb, n);
}

static void hash_free(struct fib_table *tb)
{
	if (tb->hash)
		mem_free_n(net_world(tb->net), MEM_HASH_TABLE, tb->hash, tb->hash_mask + 1,
			   sizeof(*tb->hash));
	tb->hash = NULL;
}

/* A hash of about as many slots as there are prefixes, when it is time for one. Without memory it
 * stays as it is: the old one, or the trie. */
static void hash_resize(struct fib_table *tb)
{
	u32 size = tb->hash ? tb->hash_mask + 1 : 0;
	struct fib_node **hash;

	if (tb->prefixes < HASH_FROM || tb->prefixes <= size || size >= HASH_MAX)
		return;
	size = size ? size * 2 : min_u32(HASH_FROM * 2, HASH_MAX);
	hash = mem_alloc_n(net_world(tb->net), MEM_HASH_TABLE, size, sizeof(*hash));
	if (!hash)
		return;
	memset(hash, 0, size * sizeof(*hash));
	hash_free(tb);
	tb->hash = hash;
	tb->hash_mask = size - 1;
	hash_fill(tb);
}

/* A node got its first route. */
static void prefix_added(struct fib_table *tb, struct fib_node *n)
{
	tb->prefixes++;
	if (!tb->plen_count[n->plen]++)
		tb->plens |= 1ull << n->plen;
	if (tb->hash)
		hash_add(tb, n);
	hash_resize(tb);
}

/* It lost its last one. */
static void prefix_removed(struct fib_table *tb, struct fib_node *n)
{
	tb->prefixes--;
	if (!--tb->plen_count[n->plen])
		tb->plens &= ~(1ull << n->plen);
	if (!tb->hash)
		return;
	for (struct fib_node **p = hash_slot(tb, n->key, n->plen);; p = &(*p)->hash_next) {
		ASSERT(*p);
		if (*p == n) {
			*p = n->hash_next;
			break;
		}
	}
	if (!tb->prefixes)
		hash_free(tb);
}

static const struct fib_node *hash_find(const struct fib_table *tb, u32 key, u32 plen)
{
	const struct fib_node *n = *hash_slot(tb, key, plen);

	while (n && (n->key != key || n->plen != plen))
		n = n->hash_next;
	return n;
}

/* ---- the trie ---- */

static struct fib_node **node_slot(struct fib_table *tb, const struct fib_node *n)
{
	return n->parent ? &n->parent->child[n->parent->child[1] == n] : &tb->root;
}

static struct fib_node *node_find(const struct fib_table *tb, u32 key, u32 plen)
{
	struct fib_node *n = tb->root;

	while (n && n->plen < plen && ((key ^ n->key) & plen_mask(n->plen)) == 0)
		n = n->child[key_bit(key, n->plen)];
	return n && n->plen == plen && n->key == key ? n : NULL;
}

/* The node of a prefix, made when it is not there. NULL: no memory, nothing changed. */
static struct fib_node *node_get(struct fib_table *tb, u32 key, u32 plen)
{
	struct fib_node **slot = &tb->root, *parent = NULL, *n, *new, *branch;
	u32 common = 0;

	while ((n = *slot) != NULL) {
		common = common_bits(key, n->key, n->plen < plen ? n->plen : plen);
		if (common < n->plen)
			break;
		if (n->plen == plen)
			return n;
		parent = n;
		slot = &n->child[key_bit(key, n->plen)];
	}
	new = node_alloc(tb, key, plen);
	if (!new)
		return NULL;
	new->parent = parent;
	if (n && common < plen) { /* they part below both: a node without routes between */
		branch = node_alloc(tb, key, common);
		if (!branch) {
			node_free(tb, new);
			return NULL;
		}
		branch->parent = parent;
		branch->child[key_bit(key, common)] = new;
		branch->child[key_bit(n->key, common)] = n;
		new->parent = n->parent = branch;
		*slot = branch;
		return new;
	}
	if (n) {
		new->child[key_bit(n->key, plen)] = n;
		n->parent = new;
	}
	*slot = new;
	return new;
}

/* Takes a node out that has neither routes nor two children, and its parent when that follows. */
static void node_prune(struct fib_table *tb, struct fib_node *n)
{
	while (n && !n->aliases && !(n->child[0] && n->child[1])) {
		struct fib_node *parent = n->parent;
		struct fib_node *child = n->child[0] ? n->child[0] : n->child[1];

		*node_slot(tb, n) = child;
		if (child)
			child->parent = parent;
		node_free(tb, n);
		n = parent;
	}
}

static void alias_free(struct fib_table *tb, struct fib_node *n, struct fib_alias **slot)
{
	struct fib_alias *fa = *slot;

	*slot = fa->next;
	if (!n->aliases)
		prefix_removed(tb, n);
	fib_release_info(fa->fi);
	mem_free(net_world(tb->net), MEM_FIB_ALIAS, fa, sizeof(*fa));
	tb->routes--;
	if (!n->plen)
		tb->num_default--;
}

/* Where a route of this TOS and priority goes; *found: one with the same both is there. */
static struct fib_alias **alias_place(struct fib_node *n, u8 tos, u32 priority, bool *found)
{
	struct fib_alias **p = &n->aliases;

	*found = false;
	while (*p && ((*p)->tos > tos || ((*p)->tos == tos && (*p)->fi->priority <= priority))) {
		if ((*p)->tos == tos && (*p)->fi->priority == priority)
			*found = true;
		p = &(*p)->next;
	}
	return p;
}

static struct fib_alias **first_alias(struct fib_node *n, u8 tos, u32 priority)
{
	struct fib_alias **p = &n->aliases;

	while ((*p)->tos != tos || (*p)->fi->priority != priority)
		p = &(*p)->next;
	return p;
}

/* The first of this TOS and metric says something else from now on. Takes fi. */
static int replace_alias(struct fib_table *tb, struct fib_node *n, const struct fib_config *cfg,
			 struct fib_info *fi)
{
	struct fib_alias *fa = *first_alias(n, cfg->tos, fi->priority);

	for (const struct fib_alias *other = n->aliases; other; other = other->next) {
		if (other->tos != cfg->tos || other->type != cfg->type || other->fi != fi)
			continue;
		/* It says so already; another one does: that would make two of it. */
		fib_release_info(fi);
		return other == fa ? 0 : -EEXIST;
	}
	fib_release_info(fa->fi);
	fa->fi = fi;
	fa->type = cfg->type;
	fa->deflt = -1;
	rt_cache_flush(tb->net);
	return 0;
}

int fib_table_insert(struct fib_table *tb, const struct fib_config *cfg)
{
	struct fib_alias *fa, **p;
	struct fib_info *fi;
	struct fib_node *n;
	bool found;
	int err = 0;

	if (cfg->dst_len > 32 || cfg->dst & ~plen_mask(cfg->dst_len))
		return -EINVAL;
	fi = fib_create_info(tb->net, cfg, &err);
	if (!fi)
		return err;
	n = node_get(tb, cfg->dst, cfg->dst_len);
	if (!n) {
		fib_release_info(fi);
		return -ENOBUFS;
	}
	p = alias_place(n, cfg->tos, fi->priority, &found);
	if (found && (cfg->mode == ROUTE_REPLACE || cfg->mode == ROUTE_CHANGE))
		return replace_alias(tb, n, cfg, fi);
	if (cfg->mode == ROUTE_CHANGE) {
		fib_release_info(fi);
		node_prune(tb, n);
		return -ENOENT;
	}
	if (found && cfg->mode == ROUTE_PREPEND)
		p = first_alias(n, cfg->tos, fi->priority);
	if (found && !cfg->append && cfg->mode != ROUTE_APPEND && cfg->mode != ROUTE_PREPEND)
		err = -EEXIST;
	for (fa = n->aliases; fa && !err; fa = fa->next)
		if (fa->tos == cfg->tos && fa->type == cfg->type && fa->fi == fi)
			err = -EEXIST;
	fa = err ? NULL : mem_alloc(net_world(tb->net), MEM_FIB_ALIAS, sizeof(*fa));
	if (!fa) {
		fib_release_info(fi);
		node_prune(tb, n);
		return err ? err : -ENOBUFS;
	}
	fa->fi = fi;
	fa->tos = cfg->tos;
	fa->type = cfg->type;
	fa->deflt = -1;
	fa->next = *p;
	*p = fa;
	tb->routes++;
	if (!cfg->dst_len)
		tb->num_default++;
	if (n->aliases == fa && !fa->next)
		prefix_added(tb, n);
	rt_cache_flush(tb->net);
	return 0;
}

static bool alias_matches(const struct fib_alias *fa, const struct fib_config *cfg)
{
	const struct fib_info *fi = fa->fi;

	return fa->tos == cfg->tos && (!cfg->type || fa->type == cfg->type) &&
	       (cfg->scope == RT_SCOPE_NOWHERE || fi->scope == cfg->scope) &&
	       (!cfg->priority || fi->priority == cfg->priority) &&
	       (!cfg->prefsrc || fi->prefsrc == cfg->prefsrc) && fib_nh_match(cfg, fi);
}

int fib_table_delete(struct fib_table *tb, const struct fib_config *cfg)
{
	struct fib_node *n;

	if (cfg->dst_len > 32 || cfg->dst & ~plen_mask(cfg->dst_len))
		return -EINVAL;
	n = node_find(tb, cfg->dst, cfg->dst_len);
	for (struct fib_alias **p = n ? &n->aliases : NULL; p && *p; p = &(*p)->next) {
		if (!alias_matches(*p, cfg))
			continue;
		alias_free(tb, n, p);
		node_prune(tb, n);
		rt_cache_flush(tb->net);
		return 0;
	}
	return -ESRCH;
}

/* fib_lookup_good_nhc() */
static bool good_nh(const struct fib_nh *nh, const struct flowi4 *flp)
{
	return !(nh->flags & RTNH_F_DEAD) && (!flp->oif || flp->oif == nh->oif) &&
	       (!(nh->flags & RTNH_F_LINKDOWN) || flp->flags & FLOWI_FLAG_IGNORE_LINKSTATE ||
		!ip_ignore_linkdown(nh->dev));
}

/* The next hop that the flow may use, the first of several; NULL: none. */
static struct fib_nh *alias_nh(const struct fib_info *fi, const struct flowi4 *flp)
{
	for (u32 i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(fi, i);

		if (good_nh(nh, flp))
			return nh;
	}
	return NULL;
}

/* One route against the flow: 1 it is the answer (*nh), 0 go on, < 0 its error. */
static int alias_check(const struct fib_alias *fa, const struct flowi4 *flp, struct fib_nh **nh)
{
	struct fib_info *fi = fa->fi;

	if ((fa->tos && fa->tos != flp->tos) || fi->dead || fi->scope < flp->scope)
		return 0;
	*nh = &fi->nh;
	if (fib_type_error[fa->type])
		return fib_type_error[fa->type];
	*nh = alias_nh(fi, flp);
	return *nh != NULL;
}

static int node_check(struct fib_table *tb, const struct fib_node *n, const struct flowi4 *flp,
		      struct fib_result *res)
{
	for (const struct fib_alias *fa = n->aliases; fa; fa = fa->next) {
		struct fib_nh *nh;
		int r = alias_check(fa, flp, &nh);

		if (!r)
			continue;
		res->prefix = n->key;
		res->prefixlen = n->plen;
		res->type = fa->type;
		res->tos = fa->tos;
		res->scope = fa->fi->scope;
		res->table = tb->id;
		res->fi = fa->fi;
		res->nh = nh;
		res->tb = tb;
		res->aliases = n->aliases;
		return r;
	}
	return 0;
}

static int hash_lookup(struct fib_table *tb, const struct flowi4 *flp, struct fib_result *res)
{
	u32 key = ntohl(flp->daddr);

	for (u64 plens = tb->plens; plens;) {
		u32 plen = 63 - (u32)__builtin_clzll(plens);
		const struct fib_node *n = hash_find(tb, key & plen_mask(plen), plen);
		int r = n ? node_check(tb, n, flp, res) : 0;

		if (r)
			return r > 0 ? 0 : r;
		plens &= ~(1ull << plen);
	}
	return -EAGAIN;
}

int fib_table_lookup(struct fib_table *tb, const struct flowi4 *flp, struct fib_result *res)
{
	const struct fib_node *n = tb->root, *last = NULL;
	u32 key = ntohl(flp->daddr);

	if (tb->hash)
		return hash_lookup(tb, flp, res);
	while (n && ((key ^ n->key) & plen_mask(n->plen)) == 0) {
		last = n;
		if (n->plen == 32)
			break;
		n = n->child[key_bit(key, n->plen)];
	}
	for (; last; last = last->parent) {
		int r = last->aliases ? node_check(tb, last, flp, res) : 0;

		if (r)
			return r > 0 ? 0 : r;
	}
	return -EAGAIN;
}

/* Removes the routes that `all` or death asks for, then the nodes that are not needed. */
static u32 table_purge(struct fib_table *tb, bool all)
{
	struct fib_node *n = tb->root;
	u32 gone = 0;

	while (n) {
		struct fib_node *next = node_next(n);
		struct fib_alias **p = &n->aliases;
		bool had = n->aliases != NULL;

		while (*p) {
			if (all || (*p)->fi->dead) {
				alias_free(tb, n, p);
				gone++;
			} else {
				p = &(*p)->next;
			}
		}
		/* Pruning may take ancestors, which lie behind in this order, never `next`, unless
		 * next is a child whose place it gives: that one stays valid too. */
		if (had)
			node_prune(tb, n);
		n = next;
	}
	if (gone)
		rt_cache_flush(tb->net);
	return gone;
}

u32 fib_table_flush(struct fib_table *tb)
{
	return table_purge(tb, false);
}

void fib_free_table(struct fib_table *tb)
{
	if (!tb)
		return;
	table_purge(tb, true);
	ASSERT(!tb->root && !tb->routes && !tb->nodes && !tb->hash && !tb->plens);
	mem_free(net_world(tb->net), MEM_FIB_TABLE, tb, sizeof(*tb));
}

void fib_table_walk(const struct fib_table *tb,
		    void (*fn)(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa),
		    void *ctx)
{
	for (struct fib_node *n = tb->root; n; n = node_next(n))
		for (const struct fib_alias *fa = n->aliases; fa; fa = fa->next)
			fn(ctx, n->key, n->plen, fa);
}

void fib_table_check(const struct fib_table *tb)
{
	u32 nodes = 0, routes = 0, prefixes = 0;

	for (struct fib_node *n = tb->root; n; n = node_next(n)) {
		nodes++;
		ASSERT((n->key & ~plen_mask(n->plen)) == 0);
		ASSERT(n->aliases || (n->child[0] && n->child[1]));
		if (n->aliases) {
			prefixes++;
			ASSERT(tb->plens >> n->plen & 1);
			ASSERT(!tb->hash || hash_find(tb, n->key, n->plen) == n);
		}
		if (n->parent) {
			ASSERT(n->parent->plen < n->plen);
			ASSERT(((n->key ^ n->parent->key) & plen_mask(n->parent->plen)) == 0);
			ASSERT(n->parent->child[key_bit(n->key, n->parent->plen)] == n);
		}
		for (const struct fib_alias *fa = n->aliases; fa; fa = fa->next)
			routes++;
	}
	ASSERT(nodes == tb->nodes && routes == tb->routes && prefixes == tb->prefixes);
}
