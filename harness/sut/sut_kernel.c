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
#include "sut/kernel_call.h"
#include "sut/kernel_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* What a front end lets pass on virtual time before it begins is no time here. */
#define BOOT_NS	    10000000000ull
#define PATIENCE_NS 2000000 /* for a call that does not wait: it is done when submit() returns */
#define FRAME_MAX   (1u << 17)
#define IP6_HEADER  40u
/* ICMPv6: MLD 130 to 132, neighbour discovery 133 to 137, MLDv2 143 (RFC 4861, RFC 3810). */
#define ICMP6_FIRST_GROUP 130
#define ICMP6_LAST_GROUP  143

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

/* ---- ops ---- */

static s64 inject(struct kernel *k, struct op_bytes bytes)
{
	if (bytes.len > FRAME_MAX - sizeof(struct virtio_net_hdr))
		return -EMSGSIZE;
	if (k->callbacks->capture)
		k->callbacks->capture(k->ctx, CAPTURE_WIRE, 0, 1, bytes.p, bytes.len);
	memset(k->frame, 0, sizeof(struct virtio_net_hdr));
	memcpy(k->frame + sizeof(struct virtio_net_hdr), bytes.p, bytes.len);
	return write(k->tun, k->frame, sizeof(struct virtio_net_hdr) + bytes.len) < 0 ? -errno : 0;
}

static s64 kernel_apply(struct sut *s, const struct op *op)
{
	struct kernel *k = self(s);

	return op->kind == OP_FRAME ? inject(k, op->u.frame.bytes) : kernel_host_apply(&k->tun, op);
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
	u32 at = IP6_HEADER;
	u8 next;

	if (len < IP6_HEADER + 16 || packet[0] >> 4 != 6)
		return false;
	next = packet[6];
	/* RFC 2711: what is for groups has a router alert in front. */
	if (next == IPPROTO_HOPOPTS) {
		next = packet[at];
		at += 8;
	}
	return next == IPPROTO_ICMPV6 && packet[at] >= ICMP6_FIRST_GROUP &&
	       packet[at] <= ICMP6_LAST_GROUP;
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

static s32 kernel_sysctl(const struct sut *s, u32 host, const char *name, char *out, u32 cap)
{
	(void)s;
	(void)host;
	return kernel_view_sysctl(name, out, cap);
}

static void kernel_sysctls(const struct sut *s, u32 host, void (*fn)(void *ctx, const char *name),
			   void *ctx)
{
	(void)s;
	(void)host;
	kernel_view_sysctls(fn, ctx);
}

static s32 kernel_proc(const struct sut *s, u32 host, const char *path, char *out, u32 cap)
{
	(void)s;
	(void)host;
	return kernel_view_proc(path, out, cap);
}

static void kernel_counters(const struct sut *s, u32 host,
			    void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	(void)s;
	(void)host;
	kernel_view_counters(fn, ctx);
}

static bool kernel_counter(const struct sut *s, u32 host, const char *name, u64 *value)
{
	(void)s;
	(void)host;
	return kernel_view_counter(name, value);
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
