/* SPDX-License-Identifier: MIT */
/*
 * Looking at a world from a script: counters, sysctls, /proc views, trace records; and the names
 * and numbers of the socket interface.
 */
#include "lua/net.h"

#include "stack/cost.h"
#include "stack/drop_reason.h"
#include "stack/errno.h"
#include "stack/fault.h"
#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/tcp.h"

#include <stdlib.h>
#include <string.h>

/* native.counter(host, name): its value, or nil. */
static int native_counter(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 host = (u32)luaL_checkinteger(L, 1);
	u64 value;

	if (!n->sut->ops->counter(n->sut, host, luaL_checkstring(L, 2), &value))
		return 0;
	lua_pushinteger(L, (lua_Integer)value);
	return 1;
}

static void add_counter(void *ctx, const char *name, u64 value)
{
	lua_State *L = ctx;

	lua_pushinteger(L, (lua_Integer)value);
	lua_setfield(L, -2, name);
}

static int native_counters(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	lua_newtable(L);
	n->sut->ops->counters(n->sut, (u32)luaL_checkinteger(L, 1), add_counter, L);
	return 1;
}

static int native_sysctl(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	char value[512];
	s32 len = n->sut->ops->sysctl(n->sut, (u32)luaL_checkinteger(L, 1), luaL_checkstring(L, 2),
				      value, sizeof(value));

	if (len < 0)
		return 0;
	lua_pushstring(L, value);
	return 1;
}

static void add_name(void *ctx, const char *name)
{
	lua_State *L = ctx;

	lua_pushstring(L, name);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int native_sysctls(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	lua_newtable(L);
	n->sut->ops->sysctls(n->sut, (u32)luaL_checkinteger(L, 1), add_name, L);
	return 1;
}

static int native_proc(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 host = (u32)luaL_checkinteger(L, 1);
	const char *path = luaL_checkstring(L, 2);
	u32 size = 1u << 16;
	s32 len;
	char *text;

	/* Lua's memory, so that nothing is lost if it runs out. */
	text = lua_newuserdatauv(L, size, 0);
	len = n->sut->ops->proc(n->sut, host, path, text, size);
	if (len < 0)
		return 0;
	if ((u32)len >= size) {
		size = (u32)len + 1;
		text = lua_newuserdatauv(L, size, 0);
		n->sut->ops->proc(n->sut, host, path, text, size);
	}
	lua_pushlstring(L, text, (size_t)len);
	return 1;
}

/* -- Trace -- */

static void push_record(lua_State *L, const struct trace_record *rec)
{
	const char *args = trace_event_args(rec->event);
	size_t i;

	lua_createtable(L, 0, 8);
	lua_pushinteger(L, (lua_Integer)rec->time_ns);
	lua_setfield(L, -2, "time");
	lua_pushstring(L, trace_event_name(rec->event));
	lua_setfield(L, -2, "event");
	lua_pushinteger(L, rec->host);
	lua_setfield(L, -2, "host");
	lua_pushinteger(L, rec->cpu);
	lua_setfield(L, -2, "cpu");
	for (i = 0; args && *args && i < 4; i++) {
		size_t len = strcspn(args, " ");

		lua_pushlstring(L, args, len);
		if (rec->event == TRACE_SKB_PATH && i == 1)
			lua_pushstring(L, skb_path_name((u32)rec->arg[i]));
		else if (rec->event == TRACE_KFREE_SKB && len == 6 && !memcmp(args, "reason", 6))
			lua_pushstring(L, drop_reason_name((u32)rec->arg[i]));
		else
			lua_pushinteger(L, (lua_Integer)rec->arg[i]);
		lua_rawset(L, -3);
		args += len + (args[len] == ' ');
	}
}

/* native.traces(): the records so far, and forgets them. */
static int native_traces(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	size_t i;

	lua_createtable(L, (int)n->trace_count, 0);
	for (i = 0; i < n->trace_count; i++) {
		push_record(L, &n->traces[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	n->trace_count = 0;
	return 1;
}

/* -- Constants -- */

struct constant {
	const char *name;
	lua_Integer value;
};

#ifdef TAPLINE_HOSTILE
#define HOSTILE 1
#else
#define HOSTILE 0
#endif

static const struct constant constants[] = {
	{ "HOSTILE",
	  HOSTILE }, /* the hostile build: what its numbers look like is not Linux's affair */
#define C(x)          \
	{             \
#x, x \
	}
	C(AF_INET),
	C(AF_INET6),
	C(AF_PACKET),
	C(AF_UNSPEC),
	C(SOCK_STREAM),
	C(SOCK_DGRAM),
	C(SOCK_RAW),
	C(SOCK_NONBLOCK),
	C(IPPROTO_ICMP),
	C(IPPROTO_TCP),
	C(IPPROTO_UDP),
	C(IPPROTO_RAW),
	C(IPPROTO_IGMP),
	C(SOL_SOCKET),
	C(SOL_IP),
	C(SOL_IPV6),
	C(SOL_TCP),
	C(SOL_UDP),
	C(SOL_PACKET),
	C(SO_ATTACH_FILTER),
	C(SO_GET_FILTER),
	C(SO_DETACH_FILTER),
	C(SO_LOCK_FILTER),
	C(PACKET_ADD_MEMBERSHIP),
	C(PACKET_DROP_MEMBERSHIP),
	C(PACKET_STATISTICS),
	C(PACKET_AUXDATA),
	C(PACKET_ORIGDEV),
	C(PACKET_IGNORE_OUTGOING),
	C(PACKET_MR_MULTICAST),
	C(PACKET_MR_PROMISC),
	C(PACKET_MR_ALLMULTI),
	C(PACKET_MR_UNICAST),
	C(TP_STATUS_CSUMNOTREADY),
	C(TP_STATUS_CSUM_VALID),
	C(TP_STATUS_VLAN_VALID),
	C(SO_REUSEADDR),
	C(SO_TYPE),
	C(SO_ERROR),
	C(SO_DONTROUTE),
	C(SO_BROADCAST),
	C(SO_SNDBUF),
	C(SO_RCVBUF),
	C(SO_KEEPALIVE),
	C(SO_OOBINLINE),
	C(SO_NO_CHECK),
	C(SO_PRIORITY),
	C(SO_LINGER),
	C(SO_REUSEPORT),
	C(SO_MEMINFO),
	C(SO_RCVLOWAT),
	C(SO_SNDLOWAT),
	C(SO_RCVTIMEO),
	C(SO_SNDTIMEO),
	C(SO_BINDTODEVICE),
	C(SO_TIMESTAMP),
	C(SO_ACCEPTCONN),
	C(SO_SNDBUFFORCE),
	C(SO_RCVBUFFORCE),
	C(SO_TIMESTAMPNS),
	C(SO_MARK),
	C(SO_PROTOCOL),
	C(SO_DOMAIN),
	C(SO_RXQ_OVFL),
	C(SO_PEEK_OFF),
	C(SO_MAX_PACING_RATE),
	C(IP_TOS),
	C(IP_TTL),
	C(IP_HDRINCL),
	C(IP_OPTIONS),
	C(IP_RECVOPTS),
	C(IP_RETOPTS),
	C(IP_PKTINFO),
	C(IP_MTU_DISCOVER),
	C(IP_RECVERR),
	C(IPV6_UNICAST_HOPS),
	C(IPV6_MTU),
	C(IPV6_RECVERR),
	C(IPV6_V6ONLY),
	C(IPV6_TCLASS),
	C(IPV6_MINHOPCOUNT),
	C(IP_RECVTTL),
	C(IP_RECVTOS),
	C(IP_MTU),
	C(IP_FREEBIND),
	C(IP_TRANSPARENT),
	C(IP_RECVORIGDSTADDR),
	C(IP_MINTTL),
	C(IP_BIND_ADDRESS_NO_PORT),
	C(IP_MULTICAST_IF),
	C(IP_MULTICAST_TTL),
	C(IP_MULTICAST_LOOP),
	C(IP_ADD_MEMBERSHIP),
	C(IP_DROP_MEMBERSHIP),
	C(IP_MULTICAST_ALL),
	C(IP_PMTUDISC_DONT),
	C(IP_PMTUDISC_WANT),
	C(IP_PMTUDISC_DO),
	C(IP_PMTUDISC_PROBE),
	C(IP_PMTUDISC_INTERFACE),
	C(IP_PMTUDISC_OMIT),
	C(UDP_CORK),
	C(UDP_SEGMENT),
	C(UDP_GRO),
	C(TCP_NODELAY),
	C(TCP_MAXSEG),
	C(TCP_CORK),
	C(TCP_KEEPIDLE),
	C(TCP_KEEPINTVL),
	C(TCP_KEEPCNT),
	C(TCP_SYNCNT),
	C(TCP_LINGER2),
	C(TCP_DEFER_ACCEPT),
	C(TCP_WINDOW_CLAMP),
	C(TCP_INFO),
	C(TCP_QUICKACK),
	C(TCP_CONGESTION),
	C(TCP_MD5SIG),
	C(TCP_MD5SIG_EXT),
	C(TCP_THIN_LINEAR_TIMEOUTS),
	C(TCP_THIN_DUPACK),
	C(TCP_USER_TIMEOUT),
	C(TCP_FASTOPEN),
	C(TCP_TIMESTAMP),
	C(TCP_NOTSENT_LOWAT),
	C(TCP_CC_INFO),
	C(TCP_SAVE_SYN),
	C(TCP_SAVED_SYN),
	C(TCP_FASTOPEN_CONNECT),
	C(TCP_FASTOPEN_KEY),
	C(TCP_FASTOPEN_NO_COOKIE),
	C(TCP_INQ),
	C(TCP_TX_DELAY),
	C(TCP_RTO_MAX_MS),
	C(TCP_RTO_MIN_US),
	C(TCP_DELACK_MAX_US),
	C(MSG_OOB),
	C(MSG_PEEK),
	C(MSG_DONTROUTE),
	C(MSG_CTRUNC),
	C(MSG_TRUNC),
	C(MSG_DONTWAIT),
	C(MSG_EOR),
	C(MSG_WAITALL),
	C(MSG_CONFIRM),
	C(MSG_ERRQUEUE),
	C(MSG_NOSIGNAL),
	C(MSG_MORE),
	C(MSG_FASTOPEN),
	C(MSG_ZEROCOPY),
	C(SO_TIMESTAMPING),
	C(SO_ZEROCOPY),
	C(SO_INCOMING_CPU),
	C(SOF_TIMESTAMPING_TX_SOFTWARE),
	C(SOF_TIMESTAMPING_RX_SOFTWARE),
	C(SOF_TIMESTAMPING_SOFTWARE),
	C(SOF_TIMESTAMPING_RAW_HARDWARE),
	C(SOF_TIMESTAMPING_RX_HARDWARE),
	C(SOF_TIMESTAMPING_OPT_ID),
	C(SOF_TIMESTAMPING_TX_SCHED),
	C(SOF_TIMESTAMPING_TX_ACK),
	C(SOF_TIMESTAMPING_OPT_TSONLY),
	C(SOF_TIMESTAMPING_OPT_STATS),
	C(SOF_TIMESTAMPING_OPT_ID_TCP),
	C(SHUT_RD),
	C(SHUT_WR),
	C(SHUT_RDWR),
	C(POLLIN),
	C(POLLPRI),
	C(POLLOUT),
	C(POLLERR),
	C(POLLHUP),
	C(POLLNVAL),
	C(POLLRDNORM),
	C(POLLRDBAND),
	C(POLLWRNORM),
	C(POLLWRBAND),
	C(POLLRDHUP),
	C(F_GETFL),
	C(F_SETFL),
	C(O_RDWR),
	C(O_NONBLOCK),
	C(SO_EE_ORIGIN_LOCAL),
	C(SO_EE_ORIGIN_ICMP),
	C(ECONNREFUSED),
	C(ECONNRESET),
	C(ETIMEDOUT),
	C(EPIPE),
	C(EHOSTUNREACH),
	C(ENETUNREACH),
	C(EMSGSIZE),
	C(ENOPROTOOPT),
	C(FIONREAD),
	C(SIOCINQ),
	C(SIOCOUTQ),
	C(SIOCATMARK),
	C(RTN_UNICAST),
	C(RTN_LOCAL),
	C(RTN_BROADCAST),
	C(RTN_MULTICAST),
	C(RTN_BLACKHOLE),
	C(RTN_UNREACHABLE),
	C(RTN_PROHIBIT),
	C(RTN_THROW),
	C(RT_SCOPE_UNIVERSE),
	C(RT_SCOPE_LINK),
	C(RT_SCOPE_HOST),
	C(RT_SCOPE_NOWHERE),
	C(RT_TABLE_MAIN),
	C(RT_TABLE_LOCAL),
	C(RT_TABLE_DEFAULT),
	C(RTNH_F_ONLINK),
	C(RTAX_MTU),
	C(RTAX_WINDOW),
	C(RTAX_RTT),
	C(RTAX_RTTVAR),
	C(RTAX_SSTHRESH),
	C(RTAX_CWND),
	C(RTAX_ADVMSS),
	C(RTAX_REORDERING),
	C(RTAX_HOPLIMIT),
	C(RTAX_INITCWND),
	C(RTAX_FEATURES),
	C(RTAX_RTO_MIN),
	C(RTAX_INITRWND),
	C(RTAX_QUICKACK),
	C(ROUTE_ADD),
	C(ROUTE_REPLACE),
	C(ROUTE_CHANGE),
	C(ROUTE_APPEND),
	C(ROUTE_PREPEND),
	C(ROUTE_DELETE),
	C(FR_ACT_TO_TBL),
	C(FR_ACT_GOTO),
	C(FR_ACT_NOP),
	C(FR_ACT_BLACKHOLE),
	C(FR_ACT_UNREACHABLE),
	C(FR_ACT_PROHIBIT),
	C(NUD_NONE),
	C(NUD_INCOMPLETE),
	C(NUD_REACHABLE),
	C(NUD_STALE),
	C(NUD_DELAY),
	C(NUD_PROBE),
	C(NUD_FAILED),
	C(NUD_NOARP),
	C(NUD_PERMANENT),
	C(NF_INET_PRE_ROUTING),
	C(NF_INET_LOCAL_IN),
	C(NF_INET_FORWARD),
	C(NF_INET_LOCAL_OUT),
	C(NF_INET_POST_ROUTING),
	C(NF_DROP),
	C(NF_ACCEPT),
	C(NF_STOLEN),
	C(NF_QUEUE),
	C(NF_REPEAT),
	C(NIC_MODEL_RING),
	C(NIC_MODEL_TUN),
	C(NIC_MODEL_VIRTIO),
	C(WIRE_PARAM_DELAY_NS),
	C(WIRE_PARAM_RATE_BPS),
	C(WIRE_PARAM_LOSS_PPM),
	C(WIRE_PARAM_DUPLICATE_PPM),
	C(WIRE_PARAM_REORDER_PPM),
	C(WIRE_PARAM_REORDER_NS),
	C(WIRE_PARAM_CORRUPT_PPM),
	C(WIRE_PARAM_JITTER_NS),
	C(WIRE_PARAM_DROP_NEXT),
	C(WIRE_PARAM_QUEUE_BYTES),
	C(FRAME_BAD_FCS),
	C(FRAME_CSUM_UNNECESSARY),
	C(FRAME_NO_DELAY),
	C(LINK_PARAM_UP),
	C(LINK_PARAM_MTU),
	C(LINK_PARAM_PROMISC),
	C(LINK_PARAM_ALLMULTI),
	C(LINK_PARAM_ADDRESS),
	C(LINK_PARAM_CARRIER),
	C(LINK_PARAM_TXQLEN),
	C(LINK_PARAM_ANYIP),
	C(LINK_PARAM_ARP),
	C(LINK_PARAM_NAME),
	C(LINK_PARAM_NETNS),
	C(LINK_PARAM_MASTER),
	C(LINK_PARAM_REORDER_HDR),
	C(LINK_PARAM_LOOSE_BINDING),
	C(LINK_PARAM_INGRESS_QOS),
	C(LINK_PARAM_EGRESS_QOS),
	C(LINK_PARAM_AGEING_TIME),
	C(LINK_PARAM_GROUP_FWD_MASK),
	C(LINK_PARAM_FDB_MAX_LEARNED),
	C(LINK_PARAM_LEARNING),
	C(LINK_PARAM_FLOOD),
	C(LINK_PARAM_MCAST_FLOOD),
	C(LINK_PARAM_BCAST_FLOOD),
	C(LINK_PARAM_HAIRPIN),
	C(LINK_PARAM_ISOLATED),
	C(LINK_PARAM_PORT_FWD_MASK),
	C(LINK_PARAM_STATE),
	C(LINK_ADD_NO_REORDER_HDR),
	C(LINK_ADD_LOOSE_BINDING),
	C(FDB_ADD),
	C(FDB_REPLACE),
	C(FDB_DEL),
	C(FDB_FLUSH),
	C(FDB_F_LOCAL),
	C(FDB_F_STATIC),
	C(FDB_F_STICKY),
	C(FDB_F_SELF),
	C(NIC_PARAM_RX_RING),
	C(NIC_PARAM_TX_RING),
	C(NIC_PARAM_RX_USECS),
	C(NIC_PARAM_RX_CSUM),
	C(NIC_PARAM_TX_CSUM),
	C(NIC_PARAM_IRQ_CPU),
	C(NIC_PARAM_GRO),
	C(NIC_PARAM_TX_STALL),
	C(NIC_PARAM_IRQ_LOST),
	C(NIC_PARAM_IRQ_SPURIOUS),
	C(NIC_PARAM_TSO),
	C(NIC_PARAM_RPS_CPUS),
	C(NIC_PARAM_RPS_FLOW_CNT),
	C(NIC_PARAM_XPS_CPUS),
	C(NIC_PARAM_XPS_RXQS),
	C(NIC_PARAM_BQL),
	C(NIC_PARAM_BQL_LIMIT_MAX),
	C(NIC_PARAM_BQL_LIMIT_MIN),
	C(NIC_PARAM_BQL_HOLD_TIME),
	C(NIC_PARAM_ADAPTIVE_RX),
	C(NIC_PARAM_CHANNELS),
	C(NIC_PARAM_RSS_INDIR),
	C(NIC_PARAM_RSS_KEY),
	C(NIC_PARAM_RSS_SYM_XOR),
	C(NIC_PARAM_RSS_UDP),
	C(NIC_PARAM_GRO_FLUSH_TIMEOUT),
	C(NIC_PARAM_DEFER_HARD_IRQS),
	C(NIC_PARAM_USO),
	C(NIC_PARAM_GRO_UDP_FWD),
	C(NIC_PARAM_GRO_LIST),
	C(NIC_PARAM_VIRTIO_EVENT_IDX),
	C(NIC_PARAM_RX_VLAN),
	C(NIC_PARAM_TX_VLAN),
	C(NIC_PARAM_LOOPBACK),
	C(NIC_PARAM_RX_PAUSE),
	C(NIC_PARAM_TX_PAUSE),
	C(NIC_PARAM_RX_TSTAMP),
	C(NIC_PARAM_IRQ_LATE),
	C(NIC_PARAM_RX_STALL),
	C(NIC_PARAM_RX_BAD_DESC),
	C(NIC_PARAM_TX_BAD_DESC),
	C(NIC_PARAM_LRO),
	C(COST_IRQ),
	C(COST_SOFTIRQ),
	C(COST_POLL),
	C(COST_RX_PACKET),
	C(COST_RX_BYTE),
	C(COST_TX_PACKET),
	C(COST_SYSCALL),
	C(COST_TIMER),
	C(COST_TX_BYTE),
	C(COST_TX_COMPLETE),
	C(COST_IPI),
	C(WORLD_SCHED_RANDOM),
	C(WORLD_SCHED_PINNED),
	C(WORLD_SCHED_SEED),
#undef C
};

/* native.constants(): a table of name -> number; native.names(kind): name -> number of a list. */
static int native_constants(lua_State *L)
{
	size_t i;

	lua_createtable(L, 0, (int)ARRAY_SIZE(constants));
	for (i = 0; i < ARRAY_SIZE(constants); i++) {
		lua_pushinteger(L, constants[i].value);
		lua_setfield(L, -2, constants[i].name);
	}
	return 1;
}

static int native_names(lua_State *L)
{
	static const char *const kinds[] = { "trace", "fault", "drop", NULL };
	static const char *(*const name_of[])(u32) = { trace_event_name, fault_name,
						       drop_reason_name };
	int kind = luaL_checkoption(L, 1, NULL, kinds);
	const char *name;
	u32 i;

	lua_newtable(L);
	for (i = 0; (name = name_of[kind](i)); i++) {
		lua_pushinteger(L, i);
		lua_setfield(L, -2, name);
	}
	return 1;
}

void net_open_look(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "counter", native_counter },
		{ "counters", native_counters },
		{ "sysctl", native_sysctl },
		{ "sysctls", native_sysctls },
		{ "proc", native_proc },
		{ "traces", native_traces },
		{ "constants", native_constants },
		{ "names", native_names },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
