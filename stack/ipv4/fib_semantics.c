/* SPDX-License-Identifier: MIT */
/*
 * What routes say (net/ipv4/fib_semantics.c): next hops checked as the kernel checks them, routes
 * of equal shape sharing one fib_info, death when a device or address goes.
 *
 * Invariant: a fib_info lives while routes (treeref) or rtables (refcnt) use it; it is dead once no
 * route does or its next hop is gone.
 */
#include "ipv4/fib.h"

#include "ipv4/netns_ipv4.h"

/* fib_props: the error of a route type, and the narrowest scope that such a route may have. */
const s32 fib_type_error[RTN_THROW + 1] = {
	[RTN_BLACKHOLE] = -EINVAL,
	[RTN_UNREACHABLE] = -EHOSTUNREACH,
	[RTN_PROHIBIT] = -EACCES,
	[RTN_THROW] = -EAGAIN,
};

static const u8 fib_type_scope[RTN_THROW + 1] = {
	[RTN_UNSPEC] = RT_SCOPE_NOWHERE,     [RTN_UNICAST] = RT_SCOPE_UNIVERSE,
	[RTN_LOCAL] = RT_SCOPE_HOST,	     [RTN_BROADCAST] = RT_SCOPE_LINK,
	[RTN_ANYCAST] = RT_SCOPE_LINK,	     [RTN_MULTICAST] = RT_SCOPE_UNIVERSE,
	[RTN_BLACKHOLE] = RT_SCOPE_UNIVERSE, [RTN_UNREACHABLE] = RT_SCOPE_UNIVERSE,
	[RTN_PROHIBIT] = RT_SCOPE_UNIVERSE,  [RTN_THROW] = RT_SCOPE_UNIVERSE,
};

/* ---- fib_info ---- */

static u32 fib_info_bucket(const struct netns_ipv4 *v4, const struct fib_info *fi)
{
	u64 h = mix64((u64)fi->nh.oif << 32 | ntohl(fi->nh.gw));

	h = mix64(h ^ ntohl(fi->prefsrc) ^ (u64)fi->priority << 32 ^ (u64)fi->scope << 24 ^
		  (u64)fi->type << 16);
	return (u32)h & ((1u << v4->fib_info_bits) - 1);
}

static bool nhs_same(const struct fib_info *a, const struct fib_info *b)
{
	if (a->nhs != b->nhs)
		return false;
	for (u32 i = 0; i < a->nhs; i++) {
		const struct fib_nh *x = fib_info_nh(a, i), *y = fib_info_nh(b, i);

		if (x->oif != y->oif || x->gw != y->gw || x->scope != y->scope ||
		    x->weight != y->weight || (x->flags ^ y->flags) & RTNH_F_ONLINK)
			return false;
	}
	return true;
}

static bool fib_info_same(const struct fib_info *a, const struct fib_info *b)
{
	return !a->dead && a->scope == b->scope && a->type == b->type && a->table == b->table &&
	       a->prefsrc == b->prefsrc && a->kernel == b->kernel && a->priority == b->priority &&
	       nhs_same(a, b) && a->has_metrics == b->has_metrics &&
	       memcmp(a->metrics, b->metrics, sizeof(a->metrics)) == 0;
}

static struct fib_info **fib_info_table(struct net *net, u32 bits)
{
	size_t n = 1u << bits;
	struct fib_info **t = mem_alloc_n(net_world(net), MEM_HASH_TABLE, n, sizeof(*t));

	for (size_t i = 0; t && i < n; i++)
		t[i] = NULL;
	return t;
}

static void fib_info_hash_grow(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);
	struct fib_info **old = v4->fib_info_hash, **t;
	u32 old_n = v4->fib_info_hash ? 1u << v4->fib_info_bits : 0;

	t = fib_info_table(net, old_n ? v4->fib_info_bits + 1 : 3);
	if (!t)
		return;
	v4->fib_info_bits = old_n ? v4->fib_info_bits + 1 : 3;
	v4->fib_info_hash = t;
	for (u32 i = 0; i < old_n; i++) {
		while (old[i]) {
			struct fib_info *fi = old[i];
			u32 b = fib_info_bucket(v4, fi);

			old[i] = fi->hash_next;
			fi->hash_next = t[b];
			t[b] = fi;
		}
	}
	if (old)
		mem_free_n(net_world(net), MEM_HASH_TABLE, old, old_n, sizeof(struct fib_info *));
}

static void fib_info_unhash(struct fib_info *fi)
{
	struct netns_ipv4 *v4 = net_ipv4(fi->net);
	struct fib_info **p = &v4->fib_info_hash[fib_info_bucket(v4, fi)];

	while (*p != fi)
		p = &(*p)->hash_next;
	*p = fi->hash_next;
	if (--v4->fib_info_count == 0) {
		mem_free_n(net_world(fi->net), MEM_HASH_TABLE, v4->fib_info_hash,
			   1u << v4->fib_info_bits, sizeof(struct fib_info *));
		v4->fib_info_hash = NULL;
		v4->fib_info_bits = 0;
	}
}

static void info_free(struct fib_info *fi)
{
	struct world *w = net_world(fi->net);

	if (fi->more)
		mem_free_n(w, MEM_MISC, fi->more, (fi->nhs - 1) * sizeof(*fi->more), 1);
	mem_free(w, MEM_FIB_INFO, fi, sizeof(*fi));
}

void fib_info_put(struct fib_info *fi)
{
	if (!fi)
		return;
	ASSERT(fi->refcnt > 0);
	if (--fi->refcnt == 0)
		info_free(fi);
}

static void fib_nhs_release(struct fib_info *fi)
{
	for (u32 i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(fi, i);

		fib_nh_release_routes(nh);
		if (nh->dev)
			dev_put(nh->dev);
		nh->dev = NULL;
	}
}

void fib_release_info(struct fib_info *fi)
{
	ASSERT(fi->treeref > 0);
	if (--fi->treeref)
		return;
	fib_info_unhash(fi);
	fi->dead = true;
	fib_nhs_release(fi);
	fib_info_put(fi);
}

/* ---- checking a next hop ---- */

static int nh_check_gw_onlink(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	struct net_device *dev;

	if (cfg->scope >= RT_SCOPE_LINK || inet_addr_type(net, cfg->gw) != RTN_UNICAST)
		return -EINVAL;
	dev = dev_get_by_index(net, cfg->oif);
	if (!dev)
		return -ENODEV;
	if (!(dev->flags & IFF_UP))
		return -ENETDOWN;
	nh->dev = dev;
	nh->scope = RT_SCOPE_LINK;
	return 0;
}

/* fib_check_nh_v4_gw: the gateway must be reached by a route of a narrower scope. */
static int nh_check_gw(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	struct flowi4 fl4 = { .daddr = cfg->gw,
			      .oif = cfg->oif,
			      .flags = FLOWI_FLAG_IGNORE_LINKSTATE };
	struct fib_result res;
	int err;

	if (cfg->flags & RTNH_F_ONLINK)
		return nh_check_gw_onlink(net, cfg, nh);
	fl4.scope = (u8)max_u32(cfg->scope + 1u, RT_SCOPE_LINK);
	err = fib_lookup(net, &fl4, &res);
	if (err)
		return err;
	if (res.type != RTN_UNICAST && res.type != RTN_LOCAL)
		return -EINVAL;
	if (!res.nh->dev)
		return -EINVAL;
	nh->scope = res.scope;
	nh->oif = res.nh->oif;
	nh->dev = res.nh->dev;
	return nh->dev->flags & IFF_UP ? 0 : -ENETDOWN;
}

static int nh_check_nongw(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	struct net_device *dev = dev_get_by_index(net, cfg->oif);

	if (cfg->flags & RTNH_F_ONLINK)
		return -EINVAL;
	if (!dev || !dev->ip_ptr)
		return -ENODEV;
	if (!(dev->flags & IFF_UP))
		return -ENETDOWN;
	nh->dev = dev;
	nh->scope = RT_SCOPE_HOST;
	return 0;
}

static int fib_check_nh(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	int err;

	if (cfg->scope == RT_SCOPE_HOST) {
		if (cfg->gw)
			return -EINVAL;
		nh->scope = RT_SCOPE_NOWHERE;
		nh->dev = dev_get_by_index(net, cfg->oif);
		err = nh->dev ? 0 : -ENODEV;
	} else if (cfg->gw) {
		err = nh_check_gw(net, cfg, nh);
	} else {
		err = nh_check_nongw(net, cfg, nh);
	}
	if (err) {
		nh->dev = NULL;
		return err;
	}
	dev_hold(nh->dev);
	if (!nh->dev->carrier && !(nh->dev->flags & IFF_LOOPBACK))
		nh->flags |= RTNH_F_LINKDOWN;
	return 0;
}

static int fib_config_check(struct net *net, const struct fib_config *cfg)
{
	if (cfg->type == RTN_UNSPEC || cfg->type > RTN_THROW ||
	    fib_type_scope[cfg->type] > cfg->scope || cfg->flags & ~(u32)RTNH_F_ONLINK)
		return -EINVAL;
	if (fib_type_error[cfg->type])
		return cfg->gw || cfg->oif || cfg->nhs ? -EINVAL : 0;
	if (cfg->scope > RT_SCOPE_HOST || (cfg->nhs && cfg->scope == RT_SCOPE_HOST))
		return -EINVAL;
	if (cfg->prefsrc && (cfg->type != RTN_LOCAL || htonl(cfg->dst) != cfg->prefsrc) &&
	    inet_addr_type(net, cfg->prefsrc) != RTN_LOCAL)
		return -EINVAL;
	return 0;
}

/* The next hops as they are asked for, looked up and held. On error none is held. */
static int create_nhs(struct net *net, const struct fib_config *cfg, struct fib_info *fi)
{
	struct fib_config one = *cfg;

	if (fi->nhs > 1) {
		size_t size = (fi->nhs - 1) * sizeof(*fi->more);

		fi->more = mem_alloc_n(net_world(net), MEM_MISC, size, 1);
		if (!fi->more) {
			fi->nhs = 1;
			return -ENOBUFS;
		}
		memset(fi->more, 0, size);
	}
	for (u32 i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(fi, i);
		int err;

		if (cfg->nhs) {
			one.oif = cfg->nh[i].oif;
			one.gw = cfg->nh[i].gw;
			one.flags = cfg->nh[i].flags;
			nh->weight = cfg->nh[i].weight;
			if (one.flags & ~(u32)RTNH_F_ONLINK)
				return -EINVAL;
		}
		nh->parent = fi;
		nh->oif = one.oif;
		nh->gw = one.gw;
		nh->flags = one.flags;
		nh->weight = nh->weight ? nh->weight : 1;
		err = fib_type_error[cfg->type] ? 0 : fib_check_nh(net, &one, nh);
		if (err)
			return err;
	}
	return 0;
}

static void info_undo(struct fib_info *fi)
{
	fib_nhs_release(fi);
	info_free(fi);
}

/* One that is there already with all the same: the new one gives way to it. */
static struct fib_info *find_same(struct netns_ipv4 *v4, struct fib_info *fi)
{
	struct fib_info *same = v4->fib_info_hash[fib_info_bucket(v4, fi)];

	while (same && !fib_info_same(same, fi))
		same = same->hash_next;
	if (!same)
		return NULL;
	info_undo(fi);
	same->treeref++;
	return same;
}

static struct fib_info *info_alloc(struct net *net, const struct fib_config *cfg)
{
	struct fib_info *fi = mem_zalloc(net_world(net), MEM_FIB_INFO, sizeof(*fi));

	if (!fi)
		return NULL;
	fi->net = net;
	fi->scope = cfg->scope;
	fi->type = cfg->type;
	fi->table = cfg->table;
	fi->prefsrc = cfg->prefsrc;
	fi->kernel = cfg->append;
	fi->priority = cfg->priority;
	fi->nhs = cfg->nhs ? cfg->nhs : 1;
	if (cfg->metrics) {
		memcpy(fi->metrics, cfg->metrics, sizeof(fi->metrics));
		fi->has_metrics = true;
	}
	return fi;
}

struct fib_info *fib_create_info(struct net *net, const struct fib_config *cfg, int *err)
{
	struct netns_ipv4 *v4 = net_ipv4(net);
	struct fib_info *fi, *same;

	*err = fib_config_check(net, cfg);
	if (*err)
		return NULL;
	fi = info_alloc(net, cfg);
	if (!fi || (!v4->fib_info_hash && (fib_info_hash_grow(net), !v4->fib_info_hash))) {
		if (fi)
			info_free(fi);
		*err = -ENOBUFS;
		return NULL;
	}
	*err = create_nhs(net, cfg, fi);
	if (*err) {
		info_undo(fi);
		return NULL;
	}
	same = find_same(v4, fi);
	if (same)
		return same;
	if (v4->fib_info_count >= 2u << v4->fib_info_bits)
		fib_info_hash_grow(net);
	fi->hash_next = v4->fib_info_hash[fib_info_bucket(v4, fi)];
	v4->fib_info_hash[fib_info_bucket(v4, fi)] = fi;
	v4->fib_info_count++;
	fi->treeref = 1;
	fi->refcnt = 1;
	fib_rebalance(fi);
	return fi;
}

static bool nh_matches(u32 oif, be32 gw, const struct fib_nh *nh)
{
	return (!oif || oif == nh->oif) && (!gw || gw == nh->gw);
}

bool fib_nh_match(const struct fib_config *cfg, const struct fib_info *fi)
{
	if (!cfg->nhs)
		return nh_matches(cfg->oif, cfg->gw, &fi->nh);
	if (cfg->nhs != fi->nhs)
		return false;
	for (u32 i = 0; i < cfg->nhs; i++)
		if (!nh_matches(cfg->nh[i].oif, cfg->nh[i].gw, fib_info_nh(fi, i)))
			return false;
	return true;
}

/* ---- death ---- */

/* The route dies with its last next hop. */
static void nh_kill(struct fib_info *fi, struct fib_nh *nh)
{
	bool alive = false;

	nh->flags |= RTNH_F_DEAD | RTNH_F_LINKDOWN;
	for (u32 i = 0; i < fi->nhs; i++)
		alive |= !(fib_info_nh(fi, i)->flags & RTNH_F_DEAD);
	fi->dead = !alive;
	fib_rebalance(fi);
}

/* Calls fn for every next hop of the namespace; sums up what it returns. */
static u32 for_each_nh(struct net *net,
		       u32 (*fn)(struct fib_info *fi, struct fib_nh *nh, void *ctx), void *ctx)
{
	struct netns_ipv4 *v4 = net_ipv4(net);
	u32 sum = 0;

	for (u32 i = 0; v4->fib_info_hash && i < 1u << v4->fib_info_bits; i++)
		for (struct fib_info *fi = v4->fib_info_hash[i]; fi; fi = fi->hash_next)
			for (u32 k = 0; k < fi->nhs; k++)
				sum += fn(fi, fib_info_nh(fi, k), ctx);
	return sum;
}

struct down {
	const struct net_device *dev;
	enum netdev_event event;
	bool force;
};

static u32 nh_down(struct fib_info *fi, struct fib_nh *nh, void *ctx)
{
	const struct down *d = ctx;

	/* Local routes (next hop scope NOWHERE) outlive a plain down. */
	if (nh->dev != d->dev || fi->dead || (nh->flags & RTNH_F_DEAD && !d->force) ||
	    (!d->force && nh->scope == RT_SCOPE_NOWHERE))
		return 0;
	nh_kill(fi, nh);
	/* A device that goes for good takes the routes of several next hops with it. */
	fi->dead |= d->event == NETDEV_UNREGISTER;
	return 1;
}

u32 fib_sync_down_dev(struct net_device *dev, enum netdev_event event, bool force)
{
	struct down d = { .dev = dev, .event = event, .force = force };

	return for_each_nh(dev_net(dev), nh_down, &d);
}

static u32 nh_down_addr(struct fib_info *fi, struct fib_nh *nh, void *ctx)
{
	const be32 *local = ctx;

	if (fi->prefsrc != *local || nh->flags & RTNH_F_DEAD)
		return 0;
	nh_kill(fi, nh);
	return 1;
}

u32 fib_sync_down_addr(struct net *net, be32 local)
{
	return local ? for_each_nh(net, nh_down_addr, &local) : 0;
}

/* Up again: next hops of several that died with the device live again. */
static u32 nh_up(struct fib_info *fi, struct fib_nh *nh, void *ctx)
{
	if (nh->dev != ctx || !(nh->flags & RTNH_F_DEAD) || fi->dead)
		return 0;
	nh->flags &= ~RTNH_F_DEAD;
	if (nh->dev->carrier)
		nh->flags &= ~RTNH_F_LINKDOWN;
	fib_rebalance(fi);
	return 1;
}

void fib_sync_up(struct net_device *dev)
{
	if (!(dev->flags & IFF_UP))
		return;
	for_each_nh(dev_net(dev), nh_up, dev);
}

static u32 nh_carrier(struct fib_info *fi, struct fib_nh *nh, void *ctx)
{
	const struct net_device *dev = ctx;

	if (nh->dev != dev)
		return 0;
	if (dev->carrier)
		nh->flags &= ~(u32)RTNH_F_LINKDOWN;
	else
		nh->flags |= RTNH_F_LINKDOWN;
	fib_rebalance(fi);
	return 1;
}

void fib_sync_carrier(struct net_device *dev)
{
	for_each_nh(dev_net(dev), nh_carrier, dev);
}

bool fib_info_nh_uses_dev(const struct fib_info *fi, const struct net_device *dev)
{
	for (u32 i = 0; i < fi->nhs; i++)
		if (fib_info_nh(fi, i)->dev == dev)
			return true;
	return false;
}

be32 fib_nh_saddr(const struct fib_nh *nh)
{
	return nh->dev ? inet_select_addr(nh->dev, nh->gw, nh->parent->scope) : 0;
}

be32 fib_result_prefsrc(const struct fib_result *res)
{
	return res->fi->prefsrc ? res->fi->prefsrc : fib_nh_saddr(res->nh);
}
