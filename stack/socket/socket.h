/* SPDX-License-Identifier: MIT */
/*
 * The descriptor side of sockets: files and their numbers, struct socket, the calls of an address
 * family (proto_ops). sys.c drives them for system calls; af_inet.c and af_inet6.c are the
 * families.
 */
#ifndef TAPLINE_SOCKET_SOCKET_H
#define TAPLINE_SOCKET_SOCKET_H

#include "core/sock.h"

#define FIRST_FD 3u /* 0..2 are taken, as in any process */
#define AF_MAX	 46u

enum socket_state { SS_UNCONNECTED = 1, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING };

struct file;

struct file_ops {
	/* POLL* bits that hold now. */
	u32 (*poll)(struct file *f);
	/* What is woken when they may have changed. */
	struct wait_queue_head *(*wait_queue)(struct file *f);
	/* At the last reference: what it is part of is freed. */
	void (*release)(struct host *h, struct file *f);
};

/* An open file: referred to by descriptors and by calls under way. Part of a struct socket or of a
 * struct plain_file. */
struct file {
	const struct file_ops *ops;
	struct hlist_head ep_links; /* epoll items that watch it */
	u32 refs;
	u16 f_flags; /* O_NONBLOCK */
	u8 sock_type, sock_state; /* of a socket: SOCK_*, enum socket_state */
};

/* One that is no socket. */
struct plain_file {
	struct file file;
	void *private;
};

struct files_struct {
	struct file **fd;
	u32 size; /* of fd[] */
	u32 next_fd; /* no lower one is free */
	u32 open;
	struct list_head calls; /* sys_call.pending, in order of submission */
};

/* The file is one as long as it has references: from sock_map_fd() to its release. */
struct socket {
	struct file file; /* first; its ops are those of a struct proto_ops */
	struct sock *sk;
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct socket) <= 32, "a block of 32");

/* Whose name is asked for. An accepted connection has one also when it has been reset meanwhile. */
enum sock_name { SOCK_NAME_OWN, SOCK_NAME_PEER, SOCK_NAME_ACCEPTED };

/* The calls of an address family and type. Where they would block they return -EAGAIN (-EINPROGRESS
 * for connect) after having moved what they could; they are called again when sk->wq was woken. */
struct proto_ops {
	struct file_ops file; /* SOCKET_FILE_OPS */
	u16 family;
	void (*release)(struct socket *sock);
	int (*bind)(struct socket *sock, const struct sock_addr *addr);
	/* resumed: the same call, woken. */
	int (*connect)(struct socket *sock, const struct sock_addr *addr, bool resumed);
	int (*accept)(struct socket *sock, struct socket *newsock);
	int (*getname)(struct socket *sock, struct sock_addr *addr, enum sock_name whose);
	u32 (*poll)(struct socket *sock, u32 f_flags);
	int (*ioctl)(struct socket *sock, u32 cmd, s64 *value);
	int (*listen)(struct socket *sock, u32 backlog);
	int (*shutdown)(struct socket *sock, u32 how);
	int (*setsockopt)(struct socket *sock, u32 level, u32 name, const u8 *val, u32 len);
	int (*getsockopt)(struct socket *sock, u32 level, u32 name, u8 *val, u32 len);
	/* Before the first step of a send: errors here never block (autobind). */
	int (*send_prepare)(struct socket *sock);
	s64 (*sendmsg)(struct socket *sock, struct msghdr *msg);
	s64 (*recvmsg)(struct socket *sock, struct msghdr *msg);
};

static inline const struct proto_ops *sock_ops(const struct socket *sock)
{
	return container_of(sock->file.ops, const struct proto_ops, file);
}

typedef int (*net_proto_family_fn)(struct net *net, struct socket *sock, u32 protocol);

struct socket_families {
	net_proto_family_fn create[AF_MAX];
};

/* Boot and end of a host's socket layer; sock_kill_all ends pending calls (EINTR) and closes all
 * descriptors as exit(2) does, before the namespaces go. */
int sock_init(struct host *h);
void sock_exit(struct host *h);
void sock_kill_all(struct host *h);
/* Panics when descriptors, files, sockets and calls do not agree. */
void sock_check(struct host *h, u32 level);

/* ---- files (file.c) ---- */

int files_init(struct host *h);
void files_exit(struct host *h);
/* One that is no socket. NULL: no memory. One reference, the caller's. */
struct file *alloc_file(struct host *h, const struct file_ops *ops, void *private, u32 f_flags);
/* The memory of such a one. */
void free_file(struct host *h, struct file *f);
static inline void *file_private(const struct file *f)
{
	return container_of(f, const struct plain_file, file)->private;
}
static inline void get_file(struct file *f)
{
	f->refs++;
}
void fput(struct host *h, struct file *f);
/* The lowest free descriptor for f, whose reference it takes. -EMFILE or -ENOMEM: it stays the
 * caller's. */
int fd_install(struct host *h, struct file *f);
/* Without a reference; NULL: none. */
struct file *fget(const struct host *h, s32 fd);
int close_fd(struct host *h, s32 fd);

/* ---- struct socket (socket.c) ---- */

/* socket(2): a descriptor or -errno. */
int sock_create_fd(struct net *net, u32 family, u32 type, u32 protocol);
/* What the file of a socket of any family does. */
u32 sock_poll(struct file *f);
struct wait_queue_head *sock_wait_queue(struct file *f);
void sock_close(struct host *h, struct file *f);
#define SOCKET_FILE_OPS                                \
	{                                              \
		sock_poll, sock_wait_queue, sock_close \
	}
/* The socket that a file is known to be. */
static inline struct socket *SOCKET_I(struct file *f)
{
	return container_of(f, struct socket, file);
}
/* The socket of a descriptor; NULL with *err -EBADF or -ENOTSOCK. */
struct socket *sockfd_lookup(const struct host *h, s32 fd, int *err);
/* The same of a file. */
struct socket *file_socket(struct file *f, int *err);
struct socket *sock_alloc(struct host *h);
/* One that no family has taken on. */
void sock_free(struct host *h, struct socket *sock);
/* Frees a socket that has no file. */
void sock_release(struct socket *sock);
/* A descriptor for it, which owns it from then on. -errno: it is still the caller's. */
int sock_map_fd(struct host *h, struct socket *sock, u32 flags);
/* Joins a socket and a sock that was without one (accept). */
void sock_graft(struct sock *sk, struct socket *sock);

/* ---- af_inet.c, af_inet6.c ---- */

int inet_create(struct net *net, struct socket *sock, u32 protocol);
int inet6_create(struct net *net, struct socket *sock, u32 protocol);

/* ---- af_packet.c ---- */

int packet_create(struct net *net, struct socket *sock, u32 protocol);
/* Follows devices that come and go; after the device layer is up. 0 or -ENOMEM. */
int packet_init(struct host *h);
void packet_check(const struct host *h);

#endif
