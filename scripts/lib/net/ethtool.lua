-- SPDX-License-Identifier: MIT
-- ethtool: what a card is set to, by names (host:ethtool { rx_usecs = 50 }) or in ethtool's own words
-- (host:ethtool "-C eth0 rx-usecs 50"), and the faults of cards. Reference: docs/lua.md.
local _, native = ...
local near = require "near"
local util = require "net.util"
local link = require "net.link"

local C, raise = util.C, util.raise

local ethtool = {}

local PARAMS = { rx_ring = "NIC_PARAM_RX_RING", tx_ring = "NIC_PARAM_TX_RING",
  rx_usecs = "NIC_PARAM_RX_USECS", rx_csum = "NIC_PARAM_RX_CSUM", tx_csum = "NIC_PARAM_TX_CSUM",
  irq_cpu = "NIC_PARAM_IRQ_CPU", gro = "NIC_PARAM_GRO", tx_stall = "NIC_PARAM_TX_STALL",
  irq_lost = "NIC_PARAM_IRQ_LOST", irq_spurious = "NIC_PARAM_IRQ_SPURIOUS", tso = "NIC_PARAM_TSO",
  rps_cpus = "NIC_PARAM_RPS_CPUS", rps_flow_cnt = "NIC_PARAM_RPS_FLOW_CNT",
  xps_cpus = "NIC_PARAM_XPS_CPUS", xps_rxqs = "NIC_PARAM_XPS_RXQS", bql = "NIC_PARAM_BQL",
  bql_limit_max = "NIC_PARAM_BQL_LIMIT_MAX", bql_limit_min = "NIC_PARAM_BQL_LIMIT_MIN",
  bql_hold_time = "NIC_PARAM_BQL_HOLD_TIME", adaptive_rx = "NIC_PARAM_ADAPTIVE_RX",
  channels = "NIC_PARAM_CHANNELS", rss_sym_xor = "NIC_PARAM_RSS_SYM_XOR", rss_udp = "NIC_PARAM_RSS_UDP",
  gro_flush_timeout = "NIC_PARAM_GRO_FLUSH_TIMEOUT",
  napi_defer_hard_irqs = "NIC_PARAM_DEFER_HARD_IRQS", tx_udp_segmentation = "NIC_PARAM_USO",
  rx_udp_gro_forwarding = "NIC_PARAM_GRO_UDP_FWD", rx_gro_list = "NIC_PARAM_GRO_LIST",
  virtio_event_idx = "NIC_PARAM_VIRTIO_EVENT_IDX", rx_vlan_offload = "NIC_PARAM_RX_VLAN",
  tx_vlan_offload = "NIC_PARAM_TX_VLAN", loopback = "NIC_PARAM_LOOPBACK",
  rx_pause = "NIC_PARAM_RX_PAUSE", tx_pause = "NIC_PARAM_TX_PAUSE",
  rx_timestamp = "NIC_PARAM_RX_TSTAMP", tx_timestamp = "NIC_PARAM_TX_TSTAMP",
  irq_late = "NIC_PARAM_IRQ_LATE", rx_stall = "NIC_PARAM_RX_STALL",
  rx_bad_desc = "NIC_PARAM_RX_BAD_DESC", tx_bad_desc = "NIC_PARAM_TX_BAD_DESC",
  rx_bad_len = "NIC_PARAM_RX_BAD_LEN", rx_no_eop = "NIC_PARAM_RX_NO_EOP",
  used_bad_id = "NIC_PARAM_USED_BAD_ID", used_twice = "NIC_PARAM_USED_TWICE",
  used_ahead = "NIC_PARAM_USED_AHEAD", scribble = "NIC_PARAM_SCRIBBLE", dma_strict = "NIC_PARAM_DMA_STRICT", rx_vlan_filter = "NIC_PARAM_RX_VLAN_FILTER",
  virtio_ctrl_vq = "NIC_PARAM_VIRTIO_CTRL_VQ", announce = "NIC_PARAM_ANNOUNCE", reset = "NIC_PARAM_RESET",
  lro = "NIC_PARAM_LRO", sg = "NIC_PARAM_SG" }

local OWN = util.set "dev queue rss_equal rss_indir rss_key"
local OPTIONS = util.set "dev queue rss_equal rss_indir rss_key"
for name in pairs(PARAMS) do OPTIONS[name] = true end

local INDIR_SIZE = 128

local function nic_set(host, o, name, param, index, value)
  local done, err = native.op("nic_set", { host = host.id, ifindex = link.ifindex(host, o.dev),
    param = C[param], index = index, value = value })
  if not done then raise(("host:ethtool: %s = %s: %s"):format(name, tostring(o[name]), err)) end
end

-- The redirection table: `equal` the first n queues in turn, or a list that is repeated.
local function set_indir(host, o)
  local list, name = o.rss_indir, "rss_indir"
  if o.rss_equal then
    list, name = {}, "rss_equal"
    for i = 1, o.rss_equal do list[i] = i - 1 end
  end
  for i = 0, list and INDIR_SIZE - 1 or -1 do
    nic_set(host, o, name, "NIC_PARAM_RSS_INDIR", i, list[i % #list + 1])
  end
end

-- 40 bytes as a string, or as ethtool writes them: "6d:5a:...".
local function set_rss_key(host, o)
  local key = o.rss_key
  if not key then return end
  if #key ~= 40 then
    key = key:gsub("%x%x:?", function(hex) return string.char(tonumber(hex:sub(1, 2), 16)) end)
  end
  if #key ~= 40 then raise "host:ethtool: rss_key is 40 bytes" end
  for i = 0, 4 do
    nic_set(host, o, "rss_key", "NIC_PARAM_RSS_KEY", i, (string.unpack(">i8", key, 8 * i + 1)))
  end
end

local function set(host, o)
  o = util.options("host:ethtool", o, OPTIONS)
  if o.channels then nic_set(host, o, "channels", PARAMS.channels, 0, o.channels) end
  set_rss_key(host, o)
  set_indir(host, o)
  for key, value in pairs(o) do
    if not OWN[key] and key ~= "channels" then
      nic_set(host, o, key, PARAMS[key], o.queue or 0,
        key == "irq_late" and util.duration(value, key) or value)
    end
  end
end

-- In ethtool's words -----------------------------------------------------------------------------

local function number(words, what)
  local value = math.tointeger(tonumber(words()))
  if not value or value < 0 then raise(("%s: a number is needed"):format(what)) end
  return value
end

local function switch(words, what)
  local word = words()
  if word ~= "on" and word ~= "off" then raise(("%s: \"on\" or \"off\" is needed"):format(what)) end
  return word == "on"
end

-- Pairs of a name and what it is set to. known: name -> { parameter, how its value is read }.
local function pairs_of(known)
  return function(words, o, what)
    local name = words()
    if not name then raise(what .. ": what is to be set?") end
    while name do
      local row = known[name]
      if not row then raise(("%s: there is no '%s'%s"):format(what, name, near.text(name, known))) end
      o[row[1]] = row[2](words, what .. " " .. name)
      name = words()
    end
  end
end

local function features(names)
  local known = {}
  for name, param in pairs(names) do known[name] = { param, switch } end
  return pairs_of(known)
end

-- `weight 6 2`: each queue's share of the table, as ethtool's fill_indir_table() deals it out.
local function weights(words, what)
  local weight, sum = {}, 0
  for word in words do
    local w = math.tointeger(tonumber(word))
    if not w or w < 0 then raise(("%s: '%s' is no weight"):format(what, word)) end
    weight[#weight + 1], sum = w, sum + w
  end
  if sum == 0 then raise(what .. ": at least one weight must not be 0") end
  local list, queue, partial = {}, 0, 0
  for i = 0, INDIR_SIZE - 1 do
    while i >= INDIR_SIZE * partial // sum do
      queue = queue + 1
      partial = partial + weight[queue]
    end
    list[i + 1] = queue - 1
  end
  return list
end

local function rxfh(words, o, what)
  local word = words()
  if word == "equal" then o.rss_equal = number(words, what .. " equal")
  elseif word == "weight" then o.rss_indir = weights(words, what .. " weight")
  elseif word == "hkey" then o.rss_key = words() or ""
  elseif word == "xfrm" then
    local xfrm = words()
    if xfrm ~= "symmetric-xor" and xfrm ~= "none" then
      raise(what .. " xfrm: \"symmetric-xor\" or \"none\" is needed")
    end
    o.rss_sym_xor = xfrm == "symmetric-xor"
  else raise(what .. ": \"equal N\", \"weight W0 W1 ...\", \"hkey K\" or \"xfrm X\" is needed") end
end

local function rx_flow_hash(words, o, what)
  local verb, flow, fields = words(), words(), words()
  if verb ~= "rx-flow-hash" or flow ~= "udp4" or fields ~= "sd" and fields ~= "sdfn" then
    raise(what .. ": what the card can be told is \"rx-flow-hash udp4 sd\" or \"... sdfn\"")
  end
  o.rss_udp = fields == "sdfn"
end

local function reset(words, o, what)
  local word = words() or "all"
  if word ~= "all" then raise(what .. ": the whole card is reset (\"all\")") end
  o.reset = 1
end

local SETTERS = {
  ["-K"] = features { rx = "rx_csum", ["rx-checksumming"] = "rx_csum", tx = "tx_csum",
    ["tx-checksumming"] = "tx_csum", ["tx-checksum-ip-generic"] = "tx_csum", sg = "sg",
    ["scatter-gather"] = "sg", ["tx-scatter-gather"] = "sg", tso = "tso",
    ["tcp-segmentation-offload"] = "tso", ["tx-tcp-segmentation"] = "tso", gro = "gro",
    ["generic-receive-offload"] = "gro", ["rx-gro"] = "gro", lro = "lro",
    ["large-receive-offload"] = "lro", ["rx-lro"] = "lro", rxvlan = "rx_vlan_offload",
    ["rx-vlan-offload"] = "rx_vlan_offload", ["rx-vlan-hw-parse"] = "rx_vlan_offload",
    txvlan = "tx_vlan_offload", ["tx-vlan-offload"] = "tx_vlan_offload",
    ["tx-vlan-hw-insert"] = "tx_vlan_offload", ["rx-vlan-filter"] = "rx_vlan_filter", ["tx-udp-segmentation"] = "tx_udp_segmentation",
    ["rx-gro-list"] = "rx_gro_list", ["rx-udp-gro-forwarding"] = "rx_udp_gro_forwarding",
    loopback = "loopback" },
  ["-G"] = pairs_of { rx = { "rx_ring", number }, tx = { "tx_ring", number } },
  ["-L"] = pairs_of { combined = { "channels", number } },
  ["-C"] = pairs_of { ["rx-usecs"] = { "rx_usecs", number }, ["adaptive-rx"] = { "adaptive_rx", switch } },
  ["-A"] = features { rx = "rx_pause", tx = "tx_pause" },
  ["-X"] = rxfh,
  ["-N"] = rx_flow_hash,
  ["--reset"] = reset,
}

local LONG = { ["--features"] = "-K", ["--offload"] = "-K", ["--set-ring"] = "-G",
  ["--set-channels"] = "-L", ["--coalesce"] = "-C", ["--pause"] = "-A", ["--rxfh"] = "-X",
  ["--set-rxfh-indir"] = "-X", ["--config-nfc"] = "-N", ["--config-ntuple"] = "-N", ["-U"] = "-N" }

local function run(host, text)
  local words = text:gmatch "%S+"
  local option = words()
  local setter = SETTERS[LONG[option] or option]
  if not setter then return host:proc("ethtool " .. text) end
  local o = { dev = words() }
  if not o.dev then raise(("ethtool %s: which device?"):format(option)) end
  local what = ("ethtool %s %s"):format(option, o.dev)
  setter(words, o, what)
  local extra = words()
  if extra then raise(("%s: '%s' is one word too many"):format(what, extra)) end
  set(host, o)
  return ""
end

function ethtool.command(host, o)
  if type(o) == "string" then return run(host, o) end
  set(host, o)
end

return ethtool
