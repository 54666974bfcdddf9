-- SPDX-License-Identifier: MIT
-- RFC 3168 5.3: the codepoint of a datagram whose fragments carry different ones.
local tap = require "tap"
local net = require "net"
local ip, icmp = net.ip, net.icmp

local NAMES = { [0] = "Not-ECT", "ECT(1)", "ECT(0)", "CE" }
-- What of two fragments' codepoints becomes: nil is a drop. In order of (first, second).
local RESULT = {
  [0] = { [0] = 0, [3] = nil },
  [1] = { [1] = 1, [2] = 1, [3] = 3 },
  [2] = { [1] = 2, [2] = 2, [3] = 3 },
  [3] = { [1] = 3, [2] = 3, [3] = 3 },
}

for first = 0, 3 do
  for second = 0, 3 do
    local want = RESULT[first][second]
    tap.test(("fragments with %s and %s: %s"):format(NAMES[first], NAMES[second],
      want and NAMES[want] or "dropped"), function(t)
      local host = net.host { addr = "192.0.2.1/24" }
      local peer = host.wire:peer { addr = "192.0.2.9" }
      host:neigh { addr = peer.addr, mac = peer.mac }
      peer:send(ip{ id = 5, mf = true, proto = 253, ecn = first } / ("a"):rep(8))
      peer:send(ip{ id = 5, off = 1, proto = 253, ecn = second } / ("b"):rep(8))
      if want then
        local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
        local shown = t:shows("RFC3168-5.3-1", t:is(error.inner.ip.ecn, want))
        if want == 3 then t:shows("RFC3168-5.3-3", shown) end
        if first == second then t:shows("RFC3168-5.3-6", shown) end
      else
        t:shows("RFC3168-5.3-5", t:shows("RFC3168-5.3-1", peer:expect_nothing { during = "1min" }))
        t:is(host:counter("IpReasmFails"), 1)
      end
    end)
  end
end
