/* SPDX-License-Identifier: MIT */
/*
 * A bulk transfer between two hosts whose wire hands frames over at once, with the cards cutting
 * and summing and without: where frames are written by the sender into the receiver's buffers in
 * one go and hung into one packet there, and where a listener keeps them from it, the same bytes
 * arrive at the same instant, and all is counted alike; also when frames are lost, the ring is too
 * small for them, the partner asks for silence, or a descriptor names no memory.
 */
#include "stack/socket/sock_world.h"

#include "kernel/mem.h"
#include "kernel/world.h"

#define BYTES (1u << 20)
#define CHUNK 50000u

struct outcome {
	u64 hash, now, sent, received, segments, csum_errors, missed, packets;
};

/* What goes wrong, before each call of the sender. */
enum trouble { NONE, LOST, SMALL_RING, PAUSE, BAD_DESCRIPTOR, TROUBLES };

static u64 records;

static void count_record(void *ctx, const struct trace_record *rec)
{
	(void)ctx;
	(void)rec;
	records++;
}

static const struct world_ops listening = { .trace = count_record };

static u64 value(u32 host, const char *name)
{
	u64 v = 0;

	assert_true(counter_get(w, host, name, &v));
	return v;
}

static void nic_set_one(u32 host, u32 param, u64 value)
{
	struct op op = { .kind = OP_NIC_SET };

	op.u.nic_set.host = host;
	op.u.nic_set.ifindex = 2;
	op.u.nic_set.param = param;
	op.u.nic_set.value = value;
	assert_int_equal(apply(&op), 0);
}

static void nic_set(u32 param)
{
	for (u32 host = 0; host < 2; host++)
		nic_set_one(host, param, 1);
}

static void lose_frames(u64 n)
{
	struct op op = { .kind = OP_WIRE_SET };

	op.u.wire_set.param = WIRE_PARAM_DROP_NEXT;
	op.u.wire_set.value = n;
	assert_int_equal(apply(&op), 0);
}

static void prepare(enum trouble trouble)
{
	if (trouble == SMALL_RING)
		nic_set_one(1, NIC_PARAM_RX_RING, 16);
	if (trouble != PAUSE)
		return;
	nic_set_one(1, NIC_PARAM_RX_RING, 64);
	nic_set_one(0, NIC_PARAM_RX_PAUSE, 1);
	nic_set_one(1, NIC_PARAM_TX_PAUSE, 1);
}

static void disturb(enum trouble trouble)
{
	if (trouble == LOST)
		lose_frames(2);
	if (trouble == BAD_DESCRIPTOR)
		nic_set_one(0, NIC_PARAM_TX_BAD_DESC, 1);
}

static s32 stream(u32 host)
{
	struct sys_op op = call_of(host, SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM;
	return (s32)finish(&op);
}

/* Runs the world until the call is through. */
static s64 await(struct sys_op *op)
{
	submit(op);
	while (!op->completed)
		assert_true(world_step(w));
	return op->ret;
}

static void connected(s32 fd[2])
{
	s32 listener = stream(1);
	struct sys_op op = call_of(0, SYS_CONNECT, 0);

	assert_int_equal(t_bind(1, listener, any_addr, 80), 0);
	assert_int_equal(t_call(1, SYS_LISTEN, listener, 1), 0);
	op.fd = fd[0] = stream(0);
	op.has_addr = true;
	op.addr = sa(host_addr[1], 80);
	assert_int_equal(await(&op), 0);
	op = call_of(1, SYS_ACCEPT, listener);
	fd[1] = (s32)await(&op);
	assert_true(fd[1] >= 0);
}

static u64 transfer(const s32 fd[2], enum trouble trouble)
{
	static u8 out[CHUNK], in[CHUNK];
	u64 hash = 0;
	u32 got = 0;

	for (u32 sent = 0; sent < BYTES;) {
		struct sys_op tx = call_of(0, SYS_SENDMSG, fd[0]);
		u32 len = BYTES - sent < CHUNK ? BYTES - sent : CHUNK;

		for (u32 i = 0; i < len; i++)
			out[i] = (u8)((sent + i) * 7 + (sent + i) / 251);
		disturb(trouble);
		tx.data = out;
		tx.data_len = len;
		assert_int_equal(await(&tx), len);
		sent += len;
		while (got < sent) {
			struct sys_op rx = call_of(1, SYS_RECVMSG, fd[1]);
			s64 n;

			rx.data = in;
			rx.data_len = CHUNK;
			n = await(&rx);
			assert_true(n > 0);
			for (s64 i = 0; i < n; i++, got++) {
				assert_int_equal(in[i], (u8)(got * 7 + got / 251));
				hash = hash * 31 + in[i];
			}
		}
	}
	return hash;
}

static void two_hosts(bool listen)
{
	struct world_config config = { .seed = 7, .check_events = true };
	struct op op = { .kind = OP_WIRE_ADD };

	arena = aligned_alloc(64, ARENA);
	assert_non_null(arena);
	w = world_create(arena, ARENA, &config, listen ? &listening : NULL, NULL);
	assert_non_null(w);
	assert_int_equal(apply(&op), 0);
	world_add_host(0);
	world_add_host(1);
	if (listen)
		world_trace(w, UINT64_MAX);
}

static struct outcome run(bool listen, bool offload, enum trouble trouble)
{
	struct outcome o;
	s32 fd[2];

	two_hosts(listen);
	nic_set(NIC_PARAM_RX_CSUM);
	if (offload) {
		nic_set(NIC_PARAM_TX_CSUM);
		nic_set(NIC_PARAM_TSO);
	}
	prepare(trouble);
	connected(fd);
	o.hash = transfer(fd, trouble);
	o.now = world_now(w);
	o.sent = value(0, "eth0.tx_packets");
	o.received = value(1, "eth0.rx_packets");
	o.segments = value(1, "TcpInSegs");
	o.csum_errors = value(1, "TcpInCsumErrors");
	o.missed = value(1, "eth0.rx_dropped");
	o.packets = w->skb_count;
	sock_world_teardown(NULL);
	return o;
}

static void compare(bool offload, enum trouble trouble)
{
	struct outcome lent, copied;

	records = 0;
	lent = run(false, offload, trouble);
	assert_int_equal(records, 0);
	copied = run(true, offload, trouble);
	assert_true(records > 1000);
	assert_memory_equal(&lent, &copied, sizeof(lent));
	assert_true(lent.received >= BYTES / 1448);
	assert_int_equal(lent.csum_errors, 0);
}

static void same_with_a_listener(void **state)
{
	(void)state;
	for (u32 offload = 0; offload < 2; offload++)
		for (u32 trouble = NONE; trouble < TROUBLES; trouble++)
			compare(offload, trouble);
}

/* Frames that go on with a held packet take no sk_buff of their own. */
static void frames_become_frags(void **state)
{
	static u8 out[20000];
	s32 fd[2];
	u64 before;

	(void)state;
	two_hosts(false);
	nic_set(NIC_PARAM_RX_CSUM);
	nic_set(NIC_PARAM_TX_CSUM);
	nic_set(NIC_PARAM_TSO);
	connected(fd);
	before = mem_count(w, MEM_SKB);
	for (u32 i = 0; i < 2; i++) {
		struct sys_op tx = call_of(0, SYS_SENDMSG, fd[0]);

		tx.data = out;
		tx.data_len = sizeof(out);
		assert_int_equal(await(&tx), sizeof(out));
		run_for(NSEC_PER_MSEC);
	}
	/* Of 28 segments; they wait to be read, all acknowledged. */
	assert_in_range(mem_count(w, MEM_SKB) - before, 1, 14);
	sock_world_teardown(NULL);
}

/* A buffer that the device may not write to is not asked for before the frame is there. */
static void refused_once(void **state)
{
	s32 fd;

	(void)state;
	two_hosts(false);
	nic_set_one(1, NIC_PARAM_DMA_STRICT, 1);
	nic_set_one(1, NIC_PARAM_SCRIBBLE, 0); /* the address of the first one */
	fd = t_socket(0, 0);
	assert_int_equal(t_sendto(0, fd, "x", 1, 0, host_addr[1], 7), 1);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(value(1, "eth0.hw_rx_bad_descriptor"), 1);
	assert_int_equal(value(1, "eth0.dma_faults"), 1);
	sock_world_teardown(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_with_a_listener),
		cmocka_unit_test(frames_become_frags),
		cmocka_unit_test(refused_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
