-- SPDX-License-Identifier: MIT
-- IGMP messages as a host takes them: checksums, lengths, unknown types, what is behind a message; the
-- delays of its answers, and the versions it keeps to (RFC 3376 4, 5, 7; RFC 2236; RFC 1112 appendix I).
local tap = require "tap"
local net = require "net"
local igmp = require "_igmp"

local GROUP <const>, OTHER <const> = igmp.GROUP, "239.9.9.9"
local SECOND <const> = 1000000000
local heard, records, query, message, send = igmp.heard, igmp.records, igmp.query, igmp.message, igmp.send

-- A member of GROUP (and of OTHER) whose unsolicited reports are over.
local function member(both)
  local host, peer, s = igmp.station()
  igmp.join(s)
  if both then igmp.join(s, OTHER) end
  heard(peer, "10s")
  return host, peer, s
end

local function types(list)
  local all = {}
  for i, m in ipairs(list) do all[i] = m.type end
  return all
end

-- Is a message answered within 30 s?
local function answered(peer, ...)
  query(peer, ...)
  return #heard(peer, "30s") > 0
end

tap.test("checksums: those that are sent are right, a query with a wrong one is dropped", function(t)
  local host, peer, s = igmp.station()
  igmp.join(s)
  for _, m in ipairs(heard(peer, "10s")) do
    local total = 0
    for i = 1, #m.body, 2 do total = total + (">I2"):unpack(m.body, i) end
    while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
    t:shows("RFC2236-2.3-1", t:is(total, 0xffff))
  end
  t:is({ answered(peer, { version = 3, sum = 0xbad }), answered(peer, { sum = 0 }) }, { false, false })
  t:shows("RFC3376-4.1.2-1", t:ok(answered(peer, { version = 3 })))
end)

tap.test("what is behind a query counts for the checksum, and for nothing else", function(t)
  local _, peer = member()
  t:ok(answered(peer, { version = 3, more = "extra octets" }))
  -- A checksum over the first twelve octets alone.
  local short = message(0x11, 100, igmp.address "0.0.0.0" .. "\2\125\0\0")
  send(peer, "224.0.0.1", short .. "extra octets")
  t:shows("RFC3376-4.1.10-1", t:is(#heard(peer, "30s"), 0))
end)

tap.test("another member's report with octets behind it is a report", function(t)
  local _, peer = member()
  query(peer, { code = 100 })
  send(peer, GROUP, message(0x16, 0, igmp.address(GROUP) .. "more"))
  t:shows("RFC2236-2.5-1", t:is(#heard(peer, "30s"), 0))
end)

tap.test("the length tells the version of a query; of other lengths it is dropped", function(t)
  local _, peer = member()
  for _, length in ipairs { 9, 10, 11 } do
    t:is(answered(peer, { more = ("\0"):rep(length - 8) }), false)
  end
  send(peer, "224.0.0.1", message(0x11, 100, "\0\0"))
  t:is(#heard(peer, "30s"), 0)
  query(peer, { version = 3 })
  t:is(types(heard(peer, "30s")), { 0x22 })
  query(peer, { code = 100 })
  t:is(types(heard(peer, "30s")), { 0x16 })
  net.sleep "400s"
  query(peer, { code = 0 })
  t:shows("RFC3376-7.1-1", t:shows("RFC3376-4-1", t:is(types(heard(peer, "30s")), { 0x12 })))
end)

tap.test("unknown types are dropped in silence", function(t)
  local host, peer = member()
  for _, kind in ipairs { 0x00, 0x10, 0x13, 0x1f, 0x30, 0xff } do
    send(peer, "224.0.0.1", message(kind, 0, igmp.address(GROUP)))
  end
  t:shows("RFC3376-4-2", t:is(#heard(peer, "30s"), 0))
  t:is(host:counter "IcmpOutMsgs", 0)
  t:ok(answered(peer, { version = 3 }), "it goes on")
end)

tap.test("a query to an address of the host's own is answered", function(t)
  local _, peer = member()
  t:shows("RFC3376-4.1.12-1", t:ok(answered(peer, { version = 3, to = "192.0.2.1" })))
end)

tap.test("reports of version 3: to 224.0.0.22, without auxiliary data; others' are not looked at", function(t)
  local host, peer, s = igmp.station()
  igmp.join(s)
  for _, m in ipairs(heard(peer, "10s")) do
    t:shows("RFC3376-4.2.14-1", t:is({ m.dst, m.type }, { "224.0.0.22", 0x22 }))
    t:is(records(m), { { 4, GROUP, 0 } })
    t:shows("RFC3376-4.2.10-1", t:is({ m.body:byte(10), #m.body }, { 0, 16 }))
  end
  query(peer, { version = 3 })
  -- Records of types that are not known, with auxiliary data; they silence nobody.
  send(peer, "224.0.0.22", message(0x22, 0, "\0\0\0\2" .. "\9\1\0\0" .. igmp.address(GROUP) .. "aux." ..
    "\255\0\0\0" .. igmp.address(OTHER)))
  t:shows("RFC3376-4.2.12-1", t:is(types(heard(peer, "30s")), { 0x22 }))
end)

for _, robustness in ipairs { 2, 4 } do
  tap.test(("a change is told at once, and %d times in all"):format(robustness), function(t)
    local host, peer, s = igmp.station()
    query(peer, { version = 3, qrv = robustness, code = 1 }) -- the router says how often
    heard(peer, "1s")
    local start = net.now()
    igmp.join(s)
    local list = heard(peer, "20s")
    t:is({ #list, list[1].at - start <= 2000000 }, { robustness, true })
    start = net.now()
    igmp.leave(s)
    list = heard(peer, "20s")
    t:shows("RFC3376-5.1-1", t:is({ #list, list[1].at - start <= 2000000 }, { robustness, true }))
  end)
end

-- Delays ---------------------------------------------------------------------------------------------

-- When the answers to twelve queries came, after each.
local function delays(t, peer, o, limit)
  local list, least, most = {}, limit, 0
  for i = 1, 12 do
    local start = net.now()
    query(peer, o)
    local frames = heard(peer, "30s")
    t:is(#frames, 1)
    list[i] = frames[1].at - start
    least, most = math.min(least, list[i]), math.max(most, list[i])
    t:ok(list[i] <= limit + 10000000, list[i] .. " ns")
  end
  t:ok(most - least > limit // 4, ("between %d and %d ns: by chance"):format(least, most))
  return least
end

tap.test("version 3: a general query is answered within its time, by chance, never at once", function(t)
  local _, peer = member()
  t:shows("RFC3376-5.2-1", t:ok(delays(t, peer, { version = 3, code = 100 }, 10 * SECOND) > 1000))
end)

tap.test("version 2: a delay of its own for each group, up to the query's time", function(t)
  local _, peer = member(true)
  local together = 0
  for _ = 1, 8 do
    local start = net.now()
    query(peer, { code = 50 })
    local list = heard(peer, "30s")
    t:is(#list, 2)
    for _, m in ipairs(list) do t:ok(m.at - start <= 5010000000) end
    if list[2].at - list[1].at < 10000000 then together = together + 1 end
  end
  t:shows("RFC2236-3-1", t:ok(together < 3))
end)

tap.test("version 1: a delay of up to 10 s, and none at all when another member was first", function(t)
  local _, peer = member()
  delays(t, peer, { code = 0 }, 10 * SECOND)
  query(peer, { code = 0 })
  send(peer, GROUP, message(0x12, 0, igmp.address(GROUP)))
  t:shows("RFC1112-I-1", t:is(#heard(peer, "30s"), 0))
end)

-- Versions -------------------------------------------------------------------------------------------

-- RFC 3376 8.12, which takes the place of the 400 s of RFC 2236 4.
tap.test("a router of version 1 is remembered for 260 s", function(t)
  local _, peer, s = member()
  query(peer, { code = 0 })
  heard(peer, "30s")
  net.sleep "220s" -- 250 s after the query
  igmp.join(s, OTHER)
  t:is(heard(peer, "10ms")[1].type, 0x12)
  heard(peer, "20s")
  igmp.leave(s, OTHER)
  heard(peer, "1s")
  igmp.join(s, OTHER)
  t:is(heard(peer, "10ms")[1].type, 0x22)
  heard(peer, "20s")
end)

tap.test("the version is that of each link, and comes back", function(t)
  local host, peer, s = igmp.station()
  local card = host:nic { addr = "198.51.100.1/24" }
  local second = card.wire:peer { addr = "198.51.100.9" }
  local function join(group, ifaddr) s:option("IP_ADD_MEMBERSHIP", igmp.address(group) .. igmp.address(ifaddr)) end
  query(peer, { code = 10 })
  net.sleep "2s"
  join(GROUP, "192.0.2.1")
  join(GROUP, "198.51.100.1")
  t:is({ heard(peer, "10ms")[1].type, heard(second, "1ms")[1].type }, { 0x16, 0x22 })
  heard(peer, "30s")
  heard(second, "1ms")
  net.sleep "300s"
  join(OTHER, "192.0.2.1")
  t:shows("RFC3376-7.2.1-1", t:is(heard(peer, "10ms")[1].type, 0x22))
  heard(peer, "30s")
end)
