/* SPDX-License-Identifier: MIT */
/*
 * Ops as what they are to Linux: sysctls in /proc/sys, addresses, routes and qdiscs by iproute2,
 * the card a tun device. All in the network namespace of the thread that asks.
 */
#define _GNU_SOURCE
#include "sut/kernel_host.h"

#include "stack/nic.h"
#include "stack/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 64u
#define TUN	  "tun0"

extern char **environ;

/* Runs a command of words, "ip link set lo up"; -EINVAL when it fails. Its messages are shown. */
__attribute__((format(printf, 1, 2))) static s64 command(const char *format, ...)
{
	char text[1024], *word[WORDS_MAX], *rest = text;
	va_list args;
	size_t n = 0;
	pid_t pid;
	int status;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	while (n < WORDS_MAX - 1 && (word[n] = strtok_r(n ? NULL : text, " ", &rest)))
		n++;
	word[n] = NULL;
	if (posix_spawnp(&pid, word[0], NULL, NULL, word, environ) ||
	    waitpid(pid, &status, 0) != pid)
		return -ENOEXEC;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EINVAL;
}

void kernel_sysctl_path(const char *name, u32 len, char *path, size_t cap)
{
	int n = snprintf(path, cap, "/proc/sys/%.*s", (int)len, name);

	for (int i = (int)strlen("/proc/sys/"); i < n && path[i]; i++)
		if (path[i] == '.')
			path[i] = '/';
}

static s64 set_sysctl(const char *name, u32 name_len, const char *value, u32 len)
{
	char path[256];
	int fd;
	s64 r;

	if (name_len >= 8 && !memcmp(name, "tapline.", 8))
		return 0; /* the other stack's own */
	kernel_sysctl_path(name, name_len, path, sizeof(path));
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	r = write(fd, value, len) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* A namespace takes these over from the machine; here they are what Linux has without a word said.
 */
static s64 make_host(void)
{
	static const struct {
		const char *name, *value;
	} defaults[] = {
		{ "net.ipv4.tcp_congestion_control", "cubic" },
		{ "net.ipv4.tcp_rmem", "4096 131072 6291456" },
		{ "net.ipv4.tcp_wmem", "4096 16384 4194304" },
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (set_sysctl(defaults[i].name, (u32)strlen(defaults[i].name), defaults[i].value,
			       (u32)strlen(defaults[i].value)) < 0)
			fprintf(stderr, "note: %s stays what it is on this machine, not \"%s\"\n",
				defaults[i].name, defaults[i].value);
	return command("ip link set lo up");
}

static s64 tun_offload(int tun, bool on)
{
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	return ioctl(tun, TUNSETOFFLOAD, on ? offload : 0u) < 0 ? -errno : 0;
}

static s64 add_tun(int *tun, const struct op_nic_add *o)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	s64 r;

	if (o->model != NIC_MODEL_TUN)
		return -EOPNOTSUPP;
	memcpy(ifr.ifr_name, TUN, sizeof(TUN));
	*tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*tun < 0 || ioctl(*tun, TUNSETIFF, &ifr) < 0)
		return -errno;
	r = tun_offload(*tun, true);
	if (!r)
		r = command("ip link set " TUN " mtu %llu", (unsigned long long)o->mtu);
	return r;
}

static const char *address_text(struct op_bytes a, char *text)
{
	return inet_ntop(a.len == 16 ? AF_INET6 : AF_INET, a.p, text, INET6_ADDRSTRLEN);
}

static s64 add_address(const struct op_addr_add *o)
{
	char a[INET6_ADDRSTRLEN];

	return command("ip addr add %s/%llu dev " TUN "%s", address_text(o->addr, a),
		       (unsigned long long)o->prefix_len, o->addr.len == 16 ? " nodad" : "");
}

static s64 del_address(const struct op_addr_del *o)
{
	char a[INET6_ADDRSTRLEN];

	return command("ip addr del %s/%llu dev " TUN, address_text(o->addr, a),
		       (unsigned long long)o->prefix_len);
}

static s64 set_link(const struct op_link_set *o)
{
	switch (o->param) {
	case LINK_PARAM_UP:
		return command("ip link set " TUN " %s", o->value ? "up" : "down");
	case LINK_PARAM_MTU:
		return command("ip link set " TUN " mtu %llu", (unsigned long long)o->value);
	case LINK_PARAM_TXQLEN:
		return command("ip link set " TUN " txqueuelen %llu", (unsigned long long)o->value);
	default:
		return -EOPNOTSUPP;
	}
}

static s64 add_route(const struct op_route_add *o)
{
	char a[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], gateway[80] = "", mtu[32] = "";

	if (o->gateway.len)
		snprintf(gateway, sizeof(gateway), " via %s onlink", address_text(o->gateway, via));
	if (o->mtu)
		snprintf(mtu, sizeof(mtu), " mtu %llu", (unsigned long long)o->mtu);
	return command("ip %sroute replace %s/%llu%s dev " TUN "%s", o->dst.len == 16 ? "-6 " : "",
		       address_text(o->dst, a), (unsigned long long)o->prefix_len, gateway, mtu);
}

/* Metrics of OP_ROUTE as words of ip-route. */
static void metric_words(struct op_bytes attrs, char *out, size_t cap)
{
	static const char *const names[] = {
		[RTAX_MTU] = "mtu",	      [RTAX_WINDOW] = "window",
		[RTAX_RTT] = "rtt",	      [RTAX_RTTVAR] = "rttvar",
		[RTAX_SSTHRESH] = "ssthresh", [RTAX_CWND] = "cwnd",
		[RTAX_ADVMSS] = "advmss",     [RTAX_REORDERING] = "reordering",
		[RTAX_HOPLIMIT] = "hoplimit", [RTAX_INITCWND] = "initcwnd",
		[RTAX_FEATURES] = "features", [RTAX_RTO_MIN] = "rto_min",
		[RTAX_INITRWND] = "initrwnd", [RTAX_QUICKACK] = "quickack",
	};
	size_t used = 0;

	out[0] = '\0';
	for (u32 at = 0; at + RTAX_ATTR_LEN <= attrs.len && used < cap; at += RTAX_ATTR_LEN) {
		u32 id = attrs.p[at] & ~RTAX_ATTR_LOCKED, value;
		const char *unit = id == RTAX_RTO_MIN || id == RTAX_RTT ? "ms" : "";

		memcpy(&value, attrs.p + at + 1, 4); /* x86-64 as the rest of Linux's layouts */
		if (id >= sizeof(names) / sizeof(names[0]) || !names[id])
			continue;
		if (id == RTAX_FEATURES)
			used += (size_t)snprintf(out + used, cap - used, " features ecn");
		else
			used += (size_t)snprintf(
				out + used, cap - used, " %s%s %u%s", names[id],
				attrs.p[at] & RTAX_ATTR_LOCKED && id != RTAX_RTO_MIN ? " lock" : "",
				id == RTAX_RTT ? value / 8 : value, unit);
	}
}

static s64 change_route(const struct op_route *o)
{
	static const char *const verbs[ROUTE_VERB_COUNT] = {
		[ROUTE_ADD] = "add",	   [ROUTE_REPLACE] = "replace", [ROUTE_CHANGE] = "change",
		[ROUTE_APPEND] = "append", [ROUTE_PREPEND] = "prepend", [ROUTE_DELETE] = "del",
	};
	char a[INET6_ADDRSTRLEN], metrics[512], via[80] = "", congctl[48] = "";

	if (o->verb >= ROUTE_VERB_COUNT || o->type != RTN_UNICAST)
		return -EOPNOTSUPP;
	metric_words(o->attrs, metrics, sizeof(metrics));
	if (o->nexthops.len >= RTNH_LEN && memcmp(o->nexthops.p + 9, "\0\0\0\0", 4) != 0)
		snprintf(via, sizeof(via), " via %s onlink",
			 inet_ntop(AF_INET, o->nexthops.p + 9, a, sizeof(a)));
	if (o->congctl.len)
		snprintf(congctl, sizeof(congctl), " congctl %.*s", (int)o->congctl.len,
			 (const char *)o->congctl.p);
	return command("ip route %s %s/%llu%s%s%s%s", verbs[o->verb], address_text(o->dst, a),
		       (unsigned long long)o->prefix_len, via, o->nexthops.len ? " dev " TUN : "",
		       metrics, congctl);
}

/* The root qdisc, as it is without options: their binary form is not the kernel's. */
static s64 set_qdisc(const struct op_qdisc *o)
{
	if (o->options.len || !o->kind.len)
		return -EOPNOTSUPP;
	return command("tc qdisc replace dev %.*s root %.*s", (int)o->dev.len,
		       (const char *)o->dev.p, (int)o->kind.len, (const char *)o->kind.p);
}

s64 kernel_host_apply(int *tun, const struct op *op)
{
	char a[INET6_ADDRSTRLEN];

	switch ((enum op_kind)op->kind) {
	case OP_HOST_ADD:
		return make_host();
	case OP_WIRE_ADD:
	case OP_WIRE_SET:
	case OP_WIRE_ATTACH:
	case OP_CHECK:
		return 0;
	case OP_NIC_ADD:
		return add_tun(tun, &op->u.nic_add);
	case OP_NIC_SET:
		return op->u.nic_set.param == NIC_PARAM_TSO ||
				       op->u.nic_set.param == NIC_PARAM_GSO ?
			       tun_offload(*tun, op->u.nic_set.value != 0) :
			       -EOPNOTSUPP;
	case OP_LINK_SET:
		return set_link(&op->u.link_set);
	case OP_ADDR_ADD:
		return add_address(&op->u.addr_add);
	case OP_ADDR_DEL:
		return del_address(&op->u.addr_del);
	case OP_ROUTE_ADD:
		return add_route(&op->u.route_add);
	case OP_ROUTE_DEL:
		return command("ip %sroute del %s/%llu", op->u.route_del.dst.len == 16 ? "-6 " : "",
			       address_text(op->u.route_del.dst, a),
			       (unsigned long long)op->u.route_del.prefix_len);
	case OP_ROUTE:
		return change_route(&op->u.route);
	case OP_SYSCTL:
		return set_sysctl((const char *)op->u.sysctl.name.p, op->u.sysctl.name.len,
				  (const char *)op->u.sysctl.value.p, op->u.sysctl.value.len);
	case OP_TCP_METRICS_FLUSH:
		return command("ip tcp_metrics flush %s",
			       op->u.tcp_metrics_flush.addr.len ?
				       address_text(op->u.tcp_metrics_flush.addr, a) :
				       "all");
	case OP_QDISC:
		return set_qdisc(&op->u.qdisc);
	default:
		return -EOPNOTSUPP;
	}
}
