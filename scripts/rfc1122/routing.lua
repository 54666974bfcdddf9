-- SPDX-License-Identifier: MIT
-- RFC 1122 3.3.1: where a host's own datagrams go.
local tap = require "tap"
local net = require "net"
local eth, ip, icmp, udp, arp = net.eth, net.ip, net.icmp, net.udp, net.arp

-- A host and two gateways on its wire.
local function station(o)
  o = o or {}
  o.addr = "192.0.2.1/24"
  local host = net.host(o)
  local one = host.wire:peer { addr = "192.0.2.101" }
  local two = host.wire:peer { addr = "192.0.2.102" }
  host:neigh { addr = one.addr, mac = one.mac }
  host:neigh { addr = two.addr, mac = two.mac }
  return host, one, two, host:socket "udp"
end

local function to(dst) return ip{ dst = dst } / udp{ dport = 9 } end

tap.test("the longest prefix wins, whatever the order of entry and the metric", function(t)
  local host, one, two, socket = station()
  host:route { dst = "203.0.113.128/25", via = one.addr, metric = 500 }
  host:route { dst = "203.0.113.0/24", via = two.addr }
  socket:sendto("x", "203.0.113.129", 9)
  t:shows("RFC1812-5.2.4.3-1", one:expect(to "203.0.113.129"))
  socket:sendto("x", "203.0.113.127", 9)
  t:shows("RFC1122-3.3.1.2-5", two:expect(to "203.0.113.127"))
end)

tap.test("of two default gateways the lower metric is used, the other when it is gone", function(t)
  local host, one, two, socket = station()
  host:route { dst = "default", via = one.addr, metric = 10 }
  host:route { dst = "default", via = two.addr, metric = 20 }
  socket:sendto("x", "203.0.113.5", 9)
  one:expect(to "203.0.113.5")
  host:route_del { dst = "default", via = one.addr, metric = 10 }
  socket:sendto("x", "203.0.113.5", 9)
  t:shows("RFC1122-3.3.1.2-4", two:expect(to "203.0.113.5"))
end)

tap.test("a route for a TOS is taken by datagrams of that TOS alone", function(t)
  local host, one, two, socket = station()
  host:route { dst = "203.0.113.0/24", via = one.addr }
  host:route { dst = "203.0.113.0/24", via = two.addr, tos = 0x10 }
  socket:sendto("x", "203.0.113.5", 9)
  one:expect(to "203.0.113.5")
  socket:option("IP_TOS", 0x10)
  socket:sendto("x", "203.0.113.5", 9)
  t:shows("RFC1122-3.3.1.3-2", two:expect(ip{ dst = "203.0.113.5", tos = 0x10 } / udp{ dport = 9 }))
end)

for _, case in ipairs { { "blackhole", "EINVAL" }, { "unreachable", "EHOSTUNREACH" },
  { "prohibit", "EACCES" } } do
  tap.test(("a route of type %s gives %s"):format(case[1], case[2]), function(t)
    local host, one, _, socket = station()
    host:route { dst = "default", via = one.addr }
    host:route { dst = "203.0.113.0/24", type = case[1] }
    t:is({ socket:try("sendto", "x", "203.0.113.5", 9) }, { nil, case[2] })
    socket:sendto("x", "203.0.114.5", 9)
    t:ok(one:expect(to "203.0.114.5"))
  end)
end

tap.test("the source is the route's, else the address of the interface in the gateway's network",
  function(t)
    local host, one, two, socket = station()
    host:addr_add("198.51.100.1/24")
    host:route { dst = "203.0.113.0/24", via = one.addr, src = "198.51.100.1" }
    host:route { dst = "203.0.114.0/24", via = two.addr }
    socket:sendto("x", "203.0.113.5", 9)
    one:expect(ip{ src = "198.51.100.1", dst = "203.0.113.5" } / udp{ dport = 9 })
    socket:sendto("x", "203.0.114.5", 9)
    t:shows("RFC1122-3.2.1.3-2",
      two:expect(ip{ src = "192.0.2.1", dst = "203.0.114.5" } / udp{ dport = 9 }))
  end)

tap.test("an application chooses its local address", function(t)
  local host, one, _, socket = station()
  host:addr_add("192.0.2.2/24")
  socket:bind("192.0.2.2", 0)
  socket:sendto("x", one.addr, 9)
  t:shows("RFC1122-3.3.4.2-2", one:expect(ip{ src = "192.0.2.2" } / udp{ dport = 9 }))
  t:is({ host:socket "udp":try("bind", "192.0.2.3", 0) }, { nil, "EADDRNOTAVAIL" })
end)

tap.test("a gateway that is on no network of ours is refused", function(t)
  local host = station()
  t:error(function() host:route { dst = "default", via = "198.51.100.1" } end, "UNREACH")
end)

tap.test("a route's MTU bounds what goes out that way", function(t)
  local host, one, two, socket = station()
  host:route { dst = "203.0.113.0/24", via = one.addr, mtu = 600 }
  host:route { dst = "203.0.114.0/24", via = two.addr }
  socket:sendto(("x"):rep(1000), "203.0.113.5", 9)
  t:shows("RFC1122-3.3.3-3", t:is(#one:collect { during = "1ms" }, 2))
  socket:sendto(("x"):rep(1000), "203.0.114.5", 9)
  t:is(#two:collect { during = "1ms" }, 1)
end)

tap.test("a silent gateway is noticed by datagrams sent, and never asked without any", function(t)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254" }
  local gateway = host.wire:peer { addr = "192.0.2.254", arp = false }
  local socket = host:socket "udp"
  socket:option("IP_RECVERR", 1)
  socket:connect("203.0.113.5", 9)
  socket:send "x"
  t:is(#gateway:collect { during = "10s" }, 3)
  t:shows("RFC1122-3.3.1.4-1", t:is({ socket:try "send" }, { nil, "EHOSTUNREACH" }))
  t:shows("RFC1122-3.3.1.4-3", gateway:expect_nothing { during = "1h" })
end)

tap.test("an address deleted is no source and no destination any more", function(t)
  local host, one = station()
  host:addr_add("192.0.2.2/24")
  one:send(ip{ dst = "192.0.2.2" } / icmp{ type = "echo", id = 1, seq = 1 })
  one:expect(ip{ src = "192.0.2.2" } / icmp{ type = "echo-reply" })
  host:addr_del("192.0.2.2/24")
  one:send(ip{ dst = "192.0.2.2" } / icmp{ type = "echo", id = 1, seq = 2 })
  one:expect_nothing { during = "1s" }
  t:is(host:counter("IpInAddrErrors"), 1)
end)

tap.test("127.0.0.1 is reached inside the host and never seen on a wire", function(t)
  local host, one, _, socket = station()
  local server = host:socket "udp"
  server:bind("127.0.0.1", 7)
  socket:sendto("inside", "127.0.0.1", 7)
  local data, from = server:recv()
  t:is({ data, from.addr }, { "inside", "127.0.0.1" })
  t:shows("RFC1812-4.2.2.11-2", one:expect_nothing { during = "1s" })
end)
