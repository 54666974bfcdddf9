-- SPDX-License-Identifier: MIT
-- Several queues: how a card spreads frames over them, who is interrupted, and how often.
local tap = require "tap"
local net = require "net"
local ip, udp, tcp, icmp, arp = net.ip, net.udp, net.tcp, net.icmp, net.arp

-- The key of Microsoft's verification suite.
local KEY = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:" ..
  "f2:0c:6a:42:b7:3b:be:ac:01:fa"

local function station(o)
  o = o or {}
  local host = net.host { addr = o.addr or "192.0.2.1/24", queues = o.queues or 4, cpus = o.cpus or 4 }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  if o.ethtool then host:ethtool(o.ethtool) end
  return host, peer
end

-- The queue that a packet goes to.
local function queue_of(host, peer, packet)
  local before = host:counters()
  peer:send(packet)
  net.sleep "10us"
  for name, n in pairs(host:changes(before, "^eth0.queue_%d+_rx_packets$")) do
    if n == 1 then return tonumber(name:match "queue_(%d+)") end
  end
end

-- What the suite says about TCP over IPv4: source, destination, hash of addresses, of all.
local vectors = {
  { "66.9.149.187", 2794, "161.142.100.80", 1766, 0x323e8fc2, 0x51ccc178 },
  { "199.92.111.2", 14230, "65.69.140.83", 4739, 0xd718262a, 0xc626b0ea },
  { "24.19.198.95", 12898, "12.22.207.184", 38024, 0xd2d0a5de, 0x5c2b394a },
  { "38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xafc7327f },
  { "153.39.163.191", 44251, "202.188.127.2", 1303, 0x5d1809c5, 0x10e828a2 },
}

tap.test("the published vectors: each flow goes to the queue that its Toeplitz hash names", function(t)
  local host, peer = station { queues = 16, cpus = 1, ethtool = { rss_key = KEY } }
  host:hook("pre_routing", function() return "drop" end)
  for _, v in ipairs(vectors) do
    local p = ip{ src = v[1], dst = v[3] } / tcp{ sport = v[2], dport = v[4], flags = "A" }
    t:is(queue_of(host, peer, p), (v[6] & 127) % 16)
    p = ip{ src = v[1], dst = v[3] } / udp{ sport = v[2], dport = v[4] } / "x"
    t:is(queue_of(host, peer, p), (v[6] & 127) % 16)
    -- No ports: by addresses alone.
    p = ip{ src = v[1], dst = v[3], proto = 47 } / net.raw(("x"):rep(40))
    t:is(queue_of(host, peer, p), (v[5] & 127) % 16)
  end
end)

tap.test("fragments go by addresses alone, all of one datagram to one queue", function(t)
  local host, peer = station { queues = 16, cpus = 1, ethtool = { rss_key = KEY } }
  host:hook("pre_routing", function() return "drop" end)
  for _, v in ipairs(vectors) do
    local whole = ip{ src = v[1], dst = v[3] } / udp{ sport = v[2], dport = v[4] } / ("x"):rep(100)
    for _, piece in ipairs(net.fragments(whole, { 40, 80 })) do
      t:is(queue_of(host, peer, piece), (v[5] & 127) % 16)
    end
  end
end)

tap.test("what is no IP goes to queue 0, a damaged header too", function(t)
  local host, peer = station()
  t:is(queue_of(host, peer, arp{ op = "request", tpa = "192.0.2.1" }), 0)
  peer:expect(arp{ op = "reply" }, { within = "1ms" })
  t:is(queue_of(host, peer, ip{ version = 5 } / udp{ sport = 5, dport = 7 } / "x"), 0)
end)

tap.test("ethtool -N rx-flow-hash udp4 sd: UDP by addresses alone, TCP as before", function(t)
  local host, peer = station { queues = 16, cpus = 1, ethtool = { rss_key = KEY, rss_udp = false } }
  host:hook("pre_routing", function() return "drop" end)
  local v = vectors[1]
  local addresses = ip{ src = v[1], dst = v[3] }
  t:is(queue_of(host, peer, addresses / udp{ sport = v[2], dport = v[4] } / "x"), (v[5] & 127) % 16)
  t:is(queue_of(host, peer, addresses / tcp{ sport = v[2], dport = v[4], flags = "A" }),
    (v[6] & 127) % 16)
end)

tap.test("ethtool -X: equal, a table of one's own, no queue that is not there", function(t)
  local host, peer = station { ethtool = { rss_key = KEY } }
  host:hook("pre_routing", function() return "drop" end)
  local function queues()
    local seen = {}
    for port = 1, 200 do
      local q = queue_of(host, peer, ip{ src = "192.0.2.9", dst = "192.0.2.1" } /
        udp{ sport = port, dport = 7 } / "x")
      seen[q] = (seen[q] or 0) + 1
    end
    return seen
  end
  local all = queues()
  for q = 0, 3 do t:ok(all[q] > 30) end
  host:ethtool { rss_equal = 2 }
  local two = queues()
  t:ok(two[0] > 70 and two[1] > 70)
  t:is(two[2], nil)
  host:ethtool { rss_indir = { 3 } }
  t:is(queues(), { [3] = 200 })
  t:error(function() host:ethtool { rss_indir = { 4 } } end, "EINVAL")
end)

tap.test("a key that repeats every 16 bits, or symmetric-xor, brings both directions together", function(t)
  local host, peer = station { queues = 16, cpus = 1, ethtool = { rss_key = KEY } }
  host:hook("pre_routing", function() return "drop" end)
  local function both(port)
    return queue_of(host, peer, ip{ src = "10.1.2.3", dst = "10.9.8.7" } / udp{ sport = port, dport = 53 } / "x"),
      queue_of(host, peer, ip{ src = "10.9.8.7", dst = "10.1.2.3" } / udp{ sport = 53, dport = port } / "x")
  end
  local function alike()
    local n, spread = 0, {}
    for port = 1000, 1049 do
      local a, b = both(port)
      if a == b then n = n + 1 end
      spread[a] = true
    end
    local count = 0
    for _ in pairs(spread) do count = count + 1 end
    return n, count
  end
  t:ok((alike()) < 20)
  host:ethtool { rss_sym_xor = true }
  local n, count = alike()
  t:is(n, 50)
  t:ok(count > 5)
  host:ethtool { rss_sym_xor = false, rss_key = ("\x6d\x5a"):rep(20) }
  n, count = alike()
  t:is(n, 50)
  t:ok(count > 5)
end)

tap.test("each queue interrupts its own CPU, and the softirq runs there", function(t)
  local host, peer = station { ethtool = { rss_key = KEY } }
  local socket = host:socket "udp"
  socket:bind(7)
  for port = 1, 400 do
    peer:send(udp{ sport = port, dport = 7 } / "x")
    if port % 50 == 0 then net.sleep "1ms" end
  end
  net.sleep "1ms"
  local sum = 0
  for q = 0, 3 do
    local n = host:counter(("eth0.queue_%d_rx_packets"):format(q))
    t:ok(n > 60)
    t:is(host:counter(("softnet.%d.processed"):format(q)), n)
    sum = sum + n
  end
  t:is(sum, 400)
end)

tap.test("smp_affinity: a queue's interrupt can go to another CPU", function(t)
  local host, peer = station { ethtool = { rss_indir = { 2 } } }
  host:ethtool { queue = 2, irq_cpu = 1 }
  for port = 1, 10 do peer:send(icmp{ type = "echo", id = port, seq = 1 } / "x") end
  t:is(#peer:collect { during = "1ms" }, 10)
  t:is(host:counter "softnet.1.processed", 10)
  t:is(host:counter "softnet.2.processed", 0)
end)

tap.test("ethtool -L: fewer queues, all frames still come; not more than there are, none the table needs",
  function(t)
    local host, peer = station { ethtool = { rss_key = KEY } }
    local socket = host:socket "udp"
    socket:bind(7)
    local function burst()
      for port = 1, 60 do peer:send(udp{ sport = port, dport = 7 } / "x") end
      net.sleep "1ms"
      local n = 0
      while socket:try("recv", { flags = "dontwait" }) do n = n + 1 end
      return n
    end
    t:is(burst(), 60)
    host:ethtool { channels = 1 }
    local before = host:counters()
    t:is(burst(), 60)
    t:is(host:changes(before, "^eth0.queue_%d_rx_packets"), { ["eth0.queue_0_rx_packets"] = 60 })
    host:ethtool { channels = 3 }
    t:is(burst(), 60)
    t:error(function() host:ethtool { channels = 5 } end, "EINVAL")
    t:error(function() host:ethtool { channels = 0 } end, "EINVAL")
    host:ethtool { rss_indir = { 2 } }
    t:error(function() host:ethtool { channels = 2 } end, "EINVAL")
    t:is(burst(), 60)
  end)

tap.test("one flow is never reordered, whatever its neighbours do", function(t)
  local host, peer = station { ethtool = { rss_key = KEY } }
  local socket = host:socket "udp"
  socket:bind(7)
  for i = 1, 300 do
    peer:send(udp{ sport = 999, dport = 7 } / tostring(i))
    peer:send(udp{ sport = i, dport = 9 } / "noise")
    if i % 60 == 0 then
      peer:collect { during = "100us" }
      for k = i - 59, i do t:is((socket:recv()), tostring(k)) end
    end
  end
end)

-- Frames at a steady rate: interrupts that they cause in 100 ms.
local function interrupts(ethtool, size, gap)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5 }:to(7)
  host:hook("pre_routing", function() return "drop" end)
  host:ethtool(ethtool)
  local before = host:counter "eth0.hw_interrupts"
  for _ = 1, 100000 // gap do
    peer:send(udp{} / ("x"):rep(size))
    net.sleep(gap * 1000)
  end
  net.sleep "1ms"
  return host:counter "eth0.hw_interrupts" - before, host:counter "IpInReceives"
end

tap.test("ethtool -C: fixed moderation bounds the rate, adaptive follows the traffic", function(t)
  local n, packets = interrupts({ rx_usecs = 0 }, 1400, 20)
  t:is(packets, 5000)
  t:is(n, 5000)
  n, packets = interrupts({ rx_usecs = 100 }, 1400, 20)
  t:is(packets, 5000)
  t:ok(n <= 1001)
  -- The class of 50 us for some large frames; few small ones: at once.
  n, packets = interrupts({ adaptive_rx = true }, 1400, 20)
  t:is(packets, 5000)
  t:ok(n > 1900 and n < 2100)
  n, packets = interrupts({ adaptive_rx = true }, 50, 1000)
  t:is(packets, 100)
  t:is(n, 100)
end)

tap.test("latency under adaptive moderation: a lone small frame waits at most the lowest class", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:ethtool { adaptive_rx = true }
  for i = 1, 5 do
    peer:send(icmp{ type = "echo", id = 1, seq = i } / "x")
    t:ok(peer:expect(icmp{ type = "echo-reply", seq = i }, { within = "20us" }))
    net.sleep "10ms"
  end
end)
