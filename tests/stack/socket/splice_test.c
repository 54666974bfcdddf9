/* SPDX-License-Identifier: MIT */
/*
 * splice(2), sendfile(2), and read(2), write(2) of pipes as calls (splice.c): what they count,
 * where they wait and with what they end, who closes what meanwhile. Bytes that a socket does not
 * take stay where they were.
 */
#include "stack/tcp/tcp_world.h"
#include "stack/tcp.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

#define PIPE_LEN	  65536u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE	  4u
#define OFFSET_OF_FILE	  UINT64_MAX

static const u8 mss_opt[8] = { 2, 4, 5, 0xb4, 1, 3, 3, 7 };
static const struct peer opening = {
	.sport = 4000, .dport = 80, .window = 65535, .opts = mss_opt, .opts_len = 8
};
static const struct peer peer = { .sport = 4000, .dport = 80, .window = 65535 };
static u8 bytes[2 * PIPE_LEN], buf[2 * PIPE_LEN];
static u32 first; /* number of the host's first octet */

/* The op of a call that may wait is static: it outlives an assertion that fails meanwhile. */

/* A blocking socket that is connected. */
static s32 connected(void)
{
	s32 listener = t_listener(80, 5), fd;

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 31 + (i >> 8));
	first = peer_open(&opening, 1000) + 1;
	fd = (s32)t_call(SYS_ACCEPT, listener, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_close(listener), 0);
	return fd;
}

static void t_pipe(s32 fd[2], u32 flags)
{
	s64 both = t_call(SYS_PIPE, -1, flags);

	assert_true(both >= 0);
	fd[0] = (s32)((u64)both & UINT32_MAX);
	fd[1] = (s32)((u64)both >> 32);
}

static s32 t_file(u32 len)
{
	struct sys_op op = call_of(SYS_MEMFD, -1);

	op.data = bytes;
	op.data_len = len;
	return (s32)finish(&op);
}

static struct sys_op splice_op(s32 in, s32 out, u64 len, u32 flags)
{
	struct sys_op op = call_of(SYS_SPLICE, in);

	op.arg[0] = (u64)(s64)out;
	op.arg[1] = len;
	op.arg[2] = flags;
	return op;
}

static struct sys_op sendfile_op(s32 fd, s32 file, u64 offset, u64 len)
{
	struct sys_op op = call_of(SYS_SENDFILE, fd);

	op.arg[0] = (u64)(s64)file;
	op.arg[1] = offset;
	op.arg[2] = len;
	return op;
}

static s64 t_splice(s32 in, s32 out, u64 len, u32 flags)
{
	struct sys_op op = splice_op(in, out, len, flags);

	return finish(&op);
}

static s64 t_sendfile(s32 fd, s32 file, u64 offset, u64 len)
{
	struct sys_op op = sendfile_op(fd, file, offset, len);

	return finish(&op);
}

/* A call that has to wait. */
static void begin(struct sys_op *op)
{
	assert_int_equal(sys_submit(w, op), 0);
	run_for(0);
	assert_false(op->completed);
}

/* Bytes that the socket has sent in order, from `at` on; acknowledges them. */
static u32 taken(u32 at)
{
	while (seen_read < seen_count) {
		const struct segment *s = next_segment();

		if (s->tcp.seq == first + at)
			at += s->len;
	}
	seen_read = seen_count = 0;
	peer_send(&peer, ACK, 1001, first + at, 0);
	return at;
}

/* The send buffer takes no more: bytes that are in it. */
static u32 fill(s32 fd)
{
	u32 n = 0;
	s64 ret;

	do {
		struct sys_op op = call_of(SYS_SENDMSG, fd);

		op.data = bytes;
		op.data_len = sizeof(bytes);
		op.arg[0] = MSG_DONTWAIT;
		ret = finish(&op);
		n += ret > 0 ? (u32)ret : 0;
	} while (ret > 0);
	assert_int_equal(ret, -EAGAIN);
	return n;
}

/* ---- what is no file, no pipe, no socket ---- */

static void wrong_ends(void **state)
{
	s32 fd = connected(), file, p[2];

	(void)state;
	t_pipe(p, 0);
	file = t_file(10);
	assert_int_equal(t_splice(77, fd, 1, 0), -EBADF);
	assert_int_equal(t_splice(p[0], 77, 1, 0), -EBADF);
	assert_int_equal(t_splice(-1, fd, 0, 0), -EBADF); /* also when nothing is to be moved */
	assert_int_equal(t_splice(fd, fd, 1, 0), -EINVAL); /* no pipe */
	assert_int_equal(t_splice(p[1], fd, 1, 0), -EINVAL); /* the end that is written */
	assert_int_equal(t_splice(fd, p[0], 1, 0), -EINVAL); /* the end that is read */
	assert_int_equal(t_splice(p[0], p[1], 1, 0), -EINVAL); /* no socket */
	assert_int_equal(t_splice(file, fd, 1, 0), -EINVAL);
	assert_int_equal(t_splice(p[0], fd, 0, 0), 0); /* nothing asked for: no wait */

	assert_int_equal(t_sendfile(77, file, 0, 1), -EBADF);
	assert_int_equal(t_sendfile(fd, 77, 0, 1), -EBADF);
	assert_int_equal(t_sendfile(fd, p[0], 0, 1), -EINVAL);
	assert_int_equal(t_sendfile(fd, fd, 0, 1), -EINVAL);
	assert_int_equal(t_sendfile(file, file, 0, 1), -ENOTSOCK);
	assert_int_equal(t_call(SYS_PIPE, -1, 1), -EINVAL); /* flags that are none */
	expect_nothing();
}

/* ---- sendfile(2) ---- */

/* An offset of the caller's does not move the file's; the end of the file is no error. */
static void sendfile_offsets(void **state)
{
	s32 fd = connected(), file = t_file(10);

	(void)state;
	assert_int_equal(t_setopt(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	assert_int_equal(t_sendfile(fd, file, 8, 100), 2);
	assert_int_equal(t_sendfile(fd, file, 10, 100), 0);
	assert_int_equal(t_sendfile(fd, file, 1ull << 40, 1), 0);
	assert_int_equal(t_sendfile(fd, file, OFFSET_OF_FILE, 0), 0);
	assert_int_equal(t_sendfile(fd, file, OFFSET_OF_FILE, 4), 4);
	/* The file has more, but no more was asked for: nothing is held back. */
	assert_int_equal(taken(0), 6);
	assert_int_equal(t_sendfile(fd, file, OFFSET_OF_FILE, 100), 6);
	assert_int_equal(t_sendfile(fd, file, OFFSET_OF_FILE, 100), 0);
	assert_int_equal(taken(6), 12);
}

static void all_taken(u32 from, u32 to)
{
	for (u32 rounds = 0; from < to && rounds < 1000; rounds++) {
		run_for(MS);
		from = taken(from);
	}
	assert_int_equal(from, to);
}

/* More than one piece. */
static void sendfile_pieces(void **state)
{
	s32 fd = connected(), file = t_file(PIPE_LEN + 3000);

	(void)state;
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_SNDBUF, 1 << 20), 0);
	assert_int_equal(t_sendfile(fd, file, 0, PIPE_LEN + 3000), PIPE_LEN + 3000);
	all_taken(0, PIPE_LEN + 3000);
}

/* Waits for room, and goes on where it was, though the file's position has moved meanwhile. */
static void sendfile_waits(void **state)
{
	s32 fd = connected(), file = t_file(sizeof(bytes));
	static struct sys_op op;
	u32 at = 0;

	(void)state;
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_SNDBUF, 8192), 0);
	op = sendfile_op(fd, file, OFFSET_OF_FILE, sizeof(bytes));
	begin(&op);
	for (u32 rounds = 0; !op.completed && rounds < 1000; rounds++) {
		run_for(MS);
		at = taken(at);
	}
	assert_true(op.completed);
	assert_int_equal(op.ret, sizeof(bytes));
	assert_int_equal(t_sendfile(fd, file, OFFSET_OF_FILE, 1), 0);
}

/* What was sent before an error counts; a piece more is tried then, which takes the error with it.
 */
static void sendfile_broken_off(void **state)
{
	s32 fd = connected(), file = t_file(sizeof(bytes));
	static struct sys_op op;

	(void)state;
	op = sendfile_op(fd, file, 0, sizeof(bytes));
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_SNDBUF, 8192), 0);
	begin(&op);
	peer_send(&peer, RST, 1001, 0, 0);
	assert_true(op.completed);
	assert_in_range(op.ret, 1, sizeof(bytes) - 1);
	assert_int_equal(t_sendfile(fd, file, 0, 1), -EPIPE);
}

static void send_timeout(s32 fd, u64 seconds)
{
	struct sys_op op = call_of(SYS_SETSOCKOPT, fd);
	u8 timeo[16] = { 0 };

	put_le64(timeo, seconds);
	op.arg[0] = SOL_SOCKET;
	op.arg[1] = SO_SNDTIMEO;
	op.data = timeo;
	op.data_len = sizeof(timeo);
	assert_int_equal(finish(&op), 0);
}

static void ends_after(struct sys_op *op, u64 ns)
{
	begin(op);
	run_for(ns - 1);
	assert_false(op->completed);
	run_for(1);
	assert_true(op->completed);
	assert_int_equal(op->ret, -EAGAIN);
}

/* SO_SNDTIMEO bounds the wait for room. */
static void in_time(void **state)
{
	static struct sys_op op;
	s32 fd = connected(), file = t_file(100), p[2];

	(void)state;
	send_timeout(fd, 2);
	fill(fd);
	op = sendfile_op(fd, file, 0, 100);
	ends_after(&op, 2 * SEC);
	t_pipe(p, 0);
	assert_int_equal(t_send(p[1], bytes, 100), 100);
	op = splice_op(p[0], fd, 100, 0);
	ends_after(&op, 2 * SEC);
}

/* A file that is closed while the call waits is the call's until its end. */
static void sendfile_of_a_closed_file(void **state)
{
	s32 fd = connected(), file = t_file(1000);
	static struct sys_op op;
	u32 n = fill(fd);

	(void)state;
	op = sendfile_op(fd, file, 0, 1000);
	begin(&op);
	assert_int_equal(t_close(file), 0);
	all_taken(0, n + 1000);
	assert_true(op.completed);
	assert_int_equal(op.ret, 1000);
}

/* ---- splice(2) ---- */

static void splice_out(void **state)
{
	s32 fd = connected(), p[2];

	(void)state;
	t_pipe(p, 0);
	assert_int_equal(t_send(p[1], bytes, 1000), 1000);
	assert_int_equal(t_splice(p[0], fd, 300, 0), 300);
	assert_int_equal(taken(0), 300);
	assert_int_equal(t_splice(p[0], fd, PIPE_LEN, 0), 700);
	assert_int_equal(taken(300), 1000);
	assert_int_equal(t_splice(p[0], fd, 1, SPLICE_F_NONBLOCK), -EAGAIN);
	/* More is announced: a small segment is held back until there is. */
	assert_int_equal(t_send(p[1], bytes, 10), 10);
	assert_int_equal(t_splice(p[0], fd, 10, SPLICE_F_MORE), 10);
	expect_nothing();
	assert_int_equal(t_send(p[1], bytes, 5), 5);
	assert_int_equal(t_splice(p[0], fd, 10, 0), 5);
	assert_int_equal(taken(1000), 1015);
	/* Nobody writes any more: the end. */
	assert_int_equal(t_close(p[1]), 0);
	assert_int_equal(t_splice(p[0], fd, 10, 0), 0);
}

/* What the socket does not take stays in the pipe. */
static void splice_out_in_part(void **state)
{
	s32 fd = connected(), p[2];
	s64 n;

	(void)state;
	t_pipe(p, 0);
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_SNDBUF, 8192), 0);
	fill(fd);
	assert_true(taken(0) > 0);
	assert_int_equal(t_send(p[1], bytes, PIPE_LEN), PIPE_LEN);
	n = t_splice(p[0], fd, PIPE_LEN, SPLICE_F_NONBLOCK);
	assert_in_range(n, 1, PIPE_LEN - 1);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), PIPE_LEN - n);
	assert_memory_equal(buf, bytes + n, PIPE_LEN - (size_t)n);
}

static void splice_out_refused(void **state)
{
	s32 fd = connected(), p[2];

	(void)state;
	t_pipe(p, 0);
	assert_int_equal(t_send(p[1], bytes, 100), 100);
	fill(fd);
	assert_int_equal(t_splice(p[0], fd, 100, SPLICE_F_NONBLOCK), -EAGAIN);
	assert_int_equal(t_recv(p[0], buf, 10), 10);
	peer_send(&peer, RST, 1001, 0, 0);
	assert_int_equal(t_splice(p[0], fd, 100, 0), -ECONNRESET);
	assert_int_equal(t_splice(p[0], fd, 100, 0), -EPIPE);
	assert_int_equal(t_recv(p[0], buf, 100), 90);
	assert_memory_equal(buf, bytes + 10, 90);
}

/* First it waits for bytes, then for room: whatever is closed meanwhile is its own till then. */
static void splice_out_of_closed_ends(void **state)
{
	s32 fd = connected(), p[2];
	static struct sys_op op;
	u32 n, at = 0;

	(void)state;
	t_pipe(p, 0);
	n = fill(fd);
	op = splice_op(p[0], fd, 100, 0);
	begin(&op);
	assert_int_equal(t_send(p[1], bytes, 100), 100);
	assert_false(op.completed);
	assert_int_equal(t_close(p[0]), 0);
	assert_int_equal(t_close(p[1]), 0);
	assert_int_equal(t_close(fd), 0);
	for (u32 rounds = 0; !op.completed && rounds < 1000; rounds++) {
		run_for(MS);
		at = taken(at);
	}
	assert_true(op.completed);
	assert_int_equal(op.ret, 100);
	all_taken(at, n + 100);
}

static void splice_in(void **state)
{
	s32 fd = connected(), p[2];
	static struct sys_op op;

	(void)state;
	t_pipe(p, 0);
	peer_send(&peer, PSH | ACK, 1001, first, 1000);
	assert_int_equal(t_splice(fd, p[1], 600, 0), 600);
	assert_int_equal(t_splice(fd, p[1], 600, 0), 400);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), 1000);
	assert_int_equal(t_splice(fd, p[1], 1, SPLICE_F_NONBLOCK), -EAGAIN);
	/* Only the room that there is, in a full pipe none. */
	peer_send(&peer, PSH | ACK, 2001, first, 1000);
	assert_int_equal(t_send(p[1], bytes, PIPE_LEN - 10), PIPE_LEN - 10);
	assert_int_equal(t_splice(fd, p[1], 1000, 0), 10);
	assert_int_equal(t_splice(fd, p[1], 1000, SPLICE_F_NONBLOCK), -EAGAIN);
	op = splice_op(fd, p[1], 1000, 0);
	begin(&op);
	assert_int_equal(t_recv(p[0], buf, 300), 300);
	assert_true(op.completed);
	assert_int_equal(op.ret, 300);
	/* Nobody would read it. */
	assert_int_equal(t_close(p[0]), 0);
	assert_int_equal(t_splice(fd, p[1], 1, 0), -EPIPE);
	assert_int_equal(t_recv(fd, buf, sizeof(buf)), 690);
}

static void splice_in_of_closed_ends(void **state)
{
	s32 fd = connected(), p[2];
	static struct sys_op op;

	(void)state;
	t_pipe(p, 0);
	op = splice_op(fd, p[1], 1000, 0);
	begin(&op);
	assert_int_equal(t_close(p[1]), 0);
	assert_int_equal(t_close(fd), 0);
	peer_send(&peer, PSH | ACK, 1001, first, 100);
	assert_true(op.completed);
	assert_int_equal(op.ret, 100);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), 100);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), 0);
}

/* ---- read(2), write(2) ---- */

static void pipe_read_write(void **state)
{
	static struct sys_op op;
	s32 p[2];

	(void)state;
	t_pipe(p, 0);
	assert_int_equal(t_recv(p[1], buf, 1), -EBADF);
	assert_int_equal(t_send(p[0], bytes, 1), -EBADF);
	assert_int_equal(t_send(p[1], NULL, 1), -EFAULT);
	assert_int_equal(t_send(p[1], bytes, 0), 0);
	/* A read waits for the first byte, a write until all of it is in. */
	op = call_of(SYS_RECVMSG, p[0]);
	op.data = buf;
	op.data_len = 100;
	begin(&op);
	assert_int_equal(t_send(p[1], bytes, 3), 3);
	assert_true(op.completed);
	assert_int_equal(op.ret, 3);
	op = call_of(SYS_SENDMSG, p[1]);
	op.data = bytes;
	op.data_len = PIPE_LEN + 10;
	begin(&op);
	assert_int_equal(t_recv(p[0], buf, 10), 10);
	assert_true(op.completed);
	assert_int_equal(op.ret, PIPE_LEN + 10);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), PIPE_LEN);
	assert_memory_equal(buf, bytes + 10, PIPE_LEN);
	/* Of a write that ends because nobody reads, what is in counts. */
	op.data_len = PIPE_LEN + 10;
	begin(&op);
	assert_int_equal(t_close(p[0]), 0);
	assert_true(op.completed);
	assert_int_equal(op.ret, PIPE_LEN);
	assert_int_equal(t_send(p[1], bytes, 1), -EPIPE);
}

static void pipe_nonblocking(void **state)
{
	s32 p[2];

	(void)state;
	t_pipe(p, O_NONBLOCK);
	assert_int_equal(t_recv(p[0], buf, 1), -EAGAIN);
	assert_int_equal(t_send(p[1], bytes, sizeof(bytes)), PIPE_LEN);
	assert_int_equal(t_send(p[1], bytes, 1), -EAGAIN);
	assert_int_equal(t_close(p[1]), 0);
	assert_int_equal(t_recv(p[0], buf, sizeof(buf)), PIPE_LEN);
	assert_int_equal(t_recv(p[0], buf, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(wrong_ends),
		CLEAN(sendfile_offsets),
		CLEAN(sendfile_pieces),
		CLEAN(sendfile_waits),
		CLEAN(sendfile_broken_off),
		CLEAN(in_time),
		CLEAN(sendfile_of_a_closed_file),
		CLEAN(splice_out),
		CLEAN(splice_out_in_part),
		CLEAN(splice_out_refused),
		CLEAN(splice_out_of_closed_ends),
		CLEAN(splice_in),
		CLEAN(splice_in_of_closed_ends),
		CLEAN(pipe_read_write),
		CLEAN(pipe_nonblocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
