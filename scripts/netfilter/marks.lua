-- SPDX-License-Identifier: MIT
-- Marks that a filter gives to packets that arrive, on what answers them: net.ipv4.tcp_fwmark_accept and
-- net.ipv4.fwmark_reflect.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local icmp, udp = net.icmp, net.udp

-- A host that marks what it receives; how many packets with that mark it has sent.
local function marking(sysctl)
  local host = net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  if sysctl then host:sysctl(sysctl, 1) end
  host:iptables "-t mangle -A PREROUTING -j MARK --set-mark 7"
  host:iptables "-A OUTPUT -m mark --mark 7"
  return host, peer, function() return s.counts(host, "OUTPUT", 1)[1] end
end

-- A connection to a listener whose own mark is that.
local function accepted(host, peer, mark)
  local server = host:socket "tcp"
  if mark then server:option("SO_MARK", mark) end
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1"
  return server:accept()
end

tap.test("tcp_fwmark_accept: a connection has the mark of its SYN", function(t)
  local host, peer, sent = marking "net.ipv4.tcp_fwmark_accept"
  local conn = accepted(host, peer)
  t:is({ conn:option "SO_MARK", sent() }, { 7, 1 })
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  t:is(sent(), 2)
end)

tap.test("tcp_fwmark_accept: a mark of the listener goes first", function(t)
  local host, peer, sent = marking "net.ipv4.tcp_fwmark_accept"
  t:is({ accepted(host, peer, 3):option "SO_MARK", sent() }, { 3, 0 })
end)

tap.test("without tcp_fwmark_accept a connection has its listener's mark", function(t)
  local host, peer, sent = marking()
  t:is({ accepted(host, peer):option "SO_MARK", sent() }, { 0, 0 })
end)

tap.test("fwmark_reflect: resets, echo replies and ICMP errors have the mark of what they answer", function(t)
  for _, on in ipairs { true, false } do
    local host, peer, sent = marking(on and "net.ipv4.fwmark_reflect")
    peer:send "S 0:0(0) win 1000"
    peer:expect "R. 0:0(0) ack 1"
    t:is(sent(), on and 1 or 0)
    peer:send(icmp { type = "echo", id = 1, seq = 1 } / "ping")
    peer:expect(icmp { type = "echo-reply" } / "ping")
    t:is(sent(), on and 2 or 0)
    peer:send(udp { dport = 9 } / "x")
    peer:expect(icmp { type = "dest-unreach", code = 3 })
    t:is(sent(), on and 3 or 0)
  end
end)

tap.test("fwmark_reflect: the answer is routed by its mark", function(t)
  local host, peer = marking "net.ipv4.fwmark_reflect"
  host:rule { fwmark = 7, action = "unreachable", priority = 10 }
  peer:send(icmp { type = "echo", id = 1, seq = 1 } / "ping")
  peer:expect_nothing { during = "1ms" }
  host:sysctl("net.ipv4.fwmark_reflect", 0)
  peer:send(icmp { type = "echo", id = 1, seq = 2 } / "ping")
  t:ok(peer:expect(icmp { type = "echo-reply", seq = 2 } / "ping"))
end)
