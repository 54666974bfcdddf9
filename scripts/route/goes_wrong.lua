-- SPDX-License-Identifier: MIT
-- A router between two wires when something is wrong: what the sender hears, and the counters that
-- tell its administrator.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local function router(o)
  o = o or {}
  o["net.ipv4.ip_forward"] = "1"
  local host = net.host { addr = "192.0.2.1/24", sysctl = o }
  local outside = host:nic { addr = "198.51.100.1/24" }
  local a = host.wire:peer { addr = "192.0.2.9" }
  local b = outside.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = a.addr, mac = a.mac }
  host:neigh { addr = b.addr, mac = b.mac, dev = outside }
  return host, a, b, outside
end

local function through(a, o)
  o = o or {}
  a:send(ip{ src = o.src or "192.0.2.9", dst = o.dst or "198.51.100.9", ttl = o.ttl, df = o.df } /
    udp{ sport = 1, dport = 9 } / ("x"):rep(o.size or 1))
end

local function told(t, a, kind, code)
  local p = a:collect({ during = "5s" })[1]
  t:is(p and { p.icmp.type, p.icmp.code }, { kind, code })
  return p
end

tap.test("no route: network unreachable; IpExtInNoRoutes", function(t)
  local host, a = router()
  local before = host:counters()
  through(a, { dst = "203.0.113.1" })
  told(t, a, 3, 0)
  t:is(host:changes(before, "NoRoutes"), { IpExtInNoRoutes = 1 })
  t:is(host:changes(before, "^IpForw"), {})
end)

tap.test("TTL 1: time exceeded; IpInHdrErrors", function(t)
  local host, a = router()
  local before = host:counters()
  through(a, { ttl = 1 })
  told(t, a, 11, 0)
  t:is(host:changes(before, "^IpInHdrErrors$"), { IpInHdrErrors = 1 })
  t:is(host:drops "TTL_EXCEEDED", 1)
end)

tap.test("DF and a narrow way on: fragmentation needed with the MTU; IpFragFails", function(t)
  local host, a, _, outside = router()
  host:link { dev = outside, mtu = 600 }
  host:neigh { addr = "198.51.100.9", mac = "02:00:00:01:00:09", dev = outside }
  local before = host:counters()
  through(a, { size = 1000, df = true })
  t:is(told(t, a, 3, 4).icmp.mtu, 600)
  t:is(host:changes(before, "^IpFragFails$"), { IpFragFails = 1 })
  t:is(host:drops "PKT_TOO_BIG", 1)
end)

tap.test("a prohibit route: communication prohibited; blackhole: silence", function(t)
  local host, a = router()
  host:ip "route add prohibit 203.0.113.0/24"
  host:ip "route add blackhole 203.0.114.0/24"
  host:ip "route add unreachable 203.0.115.0/24"
  through(a, { dst = "203.0.113.1" })
  told(t, a, 3, 13)
  through(a, { dst = "203.0.115.1" })
  told(t, a, 3, 1)
  through(a, { dst = "203.0.114.1" })
  t:is(#a:collect { during = "5s" }, 0)
end)

tap.test("rp_filter: a source that would be answered elsewhere; TcpExtIPReversePathFilter", function(t)
  local host, a = router { ["net.ipv4.conf.all.rp_filter"] = "1" }
  local before = host:counters()
  through(a, { src = "198.51.100.77" })
  t:is(#a:collect { during = "1s" }, 0)
  t:is(host:drops "IP_RPFILTER", 1)
  t:is(host:changes(before, "ReversePath"), { TcpExtIPReversePathFilter = 1 })
end)

tap.test("the next hop does not answer: host unreachable after three requests; NEIGH_FAILED", function(t)
  local host, a, b = router()
  through(a, { dst = "198.51.100.50" })
  local p = a:collect({ during = "4s" })[1]
  t:is({ p.icmp.type, p.icmp.code }, { 3, 1 })
  t:is(#b:collect { during = "1s" }, 3)
  t:is(host:drops "NEIGH_FAILED", 1)
  t:like(host:ip "neigh", "198.51.100.50 dev eth1 +FAILED")
end)

tap.test("more for an unresolved next hop than its queue holds: the oldest go; NEIGH_QUEUEFULL", function(t)
  local host, a, b = router()
  host:sysctl("net.ipv4.neigh.eth1.unres_qlen_bytes", "2000")
  for _ = 1, 10 do through(a, { dst = "198.51.100.50" }) end
  a:collect { during = "500ms" }
  t:is(#b:collect { during = "1s" }, 2)
  t:ok(host:drops "NEIGH_QUEUEFULL" >= 6, host:drops "NEIGH_QUEUEFULL")
end)

tap.test("forwarding is off: the packet is nobody's; IpInAddrErrors", function(t)
  local host, a = router()
  host:sysctl("net.ipv4.ip_forward", "0")
  local before = host:counters()
  through(a)
  t:is(#a:collect { during = "1s" }, 0)
  t:is(host:changes(before, "^IpInAddrErrors$"), { IpInAddrErrors = 1 })
end)
