-- SPDX-License-Identifier: MIT
-- Sysctls: which texts they take, as Linux 6.18 (read off a kernel by ci/linux-differential), and what
-- some of them do.
local tap = require "tap"
local net = require "net"

-- What host:sysctl says of a text: the value that is read then, or the errno.
local function write(host, name, text)
  local good, message = pcall(host.sysctl, host, name, text)
  return good and host:sysctl(name) or message:match "E%u+$"
end

tap.test("how a number is read", function(t)
  local host = net.host { up = false }
  local name = "net.ipv4.tcp_app_win"
  for text, value in pairs { ["7"] = "7", [" 7"] = "7", ["7\n"] = "7", ["7 8 9"] = "7", ["0x1f"] = "31", ["017"] = "15",
    ["32"] = "EINVAL", ["-1"] = "EINVAL", ["+7"] = "EINVAL", ["7x"] = "EINVAL", ["x"] = "EINVAL", [" "] = "EINVAL",
    ["99999999999999999999"] = "EINVAL" } do
    host:sysctl(name, 31)
    t:is(write(host, name, text), value, text)
  end
  host:sysctl(name, 5)
  t:is(write(host, name, ""), "5")
end)

tap.test("sysctl NAME=VALUE, as the command takes it", function(t)
  local host = net.host { up = false }
  host:sysctl "net.ipv4.tcp_app_win=7"
  t:is(host:sysctl "net.ipv4.tcp_app_win", "7")
  host:sysctl "net.ipv4.tcp_rmem = 4096 8192 16384"
  t:is(host:sysctl "net.ipv4.tcp_rmem", "4096\t8192\t16384")
  t:error(function() host:sysctl "net.ipv4.tcp_app_wim=7" end, "no sysctl 'net.ipv4.tcp_app_wim'; did you mean 'net.ipv4.tcp_app_win'%?")
end)

local LIMITS = { { "tcp_reordering", 1, 300 }, { "tcp_min_tso_segs", 1, 255 }, { "tcp_tso_win_divisor", 0, 255 },
  { "tcp_ecn_option_beacon", 0, 3 }, { "tcp_sack", 0, 255 }, { "tcp_mtu_probe_floor", 48, 65535 },
  { "tcp_adv_win_scale", -31, 31 }, { "tcp_fin_timeout", 0, 2147483 }, { "ip_forward_update_priority", 0, 1 },
  { "ip_autobind_reuse", 0, 1 }, { "igmp_qrv", 1, 2147483647 } }

for _, limit in ipairs(LIMITS) do
  tap.test(("%s: from %d to %d"):format(table.unpack(limit)), function(t)
    local host = net.host { up = false }
    local name = "net.ipv4." .. limit[1]
    t:is(write(host, name, limit[2]), tostring(limit[2]))
    t:is(write(host, name, limit[3]), tostring(limit[3]))
    t:is(write(host, name, limit[2] - 1), "EINVAL")
    t:is(write(host, name, limit[3] + 1), "EINVAL")
  end)
end

tap.test("several numbers: the first alone leaves the others, their order is the user's affair", function(t)
  local host = net.host { up = false }
  t:is(write(host, "net.ipv4.tcp_rmem", "8192"), "8192\t131072\t33554432")
  t:is(write(host, "net.ipv4.tcp_rmem", "9 8 7 6"), "9\t8\t7")
  t:is(write(host, "net.ipv4.tcp_rmem", "5 0"), "EINVAL")
  t:is(write(host, "net.ipv4.tcp_rmem", " "), "EINVAL")
end)

tap.test("ip_local_port_range: in order, and above what is privileged", function(t)
  local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_port_range"] = "32768 60999" } }
  local name = "net.ipv4.ip_local_port_range"
  t:is(write(host, name, "40000"), "40000\t60999")
  t:is(write(host, name, "60001 60000"), "EINVAL")
  t:is(write(host, name, "1000 60000"), "EINVAL")
  t:is(write(host, "net.ipv4.ip_unprivileged_port_start", "40001"), "EINVAL")
  t:is(write(host, "net.ipv4.ip_unprivileged_port_start", "0"), "0")
  t:is(write(host, name, "1000 60000"), "1000\t60000")
end)

tap.test("fragment thresholds: the low one stays below the high one", function(t)
  local host = net.host { up = false }
  for _, prefix in ipairs { "net.ipv4.ipfrag", "net.ipv6.ip6frag" } do
    t:is(write(host, prefix .. "_high_thresh", "3145727"), "EINVAL")
    t:is(write(host, prefix .. "_low_thresh", "4194305"), "EINVAL")
    t:is(write(host, prefix .. "_low_thresh", "1000"), "1000")
    t:is(write(host, prefix .. "_high_thresh", "1000"), "1000")
  end
end)

tap.test("ip_local_reserved_ports: a list of ports and ranges", function(t)
  local host = net.host { up = false }
  local name = "net.ipv4.ip_local_reserved_ports"
  t:is(host:sysctl(name), "")
  t:is(write(host, name, "8080,30005,30000-30003,30004"), "8080,30000-30005")
  for _, text in ipairs { "65536", "7 ", "7,x", "9-7", "-1", "7-" } do t:is(write(host, name, text), "EINVAL", text) end
  t:is(write(host, name, ""), "8080,30000-30005")
  t:is(write(host, name, "\n"), "")
end)

for _, kind in ipairs { "tcp", "udp" } do
  tap.test("ip_local_reserved_ports: " .. kind .. " is not given one, and may ask for it", function(t)
    local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_port_range"] = "40000 40003",
      ["net.ipv4.ip_local_reserved_ports"] = "40001-40002" } }
    local ports = {}
    for i = 1, 2 do
      local s = host:socket(kind)
      s:bind "127.0.0.1:0"
      ports[i] = s:name().port
    end
    table.sort(ports)
    t:is(ports, { 40000, 40003 })
    t:is(select(2, host:socket(kind):try("bind", "127.0.0.1:0")), "EADDRINUSE")
    t:ok(host:socket(kind):bind "127.0.0.1:40001")
  end)
end

tap.test("ip_local_reserved_ports: connect() passes by, with a range of its own too", function(t)
  local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_reserved_ports"] = "40001-40002",
    ["net.ipv4.ip_local_port_range"] = "32768 60999" } }
  host:socket "tcp":listen(80)
  local s
  for i = 1, 2 do
    s = host:socket "tcp"
    s:option("IP_LOCAL_PORT_RANGE", 40003 << 16 | 40000)
    s:connect("127.0.0.1", 80)
    t:ok(s:name().port == 40000 or s:name().port == 40003, i)
  end
  s = host:socket "tcp"
  s:option("IP_LOCAL_PORT_RANGE", 40003 << 16 | 40000)
  t:is(select(2, s:try("connect", "127.0.0.1", 80)), "EADDRNOTAVAIL")
end)

tap.test("ip_autobind_reuse: with SO_REUSEADDR ports of the range are shared at last", function(t)
  local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_port_range"] = "40000 40001" } }
  local function bind()
    local s = host:socket "tcp"
    s:option("SO_REUSEADDR", 1)
    return s:try("bind", "127.0.0.1:0")
  end
  t:ok(bind())
  t:ok(bind())
  t:is(select(2, bind()), "EADDRINUSE")
  host:sysctl("net.ipv4.ip_autobind_reuse", 1)
  t:ok(bind())
end)

tap.test("what can only be read", function(t)
  local host = net.host { up = false }
  t:is(host:sysctl "net.ipv4.tcp_available_congestion_control", "reno cubic dctcp")
  for _, name in ipairs { "ipv4.tcp_available_congestion_control", "ipv4.tcp_allowed_congestion_control",
    "netfilter.nf_conntrack_count", "ipv4.conf.all.mc_forwarding" } do
    t:is(write(host, "net." .. name, "0"), "EACCES", name)
  end
end)

tap.test("conf.*: any number is taken", function(t)
  local host = net.host { up = false }
  t:is(write(host, "net.ipv4.conf.all.rp_filter", "-2147483648"), "-2147483648")
  t:is(write(host, "net.ipv4.conf.eth0.arp_ignore", "99"), "99")
  t:is(write(host, "net.ipv4.ip_forward", "2"), "2")
  t:is(host:sysctl "net.ipv4.conf.eth0.forwarding", "2")
end)

tap.test("igmp_max_memberships, igmp_link_local_mcast_reports, igmp_qrv, the interval of reports", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.igmp_max_memberships"] = 2,
    ["net.ipv4.igmp_link_local_mcast_reports"] = 0, ["net.ipv4.igmp_qrv"] = 3,
    ["net.ipv4.conf.default.igmpv3_unsolicited_report_interval"] = 10000 } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local s = host:socket "udp"
  s:option("IP_ADD_MEMBERSHIP", "\224\0\0\251\0\0\0\0" .. ("<I4"):pack(host.nics[1].ifindex))
  peer:expect_nothing { during = "5s" }
  s:option("IP_ADD_MEMBERSHIP", "\239\1\2\3\0\0\0\0" .. ("<I4"):pack(host.nics[1].ifindex))
  t:is(select(2, s:try("option", "IP_ADD_MEMBERSHIP", "\239\1\2\4\0\0\0\0" .. ("<I4"):pack(host.nics[1].ifindex))), "ENOBUFS")
  local reports = peer:collect { during = "40s" }
  t:is(#reports, 3)
  t:ok(reports[3].time - reports[1].time > 2000000000, "up to ten seconds apart, not one")
end)

tap.test("force_igmp_version: reports of version 2 without a querier", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.conf.all.force_igmp_version"] = 2 } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local s = host:socket "udp"
  s:option("IP_ADD_MEMBERSHIP", "\239\1\2\3\0\0\0\0" .. ("<I4"):pack(host.nics[1].ifindex))
  local reports = peer:collect { during = "30s" }
  t:ok(#reports >= 1)
  t:is({ reports[1].ip.dst, reports[1].igmp.type }, { "239.1.2.3", 0x16 })
end)

-- A router between two wires, and what it sends on its second card.
local function router(sysctl, out_nic)
  sysctl["net.ipv4.ip_forward"] = 1
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  out_nic = out_nic or {}
  out_nic.addr = "198.51.100.1/24"
  local out = host:nic(out_nic)
  local near, far = host.wire:peer { addr = "192.0.2.9", port = 1 }, out.wire:peer { addr = "198.51.100.9", port = 2 }
  host:neigh { addr = far.addr, mac = far.mac, dev = out }
  host:neigh { addr = near.addr, mac = near.mac }
  return host, near, far
end

tap.test("ip_forward_update_priority: what is forwarded is queued by its TOS, unless told not to", function(t)
  for on, order in pairs { ["1"] = "fast normal bulk", ["0"] = "bulk normal fast" } do
    local _, near, far = router({ ["net.ipv4.ip_forward_update_priority"] = on }, { rate = 1000000, tx_ring = 8 })
    local function send(tos, text)
      near:send(net.ip { dst = far.addr, tos = tos } / net.udp { dport = 2 } / text)
    end
    for _ = 1, 8 do send(0, "ring") end
    send(0x08, "bulk")
    send(0, "normal")
    send(0x10, "fast")
    local got = {}
    for _, frame in ipairs(far:collect { during = "1s" }) do
      if frame.payload ~= "ring" then got[#got + 1] = frame.payload end
    end
    t:is(table.concat(got, " "), order)
  end
end)

tap.test("ip_forward_use_pmtu: a path MTU that was learned counts for what is forwarded", function(t)
  for on, forwarded in pairs { ["0"] = 1, ["1"] = 0 } do
    local host, near, far = router { ["net.ipv4.ip_forward_use_pmtu"] = on }
    local s = host:socket "udp"
    s:bind(9)
    s:sendto(("x"):rep(1400), far.addr, 2)
    local sent = far:expect(net.udp {}, { within = "1ms", defaults = false })
    local quoted = net.parse(sent:bytes():sub(15), "ip")
    far:send(net.icmp { type = "dest-unreach", code = 4, mtu = 1000 } / quoted)
    net.sleep("1ms")
    near:send(net.ip { dst = far.addr, df = true } / net.udp { dport = 2 } / ("y"):rep(1200))
    t:is(#far:collect { during = "1ms" }, forwarded)
    t:is(#near:collect { during = "1ms" }, 1 - forwarded)
  end
end)
