-- SPDX-License-Identifier: MIT
-- Connections of a host with a station (wire.lua), brought into each state of TCP by the station's
-- segments: require "connection" (w) gives new(full), state.NAME(connection), the station.
local ISN = 1000000

return function(w)
  local C = w.C
  local station = require "wire" (w)
  local option = station.option

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

  function Conn:syn_options()
    if not self.full then return option.mss(1000) end
    return option.mss(1000) .. option.sack_ok .. option.ts(self.now, self.echo) .. "\1" .. option.wscale(4)
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

  -- What the host sends: learned from, and as words. Not what it sends again for a connection of before.
  function Conn:take()
    local words = {}
    for _, s in ipairs(station.take(self.port)) do
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
    c:send("S", 0, nil, { options = c:syn_options() })
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
    c:send("S", 0, nil, { options = c:syn_options() })
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

  return new, state, station
end
