-- SPDX-License-Identifier: MIT
-- Super-segments: TCP hands several segments down as one packet; what the wire carries, and how
-- acknowledgements and losses in the middle of one are dealt with.
local tap = require "tap"
local net = require "net"

-- A connection that the peer opened, segments of 1000 bytes.
local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", model = o.model, sysctl = o.sysctl, wire = o.wire }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  if o.model ~= "tun" then host:neigh { addr = peer.addr, mac = peer.mac } end
  if o.ethtool then host:ethtool(o.ethtool) end
  local server = host:socket "tcp"
  for name, value in pairs(o.options or {}) do server:option(name, value) end
  server:listen(80)
  peer:to(80)
  peer:send(("S 0:0(0) win 65535 <mss 1000%s>"):format(o.syn or ""))
  peer:expect "S. 0:0(0) ack 1"
  peer:send((". 1:1(0) ack 1 win %d"):format(o.win or 65535))
  return host, peer, server:accept()
end

-- A segment from the peer, and time for it to arrive.
local function ack(peer, segment)
  peer:send(segment)
  net.sleep "5us"
end

-- The segments of a burst on the wire, PSH in the last one only.
local function burst(peer, from, count, mss)
  for i = 0, count - 1 do
    local seq = from + i * mss
    peer:expect(("%s %d:%d(%d) ack 1"):format(i == count - 1 and "P." or ".", seq, seq + mss, mss))
  end
end

tap.test("tun: ten segments leave as two packets of five: half of cwnd is the most for one", function(t)
  local host, peer, conn = station { model = "tun" }
  local before = host:counters()
  conn:send(("x"):rep(10000))
  peer:expect "P. 1:5001(5000) ack 1"
  peer:expect "P. 5001:10001(5000) ack 1"
  t:is(conn:info().unacked, 10)
  t:is(host:changes(before, "^TcpOutSegs"), { TcpOutSegs = 10 })
  t:is(host:changes(before, "^IpOutRequests"), { IpOutRequests = 2 })
  ack(peer, ". 1:1(0) ack 10001 win 65535")
  t:is(conn:info().unacked, 0)
end)

tap.test("without TSO the wire carries them one by one, PSH in the last of each burst, IDs in turn", function(t)
  local _, peer, conn = station()
  conn:send(("x"):rep(10000))
  local id
  for i = 0, 9 do
    local seq = 1 + i * 1000
    local p = peer:expect(("%s %d:%d(1000) ack 1"):format(i % 5 == 4 and "P." or ".", seq, seq + 1000))
    if id then t:is(p.ip.id, (id + 1) & 0xffff) end
    id = p.ip.id
  end
end)

tap.test("the last segment of a burst is what is left, and alone has the FIN", function(t)
  local host, peer, conn = station()
  conn:option("TCP_CORK", 1)
  conn:send(("x"):rep(2500))
  peer:expect ". 1:1001(1000) ack 1"
  peer:expect "P. 1001:2001(1000) ack 1"
  conn:close()
  peer:expect "FP. 2001:2501(500) ack 1"
  peer:send "F. 1:1(0) ack 2502 win 65535"
  peer:expect ". 2502:2502(0) ack 2"
  t:is(host:counter("TcpOutSegs"), 5)
end)

tap.test("a FIN on a whole super-segment leaves with its last segment", function(t)
  local _, peer, conn = station()
  conn:send(("x"):rep(12000))
  burst(peer, 1, 5, 1000)
  burst(peer, 5001, 5, 1000)
  conn:shutdown "wr"
  peer:send ". 1:1(0) ack 10001 win 65535"
  peer:expect ". 10001:11001(1000) ack 1"
  peer:expect "FP. 11001:12001(1000) ack 1"
  ack(peer, ". 1:1(0) ack 12002 win 65535")
  t:is(conn:info().state, "FIN_WAIT2")
end)

tap.test("an ACK in the middle of a super-segment frees its front", function(t)
  local _, peer, conn = station { model = "tun" }
  conn:send(("x"):rep(5000))
  peer:expect "P. 1:5001(5000) ack 1"
  ack(peer, ". 1:1(0) ack 2001 win 65535")
  t:is(conn:info().unacked, 3)
  -- Within a segment: the rest counts as one.
  ack(peer, ". 1:1(0) ack 2501 win 65535")
  t:is(conn:info().unacked, 3)
  ack(peer, ". 1:1(0) ack 5001 win 65535")
  t:is(conn:info().unacked, 0)
end)

tap.test("SACK blocks cut a super-segment, and only the hole is sent again", function(t)
  local host, peer, conn = station { model = "tun", syn = ",sackOK" }
  conn:send(("x"):rep(5000))
  peer:expect "P. 1:5001(5000) ack 1"
  peer:send ". 1:1(0) ack 1001 win 65535 <nop,nop,sack 2001:5001>"
  peer:expect ". 1001:2001(1000) ack 1"
  local info = conn:info()
  t:is(info.unacked, 4)
  t:is(info.sacked, 3)
  t:is(info.lost, 1)
  t:is(host:counter("TcpRetransSegs"), 1)
  ack(peer, ". 1:1(0) ack 5001 win 65535")
  t:is(conn:info().unacked, 0)
end)

tap.test("a SACK block that ends within a segment covers whole segments only", function(t)
  local _, peer, conn = station { model = "tun", syn = ",sackOK" }
  conn:send(("x"):rep(4000))
  peer:expect "P. 1:4001(4000) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535 <nop,nop,sack 1501:3501>"
  peer:expect ". 1:1001(1000) ack 1" -- RACK: a later one was delivered
  t:is(conn:info().sacked, 1)
  peer:send ". 1:1(0) ack 4001 win 65535"
end)

tap.test("after a timeout one segment goes again, then as many as cwnd allows in one packet", function(t)
  local _, peer, conn = station { model = "tun" }
  conn:send(("x"):rep(5000))
  peer:expect "P. 1:5001(5000) ack 1"
  peer:expect(". 1:1001(1000) ack 1", { within = "2s" })
  peer:send ". 1:1(0) ack 1001 win 65535"
  peer:expect "P. 1001:3001(2000) ack 1"
  t:is(conn:info().retrans, 2)
  ack(peer, ". 1:1(0) ack 5001 win 65535")
  t:is(conn:info().unacked, 0)
end)

tap.test("a tail loss probe takes the last segment of a super-segment", function(t)
  local host, peer, conn = station { model = "tun", syn = ",sackOK" }
  conn:send(("x"):rep(4500))
  peer:expect "P. 1:4501(4500) ack 1"
  peer:expect("P. 4001:4501(500) ack 1", { within = "2s" })
  t:is(host:counter("TcpExtTCPLossProbes"), 1)
  peer:send ". 1:1(0) ack 4501 win 65535"
end)

tap.test("Nagle keeps back the rest of a super-segment while a small one is under way", function(t)
  local _, peer, conn = station { model = "tun" }
  conn:send(("x"):rep(100))
  peer:expect "P. 1:101(100) ack 1"
  conn:send(("x"):rep(2500))
  peer:expect "P. 101:2101(2000) ack 1"
  peer:expect_nothing()
  peer:send ". 1:1(0) ack 2101 win 65535"
  peer:expect "P. 2101:2601(500) ack 1"
  t:is(conn:info().unacked, 1)
end)

tap.test("the peer's window cuts a super-segment at its edge", function(t)
  local _, peer, conn = station { model = "tun", options = { TCP_NODELAY = 1 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  ack(peer, ". 1:1(0) ack 2 win 3500")
  conn:send(("x"):rep(8000))
  peer:expect "P. 2:3502(3500) ack 1"
  peer:send ". 1:1(0) ack 3502 win 20000"
  peer:expect "P. 3502:8002(4500) ack 1"
  t:is(conn:info().unacked, 5)
end)

tap.test("urgent data is sent segment by segment", function(t)
  local _, peer, conn = station { model = "tun" }
  conn:send(("x"):rep(3000), { flags = "oob" })
  peer:expect ".U 1:1001(1000) ack 1"
  peer:expect ".U 1001:2001(1000) ack 1"
  t:ok(peer:expect "P.U 2001:3001(1000) ack 1")
end)

tap.test("a path that becomes narrower: super-segments under way are cut anew", function(t)
  local _, peer, conn = station { model = "tun" }
  conn:send(("x"):rep(3000))
  local sent = peer:expect "P. 1:3001(3000) ack 1"
  peer:send(net.icmp{ type = "dest-unreach", code = "frag-needed", mtu = 640 } /
    net.raw(sent:bytes():sub(1, 28)))
  -- 600 bytes each now; what was lost goes again, as far as cwnd allows.
  peer:expect "P. 1:3001(3000) ack 1"
  t:is(conn:info().unacked, 5)
  ack(peer, ". 1:1(0) ack 3001 win 65535")
  t:is(conn:info().unacked, 0)
end)

tap.test("small writes fill up one packet while they wait", function(t)
  local _, peer, conn = station { model = "tun", options = { TCP_NODELAY = 1 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  ack(peer, ". 1:1(0) ack 2 win 1000")
  conn:send(("x"):rep(1000))
  peer:expect "P. 2:1002(1000) ack 1"
  for _ = 1, 40 do conn:send(("y"):rep(100)) end
  peer:expect_nothing()
  peer:send ". 1:1(0) ack 1002 win 65535"
  t:ok(peer:expect "P. 1002:5002(4000) ack 1")
end)

tap.test("SO_MAX_PACING_RATE spaces super-segments: the next when the last one has had its time", function(t)
  -- On a path of 20 ms: on a short one bursts may be large whatever the rate (tcp_tso_rtt_log).
  local _, peer, conn = station { model = "tun", wire = net.wire { delay = "10ms" } }
  conn:send(("x"):rep(10000))
  for i = 1, 8001, 2000 do peer:expect(("P. %d:%d(2000) ack 1"):format(i, i + 2000)) end
  conn:option("SO_MAX_PACING_RATE", 1000000)
  conn:send(("x"):rep(6000))
  peer:expect_nothing()
  -- 1 MB/s: two segments are 2 ms. The first are not held back, and who comes late has a credit of
  -- half of that.
  peer:send ". 1:1(0) ack 10001 win 65535"
  peer:expect "P. 10001:12001(2000) ack 1"
  peer:expect("P. 12001:14001(2000) ack 1", { at = "+1ms" })
  peer:expect("P. 14001:16001(2000) ack 1", { at = "+2ms" })
  ack(peer, ". 1:1(0) ack 16001 win 65535")
  net.sleep "20ms"
  t:is(conn:info().unacked, 0)
end)

tap.test("small queues: a slow device gets about a millisecond of packets, the rest waits in the socket",
  function(t)
    local wire = net.wire { rate = 10000000, delay = "10ms" }
    local host = net.host { addr = "192.0.2.1/24", wire = wire }
    local other = net.host { addr = "192.0.2.2/24", wire = wire }
    local server = other:socket "tcp":listen(80)
    local client = host:socket "tcp"
    client:connect("192.0.2.2", 80)
    local conn = server:accept()
    local writer = net.spawn(function()
      client:send(net.pattern(1, 500000))
      client:close()
    end)
    local most, n = 0, 0
    while n < 500000 do
      n = n + #conn:recv(65536)
      most = math.max(most, host:counter("TcpExtTCPOrigDataSent") * 1448 - n)
    end
    writer:join()
    t:is(conn:recv(), "")
    -- Two packets of two segments, the least there is, and what the reader has not seen yet.
    t:ok(most <= 12 * 1448, most)
    t:is(host:counter("TcpRetransSegs"), 0)
  end)

tap.test("autocorking: small writes wait for the packet that is in the device", function(t)
  local function write_50(autocorking)
    local wire = net.wire { rate = 1000000, delay = "10us" }
    local host = net.host { addr = "192.0.2.1/24", wire = wire,
      sysctl = { ["net.ipv4.tcp_autocorking"] = autocorking } }
    local other = net.host { addr = "192.0.2.2/24", wire = wire }
    local server = other:socket "tcp":listen(80)
    local client = host:socket "tcp"
    client:connect("192.0.2.2", 80)
    local conn = server:accept()
    client:option("TCP_NODELAY", 1)
    for _ = 1, 50 do
      client:send(("x"):rep(100))
      net.sleep "20us"
    end
    client:close()
    while conn:recv() ~= "" do end
    return host:counter("TcpExtTCPOrigDataSent"), host:counter("TcpExtTCPAutoCorking")
  end
  local segs, corked = write_50(1)
  t:ok(segs < 20)
  t:ok(corked > 0)
  segs, corked = write_50(0)
  -- Small queues hold them back there, without the counter.
  t:ok(segs < 20)
  t:is(corked, 0)
end)

-- Both ends of ours: the bytes that arrive must be those that were sent, whatever the devices do.
local function transfer(o)
  local wire = net.wire { delay = "1ms", rate = 100000000 }
  local a = net.host { addr = "192.0.2.1/24", wire = wire }
  local b = net.host { addr = "192.0.2.2/24", wire = wire }
  for _, host in ipairs { a, b } do host:ethtool(o.ethtool) end
  if o.loss then wire:set { loss = o.loss } end
  local server = b:socket "tcp":listen(80)
  local total, list = 300000, {}
  local reader = net.spawn(function()
    local conn = server:accept()
    while true do
      local data = conn:recv(65536)
      if data == "" then break end
      list[#list + 1] = data
    end
    conn:close()
    return table.concat(list) == net.pattern(1, total)
  end)
  local client = a:socket "tcp"
  client:connect("192.0.2.2", 80)
  client:send(net.pattern(1, total))
  client:close()
  local same = reader:join()
  net.sleep "100s"
  return same, a
end

for _, loss in ipairs { 0, 10000 } do
  tap.test(("300 kB arrive the same with and without checksums and TSO in the card, loss %d ppm")
    :format(loss), function(t)
    t:ok((transfer { ethtool = { tx_csum = 0 }, loss = loss }))
    for tso = 0, 1 do
      local same, a = transfer { ethtool = { tx_csum = 1, tso = tso }, loss = loss }
      t:ok(same)
      t:is(a:counter("eth0.hw_tx_tso") > 0, tso == 1)
    end
  end)
end

tap.test("TSO in the card: the same frames as with software, checksums right, one packet for the host",
  function(t)
    local function frames(ethtool)
      local host, peer, conn = station { ethtool = ethtool }
      conn:send(net.pattern(1, 9500))
      local list = {}
      for i = 1, 10 do
        local p = peer:expect(net.tcp{}, { within = "1ms" })
        list[i] = { p.ip.len, p.tcp.flags, p.tcp.checksum_status, p.ip.checksum_status, p.payload,
          (p.ip.id - (list.id or p.ip.id)) & 0xffff, (p.tcp.seq - (list.seq or p.tcp.seq)) & 0xffffffff }
        list.id, list.seq = list.id or p.ip.id, list.seq or p.tcp.seq
      end
      list.id, list.seq = nil, nil
      t:is(host:counter("eth0.tx_packets"), 11)
      return list, host
    end
    local soft = frames {}
    local hard, host = frames { tx_csum = 1, tso = 1 }
    t:is(hard, soft)
    t:is(host:counter("eth0.hw_tx_tso"), 2)
    t:is(host:counter("eth0.hw_tx_tso_segments"), 10)
  end)

tap.test("TSO without checksums in the card stays off, as with ethtool", function(t)
  local host, peer, conn = station { ethtool = { tso = 1 } }
  conn:send(("x"):rep(5000))
  burst(peer, 1, 5, 1000)
  t:is(host:counter("eth0.hw_tx_tso"), 0)
  host:ethtool { tx_csum = 1 }
  conn:send(("x"):rep(5000))
  burst(peer, 5001, 5, 1000)
  t:is(host:counter("eth0.hw_tx_tso"), 1)
end)
