-- SPDX-License-Identifier: MIT
-- A router with a bounded queue in front of a slow link: what reno, CUBIC and DCTCP get out of it over a
-- minute, against the fluid model of the congestion control, and how two flows share it. The queue is a
-- pfifo that drops what does not fit, or fq_codel that marks what has waited for longer than
-- ce_threshold (RFC 8290, RFC 8257 3.1).
local tap = require "tap"
local net = require "net"

local MSS <const>, FRAME <const> = 1448, 1514
local RING <const> = 2 -- frames that the router's card holds at most, behind the queue

local function addresses(a, router, b)
  a:neigh { addr = "192.0.2.254", mac = router.mac }
  router:neigh { addr = "192.0.2.1", mac = a.mac }
  b:neigh { addr = "198.51.100.254", mac = router.out.mac, dev = "eth0" }
  router:neigh { addr = "198.51.100.1", mac = b.mac, dev = "eth1" }
end

-- sender - router - receiver; the link behind the router has the rate, both together the round trip.
local function path(o)
  local sysctl = { ["net.ipv4.tcp_congestion_control"] = o.cc, ["net.ipv4.tcp_ecn"] = o.cc == "dctcp" and 1 or 2,
    ["net.core.rmem_max"] = 8000000, ["net.core.wmem_max"] = 8000000 }
  local near = net.wire { delay = o.rtt * 125000 .. "ns" }
  local far = net.wire { delay = o.rtt * 375000 .. "ns", rate = o.rate }
  local a = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254", wire = near, sysctl = sysctl }
  local b = net.host { addr = "198.51.100.1/24", gateway = "198.51.100.254", wire = far, sysctl = sysctl }
  local router = net.host { addr = "192.0.2.254/24", wire = near, sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  router.out = router:nic { addr = "198.51.100.254/24", wire = far }
  for _, dev in ipairs { "eth0", "eth1" } do router:ethtool { dev = dev, gro = false } end
  b:ethtool { gro = false }
  router:ethtool { dev = "eth1", bql_limit_max = RING * FRAME, bql_limit_min = RING * FRAME }
  router:tc("qdisc replace dev eth1 root " .. o.queue)
  addresses(a, router, b)
  if o.jitter then near:set { jitter = o.jitter, from = a } end
  return a, b, router
end

-- A flow without end; state.got grows as octets arrive.
local function flow(a, b, port)
  local server = b:socket "tcp":listen(port)
  local client = a:socket "tcp"
  client:connect("198.51.100.1", port)
  local conn = server:accept()
  local state = { got = 0, client = client }
  net.spawn(function()
    while client:try("send", ("x"):rep(30000), { flags = "nosignal" }) do end
  end)
  net.spawn(function()
    while true do
      local data = conn:try("recv", { size = 200000 })
      if not data or data == "" then return end
      state.got = state.got + #data
    end
  end)
  return state
end

local function stop(flows)
  for _, f in ipairs(flows) do
    f.client:option("SO_LINGER", { 1, 0 })
    f.client:close()
  end
end

local function dropped(router)
  return tonumber(router:tc("-s qdisc show dev eth1"):match "dropped (%d+)")
end

-- Bits a second that each of the flows gets, over 30 s when they have found their places.
local function measure(flows, settle)
  local before, rates, all = {}, {}, 0
  net.sleep(settle or "10s")
  for i, f in ipairs(flows) do before[i] = f.got end
  net.sleep "30s"
  for i, f in ipairs(flows) do
    rates[i] = (f.got - before[i]) * 8 / 30
    all = all + rates[i]
  end
  return all, rates
end

-- The part of the link's rate that one flow uses: W segments in flight over a path that holds `bdp` and
-- a queue of `queue`. The window grows a round trip at a time until the queue is full, is cut once, and
-- what is below the path's product leaves the link idle.
local function fluid(cc, bdp, queue, rtt)
  local top = bdp + queue
  local beta = cc == "cubic" and 0.7 or 0.5
  local window, time, sent = top * beta, 0, 0
  local cut, k = window, ((top * (1 - beta)) / 0.4) ^ (1 / 3)
  while window < top do
    local round = math.max(rtt, rtt * window / bdp)
    sent, time = sent + window, time + round
    if cc == "cubic" then -- RFC 9438 4.2, 4.3: CUBIC's window, or Reno's of the same loss where that is more
      local reno = cut + 3 * (1 - beta) / (1 + beta) * time / rtt
      window = math.max(0.4 * (time - k) ^ 3 + top, reno, window)
    else
      window = window + 1
    end
  end
  return sent / (time / rtt * bdp)
end

local CASES = {
  { rate = 2500000, rtt = 160, queue = 40 },
  { rate = 2500000, rtt = 160, queue = 12 },
  { rate = 2500000, rtt = 200, queue = 20 },
}

for _, cc in ipairs { "reno", "cubic" } do
  for _, case in ipairs(CASES) do
    tap.test(("%s: %.1f Mbit/s, %d ms, a queue of %d: goodput within 5%% of the model")
      :format(cc, case.rate / 1000000, case.rtt, case.queue), function(t)
        local a, b, router = path { cc = cc, rate = case.rate, rtt = case.rtt, queue = "pfifo limit " .. case.queue }
        local one = flow(a, b, 80)
        local goodput = measure { one }
        local bdp = case.rate * case.rtt / 1000 / 8 / FRAME
        local model = case.rate * MSS / FRAME * fluid(cc, bdp, case.queue + RING, case.rtt / 1000)
        t:note(("%d bit/s, the model gives %d"):format(goodput // 1, model // 1))
        t:ok(dropped(router) > 0, "the queue was full")
        t:ok(math.abs(goodput - model) <= model * 0.05,
          ("%d bit/s, the model gives %d"):format(goodput // 1, model // 1))
        stop { one }
      end)
  end
end

-- RFC 8257 with one threshold: 30 ms of the link are a seventh of the path's product and more, so that
-- the queue never runs empty (and CoDel itself, with its target out of reach, never acts).
local MARKING <const> = "fq_codel flows 1 limit 1000 ce_threshold 30ms target 10s interval 20s"

local function backlog(router)
  return tonumber(router:tc("-s qdisc show dev eth1"):match "backlog %d+b (%d+)p")
end

for _, rtt in ipairs { 40, 160 } do
  tap.test(("dctcp: 2.5 Mbit/s, %d ms, a queue that marks at 30 ms: all of the link, and a short queue"):format(rtt),
    function(t)
      local rate = 2500000
      local a, b, router = path { cc = "dctcp", rate = rate, rtt = rtt, queue = MARKING }
      local one = flow(a, b, 80)
      local longest, going = 0, true
      net.sleep "10s"
      net.spawn(function()
        while going do
          longest = math.max(longest, backlog(router))
          net.sleep "7ms"
        end
      end)
      local goodput = measure({ one }, 0)
      going = false
      net.sleep "10ms"
      local model = rate * MSS / FRAME
      t:ok(math.abs(goodput - model) <= model * 0.05, ("%d bit/s, the model gives %d"):format(goodput // 1, model // 1))
      t:is(dropped(router), 0)
      -- At the mark 6 frames wait; they come a round trip late and a window is cut by alpha / 2.
      t:ok(longest <= 16, longest .. " frames waited")
      t:ok(one.client:info().delivered_ce > 10, "marks")
      stop { one }
    end)
end

local QUEUES <const> = { reno = "pfifo limit 30", cubic = "pfifo limit 30", dctcp = MARKING }

for _, cc in ipairs { "reno", "cubic", "dctcp" } do
  tap.test(cc .. ": two flows share the router's queue (Jain's index 0.95 at least)", function(t)
    local rate = 2500000
    local a, b, router = path { cc = cc, rate = rate, rtt = 80, queue = QUEUES[cc], jitter = "4ms" }
    local x = flow(a, b, 80)
    net.sleep "2s"
    local y = flow(a, b, 81)
    local all, rates = measure({ x, y }, "30s")
    local jain = all ^ 2 / (2 * (rates[1] ^ 2 + rates[2] ^ 2))
    t:note(("%d and %d bit/s: %.3f"):format(rates[1] // 1, rates[2] // 1, jain))
    t:ok(jain >= 0.95, ("%d and %d bit/s: %.3f"):format(rates[1] // 1, rates[2] // 1, jain))
    t:ok(all >= rate * MSS / FRAME * 0.95, ("together %d bit/s"):format(all // 1))
    t:ok(cc == "dctcp" or dropped(router) > 0, "they met in the queue")
    stop { x, y }
  end)
end

tap.test("fq_codel: a flow that fills the queue does not hold up one of single segments", function(t)
  local a, b, router = path { cc = "cubic", rate = 5000000, rtt = 40, queue = "fq_codel" }
  local bulk = flow(a, b, 80)
  net.sleep "5s"
  local server = b:socket "tcp":listen(81)
  local client = a:socket "tcp"
  client:connect("198.51.100.1", 81)
  local conn = server:accept()
  local worst, longest = 0, 0
  for _ = 1, 50 do
    local start = net.now()
    client:send "?"
    conn:recv()
    worst, longest = math.max(worst, net.now() - start), math.max(longest, backlog(router))
    net.sleep "20ms"
  end
  -- One way is 20 ms; a frame of the other flow, and those in the card, may go before.
  t:ok(worst <= 20000000 + (RING + 2) * FRAME * 8 * 200, worst .. " ns")
  t:ok(longest > 2, "the other flow fills the queue")
  stop { bulk }
  client:close()
end)
