/* SPDX-License-Identifier: MIT */
/*
 * SOL_IP: control messages and the error queue of sockets over IPv4 (ip_sockglue.h).
 *
 * Invariant: an entry of the error queue has its network header at the packet that reported the
 * error (an ICMP message's, or one made up for a local error) and its data at what is returned.
 */
#include "ipv4/ip_sockglue.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"
#include "ipv4/icmp.h"

/* Where ipv4_pktinfo_prepare leaves in_pktinfo.ipi_spec_dst in skb->cb. */
#define CB_SPEC_DST 52u

_Static_assert(sizeof(struct inet_skb_parm) <= SOCK_CB_EXTERR, "IPCB overlaps sock_exterr");
_Static_assert(SOCK_CB_EXTERR + sizeof(struct sock_exterr) <= CB_SPEC_DST, "sock_exterr too long");
_Static_assert(CB_SPEC_DST + 4 <= SOCK_CB_DROPCOUNT, "cb is full");

/* ---- received packets ---- */

void ipv4_pktinfo_prepare(const struct sock *sk, struct sk_buff *skb)
{
	if (sk->sk_rare->inet_cmsg_flags & IP_CMSG_PKTINFO) {
		be32 spec_dst = fib_compute_spec_dst(skb);

		memcpy(skb->cb + CB_SPEC_DST, &spec_dst, sizeof(spec_dst));
	}
	skb_dst_release(skb);
}

static void cmsg_pktinfo(struct msghdr *msg, const struct sk_buff *skb)
{
	u8 b[12];

	put_le32(b, skb->skb_iif);
	memcpy(b + 4, skb->cb + CB_SPEC_DST, 4);
	store_be32(b + 8, ip4_daddr(ip_hdr(skb)));
	put_cmsg(msg, SOL_IP, IP_PKTINFO, b, sizeof(b));
}

static void cmsg_options(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	struct inet_opts echo;

	if (!opt->optlen)
		return;
	if (sk->sk_rare->inet_cmsg_flags & IP_CMSG_RECVOPTS)
		put_cmsg(msg, SOL_IP, IP_RECVOPTS, ip_hdr(skb) + IP4_HLEN, opt->optlen);
	if (!(sk->sk_rare->inet_cmsg_flags & IP_CMSG_RETOPTS))
		return;
	memset(&echo, 0, sizeof(echo));
	if (ip_options_echo(sk->net, &echo, skb)) {
		msg->out_flags |= MSG_CTRUNC;
		return;
	}
	put_cmsg(msg, SOL_IP, IP_RETOPTS, echo.data, echo.opt.optlen);
}

void ip_cmsg_recv(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb)
{
	u32 flags = sk->sk_rare->inet_cmsg_flags;
	const u8 *iph = ip_hdr(skb);
	u8 b[16];

	if (!flags)
		return;
	if (flags & IP_CMSG_PKTINFO)
		cmsg_pktinfo(msg, skb);
	if (flags & IP_CMSG_TTL) {
		put_le32(b, ip4_ttl(iph));
		put_cmsg(msg, SOL_IP, IP_TTL, b, 4);
	}
	if (flags & IP_CMSG_TOS) {
		b[0] = ip4_tos(iph);
		put_cmsg(msg, SOL_IP, IP_TOS, b, 1);
	}
	if (flags & (IP_CMSG_RECVOPTS | IP_CMSG_RETOPTS))
		cmsg_options(msg, sk, skb);
	if (flags & IP_CMSG_ORIGDSTADDR) {
		put_sockaddr_in(b, ip4_daddr(iph), get_be16(skb_transport_header(skb) + 2));
		put_cmsg(msg, SOL_IP, IP_RECVORIGDSTADDR, b, 16);
	}
	if (flags & IP_CMSG_RECVFRAGSIZE && IPCB(skb)->frag_max_size) {
		put_le32(b, IPCB(skb)->frag_max_size);
		put_cmsg(msg, SOL_IP, IP_RECVFRAGSIZE, b, 4);
	}
}

/* ---- control messages of a send ---- */

u32 tos2priority(u8 tos)
{
	static const u8 prio[4] = { 0, 2, 6, 4 }; /* best effort, bulk, interactive, both */

	return prio[(tos & 0x1e) >> 3];
}

static int cmsg_ip(const struct sock *sk, u32 type, const u8 *data, u32 len,
		   struct ipcm_cookie *ipc, struct inet_opts *room)
{
	s32 v;

	switch (type) {
	case IP_RETOPTS:
		if (ip_options_get(sk->net, room, data, min_u32(len, 40)))
			return -EINVAL;
		ipc->opt = room;
		return 0;
	case IP_PKTINFO:
		if (len != 12)
			return -EINVAL;
		if (get_le32(data))
			ipc->oif = get_le32(data);
		ipc->addr = load_be32(data + 4);
		return 0;
	case IP_TTL:
		if (len != 4)
			return -EINVAL;
		v = (s32)get_le32(data);
		if (v < 1 || v > 255)
			return -EINVAL;
		ipc->ttl = (s16)v;
		return 0;
	case IP_TOS:
		if (len != 4 && len != 1)
			return -EINVAL;
		v = len == 4 ? (s32)get_le32(data) : data[0];
		if (v < 0 || v > 255)
			return -EINVAL;
		ipc->tos = (s16)v;
		ipc->sockc.priority = tos2priority((u8)v);
		return 0;
	default:
		return -EINVAL;
	}
}

int ip_cmsg_send(const struct sock *sk, const struct msghdr *msg, struct ipcm_cookie *ipc,
		 struct inet_opts *room)
{
	u32 offset = 0, level, type, len;
	const u8 *data;
	int err;

	while (next_cmsg(msg, &offset, &level, &type, &data, &len, &err)) {
		if (level == SOL_SOCKET) {
			err = __sock_cmsg_send(sk, &ipc->sockc, type, data, len);
			if (err)
				return err;
		} else if (level == SOL_IP) {
			err = cmsg_ip(sk, type, data, len, ipc, room);
			if (err)
				return err;
		}
	}
	return err;
}

/* ---- the error queue ---- */

#define ICMP_EXT_MIN_QUOTE 128u /* octets of the datagram in front of an extension */
#define ICMP_EXT_HLEN	   4u
#define ICMP_EXT_OBJ_HLEN  4u

/* ip_icmp_error_rfc4884_validate: checksum and lengths of the objects, from off to the end. */
static bool icmp_ext_valid(const struct sk_buff *skb, u32 off)
{
	u8 head[ICMP_EXT_HLEN];

	if (!skb_copy_bits(skb, off, head, sizeof(head)))
		return false;
	if (head[0] >> 4 != 2) /* not the version that this is about */
		return true;
	if (get_be16(head + 2) && csum_fold(skb_checksum(skb, off, skb->len - off, 0)))
		return false;
	off += ICMP_EXT_HLEN;
	while (off < skb->len) {
		if (!skb_copy_bits(skb, off, head, ICMP_EXT_OBJ_HLEN) ||
		    get_be16(head) < ICMP_EXT_OBJ_HLEN)
			return false;
		off += get_be16(head);
	}
	return off == skb->len;
}

/*
 * ip_icmp_error_rfc4884: ee_data of an error whose payload, at skb->data, is `hlen` octets behind
 * the ICMP header: where in the payload an extension (RFC 4884 7) begins, and whether it is bad.
 * 0: there is none.
 */
static u32 icmp_ext_data(const struct sk_buff *skb, const u8 *icmp, u32 hlen)
{
	u32 off = icmp[5] * 4u; /* RFC 4884 4: the length of the datagram, in words */
	u8 type = icmp4_type(icmp);

	if (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETERPROB)
		return 0;
	if (off < ICMP_EXT_MIN_QUOTE || off < hlen)
		return 0;
	off -= hlen;
	if (off + ICMP_EXT_HLEN > skb->len)
		return 0;
	return icmp_ext_valid(skb, off) ? off : off | SO_EE_RFC4884_FLAG_INVALID << 16;
}

void ip_icmp_error(struct sock *sk, struct sk_buff *skb, s32 err, u16 port, u32 info, u32 payload)
{
	const u8 *icmp = skb_transport_header(skb);
	struct sk_buff *n = skb_clone(skb);
	u32 inner = (u32)(icmp - skb_network_header(skb)) + ICMP4_HLEN;

	if (!n)
		return;
	*skb_ext_err(n) = (struct sock_exterr){
		.ee_errno = (u32)err,
		.ee_origin = SO_EE_ORIGIN_ICMP,
		.ee_type = icmp4_type(icmp),
		.ee_code = icmp4_code(icmp),
		.ee_info = info,
		.addr_offset = (u16)(inner + 16),
		.port = port,
	};
	if (pskb_may_pull(n, payload)) {
		skb_pull(n, payload);
		if (sk->sk_rare->inet_cmsg_flags & IP_ERR_RFC4884)
			skb_ext_err(n)->ee_data =
				icmp_ext_data(n, skb_transport_header(n), payload);
		skb_reset_transport_header(n);
		if (!sock_queue_err_skb(sk, n))
			return;
	}
	kfree_skb_reason(n, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

void ip_local_error(struct sock *sk, s32 err, be32 daddr, u16 port, u32 info)
{
	struct sk_buff *n;
	u8 *iph;

	if (!sk->inet_recverr)
		return;
	n = alloc_skb(net_world(sk->net), IP4_HLEN);
	if (!n)
		return;
	n->net = sk->net;
	iph = skb_put(n, IP4_HLEN);
	memset(iph, 0, IP4_HLEN);
	ip4_set_daddr(iph, daddr);
	skb_reset_network_header(n);
	memset(IPCB(n), 0, sizeof(*IPCB(n)));
	*skb_ext_err(n) = (struct sock_exterr){
		.ee_errno = (u32)err,
		.ee_origin = SO_EE_ORIGIN_LOCAL,
		.ee_info = info,
		.addr_offset = 16,
		.port = port,
	};
	skb_pull(n, IP4_HLEN);
	skb_reset_transport_header(n);
	if (sock_queue_err_skb(sk, n))
		kfree_skb_reason(n, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

/* An AF_INET6 socket sees what it talks to as ::ffff:a.b.c.d, and its own level (ipv6_recv_error).
 */
static void set_name_mapped(struct sock_addr *name)
{
	name->family = AF_INET6;
	memmove(name->addr + 12, name->addr, 4);
	memset(name->addr, 0, 10);
	memset(name->addr + 10, 0xff, 2);
}

/* The destination of the packet that it is about. */
static void set_error_name(struct sock_addr *name, const struct sock *sk, struct sk_buff *skb)
{
	const struct sock_exterr *serr = skb_ext_err(skb);
	const u8 *daddr = skb_network_header(skb) + serr->addr_offset;

	if (serr->ee_origin == SO_EE_ORIGIN_ICMP6) {
		*name = (struct sock_addr){ .family = AF_INET6, .port = serr->port };
		memcpy(name->addr, daddr, 16);
		return;
	}
	sock_addr_set_in(name, load_be32(daddr), serr->port);
	if (sk->pinet6)
		set_name_mapped(name);
}

/* struct sock_extended_err and the address of the offender, who sent the packet at hand. */
static void put_recverr(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb,
			bool offender)
{
	u8 b[32] = { 0 };
	u8 b6[44] = { 0 };

	sock_exterr_bytes(skb_ext_err(skb), b);
	if (!sk->pinet6) {
		if (offender)
			put_sockaddr_in(b + 16, ip4_saddr(ip_hdr(skb)), 0);
		put_cmsg(msg, SOL_IP, IP_RECVERR, b, 32);
		return;
	}
	memcpy(b6, b, 16);
	if (offender) {
		put_le16(b6 + 16, AF_INET6);
		if (skb_ext_err(skb)->ee_origin == SO_EE_ORIGIN_ICMP6) {
			memcpy(b6 + 16 + 8, skb_network_header(skb) + 8, 16);
		} else {
			memset(b6 + 16 + 8 + 10, 0xff, 2);
			store_be32(b6 + 16 + 8 + 12, ip4_saddr(ip_hdr(skb)));
		}
	}
	put_cmsg(msg, SOL_IPV6, IPV6_RECVERR, b6, sizeof(b6));
}

/* ipv4_datagram_support_cmsg(): is there a header to tell from? Stamps have one when the packet
 * came with them, and tell by which device it left (SOF_TIMESTAMPING_OPT_CMSG). */
static bool support_cmsg(const struct sock *sk, struct sk_buff *skb, u8 origin)
{
	be32 saddr;

	if (origin == SO_EE_ORIGIN_ICMP)
		return true;
	if (origin != SO_EE_ORIGIN_TIMESTAMPING || !skb->skb_iif ||
	    !(sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_CMSG))
		return false;
	saddr = ip4_saddr(ip_hdr(skb));
	memcpy(skb->cb + CB_SPEC_DST, &saddr, sizeof(saddr));
	return true;
}

s64 ip_recv_error(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	const struct sock_exterr *serr;
	bool supported;
	u32 copied;
	int err;

	if (!skb)
		return -EAGAIN;
	copied = skb->len;
	if (copied > msg->len) {
		msg->out_flags |= MSG_TRUNC;
		copied = msg->len;
	}
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return err;
	}
	serr = skb_ext_err(skb);
	sock_recv_err_timestamps(msg, sk, skb);
	if (msg->name_out && (serr->ee_origin == SO_EE_ORIGIN_ICMP ||
			      serr->ee_origin == SO_EE_ORIGIN_LOCAL || serr->port)) {
		set_error_name(msg->name_out, sk, skb);
		msg->name_valid = true;
	}
	supported = support_cmsg(sk, skb, serr->ee_origin);
	if (supported)
		ip_cmsg_recv(msg, sk, skb);
	put_recverr(msg, sk, skb, supported || serr->ee_origin == SO_EE_ORIGIN_ICMP6);
	msg->out_flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return copied;
}
