-- SPDX-License-Identifier: MIT
-- struct tcp_info of Linux 6.18 as a table: times in microseconds as the kernel gives them, state and
-- ca_state as names.
local tcp_info = {}

local states = { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
  "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV" }
local ca_states = { [0] = "Open", "Disorder", "CWR", "Recovery", "Loss" }

-- Where a field begins, and how it is packed.
local info_fields = {}
for line in ([[
  0 B state ca_state retransmits probes backoff options
  8 I4 rto ato snd_mss rcv_mss unacked sacked lost retrans fackets
  44 I4 last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar
  76 I4 snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans
  104 I8 pacing_rate max_pacing_rate bytes_acked bytes_received
  136 I4 segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out
  160 I8 delivery_rate busy_time rwnd_limited sndbuf_limited
  192 I4 delivered delivered_ce
  200 I8 bytes_sent bytes_retrans
  216 I4 dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash
  240 I2 total_rto total_rto_recoveries
  244 I4 total_rto_time
  248 I4 received_ce delivered_e1_bytes delivered_e0_bytes delivered_ce_bytes
  264 I4 received_e1_bytes received_e0_bytes received_ce_bytes
  276 I2 accecn_fail_mode accecn_opt_seen
]]):gmatch("[^\n]+") do
  local at, format, names = line:match("(%d+) (%S+) (.+)")
  at = tonumber(at) + 1
  for name in names:gmatch("%S+") do
    info_fields[#info_fields + 1] = { name = name, at = at, format = "<" .. format }
    at = at + string.packsize("<" .. format)
  end
end

function tcp_info.read(data)
  local info = {}
  for _, field in ipairs(info_fields) do info[field.name] = field.format:unpack(data, field.at) end
  info.snd_wscale, info.rcv_wscale = data:byte(7) & 15, data:byte(7) >> 4
  info.app_limited = data:byte(8) & 1 == 1
  info.state = states[info.state] or info.state
  info.ca_state = ca_states[info.ca_state] or info.ca_state
  return info
end

return tcp_info
