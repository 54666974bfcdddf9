-- SPDX-License-Identifier: MIT
-- Hosts and connections in a given state, for the suites of scripts/ that are about TCP (not part of
-- the documented library). The peer has sent its SYN (number 0) and, where the state has it, its FIN
-- (number 1); so has the host.
local net = require "net"

local tcp = {}

-- The suites show mechanisms with Linux's constants, in both profiles: what profile rfc has instead is
-- set back here, and shown by tests of its own (o.profile_values = true).
local CONSTANTS = {
  ["net.ipv4.tcp_rto_min_us"] = 200000,
  ["net.ipv4.tcp_syn_retries"] = 6,
  ["net.ipv4.tcp_syn_linear_timeouts"] = 4,
  ["net.ipv4.tcp_synack_retries"] = 5,
  ["net.ipv4.tcp_congestion_control"] = "cubic",
  ["tapline.rfc.congestion"] = 0,
}

-- Sets what of CONSTANTS the test did not choose, where it differs.
function tcp.constants(host, sysctl)
  for name, value in pairs(CONSTANTS) do
    if not (sysctl and sysctl[name]) and host:sysctl(name) ~= tostring(value) then
      host:sysctl(name, value)
    end
  end
  return host
end

local function host_and_peer(o)
  local host = net.host { addr = "192.0.2.1/24", sysctl = o.sysctl, mtu = o.mtu }
  if not o.profile_values then tcp.constants(host, o.sysctl) end
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000, isn = o.isn }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

-- A host that listens on port 80, and a peer for it.
function tcp.listen(o)
  o = o or {}
  local host, peer = host_and_peer(o)
  local server = host:socket "tcp"
  for name, value in pairs(o.options or {}) do server:option(name, value) end
  server:listen(80, o.backlog)
  return host, peer:to(80), server
end

-- A connection that the peer opened. o.syn: options of the SYN; o.third: those of later segments;
-- o.rtt: ms from the SYN,ACK to its ACK.
function tcp.passive(o)
  o = o or {}
  local host, peer, server = tcp.listen(o)
  peer:send(("S 0:0(0) win 65535 <%s>"):format(o.syn or "mss 1460"))
  peer:expect "S. 0:0(0) ack 1"
  if o.rtt then tcp.rest(o.rtt) end
  peer:send((". 1:1(0) ack 1 win %d <%s>"):format(o.win or 65535, o.third or ""))
  return host, peer, server:accept(), server
end

-- Waits so that what the peer sends now reaches the host so many ms after what it got just now left it.
function tcp.rest(ms) net.sleep(ms * 1000000 - 2000) end

-- A socket that connects to the peer's port; its SYN is on the wire and expected.
function tcp.connecting(o)
  o = o or {}
  local host, peer = host_and_peer(o)
  local client = host:socket("tcp", { nonblock = true })
  for name, value in pairs(o.options or {}) do client:option(name, value) end
  local _, err = client:try("connect", "192.0.2.9", 4000)
  if err ~= "EINPROGRESS" then error("connect: " .. tostring(err)) end
  peer:expect "S 0:0(0)"
  return host, peer, client
end

-- A connection that the host opened.
function tcp.active(o)
  o = o or {}
  local host, peer, client = tcp.connecting(o)
  peer:send(("S. 0:0(0) ack 1 win %d <%s>"):format(o.win or 65535, o.syn or "mss 1460"))
  peer:expect ". 1:1(0) ack 1"
  return host, peer, client
end

local build = {}

function build.CLOSED()
  local host, peer = host_and_peer {}
  return host, peer:to(80)
end

build.LISTEN = tcp.listen
build.SYN_SENT = tcp.connecting
build.ESTABLISHED = tcp.passive

function build.SYN_RECV()
  local host, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  return host, peer, server
end

function build.FIN_WAIT1()
  local host, peer, conn = tcp.passive()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  return host, peer, conn
end

function build.FIN_WAIT2()
  local host, peer, conn = build.FIN_WAIT1()
  peer:send ". 1:1(0) ack 2"
  net.sleep "1ms"
  return host, peer, conn
end

function build.CLOSE_WAIT()
  local host, peer, conn = tcp.passive()
  peer:send "F. 1:1(0) ack 1"
  peer:expect(". 1:1(0) ack 2", { within = "2ms" }) -- a delayed ACK, of no delay yet
  return host, peer, conn
end

function build.CLOSING()
  local host, peer, conn = build.FIN_WAIT1()
  peer:send "F. 1:1(0) ack 1"
  peer:expect ". 2:2(0) ack 2"
  return host, peer, conn
end

function build.LAST_ACK()
  local host, peer, conn = build.CLOSE_WAIT()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 2"
  return host, peer, conn
end

function build.TIME_WAIT()
  local host, peer, conn = build.FIN_WAIT2()
  peer:send "F. 1:1(0) ack 2"
  peer:expect ". 2:2(0) ack 2"
  return host, peer, conn
end

-- host, peer, socket (the listener's in LISTEN and SYN_RECV, none in CLOSED) in this state.
function tcp.state(name)
  return build[name]()
end

-- The host must send this so many ms after what came from it last, give or take the jiffy that a timer
-- is counted in; nothing before it. Call it when that has just come.
function tcp.expect_after(t, peer, text, ms)
  local start = net.now() - 1000
  local frame = peer:expect(text, { within = ms + 3 .. "ms" })
  local took = frame.sent - start
  t:ok(took > ms * 1000000 - 1000000 and took < ms * 1000000 + 1000000,
    ("%s: %d ns after, not %d ms"):format(text, took, ms))
  return frame
end

-- The data segments that the host sends within the next ms, as "1:1001 1001:2001".
function tcp.sent(peer, during)
  local list = {}
  for _, frame in ipairs(peer:collect { during = during or "1ms" }) do
    local len = #(frame.payload or "")
    if frame.tcp and len > 0 then
      local first = frame.tcp.seq - peer.tcp.host_isn & 0xffffffff
      list[#list + 1] = ("%d:%d"):format(first, first + len)
    end
  end
  return table.concat(list, " ")
end

-- Segments of 1000 octets from the n-th (counted from 0) on, as tcp.sent gives them.
function tcp.segments(first, count)
  local list = {}
  for i = first, first + count - 1 do list[#list + 1] = ("%d:%d"):format(i * 1000 + 1, i * 1000 + 1001) end
  return table.concat(list, " ")
end

-- Acknowledges all below the n-th segment of 1000 octets; SACK blocks for runs of such segments,
-- { first, behind the last } each.
function tcp.ack(peer, n, ...)
  local blocks = {}
  for _, run in ipairs { ... } do
    blocks[#blocks + 1] = ("%d:%d"):format(run[1] * 1000 + 1, run[2] * 1000 + 1)
  end
  local options = #blocks > 0 and "nop,nop,sack " .. table.concat(blocks, " ") or ""
  peer:send((". 1:1(0) ack %d win 65535 <%s>"):format(n * 1000 + 1, options))
end

-- All that is there to be read, without waiting.
function tcp.got(conn)
  local parts = {}
  while true do
    local data, err = conn:try("recv", { flags = "dontwait" })
    if data == nil or data == "" then return table.concat(parts), err end
    parts[#parts + 1] = data
  end
end

return tcp
