-- SPDX-License-Identifier: MIT
-- VLAN devices: IEEE 802.1Q-2018 clause 9 (tags), 802.1ad, as net/8021q has them.
local tap = require "tap"
local net = require "net"
local eth, vlan, ip, udp, arp = net.eth, net.vlan, net.ip, net.udp, net.arp

-- A host with eth0.5 on its card: 10.5.0.1/24; the peer's 10.5.0.9 is known.
local function tagged(o)
  o = o or {}
  local host = net.host {}
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  o.type, o.name, o.link, o.id, o.up, o.addr = "vlan", "eth0.5", "eth0", 5, true, "10.5.0.1/24"
  local dev = host:link_add(o)
  host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = dev }
  return host, peer, dev
end

local function frame(host, peer, tags, data)
  local p = eth { dst = host.mac, src = peer.mac }
  for _, tag in ipairs(tags) do p = p / tag end
  return p / ip { src = "10.5.0.9", dst = "10.5.0.1" } / udp { sport = 5000, dport = 7 } / data
end

tap.test("a tagged frame comes in by the VLAN device, the answer goes out tagged", function(t)
  local host, peer = tagged()
  local s = host:socket "udp"
  s:bind(7)
  peer:send(frame(host, peer, { vlan { id = 5 } }, "hello"))
  local data, from = s:recv()
  t:is(data, "hello")
  s:sendto("world", from.addr, from.port)
  local out = peer:expect(eth {} / vlan { id = 5, pcp = 0 } / ip { src = "10.5.0.1", dst = "10.5.0.9" } /
    udp { sport = 7, dport = 5000 } / "world", { defaults = false })
  t:is(out.vlan.type, 0x0800)
  t:is({ host:counter "eth0.5.rx_packets", host:counter "eth0.5.tx_packets" }, { 1, 1 })
  -- the tag is in the bytes of the device below only
  t:is(host:counter "eth0.tx_bytes" - host:counter "eth0.5.tx_bytes", 4)
end)

tap.test("goes wrong: a tag that no device has", function(t)
  local host, peer = tagged()
  peer:send(frame(host, peer, { vlan { id = 6 } }, "hello"))
  net.sleep "1ms"
  t:is(host:drops "VLAN_NO_DEVICE", 1)
  t:is(host:counter "eth0.5.rx_packets", 0)
end)

tap.test("goes wrong: the VLAN device is down, the card is up", function(t)
  local host, peer, dev = tagged()
  host:link { dev = dev, up = false }
  peer:send(frame(host, peer, { vlan { id = 5 } }, "hello"))
  net.sleep "1ms"
  t:is(host:drops "DEV_READY", 1)
end)

tap.test("VLAN 0 is a priority tag: the frame counts as untagged (802.1Q 9.6)", function(t)
  local host = net.host { addr = "10.5.0.1/24" }
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  local s = host:socket "udp"
  s:bind(7)
  peer:send(frame(host, peer, { vlan { id = 0, pcp = 7 } }, "urgent"))
  t:is((s:recv()), "urgent")
end)

tap.test("a priority tag in front of a VLAN tag", function(t)
  local host, peer = tagged()
  local s = host:socket "udp"
  s:bind(7)
  peer:send(frame(host, peer, { vlan { id = 0, pcp = 3 }, vlan { id = 5 } }, "both"))
  t:is((s:recv()), "both")
end)

tap.test("nested: 802.1Q within 802.1ad", function(t)
  local host = net.host {}
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  host:ip "link add link eth0 name outer type vlan protocol 802.1ad id 100"
  host:ip "link add link outer name inner type vlan id 7"
  host:ip "link set outer up"
  host:ip "link set inner up"
  host:ip "addr add 10.5.0.1/24 dev inner"
  host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = "inner" }
  local s = host:socket "udp"
  s:bind(7)
  peer:send(eth { dst = host.mac, src = peer.mac, type = 0x88a8 } / vlan { id = 100 } / vlan { id = 7 } /
    ip { src = "10.5.0.9", dst = "10.5.0.1" } / udp { sport = 5000, dport = 7 } / "deep")
  local data, from = s:recv()
  t:is(data, "deep")
  s:sendto("reply", from.addr, from.port)
  local out = peer:expect(eth {}, { defaults = false })
  t:is(out:bytes():sub(13, 22), "\x88\xa8\0\x64\x81\0\0\7\8\0")
end)

tap.test("802.1ad and 802.1Q with one id are two devices", function(t)
  local host, peer = tagged()
  host:ip "link add link eth0 name svlan type vlan protocol 802.1ad id 5"
  host:ip "link set svlan up"
  peer:send(eth { dst = host.mac, src = peer.mac, type = 0x88a8 } / vlan { id = 5, type = 0x88b5 } / net.raw "s")
  net.sleep "1ms"
  t:is({ host:counter "svlan.rx_packets", host:counter "eth0.5.rx_packets" }, { 1, 0 })
end)

tap.test("egress map: a socket's priority becomes the PCP", function(t)
  local host = net.host {}
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  host:ip "link add link eth0 name v type vlan id 5 egress-qos-map 3:6 4:7"
  host:ip "link set v up"
  host:ip "addr add 10.5.0.1/24 dev v"
  host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = "v" }
  local s = host:socket "udp"
  for priority, pcp in pairs { [0] = 0, [3] = 6, [4] = 7, [5] = 0 } do
    s:option("SO_PRIORITY", priority)
    s:sendto("x", "10.5.0.9", 9)
    t:is(peer:expect(eth {}, { defaults = false }).vlan.pcp, pcp)
  end
end)

tap.test("without REORDER_HDR the tag is sent as part of the header all the same", function(t)
  local host, peer = tagged { reorder_hdr = false }
  local s = host:socket "udp"
  s:bind(7)
  s:sendto("x", "10.5.0.9", 5000)
  local out = peer:expect(eth {} / vlan { id = 5 } / ip {} / udp {} / "x", { defaults = false })
  t:is(out.vlan.type, 0x0800)
  peer:send(frame(host, peer, { vlan { id = 5 } }, "in"))
  t:is((s:recv()), "in")
end)

tap.test("ARP is asked and answered with tags", function(t)
  local host = net.host {}
  local peer = host.wire:peer { addr = "10.5.0.9", arp = false }
  host:link_add { type = "vlan", name = "v5", link = "eth0", id = 5, up = true, addr = "10.5.0.1/24" }
  peer:send(eth { dst = "ff:ff:ff:ff:ff:ff", src = peer.mac } / vlan { id = 5 } /
    arp { op = "request", sha = peer.mac, spa = "10.5.0.9", tha = "00:00:00:00:00:00", tpa = "10.5.0.1" })
  local reply = peer:expect(eth {} / vlan { id = 5 } / arp { op = "reply", spa = "10.5.0.1" },
    { defaults = false })
  t:is(reply.arp.sha, host.mac)
end)

tap.test("what the card loses its VLAN device loses: carrier, IFF_UP, MTU", function(t)
  local host = tagged()
  host:link { carrier = false }
  net.sleep "1ms"
  t:like(host:ip "link show eth0.5", "NO%-CARRIER.* state LOWERLAYERDOWN")
  host:link { carrier = true }
  net.sleep "1ms"
  t:like(host:ip "link show eth0.5", "LOWER_UP")
  host:link { mtu = 1400 }
  t:like(host:ip "link show eth0.5", "mtu 1400")
  t:error(function() host:ip "link set eth0.5 mtu 1500" end, "ERANGE")
  host:link { up = false }
  t:like(host:ip "link show eth0.5", "state DOWN")
  t:error(function() host:ip "link set eth0.5 up" end, "ENETDOWN")
  host:link { up = true }
  t:like(host:ip "link show eth0.5", "state UP")
end)

tap.test("an address of its own: the card listens to all as long as it is up", function(t)
  local host, peer = tagged { address = "02:00:00:00:05:05" }
  t:like(host:ip "-d link show eth0", " promiscuity 1 ")
  local s = host:socket "udp"
  s:bind(7)
  local p = frame(host, peer, { vlan { id = 5 } }, "mine")
  p.eth.dst = "02:00:00:00:05:05"
  peer:send(p)
  t:is((s:recv()), "mine")
  host:ip "link set eth0.5 down"
  t:like(host:ip "-d link show eth0", " promiscuity 0 ")
end)

tap.test("ids: 0 to 4094, each once per protocol; not on lo", function(t)
  local host = tagged()
  t:error(function() host:ip "link add link eth0 name x type vlan id 5" end, "EEXIST")
  t:error(function() host:ip "link add link eth0 name x type vlan id 4095" end, "EINVAL")
  t:error(function() host:ip "link add link eth0 name x type vlan id 5000" end, "ERANGE")
  t:error(function() host:ip "link add link lo name x type vlan id 9" end, "EOPNOTSUPP")
  host:ip "link add link eth0 name x type vlan id 4094"
  t:like(host:ip "-d link show x", "vlan protocol 802.1Q id 4094")
end)

tap.test("a datagram larger than the MTU is fragmented, every fragment tagged", function(t)
  local host, peer = tagged()
  local s = host:socket "udp"
  s:sendto(("x"):rep(2000), "10.5.0.9", 9)
  local first = peer:expect(eth {} / vlan { id = 5 } / ip { mf = true }, { defaults = false })
  t:is(#first:bytes(), 14 + 4 + 1500)
  peer:expect(eth {} / vlan { id = 5 } / ip { mf = false, off = 185 }, { defaults = false })
end)

tap.test("TCP over a VLAN is cut in software, each segment with the tag", function(t)
  local a, b = net.host {}, nil
  b = net.host { wire = a.wire }
  for i, h in ipairs { a, b } do
    h:link_add { type = "vlan", name = "v", link = "eth0", id = 9, up = true, addr = "10.9.0." .. i .. "/24" }
  end
  local server = b:socket "tcp":listen(80)
  local sent = ("abcdefghij"):rep(5000)
  local task = net.spawn(function()
    return (server:accept():recv { size = #sent, flags = "waitall" })
  end)
  local client = a:socket "tcp"
  client:connect("10.9.0.2", 80)
  net.spawn(function() client:send(sent) end)
  t:is(task:join(), sent)
  t:ok(b:counter "LinkInVlan" >= #sent // 1448, "segments came with tags")
end)
