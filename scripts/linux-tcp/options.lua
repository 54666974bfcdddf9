-- SPDX-License-Identifier: MIT
-- Options of level SOL_TCP that are Linux's own: what they take, refuse and do.
local tap = require "tap"
local net = require "net"

local function connection(options, syn)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  for name, value in pairs(options or {}) do server:option(name, value) end
  server:listen(80)
  peer:send(syn or "S 0:0(0) win 65535 <mss 1000>")
  peer:expect "[noecn] S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  return peer, server:accept(), host
end

tap.test("TCP_SAVE_SYN 1: IP and TCP header of the SYN, given once", function(t)
  local _, conn = connection({ TCP_SAVE_SYN = 1 }, "S 0:10(10) win 65535 <mss 1000>")
  local saved = conn:option "TCP_SAVED_SYN"
  t:is(#saved, 44)
  t:is({ saved:byte(1), saved:byte(10) }, { 0x45, 6 })
  t:is((">I2I2"):unpack(saved, 21), 4000)
  t:is(saved:sub(41), "\2\4" .. (">I2"):pack(1000))
  t:is(conn:option "TCP_SAVED_SYN", "")
end)

tap.test("TCP_SAVE_SYN 2: the link's header too; 0: nothing; 3: refused", function(t)
  local _, conn = connection { TCP_SAVE_SYN = 2 }
  t:is(#conn:option "TCP_SAVED_SYN", 58)
  local _, other, host = connection { TCP_SAVE_SYN = 0 }
  t:is(other:option "TCP_SAVED_SYN", "")
  t:is(select(2, host:socket "tcp":try("option", "TCP_SAVE_SYN", 3)), "EINVAL")
end)

tap.test("TCP_SAVE_SYN: a connection that nobody asks is closed without a trace", function(t)
  local peer, conn = connection { TCP_SAVE_SYN = 1 }
  conn:close()
  t:ok(peer:expect "F. 1:1(0) ack 1")
  peer:send "R. 1:1(0) ack 2"
end)

tap.test("limits of the small ones", function(t)
  local _, conn = connection()
  local function set(name, v) return select(2, conn:try("option", name, v)) end
  for _, case in ipairs {
    { "TCP_THIN_LINEAR_TIMEOUTS", { 0, 1 }, { -1, 2 } },
    { "TCP_THIN_DUPACK", { 0, 1 }, { -1, 2 } },
    { "TCP_RTO_MIN_US", { 2000, 100000, 200000 }, { 0, 1, 1000, 201000, -1 } },
    { "TCP_DELACK_MAX_US", { 2000, 40000, 200000 }, { 0, 1000, 201000, -1 } },
  } do
    for _, v in ipairs(case[2]) do
      t:is(set(case[1], v), nil)
      if case[1] ~= "TCP_THIN_DUPACK" then t:is(conn:option(case[1]), v) end
    end
    for _, v in ipairs(case[3]) do t:is(set(case[1], v), "EINVAL") end
  end
  t:is(set("TCP_TIMESTAMP", 1), "EPERM")
end)

tap.test("TCP_RTO_MIN_US: the first time-out of a short path", function(t)
  local peer, conn = connection { TCP_RTO_MIN_US = 20000 } -- before an RTT is measured
  conn:send "a"
  peer:expect "P. 1:2(1) ack 1"
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  conn:send "b"
  peer:expect "P. 2:3(1) ack 1"
  t:ok(peer:expect("P. 2:3(1) ack 1", { within = "30ms" }))
end)

tap.test("TCP_DELACK_MAX_US: a delayed ACK comes earlier", function(t)
  local peer, conn = connection()
  conn:option("TCP_QUICKACK", 0)
  conn:option("TCP_DELACK_MAX_US", 5000)
  peer:send ". 1:101(100) ack 1 win 65535"
  t:ok(peer:expect(". 1:1(0) ack 101", { within = "6ms" }))
end)

tap.test("TCP_CC_INFO: DCTCP's alpha; nothing of CUBIC", function(t)
  local _, conn = connection()
  t:is(conn:option "TCP_CC_INFO", "")
  local host = net.host { addr = "192.0.2.1/24",
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "dctcp" } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  peer:expect "SE. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local info = server:accept():option "TCP_CC_INFO"
  t:is({ ("<I2I2I4I4I4"):unpack(info) }, { 1, 0, 1024, 0, 0, 17 })
end)
