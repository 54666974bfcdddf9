-- SPDX-License-Identifier: MIT
-- A packetdrill script at random: calls, and what a peer sends, no expectation. The same theme and
-- seed give the same draft.
--
--   lua5.4 draft.lua THEME SEED      FAMILY: ipv6 or ipv4-mapped-ipv6, for another than IPv4
--   lua5.4 draft.lua            the names of the themes

-- What a theme does more or less often than the others: the weight of each kind of step, and what
-- the connection has.
local common = { write = 20, ack = 30, data = 22, read = 8, option = 5, shutdown = 2, reset = 1,
  syn = 1, pause = 3, close = 1, poll = 3, urgent = 1, window = 3, icmp = 0 }
local themes = {
  mixed = {},
  sack = { sack = 1, ack = 60, data = 3, write = 25, bytes = 10 },
  reno = { sack = 0, ack = 60, data = 3, write = 25, bytes = 10 },
  reordering = { data = 60, read = 15, write = 5, hole = 1 },
  ecn = { ecn = 1, ack = 45, data = 25 },
  stamps = { ts = 1, odd_stamps = 1 },
  windows = { window = 25, write = 30, bytes = 10 },
  urgent = { urgent = 25, data = 30, read = 25, poll = 10 },
  states = { shutdown = 12, reset = 8, syn = 8, close = 8, pause = 6 },
  options = { option = 30 },
  flags = { flags = 1, write = 40, read = 20, poll = 10 },
  sysctls = { sysctls = 4 },
  losses = { ack = 30, pause = 25, write = 30, bytes = 10 },
  icmp = { icmp = 20, write = 30 },
  handshake = { handshake = 1, write = 10, shutdown = 5, close = 5 },
  fastopen = { fastopen = 1, write = 30, close = 4 },
  shrinking = { icmp = 25, bytes = 20, write = 30, ack = 45, pmtu = 1 },
}

if #arg < 2 then
  local names = {}
  for name in pairs(themes) do
    names[#names + 1] = name
  end
  table.sort(names)
  print(table.concat(names, " "))
  os.exit(#arg == 0)
end
local theme = themes[arg[1]] or error("no theme " .. arg[1])
local salt = 0
for i = 1, #arg[1] do
  salt = salt * 31 + arg[1]:byte(i)
end
math.randomseed(tonumber(arg[2]), salt)

local random = math.random
local function chance(p)
  return random() < p
end
local function pick(list)
  return list[random(#list)]
end
local function weight(name)
  return theme[name] or common[name]
end

-- How the connection is.
local c = {
  mss = pick { 1000, 1000, 1000, 1460, 536 },
  sack = theme.sack and theme.sack == 1 or not theme.sack and chance(0.75),
  ts = theme.ts or not theme.ts and chance(0.15),
  scale = chance(0.85) and pick { 7, 7, 8, 2, 14 },
  ecn = theme.ecn or chance(0.05) and 1,
  client = chance(0.35),
  time = 0, -- of the next line
  stamp = 200,
  written = 0, -- bytes and FIN
  acked = 1, -- the peer's acknowledgement
  next = 1, -- the peer's sequence number
  cep = 5, -- AccECN: the peer's counter of CE
  fin = false, open = true,
}
c.win = c.scale and pick { 257, 514, 1000, 10000, 65535 } or pick { 20000, 32792, 65535 }

local lines = {}
local function at(delay, format, ...)
  c.time = c.time + delay
  lines[#lines + 1] = ("%.4f "):format(c.time) .. format:format(...)
end
local steps = { 0.055, 0.055, 0.06, 0.09, 0.11, 0.13, 0.26, 0.45 }
local function step()
  return pick(steps)
end
local function soon()
  return pick { 0.002, 0.005, 0.01, 0.02, step() }
end

local function sysctls()
  local all = { "tcp_sack=0", "tcp_recovery=0", "tcp_recovery=2", "tcp_recovery=4", "tcp_early_retrans=0",
    "tcp_frto=0", "tcp_slow_start_after_idle=1", "tcp_timestamps=0", "tcp_window_scaling=0",
    "tcp_thin_linear_timeouts=1", "tcp_abort_on_overflow=1", "tcp_stdurg=1", "tcp_rfc1337=1",
    "tcp_fin_timeout=3", "tcp_dsack=0", "tcp_no_metrics_save=1", "tcp_retries2=4", "tcp_reordering=6",
    "tcp_autocorking=0", "tcp_limit_output_bytes=20000", "tcp_moderate_rcvbuf=0", "tcp_app_win=0",
    "tcp_adv_win_scale=2", "tcp_min_tso_segs=1", "tcp_tso_win_divisor=1", "tcp_syn_linear_timeouts=0",
    "tcp_congestion_control=reno", "tcp_notsent_lowat=2000", "tcp_min_rtt_wlen=1", "tcp_orphan_retries=1",
    "tcp_shrink_window=1", "tcp_rto_min_us=50000", "tcp_comp_sack_nr=0", "tcp_retries1=1",
    "tcp_invalid_ratelimit=0", "tcp_workaround_signed_windows=1", "tcp_max_reordering=10",
    "tcp_keepalive_time=1", "tcp_base_mss=600", "tcp_mtu_probing=2" }
  local text = ""
  for _ = 1, theme.sysctls or (chance(0.3) and 1 or 0) do
    text = text .. "sysctl -q net.ipv4." .. pick(all) .. "\n"
  end
  if theme.fastopen then
    text = text .. ("sysctl -q net.ipv4.tcp_fastopen_key=0-1-2-3 net.ipv4.tcp_fastopen=%s\n"):format(pick { "0x603", "0x603", "0x3", "0x403", "0x207" })
  end
  if c.ecn then
    text = text .. ("sysctl -q net.ipv4.tcp_ecn=%d\n"):format(c.ecn)
  end
  return text
end

local function handshake_options(echo)
  local o = { "mss " .. c.mss }
  if c.sack and c.ts then
    o[#o + 1] = ("sackOK,TS val 200 ecr %d"):format(echo)
  elseif c.sack then
    o[#o + 1] = "sackOK,nop,nop"
  elseif c.ts then
    o[#o + 1] = ("nop,nop,TS val 200 ecr %d"):format(echo)
  end
  if c.scale then
    o[#o + 1] = "nop,wscale " .. c.scale
  end
  return table.concat(o, ",")
end

-- Options of a segment of the peer.
local function options(extra)
  local o = {}
  if c.ts then
    c.stamp = 200 + math.floor(c.time * 1000)
    local stamp = c.stamp
    if theme.odd_stamps and chance(0.25) then
      stamp = stamp + pick { -1, -30, -3000, 5000, 0x7fffffff, -0x70000000 }
    end
    o[1] = ("nop,nop,TS val %d ecr %d"):format(stamp & 0xffffffff,
      100 + math.max(0, math.floor(c.time * 1000) - pick { 0, 0, 50, 100 }))
    if theme.odd_stamps and chance(0.06) then
      o = {}
    end
  end
  if extra then
    o[#o + 1] = "nop,nop," .. extra
  end
  return #o > 0 and " <" .. table.concat(o, ",") .. ">" or ""
end

-- Fast open, the passive side: SYNs with and without data and cookies, and what may come before the
-- handshake is over. The sysctl says whether a cookie is needed.
local function fastopen_server()
  at(0, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
  at(0, "bind(3, ..., ...) = 0")
  at(0, "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
  at(0, "listen(3, 5) = 0")
  if chance(0.8) then
    at(0, "setsockopt(3, SOL_TCP, TCP_FASTOPEN, [%d], 4) = 0", pick { 1, 2, 5 })
  end
  local n = pick { 0, 1, 100, c.mss, 1400 }
  at(0.01, "< S%s 0:%d(%d) win %d <%s%s>", c.ecn and "EW" or "", n, n, c.scale and 32792 or c.win,
    handshake_options(0), pick { ",FO,nop,nop", ",FO 0123456789abcdef,nop,nop", "", ",FO 01234567,nop,nop" })
  if chance(0.7) then
    at(soon(), "accept(3, ..., ...) = 4")
    at(0, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    for _ = 1, random(0, 3) do
      at(soon(), pick { "read(4, ..., 5000) = 0", "write(4, ..., 3000) = 3000", "write(4, ..., 100) = 100",
        "shutdown(4, SHUT_WR) = 0", "close(4) = 0", "getsockopt(4, SOL_TCP, TCP_FASTOPEN, [0], [4]) = 0",
        "< S 0:100(100) win 500 <mss 500>", "< R. 1:1(0) ack 1 win 0", "< R 5:5(0) win 0",
        ("< P. %d:%d(200) ack 1 win 500"):format(n + 1, n + 201), "< . 1:1(0) ack 50000 win 500",
        ("< F. %d:%d(0) ack 1 win 500"):format(n + 1, n + 1) })
    end
  end
  c.next = pick { n + 1, n + 1, n + 1, 1 }
  at(pick { 0.1, 0.1, 1.3 }, "< . %d:%d(0) ack 1 win %d%s", c.next, c.next, c.win, options())
  at(0.01, "accept(3, ..., ...) = 4")
  at(0, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
end

-- The active side: a first connection has fetched the cookie.
local function fastopen_client()
  at(0, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
  at(0, "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
  at(0, "sendto(3, ..., %d, MSG_FASTOPEN, ..., ...) = -1 EINPROGRESS", pick { 0, 100 })
  at(0.01, "< S. 0:0(0) ack 1 win 5000 <mss %d,FO %s,nop,nop>", pick { 940, 1460 }, pick { "01234567", "0123456789abcdef" })
  at(0.01, "close(3) = 0")
  at(0.01, "< R. 1:1(0) ack 1 win 0")
  at(0.01, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 4")
  at(0, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
  local n = pick { 0, 1, 500, 1000, 2000 }
  if chance(0.3) then
    at(0, "setsockopt(4, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = 0")
    at(0, "connect(4, ..., ...) = 0")
    at(soon(), "write(4, ..., %d) = %d", n, n)
  else
    at(0.01, "sendto(4, ..., %d, MSG_FASTOPEN, ..., ...) = %d", n, n)
  end
  for _ = 1, random(0, 2) do
    at(soon(), pick { "write(4, ..., 1000) = 1000", "shutdown(4, SHUT_WR) = 0", "read(4, ..., 10) = -1 EAGAIN",
      "< S 0:0(0) win 3000 <mss 1000>", "< R. 0:0(0) ack 1 win 0", "< . 1:1(0) ack 1 win 100",
      "getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0" })
  end
  c.written = n
  c.acked = pick { 1, 1 + n, 1 + n, 1 + n // 2 }
  local data = pick { 0, 0, 0, 100, 1400 }
  at(pick { 0.02, 0.1, 1.3, 3.4 }, "< S. 0:%d(%d) ack %d win %d <%s>", data, data, c.acked,
    c.scale and 32792 or c.win, handshake_options(100))
  c.next = 1 + data
end

local function server()
  at(0, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
  at(0, "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0")
  for _, o in ipairs { { "SOL_TCP", "TCP_MAXSEG", 500 }, { "SOL_SOCKET", "SO_RCVBUF", 5000 },
    { "SOL_SOCKET", "SO_SNDBUF", 20000 }, { "SOL_TCP", "TCP_DEFER_ACCEPT", 1 } } do
    if chance(0.07) then
      at(0, "setsockopt(3, %s, %s, [%d], 4) = 0", o[1], o[2], o[3])
    end
  end
  at(0, "bind(3, ..., ...) = 0")
  at(0, "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
  at(0, "listen(3, %d) = 0", theme.handshake and pick { 0, 1, 5 } or 5)
  local win = c.scale and 32792 or c.win
  local ecn = not c.ecn and "" or c.ecn == 3 and pick { "EWA", "EWA", "EW", "" } or pick { "EW", "EW", "" }
  at(0.01, "< S%s 0:0(0) win %d <%s>", ecn, win, handshake_options(0))
  while chance(theme.handshake and 0.4 or 0.08) do
    at(step(), "< S 0:0(0) win %d <%s>", win, handshake_options(0))
  end
  if theme.handshake then
    for _ = 1, random(0, 3) do
      at(soon(), pick { "< . 1:1(0) ack 0 win 100", "< . 1:1(0) ack 2 win 100", "< . 2:2(0) ack 1 win 100",
        "< R 1:1(0) win 0", "< R 5:5(0) win 0", "< R. 1:1(0) ack 5 win 0", "< F. 1:1(0) ack 1 win 100",
        "< - 1:1(0) win 100", "< S. 0:0(0) ack 1 win 100", "< P. 1:101(100) ack 1 win 100",
        "< S 5:5(0) win 500 <mss 500>", "< SF 0:0(0) win 500", "< . 1:1(0) ack 1 win 0" })
    end
  end
  at(0.1, "< %s. 1:1(0) ack 1 win %d%s", c.ecn == 3 and "A" or "", c.win, options())
  if not chance(0.05) then
    at(0.01, "accept(3, ..., ...) = 4")
  end
  at(0, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
end

local function client()
  at(0, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 4")
  at(0, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
  if chance(0.1) then
    at(0, "setsockopt(4, SOL_TCP, TCP_MAXSEG, [%d], 4) = 0", pick { 500, 1100 })
  end
  at(0.01, "connect(4, ..., ...) = -1 EINPROGRESS")
  if chance(0.1) then
    c.time = c.time + 1.2
  end
  for _ = 1, theme.handshake and random(0, 3) or chance(0.05) and 1 or 0 do
    at(soon(), pick { "< . 0:0(0) ack 0 win 100", "< . 0:0(0) ack 1 win 100", "< . 0:0(0) ack 5 win 100",
      "< R 0:0(0) win 0", "< R. 0:0(0) ack 0 win 0", "< S 0:0(0) win 3000 <mss 1000>",
      "< S. 0:0(0) ack 5 win 100 <mss 1000>", "< F 0:0(0) win 100", "< . 0:100(100) win 100" })
  end
  at(0.1, "< S%s. 0:0(0) ack 1 win %d <%s>", c.ecn == 3 and pick { "A", "W", "E", "" } or c.ecn and "E" or "",
    c.scale and 32792 or c.win, handshake_options(100))
end

-- Bytes that the peer can have by now.
local function sent()
  return math.max(c.acked, math.min(c.written, c.acked - 1 + 10 * c.mss) + 1)
end

local function blocks(limit)
  local list, from = {}, c.acked + c.mss * random(3)
  for _ = 1, random(3) do
    local to = from + c.mss * random(3)
    if to > limit then
      break
    end
    table.insert(list, random(#list + 1), ("%d:%d"):format(from, to))
    from = to + c.mss * random(2)
  end
  if chance(0.1) then
    table.insert(list, 1, ("%d:%d"):format(math.max(1, c.acked - c.mss), math.max(2, c.acked)))
  end
  return #list > 0 and "sack " .. table.concat(list, " ", 1, math.min(3, #list)) or nil
end

local function ace()
  if c.ecn ~= 3 then
    return ""
  end
  c.cep = c.cep + (chance(0.3) and random(3) or 0)
  return ("%s%s%s"):format(c.cep & 1 ~= 0 and "E" or "", c.cep & 2 ~= 0 and "W" or "",
    c.cep & 4 ~= 0 and "A" or "")
end

local function mark()
  return c.ecn and pick { "[ce] ", "[ect0] ", "[ect0] ", "" } or ""
end

local kinds = {}

function kinds.write()
  if not c.open then
    return
  end
  local n = pick { 1, 100, 500, c.mss, c.mss, 2 * c.mss, 2500, 5000, theme.bytes and theme.bytes * c.mss or 4000,
    theme.bytes and 20000 or 1000 }
  local flags = { "MSG_MORE", "MSG_EOR", "MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_OOB", "MSG_EOR|MSG_MORE" }
  c.written = c.written + n
  if chance(theme.flags and 0.8 or 0.15) then
    at(soon(), "send(4, ..., %d, %s) = %d", n, pick(flags), n)
  elseif theme.flags and chance(0.3) then
    at(soon(), "sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., %d}, {..., %d}], msg_flags=0}, %s) = %d", n // 2,
      n - n // 2, pick { "0", "MSG_MORE", "MSG_EOR" }, n)
  else
    at(soon(), "write(4, ..., %d) = %d", n, n)
  end
end

function kinds.ack()
  local limit = sent()
  if limit > c.acked and chance(0.6) then
    c.acked = pick { limit, math.min(limit, c.acked + c.mss), math.min(limit, c.acked + 2 * c.mss),
      math.min(limit, c.acked + c.mss * random(6)), random(c.acked, limit) }
  end
  local ack, win = c.acked, c.win
  if chance(0.05) then
    ack = pick { ack + 50000, ack - 1, ack - 500, ack - 3000 } & 0xffffffff
  end
  local extra = c.sack and limit > c.acked + c.mss and chance(0.6) and blocks(limit) or nil
  local flags = ace()
  if c.ecn and c.ecn ~= 3 and chance(0.3) then
    flags = "E"
  end
  at(soon(), "< %s. %d:%d(0) ack %d win %d%s", flags, c.next, c.next, ack, win, options(extra))
end

function kinds.window()
  local was = c.win
  c.win = pick { 0, 0, 1, 8, was // 2, was, was * 2, 20 } & 0xffff
  kinds.ack()
  if chance(0.5) then
    c.win = was
  end
end

function kinds.data()
  if c.fin then
    return
  end
  local n = pick { 1, 100, c.mss, c.mss, c.mss, 2 * c.mss, 3000, 10000 }
  local from, where, flags = c.next, random(), pick { ".", "P.", "P." }
  local holes = theme.hole and 0.3 or 0.15
  if where < 0.6 - holes + 0.15 then
    c.next = c.next + n
  elseif where < 0.75 then
    from = from + pick { 1, 100, c.mss, 2 * c.mss, 5000 }
  elseif where < 0.85 then
    from = math.max(1, from - pick { 1, c.mss, c.mss, 2 * c.mss })
    c.next = math.max(c.next, from + n)
  elseif where < 0.9 then
    from = from + pick { 200000, 70000, 1000000 }
  else
    c.next = c.next + n
  end
  if chance(0.05) then
    flags = "F" .. flags
    c.fin = true
    c.next = c.next + 1
  end
  at(soon(), "< %s%s%s %d:%d(%d) ack %d win %d%s", mark(), ace(), flags, from, from + n, n, c.acked, c.win,
    options())
end

function kinds.urgent()
  if c.fin then
    return
  end
  local n = pick { 1, 10, 100, c.mss }
  at(soon(), "< UP. %d:%d(%d) ack %d win %d urg %d%s", c.next, c.next + n, n, c.acked, c.win,
    pick { 1, n, n + 5, n + 1, 0, 3 }, options())
  c.next = c.next + n
end

function kinds.read()
  at(soon(), pick { "read(4, ..., 1000) = 0", "read(4, ..., 50000) = 0", "recv(4, ..., 1000, MSG_PEEK) = 0",
    "recv(4, ..., 10, MSG_OOB) = 0", "recv(4, ..., 500, MSG_TRUNC) = 0", "recv(4, ..., 10, MSG_OOB|MSG_PEEK) = 0",
    "recv(4, ..., 1, 0) = 0", "recv(4, ..., 3000, MSG_WAITALL) = 0", "recv(4, ..., 0, 0) = 0" })
end

function kinds.poll()
  at(soon(), pick { "ioctl(4, SIOCINQ, [0]) = 0", "ioctl(4, SIOCOUTQ, [0]) = 0", "ioctl(4, SIOCOUTQNSD, [0]) = 0",
    "ioctl(4, SIOCATMARK, [0]) = 0", "getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0",
    "poll([{fd=4, events=POLLIN|POLLOUT|POLLPRI|POLLRDHUP, revents=0}], 1, 0) = 0" })
end

function kinds.option()
  local o = pick { "SOL_TCP, TCP_NODELAY, [1]", "SOL_TCP, TCP_NODELAY, [0]", "SOL_TCP, TCP_CORK, [1]",
    "SOL_TCP, TCP_CORK, [0]", "SOL_TCP, TCP_QUICKACK, [0]", "SOL_TCP, TCP_QUICKACK, [1]", "SOL_SOCKET, SO_RCVLOWAT, [3000]",
    "SOL_TCP, TCP_WINDOW_CLAMP, [3000]", "SOL_TCP, TCP_NOTSENT_LOWAT, [1000]", "SOL_TCP, TCP_USER_TIMEOUT, [700]",
    "SOL_TCP, TCP_KEEPIDLE, [1]", "SOL_TCP, TCP_KEEPINTVL, [1]", "SOL_TCP, TCP_KEEPCNT, [2]",
    "SOL_SOCKET, SO_KEEPALIVE, [1]", "SOL_SOCKET, SO_SNDBUF, [10000]", "SOL_SOCKET, SO_RCVBUF, [10000]",
    "SOL_TCP, TCP_LINGER2, [1]", "SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, [1]", "SOL_TCP, TCP_SYNCNT, [2]",
    "SOL_TCP, TCP_MAXSEG, [600]", "SOL_SOCKET, SO_OOBINLINE, [1]", "SOL_TCP, TCP_RTO_MAX_MS, [1000]",
    "SOL_TCP, TCP_RTO_MIN_US, [20000]", "SOL_TCP, TCP_DELACK_MAX_US, [10000]", "SOL_TCP, TCP_TX_DELAY, [10000]",
    "SOL_SOCKET, SO_MAX_PACING_RATE, [20000]", "SOL_IP, IP_TOS, [16]", "SOL_SOCKET, SO_PRIORITY, [3]",
    "SOL_TCP, TCP_INQ, [1]", "SOL_TCP, TCP_FASTOPEN_CONNECT, [1]", "SOL_SOCKET, SO_PEEK_OFF, [10]" }
  if chance(0.3) then
    at(soon(), "getsockopt(4, %s, [0], [4]) = 0", o:match("^(.-), %["))
  else
    at(soon(), "setsockopt(4, %s, 4) = 0", o)
  end
end

function kinds.shutdown()
  at(soon(), "shutdown(4, %s) = 0", pick { "SHUT_WR", "SHUT_WR", "SHUT_RD", "SHUT_RDWR" })
  c.open = false
  c.written = c.written + 1
end

function kinds.close()
  if chance(0.2) then
    at(soon(), "setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0")
  end
  at(soon(), "close(4) = 0")
  c.open = false
  c.written = c.written + 1
end

function kinds.reset()
  local seq = c.next + pick { 0, 0, 1, 10, -1, 70000 }
  at(soon(), "< %s %d:%d(0)%s win 0", pick { "R", "R.", "R." }, seq, seq, "")
  lines[#lines] = lines[#lines]:gsub("(< R%.[^%(]*%(0%))", ("%%1 ack %d"):format(c.acked))
end

function kinds.syn()
  local seq = c.next + pick { 0, 10, -1, 100000 }
  at(soon(), "< S %d:%d(0) win 1000 <mss 1000>", seq, seq)
end

function kinds.pause()
  c.time = c.time + pick { 0.3, 0.6, 1.1, 1.7 }
end

local ipv6 = os.getenv("FAMILY") == "ipv6"

-- Errors of the family.
local function errors()
  return ipv6 and { "unreachable no_route", "unreachable admin_prohibited", "unreachable port_unreachable",
    "unreachable address_unreachable", "packet_too_big mtu 1280", "packet_too_big mtu 800",
    "time_exceeded hop_limit", "parameter_problem header_field", "unreachable not_neighbour" } or
    { "unreachable host_unreachable", "unreachable net_unreachable",
      "unreachable port_unreachable", "unreachable protocol_unreachable", "unreachable frag_needed mtu 800",
      "unreachable frag_needed mtu 400", "time_exceeded ttl_exceeded_in_transit", "source_quench",
      "parameter_problem pointer", "unreachable host_prohibited" }
end

-- A path MTU that gets smaller, or not.
local function too_big()
  local list = {}
  for _, mtu in ipairs { 1500, 1499, 1400, 1300, 1280, 1279, 1040, 1000, 800, 552, 68, 40, 0 } do
    list[#list + 1] = (ipv6 and "packet_too_big mtu %d" or "unreachable frag_needed mtu %d"):format(mtu)
  end
  return list
end

function kinds.icmp()
  if c.written < 1 or c.acked > c.written then
    return
  end
  local from = c.acked
  local n = math.min(c.mss, c.written - from + 1)
  local messages = theme.pmtu and too_big() or errors()
  at(soon(), "< icmp %s [%d:%d(%d)]", pick(messages), from, from + n, n)
end

local function run_step()
  local sum, names = 0, {}
  for name in pairs(common) do
    names[#names + 1] = name
    sum = sum + weight(name)
  end
  table.sort(names)
  local r = random() * sum
  for _, name in ipairs(names) do
    r = r - weight(name)
    if r < 0 then
      return kinds[name]()
    end
  end
end

lines[1] = "`ip tcp_metrics flush all > /dev/null 2>&1\n" .. [[
sysctl -q net.ipv4.tcp_rmem="4096 540000 15728640" net.ipv4.tcp_wmem="4096 262144 4194304"
sysctl -q net.ipv4.tcp_congestion_control=cubic net.ipv4.tcp_slow_start_after_idle=0 net.ipv4.tcp_ecn=0
]] .. sysctls() .. "`"
if theme.fastopen then
  (c.client and fastopen_client or fastopen_server)()
elseif c.client then
  client()
else
  server()
end
for _ = 1, random(4, 16) do
  run_step()
end
-- What timers do now is seen, too.
at(pick { 0.6, 0.6, 1.3, 2.5 }, "socket(..., SOCK_STREAM, IPPROTO_TCP) = 9")
local family = os.getenv("FAMILY")
print((family and "--ip_version=" .. family .. "\n" or "") .. table.concat(lines, "\n"))
