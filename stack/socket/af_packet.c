/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets (net/packet/af_packet.c): a tap on one device or on all of a namespace, with link
 * header (SOCK_RAW) or without (SOCK_DGRAM). They see what comes in before netfilter does, and what
 * goes out after it, just before the driver; what they send goes past both.
 *
 * Invariants: the hook is registered exactly while `running`; a socket is bound to a device that is
 * there, or to none (0), or to one that was (-1).
 */
#include "socket/af_packet.h"
#include "core/errqueue.h"
#include "core/skb_path.h"

#include "core/filter.h"
#include "stack/nic.h"

/* skb->cb of a packet that waits: whence it came, how long it was. */
struct packet_skb_cb {
	u32 ifindex, origlen;
	u16 hatype;
	u8 pkttype, halen;
	u8 addr[8];
};

static struct packet_skb_cb *packet_cb(struct sk_buff *skb)
{
	return (struct packet_skb_cb *)(void *)skb->cb;
}

/* ---- in ---- */

static bool dev_has_header(const struct net_device *dev)
{
	return dev->header_ops != NULL;
}

static void packet_fill_cb(const struct packet_sock *po, struct sk_buff *skb,
			   const struct net_device *orig_dev)
{
	struct packet_skb_cb *cb = packet_cb(skb);
	const struct net_device *dev = skb->dev;
	u8 addr[MAX_ADDR_LEN] = { 0 };
	u32 halen = 0;

	if (dev->header_ops && skb_mac_header_was_set(skb)) {
		memcpy(addr, skb_mac_header(skb) + ETH_ALEN, ETH_ALEN);
		halen = ETH_ALEN;
	}
	*cb = (struct packet_skb_cb){
		.ifindex = po->origdev ? orig_dev->ifindex : dev->ifindex,
		.origlen = skb->len,
		.hatype = dev->type,
		.pkttype = skb->pkt_type,
		.halen = (u8)halen,
	};
	memcpy(cb->addr, addr, sizeof(cb->addr));
}

static int packet_drop(struct packet_sock *po, struct sk_buff *skb)
{
	po->dropped++;
	po->tp_drops++;
	po->sk.sk_drops++;
	kfree_skb_reason(skb, SKB_DROP_REASON_PACKET_SOCK_ERROR);
	return 0;
}

/* A copy of its own when others look at it, too. NULL: no memory. */
static struct sk_buff *packet_own(struct sk_buff *skb)
{
	struct sk_buff *n;

	if (!skb_shared(skb))
		return skb;
	n = skb_clone(skb);
	if (n)
		consume_skb(skb);
	return n;
}

/* Places data where the socket wants it to begin. */
static void packet_place(const struct sock *sk, struct sk_buff *skb)
{
	if (!dev_has_header(skb->dev))
		return;
	if (sk->sk_type != SOCK_DGRAM)
		skb_push(skb, (u32)(skb->data - skb_mac_header(skb)));
	else if (skb->pkt_type == PACKET_OUTGOING)
		skb_pull(skb, (u32)skb_network_offset(skb));
}

static int packet_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		      struct net_device *orig_dev)
{
	struct sock *sk = pt->af_packet_priv;
	struct packet_sock *po = pkt_sk(sk);
	u8 *head = skb->data;
	u32 len = skb->len, keep;
	struct sk_buff *mine;

	if (skb->pkt_type == PACKET_LOOPBACK) {
		consume_skb(skb);
		return 0;
	}
	po->seen++;
	skb_path(skb, SKB_PATH_PACKET_RCV);
	skb->dev = dev;
	packet_place(sk, skb);
	keep = sk->sk_flags & SOCK_FILTERED ? bpf_prog_run(sk->sk_rare->filter, skb) : UINT32_MAX;
	mine = keep && sk->sk_rmem_alloc < (u32)sk->sk_rcvbuf ? packet_own(skb) : NULL;
	/* What others look at, too, is as it was. */
	if (mine != skb) {
		skb->data = head;
		skb->len = len;
	}
	if (!keep) {
		po->filtered++;
		consume_skb(skb);
		return 0;
	}
	if (!mine)
		return packet_drop(po, skb);
	packet_fill_cb(po, mine, orig_dev);
	if (pskb_trim(mine, keep))
		return packet_drop(po, mine);
	po->queued++;
	po->tp_packets++;
	mine->dev = NULL;
	skb_set_owner_r(mine, sk);
	skb_dst_drop(mine);
	sock_skb_set_dropcount(sk, mine);
	skb_queue_tail(&sk->receive_queue, mine);
	sk_data_ready(sk);
	return 0;
}

static void packet_name(const struct packet_skb_cb *cb, u16 protocol, struct sock_addr *addr)
{
	*addr = (struct sock_addr){ .family = AF_PACKET,
				    .port = protocol,
				    .scope_id = cb->ifindex };
	memcpy(addr->addr, cb->addr, sizeof(cb->addr));
	put_be16(addr->addr + SLL_HATYPE, cb->hatype);
	addr->addr[SLL_PKTTYPE] = cb->pkttype;
	addr->addr[SLL_HALEN] = cb->halen;
}

/* struct tpacket_auxdata */
static void put_auxdata(struct msghdr *msg, struct sk_buff *skb)
{
	const struct packet_skb_cb *cb = packet_cb(skb);
	u32 status = TP_STATUS_USER;
	u8 b[20] = { 0 };

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		status |= TP_STATUS_CSUMNOTREADY;
	else if (cb->pkttype != PACKET_OUTGOING &&
		 (skb->ip_summed == CHECKSUM_COMPLETE || skb->ip_summed == CHECKSUM_UNNECESSARY))
		status |= TP_STATUS_CSUM_VALID;
	if (skb->vlan_present) {
		status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
		put_le16(b + 16, skb->vlan_tci);
		put_le16(b + 18, ntohs(skb->vlan_proto));
	}
	put_le32(b, status);
	put_le32(b + 4, cb->origlen);
	put_le32(b + 8, skb->len);
	put_le16(b + 14, (u16)skb_network_offset(skb));
	put_cmsg(msg, SOL_PACKET, PACKET_AUXDATA, b, sizeof(b));
}

static s64 packet_recvmsg(struct socket *sock, struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	u32 len, copied;
	int err;

	if (msg->flags & ~(u32)(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE))
		return -EINVAL;
	if (msg->flags & MSG_ERRQUEUE)
		return sock_recv_errqueue(sk, msg, SOL_PACKET, PACKET_TX_TIMESTAMP);
	skb = skb_recv_datagram(sk, msg->flags, &err);
	if (!skb)
		return err;
	len = skb->len;
	copied = min_u32(len, msg->len);
	if (copied < len)
		msg->out_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (!err) {
		if (msg->name_out) {
			packet_name(packet_cb(skb), ntohs(skb->protocol), msg->name_out);
			msg->name_valid = true;
		}
		sock_recv_cmsgs(msg, sk, skb);
		if (pkt_sk(sk)->auxdata)
			put_auxdata(msg, skb);
	}
	consume_skb(skb);
	if (err)
		return err;
	return msg->flags & MSG_TRUNC ? len : copied;
}

/* ---- out ---- */

/* Where to, as the address says or the socket is bound. 0 or -errno. */
static int packet_target(struct sock *sk, const struct sock_addr *to, struct net_device **dev,
			 u16 *proto, const u8 **addr)
{
	const struct packet_sock *po = pkt_sk(sk);
	u32 ifindex = po->info.ifindex > 0 ? (u32)po->info.ifindex : 0;

	*proto = po->info.num;
	*addr = NULL;
	if (to) {
		if (to->family != AF_PACKET)
			return -EINVAL;
		ifindex = to->scope_id;
		*proto = to->port;
		*addr = to->addr[SLL_HALEN] ? to->addr : NULL;
	}
	*dev = dev_get_by_index(sk->net, ifindex);
	if (!*dev)
		return -ENXIO;
	if (!netif_running(*dev))
		return -ENETDOWN;
	if (*addr && to->addr[SLL_HALEN] < (*dev)->addr_len)
		return -EINVAL;
	return 0;
}

/* A frame that says VLAN may be four bytes longer. */
static bool packet_fits(const struct net_device *dev, const u8 *frame, u32 len, u32 reserve)
{
	u32 max = dev->mtu + reserve;

	if (len > max && len <= max + 4 && reserve >= ETH_HLEN &&
	    get_be16(frame + 12) == ETH_P_8021Q)
		return true;
	return len <= max;
}

/* What a raw frame is, when the user did not say (packet_parse_headers). */
static u16 frame_proto(const struct net_device *dev, const u8 *frame, u32 len, u16 proto)
{
	if ((proto && proto != ETH_P_ALL) || !dev->header_ops || len < ETH_HLEN)
		return proto;
	return get_be16(frame + 12);
}

static struct sk_buff *packet_build(struct sock *sk, struct net_device *dev,
				    const struct msghdr *msg, const struct sockcm_cookie *sockc,
				    u16 proto, const u8 *addr, int *err)
{
	bool raw = sk->sk_type == SOCK_RAW;
	u32 headroom = ll_reserved_space(dev);
	struct sk_buff *skb = sock_alloc_send_skb(sk, headroom + msg->len, err);

	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb->dev = dev;
	skb->net = dev->net;
	memcpy(skb_put(skb, msg->len), msg->data, msg->len);
	skb->protocol = htons(raw ? frame_proto(dev, msg->data, msg->len, proto) : proto);
	skb_reset_network_header(skb);
	if (raw && dev->hard_header_len)
		skb->network_header = (u16)(skb->network_header + dev->hard_header_len);
	skb->transport_header = skb->network_header;
	skb->priority = sockc->priority;
	skb->mark = sockc->mark;
	if (sockc->tsflags)
		skb_setup_tx_timestamp(skb, sk, sockc);
	if (raw || dev_hard_header(skb, dev, proto, addr, NULL) == 0)
		return skb;
	*err = -EINVAL;
	kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
	return NULL;
}

static s64 packet_sendmsg(struct socket *sock, struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	struct net_device *dev;
	const u8 *addr;
	struct sk_buff *skb;
	u32 reserve;
	u16 proto;
	struct sockcm_cookie sockc = sockcm_init(sk);
	int err = packet_target(sk, msg->name, &dev, &proto, &addr);

	if (!err && msg->control_len)
		err = sock_cmsg_send(sk, &sockc, msg);
	if (err)
		return err;
	reserve = sk->sk_type == SOCK_RAW ? dev->hard_header_len : 0;
	if (msg->len < reserve)
		return -EINVAL;
	if (!packet_fits(dev, msg->data, msg->len, reserve))
		return -EMSGSIZE;
	skb = packet_build(sk, dev, msg, &sockc, proto, addr, &err);
	if (!skb)
		return err;
	err = dev_queue_xmit(skb);
	if (err == NET_XMIT_DROP)
		return -ENOBUFS;
	return err < 0 ? err : (s64)msg->len;
}

/* ---- life ---- */

void register_prot_hook(struct packet_sock *po)
{
	if (po->info.running || !po->info.num)
		return;
	po->prot_hook.type = po->info.num;
	/* Without memory it hears nothing, as one that is bound to nothing. */
	po->info.running = po->fanout ? packet_fanout_link(po) :
					dev_add_pack(po->sk.net->host, &po->prot_hook) == 0;
}

void unregister_prot_hook(struct packet_sock *po)
{
	if (!po->info.running)
		return;
	if (po->fanout)
		packet_fanout_unlink(po);
	else
		dev_remove_pack(po->sk.net->host, &po->prot_hook);
	po->info.running = false;
}

static void packet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct packet_sock *po = pkt_sk(sk);

	unregister_prot_hook(po);
	packet_flush_mclist(po);
	packet_fanout_release(po);
	list_del_init(&po->info.list);
	sock_orphan(sk);
	sock_put(sk);
}

static int packet_bind(struct socket *sock, const struct sock_addr *addr)
{
	struct sock *sk = sock->sk;
	struct packet_sock *po = pkt_sk(sk);
	struct net_device *dev = NULL;

	if (addr->family != AF_PACKET)
		return -EINVAL;
	if (po->fanout)
		return -EINVAL;
	if (addr->scope_id) {
		dev = dev_get_by_index(sk->net, addr->scope_id);
		if (!dev)
			return -ENODEV;
	}
	unregister_prot_hook(po);
	if (addr->port)
		po->info.num = addr->port;
	po->info.ifindex = dev ? (s32)dev->ifindex : 0;
	po->prot_hook.dev = dev;
	if (!dev || netif_running(dev)) {
		register_prot_hook(po);
	} else {
		sk->sk_err = ENETDOWN;
		sk_error_report(sk);
	}
	return 0;
}

static int packet_getname(struct socket *sock, struct sock_addr *addr, enum sock_name whose)
{
	struct packet_sock *po = pkt_sk(sock->sk);
	const struct net_device *dev =
		po->info.ifindex > 0 ? dev_get_by_index(sock->sk->net, (u32)po->info.ifindex) :
				       NULL;
	struct packet_skb_cb cb = { .ifindex = (u32)po->info.ifindex };

	if (whose != SOCK_NAME_OWN)
		return -EOPNOTSUPP;
	if (dev) {
		cb.hatype = dev->type;
		cb.halen = dev->addr_len;
		memcpy(cb.addr, dev->dev_addr, sizeof(cb.addr));
	}
	packet_name(&cb, po->info.num, addr);
	return 0;
}

static u32 packet_poll(struct socket *sock, u32 f_flags)
{
	(void)f_flags;
	return datagram_poll(sock->sk);
}

static int packet_ioctl(struct socket *sock, u32 cmd, s64 *value)
{
	const struct sk_buff *skb = skb_peek(&sock->sk->receive_queue);

	switch (cmd) {
	case SIOCOUTQ:
		*value = sock->sk->sk_wmem_alloc;
		return 0;
	case SIOCINQ:
		*value = skb ? skb->len : 0;
		return 0;
	default:
		return -ENOTTY;
	}
}

static int packet_connect(struct socket *sock, const struct sock_addr *addr, bool resumed)
{
	(void)sock;
	(void)addr;
	(void)resumed;
	return -EOPNOTSUPP;
}

static int packet_accept(struct socket *sock, struct socket *newsock)
{
	(void)sock;
	(void)newsock;
	return -EOPNOTSUPP;
}

static int packet_no_number(struct socket *sock, u32 number)
{
	(void)sock;
	(void)number;
	return -EOPNOTSUPP;
}

static int packet_send_prepare(struct socket *sock)
{
	(void)sock;
	return 0;
}

static const struct proto_ops packet_ops = {
	.file = SOCKET_FILE_OPS,
	.family = AF_PACKET,
	.release = packet_release,
	.bind = packet_bind,
	.connect = packet_connect,
	.accept = packet_accept,
	.getname = packet_getname,
	.poll = packet_poll,
	.ioctl = packet_ioctl,
	.listen = packet_no_number,
	.shutdown = packet_no_number,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.send_prepare = packet_send_prepare,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
};

static const struct proto packet_proto = {
	.name = "PACKET",
	.calls = &sock_def_calls,
	.obj_size = sizeof(struct packet_sock),
	.mem_kind = MEM_PACKET_SOCK,
};

/* Panics when an account or a hook is not as it must be. */
void packet_check(const struct host *h)
{
	list_for_each(n, &h->nets) {
		const struct net *net = list_entry(n, struct net, list);

		list_for_each(pos, &net->packet_sklist) {
			const struct packet_sock *po =
				list_entry(pos, struct packet_sock, info.list);

			sk_check(&po->sk, 0);
			ASSERT(po->sk.net == net);
			ASSERT(po->seen == po->filtered + po->queued + po->dropped);
			ASSERT(!po->info.running || (po->info.num && po->info.ifindex >= 0));
		}
	}
}

/* protocol: host order, as everywhere here; 0: it hears nothing until it is bound to one. */
int packet_create(struct net *net, struct socket *sock, u32 protocol)
{
	struct packet_sock *po;
	struct sock *sk;

	if (sock->file.sock_type != SOCK_DGRAM && sock->file.sock_type != SOCK_RAW)
		return -ESOCKTNOSUPPORT;
	sk = sk_alloc(net, AF_PACKET, &packet_proto, sizeof(*po));
	if (!sk)
		return -ENOBUFS;
	po = pkt_sk(sk);
	sock->file.ops = &packet_ops.file;
	sock->sk = sk;
	sock_init_data(sock, sk);
	sk->sk_type = (u32)sock->file.sock_type & 15;
	po->info.num = (u16)protocol;
	po->info.sk = sk;
	po->prot_hook.func = packet_rcv;
	po->prot_hook.af_packet_priv = sk;
	po->prot_hook.af_packet_net = net;
	list_add_tail(&po->info.list, &net->packet_sklist);
	register_prot_hook(po);
	if (!po->info.num || po->info.running)
		return 0;
	list_del_init(&po->info.list);
	sock_orphan(sk);
	sock_put(sk);
	sock->sk = NULL;
	return -ENOBUFS;
}
