-- SPDX-License-Identifier: MIT
-- RFC 1858 and RFC 3128: TCP headers cut or rewritten by fragments. Dropping fragments of offset 1
-- is a firewall's rule that Linux leaves to its filters (docs/divergences.md); rewriting is
-- impossible since overlaps throw the datagram away, in whatever order they come.
local tap = require "tap"
local net = require "net"
local ip, tcp = net.ip, net.tcp

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local seen = {}
  host:hook("local_in", function(packet)
    if packet.ip.proto == 6 then seen[#seen + 1] = packet.tcp and packet.tcp.flags or "?" end
    return packet.ip.proto == 6 and "drop" or nil
  end)
  return host, peer, seen
end

local function segment(host, peer, flags)
  return ip{ src = peer.addr, dst = host.addr, id = 5 } /
    tcp{ sport = 1024, dport = 23, seq = 1, ack = 1, flags = flags, window = 1000 } / "0123456789abcdef"
end

tap.test("profile linux: a first fragment of 8 octets of TCP is reassembled, filters see the whole", { profile = "linux" },
  function(t)
    local host, peer, seen = station()
    for _, fragment in ipairs(net.fragments(segment(host, peer, "S"), { 8 })) do peer:send(fragment) end
    net.sleep "1ms"
    t:is(seen, { "S" })
    t:is(host:counter("IpReasmOKs"), 1)
  end)

-- The second copy of octets 8 to 15 carries other flags.
local function rewrite(title, order)
  tap.test(title, function(t)
    local host, peer, seen = station()
    local ack = net.fragments(segment(host, peer, "A"), { 16 })
    local syn = net.fragments(segment(host, peer, "S"), { 8 })
    local packets = { ack[1], syn[2], ack[2] }
    for _, i in ipairs(order) do peer:send(packets[i]) end
    net.sleep "40s"
    t:is(seen, {})
    local result = t:is({ host:counter("IpReasmOKs"), host:counter("IpInDelivers") }, { 0, 0 })
    if order[1] == 1 then t:shows("RFC1858-4.2-1", result) else t:shows("RFC3128-2-1", result) end
    t:is(host:counter("IpExtReasmOverlaps"), 1)
    peer:collect()
  end)
end

rewrite("an overlap at offset 1 behind the first fragment does not rewrite the flags", { 1, 2 })
rewrite("the overlap first, the first fragment behind it: the same", { 2, 1 })

tap.test("a rewritten middle fragment inside the first one is ignored, the first copy holds", function(t)
  local host, peer, seen = station()
  local ack = net.fragments(segment(host, peer, "A"), { 24 })
  local syn = net.fragments(segment(host, peer, "S"), { 8, 16 })
  peer:send(ack[1])
  peer:send(syn[2])
  peer:send(ack[2])
  net.sleep "1ms"
  t:shows("RFC1858-4.2-1", t:is(seen, { "." }))
  t:is(host:drops("DUP_FRAG"), 1)
end)

tap.test("a hole in the TCP header: never delivered", function(t)
  local host, peer, seen = station()
  local parts = net.fragments(segment(host, peer, "S"), { 8, 16 })
  peer:send(parts[1])
  peer:send(parts[3])
  local error = peer:expect(net.icmp{ type = "time-exceeded", code = 1 }, { at = "+30s" })
  t:is(error.inner.ip.proto, 6)
  t:is(seen, {})
end)
