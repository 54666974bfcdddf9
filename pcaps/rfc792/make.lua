-- SPDX-License-Identifier: MIT
-- Captures of ICMP (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3), made from the RFCs' rules.
local make = require "make"
local net = require "net"
local arp, eth, ip, icmp, udp = net.arp, net.eth, net.ip, net.icmp, net.udp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1" }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9", port = 5000 }
local all = { mac = "ff:ff:ff:ff:ff:ff", ip = "192.0.2.255" }
local ID = 0x4d2 -- where the host's identifications begin

-- What the host sends by itself: TTL 64; not to be fragmented unless told (RFC 1191).
local function from_host(id, fields)
  fields = fields or {}
  fields.ttl, fields.id = 64, id
  return ip(fields)
end

-- The IP packet in a frame of these stations, as bytes: what an error quotes.
local function packet_bytes(from, to, packet)
  packet = packet:clone()
  packet.ip.src, packet.ip.dst = from.ip, to.ip
  return packet:bytes()
end

-- RFC 1812 4.3.2.3: as much of the datagram as an error of 576 octets holds.
local function quote(bytes) return bytes:sub(1, 576 - 20 - 8) end

-- RFC 1812 4.3.2.5: precedence 6.
local function error_from_host(id, message, bytes)
  return from_host(id, { tos = 0xc0 }) / message / net.raw(quote(bytes))
end

local function echo(seq, data) return ip{ id = 77 } / icmp{ type = "echo", id = 7, seq = seq } / data end

local function echo_reply(id, seq, data)
  return from_host(id) / icmp{ type = "echo-reply", id = 7, seq = seq } / data
end

make.capture("echo", function(c)
  c:send(peer, host, echo(1, "data"))
  c:send(host, peer, echo_reply(ID, 1, "data"))
  c:at "1s"
  c:send(peer, host, echo(2, "odd"))
  c:send(host, peer, echo_reply(ID + 1, 2, "odd"))
  c:at "2s"
  c:send(peer, host, echo(3, ""))
  c:send(host, peer, echo_reply(ID + 2, 3, ""))
  c:at "3s"
  c:send(peer, host, echo(4, net.pattern(1, 1472)))
  c:send(host, peer, echo_reply(ID + 3, 4, net.pattern(1, 1472)))
end)

make.capture("echo-tos", function(c)
  c:send(peer, host, ip{ tos = 0x10, ttl = 1 } / icmp{ type = "echo", id = 7, seq = 1 } / "x")
  c:send(host, peer, from_host(ID, { tos = 0x10 }) / icmp{ type = "echo-reply", id = 7, seq = 1 } / "x")
end)

make.capture("echo-broken", function(c)
  c:send(peer, host, ip{} / icmp{ type = "echo", id = 7, seq = 1, checksum = 0x1234 } / "data")
  c:send(peer, host, ip{ checksum = 0x4321 } / icmp{ type = "echo", id = 7, seq = 2 } / "data")
  c:send(peer, host, ip{} / icmp{ type = 42, code = 0 } / "data") -- a type nobody knows
  c:at "1ms"
  c:send(peer, host, echo(3, "data"))
  c:send(host, peer, echo_reply(ID, 3, "data"))
end)

make.capture("echo-broadcast", function(c)
  c:send(peer, all, echo(1, "data"))
  c:at "10ms"
  c:send(peer, host, echo(2, "data"))
  c:send(host, peer, echo_reply(ID, 2, "data"))
end)

-- RFC 792: the originate time stamp is the sender's; ours count ms since midnight UT. The world
-- begins at midnight, the capture an hour later.
make.capture("timestamp", function(c)
  c:send(peer, host, ip{} / icmp{ type = "timestamp", id = 7, seq = 9, originate = 12345678,
    receive = 0, transmit = 0 })
  c:send(host, peer, from_host(ID) / icmp{ type = "timestamp-reply", id = 7, seq = 9,
    originate = 12345678, receive = 3600000, transmit = 3600000 })
end)

make.capture("port", function(c)
  local datagram = ip{ id = 99 } / udp{ sport = 5000, dport = 7 } / "hello"
  local bytes = packet_bytes(peer, host, datagram)
  c:send(peer, host, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "dest-unreach", code = "port", rest = 0 }, bytes))
end)

make.capture("port-long", function(c)
  local datagram = ip{ id = 99 } / udp{ sport = 5000, dport = 7 } / net.pattern(1, 1400)
  local bytes = packet_bytes(peer, host, datagram)
  c:send(peer, host, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "dest-unreach", code = "port", rest = 0 }, bytes))
end)

make.capture("protocol", function(c)
  local datagram = ip{ id = 99, proto = 253 } / "an experiment"
  local bytes = packet_bytes(peer, host, datagram)
  c:send(peer, host, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "dest-unreach", code = "protocol", rest = 0 },
    bytes))
end)

-- RFC 1122 3.2.2: no error about an error, a broadcast, a fragment that is not the first, a source
-- that is nobody.
make.capture("no-error", function(c)
  local to_closed = udp{ sport = 5000, dport = 7 } / "hello"
  local quoted = packet_bytes(host, peer, ip{ id = 1 } / udp{ sport = 1, dport = 2 })
  c:send(peer, host, ip{} / icmp{ type = "time-exceeded", code = 0, rest = 0 } / net.raw(quoted))
  c:send(peer, all, ip{} / to_closed:clone())
  c:send(peer, all, ip{ dst = host.ip } / to_closed:clone())
  c:send(peer, host, ip{ src = "255.255.255.255" } / to_closed:clone())
  c:send(peer, host, ip{ src = "127.0.0.1" } / to_closed:clone())
  c:send(peer, host, ip{ src = "224.0.0.5" } / to_closed:clone())
  c:send(peer, host, ip{ id = 5, off = 10, mf = true, proto = 17 } / "not the first")
end)

-- A router of one arm: the datagram goes back out of the network that it came from.
make.capture("ttl", function(c)
  local next_hop = { mac = "02:00:00:00:00:0b", ip = "192.0.2.11" }
  local far = { mac = host.mac, ip = "198.51.100.7" }
  local datagram = ip{ id = 99, ttl = 1 } / udp{ sport = 5000, dport = 7 } / "hello"
  local bytes = packet_bytes(peer, far, datagram)
  c:send(peer, far, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "time-exceeded", code = 0, rest = 0 }, bytes))
  c:at "1s"
  c:send(peer, far, ip{ id = 100, ttl = 2 } / udp{ sport = 5000, dport = 7 } / "hello")
  c:send(host, all, arp{ op = "request", sha = host.mac, spa = host.ip, tha = "00:00:00:00:00:00",
    tpa = next_hop.ip })
  c:at "1010ms"
  c:send(next_hop, host, arp{ op = "reply", sha = next_hop.mac, spa = next_hop.ip, tha = host.mac,
    tpa = host.ip })
  c:frame(eth{ src = host.mac, dst = next_hop.mac } / ip{ src = peer.ip, dst = far.ip, id = 100,
    ttl = 1 } / udp{ sport = 5000, dport = 7 } / "hello")
end)

-- RFC 1812 5.2.7.2: who could reach the next router by itself is told so.
make.capture("redirect", function(c)
  local next_hop = { mac = "02:00:00:00:00:0b", ip = "192.0.2.11" }
  local far = { mac = host.mac, ip = "198.51.100.7" }
  local datagram = ip{ id = 99, ttl = 9 } / udp{ sport = 5000, dport = 7 } / "hello"
  local bytes = packet_bytes(peer, far, datagram)
  c:send(peer, far, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "redirect", code = 1, gateway = next_hop.ip },
    bytes))
  c:frame(eth{ src = host.mac, dst = next_hop.mac } / ip{ src = peer.ip, dst = far.ip, id = 99,
    ttl = 8 } / udp{ sport = 5000, dport = 7 } / "hello")
end)

-- A datagram that may not be fragmented does not fit the link that it should leave by.
make.capture("too-big", function(c)
  local far = { mac = host.mac, ip = "198.51.100.7" }
  local datagram = ip{ id = 99, ttl = 9, df = true } / udp{ sport = 5000, dport = 7 } /
    net.pattern(1, 1372)
  local bytes = packet_bytes(peer, far, datagram)
  c:send(peer, far, net.parse(bytes, "ip"))
  c:send(host, peer, error_from_host(ID, icmp{ type = "dest-unreach", code = "frag-needed",
    mtu = 1280 }, bytes))
end)
