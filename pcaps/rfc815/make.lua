-- SPDX-License-Identifier: MIT
-- Captures of reassembly (RFC 815, RFC 791 3.2, RFC 1122 3.3.2), made from the RFCs' rules.
local make = require "make"
local net = require "net"
local ip, icmp = net.ip, net.icmp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1" }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9" }
local ID = 300

-- An echo request in pieces, cut at these offsets.
local function request(id, len, cuts, fields)
  fields = fields or {}
  fields.src, fields.dst, fields.id, fields.ttl = peer.ip, host.ip, id, 64
  return net.fragments(ip(fields) / icmp{ type = "echo", id = 7, seq = id } / net.pattern(1, len), cuts)
end

local function reply(n, seq, len, fields)
  fields = fields or {}
  fields.src, fields.dst, fields.id, fields.ttl = host.ip, peer.ip, ID + n, 64
  return ip(fields) / icmp{ type = "echo-reply", id = 7, seq = seq } / net.pattern(1, len)
end

local function send(c, pieces, order)
  for _, i in ipairs(order) do c:send(peer, host, pieces[i]) end
end

make.capture("in-order", function(c)
  send(c, request(1, 100, { 48 }), { 1, 2 })
  c:send(host, peer, reply(0, 1, 100))
end)

make.capture("any-order", function(c)
  local n = 0
  for _, order in ipairs { { 3, 2, 1 }, { 2, 3, 1 }, { 1, 3, 2 }, { 3, 1, 2 }, { 2, 1, 3 } } do
    c:at(n * 10 .. "ms")
    send(c, request(10 + n, 100, { 8, 56 }), order)
    c:send(host, peer, reply(n, 10 + n, 100))
    n = n + 1
  end
end)

-- A reply as long as the request is fragmented again, for a link of 1500.
make.capture("large", function(c)
  send(c, request(1, 5000, { 1480, 2960, 4440 }), { 1, 2, 3, 4 })
  for _, piece in ipairs(net.fragments(reply(0, 1, 5000), { 1480, 2960, 4440 })) do
    c:send(host, peer, piece)
  end
end)

make.capture("duplicate", function(c)
  send(c, request(1, 100, { 48, 64 }), { 1, 1, 3, 3, 2 })
  c:send(host, peer, reply(0, 1, 100))
end)

-- Two datagrams of one peer at a time: the identification keeps them apart.
make.capture("interleaved", function(c)
  local a, b = request(1, 100, { 48 }), request(2, 60, { 48 })
  send(c, { a[1], b[1], b[2] }, { 1, 2, 3 })
  c:send(host, peer, reply(0, 2, 60))
  c:at "1ms"
  c:send(peer, host, a[2])
  c:send(host, peer, reply(1, 1, 100))
end)

-- RFC 5722, which Linux keeps for IPv4 too: an overlap in part ends the datagram.
make.capture("overlap", function(c)
  local a, b = request(1, 100, { 48 }), request(1, 100, { 40, 56 })
  c:send(peer, host, a[1])
  c:send(peer, host, b[2])
  c:send(peer, host, a[2])
  c:at "1ms"
  send(c, request(2, 100, { 48 }), { 1, 2 })
  c:send(host, peer, reply(0, 2, 100))
end)

-- RFC 1122 3.3.2: after its time (30 s here) the source hears of it, if the first piece came.
make.capture("timeout", function(c)
  local first = request(1, 100, { 48 })[1]
  local later = request(2, 100, { 48 })[2]
  c:send(peer, host, first)
  c:send(peer, host, later)
  c:at "30s"
  c:send(host, peer, ip{ tos = 0xc0, ttl = 64, id = ID } /
    icmp{ type = "time-exceeded", code = 1, rest = 0 } / net.raw(first:bytes()))
end)

-- RFC 3168 5.3: CE on one fragment is CE on the whole; the echo comes back with it (RFC 792).
make.capture("congestion", function(c)
  local pieces = request(1, 100, { 48 }, { ecn = 2 })
  pieces[2].ip.ecn = 3
  send(c, pieces, { 1, 2 })
  c:send(host, peer, reply(0, 1, 100, { ecn = 3 }))
end)
