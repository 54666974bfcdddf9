-- SPDX-License-Identifier: MIT
-- Connection tracking of TCP on a router between a client and a server that the script plays: every
-- transition, the window, time-outs, what is INVALID and dropped, resets.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, tcp = net.ip, net.tcp

-- A router that drops what is INVALID. f.client(...) and f.server(...) send a segment and tell
-- whether it arrived at the other end: "S 1000", "SA 5000 1001", "PA 1001 5001", { len, win, options }.
local function flow(options)
  local host, near, far = s.router(options)
  host:iptables "-A FORWARD -m conntrack --ctstate INVALID -j DROP"
  local f = { host = host, near = near, far = far }
  local function sender(from, to, sport, dport)
    return function(what, o)
      o = o or {}
      local flags, seq, ack = what:match "^(%a+) (%d+) ?(%d*)$"
      from:send(ip{ src = from.addr, dst = to.addr } /
        tcp{ sport = sport, dport = dport, flags = flags, seq = tonumber(seq) & 0xffffffff, ack = tonumber(ack) or 0,
          window = o.win or 10000, options = o.options } / ("d"):rep(o.len or 0))
      return #to:collect { during = "1ms" } == 1
    end
  end
  f.client = sender(near, far, 4000, 80)
  f.server = sender(far, near, 80, 4000)
  function f.entry() return host:conntrack "-L -p tcp" end
  function f.state() return f.entry():match "^tcp +6 %d+ (%S+)" end
  function f.timeout() return tonumber(f.entry():match "^tcp +6 (%d+)") end
  function f.assured() return f.entry():find("[ASSURED]", 1, true) ~= nil end
  function f.invalid()
    return tonumber(host:iptables "-v -S FORWARD 1":match "-c (%d+)")
  end
  function f.establish()
    f.client("S 1000")
    f.server("SA 5000 1001")
    f.client("A 1001 5001")
  end
  return f
end

-- States ------------------------------------------------------------------------------------------

tap.test("a connection from SYN to TIME_WAIT, the client closing first", function(t)
  local f = flow()
  t:ok(f.client "S 1000")
  t:is({ f.state(), f.timeout() }, { "SYN_SENT", 119 })
  t:like(f.entry(), "src=192.0.2.9 dst=198.51.100.9 sport=4000 dport=80 %[UNREPLIED%] src=198.51.100.9 dst=192.0.2.9 sport=80 dport=4000 mark=0")
  t:ok(f.server "SA 5000 1001")
  t:is({ f.state(), f.timeout(), f.assured() }, { "SYN_RECV", 59, false })
  t:ok(f.client "A 1001 5001")
  t:is({ f.state(), f.timeout(), f.assured() }, { "ESTABLISHED", 431999, true })
  t:ok(f.client("PA 1001 5001", { len = 100 }))
  t:is({ f.state(), f.timeout() }, { "ESTABLISHED", 299 }, "not acknowledged yet")
  t:ok(f.server "A 5001 1101")
  t:is(f.timeout(), 431999)
  t:ok(f.client "FA 1101 5001")
  t:is({ f.state(), f.timeout() }, { "FIN_WAIT", 119 })
  t:ok(f.server "A 5001 1102")
  t:is({ f.state(), f.timeout() }, { "CLOSE_WAIT", 59 })
  t:ok(f.server "FA 5001 1102")
  t:is({ f.state(), f.timeout() }, { "LAST_ACK", 29 })
  t:ok(f.client "A 1102 5002")
  t:is({ f.state(), f.timeout() }, { "TIME_WAIT", 119 })
  net.sleep "121s"
  t:is({ f.entry(), f.invalid() }, { "", 0 })
end)

tap.test("both close at once", function(t)
  local f = flow()
  f.establish()
  t:ok(f.client "FA 1001 5001")
  t:ok(f.server "FA 5001 1001")
  t:is(f.state(), "LAST_ACK")
  t:ok(f.client "A 1002 5002")
  t:is(f.state(), "TIME_WAIT")
  t:ok(f.server "A 5002 1002")
  t:is({ f.state(), f.invalid() }, { "TIME_WAIT", 0 })
end)

tap.test("simultaneous open", function(t)
  local f = flow()
  t:ok(f.client "S 1000")
  t:ok(f.server "S 5000")
  t:is(f.state(), "SYN_SENT2")
  t:ok(f.client "SA 1000 5001")
  t:is(f.state(), "SYN_RECV")
  t:ok(f.server "SA 5000 1001")
  t:ok(f.server "A 5001 1001")
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 0 })
end)

tap.test("a reset closes: by the server of a SYN at once, by either of a connection in ten seconds", function(t)
  local f = flow()
  f.client "S 1000"
  t:ok(f.server "RA 0 1001")
  t:is(f.entry(), "", "nothing but a reset has answered")
  f.establish()
  t:ok(f.client "R 1001")
  t:is({ f.state(), f.timeout() }, { "CLOSE", 9 })
  f.host:conntrack "-F"
  f.establish()
  t:ok(f.server "RA 5001 1001")
  t:is({ f.state(), f.timeout() }, { "CLOSE", 9 })
  net.sleep "11s"
  t:is({ f.entry(), f.invalid() }, { "", 0 })
end)

tap.test("a SYN that is sent again does not prolong the entry", function(t)
  local f = flow()
  f.client "S 1000"
  net.sleep "60s"
  t:ok(f.client "S 1000")
  t:is({ f.state(), f.timeout() }, { "SYN_SENT", 59 })
  net.sleep "60s"
  t:is(f.entry(), "")
end)

tap.test("TIME_WAIT ends early for a new SYN, which makes a new entry", function(t)
  local f = flow()
  f.establish()
  f.client "FA 1001 5001"
  f.server "FA 5001 1002"
  f.client "A 1002 5002"
  t:is(f.state(), "TIME_WAIT")
  t:ok(f.client "S 900000")
  t:is({ f.state(), f.assured() }, { "SYN_SENT", false })
  t:ok(f.server "SA 7000000 900001")
  t:is({ f.state(), f.invalid() }, { "SYN_RECV", 0 })
end)

tap.test("a SYN into a connection that stands is let through, and believed when it is answered", function(t)
  local f = flow()
  f.establish()
  t:ok(f.client "S 700000")
  t:is(f.state(), "ESTABLISHED")
  -- The server has forgotten the old connection.
  t:ok(f.server "SA 8000 700001")
  t:is(f.state(), "SYN_RECV")
  t:ok(f.client "A 700001 8001")
  t:ok(f.client("PA 700001 8001", { len = 10 }))
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 0 })
end)

tap.test("a challenge ACK passes, the reset it calls for closes (RFC 5961 4)", function(t)
  local f = flow()
  f.establish()
  t:ok(f.client "S 700000")
  t:ok(f.server "A 5001 1001")
  t:ok(f.client "R 1001")
  t:is({ f.state(), f.invalid() }, { "CLOSE", 0 })
  -- The same while the entry says SYN_SENT.
  f.host:conntrack "-F"
  f.client "S 1000"
  t:ok(f.server "A 5001 77")
  t:is(f.state(), "SYN_SENT")
  t:ok(f.client "R 77")
  t:is({ f.state(), f.invalid() }, { "CLOSE", 0 })
  t:ok(f.client "S 1000")
  t:like(f.entry(), "SYN_SENT .*%[UNREPLIED%]", "an entry of its own")
end)

tap.test("a challenge ACK in LAST_ACK is not taken for the acknowledgment of the FIN", function(t)
  local f = flow()
  f.establish()
  f.client "FA 1001 5001"
  f.server "FA 5001 1002"
  t:is(f.state(), "LAST_ACK")
  t:ok(f.client "S 700000")
  t:ok(f.server "A 5002 1002")
  t:is(f.state(), "LAST_ACK")
end)

tap.test("a connection that began before the router did is picked up, or not with tcp_loose 0", function(t)
  local f = flow()
  t:ok(f.client("PA 1001 5001", { len = 10 }))
  t:is({ f.state(), f.timeout(), f.assured() }, { "ESTABLISHED", 299, false })
  t:ok(f.server("PA 5001 1011", { len = 10 }))
  t:ok(f.client "A 1011 5011")
  t:is({ f.state(), f.assured() }, { "ESTABLISHED", true })
  f.host:conntrack "-F"
  f.host:sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
  t:ok(not f.client("PA 1011 5011", { len = 10 }))
  t:is({ f.entry(), f.invalid() }, { "", 1 })
end)

-- INVALID -----------------------------------------------------------------------------------------

tap.test("what can begin no connection is INVALID and makes no entry", function(t)
  local f = flow()
  for _, segment in ipairs { "SA 5000 1", "FA 1 1", "R 1", "RA 1 1", "SF 1", "SR 1", "FSRPAU 1 1", "U 1" } do
    t:ok(not f.client(segment), segment)
  end
  t:is({ f.entry(), f.invalid() }, { "", 8 })
end)

tap.test("a wrong checksum, a header cut off: INVALID", function(t)
  local f = flow()
  local function send(segment)
    f.near:send(ip{ src = f.near.addr, dst = f.far.addr } / segment)
    return #f.far:collect { during = "1ms" }
  end
  t:is(send(tcp{ sport = 4000, dport = 80, flags = "S", checksum = 0xbad }), 0)
  t:is(send(tcp{ sport = 4000, dport = 80, flags = "S", doff = 4 }), 0)
  t:is(send(tcp{ sport = 4000, dport = 80, flags = "S", doff = 15 }), 0)
  t:is({ f.entry(), f.invalid() }, { "", 3 })
  f.host:iptables "-A INPUT -m conntrack --ctstate NEW"
  local function to_the_router()
    f.near:send(ip{ dst = "192.0.2.1" } / tcp{ sport = 4000, dport = 80, flags = "S", checksum = 0xbad })
    net.sleep "1ms"
    return tonumber(f.host:iptables "-v -S INPUT 1":match "-c (%d+)")
  end
  t:is(to_the_router(), 0)
  f.host:sysctl("net.netfilter.nf_conntrack_checksum", 0)
  t:is(to_the_router(), 1)
end)

tap.test("why a packet is INVALID is traced when nf_conntrack_log_invalid asks", function(t)
  local f = flow()
  f.establish()
  net.trace "nf_ct_invalid"
  f.client "S 9 9"
  t:is(#net.traces(), 0)
  f.host:sysctl("net.netfilter.nf_conntrack_log_invalid", 6)
  f.client("PA 3000000 5001", { len = 10 })
  f.client("PA 1001 9000", { len = 10 })
  f.client "SF 1"
  local why = {}
  for _, r in ipairs(net.traces()) do why[#why + 1] = r.why end
  t:is(why, { 8, 9, 2 }, "SEQ over, ACK over, flags: numbers of nf_ct_invalid.def")
end)

-- The window --------------------------------------------------------------------------------------

tap.test("data in the window passes, data beyond it does not", function(t)
  local f = flow()
  f.establish()
  t:ok(f.client("A 1001 5001", { len = 1000 }))
  t:ok(f.client("A 11001 5001", { len = 0 }), "right at the edge")
  -- As far again it passes and counts for nothing: the edge may be older than the window.
  t:ok(not f.client("A 21002 5001"))
  t:ok(not f.client("A 500000 5001", { len = 10 }))
  t:is(f.invalid(), 2)
  t:ok(f.server("A 5001 2001", { win = 20000 }))
  t:ok(f.client("A 22001 5001"))
  t:ok(not f.client("A 42002 5001"))
end)

tap.test("an acknowledgment of what was never sent is INVALID", function(t)
  local f = flow()
  f.establish()
  t:ok(f.client("A 1001 5001"))
  t:ok(not f.client("A 1001 5002"))
  f.server("PA 5001 1001", { len = 100 })
  t:ok(f.client("A 1001 5101"))
  t:ok(not f.client("A 1001 5102"))
  t:is(f.invalid(), 2)
end)

tap.test("very old data and very old acknowledgments pass, and change nothing", function(t)
  local f = flow()
  f.client("S 1000", { options = { { "wscale", 7 } }, win = 65535 })
  f.server("SA 5000 1001", { options = { { "wscale", 7 } }, win = 65535 })
  f.client("A 1001 5001", { win = 2000 })
  f.server("A 5001 1001", { win = 2000 })
  for seq = 1001, 400000, 1400 do
    if not f.client("A " .. seq .. " 5001", { len = 1400, win = 2000 }) then t:fail("seq " .. seq) end
    f.server("A 5001 " .. seq + 1400, { win = 2000 })
  end
  t:ok(f.client("A 1001 5001", { len = 10 }), "far below the window")
  t:ok(f.server("A 5001 1001"), "an old acknowledgment")
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 0 })
end)

tap.test("window scale counts only when both sides offer it (RFC 7323 2.2)", function(t)
  for _, answer in ipairs { true, false } do
    local f = flow()
    f.client("S 1000", { options = { { "wscale", 7 } } })
    f.server("SA 5000 1001", { options = answer and { { "wscale", 7 } } or nil })
    f.client("A 1001 5001", { win = 1000 })
    f.server("A 5001 1001", { win = 1000 })
    t:is(f.client("A 129001 5001"), answer)
    t:ok(not f.client("A 300000 5001"))
  end
end)

tap.test("SACK blocks count as acknowledgments where SACK was agreed on", function(t)
  local f = flow()
  f.client("S 1000", { options = { "sackok", "nop", "nop" } })
  f.server("SA 5000 1001", { options = { "sackok", "nop", "nop" } })
  f.client "A 1001 5001"
  f.client("A 1001 5001", { len = 1000 })
  f.client("A 2001 5001", { len = 1000 })
  t:ok(f.server("A 5001 1001", { options = { "nop", "nop", { "sack", 2001, 3001 } } }))
  t:ok(not f.server("A 5001 1001", { options = { "nop", "nop", { "sack", 2001, 9001 } } }))
end)

tap.test("a sender that goes a little beyond the window: ignored, but its acknowledgment is right", function(t)
  local f = flow()
  f.establish()
  f.server("A 5001 1001", { win = 1000 })
  f.client("A 1001 5001", { len = 1000 })
  -- 500 bytes that the window had no room for: they pass, and change no state.
  t:ok(f.client("A 11002 5001", { len = 10 }))
  t:is(f.invalid(), 0)
  t:ok(f.server "A 5001 11012")
end)

tap.test("be_liberal lets what is out of the window pass", function(t)
  local f = flow()
  f.establish()
  t:ok(not f.client("PA 3000000 5001", { len = 10 }))
  f.host:sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", 1)
  t:ok(f.client("PA 3000000 5001", { len = 10 }))
end)

tap.test("sequence numbers wrap", function(t)
  local f = flow()
  f.client "S 4294967290"
  f.server "SA 4294967000 4294967291"
  f.client "A 4294967291 4294967001"
  t:ok(f.client("PA 4294967291 4294967001", { len = 100 }))
  t:ok(f.server("PA 4294967001 95", { len = 1000 }))
  t:ok(f.client("PA 95 705", { len = 10 }))
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 0 })
end)

-- Resets ------------------------------------------------------------------------------------------

tap.test("a reset before what was acknowledged is INVALID, one not exactly next closes nothing", function(t)
  local f = flow()
  f.establish()
  f.client("PA 1001 5001", { len = 100 })
  f.server("A 5001 1101")
  t:ok(not f.client "R 1050", "before what the server has acknowledged")
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 1 })
  t:ok(f.client "R 1105", "in the window: the server will challenge it (RFC 5961 3.2)")
  t:is({ f.state(), f.timeout() }, { "ESTABLISHED", 9 })
  t:ok(f.server "A 5001 1101")
  t:is({ f.state(), f.timeout() }, { "ESTABLISHED", 299 })
  t:ok(f.client "R 1101")
  t:is(f.state(), "CLOSE")
end)

tap.test("ignore_invalid_rst lets a reset before the acknowledgment pass the test for it", function(t)
  local f = flow()
  f.establish()
  f.client("PA 1001 5001", { len = 100 })
  f.server("A 5001 1101")
  f.host:sysctl("net.netfilter.nf_conntrack_tcp_ignore_invalid_rst", 1)
  t:ok(f.client "R 1050")
end)

tap.test("when it is closing any reset closes", function(t)
  local f = flow()
  f.establish()
  f.client "FA 1001 5001"
  f.server "A 5001 1002"
  t:ok(f.server "R 4444444")
  t:is({ f.state(), f.invalid() }, { "CLOSE", 0 })
end)

tap.test("FINs of both sides out of the window shorten the entry's life", function(t)
  local f = flow()
  f.establish()
  t:is(f.timeout(), 431999)
  t:ok(not f.client "FA 9000000 5001")
  t:is(f.timeout(), 431999, "only one of them")
  t:ok(not f.server "FA 9000000 1001")
  t:is(f.timeout(), 299)
end)

-- Time-outs ---------------------------------------------------------------------------------------

tap.test("each state's time-out is its sysctl", function(t)
  local f = flow()
  local p = "net.netfilter.nf_conntrack_tcp_timeout_"
  for i, name in ipairs { "syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close", "unacknowledged" } do
    f.host:sysctl(p .. name, 1000 * i)
  end
  f.host:sysctl(p .. "max_retrans", 100000)
  local seen = {}
  local function note() seen[#seen + 1] = f.timeout() + 1 end
  f.client "S 1000"; note()
  f.server "SA 5000 1001"; note()
  f.client "A 1001 5001"; note()
  f.client "FA 1001 5001"; note()
  f.server "A 5001 1002"; note()
  f.server "FA 5001 1002"; note()
  f.client "A 1002 5002"; note()
  f.client "R 1002"; note()
  t:is(seen, { 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000 })
end)

tap.test("the same acknowledgment again and again: max_retrans, then a shorter life", function(t)
  local f = flow()
  f.establish()
  for _ = 1, 3 do
    f.client "A 1001 5001"
  end
  t:is(f.timeout(), 299)
  f.client("PA 1001 5001", { len = 10 })
  f.server "A 5001 1011"
  t:is(f.timeout(), 431999)
end)

tap.test("a window of 0 is waited for no longer than max_retrans' time", function(t)
  local f = flow()
  f.establish()
  f.server("A 5001 1001", { win = 0 })
  t:is(f.timeout(), 299)
  f.server("A 5001 1001", { win = 100 })
  t:is(f.timeout(), 431999)
end)

-- RFC 5382 --------------------------------------------------------------------------------------------

tap.test("an established connection that is idle for two hours and four minutes is still known (RFC 5382 5)", function(t)
  local f = flow()
  f.establish()
  net.sleep "7440s"
  t:ok(f.server("PA 5001 1001", { len = 10 }))
  t:is({ f.state(), f.invalid() }, { "ESTABLISHED", 0 })
end)

-- A host as an end --------------------------------------------------------------------------------

tap.test("a host's own connection is tracked: only what belongs to it comes in", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 80 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:iptables "-P INPUT DROP"
  host:iptables "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT"
  local client = host:socket "tcp"
  local connecting = net.spawn(function() return client:connect(peer.addr, 80) end)
  peer:expect "S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10>"
  t:like(host:conntrack "-L", "tcp +6 120 SYN_SENT .*%[UNREPLIED%]")
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  connecting:join()
  peer:send("P. 1:6(5) ack 1", { data = "hello" })
  peer:expect ". 1:1(0) ack 6"
  t:is((client:recv()), "hello")
  t:like(host:conntrack "-L --state ESTABLISHED -u ASSURED", "^tcp")
  local other = host.wire:peer { addr = "192.0.2.10", port = 80 }
  other:send(tcp{ sport = 80, dport = 22, flags = "S" })
  other:expect_nothing { during = "1ms" }
  client:option("SO_LINGER", { 1, 0 })
  client:close()
  peer:expect "R. 1:1(0) ack 6"
  t:like(host:conntrack "-L", "tcp +6 10 CLOSE ")
end)
