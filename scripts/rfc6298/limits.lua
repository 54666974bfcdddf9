-- SPDX-License-Identifier: MIT
-- How often and how long is tried: SYN, SYN,ACK, data, orphans; keep-alives; who sets it (sysctls,
-- options), and in what the call ends.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- SYN ---------------------------------------------------------------------------------------------

-- Linux ends it after so many SYNs that go linearly and so many that back off, or when the time that
-- so many doublings of 1 s take is over, whatever is first.
-- The times of the SYNs after the first one, in ms since it.
local function syn_times(o)
  local _, peer, client = tcp.connecting(o)
  local list = {}
  for i, frame in ipairs(peer:collect { during = "20min" }) do
    list[i] = (frame.sent + 500000) // 1000000
  end
  return list, client
end

for retries, count in pairs { [1] = 2, [2] = 5, [3] = 7, [4] = 8 } do
  tap.test(("tcp_syn_retries = %d: %d SYNs more, then ETIMEDOUT"):format(retries, count), function(t)
    local list, client = syn_times { sysctl = { ["net.ipv4.tcp_syn_retries"] = retries } }
    t:is(#list, count)
    t:shows("RFC9293-MUST-22", t:is(client:option "SO_ERROR", net.C.ETIMEDOUT))
  end)
end

for linear, times in pairs { [0] = { 1000, 3000, 7000, 15000 }, [1] = { 1000, 2000, 4000, 8000 },
  [2] = { 1000, 2000, 3000, 5000 }, [4] = { 1000, 2000, 3000, 4000 } } do
  tap.test(("tcp_syn_linear_timeouts = %d: SYNs after %s ms"):format(linear, table.concat(times, ", ")),
    function(t)
      local list = syn_times { sysctl = { ["net.ipv4.tcp_syn_linear_timeouts"] = linear,
        ["net.ipv4.tcp_syn_retries"] = 4 } }
      t:is({ table.unpack(list, 1, 4) }, times)
    end)
end

for option, count in pairs { [1] = 2, [2] = 5, [5] = 9 } do
  tap.test(("TCP_SYNCNT %d: %d SYNs more, whatever the sysctl says"):format(option, count), function(t)
    local list, client = syn_times { options = { TCP_SYNCNT = option } }
    t:is(#list, count)
    t:is(client:option "SO_ERROR", net.C.ETIMEDOUT)
  end)
end

tap.test("profile rfc: a SYN is tried for 3 minutes at least", { profile = "rfc" }, function(t)
  local _, peer, client = tcp.connecting { profile_values = true }
  peer:collect { during = "180s" }
  t:shows("RFC9293-MUST-23", t:is(client:info().state, "SYN_SENT"))
  peer:collect { during = "5min" }
  t:is(client:info().state, "CLOSE")
end)

tap.test("TCP_USER_TIMEOUT ends connect too", function(t)
  local _, peer, client = tcp.connecting { options = { TCP_USER_TIMEOUT = 3500 } }
  peer:collect { during = "3s" }
  t:is(client:info().state, "SYN_SENT")
  peer:collect { during = "5s" }
  t:shows("RFC9293-MUST-21", t:is(client:option "SO_ERROR", net.C.ETIMEDOUT))
end)

for _, retries in ipairs { 0, 1, 3 } do
  tap.test(("tcp_synack_retries = %d"):format(retries), function(t)
    local host, peer = tcp.listen { sysctl = { ["net.ipv4.tcp_synack_retries"] = retries } }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1"
    t:shows("RFC4987-3.3-1", t:is(#peer:collect { during = "5min" }, retries))
    t:is(host:counter "TcpRetransSegs", retries)
    peer:send ". 1:1(0) ack 1" -- forgotten
    peer:expect "R 1:1(0)"
  end)
end

-- Data --------------------------------------------------------------------------------------------

for _, retries in ipairs { 3, 6, 10 } do
  tap.test(("tcp_retries2 = %d: as long as so many doublings of the RTO take"):format(retries), function(t)
    local _, peer, conn = tcp.passive { rtt = 100, sysctl = { ["net.ipv4.tcp_retries2"] = retries } }
    conn:send "x"
    peer:expect "P. 1:2(1) ack 1"
    -- Linux counts the time from the least RTO: 200 ms << i, 120 s at the most.
    local limit = 0
    for i = 0, retries do limit = limit + math.min(200 << i, 120000) end
    local sent = net.now()
    peer:collect { during = limit - 1 .. "ms" }
    t:shows("RFC9293-SHLD-10", t:is(conn:info().state, "ESTABLISHED"))
    peer:collect { during = "5min" }
    t:shows("RFC9293-MUST-20", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
    t:ok(sent)
  end)
end

for _, ms in ipairs { 1000, 5000, 30000, 120000 } do
  tap.test(("TCP_USER_TIMEOUT %d ms"):format(ms), function(t)
    local _, peer, conn = tcp.passive { rtt = 100 }
    conn:option("TCP_USER_TIMEOUT", ms)
    conn:send "x"
    peer:expect "P. 1:2(1) ack 1"
    peer:collect { during = ms .. "ms" }
    t:is(conn:info().state, "ESTABLISHED")
    peer:collect { during = "700ms" }
    t:shows("RFC9293-MUST-21", t:is(conn:info().state, "CLOSE"))
    t:is(select(2, conn:try "recv"), "ETIMEDOUT")
  end)
end

tap.test("TCP_RTO_MAX_MS: the back-off ends there", function(t)
  local _, peer, conn = tcp.passive { rtt = 100 }
  conn:option("TCP_RTO_MAX_MS", 1000)
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  local times, last = {}, net.now()
  for i, frame in ipairs(peer:collect { during = "6s" }) do
    times[i] = (frame.sent - last + 500000) // 1000000
    last = frame.sent
  end
  for i = 3, #times do t:ok(times[i] >= 999 and times[i] <= 1003, tap.repr(times)) end
  t:ok(#times >= 6)
end)

tap.test("thin streams: six time-outs without back-off", function(t)
  local _, peer, conn = tcp.passive { rtt = 400, sysctl = { ["net.ipv4.tcp_thin_linear_timeouts"] = 1 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  local last, waits = net.now(), {}
  for i, frame in ipairs(peer:collect { during = "15s" }) do
    waits[i] = (frame.sent - last + 500000) // 1000000
    last = frame.sent
  end
  for i = 1, 7 do t:is(waits[i], 1200) end
  t:ok(waits[8] >= 2400)
end)

tap.test("time-outs are told from the second to the last with IP_RECVERR or not at all", function(t)
  local _, peer, conn = tcp.passive { rtt = 100, sysctl = { ["net.ipv4.tcp_retries2"] = 5 } }
  conn:send "x"
  peer:collect { during = "3s" }
  t:is(conn:option "SO_ERROR", 0)
  t:ok(conn:info().retransmits > 0 and conn:info().backoff > 0)
  t:shows("RFC9293-SHLD-9", t:is(conn:info().retransmits, conn:info().backoff))
  peer:collect { during = "2min" }
end)

-- Orphans -----------------------------------------------------------------------------------------

for _, retries in ipairs { 1, 2, 4 } do
  tap.test(("tcp_orphan_retries = %d: the FIN of a closed socket"):format(retries), function(t)
    local host, peer, conn = tcp.passive { rtt = 100, sysctl = { ["net.ipv4.tcp_orphan_retries"] = retries } }
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
    local frames = #peer:collect { during = "10min" }
    t:ok(frames >= retries and frames <= retries + 1, frames .. " FINs more")
    t:is(#host:sockets(), 1)
  end)
end

for _, seconds in ipairs { 1, 5, 30 } do
  tap.test(("TCP_LINGER2 %d: so long an orphan is in FIN-WAIT-2"):format(seconds), function(t)
    local host, peer, conn = tcp.passive()
    conn:option("TCP_LINGER2", seconds)
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
    peer:send ". 1:1(0) ack 2"
    net.sleep(seconds * 1000000000 - 200000000)
    t:is(#host:sockets(), 2)
    net.sleep "400ms"
    t:is(#host:sockets(), 1)
  end)
end

tap.test("TCP_LINGER2 -1: an orphan is not kept in FIN-WAIT-2: reset", function(t)
  local host, peer, conn = tcp.passive()
  conn:option("TCP_LINGER2", -1)
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2"
  peer:expect "R 2:2(0)"
  t:is(#host:sockets(), 1)
  t:is(host:counter "TcpExtTCPAbortOnData", 1)
end)

-- Keep-alives -------------------------------------------------------------------------------------

for _, case in ipairs { { 1, 1, 1 }, { 5, 1, 3 }, { 60, 10, 5 }, { 600, 75, 9 } } do
  local idle, interval, count = table.unpack(case)
  tap.test(("keep-alive after %d s, every %d s, %d times"):format(idle, interval, count), function(t)
    local host, peer, conn = tcp.passive()
    conn:option("SO_KEEPALIVE", 1)
    conn:option("TCP_KEEPIDLE", idle)
    conn:option("TCP_KEEPINTVL", interval)
    conn:option("TCP_KEEPCNT", count)
    local start, times = net.now(), {}
    for i, frame in ipairs(peer:collect { during = idle + interval * count + 10 .. "s" }) do
      times[i] = (frame.sent - start + 500000000) // 1000000000
    end
    local expect = {}
    for i = 1, count do expect[i] = idle + (i - 1) * interval end
    expect[count + 1] = idle + count * interval -- the reset
    t:shows("RFC9293-MAY-5", t:is(times, expect))
    t:shows("RFC9293-MUST-27", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
    t:is(host:counter "TcpExtTCPKeepAlive", count)
  end)
end

tap.test("keep-alive: sysctls give what options do not", function(t)
  local _, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_keepalive_time"] = 20,
    ["net.ipv4.tcp_keepalive_intvl"] = 3, ["net.ipv4.tcp_keepalive_probes"] = 2 } }
  t:is({ conn:option "TCP_KEEPIDLE", conn:option "TCP_KEEPINTVL", (conn:option "TCP_KEEPCNT") }, { 20, 3, 2 })
  conn:option("SO_KEEPALIVE", 1)
  peer:expect(". 0:0(0) ack 1", { within = "21s" })
  t:shows("RFC9293-MUST-27", peer:expect(". 0:0(0) ack 1", { within = "4s" }))
  peer:expect("R. 1:1(0) ack 1", { within = "4s" })
end)

tap.test("keep-alive: a reset for an answer ends it", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_KEEPIDLE", 5)
  conn:option("SO_KEEPALIVE", 1)
  peer:expect(". 0:0(0) ack 1", { within = "6s" })
  peer:send "R 1:1(0)"
  net.sleep "1ms"
  t:ok(t:is(select(2, conn:try "recv"), "ECONNRESET"))
end)

tap.test("keep-alive: asked for late, the idle time counts from the last segment", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_KEEPIDLE", 10)
  net.sleep "8s"
  conn:option("SO_KEEPALIVE", 1)
  peer:expect_nothing { during = "1900ms" }
  t:shows("RFC9293-MUST-26", peer:expect(". 0:0(0) ack 1", { within = "9s" }))
end)

tap.test("keep-alive: half closed connections are probed too, in CLOSE-WAIT and FIN-WAIT-2", function(t)
  for state, probe in pairs { CLOSE_WAIT = ". 0:0(0) ack 2", FIN_WAIT2 = ". 1:1(0) ack 1" } do
    local _, peer, conn = tcp.state(state)
    conn:option("TCP_KEEPIDLE", 5)
    conn:option("SO_KEEPALIVE", 1)
    t:ok(peer:expect(probe, { within = "6s" }))
    conn:option("SO_KEEPALIVE", 0)
  end
end)

tap.test("keep-alive: with TCP_USER_TIMEOUT it ends when that is over", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_KEEPIDLE", 5)
  conn:option("TCP_KEEPINTVL", 2)
  conn:option("TCP_KEEPCNT", 100)
  conn:option("TCP_USER_TIMEOUT", 12000)
  conn:option("SO_KEEPALIVE", 1)
  peer:collect { during = "11s" }
  t:is(conn:info().state, "ESTABLISHED")
  peer:collect { during = "5s" }
  t:shows("RFC9293-MUST-21", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("limits of the keep-alive options", function(t)
  local _, _, conn = tcp.passive()
  for name, values in pairs { TCP_KEEPIDLE = { 1, 32767, { 0, 32768 } }, TCP_KEEPINTVL = { 1, 32767, { 0, 32768 } },
    TCP_KEEPCNT = { 1, 127, { 0, 128 } } } do
    for i = 1, 2 do
      conn:option(name, values[i])
      t:is(conn:option(name), values[i])
    end
    for _, bad in ipairs(values[3]) do t:is(select(2, conn:try("option", name, bad)), "EINVAL") end
  end
end)
