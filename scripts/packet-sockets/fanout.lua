-- SPDX-License-Identifier: MIT
-- PACKET_FANOUT: packet sockets that share what a tap hears: by flow, in turn, by chance, by queue,
-- and to others when one has no room.
local tap = require "tap"
local net = require "net"
local ip, udp = net.ip, net.udp

local function world(n, kind, o, host)
  host = host or net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local sockets = {}
  for i = 1, n do
    sockets[i] = host:socket("packet", { dev = "eth0", protocol = "ip" })
    sockets[i]:fanout(7, kind, o)
  end
  return host, peer, sockets
end

local function flow(peer, port, times)
  for _ = 1, times or 1 do
    peer:send(ip{ src = "192.0.2.9", dst = "192.0.2.1" } / udp{ sport = port, dport = 9 } / "x")
  end
  net.sleep "1ms"
end

local function counts(sockets)
  local list = {}
  for i, s in ipairs(sockets) do list[i] = s:statistics().packets end
  return list
end

local function sum(list)
  local n = 0
  for _, v in ipairs(list) do n = n + v end
  return n
end

tap.test("hash: a flow has one socket, each packet is heard once", function(t)
  local _, peer, sockets = world(3, "hash")
  for port = 1, 60 do flow(peer, port) end
  peer:collect { during = "1ms" }
  local first = counts(sockets)
  t:ok(sum(first) >= 60, "the errors that the host answers with are heard too")
  for _, n in ipairs(first) do t:ok(n > 8, n) end
  flow(peer, 5, 10)
  peer:collect { during = "1ms" }
  local again = counts(sockets)
  local busy = 0
  for _, n in ipairs(again) do if n > 0 then busy = busy + 1 end end
  t:ok(busy <= 2, "the flow has one, its ICMP errors one")
end)

tap.test("lb: in turn; ignore_outgoing: what the host sends is not heard", function(t)
  local _, peer, sockets = world(4, "lb", { ignore_outgoing = true })
  flow(peer, 5, 40)
  peer:collect { during = "1ms" }
  t:is(counts(sockets), { 10, 10, 10, 10 })
end)

tap.test("rnd spreads, qm goes by the receive queue, cpu by the CPU", function(t)
  local _, peer, sockets = world(2, "rnd", { ignore_outgoing = true })
  flow(peer, 5, 100)
  peer:collect { during = "1ms" }
  local list = counts(sockets)
  t:is(sum(list), 100)
  t:ok(list[1] > 30 and list[1] < 70, list[1])
  for _, kind in ipairs { "qm", "cpu" } do
    local _, other, shared = world(2, kind, { ignore_outgoing = true })
    flow(other, 5, 10)
    other:collect { during = "1ms" }
    t:is(counts(shared), { 10, 0 }, kind)
  end
end)

tap.test("rollover: the next one with room; what none has room for is lost, and counted", function(t)
  local _, peer, sockets = world(3, "rollover", { ignore_outgoing = true })
  for _, s in ipairs(sockets) do s:option("SO_RCVBUF", 4096) end
  flow(peer, 5, 40)
  peer:collect { during = "1ms" }
  local stats = sockets[1]:rollover_statistics()
  t:ok(stats.all > 0 and stats.failed > 0, tap.repr(stats))
  t:is(stats.all + stats.failed, 40)
  local drops, kept = 0, 0
  for _, s in ipairs(sockets) do
    local n = s:statistics()
    drops = drops + n.drops
    kept = kept + n.packets - n.drops
    t:ok(n.packets > n.drops, "each has some")
  end
  t:is(drops + kept, 40)
end)

tap.test("hash with rollover: a socket that does not read does not lose what others can keep", function(t)
  local _, peer, sockets = world(2, "hash", { rollover = true, ignore_outgoing = true })
  for _, s in ipairs(sockets) do s:option("SO_RCVBUF", 8192) end
  flow(peer, 5, 12)
  peer:collect { during = "1ms" }
  local list = counts(sockets)
  t:is(sum(list), 12)
  t:ok(list[1] > 0 and list[2] > 0, tap.repr(list))
end)

tap.test("who leaves gives its part to the others; the last one ends the group", function(t)
  local host, peer, sockets = world(2, "lb", { ignore_outgoing = true })
  sockets[1]:close()
  flow(peer, 5, 10)
  peer:collect { during = "1ms" }
  t:is(sockets[2]:statistics().packets, 10)
  sockets[2]:close()
  local one = host:socket("packet", { dev = "eth0", protocol = "ip" })
  one:fanout(7, "hash")
  t:is(one:fanout(), { id = 7, type = "hash" })
end)

tap.test("a device that goes down and up: all hear again; one that is gone: none", function(t)
  local host, peer, sockets = world(2, "lb", { ignore_outgoing = true })
  host:link { dev = "eth0", up = false }
  host:link { dev = "eth0", up = true }
  flow(peer, 5, 10)
  peer:collect { during = "1ms" }
  t:is(counts(sockets), { 5, 5 })
  host:ip "link add d0 type dummy"
  host:ip "link set d0 up"
  local a = host:socket("packet", { dev = "d0" })
  local b = host:socket("packet", { dev = "d0" })
  a:fanout(9, "lb")
  b:fanout(9, "lb")
  host:ip "link del d0"
  t:is(a:fanout(), { id = 9, type = "lb" })
end)

tap.test("what does not fit is refused as Linux refuses it", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local function socket(o) return host:socket("packet", o or { dev = "eth0", protocol = "ip" }) end
  local first = socket()
  first:fanout(7, "hash", { max = 2 })
  t:is(select(2, first:try("fanout", 8, "hash")), "EALREADY")
  t:is(select(2, first:try("bind", "eth0", "ip")), "EINVAL")
  t:is(select(2, socket():try("fanout", 7, "lb")), "EINVAL")
  t:is(select(2, socket():try("fanout", 7, "hash", { rollover = true })), "EINVAL")
  t:is(select(2, socket():try("fanout", 7, "hash", { max = 3 })), "EINVAL")
  t:is(select(2, socket { dev = "eth0", protocol = "arp" }:try("fanout", 7, "hash")), "EINVAL")
  t:is(select(2, socket { protocol = "ip" }:try("fanout", 7, "hash")), "EINVAL")
  t:is(select(2, socket { dev = "eth0", protocol = "none" }:try("fanout", 1, "hash")), "EINVAL")
  t:is(select(2, socket():try("fanout", 1, "rollover", { rollover = true })), "EINVAL")
  t:is(select(2, socket():try("fanout", 1, "hash", { unique = true })), "EINVAL")
  t:is(select(2, socket():try("option", "PACKET_FANOUT", 0x00060001)), "EINVAL")
  socket():fanout(7, "hash")
  t:is(select(2, socket():try("fanout", 7, "hash")), "ENOSPC")
  local unique = socket()
  unique:fanout(0, "lb", { unique = true })
  t:isnt(unique:fanout().id, 7)
end)
