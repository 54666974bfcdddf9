/* SPDX-License-Identifier: MIT */
/*
 * The plug-in's entries that read and write: each is sendmsg() or recvmsg() of the host's.
 */
#include "plugin/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t iov_size(const struct iovec *iov, size_t count)
{
	size_t i, sum = 0;

	for (i = 0; i < count && sum <= PLUGIN_MAX_BYTES; i++)
		sum += iov[i].iov_len < PLUGIN_MAX_BYTES ? iov[i].iov_len : PLUGIN_MAX_BYTES + 1;
	return sum;
}

/* Between the pieces and one buffer. */
static void iov_copy(const struct iovec *iov, size_t count, u8 *bytes, size_t len, bool out)
{
	size_t i;

	for (i = 0; i < count && len; i++) {
		size_t n = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (n && out)
			memcpy(iov[i].iov_base, bytes, n);
		else if (n)
			memcpy(bytes, iov[i].iov_base, n);
		bytes += n;
		len -= n;
	}
}

static ssize_t do_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	struct sys_op op = plugin_op(SYS_SENDMSG, fd);
	size_t len = iov_size(msg->msg_iov, msg->msg_iovlen);
	bool one = msg->msg_iovlen == 1;
	ssize_t result;

	if (len > PLUGIN_MAX_BYTES ||
	    !plugin_take_address(&op, msg->msg_name, msg->msg_name ? msg->msg_namelen : 0))
		return plugin_failed(EINVAL);
	op.arg[0] = (u64)flags;
	op.data = one ? msg->msg_iov[0].iov_base : malloc(len + !len);
	op.data_len = (u32)len;
	if (!one && op.data)
		iov_copy(msg->msg_iov, msg->msg_iovlen, op.data, len, false);
	op.control = msg->msg_control;
	op.control_len = msg->msg_control ? (u32)msg->msg_controllen : 0;
	result = plugin_call(userdata, &op);
	if (!one)
		free(op.data);
	return result;
}

static ssize_t do_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	struct sys_op op = plugin_op(SYS_RECVMSG, fd);
	size_t len = iov_size(msg->msg_iov, msg->msg_iovlen);
	u8 *bytes = len > PLUGIN_MAX_BYTES ? NULL : calloc(1, len + !len);
	ssize_t result;

	if (!bytes)
		return plugin_failed(EINVAL);
	op.arg[0] = (u64)flags;
	op.data = bytes;
	op.data_len = (u32)len;
	op.control = msg->msg_control;
	op.control_len = msg->msg_control ? (u32)msg->msg_controllen : 0;
	result = plugin_call(userdata, &op);
	if (result >= 0) {
		iov_copy(msg->msg_iov, msg->msg_iovlen, bytes,
			 (size_t)result < len ? (size_t)result : len, true);
		if (op.addr.family)
			plugin_give_address(&op, msg->msg_name, &msg->msg_namelen);
		msg->msg_controllen = op.control_len;
		msg->msg_flags = (int)op.msg_flags;
	}
	free(bytes);
	return result;
}

static ssize_t do_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
			 const struct sockaddr *addr, socklen_t addrlen)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	const struct msghdr msg = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_name = (void *)(uintptr_t)addr,
				    .msg_namelen = addr ? addrlen : 0 };

	return do_sendmsg(userdata, fd, &msg, flags);
}

static ssize_t do_send(void *userdata, int fd, const void *buf, size_t len, int flags)
{
	return do_sendto(userdata, fd, buf, len, flags, NULL, 0);
}

static ssize_t do_write(void *userdata, int fd, const void *buf, size_t len)
{
	return do_sendto(userdata, fd, buf, len, 0, NULL, 0);
}

static ssize_t do_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
				    .msg_iovlen = count < 0 ? 0 : (size_t)count };

	return do_sendmsg(userdata, fd, &msg, 0);
}

static ssize_t do_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags,
			   struct sockaddr *addr, socklen_t *addrlen)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_name = addr,
			      .msg_namelen = addrlen ? *addrlen : 0 };
	ssize_t result = do_recvmsg(userdata, fd, &msg, flags);

	if (result >= 0 && addrlen)
		*addrlen = msg.msg_namelen;
	return result;
}

static ssize_t do_recv(void *userdata, int fd, void *buf, size_t len, int flags)
{
	return do_recvfrom(userdata, fd, buf, len, flags, NULL, NULL);
}

static ssize_t do_read(void *userdata, int fd, void *buf, size_t len)
{
	return do_recvfrom(userdata, fd, buf, len, 0, NULL, NULL);
}

static ssize_t do_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = count < 0 ? 0 : (size_t)count };

	return do_recvmsg(userdata, fd, &msg, 0);
}

void plugin_data_entries(struct packetdrill_interface *interface)
{
	interface->read = do_read;
	interface->readv = do_readv;
	interface->recv = do_recv;
	interface->recvfrom = do_recvfrom;
	interface->recvmsg = do_recvmsg;
	interface->write = do_write;
	interface->writev = do_writev;
	interface->send = do_send;
	interface->sendto = do_sendto;
	interface->sendmsg = do_sendmsg;
}
