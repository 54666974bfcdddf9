/* SPDX-License-Identifier: MIT */
/*
 * The devices of a namespace by name and by ifindex, and the names that patterns as "eth%d" become
 * (net/core/dev.c: list_netdevice, __dev_get_by_name, __dev_get_by_index, __dev_alloc_name).
 *
 * Neither finding a device nor naming one grows dear with their number: both tables grow, and the
 * first free number of a pattern is looked for from where the last one was found.
 *
 * Invariants: a device on net->dev_base (in the order of ifindex) is in both tables, no other is;
 * every number below a pattern's `first` has a device.
 */
#include "core/dev_core.h"
#include "lib/hash.h"
#include "lib/str.h"

static u32 name_hash(const char *name)
{
	u64 hash = 0;

	for (; *name; name++)
		hash = hash * 31 + (u8)*name;
	return (u32)mix64(hash);
}

static struct hlist_head *name_chain(const struct netns_devs *d, const char *name)
{
	return &d->by_name[name_hash(name) & (d->size - 1)];
}

static struct hlist_head *index_chain(const struct netns_devs *d, u32 ifindex)
{
	return &d->by_index[ifindex & (d->size - 1)];
}

struct net_device *dev_get_by_index(const struct net *net, u32 ifindex)
{
	hlist_for_each(n, index_chain(&net->devs, ifindex))
	{
		struct net_device *dev = list_entry(n, struct net_device, index_node);

		if (dev->ifindex == ifindex)
			return dev;
	}
	return NULL;
}

struct net_device *dev_get_by_name(const struct net *net, const char *name)
{
	hlist_for_each(n, name_chain(&net->devs, name))
	{
		struct net_device *dev = list_entry(n, struct net_device, name_node);

		if (str_eq(dev->name, name))
			return dev;
	}
	return NULL;
}

/* ---- both tables ---- */

static void hash_netdevice(struct netns_devs *d, struct net_device *dev)
{
	hlist_add_head(&dev->name_node, name_chain(d, dev->name));
	hlist_add_head(&dev->index_node, index_chain(d, dev->ifindex));
}

static void unhash_netdevice(struct net_device *dev)
{
	hlist_del_init(&dev->name_node);
	hlist_del_init(&dev->index_node);
}

static void use_tables(struct netns_devs *d, struct hlist_head *tables, u32 size)
{
	d->by_name = tables;
	d->by_index = tables + size;
	d->size = size;
}

static void free_tables(struct net *net)
{
	struct netns_devs *d = &net->devs;

	if (d->by_name != d->few)
		mem_free_n(net_world(net), MEM_HASH_TABLE, d->by_name, 2 * (size_t)d->size,
			   sizeof(*d->by_name));
	use_tables(d, d->few, DEV_TABLE_MIN);
}

/* Without memory the chains grow longer instead. */
static void grow_tables(struct net *net)
{
	u32 size = 4 * net->devs.size;
	struct hlist_head *tables;

	tables = mem_alloc_n(net_world(net), MEM_HASH_TABLE, 2 * (size_t)size, sizeof(*tables));
	if (!tables)
		return;
	for (u32 i = 0; i < 2 * size; i++)
		tables[i].first = NULL;
	list_for_each(pos, &net->dev_base)
		unhash_netdevice(list_entry(pos, struct net_device, dev_list));
	free_tables(net);
	use_tables(&net->devs, tables, size);
	list_for_each(pos, &net->dev_base)
		hash_netdevice(&net->devs, list_entry(pos, struct net_device, dev_list));
}

void list_netdevice(struct net_device *dev)
{
	struct net *net = dev_net(dev);
	struct list_head *before = net->dev_base.prev;

	while (before != &net->dev_base &&
	       list_entry(before, struct net_device, dev_list)->ifindex > dev->ifindex)
		before = before->prev;
	list_add(&dev->dev_list, before);
	hash_netdevice(&net->devs, dev);
	if (++net->devs.count > 2 * net->devs.size)
		grow_tables(net);
}

/* ---- numbered names ---- */

#define MAX_NETDEVICES 32768u /* numbers that a pattern has: 8 * PAGE_SIZE */

/* The number that number_name() makes `name` of; -1: it is none of the prefix's names. */
static s64 number_of_name(const char *name, const char *prefix)
{
	const char *digit = str_after(name, prefix);
	s64 number = 0;

	if (!digit || !*digit || (digit[0] == '0' && digit[1]))
		return -1;
	for (; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return -1;
		number = number * 10 + (*digit - '0');
	}
	return number;
}

/* Writes `prefix`, the number in decimal and `suffix`; false when that does not fit. */
static bool number_name(char *to, const char *prefix, u32 number, const char *suffix)
{
	size_t prefix_len = str_len(prefix), suffix_len = str_len(suffix);
	char digits[10];
	u32 n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	if (prefix_len + n + suffix_len >= IFNAME_LEN)
		return false;
	memcpy(to, prefix, prefix_len);
	for (u32 i = 0; i < n; i++)
		to[prefix_len + i] = digits[n - 1 - i];
	memcpy(to + prefix_len + n, suffix, suffix_len + 1);
	return true;
}

/* The number is free again. */
static void name_given_back(struct netns_devs *d, const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(d->numbered); i++) {
		s64 number = number_of_name(name, d->numbered[i].prefix);

		if (number >= 0 && number < d->numbered[i].first)
			d->numbered[i].first = (u32)number;
	}
}

/* What is known of a prefix; the place may have been another's. */
static struct numbered_names *numbered_by(struct netns_devs *d, const char *prefix)
{
	struct numbered_names *known = &d->numbered[name_hash(prefix) % ARRAY_SIZE(d->numbered)];

	if (!str_eq(known->prefix, prefix)) {
		str_copy(known->prefix, prefix, sizeof(known->prefix));
		known->first = 0;
	}
	return known;
}

/* The first '%' of a name; NULL: it has none. */
static const char *pattern_at(const char *name)
{
	for (; *name; name++)
		if (*name == '%')
			return name;
	return NULL;
}

/* `name` has a '%'. If it is the only one, and of "%d", it becomes the first name that is free. */
static int dev_alloc_name(struct net *net, char *name)
{
	const char *at = pattern_at(name);
	char prefix[IFNAME_LEN], suffix[IFNAME_LEN];
	u32 none = 0, *number = &none;

	if (at[1] != 'd' || pattern_at(at + 2))
		return -EINVAL;
	str_copy_n(prefix, sizeof(prefix), name, (size_t)(at - name));
	str_copy(suffix, at + 2, sizeof(suffix));
	if (!suffix[0])
		number = &numbered_by(&net->devs, prefix)->first;
	for (; *number < MAX_NETDEVICES; ++*number) {
		/* Linux cuts what is too long, and finds it taken. */
		if (!number_name(name, prefix, *number, suffix))
			return -EEXIST;
		net->devs.numbers_tried++;
		if (!dev_get_by_name(net, name))
			return 0;
	}
	return -ENFILE;
}

/* dev_valid_name(): what may stand in a path of /proc. */
static bool dev_valid_name(const char *name)
{
	size_t len = str_len(name);

	if (len == 0 || len >= IFNAME_LEN || str_eq(name, ".") || str_eq(name, ".."))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == ':' || (u8)name[i] <= ' ' || (u8)name[i] == 0x7f)
			return false;
	return true;
}

int dev_prep_valid_name(struct net *net, const struct net_device *dev, const char *want, char *name)
{
	const struct net_device *other;

	if (!dev_valid_name(want))
		return -EINVAL;
	str_copy(name, want, IFNAME_LEN);
	if (pattern_at(name))
		return dev_alloc_name(net, name);
	other = dev_get_by_name(net, name);
	return other && other != dev ? -EEXIST : 0;
}

void dev_rename(struct net_device *dev, const char *name)
{
	struct netns_devs *d = &dev_net(dev)->devs;

	hlist_del_init(&dev->name_node);
	name_given_back(d, dev->name);
	str_copy(dev->name, name, sizeof(dev->name));
	hlist_add_head(&dev->name_node, name_chain(d, dev->name));
}

void unlist_netdevice(struct net_device *dev)
{
	struct net *net = dev_net(dev);

	list_del_init(&dev->dev_list);
	unhash_netdevice(dev);
	name_given_back(&net->devs, dev->name);
	if (--net->devs.count == 0)
		free_tables(net);
}
