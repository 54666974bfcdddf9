-- SPDX-License-Identifier: MIT
-- Acknowledging what comes in bursts (RFC 9293 3.8.6.3, RFC 5681 4.2): one ACK for what one interrupt
-- brought, one for a hole that is filled, never more ACKs than segments, none later than 500 ms.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- n segments of 1000 octets back to back from octet `first` on.
local function burst(peer, first, n)
  for i = 0, n - 1 do
    local p = peer:segment((". %d:%d(1000) ack 1"):format(first + i * 1000, first + i * 1000 + 1000))
    p.ip.df = true
    peer:send(p)
  end
end

local function acks(peer, during)
  local list = {}
  for i, frame in ipairs(peer:collect { during = during or "1ms" }) do list[i] = frame.tcp.ack - 1000000 end
  return list
end

tap.test("a burst of ten segments is acknowledged by one ACK, of all of them", function(t)
  local host, peer, conn = tcp.passive()
  host:ethtool { gro = true }
  burst(peer, 1, 10)
  t:shows("RFC9293-MUST-58", t:is(acks(peer), { 10001 }))
  t:is(#tcp.got(conn), 10000)
end)

tap.test("what fills a hole is acknowledged with all that waited behind it, in one ACK", function(t)
  local _, peer, conn = tcp.passive()
  for i = 5, 1, -1 do
    burst(peer, 1 + i * 1000, 1)
    net.sleep "1ms"
  end
  t:is(acks(peer), { 1, 1, 1, 1, 1 })
  burst(peer, 1, 1)
  t:shows("RFC9293-MUST-59", t:is(acks(peer), { 6001 }))
  t:is(#tcp.got(conn), 6000)
end)

tap.test("of a burst with a hole the segments behind it are told, and what is there is acknowledged", function(t)
  local _, peer = tcp.passive { syn = "mss 1000,nop,nop,sackOK" }
  burst(peer, 1, 3)
  burst(peer, 4001, 3)
  local frames = peer:collect { during = "1ms" }
  t:shows("RFC5681-4.2-4", t:is(frames[#frames].tcp.options[3], { "sack", 4001 + 1000000, 7001 + 1000000 }))
  t:is(frames[#frames].tcp.ack, 1000000 + 3001)
end)

for _, gro in ipairs { true, false } do
  tap.test(("never more ACKs than segments, GRO %s"):format(gro and "on" or "off"), function(t)
    local host, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK" }
    host:ethtool { gro = gro }
    local sent, got, next = 0, 0, 1
    for i = 1, 60 do
      local first = next
      if i % 7 == 0 then first = next + 1000 elseif i % 11 == 0 then first = math.max(1, next - 2000) end
      burst(peer, first, 1)
      sent = sent + 1
      if first == next then next = next + 1000 end
      if i % 3 == 0 then net.sleep "3ms" end
      for _, frame in ipairs(peer:collect { during = "10us" }) do
        got = got + 1
        next = frame.tcp.ack - 1000000
      end
      if i % 10 == 0 then tcp.got(conn) end
    end
    got = got + #peer:collect { during = "1s" }
    t:shows("RFC5681-4.2-5", t:ok(got > 10 and got <= sent, got .. " ACKs for " .. sent .. " segments"))
  end)
end

tap.test("delayed ACK: 40 ms to 200 ms after the first segment, however the gaps are", function(t)
  local _, peer, conn = tcp.active()
  local next = 1
  for i = 1, 20 do
    conn:option("TCP_QUICKACK", 0)
    peer:send(("P. %d:%d(100) ack 1 win 65535"):format(next, next + 100))
    next = next + 100
    local sent = net.now()
    local ack = peer:expect((". 1:1(0) ack %d"):format(next), { within = "500ms" })
    t:shows("RFC5681-4.2-3", t:ok(ack.sent - sent <= 200000000))
    net.sleep(i * 17000000)
    tcp.got(conn)
  end
end)

tap.test("delayed ACK: the second full segment is acknowledged at once", function(t)
  local _, peer, conn = tcp.active()
  burst(peer, 1, 1)
  peer:collect { during = "300ms" }
  conn:option("TCP_QUICKACK", 0)
  peer:send ". 1001:2461(1460) ack 1"
  net.sleep "1ms"
  conn:option("TCP_QUICKACK", 0)
  peer:send ". 2461:3921(1460) ack 1"
  net.sleep "1ms"
  tcp.got(conn)
  local list = acks(peer, "30ms")
  t:shows("RFC5681-4.2-2", t:is(list[#list], 3921))
end)

tap.test("delayed ACK: used where nothing else says what came", function(t)
  local host, peer, conn = tcp.active()
  conn:option("TCP_QUICKACK", 0)
  peer:send "P. 1:101(100) ack 1 win 65535"
  peer:expect_nothing { during = "39ms" }
  t:shows("RFC5681-4.2-1", peer:expect(". 1:1(0) ack 101", { within = "2ms" }))
  t:is(host:counter "TcpExtDelayedACKs", 1)
end)

tap.test("TCP_QUICKACK 1: no ACK is delayed while it holds", function(t)
  local host, peer, conn = tcp.active()
  for i = 0, 9 do
    conn:option("TCP_QUICKACK", 1)
    peer:send(("P. %d:%d(100) ack 1 win 65535"):format(1 + i * 100, 101 + i * 100))
    t:ok(peer:expect((". 1:1(0) ack %d"):format(101 + i * 100)))
  end
  t:is(host:counter "TcpExtDelayedACKs", 0)
end)

tap.test("an interactive connection delays its ACKs, and sends them with its answers", function(t)
  local host, peer, conn = tcp.passive()
  for i = 0, 4 do
    peer:send(("P. %d:%d(10) ack %d win 65535"):format(1 + i * 10, 11 + i * 10, 1 + i * 5))
    conn:recv()
    conn:send "reply"
    if i == 0 then peer:expect ". 1:1(0) ack 11" end -- the first one is answered at once
    t:ok(peer:expect(("P. %d:%d(5) ack %d"):format(1 + i * 5, 6 + i * 5, 11 + i * 10), { within = "2ms" }))
    peer:send((". %d:%d(0) ack %d win 65535"):format(11 + i * 10, 11 + i * 10, 6 + i * 5))
    net.sleep "100ms"
  end
  t:is(#peer:collect { during = "1s" }, 0)
  t:is(host:counter "TcpExtDelayedACKs", 0)
end)
