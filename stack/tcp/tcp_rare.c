/* SPDX-License-Identifier: MIT */
/* What few connections have (struct tcp_rare): made when it is first written. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_rare.h"

#include "kernel/mem.h"

const struct tcp_rare tcp_rare_default = { 0 };

struct tcp_rare *tcp_rare_get(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_rare *r;

	if (tp->rare != &tcp_rare_default)
		return tcp_rare_own(tp);
	r = mem_zalloc(net_world(sk->net), MEM_TCP_RARE, sizeof(*r));
	if (r)
		tp->rare = r;
	return r;
}

bool tcp_rare_clone(const struct sock *sk, const struct request_sock *req,
		    const struct tcp_rare **copy)
{
	const struct tcp_rare *from = tcp_sk(sk)->rare;
	struct tcp_rare *r;

	*copy = &tcp_rare_default;
	if (from == &tcp_rare_default)
		return true;
	r = mem_zalloc(net_world(sk->net), MEM_TCP_RARE, sizeof(*r));
	if (!r)
		return false;
	r->options = from->options;
	if (from->auth && tcp_auth_inherit(sk, req, &r->auth)) {
		tcp_rare_free(sk->net, r);
		return false;
	}
	*copy = r;
	return true;
}

void tcp_rare_free(struct net *net, const struct tcp_rare *rare)
{
	struct tcp_rare *own = (struct tcp_rare *)(uintptr_t)(const void *)rare;

	if (rare == &tcp_rare_default)
		return;
	tcp_auth_free(net, &own->auth);
	mem_free(net_world(net), MEM_TCP_RARE, own, sizeof(*own));
}
