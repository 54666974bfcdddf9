/* SPDX-License-Identifier: MIT */
/*
 * Options of packet sockets (net/packet/af_packet.c): memberships that make a device hear more,
 * statistics, auxiliary data; and what becomes of a socket when its device goes down or away.
 *
 * Invariant: what a membership asked of a device is taken back once, with the membership, the
 * socket, or the device.
 */
#include "core/filter.h"
#include "socket/af_packet.h"

/* ---- memberships ---- */

static bool same_mclist(const struct packet_mclist *a, const struct packet_mclist *b)
{
	return a->ifindex == b->ifindex && a->type == b->type && a->alen == b->alen &&
	       memcmp(a->addr, b->addr, a->alen) == 0;
}

static int packet_dev_mc(struct net_device *dev, const struct packet_mclist *ml, s32 what)
{
	switch (ml->type) {
	case PACKET_MR_MULTICAST:
		if (ml->alen != dev->addr_len)
			return -EINVAL;
		return what > 0 ? dev_mc_add(dev, ml->addr) : dev_mc_del(dev, ml->addr);
	case PACKET_MR_ALLMULTI:
		dev_set_allmulti(dev, what);
		return 0;
	case PACKET_MR_UNICAST:
		if (ml->alen != dev->addr_len)
			return -EINVAL;
		/* One more address of its own: no filter of ours has room for it. */
		dev_set_promiscuity(dev, what);
		return 0;
	default:
		dev_set_promiscuity(dev, what);
		return 0;
	}
}

static int packet_mc_add(struct packet_sock *po, const struct packet_mclist *want)
{
	struct net_device *dev = dev_get_by_index(po->sk.net, want->ifindex);
	struct packet_mclist *ml;
	int err;

	if (!dev)
		return -ENODEV;
	if (want->type > PACKET_MR_UNICAST || want->alen > dev->addr_len)
		return -EINVAL;
	for (ml = po->mclist; ml; ml = ml->next)
		if (same_mclist(ml, want)) {
			ml->count++;
			return 0;
		}
	ml = mem_alloc(net_world(po->sk.net), MEM_MISC, sizeof(*ml));
	if (!ml)
		return -ENOBUFS;
	*ml = *want;
	ml->count = 1;
	err = packet_dev_mc(dev, ml, 1);
	if (err) {
		mem_free(net_world(po->sk.net), MEM_MISC, ml, sizeof(*ml));
		return err;
	}
	ml->next = po->mclist;
	po->mclist = ml;
	return 0;
}

static void packet_mc_free(struct packet_sock *po, struct packet_mclist **p)
{
	struct packet_mclist *ml = *p;
	struct net_device *dev = dev_get_by_index(po->sk.net, ml->ifindex);

	*p = ml->next;
	if (dev)
		(void)packet_dev_mc(dev, ml, -1);
	mem_free(net_world(po->sk.net), MEM_MISC, ml, sizeof(*ml));
}

static int packet_mc_drop(struct packet_sock *po, const struct packet_mclist *want)
{
	for (struct packet_mclist **p = &po->mclist; *p; p = &(*p)->next) {
		if (!same_mclist(*p, want))
			continue;
		if (--(*p)->count == 0)
			packet_mc_free(po, p);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void packet_flush_mclist(struct packet_sock *po)
{
	while (po->mclist)
		packet_mc_free(po, &po->mclist);
}

/* struct packet_mreq: ifindex, type, length, eight bytes of address. */
static int packet_membership(struct packet_sock *po, u32 name, const u8 *val, u32 len)
{
	struct packet_mclist ml = { 0 };

	if (len < 16)
		return -EINVAL;
	ml.ifindex = get_le32(val);
	ml.type = get_le16(val + 4);
	ml.alen = get_le16(val + 6);
	if (ml.alen > sizeof(ml.addr))
		return -EINVAL;
	memcpy(ml.addr, val + 8, ml.alen);
	return name == PACKET_ADD_MEMBERSHIP ? packet_mc_add(po, &ml) : packet_mc_drop(po, &ml);
}

/* ---- options ---- */

/* An int, or struct fanout_args: id, type and flags, how many at most. */
static int packet_fanout_opt(struct packet_sock *po, const u8 *val, u32 len)
{
	if (len != 4 && len != 8)
		return -EINVAL;
	return packet_fanout_add(po, get_le16(val), get_le16(val + 2),
				 len == 8 ? get_le32(val + 4) : 0);
}

int packet_setsockopt(struct socket *sock, u32 level, u32 name, const u8 *val, u32 len)
{
	struct packet_sock *po = pkt_sk(sock->sk);
	s32 v;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sock->sk, name, val, len);
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (name == PACKET_ADD_MEMBERSHIP || name == PACKET_DROP_MEMBERSHIP)
		return packet_membership(po, name, val, len);
	if (name == PACKET_FANOUT)
		return packet_fanout_opt(po, val, len);
	if (name != PACKET_AUXDATA && name != PACKET_ORIGDEV && name != PACKET_IGNORE_OUTGOING)
		return -ENOPROTOOPT;
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	if (name == PACKET_IGNORE_OUTGOING && (v < 0 || v > 1))
		return -EINVAL;
	if (name == PACKET_AUXDATA)
		po->auxdata = v != 0;
	else if (name == PACKET_ORIGDEV)
		po->origdev = v != 0;
	else
		po->prot_hook.ignore_outgoing = v != 0;
	return 0;
}

/* struct tpacket_stats: read and cleared. tp_packets counts those that were dropped, too. */
static int put_statistics(struct packet_sock *po, u8 *val, u32 len)
{
	u32 n = min_u32(len, 8);
	u8 b[8];

	put_le32(b, po->tp_packets + po->tp_drops);
	put_le32(b + 4, po->tp_drops);
	po->tp_packets = 0;
	po->tp_drops = 0;
	memcpy(val, b, n);
	return (int)n;
}

/* struct tpacket_rollover_stats */
static int put_rollover_stats(const struct packet_sock *po, u8 *val, u32 len)
{
	u32 n = min_u32(len, 24);
	u64 stats[3];
	u8 b[24];

	if (!packet_rollover_stats(po, stats))
		return -EINVAL;
	for (u32 i = 0; i < 3; i++)
		put_le64(b + 8 * i, stats[i]);
	memcpy(val, b, n);
	return (int)n;
}

int packet_getsockopt(struct socket *sock, u32 level, u32 name, u8 *val, u32 len)
{
	struct packet_sock *po = pkt_sk(sock->sk);

	if (level == SOL_SOCKET)
		return sock_getsockopt(sock->sk, name, val, len);
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_STATISTICS:
		return put_statistics(po, val, len);
	case PACKET_FANOUT:
		return sock_put_int(val, len, (s32)packet_fanout_get(po));
	case PACKET_ROLLOVER_STATS:
		return put_rollover_stats(po, val, len);
	case PACKET_AUXDATA:
		return sock_put_int(val, len, po->auxdata);
	case PACKET_ORIGDEV:
		return sock_put_int(val, len, po->origdev);
	case PACKET_IGNORE_OUTGOING:
		return sock_put_int(val, len, po->prot_hook.ignore_outgoing);
	default:
		return -ENOPROTOOPT;
	}
}

/* ---- devices ---- */

static void packet_dev_down(struct packet_sock *po, bool gone)
{
	unregister_prot_hook(po);
	po->sk.sk_err = ENETDOWN;
	sk_error_report(&po->sk);
	if (!gone)
		return;
	po->info.ifindex = -1;
	po->prot_hook.dev = NULL;
	packet_fanout_moved(po);
}

static void packet_dev_gone(struct packet_sock *po, const struct net_device *dev)
{
	for (struct packet_mclist **p = &po->mclist; *p;) {
		if ((*p)->ifindex == dev->ifindex)
			packet_mc_free(po, p);
		else
			p = &(*p)->next;
	}
}

static int packet_notifier(struct net_device *dev, enum netdev_event event)
{
	list_for_each(pos, &dev->net->packet_sklist) {
		struct packet_sock *po = list_entry(pos, struct packet_sock, info.list);
		bool mine = po->info.ifindex == (s32)dev->ifindex;

		if (event == NETDEV_UNREGISTER)
			packet_dev_gone(po, dev);
		if (mine && (event == NETDEV_UNREGISTER || event == NETDEV_DOWN))
			packet_dev_down(po, event == NETDEV_UNREGISTER);
		if (mine && event == NETDEV_UP)
			register_prot_hook(po);
	}
	return 0;
}
int packet_init(struct host *h)
{
	return register_netdevice_notifier(h, packet_notifier);
}
