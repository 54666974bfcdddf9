-- SPDX-License-Identifier: MIT
-- What ethtool prints, in its formats.
local tap = require "tap"
local net = require "net"
local udp = net.udp

-- A bar stands for a tab.
local function tabs(text) return (text:gsub("|", "\t")) end

local function host_of(o)
  o = o or {}
  o.addr, o.model = "192.0.2.1/24", o.model or "ring"
  return net.host(o)
end

tap.test("ethtool -g: rings, most and now", function(t)
  local host = host_of { rx_ring = 512, tx_ring = 128 }
  t:is(host:ethtool "-g eth0", tabs [[
Ring parameters for eth0:
Pre-set maximums:
RX:|||4096
RX Mini:||n/a
RX Jumbo:||n/a
TX:|||4096
TX push buff len:|n/a
Current hardware settings:
RX:|||512
RX Mini:||n/a
RX Jumbo:||n/a
TX:|||128
RX Buf Len:||n/a
CQE Size:||n/a
TX Push:|off
RX Push:|off
TX push buff len:|n/a
TCP data split:|n/a
]])
  host:ethtool { rx_ring = 64 }
  t:like(host:ethtool "-g eth0", "settings:\nRX:\t\t\t64\n")
end)

tap.test("ethtool -l: channels", function(t)
  local host = host_of { queues = 4, cpus = 4 }
  host:ethtool { channels = 3 }
  t:is(host:ethtool "-l eth0", tabs [[
Channel parameters for eth0:
Pre-set maximums:
RX:||n/a
TX:||n/a
Other:||n/a
Combined:|4
Current hardware settings:
RX:||n/a
TX:||n/a
Other:||n/a
Combined:|3
]])
end)

tap.test("ethtool -S: the counters by their names, those of a device without any", function(t)
  local host = host_of()
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5 }:to(7)
  host:hook("pre_routing", function() return "drop" end)
  for i = 1, 3 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  local text = host:ethtool "-S eth0"
  t:like(text, "^NIC statistics:\n     hw_rx_arrived: 3\n")
  t:like(text, "\n     queue_0_rx_packets: 3\n")
  for name, value in text:gmatch "     ([%w_]+): (%d+)\n" do
    t:is(host:counter("eth0." .. name), tonumber(value))
  end
  t:is(host:ethtool "-S lo", "no stats available\n")
end)

tap.test("ethtool -k: what is on, what can not be changed", function(t)
  local host = host_of()
  host:ethtool { tx_csum = 1, tso = 1, rx_udp_gro_forwarding = 1 }
  local text = host:ethtool "-k eth0"
  t:like(text, "^Features for eth0:\n")
  t:like(text, "\ntx%-checksumming: on\n")
  t:like(text, "\n\ttx%-tcp%-segmentation: on\n")
  t:like(text, "\ntx%-udp%-segmentation: off\n")
  t:like(text, "\nrx%-udp%-gro%-forwarding: on\n")
  t:like(text, "\nlarge%-receive%-offload: off\n")
  t:like(host_of { model = "virtio" }:ethtool "-k eth0", "\nrx%-vlan%-offload: off %[fixed%]\n")
end)

tap.test("ethtool -c, -a: moderation, pause; a virtio card has no pause", function(t)
  local host = host_of()
  host:ethtool { rx_usecs = 50, adaptive_rx = true, rx_pause = 1 }
  t:like(host:ethtool "-c eth0", "^Coalesce parameters for eth0:\nAdaptive RX: on  TX: n/a\n")
  t:like(host:ethtool "-c eth0", "\nrx%-usecs:\t50\n")
  t:is(host:ethtool "-a eth0", "Pause parameters for eth0:\nAutonegotiate:\toff\nRX:\t\ton\nTX:\t\toff\n")
  t:is(host_of { model = "virtio" }:ethtool "-a eth0", "netlink error: Operation not supported\n")
end)

tap.test("ethtool -x: table and key", function(t)
  local key = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa"
  local host = host_of { queues = 4, cpus = 4 }
  host:ethtool { rss_key = key, rss_indir = { 3, 1 } }
  local text = host:ethtool "-x eth0"
  t:like(text, "^RX flow hash indirection table for eth0 with 4 RX ring%(s%):\n" ..
    "    0:      3     1     3     1     3     1     3     1\n    8:      3     1")
  t:like(text, "\n  120:      3     1     3     1     3     1     3     1\nRSS hash key:\n")
  t:ok(text:find(key, 1, true))
  t:like(text, "\nRSS hash function:\n    toeplitz: on\n")
  t:is(host_of():ethtool "-x eth0", "netlink error: Operation not supported\n")
end)

tap.test("ethtool -i and the link", function(t)
  local host, other = host_of(), host_of { model = "virtio" }
  t:like(host:ethtool "-i eth0", "^driver: ring\n.*\nsupports%-statistics: yes\n")
  t:like(other:ethtool "-i eth0", "^driver: virtio_net\n")
  t:is(host:ethtool "eth0", "Settings for eth0:\n\tLink detected: yes\n")
  host:link { carrier = false }
  net.sleep "1ms"
  t:is(host:ethtool "eth0", "Settings for eth0:\n\tLink detected: no\n")
end)

tap.test("no such device, no such option", function(t)
  local host = host_of()
  t:is(host:ethtool "-g eth9", "netlink error: No such device\n")
  t:error(function() host:ethtool "-Q eth0" end, "there is no")
end)

tap.test("ethtool's own words set what its tables show", function(t)
  local host = host_of { queues = 4, cpus = 4 }
  local function set(words, view, pattern)
    t:is(host:ethtool(words), "")
    t:like(host:ethtool(view), pattern)
  end
  set("-K eth0 gro off rx on tx on tso on", "-k eth0", "generic%-receive%-offload: off\n")
  t:like(host:ethtool "-k eth0", "rx%-checksumming: on\n")
  t:like(host:ethtool "-k eth0", "tcp%-segmentation%-offload: on\n")
  set("--features eth0 tx-udp-segmentation on", "-k eth0", "tx%-udp%-segmentation: on\n")
  set("-K eth0 rx-vlan-filter on", "-k eth0", "rx%-vlan%-filter: on\n")
  set("-G eth0 rx 64 tx 32", "-g eth0", "settings:\nRX:\t\t\t64\n.*\nTX:\t\t\t32\n")
  set("-C eth0 rx-usecs 50 adaptive-rx on", "-c eth0", "^Coalesce parameters for eth0:\nAdaptive RX: on .*\nrx%-usecs:\t50\n")
  set("-A eth0 rx on tx off", "-a eth0", "\nRX:\t\ton\nTX:\t\toff\n")
  set("-X eth0 equal 2", "-x eth0", "\n +0: +0 +1 +0 +1 +0 +1 +0 +1\n")
  set("-X eth0 weight 6 2", "-x eth0", "\n +88: +0 +0 +0 +0 +0 +0 +0 +0\n +96: +1 +1 +1 +1 +1 +1 +1 +1\n")
  set("-X eth0 weight 0 1", "-x eth0", "\n +0: +1 +1 +1 +1 +1 +1 +1 +1\n")
  set("-X eth0 hkey " .. ("01:"):rep(39) .. "fe", "-x eth0", "RSS hash key:\n01:.*:01:fe\n")
  set("-X eth0 xfrm symmetric-xor", "-x eth0", "symmetric%-xor: on\n")
  set("-L eth0 combined 2", "-l eth0", "settings:.*Combined:\t2\n")
end)

tap.test("ethtool -N: ports of UDP are part of the hash, or are not", function(t)
  local host, peer = require "suite.station".udp { model = "ring", queues = 4, cpus = 4 }
  local function queues()
    local before = host:counters()
    for port = 5000, 5063 do peer:send(udp { sport = port, dport = 7 } / "x") end
    net.sleep "1ms"
    local used = 0
    for q = 0, 3 do
      local name = ("eth0.queue_%d_rx_packets"):format(q)
      if host:counter(name) > before[name] then used = used + 1 end
    end
    return used
  end
  host:ethtool "-N eth0 rx-flow-hash udp4 sd"
  t:is(queues(), 1)
  host:ethtool "-U eth0 rx-flow-hash udp4 sdfn"
  t:is(queues(), 4)
end)

tap.test("what ethtool does not know is refused by name", function(t)
  local host = host_of { queues = 2, cpus = 2 }
  local function refused(words, pattern) t:error(function() host:ethtool(words) end, pattern) end
  refused("-K eth0 gr0 off", "ethtool %-K eth0: there is no 'gr0'; did you mean 'gro'%?")
  refused("-K eth0 gro of", "ethtool %-K eth0 gro: \"on\" or \"off\" is needed")
  refused("-K eth0", "what is to be set%?")
  refused("-K", "which device%?")
  refused("-K eth7 gro off", "Cannot find device \"eth7\"")
  refused("-G eth0 rx many", "ethtool %-G eth0 rx: a number is needed")
  refused("-G eth0 rx 99999", "rx_ring = 99999: EINVAL")
  refused("-L eth0 combined 9", "channels = 9: EINVAL")
  refused("-X eth0 equal 9", "rss_equal = 9: EINVAL")
  refused("-X eth0 weight 0 0", "at least one weight must not be 0")
  refused("-X eth0 equal 2 3", "'3' is one word too many")
  refused("-X eth0 hkey 01:02", "rss_key is 40 bytes")
  refused("--reset eth0 phy", "the whole card is reset")
  refused("-N eth0 rx-flow-hash tcp4 sd", "rx%-flow%-hash udp4")
end)
