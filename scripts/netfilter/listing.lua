-- SPDX-License-Identifier: MIT
-- iptables -L: each match and target, with -n and without, as iptables 1.8.9 on Linux prints them
-- (but that names of services are numbers, and protocols have their names with -n too).
local tap = require "tap"
local net = require "net"

-- The one rule of the chain that a rule is added to, as -L of that kind shows it.
local function listed(host, program, rule, switches)
  local table_name, chain = rule:match "^%-t (%S+)", rule:match "%-A (%S+)"
  local all = table_name and "-t " .. table_name .. " " or ""
  host[program](host, all .. "-F")
  host[program](host, rule)
  return host[program](host, ("%s-%sL %s"):format(all, switches, chain)):match "([^\n]*)\n$"
end

-- What stands behind the addresses.
local function rest(t, host, program, rule, named, numeric)
  t:is(listed(host, program, rule, ""):match "anywhere +anywhere *(.*)$", named, rule)
  t:is(listed(host, program, rule, "n"):match "/0 +[%d.:]+/0 *(.*)$", numeric or named, rule .. ", -n")
end

tap.test("columns: negated addresses, protocols, interfaces, fragments, goto", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:iptables "-N mine"
  for rule, want in pairs {
    ["-A INPUT ! -s 10.0.0.1 -d 10.0.0.0/24 -j DROP"] = "DROP       all  -- !10.0.0.1             10.0.0.0/24         ",
    ["-A INPUT -s 10.0.0.0/255.0.255.0 ! -d 10.0.0.0/24 -p 99"] = "           99   --  10.0.0.0/255.0.255.0 !10.0.0.0/24         ",
    ["-A INPUT ! -p udp -f -j mine"] = "mine      !udp  -f  anywhere             anywhere            ",
    ["-A INPUT -p tcp ! -f"] = "           tcp  !f  anywhere             anywhere            ",
    ["-A INPUT -p tcp -g mine -m mark --mark 1"] = "mine       tcp  --  anywhere             anywhere            [goto]  mark match 0x1",
  } do
    t:is(listed(host, "iptables", rule, ""), want)
  end
  local rule = "-A INPUT ! -i eth+ -c 100000 12345678 -j ACCEPT"
  t:is(listed(host, "iptables", rule, "v"), " 100K   12M ACCEPT     all  --  !eth+  any     anywhere             anywhere            ")
  t:is(listed(host, "iptables", rule, "nv"), " 100K   12M ACCEPT     all  --  !eth+  *       0.0.0.0/0            0.0.0.0/0           ")
  t:is(listed(host, "iptables", rule, "vnx"), "  100000   12345678 ACCEPT     all  --  !eth+  *       0.0.0.0/0            0.0.0.0/0           ")
  t:like(host:iptables "-xvL INPUT", "\n    pkts      bytes target     prot opt in     out     source ")
end)

tap.test("matches", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  for _, case in ipairs {
    { "-p tcp --syn", "tcp flags:FIN,SYN,RST,ACK/SYN", "tcp flags:0x17/0x02" },
    { "-p tcp ! --tcp-flags ALL NONE --tcp-option 5", "tcp option=5 flags:!FIN,SYN,RST,PSH,ACK,URG/NONE", "tcp option=5 flags:!0x3F/0x00" },
    { "-p icmp --icmp-type 8", "icmp echo-request", "icmptype 8" },
    { "-p icmp ! --icmp-type 3/4", "icmp !fragmentation-needed", "icmp !type 3 code 4" },
    { "-p icmp --icmp-type 77/3", "icmptype 77 code 3" },
    { "-p icmp --icmp-type any", "icmp any", "icmptype 255" },
    { "-p tcp -m multiport ! --sports 1,2:3", "multiport sports  !1,2:3" },
    { "-p tcp -m multiport --ports 1", "multiport ports 1" },
    { "-m ttl --ttl-lt 5", "TTL match TTL < 5" },
    { "-m ttl ! --ttl-eq 5", "TTL match TTL != 5" },
    { "-m mark ! --mark 0x5/0xff", "mark match ! 0x5/0xff" },
    { "-m connmark --mark 7", "connmark match  0x7" },
    { "-m length ! --length :7", "length !0:7" },
    { "-m pkttype ! --pkt-type multicast", "PKTTYPE != multicast" },
    { "-m statistic --mode nth ! --every 4 --packet 1", "statistic mode nth ! every 4 packet 1" },
    { "-m statistic --mode random --probability 0.3", "statistic mode random probability 0.29999999981" },
    { "-m iprange ! --src-range 10.0.0.1-10.0.0.9 --dst-range 1.1.1.1", "source IP range ! 10.0.0.1-10.0.0.9 destination IP range 1.1.1.1-1.1.1.1" },
    { "-m mac ! --mac-source 2:0:0:0:0:AA", "MAC ! 02:00:00:00:00:aa" },
    { "-m addrtype ! --src-type LOCAL,UNICAST --dst-type BROADCAST", "ADDRTYPE match src-type !UNICAST,LOCAL dst-type BROADCAST" },
    { "-p tcp -m tcpmss ! --mss 500:1000", "tcpmss match !500:1000" },
  } do
    rest(t, host, "iptables", "-A INPUT " .. case[1], case[2], case[3])
  end
end)

tap.test("targets", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  for _, case in ipairs {
    { "-A INPUT -j LOG --log-prefix \"x y: \"", "LOG level warn prefix \"x y: \"", "LOG flags 0 level 4 prefix \"x y: \"" },
    { "-A INPUT -j LOG --log-level error", "LOG level err", "LOG flags 0 level 3" },
    { "-t mangle -A INPUT -j MARK --set-mark 5", "MARK set 0x5" },
    { "-t mangle -A INPUT -j MARK --set-mark 5/0xff", "MARK xset 0x5/0xff" },
    { "-t mangle -A INPUT -j MARK --and-mark 5", "MARK and 0x5" },
    { "-t mangle -A INPUT -j MARK --or-mark 5", "MARK or 0x5" },
    { "-t mangle -A INPUT -j CONNMARK --xor-mark 5", "CONNMARK xor 0x5" },
    { "-t mangle -A INPUT -j CONNMARK --save-mark", "CONNMARK save" },
    { "-t mangle -A INPUT -j CONNMARK --save-mark --mask 0xf", "CONNMARK save mask 0xf" },
    { "-t mangle -A INPUT -j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff", "CONNMARK save nfmask 0xf ctmask ~0xff" },
    { "-t mangle -A INPUT -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff", "CONNMARK restore ctmask 0xff nfmask ~0xf" },
    { "-t mangle -A INPUT -j TTL --ttl-dec 5", "TTL decrement by 5" },
    { "-t raw -A OUTPUT -j NOTRACK", "NOTRACK" },
  } do
    rest(t, host, "iptables", case[1], case[2], case[3])
  end
end)

tap.test("IPv6: hop limits, types of ICMPv6", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  rest(t, host, "ip6tables", "-A INPUT -m hl --hl-gt 5", "HL match HL > 5")
  rest(t, host, "ip6tables", "-t mangle -A INPUT -j HL --hl-set 5", "HL set to 5")
  rest(t, host, "ip6tables", "-A INPUT -p ipv6-icmp --icmpv6-type 1/3", "ipv6-icmp address-unreachable", "ipv6-icmptype 1 code 3")
  rest(t, host, "ip6tables", "-A INPUT -p ipv6-icmp ! --icmpv6-type 128", "ipv6-icmp !echo-request", "ipv6-icmp !type 128")
  t:is(listed(host, "ip6tables", "-A INPUT ! -s 2001:db8::1 -d 2001:db8::/64 -j DROP", ""),
    "DROP       all  -- !2001:db8::1          2001:db8::/64       ")
end)

tap.test("goes wrong: what these refuse", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  for words, message in pairs {
    ["-A INPUT -j LOG --log-level 8"] = "log level \"8\" unknown",
    ["-t mangle -A INPUT -j MARK"] = "One of the %-%-set%-xmark, %-%-{and,or,xor,set}%-mark options is required",
    ["-t mangle -A INPUT -j MARK --set-mark 1 --or-mark 2"] = "only one of its options",
    ["-t mangle -A INPUT -j CONNMARK --nfmask 1"] = "also requires \"%-%-save%-mark\"",
    ["-t mangle -A INPUT -j CONNMARK --set-mark 1 --nfmask 1"] = "also requires \"%-%-save%-mark\"",
    ["-A INPUT -m mac --mac-source 02:00:00:00:00:000"] = "Bad mac address",
    ["-A INPUT -m statistic --mode random --probability 05"] = "must be between 0.0 and 1.0",
    ["-A INPUT -m statistic --mode random --probability \"\""] = "must be between 0.0 and 1.0",
    ["-nQL"] = "unknown option \"%-nQL\"",
    ["-nv"] = "no command specified",
  } do
    t:error(function() host:iptables(words) end, message)
  end
end)
