-- SPDX-License-Identifier: MIT
-- A router (RFC 1812): what it checks, what it forwards, what it leaves as it is, what it keeps.
local tap = require "tap"
local net = require "net"
local router = require "_router"
local ip, icmp, udp, eth = net.ip, net.icmp, net.udp, net.eth

local NEAR, FAR = router.NEAR, router.FAR
local new, through = router.new, router.through

-- What is forwarded -----------------------------------------------------------------------------------

tap.test("a datagram goes on with a TTL less by one, and nothing else changed but the checksum", function(t)
  local _, near, far = new()
  local sent = ip{ src = NEAR, dst = FAR, ttl = 9, id = 0x1234, tos = 0xb8, df = true } /
    udp{ sport = 1, dport = 2 } / "data"
  local got = through(near, far, sent)
  t:is({ got.ip.ttl, got.ip.id, got.ip.tos, got.ip.df, got.ip.len, got.payload },
    { 8, 0x1234, 0xb8, true, 32, "data" })
  t:shows("RFC6864-4.3-3", t:ok(got.ip.df))
  t:shows("RFC1812-3.3.3-1", t:is({ got.eth.type, got:bytes():byte(15) }, { 0x0800, 0x45 }, "no trailer"))
  t:shows("RFC1812-4.2.2.5-1", t:is(got.ip.checksum_status, "good"))
end)

tap.test("the checksum is right whatever it was: 0, 0xffff, and where a carry goes round", function(t)
  local _, near, far = new()
  local seen = {}
  -- The sum without the identification; with each identification another checksum, all of them.
  for id = 0, 65535, 97 do
    local got = through(near, far, ip{ dst = FAR, id = id, ttl = 64 } / udp{ sport = 1, dport = 2 })
    if got.ip.checksum_status ~= "good" then t:fail(("identification %d"):format(id)) end
    seen[got.ip.checksum >> 12] = true
  end
  local corner = 0
  for id = 0, 65535 do -- those whose checksum is next to the ends
    local check = net.parse((ip{ src = NEAR, dst = FAR, id = id, ttl = 64 } / udp{ sport = 1, dport = 2 }):bytes(), "ip").ip.checksum
    if check <= 0x0100 or check >= 0xfefe then
      if check % 16 == 0 or check >= 0xfff0 or check <= 0x000f or check // 256 == 1 then
        local got = through(near, far, ip{ dst = FAR, id = id, ttl = 64 } / udp{ sport = 1, dport = 2 })
        if got.ip.checksum_status ~= "good" then t:fail(("checksum 0x%04x"):format(check)) end
        corner = corner + 1
      end
    end
  end
  t:shows("RFC1624-3-1", t:ok(corner > 20, corner .. " at the ends"))
end)

tap.test("bits that have no meaning are no reason to drop, and are left as they are", function(t)
  local _, near, far = new()
  for tos = 0, 255, 5 do
    local got = through(near, far, ip{ dst = FAR, rf = true, tos = tos } / udp{ sport = 1, dport = 2 })
    t:shows("RFC1812-4.2.2.3-1", t:is({ got.ip.rf, got.ip.tos }, { true, tos }))
  end
end)

tap.test("every codepoint of DSCP passes unchanged, the default one too", function(t)
  local _, near, far = new()
  for dscp = 0, 63 do
    local got = through(near, far, ip{ dst = FAR, dscp = dscp } / udp{ sport = 1, dport = 2 })
    t:shows(dscp == 0 and "RFC2474-4.1-1" or "RFC2474-3-1", t:is(got.ip.dscp, dscp))
  end
end)

for _, options in ipairs { "\x5e\4ab", "\x1e\6abcd\1\1", "\xde\8abcdef" } do
  tap.test(("the unknown option %d passes unchanged"):format(options:byte(1)), function(t)
    local _, near, far = new()
    local got = through(near, far, ip{ dst = FAR, options = options } / udp{ sport = 1, dport = 2 } / "x")
    t:shows("RFC1812-4.2.2.6-1", t:shows("RFC1812-5.3.13.1-1", t:is(got.ip.options, options)))
    t:is(got.ip.ttl, 63)
  end)
end

tap.test("a loop of routers ends with the TTL", function(t)
  local host, near = new()
  local back = host.wire:peer { addr = "192.0.2.77" } -- a router that sends all of it back
  host:route { dst = "203.0.113.0/24", via = "192.0.2.77" }
  host:neigh { addr = "192.0.2.77", mac = back.mac, dev = "eth0" }
  host:sysctl("net.ipv4.conf.all.send_redirects", 0)
  host:sysctl("net.ipv4.conf.eth0.send_redirects", 0)
  local hops = 0
  near:send(ip{ dst = "203.0.113.1", ttl = 255 } / udp{ sport = 1, dport = 2 })
  while true do
    local frames = back:collect { during = "10us" }
    if #frames == 0 then break end
    hops = hops + 1
    local again = net.parse(frames[1]:bytes():sub(15, 14 + frames[1].ip.len), "ip")
    back:send(eth{} / again)
  end
  near:expect(icmp{ type = "time-exceeded", code = "ttl" }, { within = "1ms" })
  t:shows("RFC791-3.2-2", t:is(hops, 254))
end)

-- What is not ----------------------------------------------------------------------------------------

local function nothing(t, what, far, near)
  t:is({ #far:collect { during = "1ms" }, #near:collect() }, { 0, 0 }, what)
end

local BROKEN = {
  ["a wrong checksum"] = function(p) p.ip.checksum = 0xbad end,
  ["version 5"] = function(p) p.ip.version = 5 end,
  ["a header length of 4 words"] = function(p) p.ip.ihl = 4 end,
  ["a total length below the header's"] = function(p) p.ip.len = 19 end,
  ["a total length beyond the frame"] = function(p) p.ip.len = 500 end,
}

for name, damage in pairs(BROKEN) do
  tap.test("a header with " .. name .. " ends in silence, whatever the switches say", function(t)
    local host, near, far = new()
    for round = 1, 2 do
      for _, ttl in ipairs { 1, 64 } do -- an expired TTL or a bad option is not looked at before
        for _, options in ipairs { "", "\7\40\4\0" } do
          local packet = ip{ src = NEAR, dst = FAR, ttl = ttl, options = options } / udp{ sport = 1, dport = 2 } / ("x"):rep(30)
          damage(packet)
          near:send(packet)
          nothing(t, name, far, near)
        end
      end
      t:is(host:counter "IcmpOutMsgs", 0)
      t:shows("RFC1812-5.2.2-1", t:shows("RFC1812-5.2.1.1-1", t:is(host:counter "IpForwDatagrams", 0)))
      if round == 2 then t:shows("RFC1812-5.2.2-2", t:is(host:counter "IpForwDatagrams", 0)) end
      for _, sysctl in ipairs(host:sysctls()) do -- every switch that is a boolean, the other way
        local value = host:sysctl(sysctl)
        if sysctl:find "^net%.ipv4%.conf%.all%." and (value == "0" or value == "1") and not sysctl:find "forwarding" then
          host:sysctl(sysctl, value == "0" and 1 or 0)
        end
      end
    end
  end)
end

tap.test("0.0.0.0 is no source that is forwarded, and no destination", function(t)
  local host, near, far = new()
  near:send(ip{ src = "0.0.0.0", dst = FAR } / udp{ sport = 1, dport = 2 })
  near:send(ip{ dst = "0.0.0.0" } / udp{ sport = 1, dport = 2 })
  nothing(t, "dropped", far, near)
  t:shows("RFC1812-4.2.2.11-1", t:is(host:counter "IpForwDatagrams", 0))
end)

tap.test("unicast in a frame that was broadcast or multicast is not forwarded", function(t)
  local host, near, far = new()
  for _, mac in ipairs { "ff:ff:ff:ff:ff:ff", "01:00:5e:01:02:03" } do
    near:send(eth{ dst = mac } / ip{ dst = FAR } / udp{ sport = 1, dport = 2 })
    nothing(t, mac, far, near)
  end
  t:shows("RFC1812-5.3.4-2", t:is(host:counter "IpForwDatagrams", 0))
end)

tap.test("loopback addresses are martians, unless a switch says that they are not", function(t)
  local host, near, far = new()
  near:send(ip{ src = "127.0.0.5", dst = FAR } / udp{ sport = 1, dport = 2 })
  near:send(ip{ dst = "127.0.0.5" } / udp{ sport = 1, dport = 7 })
  nothing(t, "by default", far, near)
  t:is(host:sysctl "net.ipv4.conf.eth0.route_localnet", "0")
  host:sysctl("net.ipv4.conf.eth0.route_localnet", 1)
  local server = host:socket "udp"
  server:bind(7)
  near:send(ip{ dst = "127.0.0.5" } / udp{ sport = 1, dport = 7 } / "x")
  net.sleep "1ms"
  t:shows("RFC1812-5.3.7-3", t:is(server:pending(), 1))
end)

tap.test("a directed broadcast goes on only where bc_forwarding says so", function(t)
  local host, near, far = new()
  near:send(ip{ dst = "198.51.100.255" } / udp{ sport = 1, dport = 2 })
  nothing(t, "by default", far, near)
  for _, dev in ipairs { "all", "eth0" } do host:sysctl("net.ipv4.conf." .. dev .. ".bc_forwarding", 1) end
  near:send(ip{ dst = "198.51.100.255" } / udp{ sport = 1, dport = 2 })
  local got = far:expect(ip{ dst = "198.51.100.255" }, { within = "1ms", defaults = false })
  t:shows("RFC1812-5.3.5.2-1", t:is({ got.eth.dst, got.ip.ttl }, { "ff:ff:ff:ff:ff:ff", 63 }))
end)

-- For the router itself ------------------------------------------------------------------------------

tap.test("both addresses, broadcasts and groups that were joined are delivered here", function(t)
  local host, near, far = new()
  local server = host:socket "udp"
  server:bind(7)
  server:option("SO_BROADCAST", 1)
  server:option("IP_ADD_MEMBERSHIP", "\239\1\2\3\192\0\2\1")
  net.sleep "10s"
  near:collect()
  for _, dst in ipairs { "192.0.2.1", "198.51.100.1", "192.0.2.255", "255.255.255.255", "239.1.2.3" } do
    local mac = dst == "239.1.2.3" and "01:00:5e:01:02:03" or dst:find "255$" and "ff:ff:ff:ff:ff:ff" or nil
    near:send((mac and eth{ dst = mac } or eth{}) / ip{ dst = dst } / udp{ sport = 1, dport = 7 } / dst)
    net.sleep "1ms"
    t:shows("RFC1812-5.2.3-1", t:is((server:recv { flags = "dontwait" }), dst))
  end
  -- A source route that is used up ends here, one that is not goes on.
  host:sysctl("net.ipv4.conf.all.accept_source_route", 1)
  host:sysctl("net.ipv4.conf.eth0.accept_source_route", 1)
  near:send(ip{ dst = "192.0.2.1", options = router.route(0x83, 8, "203.0.113.1") } / udp{ sport = 1, dport = 7 } / "routed")
  net.sleep "1ms"
  t:shows("RFC1812-5.2.3-1", t:is((server:recv { flags = "dontwait" }), "routed"))
  t:is(#far:collect(), 0)
end)

tap.test("a TTL of 1, or of 0, is no reason to drop what is for the router; nothing leaves with 0", function(t)
  local host, near = new()
  for _, dst in ipairs { "192.0.2.1", "198.51.100.1" } do
    for ttl = 0, 1 do
      near:send(ip{ dst = dst, ttl = ttl } / icmp{ type = "echo", id = 1, seq = ttl })
      local reply = near:expect(ip{ src = dst } / icmp{ type = "echo-reply", seq = ttl })
      t:shows("RFC1812-5.3.1-1", t:shows("RFC1812-4.2.2.9-1", t:ok(reply.ip.ttl > 0)))
    end
  end
  t:is(select(2, host:socket("udp"):try("option", "IP_TTL", 0)), "EINVAL")
end)

tap.test("options of datagrams to the router are processed, and given to who asks", function(t)
  local host, near = new()
  local server = host:socket "udp"
  server:bind(7)
  server:option("IP_RECVOPTS", 1)
  near:send(ip{ dst = "198.51.100.1", options = "\7\7\4\0\0\0\0\0" } / udp{ sport = 1, dport = 7 } / "x")
  local _, info = server:recv { control_size = 128 }
  t:shows("RFC1812-4.2.2.1-1", t:ok(info.control:find("\7\7\8\198\51\100\1", 1, true), "the router's address is in it"))
end)

tap.test("the router puts its own fragments together, and answers echoes of any size", function(t)
  local _, near = new()
  for _, size in ipairs { 548, 1472, 3000 } do
    local whole = ip{ src = NEAR, dst = "198.51.100.1", id = size } / icmp{ type = "echo", id = 1, seq = 2 } / ("e"):rep(size)
    for _, piece in ipairs(net.fragments(whole, { 512 })) do
      if #piece:bytes() > 1500 then
        for _, smaller in ipairs(net.fragments(whole, { 512, 1600 })) do near:send(smaller) end
        break
      end
      near:send(piece)
    end
    local replies = near:collect { during = "1ms" }
    t:shows("RFC1812-4.2.2.8-1", t:ok(#replies >= 1))
    local octets = 0
    for _, reply in ipairs(replies) do octets = octets + reply.ip.len - reply.ip.ihl * 4 end
    t:shows("RFC1812-4.3.3.6-1", t:is(octets, size + 8))
  end
end)

tap.test("an ICMP type that nobody knows, and Source Quench, are discarded in silence", function(t)
  local host, near, far = new()
  for _, kind in ipairs { 1, 2, 7, 44, 200, 255, 4 } do
    near:send(ip{ dst = "192.0.2.1" } / icmp{ type = kind, code = 0, rest = 0 } / ("q"):rep(28))
    nothing(t, "type " .. kind, far, near)
  end
  t:shows("RFC1812-4.3.2.1-1", t:is(host:counter "IcmpOutMsgs", 0))
  for _ = 1, 3 do -- no slower for it
    through(near, far, ip{ dst = FAR } / udp{ sport = 1, dport = 2 })
  end
  t:shows("RFC6633-4-1", t:is(host:counter "IpForwDatagrams", 3))
end)

-- Fragments ------------------------------------------------------------------------------------------

tap.test("a datagram that is larger than the next link's MTU is cut; DF is not cleared for it", function(t)
  local host, near, far = new { mtu = 576 }
  near:send(ip{ src = NEAR, dst = FAR, id = 5 } / udp{ sport = 1, dport = 2 } / ("f"):rep(1400))
  local octets, last = 0, nil
  for _, piece in ipairs(far:collect { during = "1ms" }) do
    t:ok(piece.ip.len <= 576)
    t:is({ piece.ip.id, piece.ip.off * 8 }, { 5, octets })
    octets = octets + piece.ip.len - 20
    last = piece
  end
  t:shows("RFC1812-4.2.2.7-1", t:is({ octets, last.ip.mf }, { 1408, false }))
  near:send(ip{ src = NEAR, dst = FAR, id = 6, df = true } / udp{ sport = 1, dport = 2 } / ("f"):rep(1400))
  near:expect(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 576 }, { within = "1ms" })
  t:shows("RFC6864-4.3-3", t:is(#far:collect(), 0))
  t:is(host:counter "IpFragFails", 1)
end)

tap.test("68 octets pass a link of that MTU whole", function(t)
  local _, near, far = new { mtu = 68 }
  local got = through(near, far, ip{ dst = FAR, options = ("\1"):rep(40) } / udp{ sport = 1, dport = 2 })
  t:shows("RFC791-3.2-6", t:is({ got.ip.len, got.ip.mf, got.ip.off }, { 68, false, 0 }))
end)

-- Errors ---------------------------------------------------------------------------------------------

tap.test("Destination Unreachable has the code that fits", function(t)
  local host, near = new()
  host:route { dst = "203.0.113.0/28", type = "unreachable" }
  host:route { dst = "203.0.113.16/28", type = "prohibit" }
  for dst, code in pairs { ["203.0.114.1"] = 0, ["203.0.113.1"] = 1, ["203.0.113.17"] = 13 } do
    near:send(ip{ dst = dst } / udp{ sport = 1, dport = 2 })
    t:shows("RFC1812-5.2.7.1-1", near:expect(icmp{ type = "dest-unreach", code = code }))
    net.sleep "1s"
  end
end)

tap.test("redirects are for hosts, never for networks, and a switch ends them", function(t)
  local host, near = new()
  local gateway = host.wire:peer { addr = "192.0.2.77" }
  host:neigh { addr = "192.0.2.77", mac = gateway.mac, dev = "eth0" }
  host:route { dst = "203.0.113.0/24", via = "192.0.2.77" }
  t:is(host:sysctl "net.ipv4.conf.all.send_redirects", "1")
  near:send(ip{ dst = "203.0.113.1" } / udp{ sport = 1, dport = 2 })
  local redirect = near:expect(icmp{ type = "redirect" }, { within = "1ms" })
  t:shows("RFC1812-5.2.7.2-2", t:is({ redirect.icmp.code, redirect.icmp.gateway }, { 1, "192.0.2.77" }))
  gateway:expect(ip{ dst = "203.0.113.1", ttl = 63 }, { defaults = false, within = "1ms" })
  for _, dev in ipairs { "all", "eth0" } do host:sysctl("net.ipv4.conf." .. dev .. ".send_redirects", 0) end
  net.sleep "1min"
  near:send(ip{ dst = "203.0.113.2" } / udp{ sport = 1, dport = 2 })
  gateway:expect(ip{ dst = "203.0.113.2" }, { defaults = false, within = "1ms" })
  t:shows("RFC1812-5.2.7.2-3", near:expect_nothing { during = "1s" })
end)

tap.test("no error about an ICMP error, and none about a fragment but the first", function(t)
  local host, near = new()
  local quoted = ip{ src = FAR, dst = NEAR } / udp{ sport = 1, dport = 2 }
  near:send(ip{ dst = FAR, ttl = 1 } / icmp{ type = "dest-unreach", code = "port", rest = 0 } / net.parse(quoted:bytes(), "ip"))
  near:send(ip{ dst = FAR, ttl = 1, off = 5, proto = 17 } / ("x"):rep(20))
  near:expect_nothing { during = "1s" }
  near:send(ip{ dst = FAR, ttl = 1, off = 0, mf = true, proto = 17 } / ("x"):rep(24))
  t:ok(near:expect(icmp{ type = "time-exceeded", code = "ttl" }))
  t:shows("RFC792-Formats-4", t:is(host:counter "IcmpOutMsgs", 1))
end)

-- As in Linux 169.254/16 is a network as any other; RFC 3927 2.7 would have the router drop it.
tap.test("link-local addresses are forwarded where routes lead", function(t)
  local host, near, far = new()
  host:route { dst = "169.254.0.0/16", via = FAR, dev = host.nics[2] }
  for _, fields in ipairs { { src = "169.254.1.2", dst = FAR }, { src = NEAR, dst = "169.254.1.2" } } do
    near:send(ip(fields) / udp{ sport = 1, dport = 2 })
    t:is(far:expect(ip(fields), { within = "1ms", defaults = false }).ip.ttl, 63)
  end
end)

tap.test("Router Alert is passed over by a router where nobody asked for it", function(t)
  local host, near, far = new()
  local got = through(near, far, ip{ dst = FAR, options = "\x94\4\0\0" } / udp{ sport = 1, dport = 2 } / "x")
  t:shows("RFC7126-4.8.5-1", t:is({ got.ip.options, got.ip.ttl, #near:collect() }, { "\x94\4\0\0", 63, 0 }))
  t:is(host:counter "IpInDelivers", 0)
end)

tap.test("a router answers time stamp requests", function(t)
  local _, near = new()
  near:send(ip{ dst = "198.51.100.1" } / icmp{ type = "timestamp", id = 5, seq = 6, originate = 7, receive = 0, transmit = 0 })
  local reply = near:expect(ip{ src = "198.51.100.1" } / icmp{ type = "timestamp-reply", id = 5, seq = 6 })
  t:shows("RFC1812-4.3.3.8-1", t:is(reply.icmp.originate, 7))
end)
