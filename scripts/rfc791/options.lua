-- SPDX-License-Identifier: MIT
-- RFC 791 3.1 and RFC 1122 3.2.1.8: options as received, and what an answer carries.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function echo() return icmp{ type = "echo", id = 1, seq = 1 } / "option" end

local function bytes(addr)
  local a, b, c, d = addr:match("(%d+)%.(%d+)%.(%d+)%.(%d+)")
  return string.char(tonumber(a), tonumber(b), tonumber(c), tonumber(d))
end

-- Options that are in order: the request is answered, with these options.
local function good(title, id, options, answer)
  tap.test(title, function(t)
    local host, peer = station()
    peer:send(ip{ options = options } / echo())
    local reply = peer:expect(icmp{ type = "echo-reply" } / "option")
    local same = t:is(reply.ip.options or "", answer or "")
    if id == 1 then t:shows("RFC791-3.1-10", same) end
    if id == 2 then t:shows("RFC1122-3.2.1.8-3", same) end
    if id == 3 then t:shows("RFC791-3.1-11", same) end
    if id == 4 then t:shows("RFC1122-3.2.1.8b-2", same) end
    if id == 5 then t:shows("RFC1122-3.2.1.8d-1", same) end
    if id == 6 then t:shows("RFC791-3.1-16", same) end
    if id == 7 then t:shows("RFC791-3.1-17", same) end
    t:is(host:counter("IpInHdrErrors"), 0)
  end)
end

-- Options that are not: parameter problem that points at the byte, and no delivery.
local function bad(title, id, options, pointer)
  tap.test(title, function(t)
    local host, peer = station()
    peer:send(ip{ options = options } / echo())
    local problem = peer:expect(icmp{ type = "param-problem", code = 0 })
    local points = t:is(problem.icmp.pointer, pointer)
    if id == 1 then t:shows("RFC791-3.1-11", points) end
    if id == 2 then t:shows("RFC791-3.1-16", points) end
    if id == 3 then t:shows("RFC791-3.1-17", points) end
    if id == 4 then t:shows("RFC1122-3.2.1.8c-4", points) end
    peer:expect_nothing { during = "1s" }
    t:is({ host:counter("IpInHdrErrors"), host:drops("IP_OPTIONS"), host:counter("IpInDelivers") },
      { 1, 1, 0 })
  end)
end

good("no-operation options are passed over", 3, "\1\1\1\1")
good("an end-of-list option ends the list, garbage behind it is ignored", 3, "\0\7\0\9")
good("an unknown option of 4 octets is ignored", 2, "\x5e\4\xaa\xbb")
good("an unknown option of 40 octets, the most, is ignored", 2, "\x5e\40" .. ("u"):rep(38))
good("an unknown option of 2 octets, the least, is ignored", 2, "\x5e\2\1\1")
good("the stream identifier is ignored and not sent back", 4, "\x88\4\0\1")
good("the basic security option is ignored", 2, "\x82\x0b\xf1\x35\0\0\0\0\0\0\0\0")
good("router alert of value 0 changes nothing for a host", 1, "\x94\4\0\0")
good("router alert of another value neither", 1, "\x94\4\0\1")

bad("an option of length 0 is a parameter problem", 1, "\x5e\0\1\1", 20)
bad("an option of length 1 is a parameter problem", 1, "\x5e\1\1\1", 20)
bad("an option one octet longer than the header is a parameter problem", 1, "\x5e\5\1\1", 20)
bad("an option of length 255 is a parameter problem", 1, "\1\1\x5e\xff", 22)
bad("an option that is its type alone is a parameter problem", 1, "\1\1\1\x5e", 23)
bad("a router alert of 3 octets is a parameter problem", 1, "\x94\3\0\0", 21)

-- Record route.
local RR = bytes "192.0.2.1"
good("record route: the host's address goes into the first slot", 5,
  "\7\7\4" .. "\0\0\0\0" .. "\0", "\7\7\8" .. RR .. "\0")
good("record route: the next free slot is used, twice where there is room for the way back", 6,
  "\7\15\8" .. bytes "198.51.100.7" .. ("\0"):rep(8) .. "\0",
  "\7\15\16" .. bytes "198.51.100.7" .. RR .. RR .. "\0")
good("record route: nine slots, all full, nothing more is written", 6,
  "\7\39\40" .. ("r"):rep(36) .. "\0", "\7\39\40" .. ("r"):rep(36) .. "\0")
bad("record route: a pointer below 4 is a parameter problem", 2, "\7\7\3\0\0\0\0\0", 22)
bad("record route: 2 octets are too few", 2, "\7\2\1\1", 21)
bad("record route: room for 3 octets of an address is a parameter problem", 2,
  "\7\6\4\0\0\0\0\0", 22)
bad("record route twice is a parameter problem", 2, "\7\7\4\0\0\0\0" .. "\7\7\4\0\0\0\0" .. "\0\0", 27)

-- Time stamps: at 1 ms of virtual time and later the stamps are not zero, so sent at 0 here.
good("time stamps only: one when received, one when sent", 7, "\x44\12\5\0" .. ("\xff"):rep(8),
  "\x44\12\13\0" .. ("\0"):rep(8))
good("time stamps with addresses: both slots are ours", 7, "\x44\20\5\1" .. ("\xff"):rep(16),
  "\x44\20\21\1" .. RR .. "\0\0\0\0" .. RR .. "\0\0\0\0")
good("time stamp for another host's address: left alone", 7,
  "\x44\12\5\3" .. bytes "198.51.100.7" .. "\xff\xff\xff\xff",
  "\x44\12\5\3" .. bytes "198.51.100.7" .. "\xff\xff\xff\xff")
good("time stamp for the host's own address is filled in", 7,
  "\x44\12\5\3" .. RR .. "\xff\xff\xff\xff", "\x44\12\13\3" .. RR .. "\0\0\0\0")
good("time stamps full: the overflow counter grows", 7, "\x44\8\9\xe0" .. "\0\0\0\1",
  "\x44\8\9\xf0" .. "\0\0\0\1")
bad("time stamps full and the overflow counter at 15 is a parameter problem", 3,
  "\x44\8\9\xf0" .. "\0\0\0\1", 23)
bad("time stamps: a pointer below 5 is a parameter problem", 3, "\x44\8\4\0\0\0\0\0", 22)
bad("time stamps: 3 octets are too few", 3, "\x44\3\5\0", 21)
bad("time stamps: room for 3 octets is a parameter problem", 3, "\x44\7\5\0\0\0\0\0", 22)
bad("time stamps with addresses: room for 4 octets is a parameter problem", 3,
  "\x44\8\5\1\0\0\0\0", 22)
bad("time stamps twice is a parameter problem", 3, "\x44\8\5\0\0\0\0\0" .. "\x44\8\5\0\0\0\0\0", 28)
good("profile linux: a time stamp flag that is not defined is passed over", nil,
  "\x44\8\5\2\0\0\0\0", "\x44\8\5\2\0\0\0\0")

-- CIPSO (FIPS 188): its tags are walked also where no label is known.
bad("CIPSO of 7 octets is a parameter problem", nil, "\x86\7\0\0\0\1\1\0", 21)
bad("CIPSO of domain 0 is a parameter problem", nil, "\x86\8\0\0\0\0\1\2", 22)
bad("CIPSO with a tag of length 0 does not loop, it is a parameter problem", nil,
  "\x86\10\0\0\0\1\1\0\0\0" .. "\0\0", 27)
bad("CIPSO with a tag beyond the option is a parameter problem", nil,
  "\x86\10\0\0\0\1\1\5\0\0" .. "\0\0", 27)
good("CIPSO that is in order is passed over and sent back", nil,
  "\x86\10\0\0\0\1\1\4\0\0" .. "\0\0", "\x86\10\0\0\0\1\1\4\0\0" .. "\0\0")

tap.test("time stamps are milliseconds since midnight", function(t)
  local _, peer = station()
  net.sleep "5s"
  peer:send(ip{ options = "\x44\12\5\0" .. ("\xff"):rep(8) } / echo())
  local reply = peer:expect(icmp{ type = "echo-reply" })
  t:shows("RFC1122-3.2.1.8e-1", t:is(reply.ip.options:sub(5), (">I4I4"):pack(5000, 5000)))
end)

tap.test("all options at once, and the padding of the answer is zero", function(t)
  local _, peer = station()
  peer:send(ip{ options = "\1\7\7\4\0\0\0\0" .. "\x44\8\5\0\0\0\0\0" .. "\x5e\2" .. "\0\1" } / echo())
  local reply = peer:expect(icmp{ type = "echo-reply" })
  t:shows("RFC791-3.1-18", t:is(reply.ip.options,
    "\7\7\8" .. RR .. "\x44\8\9\0\0\0\0\0" .. "\0"))
end)

-- Source routes.
tap.test("profile linux: a source route is not accepted by default, in silence", { profile = "linux" }, function(t)
  local host, peer = station()
  peer:send(ip{ options = "\x83\7\8" .. bytes "192.0.2.1" .. "\0" } / echo())
  peer:send(ip{ options = "\x89\7\8" .. bytes "192.0.2.1" .. "\0" } / echo())
  peer:expect_nothing { during = "1s" }
  t:is({ host:drops("IP_OPTIONS"), host:counter("IpInDelivers") }, { 2, 0 })
end)

local ACCEPT = { ["net.ipv4.conf.all.accept_source_route"] = 1 }

tap.test("a completed source route is delivered, the answer goes back the same way", function(t)
  local host, peer = station { sysctl = ACCEPT }
  peer:send(ip{ src = "203.0.113.5", options = "\x83\7\8" .. bytes "192.0.2.9" .. "\0" } / echo())
  local reply = peer:expect(ip{ dst = "192.0.2.9" } / icmp{ type = "echo-reply" } / "option")
  t:shows("RFC1122-3.2.1.8c-2", t:is(host:counter("IpInDelivers"), 1))
  t:shows("RFC1122-3.2.1.8c-3", t:is(reply.ip.options, "\x83\7\4" .. bytes "203.0.113.5" .. "\0"))
end)

tap.test("a source route by way of other hosts is a forward that a host does not do", function(t)
  local host, peer = station { sysctl = ACCEPT }
  peer:send(ip{ options = "\x83\7\4" .. bytes "192.0.2.77" .. "\0" } / echo())
  peer:expect_nothing { during = "1s" }
  t:shows("RFC1122-3.3.5-8", t:is(host:counter("IpForwDatagrams"), 0))
end)

local function bad_srr(title, options, pointer)
  tap.test(title, function(t)
    local host, peer = station { sysctl = ACCEPT }
    peer:send(ip{ options = options } / echo())
    local problem = peer:expect(icmp{ type = "param-problem", code = 0 })
    t:is(problem.icmp.pointer, pointer)
    t:is(host:counter("IpInDelivers"), 0)
  end)
end

bad_srr("source route: 2 octets are too few", "\x83\2\1\1", 21)
bad_srr("source route: a pointer below 4 is a parameter problem", "\x83\7\3\1\2\3\4\0", 22)
bad_srr("source route: a pointer into the last address is a parameter problem",
  "\x83\7\5" .. "\1\2\3\4" .. "\0", 22)
tap.test("a second source route in a header is a parameter problem", function(t)
  local host, peer = station { sysctl = ACCEPT }
  peer:send(ip{ options = "\x83\7\8" .. bytes "192.0.2.9" .. "\x89\7\8" ..
    bytes "192.0.2.9" .. "\0\0" } / echo())
  local problem = peer:expect(icmp{ type = "param-problem", code = 0 })
  t:is(problem.icmp.pointer, 27)
  t:is(host:counter("IpInDelivers"), 0)
end)

tap.test("options the application sets are sent, padded with zeros", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:option("IP_OPTIONS", "\7\7\4\0\0\0\0")
  socket:sendto("x", peer.addr, 9)
  local frame = peer:expect(udp{ dport = 9 } / "x")
  t:shows("RFC1122-3.2.1.8-1", t:is(frame.ip.options, "\7\7\8" .. RR .. "\0"))
  t:is(frame.ip.ihl, 7)
end)

tap.test("options that came are given to the application that asks for them", function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:bind(7)
  server:option("IP_RECVOPTS", 1)
  peer:send(ip{ options = "\x5e\4ab" } / udp{ sport = 5000, dport = 7 } / "hello")
  local _, info = server:recv { control_size = 128 }
  t:shows("RFC1122-3.2.1.8-2", t:ok(info.control and info.control:find("\x5e\4ab", 1, true)))
end)
