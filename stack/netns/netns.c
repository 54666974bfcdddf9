/* SPDX-License-Identifier: MIT */
/* Names, defaults and limits of what a namespace holds as data (net.h), out of the .def lists. */
#include "lib/str.h"
#include "netns/net.h"

static const char *const mib_names[] = {
#define MIB(name) #name,
#include "netns/mib.def"
#undef MIB
};

struct sysctl_entry {
	const char *name;
	size_t offset;
	s32 value, value_rfc, min, max;
};

static const struct sysctl_entry entries[] = {
#define SYSCTL(field, name, dflt, rfc, min, max) \
	{ name, offsetof(struct netns_sysctl, field), dflt, rfc, min, max },
#include "netns/sysctl.def"
#undef SYSCTL
};

const char *mib_name(u32 mib)
{
	return mib < MIB_COUNT ? mib_names[mib] : NULL;
}

static s32 *field_of(struct net *net, const struct sysctl_entry *e)
{
	return (s32 *)(void *)((u8 *)&net->sysctl + e->offset);
}

void netns_init(struct net *net, struct host *h)
{
	net->host = h;
	net->id = h->nets_made++;
	net->ifindex_next = 1;
	list_init(&net->dev_base);
	net->devs.by_name = net->devs.few;
	net->devs.by_index = net->devs.few + DEV_TABLE_MIN;
	net->devs.size = DEV_TABLE_MIN;
	list_init(&net->ipv4_devconf);
	list_init(&net->ptype_all);
	list_init(&net->ptype_specific);
	list_init(&net->packet_sklist);
	list_init(&net->packet_fanouts);
	list_add_tail(&net->list, &h->nets);
	netns_sysctl_defaults(net);
}

struct net *net_by_ref(const struct world *w, u64 ref)
{
	u64 host = ref & ((1u << NET_REF_SHIFT) - 1), id = ref >> NET_REF_SHIFT;
	const struct host *h = host < w->hosts_count ? w->hosts[host] : NULL;

	if (!h || !id)
		return h ? h->init_net : NULL;
	list_for_each(pos, &h->nets) {
		struct net *net = list_entry(pos, struct net, list);

		if (net->id == id)
			return net;
	}
	return NULL;
}

void netns_sysctl_defaults(struct net *net)
{
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		*field_of(net, &entries[i]) =
			net->host->world->profile_rfc ? entries[i].value_rfc : entries[i].value;
}

const char *netns_sysctl_name(u32 index)
{
	return index < ARRAY_SIZE(entries) ? entries[index].name : NULL;
}

s32 *netns_sysctl_find(struct net *net, const char *name, s32 *min, s32 *max)
{
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		if (!str_eq(entries[i].name, name))
			continue;
		if (min)
			*min = entries[i].min;
		if (max)
			*max = entries[i].max;
		return field_of(net, &entries[i]);
	}
	return NULL;
}

void inet_reserved_ports_free(struct net *net)
{
	if (net->reserved_ports)
		mem_free_n(net_world(net), MEM_MISC, net->reserved_ports, RESERVED_PORTS_WORDS,
			   sizeof(*net->reserved_ports));
	net->reserved_ports = NULL;
}
