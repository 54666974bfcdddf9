-- SPDX-License-Identifier: MIT
-- netem: delay, jitter, rate, loss by chance and by models, duplicates, damage, reordering; with a
-- discipline below it; the same seed makes the same run.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"
local udp = net.udp

local function world(words)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 9 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local s = host:socket "udp"
  s:connect("192.0.2.9", 9)
  host:tc("qdisc replace dev eth0 root netem " .. words)
  return host, peer, s
end

-- Sends n datagrams, and gives the payloads that arrive within a while, in order.
local function through(peer, s, n)
  for i = 1, n do s:send(tostring(i)) end
  local list = {}
  for _, p in ipairs(peer:collect { during = "2s" }) do list[#list + 1] = tonumber(p.payload) end
  return list
end

local stat = qdisc.stat

tap.test("delay", function(t)
  local host, peer, s = world "delay 30ms"
  local start = net.now()
  s:send "x"
  t:is(peer:expect(udp{} / "x", { within = "1s" }).sent - start, 30000000)
  -- Only what goes out is delayed.
  local server = host:socket "udp"
  server:bind(7)
  peer:send(udp{ dport = 7 } / "in")
  start = net.now()
  t:is((server:recv()), "in")
  t:ok(net.now() - start < 1000000)
end)

tap.test("a jitter spreads, and makes later ones overtake", function(t)
  local host, peer, s = world "delay 30ms 10ms seed 1"
  for i = 1, 200 do s:send(tostring(i)) end
  local start, last, low, high, overtaken = net.now(), 0, math.huge, 0, 0
  for _ = 1, 200 do
    local p = peer:expect(udp{}, { within = "1s" })
    local delay, n = p.sent - start, tonumber(p.payload)
    low, high = math.min(low, delay), math.max(high, delay)
    if n < last then overtaken = overtaken + 1 end
    last = n
  end
  t:ok(low >= 20000000 and low < 22000000, low)
  t:ok(high < 40000000 and high > 38000000, high)
  t:ok(overtaken > 50, overtaken)
end)

tap.test("a rate: one after the other, as over a line", function(t)
  local host, peer, s = world "rate 8mbit"
  local start = net.now()
  for _ = 1, 5 do s:send(("x"):rep(958)) end
  for i = 1, 5 do
    t:is(peer:expect(udp{}, { within = "1s" }).sent - start, i * 1000000)
  end
  net.sleep "1s"
  start = net.now()
  s:send(("x"):rep(958))
  t:is(peer:expect(udp{}, { within = "1s" }).sent - start, 1000000)
  host:tc "qdisc change dev eth0 root netem rate 8mbit 10 100 5"
  start = net.now()
  s:send(("x"):rep(958))                                  -- 1010 octets in 11 cells of 105
  t:is(peer:expect(udp{}, { within = "1s" }).sent - start, 1155000)
end)

tap.test("loss by chance: the sender does not learn of it, the counter does", function(t)
  local host, peer, s = world "loss 20% seed 7"
  local list = through(peer, s, 500)
  local lost = 500 - #list
  t:ok(lost > 70 and lost < 130, lost)
  t:is(stat(host, "dropped"), lost)
  t:is(host:drops "QDISC_DROP", lost)
end)

tap.test("the same seed makes the same losses", function(t)
  local runs = {}
  for i = 1, 2 do
    local _, peer, s = world "loss 30% 25% seed 99"
    runs[i] = table.concat(through(peer, s, 100), " ")
  end
  t:is(runs[1], runs[2])
end)

-- Runs of consecutive losses.
local function bursts(list, n)
  local got, runs, length = {}, 0, 0
  for _, v in ipairs(list) do got[v] = true end
  for i = 1, n do
    if not got[i] then
      if i == 1 or got[i - 1] then runs = runs + 1 end
      length = length + 1
    end
  end
  return length, runs
end

tap.test("Gilbert-Elliott: losses come in bursts", function(t)
  local _, peer, s = world "loss gemodel 2% 20% seed 3"
  local lost, runs = bursts(through(peer, s, 1000), 1000)
  t:ok(lost > 40 and lost < 200, lost)
  t:ok(lost / runs > 2.5, lost .. " in " .. runs)
end)

tap.test("four states: all lost in the burst state until it is left", function(t)
  local _, peer, s = world "loss state 5% 25% seed 3"
  local lost, runs = bursts(through(peer, s, 1000), 1000)
  t:ok(lost > 80 and lost < 300, lost)
  t:ok(lost / runs > 2, lost .. " in " .. runs)
end)

tap.test("duplicates", function(t)
  local _, peer, s = world "duplicate 10% seed 5"
  local list = through(peer, s, 300)
  t:ok(#list > 310 and #list < 360, #list)
end)

tap.test("reordering: every gap-th goes past those that are delayed", function(t)
  local _, peer, s = world "delay 10ms reorder 100% gap 5 seed 5"
  t:is(through(peer, s, 15), { 5, 10, 15, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14 })
end)

tap.test("damage: one bit of a frame", function(t)
  local host, peer, s = world "corrupt 100% seed 5"
  local good = ("x"):rep(200)
  s:send(good)
  local frame = peer:collect({ during = "1ms" })[1]
  t:is(#frame:bytes(), 242)
  t:ok(frame.udp.checksum_status == "bad" or frame.ip.checksum_status == "bad" or
    frame.eth.dst ~= peer.mac or frame.eth.src ~= host.mac or frame.eth.type ~= "ip")
  host:tc "qdisc replace dev eth0 root pfifo"
  s:send(good)
  peer:expect(udp{} / good)
end)

tap.test("a full queue drops", function(t)
  local host, peer, s = world "delay 100ms limit 10"
  local list = through(peer, s, 25)
  t:is(#list, 10)
  t:is(stat(host, "dropped"), 15)
end)

tap.test("tbf below netem: first the delay, then the rate", function(t)
  local host, peer, s = world "delay 10ms"
  host:tc "qdisc del dev eth0 root"
  host:tc "qdisc add dev eth0 root handle 1: netem delay 10ms"
  host:tc "qdisc add dev eth0 parent 1:1 handle 10: tbf rate 8mbit burst 1042 limit 10k"
  t:like(host:tc "qdisc show dev eth0", "qdisc tbf 10: parent 1:1 rate 8Mbit")
  local start = net.now()
  for _ = 1, 3 do s:send(("x"):rep(1000)) end
  for i = 1, 3 do
    t:is(peer:expect(udp{}, { within = "1s" }).sent - start, 10000000 + (i - 1) * 1042000)
  end
  for _ = 1, 40 do s:send(("x"):rep(1000)) end
  net.sleep "1s"
  -- Nine fit in the child's 10 KiB; the rest is dropped there, and counted above, too.
  for _ = 1, 9 do peer:expect(udp{}, { within = "0s" }) end
  t:is(stat(host, "dropped"), 31)
end)

tap.test("on lo, which then has a queue", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:tc "qdisc add dev lo root netem delay 5ms"
  local server, client = host:socket "udp", host:socket "udp"
  server:bind(7)
  client:connect("127.0.0.1", 7)
  local start = net.now()
  client:send "x"
  t:is((server:recv()), "x")
  t:is(net.now() - start, 5000000)
  host:tc "qdisc del dev lo root"
  t:is(host:tc "qdisc show dev lo", "qdisc noqueue 0: root refcnt 2 \n")
end)

tap.test("a stream survives loss, duplicates, damage and reordering", function(t)
  local a = net.host { addr = "192.0.2.1/24" }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire }
  a:tc "qdisc add dev eth0 root netem delay 10ms 5ms loss 2% duplicate 2% corrupt 1% reorder 10% 50% seed 11"
  b:tc "qdisc add dev eth0 root netem delay 10ms loss 1% seed 12"
  local data = net.pattern(1, 100000)
  local listener = b:socket "tcp":listen(80)
  local reader = net.spawn(function()
    local conn = listener:accept()
    local parts = {}
    while true do
      local part = conn:recv()
      if #part == 0 then break end
      parts[#parts + 1] = part
    end
    return table.concat(parts)
  end)
  net.sleep "1ms"
  local client = a:socket "tcp"
  client:connect("192.0.2.2", 80)
  local sent = 0
  while sent < #data do sent = sent + client:send(data:sub(sent + 1)) end
  client:shutdown "wr"
  t:ok(reader:join() == data)
end)

-- The times at which datagrams sent at once leave, less the first one's.
local function leaving(host, peer, s, n)
  for _ = 1, n do s:send(("x"):rep(958)) end
  local times = {}
  for i, p in ipairs(peer:collect { during = "5s" }) do times[i] = p.sent end
  return times
end

tap.test("slots: packets leave together, so many at a time", function(t)
  local host, peer, s = world "slot 20ms packets 3"
  local start = net.now()
  local times = leaving(host, peer, s, 9)
  local slots = {}
  for i, time in ipairs(times) do slots[i] = (time - start) // 10000000 end
  t:is(slots, { 0, 0, 0, 2, 2, 2, 4, 4, 4 })
  t:like(host:tc "qdisc show dev eth0", "limit 1000 slot 20ms 20ms packets 3 seed")
end)

tap.test("slots: by octets, between a shortest and a longest time, or of a distribution", function(t)
  local host, peer, s = world "slot 10ms 30ms bytes 2500"
  local times = leaving(host, peer, s, 12)
  for i = 4, 12, 3 do
    local gap = times[i] - times[i - 1]
    t:ok(gap >= 9900000 and gap <= 30000000, gap)
    t:ok(times[i + 1] and times[i + 1] - times[i] < 100000, "three of 1000 octets are the first over 2500")
  end
  host, peer, s = world "slot distribution normal 10ms 1ms packets 1"
  times = leaving(host, peer, s, 50)
  local mean = (times[50] - times[1]) / 49
  t:ok(mean > 9000000 and mean < 11000000, mean)
  t:like(host:tc "qdisc show dev eth0", "slot distribution 10ms 1ms packets 1 ")
end)

tap.test("a Pareto distribution: most a little early, few very late", function(t)
  local host, peer, s = world "delay 100ms 10ms distribution pareto limit 5000"
  local start = net.now()
  local early, late, sum = 0, 0, 0
  local n = 0
  for _ = 1, 20 do
    for _, time in ipairs(leaving(host, peer, s, 50)) do
      local delay = time - start
      n, sum = n + 1, sum + delay
      if delay < 100000000 then early = early + 1 end
      if delay > 130000000 then late = late + 1 end
      t:ok(delay > 93000000, "none is earlier than the mean less 2/3 of the jitter: " .. delay)
    end
    start = net.now()
  end
  t:is(n, 1000)
  t:ok(early > 650 and early < 770, early) -- 1 - (2/3)^3 = 70 %
  t:ok(late > 5 and late < 50, late)
  t:ok(math.abs(sum / n - 100000000) < 1500000, sum / n)
end)

tap.test("a netem that duplicates is alone in its tree", function(t)
  local host = world "delay 1ms"
  host:tc "qdisc replace dev eth0 root pfifo"
  host:tc "qdisc replace dev eth0 root handle 1: netem duplicate 10%"
  t:error(function() host:tc "qdisc add dev eth0 parent 1: netem delay 1ms" end,
    "Error: netem: cannot mix duplicating netems with other netems in tree")
  host:tc "qdisc change dev eth0 root handle 1: netem delay 1ms"
  host:tc "qdisc add dev eth0 parent 1: netem delay 1ms"
  t:error(function() host:tc "qdisc change dev eth0 root handle 1: netem duplicate 10%" end, "cannot mix duplicating netems")
end)
