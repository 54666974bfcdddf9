-- SPDX-License-Identifier: MIT
-- What IP was given is what it delivered, passed on, holds or dropped: the account that the stack
-- checks after every event, read by a user, where packets are lost on the way.
local tap = require "tap"
local net = require "net"
local ip, udp = net.ip, net.udp

-- The three equations of stack/inet/ip_account.c, of the host's counters.
local function balanced(t, host)
  local c = host:counters()
  local function way(name) -- what ended there, and what waits
    return c["ip." .. name .. ".joined"] + c["ip." .. name .. ".ended"] + c["ip." .. name .. ".held"] +
      c["ip." .. name .. ".dropped"]
  end
  t:is(c.IpInReceives, c.IpInDelivers + c.IpForwDatagrams + way "in", "in")
  t:is(c.IpOutRequests + c.IpForwDatagrams + c["ip.pieces"] + c["ip.copies"],
    c.IpOutTransmits + c["ip.cut"] + c["ip.looped"] + way "out", "out")
  t:is(c.IpOutTransmits, c["ip.resolved"] + way "neigh", "neigh")
end

local function router()
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local outside = host:nic { addr = "198.51.100.1/24" }
  local a = host.wire:peer { addr = "192.0.2.9" }
  local b = outside.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = a.addr, mac = a.mac }
  host:neigh { addr = b.addr, mac = b.mac, dev = outside }
  return host, a, b, outside
end

local function datagram(o)
  return ip{ src = "192.0.2.9", dst = o.dst, id = o.id or 1, ttl = o.ttl } / udp{ sport = 1, dport = 9 } /
    ("x"):rep(o.size or 8)
end

tap.test("fragments are held, then part of a datagram, or dropped when the time is over", function(t)
  local host, a = router()
  local socket = host:socket "udp"
  socket:bind("192.0.2.1", 9)
  local whole = net.fragments(datagram { dst = "192.0.2.1", size = 64 }, { 24, 48 })
  local torn = net.fragments(datagram { dst = "192.0.2.1", size = 64, id = 2 }, { 24, 48 })
  for _, piece in ipairs { whole[1], whole[2], torn[3] } do a:send(piece) end
  a:expect_nothing { during = "1ms" }
  t:is(host:counter "ip.in.held", 3)
  balanced(t, host)
  a:send(whole[3])
  t:is(#socket:recv(), 64)
  t:is({ host:counter "ip.in.held", host:counter "ip.in.joined" }, { 1, 2 })
  net.sleep "31s"
  t:is({ host:counter "ip.in.held", host:counter "ip.in.Drop.FRAG_REASM_TIMEOUT" }, { 0, 1 })
  balanced(t, host)
end)

tap.test("a router cuts what is too long: pieces, and the datagram they were cut of", function(t)
  local host, a, b, outside = router()
  host:link { dev = outside, mtu = 600 }
  host:neigh { addr = b.addr, mac = b.mac, dev = outside }
  a:send(datagram { dst = b.addr, size = 1400 })
  t:is(#b:collect { during = "1ms" }, 3)
  t:is({ host:counter "IpForwDatagrams", host:counter "ip.pieces", host:counter "ip.cut", host:counter "IpOutTransmits" },
    { 1, 3, 1, 3 })
  balanced(t, host)
end)

tap.test("dropped on the way in, on the way out, at the neighbour: each its own account", function(t)
  local host, a, _, outside = router()
  host:ip "route add blackhole 203.0.113.0/24"
  a:send(datagram { dst = "203.0.113.1" })
  a:send(datagram { dst = "198.51.100.9", ttl = 1 })
  local hook = host:hook("post_routing", function(p) return p.udp and "drop" or "accept" end)
  a:send(datagram { dst = "198.51.100.9" })
  a:collect { during = "1ms" }
  hook:remove()
  a:send(datagram { dst = "198.51.100.50" })
  a:collect { during = "1ms" }
  t:is(host:counter "ip.neigh.held", 1)
  balanced(t, host)
  a:collect { during = "5s" }
  outside.wire:peer { addr = "198.51.100.77" }:collect { during = "1ms" }
  t:is({ host:counter "ip.in.Drop.BLACKHOLE", host:counter "ip.in.Drop.TTL_EXCEEDED", host:counter "ip.out.Drop.NETFILTER_DROP",
    host:counter "ip.neigh.Drop.NEIGH_FAILED", host:counter "ip.neigh.held" }, { 1, 1, 1, 1, 0 })
  balanced(t, host)
end)

tap.test("a hook that holds packets, and one that takes them", function(t)
  local host, a, b = router()
  local hook = host:hook("forward", function() return "queue" end)
  a:send(datagram { dst = b.addr })
  a:send(datagram { dst = b.addr, id = 2 })
  b:expect_nothing { during = "1ms" }
  t:is(host:counter "ip.in.held", 2)
  balanced(t, host)
  hook:queued()[1]:accept()
  t:is(#b:collect { during = "1ms" }, 1)
  hook:queued()[1]:drop()
  hook:remove()
  host:hook("local_in", function() return "stolen" end)
  a:send(datagram { dst = "192.0.2.1" })
  a:expect_nothing { during = "1ms" }
  t:is({ host:counter "ip.in.held", host:counter "ip.in.ended", host:counter "ip.in.Drop.NETFILTER_DROP" }, { 0, 1, 1 })
  balanced(t, host)
end)

tap.test("to a group that the sender is in: a copy comes back, TTL 0 does not leave", function(t)
  local host, a = router()
  local socket = host:socket "udp"
  socket:bind("0.0.0.0", 9)
  socket:option("IP_ADD_MEMBERSHIP", "\xe0\1\1\1\xc0\0\2\1")
  host:ip "route add 224.0.0.0/4 dev eth0"
  a:collect { during = "30s" }
  local before = host:counters()
  socket:option("IP_MULTICAST_TTL", 0)
  socket:sendto("stays", "224.1.1.1", 9)
  t:is((socket:recv()), "stays")
  a:expect_nothing { during = "1ms" }
  local changed = host:changes(before, "^ip%.")
  t:is({ changed["ip.copies"], changed["ip.looped"], changed["ip.out.ended"] }, { 1, 1, 1 })
  balanced(t, host)
end)
