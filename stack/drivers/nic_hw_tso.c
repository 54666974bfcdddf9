/* SPDX-License-Identifier: MIT */
/*
 * TCP and UDP segmentation in the device: what it changes in the headers that every segment is
 * given a copy of, and the run of segments that go one behind the other straight into the far end's
 * memory. Written without the stack's own segmentation, as a chip is.
 *
 * Invariants: segments carry identification and sequence number as if they had been sent one by
 * one; FIN and PSH stand in the last one, CWR in the first. A segment of the run differs in nothing
 * that is counted or seen from one that nic_hw_tx_run() sends.
 */
#include "drivers/nic_hw_priv.h"

#include "lib/checksum.h"

#define FIN_PSH 0x09u
#define CWR	0x80u

bool nic_hw_tso_ok(const struct nic_hw_tx *tx)
{
	const struct nic_tx_desc *ctx = &tx->ctx, *data = &tx->data;
	u32 hdr_len = ctx->csum_start, l4 = data->csum_start, ip_len = l4 - ctx->csum_offset;

	return ctx->length && hdr_len <= NIC_TSO_HDR && hdr_len < tx->bytes && ip_len >= 20 &&
	       ip_len <= 60 && ip_len % 4 == 0 && (hdr_len - l4) % 4 == 0 &&
	       l4 + (ctx->cmd & TXD_USO ? 8u : 20u) <= hdr_len &&
	       l4 + data->csum_offset + 2u <= hdr_len;
}

static void tso_tcp(const struct nic_tx_desc *ctx, u8 *tcp, u32 index, bool last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + index * ctx->length);
	if (!last)
		tcp[13] &= (u8)~FIN_PSH;
	if (index)
		tcp[13] &= (u8)~CWR;
}

/* The headers of a frame of `len` bytes as those of segment `index`. */
static void tso_headers(const struct nic_hw_tx *tx, u8 *frame, u32 len, u32 index, bool last)
{
	const struct nic_tx_desc *ctx = &tx->ctx, *data = &tx->data;
	u8 *ip = frame + ctx->csum_offset, *l4 = frame + data->csum_start;
	u8 *sum = l4 + data->csum_offset;

	put_be16(ip + 2, (u16)(len - ctx->csum_offset));
	put_be16(ip + 4, (u16)(get_be16(ip + 4) + index));
	store_be16(ip + 10, 0);
	store_be16(ip + 10, ip_fast_csum(ip, (u32)(l4 - ip) / 4));
	if (ctx->cmd & TXD_USO)
		put_be16(l4 + 4, (u16)(len - data->csum_start));
	else
		tso_tcp(ctx, l4, index, last);
	/* The pseudo header's length, which differs from segment to segment. */
	store_be16(sum, csum_fold_raw((u32)load_be16(sum) + htons((u16)(len - data->csum_start))));
}

/* Headers as the driver wrote them, fetched with the first segment. A constant number of bytes is
 * cheaper than as many as there are: what is too much becomes payload. */
static bool tso_fetch_headers(struct nic_hw *hw, u32 hdr_len, u32 len, u8 *p)
{
	if (!hw->tso_sent && !hw->tx_ops->gather(hw, hw->tx_queue, 0, hdr_len, hw->tso_hdr, NULL))
		return false;
	if (len >= NIC_TSO_HDR)
		memcpy(p, hw->tso_hdr, NIC_TSO_HDR);
	else
		memcpy(p, hw->tso_hdr, hdr_len);
	return true;
}

/* csum_partial() in line, of whole words: a transport header. */
static inline u32 csum_words(const u8 *p, u32 len)
{
	u64 s = 0;

	for (u32 i = 0; i < len; i += 4)
		s += load_be32(p + i);
	return csum_fold64(s);
}

bool nic_hw_tso_build(struct nic_hw *hw, u32 part, struct wire_frame *f, u8 *p)
{
	const struct nic_hw_tx *tx = &hw->tx;
	u32 hdr_len = tx->ctx.csum_start, start = tx->data.csum_start, len = hdr_len + part;
	bool sums = nic_hw_tx_sums(&tx->data, len);
	u32 payload = 0;

	if (!tso_fetch_headers(hw, hdr_len, len, p) ||
	    !hw->tx_ops->gather(hw, hw->tx_queue, hdr_len + hw->tso_sent, part, p + hdr_len,
				sums ? &payload : NULL))
		return false;
	tso_headers(tx, p, len, hw->tso_sent / tx->ctx.length, !hw->tso_more);
	if (sums)
		nic_hw_tx_checksum(&tx->data, f, p,
				   csum_block_add(csum_words(p + start, hdr_len - start), payload,
						  hdr_len - start));
	return true;
}

/* Is every segment behind the first sent as the one before it was? What a listener might change is
 * asked by wire_frame_lend() for each. */
static bool tso_runs(const struct nic_hw *hw)
{
	const struct nic_tx_desc *ctx = &hw->tx.ctx;

	return hw->tso_more && hw->tctl & TCTL_EN && !hw->tx_stalled && !hw->loopback &&
	       !hw->tx_bad && nic_link(hw) && !(ctx->cmd & TXD_VLAN) &&
	       !(hw->tx.data.cmd & TXD_TSTAMP) && (u32)ctx->csum_start + ctx->length >= NIC_TSO_HDR;
}

void nic_hw_tso_run(struct nic_hw *hw)
{
	const struct nic_tx_desc *ctx = &hw->tx.ctx;
	u32 part = ctx->length, len = ctx->csum_start + part;

	if (!tso_runs(hw))
		return;
	hw->tx_busy = true;
	/* Not the last one: what follows it is another packet's. */
	while (hw->tx.bytes - ctx->csum_start - hw->tso_sent > part && !hw->pause_pending &&
	       !nic_hw_paused(hw)) {
		struct wire_frame *f = wire_frame_lend(hw->wire, hw->end, len);

		if (!f)
			break;
		if (!nic_hw_tso_build(hw, part, f, wire_frame_bytes(f))) {
			wire_frame_put(hw->wire, f); /* given up by who tries again */
			break;
		}
		wire_frame_follows(f);
		hw->tso_sent += part;
		hw->stats.tx_tso_segments++;
		hw->stats.tx_frames++;
		hw->stats.tx_bytes += len;
		wire_transmit(hw->wire, hw->end, f, 0);
	}
	hw->tx_busy = false;
}
