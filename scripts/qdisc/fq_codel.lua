-- SPDX-License-Identifier: MIT
-- fq_codel (RFC 8289, RFC 8290): a standing queue is dropped from, or marked, after an interval and
-- faster and faster; a short one is left alone; flows take turns; limits of packets and of memory.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"
local udp, ip = net.udp, net.ip

-- 8 Mbit/s: 1000 octets in a ms. A small ring, so that the queue stands where it is managed.
local function world(words)
  local wire = net.wire { rate = 8000000 }
  local host = net.host { addr = "192.0.2.1/24", wire = wire, tx_ring = 8 }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 9 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:tc("qdisc replace dev eth0 root fq_codel " .. (words or ""))
  return host, peer
end

local stat = qdisc.stat

local function sender(host, port, tos) return qdisc.sender(host, port, { tos = tos, sndbuf = 1 << 20 }) end

-- Keeps the queue at its length: a datagram a ms, on top of `standing` at first.
local function load(s, standing, ms)
  for _ = 1, standing do s:send(("x"):rep(958)) end
  for _ = 1, ms do
    net.sleep "1ms"
    s:send(("x"):rep(958))
  end
end

local function drain(peer)
  return peer:collect { during = "2s" }
end

tap.test("a burst that is gone within the interval is not dropped from", function(t)
  local host, peer = world()
  local s = sender(host, 1000)
  for _ = 1, 90 do s:send(("x"):rep(958)) end
  t:is(#drain(peer), 90)
  t:is(stat(host, "dropped"), 0)
end)

tap.test("a standing queue is dropped from after an interval, at growing rate", function(t)
  local host, peer = world()
  local s = sender(host, 1000)
  net.trace "kfree_skb"
  load(s, 60, 1000)
  local times = {}
  for _, r in ipairs(net.traces()) do
    if r.reason == "QDISC_CONGESTED" then times[#times + 1] = r.time end
  end
  t:ok(#times > 5, #times)
  -- RFC 8289 5.3: after the first, interval / sqrt(n).
  t:ok(times[1] > 100000000 and times[1] < 125000000, times[1])
  local first, later = times[2] - times[1], times[5] - times[4]
  t:ok(first > 95000000 and first < 105000000, first)
  t:ok(later > 42000000 and later < 60000000, later)
  t:is(stat(host, "dropped"), #times)
  drain(peer)
end)

tap.test("packets that can say so are marked instead", function(t)
  local host, peer = world()
  local s = sender(host, 1000, 2)                         -- ECT(0)
  load(s, 60, 400)
  local marks = 0
  for _, p in ipairs(drain(peer)) do
    if p.ip.ecn == 3 then
      marks = marks + 1
      t:is(p.ip.checksum_status, "good")
    end
  end
  t:ok(marks >= 2, marks)
  t:is(stat(host, "ecn_mark"), marks)
  t:is(stat(host, "dropped"), 0)
end)

tap.test("noecn drops them all the same", function(t)
  local host, peer = world "noecn"
  local s = sender(host, 1000, 2)
  load(s, 60, 400)
  t:is(stat(host, "ecn_mark"), 0)
  t:ok(stat(host, "dropped") >= 2)
  drain(peer)
end)

tap.test("ce_threshold marks what stood for longer", function(t)
  local host, peer = world "ce_threshold 10ms"
  local s = sender(host, 1000, 2)
  for _ = 1, 40 do s:send(("x"):rep(958)) end
  local list, marks = drain(peer), 0
  for _, p in ipairs(list) do marks = marks + (p.ip.ecn == 3 and 1 or 0) end
  t:ok(marks > 15 and marks < 30, marks)
  t:is(stat(host, "ce_mark"), marks)
end)

tap.test("a sparse flow goes before a bulk one", function(t)
  local host, peer = world()
  local bulk, sparse = sender(host, 1000), sender(host, 2000)
  for _ = 1, 60 do bulk:send(("x"):rep(958)) end
  sparse:send "ping"
  local place
  for i, p in ipairs(drain(peer)) do
    if p.payload == "ping" then place = i end
  end
  -- Behind what is in the ring already.
  t:ok(place <= 10, place)
end)

tap.test("over its limit the longest flow loses its head", function(t)
  local host, peer = world "limit 20"
  local bulk, sparse = sender(host, 1000), sender(host, 2000)
  for i = 1, 60 do bulk:send(("%03d"):format(i) .. ("x"):rep(900)) end
  sparse:send "ping"
  local list = drain(peer)
  local last
  for _, p in ipairs(list) do
    if p.payload ~= "ping" then last = p.payload:sub(1, 3) end
  end
  t:is(last, "060")
  t:ok(stat(host, "drop_overlimit") > 20)
  t:is(host:drops "QDISC_OVERLIMIT", 61 - #list)
  local pings = 0
  for _, p in ipairs(list) do pings = pings + (p.payload == "ping" and 1 or 0) end
  t:is(pings, 1)
end)

tap.test("over its memory limit, too", function(t)
  local host, peer = world "memory_limit 20k"
  local bulk = sender(host, 1000)
  for _ = 1, 60 do bulk:send(("x"):rep(900)) end
  t:ok(stat(host, "drop_overmemory") > 20)
  t:ok(stat(host, "memory_used") <= 20480)
  drain(peer)
end)
