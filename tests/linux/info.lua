-- SPDX-License-Identifier: MIT
-- TCP_INFO of a socket as words, without what is a time or follows from one;
-- what is 0 is left out, and a field named `without` (flags: tcpi_delivery_rate_app_limited, which follows from
-- times where an ACK comes at once).
local FIELDS = {}

for name, offset, size in ([[
  state 0 1, ca_state 1 1, retransmits 2 1, probes 3 1, backoff 4 1, options 5 1, wscale 6 1, flags 7 1,
  snd_mss 16 4, rcv_mss 20 4, unacked 24 4, sacked 28 4, lost 32 4, retrans 36 4, fackets 40 4,
  pmtu 60 4, rcv_ssthresh 64 4, snd_ssthresh 76 4, snd_cwnd 80 4, advmss 84 4, reordering 88 4, rcv_space 96 4,
  total_retrans 100 4, bytes_acked 120 8, bytes_received 128 8, segs_out 136 4, segs_in 140 4, notsent 144 4,
  data_segs_in 152 4, data_segs_out 156 4, delivered 192 4, delivered_ce 196 4, bytes_sent 200 8,
  bytes_retrans 208 8, dsack_dups 216 4, reord_seen 220 4, rcv_ooopack 224 4, snd_wnd 228 4, rcv_wnd 232 4,
  rehash 236 4, total_rto 240 2, total_rto_recoveries 242 2, received_ce 248 4,
  delivered_e1 252 4, delivered_e0 256 4,
  delivered_ce_bytes 260 4, received_e1 264 4, received_e0 268 4, received_ce_bytes 272 4, accecn_fail 276 2,
  accecn_opt 278 2]]):gmatch "(%S+) (%d+) (%d+)" do
  FIELDS[#FIELDS + 1] = { name, offset + 1, "<I" .. size, offset + size }
end

return function(w, fd, without)
  local result, err = w.sys("getsockopt", { fd = fd, arg0 = w.C.SOL_TCP, arg1 = 11, size = 512 })
  if not result then return err end
  local words = { "size=" .. result.ret }
  for _, f in ipairs(FIELDS) do
    local value = f[4] <= #result.data and f[3]:unpack(result.data, f[2]) or 0
    if value ~= 0 and f[1] ~= without then words[#words + 1] = f[1] .. "=" .. value end
  end
  return table.concat(words, " ")
end
