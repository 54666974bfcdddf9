-- SPDX-License-Identifier: MIT
-- Captures of address resolution (RFC 826, RFC 1122 2.3.2, RFC 5227), made from the RFCs' rules.
local make = require "make"
local net = require "net"
local arp, ip, udp = net.arp, net.ip, net.udp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1" }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9" }
local all = { mac = "ff:ff:ff:ff:ff:ff" }
local NOBODY = "00:00:00:00:00:00"

local function request(from, target, spa)
  return arp{ op = "request", sha = from.mac, spa = spa or from.ip, tha = NOBODY, tpa = target }
end

-- RFC 826: the fields are swapped, our address is put in.
local function reply(from, to, tpa)
  return arp{ op = "reply", sha = from.mac, spa = from.ip, tha = to.mac, tpa = tpa or to.ip }
end

-- A datagram from the host's socket. Any identification is good (RFC 6864 4.1): this one is pinned.
local function datagram(text, n)
  return ip{ ttl = 64, df = true, id = 0x1000 + (n or 0) } / udp{ sport = 5000, dport = 7 } / text
end

make.capture("request", function(c)
  c:send(peer, all, request(peer, host.ip))
  c:send(host, peer, reply(host, peer))
  c:at "1s"
  c:send(peer, host, request(peer, host.ip)) -- unicast: a poll (RFC 1122 2.3.2.1)
  c:send(host, peer, reply(host, peer))
end)

make.capture("not-for-us", function(c)
  c:send(peer, all, request(peer, "192.0.2.2"))
  c:send(peer, all, arp{ op = 3, sha = peer.mac, spa = peer.ip, tha = NOBODY, tpa = host.ip })
  c:send(peer, all, arp{ op = "request", htype = 7, sha = peer.mac, spa = peer.ip, tha = NOBODY,
    tpa = host.ip })
  c:at "10ms"
  c:send(peer, all, request(peer, host.ip))
  c:send(host, peer, reply(host, peer))
end)

make.capture("resolve", function(c)
  c:send(host, all, request(host, peer.ip))
  c:at "30ms"
  c:send(peer, host, reply(peer, host))
  c:send(host, peer, datagram "one") -- what waited goes out, in order
  c:send(host, peer, datagram("two", 1))
  c:at "50ms"
  c:send(host, peer, datagram("three", 2))
end)

-- RFC 1122 2.3.2.1: no more than one request a second for an address.
make.capture("no-answer", function(c)
  for second = 0, 2 do
    c:at(second .. "s")
    c:send(host, all, request(host, peer.ip))
  end
end)

make.capture("probe", function(c)
  c:send(peer, all, request(peer, host.ip, "0.0.0.0"))
  c:send(host, peer, reply(host, peer, "0.0.0.0"))
end)

-- The sender of a request is known from it: nothing is asked before the answer goes out.
make.capture("learned", function(c)
  c:send(peer, all, request(peer, host.ip))
  c:send(host, peer, reply(host, peer))
  c:at "1ms"
  c:send(host, peer, datagram "hello")
end)

-- An announcement (RFC 5227 2.3) tells everybody who knows the address of its new place.
make.capture("moved", function(c)
  local new = { mac = "02:00:00:00:00:0a", ip = peer.ip }
  c:send(peer, all, request(peer, host.ip))
  c:send(host, peer, reply(host, peer))
  c:at "2s"
  c:send(new, all, request(new, new.ip))
  c:at "3s"
  c:send(host, new, datagram "hello")
end)
