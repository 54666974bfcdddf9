-- SPDX-License-Identifier: MIT
-- Which sockets may have the same port: SO_REUSEADDR and SO_REUSEPORT, addresses of both families,
-- listening or not; what a connection keeps others from; which ports the stack chooses.
return function(w)
  local C = w.C
  local REUSEADDR, REUSEPORT, V6ONLY, RANGE = 2, 15, 26, 51
  w.command "ip addr add 127.0.0.2/8 dev lo"

  local addresses = {
    { "0.0.0.0", C.AF_INET, w.ANY }, { "127.0.0.1", C.AF_INET, w.LOOPBACK },
    { "127.0.0.2", C.AF_INET, "\127\0\0\2" }, { "::", C.AF_INET6, w.ANY6 }, { "::1", C.AF_INET6, w.LOOPBACK6 },
    { "::ffff:127.0.0.1", C.AF_INET6, w.MAPPED }, { ":: only", C.AF_INET6, w.ANY6, true },
  }
  local switches = { { "", 0, 0 }, { "reuseaddr ", 1, 0 }, { "reuseport ", 0, 1 }, { "both ", 1, 1 } }

  local function make(kind, address, switch, port, listen)
    local fd = w.socket(address[2], kind)
    w.set(fd, C.SOL_SOCKET, REUSEADDR, switch[2])
    w.set(fd, C.SOL_SOCKET, REUSEPORT, switch[3])
    if address[4] then w.set(fd, C.SOL_IPV6, V6ONLY, 1) end
    local result = w.bind(fd, address[3], port)
    if listen and result == "0" then result = w.outcome("listen", { fd = fd, arg0 = 5 }) end
    return fd, result
  end

  local function matrix(kind, title, first_listens, second_listens, families)
    for _, a in ipairs(addresses) do
      for _, sa in ipairs(switches) do
        local results = {}
        for _, b in ipairs(addresses) do
          for _, sb in ipairs(switches) do
            if families or a[2] == C.AF_INET and b[2] == C.AF_INET then
              local one = make(kind, a, sa, 5000, first_listens)
              local two, result = make(kind, b, sb, 5000, second_listens)
              results[#results + 1] = (sb[1] .. b[1]):gsub(" ", "_") .. "=" .. result
              w.close(two)
              w.close(one)
            end
          end
        end
        if results[1] then w.emit(("%s: %s%s"):format(title, sa[1], a[1]), table.concat(results, " ")) end
      end
    end
  end

  matrix(C.STREAM, "tcp bound, bind", false, false, true)
  matrix(C.STREAM, "tcp listening, bind", true, false, true)
  matrix(C.STREAM, "tcp listening, listen", true, true, true)
  matrix(C.STREAM, "tcp bound, listen", false, true, true)
  matrix(C.DGRAM, "udp", false, false, false)

  -- Three of them: what the first two agreed on binds the third.
  for _, sa in ipairs(switches) do
    for _, sb in ipairs(switches) do
      for _, sc in ipairs(switches) do
        for name, kind in pairs { tcp = C.STREAM, udp = C.DGRAM } do
          local one = make(kind, addresses[1], sa, 5000)
          local two, second = make(kind, addresses[2], sb, 5000)
          local three, third = make(kind, addresses[2], sc, 5000)
          w.emit(("three of %s: %s, %s, %s"):format(name, sa[1], sb[1], sc[1]), second .. " " .. third)
          w.close(one)
          w.close(two)
          w.close(three)
        end
      end
    end
  end

  -- Listening on what another bound meanwhile.
  for _, sa in ipairs(switches) do
    for _, sb in ipairs(switches) do
      local one = make(C.STREAM, addresses[2], sa, 5000)
      local two, bound = make(C.STREAM, addresses[2], sb, 5000)
      local first = w.outcome("listen", { fd = one, arg0 = 5 })
      local second = w.outcome("listen", { fd = two, arg0 = 5 })
      w.emit(("both listen: %s, %s"):format(sa[1], sb[1]), ("%s %s %s"):format(bound, first, second))
      w.close(one)
      w.close(two)
    end
  end

  -- A connection, its listener gone, and its TIME-WAIT; each time another address.
  local last = 20
  for _, sa in ipairs(switches) do
    for _, sb in ipairs(switches) do
      last = last + 1
      local address = { "", C.AF_INET, "\127\0\0" .. string.char(last) }
      w.command(("ip addr add 127.0.0.%d/8 dev lo"):format(last))
      local listener = make(C.STREAM, address, sa, 5000, true)
      local client = w.tcp()
      w.connect(client, address[3], 5000)
      w.settle()
      local server = w.must("accept", { fd = listener, arg0 = C.NONBLOCK }).ret
      w.close(listener)
      local new, established = make(C.STREAM, address, sb, 5000, true)
      w.close(new)
      w.close(server)
      w.settle()
      w.close(client)
      w.settle()
      local late, timewait = make(C.STREAM, address, sb, 5000, true)
      w.close(late)
      w.emit(("listener %s, new one %s"):format(sa[1], sb[1]), established .. " " .. timewait)
    end
  end

  -- Connecting from a port that is bound, twice, to the same and to another peer.
  local _, port = w.listener()
  local _, other = w.listener()
  for _, sa in ipairs(switches) do
    local one = make(C.STREAM, addresses[2], sa, 6000)
    local two, bound = make(C.STREAM, addresses[2], sa, 6000)
    local results = { bound, w.connect(one, w.LOOPBACK, port), w.connect(two, w.LOOPBACK, port),
      w.connect(two, w.LOOPBACK, other) }
    w.emit("connect from one port: " .. sa[1], table.concat(results, " "))
    for _, fd in ipairs { one, two } do
      w.set(fd, C.SOL_SOCKET, 13, w.int(1) .. w.int(0))
      w.close(fd)
    end
  end

  -- To itself.
  local own = w.tcp()
  w.bind(own, w.LOOPBACK, 7000)
  w.emit("connect to itself", w.connect(own, w.LOOPBACK, 7000))
  w.settle()
  w.emit("connected to itself", w.poll(own) .. " " .. w.send(own, "me"))
  w.settle()
  w.emit("hears itself", w.recv(own, 10))
  w.close(own)

  -- A range with few ports: how many there are, what the error is.
  for name, kind in pairs { tcp = C.STREAM, udp = C.DGRAM } do
    for _, size in ipairs { 1, 2, 3, 4, 6 } do -- an odd range leaves one to chance
      local fds, got, result = {}, 0, nil
      repeat
        local fd = w.socket(C.AF_INET, kind)
        w.set(fd, C.SOL_IP, RANGE, 40000 + size - 1 << 16 | 40000)
        result = w.bind(fd, w.LOOPBACK, 0)
        fds[#fds + 1] = fd
        if result == "0" then got = got + 1 end
      until result ~= "0" or got > 10
      w.emit(("%s: bind in a range of %d"):format(name, size), got .. " " .. result)
      for _, fd in ipairs(fds) do w.close(fd) end
    end
  end
  for size = 1, 5 do
    local fds, got, result = {}, 0, nil
    repeat
      local fd = w.tcp()
      w.set(fd, C.SOL_IP, RANGE, 41000 + 10 * size + size - 1 << 16 | 41000 + 10 * size)
      result = w.connect(fd, w.LOOPBACK, port)
      fds[#fds + 1] = fd
      if result == "EINPROGRESS" or result == "0" then got = got + 1 end
    until got > 10 or result ~= "EINPROGRESS" and result ~= "0"
    w.emit(("connect in a range of %d"):format(size), got .. " " .. result)
    for _, fd in ipairs(fds) do w.close(fd) end
  end

  -- What is an address of the host the table `local` says alone, whatever rules ask (inet_addr_type).
  for _, words in ipairs { "ip route add local 10.9.9.9 dev lo table 100", "ip rule add pref 50 lookup 100" } do
    local text, good = w.command(words)
    if not good then error(words .. ": " .. text) end
  end
  w.emit("an address of another table: bind", w.bind(w.tcp(), "\10\9\9\9", 0))
  local to_it = w.tcp()
  w.emit("an address of another table: connect", w.connect(to_it, "\10\9\9\9", 1) .. " " .. w.poll(to_it))

  -- A rule about packets from an address holds for a connection that chose it by itself.
  w.black_hole()
  local text, good = w.command "ip rule add pref 40 from 198.51.100.1 unreachable"
  if not good then error(text) end
  w.emit("a rule about the source: connect", w.connect(w.tcp(), w.NOBODY, 80))
  local u = w.udp()
  w.emit("a rule about the source: connect of UDP", w.connect(u, w.NOBODY, 80))
  w.emit("a rule about the source: sendto", w.outcome("sendmsg", { fd = w.udp(), data = "x", addr = w.NOBODY, port = 9 }))
end
