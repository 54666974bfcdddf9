-- SPDX-License-Identifier: MIT
-- The order in which CPUs take their steps: chosen by the seed, pinned by a script, or all orders of a
-- small case one after the other.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local udp = net.udp

local KEY = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa"

local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", cpus = o.cpus or 2, queues = o.queues or 2, sysctl = o.sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  if (o.queues or 2) > 1 then host:ethtool { rss_key = KEY } end
  if o.ethtool then host:ethtool(o.ethtool) end
  local socket = host:socket "udp"
  socket:bind(7)
  return host, peer, socket
end

local drain = card.drain

-- Ports whose flows go to the queues 0, 1, ... of a host with so many.
local function ports_of(host, peer, queues, socket)
  local ports, found = {}, 0
  for port = 1000, 2000 do
    local before = host:counters()
    peer:send(udp{ sport = port } / "probe")
    net.sleep "10us"
    socket:recv()
    for q = 0, queues - 1 do
      local name = ("eth0.queue_%d_rx_packets"):format(q)
      if not ports[q] and host:counter(name) > before[name] then
        ports[q] = port
        found = found + 1
      end
    end
    if found == queues then return ports end
  end
end

tap.test("two frames for two CPUs: both orders are gone through, and both come at the socket", function(t)
  local host, peer, socket = station()
  local ports = ports_of(host, peer, 2, socket)
  local seen = {}
  local n = net.interleavings(function()
    peer:send(udp{ sport = ports[0] } / "0")
    peer:send(udp{ sport = ports[1] } / "1")
    net.sleep "10us"
    local order = table.concat(drain(socket))
    seen[order] = (seen[order] or 0) + 1
  end)
  t:ok(seen["01"] and seen["10"])
  t:is((seen["01"] or 0) + (seen["10"] or 0), n)
  -- Two steps on each of two CPUs: interrupt, poll. 6 orders.
  t:is(n, 6)
end)

tap.test("a pinned order gives the same again, and another one the other way round", function(t)
  local host, peer, socket = station()
  local ports = ports_of(host, peer, 2, socket)
  local function order(choices)
    net.schedule(choices)
    peer:send(udp{ sport = ports[0] } / "0")
    peer:send(udp{ sport = ports[1] } / "1")
    net.sleep "10us"
    local taken = net.scheduled()
    return table.concat(drain(socket)), taken
  end
  t:is((order {}), "01")
  t:is((order {}), "01")
  local text, choices = order { 1, 1 }
  t:is(text, "10")
  t:is({ choices[1], choices[2] }, { 1, 1 })
end)

tap.test("the seed's own choice: both orders happen over some seeds, the same one with the same seed", function(t)
  local host, peer, socket = station()
  local ports = ports_of(host, peer, 2, socket)
  local function pass()
    local list = {}
    net.seeds(40, function(seed)
      peer:send(udp{ sport = ports[0] } / "0")
      peer:send(udp{ sport = ports[1] } / "1")
      net.sleep "10us"
      list[seed] = table.concat(drain(socket))
    end)
    return list
  end
  local list, count = pass(), { ["01"] = 0, ["10"] = 0 }
  for _, order in ipairs(list) do count[order] = count[order] + 1 end
  t:ok(count["01"] > 5 and count["10"] > 5)
end)

tap.test("what one run does leaves no trace in the next: clock, counters, sockets", function(t)
  local host, peer, socket = station()
  local ports = ports_of(host, peer, 2, socket)
  local start, before = t:now(), host:counter "IpInReceives"
  local n = net.interleavings(function()
    t:is(t:now(), start)
    t:is(host:counter "IpInReceives", before)
    peer:send(udp{ sport = ports[0] } / "0")
    peer:send(udp{ sport = ports[1] } / "1")
    net.sleep "1s"
    local own = host:socket "udp"
    own:bind(99)
    t:is(#drain(socket), 2)
  end)
  t:ok(n > 1)
end)

tap.test("too many orders are an error that says so; nothing to choose is one run", function(t)
  local host, peer, socket = station { cpus = 4, queues = 4 }
  local ports = ports_of(host, peer, 4, socket)
  t:error(function()
    net.interleavings(function()
      for q = 0, 3 do peer:send(udp{ sport = ports[q] } / "x") end
      net.sleep "10us"
    end, { max = 20 })
  end, "more than 20")
  net.schedule(nil)
  t:is(net.interleavings(function() net.sleep "1ms" end), 1)
end)

tap.test("three flows on three CPUs, all orders: every datagram once, each flow in its order", function(t)
  local host, peer, socket = station { cpus = 3, queues = 3 }
  local ports = ports_of(host, peer, 3, socket)
  local orders, different = 0, {}
  local n = net.interleavings(function()
    for i = 1, 2 do
      for q = 0, 2 do peer:send(udp{ sport = ports[q] } / (q .. i)) end
    end
    net.sleep "10us"
    local list = drain(socket)
    if #list ~= 6 then t:fail("lost or doubled: " .. table.concat(list, " ")) end
    local last = {}
    for _, data in ipairs(list) do
      local q, i = data:sub(1, 1), data:sub(2)
      if last[q] and last[q] >= i then t:fail("reordered: " .. table.concat(list, " ")) end
      last[q] = i
    end
    local text = table.concat(list, " ")
    if not different[text] then orders = orders + 1 end
    different[text] = true
  end)
  t:is(n, 90) -- 6! / (2! 2! 2!)
  t:is(orders, 6)
end)

tap.test("RPS: the packet of the other CPU and its own, all orders, a mask that changes in between", function(t)
  local host, peer, socket = station { cpus = 3, queues = 1, ethtool = { rps_cpus = 6 } }
  local n = net.interleavings(function()
    peer:send(udp{ sport = 1 } / "11")
    peer:send(udp{ sport = 2 } / "21")
    net.sleep "10us"
    host:ethtool { rps_cpus = 5 }
    peer:send(udp{ sport = 1 } / "12")
    peer:send(udp{ sport = 2 } / "22")
    net.sleep "10us"
    local list = drain(socket)
    local text = table.concat(list, " ")
    if #list ~= 4 then t:fail("lost: " .. text) end
    if not text:find "11.*12" or not text:find "21.*22" then t:fail("reordered: " .. text) end
  end)
  t:ok(n >= 2)
end)

tap.test("an interrupt and the packets of the poll before it: nothing is forgotten whatever the order", function(t)
  local host, peer, socket = station { cpus = 2, queues = 2 }
  local ports = ports_of(host, peer, 2, socket)
  host:cost { poll = "1us" }
  local n = net.interleavings(function()
    for i = 1, 3 do
      peer:send(udp{ sport = ports[0] } / ("a" .. i))
      peer:send(udp{ sport = ports[1] } / ("b" .. i))
      net.sleep "1us"
    end
    net.sleep "50us"
    if #drain(socket) ~= 6 then t:fail "lost" end
  end)
  t:ok(n > 6)
end)

-- Order of flows over 1,000 seeds -------------------------------------------------------------------

local function random_of(seed)
  local state = seed * 2654435761 + 12345 & 0x7fffffff
  return function(n)
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % n
  end
end

-- Which CPUs have handled packets since `before` (a list from 0 on of what they had handled).
local function handled(host, cpus)
  local list = {}
  for cpu = 0, cpus - 1 do list[cpu] = host:counter(("softnet.%d.processed"):format(cpu)) end
  return list
end

local function busy(host, before)
  local n = 0
  for cpu, count in pairs(before) do
    if host:counter(("softnet.%d.processed"):format(cpu)) > count then n = n + 1 end
  end
  return n
end

-- No flow out of order, none doubled: what comes out carries "FLOW NUMBER".
local function check_order(t, seed, list, total)
  local last = {}
  for _, data in ipairs(list) do
    local flow, i = data:match "(%d+) (%d+)"
    i = tonumber(i)
    if last[flow] and last[flow] >= i then t:fail(("seed %d: flow %s: %d after %d"):format(seed, flow, i, last[flow])) end
    last[flow] = i
  end
  if total and #list ~= total then t:fail(("seed %d: %d of %d"):format(seed, #list, total)) end
end

tap.test("1,000 seeds, RSS over four CPUs, steps that cost time: no flow is reordered", function(t)
  local host, peer, socket = station { cpus = 4, queues = 4 }
  host:cost { irq = "200ns", poll = "300ns", rx_packet = "700ns" }
  local before, spread = handled(host, 4), 0
  net.seeds(1000, function(seed)
    local random = random_of(seed)
    for i = 1, 24 do
      peer:send(udp{ sport = 100 + random(6) } / "")
      local port = 100 + random(6)
      peer:send(udp{ sport = port } / ("%d %d"):format(port, i))
      if random(3) == 0 then net.sleep(random(4) * 500) end
    end
    net.sleep "100us"
    if busy(host, before) == 4 then spread = spread + 1 end
    local list = {}
    for _, data in ipairs(drain(socket)) do
      if data ~= "" then list[#list + 1] = data end
    end
    check_order(t, seed, list, 24)
  end)
  t:ok(spread > 900, "nearly always all four CPUs had some: " .. spread)
end)

tap.test("1,000 seeds, RPS masks that change when the backlogs are empty: no flow is reordered", function(t)
  local host, peer, socket = station { cpus = 4, queues = 1, ethtool = { rps_cpus = 14 } }
  host:cost { rx_packet = "300ns", ipi = "200ns" }
  local before, moved = handled(host, 4), 0
  net.seeds(1000, function(seed)
    local random = random_of(seed)
    for round = 1, 3 do
      host:ethtool { rps_cpus = random(16) }
      for i = 1, 8 do
        local port = 100 + random(3)
        peer:send(udp{ sport = port } / ("%d %d"):format(port, 10 * round + i))
        if random(4) == 0 then net.sleep(random(3) * 400) end
      end
      net.sleep "20us"
    end
    if busy(host, before) > 1 then moved = moved + 1 end
    check_order(t, seed, drain(socket), 24)
  end)
  t:ok(moved > 900, "nearly always several CPUs had a part: " .. moved)
end)

tap.test("1,000 seeds, RFS with readers on other CPUs: flows move, and stay in order", function(t)
  local host, peer = station { cpus = 4, queues = 1, ethtool = { rps_cpus = 1, rps_flow_cnt = 64 },
    sysctl = { ["net.core.rps_sock_flow_entries"] = 64 } }
  host:cost { rx_packet = "500ns" }
  local readers = {}
  for port = 100, 102 do
    readers[port] = host:socket "udp"
    readers[port]:bind("192.0.2.1", port)
    readers[port]:connect(peer.addr, port) -- only what has a peer is a flow of its reader
  end
  local before, moved, total = handled(host, 4), 0, 0
  net.seeds(1000, function(seed)
    local random = random_of(seed)
    local list = {}
    local function read(port)
      host:taskset(random(4)) -- the scheduler has put it elsewhere
      for _, data in ipairs(drain(readers[port])) do list[#list + 1] = data end
    end
    for i = 1, 30 do
      local port = 100 + random(3)
      peer:send(udp{ sport = port, dport = port } / ("%d %d"):format(port, i))
      net.sleep(random(4) * 400)
      if random(3) == 0 then read(100 + random(3)) end
    end
    net.sleep "50us"
    for port = 100, 102 do read(port) end
    check_order(t, seed, list, 30)
    -- Without RFS it would all be CPU 0's.
    local cpus = busy(host, before)
    if cpus > 2 then moved = moved + 1 end
    total = total + cpus
  end)
  t:ok(moved > 500, ("%d of 1000 on three CPUs and more, %d in all"):format(moved, total))
end)

tap.test("1,000 seeds, UDP GRO on four queues: each flow's bytes in their order", function(t)
  local host, peer, socket = station { cpus = 4, queues = 4 }
  socket:option("UDP_GRO", 1)
  host:cost { poll = "500ns", rx_packet = "300ns" }
  local merged = 0
  net.seeds(1000, function(seed)
    local random, id, sent = random_of(seed), {}, {}
    for i = 1, 24 do
      local port = 100 + random(4)
      id[port] = (id[port] or 0) + 1
      local data = ("%03d%03d"):format(port, id[port]) .. ("."):rep(34)
      sent[port] = (sent[port] or "") .. data
      peer:send(net.ip{ id = id[port] } / udp{ sport = port } / data)
      if random(5) == 0 then net.sleep(random(3) * 500) end
    end
    net.sleep "100us"
    local got = {}
    while true do
      local data, info = socket:try("recv", { flags = "dontwait" })
      if not data then break end
      if info.cmsg.UDP_GRO then merged = merged + 1 end
      got[info.port] = (got[info.port] or "") .. data
    end
    for port, bytes in pairs(sent) do
      if got[port] ~= bytes then t:fail(("seed %d: flow %d: %d of %d bytes"):format(seed, port, #(got[port] or ""), #bytes)) end
    end
  end)
  t:ok(merged > 1000, "some of each seed were merged: " .. merged)
end)
