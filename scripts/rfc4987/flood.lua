-- SPDX-License-Identifier: MIT
-- SYN floods (RFC 4987 3): the backlog, and cookies (net.ipv4.tcp_syncookies: 0 never, 1 when the backlog
-- is full, 2 always).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local function flood(peer, first, count)
  for i = first, first + count - 1 do
    peer:fresh { port = 10000 + i, to = 80, isn = 5000 * i }
    peer:send "S 0:0(0) win 65535 <mss 1000>"
  end
end

-- The SYN,ACKs that come within a ms, by the port that they go to.
local function answers(peer)
  local list = {}
  for _, frame in ipairs(peer:collect { during = "1ms" }) do
    if frame.tcp.flags:find "S" then list[frame.tcp.dport] = frame end
  end
  return list
end

local function count(list)
  local n = 0
  for _ in pairs(list) do n = n + 1 end
  return n
end

local function listening(cookies, backlog)
  local host, peer, server = tcp.listen { sysctl = { ["net.ipv4.tcp_syncookies"] = cookies }, backlog = backlog }
  return host, peer, server
end

-- The ACK of the SYN,ACK that came to a port.
local function complete(peer, frame, change, data)
  peer:send(net.tcp { sport = frame.tcp.dport, dport = 80, flags = "A", seq = frame.tcp.ack,
    ack = frame.tcp.seq + 1 + (change or 0) & 0xffffffff, window = 65535 } / (data or ""))
end

tap.test("cookies: nothing is kept of a SYN until its ACK comes", function(t)
  local host, peer, server = listening(2, 5)
  flood(peer, 1, 200)
  local list = answers(peer)
  t:is(count(list), 200)
  t:is({ #host:sockets(), host:counter "TcpExtSyncookiesSent" }, { 1, 200 })
  t:is(#peer:collect { during = "10s" }, 0, "no SYN,ACK comes again: there is nobody to send it")
  complete(peer, list[10150])
  net.sleep "1ms"
  t:shows("RFC4987-3.6-1", t:is({ server:accept():peername().port, host:counter "TcpExtSyncookiesRecv" }, { 10150, 1 }))
end)

tap.test("cookies: an ACK that does not fit gets a reset; options that a cookie can not hold are not used", function(t)
  local host, peer, server = listening(2)
  peer:fresh { port = 4000, to = 80 }
  peer:send "S 0:0(0) win 65535 <mss 1000,nop,nop,sackOK,nop,wscale 7>"
  local synack = peer:expect "S. 0:0(0) ack 1"
  for _, change in ipairs { 100, 1 << 24, 1 << 31, (1 << 32) - 100 } do
    complete(peer, synack, change)
    local reset = peer:expect(net.tcp { flags = "R" }, { within = "1ms" })
    t:is(reset.tcp.seq, synack.tcp.seq + 1 + change & 0xffffffff)
  end
  t:is(host:counter "TcpExtSyncookiesFailed", 4)
  complete(peer, synack)
  local conn = server:accept()
  local info = conn:info()
  t:shows("RFC4987-3.6-2", t:is({ info.state, info.options & 6, info.snd_wscale }, { "ESTABLISHED", 0, 0 }))
  t:ok(info.snd_mss <= 1000, "the MSS is that of a table, not above the peer's")
end)

tap.test("the backlog is tunable, by listen and by sysctl", function(t)
  for _, case in ipairs { { 0, 4096, 1 }, { 3, 4096, 4 }, { 20, 4096, 21 }, { 1000, 8, 9 } } do
    local _, flooder = tcp.listen { backlog = case[1], sysctl = { ["net.ipv4.tcp_syncookies"] = 0,
      ["net.core.somaxconn"] = case[2], ["net.ipv4.tcp_max_syn_backlog"] = 4096 } }
    flood(flooder, 1, 60)
    t:shows("RFC4987-3.2-1", t:is(count(answers(flooder)), case[3]))
    flooder:collect { during = "100s" }
  end
end)

tap.test("a full backlog without cookies: SYNs are dropped; requests time out and make room", function(t)
  local host, peer = listening(0, 4)
  flood(peer, 1, 10)
  t:is(count(answers(peer)), 5)
  t:ok(host:counter "TcpExtListenDrops" >= 5)
  peer:collect { during = "100s" }
  flood(peer, 20, 3)
  t:is(count(answers(peer)), 3)
  peer:collect { during = "100s" }
end)

tap.test("cookies only when the backlog is full", function(t)
  local host, peer = listening(1, 4)
  flood(peer, 1, 4)
  t:is({ count(answers(peer)), host:counter "TcpExtSyncookiesSent" }, { 4, 0 })
  flood(peer, 10, 20)
  t:is(count(answers(peer)), 20)
  t:ok(host:counter "TcpExtSyncookiesSent" >= 19)
  peer:collect { during = "100s" }
end)
