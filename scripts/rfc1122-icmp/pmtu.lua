-- SPDX-License-Identifier: MIT
-- Path MTU discovery at the sender (RFC 1191 3, 6), over TCP and UDP.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip, icmp = net.ip, net.icmp

local function too_big(peer, frame, mtu)
  peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = mtu } /
    net.parse(frame:bytes():sub(15, 14 + 28), "ip"))
end

local function sending(o)
  local host, peer, conn = tcp.passive(o or { rtt = 10 })
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 1460))
  return host, peer, conn, peer:expect(ip{ df = true })
end

-- The largest datagram among those that come now.
local function largest(peer, during)
  local most = 0
  for _, frame in ipairs(peer:collect { during = during or "1ms" }) do most = math.max(most, frame.ip.len) end
  return most
end

tap.test("afterwards nothing larger is sent with DF, whatever the estimate was", function(t)
  local _, peer, conn, frame = sending()
  local sent = 1461
  for _, mtu in ipairs { 1400, 1006, 576 } do
    too_big(peer, frame, mtu)
    peer:collect { during = "1ms" } -- it goes again
    peer:send((". 1:1(0) ack %d"):format(sent))
    conn:send(net.pattern(sent, 1460))
    sent = sent + 1460
    local most, df = 0, true
    for _, smaller in ipairs(peer:collect { during = "1ms" }) do
      if smaller.ip.len > most then most, frame = smaller.ip.len, smaller end
      df = df and smaller.ip.df
    end
    t:shows("RFC1191-3-2", t:is({ most, df }, { mtu, true }))
  end
end)

tap.test("nothing larger is tried for ten minutes after that", function(t)
  local _, peer, conn, frame = sending()
  too_big(peer, frame, 1000)
  t:is(largest(peer), 1000)
  peer:send ". 1:1(0) ack 1461"
  local sent = 1461
  for _ = 1, 9 do
    net.sleep "1min"
    conn:send(net.pattern(sent, 1460))
    sent = sent + 1460
    t:shows("RFC1191-3-3", t:is(largest(peer), 1000))
    peer:send((". 1:1(0) ack %d"):format(sent))
  end
end)

tap.test("an estimate is never raised by a message, nor below the least that the host allows", function(t)
  local host, peer, conn, frame = sending()
  too_big(peer, frame, 1200)
  t:is(largest(peer), 1200)
  too_big(peer, frame, 1400)
  t:is({ largest(peer), conn:info().pmtu }, { 0, 1200 })
  for _, mtu in ipairs { 68, 1, 20 } do
    too_big(peer, frame, mtu)
    peer:collect { during = "1ms" }
    t:shows("RFC1191-3-5", t:ok(conn:info().pmtu >= tonumber(host:sysctl "net.ipv4.route.min_pmtu"),
      "the path MTU is " .. conn:info().pmtu))
  end
end)

tap.test("a message of an old router, without an MTU: a smaller size is taken from a table", function(t)
  local _, peer, conn, frame = sending()
  too_big(peer, frame, 0)
  local most = largest(peer)
  t:ok(most > 0 and most < 1500, "datagrams of " .. most)
  t:shows("RFC1191-3-4", t:ok(conn:info().pmtu < 1500 and conn:info().pmtu >= 296, conn:info().pmtu))
end)

tap.test("segments are never larger than the peer's MSS, whatever the path allows", function(t)
  for _, mss in ipairs { 200, 536, 1000 } do
    local _, peer, conn = tcp.passive { syn = "mss " .. mss, rtt = 10 }
    conn:send(net.pattern(1, 5000))
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      t:shows("RFC1191-6.4-2", t:ok(#frame.payload <= mss))
    end
    for acked = 1001, 5001, 1000 do
      peer:send((". 1:1(0) ack %d"):format(acked))
      peer:collect { during = "1ms" }
    end
  end
end)

tap.test("what one connection learns of the path is there for the next one", function(t)
  local host, peer, conn, frame = sending()
  too_big(peer, frame, 1000)
  peer:collect { during = "1ms" }
  local other = host:socket("tcp", { nonblock = true })
  other:try("connect", "192.0.2.9", 4001)
  local syn = peer:expect(net.tcp { dport = 4001, flags = "S" }, { defaults = false })
  peer:send(net.tcp { sport = 4001, dport = syn.tcp.sport, flags = "SA", seq = 77, ack = syn.tcp.seq + 1,
    window = 65535, options = { { "mss", 1460 } } })
  peer:expect(net.tcp { dport = 4001, flags = "A" }, { defaults = false, within = "1ms" })
  other:send(net.pattern(1, 1460))
  t:shows("RFC4821-4-4", t:is({ largest(peer), other:info().pmtu }, { 1000, 1000 }))
  t:is(conn:info().pmtu, 1000)
end)
