-- SPDX-License-Identifier: MIT
-- Two hosts, a connection, data both ways, and a wire that loses, repeats, reorders, delays and
-- corrupts for a while: whatever it does, the octets arrive whole and in order, and soon after the
-- wire is good again both ends are done. What the wire and the hosts are like is drawn from the test's
-- seed; `ci/tcp seeds N` runs many.
local tap = require "tap"
local net = require "net"

local CASES = 24

local function pick(list) return list[math.random(#list)] end
local function chance(percent) return math.random(100) <= percent end

-- What this world is like.
local function draw(family)
  local o = { family = family }
  o.delay = pick { 10, 100, 1000, 5000, 20000, 100000 } -- us
  o.rate = pick { 0, 0, 1000000, 10000000, 100000000 }
  o.queue = o.rate > 0 and pick { 30000, 100000, 1000000 } or 0 -- octets
  o.loss = chance(70) and math.random(0, 150000) or 0
  o.duplicate = chance(40) and math.random(0, 100000) or 0
  o.reorder = chance(50) and math.random(0, 200000) or 0
  o.reorder_by = pick { 1000, 20000, 200000 }
  o.corrupt = chance(40) and math.random(0, 50000) or 0
  o.jitter = chance(40) and pick { 100, 5000, 50000 } or 0
  o.faults = pick { 5, 20, 60 } -- s
  o.octets = { math.random(1, 300000), chance(60) and math.random(1, 100000) or 0 }
  o.cc = pick { "reno", "cubic", "dctcp" }
  o.rcvbuf = chance(40) and pick { 2304, 5000, 20000 } or nil
  o.sndbuf = chance(30) and pick { 4608, 20000 } or nil
  o.sysctl = { ["net.ipv4.tcp_congestion_control"] = o.cc,
    ["net.ipv4.tcp_timestamps"] = pick { 0, 1, 1 }, ["net.ipv4.tcp_sack"] = pick { 0, 1, 1 },
    ["net.ipv4.tcp_window_scaling"] = pick { 0, 1, 1 }, ["net.ipv4.tcp_ecn"] = pick { 0, 1, 2 } }
  o.ethtool = { gro = pick { 0, 1 }, tso = pick { 0, 1 }, rx_csum = pick { 0, 1 }, tx_csum = pick { 1, 1, 0 } }
  if o.ethtool.tx_csum == 0 then o.ethtool.tso = 0 end
  o.cards = { pick { "ring", "ring", "virtio" }, pick { "ring", "ring", "virtio" } }
  o.lro = chance(30)
  o.ring = chance(30) and pick { 16, 32 } or nil -- descriptors: with few of them bursts are lost in the card
  o.nodelay = chance(50)
  o.mtu = pick { 1500, 1500, 1500, 576, 9000 }
  return o
end

local function station(o, n, wire)
  local card = o.cards[n]
  local host = net.host { addr = ("192.0.2.%d/24"):format(n), wire = wire, sysctl = o.sysctl, mtu = o.mtu,
    model = card, rx_ring = o.ring, tx_ring = o.ring }
  host:ethtool(o.ethtool)
  if o.lro and card == "ring" and o.ethtool.rx_csum == 1 then host:ethtool { lro = true } end
  return host
end

local function hosts(o)
  if o.family == 6 then
    local mtu = math.max(o.mtu, 1280) -- the least that IPv6 allows
    local a = net.host { addr = "2001:db8::1/64", model = "tun", sysctl = o.sysctl, mtu = mtu }
    return a, net.host { addr = "2001:db8::2/64", model = "tun", wire = a.wire, sysctl = o.sysctl, mtu = mtu },
      "2001:db8::2", "tcp6"
  end
  local a = station(o, 1)
  local b = station(o, 2, a.wire)
  a:neigh { addr = "192.0.2.2", mac = b.mac }
  b:neigh { addr = "192.0.2.1", mac = a.mac }
  return a, b, "192.0.2.2", "tcp"
end

local function write(s, first, n)
  local sent = 0
  while sent < n do
    sent = sent + s:send(net.pattern(first + sent, math.min(8000, n - sent)), { flags = "nosignal" })
  end
  s:shutdown "wr"
end

-- Reads to the end: how many octets, and that each is the one that was sent.
local function read(t, s, what)
  local got = 0
  while true do
    local data = s:recv { size = 16384 }
    if data == "" then return got end
    if data ~= net.pattern(1 + got, #data) then t:fail(what .. ": other octets than were sent, at " .. got) end
    got = got + #data
  end
end

local function run(t, family)
  local o = draw(family)
  local a, b, addr, kind = hosts(o)
  local server, client = b:socket(kind), a:socket(kind)
  for _, s in ipairs { server, client } do
    if o.rcvbuf then s:option("SO_RCVBUF", o.rcvbuf) end
    if o.sndbuf then s:option("SO_SNDBUF", o.sndbuf) end
    if o.nodelay then s:option("TCP_NODELAY", 1) end
  end
  server:listen(80)
  a.wire:set { delay = o.delay * 1000, rate = o.rate, queue = o.queue }
  client:connect(addr, 80)
  local conn = server:accept()
  a.wire:set { loss = o.loss, duplicate = o.duplicate, reorder = o.reorder, reorder_by = o.reorder_by * 1000,
    corrupt = o.corrupt, jitter = o.jitter * 1000 }
  local tasks = { net.spawn(write, client, 1, o.octets[1]), net.spawn(write, conn, 1, o.octets[2]) }
  local readers = { net.spawn(read, t, conn, "to the server"), net.spawn(read, t, client, "to the client") }
  local done = 0
  for _, reader in ipairs(readers) do
    net.spawn(function()
      reader:join()
      done = done + 1
    end)
  end
  net.sleep(o.faults * 1000000000)
  a.wire:set { loss = 0, duplicate = 0, reorder = 0, corrupt = 0, jitter = 0 }
  -- The longest that a timer may sleep is 120 s; then the rest goes at the wire's rate.
  local limit = net.now() + 400 * 1000000000
  while done < 2 and net.now() < limit do net.sleep "100ms" end
  t:is(done, 2, "both readers are done; " .. tap.repr(o))
  for _, task in ipairs(tasks) do task:join() end
  t:is({ readers[1]:join(), readers[2]:join() }, o.octets)
  client:close()
  conn:close()
  server:close()
  net.sleep "130s"
  t:is({ a:counter "TcpCurrEstab", b:counter "TcpCurrEstab" }, { 0, 0 }, "both ends are done")
end

for i = 1, CASES do
  local family = i % 3 == 0 and 6 or 4
  tap.test(("seed %d over IPv%d"):format(i, family), function(t) run(t, family) end)
end
