/* SPDX-License-Identifier: MIT */
/*
 * AF_INET sockets (net/ipv4/af_inet.c): creation by type and protocol, the rules of bind, and the
 * calls of datagram and of stream sockets. A protocol plugs in with its struct proto and a line in
 * inetsw[]; nothing else here knows which protocol it is.
 *
 * Invariant: inet_num is not 0 exactly while the protocol's tables hold the socket's port.
 */
#include "core/errqueue.h"
#include "ipv4/devinet.h"
#include "ipv4/ip_sockglue.h"
#include "socket/af_inet.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_user.h"
#include "udp/udp.h"

/* ---- names ---- */

static int inet_autobind(struct sock *sk)
{
	if (sk->inet_num)
		return 0;
	return sk->prot->get_port(sk, 0) ? -EAGAIN : 0;
}

/* inet_addr_valid_or_nonlocal: may a socket be bound to it? */
bool inet_addr_valid(const struct sock *sk, be32 addr, u32 type)
{
	return !addr || type == RTN_LOCAL || type == RTN_MULTICAST || type == RTN_BROADCAST ||
	       sk->inet_freebind || sk->inet_transparent || sk->net->sysctl.ip_nonlocal_bind;
}

int inet_bind_port(struct sock *sk, u16 port, bool named)
{
	int err;

	if (port || !sk->inet_bind_no_port) {
		err = sk->prot->get_port(sk, port);
		if (err)
			return err;
	}
	if (named)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	sk->inet_daddr = 0;
	sk->inet_dport = 0;
	sk_dst_reset(sk);
	return 0;
}

static int inet_bind(struct socket *sock, const struct sock_addr *addr)
{
	struct sock *sk = sock->sk;
	be32 saddr = load_be32(addr->addr);
	u32 type;
	int err;

	/* AF_UNSPEC is taken for AF_INET with INADDR_ANY, as old programs want it. */
	if (addr->family != AF_INET && (addr->family != AF_UNSPEC || saddr))
		return -EAFNOSUPPORT;
	type = inet_addr_type(sk->net, saddr);
	if (!inet_addr_valid(sk, saddr, type))
		return -EADDRNOTAVAIL;
	if (sk->sk_state != TCP_CLOSE || sk->inet_num)
		return -EINVAL;
	sk->inet_rcv_saddr = saddr;
	sk->inet_saddr = type == RTN_BROADCAST || type == RTN_MULTICAST ? 0 : saddr;
	err = inet_bind_port(sk, addr->port, saddr != 0);
	if (err) {
		sk->inet_rcv_saddr = 0;
		sk->inet_saddr = 0;
	}
	return err;
}

static int inet_getname(struct socket *sock, struct sock_addr *addr, enum sock_name whose)
{
	const struct sock *sk = sock->sk;

	if (whose != SOCK_NAME_OWN) {
		if (!sk->inet_dport || (whose == SOCK_NAME_PEER && (sk->sk_state == TCP_CLOSE ||
								    sk->sk_state == TCP_SYN_SENT)))
			return -ENOTCONN;
		sock_addr_set_in(addr, sk->inet_daddr, sk->inet_dport);
		return 0;
	}
	sock_addr_set_in(addr, sk->inet_rcv_saddr ? sk->inet_rcv_saddr : sk->inet_saddr,
			 sk->inet_num);
	return 0;
}

/* ---- connect, listen, accept ---- */

static int inet_dgram_connect(struct socket *sock, const struct sock_addr *addr, bool resumed)
{
	struct sock *sk = sock->sk;

	(void)resumed;
	if (addr->family == AF_UNSPEC)
		return sk->prot->disconnect(sk);
	if (inet_autobind(sk))
		return -EAGAIN;
	return sk->prot->connect(sk, addr);
}

/* The state machine of __inet_stream_connect; -EINPROGRESS or -EALREADY: a call that may block
 * waits. */
static int __inet_stream_connect(struct socket *sock, const struct sock_addr *addr, bool resumed,
				 bool is_sendmsg)
{
	struct sock *sk = sock->sk;
	int err = -EINPROGRESS;

	if (!resumed && addr && addr->family == AF_UNSPEC) {
		err = sk->prot->disconnect(sk);
		sock->file.sock_state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
		return err;
	}
	switch (sock->file.sock_state) {
	case SS_CONNECTED:
		return -EISCONN;
	case SS_CONNECTING:
		if (tcp_sk(sk)->defer_connect)
			return is_sendmsg ? -EINPROGRESS : -EISCONN;
		if (!resumed)
			err = -EALREADY;
		break;
	case SS_UNCONNECTED:
		if (sk->sk_state != TCP_CLOSE)
			return -EISCONN;
		if (resumed)
			return -ECONNABORTED;
		if (!addr)
			return -EINVAL;
		err = sk->prot->connect(sk, addr);
		if (err < 0)
			return err;
		sock->file.sock_state = SS_CONNECTING;
		if (tcp_sk(sk)->defer_connect)
			return 0;
		err = -EINPROGRESS;
		break;
	default:
		return -EINVAL;
	}
	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return err;
	if (sk->sk_state == TCP_CLOSE) {
		err = sock_error(sk);
		sock->file.sock_state = SS_UNCONNECTED;
		sk->prot->disconnect(sk);
		return err ? err : -ECONNABORTED;
	}
	sock->file.sock_state = SS_CONNECTED;
	return 0;
}

int inet_stream_connect(struct socket *sock, const struct sock_addr *addr, bool resumed)
{
	return __inet_stream_connect(sock, addr, resumed, false);
}

/*
 * The part of tcp_sendmsg_locked() and tcp_sendmsg_fastopen() that opens the connection with the
 * send (RFC 7413 4.2.1): MSG_FASTOPEN, or the first send after a connect() that waits for it. What
 * fits into the SYN counts as done. 0: the connection stands; -EINPROGRESS: not yet.
 */
static int sendmsg_fastopen(struct socket *sock, struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fastopen_request fo = { .cookie.len = 0, .msg = msg };
	struct tcp_rare *rare;
	int err;

	if (msg->connecting)
		return __inet_stream_connect(sock, msg->name, true, true);
	if (!(sk->net->sysctl.tcp_fastopen & TFO_CLIENT_ENABLE) ||
	    (msg->name && msg->name->family == AF_UNSPEC))
		return -EOPNOTSUPP;
	rare = tcp_rare_get(sk);
	if (!rare)
		return -ENOBUFS;
	rare->fastopen_req = &fo;
	if (tp->defer_connect) {
		tp->defer_connect = 0;
		tcp_connect_deferred(sk);
		err = __inet_stream_connect(sock, msg->name, true, true);
	} else {
		err = __inet_stream_connect(sock, msg->name, false, true);
	}
	rare->fastopen_req = NULL;
	msg->done += fo.copied;
	/* Another attempt under way is not waited for. */
	msg->connecting = err == -EINPROGRESS;
	return err;
}

s64 inet_stream_sendmsg(struct socket *sock, struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	int nobufs = tcp_zerocopy_begin(sk, msg);

	if (nobufs)
		return nobufs;
	if (msg->connecting || msg->flags & MSG_FASTOPEN ||
	    (sk->sk_state == TCP_SYN_SENT && tcp_sk(sk)->defer_connect)) {
		int err = sendmsg_fastopen(sock, msg);

		if (err)
			return err;
		msg->connecting = false;
		msg->flags &= ~(u32)MSG_FASTOPEN;
		if (msg->done == msg->len)
			return msg->done;
	}
	return sk->prot->sendmsg(sk, msg);
}

/* net.ipv4.tcp_fastopen may turn fast open on for every listener. */
static int listen_fastopen(struct sock *sk, u32 backlog)
{
	s32 mode = sk->net->sysctl.tcp_fastopen;

	if (!(mode & TFO_SERVER_WO_SOCKOPT1) || !(mode & TFO_SERVER_ENABLE) ||
	    inet_csk(sk)->icsk_accept_queue->fastopenq.max_qlen)
		return 0;
	tcp_fastopen_init_key_once(sk->net);
	return tcp_fastopen_queue_tune(sk, (s32)min_u32(backlog, INT32_MAX));
}

int inet_listen(struct socket *sock, u32 backlog)
{
	struct sock *sk = sock->sk;

	if (sock->file.sock_state != SS_UNCONNECTED || sock->file.sock_type != SOCK_STREAM)
		return -EINVAL;
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
		return -EINVAL;
	if (inet_autobind(sk))
		return -EADDRINUSE;
	if (sk->sk_state == TCP_CLOSE && listen_fastopen(sk, backlog))
		return -ENOMEM;
	return sk->prot->listen(sk, min_u32(backlog, (u32)sk->net->sysctl.core_somaxconn));
}

int inet_accept(struct socket *sock, struct socket *newsock)
{
	int err = -EINVAL;
	struct sock *sk = sock->sk->prot->accept(sock->sk, &err);

	if (!sk)
		return err;
	newsock->file.sock_type = sock->file.sock_type;
	newsock->file.ops = sock->file.ops;
	newsock->file.sock_state = SS_CONNECTED;
	sock_graft(sk, newsock);
	return 0;
}

static int sock_no_listen(struct socket *sock, u32 backlog)
{
	(void)sock;
	(void)backlog;
	return -EOPNOTSUPP;
}

static int sock_no_accept(struct socket *sock, struct socket *newsock)
{
	(void)sock;
	(void)newsock;
	return -EOPNOTSUPP;
}

int inet_shutdown(struct socket *sock, u32 how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how > SHUT_RDWR)
		return -EINVAL;
	how++; /* RCV_SHUTDOWN, SEND_SHUTDOWN */
	if (sock->file.sock_state == SS_CONNECTING)
		sock->file.sock_state = sk->sk_state == TCP_SYN_SENT ||
							sk->sk_state == TCP_SYN_RECV ||
							sk->sk_state == TCP_CLOSE ?
						SS_DISCONNECTING :
						SS_CONNECTED;
	if (sk->sk_state == TCP_SYN_SENT || (sk->sk_state == TCP_LISTEN && how & RCV_SHUTDOWN)) {
		err = sk->prot->disconnect(sk);
		sock->file.sock_state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
	} else if (sk->sk_state != TCP_LISTEN) {
		/* An unconnected one is shut down too, and says that it was none. */
		if (sk->sk_state == TCP_CLOSE)
			err = -ENOTCONN;
		sk->sk_shutdown |= how & SHUTDOWN_MASK;
		if (sk->prot->shutdown)
			sk->prot->shutdown(sk, (int)how);
	}
	sk_state_change(sk);
	return err;
}

/* ---- data, options ---- */

int inet_send_prepare(struct socket *sock)
{
	return sock->sk->prot->no_autobind ? 0 : inet_autobind(sock->sk);
}

s64 inet_sendmsg(struct socket *sock, struct msghdr *msg)
{
	return sock->sk->prot->sendmsg(sock->sk, msg);
}

s64 inet_recvmsg(struct socket *sock, struct msghdr *msg)
{
	return sock->sk->prot->recvmsg(sock->sk, msg);
}

u32 inet_poll(struct socket *sock, u32 f_flags)
{
	return sock->sk->prot->poll(sock->sk, f_flags);
}

int inet_ioctl(struct socket *sock, u32 cmd, s64 *value)
{
	if (!sock->sk->prot->ioctl)
		return -ENOTTY;
	return sock->sk->prot->ioctl(sock->sk, cmd, value);
}

static int inet_setsockopt(struct socket *sock, u32 level, u32 name, const u8 *val, u32 len)
{
	struct sock *sk = sock->sk;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sk, name, val, len);
	if (level == SOL_IP)
		return ip_setsockopt(sk, name, val, len);
	if (!sk->prot->setsockopt)
		return -ENOPROTOOPT;
	return sk->prot->setsockopt(sk, level, name, val, len);
}

static int inet_getsockopt(struct socket *sock, u32 level, u32 name, u8 *val, u32 len)
{
	struct sock *sk = sock->sk;

	if (level == SOL_SOCKET)
		return sock_getsockopt(sk, name, val, len);
	if (level == SOL_IP)
		return ip_getsockopt(sk, name, val, len);
	if (!sk->prot->getsockopt)
		return -ENOPROTOOPT;
	return sk->prot->getsockopt(sk, level, name, val, len);
}

/* ---- birth and end ---- */

void inet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	ip_mc_drop_socket(sk);
	sock->sk = NULL;
	sk->prot->close(sk);
}

static const struct proto_ops inet_dgram_ops = {
	.file = SOCKET_FILE_OPS,
	.family = AF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.accept = sock_no_accept,
	.getname = inet_getname,
	.poll = inet_poll,
	.ioctl = inet_ioctl,
	.listen = sock_no_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.send_prepare = inet_send_prepare,
	.sendmsg = inet_sendmsg,
	.recvmsg = inet_recvmsg,
};

static const struct proto_ops inet_stream_ops = {
	.file = SOCKET_FILE_OPS,
	.family = AF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_stream_connect,
	.accept = inet_accept,
	.getname = inet_getname,
	.poll = inet_poll,
	.ioctl = inet_ioctl,
	.listen = inet_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.send_prepare = inet_send_prepare,
	.sendmsg = inet_stream_sendmsg,
	.recvmsg = inet_recvmsg,
};

/* The first line of a type is what protocol 0 means. */
static const struct inet_protosw {
	u16 type;
	u8 protocol;
	const struct proto *prot;
} inetsw[] = {
	{ SOCK_STREAM, IPPROTO_TCP, &tcp_prot },
	{ SOCK_DGRAM, IPPROTO_UDP, &udp_prot },
};

static const struct proto_ops *ops_of(u32 type)
{
	return type == SOCK_STREAM ? &inet_stream_ops : &inet_dgram_ops;
}

/* What inet_create() sets for every protocol. */
void inet_sock_init(struct sock *sk, struct socket *sock, u8 protocol)
{
	sk->sk_type = (u32)sock->file.sock_type & 15;
	sk->sk_protocol = protocol;
	sk->inet_uc_ttl = -1;
	sk->inet_mc_ttl = 1;
	sk->inet_mc_loop = 1;
	sk->inet_mc_all = true;
	sk->sk_txrehash = sk->net->sysctl.core_txrehash != 0;
	sk->inet_pmtudisc = sk->net->sysctl.ip_no_pmtu_disc ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
}

int inet_create(struct net *net, struct socket *sock, u32 protocol)
{
	const struct inet_protosw *found = NULL;
	int err = -ESOCKTNOSUPPORT;
	struct sock *sk;

	if (protocol > 262) /* IPPROTO_MPTCP, the last one */
		return -EINVAL;
	for (u32 i = 0; i < ARRAY_SIZE(inetsw) && !found; i++) {
		if (inetsw[i].type != sock->file.sock_type)
			continue;
		if (protocol == IPPROTO_IP || protocol == inetsw[i].protocol)
			found = &inetsw[i];
		else
			err = -EPROTONOSUPPORT;
	}
	if (!found)
		return err;
	sk = sk_alloc(net, AF_INET, found->prot, found->prot->obj_size);
	if (!sk)
		return -ENOBUFS;
	sock->file.ops = &ops_of(sock->file.sock_type)->file;
	sock->sk = sk;
	sock_init_data(sock, sk);
	inet_sock_init(sk, sock, found->protocol);
	err = sk->prot->init ? sk->prot->init(sk) : 0;
	if (err) {
		sock_orphan(sk);
		sock_put(sk);
		sock->sk = NULL;
	}
	return err;
}
