-- SPDX-License-Identifier: MIT
-- IGMP as a host speaks it: version 3 by default (RFC 3376), as older routers do where there are
-- such (RFC 2236, RFC 1112): joins and leaves, queries, suppression, the way back.
local tap = require "tap"
local net = require "net"
local ip, eth = net.ip, net.eth
local igmp = require "_igmp"

local GROUP = igmp.GROUP
local station, join, leave, heard, records, query =
  igmp.station, igmp.join, igmp.leave, igmp.heard, igmp.records, igmp.query

tap.test("a join is told twice, as a change to exclude nothing", function(t)
  local host, peer, s = station()
  join(s)
  local list = heard(peer, "5s")
  t:is(#list, 2)
  for _, m in ipairs(list) do
    t:is({ m.dst, m.mac, m.ttl, m.tos, m.type }, { "224.0.0.22", "01:00:5e:00:00:16", 1, 0xc0, 0x22 })
    t:shows("RFC2236-2-1", t:is(m.options, "\x94\4\0\0"))
    t:is(records(m), { { 4, GROUP, 0 } })
  end
  t:shows("RFC1122-3.3.7-2", t:shows("RFC2236-3-2", t:is(list[1].at, 2000000)))
  t:ok(list[2].at - list[1].at <= 1002000000)
  t:is(#heard(peer, "60s"), 0)
end)

tap.test("a second member of the group is not told; the last one's leave is, twice", function(t)
  local host, peer, s = station()
  local other = host:socket "udp"
  join(s)
  heard(peer, "5s")
  join(other)
  leave(s)
  t:is(#heard(peer, "5s"), 0)
  leave(other)
  local list = heard(peer, "5s")
  t:is(#list, 2)
  for _, m in ipairs(list) do t:is(records(m), { { 3, GROUP, 0 } }) end
end)

tap.test("a general query is answered for all groups in one report, within its time", function(t)
  local host, peer, s = station()
  join(s)
  join(s, "239.9.9.9")
  heard(peer, "5s")
  local start = net.now()
  query(peer, { version = 3, code = 50 })
  local list = heard(peer, "20s")
  t:is(#list, 1)
  t:is(records(list[1]), { { 2, "239.9.9.9", 0 }, { 2, GROUP, 0 } })
  t:ok(list[1].at - start <= 5003000000)
  query(peer, { version = 3, code = 50, group = GROUP })
  list = heard(peer, "20s")
  t:is(#list, 1)
  t:is(records(list[1]), { { 2, GROUP, 0 } })
end)

tap.test("a version 2 router: reports and leaves of version 2, and version 3 again when it is gone", function(t)
  local host, peer, s = station()
  join(s)
  heard(peer, "5s")
  query(peer, { code = 10 })
  local list = heard(peer, "5s")
  t:is(#list, 1)
  t:is({ list[1].dst, list[1].type, list[1].ihl }, { GROUP, 0x16, 6 })
  leave(s)
  list = heard(peer, "5s")
  t:shows("RFC2236-3-3", t:is({ #list, list[1].dst, list[1].type }, { 1, "224.0.0.2", 0x17 }))
  join(s)
  list = heard(peer, "30s")
  t:is({ #list, list[1].type, list[2].type }, { 2, 0x16, 0x16 })
  net.sleep "260s"
  leave(s)
  t:is(heard(peer, "5s")[1].type, 0x22)
end)

tap.test("a version 1 router: reports of version 1, no leave", function(t)
  local host, peer, s = station()
  join(s)
  heard(peer, "5s")
  query(peer, { code = 0 })
  local list = heard(peer, "10.1s")
  t:shows("RFC2236-4-1", t:is({ #list, list[1].dst, list[1].type }, { 1, GROUP, 0x12 }))
  leave(s)
  t:is(#heard(peer, "5s"), 0)
end)

tap.test("another member's report is enough, and then it need not say that it leaves", function(t)
  local host, peer, s = station()
  join(s)
  heard(peer, "5s")
  query(peer, { code = 100 })
  local body = "\x16\0" .. (">I2"):pack(~(0x1600 + 0xef01 + 0x0203 - 0x10000 + 1) & 0xffff) .. "\xef\1\2\3"
  peer:send(eth{ dst = "01:00:5e:01:02:03" } / ip{ dst = GROUP, ttl = 1, proto = 2, options = "\x94\4\0\0" } / body)
  t:shows("RFC2236-5-1", t:is(#heard(peer, "15s"), 0))
  leave(s)
  t:is(#heard(peer, "5s"), 0)
  t:is(host:counter "IgmpInReports", 1)
end)

tap.test("the group of all hosts is never told; an interface that comes up tells what it hears", function(t)
  local host, peer, s = station()
  query(peer, { version = 3, code = 10 })
  t:is(#heard(peer, "5s"), 0)
  join(s)
  heard(peer, "5s")
  host:link { up = false }
  net.sleep "1s"
  host:link { up = true }
  t:is(#heard(peer, "5s"), 2)
end)
