/* SPDX-License-Identifier: MIT */
/*
 * PACKET_FANOUT (net/packet/af_packet.c): packet sockets of one id share the packets: each goes to
 * one of them, by flow, in turn, by CPU, by chance, by queue, or to the first that has room. The
 * group has the tap; its members have none of their own.
 *
 * Invariants: a group has one or more sockets (refs); arr[] holds those of them that hear, without
 * gaps, and the tap is there exactly while it holds one.
 */
#include "socket/af_packet.h"

#include "kernel/random.h"

#define FANOUT_MAX    256u
#define ROLLOVER_HLEN 16u

enum room { ROOM_NONE, ROOM_LOW, ROOM_NORMAL };

struct packet_rollover {
	u32 sock; /* the one that had room last */
	u64 num, num_huge, num_failed;
	u32 history[ROLLOVER_HLEN]; /* hashes of packets that found little room */
};

struct packet_fanout {
	struct list_head list; /* net->packet_fanouts */
	struct net *net;
	struct packet_type prot_hook;
	u16 id;
	u8 type;
	u16 flags;
	u32 refs, max_members, num_members, rr_cur;
	struct packet_sock *arr[FANOUT_MAX];
};

/* ---- whose it is ---- */

/* packet_rcv_has_room(): a quarter of the buffer is left, or some of it. */
static enum room has_room(const struct packet_sock *po, const struct sk_buff *skb)
{
	s64 avail = (s64)po->sk.sk_rcvbuf - po->sk.sk_rmem_alloc - skb->truesize;

	if (avail > po->sk.sk_rcvbuf >> 2)
		return ROOM_NORMAL;
	return avail > 0 ? ROOM_LOW : ROOM_NONE;
}

/* Most of those that came when there was little room were of this flow. */
static bool flow_is_huge(struct packet_sock *po, struct sk_buff *skb)
{
	u32 hash = skb_get_hash(skb), count = 0;
	u32 victim = get_random_u32_below(skb->world, RANDOM_FANOUT, ROLLOVER_HLEN);

	for (u32 i = 0; i < ROLLOVER_HLEN; i++)
		count += po->rollover->history[i] == hash;
	po->rollover->history[victim] = hash;
	return count > ROLLOVER_HLEN / 2;
}

static u32 demux_rollover(struct packet_fanout *f, struct sk_buff *skb, u32 idx, bool try_self)
{
	struct packet_sock *po = f->arr[idx], *skip = NULL;
	enum room room = try_self ? has_room(po, skb) : ROOM_NONE;
	u32 i, j;

	if (room == ROOM_NORMAL || (room == ROOM_LOW && !flow_is_huge(po, skb)))
		return idx;
	if (room == ROOM_LOW)
		skip = po;
	i = j = min_u32(po->rollover->sock, f->num_members - 1);
	do {
		if (f->arr[i] != skip && has_room(f->arr[i], skb) == ROOM_NORMAL) {
			if (i != j)
				po->rollover->sock = i;
			po->rollover->num++;
			po->rollover->num_huge += room == ROOM_LOW;
			return i;
		}
		if (++i == f->num_members)
			i = 0;
	} while (i != j);
	po->rollover->num_failed++;
	return idx;
}

static u32 demux(struct packet_fanout *f, struct sk_buff *skb)
{
	u32 num = f->num_members;

	switch (f->type) {
	case PACKET_FANOUT_LB:
		return ++f->rr_cur % num;
	case PACKET_FANOUT_CPU:
		return this_cpu(skb->net->host)->id % num;
	case PACKET_FANOUT_RND:
		return get_random_u32_below(skb->world, RANDOM_FANOUT, num);
	case PACKET_FANOUT_QM:
		return skb->queue_mapping % num;
	case PACKET_FANOUT_ROLLOVER:
		return demux_rollover(f, skb, 0, false);
	default:
		return (u32)((u64)skb_get_hash_symmetric(skb) * num >> 32);
	}
}

static int packet_rcv_fanout(struct sk_buff *skb, struct net_device *dev,
			     const struct packet_type *pt, struct net_device *orig_dev)
{
	struct packet_fanout *f = pt->af_packet_priv;
	struct packet_sock *po;
	u32 idx = demux(f, skb);

	if (f->flags & PACKET_FANOUT_FLAG_ROLLOVER)
		idx = demux_rollover(f, skb, idx, true);
	po = f->arr[idx];
	return po->prot_hook.func(skb, dev, &po->prot_hook, orig_dev);
}

/* match_fanout_group() */
static bool fanout_id_match(const struct packet_type *pt, const struct sock *sk)
{
	struct sock *any = (struct sock *)(uintptr_t)(const void *)sk;

	return sk->family == AF_PACKET && pkt_sk(any)->fanout == pt->af_packet_priv;
}

/* ---- members ---- */

bool packet_fanout_link(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;

	f->arr[f->num_members++] = po;
	if (f->num_members > 1 || dev_add_pack(f->net->host, &f->prot_hook) == 0)
		return true;
	f->num_members = 0;
	return false;
}

void packet_fanout_unlink(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;
	u32 i = 0;

	while (f->arr[i] != po)
		i++;
	f->arr[i] = f->arr[--f->num_members];
	if (!f->num_members)
		dev_remove_pack(f->net->host, &f->prot_hook);
}

void packet_fanout_release(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;
	struct world *w = net_world(po->sk.net);

	if (!f)
		return;
	po->fanout = NULL;
	if (po->rollover)
		mem_free(w, MEM_MISC, po->rollover, sizeof(*po->rollover));
	po->rollover = NULL;
	if (--f->refs)
		return;
	list_del_init(&f->list);
	mem_free(w, MEM_MISC, f, sizeof(*f));
}

void packet_fanout_moved(struct packet_sock *po)
{
	/* While the tap is there it must be found where it was put. */
	if (po->fanout && !po->fanout->num_members)
		po->fanout->prot_hook.dev = po->prot_hook.dev;
}

/* ---- PACKET_FANOUT ---- */

static struct packet_fanout *fanout_find(const struct net *net, u32 id)
{
	list_for_each(pos, &net->packet_fanouts) {
		struct packet_fanout *f = list_entry(pos, struct packet_fanout, list);

		if (f->id == id)
			return f;
	}
	return NULL;
}

/* fanout_find_new_id() */
static bool new_id(struct net *net, u16 *id)
{
	for (u32 i = 0; i <= 0xffff; i++, net->packet_fanout_next_id++)
		if (!fanout_find(net, net->packet_fanout_next_id)) {
			*id = net->packet_fanout_next_id++;
			return true;
		}
	return false;
}

static struct packet_fanout *fanout_new(const struct packet_sock *po, u16 id, u8 type, u16 flags)
{
	struct net *net = po->sk.net;
	struct packet_fanout *f = mem_zalloc(net_world(net), MEM_MISC, sizeof(*f));

	if (!f)
		return NULL;
	f->net = net;
	f->id = id;
	f->type = type;
	f->flags = flags;
	f->prot_hook = po->prot_hook;
	f->prot_hook.type = po->info.num;
	f->prot_hook.func = packet_rcv_fanout;
	f->prot_hook.af_packet_priv = f;
	f->prot_hook.id_match = fanout_id_match;
	f->prot_hook.ignore_outgoing = flags & PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
	list_add_tail(&f->list, &net->packet_fanouts);
	return f;
}

static int fanout_join(struct packet_sock *po, struct packet_fanout *f)
{
	bool running = po->info.running;

	if (f->refs == f->max_members)
		return -ENOSPC;
	if (f->flags & PACKET_FANOUT_FLAG_ROLLOVER || f->type == PACKET_FANOUT_ROLLOVER) {
		po->rollover = mem_zalloc(net_world(f->net), MEM_MISC, sizeof(*po->rollover));
		if (!po->rollover)
			return -ENOMEM;
	}
	unregister_prot_hook(po);
	po->fanout = f;
	f->refs++;
	if (running)
		register_prot_hook(po);
	return 0;
}

/* fanout_add(): an id, a type with flags, and how many there may be. */
int packet_fanout_add(struct packet_sock *po, u16 id, u16 type_flags, u32 max_members)
{
	u8 type = (u8)type_flags;
	u16 flags = type_flags & 0xff00;
	struct packet_fanout *f;
	int err;

	if (type > PACKET_FANOUT_QM ||
	    flags & ~(PACKET_FANOUT_FLAG_ROLLOVER | PACKET_FANOUT_FLAG_UNIQUEID |
		      PACKET_FANOUT_FLAG_IGNORE_OUTGOING) ||
	    (type == PACKET_FANOUT_ROLLOVER && flags & PACKET_FANOUT_FLAG_ROLLOVER))
		return -EINVAL;
	if (po->fanout)
		return -EALREADY;
	if (flags & PACKET_FANOUT_FLAG_UNIQUEID) {
		if (id)
			return -EINVAL;
		if (!new_id(po->sk.net, &id))
			return -ENOMEM;
		flags &= (u16)~PACKET_FANOUT_FLAG_UNIQUEID;
	}
	f = fanout_find(po->sk.net, id);
	if (f && (f->flags != flags || (max_members && max_members != f->max_members)))
		return -EINVAL;
	if (!po->info.num || max_members > FANOUT_MAX ||
	    (f && (f->type != type || f->prot_hook.type != po->info.num ||
		   f->prot_hook.dev != po->prot_hook.dev)))
		return -EINVAL;
	if (!f)
		f = fanout_new(po, id, type, flags);
	if (!f)
		return -ENOMEM;
	if (!f->refs)
		f->max_members = max_members ? max_members : FANOUT_MAX;
	err = fanout_join(po, f);
	if (err && !f->refs) {
		list_del_init(&f->list);
		mem_free(net_world(f->net), MEM_MISC, f, sizeof(*f));
	}
	return err;
}

u32 packet_fanout_get(const struct packet_sock *po)
{
	const struct packet_fanout *f = po->fanout;

	return f ? f->id | (u32)(f->type | f->flags) << 16 : 0;
}

bool packet_rollover_stats(const struct packet_sock *po, u64 stats[3])
{
	if (!po->rollover)
		return false;
	stats[0] = po->rollover->num;
	stats[1] = po->rollover->num_huge;
	stats[2] = po->rollover->num_failed;
	return true;
}
