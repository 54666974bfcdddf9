-- SPDX-License-Identifier: MIT
-- The error queue of a connection (Linux): MSG_ZEROCOPY, SO_TIMESTAMPING; TCP_INQ.
local tap = require "tap"
local net = require "net"

local C = net.C
local ORIGIN_TIMESTAMPING, ORIGIN_ZEROCOPY = 4, 5
local SND, SCHED, ACK = 0, 1, 2

local function connection(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", model = o.model, sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  if not o.model then host:neigh { addr = peer.addr, mac = peer.mac } end
  local server = host:socket "tcp"
  for name, value in pairs(o.options or {}) do server:option(name, value) end
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000,sackOK>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  return peer, server:accept(), host
end

local function notification(conn)
  local data, info = conn:try("recv", { flags = "errqueue" })
  if not data then return nil, info end
  return info.cmsg.IP_RECVERR, info
end

-- Zero copy -----------------------------------------------------------------------------------------

tap.test("MSG_ZEROCOPY: told when the bytes are acknowledged, sends numbered from 0", function(t)
  local peer, conn = connection { model = "tun", options = { SO_ZEROCOPY = 1 } }
  for i = 0, 2 do
    t:is(conn:send("hello", { flags = "zerocopy" }), 5)
    peer:expect(("P. %d:%d(5) ack 1"):format(5 * i + 1, 5 * i + 6))
    t:is(select(2, notification(conn)), "EAGAIN")
    peer:send((". 1:1(0) ack %d win 65535"):format(5 * i + 6))
    net.sleep "10us"
    local n = notification(conn)
    t:is({ n.errno, n.origin, n.code, n.info, n.data }, { 0, ORIGIN_ZEROCOPY, 1, i, i })
  end
end)

tap.test("neighbouring notifications become one", function(t)
  local peer, conn = connection { model = "tun", options = { SO_ZEROCOPY = 1 } }
  for i = 0, 2 do
    conn:send("hello", { flags = "zerocopy" })
    peer:expect(("P. %d:%d(5) ack 1"):format(5 * i + 1, 5 * i + 6))
    peer:send((". 1:1(0) ack %d win 65535"):format(5 * i + 6))
    net.sleep "10us"
  end
  local n = notification(conn)
  t:is({ n.info, n.data }, { 0, 2 })
  t:is(select(2, notification(conn)), "EAGAIN")
end)

tap.test("a device that can not gather: the bytes are copied, and that is told at once", function(t)
  local peer, conn, host = connection { options = { SO_ZEROCOPY = 1 } }
  host:ethtool { sg = 0 }
  conn:send("hello", { flags = "zerocopy" })
  local n = notification(conn)
  t:is({ n.code, n.info, n.data }, { 1, 0, 0 })
  peer:expect "P. 1:6(5) ack 1"
end)

tap.test("a send that fails takes no number; without SO_ZEROCOPY the flag means nothing", function(t)
  local peer, conn = connection()
  conn:send("hello", { flags = "zerocopy" })
  peer:expect "P. 1:6(5) ack 1"
  peer:send ". 1:1(0) ack 6 win 65535"
  net.sleep "10us"
  t:is(select(2, notification(conn)), "EAGAIN")
  conn:option("SO_ZEROCOPY", 1)
  t:is(conn:option "SO_ZEROCOPY", 1)
  conn:shutdown "wr"
  peer:expect "F. 6:6(0) ack 1"
  t:is(select(2, conn:try("send", "x", { flags = "zerocopy" })), "EPIPE")
  t:is(select(2, notification(conn)), "EAGAIN")
  t:is(select(2, conn:try("option", "SO_ZEROCOPY", 2)), "EINVAL")
end)

tap.test("retransmission: one notification, at the ACK", function(t)
  local peer, conn = connection { model = "tun", options = { SO_ZEROCOPY = 1 } }
  conn:send("hello", { flags = "zerocopy" })
  peer:expect "P. 1:6(5) ack 1"
  peer:expect("P. 1:6(5) ack 1", { within = "3s" })
  t:is(select(2, notification(conn)), "EAGAIN")
  peer:send ". 1:1(0) ack 6 win 65535"
  net.sleep "10us"
  t:ok(notification(conn))
  t:is(select(2, notification(conn)), "EAGAIN")
end)

tap.test("the connection ends with bytes under way: told then", function(t)
  local peer, conn = connection { model = "tun", options = { SO_ZEROCOPY = 1 } }
  conn:send("hello", { flags = "zerocopy" })
  peer:expect "P. 1:6(5) ack 1"
  peer:send "R. 1:1(0) ack 1"
  net.sleep "10us"
  t:is(notification(conn).data, 0)
end)

tap.test("poll says err, epoll edges come with each notification", function(t)
  local peer, conn, host = connection { model = "tun", options = { SO_ZEROCOPY = 1 } }
  local ep = host:epoll()
  ep:add(conn, "out et")
  t:is(#ep:wait("0s"), 1)
  for i = 0, 1 do
    conn:send("hello", { flags = "zerocopy" })
    peer:expect(("P. %d:%d(5) ack 1"):format(5 * i + 1, 5 * i + 6))
    peer:send((". 1:1(0) ack %d win 65535"):format(5 * i + 6))
    net.sleep "10us"
    t:is(#ep:wait("0s"), 1)
    t:is(#ep:wait("0s"), 0)
  end
  t:is(conn:poll("out", "0s").err, true)
end)

-- Time stamps ---------------------------------------------------------------------------------------

local ALL = C.SOF_TIMESTAMPING_TX_SCHED | C.SOF_TIMESTAMPING_TX_SOFTWARE |
  C.SOF_TIMESTAMPING_TX_ACK | C.SOF_TIMESTAMPING_SOFTWARE | C.SOF_TIMESTAMPING_OPT_ID

tap.test("queued, sent, acknowledged: three stamps of the last byte, with its number", function(t)
  local peer, conn = connection()
  conn:option("SO_TIMESTAMPING", ALL)
  t:is((("<I4I4"):unpack(conn:option "SO_TIMESTAMPING")), ALL) -- flags, and no bound clock
  local sent = net.now()
  conn:send(("x"):rep(2500))
  peer:expect ". 1:1001(1000) ack 1"
  peer:expect ". 1001:2001(1000) ack 1"
  peer:expect "P. 2001:2501(500) ack 1"
  net.sleep "1ms" -- before the loss probe
  peer:send ". 1:1(0) ack 2501 win 65535"
  net.sleep "10us"
  for _, stage in ipairs { SCHED, SND, ACK } do
    local n, info = notification(conn)
    t:is({ n.errno, n.origin, n.info, n.data }, { 42, ORIGIN_TIMESTAMPING, stage, 2499 })
    local late = info.cmsg.SO_TIMESTAMPING - sent
    t:ok(stage == ACK and late >= 1000000 or stage ~= ACK and late >= 0 and late < 10000)
    t:ok(info.length >= 500) -- the packet itself
  end
  t:is(select(2, notification(conn)), "EAGAIN")
end)

tap.test("OPT_TSONLY: without the packet; numbers count from where the option was set", function(t)
  local peer, conn = connection()
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  peer:send ". 1:1(0) ack 6 win 65535"
  net.sleep "10us"
  conn:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_TX_SOFTWARE | C.SOF_TIMESTAMPING_SOFTWARE |
    C.SOF_TIMESTAMPING_OPT_ID | C.SOF_TIMESTAMPING_OPT_TSONLY)
  conn:send "world"
  peer:expect "P. 6:11(5) ack 1"
  local n, info = notification(conn)
  t:is({ n.info, n.data }, { SND, 4 })
  t:is(info.length, 0)
end)

tap.test("OPT_STATS: with each stamp comes how the connection stands", function(t)
  local peer, conn = connection()
  conn:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_TX_SOFTWARE | C.SOF_TIMESTAMPING_TX_ACK |
    C.SOF_TIMESTAMPING_SOFTWARE | C.SOF_TIMESTAMPING_OPT_ID | C.SOF_TIMESTAMPING_OPT_TSONLY |
    C.SOF_TIMESTAMPING_OPT_STATS)
  conn:send(("x"):rep(1500))
  peer:expect ". 1:1001(1000) ack 1"
  peer:expect "P. 1001:1501(500) ack 1"
  local n, info = notification(conn)
  t:is(n.info, SND)
  local sent = info.cmsg.SCM_TIMESTAMPING_OPT_STATS
  t:is(info.length, 248) -- the same bytes are the entry's payload, as in Linux
  -- DATA_SEGS_OUT, SND_CWND, REORDERING, DELIVERED (the SYN,ACK), BYTES_RETRANS; no TTL yet
  t:is({ sent[8], sent[9], sent[16], sent[19], sent[26] }, { 10, 3, 1, 0, nil })
  t:is({ sent[13], sent[14] }, { 1500, 0 }) -- SNDQ_SIZE, CA_STATE
  net.sleep "20us"
  peer:send ". 1:1(0) ack 1501 win 65535"
  net.sleep "10us"
  repeat n, info = notification(conn) until n.info == ACK -- one of each segment before
  t:is(info.length, 256)
  local acked = info.cmsg.SCM_TIMESTAMPING_OPT_STATS
  t:is({ acked[4], acked[5], acked[13], acked[18], acked[26] }, { 2, 0, 0, 1500, 64 })
  t:is(acked[10], conn:info().min_rtt)
  t:ok(acked[25] >= sent[25]) -- EDT
end)

tap.test("OPT_STATS is for TCP: a datagram's stamp comes alone", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local s = host:socket "udp"
  s:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_TX_SOFTWARE | C.SOF_TIMESTAMPING_SOFTWARE |
    C.SOF_TIMESTAMPING_OPT_TSONLY | C.SOF_TIMESTAMPING_OPT_STATS)
  net.sleep "1ms" -- a stamp of 0 is none
  s:sendto("hello", peer.addr, 7)
  peer:expect(net.udp { dport = 7 })
  local _, info = notification(s)
  t:is({ info.length, info.cmsg.SCM_TIMESTAMPING_OPT_STATS }, { 0, nil })
  t:ok(info.cmsg.SO_TIMESTAMPING)
end)

-- TCP_TX_DELAY --------------------------------------------------------------------------------------

tap.test("TCP_TX_DELAY: what it takes and refuses", function(t)
  local _, conn = connection()
  for _, v in ipairs { 0, 1, 1000, (1 << 28) - 1 } do
    conn:option("TCP_TX_DELAY", v)
    t:is(conn:option "TCP_TX_DELAY", v)
  end
  for _, v in ipairs { -1, 1 << 28 } do t:is(select(2, conn:try("option", "TCP_TX_DELAY", v)), "EINVAL") end
end)

tap.test("TCP_TX_DELAY: with fq packets leave so much later, and the RTT counts it", function(t)
  local peer, conn, host = connection()
  host:tc "qdisc replace dev eth0 root fq"
  conn:option("TCP_TX_DELAY", 20000)
  conn:send "hello"
  peer:expect_nothing { during = "20ms" }
  peer:expect("P. 1:6(5) ack 1", { within = "20us" }) -- fq wakes up to 10 us late
  peer:send ". 1:1(0) ack 6 win 65535"
  net.sleep "1ms"
  t:ok(conn:info().rtt >= 20000, conn:info().rtt)
  conn:option("TCP_TX_DELAY", 0)
  local rtt = conn:info().rtt
  t:ok(rtt < 20000, "a live flow's is as much shorter: " .. rtt)
  conn:send "world"
  peer:expect "P. 6:11(5) ack 1"
end)

tap.test("TCP_TX_DELAY without a qdisc that knows times: nothing waits", function(t)
  local peer, conn = connection()
  conn:option("TCP_TX_DELAY", 20000)
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
end)

tap.test("SO_TIMESTAMPING: what is refused", function(t)
  local _, conn, host = connection()
  local function set(s, v) return select(2, s:try("option", "SO_TIMESTAMPING", v)) end
  t:is(set(conn, 1 << 19), "EINVAL")
  t:is(set(conn, C.SOF_TIMESTAMPING_OPT_ID_TCP), "EINVAL")
  t:is(set(conn, C.SOF_TIMESTAMPING_OPT_STATS), "EINVAL")
  t:is(set(host:socket "tcp", C.SOF_TIMESTAMPING_OPT_ID), "EINVAL")
end)

tap.test("received bytes have the time at which the last of them came", function(t)
  local peer, conn = connection()
  conn:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_RX_SOFTWARE | C.SOF_TIMESTAMPING_SOFTWARE)
  peer:send "P. 1:11(10) ack 1 win 65535"
  net.sleep "5ms"
  local _, info = conn:recv()
  t:ok(net.now() - info.cmsg.SO_TIMESTAMPING >= 4900000)
  peer:collect { during = "1s" }
end)

-- TCP_INQ -------------------------------------------------------------------------------------------

tap.test("TCP_INQ: bytes left; 1 when only the end is", function(t)
  local peer, conn = connection()
  conn:option("TCP_INQ", 1)
  peer:send "P. 1:1001(1000) ack 1 win 65535"
  peer:send "F. 1001:1501(500) ack 1 win 65535"
  peer:collect { during = "100ms" }
  t:is(select(2, conn:recv(400)).cmsg.TCP_INQ, 1101)
  t:is(select(2, conn:recv(1100)).cmsg.TCP_INQ, 1)
  t:is((conn:recv()), "")
end)
