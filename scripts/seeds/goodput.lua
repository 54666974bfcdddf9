-- SPDX-License-Identifier: MIT
-- A clean link of a rate and a delay, its queue the sender's own card and qdisc (so that nothing is lost: a
-- router's short queue in between is another matter): what reno, CUBIC and DCTCP get out of it, against what
-- the model of the congestion control gives; and how two flows share it.
--
-- Model. The link is never idle once the window is as large as the bandwidth-delay product: goodput is rate * MSS / (MSS + headers), the frame with its 14 + 40 (and
-- 12 of time stamps). What slow start takes is counted: log2(BDP / 10) round trips.
local tap = require "tap"
local net = require "net"

local MSS, FRAME = 1448, 1514
local SECOND = 1000000000

-- Two flows over one queue run in step when nothing disturbs them, and one may keep its share for ever:
-- 200 us of jitter, less than a frame takes, is what real paths have.
local function station(o)
  local sysctl = { ["net.ipv4.tcp_congestion_control"] = o.cc, ["net.core.rmem_max"] = 30000000,
    ["net.core.wmem_max"] = 30000000, ["net.ipv4.tcp_ecn"] = o.cc == "dctcp" and 1 or 2 }
  local a = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire, sysctl = sysctl }
  a:neigh { addr = "192.0.2.2", mac = b.mac }
  b:neigh { addr = "192.0.2.1", mac = a.mac }
  a.wire:set { delay = o.delay, rate = o.rate, queue = o.queue, jitter = o.jitter or 0 }
  return a, b
end

-- Opens a flow of `octets` (nil: without end); returns how much has come, and when it was all there.
local function flow(a, b, port, octets)
  local server = b:socket "tcp":listen(port)
  local client = a:socket "tcp"
  client:connect("192.0.2.2", port)
  local conn = server:accept()
  local state = { got = 0, client = client }
  net.spawn(function()
    local sent = 0
    while not octets or sent < octets do
      local n = octets and math.min(60000, octets - sent) or 60000
      local done, err = client:try("send", ("x"):rep(n), { flags = "nosignal" })
      if not done then return err end
      sent = sent + done
    end
  end)
  net.spawn(function()
    while not octets or state.got < octets do
      local data = conn:try("recv", { size = 200000 })
      if not data or data == "" then return end
      state.got = state.got + #data
    end
    state.done = net.now()
  end)
  return state
end

local CASES = {
  { rate = 10000000, delay = "10ms", octets = 3000000 },
  { rate = 50000000, delay = "5ms", octets = 6000000 },
  { rate = 20000000, delay = "25ms", octets = 5000000 },
}

for _, cc in ipairs { "reno", "cubic", "dctcp" } do
  for _, case in ipairs(CASES) do
    local ms = tonumber(case.delay:match "%d+")
    local bdp = case.rate / 8 * 2 * ms / 1000
    tap.test(("%s: %d Mbit/s, round trip %d ms: goodput within 5%% of the model")
      :format(cc, case.rate // 1000000, 2 * ms), function(t)
        local a, b = station { cc = cc, rate = case.rate, delay = case.delay,
          queue = 0 }
        local start = net.now()
        local one = flow(a, b, 80, case.octets)
        while not one.done do net.sleep "50ms" end
        local took = (one.done - start) / SECOND
        -- Slow start: the window doubles each round trip from 10 segments to the product.
        local rounds, window = 1, 10 * MSS
        while window < bdp do
          window = window * 2
          rounds = rounds + 1
        end
        local model = case.octets * 8 / (case.rate * MSS / FRAME) + rounds * 2 * ms / 1000
        t:ok(took <= model * 1.05, ("%.3f s, the model gives %.3f s"):format(took, model))
        t:ok(took >= case.octets * 8 / case.rate, "faster than the link")
        one.client:close()
      end)
  end

  tap.test(cc .. ": two flows share a link (Jain's index 0.95 at least)", function(t)
    local a, b = station { cc = cc, rate = 5000000, delay = "10ms", queue = 0, jitter = "200us" }
    local x = flow(a, b, 80)
    net.sleep "2s"
    local y = flow(a, b, 81)
    net.sleep "20s" -- the first one gives way
    local x0, y0 = x.got, y.got
    net.sleep "40s"
    local p, q = x.got - x0, y.got - y0
    local jain = (p + q) ^ 2 / (2 * (p ^ 2 + q ^ 2))
    t:ok(jain >= 0.95, ("%d and %d octets: %.3f"):format(p, q, jain))
    local rate = (p + q) * 8 / 40
    t:ok(rate >= 5000000 * MSS / FRAME * 0.95, ("together %d bit/s"):format(rate // 1))
    for _, f in ipairs { x, y } do
      f.client:option("SO_LINGER", { 1, 0 })
      f.client:close()
    end
  end)
end
