-- SPDX-License-Identifier: MIT
-- RFC 815: holes are filled in any order; what is there already, or overlaps, is treated as Linux
-- does (docs/divergences.md).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local ip, icmp = net.ip, net.icmp

-- A fragment: blocks `from` to `to` of a datagram whose block n is eight times its letter.
local function part(from, to, last)
  local text = {}
  for i = from, to do text[#text + 1] = string.char(97 + i):rep(8) end
  return ip{ id = 5, off = from, mf = not last, proto = 253 } / table.concat(text)
end

-- The datagram of n blocks was made whole: protocol unreachable quotes it.
local function whole(peer, n)
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  return error.inner.ip.len == 20 + 8 * n and error
end

tap.test("a fragment in the middle of a hole splits it, both rests are filled", function(t)
  local host, peer = station()
  peer:send(part(4, 5))
  peer:send(part(6, 9, true))
  peer:send(part(1, 1))
  peer:send(part(2, 3))
  t:is(host:counter("IpReasmOKs"), 0)
  peer:expect_nothing { during = "1s" }
  peer:send(part(0, 0))
  t:shows("RFC815-3-3", t:ok(whole(peer, 10)))
end)

tap.test("fragments that touch on both sides", function(t)
  local _, peer = station()
  peer:send(part(0, 1))
  peer:send(part(4, 5, true))
  peer:send(part(2, 3))
  t:shows("RFC815-3-3", t:ok(whole(peer, 6)))
end)

tap.test("without the last fragment the datagram never ends", function(t)
  local host, peer = station()
  for i = 1, 20 do peer:send(part(i, i)) end
  t:shows("RFC815-3-4", peer:expect_nothing { during = "1min" })
  t:is({ host:counter("IpReasmOKs"), host:counter("IpReasmTimeout") }, { 0, 1 })
end)

-- Fragments that are there already.
local function duplicate(title, parts, again)
  tap.test(title, function(t)
    local host, peer = station()
    for _, p in ipairs(parts) do peer:send(part(table.unpack(p))) end
    peer:send(part(table.unpack(again)))
    net.sleep "1ms"
    t:shows("RFC815-3-2", t:is(host:drops("DUP_FRAG"), 1))
    t:is({ host:counter("IpReasmFails"), host:counter("IpExtReasmOverlaps") }, { 0, 0 })
    peer:send(part(8, 9, true))
    t:ok(whole(peer, 10))
  end)
end

duplicate("the same fragment twice is ignored", { { 0, 3 }, { 4, 7 } }, { 0, 3 })
duplicate("the last one that came, twice, is ignored", { { 0, 3 }, { 4, 7 } }, { 4, 7 })
duplicate("a part of a fragment is ignored", { { 0, 7 } }, { 2, 4 })
duplicate("the first block of a fragment again is ignored", { { 0, 7 } }, { 0, 0 })
duplicate("a fragment that lies in two joined ones is ignored", { { 0, 3 }, { 4, 7 } }, { 2, 5 })

-- Fragments that overlap others by a part.
local function overlap(title, parts, bad)
  tap.test(title, function(t)
    local host, peer = station()
    for _, p in ipairs(parts) do peer:send(part(table.unpack(p))) end
    peer:send(part(table.unpack(bad)))
    t:shows("RFC6274-4.1.2-1", peer:expect_nothing { during = "1min" })
    t:is({ host:counter("IpExtReasmOverlaps"), host:counter("IpReasmFails"),
      host:counter("IpReasmTimeout") }, { 1, 1, 0 })
    t:is(host:drops("FRAG_OVERLAP"), #parts + 1)
  end)
end

overlap("profile linux: an overlap by one block at the end throws the datagram away",
  { { 0, 3 }, { 6, 7 } }, { 4, 6 })
overlap("profile linux: an overlap by one block at the start throws the datagram away",
  { { 0, 3 }, { 6, 7 } }, { 3, 5 })
overlap("profile linux: a fragment that covers another throws the datagram away",
  { { 2, 3 } }, { 1, 4 })
overlap("profile linux: a fragment that begins with another and is longer throws the datagram away",
  { { 0, 3 } }, { 0, 4 })
overlap("profile linux: a fragment over a hole and both its borders throws the datagram away",
  { { 0, 3 }, { 6, 7 } }, { 3, 6 })

tap.test("teardrop: a last fragment that ends inside the first throws the datagram away", function(t)
  local host, peer = station()
  peer:send(ip{ id = 242, mf = true, proto = 17 } / ("a"):rep(36 - 4))
  peer:send(ip{ id = 242, off = 3, proto = 17 } / ("b"):rep(4))
  peer:expect_nothing { during = "25s" }
  t:is(host:counter("IpInDelivers"), 0)
  t:is(host:drops("FRAG_INVALID"), 2)
end)

tap.test("bonk: an offset far behind the first fragment", function(t)
  local host, peer = station()
  peer:send(ip{ id = 1109, mf = true, proto = 17 } / ("a"):rep(32))
  peer:send(ip{ id = 1109, off = 6, proto = 17 } / ("b"):rep(4))
  local error = peer:expect(icmp{ type = "time-exceeded", code = 1 }, { at = "+30s" })
  t:is(error.inner.ip.id, 1109)
  t:is(host:counter("IpInDelivers"), 0)
end)

tap.test("jolt2: the same last fragment for ever", function(t)
  local host, peer = station()
  for _ = 1, 500 do
    peer:send(ip{ id = 1109, off = 8190, proto = 1 } / ("j"):rep(9))
    net.sleep "10us"
  end
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmReqds"), host:counter("IpReasmOKs") }, { 500, 0 })
  t:is(host:drops("DUP_FRAG"), 499)
  t:is(host:counter("IpReasmTimeout"), 1)
end)

tap.test("fragmentsmack: alternating tiny fragments of one datagram cost bounded memory", function(t)
  local host, peer = station()
  for i = 0, 1000 do
    peer:send(ip{ id = 5, off = 8 * i + 1, mf = true, proto = 253 } / ("x"):rep(8))
    net.sleep "2us"
  end
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmReqds"), host:drops("FRAG_REASM_TIMEOUT") }, { 1001, 1001 })
end)
