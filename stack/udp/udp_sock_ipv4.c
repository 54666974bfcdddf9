/* SPDX-License-Identifier: MIT */
/*
 * UDP over IPv4, the socket's side: connect, sendmsg, recvmsg (net/ipv4/udp.c, datagram.c).
 * RFC 768, RFC 1122 4.1.
 *
 * Invariant: up->pending exactly while write_queue and cork hold a datagram under construction.
 */
#include "core/offload.h"
#include "core/reuseport.h"
#include "ipv4/devinet.h"
#include "ipv4/ip_sockglue.h"
#include "lib/checksum.h"
#include "udp/udp_sock.h"
#include "udp/udp_ipv4.h"
#include "wire/udp.h"

/* ---- connect ---- */

/* Whether this socket may use the route that was found, with a reference, or NULL and *err.
 * Broadcast must have been asked for. */
static struct rtable *allowed_route(struct sock *sk, struct rtable *rt, int *err)
{
	if (!rt) {
		if (*err == -ENETUNREACH)
			MIB_INC(sk->net, IpOutNoRoutes);
		return NULL;
	}
	if (rt->rt_flags & RTCF_BROADCAST && !(sk->sk_flags & SOCK_BROADCAST)) {
		dst_release(&rt->dst);
		*err = -EACCES;
		return NULL;
	}
	return rt;
}

int ip4_datagram_connect(struct sock *sk, const struct sock_addr *addr)
{
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	if (addr->family != AF_INET)
		return -EAFNOSUPPORT;
	sk_dst_reset(sk);
	fl4 = (struct flowi4){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.saddr = sk->inet_saddr,
		.daddr = load_be32(addr->addr),
		.sport = sk->inet_num,
		.dport = addr->port,
		.tos = sk->inet_tos & 0x1c,
		.scope = sk->sk_flags & SOCK_LOCALROUTE ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.proto = sk->sk_protocol,
	};
	if (ipv4_is_multicast(fl4.daddr)) {
		if (!fl4.oif)
			fl4.oif = sk->sk_rare->mc_index;
		if (!fl4.saddr)
			fl4.saddr = sk->sk_rare->mc_addr;
	} else if (!fl4.oif) {
		fl4.oif = sk->sk_rare->uc_index;
	}
	rt = ip_route_connect(sk->net, &fl4, sk, &err);
	rt = allowed_route(sk, rt, &err);
	if (!rt)
		return err;
	if (!sk->inet_saddr)
		sk->inet_saddr = fl4.saddr;
	if (!sk->inet_rcv_saddr)
		sk->inet_rcv_saddr = fl4.saddr;
	sk->inet_daddr = fl4.daddr;
	sk->inet_dport = addr->port;
	reuseport_has_conns_set(sk);
	sk->sk_state = TCP_ESTABLISHED;
	sk->inet_id = ip_ident_first(sk->net);
	udp_lib_rehash(sk);
	sk_dst_set(sk, &rt->dst);
	return 0;
}

/* __udp_disconnect: connect(AF_UNSPEC). What the user bound stays bound. */
int udp_disconnect(struct sock *sk)
{
	sk->sk_state = TCP_CLOSE;
	sk->inet_daddr = 0;
	sk->inet_dport = 0;
	sk->sk_bound_dev_if = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK)) {
		sk->inet_rcv_saddr = 0;
		sk->inet_saddr = 0;
	}
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		udp_lib_rehash(sk);
	else
		udp_lib_unhash(sk);
	sk_dst_reset(sk);
	return 0;
}

/* ---- send ---- */

/* The device sums, or segmentation does. */
static void udp4_hwcsum(struct sk_buff *skb, const struct flowi4 *fl4, u32 len)
{
	u32 csum = csum_tcpudp_nofold(fl4->saddr, fl4->daddr, len, IPPROTO_UDP, 0);

	store_be16(skb_transport_header(skb) + 6, csum_fold_raw(csum));
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 6;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

/* UDP_SEGMENT: `len` bytes with the header become datagrams of gso_size bytes of payload. */
static int udp_set_gso(const struct sock *sk, struct sk_buff *skb, const struct inet_cork *cork,
		       u32 len)
{
	u32 hlen = (u32)(skb->transport_header - skb->network_header) + UDP_HLEN;
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (hlen + cork->gso_size > cork->fragsize)
		return -EMSGSIZE;
	len -= UDP_HLEN;
	if (len > cork->gso_size * UDP_MAX_SEGMENTS || sk->sk_no_check_tx)
		return -EINVAL;
	if (len > cork->gso_size) {
		shinfo->gso_size = cork->gso_size;
		shinfo->gso_type = SKB_GSO_UDP_L4;
		shinfo->gso_segs = (u16)((len + cork->gso_size - 1) / cork->gso_size);
	}
	return 0;
}

/* udp_send_skb: the header of a finished packet; sends it. Takes skb. */
static int udp_send_skb(struct sock *sk, struct sk_buff *skb, const struct flowi4 *fl4,
			const struct inet_cork *cork)
{
	u8 *uh = skb_transport_header(skb);
	u32 len = skb->len - (u32)skb_transport_offset(skb);
	u32 csum;
	be16 check;
	int err;

	put_be16(uh, fl4->sport);
	put_be16(uh + 2, fl4->dport);
	put_be16(uh + 4, (u16)len);
	store_be16(uh + 6, 0);
	err = cork->gso_size ? udp_set_gso(sk, skb, cork, len) : 0;
	if (err) {
		consume_skb(skb);
		return err;
	}
	if (sk->sk_no_check_tx) {
		skb->ip_summed = CHECKSUM_NONE;
	} else if (skb->ip_summed == CHECKSUM_PARTIAL || skb_is_gso(skb)) {
		udp4_hwcsum(skb, fl4, len);
	} else {
		csum = csum_partial(uh, UDP_HLEN, skb->csum);
		for (struct sk_buff *f = skb_shinfo(skb)->frag_list; f; f = f->next)
			csum = csum_add(csum, f->csum);
		check = csum_tcpudp_magic(fl4->saddr, fl4->daddr, len, IPPROTO_UDP, csum);
		store_be16(uh + 6, check ? check : CSUM_MANGLED_0);
	}
	err = ip_send_skb(sk->net, skb);
	if (!err) {
		MIB_INC(sk->net, UdpOutDatagrams);
	} else if (err == -ENOBUFS && !sk->inet_recverr) {
		MIB_INC(sk->net, UdpSndbufErrors);
		err = 0;
	}
	return err;
}

int udp_push_pending_frames(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);
	struct sk_buff *skb = ip_finish_skb(sk, &up->cork_fl4, &sk->write_queue, &up->cork);

	up->len = 0;
	up->pending = 0;
	return skb ? udp_send_skb(sk, skb, &up->cork_fl4, &up->cork) : 0;
}

/* Counts what failed for want of buffers, and tells the error queue of what was too long. */
static s64 send_failed(struct sock *sk, const struct msghdr *msg, const struct flowi4 *fl4, u32 mtu,
		       int err)
{
	if (err == -ENOBUFS || (err == -EAGAIN && msg->flags & MSG_DONTWAIT))
		MIB_INC(sk->net, UdpSndbufErrors);
	if (err == -EMSGSIZE)
		ip_local_error(sk, EMSGSIZE, fl4->daddr, fl4->dport, mtu);
	return err;
}

/* More bytes for the datagram under construction; with !more it goes out. */
static s64 append_pending(struct sock *sk, struct msghdr *msg, u32 transhdrlen,
			  const struct ipcm_cookie *ipc, struct rtable **rt, bool more)
{
	struct udp_sock *up = udp_sk(sk);
	u32 flags = more ? msg->flags | MSG_MORE : msg->flags;
	u32 mtu = up->cork.fragsize;
	int err;

	up->len += msg->len + transhdrlen;
	err = ip_append_data(sk->net, sk, &up->cork_fl4, &sk->write_queue, &up->cork, msg->data,
			     msg->len + transhdrlen, transhdrlen, ipc, rt, flags);
	if (err)
		udp_flush_pending_frames(sk);
	else if (!more)
		err = udp_push_pending_frames(sk);
	if (err)
		return send_failed(sk, msg, &up->cork_fl4, mtu, err);
	return msg->len;
}

/* Where the datagram goes: msg's name or the peer. */
static int udp_destination(const struct sock *sk, const struct msghdr *msg, be32 *daddr, u16 *dport)
{
	if (!msg->name) {
		if (sk->sk_state != TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		*daddr = sk->inet_daddr;
		*dport = sk->inet_dport;
		return 0;
	}
	if (msg->name->family != AF_INET && msg->name->family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	if (!msg->name->port)
		return -EINVAL;
	*daddr = load_be32(msg->name->addr);
	*dport = msg->name->port;
	return 0;
}

static struct flowi4 udp_flow(const struct sock *sk, const struct msghdr *msg,
			      struct ipcm_cookie *ipc, be32 daddr, u16 dport, bool *connected)
{
	bool srr = ipc->opt && ipc->opt->opt.srr;
	be32 faddr = srr ? ipc->opt->opt.faddr : daddr;
	be32 saddr = ipc->addr;
	bool onlink = sk->sk_flags & SOCK_LOCALROUTE || msg->flags & MSG_DONTROUTE ||
		      (ipc->opt && ipc->opt->opt.is_strictroute);
	u8 tos = ipc->tos >= 0 ? (u8)ipc->tos : sk->inet_tos;

	if (srr || onlink)
		*connected = false;
	if (ipv4_is_multicast(daddr)) {
		if (!ipc->oif)
			ipc->oif = sk->sk_rare->mc_index;
		if (!saddr)
			saddr = sk->sk_rare->mc_addr;
		*connected = false;
	} else if (!ipc->oif) {
		ipc->oif = sk->sk_rare->uc_index;
	}
	return (struct flowi4){
		.oif = ipc->oif,
		.mark = ipc->sockc.mark,
		.saddr = saddr,
		.daddr = faddr,
		.sport = sk->inet_num,
		.dport = dport,
		.tos = tos & 0x1c,
		.scope = onlink ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.proto = sk->sk_protocol,
		.flags = sk->inet_transparent || sk->inet_hdrincl ? FLOWI_FLAG_ANYSRC : 0,
	};
}

/* MSG_CONFIRM: the next hop is known to answer (RFC 4861 7.3.1, forward progress). */
static void confirm_neigh(struct sock *sk, struct rtable *rt, be32 daddr)
{
	be32 hop = rt_nexthop(rt, daddr);
	struct neighbour *n;

	(void)sk;
	if (!rt->dst.ops->neigh_lookup)
		return;
	n = rt->dst.ops->neigh_lookup(&rt->dst, NULL, &hop);
	if (n)
		neigh_confirm(n);
}

/* SOL_UDP's control messages; those of other levels are not looked at. */
static int udp_cmsg_send(const struct msghdr *msg, u16 *gso_size)
{
	u32 offset = 0, level, type, len;
	const u8 *data;
	int err;

	while (next_cmsg(msg, &offset, &level, &type, &data, &len, &err)) {
		if (level != SOL_UDP)
			continue;
		if (type != UDP_SEGMENT || len != 2)
			return -EINVAL;
		*gso_size = get_le16(data);
	}
	return err;
}

/* The route of a datagram, with a reference; a connected socket that sends as it is connected keeps
 * its own. NULL with *err: there is none. */
static struct rtable *udp_route(struct sock *sk, struct flowi4 *fl4, bool connected, int *err)
{
	struct rtable *rt = NULL;

	if (connected)
		rt = (struct rtable *)(void *)sk_dst_check(sk, 0);
	if (rt) {
		fl4->saddr = sk->inet_saddr;
		return rt;
	}
	rt = allowed_route(sk, ip_route_output_flow(sk->net, fl4, sk, err), err);
	if (rt && connected) {
		dst_hold(&rt->dst);
		sk_dst_set(sk, &rt->dst);
	}
	return rt;
}

s64 udp_sendmsg(struct sock *sk, struct msghdr *msg)
{
	struct udp_sock *up = udp_sk(sk);
	bool more = up->corkflag || msg->flags & MSG_MORE;
	bool connected = !msg->name;
	struct inet_opts opts;
	struct ipcm_cookie ipc;
	struct inet_cork cork;
	struct rtable *rt = NULL;
	struct sk_buff *skb;
	struct flowi4 fl4;
	be32 daddr;
	u16 dport;
	u32 mtu;
	int err;

	if (msg->len > 0xffff)
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	ipcm_init_sk(&ipc, sk);
	ipc.gso_size = up->gso_size;
	if (up->pending)
		return append_pending(sk, msg, 0, &ipc, &rt, more);
	err = udp_destination(sk, msg, &daddr, &dport);
	if (err)
		return err;
	if (msg->control_len) {
		err = udp_cmsg_send(msg, &ipc.gso_size);
		if (err)
			return err;
		err = ip_cmsg_send(sk, msg, &ipc, &opts);
		if (err)
			return err;
		connected = false;
	}
	if (ipc.opt && ipc.opt->opt.srr && !daddr)
		return -EINVAL;
	fl4 = udp_flow(sk, msg, &ipc, daddr, dport, &connected);
	rt = udp_route(sk, &fl4, connected, &err);
	if (!rt)
		return err;
	if (msg->flags & MSG_CONFIRM)
		confirm_neigh(sk, rt, fl4.daddr);
	ipc.addr = daddr ? daddr : fl4.daddr;
	mtu = dst_mtu(&rt->dst);
	if (more) {
		s64 ret;

		up->cork_fl4 = fl4;
		up->pending = AF_INET;
		ret = append_pending(sk, msg, UDP_HLEN, &ipc, &rt, true);
		if (rt)
			dst_release(&rt->dst);
		return ret;
	}
	skb = ip_make_skb(sk->net, sk, &fl4, msg->data, msg->len + UDP_HLEN, UDP_HLEN, &ipc, &rt,
			  msg->flags, &cork, &err);
	if (rt)
		dst_release(&rt->dst);
	if (skb)
		err = udp_send_skb(sk, skb, &fl4, &cork);
	if (err)
		return send_failed(sk, msg, &fl4, mtu, err);
	return msg->len;
}

/* ---- receive ---- */

/* Copies a datagram; false: its checksum is wrong. *err: another failure. */
static bool copy_datagram(struct sk_buff *skb, u32 off, struct msghdr *msg, u32 copied,
			  bool peeking, int *err)
{
	bool valid = udp_csum_unnecessary(skb);

	*err = 0;
	/* Not all of it is wanted: it has to be summed up before. */
	if (!valid && (off || copied < skb->len || peeking)) {
		if (!udp_checksum_ok(skb))
			return false;
		valid = true;
	}
	if (valid) {
		*err = skb_copy_datagram_msg(skb, off, msg, copied);
		return true;
	}
	*err = skb_copy_and_csum_datagram_msg(skb, off, msg);
	if (*err == -EINVAL)
		return false;
	return true;
}

/* csum_copy_err: a wrong one is dropped, and the next one is tried. */
static void drop_bad_datagram(struct sock *sk, struct sk_buff *skb, u32 flags)
{
	if (flags & MSG_PEEK) {
		/* It is still queued: take the queue's reference with its memory. */
		udp_drop_peeked(sk, skb);
	}
	sk->sk_drops++;
	MIB_INC(sk->net, UdpInCsumErrors);
	MIB_INC(sk->net, UdpInErrors);
	kfree_skb_reason(skb, SKB_DROP_REASON_UDP_CSUM);
}

s64 udp_recvmsg(struct sock *sk, struct msghdr *msg)
{
	u32 flags = msg->flags, copied, off;
	struct sk_buff *skb;
	s32 offset;
	u8 gso[4];
	s64 ret;
	int err;

	if (flags & MSG_ERRQUEUE)
		return ip_recv_error(sk, msg);
	for (;;) {
		offset = sk_peek_offset(sk, flags);
		skb = __skb_recv_udp(sk, flags, &offset, &err);
		if (!skb)
			return err;
		off = (u32)offset;
		copied = min_u32(msg->len, skb->len - off);
		if (copy_datagram(skb, off, msg, copied, flags & MSG_PEEK, &err))
			break;
		drop_bad_datagram(sk, skb, flags);
	}
	if (err) {
		if (!(flags & MSG_PEEK)) {
			sk->sk_drops++;
			MIB_INC(sk->net, UdpInErrors);
		}
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return err;
	}
	if (copied < skb->len - off)
		msg->out_flags |= MSG_TRUNC;
	if (!(flags & MSG_PEEK))
		MIB_INC(sk->net, UdpInDatagrams);
	sock_recv_cmsgs(msg, sk, skb);
	if (msg->name_out) {
		sock_addr_set_in(msg->name_out, ip4_saddr(ip_hdr(skb)),
				 udp_source(skb_transport_header(skb)));
		msg->name_valid = true;
	}
	if (udp_sk_gro_enabled(sk) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4) {
		put_le32(gso, skb_shinfo(skb)->gso_size);
		put_cmsg(msg, SOL_UDP, UDP_GRO, gso, sizeof(gso));
	}
	ip_cmsg_recv(msg, sk, skb);
	ret = flags & MSG_TRUNC ? (s64)skb->len : (s64)copied;
	skb_consume_udp(sk, skb, flags & MSG_PEEK ? -(s32)ret : (s32)ret);
	return ret;
}
