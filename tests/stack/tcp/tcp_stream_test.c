/* SPDX-License-Identifier: MIT */
/*
 * Two hosts on a wire: streams both ways arrive whole, in order and to their end, through loss,
 * reordering, duplication, corruption and jitter; both ends finish; nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bytes.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "stack/fault.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/tcp.h"
#include "stack/world.h"

#define ARENA (64u << 20)
#define CHUNK 8192u

static const u8 mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
static const u8 addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };

/* One direction of one connection: its writer and its reader. */
struct flow {
	s32 wfd, rfd;
	u32 whost, rhost;
	u32 total, sent, got;
	u8 salt;
	bool eof, failed, write_over;
	struct sys_op wop, rop;
	u8 wbuf[CHUNK], rbuf[CHUNK];
};

static u8 *arena;
static struct world *w;
static struct flow flows[2];

static u8 byte_at(const struct flow *f, u32 i)
{
	return (u8)(i * 7 + (i >> 8) * 13 + f->salt);
}

static void must(const struct op *op, s64 want)
{
	assert_int_equal(world_apply(w, op), want);
}

static void add_host(u32 i)
{
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	must(&op, i);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.host = i;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ mac[i], 6 };
	must(&op, 2);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.end = i;
	op.u.wire_attach.host = i;
	op.u.wire_attach.ifindex = 2;
	must(&op, 0);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.host = i;
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	must(&op, 0);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.host = i;
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ addr[i], 4 };
	must(&op, 0);
}

static void setup(u64 seed, u64 delay_ns, u64 rate)
{
	struct world_config config = { .seed = seed };
	struct op op = { .kind = OP_WIRE_ADD };

	arena = aligned_alloc(64, ARENA);
	assert_non_null(arena);
	w = world_create(arena, ARENA, &config, NULL, NULL);
	assert_non_null(w);
	op.u.wire_add.delay_ns = delay_ns;
	op.u.wire_add.rate_bps = rate;
	must(&op, 0);
	add_host(0);
	add_host(1);
	memset(flows, 0, sizeof(flows));
}

static void teardown(void)
{
	struct world_leaks leaks;

	world_check(w, 1);
	world_destroy(w, &leaks);
	if (leaks.kind)
		print_error("leak of %s\n", leaks.kind);
	assert_null(leaks.kind);
	assert_int_equal(leaks.timers, 0);
	free(arena);
}

static void wire_param(u32 param, u64 value)
{
	for (u32 end = 0; end < 2; end++) {
		struct op op = { .kind = OP_WIRE_SET };

		op.u.wire_set.end = end;
		op.u.wire_set.param = param;
		op.u.wire_set.value = value;
		must(&op, 0);
	}
}

static void set_sysctl(u32 host, const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.host = host;
	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	must(&op, 0);
}

static u64 counter(u32 host, const char *name)
{
	u64 v = 0;

	assert_true(counter_get(w, host, name, &v));
	return v;
}

/* A call that must come to its end within `ns`. */
static s64 finish(struct sys_op *op, u64 ns)
{
	u64 end = world_now(w) + ns;

	assert_int_equal(sys_submit(w, op), 0);
	while (!op->completed && world_next_event(w) <= end)
		world_step(w);
	assert_true(op->completed);
	return op->ret;
}

static struct sys_op call_of(u32 host, u32 nr, s32 fd)
{
	return (struct sys_op){ .host = host, .nr = nr, .fd = fd, .timeout_ns = TIME_NEVER };
}

static s32 new_socket(u32 host)
{
	struct sys_op op = call_of(host, SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM;
	return (s32)finish(&op, 0);
}

static s64 simple(u32 host, u32 nr, s32 fd, u64 arg0)
{
	struct sys_op op = call_of(host, nr, fd);

	op.arg[0] = arg0;
	return finish(&op, 0);
}

static void set_addr(struct sys_op *op, u32 host, u16 port)
{
	op->has_addr = true;
	op->addr.family = AF_INET;
	op->addr.port = port;
	memcpy(op->addr.addr, addr[host], 4);
}

static s32 listener(u32 host, u16 port)
{
	s32 fd = new_socket(host);
	struct sys_op op = call_of(host, SYS_BIND, fd);

	set_addr(&op, host, port);
	assert_int_equal(finish(&op, 0), 0);
	assert_int_equal(simple(host, SYS_LISTEN, fd, 8), 0);
	return fd;
}

/* A connection from host 0 to host 1; fds of both ends. */
static void establish(s32 fd[2])
{
	s32 l = listener(1, 80);
	struct sys_op op;

	fd[0] = new_socket(0);
	op = call_of(0, SYS_CONNECT, fd[0]);
	set_addr(&op, 1, 80);
	assert_int_equal(finish(&op, 600 * NSEC_PER_SEC), 0);
	op = call_of(1, SYS_ACCEPT, l);
	fd[1] = (s32)finish(&op, 600 * NSEC_PER_SEC);
	assert_true(fd[1] >= 0);
	assert_int_equal(simple(1, SYS_CLOSE, l, 0), 0);
}

/* ---- flows ---- */

static void write_next(struct flow *f);
static void read_next(struct flow *f);

static void wrote(struct sys_op *op)
{
	struct flow *f = op->ctx;

	if (op->nr != SYS_SENDMSG)
		return;
	if (op->ret < 0) {
		f->failed = true;
		return;
	}
	f->sent += (u32)op->ret;
	write_next(f);
}

static void write_next(struct flow *f)
{
	u32 n = f->total - f->sent < CHUNK ? f->total - f->sent : CHUNK;

	f->wop = call_of(f->whost, n ? SYS_SENDMSG : SYS_SHUTDOWN, f->wfd);
	f->wop.ctx = f;
	f->wop.done = wrote;
	for (u32 i = 0; i < n; i++)
		f->wbuf[i] = byte_at(f, f->sent + i);
	f->wop.arg[0] = n ? 0 : SHUT_WR;
	f->wop.data = f->wbuf;
	f->wop.data_len = n;
	f->write_over = n == 0;
	assert_int_equal(sys_submit(w, &f->wop), 0);
}

static void got(struct sys_op *op)
{
	struct flow *f = op->ctx;

	if (op->ret < 0) {
		f->failed = true;
		return;
	}
	for (u32 i = 0; i < (u32)op->ret; i++)
		assert_int_equal(f->rbuf[i], byte_at(f, f->got + i));
	f->got += (u32)op->ret;
	if (op->ret == 0)
		f->eof = true;
	else
		read_next(f);
}

static void read_next(struct flow *f)
{
	f->rop = call_of(f->rhost, SYS_RECVMSG, f->rfd);
	f->rop.ctx = f;
	f->rop.done = got;
	f->rop.data = f->rbuf;
	f->rop.data_len = CHUNK;
	assert_int_equal(sys_submit(w, &f->rop), 0);
}

static void start_flow(struct flow *f, u32 whost, const s32 fd[2], u32 total, u8 salt)
{
	f->whost = whost;
	f->rhost = 1 - whost;
	f->wfd = fd[whost];
	f->rfd = fd[1 - whost];
	f->total = total;
	f->salt = salt;
	read_next(f);
	write_next(f);
}

/* Runs until both flows are at their end, at most `limit` ns; checks along the way. */
static void run_flows(u32 n, u64 limit)
{
	u64 end = world_now(w) + limit;
	u32 steps = 0;

	for (;;) {
		bool over = true;

		for (u32 i = 0; i < n; i++)
			over = over && flows[i].eof;
		if (over || world_next_event(w) > end)
			break;
		world_step(w);
		if (++steps % 4096 == 0)
			world_check(w, 1);
	}
	for (u32 i = 0; i < n; i++) {
		assert_false(flows[i].failed);
		assert_true(flows[i].eof);
		assert_int_equal(flows[i].got, flows[i].total);
	}
}

static void close_both(const s32 fd[2])
{
	assert_int_equal(simple(0, SYS_CLOSE, fd[0], 0), 0);
	assert_int_equal(simple(1, SYS_CLOSE, fd[1], 0), 0);
	assert_int_equal(world_run(w, world_now(w) + 300 * NSEC_PER_SEC), WORLD_TIME);
	assert_int_equal(counter(0, "TcpCurrEstab"), 0);
	assert_int_equal(counter(1, "TcpCurrEstab"), 0);
}

/* ---- tests ---- */

static void one_way(void **state)
{
	s32 fd[2];

	(void)state;
	setup(1, 1000, 10000000000);
	establish(fd);
	start_flow(&flows[0], 0, fd, 4u << 20, 3);
	run_flows(1, 60 * NSEC_PER_SEC);
	/* Nothing was lost: nothing was sent again. */
	assert_int_equal(counter(0, "TcpRetransSegs"), 0);
	/* As in Linux: the reader leaves no page of memory behind that data could use the short way
	 * for; ACKs take it. */
	assert_int_equal(counter(1, "TcpExtTCPHPHits"), 0);
	assert_true(counter(0, "TcpExtTCPHPAcks") > 500);
	close_both(fd);
	teardown();
}

/* A link of 100 Mbit/s and 20 ms: the window opens, and the link is filled. */
static void long_fat(void **state)
{
	s32 fd[2];
	u64 start;

	(void)state;
	setup(2, 10 * NSEC_PER_MSEC, 100000000);
	establish(fd);
	start = world_now(w);
	start_flow(&flows[0], 0, fd, 8u << 20, 3);
	run_flows(1, 60 * NSEC_PER_SEC);
	/* 8 MiB need 0.67 s on the wire; slow start adds some round trips. */
	assert_true(world_now(w) - start < 1200 * NSEC_PER_MSEC);
	close_both(fd);
	teardown();
}

static void both_ways(void **state)
{
	s32 fd[2];

	(void)state;
	setup(3, 500000, 0);
	establish(fd);
	start_flow(&flows[0], 0, fd, 1u << 20, 5);
	start_flow(&flows[1], 1, fd, 700000, 9);
	run_flows(2, 60 * NSEC_PER_SEC);
	close_both(fd);
	teardown();
}

/* What the wire does to frames; all of it, for some seeds. */
static void set_faults(u64 seed, bool on)
{
	wire_param(WIRE_PARAM_LOSS_PPM, on * (seed % 4) * 15000);
	wire_param(WIRE_PARAM_DUPLICATE_PPM, on * (seed / 2 % 3) * 10000);
	wire_param(WIRE_PARAM_REORDER_PPM, on * (seed / 3 % 3) * 20000);
	wire_param(WIRE_PARAM_REORDER_NS, 3000000);
	wire_param(WIRE_PARAM_CORRUPT_PPM, on * (seed / 5 % 3) * 5000);
	wire_param(WIRE_PARAM_JITTER_NS, on * (seed / 7 % 2) * 400000);
	/* A queue that overflows; without a rate there is none. */
	wire_param(WIRE_PARAM_QUEUE_BYTES, on && seed % 3 == 0 ? 12000 : 0);
}

static void know_neighbour(u32 host)
{
	struct op op = { .kind = OP_NEIGH_SET };

	op.u.neigh_set.host = host;
	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = NUD_PERMANENT;
	op.u.neigh_set.addr = (struct op_bytes){ addr[1 - host], 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ mac[1 - host], 6 };
	must(&op, 0);
}

static void faults(u64 seed)
{
	s32 fd[2];

	setup(seed, seed % 3 * 700000, seed % 4 ? 0 : 20000000);
	if (seed % 5 == 0)
		set_sysctl(0, "net.ipv4.tcp_sack", "0");
	if (seed % 7 == 0)
		set_sysctl(1, "net.ipv4.tcp_timestamps", "0");
	if (seed % 6 == 0)
		set_sysctl(1, "net.ipv4.tcp_rmem", "4096 4096 6000");
	if (seed % 11 == 0)
		set_sysctl(0, "net.ipv4.tcp_window_scaling", "0");
	if (seed % 13 == 0)
		set_sysctl(0, "net.ipv4.tcp_wmem", "4096 4608 8192");
	/* Three lost ARP requests in turn would be EHOSTUNREACH: not what is looked at here. */
	know_neighbour(0);
	know_neighbour(1);
	set_faults(seed, true);
	establish(fd);
	start_flow(&flows[0], 0, fd, 150000, (u8)seed);
	start_flow(&flows[1], 1, fd, 90000, (u8)(seed + 1));
	if (seed % 2) {
		/* The wire is whole again: the last timer that it ran up is the bound. */
		assert_int_equal(world_run(w, world_now(w) + seed % 10 * NSEC_PER_SEC), WORLD_TIME);
		set_faults(seed, false);
		run_flows(2, 60 * NSEC_PER_SEC);
	} else {
		run_flows(2, 3600 * NSEC_PER_SEC);
	}
	close_both(fd);
	teardown();
}

/* TAPLINE_SEEDS=FIRST-LAST: others than the usual ones. */
static void many_faults(void **state)
{
	const char *range = getenv("TAPLINE_SEEDS");
	unsigned long first = 1, last = 500;

	(void)state;
	if (range && sscanf(range, "%lu-%lu", &first, &last) != 2)
		fail_msg("TAPLINE_SEEDS: FIRST-LAST, not %s", range);
	for (u64 seed = first; seed <= last; seed++)
		faults(seed);
}

/* Seconds (in ms) that 24 MiB take over 100 Mbit/s and 40 ms with one loss on the way. */
static u64 lossy_transfer(const char *ca)
{
	struct op op = { .kind = OP_WIRE_SET };
	u8 name[16] = { 0 };
	struct sys_op get;
	s32 fd[2];
	u64 start;

	setup(2, 20 * NSEC_PER_MSEC, 100000000);
	set_sysctl(0, "net.ipv4.tcp_congestion_control", ca);
	set_sysctl(0, "net.ipv4.tcp_wmem", "4096 16384 8388608");
	establish(fd);
	get = call_of(0, SYS_GETSOCKOPT, fd[0]);
	get.arg[0] = SOL_TCP;
	get.arg[1] = TCP_CONGESTION;
	get.data = name;
	get.data_len = 16;
	assert_int_equal(finish(&get, 0), 16);
	assert_string_equal((const char *)name, ca);
	start = world_now(w);
	start_flow(&flows[0], 0, fd, 24u << 20, 3);
	while (flows[0].got < 4u << 20)
		world_step(w);
	op.u.wire_set.param = WIRE_PARAM_DROP_NEXT;
	op.u.wire_set.value = 1;
	must(&op, 0);
	run_flows(1, 60 * NSEC_PER_SEC);
	assert_in_range(counter(0, "TcpRetransSegs"), 1, 2);
	assert_int_equal(counter(0, "TcpExtTCPTimeouts"), 0);
	start = world_now(w) - start;
	close_both(fd);
	teardown();
	return start / NSEC_PER_MSEC;
}

/*
 * One loss costs neither much (RFC 9438 5.2, RFC 5681). Small queues keep what the wire has not
 * taken in the socket, so that half of the window fills the pipe still: the two differ by how they
 * start (HyStart leaves early), a few percent.
 */
static void congestion_control(void **state)
{
	u64 reno = lossy_transfer("reno"), cubic = lossy_transfer("cubic");

	(void)state;
	assert_in_range(cubic, 2000, 3000);
	assert_in_range(reno, cubic - cubic / 20, 4000);
}

/* Half close: the other direction goes on (RFC 9293 3.6). */
static void half_close(void **state)
{
	s32 fd[2];

	(void)state;
	setup(4, 100000, 0);
	establish(fd);
	start_flow(&flows[0], 0, fd, 0, 0);
	run_flows(1, NSEC_PER_SEC);
	start_flow(&flows[1], 1, fd, 100000, 4);
	run_flows(2, 60 * NSEC_PER_SEC);
	close_both(fd);
	teardown();
}

/* A reader that sleeps: the window closes, probes keep it alive, it opens again. */
static void zero_window(void **state)
{
	struct flow *f = &flows[0];
	s32 fd[2];

	(void)state;
	setup(5, 100000, 0);
	establish(fd);
	*f = (struct flow){ .whost = 0, .rhost = 1, .wfd = fd[0], .rfd = fd[1], .total = 4u << 20 };
	write_next(f);
	assert_int_equal(world_run(w, world_now(w) + 100 * NSEC_PER_SEC), WORLD_TIME);
	world_check(w, 1);
	assert_true(f->sent < f->total);
	assert_true(counter(0, "TcpExtTCPWinProbe") > 3);
	assert_true(counter(1, "TcpExtTCPToZeroWindowAdv") >= 1);
	read_next(f);
	run_flows(1, 200 * NSEC_PER_SEC);
	close_both(fd);
	teardown();
}

/*
 * The n-th allocation of a whole connection's life is refused, for every n: calls may fail, bytes
 * may not be wrong (got() looks), nothing leaks, nothing hangs for ever.
 */
static bool refused_at(u64 n)
{
	struct op op = { .kind = OP_FAULT };
	struct world_memory mem;
	s32 fd[2];

	setup(6, 100000, 0);
	establish(fd);
	op.u.fault.point = FAULT_ALLOC;
	op.u.fault.skip = n;
	op.u.fault.count = 1 + n % 3;
	must(&op, 0);
	start_flow(&flows[0], 0, fd, 12000, 1);
	start_flow(&flows[1], 1, fd, 5000, 2);
	for (u64 end = world_now(w) + 100 * NSEC_PER_SEC;
	     world_next_event(w) <= end && !(flows[0].eof && flows[1].eof);)
		world_step(w);
	world_check(w, 1);
	for (u32 i = 0; i < 2; i++) {
		if (!flows[i].wop.completed)
			sys_cancel(w, &flows[i].wop);
		if (!flows[i].rop.completed)
			sys_cancel(w, &flows[i].rop);
		assert_true(flows[i].failed || flows[i].eof || flows[1 - i].failed);
	}
	simple(0, SYS_CLOSE, fd[0], 0);
	simple(1, SYS_CLOSE, fd[1], 0);
	assert_int_equal(world_run(w, world_now(w) + 2000 * NSEC_PER_SEC), WORLD_TIME);
	world_memory(w, &mem);
	teardown();
	return mem.failed > 0;
}

static void allocations(void **state)
{
	u64 n = 0;

	(void)state;
	while (refused_at(n))
		n++;
	assert_true(n > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_way),     cmocka_unit_test(both_ways),
		cmocka_unit_test(half_close),  cmocka_unit_test(zero_window),
		cmocka_unit_test(many_faults), cmocka_unit_test(long_fat),
		cmocka_unit_test(allocations), cmocka_unit_test(congestion_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
