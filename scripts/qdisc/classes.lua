-- SPDX-License-Identifier: MIT
-- Disciplines with classes: prio serves bands in order, htb shares a rate out, lends and borrows;
-- filters say who belongs where. Figures of htb are those of a Linux 6.18 with the same commands.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"

local station, complains = qdisc.station, qdisc.complains

-- Octets of payload that reach each port within a time.
local function shares(peer, during)
  local got = {}
  for _, p in ipairs(peer:collect { during = during }) do
    got[p.udp.dport] = (got[p.udp.dport] or 0) + #p.payload
  end
  return got
end

tap.test("prio: a filter chooses the band, the first band goes first", function(t)
  local host, peer, socket = station { wire = net.wire { rate = 1000000 } }
  host:ethtool { tx_ring = 64, bql = true, bql_limit_max = 1500 }
  host:tc "qdisc add dev eth0 root handle 1: prio"
  host:tc "filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dport 7 0xffff flowid 1:1"
  host:tc "filter add dev eth0 parent 1: protocol ip prio 2 u32 match ip dport 9 0xffff flowid 1:3"
  for _ = 1, 8 do socket:sendto(("x"):rep(1000), peer.addr, 9) end
  for _ = 1, 4 do socket:sendto(("x"):rep(1000), peer.addr, 7) end
  local order = {}
  for _, p in ipairs(peer:collect { during = "1s" }) do order[#order + 1] = p.udp.dport end
  local first7
  for i, port in ipairs(order) do first7 = first7 or port == 7 and i end
  t:is(#order, 12)
  t:ok(first7 <= 4, "the first band went before the third: " .. table.concat(order, " "))
  t:is({ order[first7], order[first7 + 1], order[first7 + 2], order[first7 + 3] }, { 7, 7, 7, 7 })
  t:like(host:tc "-s class show dev eth0", "class prio 1:3 parent 1: \n Sent 8336 bytes 8 pkt")
end)

tap.test("prio: the map and the socket's priority; a band of another number is refused", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 root handle 1: prio bands 4 priomap 3 3 3 3 3 3 0 3 3 3 3 3 3 3 3 3"
  socket:sendto("x", peer.addr, 9)
  socket:option("SO_PRIORITY", 6)
  socket:sendto("x", peer.addr, 9)
  socket:option("SO_PRIORITY", 0x10002)
  socket:sendto("x", peer.addr, 9)
  peer:collect { during = "1ms" }
  local view = host:tc "-s class show dev eth0"
  for band, packets in pairs { 1, 1, 0, 1 } do
    t:like(view, ("1:%d parent 1: \n Sent %%d+ bytes %d pkt"):format(band, packets))
  end
  t:error(function() host:tc "qdisc change dev eth0 root prio bands 2" end, "Invalid options")
end)

tap.test("htb: each class has its rate, borrows up to its ceiling what others leave", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 root handle 1: htb default 20"
  host:tc "class add dev eth0 parent 1: classid 1:1 htb rate 1mbit"
  host:tc "class add dev eth0 parent 1:1 classid 1:10 htb rate 600kbit ceil 1mbit"
  host:tc "class add dev eth0 parent 1:1 classid 1:20 htb rate 200kbit ceil 300kbit"
  host:tc "filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dport 7 0xffff flowid 1:10"
  socket:option("SO_SNDBUF", 4000000)
  for _ = 1, 400 do
    socket:sendto(("x"):rep(1000), peer.addr, 7)
    socket:sendto(("x"):rep(1000), peer.addr, 9)
  end
  local got = shares(peer, "2s")
  -- Octets of frames in 2 s at 750 and 250 kbit/s, less headers: what is left is lent by quantum, which
  -- follows the rate.
  t:ok(math.abs(got[7] - 750000 / 8 * 2 / 1.042) < 6000, got[7])
  t:ok(math.abs(got[9] - 250000 / 8 * 2 / 1.042) < 6000, got[9])
  local view = host:tc "-s class show dev eth0"
  t:like(view, "class htb 1:10 parent 1:1 prio 0 rate 600Kbit ceil 1Mbit burst 1599b cburst 1600b ")
  t:like(view, "borrowed: [1-9]")
  peer:collect { during = "20s" }
end)

tap.test("htb: alone, a class has all that the one above may lend; the lower prio number borrows first", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 root handle 1: htb default 20"
  host:tc "class add dev eth0 parent 1: classid 1:1 htb rate 1mbit"
  host:tc "class add dev eth0 parent 1:1 classid 1:10 htb rate 100kbit ceil 1mbit prio 0"
  host:tc "class add dev eth0 parent 1:1 classid 1:20 htb rate 100kbit ceil 1mbit prio 1"
  host:tc "filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dport 7 0xffff flowid 1:10"
  socket:option("SO_SNDBUF", 4000000)
  for _ = 1, 250 do socket:sendto(("x"):rep(1000), peer.addr, 7) end
  for _ = 1, 150 do socket:sendto(("x"):rep(1000), peer.addr, 9) end
  local both = shares(peer, "2s")
  t:ok(math.abs(both[7] - 900000 / 8 * 2 / 1.042) < 6000, both[7])
  t:ok(math.abs(both[9] - 100000 / 8 * 2 / 1.042) < 6000, both[9])
  net.sleep "1s"
  peer:collect()
  local alone = shares(peer, "200ms")
  t:is(alone[7], nil)
  t:ok(math.abs(alone[9] - 1000000 / 8 * 0.2 / 1.042) < 3000, alone[9])
  peer:collect { during = "10s" }
end)

tap.test("htb: what no class is for goes straight through, as many as direct_qlen", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 root handle 1: htb default 99"
  socket:sendto("x", peer.addr, 9)
  t:is(#peer:collect { during = "1ms" }, 1)
  t:like(host:tc "qdisc show dev eth0", "default 0x99 direct_packets_stat 1 direct_qlen 1000")
end)

tap.test("what goes wrong is said as Linux says it", function(t)
  local host = station()
  complains(t, host, "class add dev eth0 parent 1: classid 1:1 htb rate 1mbit", "RTNETLINK answers: No such file or directory")
  host:tc "qdisc add dev eth0 root handle 1: htb"
  complains(t, host, "class add dev eth0 parent 1: classid 1:7 htb", "\"rate\" is required.")
  complains(t, host, "class add dev eth0 parent 1: classid 1:7 htb rate 1x", "Illegal \"rate\"")
  host:tc "class add dev eth0 parent 1: classid 1:1 htb rate 1mbit"
  host:tc "class add dev eth0 parent 1:1 classid 1:10 htb rate 1mbit"
  complains(t, host, "class add dev eth0 parent 1: classid 1:10 htb rate 1mbit", "RTNETLINK answers: File exists")
  complains(t, host, "class change dev eth0 parent 1: classid 1:33 htb rate 1mbit", "RTNETLINK answers: No such file or directory")
  complains(t, host, "class add dev eth0 parent 1: classid 2:3 htb rate 8kbit", "RTNETLINK answers: ")
  complains(t, host, "class add dev eth0 parent 1: htb rate 1mbit", "RTNETLINK answers: Invalid argument")
  complains(t, host, "class del dev eth0 classid 1:1", "Error: HTB class in use.")
  complains(t, host, "class del dev eth0 classid 1:99", "RTNETLINK answers: No such file or directory")
  complains(t, host, "qdisc add dev eth0 parent 1:1 handle 11: pfifo", "RTNETLINK answers: Invalid argument")
  complains(t, host, "qdisc change dev eth0 root handle 1: htb default 30", "Change operation not supported by specified qdisc.")
  host:tc "class del dev eth0 classid 1:10"
  host:tc "qdisc add dev eth0 parent 1:1 handle 11: pfifo limit 5"
  t:like(host:tc "class show dev eth0", "class htb 1:1 root leaf 11: prio 0 rate 1Mbit")
end)

tap.test("a discipline taken from a class: pfifo is back; from tbf: all is dropped", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 root handle 1: prio"
  host:tc "qdisc add dev eth0 parent 1:2 handle 20: tbf rate 1mbit burst 10k limit 10k"
  host:tc "qdisc del dev eth0 parent 1:2"
  socket:sendto("x", peer.addr, 9)
  t:is(#peer:collect { during = "1ms" }, 1)
  host:tc "qdisc replace dev eth0 root handle 2: tbf rate 1mbit burst 10k limit 10k"
  host:tc "qdisc add dev eth0 parent 2: handle 21: pfifo"
  host:tc "qdisc del dev eth0 parent 2: handle 21:"
  socket:sendto("x", peer.addr, 9)
  t:is(#peer:collect { during = "1ms" }, 0)
  t:is(host:drops "QDISC_DROP", 1)
end)
