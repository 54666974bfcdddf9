-- SPDX-License-Identifier: MIT
-- Steering between CPUs: RPS spreads a queue's flows, RFS follows the reader, XPS chooses the queue
-- that sends; the backlog of a CPU and its flow limit.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", cpus = o.cpus or 4, queues = o.queues, sysctl = o.sysctl,
    rx_ring = 512 }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  if o.ethtool then host:ethtool(o.ethtool) end
  local socket = host:socket "udp"
  socket:bind(7)
  return host, peer, socket
end

local function processed(host)
  local list = {}
  for cpu = 0, 3 do list[cpu] = host:counter(("softnet.%d.processed"):format(cpu)) end
  return list
end

local drain = card.drain

tap.test("without rps_cpus the CPU that was interrupted does all", function(t)
  local host, peer, socket = station()
  for port = 1, 60 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  t:is(processed(host), { [0] = 60, 0, 0, 0 })
  t:is(#drain(socket), 60)
end)

tap.test("rps_cpus spreads flows over its CPUs, each told once by an interrupt", function(t)
  local host, peer, socket = station { ethtool = { rps_cpus = 0xe } }
  for port = 1, 60 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  local list = processed(host)
  t:is(list[0], 0)
  t:is(list[1] + list[2] + list[3], 60)
  for cpu = 1, 3 do
    t:ok(list[cpu] > 8)
    t:is(host:counter(("softnet.%d.received_rps"):format(cpu)), 1)
  end
  t:is(host:counter "softnet.0.received_rps", 0)
  t:is(#drain(socket), 60)
end)

tap.test("all packets of a flow, and all fragments of a datagram, go to one CPU", function(t)
  local host, peer, socket = station { ethtool = { rps_cpus = 0xe } }
  for i = 1, 40 do peer:send(udp{ sport = 999, dport = 7 } / tostring(i)) end
  net.sleep "1ms"
  local busy = 0
  for _, n in pairs(processed(host)) do if n > 0 then busy = busy + 1 end end
  t:is(busy, 1)
  local list = drain(socket)
  for i = 1, 40 do t:is(list[i], tostring(i)) end
  local before = processed(host)
  for _, piece in ipairs(net.fragments(ip{ src = "192.0.2.9", dst = "192.0.2.1", id = 5 } /
    udp{ sport = 999, dport = 7 } / ("x"):rep(100), { 40, 80 })) do peer:send(piece) end
  net.sleep "1ms"
  t:is(drain(socket), { ("x"):rep(100) })
  busy = 0
  for cpu, n in pairs(processed(host)) do if n > before[cpu] then busy = busy + 1 end end
  t:is(busy, 1)
end)

tap.test("what has no flow stays where it came", function(t)
  local host, peer = station { ethtool = { rps_cpus = 0xe } }
  peer:send(net.arp{ op = "request" })
  peer:expect(net.arp{ op = "reply" })
  t:is(host:counter "softnet.0.processed", 1)
end)

tap.test("CPUs that are not there are no part of the mask; no CPU: off", function(t)
  local host, peer, socket = station { cpus = 2, ethtool = { rps_cpus = 0xfe } }
  for port = 1, 20 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  t:is(host:counter "softnet.1.processed", 20)
  host:ethtool { rps_cpus = 0xf0 }
  for port = 1, 20 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  t:is(host:counter "softnet.0.processed", 20)
  t:is(#drain(socket), 40)
  t:error(function() host:ethtool { rps_cpus = 1, queue = 7 } end, "EINVAL")
end)

tap.test("each queue has a mask of its own", function(t)
  local host, peer, socket = station { queues = 2 }
  host:ethtool { queue = 0, rps_cpus = 4 }
  host:ethtool { queue = 1, rps_cpus = 8 }
  for port = 1, 60 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  t:is(host:counter "softnet.2.processed", host:counter "eth0.queue_0_rx_packets")
  t:is(host:counter "softnet.3.processed", host:counter "eth0.queue_1_rx_packets")
  t:is(#drain(socket), 60)
end)

tap.test("a slow CPU fills its backlog: netdev_max_backlog drops there, the others go on", function(t)
  local host, peer, socket = station { ethtool = { rps_cpus = 2 },
    sysctl = { ["net.core.netdev_max_backlog"] = 10 } }
  host:cost { rx_packet = "1ms" }
  for i = 1, 50 do peer:send(udp{ sport = 1, dport = 7 } / tostring(i)) end
  net.sleep "1s"
  local list, dropped = drain(socket), host:counter "softnet.1.dropped"
  t:ok(dropped > 0)
  t:is(#list + dropped, 50)
  t:is(host:drops("CPU_BACKLOG"), dropped)
  t:is(host:counter "eth0.rx_dropped", dropped)
end)

tap.test("flow limit: the large flow loses, small ones come through; not without the bitmap", function(t)
  local function run(bitmap)
    local host, peer = station { ethtool = { rps_cpus = 2 }, sysctl = {
      ["net.core.netdev_max_backlog"] = 200, ["net.core.flow_limit_cpu_bitmap"] = bitmap } }
    local small = host:socket "udp"
    small:bind(8)
    -- The CPU of the backlog is busy for as long as they come.
    host:softirq("tasklet", { cpu = 1, cost = "10ms" })
    for i = 1, 300 do
      peer:send(udp{ sport = 1, dport = 7 } / "large")
      if i % 30 == 0 then peer:send(udp{ sport = i, dport = 8 } / "small") end
      net.sleep "20us"
    end
    net.sleep "1s"
    return #drain(small), host:counter "softnet.0.flow_limit_count", host:counter "softnet.1.dropped"
  end
  local small, limited, dropped = run(0)
  t:is({ small, limited, dropped }, { 6, 0, 310 - 201 }) -- one more than the sysctl says, as in Linux
  small, limited, dropped = run(1)
  t:is({ small, limited }, { 10, dropped })
  t:ok(limited > 100, tostring(limited))
end)

tap.test("RFS: packets of a flow go where its reader runs, others by RPS", function(t)
  local host, peer = station { ethtool = { rps_cpus = 0xe, rps_flow_cnt = 64 },
    sysctl = { ["net.core.rps_sock_flow_entries"] = 64 } }
  local conn = host:socket "udp"
  conn:bind(9)
  conn:connect("192.0.2.9", 1234)
  peer:send(udp{ sport = 1234, dport = 9 } / "first")
  t:is((conn:recv()), "first")
  -- Calls run on CPU 0: the flow is known now.
  local before = processed(host)
  conn:try("recv", { flags = "dontwait" })
  for _ = 1, 5 do
    peer:send(udp{ sport = 1234, dport = 9 } / "more")
    t:is((conn:recv()), "more")
  end
  t:is(host:counter "softnet.0.processed" - before[0], 5)
  before = processed(host)
  for port = 1, 20 do peer:send(udp{ sport = port, dport = 7 } / "x") end
  net.sleep "1ms"
  t:is(host:counter "softnet.0.processed", before[0])
end)

tap.test("order of every flow over 1000 seeds of masks that change under load", function(t)
  local host, peer, socket = station { ethtool = { rps_cpus = 6 } }
  local seed = 1
  local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
  end
  for round = 1, 1000 do
    host:ethtool { rps_cpus = random(16) }
    for i = 1, 4 do
      for port = 1, 3 do
        peer:send(udp{ sport = port, dport = 7 } / ("%d %d"):format(port, round * 10 + i))
      end
    end
    -- What the old mask has queued is handled before the mask changes: no cost, no delay.
    net.sleep "10us"
    local last = {}
    for _, data in ipairs(drain(socket)) do
      local port, n = data:match "(%d+) (%d+)"
      if last[port] and last[port] >= tonumber(n) then t:fail("reordered: " .. data) end
      last[port] = tonumber(n)
    end
    if not last["3"] then t:fail "lost" end
  end
  t:is(host:counter "UdpInDatagrams", 12000)
end)

tap.test("tun and loopback are steered, too", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "tun", cpus = 4 }
  host:ethtool { rps_cpus = 8 }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  peer:send(icmp{ type = "echo", id = 1, seq = 1 } / "x")
  peer:expect(icmp{ type = "echo-reply" } / "x")
  t:is(host:counter "softnet.3.processed", 1)
end)

tap.test("XPS: the CPU that sends chooses among its queues; without it flows are spread", function(t)
  local host, peer = station { queues = 4 }
  local function sent()
    local before, sockets = host:counters(), {}
    for i = 1, 24 do
      sockets[i] = host:socket "udp"
      sockets[i]:sendto("x", "192.0.2.9", 100 + i)
    end
    net.sleep "10us"
    peer:collect()
    local list = {}
    for q = 0, 3 do
      local name = ("eth0.queue_%d_tx_packets"):format(q)
      list[q] = host:counter(name) - before[name]
    end
    return list
  end
  local spread = sent()
  for q = 0, 3 do t:ok(spread[q] > 0) end
  host:ethtool { queue = 2, xps_cpus = 1 }
  t:is(sent(), { [0] = 0, 0, 24, 0 })
  host:ethtool { queue = 1, xps_cpus = 1 }
  local two = sent()
  t:is(two[1] + two[2], 24)
  t:ok(two[1] > 4 and two[2] > 4)
  -- Queues of another CPU are not for this one.
  host:ethtool { queue = 1, xps_cpus = 2 }
  t:is(sent(), { [0] = 0, 0, 24, 0 })
end)

tap.test("a TCP flow keeps its transmit queue while the device has segments of it", function(t)
  local host, peer = station { queues = 4, sysctl = { ["net.ipv4.tcp_autocorking"] = 0 } }
  peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  server:listen(80)
  host:ethtool { queue = 3, xps_cpus = 1 }
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  local before = host:counters()
  host:ethtool { tx_stall = 1 }
  conn:send(("x"):rep(2000))
  -- The choice changes; the first ones still lie in the ring.
  host:ethtool { queue = 3, xps_cpus = 0 }
  host:ethtool { queue = 1, xps_cpus = 1 }
  conn:send(("x"):rep(2000))
  host:ethtool { tx_stall = 0 }
  t:is(#peer:collect { during = "10us" }, 4)
  t:is(host:changes(before, "^eth0.queue_%d_tx_packets"), { ["eth0.queue_3_tx_packets"] = 4 })
  peer:send ". 1:1(0) ack 4001 win 65535"
  net.sleep "10us"
  before = host:counters()
  conn:send(("x"):rep(2000))
  peer:collect { during = "10us" }
  t:is(host:changes(before, "^eth0.queue_%d_tx_packets"), { ["eth0.queue_1_tx_packets"] = 2 })
end)

-- RFS with readers on other CPUs: host:taskset.

local function rfs(o)
  o = o or {}
  o.sysctl = { ["net.core.rps_sock_flow_entries"] = "1024" }
  o.ethtool = { rps_flow_cnt = 256 }
  local host, peer, socket = station(o)
  socket:connect("192.0.2.9", 5)                          -- only what has a peer is a flow of its reader
  return host, peer, socket
end

tap.test("RFS brings a flow to the CPU of its reader, wherever that is", function(t)
  for cpu = 1, 3 do
    local host, peer, socket = rfs()
    host:taskset(cpu)
    peer:send(udp{ sport = 5, dport = 7 } / "first")
    t:is((socket:recv()), "first")                        -- the interrupted CPU had it
    t:is(processed(host)[cpu], 0)
    socket:try("recv", { flags = "dontwait" })            -- by now its flow is known
    for i = 1, 10 do
      peer:send(udp{ sport = 5, dport = 7 } / tostring(i))
      t:is((socket:recv()), tostring(i))
    end
    t:is(processed(host)[cpu], 10)
  end
end)

tap.test("RFS: each of two readers has its own flow", function(t)
  local host, peer, first = rfs()
  local second = host:socket "udp"
  second:bind(8)
  second:connect("192.0.2.9", 6)
  local function reader(socket, cpu, n)
    return net.spawn(function()
      host:taskset(cpu)
      local got = 0
      for _ = 1, n do
        socket:recv()
        got = got + 1
      end
      return got
    end)
  end
  local a, b = reader(first, 1, 21), reader(second, 2, 21)
  net.sleep "1us"
  for _ = 1, 21 do
    peer:send(udp{ sport = 5, dport = 7 } / "a")
    peer:send(udp{ sport = 6, dport = 8 } / "b")
    net.sleep "10us"
  end
  t:is({ a:join(), b:join() }, { 21, 21 })
  local list = processed(host)
  t:ok(list[1] >= 19 and list[2] >= 19, table.concat(list, " "))
end)

tap.test("RFS: a flow follows its reader only when nothing of it waits at the old CPU: order stays", function(t)
  local host, peer, socket = rfs()
  local n = 0
  local function send(count)
    for _ = 1, count do
      n = n + 1
      peer:send(udp{ sport = 5, dport = 7 } / tostring(n))
    end
    net.sleep "10us"
  end
  host:taskset(1)
  socket:try("recv", { flags = "dontwait" }) -- whose flow is not known before its first packet
  send(1)
  t:is((socket:recv()), "1")
  host:softirq("tasklet", { cpu = 1, cost = "1ms" })
  send(5)                                    -- lie in the backlog of CPU 1
  host:taskset(2)
  t:is({ socket:try("recv", { flags = "dontwait" }) }, { nil, "EAGAIN" })
  send(5)                                    -- are for CPU 2, and go to the others
  t:is({ processed(host)[1], processed(host)[2] }, { 0, 0 })
  net.sleep "1ms"
  t:is(drain(socket), { "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" })
  t:is({ processed(host)[1], processed(host)[2] }, { 10, 0 })
  send(1)
  t:is({ (socket:recv()), processed(host)[2] }, { "12", 1 })
end)

-- XPS ---------------------------------------------------------------------------------------------

local function sent_by(host)
  local list = {}
  for queue = 0, 3 do list[queue] = host:counter(("eth0.queue_%d_tx_packets"):format(queue)) end
  return list
end

tap.test("XPS: a CPU sends by the queue that is its own", function(t)
  local host, peer = station { queues = 4 }
  for queue = 0, 3 do host:ethtool { queue = queue, xps_cpus = 1 << (3 - queue) } end
  for cpu = 0, 3 do
    host:taskset(cpu)
    local s = host:socket "udp"
    for _ = 1, cpu + 1 do
      s:sendto("x", "192.0.2.9", 9)
      peer:expect(udp{} / "x")
    end
  end
  t:is(sent_by(host), { [0] = 4, 3, 2, 1 })
end)

tap.test("XPS: a connected socket keeps its queue while its packets are under way", function(t)
  local host, peer = station { queues = 4 }
  for queue = 0, 3 do host:ethtool { queue = queue, xps_cpus = 1 << queue } end
  host:taskset(2)
  local s = host:socket "udp"
  s:connect("192.0.2.9", 9)
  s:send "x"
  peer:expect(udp{} / "x")
  host:taskset(3)
  s:send "x"
  peer:expect(udp{} / "x")
  t:is(sent_by(host), { [0] = 0, 0, 2, 0 })
end)

tap.test("XPS by receive queue: answers leave by the queue that their flow came in by", function(t)
  local host, peer = station { queues = 4 }
  for queue = 0, 3 do host:ethtool { queue = queue, xps_rxqs = 1 << (queue + 1) % 4 } end
  local answered = 0
  for port = 100, 139 do
    local s = host:socket "udp"
    s:bind(port)
    s:connect("192.0.2.9", port)
    peer:send(udp{ sport = port, dport = port } / "x")
    s:recv()
    local before, came = sent_by(host), {}
    for queue = 0, 3 do came[queue] = host:counter(("eth0.queue_%d_rx_packets"):format(queue)) end
    peer:send(udp{ sport = port, dport = port } / "x")
    s:recv()
    s:send "y"
    peer:expect(udp{} / "y")
    for queue = 0, 3 do
      if host:counter(("eth0.queue_%d_rx_packets"):format(queue)) > came[queue] then
        t:is(host:counter(("eth0.queue_%d_tx_packets"):format((queue + 3) % 4)),
          before[(queue + 3) % 4] + 1)
        answered = answered + 1
      end
    end
  end
  t:is(answered, 40)
end)

tap.test("what a user sees: four CPUs and rps_cpus, yet one is full: a single flow can not be spread", function(t)
  local function spread(flows)
    local host, peer, socket = station { ethtool = { rps_cpus = 15 } }
    host:hook("pre_routing", function() return "drop" end)
    for i = 1, 200 do peer:send(udp{ sport = 1 + i % flows, dport = 7 } / "x") end
    net.sleep "1ms"
    local busy, sum = 0, 0
    for cpu = 0, 3 do
      local n = host:counter(("softnet.%d.processed"):format(cpu))
      sum = sum + n
      if n > 0 then busy = busy + 1 end
    end
    return busy, sum
  end
  local busy, sum = spread(1)
  t:is({ busy, sum }, { 1, 200 })
  busy, sum = spread(64)
  t:is({ busy, sum }, { 4, 200 })
end)
