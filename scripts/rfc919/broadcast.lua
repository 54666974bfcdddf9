-- SPDX-License-Identifier: MIT
-- RFC 919 and RFC 922: broadcasts of IP.
local tap = require "tap"
local net = require "net"
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local BROADCAST = "ff:ff:ff:ff:ff:ff"

local function router()
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local second = host:nic { addr = "198.51.100.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local other = second.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = other.addr, mac = other.mac, dev = second }
  return host, peer, other
end

tap.test("the limited broadcast is heard and not forwarded", function(t)
  local host, peer, other = router()
  local server = host:socket "udp"
  server:bind(7)
  peer:send(eth{ dst = BROADCAST } / ip{ dst = "255.255.255.255" } / udp{ sport = 1, dport = 7 } / "all")
  t:is((server:recv()), "all")
  t:shows("RFC919-7-1", other:expect_nothing { during = "1s" })
  t:shows("RFC1812-5.3.5.1-1", t:is(host:counter("IpForwDatagrams"), 0))
end)

tap.test("the broadcast of the other side's network is not forwarded by default", function(t)
  local host, peer, other = router()
  peer:send(ip{ dst = "198.51.100.255" } / udp{ sport = 1, dport = 7 } / "all")
  t:ok(other:expect_nothing { during = "1s" })
  t:is(host:counter("IpForwDatagrams"), 0)
  peer:collect()
end)

tap.test("a unicast datagram in a broadcast frame is not forwarded", function(t)
  local host, peer, other = router()
  peer:send(eth{ dst = BROADCAST } / ip{ dst = other.addr } / udp{ sport = 1, dport = 7 } / "x")
  t:shows("RFC1812-5.3.4-1", other:expect_nothing { during = "1s" })
  t:is(host:drops(t.profile == "rfc" and "UNICAST_IN_L2_MULTICAST" or "OTHERHOST"), 1)
  peer:send(ip{ dst = other.addr } / udp{ sport = 1, dport = 7 } / "x")
  other:expect(ip{ src = peer.addr, ttl = 63 } / udp{ sport = 1, dport = 7 } / "x", { within = "1ms" })
end)

tap.test("a broadcast needs SO_BROADCAST", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local socket = host:socket "udp"
  t:is({ socket:try("sendto", "x", "192.0.2.255", 9) }, { nil, "EACCES" })
  t:ok(peer:expect_nothing { during = "1s" })
end)
