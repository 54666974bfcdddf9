-- SPDX-License-Identifier: MIT
-- RFC 1112: sending to groups, joining them, receiving. (Reports of IGMP are not looked at here.)
local tap = require "tap"
local net = require "net"
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function bytes(addr)
  local a, b, c, d = addr:match("(%d+)%.(%d+)%.(%d+)%.(%d+)")
  return string.char(tonumber(a), tonumber(b), tonumber(c), tonumber(d))
end

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:route { dst = "224.0.0.0/4", dev = 2 }
  local socket = host:socket "udp"
  socket:bind(7)
  return host, peer, socket
end

local function membership(group) return bytes(group) .. bytes "192.0.2.1" end

-- Joins, and lets pass what the host tells routers of it.
local function join(peer, socket, group)
  socket:option("IP_ADD_MEMBERSHIP", membership(group))
  peer:collect { during = "1min" }
end

local function heard(peer, socket, group)
  peer:send(ip{ dst = group, ttl = 1 } / udp{ sport = 5000, dport = 7 } / "group")
  net.sleep "1ms"
  local here = socket:pending() > 0
  if here then socket:recv() end
  return here
end

for group, mac in pairs { ["224.0.0.251"] = "01:00:5e:00:00:fb", ["239.255.255.255"] =
  "01:00:5e:7f:ff:ff", ["232.128.1.2"] = "01:00:5e:00:01:02" } do
  tap.test(("a datagram to %s goes to %s"):format(group, mac), function(t)
    local _, peer, socket = station()
    socket:sendto("x", group, 9)
    local frame = peer:expect(ip{ dst = group } / udp{ dport = 9 })
    t:shows("RFC1112-6.4-1", t:is(frame.eth.dst, mac))
    t:shows("RFC1112-6.2-2", t:is(frame.ip.src, "192.0.2.1"))
  end)
end

tap.test("the TTL of a datagram to a group is 1 unless set, and can be 0 to 255", function(t)
  local _, peer, socket = station()
  socket:sendto("x", "239.1.2.3", 9)
  t:shows("RFC1112-6.1-1", t:is(peer:expect(ip{ dst = "239.1.2.3" } / udp{ dport = 9 }).ip.ttl, 1))
  socket:option("IP_MULTICAST_TTL", 255)
  socket:sendto("x", "239.1.2.3", 9)
  t:is(peer:expect(ip{ dst = "239.1.2.3" } / udp{ dport = 9 }).ip.ttl, 255)
  t:is({ socket:try("option", "IP_MULTICAST_TTL", 256) }, { nil, "EINVAL" })
end)

tap.test("with TTL 0 a member's datagram to its group stays inside the host", function(t)
  local _, peer, socket = station()
  join(peer, socket, "239.1.2.3")
  socket:option("IP_MULTICAST_TTL", 0)
  socket:sendto("x", "239.1.2.3", 7)
  t:shows("RFC1122-3.2.1.7-1", peer:expect_nothing { during = "1s" })
  t:is((socket:recv()), "x")
end)

tap.test("profile linux: with TTL 0 a datagram to a group not joined goes out with TTL 0", { profile = "linux" }, function(t)
  local _, peer, socket = station()
  socket:option("IP_MULTICAST_TTL", 0)
  socket:sendto("x", "239.1.2.3", 9)
  t:is(peer:expect(ip{ dst = "239.1.2.3" } / udp{ dport = 9 }).ip.ttl, 0)
end)

tap.test("a group is heard from when it is joined until it is left", function(t)
  local _, peer, socket = station()
  t:is(heard(peer, socket, "239.1.2.3"), false)
  join(peer, socket, "239.1.2.3")
  t:shows("RFC1112-7.1-1", t:is(heard(peer, socket, "239.1.2.3"), true))
  t:shows("RFC1112-7.2-2", t:is(heard(peer, socket, "239.1.2.3"), true, "its TTL was 1"))
  socket:option("IP_DROP_MEMBERSHIP", membership "239.1.2.3")
  peer:collect { during = "1min" }
  t:shows("RFC1112-7.2-1", t:is(heard(peer, socket, "239.1.2.3"), false))
end)

tap.test("a group that maps to the same Ethernet address is filtered by IP", function(t)
  local host, peer, socket = station()
  join(peer, socket, "239.1.2.3")
  local before = host:counter("eth0.hw_rx_filtered")
  t:shows("RFC1112-6.4-2", t:is(heard(peer, socket, "239.129.2.3"), false))
  t:is(host:counter("eth0.hw_rx_filtered"), before, "the card let it pass")
  t:is(host:drops("IP_INVALID_DEST"), 1)
end)

tap.test("no ICMP error for a datagram to a group: closed port, unknown protocol", function(t)
  local host, peer, socket = station()
  join(peer, socket, "239.1.2.3")
  peer:send(ip{ dst = "239.1.2.3" } / udp{ sport = 1, dport = 99 })
  peer:send(ip{ dst = "239.1.2.3", proto = 253 } / "?")
  t:shows("RFC1112-7.2-3", peer:expect_nothing { during = "1s" })
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("a member that sends hears itself, unless it says no", function(t)
  local _, peer, socket = station()
  join(peer, socket, "239.1.2.3")
  socket:sendto("me", "239.1.2.3", 7)
  peer:expect(ip{ dst = "239.1.2.3" } / udp{ dport = 7 } / "me")
  t:shows("RFC1112-6.2-1", t:is((socket:recv()), "me"))
  socket:option("IP_MULTICAST_LOOP", 0)
  socket:sendto("me", "239.1.2.3", 7)
  peer:expect(ip{ dst = "239.1.2.3" } / udp{ dport = 7 } / "me")
  net.sleep "1s"
  t:shows("RFC1112-7.3-1", t:is(socket:pending(), 0))
end)

tap.test("a group address is no source: refused by bind for sending, dropped when received", function(t)
  local host, peer, socket = station()
  peer:send(ip{ src = "239.1.2.3" } / udp{ sport = 5000, dport = 7 } / "x")
  peer:expect_nothing { during = "1s" }
  t:is({ socket:pending(), host:drops("IP_INVALID_SOURCE") }, { 0, 1 })
  local sender = host:socket "udp"
  sender:bind("239.1.2.3", 0)
  sender:sendto("x", peer.addr, 9)
  t:shows("RFC1112-4-1", peer:expect(ip{ src = "192.0.2.1" } / udp{ dport = 9 }))
end)

tap.test("a host hears all hosts' group from the beginning, and no other", function(t)
  local _, peer, socket = station()
  peer:send(ip{ dst = "224.0.0.1" } / udp{ sport = 1, dport = 7 } / "all")
  peer:send(ip{ dst = "224.0.0.77" } / udp{ sport = 1, dport = 7 } / "others")
  net.sleep "1ms"
  t:shows("RFC1122-3.3.7-3", t:is((socket:recv { flags = "dontwait" }), "all"))
  t:is(socket:pending(), 0)
  join(peer, socket, "239.1.2.3")
  t:shows("RFC1122-3.3.7-1", t:is(heard(peer, socket, "239.1.2.3"), true))
end)
