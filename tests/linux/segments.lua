-- SPDX-License-Identifier: MIT
-- SEGMENT ARRIVES: in every state, segments of every kind, in and out of the window: what is sent, what is
-- counted, TCP_INFO and what the socket tells afterwards. The part of the sequence is a state.
local info = require "info"

local ISN = 1000000

-- Counters that change, of /proc/net/snmp and /proc/net/netstat.
local function counters(w)
  local all = {}
  for _, path in ipairs { "/proc/net/snmp", "/proc/net/netstat" } do
    local group, names
    for line in w.proc(path):gmatch "[^\n]+" do
      local head, rest = line:match "^(%w+): (.*)$"
      if head ~= group then
        group, names = head, {}
        for name in rest:gmatch "%S+" do names[#names + 1] = head .. name end
      else
        local i = 0
        for value in rest:gmatch "%S+" do
          i = i + 1
          all[names[i]] = tonumber(value)
        end
        group = nil
      end
    end
  end
  return all
end

local function changes(before, after)
  local list = {}
  for name, value in pairs(after) do
    local change = value - (before[name] or 0)
    if change ~= 0 and not name:find "MPTcp" then list[#list + 1] = name .. "=" .. change end
  end
  table.sort(list)
  return #list > 0 and table.concat(list, " ") or "-"
end

return function(w, part)
  local C = w.C
  local station = require "wire" (w)
  local option = station.option
  assert(w.sysctl("net.ipv4.tcp_no_metrics_save", 1))

  -- One connection ------------------------------------------------------------------------------

  local Conn = {}
  Conn.__index = Conn
  local port = 1000

  -- `full`: time stamps, SACK, window scale; else none of them.
  local function new(full)
    port = port + 1
    return setmetatable({ full = full, port = port, remote = 5000, irs = 0, rcv_nxt = 0, snd_una = 0, snd_nxt = 0,
      now = 1000, echo = 0 }, Conn)
  end

  local function syn_options(c)
    if not c.full then return option.mss(1000) end
    return option.mss(1000) .. option.sack_ok .. option.ts(c.now, c.echo) .. "\1" .. option.wscale(4)
  end

  function Conn:options()
    return self.full and "\1\1" .. option.ts(self.now, self.echo) or ""
  end

  -- seq and ack are relative to the initial numbers of the sides.
  function Conn:send(flags, seq, ack, more)
    local s = { sport = self.remote, dport = self.port, flags = flags, seq = ISN + seq,
      ack = flags:find "A" and self.irs + (ack or 0) or ack or 0, options = self:options(), win = 1000 }
    for name, value in pairs(more or {}) do s[name] = value end
    station.send(s)
  end

  -- What the host sends: learned from, and as words.
  function Conn:take()
    local words = {}
    for _, s in ipairs(station.take()) do
      if s.flags:find "S" then self.irs = s.seq end
      local text, opts = ("%s:%s:%d:%d:win=%d"):format(s.flags, s.seq == 0 and "zero" or s.seq - self.irs,
        #s.payload, s.ack == 0 and -1 or s.ack - ISN, s.win), {}
      if s.urg ~= 0 then text = text .. ":urg=" .. s.urg end
      for _, o in ipairs(s.options) do
        if o.kind == 8 then
          local value, echo = (">I4I4"):unpack(o.data)
          self.echo = value
          opts[#opts + 1] = "ts=" .. echo
        elseif o.kind == 5 then
          for at = 1, #o.data, 8 do
            local left, right = (">I4I4"):unpack(o.data, at)
            opts[#opts + 1] = ("sack=%d-%d"):format(left - ISN, right - ISN)
          end
        else
          opts[#opts + 1] = o.kind .. "=" .. w.hex(o.data)
        end
      end
      words[#words + 1] = text .. "<" .. table.concat(opts, ",") .. ">"
    end
    return #words > 0 and table.concat(words, " ") or "-"
  end

  -- The same, when it goes with the next tick of the clock only.
  function Conn:await()
    local until_then = w.clock() + 25000000
    while w.clock() < until_then do
      local words = self:take()
      if words ~= "-" then return words end
      w.sleep(1000000)
    end
    return "-"
  end

  -- States --------------------------------------------------------------------------------------

  local state = {}

  function state.CLOSED() end

  function state.LISTEN(c)
    c.listener = w.tcp()
    w.must("bind", { fd = c.listener, addr = station.HOST, port = c.port })
    w.must("listen", { fd = c.listener, arg0 = 10 })
  end

  function state.SYN_RECV(c)
    state.LISTEN(c)
    c:send("S", 0, nil, { options = syn_options(c) })
    c:take()
    c.rcv_nxt, c.snd_nxt = 1, 1
  end

  function state.ESTABLISHED(c)
    state.SYN_RECV(c)
    c:send("A", 1, 1)
    c.fd = w.must("accept", { fd = c.listener, arg0 = C.NONBLOCK }).ret
    c.snd_una = 1
  end

  function state.SYN_SENT(c)
    c.fd = w.tcp()
    w.must("bind", { fd = c.fd, addr = station.HOST, port = c.port })
    w.connect(c.fd, station.STATION, c.remote)
    c:take()
    c.snd_nxt = 1
  end

  -- A socket of its own from a simultaneous open.
  function state.SYN_RECV_SOCK(c)
    state.SYN_SENT(c)
    c:send("S", 0, nil, { options = syn_options(c) })
    c:take()
    c.rcv_nxt = 1
  end

  -- The peer has sent and the user has not read, and the other way round.
  function state.UNREAD(c)
    state.ESTABLISHED(c)
    c:send("PA", 1, 1, { payload = ("x"):rep(100) })
    c.rcv_nxt = 101
  end

  function state.UNACKED(c)
    state.ESTABLISHED(c)
    for _ = 1, 4 do w.send(c.fd, ("y"):rep(100)) end
    c.snd_nxt = 401
  end

  -- Something after a gap has come.
  function state.GAP(c)
    state.ESTABLISHED(c)
    c:send("PA", 51, 1, { payload = ("x"):rep(50) })
  end

  function state.FIN_WAIT1(c)
    state.ESTABLISHED(c)
    w.must("shutdown", { fd = c.fd, arg0 = 1 })
    c.snd_nxt = 2
  end

  function state.FIN_WAIT2(c)
    state.FIN_WAIT1(c)
    c:send("A", 1, 2)
    c.snd_una = 2
  end

  function state.CLOSING(c)
    state.FIN_WAIT1(c)
    c:send("FA", 1, 1)
    c.rcv_nxt = 2
  end

  function state.TIME_WAIT(c)
    state.FIN_WAIT2(c)
    c:send("FA", 1, 2)
    c.rcv_nxt = 2
  end

  function state.CLOSE_WAIT(c)
    state.ESTABLISHED(c)
    c:send("FA", 1, 1)
    c.rcv_nxt = 2
    c:await()
  end

  function state.LAST_ACK(c)
    state.CLOSE_WAIT(c)
    w.must("shutdown", { fd = c.fd, arg0 = 1 })
    c.snd_nxt = 2
  end

  -- Without a user: FIN-WAIT-2 is waited out without a socket.
  function state.ORPHAN(c)
    state.ESTABLISHED(c)
    w.close(c.fd)
    c.fd = nil
    c:send("A", 1, 2)
    c.snd_una, c.snd_nxt = 2, 2
  end

  -- The user hears nothing more, but the connection is open to send.
  function state.SHUT_RD(c)
    state.ESTABLISHED(c)
    w.must("shutdown", { fd = c.fd, arg0 = 0 })
  end

  -- Cases ---------------------------------------------------------------------------------------

  local takes_fin = { ESTABLISHED = true, UNREAD = true, UNACKED = true, GAP = true, SHUT_RD = true,
    SYN_RECV_SOCK = true }

  local function end_of(c)
    if c.fd then
      w.set(c.fd, 1, 13, w.int(1) .. w.int(0))
      w.close(c.fd)
    end
    if c.listener then w.close(c.listener) end
    c:take()
  end

  local function socket_words(c)
    local words = {}
    if c.fd then
      words[#words + 1] = "poll=" .. w.poll(c.fd):gsub(" ", "+")
      words[#words + 1] = "error=" .. w.get(c.fd, 1, 4)
      local got = w.recv(c.fd, 65536, C.MSG_PEEK | C.MSG_TRUNC)
      words[#words + 1] = "read=" .. got:gsub(" ", "+")
      words[#words + 1] = "sent=" .. w.outcome("ioctl", { fd = c.fd, arg0 = C.SIOCOUTQ })
    end
    if c.listener then words[#words + 1] = "listener=" .. w.poll(c.listener):gsub(" ", "+") end
    return #words > 0 and table.concat(words, " ") or "-"
  end

  -- One case: results as pairs of id and words, and how long it took.
  local function attempt(title, full, act, settles)
    local c, results = new(full), {}
    state[part](c)
    c:take()
    local before, start = counters(w), w.clock()
    act(c)
    results[1] = { title .. ": sends", settles and c:await() or c:take() }
    results[2] = { title .. ": counts", changes(before, counters(w)) }
    results[3] = { title .. ": socket", socket_words(c) }
    if c.fd then results[4] = { title .. ": info", info(w, c.fd) } end
    local took = w.clock() - start
    end_of(c)
    return results, took
  end

  -- The ACK of a FIN goes with the next tick of the clock; that is waited for. Any other case is over
  -- before there is one: where the machine was busy with something else, again. One that is always busy
  -- shows its last answer, which then may differ.
  local function run(title, full, act, flags)
    local settles, results, took = flags and flags:find "F" and takes_fin[part], nil, nil
    for _ = 1, 50 do
      results, took = attempt(title, full, act, settles)
      if took < (settles and 36000000 or 3000000) then break end
    end
    for _, result in ipairs(results) do w.emit(table.unpack(result)) end
  end

  local FLAGS = { "", "A", "S", "SA", "R", "RA", "F", "FA", "SF", "SR", "PA", "UA", "P", "SFRPAU", "EA", "CA", "ECS" }
  local SEQS = {
    { "exact", function(c) return c.rcv_nxt end }, { "inside", function(c) return c.rcv_nxt + 1000 end },
    { "old", function(c) return c.rcv_nxt - 200000 end }, { "next", function(c) return c.rcv_nxt + 1 end },
    { "before", function(c) return c.rcv_nxt - 1 end }, { "above", function(c) return c.rcv_nxt + 200000 end },
  }
  local ACKS = {
    { "now", function(c) return c.snd_nxt end }, { "una", function(c) return c.snd_una end },
    { "future", function(c) return c.snd_nxt + 1 end }, { "old", function(c) return c.snd_una - 1 end },
    { "ancient", function(c) return c.snd_una - 200000 end },
  }

  -- Without options the first three of the places, and of the acknowledgements.
  for _, full in ipairs { false, true } do
    local mode, most = full and "full" or "plain", full and 6 or 3
    for _, flags in ipairs(FLAGS) do
      for _, seq in ipairs { table.unpack(SEQS, 1, most) } do
        for i, ack in ipairs { table.unpack(ACKS, 1, most) } do
          for _, len in ipairs { 0, 5 } do
            if i == 1 or flags:find "A" then
              run(("%s %s seq %s ack %s %d"):format(mode, flags == "" and "-" or flags, seq[1],
                flags:find "A" and ack[1] or "none", len), full, function(c)
                c.now = c.now + 1
                c:send(flags, seq[2](c), flags:find "A" and ack[2](c) or 0, { payload = ("z"):rep(len),
                  urg = flags:find "U" and 3 or 0, options = flags:find "S" and syn_options(c) or nil })
              end, flags)
            end
          end
        end
      end
    end
  end

  -- Something wrong with a segment that is right otherwise.
  local function odd(title, more, full)
    for _, len in ipairs { 0, 5 } do
      run(("odd %s %d"):format(title, len), full, function(c)
        local fields = { payload = ("z"):rep(len) }
        for name, value in pairs(more) do
          fields[name] = type(value) == "function" and value(c) or value
        end
        c:send(fields.flags or "PA", c.rcv_nxt + (fields.at or 0), c.snd_nxt, fields)
      end, more.flags)
    end
  end

  odd("checksum", { checksum = 1 })
  odd("doff 4", { doff = 4 })
  odd("doff 15", { doff = 15 })
  odd("doff beyond the options", { doff = 6 })
  odd("short by 1", { short = 1 })
  odd("short by 10", { short = 10 })
  odd("ttl 1", { ttl = 1 })
  odd("ttl 0", { ttl = 0 })
  odd("ce", { tos = 3 })
  odd("ect0", { tos = 2 })
  odd("window 0", { win = 0 })
  odd("window 1", { win = 1 })
  odd("no ts", { options = "" }, true)
  for _, t in ipairs { { "old", -10 }, { "one older", -1 }, { "same", 0 }, { "ancient", -0x7fffffff }, { "future", 0x7fffffff } } do
    odd("ts " .. t[1], { options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
    odd("RST ts " .. t[1], { flags = "R", options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
    odd("SYN ts " .. t[1], { flags = "S", options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
    odd("FIN ts " .. t[1], { flags = "FA", options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
    odd("next ts " .. t[1], { at = 1, options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
    odd("before ts " .. t[1], { at = -5, options = function(c) return "\1\1" .. option.ts(c.now + t[2], c.echo) end }, true)
  end
  odd("ts echo 0", { options = function(c) return "\1\1" .. option.ts(c.now, 0) end }, true)
  odd("ts echo of the future", { options = function(c) return "\1\1" .. option.ts(c.now, c.echo + 100000) end }, true)
  odd("ts without fillers", { options = function(c) return option.ts(c.now, c.echo) end }, true)
  odd("length 0", { options = "\8\0\0\0" })
  odd("length 1", { options = "\8\1\0\0" })
  odd("length beyond", { options = "\8\20\0\0" })
  odd("kind without length", { options = "\1\1\1\8" })
  odd("unknown", { options = "\77\4\0\0" })
  odd("sack of nothing", { options = "\1\1\5\2" }, true)
  odd("sack 8 short", { options = "\1\1\5\6\0\0\0\0" }, true)
  odd("md5", { options = "\19\18" .. ("m"):rep(16) .. "\1\1" })
  odd("ao", { options = "\29\16" .. ("a"):rep(14) })
  odd("mss in data", { options = option.mss(9) })
  odd("to nobody's port", { sport = 6000 })
  odd("data of two windows", { payload = ("w"):rep(1460) })

  -- SACK blocks.
  for _, s in ipairs { { "known", 101, 201 }, { "last", 301, 401 }, { "old", -99, 1 }, { "dsack", 1, 101 },
    { "backward", 201, 101 }, { "empty", 101, 101 }, { "future", 401, 501 }, { "beyond", 301, 501 }, { "all", 1, 401 } } do
    odd("sack " .. s[1], { flags = "A", ack = function(c) return c.irs + c.snd_una end, options = function(c)
      return "\1\1" .. option.ts(c.now, c.echo) .. option.sack(c.irs + s[2], c.irs + s[3])
    end }, true)
  end
end
