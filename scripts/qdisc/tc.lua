-- SPDX-License-Identifier: MIT
-- tc: what it prints, what it complains about, where disciplines hang; the simple queues.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"
local udp = net.udp

local PRIOMAP = "bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1"

local function world(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", wire = o.rate and net.wire { rate = o.rate } or nil,
    -- How many packets a ring takes is the model's affair: these count those of one.
    model = o.tx_ring and "ring" or nil, tx_ring = o.tx_ring, queues = o.queues, sysctl = o.sysctl, cpus = o.cpus }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 9 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local s = host:socket "udp"
  s:connect("192.0.2.9", 9)
  return host, peer, s
end

local complains = qdisc.complains

tap.test("defaults: noqueue of lo, pfifo_fast of a card, mq of one with several queues", function(t)
  local host = world()
  t:is(host:tc "qdisc show", "qdisc noqueue 0: dev lo root refcnt 2 \n" ..
    "qdisc pfifo_fast 0: dev eth0 root refcnt 2 " .. PRIOMAP .. "\n")
  t:is(world { queues = 2 }:tc "qdisc show dev eth0", "qdisc mq 0: root \n" ..
    "qdisc pfifo_fast 0: parent :1 " .. PRIOMAP .. "\nqdisc pfifo_fast 0: parent :2 " .. PRIOMAP .. "\n")
end)

tap.test("each kind shows its defaults", function(t)
  local host = world()
  local function shows(words, expected)
    host:tc("qdisc replace dev eth0 root " .. words)
    t:is(host:tc("qdisc show dev eth0"):match "root refcnt 2 (.*)\n", expected)
  end
  shows("pfifo", "limit 1000p")
  shows("bfifo limit 10k", "limit 10240b")
  shows("fq_codel", "limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb " ..
    "ecn drop_batch 64 ")
  shows("fq", "limit 10000p flow_limit 100p buckets 1024 orphan_mask 1023 " .. PRIOMAP .. " " ..
    "weights 589824 196608 65536 quantum 3028b initial_quantum 15140b low_rate_threshold 550Kbit " ..
    "refill_delay 40ms timer_slack 10us horizon 10s horizon_drop ")
  shows("netem delay 10ms 1ms 25% loss 1.5% duplicate 0.1% reorder 25% 50% gap 5 seed 9",
    "limit 1000 delay 10ms  1ms 25% loss 1.5% duplicate 0.1% reorder 25% 50% gap 5 seed 9")
  shows("netem rate 1500kbit loss gemodel 1% 10% seed 9",
    "limit 1000 loss gemodel p 1% r 10% 1-h 100% 1-k 0% rate 1500Kbit seed 9")
  shows("netem loss state 5% seed 9",
    "limit 1000 loss state p13 5% p31 95% p32 0% p23 100% p14 0% seed 9")
  shows("tbf rate 1mbit burst 5kb latency 50ms", "rate 1Mbit burst 5Kb lat 50ms ")
  shows("noqueue", "")
end)

tap.test("what is wrong is said in tc's words", function(t)
  local host = world()
  complains(t, host, "filtre show", 'Object "filtre" is unknown, try "tc help".')
  complains(t, host, "qdisc frob", 'Command "frob" is unknown, try "tc qdisc help".')
  complains(t, host, "qdisc add dev eth9 root fq", 'Cannot find device "eth9"')
  complains(t, host, "qdisc add dev eth0 root fq frob", 'What is "frob"?\nUsage: ... fq')
  complains(t, host, "qdisc add dev eth0 root fq limit x", 'Illegal "limit"')
  complains(t, host, "qdisc add dev eth0 root netem delay", 'Illegal "latency"')
  complains(t, host, "qdisc add dev eth0 root netem loss some", "Unknown loss parameter: some")
  complains(t, host, "qdisc add dev eth0 root netem reorder 5%",
    "reordering not possible without specifying some delay")
  complains(t, host, "qdisc add dev eth0 root tbf rate 1mbit", 'Both "rate" and "burst" are required.')
  complains(t, host, "qdisc add dev eth0 root hfsc", "Error: Specified qdisc kind is unknown.")
  complains(t, host, "qdisc add dev eth0 root hfsc default 1",
    'Unknown qdisc "hfsc", hence option "default" is unparsable')
  complains(t, host, "qdisc add dev eth0 parent 7: fq", "Error: Failed to find specified qdisc.")
  complains(t, host, "qdisc del dev eth0 root", "Error: Cannot delete qdisc with handle of zero.")
  complains(t, host, "qdisc change dev eth0 root fq limit 1",
    "Error: Qdisc not found. To create specify NLM_F_CREATE flag.")
  complains(t, host, "qdisc add dev eth0 root mq", "RTNETLINK answers: Operation not supported")
  host:tc "qdisc add dev eth0 root handle 1: fq"
  complains(t, host, "qdisc add dev eth0 root fq", "Error: Exclusivity flag on, cannot modify.")
  complains(t, host, "qdisc change dev eth0 root pfifo limit 5",
    "Error: Invalid qdisc name: must match existing qdisc.")
  complains(t, host, "qdisc del dev eth0 root handle 2:", "Error: Invalid handle.")
  complains(t, host, "qdisc add dev eth0 parent 1:1 pfifo", "Error: Parent Qdisc doesn't exists")
  host:tc "qdisc replace dev eth0 root fq_codel"
  complains(t, host, "qdisc change dev eth0 root fq_codel flows 5", "Error: Invalid options of the qdisc.")
  -- Nothing of that changed anything.
  t:like(host:tc "qdisc show dev eth0", "^qdisc fq_codel 8002: root .* flows 1024")
end)

tap.test("a replace of the same kind is a change: what waits stays", function(t)
  local host, peer, s = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root pfifo"
  for i = 1, 20 do s:send(tostring(i)) end
  host:tc "qdisc replace dev eth0 root pfifo limit 5"
  t:like(host:tc "-s qdisc show dev eth0", "limit 5p.* 13p requeues")
  s:send "dropped"
  t:is(host:drops "QDISC_DROP", 1)
  for i = 1, 20 do peer:expect(udp{} / tostring(i), { within = "1s" }) end
  t:like(host:tc "-s qdisc show dev eth0", "Sent %d+ bytes 20 pkt %(dropped 1,")
end)

tap.test("another kind drops what waited", function(t)
  local host, peer, s = world { rate = 1000000, tx_ring = 8 }
  for i = 1, 20 do s:send(tostring(i)) end
  host:tc "qdisc replace dev eth0 root fq"
  t:is(host:drops "DEV_DELETED", 13)
  for i = 1, 7 do peer:expect(udp{} / tostring(i), { within = "1s" }) end
  s:send "after"
  peer:expect(udp{} / "after", { within = "1s" })
  host:tc "qdisc del dev eth0 root"
  t:like(host:tc "qdisc show dev eth0", "^qdisc pfifo_fast 0: root")
end)

tap.test("net.core.default_qdisc is what new cards get, and those that come up first", function(t)
  local host = world { sysctl = { ["net.core.default_qdisc"] = "fq_codel" } }
  t:is(host:sysctl "net.core.default_qdisc", "fq_codel")
  t:like(host:tc "qdisc show dev eth0", "^qdisc fq_codel 0: root")
  host:sysctl("net.core.default_qdisc", "fq")
  t:like(host:tc "qdisc show dev eth0", "^qdisc fq_codel 0: root")
  host:tc "qdisc replace dev eth0 root pfifo"
  host:tc "qdisc del dev eth0 root"
  t:like(host:tc "qdisc show dev eth0", "^qdisc fq 0: root")
  t:is((pcall(host.sysctl, host, "net.core.default_qdisc", "hfsc")), false)
end)

tap.test("bfifo counts octets", function(t)
  local host, peer, s = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root bfifo limit 3126"
  for _ = 1, 12 do s:send(("x"):rep(1000)) end
  -- Seven in the ring, one taken back from it, three of 1042 in 3126 octets less that one.
  t:is(host:drops "QDISC_DROP", 2)
  for _ = 1, 10 do peer:expect(udp{}, { within = "1s" }) end
end)

tap.test("pfifo_fast: bands by TOS, a lower one goes first", function(t)
  local host, peer = world { rate = 1000000, tx_ring = 8 }
  local sent = {}
  for _, tos in ipairs { 0, 0x08, 0x10 } do
    local s = host:socket "udp"
    s:option("IP_TOS", tos)
    s:connect("192.0.2.9", 9)
    sent[tos] = s
  end
  for _ = 1, 8 do sent[0]:send "ring" end
  for _ = 1, 2 do
    sent[0x08]:send "bulk"
    sent[0]:send "normal"
    sent[0x10]:send "fast"
  end
  for _ = 1, 8 do peer:expect(udp{} / "ring", { within = "1s" }) end
  for _, text in ipairs { "fast", "fast", "normal", "normal", "bulk", "bulk" } do
    peer:expect(udp{} / text, { within = "1s" })
  end
end)

tap.test("noqueue: nothing waits; what the full ring does not take is dropped", function(t)
  local host, peer, s = world { rate = 1000000, tx_ring = 8 }
  host:tc "qdisc replace dev eth0 root noqueue"
  for i = 1, 12 do s:try("send", tostring(i)) end
  t:is(host:drops "FULL_RING", 5)
  t:is(host:counter "eth0.tx_dropped", 5)
  for i = 1, 7 do peer:expect(udp{} / tostring(i), { within = "1s" }) end
  host:tc "qdisc del dev eth0 root"
  t:like(host:tc "qdisc show dev eth0", "^qdisc pfifo_fast 0: root")
end)

tap.test("tbf: a burst at once, then the rate", function(t)
  local host, peer, s = world()
  host:tc "qdisc replace dev eth0 root tbf rate 8mbit burst 2084 limit 10420"
  for _ = 1, 20 do s:send(("x"):rep(1000)) end
  -- Two of 1042 octets are the burst, ten wait, eight are too many.
  t:is(host:drops "QDISC_DROP", 8)
  t:is(host:tc("-s qdisc show dev eth0"):match "dropped (%d+)", "8")
  local start
  for i = 1, 12 do
    local at = peer:expect(udp{}, { within = "1s" }).sent
    start = start or at
    if i > 2 then t:is(at - start, (i - 2) * 1042000) end
  end
  t:like(host:tc "-s qdisc show dev eth0", "overlimits %d%d")
  -- Larger than the bucket: never.
  s:try("send", ("x"):rep(1400))
  peer:expect(udp{}, { within = "1s" })
  host:tc "qdisc replace dev eth0 root tbf rate 8mbit burst 1000 limit 10k"
  s:try("send", ("x"):rep(1400))
  t:is(host:drops "QDISC_DROP", 9)
end)

tap.test("one discipline for all queues of a card; mq with another on one of them", function(t)
  local host, peer = world { queues = 4 }
  host:tc "qdisc replace dev eth0 root handle 1: mq"
  host:tc "qdisc replace dev eth0 parent 1:2 handle 20: pfifo limit 7"
  t:like(host:tc "qdisc show dev eth0", "qdisc pfifo 20: parent 1:2 limit 7p")
  complains(t, host, "qdisc add dev eth0 parent 1:5 pfifo", "Error: Specified class not found.")
  for port = 1, 40 do
    local s = host:socket "udp"
    s:bind(5000 + port)
    s:connect("192.0.2.9", 9)
    s:send "x"
    peer:expect(udp{} / "x")
  end
  local total, rest = host:tc("-s qdisc show dev eth0"):match "bytes (%d+) pkt(.*)"
  t:is(total, "40")
  local sum = 0
  for n in rest:gmatch "bytes (%d+) pkt" do sum = sum + tonumber(n) end
  t:is(sum, 40)
  host:tc "qdisc replace dev eth0 root fq"
  t:like(host:tc "qdisc show dev eth0", "^qdisc fq 8001: root refcnt 5")
  for port = 1, 8 do
    local s = host:socket "udp"
    s:bind(6000 + port)
    s:connect("192.0.2.9", 9)
    s:send "y"
    peer:expect(udp{} / "y")
  end
  t:like(host:tc "-s qdisc show dev eth0", " 8 pkt")
end)

tap.test("a stopped queue of a shared discipline holds its packets, not those of others", function(t)
  local host, peer = world { queues = 2, tx_ring = 8, rate = 1000000 }
  host:tc "qdisc replace dev eth0 root pfifo"
  local order = {}
  for port = 1, 30 do
    local s = host:socket "udp"
    s:bind(5000 + port)
    s:connect("192.0.2.9", 9)
    s:send(tostring(port))
  end
  for _ = 1, 30 do order[tonumber(peer:expect(udp{}, { within = "1s" }).payload)] = true end
  t:is(#order, 30)
  t:ok(tonumber(host:tc("-s qdisc show dev eth0"):match "requeues (%d+)") > 0)
end)

tap.test("byte queue limits keep packets in the discipline", function(t)
  local host, peer, s = world { rate = 8000000, tx_ring = 256 }
  host:ethtool { bql = true, bql_limit_max = 3000 }
  for _ = 1, 30 do s:send(("x"):rep(1000)) end
  -- At the wire's 1000 octets a ms, and 3000 at most in the card.
  local waiting = tonumber(host:tc("-s qdisc show dev eth0"):match "(%d+)p requeues")
  t:ok(waiting >= 26, waiting)
  for _ = 1, 30 do peer:expect(udp{}, { within = "1s" }) end
  host:ethtool { bql = false }
  for _ = 1, 30 do s:send(("x"):rep(1000)) end
  t:is(host:tc("-s qdisc show dev eth0"):match "(%d+)p requeues", "0")
  for _ = 1, 30 do peer:expect(udp{}, { within = "1s" }) end
end)

tap.test("memory that is refused leaves the discipline that was there", function(t)
  for _, kind in ipairs { "fq", "fq_codel", "netem delay 1ms", "tbf rate 1mbit burst 5k latency 1ms", "mq", "pfifo" } do
    local host = world { queues = kind == "mq" and 4 or 1 }
    host:tc "qdisc replace dev eth0 root handle 7: bfifo limit 12345"
    local done
    for skip = 0, 30 do
      host:fault("alloc", { skip = skip, count = 1 })
      done = pcall(host.tc, host, "qdisc replace dev eth0 root " .. kind)
      host:fault("alloc", { skip = 1000000, count = 1 })
      if done then break end
      t:like(host:tc "qdisc show dev eth0", "^qdisc bfifo 7: root .*12345b")
    end
    t:ok(done, kind)
    t:like(host:tc "qdisc show dev eth0", "^qdisc " .. kind:match "%S+")
  end
end)

tap.test("a lower limit drops what waits, but not what the driver gave back", function(t)
  for _, kind in ipairs { "fq", "fq_codel" } do
    local host, peer, s = world { rate = 1000000, tx_ring = 8 }
    host:tc("qdisc replace dev eth0 root " .. kind)
    for i = 1, 20 do s:send(tostring(i)) end
    host:tc("qdisc change dev eth0 root " .. kind .. " limit 1")
    local text = host:tc "-s qdisc show dev eth0"
    t:ok(tonumber(text:match "(%d+)p requeues") <= 2, text)
    t:ok(tonumber(text:match "dropped (%d+)") >= 10, text)
    t:ok(#peer:collect { during = "1s" } >= 8)
  end
end)
