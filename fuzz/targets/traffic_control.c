/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: traffic control of one host: commands of tc as text and as ops with any numbers,
 * datagrams through what they made, frames that arrive, time, the device going down and up.
 *
 * Input: seed, settings, then records of an op byte and its arguments (every byte string is valid,
 * and so is each prefix of one):
 *   0..2  SEND port priority          a datagram of the host's socket, with a priority or a mark
 *   3     FRAME port                  a datagram arrives
 *   4     TIME code                   2^(code mod 32) us pass
 *   5     COMMAND len bytes           text of tc
 *   6..9  SAID a b                    a command put together of words that fit
 *   10    OP kind verb numbers        what no command says: options that are malformed
 *   11    DOWN, UP                    the device
 *
 * Oracles: a command that tc's reader refuses says why; every view can be shown at any time; the
 * disciplines' own account, those of the layers and of all memory, after every event.
 */
#include "fuzz_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/counters.h"
#include "stack/nic.h"
#include "stack/socket.h"
#include "tc/tc.h"

#define OPS_MAX	  128u
#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static s32 udp_fd;

/* ---- commands ---- */

static void show(const struct fuzz_world *f, const char *path)
{
	char text[16384];

	/* What is longer is cut, but said to be longer. */
	(void)proc_read(f->w, 0, path, text, sizeof(text));
}

static void show_all(const struct fuzz_world *f)
{
	static const char *const views[] = {
		"tc/qdisc/stats",
		"tc/class/stats/eth0",
		"tc/filter/stats/eth0/0",
		"tc/filter/stats/eth0/fffffff2",
		"tc/filter/stats/eth0/fffffff3",
		"tc/filter/eth0/10001",
	};

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		show(f, views[i]);
}

static void run_command(struct fuzz_world *f, char *text)
{
	const char *argv[WORDS_MAX];
	struct strbuf error = { 0 };
	struct tc_command tc;
	char path[128];
	struct op op;
	int argc = 0;

	while (argc < WORDS_MAX && *(text += strspn(text, " \t\n"))) {
		argv[argc++] = text;
		text += strcspn(text, " \t\n");
		if (*text)
			*text++ = 0;
	}
	if (!tc_parse(argc, argv, &tc, &error)) {
		FUZZ_CHECK(error.len, "tc refused a command and did not say why");
	} else if (tc.show) {
		tc_view(&tc, path, sizeof(path));
		show(f, path);
	} else {
		tc_op(&tc, 0, &op);
		(void)world_apply(f->w, &op);
	}
	strbuf_free(&error);
}

static void op_command(struct fuzz_world *f, struct fuzz_input *in)
{
	size_t got;
	u8 len = fuzz_u8(in);
	const u8 *bytes = fuzz_bytes(in, len, &got);
	char text[256];

	memcpy(text, bytes, got);
	text[got] = 0;
	/* Damage and what is turned round would not pass as the host's own frames. */
	if (strstr(text, "corr") || strstr(text, "mirred"))
		return;
	run_command(f, text);
}

/* Commands that are whole, but for the numbers. */
static void op_said(struct fuzz_world *f, struct fuzz_input *in)
{
	static const char *const qdiscs[] = { "pfifo limit %u",
					      "bfifo limit %u",
					      "fq flow_limit %u",
					      "fq_codel limit %u flows 4",
					      "netem delay %uus",
					      "netem rate %ukbit slot 1ms packets 2",
					      "netem loss %u%% duplicate 9%%",
					      "tbf rate %ukbit burst 2k limit 9k",
					      "prio bands 3",
					      "htb default %u",
					      "mq",
					      "pfifo_fast",
					      "netem delay %ums reorder 5%%",
					      "noqueue",
					      "fq maxrate %ukbit",
					      "prio" };
	static const char *const filters[] = {
		"u32 match ip dport %u 0x3 flowid 1:1",
		"u32 match u32 0 0 action drop",
		"matchall flowid 1:%u",
		"matchall action mirred egress redirect dev eth0",
		"matchall action mirred ingress mirror dev lo",
		"u32 match u8 %u 0xff at 1 action mirred ingress redirect dev lo action pass",
		"fw flowid 1:2",
		"u32 match ip tos %u 0xff action continue"
	};
	static const char *const places[] = { "root", "parent 1:1", "parent 1:2", "parent 1:" };
	static const char *const blocks[] = { "parent 1:", "ingress", "egress", "parent 1:1" };
	static const char *const verbs[] = { "add", "replace", "change", "delete" };
	u8 a = fuzz_u8(in), b = fuzz_u8(in);
	char words[128], text[256];

	switch (a & 3) {
	case 0:
		snprintf(words, sizeof(words), qdiscs[b & 15], (unsigned)(b >> 4) + 1);
		snprintf(text, sizeof(text), "qdisc %s dev eth0 %s %s %s", verbs[a >> 2 & 3],
			 places[a >> 4 & 3], a & 0xc0 ? "handle 1:" : "", words);
		break;
	case 1:
		/* What came in would leave with another station's address; of
		 * `ingress` all places are the way in. */
		if ((b & 7) == 3 && (a >> 4 & 3) % 3)
			return;
		snprintf(words, sizeof(words), filters[b & 7], (unsigned)(b >> 3) + 1);
		snprintf(text, sizeof(text),
			 "filter %s dev eth0 %s protocol ip prio %u handle %u %s",
			 verbs[a >> 2 & 3], blocks[a >> 4 & 3], (a >> 6) + 1u, b >> 6, words);
		break;
	case 2:
		snprintf(text, sizeof(text),
			 "class %s dev eth0 parent 1:%x classid 1:%x htb rate %ukbit",
			 verbs[a >> 2 & 3], a >> 4 & 3u, (b & 3) + 1u, (b >> 2) * 10u + 1);
		break;
	default:
		snprintf(text, sizeof(text), "qdisc %s dev eth0 %s", verbs[a >> 2 & 3],
			 a & 16 ? "clsact" : "ingress");
	}
	run_command(f, text);
}

/* Numbers and bytes that no reader of words makes. */
static void op_raw(struct fuzz_world *f, struct fuzz_input *in)
{
	static const char *const kinds[] = { "htb",	 "prio", "netem", "u32",
					     "matchall", "tbf",	 "fq",	  "" };
	static const u32 parents[] = {
		0, 0xffffffffu, 0xfffffff1u, 0xfffffff2u, 0x10000u, 0x10001u
	};
	u8 what = fuzz_u8(in), numbers = fuzz_u8(in);
	const char *kind = kinds[what >> 2 & 7];
	struct op_bytes dev = { (const u8 *)"eth0", 4 },
			name = { (const u8 *)kind, (u32)strlen(kind) };
	u32 parent = parents[numbers % 6];
	struct op_bytes options;
	struct op op = { .kind = OP_QDISC };
	size_t got;
	const u8 *bytes;
	u8 copy[128], len;

	len = fuzz_u8(in) & 127;
	bytes = fuzz_bytes(in, len, &got);
	memcpy(copy, bytes, got);
	for (size_t i = 0; i < got; i += TC_OPTION_LEN)
		if (copy[i] == TCA_CORRUPT || copy[i] == TCA_DUPLICATE || copy[i] == TCF_DEV)
			copy[i] = TCA_LIMIT;
	options = (struct op_bytes){ copy, (u32)got };
	if ((what & 3) == 0) {
		op.kind = OP_FILTER;
		op.u.filter = (struct op_filter){ .dev = dev,
						  .verb = what >> 5,
						  .parent = parent,
						  .prio = numbers >> 4,
						  .protocol = 0x0800,
						  .kind = name,
						  .options = options };
	} else if ((what & 3) == 1) {
		op.kind = OP_CLASS;
		op.u.class = (struct op_class){ .dev = dev,
						.verb = what >> 5,
						.parent = parent,
						.classid = 0x10000u + (numbers >> 4),
						.kind = name,
						.options = options };
	} else {
		op.u.qdisc = (struct op_qdisc){ .dev = dev,
						.verb = what >> 5,
						.parent = parent,
						.handle = (numbers >> 4) * 0x10000u,
						.kind = name,
						.options = options };
	}
	(void)world_apply(f->w, &op);
}

/* ---- packets ---- */

static void set_option(struct fuzz_world *f, u32 name, u32 value)
{
	u8 bytes[4] = { (u8)value, (u8)(value >> 8), (u8)(value >> 16), (u8)(value >> 24) };
	struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = udp_fd };

	op.arg[0] = SOL_SOCKET;
	op.arg[1] = name;
	op.data = bytes;
	op.data_len = sizeof(bytes);
	(void)fuzz_call(f, &op);
}

static void op_send(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 port = fuzz_u8(in), priority = fuzz_u8(in), data[600] = { 0 };
	struct sys_op op = { .nr = SYS_SENDMSG, .fd = udp_fd, .has_addr = true };

	/* A band, a class of 1:, a mark. */
	if (priority & 0x80)
		set_option(f, SO_MARK, priority & 7);
	else
		set_option(f, SO_PRIORITY, (priority & 0x40 ? 0x10000u : 0) + (priority & 15));
	op.addr.family = AF_INET;
	memcpy(op.addr.addr, FUZZ_PEER_ADDR, 4);
	op.addr.port = (u16)(5000 + (port & 3));
	op.data = data;
	op.data_len = port & 0x80 ? sizeof(data) : 4;
	op.arg[0] = MSG_DONTWAIT;
	f->sends++;
	(void)fuzz_call(f, &op);
}

static void op_frame(struct fuzz_world *f, u8 port)
{
	u8 frame[60] = { 0 }, *ip = frame + 14, *udp = ip + 20;
	u16 sum;

	memcpy(frame, FUZZ_HOST_MAC, 6);
	memcpy(frame + 6, FUZZ_PEER_MAC, 6);
	frame[12] = 8;
	ip[0] = 0x45;
	ip[3] = 28;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, FUZZ_PEER_ADDR, 4);
	memcpy(ip + 16, FUZZ_HOST_ADDR, 4);
	sum = fuzz_csum(ip, 20, 0);
	ip[10] = (u8)(sum >> 8);
	ip[11] = (u8)sum;
	udp[1] = 9;
	udp[3] = port & 15;
	udp[5] = 8;
	fuzz_frame(f, frame, sizeof(frame), 0);
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 settings = fuzz_u8(in);

	fuzz_boot(f, 1, settings & 1 ? 2 : 1);
	f->own_frames = 1u << 20; /* netem doubles them, mirred sends them round */
	udp_fd = fuzz_udp_socket(f, 7);
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++) {
		switch (fuzz_u8(in) % 13) {
		case 3:
			op_frame(f, fuzz_u8(in));
			break;
		case 4:
			fuzz_advance(f, fuzz_u8(in) & 31);
			break;
		case 5:
			op_command(f, in);
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			op_said(f, in);
			break;
		case 10:
			op_raw(f, in);
			break;
		case 11:
			fuzz_link_set(f, LINK_PARAM_UP, 0);
			break;
		case 12:
			fuzz_link_set(f, LINK_PARAM_UP, 1);
			break;
		default:
			op_send(f, in);
		}
		world_check(f->w, 0);
	}
	show_all(f);
	fuzz_advance(f, 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
