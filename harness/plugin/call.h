/* SPDX-License-Identifier: MIT */
/*
 * What the plug-in's entries share: a socket call made and waited for, the system's addresses as
 * ours, errno.
 */
#ifndef TAPLINE_PLUGIN_CALL_H
#define TAPLINE_PLUGIN_CALL_H

#include "plugin/host.h"

#ifdef TAPLINE_PACKETDRILL_HEADER
#include TAPLINE_PACKETDRILL_HEADER
#else
#include "plugin/packetdrill_interface.h"
#endif

#include <pthread.h>
#include <sys/socket.h>

#define PLUGIN_MAX_BYTES (64u << 20)

struct plugin {
	struct plugin_host *host;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a call of another thread has */
	pthread_t main_thread;
};

/* Sets errno and returns -1. */
long plugin_failed(int code);

struct sys_op plugin_op(u32 nr, int fd);

/* Makes the call and waits for its end: what it returned, or -1 with errno. */
long plugin_call(struct plugin *p, struct sys_op *op);

/* An address of the system's as one of ours. */
bool plugin_take_address(struct sys_op *op, const struct sockaddr *addr, socklen_t len);
void plugin_give_address(const struct sys_op *op, void *addr, socklen_t *len);

/* The entries that read and write. */
void plugin_data_entries(struct packetdrill_interface *interface);

#endif
