-- SPDX-License-Identifier: MIT
-- RFC 1122 3.3.1.4: layers above tell the next hop's entry what they know of it, so that it need
-- not be probed. As in Linux the advice goes along with the socket's next packet (sk_dst_confirm,
-- sock_confirm_neigh); a connection gives it when what it sent gets through.
local tap = require "tap"
local net = require "net"
local arp, eth, udp = net.arp, net.eth, net.udp

-- Nothing was heard of the peer for long: the next packet makes its entry one that is probed 5 s
-- later (NUD_DELAY) if nobody confirms it.
local function grow_stale(host, peer)
  host:ip(("neigh replace 192.0.2.9 lladdr %s dev eth0 nud stale"):format(peer.mac))
  net.sleep "1min"
end

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  return host, host.wire:peer { addr = "192.0.2.9", port = 4000, arp = false }
end

local function established()
  local host, peer = station()
  local server = host:socket "tcp"
  host:neigh { addr = peer.addr, mac = peer.mac }
  server:listen(80)
  peer:to(80):send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  grow_stale(host, peer)
  return host, peer, conn
end

local function state(host) return host:ip("neigh"):match "(%u+)%s*$" end

local function probe(peer) return eth{ dst = peer.mac } / arp{ op = "request", tpa = peer.addr } end

tap.test("what a connection sent is acknowledged: its next packet confirms the entry", function(t)
  local host, peer, conn = established()
  conn:send "one"
  peer:expect "P. 1:4(3) ack 1"
  t:is(state(host), "DELAY")
  peer:send ". 1:1(0) ack 4"
  net.sleep "1ms"
  conn:send "two"
  peer:expect "P. 4:7(3) ack 1"
  peer:send ". 1:1(0) ack 7"
  t:shows("RFC1122-3.3.1.4-6", peer:expect_nothing { during = "10s" })
  t:is(state(host), "REACHABLE")
end)

tap.test("nothing is sent behind the acknowledgment: the entry is probed", function(t)
  local _, peer, conn = established()
  conn:send "one"
  peer:expect "P. 1:4(3) ack 1"
  peer:send ". 1:1(0) ack 4"
  t:ok(peer:expect(probe(peer), { within = "5s" }))
end)

tap.test("what is only received is no sign that the next hop forwards", function(t)
  local _, peer, conn = established()
  for i = 0, 9 do
    peer:send(("P. %d:%d(2) ack 1"):format(1 + 2 * i, 3 + 2 * i))
    t:is(#conn:recv(2), 2)
    peer:expect((". 1:1(0) ack %d"):format(3 + 2 * i), { within = "500ms" })
  end
  t:ok(peer:expect(probe(peer), { within = "5s" }))
end)

tap.test("the FIN is acknowledged: the ACK of the peer's FIN confirms", function(t)
  local host, peer, conn = established()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2"
  net.sleep "1ms"
  peer:send "F. 1:1(0) ack 2"
  peer:expect ". 2:2(0) ack 2"
  t:shows("RFC1122-3.3.1.4-6", peer:expect_nothing { during = "10s" })
  t:is(state(host), "REACHABLE")
end)

tap.test("a program's own advice: MSG_CONFIRM", function(t)
  local host, peer = station()
  grow_stale(host, peer)
  local socket = host:socket "udp"
  socket:sendto("plain", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "plain")
  t:is(state(host), "DELAY")
  socket:sendto("sure", peer.addr, 9, { flags = "confirm" })
  peer:expect(udp{ dport = 9 } / "sure")
  t:shows("RFC1122-3.3.1.4-6", peer:expect_nothing { during = "10s" })
  t:is(state(host), "REACHABLE")
end)
