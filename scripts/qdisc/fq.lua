-- SPDX-License-Identifier: MIT
-- fq: pacing by the socket's rate and by the discipline's, earliest departure times of TCP, fair
-- turns of flows, bands by priority, limits and what they count.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"
local udp = net.udp

local function world(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", wire = o.rate and net.wire { rate = o.rate } or nil,
    tx_ring = o.tx_ring }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 9 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local sender, stat = qdisc.sender, qdisc.stat

tap.test("SO_MAX_PACING_RATE of a UDP socket is kept", function(t)
  local host, peer = world()
  host:tc "qdisc replace dev eth0 root fq"
  -- 1000 octets of payload are 1042 on the wire; the quantum, 3028, is sent at once and then
  -- waited for: 1,000,000 octets a second.
  local s = sender(host, 1000, { rate = 1000000 })
  for _ = 1, 40 do s:send(("x"):rep(1000)) end
  local first, last
  for _ = 1, 40 do
    local p = peer:expect(udp{} / ("x"):rep(1000), { within = "1s" })
    first = first or p.sent
    last = p.sent
  end
  local rate = (40 - 15) * 1042 * 1000000000 / (last - first)
  t:ok(rate > 600000 and rate <= 1100000, "rate " .. math.tointeger(rate // 1))
  t:is(stat(host, "pkt %(dropped"), 0)
end)

tap.test("maxrate holds every flow", function(t)
  local host, peer = world()
  host:tc "qdisc replace dev eth0 root fq maxrate 8mbit quantum 1514 initial_quantum 1514 timer_slack 0"
  local s = sender(host, 1000)
  for _ = 1, 5 do s:send(("x"):rep(958)) end          -- 1000 octets on the wire
  local times = {}
  for i = 1, 5 do times[i] = peer:expect(udp{}, { within = "1s" }).sent end
  -- What has no departure time is paced by the quantum: 1514 octets at 1,000,000 a second.
  for i = 3, 5 do t:is((times[i] - times[i - 2]) % 1514000, 0) end
  t:ok(times[5] - times[1] >= 2 * 1514000)
end)

tap.test("timer_slack: a paced packet may be that much later than its time", function(t)
  for words, late in pairs { [""] = 10000, ["timer_slack 0"] = 0, ["timer_slack 1ms"] = 1000000 } do
    local host, peer = world()
    host:tc("qdisc replace dev eth0 root fq maxrate 8mbit quantum 1514 initial_quantum 1514 " .. words)
    local s = sender(host, 1000)
    s:send(("x"):rep(1472))
    s:send(("x"):rep(1472))
    local first = peer:expect(udp{}, { within = "1s" }).sent
    local second = peer:expect(udp{}, { within = "1s" }).sent
    t:is(second - first - 1514000, late, words)
  end
end)

tap.test("flows take turns by octets", function(t)
  local host, peer = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root fq quantum 1514 initial_quantum 1514"
  local a, b = sender(host, 1000), sender(host, 2000)
  for _ = 1, 30 do a:send(("a"):rep(1000)) end
  for _ = 1, 10 do b:send(("b"):rep(1000)) end
  local order = {}
  for i = 1, 40 do
    local p = peer:expect(udp{}, { within = "10s" })
    order[i] = p.udp.sport == 1000 and "a" or "b"
  end
  local text = table.concat(order)
  -- The ring and the fast path took the first ones; then neither sends three in a row.
  local waiting = text:match "b.*b"
  t:ok(#waiting >= 18 and not waiting:find "aaa" and not waiting:find "bbb", text)
  t:is(select(2, text:gsub("b", "")), 10)
end)

tap.test("bands: interactive before bulk", function(t)
  local host, peer = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root fq"
  local bulk, fast = sender(host, 1000, { priority = 2 }), sender(host, 2000, { priority = 6 })
  for _ = 1, 20 do bulk:send(("a"):rep(1000)) end
  for _ = 1, 5 do fast:send(("b"):rep(1000)) end
  local text = ""
  for _ = 1, 25 do
    text = text .. (peer:expect(udp{}, { within = "10s" }).udp.sport == 1000 and "a" or "b")
  end
  t:ok(text:find "bbbbb", text)
  t:ok(text:find "b" <= 16, text)
end)

tap.test("a flow over its limit is dropped, others are not", function(t)
  local host, peer = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root fq flow_limit 5"
  local a, b = sender(host, 1000), sender(host, 2000)
  local before = host:drops "FQ_FLOW_LIMIT"
  for _ = 1, 40 do a:send("a") end
  b:send("b")
  local dropped = host:drops "FQ_FLOW_LIMIT" - before
  t:ok(dropped >= 15, dropped)
  t:is(stat(host, "flows_plimit"), dropped)
  t:is(stat(host, "dropped"), dropped)
  local seen = 0
  for _ = 1, 41 - dropped do
    if peer:expect(udp{}, { within = "10s" }).payload == "b" then seen = seen + 1 end
  end
  t:is(seen, 1)
end)

tap.test("a full band drops; the counters name it", function(t)
  local host, peer = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root fq limit 4 flow_limit 1000"
  local a = sender(host, 1000)
  for _ = 1, 40 do a:send("a") end
  local dropped = host:drops "FQ_BAND_LIMIT"
  t:ok(dropped > 10)
  t:is(stat(host, "band1_drops"), dropped)
  for _ = 1, 40 - dropped do peer:expect(udp{}, { within = "10s" }) end
end)

tap.test("an idle qdisc is passed on the fast path, and flows are collected", function(t)
  local host, peer = world()
  host:tc "qdisc replace dev eth0 root fq"
  local s = sender(host, 1000)
  s:send("x")
  peer:expect(udp{} / "x")
  t:is(stat(host, "fastpath"), 1)
  t:is(stat(host, "flows"), 0)
  -- A rate for all flows: every packet needs its flow. Small quanta: it must wait its turn.
  host:tc "qdisc replace dev eth0 root fq maxrate 1gbit quantum 256 initial_quantum 256"
  s:send(("x"):rep(1000))
  peer:expect(udp{})
  t:is(stat(host, "flows"), 1)
  t:is(stat(host, "inactive"), 1)
  net.sleep "5s"
  -- Empty flows are taken off the lists when their turn comes, and are freed 3 s later by whoever
  -- meets them.
  local other = sender(host, 2000)
  for _ = 1, 2 do
    other:send(("y"):rep(1000))
    peer:expect(udp{}, { within = "1s" })
  end
  t:is(stat(host, "gc"), 0)
  t:is(stat(host, "flows"), 2)
  net.sleep "5s"
  sender(host, 3000):send "z"
  peer:expect(udp{} / "z")
  t:is(stat(host, "gc"), 1)
  t:is(stat(host, "flows"), 2)
end)

tap.test("TCP under fq leaves the pacing to it: segments depart at their times", { profile = "linux" }, function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:tc "qdisc replace dev eth0 root fq"
  local server = host:socket "tcp":listen(80)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  local isn = peer:expect("S. 0:0(0) ack 1 <mss 1460>").tcp.seq
  net.sleep "10ms"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("SO_MAX_PACING_RATE", 100000)
  conn:send(("x"):rep(10000))
  for i = 0, 9 do
    t:is(peer:expect(net.tcp{}, { within = "1s" }).tcp.seq, isn + 1 + i * 1000)
  end
  for i = 10, 19 do
    peer:send((". 1:1(0) ack %d win 65535"):format((i - 9) * 1000 + 1))
  end
  conn:send(("x"):rep(10000))
  local times = {}
  for i = 10, 19 do
    times[#times + 1] = peer:expect(net.tcp{}, { within = "5s" }).sent
  end
  -- 100,000 octets a second: a segment takes 10 ms, and two go together. TCP's own timer is not used.
  local spread = times[10] - times[1]
  t:ok(spread >= 60000000 and spread < 120000000, spread)
  t:ok(tonumber(host:tc("-s qdisc show dev eth0"):match "fastpath %d+ throttled (%d+)") >= 3)
end)

tap.test("what leaves later than the horizon is dropped, or sent at the horizon", function(t)
  local host, peer = world()
  host:tc "qdisc replace dev eth0 root fq horizon 2s"
  local text = host:tc "qdisc show dev eth0"
  t:like(text, "horizon 2s horizon_drop")
  host:tc "qdisc change dev eth0 root fq horizon_cap"
  t:like(host:tc "qdisc show dev eth0", "horizon 2s horizon_cap")
  sender(host, 1000):send("x")
  peer:expect(udp{} / "x")
end)

tap.test("going down drops what waits, with its reason", function(t)
  local host, peer = world()
  host:tc "qdisc replace dev eth0 root fq maxrate 8kbit"
  local s = sender(host, 1000)
  for _ = 1, 30 do s:send(("x"):rep(1000)) end
  peer:expect(udp{})
  t:is(host:tc("-s qdisc show dev eth0"):match "backlog (%w+ %w+)", "30218b 29p")
  host:link { up = false }
  t:is(host:drops "DEV_READY", 29)
  t:is(host:tc "-s qdisc show dev eth0":match "backlog (%w+ %w+)", "0b 0p")
end)
