/* SPDX-License-Identifier: MIT */
/* The plug-in's world: one host on a tun device, as scripts have it. */
#ifndef TAPLINE_PLUGIN_HOST_H
#define TAPLINE_PLUGIN_HOST_H

#include "sut/sut.h"

struct plugin_host;

/*
 * Makes it from "NAME=VALUE,NAME=VALUE": packetdrill's options (ip_version, local_ip, remote_ip,
 * netmask_ip, mtu), seed, and sysctls by their names. NULL, with a message on standard error.
 */
struct plugin_host *plugin_host_new(const char *flags);
void plugin_host_free(struct plugin_host *h);
struct sut *plugin_host_sut(struct plugin_host *h);

/* A packet for the host, now. False: it could not be taken. */
bool plugin_host_send(struct plugin_host *h, const void *bytes, u32 len);

/* The first packet that left the host: its length, and as much as fits; 0: none is here. */
u32 plugin_host_take(struct plugin_host *h, void *bytes, u32 room, u64 *time_ns);

/* Lets the world go on, up to that time or until a packet leaves (`packet`) or a call ends. */
void plugin_host_run(struct plugin_host *h, u64 until_ns, bool packet);
u64 plugin_host_now(const struct plugin_host *h);

#endif
