-- SPDX-License-Identifier: MIT
-- AF_PACKET sockets: what a tap sees, of which device, with which header; packet(7).
local tap = require "tap"
local net = require "net"
local eth, ip, udp, icmp, arp, vlan, raw = net.eth, net.ip, net.udp, net.icmp, net.arp, net.vlan, net.raw

local function setup(o)
  local host = net.host(o or { addr = "192.0.2.1/24" })
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local function ping(peer, seq)
  peer:send(icmp { type = "echo", id = 1, seq = seq or 1 } / "ping")
  return peer:expect(icmp { type = "echo-reply", id = 1, seq = seq or 1 } / "ping")
end

-- All that waits, as a list of { packet, info }.
local function drain(s)
  local list = {}
  while true do
    local data, info = s:try("recv", { flags = "dontwait" })
    if not data then return list end
    list[#list + 1] = { data = data, info = info }
  end
end

tap.test("SOCK_RAW sees whole frames, in and out", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0" })
  ping(peer)
  local got = drain(s)
  t:is(#got, 2)
  local first, second = net.parse(got[1].data), net.parse(got[2].data)
  t:is({ first.eth.src, first.icmp.type, first.payload }, { peer.mac, 8, "ping" })
  t:is({ got[1].info.pkttype, got[1].info.addr, got[1].info.protocol, got[1].info.ifindex, got[1].info.hatype },
    { "host", peer.mac, 0x0800, 2, 1 })
  t:is({ second.eth.src, second.icmp.type }, { host.mac, 0 })
  t:is({ got[2].info.pkttype, got[2].info.addr }, { "outgoing", host.mac })
end)

tap.test("SOCK_DGRAM begins behind the link header, in and out", function(t)
  local host, peer = setup()
  local s = host:socket("packet-dgram", { dev = "eth0" })
  ping(peer)
  local got = drain(s)
  t:is(#got, 2)
  for i, kind in ipairs { 8, 0 } do
    local p = net.parse(got[i].data, "ip")
    t:is(p.icmp.type, kind)
  end
end)

tap.test("one protocol: only that, and only what comes in", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", protocol = "arp" })
  ping(peer)
  peer:send(arp { op = "request" })
  peer:expect(arp { op = "reply" })
  local got = drain(s)
  t:is(#got, 1)
  t:is({ got[1].info.protocol, got[1].info.pkttype }, { 0x0806, "broadcast" })
end)

tap.test("a socket that is bound to no device hears them all, lo too", function(t)
  local host, peer = setup()
  local second = host:nic { addr = "198.51.100.1/24" }
  local other = second.wire:peer { addr = "198.51.100.9" }
  local s = host:socket "packet"
  ping(peer)
  other:send(arp { op = "request" })
  other:expect(arp { op = "reply" })
  host:socket "udp":sendto("x", "127.0.0.1", 9)
  net.sleep "1ms"
  local seen = {}
  for _, entry in ipairs(drain(s)) do seen[entry.info.ifindex] = (seen[entry.info.ifindex] or 0) + 1 end
  -- lo: a datagram out and in, its error out and in
  t:is(seen, { [1] = 4, [2] = 2, [3] = 2 })
end)

tap.test("frames for others: only with promiscuous mode, asked for by a membership", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0" })
  local foreign = eth { dst = "02:00:00:00:99:99", src = peer.mac, type = 0x88b5 } / raw "secret"
  peer:send(foreign)
  net.sleep "1ms"
  t:is(#drain(s), 0)
  s:membership("promisc", { dev = "eth0" })
  t:like(host:ip "-d link show eth0", " promiscuity 1 ")
  peer:send(foreign)
  net.sleep "1ms"
  local got = drain(s)
  t:is({ #got, got[1].info.pkttype }, { 1, "otherhost" })
  s:membership("promisc", { dev = "eth0", drop = true })
  t:like(host:ip "-d link show eth0", " promiscuity 0 ")
  t:is(select(2, s:try("membership", "promisc", { dev = "eth0", drop = true })), "EADDRNOTAVAIL")
  s:membership("promisc", { dev = "eth0" })
  s:close()
  t:like(host:ip "-d link show eth0", " promiscuity 0 ", "the membership went with the socket")
end)

tap.test("a group's frames: multicast membership, and all of them", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", protocol = 0x88b5 })
  local group = "01:00:5e:07:07:07"
  local function heard()
    peer:send(eth { dst = group, src = peer.mac, type = 0x88b5 } / raw "x")
    net.sleep "1ms"
    return #drain(s)
  end
  t:is(heard(), 0)
  s:membership("multicast", { dev = "eth0", addr = group })
  t:is(heard(), 1)
  s:membership("multicast", { dev = "eth0", addr = group, drop = true })
  s:membership("allmulti", { dev = "eth0" })
  t:is(heard(), 1)
end)

tap.test("order against netfilter: a tap sees what an input hook drops", function(t)
  local host, peer = setup()
  host:hook("local_in", function() return "drop" end)
  local s = host:socket("packet", { dev = "eth0" })
  peer:send(icmp { type = "echo", id = 1, seq = 1 } / "ping")
  peer:expect_nothing { during = "1ms" }
  t:is(#drain(s), 1)
  t:is(host:drops "NETFILTER_DROP", 1)
end)

tap.test("order against netfilter: a tap does not see what an output hook drops", function(t)
  local host, peer = setup()
  host:hook("post_routing", function() return "drop" end)
  local s = host:socket("packet", { dev = "eth0" })
  peer:send(icmp { type = "echo", id = 1, seq = 1 } / "ping")
  peer:expect_nothing { during = "1ms" }
  local got = drain(s)
  t:is({ #got, got[1].info.pkttype }, { 1, "host" })
end)

tap.test("what a packet socket sends goes past netfilter", function(t)
  local host, peer = setup()
  local hooked = 0
  for _, place in ipairs { "local_out", "post_routing" } do
    host:hook(place, function()
      hooked = hooked + 1
      return "drop"
    end)
  end
  local s = host:socket("packet", { dev = "eth0" })
  s:sendto(eth { dst = peer.mac, src = host.mac, type = 0x88b5 } / raw "straight", "eth0")
  peer:expect(eth { type = 0x88b5, src = host.mac }, { defaults = false })
  t:is(hooked, 0)
end)

tap.test("sending: SOCK_DGRAM has its header made, SOCK_RAW brings it", function(t)
  local host, peer = setup()
  local d = host:socket("packet-dgram", { dev = "eth0", protocol = 0x88b5 })
  d:sendto("behind", "eth0", { protocol = 0x88b5, addr = peer.mac })
  local out = peer:expect(eth {}, { defaults = false })
  t:is({ out.eth.src, out.eth.type, out:bytes():sub(15, 20) }, { host.mac, 0x88b5, "behind" })
  local r = host:socket("packet", { dev = "eth0", protocol = "none" })
  r:send((eth { dst = peer.mac, src = "02:00:00:00:12:34", type = 0x88b5 } / raw "spoofed"):bytes())
  t:is(peer:expect(eth {}, { defaults = false }).eth.src, "02:00:00:00:12:34")
  -- a socket does not hear itself, others do
  t:is(#drain(r), 0)
end)

tap.test("goes wrong: too long, too short, no device, device down", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0" })
  t:is(select(2, s:try("sendto", ("x"):rep(1515), "eth0")), "EMSGSIZE")
  t:is(select(2, s:try("sendto", ("x"):rep(13), "eth0")), "EINVAL")
  local tagged = eth { dst = peer.mac, src = host.mac } / vlan { id = 5, type = 0x88b5 } / raw(("y"):rep(1500))
  t:is(#tagged:bytes(), 1518)
  t:is(s:sendto(tagged, "eth0"), 1518)
  peer:expect(eth {}, { defaults = false })
  local unbound = host:socket "packet"
  t:is(select(2, unbound:try("send", ("x"):rep(60))), "ENXIO")
  host:link { up = false }
  t:is(select(2, s:try("sendto", ("x"):rep(60), "eth0")), "ENETDOWN")
end)

tap.test("goes wrong: the receive buffer is full; PACKET_STATISTICS tells, and forgets", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", protocol = 0x88b5 })
  s:option("SO_RCVBUF", 2304)
  s:option("SO_RXQ_OVFL", 1)
  for _ = 1, 20 do peer:send(eth { dst = host.mac, src = peer.mac, type = 0x88b5 } / raw "x") end
  net.sleep "1ms"
  local stats = s:statistics()
  t:is(stats.packets, 20)
  t:ok(stats.drops > 0)
  t:is(#drain(s), 20 - stats.drops)
  t:is(s:statistics(), { packets = 0, drops = 0 })
  t:is(host:drops "PACKET_SOCK_ERROR", stats.drops)
  peer:send(eth { dst = host.mac, src = peer.mac, type = 0x88b5 } / raw "x")
  net.sleep "1ms"
  t:is(drain(s)[1].info.cmsg.SO_RXQ_OVFL, stats.drops)
end)

tap.test("the device goes down and up: ENETDOWN once, then it hears again", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0" })
  host:link { up = false }
  t:is(select(2, s:try("recv")), "ENETDOWN")
  t:is(select(2, s:try("recv", { flags = "dontwait" })), "EAGAIN")
  host:link { up = true }
  peer:send(arp { op = "request" })
  peer:expect(arp { op = "reply" })
  t:is(#drain(s), 2)
end)

tap.test("the device goes away", function(t)
  local host = net.host {}
  host:ip "link add dummy0 type dummy"
  host:ip "link set dummy0 up"
  local s = host:socket("packet", { dev = "dummy0" })
  host:ip "link del dummy0"
  t:is(select(2, s:try("recv")), "ENETDOWN")
  t:is(select(2, s:try("send", ("x"):rep(60))), "ENXIO")
end)

tap.test("auxiliary data: a VLAN tag that is not in the bytes, checksums", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", auxdata = true })
  peer:send(eth { dst = host.mac, src = peer.mac } / vlan { id = 5, pcp = 3, type = 0x88b5 } / raw(("x"):rep(50)))
  net.sleep "1ms"
  local got = drain(s)
  t:is(#got, 1)
  local aux = got[1].info.cmsg.PACKET_AUXDATA
  t:is({ aux.vlan_tci, aux.vlan_tpid, aux.len, aux.net }, { 3 << 13 | 5, 0x8100, 64, 14 })
  t:is(got[1].data:sub(13, 14), "\x88\xb5")
end)

tap.test("a VLAN device's frames are seen on the card with the tag aside, on the device without", function(t)
  local host, peer = setup { }
  host:link_add { type = "vlan", name = "v", link = "eth0", id = 5, up = true }
  local below = host:socket("packet", { dev = "eth0", auxdata = true })
  local on = host:socket("packet", { dev = "v", auxdata = true })
  local any = host:socket("packet", { protocol = 0x88b5 })
  peer:send(eth { dst = host.mac, src = peer.mac } / vlan { id = 5, type = 0x88b5 } / raw(("x"):rep(50)))
  net.sleep "1ms"
  local a, b = drain(below), drain(on)
  t:is({ #a, #b, #drain(any) }, { 1, 1, 1 })
  t:is({ a[1].info.cmsg.PACKET_AUXDATA.vlan_tci, b[1].info.cmsg.PACKET_AUXDATA.vlan_tci }, { 5, nil })
  t:is({ a[1].info.ifindex, b[1].info.ifindex }, { 2, 3 })
end)

tap.test("PACKET_IGNORE_OUTGOING: only what comes in", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0" })
  s:option("PACKET_IGNORE_OUTGOING", 1)
  ping(peer)
  local got = drain(s)
  t:is({ #got, got[1].info.pkttype }, { 1, "host" })
end)

tap.test("MSG_TRUNC and MSG_PEEK", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", protocol = 0x88b5 })
  peer:send(eth { dst = host.mac, src = peer.mac, type = 0x88b5 } / raw(("x"):rep(100)))
  net.sleep "1ms"
  local data, info = s:recv { size = 20, flags = "peek trunc" }
  t:is({ #data, info.length, info.flags & net.C.MSG_TRUNC ~= 0 }, { 20, 114, true })
  t:is(#(s:recv()), 114)
end)

tap.test("a tap of one namespace does not hear another's devices", function(t)
  local host, peer = setup()
  local blue = host:netns "blue"
  blue:ip "link set lo up"
  local here, there = host:socket "packet", blue:socket "packet"
  ping(peer)
  t:is({ #drain(here), #drain(there) }, { 2, 0 })
  blue:socket "udp":sendto("x", "127.0.0.1", 9)
  net.sleep "1ms"
  t:is({ #drain(here), #drain(there) }, { 0, 4 })
end)

tap.test("/proc/net/packet and /proc/net/ptype list them", function(t)
  local host = setup()
  local s = host:socket("packet", { dev = "eth0" })
  host:socket("packet-dgram", { protocol = "arp" })
  t:like(host:proc "/proc/net/packet", "0000000000000000 2      3    0003   2     1 0")
  t:like(host:proc "/proc/net/packet", "0000000000000000 2      2    0806   0     1 0")
  t:like(host:proc "/proc/net/ptype", "ALL  eth0     packet_rcv")
  t:like(host:proc "/proc/net/ptype", "0806          packet_rcv")
  s:close()
  t:ok(not (host:proc "/proc/net/ptype"):find "ALL")
end)

tap.test("what a socket may not do", function(t)
  local host = setup()
  local s = host:socket("packet", { dev = "eth0" })
  t:is(select(2, s:try("listen")), "EOPNOTSUPP")
  t:is(select(2, s:try("shutdown", "rd")), "EOPNOTSUPP")
  t:is(select(2, s:try("peername")), "EOPNOTSUPP")
  t:is(s:name().protocol, 3)
  t:error(function() host:socket("packet", { dev = "eth7" }) end, 'Cannot find device "eth7"')
  t:error(function() host:socket("udp", { dev = "eth0" }) end, "for packet sockets")
end)
