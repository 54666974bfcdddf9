-- SPDX-License-Identifier: MIT
-- The capture cases of pcaps/ that are TCP conversations (not part of the documented library). One
-- module for both sides: `talk` makes the frames, `server` and `client` run the host under test.
local make = require "make"
local case = require "case"

local talk = {}

talk.host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1", port = 80, isn = 0x11223344 }
talk.peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9", port = 4000, isn = 0xfffffff0 }

-- The first identification of the host's socket; each of its segments has the next one.
local ID = 0x2000

-- What is sent before there is a full socket, and resets: never fragmented, no identification.
talk.BARE = { ttl = 64, df = true, id = 0 }

local function merged(fields, more)
  local all = {}
  for key, value in pairs(fields) do all[key] = value end
  for key, value in pairs(more or {}) do all[key] = value end
  return all
end

-- A conversation between the two stations: f(c) says it, c.at, c.peer, c.host and c.bare in turn.
-- Each of the last three takes a segment in short, its data, and fields of its IP header. c.auth(peer,
-- host): what signs from now on (net.tcp_md5, net.tcp_ao; nil: nothing).
function talk.make(name, o, f)
  if f == nil then o, f = {}, o end
  make.capture(name, o, function(c)
    local n = -1
    local talker = { capture = c }
    function talker.at(time) c:at(time) end
    local peer_auth, host_auth
    function talker.auth(peer, host) peer_auth, host_auth = peer, host end
    function talker.peer(text, data, ip)
      c:segment(talk.peer, talk.host, text, { data = data, ip = ip, auth = peer_auth })
    end
    local function from_host(text, data, ip)
      c:segment(talk.host, talk.peer, text, { data = data, ip = ip, auth = host_auth })
    end
    function talker.bare(text, data, ip) from_host(text, data, merged(talk.BARE, ip)) end
    function talker.host(text, data, ip)
      n = n + 1
      from_host(text, data, merged({ ttl = 64, df = true, id = ID + n }, ip))
    end
    -- A packet of the peer that is no segment in short.
    function talker.send(packet) c:send(talk.peer, talk.host, packet) end
    f(talker)
  end)
end

-- The peer opens: an empty round trip, the options of its SYN and of the answer. An ACK of its own
-- with `third`.
function talk.passive(c, syn, synack, third)
  c.peer(("S 0:0(0) win 65535 <%s>"):format(syn or "mss 1460"))
  c.bare(("S. 0:0(0) ack 1 win %s <%s>"):format(synack and synack:find "TS" and "65160" or "64240",
    synack or "mss 1460"))
  c.peer((". 1:1(0) ack 1 win 65535 <%s>"):format(third or ""))
end

-- The same with a round trip of 400 ms: SRTT 400 ms, RTTVAR 200 ms, and so RTO = SRTT + 4 * RTTVAR =
-- 1200 ms (RFC 6298 2.2).
function talk.passive_slow(c, mss, others)
  c.peer(("S 0:0(0) win 65535 <mss %d%s>"):format(mss, others or ""))
  c.bare(("S. 0:0(0) ack 1 win 64240 <mss 1460%s>"):format(others or ""))
  c.at "400ms"
  c.peer ". 1:1(0) ack 1 win 65535"
end

local function options(o)
  local known = { host = { addr = "192.0.2.1/24", mac = talk.host.mac, sysctl = o.sysctl } }
  for key, value in pairs(o) do
    if key ~= "sysctl" and key ~= "program" and key ~= "listen" then known[key] = value end
  end
  known.setup = function(host)
    host:neigh { addr = talk.peer.ip, mac = talk.peer.mac }
    if o.setup then o.setup(host) end
  end
  return known
end

-- The case beside the script: the host listens on port 80; o.program(conn, program, t, server) has the
-- connection. o.listen sets options of the listener: { TCP_FASTOPEN = 5 }.
function talk.server(title, o)
  local all = options(o)
  all.program = function(host, program, t)
    local server = host:socket "tcp"
    for name, value in pairs(o.listen or {}) do server:option(name, value) end
    server:listen(talk.host.port)
    if o.silent or not o.program then return end
    local conn = server:accept()
    o.program(conn, program, t, server)
  end
  case.capture(title, all)
end

-- The same for a host that opens: o.program(client, program, t, host) has a socket that is not connected.
function talk.client(title, o)
  local all = options(o)
  all.program = function(host, program, t) o.program(host:socket "tcp", program, t, host) end
  case.capture(title, all)
end

return talk
