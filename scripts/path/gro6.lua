-- SPDX-License-Identifier: MIT
-- GRO of TCP over IPv6, seen where it can be: a bridge between two cards, with a packet socket on the
-- first. What leaves by the other must be what came.
local tap = require "tap"
local net = require "net"
local tcp, ip, ip6, eth = net.tcp, net.ip, net.ip6, net.eth

local A, B = "02:00:00:00:aa:01", "02:00:00:00:bb:01"

local function bridge(o)
  o = o or {}
  local host = net.host { model = o.model }
  local out = host:nic { model = o.model }
  host:link_add { type = "bridge", name = "br0", up = true }
  for _, nic in ipairs(host.nics) do host:link { dev = nic, master = "br0", up = true } end
  host:ethtool { dev = "eth1", tx_csum = 1, tso = 1 }
  local peer = host.wire:peer { addr = "192.0.2.10", mac = A, arp = false }
  local far = out.wire:peer { addr = "192.0.2.20", mac = B, arp = false }
  local heard = host:socket("packet", { dev = "eth0" })
  -- How many packets the host made of them; the same frames must leave.
  return function(t, frames)
    while heard:try("recv", { flags = "dontwait" }) do end
    local want = {}
    for i, f in ipairs(frames) do
      f = eth{ src = A, dst = B } / f
      want[i] = f:bytes()
      peer:send(f)
    end
    local got = far:collect { during = "1ms" }
    t:is(#got, #want)
    for i, f in ipairs(got) do t:is(f:bytes(), want[i]) end
    local n = 0
    while heard:try("recv", { flags = "dontwait" }) do n = n + 1 end
    return n
  end, host
end

local SRC, DST = "2001:db8::1", "2001:db8::2"
local function header(o)
  o = o or {}
  return ip6{ src = SRC, dst = DST, flow = o.label or 5, hlim = o.hops or 64, tclass = o.class or 0 }
end
local function segment(i, o)
  o = o or {}
  local p = tcp{ sport = 1, dport = 2, flags = o.flags or "A", seq = 1 + 100 * i, ack = 1 }
  return header(o) / p / net.pattern(1 + 100 * i, o.size or 100)
end

for _, model in ipairs { "ring", "virtio" } do
  tap.test(model .. ": segments of one flow are one packet, and apart again as they came", function(t)
    local give, host = bridge { model = model }
    t:is(give(t, { segment(0), segment(1), segment(2), segment(3, { flags = "PA" }) }), 1)
    t:is(host:counter "eth1.hw_tx_tso", 0, "the card's TSO is for IPv4")
  end)
end

local rules = {
  { "another flow label is another flow", { label = 6 }, 2 },
  { "another hop limit ends it", { hops = 9 }, 2 },
  { "another traffic class ends it", { class = 8 }, 2 },
  { "a shorter one is the last", { size = 50 }, 1 },
  { "FIN is the last", { flags = "FA" }, 1 },
  { "CWR alone is not merged with what has none", { flags = "WA" }, 2 },
}
for _, r in ipairs(rules) do
  tap.test("what is merged over IPv6: " .. r[1], function(t)
    local give = bridge()
    t:is(give(t, { segment(0), segment(1), segment(2, r[2]) }), r[3])
  end)
end

tap.test("CWR in all of them (accurate ECN, RFC 9768): merged, and all have it again, over both families", function(t)
  local give = bridge()
  t:is(give(t, { segment(0, { flags = "WA" }), segment(1, { flags = "WA" }), segment(2, { flags = "WA" }) }), 1)
  local function segment4(i)
    return ip{ src = "192.0.2.1", dst = "192.0.2.2", id = i, df = true } /
      tcp{ sport = 1, dport = 2, flags = "WA", seq = 1 + 100 * i, ack = 1 } / net.pattern(1, 100)
  end
  t:is(give(t, { segment4(0), segment4(1), segment4(2) }), 1)
end)
