-- SPDX-License-Identifier: MIT
-- SEGMENT ARRIVES (RFC 9293 3.10.7): every state, every kind of segment, every place in and out of
-- the window; a test each, with all that must be sent and the state after it.
--
-- A rule gives { what is sent, the state after it, the requirement }. Where profile linux does not
-- follow the RFC, or the place is one that the requirement does not speak of, there is no
-- requirement.
local tap = require "tap"
local tcp = require "suite.tcp"

local STATES = { "CLOSED", "LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1",
  "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT" }

-- Flags, octets of data, and which acknowledgement: "now" (SND.NXT), "una" (SND.UNA), "future".
local KINDS = {
  { name = "RST", flags = "R", rst = true },
  { name = "RST,ACK", flags = "R.", rst = true, ack = "now" },
  { name = "SYN", flags = "S", syn = true },
  { name = "SYN,ACK", flags = "S.", syn = true, ack = "una" },
  { name = "no flags", flags = "-" },
  { name = "data without ACK", flags = "P", len = 10 },
  { name = "FIN without ACK", flags = "F", fin = true },
  { name = "ACK", flags = ".", ack = "una" },
  { name = "ACK of the future", flags = ".", ack = "future" },
  { name = "data", flags = "P.", len = 10, ack = "una" },
  { name = "FIN", flags = "F.", fin = true, ack = "una" },
}

local PLACES = { "at RCV.NXT", "in the window", "below the window", "above the window" }
local OFFSETS = { ["at RCV.NXT"] = 0, ["in the window"] = 1000, ["below the window"] = -50,
  ["above the window"] = 200000 }

-- RCV.NXT, SND.NXT, SND.UNA of the host.
local NUMBERS = {
  CLOSED = { 1, 1, 1 }, LISTEN = { 1, 1, 1 }, SYN_SENT = { 0, 1, 0 }, SYN_RECV = { 1, 1, 0 },
  ESTABLISHED = { 1, 1, 1 }, FIN_WAIT1 = { 1, 2, 1 }, FIN_WAIT2 = { 1, 2, 2 },
  CLOSE_WAIT = { 2, 1, 1 }, CLOSING = { 2, 2, 1 }, LAST_ACK = { 2, 2, 1 }, TIME_WAIT = { 2, 2, 2 },
}

-- One point as the rules see it.
local function point(state, kind, place)
  local rcv_nxt, snd_nxt, snd_una = table.unpack(NUMBERS[state])
  local acks = { now = snd_nxt, una = snd_una, future = snd_nxt + 5000 }
  local len = kind.len or 0
  return {
    state = state, rst = kind.rst, syn = kind.syn, fin = kind.fin, flags = kind.flags, len = len,
    seq = rcv_nxt + OFFSETS[place], ack = acks[kind.ack], future = kind.ack == "future",
    seg_len = len + (kind.syn and 1 or 0) + (kind.fin and 1 or 0),
    rcv_nxt = rcv_nxt, snd_nxt = snd_nxt, exact = place == "at RCV.NXT",
    inside = place == "at RCV.NXT" or place == "in the window",
  }
end

-- Segments as text: flags, number ("0!": the bare number 0; "?": any), acknowledgement.
local function segment(flags, seq, ack)
  return ("%s %s%s"):format(flags, seq, ack and " ack " .. ack or "")
end

local function reset(p)
  if p.ack then return segment("R", p.ack) end
  return segment("R.", "0!", p.seq + p.seg_len)
end

local function ack(p, more) return segment(".", p.snd_nxt, p.rcv_nxt + (more or 0)) end

local rules = {}

-- 3.10.7.1
function rules.CLOSED(p)
  if p.rst then return nil, nil, "RFC9293-3.5.2-4" end
  return reset(p), nil, "RFC9293-3.10.7.1-1"
end

-- 3.10.7.2
function rules.LISTEN(p)
  if p.rst then return nil, nil, "RFC9293-3.10.7.2-1" end
  if p.ack then return reset(p), nil, "RFC9293-3.10.7.2-1" end
  if p.syn then return segment("S.", "?", p.seq + 1), nil, "RFC9293-3.10.7.2-2" end
  return nil, nil, "RFC9293-3.10.7.2-3"
end

-- 3.10.7.3: no number of the peer's is known yet. After an ACK of something else the SYN is sent
-- again soon.
function rules.SYN_SENT(p)
  if p.ack and p.ack ~= 1 then
    return { reset(p), segment("S", 0) }, "SYN_SENT", "RFC9293-3.10.7.3-1"
  end
  if p.rst then
    if p.ack then return nil, "CLOSE", "RFC9293-3.10.7.3-2" end
    return nil, "SYN_SENT", "RFC9293-3.10.7.3-3"
  end
  if p.syn then return segment("S.", 0, p.seq + 1), "SYN_RECV", "RFC9293-3.10.7.3-5" end
  return nil, "SYN_SENT", "RFC9293-3.10.7.3-6"
end

-- profile linux: the acknowledgement is looked at before the number; a SYN in the window is answered
-- by a reset (profile rfc: the request goes back to LISTEN, without an answer).
function rules.SYN_RECV(p)
  if p.rst then
    if p.inside and not p.exact then return ack(p), nil, "RFC9293-3.10.7.4-7" end
    return nil, nil, "RFC9293-3.5.2-4"
  end
  if p.ack then return reset(p), nil, p.inside and "RFC9293-3.10.7.4-13" or nil end
  if not p.inside then return ack(p), nil, "RFC9293-3.10.7.4-3" end
  if p.syn and p.profile == "rfc" then return nil end
  if p.syn then return reset(p) end
  return nil, nil, "RFC9293-3.10.7.4-12"
end

local takes_data = { ESTABLISHED = true, FIN_WAIT1 = true, FIN_WAIT2 = true }
local after_fin = { ESTABLISHED = { "CLOSE_WAIT", "RFC9293-3.10.7.4-27" },
  FIN_WAIT1 = { "CLOSING", "RFC9293-3.10.7.4-28" },
  FIN_WAIT2 = { "CLOSE", "RFC9293-3.10.7.4-29" } } -- of the socket: TIME-WAIT has none

local function data_and_fin(p)
  if not takes_data[p.state] then
    return nil, p.state, p.fin and "RFC9293-3.10.7.4-30" or "RFC9293-3.10.7.4-23"
  end
  if not p.exact then return ack(p), p.state, "RFC9293-MAY-13" end
  if p.fin then return ack(p, 1), after_fin[p.state][1], after_fin[p.state][2] end
  return ack(p, p.len), p.state, "RFC9293-3.10.7.4-1"
end

-- 3.10.7.4. profile linux: a segment without ACK, RST and SYN is dropped before all else.
local function synchronized(p)
  if not p.ack and not p.rst and not p.syn then
    return nil, p.state, p.inside and "RFC9293-3.10.7.4-12" or nil
  end
  if p.rst then
    if p.exact then return nil, "CLOSE", "RFC9293-3.10.7.4-6" end
    if p.inside then return ack(p), p.state, "RFC9293-3.10.7.4-7" end
    return nil, p.state, "RFC9293-3.10.7.4-5"
  end
  if p.syn then return ack(p), p.state, "RFC9293-3.10.7.4-11" end
  if not p.inside then return ack(p), p.state, "RFC9293-3.10.7.4-3" end
  if p.future then return ack(p), p.state, "RFC9293-3.10.7.4-16" end
  if p.seg_len == 0 then return nil, p.state, "RFC9293-3.10.7.4-15" end
  return data_and_fin(p)
end

for _, state in ipairs { "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "CLOSING",
  "LAST_ACK" } do
  rules[state] = synchronized
end

-- profile linux: only what is empty and in order goes without an answer.
function rules.TIME_WAIT(p)
  if p.rst then return nil, nil, "RFC9293-3.5.2-4" end
  if p.syn and not p.ack then
    if p.seq > p.rcv_nxt then
      return segment("S.", p.snd_nxt + 65537, p.seq + 1), nil, "RFC9293-MAY-2"
    end
    return ack(p), nil, "RFC9293-3.6.1-1"
  end
  if p.exact and p.seg_len == 0 then return nil end
  if not p.inside then return ack(p), nil, "RFC9293-3.10.7.4-3" end
  return ack(p)
end

-- What came, in the notation of the rules; `wanted` says where any number will do.
local function shown(peer, frame, wanted)
  local tcp_layer = frame.tcp
  local seq = tcp_layer.seq - (peer.tcp.host_isn or 0) & 0xffffffff
  if wanted and wanted:find("0!", 1, true) and tcp_layer.seq == 0 then seq = "0!" end
  if wanted and wanted:find("?", 1, true) then seq = "?" end
  local acks = tcp_layer.flags:find(".", 1, true)
  return segment(tcp_layer.flags, seq,
    acks and (tcp_layer.ack - peer.tcp.isn + (1 << 31) & 0xffffffff) - (1 << 31))
end

local function run(t, p)
  local _, peer, socket = tcp.state(p.state)
  local packet = peer:segment(("%s 0:%d(%d)%s"):format(p.flags, p.len, p.len,
    p.ack and " ack " .. p.ack or ""))
  packet.tcp.seq = peer.tcp.isn + p.seq
  p.profile = t.profile
  local send, state, requirement = rules[p.state](p)
  if type(send) ~= "table" then send = { send } end
  peer:send(packet)
  local got = {}
  for i, frame in ipairs(peer:collect { during = "100ms" }) do
    got[i] = shown(peer, frame, send[i])
  end
  local sent = t:is(got, send, "what is sent")
  if state then t:is(socket:info().state, state, "the state after it") end
  if requirement then t:shows(requirement, sent) end
end

for _, state in ipairs(STATES) do
  for _, kind in ipairs(KINDS) do
    for _, place in ipairs(PLACES) do
      tap.test(("%s: %s %s"):format(state, kind.name, place), function(t)
        run(t, point(state, kind, place))
      end)
    end
  end
end
