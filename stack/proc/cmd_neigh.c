/* SPDX-License-Identifier: MIT */
/*
 * What `ip neigh`, `bridge fdb` and `bridge link` print: the link addresses that a namespace knows.
 * (ip/ipneigh.c, bridge/fdb.c, bridge/link.c of iproute2)
 */
#include "bridge/br.h"
#include "core/neighbour.h"
#include "proc/seq_file.h"

/* ---- ip neigh ---- */

static const struct {
	u8 state;
	const char *name;
} nud_names[] = {
	{ NUD_INCOMPLETE, "INCOMPLETE" }, { NUD_REACHABLE, "REACHABLE" }, { NUD_STALE, "STALE" },
	{ NUD_DELAY, "DELAY" },		  { NUD_PROBE, "PROBE" },	  { NUD_FAILED, "FAILED" },
	{ NUD_NOARP, "NOARP" },		  { NUD_PERMANENT, "PERMANENT" },
};

/* print_cacheinfo(): seconds since it was used, confirmed, updated. A running timer has a reference
 * of its own in Linux. */
static void put_cacheinfo(struct seq_file *m, const struct neighbour *n)
{
	u64 now = jiffies(n->tbl->host);
	u32 refs = n->refcnt - 1 + timer_pending(&n->timer);

	if (refs) {
		seq_puts(m, " ref ");
		seq_u64(m, refs, 0);
	}
	seq_puts(m, " used ");
	seq_u64(m, (now - n->used) / HZ, 0);
	seq_putc(m, '/');
	seq_u64(m, (now - n->confirmed) / HZ, 0);
	seq_putc(m, '/');
	seq_u64(m, (now - n->updated) / HZ, 0);
	seq_puts(m, "probes ");
	seq_u64(m, n->probes, 0);
	seq_putc(m, ' ');
}

static const char *nud_name(u8 state)
{
	for (u32 i = 0; i < ARRAY_SIZE(nud_names); i++)
		if (state == nud_names[i].state)
			return nud_names[i].name;
	return "NONE";
}

static void put_neigh(struct seq_file *m, const struct neighbour *n, bool stats)
{
	be32 addr;

	memcpy(&addr, n->primary_key, sizeof(addr));
	seq_ip4(m, addr);
	seq_puts(m, " dev ");
	seq_puts(m, n->dev->name);
	seq_putc(m, ' ');
	if (n->nud_state & NUD_VALID) {
		seq_puts(m, "lladdr ");
		seq_mac(m, n->ha);
		seq_putc(m, ' ');
	}
	if (stats)
		put_cacheinfo(m, n);
	seq_puts(m, nud_name(n->nud_state));
	seq_putc(m, ' ');
	seq_line(m);
}

/* Unless asked for all states `ip neigh` shows neither what was never used nor what needs no
 * neighbour. */
static void put_neighs(struct seq_file *m, const struct net *net, bool stats, bool all)
{
	const struct neigh_table *tbl = net->host->arp_tbl;

	if (!tbl)
		return;
	list_for_each(pos, &tbl->all) {
		const struct neighbour *n = list_entry(pos, struct neighbour, all);

		if (dev_net(n->dev) != net)
			continue;
		if (all || (n->nud_state != NUD_NONE && n->nud_state != NUD_NOARP))
			put_neigh(m, n, stats);
	}
}

void cmd_ip_neigh(struct seq_file *m, const struct net *net)
{
	put_neighs(m, net, false, false);
}

void cmd_ip_s_neigh(struct seq_file *m, const struct net *net)
{
	put_neighs(m, net, true, false);
}

void cmd_ip_neigh_all(struct seq_file *m, const struct net *net)
{
	put_neighs(m, net, false, true);
}

void cmd_ip_s_neigh_all(struct seq_file *m, const struct net *net)
{
	put_neighs(m, net, true, true);
}

void cmd_ip_neigh_proxy(struct seq_file *m, const struct net *net)
{
	const struct neigh_table *tbl = net->host->arp_tbl;

	if (!tbl)
		return;
	list_for_each(pos, &tbl->proxies) {
		const struct pneigh_entry *p = list_entry(pos, struct pneigh_entry, list);
		be32 addr;

		if (dev_net(p->dev) != net)
			continue;
		memcpy(&addr, p->key, sizeof(addr));
		seq_ip4(m, addr);
		seq_puts(m, " dev ");
		seq_puts(m, p->dev->name);
		seq_puts(m, " proxy ");
		seq_line(m);
	}
}

/* ---- bridge ---- */

struct fdb_ctx {
	struct seq_file *m;
	const struct net_device *bridge;
	bool stats;
};

static void put_fdb(void *ctx, const struct br_fdb_record *rec)
{
	const struct fdb_ctx *c = ctx;

	seq_mac(c->m, rec->addr);
	seq_puts(c->m, " dev ");
	seq_puts(c->m, rec->dev->name);
	if (c->stats) {
		seq_puts(c->m, " used ");
		seq_u64(c->m, rec->used_ms / 1000, 0);
		seq_putc(c->m, '/');
		seq_u64(c->m, rec->updated_ms / 1000, 0);
	}
	if (rec->sticky)
		seq_puts(c->m, " sticky");
	seq_puts(c->m, " master ");
	seq_puts(c->m, c->bridge->name);
	if (rec->local)
		seq_puts(c->m, " permanent");
	else if (rec->is_static)
		seq_puts(c->m, " static");
	else
		seq_putc(c->m, ' ');
	seq_line(c->m);
}

static void put_fdbs(struct seq_file *m, const struct net *net, bool stats)
{
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);
		struct fdb_ctx c = { m, dev, stats };

		if (netif_is_bridge(dev))
			br_fdb_walk(dev, put_fdb, &c);
	}
}

void cmd_bridge_fdb(struct seq_file *m, const struct net *net)
{
	put_fdbs(m, net, false);
}

void cmd_bridge_s_fdb(struct seq_file *m, const struct net *net)
{
	put_fdbs(m, net, true);
}

void cmd_bridge_link(struct seq_file *m, const struct net *net)
{
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);

		if (!dev->master)
			continue;
		put_link_head(m, dev);
		seq_puts(m, " mtu ");
		seq_u64(m, dev->mtu, 0);
		seq_puts(m, " master ");
		seq_puts(m, dev->master->name);
		seq_puts(m, " state ");
		seq_puts(m, br_port_state_name(dev));
		seq_puts(m, " priority 32 cost 2 ");
		seq_line(m);
	}
}
