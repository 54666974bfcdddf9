/* SPDX-License-Identifier: MIT */
/*
 * AF_INET6 sockets (net/ipv6/af_inet6.c, RFC 3493): creation, bind, names. All other calls are
 * AF_INET's. Unless IPV6_V6ONLY is set such a socket also talks IPv4, whose addresses it sees as
 * ::ffff:a.b.c.d. Stream sockets only.
 */
#include "ipv4/route.h"
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6_sockglue.h"
#include "socket/af_inet.h"
#include "tcp/tcp.h"
#include "tcp/tcp_minisocks.h"

/* ---- names ---- */

static int bind_mapped(struct sock *sk, const struct sock_addr *addr)
{
	struct ipv6_pinfo *np = sk->pinet6;
	be32 v4 = load_be32(addr->addr + 12);
	int err;

	if (np->ipv6only)
		return -EINVAL;
	if (!inet_addr_valid(sk, v4, inet_addr_type(sk->net, v4)))
		return -EADDRNOTAVAIL;
	np->v4mapped = 1;
	sk->inet_rcv_saddr = v4;
	sk->inet_saddr = v4;
	err = inet_bind_port(sk, addr->port, true);
	if (err) {
		np->v4mapped = 0;
		sk->inet_rcv_saddr = 0;
		sk->inet_saddr = 0;
	}
	return err;
}

static int inet6_bind(struct socket *sock, const struct sock_addr *addr)
{
	struct sock *sk = sock->sk;
	struct ipv6_pinfo *np = sk->pinet6;
	struct inet_addr a = ipv6_sock_addr(addr);
	bool only = np->ipv6only;
	int err;

	if (addr->family != AF_INET6)
		return ipv6_wrong_family(addr);
	if (sk->sk_state != TCP_CLOSE || sk->inet_num)
		return -EINVAL;
	/* A stream has one peer. */
	if (ntohl(a.w[0]) >> 24 == 0xff)
		return -EINVAL;
	if (ipv6_addr_v4mapped(&a))
		return bind_mapped(sk, addr);
	if (!inet_addr_any(&a) && !sk->inet_freebind && !sk->inet_transparent &&
	    !ipv6_chk_addr(sk->net, &a))
		return -EADDRNOTAVAIL;
	np->rcv_saddr = a;
	np->saddr = a;
	if (!inet_addr_any(&a))
		np->ipv6only = 1; /* it can not talk IPv4 any more, and says so */
	err = inet_bind_port(sk, addr->port, !inet_addr_any(&a));
	if (err) {
		np->rcv_saddr = np->saddr = (struct inet_addr){ 0 };
		np->ipv6only = only;
	}
	return err;
}

static int inet6_getname(struct socket *sock, struct sock_addr *addr, enum sock_name whose)
{
	const struct sock *sk = sock->sk;
	const struct ipv6_pinfo *np = sk->pinet6;
	struct inet_addr a;

	if (whose != SOCK_NAME_OWN) {
		if (!sk->inet_dport || (whose == SOCK_NAME_PEER && (sk->sk_state == TCP_CLOSE ||
								    sk->sk_state == TCP_SYN_SENT)))
			return -ENOTCONN;
		a = np->v4mapped ? ipv6_addr_mapped(sk->inet_daddr) : np->daddr;
		sock_addr_set_in6(addr, &a, sk->inet_dport);
		return 0;
	}
	if (np->v4mapped)
		a = ipv6_addr_mapped(sk->inet_rcv_saddr ? sk->inet_rcv_saddr : sk->inet_saddr);
	else
		a = inet_addr_any(&np->rcv_saddr) ? np->saddr : np->rcv_saddr;
	sock_addr_set_in6(addr, &a, sk->inet_num);
	return 0;
}

/* ---- options ---- */

static int inet6_setsockopt(struct socket *sock, u32 level, u32 name, const u8 *val, u32 len)
{
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock->sk, name, val, len);
	return sock->sk->prot->setsockopt(sock->sk, level, name, val, len);
}

static int inet6_getsockopt(struct socket *sock, u32 level, u32 name, u8 *val, u32 len)
{
	if (level == SOL_SOCKET)
		return sock_getsockopt(sock->sk, name, val, len);
	return sock->sk->prot->getsockopt(sock->sk, level, name, val, len);
}

/* ---- birth ---- */

static const struct proto_ops inet6_stream_ops = {
	.file = SOCKET_FILE_OPS,
	.family = AF_INET6,
	.release = inet_release,
	.bind = inet6_bind,
	.connect = inet_stream_connect,
	.accept = inet_accept,
	.getname = inet6_getname,
	.poll = inet_poll,
	.ioctl = inet_ioctl,
	.listen = inet_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet6_setsockopt,
	.getsockopt = inet6_getsockopt,
	.send_prepare = inet_send_prepare,
	.sendmsg = inet_stream_sendmsg,
	.recvmsg = inet_recvmsg,
};

int inet6_create(struct net *net, struct socket *sock, u32 protocol)
{
	struct sock *sk;
	int err;

	if (protocol > 262) /* IPPROTO_MPTCP, the last one */
		return -EINVAL;
	if (sock->file.sock_type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != IPPROTO_IP && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	if (addrconf_net_init(net))
		return -ENOBUFS;
	sk = sk_alloc(net, AF_INET6, &tcpv6_prot, tcpv6_prot.obj_size);
	if (!sk)
		return -ENOBUFS;
	sk->pinet6 = mem_zalloc(net_world(net), MEM_MISC, sizeof(*sk->pinet6));
	sock->file.ops = &inet6_stream_ops.file;
	sock->sk = sk;
	sock_init_data(sock, sk);
	inet_sock_init(sk, sock, IPPROTO_TCP);
	err = sk->prot->init(sk);
	if (!sk->pinet6)
		err = -ENOBUFS;
	if (err) {
		sock_orphan(sk);
		sock_put(sk);
		sock->sk = NULL;
		return err;
	}
	sk->inet_mc_all = false;
	sk->pinet6->hop_limit = -1;
	sk->pinet6->pmtudisc = IP_PMTUDISC_WANT;
	sk->pinet6->ipv6only = net->sysctl.bindv6only != 0;
	return 0;
}
