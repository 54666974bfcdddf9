-- SPDX-License-Identifier: MIT
-- RFC 791 3.2 and RFC 1122 3.3.2: reassembly. Time-out 30 s from the first fragment (profile linux).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local ip, icmp, udp = net.ip, net.icmp, net.udp

local PEER, HOST = "192.0.2.9", "192.0.2.1"

-- A payload of n octets of which each tells where it stands.
local function pattern(n)
  local out = {}
  for i = 1, (n + 3) // 4 do out[i] = (">I4"):pack(i) end
  return table.concat(out):sub(1, n)
end

local function echo(data, id)
  return ip{ src = PEER, dst = HOST, id = id or 100 } / icmp{ type = "echo", id = 1, seq = 1 } / data
end

-- Sends fragments (of what net.fragments gave) in that order.
local function send(peer, fragments, order)
  for _, i in ipairs(order) do peer:send(fragments[i]) end
end

-- Orders of arrival of four fragments: all 24.
local function permutations(n)
  if n == 0 then return { {} } end
  local out = {}
  for _, shorter in ipairs(permutations(n - 1)) do
    for at = 1, n do
      local order = {}
      for i = 1, n - 1 do order[#order + 1] = shorter[i] end
      table.insert(order, at, n)
      out[#out + 1] = order
    end
  end
  return out
end

tap.test("two fragments in order make the datagram", function(t)
  local host, peer = station()
  local data = pattern(100)
  send(peer, net.fragments(echo(data), { 48 }), { 1, 2 })
  local reply = peer:expect(icmp{ type = "echo-reply" } / data)
  t:shows("RFC1122-3.3.2-1", t:is(reply.payload, data))
  t:is(host:changes({}, "^IpReasm"), { IpReasmReqds = 2, IpReasmOKs = 1 })
  t:is(host:counter("IpInDelivers"), 1)
  t:is(host:counter("IpInReceives"), 2)
end)

tap.test("four fragments in all 24 orders of arrival make the datagram", function(t)
  local host, peer = station()
  local data = pattern(200)
  local orders = permutations(4)
  t:is(#orders, 24)
  for i, order in ipairs(orders) do
    send(peer, net.fragments(echo(data, i), { 8, 64, 136 }), order)
    t:shows("RFC791-3.2-8", peer:expect(icmp{ type = "echo-reply" } / data))
  end
  t:is(host:counter("IpReasmOKs"), 24)
end)

tap.test("fragments of 8 octets each, backwards", function(t)
  local _, peer = station()
  local data = pattern(792)
  local cuts, order = {}, {}
  for i = 1, 99 do cuts[i] = 8 * i end
  for i = 1, 100 do order[i] = 101 - i end
  send(peer, net.fragments(echo(data), cuts), order)
  t:shows("RFC1122-3.3.2-2", peer:expect(icmp{ type = "echo-reply" } / data))
end)

tap.test("a last fragment of 1 octet", function(t)
  local _, peer = station()
  local data = pattern(41)
  send(peer, net.fragments(echo(data), { 48 }), { 2, 1 })
  t:shows("RFC791-3.2-12", peer:expect(icmp{ type = "echo-reply" } / data))
end)

tap.test("the greatest datagram: 65535 octets", function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:option("SO_RCVBUF", 1000000)
  server:bind(7)
  local data = pattern(65535 - 28)
  local packet = ip{ src = PEER, dst = HOST, id = 9 } / udp{ sport = 5000, dport = 7 } / data
  local cuts = {}
  for i = 1, 44 do cuts[i] = 1480 * i end
  for _, fragment in ipairs(net.fragments(packet, cuts)) do peer:send(fragment) end
  local got = server:recv()
  t:shows("RFC1122-3.3.2-3", t:ok(got == data))
  t:is(host:counter("IpReasmOKs"), 1)
end)

-- Sends a datagram of so many octets in two parts; the first holds all but the last.
local function oversize(peer, total)
  peer:send(ip{ id = 7, mf = true, proto = 253 } / ("a"):rep(8))
  local off = 8
  while off + 1480 < total - 20 do
    peer:send(ip{ id = 7, off = off // 8, mf = true, proto = 253 } / ("b"):rep(1480))
    off = off + 1480
  end
  peer:send(ip{ id = 7, off = off // 8, proto = 253 } / ("c"):rep(total - 20 - off))
end

tap.test("ping of death: 65536 octets in fragments are never delivered", function(t)
  local host, peer = station()
  oversize(peer, 65536)
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmOKs"), host:counter("IpReasmFails"), host:counter("IpInDelivers") },
    { 0, 1, 0 })
  t:is(host:drops("FRAG_INVALID"), host:counter("IpReasmReqds"))
end)

tap.test("ping of death: the last offset, 8191, with 1480 octets", function(t)
  local host, peer = station()
  peer:send(ip{ id = 7, off = 8191, proto = 253 } / ("c"):rep(1480))
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmOKs"), host:counter("IpReasmTimeout") }, { 0, 1 })
  t:is(host:drops("FRAG_REASM_TIMEOUT"), 1)
end)

-- What makes fragments belong together.
local function apart(title, first, second)
  tap.test(title, function(t)
    local host, peer = station { addr = "192.0.2.1/24" }
    host:addr_add("192.0.2.2/24")
    local base = { src = PEER, dst = HOST, id = 5, proto = 253 }
    local a, b = { mf = true }, { off = 1 }
    for k, v in pairs(base) do a[k], b[k] = first[k] or v, second[k] or v end
    peer:send(ip(a) / ("a"):rep(8))
    peer:send(ip(b) / ("b"):rep(8))
    t:shows("RFC791-3.2-7", peer:expect_nothing { during = "29s" })
    t:is(host:counter("IpReasmOKs"), 0)
    peer:collect { during = "10s" }
    t:is(host:counter("IpReasmTimeout"), 2)
  end)
end

apart("another source: two datagrams", { src = PEER }, { src = "192.0.2.10" })
apart("another destination: two datagrams", { dst = HOST }, { dst = "192.0.2.2" })
apart("another protocol: two datagrams", { proto = 253 }, { proto = 254 })
apart("another identification: two datagrams", { id = 5 }, { id = 6 })

tap.test("TTL and TOS may differ between fragments", function(t)
  local _, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253, ttl = 9, dscp = 1 } / ("a"):rep(8))
  peer:send(ip{ id = 5, off = 1, proto = 253, ttl = 200, dscp = 2 } / ("b"):rep(8))
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:shows("RFC791-3.2-12", t:is({ error.inner.ip.ttl, error.inner.ip.dscp, error.inner.ip.len },
    { 9, 1, 36 }))
end)

tap.test("time-out after 30 s: time exceeded code 1 to the source, with the first fragment",
  function(t)
    local host, peer = station()
    peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(8))
    local error = peer:expect(icmp{ type = "time-exceeded", code = 1 }, { at = "+30s" })
    t:shows("RFC1122-3.3.2-5", t:is({ error.inner.ip.id, error.inner.ip.mf }, { 5, true }))
    t:is(host:changes({}, "^IpReasm"), { IpReasmReqds = 1, IpReasmFails = 1, IpReasmTimeout = 1 })
    t:is(host:drops("FRAG_REASM_TIMEOUT"), 1)
  end)

tap.test("the time-out counts from the first fragment to arrive, later ones do not move it",
  function(t)
    local _, peer = station()
    peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(8))
    net.sleep "10s"
    peer:send(ip{ id = 5, mf = true, off = 1, proto = 253 } / ("b"):rep(8))
    net.sleep "10s"
    peer:send(ip{ id = 5, mf = true, off = 3, proto = 253 } / ("c"):rep(8))
    t:shows("RFC1122-3.3.2-6", peer:expect(icmp{ type = "time-exceeded", code = 1 },
      { at = 30000001000 }))
  end)

tap.test("time-out without the first fragment: silence", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, off = 1, proto = 253 } / ("b"):rep(8))
  t:ok(peer:expect_nothing { during = "1min" })
  t:is({ host:counter("IpReasmTimeout"), host:counter("IcmpOutTimeExcds") }, { 1, 0 })
end)

tap.test("a last fragment 1 ms before the time-out completes, 1 ms after it does not", function(t)
  local host, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data), { 48 })
  peer:send(fragments[2])
  net.sleep "29999ms"
  peer:send(fragments[1])
  peer:expect(icmp{ type = "echo-reply" } / data)
  peer:send(fragments[2])
  net.sleep "30001ms"
  peer:send(fragments[1])
  t:shows("RFC791-3.2-9", peer:expect_nothing { during = "29s" })
  t:is(host:counter("IpReasmTimeout"), 1)
  peer:expect(icmp{ type = "time-exceeded" }, { within = "2s" })
end)

tap.test("an identification may be used again after its datagram was given up", function(t)
  local _, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data), { 48 })
  peer:send(fragments[1])
  peer:expect(icmp{ type = "time-exceeded" }, { at = "+30s" })
  send(peer, fragments, { 2, 1 })
  t:ok(peer:expect(icmp{ type = "echo-reply" } / data))
end)

tap.test("ipfrag_time is configurable", function(t)
  local _, peer = station { sysctl = { ["net.ipv4.ipfrag_time"] = 5 } }
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(8))
  t:ok(peer:expect(icmp{ type = "time-exceeded", code = 1 }, { at = "+5s" }))
end)

tap.test("no time exceeded for fragments to a broadcast address", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, dst = "192.0.2.255", mf = true, proto = 253 } / ("a"):rep(8))
  t:ok(peer:expect_nothing { during = "1min" })
  t:is(host:counter("IpReasmTimeout"), 1)
end)

tap.test("a fragment without data throws the datagram away", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(8))
  peer:send(ip{ id = 5, off = 1, mf = true, proto = 253, len = 20 })
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmFails"), host:drops("FRAG_INVALID") }, { 1, 2 })
end)

tap.test("a middle fragment of 7 octets has no whole block and throws the datagram away", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(7))
  t:shows("RFC791-3.2-4", peer:expect_nothing { during = "1min" })
  t:is({ host:counter("IpReasmFails"), host:drops("FRAG_INVALID") }, { 1, 1 })
end)

tap.test("profile linux: a middle fragment of 15 octets counts as 8", { profile = "linux" }, function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(15))
  peer:send(ip{ id = 5, off = 1, proto = 253 } / ("b"):rep(8))
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:is(error.inner.ip.len, 36)
  t:is(host:counter("IpReasmOKs"), 1)
end)

tap.test("two last fragments that end apart throw the datagram away", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, off = 3, proto = 253 } / ("c"):rep(8))
  peer:send(ip{ id = 5, off = 2, proto = 253 } / ("b"):rep(8))
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmFails"), host:drops("FRAG_INVALID") }, { 1, 2 })
end)

tap.test("a middle fragment beyond the end throws the datagram away", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, off = 1, proto = 253 } / ("b"):rep(8))
  peer:send(ip{ id = 5, off = 2, mf = true, proto = 253 } / ("c"):rep(8))
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmFails"), host:drops("FRAG_INVALID") }, { 1, 2 })
end)

tap.test("rose: first and last fragments only, 1000 of them: memory is bounded and given back",
  function(t)
    local host, peer = station { sysctl = { ["net.ipv4.ipfrag_low_thresh"] = 0 } }
    host:sysctl("net.ipv4.ipfrag_high_thresh", 65536) -- never below the low one
    for id = 1, 1000 do
      peer:send(ip{ id = id, off = 100, proto = 253 } / ("z"):rep(8))
      net.sleep "2us"
    end
    local refused = host:drops("FRAG_HIGH_MEM")
    t:is(host:counter("IpReasmReqds"), 1000)
    t:ok(refused > 900 and refused < 1000, refused .. " refused")
    t:is(host:counter("IpReasmFails"), refused)
    net.sleep "31s"
    t:shows("RFC6274-4.1.2.2-1", t:is(host:counter("IpReasmTimeout"), 1000 - refused))
    local data = pattern(100)
    send(peer, net.fragments(echo(data), { 48 }), { 2, 1 })
    peer:expect(icmp{ type = "echo-reply" } / data)
  end)

tap.test("ipfrag_high_thresh = 0: no reassembly", function(t)
  local host, peer = station { sysctl = { ["net.ipv4.ipfrag_low_thresh"] = 0 } }
  host:sysctl("net.ipv4.ipfrag_high_thresh", 0)
  send(peer, net.fragments(echo(pattern(100)), { 48 }), { 1, 2 })
  peer:expect_nothing { during = "1min" }
  t:is(host:drops("FRAG_HIGH_MEM"), 2)
end)

tap.test("ipfrag_max_dist: more than 64 fragments of others between two of one datagram", function(t)
  local host, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data, 7000), { 48 })
  peer:send(fragments[1])
  for id = 1, 64 do peer:send(ip{ id = id, off = 100, proto = 253 } / ("z"):rep(8)) end
  peer:send(fragments[2])
  peer:expect_nothing { during = "10s" }
  t:is({ host:drops("FRAG_TOO_FAR"), host:counter("IpReasmFails") }, { 1, 1 })
  peer:send(fragments[1])
  t:ok(peer:expect(icmp{ type = "echo-reply" } / data), "the datagram began anew")
  peer:expect_nothing { during = "1min" }
end)

tap.test("ipfrag_max_dist: 63 fragments of others between are not too far", function(t)
  local host, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data, 7000), { 48 })
  peer:send(fragments[1])
  for id = 1, 63 do peer:send(ip{ id = id, off = 100, proto = 253 } / ("z"):rep(8)) end
  peer:send(fragments[2])
  peer:expect(icmp{ type = "echo-reply" } / data)
  t:is(host:drops("FRAG_TOO_FAR"), 0)
end)

tap.test("ping to a datagram under way: a whole one of the same identification passes by", function(t)
  local _, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data, 77), { 48 })
  peer:send(fragments[1])
  peer:send(echo("whole", 77))
  t:shows("RFC6864-4.1-3", peer:expect(icmp{ type = "echo-reply" } / "whole"))
  peer:send(fragments[2])
  peer:expect(icmp{ type = "echo-reply" } / data)
end)

tap.test("options come from the first fragment", function(t)
  local _, peer = station()
  peer:send(ip{ id = 5, off = 1, proto = 253, options = "\1\1\1\1" } / ("b"):rep(8))
  peer:send(ip{ id = 5, mf = true, proto = 253, options = "\x5e\4ab\x5e\4cd" } / ("a"):rep(8))
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:shows("RFC791-3.2-12", t:is(error.inner.ip.options, "\x5e\4ab\x5e\4cd"))
  t:is(error.inner.ip.len, 28 + 16)
end)

tap.test("a fragment with a wrong header checksum is not one", function(t)
  local host, peer = station()
  local data = pattern(100)
  local fragments = net.fragments(echo(data), { 48 })
  local broken = fragments[2]:clone()
  broken.ip.checksum = 1
  peer:send(fragments[1])
  peer:send(broken)
  peer:expect_nothing { during = "1s" }
  t:is({ host:drops("IP_CSUM"), host:counter("IpReasmReqds") }, { 1, 1 })
  peer:send(fragments[2])
  peer:expect(icmp{ type = "echo-reply" } / data)
end)

tap.test("fragments that come in by two interfaces make one datagram", function(t)
  local host, peer = station()
  local second = host:nic { addr = "198.51.100.1/24" }
  local other = second.wire:peer { addr = "198.51.100.9" }
  local data = pattern(100)
  local fragments = net.fragments(echo(data), { 48 })
  peer:send(fragments[1])
  other:send(fragments[2])
  net.sleep "1ms"
  t:is(host:counter("IpReasmOKs"), 1)
  peer:expect(icmp{ type = "echo-reply" } / data, { within = "1ms" })
end)
