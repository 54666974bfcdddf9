/* SPDX-License-Identifier: MIT */
/*
 * TCP and UDP segmentation in the device: what it changes in the headers that every segment is
 * given a copy of. Written without the stack's own segmentation, as a chip is.
 *
 * Invariant: segments carry identification and sequence number as if they had been sent one by one;
 * FIN and PSH stand in the last one, CWR in the first.
 */
#include "drivers/nic_hw_priv.h"

#include "lib/checksum.h"

#define FIN_PSH 0x09u
#define CWR	0x80u

static void tso_tcp(const struct nic_tx_desc *ctx, u8 *tcp, u32 index, bool last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + index * ctx->length);
	if (!last)
		tcp[13] &= (u8)~FIN_PSH;
	if (index)
		tcp[13] &= (u8)~CWR;
}

void nic_hw_tso_headers(const struct nic_tx_desc *ctx, const struct nic_tx_desc *data, u8 *frame,
			u32 len, u32 index, bool last)
{
	u8 *ip = frame + ctx->csum_offset, *l4 = frame + data->csum_start;
	u8 *sum = l4 + data->csum_offset;

	put_be16(ip + 2, (u16)(len - ctx->csum_offset));
	put_be16(ip + 4, (u16)(get_be16(ip + 4) + index));
	store_be16(ip + 10, 0);
	store_be16(ip + 10, ip_fast_csum(ip, ip[0] & 15u));
	if (ctx->cmd & TXD_USO)
		put_be16(l4 + 4, (u16)(len - data->csum_start));
	else
		tso_tcp(ctx, l4, index, last);
	/* The pseudo header's length, which differs from segment to segment. */
	store_be16(sum, csum_fold_raw((u32)load_be16(sum) + htons((u16)(len - data->csum_start))));
}
