-- SPDX-License-Identifier: MIT
-- SEGMENT ARRIVES: in every state, segments of every kind, in and out of the window: what is sent, what is
-- counted, TCP_INFO and what the socket tells afterwards. The part of the sequence is a state.
local info = require "info"

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
  local new, state, station = require "connection" (w)
  local option = station.option
  assert(w.sysctl("net.ipv4.tcp_no_metrics_save", 1))

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
                  urg = flags:find "U" and 3 or 0, options = flags:find "S" and c:syn_options() or nil })
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
