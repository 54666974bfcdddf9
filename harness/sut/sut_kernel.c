/* SPDX-License-Identifier: MIT */
/*
 * The Linux kernel of this machine as the stack under test: a network namespace of its own, a tun
 * device whose other end is the free end of the wire, real time. It is what a script is held
 * against when nobody is sure what Linux does; nothing of it is deterministic, and no suite that
 * must pass runs on it.
 *
 * Invariants: only the namespace that create() made is touched; a call that may wait runs in a
 * thread of its own, and every callback comes from the thread that runs the world.
 */
#define _GNU_SOURCE
#include "sut/sut.h"

#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "sut/kernel_call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a front end lets pass on virtual time before it begins is no time here. */
#define BOOT_NS	    10000000000ull
#define PATIENCE_NS 2000000 /* for a call that does not wait: it is done when submit() returns */
#define FRAME_MAX   (1u << 17)
#define WORDS_MAX   64u
#define TUN	    "tun0"

struct job {
	struct job *next;
	struct kernel *kernel;
	struct sys_op *op;
	pthread_t thread;
	s64 ret;
	atomic_bool finished;
};

struct kernel {
	struct sut sut;
	const struct world_ops *callbacks;
	void *ctx;
	int home; /* the namespace that the thread came from */
	int tun, wake; /* the device; what a finished job writes to */
	u64 base; /* the machine's clock when the world's showed BOOT_NS */
	u64 epoch; /* wall time when it showed 0 */
	bool stopped;
	struct job *jobs;
	u8 frame[FRAME_MAX];
};

static struct kernel *self(const struct sut *s)
{
	return (struct kernel *)(void *)(uintptr_t)s;
}

static u64 clock_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static u64 kernel_now(const struct sut *s)
{
	return clock_ns(CLOCK_MONOTONIC) - self(s)->base + BOOT_NS;
}

/* ---- the host ---- */

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

static void sysctl_path(const char *name, u32 len, char *path, size_t cap)
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
	sysctl_path(name, name_len, path, sizeof(path));
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

static s64 tun_offload(const struct kernel *k, bool on)
{
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	return ioctl(k->tun, TUNSETOFFLOAD, on ? offload : 0u) < 0 ? -errno : 0;
}

static s64 add_tun(struct kernel *k, const struct op_nic_add *o)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	s64 r;

	if (o->model != NIC_MODEL_TUN)
		return -EOPNOTSUPP;
	memcpy(ifr.ifr_name, TUN, sizeof(TUN));
	k->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (k->tun < 0 || ioctl(k->tun, TUNSETIFF, &ifr) < 0)
		return -errno;
	r = tun_offload(k, true);
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

static s64 add_route(const struct op_route_add *o, bool remove)
{
	char a[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], gateway[80] = "", mtu[32] = "";
	s64 r;

	if (o->gateway.len)
		snprintf(gateway, sizeof(gateway), " via %s onlink", address_text(o->gateway, via));
	if (o->mtu)
		snprintf(mtu, sizeof(mtu), " mtu %llu", (unsigned long long)o->mtu);
	r = command("ip %sroute %s %s/%llu%s dev " TUN "%s", o->dst.len == 16 ? "-6 " : "",
		    remove ? "del" : "replace", address_text(o->dst, a),
		    (unsigned long long)o->prefix_len, gateway, mtu);
	return r;
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
	for (u32 at = 0; at + RTAX_ATTR_LEN <= attrs.len; at += RTAX_ATTR_LEN) {
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

static s64 inject(struct kernel *k, struct op_bytes bytes)
{
	if (k->callbacks->capture)
		k->callbacks->capture(k->ctx, CAPTURE_WIRE, 0, 1, bytes.p, bytes.len);
	memset(k->frame, 0, sizeof(struct virtio_net_hdr));
	memcpy(k->frame + sizeof(struct virtio_net_hdr), bytes.p, bytes.len);
	return write(k->tun, k->frame, sizeof(struct virtio_net_hdr) + bytes.len) < 0 ? -errno : 0;
}

static s64 kernel_apply(struct sut *s, const struct op *op)
{
	struct kernel *k = self(s);
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
		return add_tun(k, &op->u.nic_add);
	case OP_NIC_SET:
		return op->u.nic_set.param == NIC_PARAM_TSO ||
				       op->u.nic_set.param == NIC_PARAM_GSO ?
			       tun_offload(k, op->u.nic_set.value != 0) :
			       -EOPNOTSUPP;
	case OP_LINK_SET:
		return command("ip link set " TUN " up");
	case OP_ADDR_ADD:
		return add_address(&op->u.addr_add);
	case OP_ROUTE_ADD:
		return add_route(&op->u.route_add, false);
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
	case OP_FRAME:
		return inject(k, op->u.frame.bytes);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- calls ---- */

static void *work(void *arg)
{
	struct job *job = arg;
	u64 one = 1;

	job->ret = kernel_call(job->op, job->kernel->epoch);
	atomic_store(&job->finished, true);
	(void)!write(job->kernel->wake, &one, sizeof(one));
	return NULL;
}

static void complete(struct sys_op *op, s64 ret)
{
	op->ret = ret;
	op->completed = true;
	if (op->done)
		op->done(op);
}

/* Completes the calls that have returned. */
static void reap(struct kernel *k)
{
	for (struct job **at = &k->jobs; *at;) {
		struct job *job = *at;

		if (!atomic_load(&job->finished)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		(void)pthread_join(job->thread, NULL);
		complete(job->op, job->ret);
		free(job);
		at = &k->jobs; /* the callback may have submitted others */
	}
}

static int kernel_submit(struct sut *s, struct sys_op *op)
{
	struct kernel *k = self(s);
	struct pollfd wake = { .fd = k->wake, .events = POLLIN };
	const struct timespec patience = { .tv_nsec = PATIENCE_NS };
	struct job *job;

	op->completed = false;
	if (op->nr >= SYS_NR_COUNT)
		return -EINVAL;
	if (!kernel_call_may_block(op)) {
		complete(op, kernel_call(op, k->epoch));
		return 0;
	}
	job = calloc(1, sizeof(*job));
	if (!job)
		abort();
	job->kernel = k;
	job->op = op;
	if (pthread_create(&job->thread, NULL, work, job))
		abort();
	job->next = k->jobs;
	k->jobs = job;
	(void)ppoll(&wake, 1, &patience, NULL);
	reap(k);
	return 0;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void kernel_cancel(struct sut *s, struct sys_op *op)
{
	struct kernel *k = self(s);
	const struct sigaction action = { .sa_handler = on_signal };
	const struct timespec moment = { .tv_nsec = 100000 };

	(void)sigaction(SIGUSR1, &action, NULL);
	for (struct job *job = k->jobs; job; job = job->next) {
		if (job->op != op)
			continue;
		/* A signal that comes before the call waits is lost: again. */
		while (!atomic_load(&job->finished)) {
			(void)pthread_kill(job->thread, SIGUSR1);
			(void)nanosleep(&moment, NULL);
		}
		break;
	}
	reap(k);
}

/* ---- time ---- */

/* RFC 1071, of what the kernel left to the card. */
static void finish_checksum(const struct virtio_net_hdr *h, u8 *packet, u32 len)
{
	u32 at = h->csum_start, place = at + h->csum_offset;
	u64 sum = 0;

	if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || place + 2 > len)
		return;
	for (; at + 1 < len; at += 2)
		sum += (u32)packet[at] << 8 | packet[at + 1];
	if (at < len)
		sum += (u32)packet[at] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	packet[place] = (u8)(~sum >> 8);
	packet[place + 1] = (u8)~sum;
}

/* Neighbours and groups are no subject of a script on a tun device. */
static bool is_housekeeping(const u8 *packet, u32 len)
{
	u8 next, type;

	if (len < 48 || packet[0] >> 4 != 6)
		return false;
	next = packet[6];
	type = packet[next ? 40 : 48];
	return (next == 58 && packet[40] >= 130 && packet[40] <= 143) || (!next && type);
}

static void take_frames(struct kernel *k)
{
	const u32 head = sizeof(struct virtio_net_hdr);
	struct virtio_net_hdr h;
	ssize_t n;

	while (!k->stopped && k->tun >= 0 && (n = read(k->tun, k->frame, FRAME_MAX)) > 0) {
		u32 len = (u32)n - head;

		if ((u32)n <= head)
			continue;
		memcpy(&h, k->frame, head);
		finish_checksum(&h, k->frame + head, len);
		if (is_housekeeping(k->frame + head, len))
			continue;
		if (k->callbacks->capture)
			k->callbacks->capture(k->ctx, CAPTURE_WIRE, 0, 0, k->frame + head, len);
		k->callbacks->wire_rx(k->ctx, 0, 1, k->frame + head, len);
	}
}

static enum world_stop kernel_run(struct sut *s, u64 until_ns)
{
	struct kernel *k = self(s);

	k->stopped = false;
	for (;;) {
		struct pollfd fds[] = { { .fd = k->wake, .events = POLLIN },
					{ .fd = k->tun, .events = POLLIN } };
		u64 now, wake;
		struct timespec rest;

		(void)!read(k->wake, &wake, sizeof(wake));
		reap(k);
		take_frames(k);
		if (k->stopped)
			return WORLD_STOPPED;
		now = kernel_now(s);
		if (now >= until_ns)
			return WORLD_TIME;
		rest.tv_sec = (time_t)((until_ns - now) / 1000000000);
		rest.tv_nsec = (long)((until_ns - now) % 1000000000);
		(void)ppoll(fds, 2, &rest, NULL);
	}
}

static bool kernel_step(struct sut *s)
{
	(void)kernel_run(s, kernel_now(s));
	return false;
}

static void kernel_stop(struct sut *s)
{
	self(s)->stopped = true;
}

static u64 kernel_next_event(const struct sut *s)
{
	(void)s;
	return TIME_NEVER;
}

/* ---- what can be read ---- */

static s32 read_file(const char *path, char *out, u32 cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0;
	u32 len = 0;

	if (fd < 0)
		return -errno;
	while (len + 1 < cap && (n = read(fd, out + len, cap - len - 1)) > 0)
		len += (u32)n;
	close(fd);
	out[len] = '\0';
	return (s32)len;
}

static s32 kernel_sysctl(const struct sut *s, u32 host, const char *name, char *out, u32 cap)
{
	char path[256];
	s32 n;

	(void)s;
	(void)host;
	sysctl_path(name, (u32)strlen(name), path, sizeof(path));
	n = read_file(path, out, cap);
	if (n > 0 && out[n - 1] == '\n')
		out[--n] = '\0';
	return n;
}

static void kernel_sysctls(const struct sut *s, u32 host, void (*fn)(void *ctx, const char *name),
			   void *ctx)
{
	(void)s;
	(void)host;
	(void)fn;
	(void)ctx;
}

/* /proc/net is that of the process's first thread: this one's is asked for. */
static s32 kernel_proc(const struct sut *s, u32 host, const char *path, char *out, u32 cap)
{
	char full[256];

	(void)s;
	(void)host;
	snprintf(full, sizeof(full), "/proc/%s%s", strncmp(path, "net/", 4) ? "" : "thread-self/",
		 path);
	return read_file(full, out, cap);
}

/* The pairs of lines of /proc/net/snmp and netstat: names, then values. */
static void counters_of(const char *path, void (*fn)(void *ctx, const char *name, u64 value),
			void *ctx)
{
	static const u32 cap = 1u << 16;
	char *text = malloc(cap), *rest = text, *names, *values;

	if (!text)
		abort();
	if (read_file(path, text, cap) < 0)
		text[0] = '\0';
	while ((names = strtok_r(rest, "\n", &rest)) && (values = strtok_r(NULL, "\n", &rest))) {
		char *name_rest, *value_rest;
		const char *group = strtok_r(names, ":", &name_rest), *name, *value;

		(void)strtok_r(values, ":", &value_rest);
		while ((name = strtok_r(NULL, " ", &name_rest)) &&
		       (value = strtok_r(NULL, " ", &value_rest))) {
			char full[96];

			snprintf(full, sizeof(full), "%s%s", group, name);
			fn(ctx, full, strtoull(value, NULL, 10));
		}
	}
	free(text);
}

static void kernel_counters(const struct sut *s, u32 host,
			    void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	(void)s;
	(void)host;
	counters_of("/proc/thread-self/net/snmp", fn, ctx);
	counters_of("/proc/thread-self/net/netstat", fn, ctx);
}

struct wanted {
	const char *name;
	u64 *value;
	bool found;
};

static void look(void *ctx, const char *name, u64 value)
{
	struct wanted *w = ctx;

	if (strcmp(name, w->name) != 0)
		return;
	*w->value = value;
	w->found = true;
}

static bool kernel_counter(const struct sut *s, u32 host, const char *name, u64 *value)
{
	struct wanted w = { name, value, false };

	kernel_counters(s, host, look, &w);
	return w.found;
}

static void kernel_check(struct sut *s, u32 level)
{
	(void)s;
	(void)level;
}

static void kernel_trace(struct sut *s, u64 mask)
{
	(void)s;
	(void)mask;
}

static u64 kernel_digest(const struct sut *s)
{
	(void)s;
	return 0;
}

static void kernel_digest_add(struct sut *s, const void *bytes, u32 len)
{
	(void)s;
	(void)bytes;
	(void)len;
}

static void kernel_memory(const struct sut *s, struct world_memory *out)
{
	(void)s;
	memset(out, 0, sizeof(*out));
}

static bool kernel_has(const struct sut *s, const char *extra)
{
	(void)s;
	return !strcmp(extra, "proc");
}

/* ---- beginning and end ---- */

static void kernel_destroy(struct sut *s, struct world_leaks *leaks)
{
	struct kernel *k = self(s);

	while (k->jobs)
		kernel_cancel(s, k->jobs->op);
	if (leaks)
		memset(leaks, 0, sizeof(*leaks));
	if (k->tun >= 0)
		close(k->tun);
	if (setns(k->home, CLONE_NEWNET) < 0)
		abort();
	close(k->home);
	close(k->wake);
	free(k);
}

static struct sut *kernel_create(const struct world_config *config,
				 const struct world_ops *callbacks, void *ctx)
{
	struct kernel *k = calloc(1, sizeof(*k));

	(void)config;
	if (!k)
		return NULL;
	*k = (struct kernel){ .sut.ops = &sut_kernel, .callbacks = callbacks, .ctx = ctx };
	k->tun = -1;
	k->base = clock_ns(CLOCK_MONOTONIC);
	k->epoch = clock_ns(CLOCK_REALTIME) - BOOT_NS;
	k->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	k->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (k->home >= 0 && k->wake >= 0 && !unshare(CLONE_NEWNET))
		return &k->sut;
	if (k->home >= 0)
		close(k->home);
	if (k->wake >= 0)
		close(k->wake);
	free(k);
	return NULL;
}

const struct sut_ops sut_kernel = {
	.name = "kernel",
	.create = kernel_create,
	.destroy = kernel_destroy,
	.apply = kernel_apply,
	.submit = kernel_submit,
	.cancel = kernel_cancel,
	.run = kernel_run,
	.step = kernel_step,
	.stop = kernel_stop,
	.now = kernel_now,
	.next_event = kernel_next_event,
	.counter = kernel_counter,
	.counters = kernel_counters,
	.sysctl = kernel_sysctl,
	.sysctls = kernel_sysctls,
	.proc = kernel_proc,
	.check = kernel_check,
	.trace = kernel_trace,
	.digest = kernel_digest,
	.digest_add = kernel_digest_add,
	.memory = kernel_memory,
	.has = kernel_has,
};
