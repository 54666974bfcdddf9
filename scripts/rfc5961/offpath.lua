-- SPDX-License-Identifier: MIT
-- What somebody can do who sees nothing of a connection and guesses (RFC 5961, RFC 6528, RFC 6056,
-- RFC 5927), and the named attacks on TCP of the past: each bounded, each telling him nothing.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip = net.ip

local CHALLENGE = ". 1:1(0) ack 1"

-- A segment with this raw sequence number offset, from the peer's address and port.
local function forged(peer, flags, seq, ack, len)
  local segment = peer:segment(("%s 1:%d(%d)%s"):format(flags, 1 + (len or 0), len or 0,
    flags:find(".", 1, true) and " ack 1" or ""))
  segment.tcp.seq = peer.tcp.isn + seq & 0xffffffff
  if ack then segment.tcp.ack = peer.tcp.host_isn + ack & 0xffffffff end
  return segment
end

-- Resets, SYNs and data at guessed places -----------------------------------------------------------

for _, offset in ipairs { 2, 100, 1460, 32000, 64239, 64240 } do
  tap.test(("a reset %d above the next number: a challenge at the most, never the end"):format(offset), function(t)
    local host, peer, conn = tcp.passive()
    peer:send(forged(peer, "R", 1 + offset))
    local got = peer:collect { during = "1ms" }
    t:is(#got, offset <= 64240 and 1 or 0)
    t:shows("RFC5961-3.2-3", t:is(conn:info().state, "ESTABLISHED"))
    t:is(host:counter "TcpEstabResets", 0)
    peer:send "P. 1:6(5) ack 1" -- and it goes on
    peer:expect ". 1:1(0) ack 6"
  end)
end

for _, offset in ipairs { -1, -1000, -70000, 64243, 100000, 0x7fffffff } do
  tap.test(("a reset at %d of the next number: no answer, nothing learned"):format(offset), function(t)
    local _, peer, conn = tcp.passive()
    peer:send(forged(peer, "R", 1 + offset))
    t:shows("RFC5961-3.2-1", peer:expect_nothing { during = "1s" })
    t:is(conn:info().state, "ESTABLISHED")
  end)
end

tap.test("a thousand resets over the whole number space: the connection stands, few answers", function(t)
  local host, peer, conn = tcp.passive()
  for i = 1, 1000 do peer:send(forged(peer, "R", 2 + i * 4294967)) end
  local got = #peer:collect { during = "1s" }
  t:shows("RFC5961-3.2-4", t:is(conn:info().state, "ESTABLISHED"))
  t:ok(got <= 2, got .. " answers")
  t:is(host:counter "TcpEstabResets", 0)
end)

for _, offset in ipairs { 0, 1000, -5000, 200000, 0x7fffffff } do
  tap.test(("a SYN at %d: challenged, the connection stands"):format(offset), function(t)
    local host, peer, conn = tcp.passive()
    peer:send(forged(peer, "S", 1 + offset))
    t:shows("RFC5961-4.2-1", peer:expect(CHALLENGE))
    t:is({ conn:info().state, host:counter "TcpExtTCPSYNChallenge" }, { "ESTABLISHED", 1 })
  end)
end

for _, ack in ipairs { -70000, -200000, 2, 5000, 0x7fffffff, -0x7fffffff } do
  tap.test(("data that acknowledges %d: not taken"):format(ack), { profile = ack < 0 and "rfc" or nil },
    function(t)
    local _, peer, conn = tcp.passive()
    peer:send(forged(peer, "P.", 1, 1 + ack, 5))
    peer:collect { during = "60ms" }
    t:shows("RFC5961-5.2-1", t:is({ conn:pending(), conn:info().state }, { 0, "ESTABLISHED" }))
    t:shows("RFC9293-MAY-12", t:is(conn:info().bytes_received, 0))
  end)
end

tap.test("profile linux: header prediction takes data before it looks at what it acknowledges", { profile = "linux" },
  function(t)
    local host, peer, conn = tcp.passive()
    -- The short way is only for what fits into the rest of the socket's last page: not for the first
    -- data; and a packet counts more than half of one here.
    peer:send(forged(peer, "P.", 1, -70000, 5))
    peer:collect { during = "60ms" }
    t:is({ conn:pending(), host:counter "TcpExtTCPChallengeACK" }, { 0, 1 })
    peer:send "P. 1:6(5) ack 1"
    peer:send "P. 6:11(5) ack 1"
    peer:send(forged(peer, "P.", 11, -70000, 5))
    peer:collect { during = "60ms" }
    t:is({ conn:pending(), host:counter "TcpExtTCPHPHits" }, { 15, 1 })
  end)

tap.test("challenges are limited for the host as a whole, and how many is not to be counted from outside", function(t)
  -- CVE-2016-5696: an attacker with a connection of his own counts what is left of a common limit.
  local counts = {}
  for world = 1, 3 do
    local host, peer = tcp.passive { isn = world * 1000, sysctl = { ["net.ipv4.tcp_challenge_ack_limit"] = 100,
      ["net.ipv4.tcp_invalid_ratelimit"] = 0 } }
    for second = 1, 3 do
      for _ = 1, 300 do peer:send(forged(peer, "R", 100)) end
      counts[#counts + 1] = #peer:collect { during = "1s" }
      t:ok(second and host)
    end
  end
  local different = {}
  for _, count in ipairs(counts) do
    different[count] = true
    t:shows("RFC5961-7-2", t:ok(count >= 50 and count <= 150, tap.repr(counts)))
  end
  local kinds = 0
  for _ in pairs(different) do kinds = kinds + 1 end
  t:ok(kinds > 3, tap.repr(counts))
end)

-- Numbers and ports -------------------------------------------------------------------------------

local function isns(seed_port, count)
  local host, peer = tcp.listen()
  local list = {}
  for i = 1, count do
    peer:fresh { port = seed_port + i, to = 80 }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    list[i] = peer:expect("S. 0:0(0) ack 1").tcp.seq
    peer:send "R 1:1(0)"
  end
  return list, host
end

tap.test("initial numbers of a hundred ports next to each other: all over the space, no pattern", function(t)
  local list = isns(20000, 100)
  local buckets = {}
  -- In the hostile build all numbers lie before the wrap: what varies there are the lower 24 bits.
  local shift = net.C.HOSTILE == 1 and 20 or 28
  for _, isn in ipairs(list) do
    local b = isn >> shift & 15
    buckets[b] = (buckets[b] or 0) + 1
  end
  -- 16 buckets of 6.25: chi-square with 15 degrees of freedom, 37.7 is one in a thousand.
  local chi = 0
  for b = 0, 15 do
    local d = (buckets[b] or 0) - 6.25
    chi = chi + d * d / 6.25
  end
  t:shows("RFC9293-SHLD-1", t:ok(chi < 37.7, "chi-square " .. chi))
  local steps = {}
  for i = 2, #list do steps[list[i] - list[i - 1] & 0xffffffff] = true end
  local kinds = 0
  for _ in pairs(steps) do kinds = kinds + 1 end
  t:is(kinds, 99)
end)

tap.test("ephemeral ports: not one after the other, within the range, another order to another host", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local function ports(addr)
    local peer = host.wire:peer { addr = addr, port = 80 }
    host:neigh { addr = addr, mac = peer.mac }
    local list = {}
    for i = 1, 30 do
      local s = host:socket("tcp", { nonblock = true })
      s:try("connect", addr, 80)
      list[i] = s:name().port
      peer:collect { during = "1us" }
      s:close()
    end
    peer:collect { during = "1ms" }
    return list
  end
  local a, b = ports "192.0.2.9", ports "192.0.2.10"
  local low, high = host:sysctl("net.ipv4.ip_local_port_range"):match "(%d+)%s+(%d+)"
  local seen = {}
  for i = 1, 30 do
    t:ok(a[i] >= tonumber(low) and a[i] <= tonumber(high))
    t:ok(not seen[a[i]], "a port twice")
    seen[a[i]] = true
  end
  t:shows("RFC6056-3.3-2", t:ok(math.abs(a[1] - b[1]) > 50))
  local steps = 0
  for i = 2, 30 do steps = steps + (a[i] - a[i - 1] == 1 and 1 or 0) end
  t:ok(steps < 15, steps .. " steps of one")
end)

-- Named attacks -----------------------------------------------------------------------------------

tap.test("land (CVE-1999-0016): a SYN from our own address and port is dropped", function(t)
  local host, peer = tcp.listen()
  peer:send(ip{ src = "192.0.2.1", dst = "192.0.2.1" } / net.tcp{ sport = 80, dport = 80, flags = "S", seq = 7 })
  t:shows("RFC9293-MUST-63", peer:expect_nothing { during = "5s" })
  t:is({ host:counter "TcpPassiveOpens", #host:sockets() }, { 0, 1 })
end)

tap.test("SYN,FIN flood (CVE-2012-6638): no request is made of it", function(t)
  local host, peer = tcp.listen()
  for i = 1, 100 do
    peer:send(ip{} / net.tcp{ sport = 1000 + i, dport = 80, flags = "SF", seq = i })
  end
  t:ok(peer:expect_nothing { during = "1s" })
  t:is({ host:counter "TcpPassiveOpens", #host:sockets() }, { 0, 1 })
end)

tap.test("optimistic ACKs: what was not sent can not be acknowledged, the window does not grow by it", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 300000)
  conn:send(("x"):rep(60000))
  t:is(tcp.sent(peer), tcp.segments(0, 10))
  local cwnd = conn:info().snd_cwnd
  for n = 11, 40 do peer:send((". 1:1(0) ack %d win 65535"):format(n * 1000 + 1)) end
  peer:collect { during = "1ms" }
  t:is({ conn:info().snd_cwnd, conn:info().unacked }, { cwnd, 10 })
  t:shows("RFC9293-3.10.7.4-16", t:is(conn:info().bytes_acked, 0))
end)

tap.test("ACK division: a hundred ACKs of one segment are worth one", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 300000)
  conn:send(("x"):rep(60000))
  t:is(tcp.sent(peer), tcp.segments(0, 10))
  for n = 1, 100 do peer:send((". 1:1(0) ack %d win 65535"):format(1 + n * 10)) end
  peer:collect { during = "1ms" }
  t:shows("RFC5681-3.1-10", t:is(conn:info().snd_cwnd, 11))
end)

tap.test("an ACK storm: two that disagree about numbers do not answer each other for ever", function(t)
  local _, peer, conn = tcp.passive()
  local answers = 0
  local segment = forged(peer, ".", 1, 100000) -- acknowledges what was never sent
  for _ = 1, 200 do
    peer:send(segment)
    local got = #peer:collect { during = "1ms" }
    answers = answers + got
  end
  t:shows("RFC5961-7-1", t:ok(answers <= 2, answers .. " answers in 200 ms"))
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("sockstress (CVE-2008-4609): windows of zero hold no memory for ever", function(t)
  local host, peer, conn = tcp.passive { win = 0, sysctl = { ["net.ipv4.tcp_orphan_retries"] = 4 } }
  conn:send(("x"):rep(10000))
  conn:close()
  for _ = 1, 30 do
    peer:collect { during = "10s" }
    peer:send ". 1:1(0) ack 1 win 0" -- answered, and for ever shut
  end
  peer:collect { during = "30min" }
  t:ok(t:is(#host:sockets(), 1))
end)

tap.test("SegmentSmack (CVE-2018-5390): tiny segments out of order: memory and work are bounded", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 1460,nop,nop,sackOK", options = { SO_RCVBUF = 60000 } }
  for i = 1, 3000 do
    local first = 2 + (i * 7919) % 60000
    peer:send((". %d:%d(1) ack 1"):format(first, first + 1))
    if i % 50 == 0 then peer:collect { during = "1ms" } end
  end
  peer:collect { during = "100ms" }
  t:ok(host:counter "TcpExtOfoPruned" + host:counter "TcpExtTCPOFODrop" > 0)
  t:is(conn:info().state, "ESTABLISHED")
  local held = conn:meminfo().rmem
  t:ok(held > 0 and held <= 120000 + 4352, held)
end)

tap.test("SACK panic (CVE-2019-11477): the least MSS, blocks that cut everything small", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 48,nop,nop,sackOK", rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 400000)
  conn:send(("x"):rep(100000))
  for round = 1, 30 do
    peer:collect { during = "1ms" }
    for i = 0, 9 do
      local left = 1 + 48 * (1 + (i * 7 + round) % 9)
      peer:send((". 1:1(0) ack 1 win 65535 <nop,nop,sack %d:%d>"):format(left, left + 48))
    end
  end
  peer:collect { during = "1ms" }
  t:is(conn:info().state, "ESTABLISHED")
  t:is(conn:info().snd_mss, 48)
  t:ok(host)
end)

tap.test("low MSS (CVE-2019-11479): what is offered below tcp_min_snd_mss counts as that", function(t)
  for _, case in ipairs { { 1, 48, 48 }, { 40, 48, 48 }, { 100, 48, 100 }, { 100, 536, 536 } } do
    local _, peer, conn = tcp.passive { syn = "mss " .. case[1], sysctl = { ["net.ipv4.tcp_min_snd_mss"] = case[2] } }
    t:ok(t:is(conn:info().snd_mss, case[3]))
    peer:send "R 1:1(0)"
  end
end)

tap.test("many holes in what is acknowledged (CVE-2019-11478): the queue does not swell", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 200,nop,nop,sackOK", options = { SO_SNDBUF = 20000 } }
  conn:option("TCP_NODELAY", 1)
  conn:nonblock(true)
  local written = 0
  for _ = 1, 200 do
    written = written + (conn:try("send", ("x"):rep(200)) or 0)
    peer:collect { during = "1us" }
  end
  for i = 1, 200 do
    local left = 1 + 200 * (1 + (i * 3) % 80)
    peer:send((". 1:1(0) ack 1 win 65535 <nop,nop,sack %d:%d>"):format(left + 1, left + 150)) -- within segments
  end
  peer:collect { during = "1ms" }
  t:ok(written <= 45000 and conn:info().state == "ESTABLISHED", written)
  t:ok(host)
end)

tap.test("urgent pointers of nothing and of far away (CVE-2019-12255 and others): no octet is made up", function(t)
  for _, urg in ipairs { 0, 1, 6, 1000, 65535 } do
    local _, peer, conn = tcp.passive()
    local segment = peer:segment "P. 1:6(5) ack 1"
    segment.tcp.flags, segment.tcp.urg = "PU.", urg
    peer:send(segment)
    peer:collect { during = "60ms" }
    local data = tcp.got(conn)
    t:ok(#data == 5 or #data == 4, ("urg %d: %d octets"):format(urg, #data))
    local all = net.pattern(1, 5)
    local k = 1
    for i = 1, #data do
      k = all:find(data:sub(i, i), k, true)
      t:ok(k, "an octet that was not sent, or twice")
      k = k + 1
    end
    peer:send "R 6:6(0)"
  end
end)

tap.test("urgent state does not outlive its connection (CVE-2019-12263)", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "PU. 1:6(5) ack 1 urg 4000"
  peer:collect { during = "60ms" }
  peer:send "R 6:6(0)"
  net.sleep "1ms"
  conn:try "recv"
  conn:connect(nil)
  conn:try("connect", "192.0.2.9", 4000)
  local _, err = conn:try("recv", { flags = "oob dontwait", size = 1 })
  t:ok(err ~= nil)
  t:is(conn:poll("pri", 0).pri, nil)
  peer:collect { during = "1ms" }
  conn:option("SO_LINGER", { 1, 0 })
  conn:close()
end)

tap.test("disconnect while data is out (CVE-2017-14106): the next connection has an MSS", function(t)
  local _, peer, client = tcp.active()
  client:send(("x"):rep(5000))
  peer:collect { during = "1ms" }
  client:connect(nil)
  peer:collect { during = "1ms" }
  t:is(client:info().state, "CLOSE")
  client:nonblock(true)
  client:try("connect", "192.0.2.9", 4000)
  peer:fresh { port = 4000, isn = 5000 }
  peer.to_port = nil
  peer:expect("S 0:0(0)", { within = "1ms" })
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 500>"
  peer:expect ". 1:1(0) ack 1"
  client:send(("y"):rep(600))
  t:ok(t:is(tcp.sent(peer), "1:501 501:601"))
end)

tap.test("connecting to oneself (simultaneous open with one's own SYN) works and ends", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "tcp"
  s:bind("192.0.2.1", 5555)
  s:connect("192.0.2.1", 5555)
  s:send "echo"
  t:is((s:recv()), "echo")
  t:is(s:info().state, "ESTABLISHED")
  s:shutdown "wr"
  t:ok(t:is(s:recv(), ""))
end)

tap.test("old time stamps from outside do not poison TS.Recent (CVE-2005-0356)", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 1460,sackOK,TS val 1000 ecr 0", third = "nop,nop,TS val 1001 ecr 0" }
  -- Far beyond the window, with a time stamp of the future: only the ACK for it may go.
  peer:send ". 900000:900001(1) ack 1 win 65535 <nop,nop,TS val 2000000000 ecr 0>"
  peer:expect ". 1:1(0) ack 1 <nop,nop,TS val * ecr 1001>"
  peer:send "P. 1:6(5) ack 1 win 65535 <nop,nop,TS val 1002 ecr 0>"
  t:shows("RFC7323-5.3-3", peer:expect ". 1:1(0) ack 6 <nop,nop,TS val * ecr 1002>")
  t:is({ tcp.got(conn), host:counter "TcpExtPAWSEstab" }, { net.pattern(1, 5), 0 })
end)
