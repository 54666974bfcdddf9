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

/* The headers that all segments of a run have, and what is summed of them once. */
struct tso_run {
	u32 part, len; /* of a segment: payload, all */
	u32 ip, l4; /* where the headers lie */
	u32 ip_sum; /* without identification and sum */
	u32 l4_sum; /* without sequence number */
	u32 id, seq; /* of the whole packet */
	bool tcp;
	be16 pseudo; /* stands in the place of the checksum */
	u8 hdr[NIC_TSO_HDR];
};

#define TCP_CHECK 16u
#define UDP_CHECK 6u

/* Is every segment behind the first sent as the one before it was? What a listener might change is
 * asked by wire_frame_lend() for each. */
static bool tso_runs(const struct nic_hw *hw)
{
	const struct nic_tx_desc *ctx = &hw->tx.ctx, *data = &hw->tx.data;

	return hw->tso_more && hw->tctl & TCTL_EN && !hw->tx_stalled && !hw->loopback &&
	       !hw->tx_bad && nic_link(hw) && !(ctx->cmd & TXD_VLAN) &&
	       (data->cmd & (TXD_TSTAMP | TXD_CSUM)) == TXD_CSUM &&
	       data->csum_offset == (ctx->cmd & TXD_USO ? UDP_CHECK : TCP_CHECK) &&
	       (u32)ctx->csum_start + ctx->length >= NIC_TSO_HDR;
}

/* The second segment's headers, the fields that differ taken out. */
static void run_begin(const struct nic_hw *hw, struct tso_run *run)
{
	const struct nic_tx_desc *ctx = &hw->tx.ctx;
	u32 hdr_len = ctx->csum_start;
	u8 *ip, *l4;

	run->part = ctx->length;
	run->len = hdr_len + run->part;
	run->ip = ctx->csum_offset;
	run->l4 = hw->tx.data.csum_start;
	run->tcp = !(ctx->cmd & TXD_USO);
	memcpy(run->hdr, hw->tso_hdr, NIC_TSO_HDR);
	ip = run->hdr + run->ip;
	l4 = run->hdr + run->l4;
	run->id = get_be16(ip + 4);
	run->seq = get_be32(l4 + 4);
	tso_headers(&hw->tx, run->hdr, run->len, 1, false);
	store_be16(ip + 4, 0);
	store_be16(ip + 10, 0);
	run->ip_sum = csum_words(ip, run->l4 - run->ip);
	if (run->tcp)
		store_be32(l4 + 4, 0);
	run->l4_sum = csum_words(l4, hdr_len - run->l4);
	run->pseudo = load_be16(l4 + hw->tx.data.csum_offset);
}

/* The bytes of the next segment. False: a descriptor names no memory. */
static bool run_build(struct nic_hw *hw, const struct tso_run *run, struct wire_frame *f, u8 *p)
{
	u32 index = hw->tso_sent / run->part, hdr_len = run->len - run->part, sum;
	u8 *ip = p + run->ip, *l4 = p + run->l4;
	be16 id = htons((u16)(run->id + index)), check;

	memcpy(p, run->hdr, NIC_TSO_HDR);
	if (!hw->tx_ops->gather(hw, hw->tx_queue, hdr_len + hw->tso_sent, run->part, p + hdr_len,
				&sum))
		return false;
	store_be16(ip + 4, id);
	store_be16(ip + 10, csum_fold(csum_add(run->ip_sum, id)));
	sum = csum_add(sum, run->l4_sum);
	if (run->tcp) {
		be32 seq = htonl(run->seq + hw->tso_sent);

		store_be32(l4 + 4, seq);
		sum = csum_add(sum, seq);
	}
	check = csum_fold(sum);
	check = check ? check : 0xffff;
	store_be16(l4 + hw->tx.data.csum_offset, check);
	wire_frame_summed(f, run->l4, csum_add(csum_sub(sum, run->pseudo), check));
	return true;
}

void nic_hw_tso_run(struct nic_hw *hw)
{
	u32 payload = hw->tx.bytes - hw->tx.ctx.csum_start;
	struct tso_run run;

	if (!tso_runs(hw))
		return;
	run_begin(hw, &run);
	hw->tx_busy = true;
	/* Not the last one, which may be shorter and have other flags. */
	while (payload - hw->tso_sent > run.part && !hw->pause_pending && !nic_hw_paused(hw)) {
		struct wire_frame *f = wire_frame_lend(hw->wire, hw->end, run.len);

		if (!f)
			break;
		if (!run_build(hw, &run, f, wire_frame_bytes(f))) {
			wire_frame_put(hw->wire, f); /* given up by who tries again */
			break;
		}
		wire_frame_follows(f);
		hw->tso_sent += run.part;
		hw->stats.tx_tso_segments++;
		hw->stats.tx_frames++;
		hw->stats.tx_bytes += run.len;
		wire_transmit(hw->wire, hw->end, f, 0);
	}
	hw->tx_busy = false;
}
