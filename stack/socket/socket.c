/* SPDX-License-Identifier: MIT */
/*
 * struct socket: between descriptors and protocols (net/socket.c), boot and end of the socket
 * layer.
 *
 * Invariants: a socket that is a file lives as long as that has references; sock->sk->socket is the
 * socket from creation to release.
 */
#include "socket/socket.h"

#include "socket/sys.h"

u32 sock_poll(struct file *f)
{
	return sock_ops(SOCKET_I(f))->poll(SOCKET_I(f), f->f_flags);
}

struct wait_queue_head *sock_wait_queue(struct file *f)
{
	return &SOCKET_I(f)->sk->wq;
}

void sock_close(struct host *h, struct file *f)
{
	mem_uncharge(h->world, MEM_FILE);
	sock_release(SOCKET_I(f));
}

static bool is_socket(const struct file *f)
{
	return f->ops->release == sock_close;
}

struct socket *sock_alloc(struct host *h)
{
	struct socket *sock = mem_zalloc(h->world, MEM_SOCKET, sizeof(*sock));

	if (sock)
		sock->file.sock_state = SS_UNCONNECTED;
	return sock;
}

void sock_free(struct host *h, struct socket *sock)
{
	mem_free(h->world, MEM_SOCKET, sock, sizeof(*sock));
}

void sock_release(struct socket *sock)
{
	struct host *h = sock->sk->net->host;

	ASSERT(!sock->file.refs);
	sock_ops(sock)->release(sock);
	sock_free(h, sock);
}

int sock_map_fd(struct host *h, struct socket *sock, u32 flags)
{
	int fd;

	if (!mem_charge(h->world, MEM_FILE))
		return -ENOMEM;
	sock->file.refs = 1;
	sock->file.f_flags = flags & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	fd = fd_install(h, &sock->file);
	if (fd < 0) {
		sock->file.refs = 0;
		mem_uncharge(h->world, MEM_FILE);
	}
	return fd;
}

int sock_create_fd(struct net *net, u32 family, u32 type, u32 protocol)
{
	struct host *h = net->host;
	u32 flags = type & ~(u32)SOCK_TYPE_MASK;
	net_proto_family_fn create;
	struct socket *sock;
	int ret;

	if (flags & ~(u32)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	type &= SOCK_TYPE_MASK;
	if (family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type > 10)
		return -EINVAL;
	create = h->families->create[family];
	if (!create)
		return -EAFNOSUPPORT;
	sock = sock_alloc(h);
	if (!sock)
		return -ENOMEM;
	sock->file.sock_type = (u8)type;
	ret = create(net, sock, protocol);
	if (ret) {
		sock_free(h, sock);
		return ret;
	}
	ret = sock_map_fd(h, sock, flags);
	if (ret < 0)
		sock_release(sock);
	return ret;
}

struct socket *file_socket(struct file *f, int *err)
{
	*err = !f ? -EBADF : !is_socket(f) ? -ENOTSOCK : 0;
	return *err ? NULL : SOCKET_I(f);
}

struct socket *sockfd_lookup(const struct host *h, s32 fd, int *err)
{
	return file_socket(fget(h, fd), err);
}

void sock_graft(struct sock *sk, struct socket *sock)
{
	ASSERT(!sk->socket);
	sock->sk = sk;
	sk->socket = sock;
	sk->sk_flags &= ~SOCK_DEAD;
}

int sock_init(struct host *h)
{
	h->families = mem_zalloc(h->world, MEM_MISC, sizeof(*h->families));
	if (!h->families)
		return -ENOMEM;
	h->families->create[AF_INET] = inet_create;
	h->families->create[AF_INET6] = inet6_create;
	h->families->create[AF_PACKET] = packet_create;
	if (files_init(h)) {
		sock_exit(h);
		return -ENOMEM;
	}
	return 0;
}

void sock_exit(struct host *h)
{
	files_exit(h);
	if (h->families)
		mem_free(h->world, MEM_MISC, h->families, sizeof(*h->families));
	h->families = NULL;
}

void sock_kill_all(struct host *h)
{
	struct files_struct *files = h->files;

	sys_kill_all(h);
	for (u32 fd = 0; fd < files->size; fd++)
		if (files->fd[fd])
			close_fd(h, (s32)fd);
	ASSERT(files->open == 0);
}

void sock_check(struct host *h, u32 level)
{
	const struct files_struct *files = h->files;
	u32 open = 0;

	if (!level)
		return;
	for (u32 fd = 0; fd < files->size; fd++) {
		struct file *f = files->fd[fd];

		if (!f) {
			ASSERT(fd < FIRST_FD || fd >= files->next_fd);
			continue;
		}
		open++;
		ASSERT(f->refs > 0);
		if (is_socket(f))
			ASSERT(SOCKET_I(f)->sk && SOCKET_I(f)->sk->socket == SOCKET_I(f));
	}
	ASSERT(open == files->open);
	packet_check(h);
	sys_check(h);
}
