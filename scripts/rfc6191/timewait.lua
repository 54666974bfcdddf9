-- SPDX-License-Identifier: MIT
-- A SYN for a connection in TIME-WAIT (RFC 6191, RFC 1122 4.2.2.13), and resets there (RFC 1337).
-- The old connection's data ended at 2 on both sides (SYN and FIN), its last time stamp was 1000.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local STAMP = "nop,nop,TS val %d ecr 0"

-- host, peer: in TIME-WAIT, with the listener still there.
local function time_wait(o)
  o = o or {}
  local stamps = o.stamps ~= false
  local host, peer, conn = tcp.passive { sysctl = o.sysctl,
    syn = stamps and "mss 1460,sackOK,TS val 1000 ecr 0" or nil,
    third = stamps and STAMP:format(1000) or nil }
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  peer:send((". 1:1(0) ack 2 win 65535 <%s>"):format(stamps and STAMP:format(1000) or ""))
  peer:send(("F. 1:1(0) ack 2 win 65535 <%s>"):format(stamps and STAMP:format(1000) or ""))
  peer:expect ". 2:2(0) ack 2"
  conn:close()
  net.sleep "2s"
  return host, peer
end

local function syn(peer, number, stamp)
  local options = stamp and (",sackOK,TS val %d ecr 0"):format(stamp) or ""
  peer:send(("S %d:%d(0) win 65535 <mss 1460%s>"):format(number, number, options))
end

-- The SYN was accepted: a new connection, above the old one's numbers.
local function accepted(t, peer, number)
  local old = peer.tcp.host_isn
  peer:fresh { isn = peer.tcp.isn + number & 0xffffffff }
  local frame = peer:expect("S. 0:0(0) ack 1", { within = "1ms" })
  t:ok((frame.tcp.seq - old - 2 & 0xffffffff) < 1 << 31, "the new numbers are above the old ones")
  return frame
end

tap.test("a newer time stamp: accepted, though the number is an old one", function(t)
  local _, peer = time_wait()
  syn(peer, 0, 2000)
  t:shows("RFC9293-SHLD-4", t:shows("RFC6191-2-1", accepted(t, peer, 0)))
end)

tap.test("the same time stamp, and a greater number: accepted", function(t)
  local _, peer = time_wait()
  syn(peer, 1000, 1000)
  t:shows("RFC6191-2-2", accepted(t, peer, 1000))
end)

tap.test("the same time stamp, and no greater number: an ACK", function(t)
  local _, peer = time_wait()
  syn(peer, 1, 1000)
  t:shows("RFC6191-2-2", peer:expect ". 2:2(0) ack 2")
end)

tap.test("an older time stamp: no connection, whatever the number", function(t)
  local host, peer = time_wait()
  syn(peer, 1000, 900)
  peer:expect ". 2:2(0) ack 2"
  t:shows("RFC6191-2-3", t:is(host:counter "TcpPassiveOpens", 1))
end)

tap.test("no time stamps: a greater number is accepted, another gets an ACK", function(t)
  local _, peer = time_wait { stamps = false }
  syn(peer, 1)
  peer:expect ". 2:2(0) ack 2"
  syn(peer, 1000)
  t:shows("RFC6191-2-4", t:shows("RFC9293-MAY-2", accepted(t, peer, 1000)))
end)

tap.test("net.ipv4.tcp_rfc1337 = 1: a reset does not end TIME-WAIT", function(t)
  local _, peer = time_wait { stamps = false, sysctl = { ["net.ipv4.tcp_rfc1337"] = 1 } }
  peer:send "R 2:2(0)"
  net.sleep "1ms"
  peer:send "F. 1:1(0) ack 2"
  t:shows("RFC1337-3-1", peer:expect ". 2:2(0) ack 2")
end)

tap.test("profile linux: a reset ends TIME-WAIT", { profile = "linux" }, function(t)
  local _, peer = time_wait { stamps = false }
  peer:send "R 2:2(0)"
  net.sleep "1ms"
  peer:send "F. 1:1(0) ack 2"
  t:ok(peer:expect "R 2:2(0)")
end)

tap.test("old data in TIME-WAIT is acknowledged and not delivered", function(t)
  local host, peer = time_wait { stamps = false }
  peer:send "P. 2:12(10) ack 2"
  peer:expect ". 2:2(0) ack 2"
  t:ok(peer:expect_nothing { during = "5s" })
  t:is(host:counter "TcpPassiveOpens", 1)
end)
