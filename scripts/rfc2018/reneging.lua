-- SPDX-License-Identifier: MIT
-- Selective acknowledgements seen from both sides (RFC 2018, RFC 6675): blocks after loss and time-out,
-- what may be taken back and what may not, blocks that lie, blocks and windows.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent, ack = tcp.segments, tcp.sent, tcp.ack
local SACK = "mss 1000,nop,nop,sackOK"

local function flying(t, count, o)
  o = o or {}
  o.syn, o.rtt = SACK, o.rtt or 400
  local sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 }
  for key, value in pairs(o.sysctl or {}) do sysctl[key] = value end
  o.sysctl = sysctl
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, count * 1000))
  t:is(sent(peer), segments(0, math.min(count, 10)))
  return host, peer, conn
end

-- The sender --------------------------------------------------------------------------------------

tap.test("the scoreboard: what is told by blocks is marked, whole segments only", function(t)
  local _, peer, conn = flying(t, 10)
  net.sleep "390ms"
  for i, case in ipairs { { 4, 5, 1 }, { 6, 8, 3 }, { 4, 5, 3 }, { 9, 10, 4 } } do
    ack(peer, 0, { case[1], case[2] })
    net.sleep "10us"
    t:shows("RFC2018-5-1", t:is(conn:info().sacked, case[3], "after block " .. i))
  end
  peer:send ". 1:1(0) ack 1 win 65535 <nop,nop,sack 2501:3501>" -- the halves of two: neither
  net.sleep "10us"
  t:is(conn:info().sacked, 4)
  peer:collect { during = "1ms" }
end)

for dup, n in pairs { [1] = 0, [2] = 0, [3] = 1, [4] = 1 } do
  tap.test(("%d segments above the first are there: it is%s lost"):format(dup, n == 0 and " not taken for" or ""),
    function(t)
      local _, peer, conn = flying(t, 10, { sysctl = { ["net.ipv4.tcp_recovery"] = 0 } })
      net.sleep "390ms"
      ack(peer, 0, { 1, 1 + dup })
      t:shows("RFC6675-4-3", t:is(sent(peer), n == 1 and segments(0, 1) or ""))
      t:is(conn:info().ca_state, n == 1 and "Recovery" or "Disorder")
    end)
end

tap.test("three blocks apart from each other are as good as one of three segments", function(t)
  local _, peer, conn = flying(t, 10, { sysctl = { ["net.ipv4.tcp_recovery"] = 0 } })
  net.sleep "390ms"
  ack(peer, 0, { 2, 3 })
  ack(peer, 0, { 4, 5 }, { 2, 3 })
  t:is(sent(peer), "")
  ack(peer, 0, { 6, 7 }, { 4, 5 }, { 2, 3 })
  t:shows("RFC6675-5-3", t:like(sent(peer), "^1:1001"))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("a cumulative ACK begins the count of duplicates again", function(t)
  local _, peer, conn = flying(t, 10, { sysctl = { ["net.ipv4.tcp_recovery"] = 0 } })
  net.sleep "390ms"
  ack(peer, 0, { 1, 2 })
  ack(peer, 0, { 1, 3 })
  t:is(sent(peer), "")
  ack(peer, 3) -- it had only been late
  ack(peer, 3, { 4, 5 })
  ack(peer, 3, { 4, 6 })
  t:shows("RFC6675-5-2", t:is(sent(peer), ""))
  t:is(conn:info().ca_state, "Disorder")
  ack(peer, 3, { 4, 7 })
  -- Reordering was seen: the third only starts the time that RACK waits.
  t:is(sent(peer, "120ms"), segments(3, 1))
end)

tap.test("what was sent again is not sent again by the ACKs of the same recovery", function(t)
  local _, peer = flying(t, 10)
  net.sleep "390ms"
  ack(peer, 0, { 2, 5 })
  t:is(sent(peer), segments(0, 2))
  for n = 6, 10 do ack(peer, 0, { 2, n }) end
  t:shows("RFC6675-5-10", t:is(sent(peer), ""))
end)

tap.test("holes above what is lost go too when there is nothing better", function(t)
  local _, peer = flying(t, 10)
  net.sleep "390ms"
  ack(peer, 0, { 1, 4 }, { 5, 6 }) -- 4 is a hole, with one segment above it
  local first = sent(peer)
  t:like(first, "^1:1001")
  local all = first .. " " .. sent(peer, "150ms")
  t:shows("RFC6675-4-7", t:like(all, "4001:5001"))
end)

tap.test("blocks above the end of a recovery are kept for the next one", function(t)
  local _, peer, conn = flying(t, 30)
  net.sleep "390ms"
  ack(peer, 0, { 1, 4 })
  local out = sent(peer)
  t:like(out, "^1:1001")
  for n = 5, 10 do ack(peer, 0, { 1, n }) end
  sent(peer)
  net.sleep "390ms"
  local high = conn:info().unacked
  t:ok(high > 10)
  ack(peer, 10, { 11, 12 }) -- the recovery point is reached; of what is above, 11 is there
  net.sleep "10us"
  t:shows("RFC6675-5-7", t:is({ conn:info().ca_state, conn:info().sacked }, { "Disorder", 1 }))
  peer:collect { during = "1ms" }
end)

tap.test("time-out: all that is not acknowledged goes again in time, SACKed or not if the peer threw it away", function(t)
  local host, peer, conn = flying(t, 6)
  net.sleep "390ms"
  ack(peer, 0, { 1, 6 })
  t:is(sent(peer), segments(0, 1))
  t:is(sent(peer, "1300ms"), segments(0, 1))
  ack(peer, 1) -- no block any more: it reneged
  local again = sent(peer, "1s")
  t:shows("RFC2018-5.1-1", t:like(again, "^1001:2001"))
  for n = 2, 5 do
    ack(peer, n)
    sent(peer, "1500ms")
  end
  ack(peer, 6)
  net.sleep "1ms"
  t:is({ conn:info().unacked, host:counter "TcpExtTCPSACKReneging" > 0 }, { 0, true })
end)

tap.test("time-out in a recovery: no fast retransmit again before all of then is acknowledged", function(t)
  local _, peer, conn = flying(t, 20, { sysctl = { ["net.ipv4.tcp_frto"] = 0 } })
  net.sleep "390ms"
  ack(peer, 0, { 1, 4 })
  t:like(sent(peer), "^1:1001")
  t:is(conn:info().ca_state, "Recovery")
  t:is(sent(peer, "1300ms"), segments(0, 1))
  t:is(conn:info().ca_state, "Loss")
  local ssthresh = conn:info().snd_ssthresh
  ack(peer, 0, { 1, 5 })
  ack(peer, 0, { 1, 6 })
  ack(peer, 0, { 1, 7 })
  sent(peer)
  t:shows("RFC6675-5.1-2", t:is({ conn:info().ca_state, conn:info().snd_ssthresh }, { "Loss", ssthresh }))
end)

tap.test("time-out: blocks that come after it count", function(t)
  local _, peer, conn = flying(t, 10, { sysctl = { ["net.ipv4.tcp_frto"] = 0 } })
  t:is(sent(peer, "1205ms"), segments(0, 1))
  ack(peer, 1, { 2, 4 })
  local again = sent(peer)
  t:shows("RFC6675-5.1-1", t:like(again, "^1001:2001"))
  t:ok(not again:find "2001:3001" and not again:find "3001:4001", again)
  t:is(conn:info().sacked, 2)
end)

for name, block in pairs {
  ["below what is acknowledged long since"] = "nop,nop,sack 1:2001",
  ["above all that was sent"] = "nop,nop,sack 50001:60001",
  ["that ends before it begins"] = "nop,nop,sack 6001:5001",
  ["of no length"] = "nop,nop,sack 6001:6001",
  ["half of it never sent"] = "nop,nop,sack 9001:90001",
  ["of half the number space"] = "nop,nop,sack 5001:2147490000",
} do
  tap.test("a block " .. name .. " marks nothing", function(t)
    local _, peer, conn = flying(t, 10)
    net.sleep "390ms"
    ack(peer, 5)
    sent(peer)
    peer:send((". 1:1(0) ack 5001 win 65535 <%s>"):format(block))
    net.sleep "10us"
    t:ok(t:is({ conn:info().sacked, conn:info().lost, conn:info().ca_state }, { 0, 0, "Open" }))
    t:is(sent(peer), "")
  end)
end

-- The receiver ------------------------------------------------------------------------------------

local function gets(peer, first, stop, at, sack)
  peer:send((". %d:%d(%d) ack 1"):format(first, stop, stop - first))
  return peer:expect((". 1:1(0) ack %d <nop,nop,sack %s>"):format(at, sack))
end

tap.test("under memory pressure what waits out of order is thrown away, and blocks of it vanish", function(t)
  local host, peer, conn = tcp.passive { syn = SACK, options = { SO_RCVBUF = 8000 } }
  -- Far apart and small: each costs much more than it holds.
  local last
  for i = 1, 60 do
    local first = 1 + i * 100
    peer:send((". %d:%d(10) ack 1"):format(first, first + 10))
    for _, frame in ipairs(peer:collect { during = "3ms" }) do last = frame end
  end
  t:ok(host:counter "TcpExtOfoPruned" + host:counter "TcpExtTCPOFODrop" > 0)
  -- All blocks that are told now must be held: filling the hole up to the first gives it.
  local blocks = last.tcp.options[#last.tcp.options]
  t:is(blocks[1], "sack")
  local low = math.maxinteger
  for i = 2, #blocks, 2 do low = math.min(low, blocks[i] - 1000000) end
  peer:send((". 1:%d(%d) ack 1"):format(low, low - 1))
  local acked = 0
  for _, frame in ipairs(peer:collect { during = "60ms" }) do acked = math.max(acked, frame.tcp.ack - 1000000) end
  t:shows("RFC2018-8-3", t:ok(acked >= low + 10, ("acknowledged up to %d, block at %d"):format(acked, low)))
  t:ok(#tcp.got(conn) == acked - 1)
end)

tap.test("the first block is that of the segment that came, pruned or not", function(t)
  local host, peer = tcp.passive { syn = SACK, options = { SO_RCVBUF = 8000 } }
  local checked = 0
  for i = 60, 1, -1 do
    local first = 1 + i * 100
    local held = host:counter "TcpExtTCPOFODrop"
    peer:send((". %d:%d(10) ack 1"):format(first, first + 10))
    for _, frame in ipairs(peer:collect { during = "3ms" }) do
      local block = frame.tcp.options[#frame.tcp.options]
      if host:counter "TcpExtTCPOFODrop" == held and block and block[1] == "sack" then
        t:shows("RFC2018-8-2", t:is(block[2] - 1000000, first))
        checked = checked + 1
      end
    end
  end
  t:shows("RFC2018-8-1", t:ok(checked > 5))
end)

tap.test("blocks grow together as the holes between them are filled", function(t)
  local _, peer = tcp.passive { syn = SACK, sysctl = { ["net.ipv4.tcp_comp_sack_nr"] = 0 } }
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 301, 401, 1, "301:401 101:201")
  gets(peer, 501, 601, 1, "501:601 301:401 101:201")
  t:shows("RFC2018-4-2", gets(peer, 201, 301, 1, "101:401 501:601"))
  gets(peer, 401, 501, 1, "101:601")
  peer:send ". 1:101(100) ack 1"
  t:ok(peer:expect ". 1:1(0) ack 601 <>")
end)

tap.test("net.ipv4.tcp_sack = 0: neither offered nor told", function(t)
  local _, peer = tcp.listen { sysctl = { ["net.ipv4.tcp_sack"] = 0 } }
  peer:send(("S 0:0(0) win 65535 <%s>"):format(SACK))
  peer:expect "S. 0:0(0) ack 1 <mss 1460>"
  peer:send ". 1:1(0) ack 1"
  peer:send ". 101:201(100) ack 1"
  t:shows("RFC2018-4-1", peer:expect ". 1:1(0) ack 1 <>")
end)

tap.test("a FIN out of order is part of its block", function(t)
  local _, peer, conn = tcp.passive { syn = SACK }
  peer:send "F. 101:201(100) ack 1"
  t:shows("RFC2018-4-2", peer:expect ". 1:1(0) ack 1 <nop,nop,sack 101:202>")
  peer:send ". 1:101(100) ack 1"
  peer:expect(". 1:1(0) ack 202", { within = "50ms" })
  t:is(conn:info().state, "CLOSE_WAIT")
end)

tap.test("data that is there already, out of order, is told as it is", function(t)
  local _, peer, conn = tcp.passive { syn = SACK }
  gets(peer, 101, 201, 1, "101:201")
  peer:send ". 151:251(100) ack 1" -- half of it is new
  t:ok(peer:expect ". 1:1(0) ack 1 <nop,nop,sack 151:201 101:251>")
  peer:send ". 1:101(100) ack 1"
  peer:expect ". 1:1(0) ack 251 <>"
  t:is(tcp.got(conn), net.pattern(1, 250))
end)
