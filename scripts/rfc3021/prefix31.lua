-- SPDX-License-Identifier: MIT
-- RFC 3021: a 31-bit prefix has two hosts and no broadcast address.
local tap = require "tap"
local net = require "net"
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

for i, pair in ipairs { { "192.0.2.0", "192.0.2.1" }, { "192.0.2.1", "192.0.2.0" } } do
  tap.test(("both addresses of a /31 are hosts: %s talks to %s"):format(pair[1], pair[2]), function(t)
    local host = net.host { addr = pair[1] .. "/31" }
    local peer = host.wire:peer { addr = pair[2] }
    peer:send(icmp{ type = "echo", id = 1, seq = i })
    t:shows("RFC3021-2.1-1", peer:expect(icmp{ type = "echo-reply", seq = i }, { within = "1ms" }))
    host:socket "udp":sendto("x", pair[2], 9)
    local sent = peer:expect(udp{ dport = 9 })
    t:is(sent.eth.dst, peer.mac)
    t:is(host:counter("IpExtOutBcastPkts"), 0)
  end)
end

tap.test("on a /30 the first and the last address are no hosts, the last is broadcast", function(t)
  local host = net.host { addr = "192.0.2.1/30" }
  local peer = host.wire:peer { addr = "192.0.2.2" }
  local server = host:socket "udp"
  server:bind(7)
  peer:send(eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{ dst = "192.0.2.3" } / udp{ sport = 1, dport = 7 } / "b")
  t:is((server:recv()), "b")
  local socket = host:socket "udp"
  t:is({ socket:try("sendto", "x", "192.0.2.3", 9) }, { nil, "EACCES" })
end)

tap.test("a /32 is a host alone: its neighbours need a route of their own", function(t)
  local host = net.host { addr = "192.0.2.1/32" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local socket = host:socket "udp"
  t:is({ socket:try("sendto", "x", peer.addr, 9) }, { nil, "ENETUNREACH" })
  host:route { dst = "192.0.2.9/32", dev = 2 }
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(udp{ dport = 9 } / "x", { within = "1ms" }))
end)
