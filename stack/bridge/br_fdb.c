/* SPDX-License-Identifier: MIT */
/*
 * The forwarding database (net/bridge/br_fdb.c): which address was last seen behind which port.
 * Learned entries go when nothing was heard for the ageing time (IEEE 802.1D-2004 7.9.2); entries
 * of the host's own addresses and those that a user made stay.
 */
#include "bridge/br.h"
#include "bridge/br_private.h"

#include "lib/hash.h"

static u64 br_jiffies(const struct net_bridge *br)
{
	return jiffies(dev_host(br->dev));
}

static u32 fdb_bucket(const u8 *addr)
{
	u64 key = (u64)get_be16(addr) << 32 | get_be32(addr + 2);

	return (u32)mix64(key) & ((1u << BR_FDB_HASH_BITS) - 1);
}

struct net_bridge_fdb_entry *br_fdb_find(const struct net_bridge *br, const u8 *addr)
{
	hlist_for_each(pos, &br->fdb_hash[fdb_bucket(addr)])
	{
		struct net_bridge_fdb_entry *f =
			container_of(pos, struct net_bridge_fdb_entry, hash);

		if (memcmp(f->addr, addr, ETH_ALEN) == 0)
			return f;
	}
	return NULL;
}

/* ---- ageing ---- */

static bool fdb_ages(const struct net_bridge_fdb_entry *f)
{
	return !(f->flags & (FDB_F_LOCAL | FDB_F_STATIC));
}

static void fdb_delete(struct net_bridge *br, struct net_bridge_fdb_entry *f)
{
	if (f->flags & FDB_DYNAMIC)
		br->fdb_n_learned--;
	hlist_del_init(&f->hash);
	list_del_init(&f->list);
	mem_free(br->dev->world, MEM_NETDEV_PRIV, f, sizeof(*f));
}

/* br_fdb_cleanup(): what is too old goes; again when the next one will be, 10 ms from now at the
 * earliest. */
static void br_fdb_cleanup(struct timer *t)
{
	struct net_bridge *br = container_of(t, struct net_bridge, gc_work);
	u64 now = br_jiffies(br), next = UINT64_MAX;

	list_for_each_safe(pos, tmp, &br->fdb_list) {
		struct net_bridge_fdb_entry *f = list_entry(pos, struct net_bridge_fdb_entry, list);

		if (!fdb_ages(f))
			continue;
		if (br_fdb_expires(br, f) <= now)
			fdb_delete(br, f);
		else
			next = min_u64(next, br_fdb_expires(br, f));
	}
	if (next != UINT64_MAX)
		mod_timer(t, next < now + 10 ? now + 10 : next);
}

static void fdb_watch(struct net_bridge *br, const struct net_bridge_fdb_entry *f)
{
	if (fdb_ages(f) && !timer_pending(&br->gc_work))
		mod_timer(&br->gc_work, br_fdb_expires(br, f));
}

void br_fdb_ageing_changed(struct net_bridge *br)
{
	if (timer_pending(&br->gc_work))
		mod_timer(&br->gc_work, br_jiffies(br));
}

void br_fdb_init(struct net_bridge *br)
{
	list_init(&br->fdb_list);
	timer_setup(&br->gc_work, host_cpu(br->dev->net->host, 0), br_fdb_cleanup);
}

/* ---- making ---- */

static struct net_bridge_fdb_entry *fdb_create(struct net_bridge *br, struct net_bridge_port *p,
					       const u8 *addr, u32 flags)
{
	struct net_bridge_fdb_entry *f;

	if (flags & FDB_DYNAMIC && br->fdb_max_learned && br->fdb_n_learned >= br->fdb_max_learned)
		return NULL;
	f = mem_zalloc(br->dev->world, MEM_NETDEV_PRIV, sizeof(*f));
	if (!f)
		return NULL;
	memcpy(f->addr, addr, ETH_ALEN);
	f->dst = p;
	f->flags = flags;
	f->updated = f->used = br_jiffies(br);
	if (flags & FDB_DYNAMIC)
		br->fdb_n_learned++;
	hlist_add_head(&f->hash, &br->fdb_hash[fdb_bucket(addr)]);
	list_add_tail(&f->list, &br->fdb_list);
	fdb_watch(br, f);
	return f;
}

void br_fdb_update(struct net_bridge *br, struct net_bridge_port *source, const u8 *addr)
{
	struct net_bridge_fdb_entry *f = br_fdb_find(br, addr);

	if (!br->ageing_time)
		return;
	if (!f) {
		(void)fdb_create(br, source, addr, FDB_DYNAMIC);
		return;
	}
	/* "received packet on eth0 with own address as source address" */
	if (f->flags & FDB_F_LOCAL)
		return;
	if (f->dst != source && !(f->flags & FDB_F_STICKY))
		f->dst = source;
	f->updated = br_jiffies(br);
}

int br_fdb_add_local(struct net_bridge *br, struct net_bridge_port *p, const u8 *addr)
{
	struct net_bridge_fdb_entry *f = br_fdb_find(br, addr);

	if (f && f->flags & FDB_F_LOCAL)
		return 0;
	if (f)
		fdb_delete(br, f);
	return fdb_create(br, p, addr, FDB_F_LOCAL | FDB_F_STATIC) ? 0 : -ENOMEM;
}

/* Does another port, or the bridge, have this address, too? */
static bool fdb_take_over(struct net_bridge *br, struct net_bridge_fdb_entry *f)
{
	list_for_each(pos, &br->port_list) {
		struct net_bridge_port *p = list_entry(pos, struct net_bridge_port, list);

		if (p != f->dst && memcmp(p->dev->dev_addr, f->addr, ETH_ALEN) == 0) {
			f->dst = p;
			return true;
		}
	}
	if (f->dst && memcmp(br->dev->dev_addr, f->addr, ETH_ALEN) == 0) {
		f->dst = NULL;
		return true;
	}
	return false;
}

void br_fdb_changeaddr(struct net_bridge *br, struct net_bridge_port *p, const u8 *addr)
{
	list_for_each_safe(pos, tmp, &br->fdb_list) {
		struct net_bridge_fdb_entry *f = list_entry(pos, struct net_bridge_fdb_entry, list);

		if (f->dst == p && f->flags & FDB_F_LOCAL && memcmp(f->addr, addr, ETH_ALEN) != 0 &&
		    !fdb_take_over(br, f))
			fdb_delete(br, f);
	}
	(void)br_fdb_add_local(br, p, addr);
}

void br_fdb_delete_by_port(struct net_bridge *br, const struct net_bridge_port *p, bool all)
{
	list_for_each_safe(pos, tmp, &br->fdb_list) {
		struct net_bridge_fdb_entry *f = list_entry(pos, struct net_bridge_fdb_entry, list);

		if ((p && f->dst != p) || (!all && !fdb_ages(f)))
			continue;
		if (p && f->flags & FDB_F_LOCAL && fdb_take_over(br, f))
			continue;
		fdb_delete(br, f);
	}
}

/* ---- `bridge fdb` ---- */

static int fdb_add_user(struct net_bridge *br, struct net_bridge_port *p,
			const struct op_fdb_set *op)
{
	u32 flags = (u32)op->flags & (FDB_F_LOCAL | FDB_F_STATIC | FDB_F_STICKY);
	struct net_bridge_fdb_entry *f = br_fdb_find(br, op->lladdr.p);

	if (flags & FDB_F_LOCAL)
		flags |= FDB_F_STATIC;
	if (f && op->action == FDB_ADD)
		return -EEXIST;
	if (f)
		fdb_delete(br, f);
	return fdb_create(br, p, op->lladdr.p, flags) ? 0 : -ENOMEM;
}

int br_fdb_set(struct net_device *dev, const struct op_fdb_set *op)
{
	struct net_bridge_port *p = br_port_get(dev);
	struct net_bridge *br = p ? p->br : netdev_br(dev);
	struct net_bridge_fdb_entry *f;

	if (op->action == FDB_FLUSH) {
		br_fdb_delete_by_port(br, NULL, false);
		return 0;
	}
	if (op->lladdr.len != ETH_ALEN || op->lladdr.p[0] & 1)
		return -EINVAL;
	if (op->action == FDB_ADD || op->action == FDB_REPLACE)
		return fdb_add_user(br, p, op);
	if (op->action != FDB_DEL)
		return -EINVAL;
	f = br_fdb_find(br, op->lladdr.p);
	if (!f || f->dst != p)
		return -ENOENT;
	fdb_delete(br, f);
	return 0;
}

void br_fdb_walk(const struct net_device *bridge,
		 void (*fn)(void *ctx, const struct br_fdb_record *rec), void *ctx)
{
	const struct net_bridge *br = netdev_br(bridge);
	u64 now = br_jiffies(br);

	list_for_each(pos, &br->fdb_list) {
		const struct net_bridge_fdb_entry *f =
			list_entry(pos, struct net_bridge_fdb_entry, list);
		const struct br_fdb_record rec = {
			.addr = f->addr,
			.dev = f->dst ? f->dst->dev : bridge,
			.local = (f->flags & FDB_F_LOCAL) != 0,
			.is_static = (f->flags & FDB_F_STATIC) != 0,
			.sticky = (f->flags & FDB_F_STICKY) != 0,
			.used_ms = now - f->used,
			.updated_ms = now - f->updated,
		};

		fn(ctx, &rec);
	}
}

void br_fdb_check(const struct net_bridge *br)
{
	u32 learned = 0;
	bool ages = false;

	list_for_each(pos, &br->fdb_list) {
		const struct net_bridge_fdb_entry *f =
			list_entry(pos, struct net_bridge_fdb_entry, list);

		ASSERT(br_fdb_find(br, f->addr) == f);
		ASSERT(!f->dst || f->dst->br == br);
		learned += (f->flags & FDB_DYNAMIC) != 0;
		ages |= fdb_ages(f);
	}
	ASSERT(learned == br->fdb_n_learned);
	ASSERT(!ages || timer_pending(&br->gc_work));
}
