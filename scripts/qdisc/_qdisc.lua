-- SPDX-License-Identifier: MIT
-- What the suites of queueing disciplines begin with, read off tc, and complain about.
local station = require "suite.station"

local qdisc = {}

-- A host, a peer that it knows, a UDP socket. o: options of net.host.
function qdisc.station(o)
  local host, peer = station.pair(o)
  return host, peer, host:socket "udp"
end

-- A UDP socket from this port to 192.0.2.9:9. o: its pacing rate, priority, tos, sndbuf.
function qdisc.sender(host, port, o)
  o = o or {}
  local s = host:socket "udp"
  s:bind(port)
  if o.rate then s:option("SO_MAX_PACING_RATE", o.rate) end
  if o.priority then s:option("SO_PRIORITY", o.priority) end
  if o.tos then s:option("IP_TOS", o.tos) end
  if o.sndbuf then s:option("SO_SNDBUF", o.sndbuf) end
  s:connect("192.0.2.9", 9)
  return s
end

-- A number of `tc -s qdisc`, by the word in front of it.
function qdisc.stat(host, name)
  return tonumber(host:tc("-s qdisc show dev eth0"):match(name .. " (%d+)"))
end

-- A command that tc refuses with these words.
function qdisc.complains(t, host, words, text)
  local ok, err = pcall(host.tc, host, words)
  t:is(ok, false, words)
  t:ok(err:find(text, 1, true), err)
end

return qdisc
