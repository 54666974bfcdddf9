-- SPDX-License-Identifier: MIT
-- What ss(8) prints of a socket with -m and -i, in the order and the units of iproute2's
-- tcp_stats_print(): a field that is 0, or that has the value it always has, is left out.
local tcp_info = require "net.tcp_info"

local ss_info = {}

local FIELDS = { "r", "rb", "t", "tb", "f", "w", "o", "bl", "d" }

function ss_info.skmem(entry)
  if not entry.mem then return "" end
  local parts = {}
  for i, value in ipairs(entry.mem) do parts[i] = FIELDS[i] .. value end
  return (" skmem:(%s)"):format(table.concat(parts, ","))
end

-- Bits per second: all digits with -n.
local function rate(bps, numeric)
  if numeric then return ("%.0fbps"):format(bps) end
  local unit = 1
  local units = { "", "K", "M", "G", "T" }
  while bps >= 1000 and unit < #units do bps, unit = bps / 1000, unit + 1 end
  return ("%.3g%sbps"):format(bps, units[unit])
end

local function options(put, info)
  local names = { { 1, "ts" }, { 2, "sack" }, { 8, "ecn" }, { 16, "ecnseen" }, { 32, "fastopen" } }
  for _, row in ipairs(names) do
    if info.options & row[1] ~= 0 then put("%s", row[2]) end
  end
end

local function ms(us) return us / 1000 end

-- What has been limiting: a part of the busy time.
local function share(put, name, us, busy)
  if us ~= 0 then put("%s:%dms(%.1f%%)", name, us // 1000, 100.0 * us / busy) end
end

local function sizes_and_counts(put, field, info)
  field("mss:%d", info.snd_mss)
  field("pmtu:%d", info.pmtu)
  field("rcvmss:%d", info.rcv_mss)
  field("advmss:%d", info.advmss)
  field("cwnd:%d", info.snd_cwnd)
  if info.snd_ssthresh < 0xffff then put("ssthresh:%d", info.snd_ssthresh) end
  for _, name in ipairs { "bytes_sent", "bytes_retrans", "bytes_acked", "bytes_received", "segs_out",
    "segs_in", "data_segs_out", "data_segs_in" } do
    field(name .. ":%d", info[name])
  end
end

local function rates(put, info, numeric)
  if info.rtt > 0 and info.snd_mss > 0 and info.snd_cwnd > 0 then
    put("send %s", rate(info.snd_cwnd * info.snd_mss * 8000000.0 / info.rtt, numeric))
  end
  if info.last_data_sent ~= 0 then put("lastsnd:%d", info.last_data_sent) end
  if info.last_data_recv ~= 0 then put("lastrcv:%d", info.last_data_recv) end
  if info.last_ack_recv ~= 0 then put("lastack:%d", info.last_ack_recv) end
  if info.pacing_rate ~= 0 and info.pacing_rate ~= -1 then
    local most = info.max_pacing_rate
    put("pacing_rate %s%s", rate(info.pacing_rate * 8.0, numeric),
      most ~= 0 and most ~= -1 and "/" .. rate(most * 8.0, numeric) or "")
  end
  if info.delivery_rate ~= 0 then put("delivery_rate %s", rate(info.delivery_rate * 8.0, numeric)) end
end

local function progress(put, field, info)
  field("delivered:%d", info.delivered)
  field("delivered_ce:%d", info.delivered_ce)
  if info.app_limited then put "app_limited" end
  if info.busy_time ~= 0 then
    put("busy:%dms", info.busy_time // 1000)
    share(put, "rwnd_limited", info.rwnd_limited, info.busy_time)
    share(put, "sndbuf_limited", info.sndbuf_limited, info.busy_time)
  end
  field("unacked:%d", info.unacked)
  if info.retrans ~= 0 or info.total_retrans ~= 0 then
    put("retrans:%d/%d", info.retrans, info.total_retrans)
  end
  field("lost:%d", info.lost)
  field("sacked:%d", info.sacked)
  field("dsack_dups:%d", info.dsack_dups)
  if info.reordering ~= 3 then put("reordering:%d", info.reordering) end
  field("reord_seen:%d", info.reord_seen)
  field("rcv_rtt:%.6g", ms(info.rcv_rtt))
  field("rcv_space:%d", info.rcv_space)
  field("rcv_ssthresh:%d", info.rcv_ssthresh)
  field("notsent:%d", info.notsent_bytes)
  if info.min_rtt ~= 0 and info.min_rtt ~= 0xffffffff then put("minrtt:%.6g", ms(info.min_rtt)) end
  field("rcv_ooopack:%d", info.rcv_ooopack)
  field("snd_wnd:%d", info.snd_wnd)
  field("rehash:%d", info.rehash)
end

-- Of a listener: what ss shows of it.
local function listener(put, entry)
  put("%s", entry.cong)
  put("cwnd:%d", entry.info.snd_cwnd)
end

function ss_info.tcp(entry, numeric)
  if not entry.tcp_info then return "" end
  local parts = {}
  local function put(format, ...) parts[#parts + 1] = " " .. format:format(...) end
  local function field(format, value)
    if value ~= 0 then put(format, value) end
  end
  local info = tcp_info.read(entry.tcp_info)
  entry.info = info
  if entry.state == "LISTEN" then
    listener(put, entry)
    return table.concat(parts)
  end
  options(put, info)
  put("%s", entry.cong)
  if info.options & 4 ~= 0 then put("wscale:%d,%d", info.snd_wscale, info.rcv_wscale) end
  if info.rto ~= 3000000 then field("rto:%.6g", ms(info.rto)) end
  field("backoff:%d", info.backoff)
  if info.rtt ~= 0 then put("rtt:%.6g/%.6g", ms(info.rtt), ms(info.rttvar)) end
  field("ato:%.6g", ms(info.ato))
  sizes_and_counts(put, field, info)
  rates(put, info, numeric)
  progress(put, field, info)
  return table.concat(parts)
end

return ss_info
