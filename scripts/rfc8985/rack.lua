-- SPDX-License-Identifier: MIT
-- RACK (RFC 8985): how long a segment that others overtook is waited for, how the wait adapts, and
-- D-SACK (RFC 2883) at the sender. Segments carry 1000 octets, counted from 0; the round trip is 400 ms.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent, ack = tcp.segments, tcp.sent, tcp.ack

local function flying(t, count, o)
  o = o or {}
  local sysctl = { ["net.ipv4.tcp_early_retrans"] = 0, ["net.ipv4.tcp_congestion_control"] = "reno" }
  for key, value in pairs(o.sysctl or {}) do sysctl[key] = value end
  local host, peer, conn = tcp.passive { syn = o.syn or "mss 1000,nop,nop,sackOK", rtt = o.rtt or 400,
    sysctl = sysctl }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 1000000)
  conn:send(net.pattern(1, count * 1000))
  t:is(sent(peer), segments(0, math.min(count, 10)))
  return host, peer, conn
end

local function back(ms) net.sleep((ms or 398) * 1000000) end

tap.test("without SACK there is no RACK: duplicates are counted", function(t)
  local _, peer, conn = flying(t, 5, { syn = "mss 1000" })
  back()
  ack(peer, 0)
  ack(peer, 0)
  t:is(sent(peer, "300ms"), "")
  ack(peer, 0)
  t:shows("RFC8985-4-1", t:is(sent(peer), segments(0, 1)))
  t:is(conn:info().ca_state, "Recovery")
end)

for _, rtt in ipairs { 40, 100, 400, 800 } do
  tap.test(("round trip %d ms: one was overtaken; it is waited for a quarter of that"):format(rtt), function(t)
    local _, peer = flying(t, 2, { rtt = rtt })
    back(rtt - 2)
    ack(peer, 0, { 1, 2 })
    local start = net.now()
    local frame = peer:expect(net.tcp{ flags = "." }, { within = rtt .. "ms" })
    local waited = (frame.sent - start) / 1e6
    t:shows("RFC8985-6.2-4", t:ok(waited >= rtt / 4 - 3 and waited <= rtt / 4 + 4, waited .. " ms"))
  end)
end

tap.test("times are told apart to less than a quarter of the round trip: what went 2 ms after is not overtaken", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK", rtt = 40,
    sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } }
  conn:option("TCP_NODELAY", 1)
  for i, wait in ipairs { 15, 2, 10 } do
    conn:send(net.pattern(i * 1000 - 999, 1000))
    net.sleep(wait * 1000000)
  end
  t:is(sent(peer), segments(0, 3))
  net.sleep "12ms"
  ack(peer, 0, { 1, 2 }) -- 0 went 15 ms before 1, 2 went 2 ms after it
  t:shows("RFC8985-4-2", t:is(sent(peer, "60ms"), segments(0, 1)))
  t:is(conn:info().lost, 1)
end)

tap.test("a segment that was sent again has its time anew: it is not lost before its own round trip", function(t)
  local _, peer, conn = flying(t, 14)
  back()
  ack(peer, 0, { 1, 5 })
  t:like(sent(peer), "^1:1001")
  ack(peer, 0, { 1, 10 }) -- all of these went before the second one
  local more = sent(peer, "200ms")
  t:shows("RFC8985-6.1-1", t:ok(not more:find "^1:1001" and not more:find " 1:1001", more))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("reordering was told by D-SACK: the wait grows, up to the round trip", function(t)
  local _, peer, conn = flying(t, 60)
  back()
  local next, waits = 10, {}
  local una = 0
  for round = 1, 5 do
    -- 0 is late again: everything above it comes, then after the wait its retransmission, then both.
    ack(peer, una, { una + 1, una + 3 })
    local start = net.now()
    local first
    repeat
      local frame = peer:expect(net.tcp{}, { within = "3s" })
      local seq = (frame.tcp.seq - peer.tcp.host_isn - 1) // 1000
      if seq == una then first = frame else next = math.max(next, seq + 1) end
    until first
    waits[round] = (first.sent - start) // 1000000
    back(380)
    ack(peer, una + 3, { una, una + 1 }) -- D-SACK: both were there
    for stop in sent(peer):gmatch ":(%d+)" do next = math.max(next, (tonumber(stop) - 1) // 1000) end
    una = una + 3
    back(350)
    ack(peer, next)
    una = next
    for stop in sent(peer):gmatch ":(%d+)" do next = math.max(next, (tonumber(stop) - 1) // 1000) end
    back()
    if next - una < 3 then break end
  end
  t:shows("RFC8985-3.3.2-3", t:ok(waits[2] > waits[1], tap.repr(waits)))
  for _, wait in ipairs(waits) do t:shows("RFC8985-3.3.2-4", t:ok(wait <= conn:info().rtt // 1000 + 5, tap.repr(waits))) end
end)

tap.test("time-out: the first segment, and what went long before; what went just now is not marked", function(t)
  local _, peer, conn = flying(t, 10, { sysctl = { ["net.ipv4.tcp_frto"] = 0 } })
  back()
  ack(peer, 1) -- the round trip is known
  net.sleep "1000ms"
  conn:send(net.pattern(10001, 2000)) -- about 200 ms before the time-out
  t:is(sent(peer), segments(10, 2))
  t:is(sent(peer, "205ms"), segments(1, 1))
  t:shows("RFC8985-6.3-1", t:is({ conn:info().ca_state, conn:info().lost }, { "Loss", 9 }))
end)

tap.test("what is taken for lost waits for the window", function(t)
  local _, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 7, 10 }) -- seven lost; ssthresh is 5
  local out = sent(peer)
  t:shows("RFC8985-9.3-1", t:ok(#out > 0 and select(2, out:gsub(":", "")) < 7, out))
  t:is(conn:info().lost, 7)
end)

tap.test("no count of duplicates beside the time: after reordering three of them make no loss", function(t)
  local host, peer, conn = flying(t, 30)
  back()
  ack(peer, 0, { 1, 3 })
  ack(peer, 3) -- 0 was late: reordering
  sent(peer)
  t:is(conn:info().reord_seen, 1)
  ack(peer, 3, { 4, 8 }) -- four above 3
  t:shows("RFC8985-9.2-1", t:is(sent(peer, "50ms"):match "^3001", nil))
  t:is(host:counter "TcpExtTCPFastRetrans", 0)
  t:like(sent(peer, "60ms"), "3001:4001")
end)

tap.test("a probe does not go where one RACK timer is running", function(t)
  local host, peer, conn = flying(t, 2, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 3 } })
  back()
  ack(peer, 0, { 1, 2 })
  t:is(sent(peer, "110ms"), segments(0, 1))
  t:shows("RFC8985-8-1", t:is(host:counter "TcpExtTCPLossProbes", 0))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("TLP before any round trip was measured: after 1 s", function(t)
  local host, peer, server = tcp.listen { sysctl = { ["net.ipv4.tcp_early_retrans"] = 3 } }
  peer:send "S 0:0(0) win 65535 <mss 1000,nop,nop,sackOK>"
  peer:expect "S. 0:0(0) ack 1"
  peer:expect("S. 0:0(0) ack 1", { at = "+1s" }) -- no sample of the handshake then
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 2000))
  t:is(#sent(peer) > 0, true)
  t:is(sent(peer, "990ms"), "")
  t:shows("RFC8985-7.2-2", t:like(sent(peer, "30ms"), "1001:2001"))
  t:is(host:counter "TcpExtTCPLossProbes", 1)
end)

tap.test("TLP: nothing new, and the window shut: the last one; nothing at all to be sent: the time-out", function(t)
  local host, peer, conn = flying(t, 3, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 3 } })
  t:is(sent(peer, "805ms"), segments(2, 1))
  t:is(host:counter "TcpExtTCPLossProbes", 1)
  -- One probe is out: no second one, the RTO runs from it.
  t:shows("RFC8985-7.3-2", t:is(sent(peer, "1190ms"), ""))
  t:is(sent(peer, "20ms"), segments(0, 1))
  t:is({ conn:info().ca_state, host:counter "TcpExtTCPLossProbes" }, { "Loss", 1 })
end)

-- D-SACK at the sender ----------------------------------------------------------------------------

local function recovered(t)
  local host, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 1, 4 })
  t:is(sent(peer), segments(0, 1))
  t:is({ conn:info().ca_state, conn:info().snd_ssthresh }, { "Recovery", 5 })
  return host, peer, conn
end

tap.test("D-SACK of all that was sent again: it was not needed, the window is given back", function(t)
  local host, peer, conn = recovered(t)
  ack(peer, 4, { 0, 1 })
  net.sleep "1ms"
  t:is(host:counter "TcpExtTCPDSACKUndo", 1)
  t:is({ conn:info().ca_state, conn:info().snd_cwnd >= 10 }, { "Open", true })
end)

tap.test("D-SACK is known by the ACK's own fields: a block below it, or within the next one", function(t)
  local host, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 2, 3 }, { 1, 4 }) -- 2 twice, 0 missing: nothing of it is below SND.UNA
  net.sleep "10us"
  t:shows("RFC2883-5-1", t:is({ host:counter "TcpExtTCPDSACKOfoRecv", conn:info().dsack_dups }, { 1, 1 }))
  t:is(conn:info().sacked, 3)
  peer:collect { during = "1ms" }
end)

tap.test("an old ACK with a block below its own number is no D-SACK of today", function(t)
  local host, peer, conn = recovered(t)
  ack(peer, 10)
  net.sleep "1ms"
  ack(peer, 4, { 5, 6 }) -- sent long ago: 5 is above what it acknowledges
  net.sleep "1ms"
  t:shows("RFC2883-5-1", t:is(host:counter "TcpExtTCPDSACKRecv", 0))
  t:is(conn:info().dsack_dups, 0)
end)

for name, block in pairs { ["half of a segment"] = "1:501", ["more than was ever out"] = "1:10001" } do
  tap.test("D-SACK of " .. name .. " gives nothing back", function(t)
    local host, peer, conn = recovered(t)
    peer:send((". 1:1(0) ack 4001 win 65535 <nop,nop,sack %s>"):format(block))
    net.sleep "1ms"
    t:ok(t:is(host:counter "TcpExtTCPDSACKUndo", 0))
    t:is(conn:info().snd_ssthresh, 5)
    peer:collect { during = "1ms" }
  end)
end
