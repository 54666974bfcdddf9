/* SPDX-License-Identifier: MIT */
/* What few connections have (struct tcp_rare): made when it is first written. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"

#include "kernel/mem.h"

const struct tcp_rare tcp_rare_default = { .resume_timer.event.time = TIME_NEVER };

static struct tcp_rare *rare_new(const struct sock *sk)
{
	struct tcp_rare *r = mem_alloc(net_world(sk->net), MEM_TCP_RARE, sizeof(*r));

	if (r)
		*r = tcp_rare_default;
	return r;
}

/* It is `sk`'s, whose timers are set up. */
static void rare_owner(struct tcp_rare *r, struct sock *sk)
{
	r->sk = sk;
	timer_setup(&r->resume_timer, inet_csk_timer_cpu(sk), tcp_resume_timer);
	tcp_sk(sk)->rare = r;
}

struct tcp_rare *tcp_rare_get(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_rare *r;

	if (tp->rare != &tcp_rare_default)
		return tcp_rare_own(tp);
	r = rare_new(sk);
	if (r)
		rare_owner(r, sk);
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
	r = rare_new(sk);
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

void tcp_rare_adopt(struct sock *sk, const struct tcp_rare *rare)
{
	if (rare == &tcp_rare_default)
		tcp_sk(sk)->rare = rare;
	else
		rare_owner((struct tcp_rare *)(uintptr_t)(const void *)rare, sk);
}

void tcp_rare_free(struct net *net, const struct tcp_rare *rare)
{
	struct tcp_rare *own = (struct tcp_rare *)(uintptr_t)(const void *)rare;

	if (rare == &tcp_rare_default)
		return;
	tcp_auth_free(net, &own->auth);
	mem_free(net_world(net), MEM_TCP_RARE, own, sizeof(*own));
}
