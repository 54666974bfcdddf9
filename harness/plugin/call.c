/* SPDX-License-Identifier: MIT */
/*
 * A socket call of the plug-in: made in the host's world, waited for on virtual time.
 *
 * One that blocks moves the clock until it ends when packetdrill's main thread makes it; made by
 * another thread (packetdrill has one for calls that a script marks as blocking) it waits for the
 * main thread to do so.
 *
 * Invariants: one lock is held wherever the world is touched; every call has ended before its
 * buffers are gone.
 */
#include "plugin/call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static void on_done(struct sys_op *op)
{
	struct plugin *p = op->ctx;
	struct sut *s = plugin_host_sut(p->host);

	s->ops->stop(s);
	pthread_cond_broadcast(&p->ended);
}

long plugin_failed(int code)
{
	errno = code;
	return -1;
}

long plugin_call(struct plugin *p, struct sys_op *op)
{
	struct sut *s = plugin_host_sut(p->host);
	int err;

	op->done = on_done;
	op->ctx = p;
	if (op->data_len > PLUGIN_MAX_BYTES)
		return plugin_failed(EINVAL);
	pthread_mutex_lock(&p->lock);
	err = s->ops->submit(s, op);
	if (!err)
		plugin_host_run(p->host, plugin_host_now(p->host), false);
	while (!err && !op->completed) {
		if (!pthread_equal(pthread_self(), p->main_thread)) {
			pthread_cond_wait(&p->ended, &p->lock);
		} else if (s->ops->next_event(s) == TIME_NEVER) {
			s->ops->cancel(s, op); /* nothing can end it any more */
		} else {
			plugin_host_run(p->host, s->ops->next_event(s), false);
		}
	}
	pthread_mutex_unlock(&p->lock);
	if (err || op->ret < 0)
		return plugin_failed(err ? -err : (int)-op->ret);
	return (long)op->ret;
}

struct sys_op plugin_op(u32 nr, int fd)
{
	return (struct sys_op){ .nr = nr, .fd = fd, .timeout_ns = TIME_NEVER };
}

bool plugin_take_address(struct sys_op *op, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (!addr)
		return true;
	if (len < sizeof(addr->sa_family))
		return false;
	op->has_addr = true;
	op->addr.family = addr->sa_family;
	if (addr->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, addr, sizeof(in));
		op->addr.port = ntohs(in.sin_port);
		memcpy(op->addr.addr, &in.sin_addr, 4);
	} else if (addr->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, addr, sizeof(in6));
		op->addr.port = ntohs(in6.sin6_port);
		op->addr.scope_id = in6.sin6_scope_id;
		memcpy(op->addr.addr, &in6.sin6_addr, 16);
	} else if (addr->sa_family != AF_UNSPEC) {
		return false;
	}
	return true;
}

void plugin_give_address(const struct sys_op *op, void *addr, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(op->addr.port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(op->addr.port) };
	bool v6 = op->addr.family == AF_INET6;
	socklen_t size = v6 ? sizeof(in6) : sizeof(in);

	if (!addr || !len)
		return;
	memcpy(&in.sin_addr, op->addr.addr, 4);
	memcpy(&in6.sin6_addr, op->addr.addr, 16);
	in6.sin6_scope_id = op->addr.scope_id;
	memcpy(addr, v6 ? (void *)&in6 : (void *)&in, *len < size ? *len : size);
	*len = size;
}
